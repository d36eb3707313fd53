"""SLURM_RESUME_FILE: for which jobs slurmctld wants the nodes, as JSON in one of three forms.

21.08 to 22.05 write ``all_nodes`` and per job ``nodes``; 23.02 and later ``all_nodes_resume`` and per job
``nodes_resume`` and ``nodes_alloc``; before, and without JSON-C, there is none. The file is ``/proc/<pid>/fd/N``: gone
with the program or with slurmctld, so it is read before all else and handed on as content, not as a path.
"""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from xio_slurm.errors import SlurmError
from xio_slurm.slurm.hostlist import expand, fold

VARIABLE: Final = "SLURM_RESUME_FILE"

_ALL_NODES: Final = ("all_nodes_resume", "all_nodes")
_NODES_TO_RESUME: Final = ("nodes_resume", "nodes")
_NODES: Final = (*_NODES_TO_RESUME, "nodes_alloc")


class ResumeFile(Struct, frozen=True):
    """The parsed document, with whatever keys this Slurm writes."""

    document: Mapping[str, Any]

    def jobs_of(self) -> Mapping[str, tuple[int, ...]]:
        """The ids of the jobs that wait for each node. Nodes without a job (an administrator's POWER_UP) are absent."""
        waiting: dict[str, tuple[int, ...]] = {}
        for job in self._jobs():
            job_id = job.get("job_id")
            if isinstance(job_id, int):
                for node in _names(_first(job, _NODES_TO_RESUME)):
                    waiting[node] = (*waiting.get(node, ()), job_id)
        return waiting

    def nodes_of(self) -> Mapping[int, tuple[str, ...]]:
        """The same by job: the nodes that each waits for."""
        nodes: dict[int, list[str]] = {}
        for node, jobs in self.jobs_of().items():
            for job in jobs:
                nodes.setdefault(job, []).append(node)
        return {job: tuple(names) for job, names in nodes.items()}

    def only(self, wanted: Callable[[str], bool]) -> "ResumeFile":
        """A copy that speaks of the wanted nodes alone; jobs that are left with none are taken out."""
        document = _filtered(self.document, _ALL_NODES, wanted)
        jobs = (_filtered(job, _NODES, wanted) for job in self._jobs())
        document["jobs"] = [job for job in jobs if _first(job, _NODES_TO_RESUME)]
        return ResumeFile(document)

    def to_json(self) -> str:
        """The text for another program's SLURM_RESUME_FILE."""
        return json.dumps(self.document)

    def _jobs(self) -> tuple[Mapping[str, Any], ...]:
        jobs = self.document.get("jobs")
        return tuple(job for job in jobs if isinstance(job, dict)) if isinstance(jobs, list) else ()


def read_resume_file() -> ResumeFile | None:
    """The resume file of this call, or None where slurmctld gave none.

    Raises SlurmError for one that can't be read: the nodes can be resumed without it.
    """
    path = os.environ.get(VARIABLE)
    if not path:
        return None
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise SlurmError(f"{VARIABLE}={path} can't be read: {error}") from error
    if not isinstance(document, dict):
        raise SlurmError(f"{VARIABLE}={path} holds no JSON object")
    return ResumeFile(document)


def _first(document: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    """The first of the keys that has a hostlist; values may be null or missing."""
    return next((value for key in keys if isinstance(value := document.get(key), str) and value), "")


def _names(hostlist: str) -> tuple[str, ...]:
    try:
        return expand(hostlist)
    except SlurmError:
        return ()  # a form of hostlist that we can't read costs the job's number in a message, not the node


def _filtered(document: Mapping[str, Any], keys: tuple[str, ...], wanted: Callable[[str], bool]) -> dict[str, Any]:
    copy = dict(document)
    for key in keys:
        if isinstance(hostlist := copy.get(key), str):
            copy[key] = fold(filter(wanted, _names(hostlist)))
    return copy
