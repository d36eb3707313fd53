"""Which jobs can't start, which nodes they leave, and what becomes of the jobs."""

from msgspec import structs

from tests.manifests import manifest_with
from xio_slurm.manifest import Pool
from xio_slurm.power.failed_starts import FailedStarts
from xio_slurm.power.lost_starts import JobUpdate, LostStart, job_updates, lost_starts, once_more, surplus
from xio_slurm.power.outcome import Failed
from xio_slurm.slurm.jobs import Job
from xio_slurm.slurm.states import NodeState

MANIFEST = manifest_with(
    node_prefix="n-",
    ems_url=None,
    connect_timeout=1,
    max_concurrent_requests=1,
    state_dir="",
    log_dir="",
    slurm_bin_dir="",
    resume_timeout=600,
    suspend_timeout=30,
    user_data="",
    pools=(Pool("a", "p", "i", 9, 1, 1000, None, 10),),
)
NO_CAPACITY = Failed("n-a-1", "capacity", "EMS 503: none")


def job(name: str, *nodes: str, number: int | None = None, comment: str = "") -> Job:
    """A batch job that holds the nodes."""
    return Job(
        name, number or int(name.partition("_")[0]), "ann", "CONFIGURING", batch=True, comment=comment, nodes=nodes
    )


def states(*booting: str, up: tuple[str, ...] = ()) -> dict[str, NodeState]:
    """Nodes that boot, and some that are up."""
    flags = dict.fromkeys(booting, frozenset({"CLOUD", "POWERING_UP"})) | dict.fromkeys(up, frozenset({"CLOUD"}))
    return {name: NodeState(name, "ALLOCATED", found, name, "") for name, found in flags.items()}


def test_a_job_is_lost_by_any_of_its_nodes_and_others_are_not() -> None:
    whole, half = job("1", "n-a-1"), job("2", "n-a-1", "n-a-2")
    assert lost_starts([NO_CAPACITY], [whole, half, job("3", "n-a-3")]) == (
        LostStart(whole, NO_CAPACITY),
        LostStart(half, NO_CAPACITY),
    )


def test_of_several_failures_the_one_that_counts_tells_why() -> None:
    failures = [Failed("n-a-1", "closed", "x"), Failed("n-a-2", "ems", "y"), Failed("n-a-3", "unreachable", "z")]
    (lost,) = lost_starts(failures, [job("1", "n-a-1", "n-a-2", "n-a-3")])
    assert lost.why.code == "ems"


def test_the_other_nodes_of_a_lost_job_are_given_back_once() -> None:
    jobs = [job("1", "n-a-1", "n-a-2"), job("2", "n-a-1", "n-a-2", "n-a-3")]
    given = surplus(lost_starts([NO_CAPACITY], jobs), jobs, states("n-a-1", "n-a-2", "n-a-3"), MANIFEST)
    assert [failure.node for failure in given if failure.node != "n-a-1"] == ["n-a-2", "n-a-3"]
    assert {failure.code for failure in given} == {"surplus"}
    assert given[-1].text == "its job 2 can not start: xio:capacity EMS 503: none"


def test_no_node_of_another_job_or_another_owner_or_that_is_up_is_given_back() -> None:
    jobs = [job("1", "n-a-1", "n-a-2", "n-a-3", "pc-1", "n-a-10"), job("2", "n-a-2")]
    found = states("n-a-1", "n-a-2", "pc-1", "n-a-10", up=("n-a-3",))
    given = surplus(lost_starts([NO_CAPACITY], jobs), jobs, found, MANIFEST)
    assert {failure.node for failure in given} == {"n-a-1"}


def test_failed_starts_are_counted_where_they_are_the_jobs_matter() -> None:
    once = once_more(FailedStarts(), "capacity", 1000.0)
    assert once == FailedStarts(1, 1, 1000.0)
    twice = once_more(once, "unreachable", 1500.0)
    assert twice == FailedStarts(1, 2, 1500.0)
    assert once_more(twice, "ems", 1500.0 + 901) == FailedStarts(2, 1, 2401.0)


def lost(name: str, code: str = "capacity", comment: str = "") -> LostStart:
    """A lost start of a job."""
    return LostStart(job(name, "n-a-1", comment=comment), structs.replace(NO_CAPACITY, code=code))


def test_a_job_begins_again_at_once_and_then_ever_later() -> None:
    delays = []
    starts = FailedStarts()
    for _ in range(6):
        starts = once_more(starts, "capacity", 1000.0)
        (update,) = job_updates([lost("1")], {1: starts}, 0)
        delays.append(update.delay)
    assert delays == [0, 5, 15, 45, 120, 120]
    (update,) = job_updates([lost("1", "unreachable")], {1: FailedStarts(0, 1)}, 5)
    assert update == JobUpdate(("1",), 15, "xio: unreachable EMS 503: none", hold=False)


def test_the_comment_counts_and_leaves_anothers() -> None:
    jobs = [lost("1"), lost("2", comment="xio:"), lost("3", comment="mine")]
    assert job_updates(jobs, dict.fromkeys((1, 2, 3), FailedStarts(2, 1)), 5) == (
        JobUpdate(("1", "2"), 0, "xio: capacity failed start 2 of 5: EMS 503: none", hold=False),
        JobUpdate(("3",), 0, None, hold=False),
    )


def test_too_many_failed_starts_hold_a_job_and_say_how_to_go_on() -> None:
    array = LostStart(job("1_3", "n-a-1", number=7), NO_CAPACITY)
    (update,) = job_updates([array], {7: FailedStarts(5, 5)}, 5)
    words = "xio: capacity held after 5 failed starts: EMS 503: none; 'scontrol release 1_3' tries again"
    assert update == JobUpdate(("1_3",), 0, words, hold=True)
    assert not job_updates([array], {7: FailedStarts(5, 5)}, 0)[0].hold


def test_many_jobs_are_few_updates_that_begin_apart() -> None:
    many = [lost(str(number)) for number in range(1, 501)]
    updates = job_updates(many, {number: FailedStarts(1, 1) for number in range(1, 501)}, 5)
    assert sorted(update.delay for update in updates) == [0, 1, 2, 3, 4]
    assert sorted(int(name) for update in updates for name in update.jobs) == list(range(1, 501))
    held = job_updates(many, {number: FailedStarts(5, 5) for number in range(1, 501)}, 5)
    assert len(held) == 1
    odd = [LostStart(start.job, Failed("n-a-1", "foreign", f"text {start.job.id}")) for start in many]
    assert len(job_updates(odd, {number: FailedStarts(1, 1) for number in range(1, 501)}, 5)) == 5
