"""Whether a command printed what its page shows."""

import re
from typing import Final

_VARIES: Final = (
    (re.compile(r"\b\d{4}-\d\d-\d\d(T|\b)"), "DATE "),
    (re.compile(r"\b\d\d?:\d\d(:\d\d)?\b"), "TIME"),
    (re.compile(r"\b\d+(\.\d+)? s\b"), "SECONDS s"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:PORT"),
    (re.compile(r"\bpid \d+"), "pid PID"),
    (re.compile(r"\b([Jj]ob|JobId=|allocation) ?\d+"), r"\1 JOB"),
    (re.compile(r"/xio-lab-\d+"), "/xio-lab-UID"),
    (re.compile(r"\bSlurm \d\d\.\d\d\.\d+"), "Slurm VERSION"),
    (re.compile(r" +"), " "),
)
"""What differs from run to run and is no promise: times, ports, numbers, the Slurm of the machine, columns' widths."""

_ANYTHING: Final = "…"


def differs(shown: str, printed: str) -> str | None:
    """The first line of ``shown`` that ``printed`` hasn't, None if it is as shown.

    ``…`` stands for any text of a line; alone on a line, for any lines.
    """
    wanted = [_plain(line) for line in shown.splitlines()]
    for count in range(len(wanted), 0, -1):
        if re.match(_pattern(wanted[:count]), _joined(printed)):
            break
    else:
        count = 0
    if count < len(wanted):
        return shown.splitlines()[count]
    return None if re.fullmatch(_pattern(wanted), _joined(printed)) else "(nothing more)"


def _joined(printed: str) -> str:
    return "".join(f"{_plain(line)}\n" for line in printed.rstrip().splitlines())


def _plain(line: str) -> str:
    line = line.rstrip()
    for pattern, word in _VARIES:
        line = pattern.sub(word, line)
    return line


def _pattern(lines: list[str]) -> str:
    return "".join(
        r"(?:.*\n)*" if line.strip() == _ANYTHING else ".*".join(map(re.escape, line.split(_ANYTHING))) + r"\n"
        for line in lines
    )
