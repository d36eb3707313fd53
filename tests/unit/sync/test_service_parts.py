"""The service's small parts: systemd's datagrams, signals, and what is told once."""

import os
import signal
import socket
import time
from pathlib import Path

import pytest

from xio_slurm.power.sync.notices import Notices, Problem
from xio_slurm.power.sync.notify import notify
from xio_slurm.power.sync.stop import stoppable

UNIT = Path(__file__).resolve().parents[3] / "etc" / "xio-sync.service"


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_systemd_gets_one_datagram(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = str(tmp_path / "notify") if kind == "path" else f"@xio-test-{os.getpid()}-{time.time_ns()}"
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(address.replace("@", "\0"))
        systemd.settimeout(5)
        notify("READY=1", "STATUS=well")
        assert systemd.recv(100) == b"READY=1\nSTATUS=well"


@pytest.mark.parametrize("address", ["", "none", "/none/there", "vsock:2:1"])
def test_without_systemd_nothing_happens(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    notify("READY=1")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_wakes_who_waits_and_raises_nothing(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with stoppable() as stop:
        assert not stop.asked()
        began = time.monotonic()
        stop.wait(0.05)
        assert time.monotonic() - began >= 0.05
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), number)
        stop.wait(30)
        assert stop.asked()
    assert time.monotonic() - began < 10
    assert signal.getsignal(number) is before


def test_a_problem_is_told_when_it_begins_and_when_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "xio_slurm")
    notices = Notices()
    away = Problem("ems", "no answer after 3.1 s", "it answers again")
    notices.tell([away])
    notices.tell([Problem("ems", "no answer after 3.2 s", "it answers again"), Problem("entry", "damaged")])
    notices.tell([], saw_all=False)
    assert [record.message for record in caplog.records] == ["no answer after 3.1 s", "damaged"]
    notices.tell([])
    notices.tell([away])
    assert [record.message for record in caplog.records][2:] == ["it answers again", "no answer after 3.1 s"]


def test_the_unit_is_hardened_and_names_what_the_service_does() -> None:
    lines = UNIT.read_text().splitlines()
    for line in ("Type=notify", "User=slurm", "ProtectSystem=strict", "NoNewPrivileges=yes", "PrivateTmp=yes"):
        assert line in lines
    assert "Restart=on-failure" in lines
    settings = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    assert settings["ReadWritePaths"].split() == ["/var/lib/xio", "/var/log/xio"]
    assert int(settings["WatchdogSec"]) > 200
    assert settings["ExecStart"].split()[1] == "sync"
