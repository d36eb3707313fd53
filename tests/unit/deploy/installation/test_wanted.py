"""What a machine gets: decided from what is known of it alone."""

from dataclasses import replace

import pytest

from xio_slurm.deploy.installation.layout import COMMAND, LOGROTATE, UNIT
from xio_slurm.deploy.installation.site import Site
from xio_slurm.deploy.installation.wanted import Installation, wanted
from xio_slurm.errors import DeployError
from xio_slurm.shipped import shipped

TEMPLATES = (shipped("xio-sync.service").read_text(), shipped("logrotate").read_text())


def of(site: Site, own_bin: str = "/opt/xio/bin") -> Installation:
    return wanted(site, TEMPLATES, own_bin)


def text(installation: Installation, path: str) -> str:
    (file,) = [file for file in installation.files if file.path == path]
    return file.content.decode()


def test_the_programs_name_interpreter_and_manifest(site: Site) -> None:
    lines = text(of(site), "/usr/local/sbin/xio-suspend").splitlines()
    assert lines[-1] == (
        'exec /opt/xio/bin/python -I -m xio_slurm.power.suspend --manifest /etc/xio/manifest.json "$@"'
    )


def test_pips_own_command_stays(site: Site) -> None:
    assert COMMAND in {file.path for file in of(site).files}
    assert COMMAND not in {file.path for file in of(site, "/usr/local/bin").files}


def test_without_a_service_there_is_no_unit(site: Site) -> None:
    assert UNIT not in {file.path for file in of(replace(site, service=False)).files}


def test_nobody_but_root_can_write_any_of_it(site: Site) -> None:
    assert {file.mode & 0o022 for file in of(site).files} == {0}
    assert {folder.path: folder.mode for folder in of(site).folders if folder.owner is not None} == {
        "/var/lib/xio": 0o700,
        "/var/log/xio": 0o750,
    }


def test_folders_come_after_those_that_they_lie_in(site: Site) -> None:
    paths = [folder.path for folder in of(replace(site, state_dir="/shared/a/b/xio")).folders]
    assert paths.index("/shared") < paths.index("/shared/a") < paths.index("/shared/a/b/xio")


@pytest.mark.parametrize(
    ("changes", "there", "not_there"),
    [
        ({}, ["StateDirectory=xio", "LogsDirectory=xio", "ProtectHome=yes", "PrivateTmp=yes", "User=slurm"], []),
        ({"state_dir": "/shared/xio"}, ["ReadWritePaths=/shared/xio /var/log/xio"], ["StateDirectory"]),
        ({"log_dir": "/var/log/a/b"}, [], ["LogsDirectory"]),
        ({"interpreter": "/home/a/venv/bin/python"}, ["ProtectHome=read-only"], []),
        ({"manifest": "/tmp/m.json"}, ["PrivateTmp=no"], []),  # noqa: S108  looked at, not used
        ({"slurm_conf": "/opt/slurm/etc/slurm.conf"}, ["Environment=SLURM_CONF=/opt/slurm/etc/slurm.conf"], []),
    ],
)
def test_the_unit_lets_the_service_at_what_it_needs(
    site: Site, changes: dict[str, str], there: list[str], not_there: list[str]
) -> None:
    unit = text(of(replace(site, **changes)), UNIT)  # type: ignore[arg-type]  # fields that are texts
    lines = unit.splitlines()
    assert [line for line in there if line not in lines] == []
    assert [word for word in not_there if word in unit] == []


@pytest.mark.parametrize("path", ["/a b", "/a%n", "/a'", "/a\nb", '/a"', "/a$b"])
@pytest.mark.parametrize("field", ["state_dir", "log_dir", "interpreter", "manifest"])
def test_a_path_that_systemd_would_read_otherwise_is_refused(site: Site, field: str, path: str) -> None:
    with pytest.raises(DeployError, match=r"needs a path|absolute path"):
        of(replace(site, **{field: path}))  # type: ignore[arg-type]  # a field that is a text


def test_logrotate_works_as_slurm_user(site: Site) -> None:
    lines = text(of(replace(site, log_dir="/shared/log")), LOGROTATE).splitlines()
    assert "/shared/log/xio.log /shared/log/events.jsonl {" in lines
    assert "    su slurm hpc" in lines
