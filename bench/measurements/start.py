"""Start-up: each program with next to nothing to do, against Python itself and the import of requests."""

import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from bench.figures import StartUp
from bench.site import Site, fast_ems
from bench.timing import Say, timed

_TIMES: Final = 25


def measure(quick: bool, say: Say) -> Iterator[StartUp]:
    """Each in turn, many times; the figure is the median. ``quick``: three times."""
    taken: defaultdict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="xio-bench-") as folder, fast_ems(0) as url:
        commands = _commands(Site.make(Path(folder) / "site", 1, url))
        for _ in range(3 if quick else _TIMES):
            for name, command in commands.items():
                taken[name].append(timed(*command).seconds)
    for name, seconds in taken.items():
        row = StartUp(name, statistics.median(seconds))
        say(f"{name}: {row.seconds * 1000:.0f} ms")
        yield row


def _commands(site: Site) -> Mapping[str, tuple[str | Path, ...]]:
    """In an order in which a VM is there when it is to be deleted."""
    return {
        "python -c pass": (sys.executable, "-I", "-c", "pass"),
        "import requests": (sys.executable, "-I", "-c", "import requests"),
        "xio-resume": site.program("xio-resume"),
        "xio-suspend": site.program("xio-suspend"),
        "xio-resume-fail": site.program("xio-resume-fail"),
        "xio --version": site.xio("--version"),
        "xio check": site.xio("check", site.config),
        "xio generate": site.xio("generate", "-c", site.config, "-o", site.folder / "etc"),
        "xio vm list": site.xio("vm", "list", "-c", site.config),
        "xio pool list": site.xio("pool", "list", "--manifest", site.manifest),
    }
