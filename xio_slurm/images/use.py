"""Which pools start VMs from an image; and an image's document without what is nobody's business."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from xio_slurm.ems.documents import Document

Uses = Mapping[str, Mapping[str, tuple[str, ...]]]
"""Image → environment → pools."""

HIDDEN: Final = "(hidden)"

_SECRET_KEY: Final = re.compile(r"pem|password|secret|privatekey", re.IGNORECASE)


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


def presentable(value: Any, key: str = "") -> Any:
    """A document with keys and passwords hidden, at any depth."""
    if isinstance(value, dict):
        return {name: presentable(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [presentable(inner, key) for inner in value]
    if value and (_SECRET_KEY.search(key) or (isinstance(value, str) and "PRIVATE KEY-----" in value)):
        return HIDDEN
    return value
