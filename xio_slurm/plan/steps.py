"""The steps of an apply: those of one stage don't need each other, and those of the next need all of them."""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from queue import SimpleQueue

from xio_slurm.errors import XioError
from xio_slurm.plan.change import Verb


class Status(Enum):
    """What became of a step."""

    DONE = "done"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    SKIPPED = "skipped"
    """It wasn't begun, since another failed or somebody interrupted."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do. ``do`` returns what should be known of it, one line each, and raises XioError."""

    kind: str
    name: str
    verb: Verb
    do: Callable[[], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a step; ``error`` is the line of a failed one."""

    step: Step
    status: Status
    notes: tuple[str, ...] = ()
    error: str | None = None


class Stages:
    """Takes the steps stage by stage, and stops before the next one if anything fails.

    ``say`` is told of every step that is begun, and of every result. ``results`` can be asked at any time: after an
    interruption, too, it must be told what was done.
    """

    def __init__(self, stages: Sequence[Sequence[Step]], *, most: int, say: Callable[[Step | Result], None]) -> None:
        self._stages = stages
        self._most = most
        self._say = say
        self._begun: list[Step] = []
        self._ended: list[Result] = []

    def run(self) -> bool:
        """Do it; whether all went well."""
        for stage in self._stages:
            todo = [step for step in stage if step.verb is not Verb.UNCHANGED]
            self._end(*(Result(step, Status.UNCHANGED) for step in stage if step.verb is Verb.UNCHANGED))
            self._side_by_side(todo)
            if self._has_failed():
                return False
        return True

    def results(self) -> tuple[Result, ...]:
        """Every step's result, in the steps' order, as far as they have come."""
        ended = {id(result.step): result for result in self._ended}
        return tuple(ended.get(id(step)) or self._not_ended(step) for stage in self._stages for step in stage)

    def _not_ended(self, step: Step) -> Result:
        if step.verb is Verb.UNCHANGED:
            return Result(step, Status.UNCHANGED)
        if step in self._begun:
            return Result(step, Status.FAILED, error="interrupted: plan again to see what was done of it")
        return Result(step, Status.SKIPPED)

    def _side_by_side(self, steps: list[Step]) -> None:
        if len(steps) <= 1:
            for step in steps:
                self._begin(step)
                self._end(_result(step))
            return
        waiting, ended = list(reversed(steps)), SimpleQueue[Result | BaseException]()
        running = 0
        while (waiting and not self._has_failed()) or running:
            while waiting and running < self._most and not self._has_failed():
                step = waiting.pop()
                self._begin(step)
                # Daemons: an interruption doesn't wait for what the EMS does meanwhile.
                threading.Thread(target=_work, args=(step, ended), daemon=True).start()
                running += 1
            result = ended.get()
            running -= 1
            if isinstance(result, BaseException):
                raise result
            self._end(result)

    def _has_failed(self) -> bool:
        return any(result.status is Status.FAILED for result in self._ended)

    def _begin(self, step: Step) -> None:
        self._begun.append(step)
        self._say(step)

    def _end(self, *results: Result) -> None:
        for result in results:
            self._ended.append(result)
            self._say(result)


def _work(step: Step, ended: "SimpleQueue[Result | BaseException]") -> None:
    try:
        ended.put(_result(step))
    except BaseException as error:  # handed to the main thread
        ended.put(error)


def _result(step: Step) -> Result:
    try:
        return Result(step, Status.DONE, tuple(step.do()))
    except XioError as error:
        return Result(step, Status.FAILED, error=" ".join(str(error).split("\n")))
