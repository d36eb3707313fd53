"""What must hold after any run: of what it said, and of what it left in its folders."""

import json
import re
from pathlib import Path
from typing import Final

from tests.contract.fuzz.calling import Called
from xio_slurm.deploy.compile import digest
from xio_slurm.ledger import Ledger
from xio_slurm.manifest import Manifest

LONGEST: Final = 1_200
"""Characters of an error's line: what happened, what the EMS said of it (200), and what there is now."""

_MOST: Final = 8
"""Lines of errors: a refusal for each document, no more."""

_OF_A_TERMINAL: Final = re.compile(r"(?:\r?\x1b\[[0-9;?]*[A-Za-z])+\r?|\r(?=\n)")
"""Colours, and the moves of a progress bar. What comes from the EMS has other sequences beside such ones."""

_BEGINNINGS: Final = re.compile(
    r"xio: \S|warning: \S|note: \S|/\S+: warning: |looking at the EMS|deleting the VM of |Slurm isn't told: "
    r"|image \S+ is used by |\S+: .* \(\d+ s\)$| *\d+\.\d s  \S|asking the EMS |deleting image |    xio \S"
)
"""An error, a warning, a note; what is waited for; a step of an image, and one of a test VM; a command to give."""

_NO_ERROR: Final = "xio: an earlier test VM is still there"

_LOCKS: Final = {".xio-apply.lock", ".xio-generate.lock"}


def judge(called: Called, temporary: Path) -> None:
    """Raise AssertionError unless it ended as a command should that meets a bad EMS."""
    assert called.code in {0, 1}
    out, err = ((_as_seen(text) if called.terminal else text) for text in (called.out, called.err))
    for text in (out, err):
        assert "Traceback" not in text
        assert all(line.isprintable() for line in text.split("\n")), "a control character reached the output"
    errors = [line for line in err.split("\n") if line.startswith("xio: ") and not line.startswith(_NO_ERROR)]
    assert bool(errors) == (called.code == 1), "an error is told exactly where the exit code says so"
    assert len(errors) <= _MOST
    for line in err.splitlines():
        assert len(line) <= LONGEST, "a line that nobody reads"
        assert called.terminal or _BEGINNINGS.match(line), "a line of some other form"
    if "--json" in called.arguments and out:
        json.loads(out)
    assert not [*temporary.iterdir()], "a temporary file was left, or a bug reported"


def _as_seen(text: str) -> str:
    """What was written on a terminal, without colours; every state of a line that was written over as a line."""
    return _OF_A_TERMINAL.sub(lambda sequence: "\n" if "\r" in sequence[0] else "", text)


def judge_slurm_files(folder: Path, conf: Path, old_conf: str) -> None:
    """Both files or neither, of one make; slurm.conf as it was, or that and the one line; nothing half-written."""
    nodes, manifest = folder / "xio.nodes.conf", folder / "manifest.json"
    names = {path.name for path in folder.iterdir()} - _LOCKS if folder.exists() else set()
    assert names in (set(), {nodes.name, manifest.name})
    if names:
        told = Manifest.from_json(manifest.read_text(), str(manifest)).node_definitions_digest
        assert told == digest(nodes.read_bytes()), "files that don't belong together"
    assert conf.read_text() in (old_conf, f"{old_conf}include {nodes}\n")
    assert names or conf.read_text() == old_conf, "an include of nothing"
    backups = list(conf.parent.glob(f"{conf.name}.xio-*"))
    assert len(backups) == (conf.read_text() != old_conf)
    assert all(path.read_text() == old_conf for path in backups)
    assert not [*conf.parent.glob(".*xio-partial")]


def judge_state(state: Path) -> None:
    """Every file of the ledger can be read, and none is half-written."""
    ledger = Ledger(str(state))
    for path in (state / "nodes").glob("*"):
        assert path.suffix == ".json"
        assert ledger.peek(path.stem) is not None


def judge_events(log: Path) -> None:
    """Every event is a line of JSON without what a terminal obeys."""
    path = log / "events.jsonl"
    for line in path.read_text().splitlines() if path.exists() else ():
        assert line.isprintable()
        json.loads(line)
