"""VMs made by an EMS that bears few requests at once, against a thread pool that doesn't mind."""

import json
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench.figures import Weak
from bench.site import CONCURRENCY, Site, fast_ems
from bench.timing import Say, timed

_LATENCY: Final = 0.2
_BEARS: Final = (8, 16, 24, CONCURRENCY)
_NODES: Final = 500


def measure(quick: bool, say: Say) -> Iterator[Weak]:
    """Resume with each EMS, each a new one. ``quick``: few nodes."""
    nodes = 50 if quick else _NODES
    for bears in _BEARS:
        with tempfile.TemporaryDirectory(prefix="xio-bench-") as folder:
            with fast_ems(_LATENCY, bears=bears) as url:
                site = Site.make(Path(folder) / "site", nodes, url)
                seconds = timed(*site.program("xio-resume")).seconds
                refused = _refused(url)
            with fast_ems(_LATENCY, bears=bears) as url:
                pool = site.bare_pool("http.client", "create", url)
                pool_refused = _refused(url)
        say(f"{bears} at once: {seconds:.1f} s, {refused} refused; the pool: {pool:.1f} s, {pool_refused} refused")
        yield Weak(bears, nodes, seconds, refused, pool, pool_refused, _LATENCY * nodes / bears)


def _refused(url: str) -> int:
    with urllib.request.urlopen(f"{url}/refused", timeout=30) as answer:  # noqa: S310  our own URL
        return int(json.load(answer))
