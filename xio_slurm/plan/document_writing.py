"""Writes one planned document to the EMS: only the change that was planned, and never twice."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from xio_slurm.deadline import Deadline
from xio_slurm.ems.documents import Document, Documents
from xio_slurm.errors import DeployError, EmsError, EmsRefused
from xio_slurm.plain_text import one_line
from xio_slurm.plan.change import Change, FieldChange, Verb
from xio_slurm.plan.document_difference import same, whole_difference
from xio_slurm.plan.profile_document import without_servers_own

_CLEAR_NO: Final = range(400, 500)


@dataclass(frozen=True, slots=True)
class Writing:
    """A change on its way. ``planned_on`` is the document that the plan saw, None where it saw none; ``name`` is its
    name on the EMS; ``replan`` tells the change that would be planned if another one were there.
    """

    documents: Documents
    name: str
    change: Change
    planned_on: Document | None
    replan: Callable[[Document], Change]

    def fresh(self, deadline: Deadline) -> Document | None:
        """The document to send: the planned edit of what is there now. None for a change that sends none.

        What others have changed beside it is kept so. Raises DeployError where the edit would be another, and EmsError.
        """
        found = self.documents.get(self.name, deadline)
        if found is None or self.planned_on is None:
            if found is not self.planned_on:
                raise self._meddled("is gone" if found is None else "was made")
            return self.change.document
        if _is_same(found, self.planned_on):
            return self.change.document
        try:
            now = self.replan(found)
            is_planned = not now.refusals and _edit(found, now) == _edit(self.planned_on, self.change)
        except RecursionError:
            is_planned = False  # deeper than whatever we planned on
        if not is_planned:
            raise self._meddled("was changed")
        return now.document

    def write(self, deadline: Deadline) -> tuple[str, ...]:
        """Create or update the document; what should be known of it then. Raises DeployError and EmsError.

        After an answer that is neither a yes nor a clear no, a look tells what became of the request: it isn't sent
        again.
        """
        sent = self.fresh(deadline)
        if sent is None:
            raise DeployError(f"{self.change.kind} {self.change.name}: there is nothing to send")
        try:
            if self.change.verb is Verb.CREATE:
                self.documents.create(sent, deadline)
            else:
                self.documents.update(sent, deadline)
        except EmsError as error:
            if isinstance(error, EmsRefused) and error.status in _CLEAR_NO:
                raise
            self._resolve(sent, error, deadline)
        return self._kept_otherwise(deadline)

    def _resolve(self, sent: Document, error: EmsError, deadline: Deadline) -> None:
        """Return if it was done after all."""
        try:
            found = self.documents.get(self.name, deadline)
        except EmsError:
            raise DeployError(f"{error}: it isn't known whether it was done: plan again") from error
        if found is not None and (_is_same({key: found.get(key) for key in sent}, sent) or self._left(found) == ()):
            return
        if found is self.planned_on or _is_same(found, self.planned_on):
            raise DeployError(f"{error}: it wasn't done; run this again") from error
        raise DeployError(f"{error}: it isn't known whether it was done: plan again") from error

    def _kept_otherwise(self, deadline: Deadline) -> tuple[str, ...]:
        try:
            found = self.documents.get(self.name, deadline)
        except EmsError:
            return ()  # it was written; the next plan looks at it anyway
        if found is None:
            return (f"the EMS took {self.change.kind} {self.change.name} and tells none of that name: plan again",)
        return tuple(
            f"the EMS keeps {self.change.kind} {self.change.name}'s {one_line(each.path)} as"
            f" {each.old or 'nothing'}: every plan will show it"
            for each in self._left(found) or ()
        )

    def _left(self, found: Document) -> tuple[FieldChange, ...] | None:
        """What a plan would still change of this one; None where that can't be said."""
        try:
            return self.replan(found).fields
        except RecursionError:
            return None

    def _meddled(self, what: str) -> DeployError:
        change = self.change
        return DeployError(f"{change.kind} {change.name}: {what} by somebody else since the plan was made: plan again")


def _edit(old: Document, change: Change) -> tuple[FieldChange, ...]:
    if change.document is None:
        return change.fields
    return whole_difference(without_servers_own(old), without_servers_own(change.document))


def _is_same(one: Document | None, other: Document | None) -> bool:
    if one is None or other is None:
        return one is other
    try:
        return same(without_servers_own(one), without_servers_own(other))
    except RecursionError:
        return False
