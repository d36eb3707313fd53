"""Each thing that can be wrong is told first, in words that name it, and nothing is told of what is right."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from tests.unit.doctor.conftest import CONF, MANIFEST, NODES, NOW, WELL, cluster, conf, entry
from xio_slurm.desk.doctor.examination import CHECKS, examine, question_of
from xio_slurm.desk.doctor.finding import Area, Finding, Severity, in_order
from xio_slurm.desk.doctor.seen import Configuration, Definitions, Ems, Folder, Programs, Seen
from xio_slurm.desk.looks import Unseen
from xio_slurm.manifest import Recovery
from xio_slurm.power.breaker import Breaker
from xio_slurm.power.heartbeat import Heartbeat
from xio_slurm.power.situation import Gate
from xio_slurm.power.sync.notices import Problem
from xio_slurm.slurm.conf import Line, Missing
from xio_slurm.slurm.registrations import Registration, parse
from xio_slurm.slurm.version import Version
from xio_slurm.slurm.versions import SUPPORTED, Bug

BOOTING = "ALLOCATED+CLOUD+NOT_RESPONDING+POWERING_UP"
LOW = "IDLE+CLOUD+DRAIN+INVALID_REG Reason=Low RealMemory (reported:700 < 90.00% of configured:1000) [slurm@x]"
STALE_LOW = LOW.replace("1000", "2000")
ROOM = {"owner": "slurm", "free": 10**10, "files": 10**6}
FOLDERS = {"state": "/var/lib/xio", "log": "/var/log/xio"}
SHORT = structs.replace(MANIFEST, suspend_timeout=14)
NO_MEMORY = {"n-a-1": LOW}
ON_CLOUD = {**WELL.settings}  # type: ignore[dict-item]


def settings(**changes: str) -> dict[str, str]:
    """What slurmctld runs with, with changes."""
    return {**ON_CLOUD, **changes}


def folder(path: str, **fields: Any) -> Folder:
    """A folder with room, with other fields."""
    return Folder(path, **{**ROOM, **fields})


def closed(cause: Any, pool: str = "a") -> Breaker:
    """A closed pool."""
    return Breaker(pool, Gate.CLOSED, cause, "EMS 400: no", since=NOW - 5, until=NOW + 60)


BROKEN: dict[str, tuple[dict[str, Any], Severity, str, str]] = {
    "slurmctld down": (
        {"settings": Unseen("no answer within 3 s")},
        Severity.ERROR,
        "slurmctld doesn't answer: no answer within 3 s",
        "systemctl status slurmctld",
    ),
    "an include that isn't there": (
        {"conf": replace(conf(), missing=(Missing(Line("slurm.conf", 9, ""), "/etc/x.conf"),))},
        Severity.ERROR,
        "slurm.conf:9: includes /etc/x.conf, which isn't there",
        "xio apply",
    ),
    "include line lost": (
        {"conf": conf(CONF.replace("NodeName", "#"))},
        Severity.ERROR,
        "slurm.conf: no line includes the node definitions",
        "echo 'include /etc/xio/xio.nodes.conf' >> slurm.conf, then systemctl restart slurmctld",
    ),
    "a manifest with fewer nodes": (
        {"manifest": structs.replace(MANIFEST, pools=MANIFEST.pools[:1])},
        Severity.ERROR,
        "/etc/xio/manifest.json: is stale: it doesn't know Slurm's 2 nodes n-b-[1-2]",
        "xio apply",
    ),
    "a manifest with more nodes": (
        {
            "conf": conf(CONF.replace(",n-b-[1-2]", "")),
            "registrations": dict.fromkeys(NODES[:2], Registration(1000, None)),
        },
        Severity.ERROR,
        "/etc/xio/manifest.json: is stale: it has 2 nodes n-b-[1-2], which slurm.conf doesn't define",
        "xio apply",
    ),
    "files of two writings": (
        {"definitions": Definitions("/etc/xio/xio.nodes.conf", "d2", settled=True)},
        Severity.ERROR,
        "/etc/xio/manifest.json: is stale: /etc/xio/xio.nodes.conf isn't what was written with it",
        "xio apply",
    ),
    "an interrupted apply": (
        {"definitions": Definitions("/etc/xio/xio.nodes.conf", "d1", settled=False)},
        Severity.ERROR,
        "/etc/xio/xio.nodes.conf: an interrupted xio apply",
        "xio apply",
    ),
    "no node definitions": (
        {"definitions": Definitions("/etc/xio/xio.nodes.conf", None, settled=True)},
        Severity.WARNING,
        "/etc/xio/xio.nodes.conf: the node definitions aren't beside the manifest",
        "xio apply",
    ),
    "power saving off": (
        {"settings": settings(SuspendProgram="")},
        Severity.ERROR,
        "slurmctld has no SuspendProgram: power saving is off",
        "systemctl restart slurmctld",
    ),
    "slurm.conf not loaded": (
        {"settings": settings(ResumeProgram="/opt/old/xio-resume")},
        Severity.ERROR,
        "slurmctld calls ResumeProgram=/opt/old/xio-resume, and slurm.conf says /opt/xio/bin/xio-resume",
        "systemctl restart slurmctld",
    ),
    "another's program": (
        {"settings": settings(ResumeProgram="/pc/resume"), "conf": conf(CONF + "ResumeProgram=/pc/resume\n")},
        Severity.ERROR,
        "slurmctld calls ResumeProgram=/pc/resume, not xio-resume",
        "move the include",
    ),
    "nodes not loaded": (
        {"registrations": {node: Registration(1000, None) for node in NODES[:3]}},
        Severity.ERROR,
        "slurmctld runs with other nodes than slurm.conf defines: it lacks 1 node n-b-2",
        "systemctl restart slurmctld",
    ),
    "nodes still loaded": (
        {"registrations": {node: Registration(1000, None) for node in (*NODES, "n-c-1")}},
        Severity.ERROR,
        "slurmctld runs with other nodes than slurm.conf defines: it still has 1 node n-c-1",
        "systemctl restart slurmctld",
    ),
    "a program that isn't executable": (
        {"programs": Programs("/p/xio-resume", "/p/s", ("/p/s: isn't executable: chmod 755 it",), read_manifest=True)},
        Severity.ERROR,
        "/p/s: isn't executable",
        "chmod 755 /p/s, then systemctl restart slurmctld",
    ),
    "a program that isn't there": (
        {"programs": Programs("/p/xio-resume", "/p/s", ("/p/s: No such file or directory",), read_manifest=True)},
        Severity.ERROR,
        "/p/s: No such file",
        "see to /p/s",
    ),
    "another manifest": (
        {"programs": Programs("/p/xio-resume", "/p/s", (), read_manifest=False)},
        Severity.WARNING,
        "/p/xio-resume: reads another manifest than /etc/xio/manifest.json",
        "--manifest",
    ),
    "no idle_on_node_suspend": (
        {"settings": settings(SlurmctldParameters="")},
        Severity.WARNING,
        "slurm.conf: SlurmctldParameters has no idle_on_node_suspend",
        "add it",
    ),
    "hidden nodes": (
        {"settings": settings(PrivateData="jobs"), "registrations": {"n-a-1": Registration(1000, None)}},
        Severity.WARNING,
        "slurm.conf: Slurm 22.05.8 hides powered-down nodes",
        "PrivateData=cloud",
    ),
    "old addresses": (
        {"settings": settings(CommunicationParameters="")},
        Severity.NOTE,
        "slurm.conf: CommunicationParameters has no NoAddrCache",
        "add it",
    ),
    "a Slurm too old": (
        {"version": Version(20, 11, 9)},
        Severity.ERROR,
        "Slurm 20.11.9 is too old",
        "install a newer Slurm",
    ),
    "a bug of this Slurm": (
        {"version": Version(23, 11, 8)},
        Severity.WARNING,
        "Slurm 23.11.8: after a reconfigure that failed no node is resumed",
        "install 23.11.9 or newer",
    ),
    "a Slurm too new": (
        {"version": Version(27, 5, 0)},
        Severity.NOTE,
        "Slurm 27.05.0 isn't one that this xio-slurm is made for: those are 21.08 to 26.05",
        "see whether there is a newer xio-slurm",
    ),
    "no version": ({"version": None}, Severity.NOTE, "which Slurm this is can't be read", "slurmctld -V"),
    "state folder missing": (
        {"state": folder("/var/lib/xio", problem="isn't there")},
        Severity.ERROR,
        "/var/lib/xio: isn't there: no VM is made",
        "install -d -o slurm -m 700 /var/lib/xio",
    ),
    "state folder of another": (
        {"state": folder("/var/lib/xio", owner="root")},
        Severity.ERROR,
        "/var/lib/xio: is root's, not SlurmUser slurm's",
        "chown -R slurm /var/lib/xio",
    ),
    "state folder read-only": (
        {"state": folder("/var/lib/xio", writable=False)},
        Severity.ERROR,
        "/var/lib/xio: can't be written",
        "chmod 700",
    ),
    "state folder full": (
        {"state": folder("/var/lib/xio", free=0)},
        Severity.ERROR,
        "/var/lib/xio: is full (0 KiB free): no VM is made",
        "df",
    ),
    "no more files": (
        {"state": folder("/var/lib/xio", files=0)},
        Severity.ERROR,
        "/var/lib/xio: is full (9536 MiB, 0 files free)",
        "df -i",
    ),
    "state folder nearly full": (
        {"state": folder("/var/lib/xio", free=2**20)},
        Severity.WARNING,
        "/var/lib/xio: is nearly full (1 MiB free)",
        "make room",
    ),
    "root's files in the log folder": (
        {"log": folder("/var/log/xio", others=("/var/log/xio/xio.log",))},
        Severity.WARNING,
        "/var/log/xio/xio.log: not of slurm",
        "chown -R slurm /var/log/xio",
    ),
    "log folder full": (
        {"log": folder("/var/log/xio", free=0)},
        Severity.WARNING,
        "/var/log/xio: is full",
        "make room",
    ),
    "sync never there": ({"heartbeat": None}, Severity.WARNING, "xio sync isn't running", "xio-sync"),
    "sync stopped": (
        {"heartbeat": Heartbeat(NOW - 600, 7, "head", 15.0)},
        Severity.ERROR,
        "xio sync has stopped: its last pass, on head, was 10 minutes ago",
        "xio-sync",
    ),
    "certificate expired": (
        {"certificates": Unseen("/c.pem: the client's expired: get a new one"), "ems": Unseen("the same")},
        Severity.ERROR,
        "/c.pem: the client's expired",
        "get a new one",
    ),
    "certificate expires soon": (
        {"certificates": ("/c.pem: expires in 3 days: get a new one",)},
        Severity.WARNING,
        "/c.pem: expires in 3 days",
        "get a new one",
    ),
    "EMS away": (
        {"ems": Unseen("the EMS at http://10.0.0.1:5000: can't be reached: refused"), "profiles": Unseen("the same")},
        Severity.ERROR,
        "the EMS at http://10.0.0.1:5000: can't be reached: refused",
        "curl http://10.0.0.1:5000/v1/profiles",
    ),
    "EMS hangs": (
        {"ems": Unseen("no answer within 3 s")},
        Severity.ERROR,
        "the EMS at http://10.0.0.1:5000: no answer within 3 s",
        "curl",
    ),
    "no EMS": (
        {"manifest": structs.replace(MANIFEST, ems_url=None), "ems": Unseen("the manifest has no address of the EMS")},
        Severity.ERROR,
        "the manifest has no address of the EMS",
        "ManagementServerIp",
    ),
    "no EMS there": (
        {"profiles": Unseen("http://10.0.0.1:5000 answers, but not as an EMS does (404)")},
        Severity.ERROR,
        "http://10.0.0.1:5000 answers, but not as an EMS does (404)",
        "ManagementServerIp",
    ),
    "no list of VMs": (
        {"cluster": cluster(vms=None, problems=(Problem("ems", "list the VMs: EMS 500"),))},
        Severity.ERROR,
        "list the VMs: EMS 500",
        "the EMS's own log",
    ),
    "clock ahead": ({"ems": Ems(45.0)}, Severity.WARNING, "the EMS's clock is 45 s ahead of", "timedatectl"),
    "clock behind": ({"ems": Ems(-45.0)}, Severity.WARNING, "the EMS's clock is 45 s behind", "timedatectl"),
    "clock set back": (
        {"cluster": cluster(problems=(Problem("clock", "n-a-1: the ledger has times that are still to come"),))},
        Severity.WARNING,
        "n-a-1: the ledger has times",
        "timedatectl",
    ),
    "az1 gone": (
        {"profiles": frozenset({"amd"})},
        Severity.ERROR,
        "the EMS has no profile az1",
        "deploy the EMS anew",
    ),
    "profile gone": (
        {"profiles": frozenset({"az1"})},
        Severity.ERROR,
        "the EMS has no profile amd, which pools a, b can't do without",
        "xio plan, then xio apply",
    ),
    "image gone": (
        {"images": frozenset()},
        Severity.ERROR,
        "the EMS has no image rhel8, which pools a, b can't do without",
        "xio image create --name rhel8",
    ),
    "environment gone": ({"environments": ()}, Severity.ERROR, "the EMS has no environment lab", "xio apply"),
    "a pool not in the environment": (
        {"environments": ({"EnvName": "lab", "Pools": [{"PoolName": "a"}]},)},
        Severity.ERROR,
        "the EMS's environment lab has no pool b",
        "xio apply",
    ),
    "a pool of another image": (
        {
            "environments": (
                {
                    "EnvName": "LAB",
                    "Pools": [{"PoolName": "a", "VM": {"ImageName": "old"}}, {"PoolName": "b", "ProfileName": "amd"}],
                },
            )
        },
        Severity.WARNING,
        "the EMS's pool a has image old, not rhel8",
        "xio apply",
    ),
    "too much RealMemory": (
        {"cluster": cluster(NO_MEMORY, vms={"n-a-1"})},
        Severity.ERROR,
        "pool a: RealMemory=1000 is too much: n-a-1 registered with 700 MiB",
        "node_reg_mem_percent=70",
    ),
    "too few CPUs": (
        {"cluster": cluster({"n-a-1": "IDLE+CLOUD+DRAIN+INVALID_REG Reason=Low CPUs (reported:1 < 2)"})},
        Severity.ERROR,
        "n-a-1: registered with less than slurm.conf says: Low CPUs",
        "CPUs and image of the pool",
    ),
    "drained by somebody": (
        {"cluster": cluster({"n-a-1": "IDLE+CLOUD+DRAIN+POWERED_DOWN Reason=new disk [root@x]"})},
        Severity.NOTE,
        "n-a-1: taken out of use by an administrator: new disk",
        "scontrol update NodeName=n-a-1 State=RESUME",
    ),
    "never boots": (
        {"cluster": cluster({"n-a-1": BOOTING}, entry("n-a-1"), vms={"n-a-1"}, addresses={"n-a-1": None})},
        Severity.ERROR,
        "n-a-1: the VM never boots: it has no address 10000 s after it was asked for",
        "xio vm show n-a-1",
    ),
    "never registers": (
        {"cluster": cluster({"n-a-1": BOOTING}, entry("n-a-1"), vms={"n-a-1"}, addresses={"n-a-1": "10.1.2.3"})},
        Severity.ERROR,
        "n-a-1: the VM is up at 10.1.2.3, and its slurmd never registered 10000 s after",
        "xio vm test --pool a",
    ),
    "VM gone": (
        {"cluster": cluster({"n-a-1": "ALLOCATED+CLOUD"}, entry("n-a-1"))},
        Severity.ERROR,
        "n-a-1: its VM is gone",
        "xio vm show n-a-1",
    ),
    "boots failed": (
        {"cluster": cluster(breakers=(Breaker("a", boot_failures=3),))},
        Severity.WARNING,
        "pool a: 3 VMs in a row were made, and no node came up",
        "xio vm test --pool a",
    ),
    "closed for capacity": (
        {"cluster": cluster(breakers=(closed("capacity"),))},
        Severity.WARNING,
        "no capacity: pool a is closed until",
        "xio pool open a",
    ),
    "closed for boots": (
        {"cluster": cluster(breakers=(closed("boot"),))},
        Severity.ERROR,
        "pool a is closed until",
        "xio vm test --pool a, then xio pool open a",
    ),
    "closed by hand": (
        {"cluster": cluster(breakers=(closed("administrator"),))},
        Severity.WARNING,
        "pool a is closed until",
        "xio pool open a",
    ),
    "rejected": (
        {"cluster": cluster(breakers=(closed("rejected"),))},
        Severity.ERROR,
        "pool a is closed until",
        "see to what the EMS says, then xio pool open a",
    ),
    "all pools closed": (
        {"cluster": cluster(breakers=(closed("unreachable", ""),))},
        Severity.ERROR,
        "all pools are closed until",
        "xio pool open --all",
    ),
    "half-open": (
        {"cluster": cluster(breakers=(structs.replace(closed("capacity"), gate=Gate.HALF_OPEN),))},
        Severity.NOTE,
        "pool a: half-open",
        "nothing",
    ),
    "a lost VM": (
        {"cluster": cluster({}, entry("n-a-1"), vms={"n-a-1"})},
        Severity.WARNING,
        "n-a-1: VMs of ours run that no node wants",
        "nothing: xio sync sees to it",
    ),
    "a foreign VM": (
        {"cluster": cluster(vms={"n-a-1", "theirs"})},
        Severity.WARNING,
        "n-a-1: the EMS has VMs of these names that this cluster didn't make",
        "delete them where they belong",
    ),
    "a damaged entry": (
        {"cluster": cluster(problems=(Problem("entry n-a-1", "/s/n-a-1.json: can't be read: nothing is done"),))},
        Severity.ERROR,
        "/s/n-a-1.json: can't be read",
        "rm /s/n-a-1.json",
    ),
    "short SuspendTimeout": (
        {"manifest": SHORT},
        Severity.WARNING,
        "SuspendTimeout=14 is short",
        "SuspendTimeout: 15 or more",
    ),
    "BootTimeout too long": (
        {"manifest": structs.replace(MANIFEST, recovery=Recovery(boot_timeout=600))},
        Severity.WARNING,
        "pool a, b: BootTimeout isn't below ResumeTimeout=600",
        "a smaller BootTimeout",
    ),
    "requests too long": (
        {"manifest": structs.replace(MANIFEST, read_timeout=599)},
        Severity.WARNING,
        "ConnectTimeout and ReadTimeout (601 s) leave no second try",
        "smaller ones",
    ),
    "slow boots": (
        {
            "cluster": cluster({"n-a-1": "ALLOCATED+CLOUD"}, entry("n-a-1", age=1000.0), vms={"n-a-1"}),
            "registrations": {**dict.fromkeys(NODES, Registration(1000, None)), "n-a-1": Registration(1000, NOW - 500)},
        },
        Severity.WARNING,
        "n-a-1: took 500 s to boot, of ResumeTimeout=600",
        "ResumeTimeout: 1000",
    ),
    "a bad configuration": (
        {"configuration": Configuration("x.yaml", ("x.yaml:3: error: no", "another"), 0, deployed=True)},
        Severity.ERROR,
        "x.yaml:3: error: no",
        "xio check x.yaml",
    ),
    "a configuration that isn't deployed": (
        {"configuration": Configuration("x.yaml", (), 2, deployed=False)},
        Severity.WARNING,
        "x.yaml: isn't what is deployed",
        "xio plan -c x.yaml",
    ),
    "a configuration with warnings": (
        {"configuration": Configuration("x.yaml", (), 1, deployed=True)},
        Severity.WARNING,
        "x.yaml: has 1 warning",
        "xio check x.yaml",
    ),
}


def test_of_a_cluster_that_is_well_nothing_is_told() -> None:
    report = examine(WELL)
    assert (report.findings, report.unchecked, report.errors) == ((), (), 0)
    assert report.checks == len(CHECKS)


@pytest.mark.parametrize("name", BROKEN)
def test_it_is_told_first(name: str, seen: Callable[..., Seen]) -> None:
    fields, severity, what, mend = BROKEN[name]
    first, *others = examine(seen(**fields)).findings
    assert (first.severity, first.what[: len(what)]) == (severity, what)
    assert mend in first.mend
    assert "\n" not in first.what + first.mend
    assert not {each.what for each in others} & {first.what}
    # What follows from it is never told as an error of its own.
    assert [each.what for each in others if each.severity is Severity.ERROR] == []


@pytest.mark.parametrize(
    "fields",
    [
        {"ems": Ems(29.0)},
        {"ems": Ems(None)},
        {"version": Version(23, 11, 9), "settings": settings(PrivateData="", CommunicationParameters="")},
        {"manifest": structs.replace(MANIFEST, suspend_timeout=15)},
        {"manifest": structs.replace(MANIFEST, cluster=None), "environments": ()},
        {"cluster": cluster(vms={"theirs-1"})},
        {"cluster": cluster({"n-a-1": BOOTING}, entry("n-a-1", age=400.0), vms={"n-a-1"})},
        {"cluster": cluster({}, entry("n-a-1", age=10.0), vms={"n-a-1"})},
        {"cluster": cluster({"n-a-1": "IDLE+CLOUD+POWERED_DOWN Reason=" + STALE_LOW.partition("Reason=")[2]})},
        {"configuration": Configuration("x.yaml", (), 0, deployed=True)},
    ],
)
def test_what_is_right_is_not_told(fields: dict[str, Any], seen: Callable[..., Seen]) -> None:
    report = examine(seen(**fields))
    assert [each for each in report.findings if "NoAddrCache" not in each.what] == []


def test_lost_vms_are_an_error_where_nobody_will_delete_them(seen: Callable[..., Seen]) -> None:
    lost = cluster({}, entry("n-a-1"), vms={"n-a-1"})
    (first, *_) = examine(seen(cluster=lost, heartbeat=None)).findings
    assert (first.severity, first.mend) == (Severity.ERROR, "xio sync --once")


def test_what_sync_would_do_is_told_where_there_is_no_sync(seen: Callable[..., Seen]) -> None:
    waiting = cluster({"n-a-1": "IDLE+CLOUD+DRAIN+POWERED_DOWN Reason=xio:surplus [slurm@x]"})
    assert examine(seen(cluster=waiting)).findings == ()
    told = examine(seen(cluster=waiting, heartbeat=None)).findings
    assert any(each.what.startswith("n-a-1: it was taken out of use for a start that failed") for each in told)


def test_what_could_not_be_seen_is_said_with_the_questions_that_hang_on_it(seen: Callable[..., Seen]) -> None:
    report = examine(seen(cluster=Unseen("scontrol: no answer"), images=Unseen("the EMS: no answer")))
    reasons = {each.question: each.why for each in report.unchecked}
    assert reasons["Do the pools take jobs?"] == "scontrol: no answer"
    assert reasons["Has the EMS the images of our pools?"] == "the EMS: no answer"


def test_errors_come_first_and_what_stops_everything_before_what_stops_a_pool() -> None:
    def finding(severity: Severity, area: Area) -> Finding:
        return Finding(severity, area, "", "")

    mixed = [
        finding(Severity.WARNING, Area.MANIFEST),
        finding(Severity.ERROR, Area.POOLS),
        finding(Severity.NOTE, Area.SLURM),
        finding(Severity.ERROR, Area.EMS),
    ]
    assert in_order(mixed) == (mixed[3], mixed[1], mixed[0], mixed[2])


@pytest.mark.parametrize("bug", [bug for release in SUPPORTED for bug in release.bugs])
def test_a_bug_is_told_until_its_release_and_not_of_other_series(bug: Bug, seen: Callable[..., Seen]) -> None:
    def told(version: Version) -> bool:
        return any(bug.what in each.what for each in examine(seen(version=version)).findings)

    assert told(bug.fixed._replace(micro=bug.fixed.micro - 1))
    assert not told(bug.fixed)
    assert not told(Version(22, 5, 99))


def test_every_check_asks_a_question_of_its_own() -> None:
    questions = [question_of(check) for check in CHECKS]
    assert len(set(questions)) == len(CHECKS)
    assert [question for question in questions if "?" not in question] == []


def test_registrations_are_read_from_scontrols_lines() -> None:
    found = parse(
        "NodeName=n-1 RealMemory=7200 State=IDLE BootTime=None SlurmdStartTime=2026-11-22T20:13:36 LastBusyTime=x\n"
        "NodeName=n-2 RealMemory=100 SlurmdStartTime=None\n"
        "a note of this version\n"
    )
    assert (found["n-1"].real_memory, found["n-2"]) == (7200, Registration(100, None))
    assert found["n-1"].slurmd_started is not None
