"""slurm.conf belongs to somebody else: one line more at its end, and all else as it was."""

import os
import stat
from pathlib import Path

import pytest

from xio_slurm.errors import DeployError
from xio_slurm.plan.include_line import include_line, put_include, with_include
from xio_slurm.slurm.conf import logical_lines, read

NOBODY = 65534
OURS = "/etc/xio/xio.nodes.conf"


def put(conf: Path, ours: Path | str = OURS) -> Path | None:
    """Put the line of a file of ours into slurm.conf, as it is now."""
    return put_include(read(str(conf), ours=str(ours)), Path(ours))


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    path = tmp_path / "slurm.conf"
    path.write_text("ClusterName=x\n")
    return path


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b"include /o\n"),
        (b"ClusterName=x\n", b"ClusterName=x\ninclude /o\n"),
        (b"ClusterName=x", b"ClusterName=x\ninclude /o\n"),
        (b"ClusterName=x\r\n", b"ClusterName=x\r\ninclude /o\r\n"),
        (b"A=1\r\nClusterName=x", b"A=1\r\nClusterName=x\r\ninclude /o\r\n"),
        (b"NodeName=n \\", b"NodeName=n \\\n\ninclude /o\n"),
        (b"NodeName=n \\\n", b"NodeName=n \\\n\ninclude /o\n"),
        (b"NodeName=n \\\r\n", b"NodeName=n \\\r\n\r\ninclude /o\r\n"),
        (b"# no continuation \\\n", b"# no continuation \\\ninclude /o\n"),
        (b"\xff\xfe\n", b"\xff\xfe\ninclude /o\n"),
    ],
)
def test_the_line_stands_alone_at_the_end_whatever_the_last_line_is(before: bytes, after: bytes) -> None:
    assert with_include(before, "include /o") == after
    lines = [*logical_lines(after.decode(errors="replace").splitlines(keepends=True), "slurm.conf")]
    assert [line.text for line in lines if "include" in line.text] == ["include /o"]


def test_slurm_conf_includes_us_afterwards_and_a_second_time_does_nothing(conf: Path) -> None:
    backup = put(conf)
    assert conf.read_text() == f"ClusterName=x\ninclude {OURS}\n"
    assert read(str(conf), ours=OURS).included is not None
    assert backup is not None
    assert backup.read_text() == "ClusterName=x\n"
    before = conf.stat()
    assert put(conf) is None
    assert (conf.stat().st_ino, conf.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize(
    "line", ["Include {0}/o.conf", "INCLUDE\t{0}/o.conf # ours", "include o.conf", "include ./o.conf"]
)
def test_a_line_in_any_spelling_is_enough(conf: Path, line: str) -> None:
    conf.write_text(f"ClusterName=x\n{line.format(conf.parent)}\nNodeName=n\n")
    before = conf.read_bytes()
    assert put(conf, conf.parent / "o.conf") is None
    assert conf.read_bytes() == before


def test_a_line_in_an_included_file_or_over_a_link_is_enough(conf: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / "more.conf").write_text("include link/o.conf\n")
    conf.write_text("include more.conf\n")
    assert put(conf, tmp_path / "o.conf") is None
    assert conf.read_text() == "include more.conf\n"


def test_a_link_stays_and_the_file_that_it_leads_to_is_replaced(conf: Path, tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    link = tmp_path / "etc" / "slurm.conf"
    link.symlink_to(conf)
    backup = put(link)
    assert link.is_symlink()
    assert conf.read_text().endswith(f"include {OURS}\n")
    assert backup is not None
    assert backup.parent == tmp_path


def test_mode_owner_and_attributes_are_kept_on_both(conf: Path) -> None:
    conf.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(conf, NOBODY, NOBODY)
    attributes = {}
    try:
        os.setxattr(conf, "user.note", b"kept")
        attributes = {"user.note": b"kept"}
    except OSError:
        pass  # this file system has none
    old = conf.stat()
    backup = put(conf)
    assert backup is not None
    for path in (conf, backup):
        now = path.stat()
        assert (stat.S_IMODE(now.st_mode), now.st_uid, now.st_gid) == (0o640, old.st_uid, old.st_gid)
        assert {name: os.getxattr(path, name) for name in attributes} == attributes


def test_the_backup_is_no_conf_file_to_who_takes_all_of_a_folder(conf: Path) -> None:
    put(conf)
    assert [*conf.parent.glob("*.conf")] == [conf]


def test_a_slurm_conf_that_changed_since_the_plan_is_left_alone(conf: Path) -> None:
    planned = read(str(conf), ours=OURS)
    conf.write_text("ClusterName=y\n")
    with pytest.raises(DeployError, match=r"\A[^\n]*somebody has changed it since the plan was made[^\n]*\Z"):
        put_include(planned, Path(OURS))
    assert conf.read_text() == "ClusterName=y\n"
    assert [path.name for path in conf.parent.iterdir()] == ["slurm.conf"]


@pytest.mark.parametrize("path", ["/a b/o", "/a#b", '/"a"', "/a\\b", "/%c/o", "/a\nb", "/\udcff"])
def test_a_path_that_slurm_conf_cannot_name_is_refused_in_one_line(path: str) -> None:
    with pytest.raises(DeployError, match=r"\A[^\n]*\Z"):
        include_line(Path(path))
