"""Why a node is as it is. Pure: from the top, the first that fits is the cause."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from xio_slurm.desk.looks import Unseen
from xio_slurm.desk.story.conclusion import Conclusion, clock, duration, fine, stuck, waits
from xio_slurm.desk.story.failed_starts import closed_pool, remedy, split_reason, start_sync, what_happened
from xio_slurm.desk.story.former_node import former_node
from xio_slurm.desk.story.seen import NodeSeen, Seen
from xio_slurm.ledger import Entry
from xio_slurm.power.breaker import Breaker
from xio_slurm.power.situation import Gate, Held, Power, held_by, power_of
from xio_slurm.slurm.details import NodeDetails

_NO_EVENT_FOR: Final = 30.0
"""Seconds after which a program that was called must have noted something."""

_SLACK: Final = 5.0
"""Seconds by which Slurm's times, which are whole seconds, and ours may cross."""

_SLOW: Final = 2.0
"""Times the usual boot time after which one is slow."""


@dataclass(frozen=True, slots=True)
class _Node:
    """The node that it is about, with what is asked again and again."""

    seen: Seen
    name: str
    details: NodeDetails
    near: NodeSeen
    pool: str
    power: Power
    held: Held
    breaker: Breaker

    @property
    def entry(self) -> Entry | None:
        return None if isinstance(self.near.entry, Unseen) else self.near.entry

    @property
    def called_at(self) -> float | None:
        """When Slurm gave the node to a job, and so called for it; None where no job has it."""
        starts = [job.start for job in self.seen.jobs_on(self.name) if job.start is not None]
        return min(starts, default=None)

    @property
    def asked(self) -> float | None:
        """When the EMS was asked for the VM of this turn."""
        entry = self.entry
        if entry is None or entry.phase not in {"asking", "ours"}:
            return None
        return entry.asked

    def ago(self, moment: float) -> str:
        return duration(self.seen.time - moment)


def node_cause(name: str, seen: Seen) -> Conclusion:
    """Why a node is as it is that is one of ours, or was."""
    if seen.manifest.pool_of(name) is None:
        return former_node(name, seen)
    if isinstance(seen.nodes, Unseen):
        return stuck(f"Slurm doesn't answer: {seen.nodes.why}", "see that slurmctld runs: systemctl status slurmctld")
    details = seen.nodes.get(name)
    if details is None:
        return stuck(
            f"Slurm doesn't know {name}, though the manifest has it",
            "have slurm.conf include the node definitions and slurmctld read them: xio plan",
            "up to Slurm 22.05, PrivateData=cloud shows nodes that are powered down",
        )
    near = seen.near.get(name, NodeSeen(Unseen("it wasn't looked at"), Unseen("it wasn't looked at")))
    pool = seen.manifest.pool_name(name) or ""
    state = details.state
    node = _Node(seen, name, details, near, pool, power_of(state), held_by(state), seen.breaker(pool))
    return next(found for cause in _CAUSES if (found := cause(node)) is not None)


def _taken_out(node: _Node) -> Conclusion | None:
    """An administrator's word, or Slurm's about what the node registered with."""
    state, reason = node.details.state, node.details.state.reason
    if node.held is Held.ADMINISTRATOR:
        who = node.details.reason_by or "somebody"
        since = f" at {clock(node.details.reason_at, node.seen.time)}" if node.details.reason_at is not None else ""
        states = "+".join((state.base, *sorted(state.flags - {"CLOUD"})))
        why = f": {reason}" if reason else ""
        return stuck(
            f"{node.name} was taken out of use by {who} ({states}){since}{why}",
            f"when that is over: scontrol update nodename={node.name} state=resume",
        )
    if node.held is Held.REGISTRATION:
        return stuck(
            f"the VM of {node.name} has less than slurm.conf says, so Slurm gives it no job: {reason or 'INVALID_REG'}",
            f"give the pool {node.pool} less RealMemory or a larger instance in the configuration, then: xio apply",
        )
    return None


def _failed(node: _Node) -> Conclusion | None:
    """A start failed, and the node is out of use, or was taken out while it powered up."""
    ours = split_reason(node.details.state.reason)
    if node.held not in {Held.XIO, Held.TIMEOUT}:
        return None
    code, text = ours or ("boot", node.details.state.reason)
    if code in {"closed", *_POOLS_MATTER} and node.breaker.gate is Gate.CLOSED:
        return closed_pool(node.seen, node.breaker, f"{node.name} is out of use: ")
    cause = f"{node.name} is out of use: {what_happened(code, text)}"
    todo = remedy(code, node.name, node.pool)
    if not node.seen.sync_is_alive:
        return stuck(cause, *todo, *start_sync(f"gives {node.name} back"))
    return waits(cause, *todo)


_POOLS_MATTER: Final = frozenset({"capacity", "rejected", "unreachable", "boot", "administrator"})


def _lost(node: _Node) -> Conclusion | None:
    """Slurm took it out of use, and it is powered down by now."""
    if node.held is not Held.SLURM or node.power is not Power.OFF:
        return None
    cause = f"{node.name} is out of use, since Slurm lost it: {node.details.state.reason}"
    if not node.seen.sync_is_alive:
        return stuck(cause, *start_sync("gives it back"))
    return waits(cause, "nothing: xio sync gives it back")


def _starting(node: _Node) -> Conclusion | None:
    """Slurm waits for it."""
    if node.power not in {Power.POWERING_UP, Power.CHOSEN}:
        return None
    return next((found for cause in _STARTING if (found := cause(node)) is not None), None)


def _foreign(node: _Node) -> Conclusion | None:
    entry, vm = node.near.entry, node.near.vm
    if isinstance(entry, Unseen):
        return None
    theirs = entry is not None and entry.phase == "foreign"
    nobodys = entry is None or (entry.phase == "gone" and not entry.unanswered)
    if theirs or (nobodys and vm is not None and not isinstance(vm, Unseen)):
        return stuck(f"{node.name} can't come up: {what_happened('foreign', '')}", *remedy("foreign", node.name, ""))
    return None


def _refused(node: _Node) -> Conclusion | None:
    """The EMS said no after the last time that it was asked."""
    refusals = node.seen.events_of(node.name, "failed", "refused")
    since = node.called_at
    if not refusals or (since is not None and refusals[-1].time < since - _SLACK):
        return _refused_by_ledger(node)
    last = refusals[-1]
    after = [event for event in node.seen.events_of(node.name, "asked", "adopted") if event.time > last.time]
    if after or last.text("code") == "closed":
        return None
    cause = what_happened(last.text("code"), last.text("text"))
    return stuck(
        f"{node.name} can't come up, {node.ago(last.time)} ago: {cause}",
        *remedy(last.text("code"), node.name, node.pool),
    )


def _refused_by_ledger(node: _Node) -> Conclusion | None:
    """The same where no event tells of it."""
    entry, since = node.entry, node.called_at
    if entry is None or entry.phase != "gone" or not entry.error:
        return None
    if since is not None and entry.asked < since - _SLACK:
        return None
    todo = remedy("ems", node.name, node.pool)
    return stuck(f"{node.name} can't come up: {node.ago(entry.asked)} ago the EMS said: {entry.error}", *todo)


def _closed(node: _Node) -> Conclusion | None:
    if node.breaker.gate is not Gate.CLOSED or node.near.vm is not None:
        return None
    return closed_pool(node.seen, node.breaker, f"{node.name} gets no VM: ")


def _never_called(node: _Node) -> Conclusion | None:
    """Slurm says that it powers the node up, and no program has noted a call for it since."""
    if node.asked is not None or isinstance(node.near.entry, Unseen):
        return None
    since = node.called_at
    noted = [event for event in node.seen.events_of(node.name) if since is None or event.time >= since - _SLACK]
    calls = [
        event
        for event in node.seen.events
        if event.kind == "called" and (since is None or event.time >= since - _SLACK)
    ]
    if noted or calls:
        return None
    if since is not None and node.seen.time - since < _NO_EVENT_FOR:
        return waits(f"Slurm chose {node.name} {node.ago(since)} ago, and calls xio-resume at its next pass", "wait")
    when = f"{node.ago(since)} ago, and" if since is not None else "up, and"
    verb = "chose" if since is not None else "powers"
    why = node.seen.resume_program or "no event of it is there, and the ledger has no request for its VM"
    return stuck(
        f"xio-resume was never called for {node.name}: Slurm {verb} it {when} {why}",
        "see slurmctld's log for the program's name and exit code, and what else is amiss: xio doctor",
    )


def _asking(node: _Node) -> Conclusion | None:
    entry = node.entry
    if entry is None or entry.phase not in {"asking", "deleting"}:
        return None
    if entry.phase == "deleting":
        if node.near.vm is None:
            return None
        return waits(
            f"the VM of the turn before of {node.name} is still being deleted; the next is asked for after it",
            f"if that takes long, look at it: xio vm show {node.name}",
        )
    error = f": {entry.error}" if entry.error else ""
    return waits(
        f"the EMS was asked for the VM of {node.name} {node.ago(entry.asked)} ago, and its answer isn't known{error}",
        *(start_sync("finds out what became of it") if not node.seen.sync_is_alive else ("wait",)),
    )


def _booting(node: _Node) -> Conclusion | None:
    asked, vm = node.asked, node.near.vm
    if asked is None:
        return None
    limit, usual = node.seen.manifest.boot_timeout(node.pool), node.seen.boot_seconds.get(node.pool)
    age = node.seen.time - asked
    rest = f"usually {duration(usual)}" if usual is not None else f"at most {duration(limit)}"
    if isinstance(vm, Unseen):
        return stuck(
            f"the VM of {node.name} was asked for {duration(age)} ago, and the EMS doesn't tell of it: {vm.why}",
            "see that the EMS runs and can be reached: xio doctor",
        )
    if vm is None:
        return stuck(
            f"the VM of {node.name}, asked for {duration(age)} ago, isn't there: the EMS lost it, or it was deleted",
            *(("nothing: xio sync asks again",) if node.seen.sync_is_alive else start_sync("asks again")),
        )
    slow = age >= min(limit, max(_SLOW * usual, 30.0) if usual is not None else limit)
    if not slow:
        what = "booting" if vm.address is not None else "in the making"
        return waits(f"the VM of {node.name} has been {what} for {duration(age)}, which takes {rest}", "wait")
    if vm.address is None:
        return stuck(
            f"the VM of {node.name} isn't up {duration(age)} after it was asked for, which takes {rest}",
            f"see what the EMS says of it: xio vm show {node.name}",
            *_give_up(node),
        )
    return stuck(
        f"the VM of {node.name} is up at {vm.address}, and its slurmd hasn't registered {duration(age)} after it was "
        f"asked for, which takes {rest}",
        f"at {vm.address}: what does slurmd's log say, does munge run, is slurmctld reached, is the memory RealMemory?",
        f"or see the console of a VM of your own: xio vm test --pool {node.pool}",
        *_give_up(node),
    )


def _give_up(node: _Node) -> tuple[str, ...]:
    if node.seen.sync_is_alive:
        return (f"xio sync gives it up {duration(node.seen.manifest.boot_timeout(node.pool))} after the request",)
    return start_sync("would give it up in time")


def _called(node: _Node) -> Conclusion | None:
    return waits(
        f"xio-resume was called for {node.name}, and hasn't asked the EMS for its VM yet",
        "if that takes longer than a minute, look at xio.log: xio doctor",
    )


def _going(node: _Node) -> Conclusion | None:
    if node.power is not Power.POWERING_DOWN:
        return None
    entry = node.entry
    since = f" for {node.ago(entry.run.called)}" if entry is not None and entry.phase == "deleting" else ""
    ours = split_reason(node.details.state.reason)
    why = f", since its start failed: {what_happened(*ours)}" if ours is not None else ""
    todo = remedy(ours[0], node.name, node.pool) if ours is not None else ("wait",)
    return waits(f"{node.name} is being powered down{since}{why}", *todo)


def _off(node: _Node) -> Conclusion | None:
    if node.power is not Power.OFF:
        return None
    if node.breaker.gate is Gate.CLOSED:
        return closed_pool(node.seen, node.breaker, f"{node.name} is powered down: ")
    return fine(f"nothing is wrong with {node.name}: it is powered down, and comes up when a job needs it")


def _silent(node: _Node) -> Conclusion | None:
    if "NOT_RESPONDING" not in node.details.state.flags:
        return None
    if node.near.vm is None:
        what = f"the slurmd of {node.name} doesn't answer: its VM is gone"
        sync = ("nothing: xio sync gives the node up, and its jobs begin again",)
        return stuck(what, *(sync if node.seen.sync_is_alive else start_sync("gives the node up")))
    return stuck(
        f"the slurmd of {node.name} doesn't answer, and its VM is there",
        f"look at the VM's console and slurmd's log: xio vm show {node.name}",
    )


def _on(node: _Node) -> Conclusion | None:
    jobs = ", ".join(job.id for job in node.seen.jobs_on(node.name)[:5])
    base = node.details.state.base.lower()
    return fine(f"nothing is wrong with {node.name}: it is up and {f'runs job {jobs}' if jobs else base}")


_STARTING: Final[tuple[Callable[[_Node], Conclusion | None], ...]] = (
    _foreign,
    _refused,
    _closed,
    _asking,
    _never_called,
    _booting,
    _called,
)

_CAUSES: Final[tuple[Callable[[_Node], Conclusion | None], ...]] = (
    _taken_out,
    _failed,
    _lost,
    _starting,
    _going,
    _off,
    _silent,
    _on,
)
