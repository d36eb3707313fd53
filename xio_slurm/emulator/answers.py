"""An answer of the EMS before it goes on the wire, and the four bodies that an error can have."""

import html
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from xio_slurm.emulator.settings import ErrorBody


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and body. 102 is a final answer here, and has no body."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """The EMS says no: raised by what finds it out, made into an Answer in one place."""

    def __init__(self, status: int, text: str) -> None:
        self.status = status
        self.text = text
        super().__init__(text)


def answer(document: Any) -> Answer:
    """200 with a JSON document."""
    return Answer(200, json.dumps(document).encode())


def error_answer(status: int, text: str, body: ErrorBody, headers: Mapping[str, str] | None = None) -> Answer:
    """An error as the EMS, or a proxy before it, would tell it."""
    headers = headers or {}
    if body == "json":
        return Answer(status, json.dumps({"Error": text}).encode(), headers=headers)
    if body == "text":
        return Answer(status, text.encode(), "text/plain", headers)
    if body == "html":
        return Answer(status, _proxy_page(status, text).encode(), "text/html", headers)
    return Answer(status, headers=headers)


def _proxy_page(status: int, text: str) -> str:
    shown = f"{status} {html.escape(text)}"
    head = f"<html>\r\n<head><title>{shown}</title></head>\r\n"
    return f"{head}<body>\r\n<center><h1>{shown}</h1></center>\r\n<hr><center>proxy</center>\r\n</body>\r\n</html>\r\n"
