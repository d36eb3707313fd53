"""The node definitions: the text that slurm.conf includes, as a pure function of the configuration.

The same configuration gives the same bytes: no time, no host name, pools in the file's order.

SuspendTime and the two timeouts stand at our partitions (Slurm ≥ 21.08), not at the top: there they would change
what the cluster's other nodes do, be it ParallelCluster's or static ones, which would begin to power down.
"""

import re
from pathlib import PurePath

from xio_slurm.config.model import Config, Pool
from xio_slurm.config.real_memory import real_memory
from xio_slurm.deploy.programs import Programs
from xio_slurm.errors import DeployError
from xio_slurm.naming import MAX_NODE_NAME, node_name, pool_partition

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*", re.ASCII)
_RESERVED = frozenset({"default", "all", "localhost"})
_PATH = re.compile(r"/[^\s\"'\\#]*")


def render(config: Config, programs: Programs) -> str:
    """The text of ``xio.nodes.conf``. Raises DeployError for a name that Slurm would refuse."""
    _check_names(config)
    header = (
        f"# Made by 'xio generate' from {_printable(PurePath(config.file).name)}; don't edit: what is changed here is\n"
        "# lost when it is made again. slurm.conf includes it after every other line that sets these programs.\n"
    )
    sections = [
        header,
        _program_lines(config, programs),
        "".join(_node_line(config, pool) for pool in config.pools),
        "".join(_partition_lines(config)),
    ]
    return "\n".join(section for section in sections if section)


def nodes_of(config: Config, pool: Pool) -> str:
    """The pool's nodes as one hostlist expression that every Slurm reads."""
    numbers = "1" if pool.size == 1 else f"[1-{pool.size}]"
    return f"{config.plugin.node_prefix}{pool.name}-{numbers}"


def _program_lines(config: Config, programs: Programs) -> str:
    # The rates hold for every node of the cluster, so they are set only where the configuration asks for it.
    rates = {"ResumeRate": config.plugin.resume_rate, "SuspendRate": config.plugin.suspend_rate}
    return (
        f"ResumeProgram={_path(programs.resume)}\n"
        f"SuspendProgram={_path(programs.suspend)}\n"
        f"ResumeFailProgram={_path(programs.resume_fail)}\n"
        + "".join(f"{key}={rate}\n" for key, rate in rates.items() if rate is not None)
    )


def _node_line(config: Config, pool: Pool) -> str:
    return (
        f"NodeName={nodes_of(config, pool)} CPUs={pool.cpus} RealMemory={real_memory(pool.max_memory)}"
        f" Weight={pool.weight} Feature={','.join(_features(config, pool))} State=CLOUD\n"
    )


def _features(config: Config, pool: Pool) -> list[str]:
    # A feature twice in one list would be shown twice; a pool may bear its profile's name.
    return list(dict.fromkeys((config.product, pool.name, pool.profile)))


def _partition_lines(config: Config) -> list[str]:
    if not config.pools:
        return []  # Nodes= without a value is a parse error
    own = [(pool_partition(config.partition, pool.name), nodes_of(config, pool)) for pool in config.pools]
    union = (config.partition, ",".join(nodes for _, nodes in own))
    plugin = config.plugin
    times = (
        f"SuspendTime={plugin.suspend_time} SuspendTimeout={plugin.suspend_timeout}"
        f" ResumeTimeout={plugin.resume_timeout}"
    )
    return [f"PartitionName={name} Nodes={nodes} MaxTime=INFINITE State=UP {times}\n" for name, nodes in (*own, union)]


def _check_names(config: Config) -> None:
    names = [("partition", config.partition), ("node prefix", config.plugin.node_prefix)]
    for pool in config.pools:
        names += [("pool", pool.name), ("profile", pool.profile)]
    for what, name in names:
        if not _NAME.fullmatch(name) or name.lower() in _RESERVED:
            raise DeployError(f"{what} {name!r}: Slurm can't take this name: use letters, digits, '-', '_' and '.'")
    for pool in config.pools:
        longest = node_name(config.plugin.node_prefix, pool.name, pool.size)
        if len(longest) > MAX_NODE_NAME:
            raise DeployError(f"pool {pool.name}: its nodes' names ({longest}) are longer than {MAX_NODE_NAME}")
    twice = [pool.name for pool in config.pools if sum(other.name == pool.name for other in config.pools) > 1]
    if twice:
        raise DeployError(f"pool {twice[0]}: there are two of this name")


def _path(path: str) -> str:
    if not _PATH.fullmatch(path):
        raise DeployError(f"{path!r}: slurm.conf needs an absolute path without spaces, quotes, '#' and backslashes")
    return path


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)
