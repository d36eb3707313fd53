"""From an answer of the EMS to what it says, or to an error in one line.

The form of an EMS error is not known: JSON with ``Error``, plain text, a proxy's HTML page and nothing at all are
taken alike. Success is 200 and nothing else.
"""

import json
import re
from typing import Any, Final

from xio_slurm.ems.transport import Answer
from xio_slurm.errors import EmsRefused, EmsUnreadable
from xio_slurm.plain_text import one_line

_LENGTH: Final = 200
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)


def document(answer: Answer, what: str) -> dict[str, Any]:
    """The JSON object of a 200. Raises EmsRefused for another status, EmsUnreadable for another body."""
    if answer.status != 200:
        raise refusal(answer, what)
    try:
        parsed = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise EmsUnreadable(f"{what}: the EMS answered 200 with something that is no JSON: {said(answer)}") from error
    if not isinstance(parsed, dict):
        raise EmsUnreadable(f"{what}: the EMS answered 200 with JSON that is no object: {said(answer)}")
    return parsed


def job_id(answer: Answer, what: str) -> str:
    """The JobId of a 200. Raises EmsRefused and EmsUnreadable; also for one that nobody could write down."""
    job = document(answer, what).get("JobId")
    if not isinstance(job, str | int) or not 0 < len(text := str(job)) <= _LENGTH or not text.isprintable():
        raise EmsUnreadable(f"{what}: the EMS answered 200 without a JobId")
    return text


def refusal(answer: Answer, what: str) -> EmsRefused:
    """The error for an answer that is not the hoped-for one."""
    return EmsRefused(f"{what}: EMS {answer.status}: {said(answer)}", status=answer.status)


def said(answer: Answer) -> str:
    """What the body says, as one short printable line."""
    line = words(answer)
    return line[: _LENGTH - 1] + "…" if len(line) > _LENGTH else line


def _of_a_page(text: str) -> str | None:
    title = _TITLE.search(text[:4096])
    if title is None:
        return None
    import html  # noqa: PLC0415  it takes a while, and few answers are pages

    return f"an HTML page, {html.unescape(title[1])!r}"


def words(answer: Answer) -> str:
    """What the body says, as one printable line."""
    text = answer.body[: 64 * 1024].decode("utf-8", errors="replace")
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        told = _of_a_page(text) or text
    else:
        told = str(parsed.get("Error", text)) if isinstance(parsed, dict) else text
    return one_line(told) or "no text"
