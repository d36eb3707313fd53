"""``xio generate`` as an administrator types it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from xio_slurm.manifest import Manifest
from xio_slurm.shipped import shipped
from xio_slurm.slurm.conf import read

SAMPLE = shipped("xio.yaml")


@dataclass(frozen=True)
class Run:
    code: int
    out: str
    err: str

    @property
    def all(self) -> str:
        return self.out + self.err


@pytest.fixture
def generate(tmp_path: Path) -> Callable[..., Run]:
    """Runs the command in a machine without a slurm.conf, unless one is given."""

    def run(*arguments: object, config: Path = SAMPLE, folder: Path = tmp_path / "out") -> Run:
        command = (sys.executable, "-m", "xio_slurm.commands", "generate", "-c", config, "-o", folder, *arguments)
        environment = {**os.environ, "SLURM_CONF": str(tmp_path / "no-slurm.conf")}
        ended = subprocess.run(
            list(map(str, command)), capture_output=True, text=True, env=environment, cwd=tmp_path, check=False
        )
        assert "Traceback" not in ended.stderr
        return Run(ended.returncode, ended.stdout, ended.stderr)

    return run


def changed(tmp_path: Path, *edits: tuple[str, str]) -> Path:
    """The sample with edits, under the sample's name."""
    path = tmp_path / "edited" / SAMPLE.name
    path.parent.mkdir(exist_ok=True)
    text = SAMPLE.read_text()
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)
    return path


def state(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


def test_the_sample_becomes_two_files_that_belong_together(generate: Callable[..., Run], tmp_path: Path) -> None:
    run = generate()
    assert run.code == 0
    assert "+ 10 nodes in new pool amd-8-gb-1-cores" in run.out
    manifest = Manifest.read(str(tmp_path / "out" / "manifest.json"))
    nodes = read(str(tmp_path / "out" / "xio.nodes.conf")).nodes
    assert len(nodes) == sum(pool.size for pool in manifest.pools) == 50
    assert all(manifest.pool_of(node) for node in nodes)


def test_it_says_what_is_to_be_done_next(generate: Callable[..., Run], tmp_path: Path) -> None:
    out = generate().out
    assert f"include {tmp_path}/out/xio.nodes.conf" in out
    assert f"ln -s {tmp_path}/out/manifest.json /etc/xio/manifest.json" in out
    assert "Slurm: stop slurmctld, put the include into slurm.conf, start it" in out


def test_the_same_again_is_unchanged_to_the_byte(generate: Callable[..., Run], tmp_path: Path) -> None:
    generate()
    before = state(tmp_path / "out")
    run = generate()
    assert run.code == 0
    first, *others = run.out.splitlines()
    assert first.startswith("unchanged: ")
    assert all(line.startswith("next: the programs look for ") for line in others)  # told until it is done
    assert state(tmp_path / "out") == before


def test_a_change_is_told_and_written(generate: Callable[..., Run], tmp_path: Path) -> None:
    generate()
    run = generate(config=changed(tmp_path, ("PoolSize: 10", "PoolSize: 12")))
    assert run.code == 0
    assert "+ 2 nodes in pool amd-8-gb-1-cores (xspot-vm-amd-8-gb-1-cores-[11-12])" in run.out
    assert "wrote: " in run.out
    assert "Slurm: restart slurmctld, and don't reconfigure it" in run.out
    assert len(read(str(tmp_path / "out" / "xio.nodes.conf")).nodes) == 60


def test_nodes_that_go_ask_for_their_jobs_and_say_where_none_were_looked_up(
    generate: Callable[..., Run], tmp_path: Path
) -> None:
    generate()
    run = generate(config=changed(tmp_path, ("PoolSize: 10", "PoolSize: 8")))
    assert run.code == 0
    assert "- 2 nodes in pool amd-8-gb-1-cores (xspot-vm-amd-8-gb-1-cores-[9-10])" in run.out
    assert "wasn't looked up: there is no slurm.conf here" in run.err


def test_a_dry_run_writes_nothing(generate: Callable[..., Run], tmp_path: Path) -> None:
    run = generate("--dry-run")
    assert run.code == 0
    assert "would write: " in run.out
    assert not (tmp_path / "out").exists()
    generate()
    before = state(tmp_path / "out")
    assert "unchanged: " in generate("--dry-run").out
    assert "would write: " in generate("--dry-run", config=changed(tmp_path, ("PoolSize: 10", "PoolSize: 3"))).out
    assert state(tmp_path / "out") == before


def test_a_broken_configuration_writes_nothing_and_says_where(generate: Callable[..., Run], tmp_path: Path) -> None:
    config = changed(tmp_path, ("PoolSize: 10", "PoolSize: none"))
    run = generate(config=config)
    assert run.code == 1
    assert f"{config}:" in run.err
    assert not (tmp_path / "out").exists()


def test_a_missing_configuration_is_one_line(generate: Callable[..., Run], tmp_path: Path) -> None:
    run = generate(config=tmp_path / "none.yaml")
    assert run.code == 1
    assert len(run.err.splitlines()) == 1


def test_wrong_usage_is_exit_code_2(tmp_path: Path) -> None:
    command = (sys.executable, "-m", "xio_slurm.commands", "generate")
    assert subprocess.run(command, capture_output=True, cwd=tmp_path, check=False).returncode == 2


def test_warnings_of_the_configuration_are_on_stderr_and_hinder_nothing(
    generate: Callable[..., Run], tmp_path: Path
) -> None:
    run = generate(config=changed(tmp_path, ("CPUs: 24", "CPUs: 8")))
    assert run.code == 0
    assert "warning: slurm.Xio.Pools[4].CPUs" in run.err
    assert "warning:" not in run.out


def test_an_ems_without_an_address_is_told_once(generate: Callable[..., Run], tmp_path: Path) -> None:
    edits = ("    ManagementServerIp: 10.0.0.10\n", ""), ("# ManagementServerStackName", "ManagementServerStackName")
    run = generate(config=changed(tmp_path, *edits))
    assert run.code == 0
    assert run.all.count("the EMS's address isn't known") == 1
    assert "EMS's address" not in generate(folder=tmp_path / "other").all


def test_an_address_that_was_looked_up_outlives_generate(generate: Callable[..., Run], tmp_path: Path) -> None:
    edits = ("    ManagementServerIp: 10.0.0.10\n", ""), ("# ManagementServerStackName", "ManagementServerStackName")
    config = changed(tmp_path, *edits)
    generate(config=config)
    manifest = tmp_path / "out" / "manifest.json"
    known = {**json.loads(manifest.read_text()), "ems_url": "http://10.9.9.9:5000"}
    manifest.write_text(json.dumps(known))
    assert "EMS's address" not in generate(config=config).all
    assert json.loads(manifest.read_text())["ems_url"] == "http://10.9.9.9:5000"
    other = changed(tmp_path, *edits, ("exostellar-management-server", "another-stack"))
    assert "the EMS's address isn't known" in generate(config=other).all
    assert json.loads(manifest.read_text())["ems_url"] is None


def test_a_duplicate_in_slurm_conf_is_refused_with_its_place(generate: Callable[..., Run], tmp_path: Path) -> None:
    conf = tmp_path / "slurm.conf"
    conf.write_text("ClusterName=x\nNodeName=xspot-vm-amd-8-gb-1-cores-3 CPUs=1\nPartitionName=xio Nodes=ALL\n")
    run = generate("--slurm-conf", conf)
    assert run.code == 1
    assert f"{conf}:2" in run.err
    assert f"partition xio: defined already at {conf}:3" in run.err
    assert not (tmp_path / "out").exists()


def test_our_own_old_include_is_no_duplicate(generate: Callable[..., Run], tmp_path: Path) -> None:
    conf = tmp_path / "slurm.conf"
    conf.write_text("ClusterName=x\ninclude out/xio.nodes.conf\n")
    assert generate("--slurm-conf", conf).code == 0
    run = generate("--slurm-conf", conf, config=changed(tmp_path, ("PoolSize: 10", "PoolSize: 12")))
    assert run.code == 0
    assert "next: put this line" not in run.out


def test_a_lost_include_is_told_at_every_run(generate: Callable[..., Run], tmp_path: Path) -> None:
    conf = tmp_path / "slurm.conf"
    conf.write_text("ClusterName=x\n")
    generate("--slurm-conf", conf)
    run = generate("--slurm-conf", conf)
    assert "unchanged" in run.out
    assert f"next: put this line at the end of {conf}: include" in run.out


def test_a_slurm_conf_that_is_not_there_is_told_if_it_was_asked_for(
    generate: Callable[..., Run], tmp_path: Path
) -> None:
    run = generate("--slurm-conf", tmp_path / "gone")
    assert run.code == 1
    assert run.err.strip() == f"xio: {tmp_path}/gone: there is no such slurm.conf: give the cluster's with --slurm-conf"


def test_json_is_one_document_with_everything(generate: Callable[..., Run], tmp_path: Path) -> None:
    generate()
    run = generate("--json", config=changed(tmp_path, ("PoolSize: 10", "PoolSize: 9")))
    document = json.loads(run.out)
    assert document["outcome"] == "wrote"
    assert document["manifest"] == str(tmp_path / "out" / "manifest.json")
    assert len(document["removed_nodes"]) == 5
    assert document["running_jobs"] is None
    assert {"kind": "nodes", "text": "- 1 node in pool amd-8-gb-1-cores (xspot-vm-amd-8-gb-1-cores-10)"} in document[
        "changes"
    ]
    assert json.loads(generate("--json", config=changed(tmp_path, ("PoolSize: 10", "PoolSize: 9"))).out)["outcome"] == (
        "unchanged"
    )


def test_a_refusal_in_json_is_a_document_too(generate: Callable[..., Run], tmp_path: Path) -> None:
    conf = tmp_path / "slurm.conf"
    conf.write_text("ClusterName=x\nPartitionName=xio Nodes=ALL\n")
    run = generate("--json", "--slurm-conf", conf)
    assert run.code == 1
    document = json.loads(run.out)
    assert document["outcome"] == "refused"
    assert len(document["errors"]) == 1


def test_a_folder_that_is_a_file_is_one_line(generate: Callable[..., Run], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    run = generate(folder=tmp_path / "file")
    assert run.code == 1
    assert run.err == f"xio: {tmp_path}/file: is no folder: name the one for xio.nodes.conf and manifest.json\n"
    assert (tmp_path / "file").read_text() == ""


def test_slurm_conf_is_found_beside_the_folder_of_slurms_programs(generate: Callable[..., Run], tmp_path: Path) -> None:
    conf = tmp_path / "slurm" / "etc" / "slurm.conf"
    conf.parent.mkdir(parents=True)
    conf.write_text("ClusterName=x\nPartitionName=xio Nodes=ALL\n")
    config = changed(tmp_path, ("    # Plugin:\n", f"    Plugin:\n      SlurmBinDir: {tmp_path}/slurm/bin\n"))
    run = generate(config=config)
    assert f"partition xio: defined already at {conf}:2" in run.err
