"""Proves node definitions in a throw-away slurmctld, before anything is replaced.

No Slurm has a test mode for its configuration, and a slurmctld that meets a duplicate or a bad partition ends itself.
So a copy of slurm.conf with the new definitions is given to a slurmctld of its own: own port, own state folder, run by
whoever asks. It is ended as soon as it says that it took them; it answers nobody and calls nothing meanwhile.

It starts from an empty state, so it can't see what a *reconfigure* of the running slurmctld would do: ``advice``
tells that.
"""

import getpass
import os
import re
import selectors
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from xio_slurm.deploy.trial_conf import Place, TrialConf, trial_conf
from xio_slurm.errors import DeployError
from xio_slurm.slurm.command import daemon
from xio_slurm.slurm.conf import SlurmConf

TIMEOUT: Final = 5.0
"""Seconds that slurmctld may take; with 6,000 nodes it took less than one."""

_TOOK_THEM: Final = "Running as primary controller"
"""What every slurmctld since 21.08 logs once it has read and built everything (controller.c)."""

_PREFIX = re.compile(r"^(?:\[[^]]*\]\s*)?(?:slurmctld: )?")
"""What begins a line of a slurmctld in the foreground: its name, or, from 25.11 on, the time."""
_IN_FILE = re.compile(r"file (?P<file>\S+) line (?P<line>\d+)")
_MAX_LOG: Final = 1024 * 1024
_NOT_OURS: Final = ("slurm.conf", "slurmdbd.conf")


@dataclass(frozen=True, slots=True)
class Verdict:
    """slurmctld took the definitions. ``warnings``: its errors about our nodes and partitions, one line each."""

    warnings: tuple[str, ...]


def verify(ours: SlurmConf, conf: SlurmConf | None, bin_dir: str, *, timeout: float = TIMEOUT) -> Verdict:
    """Try the new node definitions ``ours`` together with the cluster's slurm.conf.

    Raises DeployError in one line: with slurmctld's own words where it refuses them, or why it couldn't be asked.
    """
    program = daemon(bin_dir, "slurmctld")
    if program is None:
        raise DeployError("--verify needs slurmctld on this machine: install it, or set SlurmBinDir")
    for missing in conf.missing if conf is not None else ():
        raise DeployError(f"{missing.line}: includes {missing.path}, which doesn't exist: slurmctld won't start")
    try:
        with tempfile.TemporaryDirectory(prefix="xio-verify-") as name:
            folder = Path(name)
            text = trial_conf(conf, ours, _place(folder))
            _fill(folder, text, conf)
            log, took_them = _run(program, folder, timeout)
    except OSError as error:
        raise DeployError(f"the throw-away slurmctld can't be run: {error}") from error
    said = _told(log, text)
    if took_them is None:
        raise DeployError(f"slurmctld took longer than {timeout:g} s over the new node definitions: not verified")
    if not took_them:
        raise DeployError(f"slurmctld refuses the new node definitions: {_refusal(said)}")
    return Verdict(tuple(dict.fromkeys(line for line in said if _is_ours(line, ours))))


def _place(folder: Path) -> Place:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return Place(folder, socket.gethostname().split(".")[0], getpass.getuser(), port)


def _fill(folder: Path, text: TrialConf, conf: SlurmConf | None) -> None:
    (folder / "state").mkdir()
    (folder / "slurm.conf").write_text(text.text, encoding="utf-8")
    if conf is None:
        return
    # gres.conf, topology.conf, helpers.conf …: slurmctld looks for them beside slurm.conf.
    for path in Path(conf.path).absolute().parent.glob("*.conf"):
        if path.name not in _NOT_OURS and path.is_file():
            with suppress(FileExistsError):
                (folder / path.name).symlink_to(path)


def _run(program: str, folder: Path, timeout: float) -> tuple[str, bool | None]:
    """slurmctld's log, and whether it took the configuration; None when it didn't say in time."""
    path = folder / "slurm.conf"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SLURM")}
    process = subprocess.Popen(
        (program, "-D", "-c", "-f", str(path)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=folder,
        env={**environment, "SLURM_CONF": str(path), "LC_ALL": "C"},
        process_group=0,
    )
    with _ended(process):
        return _listen(process, time.monotonic() + timeout)


@contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """End it and the helper process that it forks; there is nothing to save, so nothing is asked politely."""
    with process:
        try:
            yield
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _listen(process: subprocess.Popen[bytes], end: float) -> tuple[str, bool | None]:
    assert process.stdout is not None  # noqa: S101  opened with a pipe
    log = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while (left := end - time.monotonic()) > 0 and len(log) < _MAX_LOG:
            if not selector.select(left):
                continue
            piece = os.read(process.stdout.fileno(), 65536)
            log += piece
            if _TOOK_THEM.encode() in log:
                return log.decode(errors="replace"), True
            if not piece:
                return log.decode(errors="replace"), False
    return log.decode(errors="replace"), None


def _told(log: str, text: TrialConf) -> tuple[str, ...]:
    """Its errors and its last word, with our copy's lines told as those of the files that they came from."""

    def original(match: re.Match[str]) -> str:
        line = text.origin(int(match["line"]))
        return f"file {line.file} line {line.number}" if line is not None else match[0]

    lines = (_PREFIX.sub("", line.strip()) for line in log.splitlines())
    return tuple(_IN_FILE.sub(original, line) for line in lines if line.startswith(("error: ", "fatal: ")))


def _refusal(said: tuple[str, ...]) -> str:
    fatal = [line.removeprefix("fatal: ") for line in said if line.startswith("fatal: ")]
    errors = [line.removeprefix("error: ") for line in said if line.startswith("error: ")]
    if not fatal:
        return "; ".join(errors[-3:]) or "it ended without a word"
    if "Unable to process configuration file" in fatal[-1]:  # what is wrong stands in the errors before it
        return "; ".join((*errors[-3:], fatal[-1]))
    return fatal[-1]


def _is_ours(line: str, ours: SlurmConf) -> bool:
    names = [value for key in ("NodeName", "PartitionName") for value, _ in ours.values(key)]
    return any(re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])", line) for name in names)
