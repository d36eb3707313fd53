"""All of the emulator's state in one object: what the EMS has, how it behaves, what happened."""

from collections import deque
from collections.abc import Callable
from random import Random
from typing import Final

from xio_slurm.emulator.addresses import Addresses
from xio_slurm.emulator.az1 import az1, servers_own
from xio_slurm.emulator.documents import Environment, Image, Profile, Shelf
from xio_slurm.emulator.faults import Applied, Fault, Numbered, Subject, choose
from xio_slurm.emulator.options import Options
from xio_slurm.emulator.parse import ParseJobs
from xio_slurm.emulator.records import RequestRecord
from xio_slurm.emulator.settings import Settings
from xio_slurm.emulator.vms import Fleet

_KEPT_REQUESTS: Final = 50_000


class Requests:
    """The log of requests, and how many there were at a time."""

    def __init__(self) -> None:
        self.log: deque[RequestRecord] = deque(maxlen=_KEPT_REQUESTS)
        self.total = 0
        self.running = 0
        self.peak = 0
        self._within_second: deque[float] = deque()

    def begin(self) -> None:
        """A request has come."""
        self.total += 1
        self.running += 1
        self.peak = max(self.peak, self.running)

    def end(self, record: RequestRecord) -> None:
        """It has been answered, or its connection is gone."""
        self.running -= 1
        self.log.append(record)

    def too_fast(self, now: float, limit: int) -> bool:
        """Whether there were ``limit`` requests within the last second; if not, this one is counted."""
        while self._within_second and self._within_second[0] <= now - 1:
            self._within_second.popleft()
        if len(self._within_second) >= limit:
            return True
        self._within_second.append(now)
        return False


class State:
    """The whole of an EMS. Made anew by a reset; used by one event loop alone."""

    def __init__(self, options: Options, clock: Callable[[], float]) -> None:
        scenario = options.scenario
        self.clock = clock
        self.settings = scenario.settings
        self.random = Random(scenario.settings.seed)  # noqa: S311  # to be repeatable is its purpose
        self.faults: list[Numbered] = []
        self._fault_id = 0
        self.profiles = Shelf("profile", "ProfileName", Profile, servers_own())
        self.environments = Shelf("environment", "EnvName", Environment)
        self.images = Shelf("image", "ImageName", Image)
        self.parse_jobs = ParseJobs(clock, self.images)
        self.fleet = Fleet(clock, Addresses(options.vm_network()), self.random)
        self.requests = Requests()
        if not any(profile["ProfileName"] == "az1" for profile in scenario.profiles):
            self.profiles.create(az1())
        for shelf, documents in (
            (self.profiles, scenario.profiles),
            (self.images, scenario.images),
            (self.environments, scenario.environments),
        ):
            for document in documents:
                shelf.create(document)
        for fault in scenario.faults:
            self.add_fault(fault)

    def change_settings(self, settings: Settings) -> None:
        """Other settings from now on; a new seed begins the random numbers anew."""
        if settings.seed != self.settings.seed:
            self.random.seed(settings.seed)
        self.settings = settings

    def add_fault(self, fault: Fault) -> Numbered:
        """A fault more; it comes after those that are there."""
        self._fault_id += 1
        numbered = Numbered(self._fault_id, fault)
        self.faults.append(numbered)
        return numbered

    def remove_fault(self, fault_id: int) -> bool:
        """A fault less; False if there is none with this id."""
        kept = [each for each in self.faults if each.id != fault_id]
        found = len(kept) < len(self.faults)
        self.faults = kept
        return found

    def faults_of(self, subject: Subject) -> Applied:
        """The faults that apply to a request; counts it."""
        if not self.faults:
            return Applied()
        self.faults, applied = choose(self.faults, subject, self.random)
        return applied
