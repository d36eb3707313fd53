"""The service: passes until it is asked to end. Nothing that goes wrong in a pass ends it."""

import logging
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from xio_slurm.bug_report import write_bug_report
from xio_slurm.errors import LedgerError, ManifestError
from xio_slurm.manifest import Manifest
from xio_slurm.power.log_file import LogFile
from xio_slurm.power.manifest_writers import manifest_warnings
from xio_slurm.power.program import LOG_FILE
from xio_slurm.power.state_owner import become_owner
from xio_slurm.power.sync.acting import PROGRAM
from xio_slurm.power.sync.confirming import until_next_look
from xio_slurm.power.sync.leader import Leader, who_leads
from xio_slurm.power.sync.notices import Notices, Problem
from xio_slurm.power.sync.notify import notify
from xio_slurm.power.sync.one_pass import Passed, Passes
from xio_slurm.power.sync.stop import Stop, stoppable
from xio_slurm.power.system_log import SystemLog

log = logging.getLogger("xio_slurm")

_SIGN_OF_LIFE: Final = 5.0
"""Seconds between two words to systemd's watchdog while nothing else is to be done."""

_WITHOUT_MANIFEST: Final = 5.0
_STANDING_BY: Final = 1.0
_SECOND_LOOK: Final = 0.1


AfterPass = Callable[[Manifest, Passed], None]


def serve(manifest_path: str, after_pass: AfterPass = lambda _manifest, _passed: None) -> None:
    """Run until SIGTERM or SIGINT. ``after_pass`` is called after each pass; what goes wrong in it is told."""
    with stoppable() as stop:
        _Service(manifest_path, stop, after_pass).run()
    log.info("ended")
    notify("STOPPING=1")


def once(manifest_path: str) -> tuple[str, ...]:
    """One pass, and a second look where something must be confirmed. The problems, one line each.

    Raises ManifestError and LedgerError where nothing could be done.
    """
    manifest = Manifest.read(manifest_path)
    become_owner(manifest.state_dir)
    log_to(manifest)
    leader = Leader()
    if not leader.leads(manifest.state_dir):
        problem = f"xio sync is at work already ({who_leads(manifest.state_dir)}): it sees to this"
        log.error("%s", problem)
        return (problem,)
    with stoppable() as stop:
        passes = Passes(manifest, Notices(), stop.asked, stays=False)
        passed = passes.run()
        if passed.waiting and not stop.asked():
            log.info("a second look in %g s confirms the first", manifest.recovery.grace)
            stop.wait(manifest.recovery.grace + _SECOND_LOOK)
            if not stop.asked():
                passed = passes.run()
    leader.resign()
    return passed.problems


class _Service:
    def __init__(self, manifest_path: str, stop: Stop, after_pass: AfterPass) -> None:
        self._path = manifest_path
        self._stop = stop
        self._after_pass = after_pass
        self._notices = Notices()  # of passes
        self._own = Notices()  # of what keeps us from one
        self._leader = Leader()
        self._manifest: Manifest | None = None
        self._passes: Passes | None = None
        self._bug = ""

    def run(self) -> None:
        notify("READY=1", "STATUS=starting")
        while not self._stop.asked():
            self._wait(self._turn())
        self._leader.resign()

    def _turn(self) -> float:
        """Do what is to be done now; the seconds until the next turn."""
        try:
            passes = self._ready()
        except (ManifestError, LedgerError) as error:
            self._passes = None  # what was seen so far confirms nothing any more
            self._own.tell([Problem("not ready", f"{error}: xio sync waits for it", "xio sync goes on")])
            notify("WATCHDOG=1", f"STATUS={error}")
            return _WITHOUT_MANIFEST
        if passes is None or self._manifest is None:
            return _STANDING_BY
        began = time.monotonic()
        passed = self._pass(passes, self._manifest)
        status = f"{len(passed.problems)} problems, {len(passed.waiting)} things to be confirmed"
        notify("WATCHDOG=1", f"STATUS={status}")
        now, interval = time.monotonic(), self._manifest.recovery.sync_interval
        ripe_in = passed.ripe_at - now if passed.ripe_at is not None else None
        return until_next_look(began + interval - now, interval, ripe_in)

    def _ready(self) -> Passes | None:
        """The passes over the manifest as it is now; None while another sync leads."""
        manifest = Manifest.read(self._path)
        if self._passes is None or manifest != self._manifest:
            become_owner(manifest.state_dir)
            log_to(manifest)
            for warning in manifest_warnings(self._path):
                log.warning("%s", warning)
            log.info("sees to the nodes of %d pools (%s)", len(manifest.pools), self._path)
            self._manifest = manifest
            self._passes = Passes(manifest, self._notices, self._stop.asked, stays=True)
        if self._leader.leads(manifest.state_dir):
            self._own.tell(())
            return self._passes
        who = who_leads(manifest.state_dir)
        self._own.tell([Problem("stand-by", f"stands by: {who} leads", "leads now")])
        notify("WATCHDOG=1", f"STATUS=stands by: {who} leads")
        return None

    def _pass(self, passes: Passes, manifest: Manifest) -> Passed:
        try:
            passed = passes.run()
            self._after_pass(manifest, passed)
        except Exception as error:  # a bug of ours: the next pass may do, and other nodes' must
            text = f"{type(error).__name__}: {error}"
            if text != self._bug:
                self._bug = text
                log.critical("%s", write_bug_report(error))
            return Passed((), (text,))
        return passed

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self._stop.asked():
            self._stop.wait(min(left, _SIGN_OF_LIFE))
            notify("WATCHDOG=1")


def log_to(manifest: Manifest) -> None:
    """Log to the programs' log, and to stderr: that is the journal's, or somebody's terminal. Else to syslog too."""
    for handler in list(log.handlers):
        log.removeHandler(handler)
        handler.close()
    to_stderr = logging.StreamHandler(sys.stderr)
    to_stderr.setFormatter(logging.Formatter("xio sync: %(message)s"))
    log.addHandler(to_stderr)
    if "JOURNAL_STREAM" not in os.environ and not sys.stderr.isatty():
        log.addHandler(SystemLog(PROGRAM))
    log.setLevel(logging.INFO)
    log.propagate = False
    logging.raiseExceptions = False  # a full disk costs the line, not the node
    path = Path(manifest.log_dir) / LOG_FILE
    try:
        to_file = LogFile(path)
    except OSError as error:
        log.warning("%s can't be written (%s): logging to stderr alone", path, error.strerror)
        return
    to_file.setFormatter(logging.Formatter(f"%(asctime)s {PROGRAM}[%(process)d] %(levelname)s: %(message)s"))
    log.addHandler(to_file)
