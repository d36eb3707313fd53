"""What python-hostlist reads and we write is what every Slurm reads and writes."""

import random
import shutil
import subprocess
from pathlib import Path

import pytest

from xio_slurm.errors import SlurmError
from xio_slurm.slurm.hostlist import CHUNK, chunks, expand, fold

SCONTROL = shutil.which("scontrol")
POOLS = ("amd-8-gb-1-cores", "amd-16-gb-2-cores", "intel-24core-350G", "p", "q1-dy-t3.micro", "rack08")
PREFIXES = ("xspot-vm-", "xwo-", "n")


def test_only_the_last_number_of_a_name_is_folded() -> None:
    nodes = ["a-8-gb-1", "a-8-gb-2", "a-16-gb-1", "a-16-gb-2", "b"]
    assert fold(nodes) == "b,a-16-gb-[1-2],a-8-gb-[1-2]"


def test_numbers_with_leading_zeros_keep_their_width() -> None:
    assert set(expand(fold(["c08", "c09", "c9", "c10", "c010"]))) == {"c08", "c09", "c9", "c10", "c010"}


def test_nothing_folds_to_nothing() -> None:
    assert fold([]) == ""
    assert expand("") == ()
    assert list(chunks([])) == []


def test_a_node_that_is_named_twice_is_one_node() -> None:
    assert expand("a[1-2],a1") == ("a1", "a2")


@pytest.mark.parametrize("bad", ["a[1-", "a]", "a[3-1]", "a[1-200000]", "a[x-y]", "a[[1]]", "a[]"])
def test_what_is_no_hostlist_is_told_in_one_line(bad: str) -> None:
    with pytest.raises(SlurmError, match=r"is no hostlist: .+"):
        expand(bad)


def test_pieces_are_sorted_and_hold_every_node_once() -> None:
    nodes = [f"n{number}" for number in range(2 * CHUNK + 1)]
    pieces = list(chunks(reversed(nodes)))
    assert [len(piece) for piece in pieces] == [CHUNK, CHUNK, 1]
    assert [node for piece in pieces for node in piece] == sorted(nodes)


def test_ten_thousand_lists_expand_as_scontrol_expands_them(tmp_path: Path) -> None:
    assert SCONTROL, "this test needs scontrol: apt-get install slurm-client"
    (tmp_path / "slurm.conf").write_text("ClusterName=x\nSlurmctldHost=localhost\n")
    chance = random.Random(1)
    lists = [_random_list(chance) for _ in range(10_000)]
    # Slurm is asked for hundreds of lists in one call; a marker tells where one ends.
    for start in range(0, len(lists), 200):
        batch = lists[start : start + 200]
        folded = [fold(nodes) for nodes in batch]
        by_slurm = _show(tmp_path, "hostnames", ",".join(f"{text},end" for text in folded)).split()
        expanded = [name for text in folded for name in (*expand(text), "end")]
        assert expanded == by_slurm
        assert [set(expand(text)) for text in folded] == [set(nodes) for nodes in batch]


def test_a_list_that_slurm_folded_is_expanded_as_slurm_does(tmp_path: Path) -> None:
    (tmp_path / "slurm.conf").write_text("ClusterName=x\nSlurmctldHost=localhost\n")
    chance = random.Random(2)
    for _ in range(200):
        nodes = _random_list(chance)
        folded = _show(tmp_path, "hostlist", ",".join(nodes)).strip()
        assert list(expand(folded)) == list(dict.fromkeys(_show(tmp_path, "hostnames", folded).split()))
        assert set(expand(folded)) == set(nodes)


def _random_list(chance: random.Random) -> list[str]:
    nodes = []
    for _ in range(chance.randint(1, 4)):
        stem = chance.choice(PREFIXES) + chance.choice(POOLS) + "-"
        width = chance.choice([0, 0, 0, 2, 4])
        start = chance.choice([1, 7, 95, 998])
        nodes += [f"{stem}{number:0{width}d}" for number in range(start, start + chance.randint(1, 8))]
    return nodes


def _show(folder: Path, what: str, names: str) -> str:
    assert SCONTROL
    return subprocess.run(
        [SCONTROL, "show", what, names],
        env={"SLURM_CONF": str(folder / "slurm.conf")},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
