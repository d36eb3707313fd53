"""Parse jobs: with one the EMS makes an image from an AMI."""

import re
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import quote

from xio_slurm.deadline import Deadline
from xio_slurm.ems.answers import job_id, refusal, said, words
from xio_slurm.ems.transport import Transport

IMAGE_EXISTS: Final = 201
NOT_AUTHORIZED: Final = 202
HAS_PRODUCT_CODES: Final = 203

_CODE: Final = re.compile(r"=\s*([0-9]{1,9})\s*\Z")


@dataclass(frozen=True, slots=True)
class NewImage:
    """What to make. ``user_data`` is a script in base64; ``user`` and ``key`` (PEM) are for logging in to the AMI."""

    name: str
    ami: str
    description: str = ""
    user_data: str = ""
    user: str = ""
    key: str = field(default="", repr=False)

    def to_document(self) -> dict[str, Any]:
        """The body of the request, with every key, as the EMS's own script sends it."""
        return {
            "Description": self.description,
            "ImageId": self.ami,
            "ImageName": self.name,
            "UserData": self.user_data,
            "User": self.user,
            "UserKeyPem": self.key,
        }


@dataclass(frozen=True, slots=True)
class ParseState:
    """How far a parse job is. ``code`` is the EMS's error code of a failed one, where it says one."""

    state: Literal["running", "done", "failed", "unknown"]
    code: int | None = None
    said: str = ""


def error_code(text: str) -> int | None:
    """The code at the end of the EMS's text of a failed parse."""
    code = _CODE.search(text)
    return int(code[1]) if code else None


class ParseJobs:
    """The parse endpoints of one EMS. Every method raises EmsError: unreachable, refused or unreadable."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def start(self, image: NewImage, deadline: Deadline) -> str:
        """Begin to make an image; the job's id. Never sent twice."""
        what = f"create image {image.name}"
        answer = self._transport.request("POST", "/v1/xcompute/parse", deadline, image.to_document())
        return job_id(answer, what)

    def look(self, job: str, deadline: Deadline) -> ParseState:
        """How far a job is: 200 done, 102 running, 404 unknown, 400 failed with ``…=<code>`` at the end."""
        answer = self._transport.request("GET", f"/v1/xcompute/parse/{quote(job, safe='')}", deadline)
        match answer.status:
            case 200:
                return ParseState("done")
            case 102:
                return ParseState("running")
            case 404:
                return ParseState("unknown", said=said(answer))
            case 400:
                return ParseState("failed", error_code(words(answer)), said(answer))
        raise refusal(answer, f"look up parse job {job}")
