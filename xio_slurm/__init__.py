"""Runs a Slurm cluster's jobs on Exostellar Infrastructure Optimizer (XIO) virtual machines.

Deploy time (``config``, ``deploy``, ``commands``) compiles the administrator's YAML into the node definitions
that slurm.conf includes and the manifest; run time (``power``) acts on the manifest alone.
"""

__version__ = "0.1.0"
