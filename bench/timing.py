"""Times commands, each in a process of its own, as whoever uses them calls them."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

Say = Callable[[str], None]
"""Told how a measurement goes, a line each."""

TREE: Final = Path(__file__).resolve().parents[1]
BIN: Final = TREE / "bin"
_SPAWNED: Final = Path(__file__).parent / "spawned.py"
_LONGEST: Final = 300


class BenchError(Exception):
    """A measurement can't be made; one line that says why."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command took: wall-clock seconds, and the most MiB that it or a process of its held."""

    seconds: float
    mebibytes: float


def timed(
    *command: str | Path, environment: Mapping[str, str] | None = None, input_file: Path | None = None, code: int = 0
) -> Ran:
    """Run a command in ``/`` and with hardly an environment, as slurmctld does.

    Raises BenchError where its exit code isn't ``code``: a figure of something that failed says nothing.
    """
    words = [str(word) for word in command]
    with (input_file or Path("/dev/null")).open("rb") as stdin:
        spawned = subprocess.Popen(
            [sys.executable, "-I", "-S", _SPAWNED, str(_LONGEST), *words],
            env=dict(environment or {}),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd="/",
            text=True,
        )
    with spawned:
        try:
            out, err = spawned.communicate()
        except BaseException:
            spawned.terminate()  # and so the command
            raise
    if spawned.returncode != 0 or not out:
        raise BenchError(f"{_shown(words)}: can't be run: {_last_line(err)}")
    told = json.loads(out)
    if told["exit_code"] != code:
        raise BenchError(f"{_shown(words)}: exit code {told['exit_code']}: {_last_line(err)}")
    return Ran(told["seconds"], told["mebibytes"])


def _shown(words: Sequence[str]) -> str:
    text = " ".join((Path(words[0]).name, *words[1:]))
    return text if len(text) < 80 else f"{text[:79]}…"


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[-1]
