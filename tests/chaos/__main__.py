"""``bin/chaos``: the long form, with its parameters as options. Exit code 1 where something is wrong."""

import argparse
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType

from tests.chaos.chaos import Chaos, Plan
from tests.chaos.cluster import cluster
from xio_slurm.errors import XioError


def main() -> int:
    """Run it and print the figures."""
    arguments = _arguments()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    plan = Plan(arguments.jobs, arguments.seconds, arguments.quiet, arguments.share, arguments.kills, arguments.seed)
    place = Path(tempfile.mkdtemp(prefix="xio-c-", dir="/tmp"))  # a short path, for the sockets in it
    try:
        with tempfile.TemporaryDirectory(prefix="xio-chaos-") as scratch, cluster(place, Path(scratch)) as parts:
            print(f"seed {plan.seed}, {plan.jobs} jobs in {plan.seconds:g} s, in {place}", flush=True)
            figures = Chaos(parts, plan, Path(scratch), lambda line: print(line, flush=True)).run()
            if arguments.keep:
                shutil.copytree(parts.lab.layout.log, arguments.keep, dirs_exist_ok=True)
                shutil.copy(Path(scratch) / "jobs.log", arguments.keep)
    except XioError as error:
        print(f"chaos: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nchaos: interrupted; the cluster is removed", file=sys.stderr)
        return 130
    print(f"\n{figures.table()}\n")
    print("\n".join([*figures.said, *(figures.wrong or ["All is well."])]))
    return 1 if figures.wrong else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "bin/chaos",
        description="Runs jobs on a throw-away Slurm of 40 nodes while everything fails: the EMS answers wrongly and"
        " restarts, a pool is exhausted, slurmctld restarts and crashes, programs and sync are killed and their clock"
        " jumps, VMs die. The machine's clock isn't set."
        " Exit code 0: every job and every VM came to its end; 1: not, and the last lines say which.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--jobs", type=int, default=300, help="jobs, each task of an array counted")
    parser.add_argument("--seconds", type=float, default=600, help="how long things fail")
    parser.add_argument("--quiet", type=float, default=900, help="seconds after it in which all must end")
    parser.add_argument("--share", type=float, default=0.2, help="of the EMS's requests that a fault hits")
    parser.add_argument("--kills", type=float, default=0.2, help="of the programs that are killed")
    parser.add_argument("--seed", type=int, default=1, help="of all that is random here")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where the logs go in the end")
    return parser.parse_args()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
