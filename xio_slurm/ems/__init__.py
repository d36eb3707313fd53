"""Everything that speaks to the Exostellar Management Server."""
