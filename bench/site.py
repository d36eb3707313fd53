"""A head node to measure on: configuration, state, log, and Slurm's commands as stand-ins that answer from a file."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.timing import BIN, TREE, BenchError, timed

POOL_SIZE: Final = 256
CONCURRENCY: Final = 32
"""The default of MaxConcurrentRequests."""
USER_DATA: Final = TREE / "etc" / "user-data.sh"
POWERED_DOWN: Final = "IDLE+CLOUD+POWERED_DOWN"

_SCONTROL: Final = r"""#!/bin/sh
echo "$1 $2" >> {folder}/calls
[ "$4" != --all ] || exec cat {folder}/nodes
# The nodes of a hostlist: stem[a-b,c],name
exec awk -v list="$4" -v state='{state}' '
function tell(name) {{ print "NodeName=" name " NodeAddr=" name " State=" state }}
function expand(stem, ranges,    parts, count, i, ends, n) {{
    count = split(ranges, parts, ",")
    for (i = 1; i <= count; i++) {{
        if (split(parts[i], ends, "-") == 1) ends[2] = ends[1]
        for (n = ends[1] + 0; n <= ends[2] + 0; n++) tell(stem n)
    }}
}}
BEGIN {{
    while (match(list, /^[^][,]+(\[[^]]*\])?,?/)) {{
        word = substr(list, 1, RLENGTH); list = substr(list, RLENGTH + 1); sub(/,$/, "", word)
        at = index(word, "[")
        if (at) expand(substr(word, 1, at - 1), substr(word, at + 1, length(word) - at - 1)); else tell(word)
    }}
}}'
"""


def pools(nodes: int) -> tuple[int, ...]:
    """The sizes of the pools that so many nodes are in."""
    return (POOL_SIZE,) * (nodes // POOL_SIZE) + ((nodes % POOL_SIZE,) if nodes % POOL_SIZE else ())


def names(nodes: int) -> Iterator[str]:
    """The nodes' names."""
    for pool, size in enumerate(pools(nodes)):
        yield from (f"xspot-vm-p{pool}-{number}" for number in range(1, size + 1))


def hostlist(nodes: int) -> str:
    """The nodes as slurmctld writes them."""
    return ",".join(f"xspot-vm-p{pool}-[1-{size}]" for pool, size in enumerate(pools(nodes)))


def configuration(nodes: int, plugin: str) -> str:
    """The YAML of a cluster with so many nodes. ``plugin`` are further lines below ``Plugin:``."""
    listed = "\n".join(
        f"      - {{PoolName: p{pool}, ProfileName: amd, PoolSize: {size}, CPUs: 1, MaxMemory: 7200}}"
        for pool, size in enumerate(pools(nodes))
    )
    return f"""\
slurm:
  ClusterName: bench
  Xio:
    ManagementServerIp: 127.0.0.1
    DefaultImageName: image
    Profiles:
      - {{ProfileName: amd, NodeGroupName: amd, InstanceTypes: [c6a, m6a], SpotFleetTypes: [c6a, m6a]}}
    Pools:
{listed}
    Plugin:
      MaxConcurrentRequests: {CONCURRENCY}
{plugin}"""


def node_line(node: str, state: str) -> str:
    """A line as long as a real one of 'scontrol show node -o'."""
    return (
        f"NodeName={node} Arch=x86_64 CoresPerSocket=1 CPUAlloc=0 CPUTot=1 CPULoad=0.10 AvailableFeatures=xio,amd "
        f"ActiveFeatures=xio,amd Gres=(null) NodeAddr=127.0.0.1 NodeHostName={node} Port=6818 Version=22.05.8 "
        f"OS=Linux RealMemory=6800 AllocMem=0 FreeMem=6000 Sockets=1 Boards=1 State={state} ThreadsPerCore=1 "
        f"TmpDisk=0 Weight=66 Owner=N/A MCS_label=N/A Partitions=xio,xio-amd BootTime=2026-01-01T00:00:00 "
        "SlurmdStartTime=2026-01-01T00:00:00 LastBusyTime=2026-01-01T00:00:00 CfgTRES=cpu=1,mem=6800M,billing=1 "
        "AllocTRES= CapWatts=n/a CurrentWatts=0 AveWatts=0 ExtSensorsJoules=n/s ExtSensorsWatts=0 ExtSensorsTemp=n/s\n"
    )


@dataclass(frozen=True, slots=True)
class Site:
    """The head node's folder. ``nodes`` are so many."""

    folder: Path
    nodes: int

    @classmethod
    def make(cls, folder: Path, nodes: int, ems_url: str, *, state: str = "IDLE+CLOUD+POWERING_DOWN") -> "Site":
        """Make one in a folder that there isn't yet. Slurm says ``state`` of each node that is asked for by name."""
        for name in ("state", "log", "bin", "etc"):
            (folder / name).mkdir(parents=True, mode=0o700)
        for program, script in (
            ("scontrol", _SCONTROL.format(folder=folder, state=state)),
            ("squeue", "#!/bin/sh\n"),
        ):
            (folder / "bin" / program).write_text(script)
            (folder / "bin" / program).chmod(0o755)
        (folder / "calls").touch()
        every = tuple(names(nodes))
        (folder / "names").write_text("\n".join(every) + "\n")
        (folder / "nodes").write_text("".join(node_line(node, POWERED_DOWN) for node in every))
        plugin = "".join(
            f"      {key}: {value}\n"
            for key, value in {
                "EmsUrl": ems_url,
                "StateDir": folder / "state",
                "LogDir": folder / "log",
                "SlurmBinDir": folder / "bin",
            }.items()
        )
        site = cls(folder, nodes)
        site.config.write_text(configuration(nodes, plugin))
        timed(*site.xio("generate", "-c", site.config, "-o", folder / "etc"))
        return site

    @property
    def config(self) -> Path:
        """The configuration."""
        return self.folder / "xio.yaml"

    @property
    def manifest(self) -> Path:
        """The manifest that 'xio generate' has made of it."""
        return self.folder / "etc" / "manifest.json"

    def program(self, name: str) -> tuple[str | Path, ...]:
        """A call of a program by slurmctld, for all nodes."""
        return (BIN / name, "--manifest", self.manifest, hostlist(self.nodes))

    def xio(self, *arguments: str | Path) -> tuple[str | Path, ...]:
        """A call of the command xio."""
        return (BIN / "xio", *arguments)

    def bare_pool(self, client: str, action: str, ems_url: str) -> float:
        """How many seconds the bare pool takes with an HTTP client to ``create`` or ``delete`` a VM for each node."""
        command = (sys.executable, "-I", TREE / "bench" / "bare_pool.py", client, action, ems_url, USER_DATA)
        return timed(*command, str(CONCURRENCY), input_file=self.folder / "names").seconds

    def slurm_calls(self) -> int:
        """How often scontrol was called since this was asked last."""
        calls = len((self.folder / "calls").read_text().splitlines())
        (self.folder / "calls").write_text("")
        return calls


@contextmanager
def fast_ems(latency: float, listed: Path | None = None, bears: int | None = None) -> Iterator[str]:
    """An EMS that answers after so many seconds, in a process of its own; its URL.

    ``listed`` names the VMs it has; ``bears`` is how many requests at once it doesn't refuse.
    """
    arguments = [str(Path(__file__).parent / "fast_ems.py"), str(latency)]
    arguments += ["--names", str(listed)] if listed else []
    arguments += ["--bears", str(bears)] if bears else []
    with subprocess.Popen([sys.executable, "-I", *arguments], stdout=subprocess.PIPE, text=True) as process:
        try:
            port = process.stdout.readline().strip() if process.stdout else ""
            if not port:
                raise BenchError("the EMS to measure against ended at once")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
