"""Hundreds of mutated configurations: never a traceback, never one accepted that breaks a rule, no sound one refused.

The mutations are made from all samples, the same ones every time. Each says whether it breaks a rule; of those made
by flipping bytes nobody knows, and they prove only that whatever a file holds is answered with problems or a model.
"""

import copy
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

import pytest
import yaml

from xio_slurm.config import load
from xio_slurm.errors import ConfigError

ROOT: Final = Path(__file__).resolve().parents[2]
SAMPLES: Final = (
    *sorted((ROOT / "tests" / "data" / "config").glob("*.yaml")),
    ROOT / "etc" / "xio.yaml",
)

Verdict = Literal["breaks", "sound", "unknown"]
Tree = dict[str, Any]
Edit = Callable[[Tree], None]


@dataclass(frozen=True)
class Mutation:
    """A mutated file, and what is known about it."""

    name: str
    content: bytes
    verdict: Verdict


def _set(key: str, value: object) -> Edit:
    return lambda entry: entry.__setitem__(key, value)


def _drop(key: str) -> Edit:
    return lambda entry: entry.__delitem__(key)


def _replace(*gone: str, **new: object) -> Edit:
    def edit(entry: Tree) -> None:
        for key in gone:
            entry.pop(key, None)
        entry.update(new)

    return edit


def _append(key: str, entry: object) -> Edit:
    return lambda section: section[key].append(entry)


def _repeat(key: str) -> Edit:
    return lambda section: section[key].append(copy.deepcopy(section[key][0]))


def _add_type(entry_text: str, *keys: str) -> Edit:
    def edit(entry: Tree) -> None:
        for key in keys:
            entry.setdefault(key, []).append(entry_text)

    return edit


def _rename(old: str, new: str) -> Edit:
    def edit(entry: Tree) -> None:
        entry[new] = entry.pop(old)

    return edit


POOL_BREAKS: Final[dict[str, Edit]] = {
    "no CPUs": _drop("CPUs"),
    "no profile": _drop("ProfileName"),
    "no memory": _replace("MaxMemory", "InstanceMemory"),
    "key typo": _rename("CPUs", "CPUS"),
    "unknown key": _set("Colour", "red"),
    "CPUs 0": _set("CPUs", 0),
    "CPUs -4": _set("CPUs", -4),
    "CPUs text": _set("CPUs", "4"),
    "CPUs fraction": _set("CPUs", 4.5),
    "CPUs boolean": _set("CPUs", True),
    "CPUs null": _set("CPUs", None),
    "CPUs list": _set("CPUs", [4]),
    "CPUs huge": _set("CPUs", 10**20),
    "size 0": _set("PoolSize", 0),
    "size too large": _set("PoolSize", 65537),
    "size text": _set("PoolSize", "10"),
    "memory 0": _set("MaxMemory", 0),
    "memory mapping": _set("MaxMemory", {"a": 1}),
    "min above max": _replace(MinMemory=5000, MaxMemory=4000),
    "profile unknown": _set("ProfileName", "nosuchprofile"),
    "profile with hyphen": _set("ProfileName", "no-such"),
    "image null": _set("ImageName", None),
    "image empty": _set("ImageName", ""),
    "volume 0": _set("VolumeSize", 0),
    "weight text": _set("Weight", "heavy"),
    "instance too small": _replace("MaxMemory", InstanceMemory=2048),
}
POOL_SOUND: Final[dict[str, Edit]] = {
    "size 1": _set("PoolSize", 1),
    "volume": _set("VolumeSize", 40),
    "weight": _set("Weight", 5),
    "other CPUs": _set("CPUs", 3),
    "no minimum": _replace("MinMemory"),
    "from the instance": _replace("MaxMemory", "MinMemory", InstanceMemory=65536),
    "default size": _replace("PoolSize"),
}
NAME_BREAKS: Final = ("a b", "a[1-3]", "a,b", "-a", "ä", "DEFAULT", "all", "x" * 60, "a/b", "")
PROFILE_BREAKS: Final[dict[str, Edit]] = {
    "Arm type": _add_type("m7g:3", "InstanceTypes"),
    "Arm spot type": _add_type("r6g.large", "SpotFleetTypes"),
    "both vendors": _add_type("c6i", "InstanceTypes"),
    "both vendors, the other way round": _add_type("c6a", "InstanceTypes"),
    "vendor unknown": _set("CpuVendor", "sparc"),
    "types null": _set("InstanceTypes", None),
    "types text": _set("InstanceTypes", "c6a"),
    "type a number": _add_type(5, "InstanceTypes"),  # type: ignore[arg-type]  # the wrong type is the point
    "priority text": _add_type("c6a:high", "InstanceTypes"),
    "no types": _replace(InstanceTypes=[], SpotFleetTypes=[]),
    "controllers 0": _set("MaxControllers", 0),
    "hyperthreading text": _set("EnableHyperthreading", "false"),
    "key typo": _rename("InstanceTypes", "InstanceType"),
    "group with space": _set("NodeGroupName", "a b"),
}
PROFILE_SOUND: Final[dict[str, Edit]] = {
    "unknown family": _add_type("zz9", "InstanceTypes", "SpotFleetTypes"),
    "no spot price": _add_type("hpc6a", "SpotFleetTypes"),
    "controllers": _set("MaxControllers", 3),
    "group": _set("NodeGroupName", "group1"),
    "no spot": _set("SpotFleetTypes", []),
}
SECTION_BREAKS: Final[dict[str, Edit]] = {
    "unknown key": _set("Poolz", []),
    "partition reserved": _set("PartitionName", "DEFAULT"),
    "partition number": _set("PartitionName", 12),
    "no EMS": _replace("ManagementServerIp", "ManagementServerStackName"),
    "address": _set("ManagementServerIp", "10.0.0.256"),
    "URL": _set("Plugin", {"EmsUrl": "10.0.0.1"}),
    "URL with password": _set("Plugin", {"EmsUrl": "http://a:b@c"}),
    "relative path": _set("Plugin", {"StateDir": "state"}),
    "plugin typo": _set("Plugin", {"Statedir": "/state"}),
    "plugin null": _set("Plugin", None),
    "plugin list": _set("Plugin", ["/state"]),
    "no requests": _set("Plugin", {"MaxConcurrentRequests": 0}),
    "pools text": _set("Pools", "all"),
    "pools null": _set("Pools", None),
    "profiles number": _set("Profiles", 3),
    "images mapping": _set("Images", {"a": "b"}),
    "image without AMI": _set("Images", [{"ImageName": "a"}]),
    "image twice": _set("Images", [{"ImageName": "a", "ImageId": "ami-1"}] * 2),
    "derived Arm": _set("InstanceTypes", ["m7g"]),
    "volume 0": _set("DefaultVolumeSize", 0),
    "workers text": _set("Workers", "sg-1"),
    "groups text": _set("Controllers", {"SecurityGroupIds": "sg-1"}),
    "secret list": _set("VmRootPasswordSecret", ["a"]),
    "long prefix": _set("Plugin", {"NodePrefix": "n" * 64}),
}
SECTION_SOUND: Final[dict[str, Edit]] = {
    "address": _set("ManagementServerIp", "10.1.2.3"),
    "zone": _set("AvailabilityZone", "eu-west-1a"),
    "plugin": _set("Plugin", {"EmsUrl": "https://ems:443", "ReadTimeout": 2.5, "SuspendRate": 0}),
    "secret": _set("VmRootPasswordSecret", "a/secret"),
    "default partition": _replace("PartitionName"),
    "no images": _set("Images", []),
}
FILE_BREAKS: Final[dict[str, Edit]] = {
    "no slurm": _rename("slurm", "Slurm"),
    "slurm null": _set("slurm", None),
    "slurm list": _set("slurm", [1]),
    "both products": lambda file: file["slurm"].update(Xio={}, Xwo={}),
    "product in lower case": lambda file: file["slurm"].update(xio=file["slurm"].pop(_product(file))),
    "cluster with space": lambda file: file["slurm"].update(ClusterName="a b"),
    "mount without source": lambda file: file["slurm"].update(
        storage={"ExtraMounts": [{"dest": "/a", "type": "nfs", "options": "rw"}]}
    ),
    "mounts mapping": lambda file: file["slurm"].update(storage={"ExtraMounts": {"dest": "/a"}}),
}
FILE_SOUND: Final[dict[str, Edit]] = {
    "foreign key": _set("Region", None),
    "foreign list": lambda file: file["slurm"].update(ParallelClusterConfig=[1, {"a": "010"}]),
    "cluster": lambda file: file["slurm"].update(ClusterName="other-2"),
    "no storage": lambda file: file["slurm"].update(storage=None),
}
TEXT_BREAKS: Final[dict[str, Callable[[str], str]]] = {
    "open bracket": lambda text: text + "x: [1, 2\n",
    "open quote": lambda text: text.replace("PartitionName: x", "PartitionName: 'x", 1),
    "tab": lambda text: text + "\tslurm: 1\n",
    "second document": lambda text: text + "---\na: 1\n",
    "key twice": lambda text: text + "slurm: {}\n",
    "nested": lambda text: text + "deep: " + "[" * 300 + "]" * 300 + "\n",
    "unknown alias": lambda text: text + "alias: *nowhere\n",
    "control character": lambda text: text + "a: \x07\n",
    "colon": lambda text: text.replace("Xio:", "Xio: :").replace("Xwo:", "Xwo: :") + "  : :\n a: - b: c\n",
    "indentation": lambda text: text.replace("    PartitionName", "   PartitionName", 1),
    "endless alias": lambda text: text.replace("PartitionName: x", "Controllers: &e {a: *e}\n    PartitionName: x", 1),
    "tag": lambda text: text.replace("PartitionName: x", "PartitionName: !ref x", 1),
    "octal": lambda text: (
        text.replace("PartitionName: x", "PoolSize: 010\n    PartitionName: x", 1)
        if "\n    PoolSize:" not in text
        else text.replace("\n    PoolSize: 4", "\n    PoolSize: 04")
    ),
    "empty": lambda text: text[:0],
    "only comments": lambda text: "\n".join(f"# {line}" for line in text.splitlines()),
}


def _product(file: Tree) -> str:
    return "Xio" if "Xio" in file["slurm"] else "Xwo"


def _entries(section: Tree, key: str) -> list[Tree]:
    entries = section.get(key, [])
    return list(entries.values()) if isinstance(entries, dict) else entries


def _edited(file: Tree, edit: Edit) -> bytes:
    copied = copy.deepcopy(file)
    edit(copied)
    # The quick one: every process of the tests makes all mutations.
    return yaml.dump(copied, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, encoding="utf-8")


def _in_section(edit: Edit) -> Edit:
    return lambda file: edit(file["slurm"][_product(file)])


def _in_entry(key: str, index: int, edit: Edit) -> Edit:
    return _in_section(lambda section: edit(_entries(section, key)[index]))


def _tables(file: Tree) -> Iterator[tuple[str, Edit, Verdict]]:
    section = file["slurm"][_product(file)]
    yield from _labelled("file", FILE_BREAKS, FILE_SOUND, lambda edit: edit)
    yield from _labelled("section", SECTION_BREAKS, SECTION_SOUND, _in_section)
    for index in range(min(len(section.get("Pools", ())), 2)):
        yield from _labelled(f"pool {index}", POOL_BREAKS, POOL_SOUND, partial(_in_entry, "Pools", index))
    for index in range(min(len(section.get("Profiles", ())), 2)):
        own = _entries(section, "Profiles")[index]
        breaks = {name: edit for name, edit in PROFILE_BREAKS.items() if not _harmless(name, own)}
        yield from _labelled(f"profile {index}", breaks, PROFILE_SOUND, partial(_in_entry, "Profiles", index))
    if isinstance(section.get("Pools"), list):
        yield from _list_mutations()


def _labelled(
    where: str, breaks: dict[str, Edit], sound: dict[str, Edit], place: Callable[[Edit], Edit]
) -> Iterator[tuple[str, Edit, Verdict]]:
    for name, edit in breaks.items():
        yield f"{where}: {name}", place(edit), "breaks"
    for name, edit in sound.items():
        yield f"{where}: {name}", place(edit), "sound"


def _harmless(name: str, profile: Tree) -> bool:
    """A type is no intruder in the profile of its own vendor."""
    amd = any(str(entry).startswith(("c5a", "c6a")) for entry in profile.get("InstanceTypes", ()))
    return name == ("both vendors, the other way round" if amd else "both vendors")


def _list_mutations() -> Iterator[tuple[str, Edit, Verdict]]:
    for name in NAME_BREAKS:
        yield f"pool name {name[:8]!r}", _in_entry("Pools", 0, _set("PoolName", name)), "breaks"
    yield "profile name", _in_entry("Profiles", 0, _set("ProfileName", "a-b")), "breaks"
    yield "no pool name", _in_entry("Pools", 0, _drop("PoolName")), "breaks"
    yield "pool renamed", _in_entry("Pools", 0, _set("PoolName", "another")), "sound"
    for key in ("Pools", "Profiles"):
        yield f"{key} twice", _in_section(_repeat(key)), "breaks"
        yield f"{key} null entry", _in_section(_append(key, None)), "breaks"
        yield f"{key} text entry", _in_section(_append(key, "amd")), "breaks"
    yield "a profile gone", _in_section(lambda xio: xio["Profiles"].pop(0)), "breaks"
    yield "a pool gone", _in_section(lambda xio: xio["Pools"].pop(0)), "sound"


def _flipped(content: bytes, seed: int) -> bytes:
    chance = random.Random(seed)
    changed = bytearray(content)
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(changed))
        match chance.randrange(3):
            case 0:
                changed[place] ^= 1 << chance.randrange(8)
            case 1:
                del changed[place : place + chance.randint(1, 30)]
            case _:
                changed[place:place] = chance.choice(
                    [b"[", b"}", b"\n", b": ", b"- ", b"&a ", b"*a", b"'", b"\t", b"!!"]
                )
    return bytes(changed)


def _mutations() -> Iterator[Mutation]:
    for sample in SAMPLES:
        text = sample.read_text(encoding="utf-8")
        file = yaml.safe_load(text)
        for name, edit, verdict in _tables(file):
            yield Mutation(f"{sample.stem}: {name}", _edited(file, edit), verdict)
        for name, damage in TEXT_BREAKS.items():
            yield Mutation(f"{sample.stem}: {name}", damage(text).encode(), "breaks")
        for seed in range(32):
            yield Mutation(f"{sample.stem}: bytes {seed}", _flipped(text.encode(), seed), "unknown")


MUTATIONS: Final = tuple(_mutations())


def test_there_are_enough_mutations_of_every_kind() -> None:
    verdicts = [mutation.verdict for mutation in MUTATIONS]
    assert verdicts.count("breaks") >= 300
    assert verdicts.count("sound") >= 60
    assert verdicts.count("unknown") >= 150
    assert len({mutation.content for mutation in MUTATIONS}) > 0.95 * len(MUTATIONS)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_the_samples_are_sound(sample: Path) -> None:
    load(sample)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_mutated_file_is_judged_rightly(tmp_path: Path, mutation: Mutation) -> None:
    path = tmp_path / "xio.yaml"
    path.write_bytes(mutation.content)
    try:
        problems = load(path).warnings
        verdict = "sound"
    except ConfigError as error:
        problems = error.problems
        verdict = "breaks"
        assert any(problem.severity == "error" for problem in problems)
    assert mutation.verdict in (verdict, "unknown"), [str(problem) for problem in problems]
    lines = mutation.content.count(b"\n") + 1
    for problem in problems:
        assert 0 < problem.line <= lines
        assert str(problem).isprintable()
        assert problem.what
        assert problem.remedy
