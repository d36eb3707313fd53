"""The chaos's short form: whatever fails, every job ends, and nothing runs for nobody."""

from pathlib import Path
from typing import Final

import pytest

from tests.chaos.chaos import Chaos, Plan
from tests.chaos.cluster import cluster
from tests.slurm.conftest import short_path

SHORT: Final = Plan(jobs=60, seconds=45, quiet=400, seed=7, patient=False)


@pytest.mark.timeout(1200)
def test_every_job_and_every_vm_comes_to_its_end(tmp_path: Path) -> None:
    with cluster(short_path(), tmp_path) as parts:
        figures = Chaos(parts, SHORT, tmp_path, print).run()
    print(figures.table(), *figures.said, sep="\n")
    assert figures.wrong == []
    assert figures.counts["jobs"] >= SHORT.jobs
    assert figures.counts["of them answered wrongly"] > 0.15 * figures.counts["requests until the faults end"]
    assert figures.counts["crashes of slurmctld"]
    assert figures.counts["jumps of the clock"] >= 3
