"""Which code an installation is of: a digest of the package, so that an upgrade in place is seen as one."""

import hashlib
from pathlib import Path

import xio_slurm


def code_digest() -> str:
    """The same for the same Python files."""
    package = Path(xio_slurm.__file__).parent
    digest = hashlib.sha256()
    for file in sorted(package.rglob("*.py")):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(package)} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()
