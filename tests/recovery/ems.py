"""A model of the EMS: what it has, what it answers, and the days that it has."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import unquote

from tests.recovery.clock import Clock
from tests.recovery.killing import Life
from xio_slurm.ems.transport import Answer
from xio_slurm.errors import EmsUnreachable

_LATEST = 300.0


@dataclass
class Machine:
    """One VM. ``boots_at`` None: it never does; ``ends_at``: when a delete that was taken will be done.

    ``was_known``: the ledger had an entry for its node when it was deleted; ``was_used``: a job ran on it.
    """

    node: str
    ours: bool
    made: float
    boots_at: float | None
    ends_at: float | None = None
    was_known: bool = False
    was_used: bool = False


@dataclass
class Weather:
    """What goes wrong. Chances are of each request."""

    unreachable: bool = False
    lost_request: float = 0.0
    lost_answer: float = 0.0
    comes_late: float = 0.0
    errors: float = 0.0
    never_boots: float = 0.0
    slow_delete: float = 0.0
    without_capacity: set[str] = field(default_factory=set)


class Ems:
    """Answers requests, and notes what must never be: a VM deleted that isn't ours, or that a job runs on."""

    def __init__(
        self, clock: Clock, life: Life, *, is_known: Callable[[str], bool], is_used: Callable[[str], bool]
    ) -> None:
        self._clock = clock
        self._life = life
        self._is_known = is_known
        self._is_used = is_used
        self.random = Random(0)
        self.machines: list[Machine] = []
        self.weather = Weather()
        self.late: list[tuple[float, dict[str, Any]]] = []
        self.deleted: list[Machine] = []
        clock.each_second(self._end_deleted)

    def of(self, node: str) -> list[Machine]:
        """The VMs of that name."""
        return [machine for machine in self.machines if machine.node == node]

    def booted(self, node: str, since: float) -> bool:
        """Whether a VM of that name has booted that was made after ``since``."""
        return any(
            machine.boots_at is not None and machine.boots_at <= self._clock.now and machine.made >= since
            for machine in self.of(node)
        )

    def request(self, method: str, path: str, deadline: Any, document: Any = None) -> Answer:
        """As ``Transport.request``."""
        self._life.effect()
        answer = self._through(method, path, document)
        self._life.effect()
        return answer

    def _through(self, method: str, path: str, document: Any) -> Answer:
        weather = self.weather
        if weather.unreachable:
            raise EmsUnreachable(f"{method}: refused", sent=False)
        if self._happens(weather.lost_request):
            raise EmsUnreachable(f"{method}: lost", sent=True)
        if self._happens(weather.errors):
            return Answer(500, b"<html><title>oops</title></html>")
        if method == "POST" and self._happens(weather.comes_late):
            self.late.append((self._clock.now, document))
            raise EmsUnreachable(f"{method}: lost", sent=True)
        answer = self._answer(method, path.partition("?")[0], document)
        if self._happens(weather.lost_answer):
            raise EmsUnreachable(f"{method}: lost", sent=True)
        return answer

    def _happens(self, chance: float) -> bool:
        return chance > 0 and self.random.random() < chance

    def _answer(self, method: str, path: str, document: Any) -> Answer:
        if path == "/v1/xcompute/vms":
            return _json({"Vms": [{"NodeName": machine.node} for machine in self.machines]})
        if method == "POST":
            return self.make(document)
        node = unquote(path.rpartition("/")[2])
        found = self.of(node)
        if not found:
            return Answer(404, b"")
        if method == "DELETE":
            for machine in found:
                if machine.ends_at is None:
                    machine.was_known, machine.was_used = self._is_known(node), self._is_used(node)
                    self.deleted.append(machine)
                slow = self._happens(self.weather.slow_delete)
                machine.ends_at = self._clock.now + (20.0 if slow else 0.0)
            self._end_deleted()
            return Answer(200, b"{}")
        return _json({"NodeName": node, "Vm": {"PrivateIpAddress": "10.0.0.1"}, "Controller": {}})

    def carry_out_late(self) -> None:
        """A request whose answer was lost some time ago is carried out now; after minutes it never is."""
        self.late = [(when, document) for when, document in self.late if self._clock.now - when < _LATEST]
        if self.late:
            self.make(self.late.pop(0)[1])

    def make(self, document: Any, *, ours: bool = True) -> Answer:
        """Make a VM, or refuse."""
        node, pool = document["NodeName"], document["PoolName"]
        if pool in self.weather.without_capacity:
            return Answer(503, b'{"Error": "insufficient capacity"}')
        if self.of(node):
            return Answer(409, b'{"Error": "exists"}')
        boots = None if self._happens(self.weather.never_boots) else self._clock.now + 5.0
        self.machines.append(Machine(node, ours, self._clock.now, boots))
        return _json({"JobId": "7"})

    def _end_deleted(self) -> None:
        now = self._clock.now
        self.machines = [each for each in self.machines if each.ends_at is None or each.ends_at > now]


def _json(document: Any) -> Answer:
    return Answer(200, json.dumps(document).encode())
