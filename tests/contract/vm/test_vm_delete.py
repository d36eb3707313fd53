"""``xio vm delete``: gone, noted, and only after as many questions as it deserves."""

import json
import signal
import subprocess
import time

import pexpect
import pytest

from tests.contract.vm.conftest import NODE, ODD, OTHERS, Site, make_vm, one_line_each, slurm_says, slurm_was_asked
from xio_slurm.slurm.states import NodeState
from xio_slurm.vms.use import is_using


def _line(state: str) -> str:
    return f"NodeName={NODE} Arch=x86_64 NodeAddr={NODE} State={state} ThreadsPerCore=1"


@pytest.fixture
def our_vm(site: Site) -> str:
    """A VM of ours."""
    make_vm(site.ems, NODE)
    site.record(NODE, "ours", ems_job="job-7")
    return NODE


def _nodes(site: Site) -> list[str]:
    return [vm.node for vm in site.ems.vms()]


def test_a_vm_of_ours_is_deleted_and_the_ledger_says_so(site: Site, our_vm: str) -> None:
    site.ems.change(delete_seconds=0.5)
    done = site.xio("delete", our_vm, "--yes")
    assert (done.returncode, done.stdout) == (0, f"{our_vm}: the VM is gone\n")
    assert _nodes(site) == [OTHERS]
    entry = site.ledger.peek(our_vm)
    assert entry is not None
    assert (entry.phase, entry.ems_job, entry.run.id.startswith("xio-vm-")) == ("gone", "job-7", True)
    assert slurm_was_asked(site)[0] == f"show node -o {NODE}"
    events = [json.loads(line) for line in (site.folder / "log" / "events.jsonl").read_text().splitlines()]
    assert [(event["event"], event["node"]) for event in events] == [("deleting", NODE), ("gone", NODE)]


def test_a_vm_that_the_ems_only_lists_is_deleted(site: Site) -> None:
    make_vm(site.ems, NODE)
    site.ems.add_fault(effect="status", status=404, match={"method": "GET", "path": f"/v1/xcompute/vm/{NODE}"})
    assert site.xio("delete", NODE, "--yes").returncode == 1
    assert _nodes(site) == [OTHERS, NODE]
    site.ems.change(delete_seconds=0.5)
    assert site.xio("delete", NODE, "--yes", "--not-ours").returncode == 0
    assert _nodes(site) == [OTHERS]


def test_a_vm_that_has_become_ours_while_somebody_was_asked_is_left(site: Site) -> None:
    make_vm(site.ems, NODE)
    child = pexpect.spawn(
        site.command("delete", NODE, "--not-ours")[0],
        site.command("delete", NODE, "--not-ours")[1:],
        env={**site.environment, "TERM": "dumb", "COLUMNS": "200"},
        encoding="utf8",
        timeout=30,
    )
    child.expect(r"Delete the VM of .*\[y/N\]: ")
    site.record(NODE, "ours")  # its owner has deleted it, and a resume has made ours
    child.sendline("y")
    child.expect(r"Really delete it\? \[y/N\]: ")
    child.sendline("y")
    child.expect(f"{NODE}: has become ours meanwhile: nothing was done")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 1
    assert site.ems.requests("DELETE") == []


def test_it_can_be_said_twice(site: Site, our_vm: str) -> None:
    assert site.json("delete", our_vm, "--yes") == {"node": our_vm, "outcome": "gone"}
    assert site.json("delete", our_vm, "--yes") == {"node": our_vm, "outcome": "none"}


def test_an_entry_without_a_vm_is_settled(site: Site) -> None:
    site.record(NODE, "deleting")
    assert site.xio("delete", NODE, "--yes").returncode == 0
    entry = site.ledger.peek(NODE)
    assert entry is not None
    assert entry.phase == "gone"


@pytest.mark.parametrize("phase", [None, "foreign", "gone"])
def test_a_vm_that_is_not_ours_is_refused(site: Site, phase: str | None) -> None:
    make_vm(site.ems, NODE)
    if phase is not None:
        site.record(NODE, phase)  # type: ignore[arg-type]  # one of the phases
    done = site.xio("delete", NODE, "--yes", "--in-use")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "--not-ours" in done.stderr
    assert site.ems.requests("DELETE") == []


@pytest.mark.parametrize("phase", [None, "foreign", "gone"])
def test_with_not_ours_it_goes_and_the_ledger_is_left_as_it_was(site: Site, phase: str | None) -> None:
    site.ems.change(delete_seconds=0.5)
    make_vm(site.ems, NODE)
    if phase is not None:
        site.record(NODE, phase)  # type: ignore[arg-type]  # one of the phases
    before = site.ledger.peek(NODE)
    assert site.xio("delete", NODE, "--yes", "--not-ours").returncode == 0
    assert _nodes(site) == [OTHERS]
    assert site.ledger.peek(NODE) == before


def test_both_vms_of_one_name_go(site: Site) -> None:
    site.ems.change(existing_vm="second")
    make_vm(site.ems, "alien-1")
    make_vm(site.ems, "alien-1")
    assert site.xio("delete", "alien-1", "--yes", "--not-ours").returncode == 0
    assert _nodes(site) == [OTHERS]


def test_a_node_that_slurm_is_using_needs_more_than_yes(site: Site, our_vm: str) -> None:
    slurm_says(site, _line("ALLOCATED+CLOUD"))
    done = site.xio("delete", our_vm, "--yes")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "ALLOCATED+CLOUD" in done.stderr
    assert "--in-use" in done.stderr
    assert our_vm in _nodes(site)
    done = site.xio("delete", our_vm, "--yes", "--in-use")
    assert done.returncode == 0
    assert f"scontrol update nodename={NODE} state=power_down_force" in done.stderr
    assert len(slurm_was_asked(site)) == 2


def test_a_slurm_that_cannot_be_asked_may_be_using_it(site: Site, our_vm: str) -> None:
    (site.folder / "bin" / "scontrol").unlink()
    done = site.xio("delete", our_vm, "--yes")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "Slurm can't be asked" in done.stderr
    assert site.xio("delete", our_vm, "--yes", "--in-use").returncode == 0


def test_slurm_is_not_asked_about_a_test_vm(site: Site) -> None:
    node = "xio-test-b-abcdef"
    make_vm(site.ems, node)
    site.record(node, "ours")
    (site.folder / "bin" / "scontrol").unlink()
    assert site.xio("delete", node, "--yes").returncode == 0


@pytest.mark.parametrize(
    ("state", "used"),
    [
        ("ALLOCATED+CLOUD", True),
        ("MIXED+CLOUD+DRAIN", True),
        ("IDLE+CLOUD+COMPLETING", True),
        ("COMPLETING", True),
        ("IDLE+CLOUD+POWERING_UP", True),
        ("DOWN+CLOUD+POWERING_UP", True),
        ("IDLE+CLOUD", False),
        ("IDLE+CLOUD+POWERED_DOWN", False),
        ("ALLOCATED+CLOUD+POWERED_DOWN", False),
        ("IDLE+CLOUD+POWERING_DOWN", False),
        ("DOWN+CLOUD", False),
    ],
)
def test_slurm_is_using_a_node_with_jobs_or_one_that_boots(state: str, used: bool) -> None:
    base, *flags = state.split("+")
    assert is_using(NodeState(NODE, base, frozenset(flags), NODE, "")) is used


class Terminal:
    """``xio vm delete`` on a terminal."""

    def __init__(self, site: Site, *arguments: str) -> None:
        command, *rest = site.command("delete", *arguments)
        self._child = pexpect.spawn(
            command, rest, env=site.environment, encoding="utf-8", timeout=20, dimensions=(24, 200)
        )

    def answer(self, question: str, text: str) -> None:
        """Answer a question."""
        self._child.expect(question)
        self._child.expect(r"\[y/N\]: ")
        self._child.sendline(text)

    def interrupt(self, question: str) -> None:
        """Ctrl-C at a question."""
        self._child.expect(question)
        self._child.expect(r"\[y/N\]: ")
        self._child.sendintr()

    def end(self) -> int | None:
        """The exit code."""
        self._child.expect(pexpect.EOF)
        self._child.close()
        return self._child.exitstatus


def test_it_asks_once_for_a_vm_of_ours(site: Site, our_vm: str) -> None:
    terminal = Terminal(site, our_vm)
    terminal.answer("Delete the VM of", "n")
    assert terminal.end() == 1
    assert our_vm in _nodes(site)
    terminal = Terminal(site, our_vm)
    terminal.answer("Delete the VM of", "y")
    assert terminal.end() == 0
    assert our_vm not in _nodes(site)


def test_it_asks_twice_for_a_node_that_slurm_is_using(site: Site, our_vm: str) -> None:
    slurm_says(site, _line("MIXED+CLOUD"))
    for second, left in (("n", True), ("y", False)):
        terminal = Terminal(site, our_vm)
        terminal.answer(r"Slurm says of the node: MIXED\+CLOUD", "y")
        terminal.answer("Jobs on it would die", second)
        assert terminal.end() == int(left)
        assert (our_vm in _nodes(site)) is left


def test_it_asks_twice_for_a_vm_that_is_not_ours(site: Site) -> None:
    make_vm(site.ems, NODE)
    terminal = Terminal(site, NODE, "--not-ours")
    terminal.answer("Delete the VM of", "y")
    terminal.answer("By the ledger it isn't ours", "y")
    assert terminal.end() == 0
    assert NODE not in _nodes(site)


def test_ctrl_c_at_a_question_is_a_no(site: Site, our_vm: str) -> None:
    terminal = Terminal(site, our_vm)
    terminal.interrupt("Delete the VM of")
    assert terminal.end() == 130
    assert our_vm in _nodes(site)


def test_without_a_terminal_it_does_not_ask(site: Site, our_vm: str) -> None:
    done = site.xio("delete", our_vm)
    assert done.returncode == 2
    assert "--yes" in done.stderr
    assert site.ems.requests() == []


def test_one_that_will_not_go_is_told(site: Site, our_vm: str) -> None:
    site.ems.add_fault(effect="slow-delete", seconds=600)
    done = site.xio("delete", our_vm, "--yes", "--timeout", "1")
    assert done.returncode == 1
    assert "isn't seen gone" in done.stderr
    assert "scancel" in done.stderr
    entry = site.ledger.peek(our_vm)
    assert entry is not None
    assert entry.phase == "deleting"


def test_another_that_will_not_go_is_told(site: Site) -> None:
    make_vm(site.ems, NODE)
    site.ems.add_fault(effect="slow-delete", seconds=600)
    done = site.xio("delete", NODE, "--yes", "--not-ours", "--timeout", "1")
    assert done.returncode == 1
    assert "the EMS was asked to delete the VM and still has it" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_the_waiting_at_once_and_says_so(site: Site, our_vm: str, number: signal.Signals) -> None:
    site.ems.add_fault(effect="slow-delete", seconds=600)
    command = site.command("delete", our_vm, "--yes")
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        site.ems.wait_until(lambda: site.ems.requests("DELETE"))
        started = time.monotonic()
        process.send_signal(number)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert time.monotonic() - started < 15
    assert "interrupted: the EMS was asked to delete" in err


@pytest.mark.parametrize(("ours", "odd"), [*((True, odd) for odd in ODD), (False, "500"), (False, "drip")])
def test_odd_answers_end_in_a_line(site: Site, odd: str, ours: bool) -> None:
    make_vm(site.ems, NODE)
    if ours:
        site.record(NODE, "ours")
    site.ems.add_fault(**ODD[odd], match={"method": "DELETE"})
    done = site.xio("delete", NODE, "--yes", "--not-ours", "--timeout", "1.5")
    lines = done.stderr.removeprefix(f"deleting the VM of {NODE} ...\n")
    assert done.returncode == (NODE in _nodes(site))
    assert one_line_each(lines), lines
    assert lines.count("\n") == done.returncode
    site.ems.remove_faults()
    assert site.xio("delete", NODE, "--yes", "--not-ours").returncode == 0
    assert _nodes(site) == [OTHERS]
