"""Which backend a manifest's controller is: pyslurm where it is wanted, installed and fits, else scontrol."""

import logging
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from xio_slurm.errors import SlurmError
from xio_slurm.manifest import Manifest
from xio_slurm.slurm.controller import Controller
from xio_slurm.slurm.scontrol import Scontrol
from xio_slurm.slurm.version import installed, parse

log = logging.getLogger("xio_slurm")


def chosen(manifest: Manifest, *, slurm_conf: str | None, timeout: float) -> Controller:
    """The backend that ``SlurmBackend`` and this machine allow; a line in the log where it isn't the one asked for."""
    bin_dir, backend = manifest.slurm_bin_dir, manifest.slurm_backend
    if backend == "scontrol":
        return Scontrol(bin_dir, slurm_conf=slurm_conf, timeout=timeout)
    unfit = _unfit(bin_dir, slurm_conf)
    if unfit is None:
        from xio_slurm.slurm.pyslurm_controller import PyslurmController  # noqa: PLC0415  most sites haven't it

        return PyslurmController(bin_dir, slurm_conf=slurm_conf, timeout=timeout)
    if backend == "pyslurm":
        log.warning("SlurmBackend: pyslurm can't be used, so scontrol is: %s", unfit)
    return Scontrol(bin_dir, slurm_conf=slurm_conf, timeout=timeout)


def _unfit(bin_dir: str, slurm_conf: str | None) -> str | None:
    """Why pyslurm can't be used, without importing it."""
    if find_spec("pyslurm") is None:
        return "it isn't installed where xio-slurm is"
    try:
        built = parse(f"slurm {version('pyslurm')}")
        slurm = installed(bin_dir, slurm_conf=slurm_conf)
    except (PackageNotFoundError, SlurmError) as error:
        return f"whether it fits can't be told: {error}"
    if built is None or slurm is None or built[:2] != slurm[:2]:
        return (
            f"pyslurm {built or 'of no version'} fits the Slurm of its number alone, and this is {slurm or 'unknown'}"
        )
    return None
