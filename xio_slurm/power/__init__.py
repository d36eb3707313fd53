"""Run time: the programs that slurmctld calls."""
