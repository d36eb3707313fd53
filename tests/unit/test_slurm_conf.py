"""slurm.conf as slurmctld reads it."""

import subprocess
import sys
from pathlib import Path

import pytest

from xio_slurm.errors import SlurmError
from xio_slurm.slurm.conf import parse, path_in_use, read


def lines_of(text: str) -> list[tuple[int, str]]:
    return [(line.number, line.text) for line in parse(text, "x").lines]


def test_keys_come_in_any_case_and_the_last_value_counts() -> None:
    conf = parse('clustername=one\nResumeTimeout = 60\nClusterName=two\nPrologFlags="a b"\n', "x")
    assert conf.get("CLUSTERNAME") == "two"
    assert conf.get("resumetimeout") == "60"
    assert conf.get("PrologFlags") == "a b"
    assert conf.get("NoSuchKey") is None
    assert [(value, line.number) for value, line in conf.values("ClusterName")] == [("one", 1), ("two", 3)]


def test_comments_and_empty_lines_are_nothing() -> None:
    assert lines_of("# x\n\n   \nA=1 # B=2\n#C=3\n") == [(4, "A=1 ")]


def test_a_continued_line_is_one_and_has_its_first_number() -> None:
    conf = parse("A=1\nNodeName=a,\\\nb \\  \n  CPUs=4 # the rest\nB=2\n", "x")
    assert set(conf.nodes) == {"a", "b"}
    assert str(conf.nodes["b"]) == "x:2"
    assert dict(conf.nodes["a"].pairs())["cpus"] == "4"
    assert [line.number for line in conf.lines] == [1, 2, 5]


def test_escapes_are_taken_away_and_an_escaped_backslash_continues_nothing() -> None:
    assert lines_of("A=a\\#b\nB=c\\\\\nC=d\n") == [(1, "A=a#b"), (2, "B=c\\"), (3, "C=d")]


def test_a_file_may_end_in_a_continuation_or_without_a_line_end() -> None:
    assert lines_of("A=1\\\n") == [(1, "A=1")]
    assert lines_of("A=1\r\nB=2") == [(1, "A=1"), (2, "B=2")]
    assert lines_of("") == []


def test_nodes_partitions_and_sets_are_found_without_the_defaults() -> None:
    conf = parse(
        "NodeName=DEFAULT CPUs=4\nNodename=c[1-3],login CPUs=4\nPartitionName=default State=UP\n"
        "partitionname=batch Nodes=ALL\nNodeSet=big Nodes=c[1-2]\n",
        "x",
    )
    assert set(conf.nodes) == {"c1", "c2", "c3", "login"}
    assert set(conf.partitions) == {"batch"}
    assert set(conf.nodesets) == {"big"}


def test_a_list_of_nodes_that_cannot_be_read_is_told_with_its_line() -> None:
    with pytest.raises(SlurmError, match="x:2"):
        _ = parse("A=1\nNodeName=c[1-\n", "x").nodes


def test_a_list_of_too_many_nodes_is_told_instead_of_filling_the_memory() -> None:
    with pytest.raises(SlurmError, match="x:1"):
        _ = parse("NodeName=c[1-9][1-99999][1-99999]\n", "x").nodes


def test_includes_stand_where_they_are_included(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "nodes.conf").write_text("NodeName=c1\ninclude beside.conf\n")
    (tmp_path / "sub" / "beside.conf").write_text("NodeName=c2\n")
    (tmp_path / "my-cluster.conf").write_text("NodeName=c3\n")
    main = tmp_path / "slurm.conf"
    main.write_text(
        f"ClusterName=My-Cluster\nInclude sub/nodes.conf # x\nINCLUDE\t%c.conf\nNodeName=c4\ninclude {tmp_path}/end\n"
    )
    (tmp_path / "end").write_text("NodeName=c5")
    conf = read(str(main))
    assert list(conf.nodes) == ["c1", "c2", "c3", "c4", "c5"]
    assert str(conf.nodes["c2"]) == f"{tmp_path}/sub/beside.conf:1"
    assert str(conf.nodes["c4"]) == f"{main}:4"
    assert not conf.missing


def test_a_nested_include_may_be_relative_to_slurm_confs_folder_as_newer_versions_read_it(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.conf").write_text("include b.conf\n")
    (tmp_path / "b.conf").write_text("NodeName=c1\n")
    (tmp_path / "slurm.conf").write_text("include sub/a.conf\n")
    assert set(read(str(tmp_path / "slurm.conf")).nodes) == {"c1"}


def test_our_own_file_is_not_read_but_its_place_is_known(tmp_path: Path) -> None:
    ours = tmp_path / "xio" / "xio.nodes.conf"
    ours.parent.mkdir()
    ours.write_text("NodeName=old\n")
    main = tmp_path / "slurm.conf"
    (tmp_path / "more.conf").write_text("B=2\ninclude xio/xio.nodes.conf\nC=3\n")
    main.write_text("A=1\ninclude more.conf\nD=4\n")
    conf = read(str(main), ours=str(ours))
    assert [line.text for line in conf.lines] == ["A=1", "B=2", "C=3", "D=4"]
    assert conf.included == 2
    assert str(conf.included_at) == f"{tmp_path}/more.conf:2"
    assert not conf.nodes
    ours.unlink()
    assert read(str(main), ours=str(ours)).included == 2
    assert read(str(main), ours=str(tmp_path / "other")).included is None


def test_our_own_file_is_known_by_another_way_to_it(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "slurm.conf").write_text("include link/../link/x.conf\n")
    (tmp_path / "real" / "x.conf").write_text("NodeName=a\n")
    assert read(str(tmp_path / "slurm.conf"), ours=str(tmp_path / "real" / "x.conf")).included == 0


def test_our_own_file_included_twice_is_told(tmp_path: Path) -> None:
    (tmp_path / "slurm.conf").write_text("include x.conf\ninclude x.conf\n")
    with pytest.raises(SlurmError, match=r"slurm\.conf:2: .*slurm\.conf:1 includes this file already"):
        read(str(tmp_path / "slurm.conf"), ours=str(tmp_path / "x.conf"))


def test_missing_includes_are_noted(tmp_path: Path) -> None:
    (tmp_path / "slurm.conf").write_text("A=1\ninclude gone.conf\n")
    (missing,) = read(str(tmp_path / "slurm.conf")).missing
    assert (missing.line.number, missing.path) == (2, f"{tmp_path}/gone.conf")


def test_files_that_include_each_other_end(tmp_path: Path) -> None:
    (tmp_path / "slurm.conf").write_text("include slurm.conf\ninclude slurm.conf\n")
    with pytest.raises(SlurmError, match="never end"):
        read(str(tmp_path / "slurm.conf"))


def test_a_cluster_name_that_comes_too_late_is_told(tmp_path: Path) -> None:
    (tmp_path / "slurm.conf").write_text("include %c.conf\nClusterName=x\n")
    with pytest.raises(SlurmError, match=r"slurm\.conf:1: %c"):
        read(str(tmp_path / "slurm.conf"))


@pytest.mark.parametrize("content", [None, b"A=\xff\n"])
def test_what_cannot_be_read_is_one_line_and_other_bytes_are_no_harm(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "slurm.conf"
    if content is None:
        with pytest.raises(SlurmError, match=r"slurm\.conf: can't be read: No such file"):
            read(str(path))
    else:
        path.write_bytes(content)
        assert read(str(path)).get("a") == "\ufffd"


def test_the_slurm_conf_of_the_environment_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_CONF", "/x/slurm.conf")
    assert path_in_use() == "/x/slurm.conf"
    monkeypatch.delenv("SLURM_CONF")
    assert path_in_use() == "/etc/slurm/slurm.conf"


def test_reading_it_loads_nothing_of_the_deploy_time() -> None:
    code = "import sys, xio_slurm.slurm.conf, xio_slurm.slurm.jobs; print(*sys.modules)"
    loaded = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=True).stdout.split()
    assert not {"pydantic", "click", "rich", "yaml", "requests"} & set(loaded)
