"""Writes one planned document to the EMS: only onto what the plan was made of, and never twice."""

from typing import Final

from xio_slurm.deadline import Deadline
from xio_slurm.ems.documents import Document, Documents
from xio_slurm.errors import DeployError, EmsError, EmsRefused
from xio_slurm.plan.change import Change, Verb
from xio_slurm.plan.document_difference import same
from xio_slurm.plan.profile_document import without_servers_own

_CLEAR_NO: Final = range(400, 500)


def check_unchanged(documents: Documents, change: Change, planned_on: Document | None, deadline: Deadline) -> None:
    """Raise DeployError if the document isn't the one any more that the plan was made of. Raises EmsError."""
    found = documents.get(change.name, deadline)
    if _is_same(found, planned_on):
        return
    what = "is gone" if found is None else "was changed" if planned_on is not None else "was made"
    raise DeployError(f"{change.kind} {change.name}: {what} by somebody else since the plan was made: plan again")


def write(documents: Documents, change: Change, planned_on: Document | None, deadline: Deadline) -> None:
    """Create or update the document. Raises DeployError and EmsError.

    After an answer that is neither a yes nor a clear no, a look tells what became of the request: it isn't sent again.
    """
    sent = change.document
    if sent is None:
        raise DeployError(f"{change.kind} {change.name}: there is nothing to send")
    check_unchanged(documents, change, planned_on, deadline)
    try:
        if change.verb is Verb.CREATE:
            documents.create(sent, deadline)
        else:
            documents.update(sent, deadline)
    except EmsError as error:
        if isinstance(error, EmsRefused) and error.status in _CLEAR_NO:
            raise
        _resolve(documents, change, sent, error, deadline)


def _resolve(documents: Documents, change: Change, sent: Document, error: EmsError, deadline: Deadline) -> None:
    try:
        found = documents.get(change.name, deadline)
    except EmsError:
        raise DeployError(f"{error}: whether it was done isn't known, plan again to see") from error
    if found is None or not _is_same({key: found.get(key) for key in sent}, sent):
        raise DeployError(f"{error}: it wasn't done; run this again") from error


def _is_same(found: Document | None, planned_on: Document | None) -> bool:
    if found is None or planned_on is None:
        return found is planned_on
    try:
        return same(without_servers_own(found), without_servers_own(planned_on))
    except RecursionError:
        return False  # deeper than whatever we planned on or sent
