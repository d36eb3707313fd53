"""Judges the EMS: whether it answers, whom it trusts, and what it has for the manifest's pools. Pure."""

from collections.abc import Callable, Iterator
from typing import Final

from xio_slurm.desk.doctor.finding import Area, Finding, error, warning
from xio_slurm.desk.doctor.seen import Seen, known
from xio_slurm.desk.looks import Unseen
from xio_slurm.ems.documents import Document
from xio_slurm.manifest import Pool
from xio_slurm.plain_text import listed
from xio_slurm.plan.ems_observation import own_environment
from xio_slurm.plan.environment_document import pool_name
from xio_slurm.plan.planning import pools_of
from xio_slurm.plan.profile_document import TEMPLATE

_SKEW: Final = 30.0
"""Seconds by which the EMS's clock may be off. munge gives up at 300, certificates at their day's end."""

_APPLY: Final = "xio plan, then xio apply"


def certificates(seen: Seen) -> Iterator[Finding]:
    """Can our certificates be used, and for how long still?"""
    if isinstance(seen.certificates, Unseen):
        what, mend = _in_two(seen.certificates.why)
        yield error(Area.CERTIFICATES, what, mend)
        return
    for line in seen.certificates:
        what, mend = _in_two(line)
        yield warning(Area.CERTIFICATES, what, mend)


def answers(seen: Seen) -> Iterator[Finding]:
    """Does the EMS answer?"""
    if isinstance(seen.ems, Unseen) and not isinstance(seen.certificates, Unseen):
        url = seen.manifest.ems_url
        if url is None:
            yield error(Area.EMS, seen.ems.why, "ManagementServerIp in the configuration, then xio apply")
            return
        why = seen.ems.why if url in seen.ems.why else f"the EMS at {url}: {seen.ems.why}"
        mend = f"curl {url}/v1/profiles; if it is elsewhere: ManagementServerIp or EmsUrl, then xio apply"
        yield error(Area.EMS, why, mend)


def is_an_ems(seen: Seen) -> Iterator[Finding]:
    """Does it list its profiles, images, environments and VMs?"""
    known(seen.ems)
    for what in (seen.profiles, seen.images, seen.environments):
        if isinstance(what, Unseen):
            yield error(Area.EMS, what.why, "the EMS's own log, and ManagementServerIp or EmsUrl")
    for problem in known(seen.cluster).observation.problems:
        if problem.about == "ems":
            yield error(Area.EMS, problem.text, "the EMS's own log")


def clock(seen: Seen) -> Iterator[Finding]:
    """Do the clocks agree: ours, the EMS's, and that of the ledger's times?"""
    ahead = known(seen.ems).ahead
    if ahead is not None and abs(ahead) > _SKEW:
        which = "ahead of" if ahead > 0 else "behind"
        what = f"the EMS's clock is {abs(ahead):.0f} s {which} this machine's"
        yield warning(Area.CLOCK, what, "timedatectl, here and on the EMS: one of them has no time server")
    for problem in known(seen.cluster).observation.problems:
        if problem.about == "clock":
            yield warning(Area.CLOCK, problem.text, "timedatectl: is this machine's clock right now?")


def template(seen: Seen) -> Iterator[Finding]:
    """Has the EMS the profile that others are made from?"""
    if TEMPLATE not in known(seen.profiles):
        what = f"the EMS has no profile {TEMPLATE}, which all others are made from: its deployment failed"
        yield error(Area.DOCUMENTS, what, f"deploy the EMS anew, or make {TEMPLATE} in its console")


def profiles(seen: Seen) -> Iterator[Finding]:
    """Has the EMS the profiles of our pools?"""
    yield from _lacking(seen, "profile", known(seen.profiles), lambda pool: pool.profile)


def images(seen: Seen) -> Iterator[Finding]:
    """Has the EMS the images of our pools?"""
    yield from _lacking(seen, "image", known(seen.images), lambda pool: pool.image)


def environment(seen: Seen) -> Iterator[Finding]:
    """Has the EMS our environment, and in it our pools as the manifest has them?"""
    cluster = seen.manifest.cluster
    if cluster is None:
        return
    own = own_environment(known(seen.environments), cluster)
    if own is None:
        yield error(Area.DOCUMENTS, f"the EMS has no environment {cluster}: it knows none of our pools", _APPLY)
        return
    theirs = {pool_name(pool): pool for pool in pools_of(own)}
    lacking = [pool.name for pool in seen.manifest.pools if pool.name not in theirs]
    if lacking:
        what = f"the EMS's environment {cluster} has no pool {listed(lacking)}: its VMs can't be made"
        yield error(Area.DOCUMENTS, what, _APPLY)
    for pool in seen.manifest.pools:
        if pool.name in theirs and (differs := _difference(pool, theirs[pool.name])):
            yield warning(Area.DOCUMENTS, f"the EMS's pool {pool.name} has {differs}", _APPLY)


def _lacking(seen: Seen, kind: str, there: frozenset[str], of: Callable[[Pool], str]) -> Iterator[Finding]:
    pools: dict[str, list[str]] = {}
    for pool in seen.manifest.pools:
        if of(pool) not in there:
            pools.setdefault(of(pool), []).append(pool.name)
    for name, users in pools.items():
        which = f"pool{'' if len(users) == 1 else 's'} {listed(users)}"
        mend = f"{_APPLY}{f', or xio image create --name {name} --ami AMI' if kind == 'image' else ''}"
        yield error(Area.DOCUMENTS, f"the EMS has no {kind} {name}, which {which} can't do without", mend)


def _difference(pool: Pool, theirs: Document) -> str:
    vm = theirs.get("VM")
    pairs = [("profile", theirs.get("ProfileName"), pool.profile)]
    pairs += [("image", vm.get("ImageName"), pool.image)] if isinstance(vm, dict) else []
    return ", ".join(f"{what} {has}, not {ours}" for what, has, ours in pairs if has is not None and has != ours)


def _in_two(line: str) -> tuple[str, str]:
    """An error of one line, whose last part says what to do."""
    what, _, mend = line.rpartition(": ")
    return (what, mend) if what else (line, "see what it names")
