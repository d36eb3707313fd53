"""What every Slurm in use prints is read the same. ``tests/data/slurm/SOURCES.md`` says where its words are from."""

import json
import time
from pathlib import Path
from typing import Final

import pytest

from xio_slurm.power.situation import Held, Power, held_by, power_of
from xio_slurm.slurm import registrations
from xio_slurm.slurm.details import NodeDetails, parse_job_details, parse_node_details
from xio_slurm.slurm.jobs import parse_jobs
from xio_slurm.slurm.resume_file import ResumeFile
from xio_slurm.slurm.states import NodeState, parse_nodes
from xio_slurm.slurm.version import PARTITION_TIMEOUTS, parse
from xio_slurm.slurm.versions import SUPPORTED, Known, release_of, versions_table

ROOT: Final = Path(__file__).parent.parent.parent
DATA: Final = ROOT / "tests" / "data" / "slurm"
VERSIONS: Final = tuple(sorted(folder.name for folder in DATA.iterdir() if folder.is_dir()))
PREFIX: Final = "xspot-vm-a-"
ODD: Final = 19
"""The node with a flag that not every release has."""

LOW: Final = "Low RealMemory (reported:700 < 100.00% of configured:724)"
CLOSED: Final = "xio:capacity pool a is closed until 21:00: EMS 503: none"
NODES: Final = {
    1: ("IDLE+CLOUD+POWERED_DOWN", "", Power.OFF, Held.NOBODY),
    2: ("MIXED+CLOUD+NOT_RESPONDING+POWERING_UP", "", Power.POWERING_UP, Held.NOBODY),
    3: ("IDLE+CLOUD", "", Power.ON, Held.NOBODY),
    4: ("ALLOCATED+CLOUD", "", Power.ON, Held.NOBODY),
    5: ("ALLOCATED+CLOUD+POWER_DOWN", "", Power.POWERING_DOWN, Held.NOBODY),
    8: ("IDLE+CLOUD+POWERING_DOWN", "RMA, broken disk State=odd", Power.POWERING_DOWN, Held.NOBODY),
    9: ("DOWN+CLOUD+POWERED_DOWN+NOT_RESPONDING", "ResumeTimeout reached", Power.OFF, Held.TIMEOUT),
    10: ("IDLE+CLOUD+DRAIN+POWERED_DOWN", CLOSED, Power.OFF, Held.XIO),
    11: ("IDLE+CLOUD+RESERVED", "", Power.ON, Held.NOBODY),
    12: ("IDLE+CLOUD+MAINTENANCE+POWERED_DOWN+RESERVED", "", Power.OFF, Held.ADMINISTRATOR),
    13: ("IDLE+CLOUD+DRAIN+POWERED_DOWN+RESERVED", "xio:closed pool a is closed", Power.OFF, Held.XIO),
    14: ("IDLE+CLOUD+NOT_RESPONDING+POWERING_UP", "", Power.POWERING_UP, Held.NOBODY),
    15: ("IDLE+CLOUD+DRAIN", "new disk", Power.ON, Held.ADMINISTRATOR),
    16: ("IDLE+CLOUD+DRAIN+INVALID_REG", LOW, Power.ON, Held.REGISTRATION),
    17: ("DOWN+CLOUD+NOT_RESPONDING", "Not responding", Power.ON, Held.SLURM),
    18: ("ALLOCATED+CLOUD+POWERED_DOWN", "", Power.CHOSEN, Held.NOBODY),
}
UNKNOWN_FLAG: Final = {
    "21.08": {"DYNAMIC"},
    "22.05": {"DYNAMIC_NORM"},
    "23.02": {"DYNAMIC_NORM"},
    "23.11": {"DYNAMIC_NORM"},
    "24.05": {"BLOCKED"},
    "24.11": {"BLOCKED"},
    "25.05": {"EXTERNAL"},
    "25.11": {"EXTERNAL"},
    "26.05": {"EXTERNAL", "?"},
}

every_version = pytest.mark.parametrize("version", VERSIONS)


def _text(version: str, file: str) -> str:
    return (DATA / version / file).read_text()


def _nodes(version: str) -> dict[int, NodeState]:
    return {int(node.name.removeprefix(PREFIX)): node for node in parse_nodes(_text(version, "nodes.txt"))}


def _details(version: str) -> dict[int, NodeDetails]:
    found = parse_node_details(_text(version, "nodes.txt"))
    return {int(node.state.name.removeprefix(PREFIX)): node for node in found}


def _at(clock: str) -> float:
    return time.mktime(time.strptime(f"2026-11-22T{clock}", "%Y-%m-%dT%H:%M:%S"))


@every_version
def test_a_nodes_state_and_reason_are_read_the_same(version: str) -> None:
    nodes = _nodes(version)
    assert nodes.keys() == {*NODES, ODD}
    for number, (state, reason, power, held) in NODES.items():
        node = nodes[number]
        base, *flags = state.split("+")
        assert (node.base, node.flags, node.reason) == (base, frozenset(flags), reason), node.name
        assert (power_of(node), held_by(node)) == (power, held), node.name


@every_version
def test_a_flag_that_is_not_known_does_not_disturb(version: str) -> None:
    odd = _nodes(version)[ODD]
    assert odd.flags == {"CLOUD", *UNKNOWN_FLAG[version]}
    assert (odd.base, power_of(odd), held_by(odd)) == ("IDLE", Power.ON, Held.NOBODY)


@every_version
def test_a_nodes_details_are_read_the_same(version: str) -> None:
    nodes = _details(version)
    assert {node.partitions for node in nodes.values()} == {("xio-a", "xio")}
    assert (nodes[9].reason_by, nodes[9].reason_at) == ("slurm", _at("23:51:03"))
    # Behind these two reasons stand a comment, a reservation and whatever else the release knows of a node.
    assert (nodes[10].reason_by, nodes[10].reason_at) == ("root", _at("23:50:13"))
    assert (nodes[13].reason_by, nodes[13].reason_at) == ("root", _at("23:50:13"))
    assert (nodes[1].reason_by, nodes[1].reason_at, nodes[1].slurmd_started) == ("", None, None)
    assert nodes[3].slurmd_started == _at("23:50:12")


@every_version
def test_registrations_are_read_the_same(version: str) -> None:
    found = registrations.parse(_text(version, "nodes.txt"))
    assert {each.real_memory for each in found.values()} == {724}
    assert found[f"{PREFIX}3"].slurmd_started == _at("23:50:12")
    assert found[f"{PREFIX}1"].slurmd_started is None


@every_version
def test_jobs_are_read_the_same(version: str) -> None:
    jobs = {job.id: job for job in parse_job_details(_text(version, "jobs.txt"))}
    waiting, running, held = jobs["2_3"], jobs["2_1"], jobs["7"]
    assert (waiting.state, waiting.nodes) == ("PENDING", ())
    assert (running.state, running.number, running.nodes) == ("RUNNING", 4, (f"{PREFIX}4",))
    assert (running.start, running.comment) == (_at("23:50:40"), "xio: boot 1 failed start")
    assert (held.state, held.reason, held.priority) == ("PENDING", "JobHeldUser", 0)
    assert (held.start, held.comment) == (None, "xio: boot held after 5 failed starts: none registered")


@every_version
def test_the_resume_file_is_read_the_same(version: str) -> None:
    document = json.loads(_text(version, "resume.json"))
    waited_for = {"4": (4, 5), "5": (3,), "6": (3,), "9": (1,)}
    assert ResumeFile(document).jobs_of() == {f"{PREFIX}{node}": jobs for node, jobs in waited_for.items()}
    copy = ResumeFile(document).only(lambda node: node == f"{PREFIX}9")
    assert copy.document.keys() == document.keys()
    assert [job["job_id"] for job in copy.document["jobs"]] == [1]
    assert copy.jobs_of() == {f"{PREFIX}9": (1,)}


def test_the_resume_files_keys_have_new_names_since_23_02() -> None:
    keys = {version: {*json.loads(_text(version, "resume.json"))} for version in VERSIONS}
    old, new = {"jobs", "all_nodes"}, {"jobs", "all_nodes_resume"}
    assert keys == {version: old if version < "23.02" else new for version in VERSIONS}


def test_more_follows_a_reason_since_23_02() -> None:
    def behind(version: str) -> str:
        (line,) = (each for each in _text(version, "nodes.txt").splitlines() if f"{PREFIX}13 " in each)
        return line.partition("]")[2].strip()

    assert {version for version in VERSIONS if behind(version)} == {each for each in VERSIONS if each >= "23.02"}
    assert "Topology=" in behind("25.05")


def test_what_squeue_prints() -> None:
    jobs = {job.id: job for job in parse_jobs((DATA / "squeue.txt").read_text())}
    assert (jobs["2_1"].number, jobs["2_1"].state, jobs["2_1"].comment) == (4, "RUNNING", "xio:")
    assert (jobs["6"].user, jobs["6"].batch, jobs["6"].comment) == ("root", True, "")
    assert jobs["3"].nodes == (f"{PREFIX}5", f"{PREFIX}6")
    assert jobs["7"].nodes == ()


@every_version
def test_every_version_of_the_data_is_provided_for(version: str) -> None:
    told = parse(_text(version, "version.txt"))
    assert told is not None
    release = release_of(told)
    assert release is not None
    assert (release.series, release.bugs_of(told)) == (version, ())


def test_every_version_that_is_provided_for_has_data() -> None:
    assert [release.series for release in SUPPORTED] == list(VERSIONS)
    assert (SUPPORTED[0].year, SUPPORTED[0].month) == PARTITION_TIMEOUTS[:2]


def test_the_readme_has_the_table() -> None:
    assert versions_table() in (ROOT / "README.md").read_text()


def test_what_is_said_to_be_run_can_be_run() -> None:
    setup = (ROOT / "bin" / "setup-slurm").read_text()
    for release in SUPPORTED:
        assert f" {release.series})" in setup or release.known is Known.SOURCE, release.series
