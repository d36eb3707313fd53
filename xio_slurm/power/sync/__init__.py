"""``xio sync``: looks at Slurm, the EMS and the ledger, and makes true what the programs left undone."""
