"""What the emulator knows and remembers, as frozen records. Times are seconds since the epoch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

EventKind = Literal["vm-asked", "vm-up", "script-ended", "delete-asked", "vm-gone"]


@dataclass(frozen=True, slots=True)
class Vm:
    """One VM that was asked for. Two of them can have one name: ``serial`` tells them apart.

    ``request`` is the body of the POST without its user data; ``user_data`` is base64, as it came.
    ``up_due`` is None for a VM that never boots. ``pid`` and ``exit_code`` are those of its user data, where that
    is run; a negative exit code is the signal that ended it, and ``log`` the file of its output.
    """

    serial: int
    node: str
    pool: str
    profile: str
    job_id: str
    request: Mapping[str, Any]
    user_data: str
    created: float
    up_due: float | None
    delete_seconds: float | None = None
    """Instead of the setting of that name; None: the setting's."""
    script_fails: int | None = None
    """The code with which its user data ends at once, instead of being run."""
    address: str | None = None
    up: float | None = None
    delete_asked: float | None = None
    gone: float | None = None
    pid: int | None = None
    exit_code: int | None = None
    log: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a VM."""

    time: float
    event: EventKind
    node: str
    serial: int


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request to the EMS's API and how it was answered.

    ``status`` is 0 where no answer was sent. ``faults`` holds the ids of the faults that applied.
    """

    time: float
    method: str
    path: str
    node: str | None
    status: int
    seconds: float
    faults: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ParseJob:
    """A job that makes an image from an AMI. ``code`` 0 makes it, any other is the error it ends with."""

    job_id: str
    image: Mapping[str, Any]
    due: float
    code: int
    ended: bool = False
