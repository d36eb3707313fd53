"""Calls ``xio`` in this process, by its entry point: a process of its own would take most of a run's time."""

import io
import logging
import os
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final
from unittest import mock

from tests.contract.fuzz.skipped_time import skipped_time
from xio_slurm.commands import plan_options
from xio_slurm.commands.main import main
from xio_slurm.config import Loaded, load
from xio_slurm.ems import connection
from xio_slurm.ems.transport import Transport

_HURRY: Final = 0.25
"""Seconds for a connection, and for an answer, of an EMS that keeps silent anyway."""


@dataclass(frozen=True, slots=True)
class Called:
    """How a call ended, and what it wrote where; ``terminal``: both streams were one."""

    arguments: tuple[str, ...]
    terminal: bool
    code: int
    out: str
    err: str


class _Stream(io.TextIOWrapper):
    """As Python opens stdout and stderr in a UTF-8 locale."""

    def __init__(self, *, errors: str, terminal: bool) -> None:
        self._bytes = io.BytesIO()
        self._terminal = terminal
        super().__init__(self._bytes, encoding="utf-8", errors=errors, write_through=True)

    def isatty(self) -> bool:
        return self._terminal

    def text(self) -> str:
        return self._bytes.getvalue().decode()


def call(arguments: tuple[str, ...], temporary: Path, *, terminal: bool = False, hurried: bool = False) -> Called:
    """Call it; ``temporary`` is the folder for temporary files. ``hurried``: with timeouts that are soon over.

    On a good day they are as long as the configuration says, so that a busy machine is no bad day.
    """
    out = _Stream(errors="strict", terminal=terminal)
    err = _Stream(errors="backslashreplace", terminal=terminal)
    logger = logging.getLogger("xio_slurm")
    handlers = [*logger.handlers]
    with ExitStack() as patched:
        nothing = patched.enter_context(open(os.devnull))  # noqa: PTH123
        for name, value in (("argv", ["xio", *arguments]), ("stdin", nothing), ("stdout", out), ("stderr", err)):
            patched.enter_context(mock.patch.object(sys, name, value))
        patched.enter_context(mock.patch.object(tempfile, "tempdir", str(temporary)))
        patched.enter_context(mock.patch.dict(os.environ, {"TERM": "xterm", "SLURM_CONF": "/nowhere/slurm.conf"}))
        patched.enter_context(mock.patch.object(plan_options, "load", _loaded))
        patched.enter_context(skipped_time())
        if hurried:
            patched.enter_context(mock.patch.object(connection, "Transport", _hurried_transport))
        try:
            main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        else:
            code = 0
    for handler in [each for each in logger.handlers if each not in handlers]:
        logger.removeHandler(handler)
    return Called(arguments, terminal, code, out.text(), err.text())


def _loaded(path: Path) -> Loaded:
    return _loaded_once(path, path.read_bytes())


@cache
def _loaded_once(path: Path, _content: bytes) -> Loaded:
    """The configuration, checked once for all runs that have the same: that takes a quarter of a plan."""
    return load(path)


def _hurried_transport(url: str, **options: Any) -> Transport:
    return Transport(url, **{**options, "connect_timeout": _HURRY, "read_timeout": _HURRY})
