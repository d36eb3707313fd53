"""``xio explain`` in a process of its own: beside an EMS over HTTP, and a Slurm whose answers are written down."""

import gzip
import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any, Final

import pytest
import requests

from tests.contract.sync.conftest import BOOTING, NODE, NODE_2, OFF, POOL, HeadNode, head
from xio_slurm.manifest import Pool
from xio_slurm.power.heartbeat import Heartbeat, write

__all__ = ["head"]

XIO: Final = Path(__file__).resolve().parents[3] / "bin" / "xio"


@pytest.fixture
def site(head: HeadNode) -> HeadNode:
    """A head node where a sync is at work, and whose Slurm can be asked for jobs and settings."""
    write(head.manifest.state_dir, Heartbeat(time.time(), 1, "here", 60.0))
    scontrol = head.folder / "bin" / "scontrol"
    answers = f"""
        "show job") if [ -e {head.folder}/jobs ]; then cat {head.folder}/jobs
            elif [ "$4" = --all ]; then echo No jobs in the system
            else echo 'Invalid job id specified' >&2; exit 1; fi ;;
        "show config") cat {head.folder}/config ;;
        "show node")"""
    scontrol.write_text(scontrol.read_text().replace('"show node")', answers))
    (head.folder / "config").write_text("ResumeProgram           = /bin/true\n")
    return head


def explain(site: HeadNode, *arguments: str, code: int = 0, most: float = 30) -> str:
    """What it prints."""
    began = time.monotonic()
    command = [str(XIO), "explain", *arguments, "--manifest", str(site.path)]
    ended = subprocess.run(command, env={"PATH": os.defpath}, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == code, ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    assert time.monotonic() - began < most
    return ended.stdout + ended.stderr


def document(site: HeadNode, *arguments: str, code: int = 0) -> Any:
    """The same for programs."""
    text = explain(site, *arguments, "--json", code=code)
    return json.JSONDecoder().raw_decode(text)[0]


def note(site: HeadNode, file: str, *events: dict[str, Any]) -> None:
    """Have the programs noted events, in that file of logrotate's."""
    text = "".join(json.dumps({"program": "xio-resume", "run": "r", **event}) + "\n" for event in events)
    data = gzip.compress(text.encode()) if file.endswith(".gz") else text.encode()
    (Path(site.manifest.log_dir) / file).write_bytes(data)


def job(site: HeadNode, state: str, **fields: str) -> None:
    """Have Slurm say that of job 12."""
    more = " ".join(f"{name}={value}" for name, value in fields.items())
    (site.folder / "jobs").write_text(f"JobId=12 UserId=ann(1) JobState={state} Priority=9 Partition=xio {more}\n")


def test_a_vm_that_is_being_made_by_everybodys_word(site: HeadNode) -> None:
    site.make_vm()
    site.note("ours", age=20)
    site.slurm.say(BOOTING, NODE)
    start = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(time.time() - 21))
    job(site, "CONFIGURING", NodeList=NODE, StartTime=start)
    now = time.time()
    boots = [
        {"time": now - 999 - n, "event": "registered", "node": NODE_2, "pool": POOL, "seconds": 90} for n in range(3)
    ]
    note(site, "events.jsonl.2.gz", *boots)
    note(site, "events.jsonl.1", {"time": now - 22, "event": "wanted", "job": "12", "hostlist": NODE})
    note(site, "events.jsonl", {"time": now - 20, "event": "asking", "node": NODE, "pool": POOL})
    for name, beginning in (
        ("12", f"Job 12 waits for a node: the VM of {NODE} has been"),
        (NODE, f"The VM of {NODE} has been"),
    ):
        told = explain(site, name)
        assert told.startswith(beginning)
        assert "which takes usually 90 s." in told.splitlines()[0]
        assert f"xio-resume  job 12 wants {NODE}" in told
        assert NODE_2 not in told
    assert site.slurm.updates() == []


def test_what_sync_would_do_is_part_of_the_story(site: HeadNode) -> None:
    site.note("ours", age=9_999)
    site.slurm.say(BOOTING, NODE)
    sources = [each for each in document(site, NODE)["timeline"] if each["source"] == "xio-sync"]
    assert any("after a second look: DOWN, then POWER_DOWN" in each["text"] for each in sources)


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("", "the running slurmctld has no ResumeProgram, since its include is lost or slurmctld wasn't told of it"),
        ("/nowhere/xio-resume", "its ResumeProgram /nowhere/xio-resume isn't there"),
        ("/etc/passwd", "its ResumeProgram /etc/passwd can't be executed"),
        ("/bin/true", "no event of it is there, and the ledger has no request for its VM"),
    ],
)
def test_a_program_that_was_never_called(site: HeadNode, program: str, why: str) -> None:
    (site.folder / "config").write_text(f"ResumeProgram           = {program or '(null)'}\n")
    site.slurm.say(BOOTING, NODE)
    cause = document(site, NODE)["cause"]
    assert cause == f"xio-resume was never called for {NODE}: Slurm powers it up, and {why}"


def test_a_foreign_vm(site: HeadNode) -> None:
    site.make_vm()
    site.slurm.say(BOOTING, NODE)
    assert "that this cluster didn't make" in document(site, NODE)["cause"]


def test_an_ems_that_is_away_costs_its_part_alone(site: HeadNode) -> None:
    site.change(ems_url="http://127.0.0.1:9")
    site.note("ours", age=20)
    site.slurm.say(BOOTING, NODE)
    told = document(site, NODE, code=1)
    assert told["complete"] is False
    assert "and the EMS doesn't tell of it" in told["cause"]
    assert any(f"the VM of {NODE} couldn't be seen" in line for line in told["errors"])


def test_an_ems_that_hangs_is_not_waited_for(site: HeadNode) -> None:
    fault = {"effect": "latency", "seconds": 60}
    requests.post(f"{site.emulator.url}/emulator/faults", json=fault, timeout=10).raise_for_status()
    site.change(read_timeout=60)
    site.note("ours", age=20)
    site.slurm.say(BOOTING, NODE)
    assert "the EMS doesn't tell of it" in explain(site, NODE, code=1, most=25)


def test_a_slurmctld_that_is_away(site: HeadNode) -> None:
    site.slurm.fail()
    told = explain(site, NODE, code=1)
    assert told.startswith("Slurm doesn't answer: ")
    assert "Unable to contact slurm controller" in told


def test_events_that_cannot_be_read_are_said(site: HeadNode) -> None:
    os.mkfifo(Path(site.manifest.log_dir) / "events.jsonl")
    told = explain(site, NODE, code=1, most=25)
    assert told.startswith(f"Nothing is wrong with {NODE}")
    assert "not all events could be read" in told


def test_a_ledger_file_that_is_damaged_is_said(site: HeadNode) -> None:
    site.note("ours")
    (Path(site.manifest.state_dir) / "nodes" / f"{NODE}.json").write_text("{")
    assert any("is damaged" in line for line in document(site, NODE, code=1)["errors"])


def test_a_job_that_nobody_knows_any_more_has_a_story(site: HeadNode) -> None:
    now = time.time()
    note(
        site, "events.jsonl",
        {"time": now - 60, "event": "wanted", "job": "77", "hostlist": NODE, "nodes": 1},
        {"time": now - 59, "event": "refused", "node": NODE, "pool": POOL, "code": "capacity", "text": "none left"},
        {"time": now - 58, "event": "refused", "node": NODE_2, "pool": POOL, "code": "capacity", "text": "none left"},
    )  # fmt: skip
    told = explain(site, "77")
    assert told.startswith("Slurm doesn't know job 77 any more")
    assert f"{NODE}: the EMS makes no VM: xio:capacity none left" in told
    assert NODE_2 not in told


def test_many_moments_are_cut_and_all_can_be_had(site: HeadNode) -> None:
    now = time.time()
    note(
        site,
        "events.jsonl",
        *({"time": now - 500 + n, "event": "left", "node": NODE, "why": f"w{n}"} for n in range(100)),
    )
    told = explain(site, NODE)
    assert "earlier moments: --all)" in told
    assert "left as it is: w0\n" not in told
    assert "left as it is: w99\n" in told
    assert "left as it is: w0\n" in explain(site, NODE, "--all")
    assert "left as it is" not in explain(site, NODE, "--hours", "0.001")


def test_what_is_not_printable_moves_no_cursor(site: HeadNode) -> None:
    site.slurm.say("DOWN+CLOUD", NODE, reason="\x1b[31mbroken\x07")
    told = explain(site, NODE)
    assert "broken" in told
    assert not {"\x1b", "\x07"} & {*told}


def test_names(site: HeadNode) -> None:
    site.change(pools=(*site.manifest.pools, Pool("12", "amd", "image", 2, 1, 7200, None, 10)))
    site.slurm.say(OFF, "xspot-vm-12-1")
    assert "is a pool and a job: say which" in explain(site, "12", code=1)
    assert explain(site, "12", "--as", "pool").startswith("Nothing is wrong with pool 12")
    assert explain(site, "12", "--as", "job").startswith("Slurm doesn't know job 12")
    assert document(site, "xspot-vm-amd-0", code=1)["errors"] == [
        "xspot-vm-amd-0: no node, job or pool has this name: did you mean xspot-vm-amd-1 or xspot-vm-12-1?"
    ]
    assert "did you mean amd" in explain(site, "amdd", code=1)
    explain(site, "amd", "--hours", "0", code=2)


def test_a_node_that_the_manifest_has_no_more_is_told_of(site: HeadNode) -> None:
    former = "xspot-vm-former-3"
    unknown = explain(site, former, code=1)
    assert "no node, job or pool has this name" in unknown
    asked = {"time": time.time() - 60, "event": "asked", "node": former, "pool": "former", "ems_job": "7"}
    note(site, "events.jsonl", asked)
    told = explain(site, former)
    assert told.startswith(f"{former} isn't in the manifest any more, which has no pool former, and has no VM.")
    assert "xio-resume  the EMS makes the VM (its job 7)" in told

    (Path(site.manifest.log_dir) / "events.jsonl").unlink()
    site.note("ours", node=former, age=20)
    site.make_vm(former)
    assert "and its VM is still there" in explain(site, former)
    job(site, "RUNNING", NodeList=former)
    assert "its VM runs job 12 still" in explain(site, "12")
