"""What the programs note in events.jsonl: every kind of event, its fields and its meaning.

docs/events.md is made from this. A test keeps it equal to what the code notes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

COMMON: Final[Mapping[str, str]] = {
    "time": "seconds since 1970, to the millisecond",
    "event": "the kind, of the table below",
    "program": "`xio-resume`, `xio-suspend`, `xio-resume-fail`, `xio-sync`, `xio-pool` or `xio-vm`",
    "run": "the call of the program: all events of one have the same",
}
"""Fields of every event."""

FIELDS: Final[Mapping[str, str]] = {
    "node": "the node's name",
    "pool": "the node's pool, as with every event about a node of ours; `all`: every pool",
    "job": "Slurm's job: its number where slurmctld called for it (`wanted`), else as squeue prints it (`12_3`)",
    "ems_job": "the EMS's own number of the job that makes the VM",
    "seconds": "how long it took",
    "code": "why it failed, as in a reason of Slurm's (`xio:<code>`); docs/decisions.md has them all",
    "text": "in words; those of the EMS where it said no",
    "why": "in words",
    "hostlist": "nodes, as Slurm writes them",
    "nodes": "how many nodes",
    "failed": "how many of them failed",
    "state": "what the node was set to with `scontrol update`",
    "reason": "with that reason",
    "comment": "the job's new AdminComment",
    "cause": "why the pool closed: a code, or `administrator`",
    "until": "when it opens by itself, in seconds since 1970; absent: when somebody opens it",
    "profile": "the profile's name",
    "pools": "how many pools",
    "action": "what is to be done, in the words of docs/decisions.md",
    "address": "the VM's",
    "to": "the program's path",
    "whose": "`not ours`, where a person has another's VM deleted",
}
"""What is said of some."""


@dataclass(frozen=True, slots=True)
class Kind:
    """``fields``: those that it can have, besides the common ones; each is absent where it isn't known."""

    meaning: str
    fields: tuple[str, ...]


KINDS: Final[Mapping[str, Kind]] = {
    "called": Kind("slurmctld, or a person, called a program for nodes", ("hostlist", "nodes")),
    "wanted": Kind("the job for which slurmctld wants the nodes (SLURM_RESUME_FILE)", ("job", "hostlist", "nodes")),
    "delegated": Kind("another program sees to nodes that aren't ours", ("hostlist", "to")),
    "ended": Kind("the call has ended", ("nodes", "failed", "seconds")),
    "asking": Kind("the EMS is asked for the node's VM", ("node", "pool")),
    "asked": Kind("the EMS makes the VM; `seconds` until it said so", ("node", "pool", "ems_job", "seconds")),
    "adopted": Kind("a VM is there that was asked for, and whose answer was lost", ("node", "pool", "ems_job")),
    "refused": Kind("the EMS makes no VM for the node, whatever was tried", ("node", "pool", "code", "text")),
    "up": Kind(
        "`xio sync`, which looks where a node isn't up soon, sees that its VM is, and has told Slurm the VM's address; "
        "`seconds` since it was asked for",
        ("node", "pool", "address", "seconds"),
    ),
    "registered": Kind(
        "`xio sync` sees that the node is up; `seconds` since its VM was asked for", ("node", "pool", "seconds")
    ),
    "failed": Kind("the node can't come up, or its VM isn't seen gone", ("node", "pool", "code", "text")),
    "boot-failed": Kind("slurmd didn't register in time; so many in a row close the pool", ("node", "pool")),
    "left": Kind("nothing was done about the node, on purpose", ("node", "pool", "why")),
    "foreign": Kind("the EMS has a VM of the node's name that this cluster didn't make", ("node", "pool")),
    "no-password": Kind("VMs are made without a root password, which can't be had", ("why",)),
    "surplus": Kind("the node was given back: its job can't start, since another's failed", ("node", "pool", "text")),
    "told": Kind("Slurm was told of the node", ("node", "pool", "state", "reason")),
    "moved-up": Kind("a job whose start failed begins again soon", ("job", "comment")),
    "held": Kind("a job is held after too many failed starts", ("job", "comment")),
    "closed": Kind("a pool takes no jobs", ("pool", "cause", "text", "until")),
    "half-opened": Kind("a closed pool lets one node through, to see", ("pool",)),
    "opened": Kind("a pool takes jobs again", ("pool",)),
    "closed-profile": Kind("all pools of a profile are closed now", ("profile", "pools")),
    "deleting": Kind("the EMS is asked to delete the node's VM", ("node", "pool", "whose")),
    "gone": Kind("the VM is seen gone; `seconds` since the call that deleted it", ("node", "pool", "seconds")),
    "found": Kind("`xio sync` sees something that a second look must confirm", ("node", "pool", "action", "why")),
    "decided": Kind("`xio sync` does something about a node", ("node", "pool", "action", "why")),
    "deleted": Kind("`xio sync` had the EMS delete the VM; that it is gone is another event", ("node", "pool", "why")),
}
"""By the word in the field ``event``, in about the order of a node's life."""
