"""Which VMs the EMS has, and whose they are: one list, and a look at each of ours."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from xio_slurm.deadline import Deadline
from xio_slurm.ems.vms import Vm
from xio_slurm.errors import LedgerError
from xio_slurm.ledger import Entry, Phase
from xio_slurm.power.outcome import Done, Failed, Outcome
from xio_slurm.power.side_by_side import side_by_side
from xio_slurm.vms.access import VmAccess
from xio_slurm.vms.names import is_test_name
from xio_slurm.vms.owner import Whose, is_ours, whose

State = Literal["up", "booting", "deleting", "listed", "missing", "unknown"]
"""``missing``: the ledger calls it ours and the EMS has none. ``listed``: the EMS lists it, and asked for it alone
has none. ``unknown``: not looked at, or the look failed."""


@dataclass(frozen=True, slots=True)
class KnownVm:
    """A VM that is ours or is named like one. ``asked`` is the time of the ask, in seconds since 1970.

    ``count`` is how many VMs the EMS's list has of this name: 0 for one that is missing.
    """

    node: str
    whose: Whose
    pool: str
    state: State
    phase: Phase | None
    count: int
    address: str | None
    controller: str | None
    controller_address: str | None
    asked: float | None


@dataclass(frozen=True, slots=True)
class VmSurvey:
    """``known`` in the order of pools and numbers; ``others``: the names of other clusters' VMs, in order.

    ``problems``: what couldn't be found out, one line each.
    """

    known: tuple[KnownVm, ...]
    others: tuple[str, ...]
    problems: tuple[str, ...]


def survey(access: VmAccess, deadline: Deadline) -> VmSurvey:
    """List the VMs. Raises EmsError when the EMS can't list them."""
    # Before the ledger is read: a VM that is made in between would seem another's.
    counts = Counter(access.vms.listed(deadline))
    entries, problems = _entries(access, counts)
    owners = {node: _whose(access, node, entries.get(node)) for node in {*counts, *entries}}
    ours = sorted(node for node, owner in owners.items() if owner == "ours")
    vms, failures = _look(access, ours, deadline)
    known = [
        _known(access, node, owner, entry=entries.get(node), vms=vms, count=counts[node])
        for node, owner in owners.items()
        if owner == "ours" or (owner == "foreign" and counts[node])
    ]
    others = sorted(node for node, owner in owners.items() if owner == "others" and counts[node])
    return VmSurvey(tuple(sorted(known, key=_order)), tuple(others), (*problems, *failures))


def _entries(access: VmAccess, listed: Iterable[str]) -> tuple[dict[str, Entry], tuple[str, ...]]:
    entries = {entry.node: entry for entry in access.ledger.entries()}
    problems = []
    for node in listed:
        if node in entries or not named_like_ours(access, node):
            continue
        try:  # a VM that came late, long after the ledger called it gone
            entry = access.ledger.peek(node)
        except LedgerError as error:
            problems.append(str(error))
            continue
        if entry is not None:
            entries[node] = entry
    return entries, tuple(problems)


def _whose(access: VmAccess, node: str, entry: Entry | None) -> Whose:
    return whose(entry, named_like_ours=named_like_ours(access, node))


def tests_left(access: VmAccess, deadline: Deadline) -> tuple[str, ...]:
    """The names of the test VMs of ours that the EMS has. Raises EmsError."""
    names = sorted(filter(is_test_name, access.vms.names(deadline)))
    entries, _ = _entries(access, names)
    return tuple(name for name in names if is_ours(entries.get(name)))


def named_like_ours(access: VmAccess, node: str) -> bool:
    """Whether a name is a node's of the manifest, or a test VM's."""
    return access.manifest.pool_of(node) is not None or is_test_name(node)


def _look(
    access: VmAccess, nodes: Iterable[str], deadline: Deadline
) -> tuple[Mapping[str, Vm | None], tuple[str, ...]]:
    """The nodes' VMs, None for one that isn't there; a node whose look failed is absent, and told in a line."""
    found: dict[str, Vm | None] = {}

    def look(node: str) -> Outcome:
        found[node] = access.vms.get(node, deadline)
        return Done(node, "looked up")

    outcomes = side_by_side(look, nodes, most=access.manifest.max_concurrent_requests)
    alike = Counter(outcome.text for outcome in outcomes if isinstance(outcome, Failed))
    return found, tuple(f"{text} (so for {count} of our VMs)" for text, count in alike.items())


def _known(
    access: VmAccess, node: str, owner: Whose, *, entry: Entry | None, vms: Mapping[str, Vm | None], count: int
) -> KnownVm:
    vm = vms.get(node)
    pool = access.manifest.pool_of(node)
    return KnownVm(
        node=node,
        whose=owner,
        pool=pool.name if pool is not None else entry.pool if entry is not None else "",
        state=_state(entry, vm, looked=node in vms, listed=count > 0),
        phase=entry.phase if entry is not None else None,
        count=count,
        address=vm.address if vm is not None else None,
        controller=vm.controller if vm is not None else None,
        controller_address=vm.controller_address if vm is not None else None,
        asked=entry.asked if entry is not None and owner == "ours" else None,
    )


def _state(entry: Entry | None, vm: Vm | None, *, looked: bool, listed: bool) -> State:
    if not looked:
        return "unknown"
    if vm is None:
        return "listed" if listed else "missing"
    if entry is not None and entry.phase == "deleting":
        return "deleting"
    return "booting" if vm.address is None else "up"


def _order(vm: KnownVm) -> tuple[str, int, str]:
    number = vm.node.rpartition("-")[2]
    return (vm.pool, int(number) if number.isdecimal() and len(number) < 10 else 0, vm.node)
