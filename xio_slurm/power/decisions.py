"""What ``xio sync`` does about a node, for every situation: about its VM, and about its state in Slurm.

No file, no request and no clock in here. The page docs/decisions.md is made from these tables.
"""

from enum import Enum
from typing import Final

from xio_slurm.power.situation import Age, Answering, Gate, Held, Known, Power, Reserved, Seen
from xio_slurm.power.table import Table, row


class VmAction(Enum):
    """What is done about a node's VM. The words are the documentation's."""

    NOTHING = "nothing"
    ASK = "ask for a VM"
    ADOPT = "note that it is ours"
    DELETE = "delete it"
    FINISH = "delete it again"
    FORGET = "note that it is gone"
    ADDRESS = "see that Slurm has its address"
    REPORT = "tell the administrator"


class NodeAction(Enum):
    """What Slurm is told of a node. The words are the documentation's."""

    NOTHING = "nothing"
    GIVE_UP = "DOWN, then POWER_DOWN"
    POWER_DOWN = "POWER_DOWN"
    CYCLE = "POWER_DOWN again"
    CLOSE = "DRAIN"
    RELEASE = "RESUME"
    RELEASE_ONE = "RESUME one of the pool"


CONFIRMED: Final[frozenset[Enum]] = frozenset(
    {
        VmAction.ASK,
        VmAction.ADOPT,
        VmAction.DELETE,
        VmAction.FORGET,
        VmAction.REPORT,
        NodeAction.GIVE_UP,
        NodeAction.POWER_DOWN,
        NodeAction.CYCLE,
    }
)
"""Done only when two looks, apart in time, say the same: one look at two systems can fall between their steps."""

_WANTED: Final = (Power.POWERING_UP, Power.ON)
_UNWANTED: Final = (Power.OFF, Power.ABSENT)
_OURS: Final = (Known.ASKING, Known.OURS, Known.LATE)
_NOT_OURS: Final = (Known.NEVER, Known.GONE, Known.FOREIGN)
_NOT_FRESH: Final = (Age.GROWN, Age.OVERDUE)

VM_TABLE: Final = Table(
    "The VM",
    "What `xio sync` does about a node's VM.",
    (
        row(VmAction.NOTHING, "what can't be known isn't guessed: the file is told", known=Known.DAMAGED),
        row(VmAction.NOTHING, "a list that failed proves nothing", vm=Seen.UNKNOWN),
        row(VmAction.NOTHING, "its suspend is at work", power=Power.POWERING_DOWN),
        row(
            VmAction.REPORT,
            "a VM of the node's name is there that this cluster didn't make",
            vm=Seen.THERE,
            known=_NOT_OURS,
        ),
        row(VmAction.NOTHING, "Slurm is about to call xio-resume for it", power=Power.CHOSEN),
        row(VmAction.NOTHING, "a program is at it", age=Age.FRESH),
        # Nobody wants it.
        row(
            VmAction.FINISH,
            "Slurm asked for its end, and it is still there",
            power=_UNWANTED,
            vm=Seen.THERE,
            known=Known.DELETING,
        ),
        row(VmAction.DELETE, "Slurm doesn't want the node, and the VM is ours", power=_UNWANTED, vm=Seen.THERE),
        row(
            VmAction.FORGET,
            "it is gone",
            power=_UNWANTED,
            vm=Seen.NOT_THERE,
            known=(Known.ASKING, Known.OURS, Known.DELETING, Known.FOREIGN),
        ),
        row(VmAction.NOTHING, "no VM, and none is wanted", power=_UNWANTED),
        # Slurm waits for it.
        row(
            VmAction.FINISH,
            "the VM of the node's earlier turn is still there: the next can only come after it",
            power=Power.POWERING_UP,
            vm=Seen.THERE,
            known=Known.DELETING,
        ),
        row(
            VmAction.ADOPT,
            "the answer was lost, but the VM came",
            power=_WANTED,
            vm=Seen.THERE,
            known=(Known.ASKING, Known.LATE),
        ),
        row(
            VmAction.ADDRESS,
            "it takes long to boot: perhaps Slurm has not been told its address",
            power=Power.POWERING_UP,
            vm=Seen.THERE,
            age=Age.GROWN,
        ),
        row(
            VmAction.NOTHING,
            "an administrator has taken the node out of use",
            power=Power.POWERING_UP,
            held=Held.ADMINISTRATOR,
        ),
        row(
            VmAction.NOTHING,
            "its pool is closed: the node is given up",
            power=Power.POWERING_UP,
            vm=Seen.NOT_THERE,
            gate=Gate.CLOSED,
        ),
        row(
            VmAction.NOTHING,
            "the node is being given up",
            power=Power.POWERING_UP,
            held=(Held.XIO, Held.REGISTRATION),
        ),
        row(
            VmAction.NOTHING,
            "it is too late to ask: the node is given up",
            power=Power.POWERING_UP,
            vm=Seen.NOT_THERE,
            age=Age.OVERDUE,
        ),
        row(
            VmAction.ASK,
            "Slurm waits for the node, and nobody is making its VM",
            power=Power.POWERING_UP,
            vm=Seen.NOT_THERE,
        ),
        # Slurm uses it.
        row(
            VmAction.ADOPT,
            "Slurm uses the node: the delete was lost, or overtaken",
            power=Power.ON,
            vm=Seen.THERE,
            known=Known.DELETING,
        ),
        row(VmAction.NOTHING, "all is as it should be"),
    ),
)

NODE_TABLE: Final = Table(
    "The node",
    "What `xio sync` tells Slurm of a node.",
    (
        row(NodeAction.NOTHING, "Slurm doesn't know the node", power=Power.ABSENT),
        row(NodeAction.NOTHING, "an administrator's word stands", held=Held.ADMINISTRATOR),
        row(NodeAction.NOTHING, "it is on its way down", power=Power.POWERING_DOWN),
        row(NodeAction.NOTHING, "Slurm is about to call xio-resume for it", power=Power.CHOSEN),
        # Powered down.
        row(
            NodeAction.NOTHING,
            "its pool is closed: it stays out of use",
            power=Power.OFF,
            gate=Gate.CLOSED,
            held=(Held.XIO, Held.TIMEOUT, Held.REGISTRATION, Held.SLURM),
        ),
        row(
            NodeAction.NOTHING,
            "it is reserved: its jobs can go nowhere else",
            power=Power.OFF,
            gate=Gate.CLOSED,
            reserved=Reserved.YES,
        ),
        row(NodeAction.CLOSE, "its pool is closed: jobs must go elsewhere", power=Power.OFF, gate=Gate.CLOSED),
        row(
            NodeAction.NOTHING,
            "a VM that this cluster didn't make has its name: it stays out of use until that is gone",
            power=Power.OFF,
            vm=(Seen.THERE, Seen.UNKNOWN),
            known=Known.FOREIGN,
            held=(Held.XIO, Held.TIMEOUT, Held.REGISTRATION, Held.SLURM),
        ),
        row(
            NodeAction.RELEASE_ONE,
            "its pool is half-open: one node is let through",
            power=Power.OFF,
            gate=Gate.HALF_OPEN,
            held=(Held.XIO, Held.TIMEOUT, Held.REGISTRATION, Held.SLURM),
        ),
        row(
            NodeAction.RELEASE,
            "it was taken out of use for a start that failed, and can be tried again",
            power=Power.OFF,
            held=(Held.XIO, Held.TIMEOUT, Held.REGISTRATION, Held.SLURM),
        ),
        row(
            NodeAction.CYCLE,
            "powered down and yet waited for: some Slurms never give such a node to a job",
            power=Power.OFF,
            gate=Gate.OPEN,
            reserved=Reserved.NO,
            answering=Answering.NO,
        ),
        row(NodeAction.NOTHING, "it is as it should be", power=Power.OFF),
        # Powering up, or on.
        row(
            NodeAction.POWER_DOWN,
            "it was set DOWN, and whoever did it didn't come to the POWER_DOWN",
            held=Held.XIO,
        ),
        row(
            NodeAction.POWER_DOWN,
            "it registered with less than slurm.conf says, and takes no job",
            held=Held.REGISTRATION,
        ),
        row(NodeAction.NOTHING, "the VMs couldn't be listed", vm=Seen.UNKNOWN),
        row(NodeAction.NOTHING, "the ledger's file can't be read", known=Known.DAMAGED),
        row(NodeAction.NOTHING, "a program is at it", age=Age.FRESH),
        row(
            NodeAction.GIVE_UP,
            "the VM of its name isn't ours: the node can't come up",
            power=Power.POWERING_UP,
            vm=Seen.THERE,
            known=_NOT_OURS,
        ),
        row(
            NodeAction.GIVE_UP,
            "its VM didn't boot in time, or its slurmd never registered",
            power=Power.POWERING_UP,
            age=Age.OVERDUE,
        ),
        row(
            NodeAction.GIVE_UP,
            "its pool is closed, and it has no VM",
            power=Power.POWERING_UP,
            vm=Seen.NOT_THERE,
            gate=Gate.CLOSED,
        ),
        row(
            NodeAction.GIVE_UP,
            "its VM is gone",
            power=Power.ON,
            vm=Seen.NOT_THERE,
            known=(Known.ASKING, Known.OURS, Known.DELETING, Known.LATE),
        ),
        row(
            NodeAction.GIVE_UP,
            "it has no VM, and its slurmd doesn't answer",
            power=Power.ON,
            vm=Seen.NOT_THERE,
            answering=Answering.NO,
        ),
        row(NodeAction.NOTHING, "it is as it should be"),
    ),
)
