"""What becomes of the cluster's environment. Pure."""

from collections.abc import Iterator

from xio_slurm.ems.documents import ENVIRONMENTS, Document
from xio_slurm.errors import DeployError
from xio_slurm.plain_text import listed
from xio_slurm.plan.change import Change, Verb
from xio_slurm.plan.document_difference import difference
from xio_slurm.plan.environment_document import changed_environment, new_environment, pool_name
from xio_slurm.plan.planning import Planning, pools_of


def environment_change(planning: Planning, *, prune: bool) -> Change:
    """Plan for the environment. ``prune``: pools that are gone from the file go, unless VMs of them run."""
    name = planning.head.cluster
    existing = planning.environment
    if existing is None:
        document = new_environment(planning.config, planning.head)
        return Change(ENVIRONMENTS.word, name, Verb.CREATE, difference({}, document), document=document)
    gone = _gone(existing, planning)
    held = {pool: vms for pool in gone if prune and (vms := planning.may_run_in(pool))}
    removed = frozenset(gone) - held.keys() if prune else frozenset()
    try:
        document = changed_environment(existing, planning.config, planning.head, removed=removed)
    except DeployError as error:
        return Change(ENVIRONMENTS.word, name, Verb.UPDATE, refusals=(str(error),))
    fields = difference(existing, document)
    if (other := planning.other_head) is not None and not planning.adopt:
        line = (
            f"its head node is {listed([other])} and ours {planning.head.address}: another cluster of that name may"
            " have made it: set another ClusterName, or take it over with --adopt"
        )
        return Change(ENVIRONMENTS.word, name, Verb.UPDATE, fields, refusals=(line,))
    return Change(
        ENVIRONMENTS.word,
        name,
        Verb.UPDATE if fields else Verb.UNCHANGED,
        fields,
        tuple(_notes(document, () if prune else gone, planning)),
        tuple(
            f"pool {listed([pool])} stays, since VMs of it may run ({listed(vms)}): let them end, or leave --prune out"
            for pool, vms in held.items()
        ),
        document if fields else None,
    )


def _gone(existing: Document, planning: Planning) -> tuple[str, ...]:
    wanted = {pool.name for pool in planning.config.pools}
    names = (pool_name(pool) for pool in pools_of(existing))
    return tuple(dict.fromkeys(name for name in names if name is not None and name not in wanted))


def _notes(document: Document, kept: tuple[str, ...], planning: Planning) -> Iterator[str]:
    if planning.other_head is not None:
        yield f"is taken over from the head node {listed([planning.other_head])}"
    if kept:
        yield f"keeps the pools that the file no longer has, unless told to --prune: {listed(kept)}"
    unsaid = {pool.name for pool in planning.config.pools if pool.min_memory is None}
    least = [name for pool in pools_of(document) if (name := pool_name(pool)) in unsaid and _least(pool)]
    if least:
        yield f"keeps the MinMemory of pools for which the file has none: {listed(map(str, least))}"


def _least(pool: Document) -> bool:
    vm = pool.get("VM")
    return isinstance(vm, dict) and bool(vm.get("MinMemory"))
