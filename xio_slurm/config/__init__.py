"""YAML → checked ``Config``: schema, loading with line numbers, instance families, sizing. Deploy time only."""

from xio_slurm.config.loading import Loaded, load
from xio_slurm.config.model import Config

__all__ = ["Config", "Loaded", "load"]
