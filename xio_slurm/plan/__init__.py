"""What would change on the EMS and in Slurm for all to be as the configuration says, and making it so."""
