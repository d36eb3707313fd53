"""The files of every generation: planned on an EMS, sent to it, and planned again."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from xio_slurm.config.loading import load
from xio_slurm.config.model import Config
from xio_slurm.deadline import Deadline
from xio_slurm.ems.documents import ENVIRONMENTS, IMAGES, PROFILES, Document, Documents
from xio_slurm.ems.transport import Transport
from xio_slurm.emulator.az1 import az1
from xio_slurm.emulator.tool import Emulator
from xio_slurm.plan.change import Change, Verb
from xio_slurm.plan.ems_observation import observe
from xio_slurm.plan.ems_plan import EmsPlan, plan_ems
from xio_slurm.plan.environment_document import Head
from xio_slurm.plan.plan import ours
from xio_slurm.plan.planning import Planning

FILES = sorted((Path(__file__).resolve().parents[2] / "data" / "config").glob("*.yaml"))
KINDS = {kind.word: kind for kind in (PROFILES, ENVIRONMENTS)}


class Site:
    """A configuration and an EMS."""

    def __init__(self, config: Config, transport: Transport) -> None:
        self.config = config
        self._transport = transport
        self._head = Head(config.cluster or "lab", "head.example.com", "/opt/slurm/bin", "/opt/slurm/etc")

    def plan(self, *, adopt: bool = False, prune: bool = False) -> EmsPlan:
        observed = observe(self._transport, ours(self.config, self._head.cluster), self._soon())
        return plan_ems(Planning(self.config, self._head, observed, adopt), prune=prune)

    def send(self, plan: EmsPlan) -> None:
        """Carry a plan out, as plainly as can be."""
        for change in plan.images:
            if change.verb is Verb.CREATE:
                image = {"ImageName": change.name, "ImageId": (change.fields[0].new or "")}
                Documents(self._transport, IMAGES).create(image, self._soon())
        for change in changes(plan):
            documents = Documents(self._transport, KINDS[change.kind])
            if change.document is not None and change.verb is Verb.CREATE:
                documents.create(change.document, self._soon())
            elif change.document is not None:
                documents.update(change.document, self._soon())

    def profile(self, name: str) -> Document | None:
        return Documents(self._transport, PROFILES).get(name, self._soon())

    def put_profile(self, document: Document) -> None:
        Documents(self._transport, PROFILES).create(document, self._soon())

    @staticmethod
    def _soon() -> Deadline:
        return Deadline.after(30)


def changes(plan: EmsPlan) -> tuple[Change, ...]:
    assert plan.environment is not None
    return (*plan.profiles, plan.environment)


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def site(request: pytest.FixtureRequest, ems_emulator: Emulator) -> Iterator[Site]:
    """An EMS that was just deployed."""
    transport = Transport(ems_emulator.url, connect_timeout=2, read_timeout=5, max_connections=8)
    yield Site(load(request.param).config, transport)
    transport.close()


def test_what_was_planned_and_sent_leaves_nothing_to_do(site: Site) -> None:
    first = site.plan()
    assert {change.verb for change in changes(first)} == {Verb.CREATE}
    site.send(first)
    second = site.plan()
    assert {change.verb for change in (*second.images, *changes(second))} == {Verb.UNCHANGED}
    assert all(change.refusals == () and change.fields == () for change in changes(second))


def test_a_changed_file_is_sent_without_the_ems_missing_anything(site: Site) -> None:
    site.send(site.plan())
    config = site.config
    site.config = replace(
        config,
        profiles=tuple(replace(profile, max_controllers=7, instance_types=("m5:3",)) for profile in config.profiles),
        pools=(*(replace(pool, size=3, cpus=2) for pool in config.pools[1:]), replace(config.pools[0], name="new")),
        controllers=replace(config.controllers, security_group_ids=("sg-new",), instance_type="c6i.xlarge"),
    )
    changed = site.plan(prune=True)
    assert {change.verb for change in changes(changed)} == {Verb.UPDATE}
    assert all(change.refusals == () for change in changes(changed))
    site.send(changed)
    assert {change.verb for change in changes(site.plan(prune=True))} == {Verb.UNCHANGED}


def test_anothers_profile_is_left_alone_until_it_is_adopted(site: Site) -> None:
    name = site.config.ems_profile(site.config.profiles[0].name)
    site.put_profile(az1() | {"ProfileName": name, "Theirs": {"Kept": [1]}})
    before = site.profile(name)
    site.send(site.plan())
    assert site.profile(name) == before
    adopted = site.plan(adopt=True)
    site.send(adopted)
    after = site.profile(name)
    assert before is not None
    assert after is not None
    assert (after["Id"], after["Theirs"]) == (before["Id"], {"Kept": [1]})
    assert {change.verb for change in changes(site.plan())} == {Verb.UNCHANGED}
