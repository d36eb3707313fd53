"""A throw-away Slurm cluster on this machine, whose nodes are the emulator's VMs."""
