"""The controller through pyslurm, on a stand-in for its module: the real one needs a Slurm of its own number."""

import json
import logging
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import pytest

from tests.manifests import manifest_with
from xio_slurm.errors import SlurmError, SlurmTimeout
from xio_slurm.slurm.controller import Controller, controller
from xio_slurm.slurm.pyslurm_controller import PyslurmController
from xio_slurm.slurm.scontrol import Scontrol

STAND_IN: Final = """
import json, os, pathlib, time

folder = pathlib.Path(os.environ["STAND_IN"])
print("slurm: what its library prints")
(folder / "started").open("a").write(os.environ.get("SLURM_CONF", "") + "\\n")
if (folder / "ends").exists():
    os._exit(1)


class Node:
    def __init__(self, name=None, **fields):
        self.name, self.fields = name, fields
        self.__dict__.update(fields)

    def modify(self, changes):
        with (folder / "changes").open("a") as file:
            file.write(json.dumps([self.name, changes.fields]) + "\\n")
        if "n-9" in self.name:
            raise RuntimeError("Invalid node name specified\\n")
        if (folder / "dies").exists():
            os._exit(1)


class Nodes(dict):
    @staticmethod
    def load():
        if (folder / "hangs").exists():
            time.sleep(60)
        return Nodes({
            "n-1": Node("n-1", state="IDLE+CLOUD+POWERED_DOWN", address="n-1", reason=None),
            "n-2": Node("n-2", state="DOWN+CLOUD+NEW", address="10.0.0.2", reason="xio:boot no\\u00e9"),
        })
"""
SCONTROL: Final = """#!/bin/sh
echo "$@" >> "$STAND_IN/scontrol"
echo 'NodeName=n-1 NodeAddr=n-1 State=IDLE+CLOUD'
"""


@dataclass(frozen=True, slots=True)
class Site:
    """A Slurm of that version, and beside xio-slurm a pyslurm, which notes what it is told."""

    folder: Path
    bin_dir: Path

    def told(self, file: str) -> list[str]:
        """The lines of a note."""
        path = self.folder / file
        return path.read_text().splitlines() if path.exists() else []

    def controller(self, *, timeout: float = 10.0, **fields: str) -> Controller:
        """Of a slurm.conf of its own, so that no other test's process answers."""
        manifest = manifest_with(slurm_bin_dir=str(self.bin_dir), **fields)
        return controller(manifest, slurm_conf=str(self.folder / "slurm.conf"), timeout=timeout)


@pytest.fixture
def make_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Site]:
    """Makes it; ``slurm`` is what Slurm says that it is."""

    def make(*, slurm: str = "slurm 25.11.7") -> Site:
        site = Site(tmp_path, tmp_path / "bin")
        packages = tmp_path / "packages"
        (packages / "pyslurm").mkdir(parents=True)
        (packages / "pyslurm" / "__init__.py").write_text(STAND_IN)
        (packages / "pyslurm-25.11.2.dist-info").mkdir()
        (packages / "pyslurm-25.11.2.dist-info" / "METADATA").write_text("Name: pyslurm\nVersion: 25.11.2\n")
        site.bin_dir.mkdir()
        for name, text in (("slurmctld", f"#!/bin/sh\necho '{slurm}'\n"), ("scontrol", SCONTROL)):
            (site.bin_dir / name).write_text(text)
            (site.bin_dir / name).chmod(0o755)
        monkeypatch.syspath_prepend(str(packages))
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(packages), *filter(None, sys.path))))
        monkeypatch.setenv("STAND_IN", str(tmp_path))
        return site

    return make


def test_nodes_are_read(make_site: Callable[..., Site]) -> None:
    slurm = make_site().controller()
    assert isinstance(slurm, PyslurmController)
    nodes = slurm.every_node()
    assert nodes.keys() == {"n-1", "n-2"}
    assert (nodes["n-1"].base, nodes["n-1"].powered_down, nodes["n-1"].reason) == ("IDLE", True, "")
    assert (sorted(nodes["n-2"].flags), nodes["n-2"].address) == (["CLOUD", "NEW"], "10.0.0.2")
    assert nodes["n-2"].reason == "xio:boot noé"
    assert slurm.nodes(["n-2", "n-3"]).keys() == {"n-2"}
    assert slurm.nodes([]) == {}


def test_nodes_are_changed_as_scontrol_changes_them(make_site: Callable[..., Site]) -> None:
    site = make_site()
    slurm = site.controller()
    slurm.set_state(["n-2", "n-1"], "DOWN", "xio:ems no")
    slurm.set_state([f"n-{number}" for number in range(10_000, 10_700)], "RESUME")
    slurm.set_addresses({"n-2": "10.0.0.2", "n-1": "10.0.0.1"})
    told = [json.loads(line) for line in site.told("changes")]
    assert told[0] == ["n-1,n-2", {"state": "DOWN", "reason": "xio:ems no"}]
    assert [len(names.split(",")) for names, changes in told[1:3]] == [500, 200]
    assert told[1][1] == {"state": "RESUME"}
    assert told[3] == ["n-1,n-2", {"address": "10.0.0.1,10.0.0.2"}]


def test_jobs_go_through_scontrol(make_site: Callable[..., Site]) -> None:
    site = make_site()
    site.controller().update_jobs(["7"], "StartTime=now")
    assert site.told("scontrol") == ["update JobId=7 StartTime=now"]
    assert site.told("started") == []


def test_one_process_serves_all_controllers_of_a_slurm_conf(make_site: Callable[..., Site]) -> None:
    site = make_site()
    for _ in range(3):
        site.controller().every_node()
    assert site.told("started") == [str(site.folder / "slurm.conf")]
    assert site.told("scontrol") == []


def test_what_slurm_refuses_is_one_line_and_the_process_stays(make_site: Callable[..., Site]) -> None:
    site = make_site()
    slurm = site.controller()
    with pytest.raises(SlurmError, match=r"^pyslurm: Invalid node name specified$"):
        slurm.set_state(["n-9"], "RESUME")
    assert slurm.every_node()
    assert len(site.told("started")) == 1


def test_a_pyslurm_that_ends_its_process_ends_not_ours(
    make_site: Callable[..., Site], caplog: pytest.LogCaptureFixture
) -> None:
    site = make_site()
    (site.folder / "ends").touch()
    with caplog.at_level(logging.WARNING):
        assert site.controller().every_node().keys() == {"n-1"}
        site.controller().set_state(["n-1"], "RESUME")
    assert site.told("scontrol") == ["show node -o --all", "update NodeName=n-1 State=RESUME"]
    assert len(site.told("started")) == 1
    assert [record.message.partition(":")[0] for record in caplog.records] == [
        "pyslurm can't be imported, so scontrol is used"
    ]


def test_a_process_that_dies_later_is_started_anew(make_site: Callable[..., Site]) -> None:
    site = make_site()
    slurm = site.controller()
    (site.folder / "dies").touch()
    with pytest.raises(SlurmError, match="its process has ended"):
        slurm.set_state(["n-1"], "RESUME")
    (site.folder / "dies").unlink()
    slurm.set_state(["n-1"], "RESUME")
    assert len(site.told("started")) == 2


def test_a_slurmctld_that_hangs_takes_no_longer_than_the_timeout(make_site: Callable[..., Site]) -> None:
    site = make_site()
    site.controller().every_node()
    (site.folder / "hangs").touch()
    began = time.monotonic()
    with pytest.raises(SlurmTimeout, match=r"pyslurm: no answer within 0\.5 s"):
        site.controller(timeout=0.5).every_node()
    assert time.monotonic() - began < 5
    (site.folder / "hangs").unlink()
    assert site.controller().every_node()
    assert len(site.told("started")) == 2


@pytest.mark.parametrize(
    ("backend", "slurm", "chosen", "says"),
    [
        ("auto", "slurm 25.11.0", PyslurmController, ""),
        ("auto", "slurm 22.05.8", Scontrol, ""),
        ("auto", "slurm 25.05.4", Scontrol, ""),
        ("auto", "what?", Scontrol, ""),
        ("pyslurm", "slurm 25.11.0", PyslurmController, ""),
        (
            "pyslurm",
            "slurm 26.05.1",
            Scontrol,
            "25.11.2 fits the Slurm of its number alone, and this is 26.05.1",
        ),
        ("pyslurm", "what?", Scontrol, "and this is unknown"),
        ("scontrol", "slurm 25.11.0", Scontrol, ""),
    ],
)
def test_which_is_chosen(
    backend: str,
    slurm: str,
    *,
    chosen: type,
    says: str,
    make_site: Callable[..., Site],
    caplog: pytest.LogCaptureFixture,
) -> None:
    site = make_site(slurm=slurm)
    assert type(site.controller(slurm_backend=backend)) is chosen
    assert len(caplog.messages) == bool(says)
    assert says in caplog.text
    assert site.told("started") == []


def test_one_that_is_asked_for_and_not_installed_is_told(caplog: pytest.LogCaptureFixture) -> None:
    if find_spec("pyslurm") is not None:
        pytest.skip("pyslurm is installed here")
    manifest = manifest_with(slurm_backend="pyslurm")
    assert type(controller(manifest)) is Scontrol
    assert "SlurmBackend: pyslurm can't be used, so scontrol is: it isn't installed" in caplog.text
    caplog.clear()
    assert type(controller(manifest_with())) is Scontrol
    assert caplog.messages == []
