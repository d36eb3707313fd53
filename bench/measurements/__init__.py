"""The measurements, a file each: ``measure(quick, say)`` gives the rows of a result."""
