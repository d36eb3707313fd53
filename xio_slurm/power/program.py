"""What the three programs have in common: how slurmctld calls them, and how they end.

slurmctld hands over one hostlist and hardly an environment; up to 22.05 with descriptors 0 to 2 closed. The exit code
changes nothing in Slurm, it is only logged: 0 all nodes are seen to, 1 some failed, 2 nothing could be done.
"""

import argparse
import gc
import logging
import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, NoReturn

from msgspec import Struct

from xio_slurm import manifest
from xio_slurm.bug_report import write_bug_report
from xio_slurm.deadline import Deadline
from xio_slurm.errors import SlurmError, XioError
from xio_slurm.events import Events
from xio_slurm.ledger import Run
from xio_slurm.manifest import Manifest
from xio_slurm.power.log_file import LogFile
from xio_slurm.power.manifest_writers import manifest_warnings
from xio_slurm.power.outcome import Failed, Outcome
from xio_slurm.power.state_owner import become_owner
from xio_slurm.power.system_log import SystemLog
from xio_slurm.slurm.hostlist import expand, fold
from xio_slurm.slurm.resume_file import ResumeFile, read_resume_file

LOG_FILE: Final = "xio.log"

log = logging.getLogger("xio_slurm")


class Call(Struct, frozen=True):
    """One call of a program by slurmctld.

    ``further_arguments`` are what follows the hostlist: the features, when a job asks for a reboot into them.
    """

    program: str
    manifest: Manifest
    nodes: tuple[str, ...]
    further_arguments: tuple[str, ...]
    resume_file: ResumeFile | None
    run: Run
    deadline: Deadline
    events: Events


def main(program: str, seconds: Callable[[Manifest], float], work: Callable[[Call], Iterable[Outcome]]) -> None:
    """Run one of the programs and exit. ``seconds`` says how long it may take, ``work`` does it."""
    called = time.time()
    _open_descriptors()
    logging.basicConfig(format=f"{program}: %(message)s")  # stderr, until the log is known
    log.setLevel(logging.INFO)  # ours alone: libraries have much to tell
    log.addHandler(SystemLog(program))
    try:
        # First of all: the resume file is gone when slurmctld is.
        resume_file = _resume_file()
        arguments = parser_of(program).parse_args()
        loaded = Manifest.read(arguments.manifest)
        nodes = expand(arguments.hostlist)
        become_owner(loaded.state_dir)
        run = Run(f"{program}-{os.getpid()}-{called:.3f}", called)
        _log_to(loaded.log_dir, program)
        events = Events(loaded.log_dir, program, run.id, loaded.pool_name)
        deadline = Deadline.after(seconds(loaded))
        call = Call(program, loaded, nodes, tuple(arguments.further), resume_file, run, deadline, events)
        log.info("called for %s", arguments.hostlist)
        for warning in manifest_warnings(arguments.manifest):
            log.warning("%s", warning)
        events.record("called", hostlist=arguments.hostlist, nodes=len(nodes))
        for job, names in resume_file.nodes_of().items() if resume_file is not None else ():
            events.record("wanted", job=str(job), hostlist=fold(names), nodes=len(names))
        outcomes = tuple(work(call))
    except XioError as error:
        _give_up(f"{error}: nothing was done")
    except Exception as error:  # the last resort: a bug of ours must be told too
        _give_up(write_bug_report(error))
    failed = [outcome for outcome in outcomes if isinstance(outcome, Failed)]
    events.record("ended", nodes=len(nodes), failed=len(failed), seconds=round(time.time() - called, 3))
    gc.freeze()  # at its end Python would look through all that is there, twice, for a sixth of a short call's time
    sys.exit(1 if failed else 0)


def _give_up(why: str) -> NoReturn:
    """Say why nothing could be done: in syslog in any case, since stderr may be closed and the log's place unknown."""
    log.critical("%s", why)
    sys.exit(2)


def parser_of(program: str) -> argparse.ArgumentParser:
    """What a program takes on its command line."""
    parser = argparse.ArgumentParser(
        program,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="slurmctld calls this program; by hand it does what slurmctld would have it do.",
        epilog=f"example:\n  {program} --manifest /etc/xio/manifest.json 'xspot-vm-amd-8-gb-1-cores-[1-3]'",
    )
    parser.add_argument(
        "--manifest",
        metavar="FILE",
        default=os.environ.get("XIO_MANIFEST", manifest.DEFAULT_PATH),
        help=f"what 'xio generate' wrote; without it $XIO_MANIFEST, else {manifest.DEFAULT_PATH}",
    )
    parser.add_argument("hostlist", metavar="HOSTLIST", help="the nodes, as Slurm writes them")
    parser.add_argument(
        "further",
        metavar="FEATURES",
        nargs="*",
        default=[],
        help="what slurmctld adds when a job asks for a reboot into features",
    )
    return parser


def _resume_file() -> ResumeFile | None:
    try:
        return read_resume_file()
    except SlurmError as error:
        log.warning("%s: the nodes are resumed without it", error)
        return None


def _open_descriptors() -> None:
    """Give 0, 1 and 2 to /dev/null where they are closed, lest a socket gets the number and a print lands in it."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: this one


def _log_to(log_dir: str, program: str) -> None:
    try:
        handler = LogFile(Path(log_dir) / LOG_FILE)
    except OSError as error:
        log.warning("%s/%s can't be written (%s): logging to stderr alone", log_dir, LOG_FILE, error.strerror)
        return
    handler.setFormatter(logging.Formatter(f"%(asctime)s {program}[{os.getpid()}] %(levelname)s: %(message)s"))
    log.addHandler(handler)
    log.propagate = sys.stderr is not None and sys.stderr.isatty()
    logging.raiseExceptions = False  # a full disk costs the line, not the node
