"""Which starts were slow, which failed, and why."""

from tests.unit.desk.report.events import event, figures, node, pool_of


def test_boots_are_counted_by_length() -> None:
    boots = [event(number, "registered", seconds=seconds) for number, seconds in enumerate((4, 5, 5.1, 31, 31))]
    amd = pool_of(figures(boots))
    assert amd.boots is not None
    assert (amd.boots.count, amd.boots.p50, amd.longest) == (5, 5.1, 31)
    steps = figures(boots).steps
    assert steps[0] == 1
    assert [amd.histogram[index] for index in (3, 4, 5, 30)] == [1, 1, 1, 2]


def test_the_few_slow_ones_are_in_the_last_bar() -> None:
    boots = [event(1 + number / 1000, "registered", seconds=20) for number in range(500)]
    found = figures([*boots, event(2, "registered", seconds=5000)])
    assert found.steps[-1] == 20
    assert found.total.histogram[-1] == 1
    assert found.slowest[0].seconds == 5000
    assert len(found.slowest) == 10


def test_a_failed_start_names_node_job_and_reason() -> None:
    events = [
        event(1, "wanted", about="", run="r", job="4711", hostlist="xspot-vm-amd-[1-3],others-1"),
        event(1, "asking", run="r"),
        event(1.1, "refused", run="r", code="capacity", text="EMS 503"),
        event(1.2, "failed", run="r", code="capacity", text="EMS 503"),
    ]
    (start,) = figures(events).failed
    assert (start.node, start.pool, start.job, start.code, start.text) == (node(), "amd", "4711", "capacity", "EMS 503")
    (kind,) = figures(events).kinds
    assert (kind.code, kind.count, kind.pools) == ("capacity", 1, {"amd": 1})


def test_a_boot_that_two_programs_give_up_is_one_failure() -> None:
    first = [event(1, "asking"), event(1, "asked"), event(1.2, "failed", program="xio-sync", code="boot", text="none")]
    found = figures([*first, event(1.3, "boot-failed", program="xio-resume-fail")])
    assert found.total.failed == 1
    again = figures([*first, event(1.3, "boot-failed"), event(2, "asking"), event(3, "boot-failed")])
    assert again.total.failed == 2


def test_vms_that_do_not_go_and_surplus_nodes_are_no_failed_starts() -> None:
    events = [event(1, "failed", program="xio-suspend", code="ems", text="has it"), event(2, "surplus", text="other")]
    found = figures(events)
    assert (found.total.failed, found.failed) == (0, ())
    assert {kind.code for kind in found.kinds} == {"delete", "surplus"}


def test_words_of_others_are_one_line_of_known_kinds_and_no_key() -> None:
    events = [
        event(1, "failed", code="<b>", text="a\n\x1b[31mb" + "x" * 5000),
        event(2, "failed", code="boot", text="-----BEGIN PRIVATE KEY-----MIIE"),
    ]
    newest, oldest = figures(events).failed
    assert newest.text == "***"
    assert (oldest.code, oldest.text[:8], len(oldest.text)) == ("other", "a [31mbx", 300)


def test_only_the_last_failed_starts_are_told_one_by_one() -> None:
    found = figures([event(number / 10, "failed", code="boot", run=str(number)) for number in range(80)])
    assert (found.total.failed, len(found.failed)) == (80, 50)
    assert found.failed[0].time > found.failed[-1].time


def test_what_was_before_the_period_only_explains() -> None:
    before = event(-1, "wanted", about="", job="7", hostlist=node())
    found = figures([before, event(-0.5, "failed", code="boot"), event(1, "registered", seconds=4000)])
    assert found.total.failed == 0
    assert found.slowest[0].job == "7"
