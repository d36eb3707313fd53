"""``xio`` in a lab: it knows where it is, and finds a sound cluster."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.slurm.test_lab import xio_lab

ROOT = Path(__file__).parents[2]

OF_A_LAB = {"sync", "timeouts", "configuration"}
"""What is truly so of it: no service, and short times, of which the configuration's check warns."""


def inside(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return xio_lab("run", "--dir", folder, "--", *command)


def document(folder: Path, *command: str) -> Any:
    ended = inside(folder, *command, "--json")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return json.loads(ended.stdout)


def configuration(path: Path, product: str) -> Path:
    """The sample with the settings that a lab overrides, and with a name of its cluster."""
    written = yaml.safe_load((ROOT / "etc" / "xio.yaml").read_text())
    section = written["slurm"].pop("Xio")
    section["Plugin"] = {"EmsProxy": "http://proxy:3128", "ResumeRate": 7, "OrphanGrace": 77, "LogDir": "/var/log/x"}
    section["VmRootPasswordSecret"] = "Secret"
    written["slurm"] |= {product: section, "ClusterName": "mine"}
    path.write_text(yaml.safe_dump(written))
    return path


@pytest.mark.parametrize("product", ["sample", "Xio", "Xwo"])
def test_xio_finds_its_lab_by_itself_and_a_sound_cluster_in_it(lab_path: Path, tmp_path: Path, product: str) -> None:
    options = () if product == "sample" else ("--config", configuration(tmp_path / "my.yaml", product), "--sync")
    made = xio_lab("up", "--dir", lab_path, "--delegated-nodes", "1", *options)
    assert made.returncode == 0, made.stderr
    own = lab_path / "etc" / "xio.yaml"

    assert inside(lab_path, "sh", "-c", "command -v xio").stdout == f"{lab_path}/bin/xio\n"
    doctor = document(lab_path, "xio", "doctor", "-c", str(own))
    found = [finding for finding in doctor["findings"] if finding["area"] not in OF_A_LAB]
    assert found == []
    assert {each["why"] for each in doctor["not_checked"]} <= {"no answer within 3 s"}  # on a busy machine
    assert [finding for finding in doctor["findings"] if finding["severity"] == "error"] == []
    assert "isn't what is deployed" not in str(doctor)
    planned = inside(lab_path, "xio", "plan", "--detailed-exitcode")
    assert (planned.returncode, planned.stdout.splitlines()[-1]) == (
        0,
        "Nothing to do: everything is as the configuration says.",
    ), planned.stdout + planned.stderr
    pools = [pool["pool"] for pool in document(lab_path, "xio", "status")["pools"]]
    assert document(lab_path, "xio", "check")["file"] == str(own)
    assert inside(lab_path, "xio", "pool", "list").returncode == 0
    assert document(lab_path, "xio", "explain", pools[0])["weight"] == "fine"


def test_a_scenarios_documents_stay_beside_those_of_the_configuration(lab_path: Path, tmp_path: Path) -> None:
    scenario = tmp_path / "scenario.json"
    theirs = {"ImageName": "theirs", "ImageId": "ami-9", "Odd": {"kept": [1]}}
    scenario.write_text(json.dumps({"images": [theirs], "settings": {"boot_seconds": 0.1}}))
    made = xio_lab("up", "--dir", lab_path, "--scenario", scenario)
    assert made.returncode == 0, made.stderr
    images = json.loads((lab_path / "etc" / "ems.json").read_text())["images"]
    assert images[0] == theirs
    assert len(images) == 2
    assert inside(lab_path, "xio", "plan", "--detailed-exitcode").returncode == 0


def test_a_scenario_that_makes_no_sense_is_told(lab_path: Path, tmp_path: Path) -> None:
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text("faults: [{effect: nonsense}]\n")
    made = xio_lab("up", "--dir", lab_path, "--scenario", scenario)
    assert made.returncode == 1
    assert made.stderr.startswith(f"xio: {scenario}: faults.0: ")
    assert not lab_path.exists()
