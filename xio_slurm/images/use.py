"""Which pools start VMs from an image."""

from collections.abc import Iterable, Mapping

from xio_slurm.ems.documents import Document
from xio_slurm.plain_text import printable

Uses = Mapping[str, Mapping[str, tuple[str, ...]]]
"""Image → environment → pools."""


def uses_of(environments: Iterable[Document]) -> Uses:
    """The uses that environments tell; what of them can't be understood tells none."""
    uses: dict[str, dict[str, tuple[str, ...]]] = {}
    for environment in environments:
        env = str(environment.get("EnvName"))
        pools = environment.get("Pools")
        for pool in pools if isinstance(pools, list) else ():
            vm = pool.get("VM") if isinstance(pool, dict) else None
            image = vm.get("ImageName") if isinstance(vm, dict) else None
            if isinstance(image, str):
                of_image = uses.setdefault(image, {})
                of_image[env] = (*of_image.get(env, ()), str(pool.get("PoolName")))
    return uses


def others_using(uses: Uses, image: str, ours: str | None) -> Mapping[str, tuple[str, ...]]:
    """The environments but ours whose pools use an image, with these pools."""
    return {env: pools for env, pools in uses.get(image, {}).items() if env != ours}


def in_words(used: Mapping[str, tuple[str, ...]]) -> str:
    """The environments and pools that use an image, in a printable line."""
    return printable("; ".join(f"{env}: {', '.join(pools)}" for env, pools in used.items())) or "nothing"
