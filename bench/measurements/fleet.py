"""Commands on configurations that grow: generate, check, plan, and one quiet pass of sync."""

import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from bench.figures import Fleet
from bench.site import POWERED_DOWN, Site, fast_ems, names, node_line
from bench.timing import BIN, BenchError, Say, timed
from xio_slurm.ledger import Entry, Run

_SIZES: Final = (100, 1_000, 10_000, 65_536)
_TIMES: Final = 3
_SLURM_CONF: Final = "ClusterName=bench\nSlurmctldHost=localhost\nSlurmctldParameters=idle_on_node_suspend\n"


def measure(quick: bool, say: Say) -> Iterator[Fleet]:
    """Each command at each size; the figure is the median of three. ``quick``: up to 1,000 nodes, once."""
    for nodes in _SIZES:
        if quick and nodes > 1_000:
            continue
        for row in (*_configuration(nodes, 1 if quick else _TIMES), _pass(nodes, 1 if quick else _TIMES)):
            say(f"{row.command} of {nodes} nodes: {row.seconds:.2f} s, {row.mebibytes:.0f} MiB")
            yield row


def _configuration(nodes: int, times: int) -> Iterator[Fleet]:
    with tempfile.TemporaryDirectory(prefix="xio-bench-") as name, _emulator(Path(name)) as url:
        folder = Path(name)
        site = Site.make(folder / "site", nodes, url)
        conf = folder / "slurm.conf"
        conf.write_text(f"{_SLURM_CONF}Include {site.folder}/etc/xio.nodes.conf\n")
        where = ("-o", site.folder / "etc", "--slurm-conf", conf)
        yield _figure("check", nodes, times, *site.xio("check", site.config))
        made = [
            timed(*site.xio("generate", "-c", site.config, "-o", folder / f"new-{number}")) for number in range(times)
        ]
        yield Fleet("generate", nodes, statistics.median(r.seconds for r in made), max(r.mebibytes for r in made))
        yield _figure("plan", nodes, times, *site.xio("plan", "-c", site.config, *where, "--no-aws-checks"))


def _pass(nodes: int, times: int) -> Fleet:
    """A pass with nothing to do: each node has had a VM, every tenth has one and is idle."""
    with tempfile.TemporaryDirectory(prefix="xio-bench-") as name:
        folder = Path(name)
        every = list(names(nodes))
        up = every[::10]
        (folder / "vms").write_text("\n".join(up))
        with fast_ems(0, folder / "vms") as url:
            site = Site.make(folder / "site", nodes, url)
            _write_ledger(site, every, frozenset(up))
            looked = subprocess.run(
                site.xio("sync", "--dry-run", "--manifest", site.manifest), capture_output=True, text=True, check=False
            )
            if looked.stdout != "Nothing is to be done.\n":
                raise BenchError(f"a pass of sync that should be quiet isn't: {looked.stdout[:200]}{looked.stderr}")
            return _figure("sync", nodes, times, *site.xio("sync", "--once", "--manifest", site.manifest))


def _write_ledger(site: Site, every: list[str], up: frozenset[str]) -> None:
    folder = site.folder / "state" / "nodes"
    folder.mkdir(mode=0o700)
    then = time.time() - 86_400
    lines = []
    for node in every:
        pool = node.split("-")[-2]
        entry = Entry(node, pool, "ours" if node in up else "gone", Run("xio-resume-1", then), asked=then)
        (folder / f"{node}.json").write_bytes(msgspec.json.encode(entry))
        lines.append(node_line(node, "IDLE+CLOUD" if node in up else POWERED_DOWN))
    (site.folder / "nodes").write_text("".join(lines))


def _figure(command: str, nodes: int, times: int, *words: str | Path) -> Fleet:
    ran = [timed(*words) for _ in range(times)]
    return Fleet(command, nodes, statistics.median(r.seconds for r in ran), max(r.mebibytes for r in ran))


@contextmanager
def _emulator(folder: Path) -> Iterator[str]:
    port = folder / "port"
    command = (BIN / "xio", "emulator", "--port", "0", "--port-file", port)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 30
            while not port.exists() or not port.read_text():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise BenchError("the emulator doesn't start: 'xio emulator' says why")
                time.sleep(0.05)
            yield f"http://127.0.0.1:{port.read_text().strip()}"
        finally:
            process.terminate()
