"""What several Slurm versions print for a node is read alike."""

import pytest

from xio_slurm.slurm import registrations
from xio_slurm.slurm.states import NodeState, parse_nodes, reason_of

LINE_22_05 = (
    "NodeName=xspot-vm-a-1 Arch=x86_64 CoresPerSocket=1 CPUAlloc=0 CPUEfctv=1 CPUTot=1 CPULoad=0.10 "
    "AvailableFeatures=xio,a,amd ActiveFeatures=xio,a,amd Gres=(null) NodeAddr=127.77.0.2 NodeHostName=localhost "
    "Port=17001 Version=22.05.8 RealMemory=7200 State=IDLE+CLOUD+POWERING_DOWN ThreadsPerCore=1 TmpDisk=0 Weight=68 "
    "Partitions=xio,xio-a BootTime=2026-11-22T09:00:00 Reason=xio:capacity no VM = none [slurm@2026-11-22T09:01:02] "
)


def test_a_line_of_slurm_22_05() -> None:
    assert list(parse_nodes(LINE_22_05)) == [
        NodeState(
            name="xspot-vm-a-1",
            base="IDLE",
            flags=frozenset({"CLOUD", "POWERING_DOWN"}),
            address="127.77.0.2",
            reason="xio:capacity no VM = none",
        )
    ]


@pytest.mark.parametrize(
    ("state", "powering_up", "powered_down"),
    [
        ("IDLE+CLOUD+POWERED_DOWN", False, True),
        ("ALLOCATED+CLOUD+NOT_RESPONDING+POWERING_UP", True, False),
        ("DOWN+CLOUD+POWERING_UP", True, False),
        ("DOWN+CLOUD+POWERED_DOWN+NOT_RESPONDING", False, True),
        ("IDLE+CLOUD+POWERING_UP+POWER_DOWN", False, False),
        ("IDLE+CLOUD+POWERED_DOWN+POWERING_UP", True, False),
        ("IDLE+CLOUD+SOMETHING_NEW", False, False),
        ("IDLE*", False, False),
        ("DOWN", False, False),
    ],
)
def test_states(state: str, *, powering_up: bool, powered_down: bool) -> None:
    (node,) = parse_nodes(f"NodeName=n1 NodeAddr=n1 State={state} Weight=1")
    assert (node.powering_up, node.powered_down, node.reason) == (powering_up, powered_down, "")


def test_lines_that_name_no_node_are_passed_over() -> None:
    assert list(parse_nodes("\nslurm_load_node error\nNo nodes in the system\n")) == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("State=IDLE", ("", "", "")),
        ("State=DOWN Reason=new disk [ann@2026-11-22T09:01:02]", ("new disk", "ann", "2026-11-22T09:01:02")),
        ("State=DOWN Reason=new disk Comment=x", ("new disk", "", "")),
        ("State=DOWN Reason=new disk  Topology=tree:s1 ", ("new disk", "", "")),
        (
            "State=DOWN Reason=ask [ann@example.com] [root@2026-11-22T09:01:02] Comment=[x@y]",
            ("ask [ann@example.com]", "root", "2026-11-22T09:01:02"),
        ),
    ],
)
def test_a_reason_and_what_can_follow_it(line: str, reason: tuple[str, str, str]) -> None:
    assert reason_of(f"NodeName=n1 {line}") == reason


def test_a_comment_can_hold_anything() -> None:
    line = "NodeName=n1 RealMemory=1000 State=IDLE SlurmdStartTime=None Comment=was State=DOWN RealMemory=1 NodeName=n2"
    (node,) = parse_nodes(line)
    assert (node.name, node.base) == ("n1", "IDLE")
    assert registrations.parse(line) == {"n1": registrations.Registration(1000, None)}
