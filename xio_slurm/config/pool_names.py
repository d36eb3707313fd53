"""Keys of ``Plugin`` that say something of single pools, by name."""

from collections.abc import Iterable

from xio_slurm.config.problems import Problems
from xio_slurm.config.section import Section
from xio_slurm.config.validate import nearest


def check_pool_names(section: Section, key: str, names: Iterable[str], problems: Problems) -> None:
    """Tell each name that no pool of the file has."""
    for name in names:
        if name not in section.pool_names:
            near = nearest(name, section.pool_names)
            remedy = f"did you mean {near}?" if near else "write a pool's name, or take it out"
            problems.error((*section.plugin.path, key, name), "is no pool of this file", remedy)
