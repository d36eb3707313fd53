"""The chaos's short form: whatever fails, every job ends, and nothing runs for nobody."""

from pathlib import Path
from typing import Final

import pytest

from tests.chaos.chaos import Chaos, Plan
from tests.chaos.cluster import cluster
from tests.slurm.conftest import short_path

SHORT: Final = Plan(jobs=60, seconds=45, quiet=185, seed=7)


@pytest.mark.timeout(300)
def test_every_job_and_every_vm_comes_to_its_end(tmp_path: Path) -> None:
    with cluster(short_path(), tmp_path) as (lab, door):
        figures = Chaos(lab, door, SHORT, tmp_path, print).run()
    print(figures.table())
    assert figures.wrong == []
    assert figures.counts["jobs"] >= SHORT.jobs
    assert figures.counts["hit by a fault"] > 0.1 * figures.counts["requests until the faults end"]
