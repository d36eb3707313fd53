"""Whatever happens, in whatever order: a job waits for nothing that won't come, and no VM runs for nobody."""

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.recovery.world import NODES, POOLS, World
from xio_slurm.slurm.version import Version

RUNS: Final = int(os.environ.get("XIO_RECOVERY_RUNS", "2000"))
"""Of 50 steps each. A long proof: ``XIO_RECOVERY_RUNS=100000 bin/test -n 2 tests/recovery`` (an hour or two)."""

_TOGETHER: Final = 250
"""Runs of one test: what Hypothesis keeps of each makes the next ones slower, by the thousandth twice as slow."""

_BASE: Final = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path(tempfile.gettempdir())  # noqa: S108

effects = st.one_of(st.none(), st.integers(0, 40))
seconds = st.sampled_from([1, 3, 10, 30, 60])
pools = st.sampled_from([("a",), ("b",), ("a", "b")])


class Cluster(RuleBasedStateMachine):
    """Steps of everybody, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="xio-model-", dir=_BASE))
        self.world = World(Path(folder) / "state")
        self._stack.enter_context(self.world.in_force())

    @initialize(version=st.sampled_from([Version(22, 5, 8), Version(24, 11, 5)]))
    def slurm_is_of_a_version(self, version: Version) -> None:
        self.world.slurm.version = version

    @rule(seconds=seconds)
    def time_passes(self, seconds: int) -> None:
        self.world.clock.advance(seconds)

    @rule(count=st.integers(1, 3), pools=pools, runs=st.sampled_from([5.0, 60.0]))
    def a_job_is_submitted(self, count: int, pools: tuple[str, ...], runs: float) -> None:
        self.world.slurm.submit(count, pools, runs)
        self.world.clock.advance(1)

    @rule(effects=effects, place=st.integers(0, 3))
    def a_program_runs(self, effects: int | None, place: int) -> None:
        if (called := self.world.slurm.started(place)) is not None:
            self.world.call(called, effects)

    @rule(effects=effects, elsewhere=st.booleans())
    def sync_passes(self, effects: int | None, elsewhere: bool) -> None:
        self.world.sync(effects, elsewhere=elsewhere)

    @rule(passes=st.integers(2, 6))
    def sync_works(self, passes: int) -> None:
        for _ in range(passes):
            self.world.sync()
            self.world.clock.advance(5)

    @rule(
        seed=st.integers(0, 2**16),
        weather=st.fixed_dictionaries(
            {
                "unreachable": st.booleans(),
                "lost_request": st.sampled_from([0.0, 0.3]),
                "lost_answer": st.sampled_from([0.0, 0.3, 1.0]),
                "comes_late": st.sampled_from([0.0, 0.3]),
                "errors": st.sampled_from([0.0, 0.3]),
                "never_boots": st.sampled_from([0.0, 0.5]),
                "slow_delete": st.sampled_from([0.0, 0.5]),
                "without_capacity": st.sets(st.sampled_from(sorted(POOLS))),
            }
        ),
    )
    def the_ems_has_another_day(self, seed: int, weather: dict[str, Any]) -> None:
        self.world.ems.random = Random(seed)
        for name, value in weather.items():
            setattr(self.world.ems.weather, name, value)

    @rule(down=st.booleans())
    def slurmctld_goes_or_comes(self, down: bool) -> None:
        self.world.slurm.is_down = down

    @rule(place=st.integers(0, 5))
    def a_vm_dies(self, place: int) -> None:
        if self.world.ems.machines:
            self.world.ems.machines.pop(place % len(self.world.ems.machines))

    @rule(node=st.sampled_from(sorted(NODES)))
    def another_cluster_makes_a_vm(self, node: str) -> None:
        # Where a VM of ours was a moment ago nobody can tell the two apart.
        if not self.world.ems.of(node) and not self.world.is_claimed(node):
            self.world.ems.make({"NodeName": node, "PoolName": "theirs"}, ours=False)

    @rule()
    def a_late_request_is_carried_out(self) -> None:
        self.world.ems.carry_out_late()

    @rule(jump=st.sampled_from([-3600.0, -30.0, 30.0, 3600.0]))
    def the_clock_is_set(self, jump: float) -> None:
        self.world.clock.jump(jump)

    def teardown(self) -> None:
        try:
            self.world.become_quiet()
            troubles = list(self.world.troubles())
            assert not troubles, "\n".join(troubles)
        finally:
            self._stack.close()


@pytest.mark.parametrize("block", range(-(-RUNS // _TOGETHER)))
def test_nothing_is_lost(block: int) -> None:
    run_state_machine_as_test(
        seed(block)(type("Cluster", (Cluster,), {})),
        settings=settings(
            max_examples=min(RUNS, _TOGETHER),
            stateful_step_count=50,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
