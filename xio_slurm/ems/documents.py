"""The EMS's documents that have a name: profiles, environments and images.

They are open: fields drift between EMS versions, so a document is the JSON object that came, and whoever changes one
keeps what it doesn't know. Source of the endpoints: what public clients of a live EMS send and read.
"""

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from xio_slurm.deadline import Deadline
from xio_slurm.ems.answers import document, refusal
from xio_slurm.ems.transport import Answer, Transport
from xio_slurm.errors import EmsRefused, EmsUnreadable
from xio_slurm.plain_text import one_line, shortened

Document = dict[str, Any]

_LENGTH: Final = 200
_NOT_AN_EMS: Final = frozenset({301, 302, 303, 307, 308, 404})
"""What other web servers say to the path of a list."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of document: its word for messages, its path, and the keys of its name and of a list of it."""

    word: str
    path: str
    name_key: str
    list_key: str


PROFILES: Final = Kind("profile", "/v1/profile", "ProfileName", "Profiles")
ENVIRONMENTS: Final = Kind("environment", "/v1/env", "EnvName", "Environments")
IMAGES: Final = Kind("image", "/v1/image", "ImageName", "Images")


class Documents:
    """The documents of one kind on one EMS. Every method raises EmsError: unreachable, refused or unreadable."""

    def __init__(self, transport: Transport, kind: Kind) -> None:
        self._transport = transport
        self._kind = kind

    def all(self, deadline: Deadline) -> tuple[Document, ...]:
        """Every document of the kind, other clusters' too, in the EMS's order; without those that have no name."""
        kind = self._kind
        what = f"list the {kind.word}s"
        answer = self._transport.request("GET", f"{kind.path}s", deadline)
        if kind is PROFILES:  # an EMS has one from its beginning
            self._check_is_ems(answer)
        if answer.status == 404:
            return ()
        told = document(answer, what)
        # An EMS that has none may say so by null, as Go writes an empty list, or leave the key out.
        listed = told.get(kind.list_key, None if not told else "missing")
        if listed is None:
            return ()
        if not isinstance(listed, list) or (listed and not any(self._can_have_name(each) for each in listed)):
            raise EmsUnreadable(f"{what}: the EMS answered 200 with a list that holds no {kind.name_key}s")
        return tuple(each for each in listed if self._has_name(each))

    def get(self, name: str, deadline: Deadline) -> Document | None:
        """The document of that name, or None where there is none."""
        what = f"look up {self._kind.word} {shortened(one_line(name), _LENGTH)}"
        answer = self._transport.request("GET", self._path(name), deadline)
        if answer.status == 404:
            return None
        found = document(answer, what)
        if not self._has_name(found):
            raise EmsUnreadable(f"{what}: the EMS answered 200 without {self._kind.name_key}")
        return found

    def create(self, new: Document, deadline: Deadline) -> None:
        """Make a document; it bears no Id. Never sent twice: after a lost answer, ``get`` tells the truth."""
        self._send("POST", new, deadline)

    def update(self, changed: Document, deadline: Deadline) -> None:
        """Replace the document with the same Id."""
        self._send("PUT", changed, deadline)

    def delete(self, name: str, deadline: Deadline) -> None:
        """Delete a document; one that isn't there is fine."""
        answer = self._transport.request("DELETE", self._path(name), deadline)
        if answer.status not in {200, 404}:
            raise refusal(answer, f"delete {self._kind.word} {name}")

    def _check_is_ems(self, answer: Answer) -> None:
        if answer.status in _NOT_AN_EMS or (answer.status == 200 and answer.body.lstrip().startswith(b"<")):
            url, status = self._transport.url, answer.status
            raise EmsRefused(
                f"{url} answers, but not as an EMS does ({status}): check ManagementServerIp or EmsUrl", status=status
            )

    def _send(self, method: str, body: Document, deadline: Deadline) -> None:
        answer = self._transport.request(method, self._kind.path, deadline, body)
        if answer.status != 200:
            verb = "create" if method == "POST" else "update"
            raise refusal(answer, f"{verb} {self._kind.word} {body.get(self._kind.name_key)}")

    def _can_have_name(self, found: Any) -> bool:
        return isinstance(found, dict) and self._kind.name_key in found

    def _has_name(self, found: Any) -> bool:
        name = found.get(self._kind.name_key) if isinstance(found, dict) else None
        return isinstance(name, str) and name != ""

    def _path(self, name: str) -> str:
        # A name out of a list can hold half a surrogate pair, which no URL can.
        return f"{self._kind.path}/{quote(name, safe='', errors='replace')}"
