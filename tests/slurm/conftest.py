"""Real clusters for tests: a fixture that gives a running lab, and one that makes labs of other kinds.

Where Slurm or munge is missing these tests fail, with the packages that bring them: a main flow that nobody ran must
not look like one that works.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from xio_slurm.lab import Lab, LabOptions, Timing
from xio_slurm.lab import folder as lab_folder

QUICK = Timing(resume_timeout=45, suspend_timeout=3, suspend_time=4)
"""A node is gone about ten seconds after its job; a VM of a loaded machine still boots in time."""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A running lab of the sample configuration, with three nodes ``pc-[1-3]`` of a delegated family."""
    with Lab.up(LabOptions(short_path(), timing=QUICK, delegated_nodes=3)) as running:
        yield running


@pytest.fixture
def lab_path() -> Iterator[Path]:
    """A path for a lab's folder, short enough for the sockets in it. What is there after the test is removed."""
    path = short_path()
    yield path
    if not path.exists() or lab_folder.is_lab(path):
        lab_folder.remove(path)


@pytest.fixture
def make_lab() -> Iterator[Callable[..., Lab]]:
    """Makes labs: ``make_lab(slurm_conf="…")`` takes the fields of LabOptions. They are down after the test."""
    with ExitStack() as labs:

        def make(**fields: object) -> Lab:
            options = LabOptions(**{"folder": short_path(), "timing": QUICK, **fields})  # type: ignore[arg-type]  # fields of any type
            return labs.enter_context(Lab.up(options))

        yield make


def short_path() -> Path:
    """A path for a lab's folder, which doesn't exist yet."""
    # pytest's own folders are long, and closed to SlurmUser.
    path = Path(tempfile.mkdtemp(prefix="xio-t-", dir="/tmp"))
    path.rmdir()
    return path
