"""All that Slurm says of a job, or of a node, that helps a person: from ``scontrol show … -o``, one line each."""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from xio_slurm.errors import SlurmError
from xio_slurm.slurm.command import run
from xio_slurm.slurm.hostlist import expand
from xio_slurm.slurm.states import NodeState, parse_nodes, reason_of

_FIELD: Final = re.compile(r"(?:^|\s)([A-Z]\w*)=(\S*)")
_COMMENT: Final = re.compile(r"\sAdminComment=(.*?)(?=\s+[A-Z]\w*=|\s*\Z)")
_NOTHING: Final = frozenset({"", "(null)", "None", "N/A", "Unknown"})


@dataclass(frozen=True, slots=True)
class NodeDetails:
    """A node's state, and beside it: its partitions, who gave its reason and when, and when its slurmd was started.

    Times in seconds since 1970, None where Slurm has none.
    """

    state: NodeState
    partitions: tuple[str, ...]
    reason_by: str
    reason_at: float | None
    slurmd_started: float | None


@dataclass(frozen=True, slots=True)
class JobDetails:
    """A job, or one task of an array.

    ``id`` is what people write (``12``, ``12_3``), ``number`` Slurm's own. ``reason`` is why it waits, in Slurm's word.
    ``start`` is when it began, or for one that waits when it may at the soonest. ``nodes`` are those that it has,
    ``planned`` those that Slurm means to give it, ``requested`` those that it asks for by name. ``comment`` is its
    AdminComment.
    """

    id: str
    number: int
    user: str
    state: str
    reason: str
    partitions: tuple[str, ...]
    priority: int
    restarts: int
    submitted: float | None
    eligible: float | None
    start: float | None
    nodes: tuple[str, ...]
    planned: tuple[str, ...]
    requested: tuple[str, ...]
    comment: str

    @property
    def waits(self) -> bool:
        """Whether it has no nodes yet."""
        return self.state == "PENDING"


def every_node(bin_dir: str, *, slurm_conf: str | None, timeout: float) -> Mapping[str, NodeDetails]:
    """Every node's. Raises SlurmError when slurmctld doesn't answer in time (seconds)."""
    text = run(bin_dir, "scontrol", "show", "node", "-o", "--all", slurm_conf=slurm_conf, timeout=timeout)
    return {node.state.name: node for node in parse_node_details(text)}


def job(job_id: str, bin_dir: str, *, slurm_conf: str | None, timeout: float) -> tuple[JobDetails, ...]:
    """The job, or every task of an array that Slurm still knows; none where it knows none of that id.

    Raises SlurmError when slurmctld doesn't answer in time (seconds).
    """
    try:
        text = run(bin_dir, "scontrol", "show", "job", "-o", job_id, slurm_conf=slurm_conf, timeout=timeout)
    except SlurmError as error:
        if "Invalid job id" in str(error):
            return ()
        raise
    return tuple(parse_job_details(text))


def every_job(bin_dir: str, *, slurm_conf: str | None, timeout: float) -> tuple[JobDetails, ...]:
    """Every job that Slurm knows, which is those that haven't ended, and a few minutes more. Raises SlurmError."""
    return tuple(
        parse_job_details(
            run(bin_dir, "scontrol", "show", "job", "-o", "--all", slurm_conf=slurm_conf, timeout=timeout)
        )
    )


def parse_node_details(text: str) -> Iterator[NodeDetails]:
    """Read the lines of nodes; others are passed over."""
    for line in text.splitlines():
        for state in parse_nodes(line):
            fields = dict(reversed(_FIELD.findall(line)))  # of two the first
            _, reason_by, reason_at = reason_of(line)
            yield NodeDetails(
                state=state,
                partitions=_words(fields.get("Partitions", "")),
                reason_by=reason_by,
                reason_at=seconds(reason_at),
                slurmd_started=seconds(fields.get("SlurmdStartTime", "")),
            )


def parse_job_details(text: str) -> Iterator[JobDetails]:
    """Read the lines of jobs; others are passed over."""
    for line in text.splitlines():
        fields = dict(reversed(_FIELD.findall(line)))  # of two the first
        if not fields.get("JobId", "").isdecimal() or "JobState" not in fields:
            continue
        comment = _COMMENT.search(line)
        task = fields.get("ArrayTaskId", "")
        array = fields.get("ArrayJobId", "")
        yield JobDetails(
            id=f"{array}_{task}" if array and task.isdecimal() else array or fields["JobId"],
            number=int(fields["JobId"]),
            user=fields.get("UserId", "").partition("(")[0],
            state=fields["JobState"],
            reason=_text(fields.get("Reason", "")),
            partitions=_words(fields.get("Partition", "")),
            priority=_number(fields.get("Priority", "")),
            restarts=_number(fields.get("Restarts", "")),
            submitted=seconds(fields.get("SubmitTime", "")),
            eligible=seconds(fields.get("EligibleTime", "")),
            start=seconds(fields.get("StartTime", "")),
            nodes=_nodes(fields.get("NodeList", "")),
            planned=_nodes(fields.get("SchedNodeList", "")),
            requested=_nodes(fields.get("ReqNodeList", "")),
            comment=_text(comment[1].strip()) if comment else "",
        )


def seconds(local: str) -> float | None:
    """A time as scontrol prints it, in seconds since 1970; None for one that says there is none."""
    with suppress(ValueError, OverflowError):
        return time.mktime(time.strptime(local, "%Y-%m-%dT%H:%M:%S"))
    return None


def _text(value: str) -> str:
    return "" if value in _NOTHING else value


def _words(value: str) -> tuple[str, ...]:
    return tuple(word for word in value.split(",") if word not in _NOTHING)


def _number(value: str) -> int:
    return int(value) if value.isdecimal() else 0


def _nodes(hostlist: str) -> tuple[str, ...]:
    if hostlist in _NOTHING:
        return ()
    with suppress(SlurmError):
        return expand(hostlist)
    return ()
