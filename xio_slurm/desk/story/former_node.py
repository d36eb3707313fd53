"""What is the matter with a node that the manifest had once: of a pool that is gone, renamed or smaller now. Pure."""

from xio_slurm.desk.looks import Unseen
from xio_slurm.desk.story.conclusion import Conclusion, fine, stuck, waits
from xio_slurm.desk.story.failed_starts import start_sync
from xio_slurm.desk.story.seen import NodeSeen, Seen
from xio_slurm.naming import split_node_name


def former_node(name: str, seen: Seen) -> Conclusion:
    """Whether anything of it is left, and who takes it away."""
    cause = f"{name} isn't in the manifest any more, {_why(name, seen)}"
    near = seen.near.get(name, NodeSeen(Unseen("it wasn't looked at"), Unseen("it wasn't looked at")))
    if isinstance(near.vm, Unseen):
        return stuck(
            f"{cause}; the EMS doesn't tell of its VM: {near.vm.why}", "see that the EMS can be reached: xio doctor"
        )
    if near.vm is not None:
        return _has_vm(name, cause, near, seen)
    todo = "have slurmctld read the node definitions: xio plan"
    if jobs := seen.jobs_on(name):
        return stuck(f"{cause}, and has no VM, but Slurm has job {jobs[0].id} on it", todo)
    if seen.node(name) is not None:
        return waits(f"{cause}, and has no VM, but Slurm still has the node", todo)
    return fine(f"{cause}, and has no VM")


def _why(name: str, seen: Seen) -> str:
    split = split_node_name(seen.manifest.node_prefix, name)
    if split is None:
        return f"whose nodes' names begin with {seen.manifest.node_prefix}"
    sizes = {pool.name: pool.size for pool in seen.manifest.pools}
    if split[0] in sizes:
        return f"whose pool {split[0]} has the nodes 1 to {sizes[split[0]]}"
    return f"which has no pool {split[0]}"


def _has_vm(name: str, cause: str, near: NodeSeen, seen: Seen) -> Conclusion:
    entry = near.entry
    if isinstance(entry, Unseen):
        return stuck(
            f"{cause}; a VM of its name is there, and whose that is can't be told: {entry.why}",
            "what is amiss: xio doctor",
        )
    if entry is None or entry.phase in {"foreign", "gone"}:
        return fine(f"{cause}; a VM of its name is there, which isn't this cluster's")
    if jobs := seen.jobs_on(name):
        return waits(f"{cause}; its VM runs job {jobs[0].id} still", f"see that job: scontrol show job {jobs[0].id}")
    still = f"{cause}, and its VM is still there"
    at_once = f"or at once: xio vm delete {name}"
    if not seen.sync_is_alive:
        return stuck(still, *start_sync("has it deleted"), at_once)
    return waits(still, "nothing: xio sync has it deleted", at_once)
