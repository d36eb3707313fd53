"""How fast xio-slurm is, measured beside what it could be at best: ``bin/bench``, and docs/performance.md of it."""
