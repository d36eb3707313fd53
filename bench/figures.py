"""The figures of each measurement: a row each. Times are in seconds, memory is in MiB."""

from dataclasses import dataclass
from typing import Literal

Backend = Literal["scontrol", "pyslurm"]


@dataclass(frozen=True, slots=True)
class Batch:
    """Many VMs made or deleted by one call, and the same by others.

    ``latency`` is the EMS's for each answer. ``pool`` is the bare thread pool with http.client, ``requests_pool`` the
    same with requests, at no latency alone; ``bound`` is what no program with as many requests at a time can beat.
    ``loop`` is the shell loop, measured with ``loop_nodes`` and extrapolated from there. ``slurm_calls`` is how often
    scontrol was called.
    """

    action: Literal["resume", "suspend"]
    nodes: int
    latency: float
    seconds: float
    mebibytes: float
    slurm_calls: int
    pool: float
    requests_pool: float | None
    bound: float
    loop: float
    loop_nodes: int


@dataclass(frozen=True, slots=True)
class Weak:
    """Many VMs made by an EMS that refuses more than ``bears`` requests at once: the time, and how often it refused.

    The same of the bare pool, which asks again at once. ``bound`` is what no program can beat.
    """

    bears: int
    nodes: int
    seconds: float
    refused: int
    pool: float
    pool_refused: int
    bound: float


@dataclass(frozen=True, slots=True)
class StartUp:
    """How long a program takes from its start to its end."""

    program: str
    seconds: float


@dataclass(frozen=True, slots=True)
class JobStart:
    """A job on a node that was powered down: since srun was called, and since slurmctld started the ResumeProgram.

    ``asked``: from there to the EMS's getting the request; None for the floor, which has no EMS.
    """

    program: Literal["xio", "floor"]
    since_srun: float
    since_call: float
    asked: float | None


@dataclass(frozen=True, slots=True)
class Fleet:
    """A command on a configuration of so many nodes."""

    command: str
    nodes: int
    seconds: float
    mebibytes: float


@dataclass(frozen=True, slots=True)
class Load:
    """What slurmctld had to do while ``who`` resumed so many nodes: remote procedure calls of a kind, and their time.

    ``kind`` is empty for the row that says how often scontrol was called.
    """

    who: str
    nodes: int
    kind: str
    count: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Asked:
    """How long a question to Slurm takes through a backend, in a cluster of so many nodes."""

    backend: Backend
    what: str
    nodes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Storm:
    """Many jobs at once, a node for each: one part of them, in the order in which their VMs were asked for.

    ``seconds`` is how long that part took, ``asked`` for how many different nodes the EMS was asked in it, ``calls`` by
    how many calls of the ResumeProgram.
    """

    part: int
    jobs: int
    asked: int
    calls: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Recovered:
    """How long something that failed took to be made good. ``goal`` is when it should be, ``without`` is Slurm's own
    time where nothing is done, 0 for never."""

    what: str
    seconds: float
    goal: float
    without: float
