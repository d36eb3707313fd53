"""The programs of a second family of nodes, ``pc-1 …``, that has a cloud of its own (a second emulator).

They stand for what ParallelCluster has beside our nodes. Our programs must hand its nodes on to them, with a resume
file that speaks of nothing else: here anything more is refused, and every call is written down.

``python -m xio_slurm.lab.delegated resume|suspend LAB HOSTLIST``, as SlurmUser.
"""

import json
import os
import re
import sys
import time
from pathlib import Path
from typing import Any, Final

import requests

from xio_slurm.lab.layout import Layout
from xio_slurm.power.user_data import encode, render
from xio_slurm.slurm.hostlist import expand

_POOL: Final = "pc"
_OURS: Final = re.compile(r"pc-[0-9]+")
_SECONDS: Final = 10.0


def main(action: str, folder: str, hostlist: str) -> int:
    """Do what slurmctld would have one of ParallelCluster's programs do. Exit code 3 refuses the call."""
    layout = Layout(Path(folder))
    nodes = expand(hostlist)
    resume_file = _resume_file()
    refused = tuple(name for name in (*nodes, *_named_in(resume_file)) if not _OURS.fullmatch(name))
    call = {"time": time.time(), "program": action, "nodes": nodes, "resume_file": resume_file, "refused": refused}
    with layout.delegated_calls.open("a", encoding="utf-8") as file:
        file.write(json.dumps(call) + "\n")
    if refused:
        return 3
    url = layout.delegated_url.read_text(encoding="utf-8").strip()
    for node in nodes:
        _boot(url, node) if action == "resume" else _end(url, node)
    return 0


def _boot(url: str, node: str) -> None:
    template = (Path(__file__).parent / "user-data.sh").read_text(encoding="utf-8")
    script = render(template, node=node, pool=_POOL, cluster="lab", mounts=(), hook_script="")
    vm = {"CPUs": 2, "ImageName": _POOL, "MaxMemory": 4000, "VolumeSize": 10, "UserData": encode(script)}
    body = {"NodeName": node, "PoolName": _POOL, "ProfileName": _POOL, "VM": vm}
    requests.post(f"{url}/v1/xcompute/vm", json=body, timeout=_SECONDS)


def _end(url: str, node: str) -> None:
    requests.delete(f"{url}/v1/xcompute/vm/{node}", timeout=_SECONDS)


def _resume_file() -> Any:
    path = os.environ.get("SLURM_RESUME_FILE")
    return json.loads(Path(path).read_text(encoding="utf-8")) if path else None


def _named_in(resume_file: Any) -> tuple[str, ...]:
    """Every node that a resume file speaks of, in whichever of its keys."""
    if resume_file is None:
        return ()
    lists = [value for part in (resume_file, *resume_file.get("jobs", ())) for value in part.items()]
    keys = {"all_nodes", "all_nodes_resume", "nodes", "nodes_resume", "nodes_alloc"}
    return tuple(name for key, value in lists if key in keys and value for name in expand(value))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
