"""Where thousands of runs take place: in memory, since each waits for its files to be on the disk."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.fuzz.clusters import Clusters, clusters

_MEMORY = Path("/dev/shm")  # noqa: S108


@pytest.fixture(scope="module")
def quick_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder that everybody can pass, and that is gone afterwards."""
    base = _MEMORY if _MEMORY.is_dir() else tmp_path_factory.getbasetemp()
    with tempfile.TemporaryDirectory(prefix="xio-fuzz-", dir=base) as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture(scope="module")
def cluster(quick_folder: Path) -> Iterator[Clusters]:
    """A cluster to plan and apply for."""
    with clusters(quick_folder) as made:
        yield made
