"""What a plan for the EMS is made from, and what follows from it at once. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from xio_slurm.config.model import Config
from xio_slurm.ems.documents import Document
from xio_slurm.images.use import uses_of
from xio_slurm.naming import NODE_PREFIXES, split_node_name
from xio_slurm.plan.ems_observation import Observed, own_environment
from xio_slurm.plan.environment_document import Head, pool_name


@dataclass(frozen=True, slots=True)
class Planning:
    """The configuration and the EMS, side by side. ``adopt``: what isn't ours is taken over."""

    config: Config
    head: Head
    observed: Observed
    adopt: bool

    def profile(self, name: str) -> Document | None:
        """The profile of that name on the EMS."""
        return _named(self.observed.profiles, "ProfileName", name)

    def image(self, name: str) -> Document | None:
        """The image of that name on the EMS."""
        return _named(self.observed.images, "ImageName", name)

    @property
    def environment(self) -> Document | None:
        """The environment of the cluster's name on the EMS, whichever capitals that has there."""
        return own_environment(self.observed.environments, self.head.cluster)

    @property
    def environment_name(self) -> str:
        """Its name as the EMS has it, or is to have it."""
        return str((self.environment or {}).get("EnvName", self.head.cluster))

    @property
    def other_head(self) -> str | None:
        """The head node of the environment of our name, where it is another than ours: so may the cluster be."""
        address = (self.environment or {}).get("HeadAddress")
        return str(address) if address and not _is_same_host(str(address), self.head.address) else None

    def users(self, profile: str) -> tuple[str, ...]:
        """The environments whose pools have this profile."""
        return tuple(
            str(environment["EnvName"])
            for environment in self.observed.environments
            if any(pool.get("ProfileName") == profile for pool in pools_of(environment))
        )

    def others_with_image(self, image: str) -> tuple[str, ...]:
        """The environments but ours whose pools start VMs from this image, or may: the EMS doesn't tell."""
        users = uses_of(self.observed.environments).get(image, {})
        return (*(name for name in users if name != self.environment_name), *self.observed.unread)

    def running_on(self, profile: str) -> tuple[str, ...]:
        """The nodes of our pools whose VMs run on this profile, by the pool's old profile or its new one."""
        ours = [(pool.name, self.config.ems_profile(pool.profile)) for pool in self.config.pools]
        before = [(pool_name(pool), pool.get("ProfileName")) for pool in pools_of(self.environment or {})]
        names = {name for name, of_pool in (*ours, *before) if of_pool == profile}
        split = ((vm, split_node_name(self.config.plugin.node_prefix, vm)) for vm in self.observed.vms)
        return tuple(sorted(vm for vm, node in split if node is not None and node[0] in names))

    def may_run_in(self, pool: str) -> tuple[str, ...]:
        """The VMs that may be this pool's, whichever prefix its nodes had: better one too many than one too few."""
        prefixes = {self.config.plugin.node_prefix, *NODE_PREFIXES.values()}
        known = {pool_name(each) for environment in self.observed.environments for each in pools_of(environment)}
        known |= {each.name for each in self.config.pools}
        found = []
        for vm in sorted(self.observed.vms):
            split = [node for prefix in prefixes if (node := split_node_name(prefix, vm)) is not None]
            of_known = {name for name, _ in split} & known
            whole = split_node_name("", vm)
            if pool in of_known or (not of_known and whole is not None and whole[0].endswith(pool)):
                found.append(vm)
        return tuple(found)


def pools_of(environment: Document) -> Iterator[Document]:
    """The entries of an environment's ``Pools`` that are pools."""
    pools = environment.get("Pools")
    return (pool for pool in (pools if isinstance(pools, list) else ()) if pool_name(pool) is not None)


def _is_same_host(one: str, other: str) -> bool:
    """Whether two addresses differ in capitals at most, or in that one is the short name of the other."""
    short, long = sorted((one.casefold().rstrip("."), other.casefold().rstrip(".")), key=len)
    is_name = not short.replace(".", "").isdigit()
    return short == long or (is_name and "." not in short and long.startswith(f"{short}."))


def _named(documents: tuple[Document, ...], key: str, name: str) -> Document | None:
    return next((document for document in documents if document[key] == name), None)
