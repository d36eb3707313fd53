"""What becomes of one profile: made, changed, left as it is, or refused since it isn't ours. Pure."""

from collections.abc import Iterator
from typing import Final

from xio_slurm.config.model import Profile
from xio_slurm.ems.documents import PROFILES, Document
from xio_slurm.errors import DeployError
from xio_slurm.plain_text import listed
from xio_slurm.plan.change import Change, Verb
from xio_slurm.plan.document_difference import difference
from xio_slurm.plan.planning import Planning
from xio_slurm.plan.profile_document import (
    OWNER_TAG,
    TEMPLATE,
    changed_profile,
    new_profile,
    owners,
    without_servers_own,
)

_WAYS_OUT: Final = "choose another ProfileName, or take it over with --adopt"
_PREFIX: Final = "set Plugin: PrefixProfiles, "
_TAGS: Final = frozenset(f"{part}.InstanceTags[{OWNER_TAG}]" for part in ("Controller", "Worker"))


def profile_change(profile: Profile, template: Document, planning: Planning) -> Change:
    """Plan for one profile of the configuration. ``template`` is the EMS's az1: a new profile's fields are those in
    which it differs from that.
    """
    name = planning.config.ems_profile(profile.name)
    existing = planning.profile(name)
    verb = Verb.CREATE if existing is None else Verb.UPDATE
    if name == TEMPLATE:
        line = f"{TEMPLATE} is the template that the others are made from: choose another ProfileName"
        return Change(PROFILES.word, name, verb, refusals=(line,))
    try:
        if existing is None:
            document = new_profile(template, profile, planning.config, planning.head.cluster)
            fields = difference(without_servers_own(template), document)
            return Change(PROFILES.word, name, verb, fields, document=document)
        document = changed_profile(existing, template, profile, planning.config, planning.head.cluster)
    except DeployError as error:
        return Change(PROFILES.word, name, verb, refusals=(str(error),))
    return _update(name, existing, document, planning)


def _update(name: str, existing: Document, document: Document, planning: Planning) -> Change:
    fields = difference(without_servers_own(existing), document)
    notes = [*_notes(name, planning)]
    if not fields:
        return Change(PROFILES.word, name, Verb.UNCHANGED, notes=tuple(notes))
    doubt = _doubt(name, existing, planning)
    if doubt is not None and not planning.adopt:
        return Change(PROFILES.word, name, Verb.UPDATE, fields, refusals=(f"{doubt}: {_ways_out(planning)}",))
    if doubt is not None:
        notes.insert(0, f"is taken over: {doubt}")
    running = planning.running_on(name)
    if running and {field.path for field in fields} <= _TAGS:
        # Not worth the refusal of a running controller, behind which nothing else would be done.
        later = (*notes, f"gets its tag {OWNER_TAG} when no VM runs on it")
        return Change(PROFILES.word, name, Verb.UNCHANGED, notes=later)
    if running:
        vms = f"{len(running)} VMs run" if len(running) > 1 else "1 VM runs"
        notes.append(
            f"{vms} on it: the EMS may refuse the change until {'they end' if len(running) > 1 else 'it ends'}"
        )
    return Change(PROFILES.word, name, Verb.UPDATE, fields, tuple(notes), document=document)


def _ways_out(planning: Planning) -> str:
    # Where it is set, two clusters' names are the same without the signs that the EMS doesn't take.
    return _WAYS_OUT if planning.config.plugin.prefix_profiles else _PREFIX + _WAYS_OUT


def _doubt(name: str, existing: Document, planning: Planning) -> str | None:
    """Why the profile may be another's; None: it is ours."""
    cluster = planning.head.cluster
    users = planning.users(name)
    others = [*_others(name, planning)]
    tagged = owners(existing) - {cluster}
    if tagged:
        return f"it is cluster {listed(sorted(tagged))}'s, by its tag {OWNER_TAG}"
    is_used = planning.environment_name in users
    if is_used and planning.other_head is not None:
        return f"the environment {cluster} of the head node {listed([planning.other_head])} uses it"
    if owners(existing):
        return None
    if others or planning.observed.unread:
        uses = f"{listed(others)} uses" if others else f"{listed(planning.observed.unread)} may use"
        return f"the environment {uses} it, and no tag {OWNER_TAG} says that it is ours"
    if is_used:
        return None
    return f"who made it is unknown: it has no tag {OWNER_TAG}, and no environment uses it"


def _notes(name: str, planning: Planning) -> Iterator[str]:
    others = [*_others(name, planning)]
    if others:
        yield f"is used by other environments too: {listed(others)}"


def _others(name: str, planning: Planning) -> Iterator[str]:
    return (user for user in planning.users(name) if user != planning.environment_name)
