"""Where the files of ``etc/`` are: beside the package in a checkout, inside it in an installed wheel."""

from pathlib import Path

from xio_slurm.errors import XioError

_PACKAGE = Path(__file__).resolve().parent


def shipped(name: str) -> Path:
    """The path of a file of ours in ``etc/``."""
    for folder in (_PACKAGE / "etc", _PACKAGE.parent / "etc"):
        if (folder / name).is_file():
            return folder / name
    raise XioError(f"{name} is missing from this installation of xio-slurm: install it again")
