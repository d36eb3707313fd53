"""What was seen, made up: for what is decided without a look at anything."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.manifests import manifest_with
from xio_slurm.ledger import Entry, Run
from xio_slurm.manifest import Manifest, Pool, Recovery
from xio_slurm.power.sync.observation import Observation
from xio_slurm.slurm.states import parse_nodes

NOW = 1_000_000.0


def entry(node: str, phase: Any = "ours", *, age: float = 1000.0, unanswered: bool = False) -> Entry:
    """A ledger's entry of that age."""
    return Entry(node, "a", phase, Run("xio-resume-1", NOW - age), asked=NOW - age, unanswered=unanswered)


def seen(states: dict[str, str], *entries: Entry, vms: set[str] | None = frozenset()) -> Observation:  # type: ignore[assignment]
    """What a look saw: the state of each node, the ledger's entries, the EMS's list."""
    text = "\n".join(f"NodeName={node} NodeAddr={node} State={state}" for node, state in states.items())
    found = {node.name: node for node in parse_nodes(text)}
    listed = None if vms is None else frozenset(vms)
    return Observation(NOW, found, listed, {each.node: each for each in entries}, frozenset(), (), silence_lasts=True)


@pytest.fixture
def manifest() -> Callable[..., Manifest]:
    """Makes manifests of two pools, a and b, with four nodes each."""

    def make(**recovery: Any) -> Manifest:
        return manifest_with(
            node_prefix="n-",
            ems_url="http://127.0.0.1:1",
            connect_timeout=1,
            max_concurrent_requests=4,
            state_dir="/none",
            log_dir="/none",
            slurm_bin_dir="",
            resume_timeout=600,
            suspend_timeout=30,
            user_data="",
            pools=tuple(Pool(name, "p", "i", 4, 1, 1000, None, 10) for name in ("a", "b")),
            recovery=Recovery(**recovery),
        )

    return make
