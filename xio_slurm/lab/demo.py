"""The main job, watched: a job on an XIO pool, from its submission to the end of its VM. ``bin/demo`` runs it."""

import argparse
import signal
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType
from typing import Final

from xio_slurm.errors import LabError, XioError
from xio_slurm.lab import folder, timeline
from xio_slurm.lab.lab import Lab
from xio_slurm.lab.options import LabOptions, Timing
from xio_slurm.power.program import LOG_FILE

POOL: Final = "amd-8-gb-1-cores"
NODE: Final = f"xspot-vm-{POOL}-1"
PARTITION: Final = f"xio-{POOL}"

_TIMING: Final = Timing(resume_timeout=60, suspend_timeout=4, suspend_time=4)
_JOB_SECONDS: Final = 90.0
_SUSPEND_SECONDS: Final = 60.0


def main() -> int:
    """Run the demo. 0: all steps happened, in order; 1: not, and its last lines say which; 130: interrupted."""
    arguments = _arguments()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    place = Path(tempfile.mkdtemp(prefix="xio-demo-", dir="/tmp"))  # a short path, for the sockets in it
    print("A throw-away Slurm cluster, whose nodes are VMs of an EMS emulator:", flush=True)
    try:
        lab = Lab.up(
            LabOptions(place, timing=_TIMING, scenario=arguments.scenario), lambda line: print(f"  {line}", flush=True)
        )
        return _watch(lab)
    except XioError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ndemo: interrupted, cleaning up ...", file=sys.stderr)
        _clear(place)
        return 130


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "bin/demo",
        description="Watch the main job on this machine: a job on an XIO pool, from its submission to its VM's end.",
    )
    parser.add_argument("--scenario", metavar="FILE", type=Path, help="faults of the EMS, to watch the job fail")
    return parser.parse_args()


def _watch(lab: Lab) -> int:
    try:
        wrong = _cycle(lab)
    except Exception:
        _keep(lab)
        raise
    if wrong:
        print("\ndemo: this went wrong:", file=sys.stderr)
        print("\n".join(f"  {line}" for line in wrong), file=sys.stderr)
        _keep(lab)
        return 1
    lab.down()
    print("\nAll of it happened, in this order. The cluster is gone again.")
    return 0


def _keep(lab: Lab) -> None:
    lab.stop()
    print(f"demo: its processes are ended, its logs kept in {lab.layout.log}", file=sys.stderr)


def _clear(place: Path) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # this is what a second Ctrl-C would ask for
    if folder.is_lab(place):
        folder.remove(place)
    elif place.exists():
        place.rmdir()


def _cycle(lab: Lab) -> tuple[str, ...]:
    """Run the job and wait for its node's end; what went wrong, a line each."""
    # Without a host name of its own, the node's name is still what Slurm tells the job.
    program = ("hostname",) if lab.record.own_host_names else ("printenv", "SLURMD_NODENAME")
    command = ("srun", "-p", PARTITION, *program)
    print(f"\n$ {' '.join(command)}", flush=True)
    submitted = time.time()
    job = lab.run(*command, seconds=_JOB_SECONDS)
    print((job.stdout + job.stderr).strip(), flush=True)
    wrong = []
    if (job.returncode, job.stdout.strip()) != (0, NODE):
        wrong.append(f"the job ended with {job.returncode}, and should have printed {NODE}")
    print(f"\nWaiting until Slurm suspends the idle node (after {_TIMING.suspend_time} s) ...", flush=True)
    try:
        lab.wait_until_idle(_SUSPEND_SECONDS)
    except LabError as error:
        wrong.append(str(error))
    steps = timeline.steps(NODE, submitted, _sources(lab))
    print(f"\n{timeline.table(steps)}", flush=True)
    return (*wrong, *timeline.problems(steps), *_errors(lab.layout.log / LOG_FILE))


def _errors(log: Path) -> tuple[str, ...]:
    """What our programs say went wrong, as they logged it."""
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    return tuple(line for line in lines if " ERROR: " in line or " CRITICAL: " in line)


def _sources(lab: Lab) -> timeline.Sources:
    layout = lab.layout
    return timeline.Sources(
        events=layout.events,
        slurmctld_log=layout.slurmctld_log,
        slurmd_log=layout.log / f"slurmd-{NODE}.log",
        ems_requests=lab.requests(),
        ems_history=lab.history(),
        ems_log=layout.log / "emulator.log",
    )


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
