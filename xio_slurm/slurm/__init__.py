"""Everything that speaks to Slurm."""
