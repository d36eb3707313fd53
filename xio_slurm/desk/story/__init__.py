"""Why a node, a job or a pool is as it is: one story from Slurm, the EMS, the ledger and the programs' events."""
