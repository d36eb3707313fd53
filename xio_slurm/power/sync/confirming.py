"""Two looks before what can't be taken back: pure, by a clock that nobody sets."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from xio_slurm.power.decisions import VmAction
from xio_slurm.power.sync.proposals import Proposal

_Key = tuple[str, bool]
"""A node, and whether it is about its VM."""


@dataclass(frozen=True, slots=True)
class Looks:
    """What the looks so far have said, each with the moment (monotonic, in seconds) since which it is so."""

    since: Mapping[_Key, tuple[float, Proposal]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Confirmed:
    """After a look: what is to be done now, what waits for a second look, and which of those are new.

    ``ripe_at``: from which moment on the first of those is confirmed by another look; None where there is none.
    """

    looks: Looks
    ripe: tuple[Proposal, ...]
    waiting: tuple[Proposal, ...]
    new: tuple[Proposal, ...]
    ripe_at: float | None


def confirm(looks: Looks, proposals: Iterable[Proposal], moment: float, *, grace: float, saw_all: bool) -> Confirmed:
    """Take another look's proposals in. ``grace``: seconds between two looks that confirm each other.

    A look that didn't see everything (the EMS gave no list) says nothing against what others have said.
    """
    since: dict[_Key, tuple[float, Proposal]] = {}
    ripe: list[Proposal] = []
    waiting: list[Proposal] = []
    new: list[Proposal] = []
    for proposal in proposals:
        if not proposal.needs_two_looks:
            ripe.append(proposal)
            continue
        key = _key(proposal)
        first = looks.since.get(key)
        if first is None or not first[1].same(proposal):
            new.append(proposal)
            first = (moment, proposal)
        since[key] = (first[0], proposal)
        (ripe if moment - first[0] >= grace else waiting).append(proposal)
    if not saw_all:
        since = {**looks.since, **since}
    moments = [since[_key(proposal)][0] + grace for proposal in waiting]
    return Confirmed(Looks(since), tuple(ripe), tuple(waiting), tuple(new), min(moments, default=None))


def until_next_look(left: float, interval: float, ripe_in: float | None) -> float:
    """Seconds until the next look, which comes when it confirms something, if that is near.

    ``left``: until it would come by itself. It comes a quarter of the interval later at most, since a look too early
    would cost a whole one; and never within a quarter of the one before, whatever there is to confirm.
    """
    if ripe_in is None or ripe_in > left + interval / 4:
        return max(0.0, left)
    return max(0.0, ripe_in, left - interval * 3 / 4)


def _key(proposal: Proposal) -> _Key:
    return proposal.node, isinstance(proposal.action, VmAction)
