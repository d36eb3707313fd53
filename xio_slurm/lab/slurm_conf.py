"""The slurm.conf of a lab, as a pure function."""

from typing import Final

from xio_slurm.lab.account import Account
from xio_slurm.lab.layout import Layout
from xio_slurm.lab.options import Timing

CLUSTER: Final = "lab"
"""ClusterName, where the configuration doesn't name its cluster."""

_NO_CGROUP_SINCE: Final = (24, 11)
"""CgroupPlugin=disabled stops a 22.05 slurmd, and newer ones don't start without it where they can't have cgroups."""

_CLOUD_IS_SHOWN_SINCE: Final = (23, 2)
"""Before, powered-down nodes don't exist for sinfo and scontrol unless PrivateData has ``cloud`` (slurm.conf(5))."""


def render(
    layout: Layout, account: Account, version: tuple[int, int], *, cluster: str, host: str, port: int, others: str
) -> str:
    """The text. ``others`` is what follows our nodes: the second family, and the caller's own lines."""
    private = "" if version >= _CLOUD_IS_SHOWN_SINCE else "PrivateData=cloud\n"
    return f"""\
# A throw-away cluster: 'xio lab down --dir {layout.folder}' removes it.
ClusterName={cluster}
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser={account.slurm_user}
SlurmdUser={account.slurmd_user}
AuthInfo=socket={layout.munge_socket}
StateSaveLocation={layout.slurm_state}
SlurmdSpoolDir={layout.spool}/%n
SlurmctldPidFile={layout.run}/slurmctld.pid
SlurmdPidFile={layout.run}/slurmd-%n.pid
SlurmctldLogFile={layout.slurmctld_log}
SlurmdLogFile={layout.log}/slurmd-%n.log
LogTimeFormat=rfc5424_ms
DebugFlags=Power
MailProg=/bin/true
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
# Jobs start within seconds, where a production cluster saves the work of looking so often.
SchedulerParameters=bf_interval=2,sched_interval=2,batch_sched_delay=1
SlurmctldParameters=idle_on_node_suspend,power_save_interval=1,power_save_min_interval=1
CommunicationParameters=NoAddrCache
TreeWidth=65533
ReturnToService=2
KillWait=5
SlurmdTimeout=30
MinJobAge=3600
# This host stands for nodes that are larger than it is.
SlurmdParameters=config_overrides
{private}Include {layout.node_definitions}
{others}
"""


def delegated_family(count: int, timing: Timing) -> str:
    """``pc-1 …``, as ParallelCluster's nodes are there beside ours, and a partition for jobs that span both."""
    if not count:
        return ""
    nodes = "pc-1" if count == 1 else f"pc-[1-{count}]"
    times = (
        f"SuspendTime={timing.suspend_time} SuspendTimeout={timing.suspend_timeout} "
        f"ResumeTimeout={timing.resume_timeout} MaxTime=INFINITE State=UP"
    )
    return (
        f"NodeName={nodes} CPUs=2 RealMemory=4000 State=CLOUD\n"
        f"PartitionName=pc Nodes={nodes} {times}\n"
        f"PartitionName=mixed Nodes=ALL {times}\n"
    )


def cgroup_conf(version: tuple[int, int]) -> str | None:
    """The text of cgroup.conf, or None where there must be none."""
    return "CgroupPlugin=disabled\n" if version >= _NO_CGROUP_SINCE else None
