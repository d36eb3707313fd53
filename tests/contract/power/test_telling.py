"""What the programs run of Slurm's commands, and in which order; what those do is seen on a real slurmctld."""

import json
import sys

import pytest

from tests.contract.power.conftest import NODE, POOL, Site
from xio_slurm.emulator.tool import Emulator
from xio_slurm.manifest import Recovery

COMMAND = """#!{python}
import json, os, sys
name = os.path.basename(sys.argv[0])
folder = {folder!r}
with open(folder + "/calls", "a") as calls:
    calls.write(json.dumps([name, *sys.argv[1:]]) + "\\n")
if "State=POWER_DOWN_FORCE" in sys.argv and os.path.exists(folder + "/old"):
    sys.exit("Invalid input for state: POWER_DOWN_FORCE")
if name == "squeue":
    again = "--jobs" in sys.argv
    print(open(folder + ("/later" if again else "/jobs")).read(), end="")
elif sys.argv[1] == "show":
    print(open(folder + "/nodes").read(), end="")
"""


class Slurm:
    """Stand-ins for scontrol and squeue that write down how they are called."""

    def __init__(self, site: Site) -> None:
        self.folder = site.folder / "slurm"
        self.folder.mkdir()
        for name in ("scontrol", "squeue"):
            path = self.folder / name
            path.write_text(COMMAND.format(python=sys.executable, folder=str(self.folder)))
            path.chmod(0o755)
        for name in ("jobs", "later", "nodes"):
            (self.folder / name).write_text("")
        site.change(slurm_bin_dir=str(self.folder))

    def calls(self) -> list[list[str]]:
        """The calls so far, without those that only look."""
        path = self.folder / "calls"
        found = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        return [call[1:] for call in found if call[0] == "scontrol" and call[1] != "show"]

    def booting(self, *nodes: str) -> None:
        """Nodes that power up."""
        lines = (f"NodeName={node} NodeAddr=x State=ALLOCATED+CLOUD+NOT_RESPONDING+POWERING_UP\n" for node in nodes)
        (self.folder / "nodes").write_text("".join(lines))

    def job(self, *lines: str, later: str) -> None:
        """The jobs that hold nodes, as squeue prints them, and what becomes of them."""
        (self.folder / "jobs").write_text("".join(f"{line}\n" for line in lines))
        (self.folder / "later").write_text("".join(f"{line.replace('CONFIGURING', later)}\n" for line in lines))


@pytest.fixture
def slurm(site: Site) -> Slurm:
    """Slurm's commands."""
    return Slurm(site)


def test_a_resume_that_goes_well_calls_nothing_of_slurm_and_a_suspend_looks_once(
    site: Site, ems_emulator: Emulator, slurm: Slurm
) -> None:
    assert site.call("xio-resume", f"xspot-vm-{POOL}-[1-3]").returncode == 0
    assert not (slurm.folder / "calls").exists()
    assert site.call("xio-suspend", f"xspot-vm-{POOL}-[1-3]").returncode == 0
    (look,) = (slurm.folder / "calls").read_text().splitlines()
    assert json.loads(look) == ["scontrol", "show", "node", "-o", f"xspot-vm-{POOL}-[1-3]"]


def test_nodes_first_then_jobs(site: Site, ems_emulator: Emulator, slurm: Slurm) -> None:
    slurm.booting(NODE, f"xspot-vm-{POOL}-2")
    line = f"12_3|17|ann|CONFIGURING|1|    |xspot-vm-{POOL}-[1-2]|"
    slurm.job(line, later="PENDING")
    ems_emulator.add_fault(effect="no-capacity", match={"node": NODE})
    assert site.call("xio-resume", NODE).returncode == 1
    why = "create the node: EMS 503: insufficient capacity"
    both = f"NodeName={NODE},xspot-vm-{POOL}-2"
    assert slurm.calls() == [
        ["update", f"NodeName={NODE}", "State=DOWN", f"Reason=xio:capacity {why}"],
        [
            "update",
            f"NodeName=xspot-vm-{POOL}-2",
            "State=DOWN",
            f"Reason=xio:surplus its job 12_3 can not start: xio:capacity {why}",
        ],
        ["update", both, "State=POWER_DOWN"],
        ["update", "JobId=12_3", "StartTime=now", f"AdminComment=xio: capacity failed start 1 of 5: {why}"],
    ]


def test_surplus_nodes_stay_where_it_is_configured_so(site: Site, ems_emulator: Emulator, slurm: Slurm) -> None:
    site.change(recovery=Recovery(retry_seconds=1, release_surplus=False))
    slurm.booting(NODE, f"xspot-vm-{POOL}-2")
    slurm.job(f"12|12|ann|CONFIGURING|1|    |xspot-vm-{POOL}-[1-2]|", later="PENDING")
    ems_emulator.add_fault(effect="no-capacity", match={"node": NODE})
    assert site.call("xio-resume", NODE).returncode == 1
    assert {call[1] for call in slurm.calls() if call[1].startswith("NodeName")} == {f"NodeName={NODE}"}


def test_a_node_that_powers_up_no_more_is_left(site: Site, ems_emulator: Emulator, slurm: Slurm) -> None:
    (slurm.folder / "nodes").write_text(f"NodeName={NODE} NodeAddr=x State=IDLE+CLOUD+POWERING_DOWN\n")
    ems_emulator.add_fault(effect="no-capacity")
    assert site.call("xio-resume", NODE).returncode == 1
    assert slurm.calls() == []


def test_an_old_slurm_without_force_is_told_in_two_steps(site: Site, ems_emulator: Emulator, slurm: Slurm) -> None:
    (slurm.folder / "old").touch()
    slurm.booting(NODE)
    ems_emulator.add_fault(effect="status", status=500, error="disk failure", match={"method": "POST"})
    assert site.call("xio-resume", NODE).returncode == 1
    why = "Reason=xio:ems create the node: EMS 500: disk failure"
    assert slurm.calls() == [
        ["update", f"NodeName={NODE}", "State=POWER_DOWN_FORCE", why],
        ["update", f"NodeName={NODE}", "State=DOWN", why],
        ["update", f"NodeName={NODE}", "State=POWER_DOWN"],
    ]


def test_interactive_jobs_are_told_before_their_node_goes_and_not_updated(
    site: Site, ems_emulator: Emulator, slurm: Slurm
) -> None:
    slurm.booting(NODE)
    slurm.job(*(f"{job}|{job}|ann|CONFIGURING|0|    |{NODE}|" for job in range(1, 31)), later="NODE_FAIL")
    ems_emulator.add_fault(effect="no-capacity")
    assert site.call("xio-resume", NODE).returncode == 1
    calls = slurm.calls()
    assert [call[:2] for call in calls[:20]] == [["notify", str(job)] for job in range(1, 21)]
    assert calls[0][2].startswith("xio:capacity a node of this job can't come up: create the node: EMS 503")
    assert [call[2] for call in calls[20:]] == ["State=DOWN", "State=POWER_DOWN"]


def test_where_squeue_fails_the_resume_file_tells_the_jobs(site: Site, ems_emulator: Emulator, slurm: Slurm) -> None:
    slurm.booting(NODE)
    (slurm.folder / "jobs").write_text("nonsense\n")
    (slurm.folder / "later").write_text("12|12|ann|PENDING|1|    ||\n")
    path = site.folder / "resume.json"
    path.write_text(json.dumps({"jobs": [{"job_id": 12, "nodes": NODE}], "all_nodes": NODE}))
    site.environment["SLURM_RESUME_FILE"] = str(path)
    ems_emulator.add_fault(effect="no-capacity")
    assert site.call("xio-resume", NODE).returncode == 1
    assert slurm.calls()[-1] == ["update", "JobId=12", "StartTime=now"]


def test_a_job_that_never_waits_again_holds_the_program_for_two_seconds(
    site: Site, ems_emulator: Emulator, slurm: Slurm
) -> None:
    slurm.booting(NODE)
    slurm.job(f"12|12|ann|CONFIGURING|1|    |{NODE}|", later="COMPLETING")
    ems_emulator.add_fault(effect="no-capacity")
    assert site.call("xio-resume", NODE).returncode == 1
    assert [call[2] for call in slurm.calls()] == ["State=DOWN", "State=POWER_DOWN"]
