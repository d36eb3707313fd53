"""What Slurm and the ledger say becomes a situation's words, whatever the release of Slurm."""

import pytest
from msgspec import structs

from xio_slurm.ledger import Entry, Phase, Run
from xio_slurm.power.situation import Age, Held, Known, Power, age_of, held_by, known_of, power_of
from xio_slurm.slurm.states import NodeState, parse_nodes

ENTRY = Entry("n-1", "pool", "ours", Run("xio-resume-1", 1000.0), asked=1001.0)
LOW_MEMORY = "Low RealMemory (reported:1 < 100.00% of configured:7200)"

LINES = {
    "22.05": (
        "NodeName=xspot-vm-a-1 CoresPerSocket=1 CPUAlloc=0 CPUEfctv=1 CPUTot=1 CPULoad=0.00 "
        "AvailableFeatures=xio,a ActiveFeatures=xio,a Gres=(null) NodeAddr=xspot-vm-a-1 NodeHostName=xspot-vm-a-1 "
        "RealMemory=7200 AllocMem=0 FreeMem=N/A Sockets=1 Boards=1 State={state} ThreadsPerCore=1 TmpDisk=0 Weight=68 "
        "Owner=N/A MCS_label=N/A Partitions=xio,xio-a BootTime=None SlurmdStartTime=None "
        "LastBusyTime=2026-11-22T09:00:00 CfgTRES=cpu=1,mem=7200M,billing=1 AllocTRES= CapWatts=n/a CurrentWatts=0 "
        "AveWatts=0 ExtSensorsJoules=n/s ExtSensorsWatts=0 ExtSensorsTemp=n/s{reason}"
    ),
    "24.11": (
        "NodeName=xspot-vm-a-1 Arch=x86_64 CoresPerSocket=1 CPUAlloc=0 CPUEfctv=1 CPUTot=1 CPULoad=0.00 "
        "AvailableFeatures=xio,a ActiveFeatures=xio,a Gres=(null) NodeAddr=xspot-vm-a-1 NodeHostName=xspot-vm-a-1 "
        "Version=24.11.5 RealMemory=7200 AllocMem=0 FreeMem=N/A Sockets=1 Boards=1 State={state} ThreadsPerCore=1 "
        "TmpDisk=0 Weight=68 Owner=N/A MCS_label=N/A Partitions=xio,xio-a BootTime=None SlurmdStartTime=None "
        "LastBusyTime=2026-11-22T09:00:00 ResumeAfterTime=None CfgTRES=cpu=1,mem=7200M,billing=1 AllocTRES= "
        "CurrentWatts=0 AveWatts=0{reason}"
    ),
}


def seen(state: str, reason: str = "", version: str = "24.11") -> NodeState:
    """The node as scontrol of that release prints it."""
    because = f" Reason={reason} [slurm@2026-11-22T09:01:02]" if reason else ""
    (node,) = parse_nodes(LINES[version].format(state=state, reason=because))
    assert node.reason == reason
    return node


@pytest.mark.parametrize("version", LINES)
@pytest.mark.parametrize(
    ("state", "power"),
    [
        ("IDLE+CLOUD+POWERED_DOWN", Power.OFF),
        ("IDLE+CLOUD+POWERED_DOWN+NOT_RESPONDING", Power.OFF),
        ("IDLE+CLOUD+POWERED_DOWN+PLANNED", Power.OFF),
        ("DOWN+CLOUD+POWERED_DOWN+NOT_RESPONDING", Power.OFF),
        ("IDLE+CLOUD+DRAIN+POWERED_DOWN", Power.OFF),
        ("IDLE+CLOUD+COMPLETING+POWERED_DOWN", Power.OFF),
        ("ALLOCATED+CLOUD+POWERED_DOWN", Power.CHOSEN),
        ("MIXED+CLOUD+POWERED_DOWN", Power.CHOSEN),
        ("ALLOCATED+CLOUD+POWER_UP+POWERED_DOWN", Power.CHOSEN),
        ("IDLE+CLOUD+POWER_UP+POWERED_DOWN", Power.CHOSEN),
        ("MIXED+CLOUD+NOT_RESPONDING+POWERING_UP", Power.POWERING_UP),
        ("ALLOCATED+CLOUD+NOT_RESPONDING+POWERING_UP", Power.POWERING_UP),
        ("DOWN+CLOUD+NOT_RESPONDING+POWERING_UP", Power.POWERING_UP),
        ("DOWN+CLOUD+POWER_DOWN+POWERING_UP", Power.POWERING_DOWN),
        ("IDLE+CLOUD+POWER_DOWN", Power.POWERING_DOWN),
        ("IDLE+CLOUD+DRAIN+POWERING_DOWN", Power.POWERING_DOWN),
        ("ALLOCATED+CLOUD", Power.ON),
        ("IDLE+CLOUD+DRAIN+INVALID_REG", Power.ON),
        ("DOWN+CLOUD+NOT_RESPONDING", Power.ON),
        ("IDLE+CLOUD+SOME_FLAG_OF_A_LATER_SLURM", Power.ON),
    ],
)
def test_what_slurm_wants(version: str, state: str, power: Power) -> None:
    assert power_of(seen(state, version=version)) is power


@pytest.mark.parametrize("version", LINES)
@pytest.mark.parametrize(
    ("state", "reason", "held"),
    [
        ("IDLE+CLOUD+POWERED_DOWN", "", Held.NOBODY),
        # Slurm keeps a reason beyond its use.
        ("IDLE+CLOUD+POWERED_DOWN", "ResumeTimeout reached", Held.NOBODY),
        ("ALLOCATED+CLOUD", "xio:capacity EMS 503: no capacity", Held.NOBODY),
        ("DOWN+CLOUD+POWERED_DOWN+NOT_RESPONDING", "ResumeTimeout reached", Held.TIMEOUT),
        ("IDLE+CLOUD+DRAIN+POWERED_DOWN", "xio:capacity pool a is closed until 09:01: no capacity", Held.XIO),
        ("DOWN+CLOUD+POWERING_UP", "xio:rejected create the node: EMS 400: no image", Held.XIO),
        ("IDLE+CLOUD+DRAIN+INVALID_REG", LOW_MEMORY, Held.REGISTRATION),
        ("IDLE+CLOUD+DRAIN+INVALID_REG", "", Held.REGISTRATION),
        ("IDLE+CLOUD+DRAIN", "gres/gpu count reported lower than configured (0 < 1)", Held.REGISTRATION),
        ("DOWN+CLOUD+NOT_RESPONDING", "Not responding", Held.SLURM),
        ("DOWN+CLOUD", "Node unexpectedly rebooted", Held.SLURM),
        ("DOWN+CLOUD+POWERED_DOWN", "", Held.ADMINISTRATOR),
        ("IDLE+CLOUD+DRAIN+POWERED_DOWN", "disk is being changed", Held.ADMINISTRATOR),
        # Somebody wrote of us: the beginning decides.
        ("IDLE+CLOUD+DRAIN", "see xio:capacity of yesterday", Held.ADMINISTRATOR),
        # An administrator drained a node whose registration was refused, too.
        ("IDLE+CLOUD+DRAIN+INVALID_REG", "keep it, I look at it", Held.ADMINISTRATOR),
        ("IDLE+CLOUD+MAINTENANCE+POWERED_DOWN", "", Held.ADMINISTRATOR),
        ("IDLE+CLOUD+REBOOT_ISSUED", "reboot ASAP", Held.ADMINISTRATOR),
        ("IDLE+CLOUD+FAIL", "xio:boot its slurmd never registered", Held.XIO),
    ],
)
def test_who_took_it_out_of_use(version: str, state: str, reason: str, held: Held) -> None:
    assert held_by(seen(state, reason, version)) is held


def test_a_node_that_slurm_does_not_know_is_held_by_nobody() -> None:
    assert (power_of(None), held_by(None)) == (Power.ABSENT, Held.NOBODY)


@pytest.mark.parametrize(
    ("phase", "unanswered", "known"),
    [
        ("asking", False, Known.ASKING),
        ("asking", True, Known.ASKING),
        ("ours", False, Known.OURS),
        ("deleting", True, Known.DELETING),
        ("gone", False, Known.GONE),
        ("gone", True, Known.LATE),
        ("foreign", True, Known.FOREIGN),
    ],
)
def test_what_the_ledger_says(phase: Phase, *, unanswered: bool, known: Known) -> None:
    assert known_of(structs.replace(ENTRY, phase=phase, unanswered=unanswered)) is known


def test_a_node_without_an_entry_was_never_seen_to() -> None:
    assert known_of(None) is Known.NEVER


def age(entry: Entry | None, now: float) -> Age:
    return age_of(entry, now, grace=90, boot_timeout=540)


@pytest.mark.parametrize("phase", ["asking", "ours"])
def test_a_vms_age_counts_from_its_request(phase: Phase) -> None:
    entry = structs.replace(ENTRY, phase=phase)
    assert [age(entry, entry.asked + seconds) for seconds in (0, 89, 90, 539, 540)] == [
        Age.FRESH,
        Age.FRESH,
        Age.GROWN,
        Age.GROWN,
        Age.OVERDUE,
    ]


def test_a_deletes_age_counts_from_the_call_that_wanted_it() -> None:
    entry = structs.replace(ENTRY, phase="deleting", run=Run("xio-suspend-2", 5000.0))
    assert [age(entry, now) for now in (5089, 5090, 9999)] == [Age.FRESH, Age.GROWN, Age.GROWN]


def test_after_a_clock_was_set_back_nothing_is_old() -> None:
    assert age(ENTRY, ENTRY.asked - 3600) is Age.FRESH


@pytest.mark.parametrize("entry", [None, structs.replace(ENTRY, phase="gone"), structs.replace(ENTRY, phase="foreign")])
def test_two_looks_stand_for_what_the_ledger_does_not_tell(entry: Entry | None) -> None:
    assert age(entry, 1002.0) is Age.GROWN
