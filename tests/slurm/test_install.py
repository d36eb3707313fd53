"""``xio install``, ``upgrade`` and ``uninstall`` on a real cluster: jobs run, none is lost, and nothing is left."""

import json
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

import xio_slurm
from tests.slurm.jobs import jobs, submit, wait_completed
from tests.slurm.test_apply import NODE, configuration, without_us
from tests.slurm.waiting import wait_for
from xio_slurm.lab import Lab

THIS = (sys.executable, "-I", "-m", "xio_slurm.commands")


def content(folder: Path) -> dict[str, tuple[str | bytes, int, int, int]]:
    """Every file, folder and link: what is in it, its mode and owner."""
    found: dict[str, tuple[str | bytes, int, int, int]] = {}
    for path in folder.rglob("*"):
        status = path.lstat()
        what: str | bytes = "folder"
        if path.is_symlink():
            what = f"link to {path.readlink()}"
        elif path.is_file():
            what = path.read_bytes()
        found[str(path)] = (what, stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)
    return found


def new_version(folder: Path) -> Path:
    """Another xio-slurm in a virtual environment of its own; its Python."""
    subprocess.run((sys.executable, "-m", "venv", "--without-pip", folder), check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    ours = Path(xio_slurm.__file__).parent
    shutil.copytree(ours, site / "xio_slurm", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ours.parent / "etc", site / "xio_slurm" / "etc", dirs_exist_ok=True)
    (site / "libraries.pth").write_text("\n".join(path for path in sys.path if path.endswith("site-packages")) + "\n")
    (site / "xio_slurm" / "__init__.py").write_text('"""Another one."""\n\n__version__ = "99.0"\n')
    return folder / "bin" / "python"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A machine of its own, that has the labs' folders where the real one has them."""
    machine = tmp_path / "root"
    (machine / "etc" / "logrotate.d").mkdir(parents=True)
    (machine / "etc" / "logrotate.d" / "xio-slurm").write_text("# somebody's own\n")
    (machine / "tmp").symlink_to("/tmp")  # noqa: S108  where labs are
    return machine


def upgrade_under_a_job(lab: Lab, python: Path, root: Path, file: Path) -> None:
    """The job ends well, its VM goes, and the next job runs, all by the new programs."""
    other = (python, "-I", "-m", "xio_slurm.commands")
    finish = lab.layout.folder / "finish"
    number = submit(lab, "-p", "xio", command=f"while [ ! -e {finish} ]; do sleep 0.2; done")
    wait_for(lambda: jobs(lab, number)[0]["JobState"] == "RUNNING", 90)
    assert "xio upgrade" in lab.run(*other, "install", "--root", root, "-c", file).stderr
    upgraded = lab.run(*other, "upgrade", "--root", root)
    assert upgraded.returncode == 0, upgraded.stderr
    assert str(python) in (lab.layout.folder / "own" / "bin" / "xio-suspend").read_text()
    assert str(python) in (root / "usr" / "local" / "bin" / "xio").read_text()
    refused = lab.run(*other, "uninstall", "--root", root)
    assert refused.returncode == 1
    assert "the ledger has VMs of ours" in refused.stderr
    finish.touch()
    assert wait_completed(lab, number)[0]["Restarts"] == "0"
    lab.wait_until_idle(240)
    assert lab.run("srun", "-p", "xio", "hostname").stdout == f"{NODE}\n"
    lab.wait_until_idle(240)
    finish.unlink()


def test_installed_upgraded_under_a_job_and_uninstalled_without_a_trace(
    make_lab: Callable[..., Lab], root: Path, tmp_path: Path
) -> None:
    lab = make_lab(delegated_nodes=1, applied=False)
    layout = lab.layout
    without_us(lab)
    own = layout.folder / "own"
    file = configuration(lab, tmp_path / "xio.yaml")
    document = yaml.safe_load(file.read_text())
    places = {"ProgramDir": str(own / "bin"), "StateDir": str(own / "state"), "LogDir": str(own / "log")}
    document["slurm"]["Xio"]["Plugin"].update(places)
    file.write_text(yaml.safe_dump(document))
    before = {**content(root), **content(layout.etc)}
    names = sorted(path.name for path in layout.folder.iterdir())

    where = ("--slurm-conf", layout.slurm_conf, "--manifest", layout.manifest, "-c", file)
    installed = lab.run(*THIS, "install", "--root", root, *where)
    assert installed.returncode == 0, installed.stderr
    applied = lab.run(*THIS, "apply", "--yes", "-c", file, "-o", layout.etc, "--slurm-conf", layout.slurm_conf)
    assert applied.returncode == 0, applied.stderr
    assert f"ResumeProgram={own}/bin/xio-resume\n" in (layout.etc / "xio.nodes.conf").read_text()
    assert "ln -s" not in applied.stdout  # the programs find their manifest
    assert "nothing to do" in lab.run(*THIS, "install", "--root", root, *where).stdout
    lab.restart_slurmctld()
    job = lab.run("srun", "-p", "xio", "hostname")
    assert (job.returncode, job.stdout) == (0, f"{NODE}\n"), job.stderr

    upgrade_under_a_job(lab, new_version(layout.folder / "xio-2"), root, file)
    events = [json.loads(line) for line in (own / "log" / "events.jsonl").read_text().splitlines()]
    assert [event for event in events if event["event"] in {"failed", "told"}] == []
    shutil.rmtree(layout.folder / "xio-2")

    refused = lab.run(*THIS, "uninstall", "--root", root, "--purge")
    assert refused.returncode == 1
    assert "slurmctld is running with our nodes: stop it" in refused.stderr
    lab.stop_slurmctld()
    removed = lab.run(*THIS, "uninstall", "--root", root, "--purge")
    assert removed.returncode == 0, removed.stderr
    assert {**content(root), **content(layout.etc)} == before
    assert sorted(path.name for path in layout.folder.iterdir()) == names
    lab.start_slurmctld()
    assert set(lab.nodes()) == {"pc-1"}
    assert lab.run("srun", "-p", "pc", "hostname").stdout == "pc-1\n"
