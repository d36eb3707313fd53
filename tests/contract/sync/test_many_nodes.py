"""Ten thousand quiet nodes cost a pass one call of Slurm and one of the EMS."""

from pathlib import Path
from typing import Final

import msgspec

from tests.contract.sync.conftest import OFF, POOL, HeadNode
from xio_slurm.ledger import Entry, Run

NODES: Final = 10_000


def test_ten_thousand_quiet_nodes(head: HeadNode) -> None:
    names = [f"xspot-vm-{POOL}-{number}" for number in range(1, NODES + 1)]
    head.slurm.say(OFF, *names)
    head.ledger.prepare()
    for name in names:  # each has had a VM
        entry = Entry(name, POOL, "gone", Run("xio-suspend-1-1", 1000.0), asked=900.0)
        path = Path(head.manifest.state_dir) / "nodes" / f"{name}.json"
        path.write_bytes(msgspec.json.encode(entry))
    head.look()
    head.emulator.forget_requests()
    calls = len(head.slurm.calls())
    passed = head.look()
    assert passed.problems == ()
    assert head.slurm.calls()[calls:] == ["show node -o --all"]
    assert [(each.method, each.path) for each in head.emulator.requests()] == [("GET", "/v1/xcompute/vms")]
