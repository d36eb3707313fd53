"""How pools are summed up, and which of them have room on a screen."""

from io import StringIO

import pytest
from msgspec import structs
from rich.console import Console

from tests.unit.desk.looks import BOOTING, NOW, OFF, cluster, entry, look, node, state
from xio_slurm.commands.status_table import choose, screen, shortened
from xio_slurm.desk.status import STATES, PoolStatus, Status, states_of, status_of
from xio_slurm.desk.status_look import Look
from xio_slurm.manifest import Manifest
from xio_slurm.power.breaker import EVERY_POOL, Breaker
from xio_slurm.power.decisions import VmAction
from xio_slurm.power.situation import Gate

CLOSED = Breaker("a", Gate.CLOSED, "capacity", "none left", NOW - 10, NOW + 50, 60)


def the_pool(manifest: Manifest, seen: Look) -> PoolStatus:
    (pool,) = status_of(manifest, seen, {}).pools
    return pool


def drawn(status: Status, *, width: int | None = 80, height: int | None = 24) -> list[str]:
    """The screen's lines, as a terminal of that size shows them."""
    out = StringIO()
    Console(file=out, width=width or 1000, markup=False).print(screen(status, width=width, height=height))
    return [line.rstrip() for line in out.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("text", "reason", "gate", "words"),
    [
        (OFF, "", Gate.OPEN, ("off",)),
        (OFF, "", Gate.CLOSED, ("off",)),
        ("ALLOCATED+CLOUD+POWERED_DOWN", "", Gate.OPEN, ("booting",)),
        (BOOTING, "", Gate.OPEN, ("booting",)),
        ("ALLOCATED+CLOUD", "", Gate.OPEN, ("up", "busy")),
        ("MIXED+CLOUD", "", Gate.CLOSED, ("up", "busy")),
        ("IDLE+CLOUD+COMPLETING", "", Gate.OPEN, ("up", "busy")),
        ("IDLE+CLOUD", "", Gate.OPEN, ("up", "idle")),
        ("UNKNOWN+CLOUD", "", Gate.OPEN, ("up",)),
        ("IDLE+CLOUD+POWERING_DOWN", "", Gate.OPEN, ("ending",)),
        ("DOWN+CLOUD+POWERING_DOWN", "xio:boot x", Gate.OPEN, ("ending",)),
        ("DOWN+CLOUD", "Not responding", Gate.OPEN, ("failed",)),
        ("DOWN+CLOUD+POWERED_DOWN", "ResumeTimeout reached", Gate.OPEN, ("failed",)),
        ("IDLE+CLOUD+DRAIN+POWERED_DOWN", "xio:capacity pool a is closed until 09:01", Gate.CLOSED, ("closed",)),
        ("IDLE+CLOUD+DRAIN+POWERED_DOWN", "xio:capacity pool a is closed until 09:01", Gate.HALF_OPEN, ("closed",)),
        ("IDLE+CLOUD+DRAIN+POWERED_DOWN", "xio:rejected EMS 400", Gate.OPEN, ("failed",)),
        ("ALLOCATED+CLOUD+DRAIN", "disk is being changed", Gate.OPEN, ("out",)),
        ("IDLE+CLOUD+MAINTENANCE", "", Gate.CLOSED, ("out",)),
    ],
)
def test_every_state_has_its_words(text: str, reason: str, gate: Gate, words: tuple[str, ...]) -> None:
    assert states_of(state("n", text, reason), gate) == words
    assert set(words) <= set(STATES)


def test_a_node_that_slurm_hides_is_hidden() -> None:
    assert states_of(None, Gate.OPEN) == ("hidden",)


def test_a_pool_is_summed_up() -> None:
    manifest = cluster("a")
    one, two, three, four = (node("a", number) for number in (1, 2, 3, 4))
    seen = look(
        manifest,
        state(one, BOOTING),
        state(two, BOOTING),
        state(three, "ALLOCATED+CLOUD"),
        state(four, OFF),
        vms=frozenset({one, two, three, four, "xspot-vm-theirs-1"}),
        entries=[entry(one, "ours", 30), entry(two, "asking", 50), entry(three, "ours", 900), entry(four, "ours", 500)],
    )
    status = status_of(manifest, seen, {"a": [40, 20, 30, 10], "gone": [1]})
    (pool,) = status.pools
    assert pool.nodes == {"booting": 2, "up": 1, "busy": 1, "off": 1}
    assert (pool.vms, pool.mismatches, pool.orphans, pool.foreign) == (4, 1, 1, 0)
    assert pool.oldest is not None
    assert (pool.oldest.node, pool.oldest.seconds, pool.oldest.deadline) == (two, 50, 18)
    assert pool.boots is not None
    assert (pool.boots.count, pool.boots.p50, pool.boots.p95) == (4, 20, 40)
    assert (status.total.vms, status.total.boots, status.total.oldest) == (4, pool.boots, pool.oldest)


def test_that_slurm_may_lack_an_address_is_no_mismatch() -> None:
    manifest = structs.replace(cluster("a"), resume_timeout=600)
    one = node("a", 1)
    seen = look(manifest, state(one, BOOTING), vms=frozenset({one}), entries=[entry(one, "ours", 200)])
    assert [proposal.action for proposal in seen.proposals] == [VmAction.ADDRESS]
    assert the_pool(manifest, seen).mismatches == 0


def test_a_vm_of_another_cluster_is_foreign_and_no_orphan() -> None:
    manifest = cluster("a")
    pool = the_pool(manifest, look(manifest, state(node("a", 1), OFF), vms=frozenset({node("a", 1)})))
    assert (pool.vms, pool.mismatches, pool.orphans, pool.foreign) == (1, 1, 0, 1)


def test_what_the_ems_does_not_tell_is_unknown() -> None:
    manifest = cluster("a")
    pool = the_pool(manifest, look(manifest, state(node("a", 1), OFF), vms=None))
    assert (pool.vms, pool.mismatches, pool.orphans) == (None, None, None)
    assert pool.nodes == {"off": 1, "hidden": 3}


def test_what_slurm_does_not_tell_is_unknown() -> None:
    manifest = cluster("a")
    seen = Look(NOW, None, frozenset({node("a", 1)}), True, (), {"a": CLOSED}, True, ("Slurm is away",))
    status = status_of(manifest, seen, {})
    (pool,) = status.pools
    assert (pool.nodes, pool.vms, pool.mismatches, pool.breaker) == (None, 1, None, CLOSED)
    assert status.total.nodes is None
    lines = drawn(status)
    assert lines[0].split() == ["Pool", "Gate", "VMs", "Diff", "Oldest"]
    assert "Slurm is away" in lines


def test_pools_of_which_some_are_unknown_have_no_sum() -> None:
    manifest = cluster("a", "b")
    status = status_of(manifest, look(manifest, vms=None), {})
    assert status.total.vms is None
    assert status.total.nodes == {"hidden": 8}


def test_a_pool_closed_with_all_is_closed() -> None:
    manifest = cluster("a", "b")
    every = Breaker(EVERY_POOL, Gate.CLOSED, "unreachable", "no answer", NOW, NOW + 60)
    status = status_of(manifest, look(manifest, breakers=[every], vms=None), {})
    assert [pool.breaker for pool in status.pools] == [every, every]
    assert sum("all pools are closed until" in line for line in drawn(status)) == 1


def pools(count: int, *going: int) -> Status:
    """Pools of four nodes, of which those of the given numbers have one that is up."""
    manifest = cluster(*(f"p{number}" for number in range(count)))
    states = [state(node(f"p{number}", 1), "IDLE+CLOUD") for number in going]
    rest = [
        state(node(f"p{number}", which), OFF)
        for number in range(count)
        for which in range(1, 5)
        if number not in going or which > 1
    ]
    vms = frozenset(node(f"p{number}", 1) for number in going)
    entries = [entry(node(f"p{number}", 1), "ours", 900, f"p{number}") for number in going]
    return status_of(manifest, look(manifest, *states, *rest, vms=vms, entries=entries), {})


def test_pools_where_something_goes_on_come_first() -> None:
    chosen = choose(pools(30, 7, 20).pools, room=10)
    assert [pool.pool for pool in chosen.shown] == ["p20", "p7"]
    assert (len(chosen.busy), len(chosen.quiet)) == (0, 28)


def test_a_pool_that_needs_somebody_comes_before_a_busy_one() -> None:
    manifest = cluster("a", "b")
    states = [state(node("b", number), "ALLOCATED+CLOUD") for number in (1, 2, 3, 4)]
    seen = look(manifest, *states, *(state(node("a", number), OFF) for number in (1, 2, 3, 4)), breakers=[CLOSED])
    chosen = choose(status_of(manifest, seen, {}).pools, room=1)
    assert [pool.pool for pool in chosen.busy] == ["a", "b"]
    assert [pool.pool for pool in choose(status_of(manifest, seen, {}).pools, room=5).shown] == ["a", "b"]


@pytest.mark.parametrize("height", [8, 12, 24, 50])
@pytest.mark.parametrize(("count", "going"), [(1, 0), (3, 3), (40, 0), (40, 5), (40, 40), (200, 190)])
def test_every_pool_is_counted_once_and_all_fit(height: int, count: int, going: int) -> None:
    status = pools(count, *range(going))
    lines = drawn(status, height=height)
    assert len(lines) < height
    rows = [line.split() for line in lines[1:] if line.startswith("p") or line.endswith("0") or "quiet" in line]
    last = rows.pop()
    assert last[0] == "all"
    counted = sum(int(row[0]) if row[1] in {"quiet", "others"} else 1 for row in rows)
    assert counted == count
    up = 3  # the column, after a pool's name and gate; a sum has two words and no gate
    assert sum(int(row[2 + up - 1]) for row in rows) == going == int(last[up])


def test_with_all_every_pool_has_its_line() -> None:
    assert len(choose(pools(60).pools, room=None).shown) == 60


def test_many_notes_leave_room_for_pools() -> None:
    manifest = cluster(*(f"p{number}" for number in range(40)))
    breakers = [Breaker(f"p{number}", Gate.CLOSED, "capacity", "none left " * 30, NOW, NOW + 60) for number in range(9)]
    lines = drawn(status_of(manifest, look(manifest, breakers=breakers, problems=("x" * 500,)), {}))
    assert len(lines) < 24
    assert max(map(len, lines)) <= 80
    assert any(line.endswith("more: xio status --all") for line in lines)
    assert sum(line.startswith("p") and "closed" in line for line in lines) >= 5


def test_shortened_names_can_be_told_apart() -> None:
    names = [f"intel-{number}-gb-of-the-second-kind" for number in range(40)]
    short = shortened(names, 12)
    assert len(set(short.values())) == 40
    assert max(map(len, short.values())) <= 12
    assert shortened(["amd", "a" * 13], 12)["amd"] == "amd"
    assert shortened(["x" * 20 + str(number) for number in range(9)], 10)["x" * 20 + "3"].endswith("3")
