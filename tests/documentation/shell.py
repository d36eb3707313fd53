"""A shell in which somebody types the commands of a page, one after the other."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pexpect

from tests.documentation.blocks import Command

_SECONDS: Final = 300.0
_STAYS_SECONDS: Final = 15.0
_CURL: Final = 'curl() { command curl --fail --no-progress-meter "$@"; }'
"""An answer that refuses is a failure here, as readers take it."""
_STOP: Final = "trap 'xio_code=$?; trap - ERR; return $xio_code' ERR"
"""The first line of a block that fails ends it; ``set -e`` would end the shell."""


class CommandError(Exception):
    """What was wrong with a command, in lines."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, and what it printed, on both of its outputs."""

    code: int
    printed: str


@dataclass(frozen=True, slots=True)
class _Running:
    process: subprocess.Popen[bytes]
    output: Path


class Shell:
    """One bash for a page: variables and background jobs are there for the commands that follow.

    A command that only Ctrl-C ends runs in a terminal of its own, until ``ctrl_c``.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = dict(environment)
        self._count = 0
        self._staying: dict[str, _Running] = {}
        self._bash = subprocess.Popen(
            ("/bin/bash",), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        )

    def run(self, command: Command) -> Ended:
        """Run it to its end. Raises CommandError if it doesn't end."""
        script, output = self._files(f"{_STOP}\n{command.text}")
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        self._bash.stdin.write(f'{{ . {script}; }} </dev/null >{output} 2>&1; echo "$?"; trap - ERR\n'.encode())
        self._bash.stdin.flush()
        if not select.select((self._bash.stdout,), (), (), _SECONDS)[0]:
            raise CommandError(f"doesn't end within {_SECONDS:g} s; so far: {output.read_text()}")
        code = self._bash.stdout.readline()
        if not code:
            raise CommandError(f"ends the shell; it printed: {output.read_text()}")
        return Ended(int(code), output.read_text(errors="replace"))

    def run_at_a_terminal(self, command: Command, answer: str) -> Ended:
        """Run a command that asks, and give it that answer."""
        script, _ = self._files(command.text)
        ended = pexpect.run(
            f"/bin/bash {script}",
            timeout=_SECONDS,
            withexitstatus=True,
            events={r"\[y/N\]:": f"{answer}\n"},
            env=self._environment,
            encoding="utf-8",
        )
        assert isinstance(ended, tuple)
        printed, code = ended
        return Ended(code, printed.replace("\r\n", "\n"))

    def run_on(self, command: Command, enough: Callable[[str], bool]) -> str:
        """Start it, and leave it running; what it has printed as soon as that is enough, or after a while."""
        script, output = self._files(command.text)
        with output.open("wb") as file:
            process = subprocess.Popen(
                ("/bin/bash", script),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                env=self._environment,
                start_new_session=True,
            )
        self._staying[command.text] = _Running(process, output)
        deadline = time.monotonic() + _STAYS_SECONDS
        while not enough(output.read_text()) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        if process.poll() is not None:
            raise CommandError(f"ended with {process.returncode}, before Ctrl-C: {output.read_text()}")
        return output.read_text()

    def ctrl_c(self, text: str) -> None:
        """End a command that stays, as Ctrl-C does. Raises CommandError if it doesn't end."""
        running = self._staying.pop(text)
        os.killpg(running.process.pid, signal.SIGINT)
        try:
            running.process.wait(_STAYS_SECONDS)
        except subprocess.TimeoutExpired:
            raise CommandError(f"Ctrl-C doesn't end '{text}'") from None

    def close(self) -> None:
        """Ctrl-C for all that stays, and the end of the shell."""
        for text in tuple(self._staying):
            self.ctrl_c(text)
        self._bash.kill()
        self._bash.communicate()

    def _files(self, text: str) -> tuple[Path, Path]:
        self._count += 1
        script = self._folder / f"{self._count}.sh"
        script.write_text(f"{_CURL}\n{text}\n")
        return script, self._folder / f"{self._count}.out"
