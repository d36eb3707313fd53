from dataclasses import replace
from typing import Any

import pytest

from xio_slurm.deploy.advice import advice, must_stop
from xio_slurm.deploy.compile import Compiled, compile_config
from xio_slurm.deploy.difference import Difference, Kind, compare
from xio_slurm.deploy.publish import Deployed
from xio_slurm.manifest import Delegates, Mount, RootPassword, Tls
from xio_slurm.slurm.version import Version


def deployed(compiled: Compiled) -> Deployed:
    return Deployed(compiled.node_definitions.encode(), compiled.manifest.to_json().encode())


def texts(difference: Difference, kind: Kind) -> list[str]:
    return [change.text for change in difference.changes if change.kind is kind]


def test_programs_and_certificates_are_told_one_by_one_in_words(make: Any) -> None:
    plugin = replace(make.plugin(), ems_url="https://10.0.0.1")
    before = replace(plugin, delegates=Delegates("/pc/resume", "/pc/end", "/pc/end"))
    password = RootPassword(None, None, None, ("/opt/password", "a b"))
    after = replace(plugin, delegates=Delegates("/mine", "/pc/end", None), tls=Tls("/ca.pem", None, None, None))
    old, new = make.compiled(plugin=before), make.compiled(plugin=after, root_password=password)
    assert texts(compare(deployed(old), new), Kind.PROGRAMS) == [
        "ResumeProgram of the nodes that aren't ours: /pc/resume → /mine",
        "ResumeFailProgram of the nodes that aren't ours: /pc/end → none",
        "TLS ca file: none → /ca.pem",
        "root password command: none → /opt/password 'a b'",
    ]


def test_the_same_files_have_no_difference(make: Any) -> None:
    difference = compare(deployed(make.compiled()), make.compiled())
    assert difference == Difference((), (), first=False, unknown=())


def test_the_first_files_are_told_pool_by_pool(make: Any) -> None:
    difference = compare(Deployed(None, None), make.compiled(make.pool("a"), make.pool("b", size=1)))
    assert texts(difference, Kind.NODES) == ["+ 10 nodes in new pool a", "+ 1 node in new pool b"]
    assert texts(difference, Kind.PARTITION) == ["+ partition xio-a", "+ partition xio-b", "+ partition xio"]
    assert difference.first
    assert not difference.unknown


def test_a_pool_that_grows_and_one_that_shrinks(make: Any) -> None:
    old = make.compiled(make.pool("a", size=10), make.pool("b", size=10))
    difference = compare(deployed(old), make.compiled(make.pool("a", size=15), make.pool("b", size=8)))
    assert texts(difference, Kind.NODES) == [
        "+ 5 nodes in pool a (xspot-vm-a-[11-15])",
        "- 2 nodes in pool b (xspot-vm-b-[9-10])",
    ]
    assert difference.removed_nodes == ("xspot-vm-b-9", "xspot-vm-b-10")
    assert difference.kinds == {Kind.NODES}


def test_a_pool_that_goes_and_one_that_comes(make: Any) -> None:
    difference = compare(deployed(make.compiled(make.pool("a"))), make.compiled(make.pool("b", size=3)))
    assert texts(difference, Kind.NODES) == ["- pool a gone (10 nodes)", "+ 3 nodes in new pool b"]
    assert texts(difference, Kind.PARTITION) == ["- partition xio-a gone", "+ partition xio-b"]
    assert len(difference.removed_nodes) == 10


def test_a_new_node_prefix_is_every_node_gone_and_new(make: Any) -> None:
    new = make.compiled(make.pool("a"), plugin=replace(make.plugin(), node_prefix="vm-"))
    difference = compare(deployed(make.compiled(make.pool("a"))), new)
    assert len(difference.removed_nodes) == 10
    assert texts(difference, Kind.NODES) == ["- pool a gone (10 nodes)", "+ 10 nodes in new pool a"]


def test_values_of_a_pool_are_told_with_what_they_mean_to_slurm(make: Any) -> None:
    old = make.compiled(make.pool("a", cpus=24, weight=1, image="rhel8", max_memory=7200))
    new = make.compiled(make.pool("a", cpus=8, weight=2, image="rhel9", max_memory=14400))
    difference = compare(deployed(old), new)
    assert texts(difference, Kind.HARDWARE) == ["pool a: CPUs 24 → 8", "pool a: RealMemory 6800 → 13856"]
    assert texts(difference, Kind.NODE) == ["pool a: Weight 1 → 2"]
    assert texts(difference, Kind.PROGRAMS) == ["pool a: image rhel8 → rhel9", "pool a: max memory 7200 → 14400"]


def test_one_change_of_all_partitions_is_one_line(make: Any) -> None:
    old = make.compiled(make.pool("a"))
    new = make.compiled(make.pool("a"), plugin=replace(make.plugin(), suspend_time=600))
    assert [change.text for change in compare(deployed(old), new).changes] == [
        "partition xio-a, xio: SuspendTime 350 → 600"
    ]


def test_changed_programs_and_rates_are_settings(make: Any) -> None:
    plugin = replace(make.plugin(), resume_rate=0)
    difference = compare(deployed(make.compiled()), make.compiled(plugin=plugin))
    assert texts(difference, Kind.SETTING) == ["ResumeRate 100 → 0"]


def test_what_only_the_programs_read_is_told_without_what_may_be_secret(make: Any) -> None:
    plugin = replace(make.plugin(), ems_url="http://other:5000", delegates=Delegates("/pc/resume", None, None))
    config = make.config(plugin=plugin, mounts=(Mount("/x", "y", "nfs", "password=hunter2"),))
    new = compile_config(config, make.programs, "#!/bin/sh\necho hunter3\n")
    difference = compare(deployed(make.compiled()), new)
    told = texts(difference, Kind.PROGRAMS)
    assert difference.kinds == {Kind.PROGRAMS}
    assert {"user data: changed", "mounts: changed", "EMS URL: changed"} <= set(told)
    assert any("/pc/resume" in text for text in told)
    assert "hunter" not in " ".join(told)


@pytest.mark.parametrize("manifest", [b"{", b"\xff", b'{"version": 99}', b"[]", b"null"])
def test_an_old_manifest_that_cannot_be_read_is_unknown_and_the_nodes_are_compared_all_the_same(
    make: Any, manifest: bytes
) -> None:
    old = Deployed(make.compiled(make.pool("a")).node_definitions.encode(), manifest)
    difference = compare(old, make.compiled(make.pool("b")))
    assert len(difference.unknown) == 1
    assert "unknown" in difference.unknown[0]
    assert "\n" not in difference.unknown[0]
    assert texts(difference, Kind.NODES) == ["- pool a gone (10 nodes)", "+ 10 nodes in new pool b"]


def test_an_old_manifest_of_another_version_says_so(make: Any) -> None:
    old = Deployed(make.compiled().node_definitions.encode(), b'{"version": 99}')
    assert "Invalid value 99" in compare(old, make.compiled()).unknown[0]


def test_old_definitions_that_cannot_be_read_are_unknown(make: Any) -> None:
    old = Deployed(b"NodeName=x[1- CPUs=1\n\xff\xff", make.compiled().manifest.to_json().encode())
    difference = compare(old, make.compiled())
    assert len(difference.unknown) == 1
    assert "+ 10 nodes in new pool amd-8-gb-1-cores" in texts(difference, Kind.NODES)


def test_an_edit_by_hand_is_seen_even_where_no_value_changed(make: Any) -> None:
    old = deployed(make.compiled())
    assert old.node_definitions is not None
    edited = replace(old, node_definitions=old.node_definitions + b"# mine\n")
    assert texts(compare(edited, make.compiled()), Kind.SETTING) == ["xio.nodes.conf is made anew"]


def test_a_lost_manifest_is_told(make: Any) -> None:
    difference = compare(replace(deployed(make.compiled()), manifest=None), make.compiled())
    assert [change.text for change in difference.changes] == ["+ manifest.json"]
    assert len(difference.unknown) == 1


OLD, KEEPS, NEW = Version(22, 5, 8), Version(24, 5, 3), Version(24, 11, 5)


@pytest.mark.parametrize(
    ("kinds", "version", "first", "begins"),
    [
        (set(), OLD, False, "Slurm needs nothing"),
        ({Kind.PROGRAMS}, None, False, "Slurm needs nothing"),
        ({Kind.NODES, Kind.PARTITION}, OLD, False, "restart slurmctld, and don't reconfigure it"),
        ({Kind.NODES}, KEEPS, False, "restart slurmctld, and don't reconfigure it"),
        ({Kind.NODES}, None, False, "restart slurmctld, and don't reconfigure it"),
        ({Kind.NODES}, NEW, False, "run 'scontrol reconfigure'"),
        ({Kind.PARTITION}, OLD, False, "run 'scontrol reconfigure'"),
        ({Kind.SETTING, Kind.PROGRAMS}, OLD, False, "run 'scontrol reconfigure'"),
        ({Kind.NODE}, KEEPS, False, "run 'scontrol reconfigure'"),
        ({Kind.HARDWARE}, OLD, False, "restart slurmctld"),
        ({Kind.HARDWARE}, NEW, False, "run 'scontrol reconfigure'"),
        ({Kind.NODES}, OLD, True, "stop slurmctld, put the include"),
        ({Kind.NODES}, NEW, True, "stop slurmctld, put the include"),
        ({Kind.NODES}, Version(20, 11, 9), False, "Slurm 20.11.9 is too old"),
    ],
)
def test_what_slurm_needs_depends_on_its_version(
    kinds: set[Kind], version: Version | None, first: bool, begins: str
) -> None:
    assert advice(kinds, version, first=first)[0].startswith(begins)


def test_only_the_versions_that_a_reconfigure_kills_are_said_to_die() -> None:
    assert "kills" in advice({Kind.NODES}, OLD, first=False)[0]
    assert "kill" not in advice({Kind.NODES}, KEEPS, first=False)[0]
    assert any("requeues" in line for line in advice({Kind.HARDWARE}, NEW, first=False))


def test_slurmctld_must_stop_only_for_other_nodes_on_older_versions() -> None:
    assert must_stop({Kind.NODES}, OLD)
    assert must_stop({Kind.NODES, Kind.PROGRAMS}, None)
    assert not must_stop({Kind.NODES}, NEW)
    assert not must_stop({Kind.PARTITION, Kind.HARDWARE}, OLD)
