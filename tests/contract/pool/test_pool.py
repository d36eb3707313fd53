"""``xio pool`` in processes of its own, on files, beside a Slurm that says what it is told to."""

import json
import os
import pwd
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pexpect
import pytest
from msgspec import structs

from tests.manifests import manifest_with
from xio_slurm.deadline import Deadline
from xio_slurm.manifest import Manifest, Pool, Recovery
from xio_slurm.power.breaker import EVERY_POOL, Breaker, Cause, after_boot_failure, after_refusal
from xio_slurm.power.breakers import Breakers
from xio_slurm.power.heartbeat import Heartbeat, write
from xio_slurm.power.situation import Gate

XIO: Final = Path(__file__).resolve().parents[3] / "bin" / "xio"
SLURM_USER: Final = "nobody"
SMALL: Final = "amd-8-gb-1-cores"
LARGE: Final = "amd-16-gb-2-cores"
LONG: Final = "intel-1024-gb-32-cores-of-the-second-kind"


def node(pool: str, number: int, state: str, reason: str = "") -> str:
    """A line of ``scontrol show node -o``."""
    name = f"xspot-vm-{pool}-{number}"
    because = f" Reason={reason} [slurm@2026-11-22T09:01:02]" if reason else ""
    return f"NodeName={name} NodeAddr={name} State={state} Weight=1{because}"


@dataclass
class Site:
    """A head node where ``xio pool`` is called; its state folder is SlurmUser's where that can be."""

    folder: Path
    manifest: Manifest

    def slurm_says(self, *lines: str, refuses: str = "no such update") -> None:
        """A scontrol that answers with these lines, notes that it was asked, and refuses some."""
        path = self.folder / "bin" / "scontrol"
        text = "\n".join(lines)
        path.write_text(
            f'#!/bin/sh\necho "$*" >> {self.folder}/log/asked\n'
            f'case "$*" in *"{refuses}"*) echo "slurm_update error: Invalid node state specified" >&2; exit 1;; esac\n'
            f"case \"$1\" in show) cat <<'END'\n{text}\nEND\nesac\n"
        )
        path.chmod(0o755)

    def slurm_is_down(self, seconds: int = 0) -> None:
        """A scontrol of a slurmctld that doesn't answer."""
        path = self.folder / "bin" / "scontrol"
        path.write_text(f"#!/bin/sh\nsleep {seconds}\necho 'slurm_load_node error: Unable to contact' >&2\nexit 1\n")
        path.chmod(0o755)

    @property
    def asked(self) -> list[str]:
        """The arguments of each call of scontrol; forgotten then."""
        path = self.folder / "log" / "asked"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return lines

    def command(self, *arguments: str) -> list[str]:
        """The whole command line."""
        return [str(XIO), "pool", *arguments, "--manifest", str(self.folder / "manifest.json")]

    def xio(self, *arguments: str, user: str | None = None) -> subprocess.CompletedProcess[str]:
        """Call it and wait."""
        return subprocess.run(
            self.command(*arguments),
            env={"PATH": "/usr/bin:/bin"},
            stdin=subprocess.DEVNULL,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def json(self, *arguments: str) -> Any:
        """Call it with --json, and read what it prints."""
        return json.loads(self.xio(*arguments, "--json").stdout)

    def refuse(self, pool: str, cause: Cause = "capacity", since: float | None = None) -> None:
        """Have the EMS refused a VM of the pool, as a program notes it."""
        now = time.time() if since is None else since
        Breakers(self.manifest.state_dir).change(
            pool, lambda breaker: after_refusal(breaker, cause, "none left", now, Recovery()), Deadline.after(5)
        )

    def breakers(self) -> dict[str, Breaker]:
        """The breakers on record."""
        return dict(Breakers(self.manifest.state_dir).read())

    def sync_runs(self) -> None:
        """Have an ``xio sync`` been at work just now."""
        write(self.manifest.state_dir, Heartbeat(time.time(), 1, "head", 15.0))


@pytest.fixture
def site() -> Iterator[Site]:
    with tempfile.TemporaryDirectory(prefix="xio-pool-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        for part in ("state", "log", "bin"):
            (folder / part).mkdir(mode=0o755)
        pools = [Pool(pool, "amd", "image", 4, 1, 7200, None, 10) for pool in (SMALL, LARGE)]
        manifest = manifest_with(
            state_dir=str(folder / "state"),
            log_dir=str(folder / "log"),
            slurm_bin_dir=str(folder / "bin"),
            pools=tuple(pools),
        )
        (folder / "manifest.json").write_text(manifest.to_json())
        made = Site(folder, manifest)
        made.slurm_says(
            *(node(pool, number, "IDLE+CLOUD+POWERED_DOWN") for pool in (SMALL, LARGE) for number in (1, 2, 3, 4))
        )
        yield made


@pytest.fixture
def their_site(site: Site) -> Site:
    """A site whose state and log folders are SlurmUser's, and closed to others."""
    if os.geteuid() != 0:
        pytest.skip("only root can become SlurmUser")
    user = pwd.getpwnam(SLURM_USER)
    for part in ("state", "log"):
        (site.folder / part).chmod(0o700)
        os.chown(site.folder / part, user.pw_uid, user.pw_gid)
    return site


def one_line(done: subprocess.CompletedProcess[str], code: int) -> bool:
    """Whether it ended so, with one line of ours and no traceback."""
    lines = [line for line in done.stderr.splitlines() if not line.startswith(("Usage:", "Try '"))]
    return done.returncode == code and len([line for line in lines if line]) == 1


def test_open_pools_are_listed_with_their_nodes(site: Site) -> None:
    site.slurm_says(
        node(SMALL, 1, "IDLE+CLOUD+POWERED_DOWN"),
        node(SMALL, 2, "ALLOCATED+CLOUD+POWERED_DOWN"),
        node(SMALL, 3, "MIXED+CLOUD+NOT_RESPONDING+POWERING_UP"),
        node(SMALL, 4, "ALLOCATED+CLOUD"),
        node(LARGE, 1, "IDLE+CLOUD+POWERING_DOWN"),
        node(LARGE, 2, "IDLE+CLOUD+DRAIN+POWERED_DOWN", "disk is being changed"),
        node(LARGE, 3, "DOWN+CLOUD+NOT_RESPONDING", "Not responding"),
        "NodeName=static-1 NodeAddr=static-1 State=IDLE Weight=1",
    )
    done = site.xio("list")
    assert (done.returncode, done.stderr) == (0, "")
    head, *rows = [line.split() for line in done.stdout.splitlines()]
    assert head == ["Pool", "Gate", "Cause", "Until", "Off", "Booting", "Up", "Ending", "Out", "Hidden"]
    assert rows == [[SMALL, "open", "1", "2", "1", "0", "0", "0"], [LARGE, "open", "0", "0", "0", "1", "2", "1"]]
    assert site.asked == ["show node -o --all"]


def test_a_pool_that_closed_by_itself_is_listed_with_cause_and_time(site: Site) -> None:
    site.refuse(SMALL)
    done = site.xio("list")
    until = time.strftime("%H:%M", time.localtime(site.breakers()[SMALL].until))
    assert done.stdout.splitlines()[1].split() == [SMALL, "closed", "capacity", until, "4", "0", "0", "0", "0"]
    assert done.stdout.splitlines()[-1] == f"pool {SMALL} is closed until {until}: none left"
    (listed,) = site.json("list", SMALL)["pools"]
    assert (listed["gate"], listed["cause"], listed["reason"]) == ("closed", "capacity", "none left")
    assert listed["until"] == pytest.approx(listed["since"] + 60)
    assert listed["nodes"] == {"off": 4, "booting": 0, "up": 0, "ending": 0, "out": 0, "hidden": 0}


def test_what_time_has_done_is_listed_without_being_written(site: Site) -> None:
    site.refuse(SMALL, since=time.time() - 70)
    before = site.breakers()
    assert [pool["gate"] for pool in site.json("list")["pools"]] == ["half-open", "open"]
    assert f"pool {SMALL}: half-open, one node is let through, to see: none left" in site.xio("list").stdout
    assert site.breakers() == before


def test_while_the_ems_is_unreachable_all_pools_are_closed(site: Site) -> None:
    site.refuse(EVERY_POOL, "unreachable")
    listed = site.json("list")["pools"]
    assert [(pool["gate"], pool["cause"], pool["with_all"]) for pool in listed] == [("closed", "unreachable", True)] * 2
    assert site.xio("list").stdout.count("all pools are closed until") == 1


def test_pools_are_listed_while_slurm_is_down(site: Site) -> None:
    site.slurm_is_down()
    site.refuse(SMALL)
    done = site.xio("list")
    assert one_line(done, 1), done.stderr
    assert "Slurm doesn't tell its nodes: scontrol show node -o --all: exit code 1" in done.stderr
    assert done.stdout.splitlines()[1].split()[:3] == [SMALL, "closed", "capacity"]
    assert [pool["nodes"] for pool in site.json("list")["pools"]] == [None, None]


def test_a_slurm_that_hangs_is_waited_for_shortly(site: Site) -> None:
    site.slurm_is_down(seconds=30)
    started = time.monotonic()
    assert "no answer within 5 s" in site.xio("list").stderr
    assert time.monotonic() - started < 20


def test_the_table_fits_a_terminal(site: Site) -> None:
    pools = (*site.manifest.pools, structs.replace(site.manifest.pools[0], name=LONG))
    (site.folder / "manifest.json").write_text(structs.replace(site.manifest, pools=pools).to_json())
    site.refuse(LONG)
    assert site.xio("close", SMALL, "--reason", "x").returncode == 0
    terminal = pexpect.spawn(
        site.command("list")[0],
        site.command("list")[1:],
        env={"PATH": "/usr/bin:/bin", "TERM": "xterm"},
        dimensions=(40, 80),
        timeout=60,
        encoding="utf-8",
    )
    shown = terminal.read()
    assert "\x1b[31mclosed" in shown
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in shown.splitlines()]
    in_table = lines[: lines.index("")]
    assert [line for line in in_table if len(line.rstrip()) > 80] == []
    assert "administrator" in shown
    assert "\x1b[" not in site.xio("list").stdout


def test_closing_is_on_record_and_drains_what_is_powered_down(site: Site) -> None:
    site.slurm_says(
        node(SMALL, 1, "IDLE+CLOUD+POWERED_DOWN"),
        node(SMALL, 2, "IDLE+CLOUD+POWERED_DOWN+NOT_RESPONDING"),
        node(SMALL, 3, "ALLOCATED+CLOUD"),
        node(SMALL, 4, "IDLE+CLOUD+DRAIN+POWERED_DOWN", "disk is being changed"),
        node(LARGE, 1, "IDLE+CLOUD+POWERED_DOWN"),
    )
    site.sync_runs()
    done = site.xio("close", SMALL, "--reason", "the image  is\nmade anew")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{SMALL}: closed, 2 nodes drained\n", "")
    breaker = site.breakers()[SMALL]
    assert (breaker.gate, breaker.cause, breaker.text) == (Gate.CLOSED, "administrator", "the image is made anew")
    assert breaker.until is None
    assert site.asked == [
        "show node -o --all",
        f"update NodeName=xspot-vm-{SMALL}-1,xspot-vm-{SMALL}-2 State=DRAIN "
        f"Reason=xio:administrator pool {SMALL} is closed until it is opened by hand: the image is made anew",
    ]
    (event,) = [json.loads(line) for line in (site.folder / "log" / "events.jsonl").read_text().splitlines()]
    assert (event["event"], event["program"], event["pool"]) == ("closed", "xio-pool", SMALL)


def test_opening_releases_what_bears_our_reason(site: Site) -> None:
    site.refuse(SMALL)
    site.slurm_says(
        node(SMALL, 1, "IDLE+CLOUD+DRAIN+POWERED_DOWN", "xio:capacity pool is closed until 09:01: none left"),
        node(SMALL, 2, "IDLE+CLOUD+POWERED_DOWN", "xio:capacity of yesterday"),
        node(SMALL, 3, "ALLOCATED+CLOUD+DRAIN", "xio:capacity pool is closed until 09:01: none left"),
        node(SMALL, 4, "IDLE+CLOUD+DRAIN+POWERED_DOWN", "disk is being changed"),
        node(LARGE, 1, "IDLE+CLOUD+DRAIN+POWERED_DOWN", "xio:capacity pool is closed until 09:01: none left"),
    )
    done = site.xio("open", SMALL)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{SMALL}: open, 1 node released\n", "")
    assert site.breakers() == {}
    assert site.asked == ["show node -o --all", f"update NodeName=xspot-vm-{SMALL}-1 State=RESUME"]


def test_opening_forgets_boot_failures(site: Site) -> None:
    for _ in range(Recovery().boot_failures):
        Breakers(site.manifest.state_dir).change(
            SMALL, lambda breaker: after_boot_failure(breaker, "never came up", 1.0, Recovery()), Deadline.after(5)
        )
    assert site.breakers()[SMALL].cause == "boot"
    assert site.xio("open", SMALL).returncode == 0
    assert site.breakers() == {}


def test_one_pool_cannot_be_opened_while_all_are_closed(site: Site) -> None:
    site.refuse(SMALL)
    site.refuse(EVERY_POOL, "unreachable")
    site.slurm_says(node(SMALL, 1, "IDLE+CLOUD+DRAIN+POWERED_DOWN", "xio:unreachable x"))
    done = site.xio("open", SMALL)
    assert (done.returncode, done.stdout) == (0, f"{SMALL}: open\n")
    assert "all pools are closed until" in done.stderr
    assert done.stderr.endswith("    xio pool open --all\n")
    assert set(site.breakers()) == {EVERY_POOL}
    assert site.asked == []


def test_all_pools_are_closed_and_opened_at_once(site: Site) -> None:
    site.refuse(SMALL)
    assert site.xio("close", "--all", "--reason", "maintenance").stdout == "all pools: closed, 8 nodes drained\n"
    assert {pool: breaker.cause for pool, breaker in site.breakers().items()} == {
        SMALL: "capacity",
        EVERY_POOL: "administrator",
    }
    (update,) = [line for line in site.asked if line.startswith("update")]
    assert update.endswith("Reason=xio:administrator all pools are closed until it is opened by hand: maintenance")
    drained = [node(SMALL, number, "IDLE+CLOUD+DRAIN+POWERED_DOWN", "xio:administrator x") for number in (1, 2)]
    site.slurm_says(*drained)
    assert site.xio("open", "--all").stdout == "all pools: open, 2 nodes released\n"
    assert site.breakers() == {}
    assert [line for line in site.asked if line.startswith("update")] == [
        f"update NodeName=xspot-vm-{SMALL}-1,xspot-vm-{SMALL}-2 State=RESUME"
    ]


def test_while_slurm_is_down_it_is_on_record_and_done_by_the_next_call(site: Site) -> None:
    site.sync_runs()
    site.slurm_is_down()
    done = site.xio("close", SMALL, LARGE, "--reason", "x")
    assert (done.returncode, done.stdout) == (0, f"{SMALL}: closed\n{LARGE}: closed\n")
    assert one_line(done, 0), done.stderr
    assert done.stderr.startswith("xio: Slurm isn't told: scontrol show node -o --all: exit code 1")
    assert done.stderr.endswith(": 'xio sync' tells it, or this command again\n")
    assert set(site.breakers()) == {SMALL, LARGE}
    site.slurm_says(node(SMALL, 1, "IDLE+CLOUD+POWERED_DOWN"))
    assert site.xio("close", SMALL, "--reason", "x").stdout == f"{SMALL}: closed, 1 node drained\n"


def test_a_node_that_slurm_does_not_release_stands_in_no_other_pools_way(site: Site) -> None:
    site.slurm_says(
        *(node(pool, 1, "IDLE+CLOUD+DRAIN+POWERED_DOWN", "xio:capacity x") for pool in (SMALL, LARGE)),
        refuses=f"NodeName=xspot-vm-{SMALL}-1 ",
    )
    done = site.xio("open", SMALL, LARGE)
    assert (done.returncode, done.stdout) == (0, f"{SMALL}: open\n{LARGE}: open, 1 node released\n")
    assert one_line(done, 0), done.stderr


def test_without_sync_one_is_told_of_the_nodes_that_are_up(site: Site) -> None:
    done = site.xio("close", SMALL, "--reason", "x")
    assert done.stderr == (
        "xio: 'xio sync' isn't running: call this again when nodes that are up now are powered down\n"
    )


def test_what_was_done_is_told_to_programs(site: Site) -> None:
    site.sync_runs()
    closed = site.json("close", SMALL, "--reason", "x")
    nodes = [f"xspot-vm-{SMALL}-{number}" for number in (1, 2, 3, 4)]
    assert closed == {"pools": [{"pool": SMALL, "gate": "closed", "drained": nodes}], "problems": []}
    assert site.json("open", SMALL) == {"pools": [{"pool": SMALL, "gate": "open", "released": []}], "problems": []}
    assert site.json("list")["sync"] is True


@pytest.mark.parametrize("arguments", [("list",), ("open",), ("close", "--reason", "x")], ids=lambda each: each[0])
def test_a_pool_that_there_is_not_is_one_line_with_those_that_there_are(site: Site, arguments: tuple[str, ...]) -> None:
    done = site.xio(*arguments, SMALL, "amd-8-gb")
    assert one_line(done, 2), done.stderr
    assert f"amd-8-gb: no such pool; there are {SMALL}, {LARGE}" in done.stderr
    assert (site.breakers(), site.asked) == ({}, [])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("open",), "name one POOL or more, or give --all"),
        (("open", SMALL, "--all"), "name one POOL or more, or give --all"),
        (("close", SMALL), "Missing option '--reason'"),
        (("close", SMALL, "--reason", " \n"), "write 1 to 100 characters"),
        (("close", SMALL, "--reason", "x" * 101), "write 1 to 100 characters"),
    ],
)
def test_wrong_usage_changes_nothing(site: Site, arguments: tuple[str, ...], words: str) -> None:
    done = site.xio(*arguments)
    assert one_line(done, 2), done.stderr
    assert words in done.stderr
    assert (site.breakers(), site.asked) == ({}, [])


def test_what_root_leaves_behind_is_slurm_users(their_site: Site) -> None:
    assert their_site.xio("close", SMALL, "--reason", "x").returncode == 0
    assert their_site.xio("list").returncode == 0
    left = [*(their_site.folder / "state").rglob("*"), *(their_site.folder / "log").rglob("*")]
    assert {path.owner() for path in left} == {SLURM_USER}
    assert len(left) > 4


@pytest.mark.parametrize("arguments", [("list",), ("open", SMALL), ("close", SMALL, "--reason", "x")])
def test_others_may_do_nothing_and_are_told_so(their_site: Site, arguments: tuple[str, ...]) -> None:
    done = their_site.xio(*arguments, user="daemon")
    assert one_line(done, 1), done.stderr
    assert f"run this as root or as {SLURM_USER}" in done.stderr
    assert list((their_site.folder / "state").iterdir()) == []
    assert their_site.asked == []


def test_a_manifest_that_is_missing_is_one_line(site: Site) -> None:
    (site.folder / "manifest.json").unlink()
    done = site.xio("list")
    assert one_line(done, 1), done.stderr
    assert "there is no manifest" in done.stderr
