"""Jobs and nodes in Slurm's own words, as its releases print them."""

import time

from xio_slurm.slurm.details import parse_job_details, parse_node_details, seconds

STAMP = "2026-11-22T20:59:38"
AT = time.mktime((2026, 11, 22, 20, 59, 38, 0, 0, -1))

JOB = (
    "JobId=15 ArrayJobId=12 ArrayTaskId=3 JobName=wrap UserId=ann(1001) GroupId=ann(1001) MCS_label=N/A "
    "Priority=0 Nice=0 Account=(null) QOS=(null) JobState=PENDING Reason=JobHeldAdmin Dependency=(null) Requeue=1 "
    "Restarts=5 BatchFlag=1 Reboot=0 ExitCode=0:0 RunTime=00:00:00 TimeLimit=UNLIMITED SubmitTime=2026-11-22T20:59:38 "
    "EligibleTime=2026-11-22T20:59:38 AccrueTime=Unknown StartTime=Unknown EndTime=Unknown Partition=xio,cpu "
    "AllocNode:Sid=localhost:1 ReqNodeList=(null) ExcNodeList=(null) NodeList= SchedNodeList=n-[1-2] NumNodes=2 "
    "Comment=mine AdminComment=xio: boot held after 5 failed starts: none registered "
    "Command=(null) WorkDir=/root StdErr=/dev/null Power="
)
RUNNING = (
    "JobId=16 JobName=wrap UserId=root(0) Priority=4294901755 JobState=CONFIGURING Reason=None Restarts=0 "
    "SubmitTime=2026-11-22T20:59:38 StartTime=2026-11-22T20:59:38 Partition=xio NodeList=n-[1-3] NumNodes=3"
)


def test_a_job_of_an_array() -> None:
    (job,) = parse_job_details(JOB)
    assert (job.id, job.number, job.user, job.state, job.reason) == ("12_3", 15, "ann", "PENDING", "JobHeldAdmin")
    assert (job.partitions, job.priority, job.restarts) == (("xio", "cpu"), 0, 5)
    assert (job.submitted, job.start, job.nodes, job.planned) == (AT, None, (), ("n-1", "n-2"))
    assert job.requested == ()
    assert job.comment == "xio: boot held after 5 failed starts: none registered"
    assert job.waits


def test_the_waiting_rest_of_an_array_is_the_array() -> None:
    (job,) = parse_job_details(JOB.replace("ArrayTaskId=3", "ArrayTaskId=3-9%2"))
    assert job.id == "12"


def test_one_that_asks_for_nodes_by_name() -> None:
    (job,) = parse_job_details(JOB.replace("ReqNodeList=(null)", "ReqNodeList=n-[2-3],cpu-1"))
    assert job.requested == ("n-2", "n-3", "cpu-1")


def test_one_that_has_nodes() -> None:
    note, job = "a line of some release\n", RUNNING
    (found,) = parse_job_details(f"{note}{job}\nNo jobs in the system\n")
    assert (found.id, found.reason, found.nodes, found.start) == ("16", "", ("n-1", "n-2", "n-3"), AT)
    assert (found.comment, found.priority, found.waits) == ("", 4294901755, False)


def test_a_node() -> None:
    line = (
        "NodeName=n-1 Arch=x86_64 State=DOWN+CLOUD+POWERED_DOWN Partitions=xio,all BootTime=None "
        f"SlurmdStartTime={STAMP} Reason=xio:ems create: [EMS] 500 [slurm@{STAMP}]"
    )
    (node,) = parse_node_details(f"a note\n{line}\n")
    assert (node.state.name, node.state.base, node.partitions) == ("n-1", "DOWN", ("xio", "all"))
    assert (node.state.reason, node.reason_by, node.reason_at) == ("xio:ems create: [EMS] 500", "slurm", AT)
    assert node.slurmd_started == AT
    (free,) = parse_node_details("NodeName=n-2 State=IDLE Partitions= SlurmdStartTime=None")
    assert (free.partitions, free.reason_by, free.reason_at, free.slurmd_started) == ((), "", None, None)


def test_a_time_that_is_none() -> None:
    assert [seconds(text) for text in ("Unknown", "None", "", "N/A", "2026-13-01T00:00:00")] == [None] * 5
    assert seconds(STAMP) == AT
