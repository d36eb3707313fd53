"""The EMS's VMs as an administrator deals with them: a test of one, a list, one deleted by hand."""
