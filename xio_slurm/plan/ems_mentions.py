"""What a person should know of the EMS beside what is planned, one line each. Pure."""

import shlex
from collections.abc import Iterator
from typing import Any

from xio_slurm.naming import NODE_PREFIXES, node_name
from xio_slurm.plain_text import listed
from xio_slurm.plan.environment_document import pool_name
from xio_slurm.plan.planning import Planning, pools_of
from xio_slurm.plan.profile_document import TEMPLATE


def mentions(planning: Planning) -> tuple[str, ...]:
    """All of them."""
    return (
        *_zone(planning),
        *_missing_images(planning),
        *_like_names(planning),
        *_not_in_file(planning),
        *_unread(planning),
    )


def _zone(planning: Planning) -> Iterator[str]:
    ours, theirs = planning.config.availability_zone, (planning.profile(TEMPLATE) or {}).get("AvailabilityZone")
    if ours is not None and isinstance(theirs, str) and theirs != ours:
        yield (
            f"AvailabilityZone is {ours}, and the EMS launches in {listed([theirs])}, the zone of its profile"
            f" {TEMPLATE}: mend the one that is wrong"
        )


def _missing_images(planning: Planning) -> Iterator[str]:
    made = {image.name for image in planning.config.images}
    pools: dict[str, list[str]] = {}
    for pool in planning.config.pools:
        if pool.image not in made and planning.image(pool.image) is None:
            pools.setdefault(pool.image, []).append(pool.name)
    for image, names in pools.items():
        yield (
            f"there is no image {image}, and without it no VM starts in {listed(names)}:"
            f" xio image create --ami <AMI> --name {shlex.quote(image)}"
        )


def _like_names(planning: Planning) -> Iterator[str]:
    """Another's prefix isn't known; it is told where ours is one that everybody has."""
    prefix = planning.config.plugin.node_prefix
    if prefix not in NODE_PREFIXES.values():
        return
    ours = {pool.name for pool in planning.config.pools}
    for environment in _others(planning):
        names = [name for pool in pools_of(environment) if (name := pool_name(pool)) in ours and name is not None]
        if names:
            yield (
                f"the environment {listed([environment['EnvName']])} has pools of the same name, and VMs of both could"
                f" be called {node_name(prefix, names[0], 1)}: set Plugin: NodePrefix ({listed(names)})"
            )


def _not_in_file(planning: Planning) -> Iterator[str]:
    config, observed = planning.config, planning.observed
    kinds: tuple[tuple[str, list[Any], set[str]], ...] = (
        (
            "profiles",
            [profile["ProfileName"] for profile in observed.profiles],
            {TEMPLATE, *(config.ems_profile(profile.name) for profile in config.profiles)},
        ),
        ("environments", [each["EnvName"] for each in observed.environments], {planning.environment_name}),
        (
            "images",
            [image["ImageName"] for image in observed.images],
            {*(image.name for image in config.images), *(pool.image for pool in config.pools)},
        ),
    )
    for word, names, known in kinds:
        left = sorted({*names} - known)
        if left:
            yield f"{word} that this file doesn't have, left as they are: {listed(left)}"


def _unread(planning: Planning) -> Iterator[str]:
    if unread := planning.observed.unread:
        yield f"the EMS doesn't tell which profiles and images these environments use: {listed(unread)}"


def _others(planning: Planning) -> Iterator[dict[str, Any]]:
    return (each for each in planning.observed.environments if each["EnvName"] != planning.environment_name)
