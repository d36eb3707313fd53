"""Carries out a plan: images, profiles, the environment, the files that Slurm reads, and slurm.conf's include line."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from xio_slurm.config.model import Image
from xio_slurm.deadline import Deadline
from xio_slurm.deploy.publish import APPLY_LOCK, check_unchanged, make_folder, publish
from xio_slurm.ems.connection import connected
from xio_slurm.ems.documents import ENVIRONMENTS, IMAGES, PROFILES, Documents, Kind
from xio_slurm.ems.parse_jobs import NewImage
from xio_slurm.ems.transport import Transport
from xio_slurm.ems.vms import Vms
from xio_slurm.errors import DeployError, EmsError, EmsRefused
from xio_slurm.images.making import ImageMaker, ImageProgress
from xio_slurm.plain_text import listed
from xio_slurm.plan.change import Change, Verb
from xio_slurm.plan.document_writing import Writing
from xio_slurm.plan.ems_observation import controllers_of
from xio_slurm.plan.include_line import put_include, why_not_writable
from xio_slurm.plan.plan import Plan
from xio_slurm.plan.replanning import Replanning
from xio_slurm.plan.steps import Result, Stages, Step
from xio_slurm.slurm.hostlist import fold

IMAGE_SECONDS: Final = 3600.0
"""For the making of one image: the EMS copies the AMI's whole volume."""

_WRITE_SECONDS: Final = 120.0
"""For one document: a look, a write, and where its answer was lost, a look again."""

_IMAGES_AT_ONCE: Final = 4
_LOCK_MODE: Final = 0o644

Say = Callable[[Step | Result | ImageProgress], None]
"""Told of each step that begins and ends, and how far the images are; from several threads."""


class Apply:
    """One run. ``stages.results()`` tells at any time what was done."""

    def __init__(self, plan: Plan, transport: Transport, say: Say) -> None:
        self._plan = plan
        self._transport = transport
        self._images = ImageMaker(transport, say=say)
        self.stages = Stages(
            (
                [self._image(change) for change in plan.ems_changes if change.kind == IMAGES.word],
                *([self._document(change, PROFILES)] for change in plan.ems_changes if change.kind == PROFILES.word),
                *(
                    [self._document(change, ENVIRONMENTS)]
                    for change in plan.ems_changes
                    if change.kind == ENVIRONMENTS.word
                ),
                [self._files()],
                *([step] for step in self._include_line()),
            ),
            most=_IMAGES_AT_ONCE,
            say=say,
        )

    def run(self) -> bool:
        """Do what is planned, up to the first failure; whether all of it is done.

        Raises DeployError where the plan can't be applied, with nothing done.
        """
        generation = self._plan.slurm.generation
        with _locked(generation.folder):
            self._check_slurm_conf()
            if self._plan.slurm.writes_files:
                check_unchanged(generation.folder, generation.deployed)
            return self.stages.run()

    def _check_slurm_conf(self) -> None:
        conf = self._plan.slurm.generation.conf
        if conf is not None and self._plan.slurm.puts_include and (why := why_not_writable(conf)) is not None:
            raise DeployError(f"{why} (nothing was done)")

    def _image(self, change: Change) -> Step:
        image = next(each for each in self._plan.config.images if each.name == change.name)
        return Step(change.kind, change.name, change.verb, lambda: self._make(change, image))

    def _make(self, change: Change, image: Image) -> tuple[str, ...]:
        self._writing(change, IMAGES).fresh(Deadline.after(_WRITE_SECONDS))
        new = NewImage(image.name, image.ami)
        return self._images.make(new, replace=True, deadline=Deadline.after(IMAGE_SECONDS)).notes

    def _document(self, change: Change, kind: Kind) -> Step:
        return Step(change.kind, change.name, change.verb, lambda: self._write(change, kind))

    def _write(self, change: Change, kind: Kind) -> tuple[str, ...]:
        deadline = Deadline.after(_WRITE_SECONDS)
        if kind is ENVIRONMENTS:
            self._check_pools(change, deadline)
        try:
            return self._writing(change, kind).write(deadline)
        except EmsRefused as error:
            if kind is not PROFILES or change.verb is not Verb.UPDATE:
                raise
            raise DeployError(f"{error}{self._who_holds(change.name)}") from error

    def _writing(self, change: Change, kind: Kind) -> Writing:
        replanning = self._replanning
        planned_on = replanning.planned_on(change, kind)
        name = change.name if planned_on is None else str(planned_on[kind.name_key])
        documents = Documents(self._transport, kind)
        return Writing(documents, name, change, planned_on, lambda now: replanning.on(change, kind, now))

    @property
    def _replanning(self) -> Replanning:
        assert self._plan.replanning is not None  # noqa: S101  there is no change of a document otherwise
        return self._plan.replanning

    def _check_pools(self, change: Change, deadline: Deadline) -> None:
        """A pool that goes may have got a VM since the plan was made, and a VM without its pool is nobody's."""
        if not self._replanning.prune:
            return
        held = self._replanning.held(change, Vms(self._transport).names(deadline))
        for pool, vms in held.items():
            raise DeployError(
                f"environment {change.name}: nothing of it was changed: VMs of pool {listed([pool])}, which is to go,"
                f" may run by now ({listed(vms)}): let them end, then run this again"
            )

    def _who_holds(self, profile: str) -> str:
        """What a running controller has to do with it: it blocks the change of its profile."""
        nodes = self._replanning.planning.running_on(profile)
        if not nodes:
            return ": if a controller of it runs, let its VMs end (see 'squeue' on the EMS), then run this again"
        try:
            controllers = controllers_of(self._transport, nodes, Deadline.after(_WRITE_SECONDS))
        except EmsError:
            controllers = ()
        held = ", ".join(controllers) or "controllers that the EMS doesn't name"
        return f": profile {profile} is held by {held} for {fold(nodes)}: let these VMs end, then run this again"

    def _files(self) -> Step:
        generation = self._plan.slurm.generation
        verb = Verb.UNCHANGED
        if self._plan.slurm.writes_files:
            verb = Verb.CREATE if generation.difference.first else Verb.UPDATE

        def do() -> tuple[str, ...]:
            publish(generation.folder, generation.compiled, planned_on=generation.deployed)
            return ()

        return Step("files", str(generation.folder), verb, do)

    def _include_line(self) -> Iterator[Step]:
        slurm = self._plan.slurm
        conf = slurm.generation.conf
        if conf is None:
            return

        def do() -> tuple[str, ...]:
            backup = put_include(conf, slurm.node_definitions)
            return (f"the old one is {backup}",) if backup is not None else ()

        yield Step("include line", conf.path, Verb.UPDATE if slurm.puts_include else Verb.UNCHANGED, do)


@contextmanager
def applying(plan: Plan, say: Say) -> Iterator[Apply]:
    """What carries the plan out, with the connections that it needs. Raises DeployError for a plan that mustn't be."""
    if plan.problem is not None or plan.refusals:
        raise DeployError("the plan can't be applied: nothing was done")
    with connected(plan.slurm.generation.compiled.manifest) as transport:
        yield Apply(plan, transport, say)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep other applies of this folder away. Raises DeployError if one is at work."""
    lock = FileLock(folder / APPLY_LOCK, timeout=0, mode=_LOCK_MODE)
    try:
        make_folder(folder)
        lock.acquire()
    except Timeout as error:
        raise DeployError(f"{folder}: another 'xio apply' is at work there: wait for it, then plan again") from error
    except OSError as error:
        raise DeployError(f"{folder}: can't be written: {error.strerror} (nothing was done)") from error
    try:
        yield
    finally:
        lock.release()
