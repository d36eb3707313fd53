"""The log's lines in syslog, received by a socket as the daemon's is; and what stops nobody."""

import logging
import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from xio_slurm.power.log_file import LogFile
from xio_slurm.power.system_log import SystemLog

STAMP = r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d"


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[socket.socket]:
    """Where the daemon listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(str(tmp_path / "log"))
        end.settimeout(5)
        yield end


def log_to(handler: logging.Handler) -> logging.Logger:
    """A log with that handler alone."""
    log = logging.Logger("test")
    log.addHandler(handler)
    return log


@pytest.mark.parametrize(
    ("level", "priority"),
    [(logging.DEBUG, 31), (logging.INFO, 30), (logging.WARNING, 28), (logging.ERROR, 27), (50, 26)],
)
def test_a_line_bears_its_severity_its_program_and_its_process(
    daemon: socket.socket, tmp_path: Path, level: int, priority: int
) -> None:
    log_to(SystemLog("xio-resume", tmp_path / "log")).log(level, "%s: refused:\n none\tleft", "n-1")
    expected = rf"<{priority}>{STAMP} xio-resume\[{os.getpid()}\]: n-1: refused: none left"
    received = daemon.recv(10_000).decode()
    assert re.fullmatch(expected, received), received


def test_a_daemon_that_comes_later_gets_what_follows(tmp_path: Path) -> None:
    log = log_to(SystemLog("xio-sync", tmp_path / "log"))
    log.info("one")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(str(tmp_path / "log"))
        log.info("two")
        assert end.recv(10_000).endswith(b": two")
    log.info("three")


@pytest.mark.timeout(30)
def test_a_daemon_that_reads_nothing_stops_nobody(daemon: socket.socket, tmp_path: Path) -> None:
    log = log_to(SystemLog("xio-resume", tmp_path / "log"))
    for number in range(2_000):
        log.info("line %d of many", number)
    assert daemon.recv(10_000).endswith(b"line 0 of many")


def test_a_line_without_end_is_cut_off(daemon: socket.socket, tmp_path: Path) -> None:
    log_to(SystemLog("xio-resume", tmp_path / "log")).info("%s", "\udcffx" * 100_000)
    assert len(daemon.recv(100_000)) == 8_000


@pytest.mark.timeout(30)
def test_a_pipe_in_the_log_files_place_stops_nobody(tmp_path: Path) -> None:
    file = LogFile(tmp_path / "xio.log")
    log = log_to(file)
    log.info("one")
    (tmp_path / "xio.log").rename(tmp_path / "xio.log.1")
    os.mkfifo(tmp_path / "xio.log")
    log.info("lost")
    (tmp_path / "xio.log").unlink()
    log.info("two")
    file.close()
    assert (tmp_path / "xio.log").read_text() == "two\n"
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match=r"No such device|isn't a plain file"):
        LogFile(tmp_path / "pipe")
