"""Notes in a lab's ledger that no program of ours has made: what a crash, or another controller, would leave."""

import os
from pathlib import Path

from xio_slurm.lab import Lab
from xio_slurm.ledger import Entry, Slot


def note(lab: Lab, entry: Entry) -> None:
    """Have the ledger say so, in a file of SlurmUser's."""
    folder: Path = lab.layout.ledger / "nodes"
    file = folder / f"{entry.node}.json"
    Slot(file).write(entry)
    os.chown(file, folder.stat().st_uid, folder.stat().st_gid)
