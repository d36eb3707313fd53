"""The option ``--slurm-conf``: which slurm.conf is the cluster's."""

from pathlib import Path

from xio_slurm.errors import SlurmError
from xio_slurm.slurm.conf import path_in_use


def conf_path(given: str | None, bin_dir: str) -> str | None:
    """The path, or None where there is no slurm.conf. Raises SlurmError if one was given that isn't there.

    Without one it is what Slurm's commands read, else the one beside their folder (/opt/slurm/bin, /opt/slurm/etc).
    """
    if given is not None:
        if not Path(given).is_file():
            what = "is a folder" if Path(given).is_dir() else "there is no such slurm.conf"
            raise SlurmError(f"{given}: {what}: give the cluster's with --slurm-conf")
        return given
    beside = Path(bin_dir).parent / "etc" / "slurm.conf"
    return next((path for path in (path_in_use(), str(beside)) if Path(path).is_file()), None)
