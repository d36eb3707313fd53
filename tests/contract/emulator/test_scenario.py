"""Scenario files that are wrong are told in one line a problem: file, place, what was found."""

from pathlib import Path

import pytest

from xio_slurm.emulator.options import Options
from xio_slurm.emulator.scenario import load_scenario
from xio_slurm.emulator.server import Server
from xio_slurm.errors import EmulatorError


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "should hold keys"),
        ("- 1\n", "should hold keys"),
        ("settings: [\n", "line 2: expected the node content"),
        ("a: !!python/object:os.system {}\n", "python/object"),
        ("fault: []\n", "fault: Extra inputs"),
        ("settings: {boot: 1}\n", "settings.boot"),
        ("settings: {boot_seconds: soon}\n", "settings.boot_seconds: .*'soon'"),
        ("settings: {existing_vm: 418}\n", "settings.existing_vm"),
        ("faults: {effect: latency}\n", "faults"),
        ("faults: [{effect: boom}]\n", "faults.0: .*boom"),
        ("faults: [{match: {node: n}}]\n", "faults.0: .*effect"),
        ("faults: [{effect: latency}]\n", "faults.0.latency.seconds: Field required"),
        ("faults: [{effect: status, status: 42}]\n", "faults.0.status.status: .*42"),
        ("images: [{ImageName: a}, {Name: i}]\n", "images.1.ImageName: Field required"),
        ("profiles: [{ProfileName: a-b}]\n", "profiles.0.ProfileName: .*a-b"),
        ("environments: [{EnvName: e, Pools: [{PoolName: p}]}]\n", "environments.0.Pools.0.PoolSize"),
    ],
)
def test_a_wrong_scenario_is_told(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "scenario.yaml"
    file.write_text(text)
    with pytest.raises(EmulatorError, match=told) as caught:
        load_scenario(file)
    assert all(line.startswith(f"{file}: ") for line in str(caught.value).splitlines())


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "scenario.yaml"
    file.write_text("settings: {boot_seconds: -1, seed: x}\nfaults: [{effect: none}]\n")
    with pytest.raises(EmulatorError) as caught:
        load_scenario(file)
    assert len(str(caught.value).splitlines()) == 3


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"\xff\xfe\x00", "UTF-8"), (b'{"settings": ', "line 1: Expecting value"), (b"[" * 99_999, "too deeply")],
)
def test_a_file_that_is_no_text_or_no_json_is_told(tmp_path: Path, content: bytes, told: str) -> None:
    file = tmp_path / "scenario.json"
    file.write_bytes(content)
    with pytest.raises(EmulatorError, match=told):
        load_scenario(file)


def test_a_folder_is_no_scenario(tmp_path: Path) -> None:
    with pytest.raises(EmulatorError, match="directory"):
        load_scenario(tmp_path)


def test_two_documents_of_one_name_are_told(tmp_path: Path) -> None:
    file = tmp_path / "scenario.yaml"
    file.write_text("images: [{ImageName: i}, {ImageName: i}]\n")
    with pytest.raises(EmulatorError, match="image i exists"):
        Server(Options(scenario=load_scenario(file)))


def test_a_profile_az1_of_the_scenario_takes_the_place_of_ours(tmp_path: Path) -> None:
    file = tmp_path / "scenario.yaml"
    file.write_text("profiles: [{ProfileName: az1, Mine: true}]\n")
    profiles = Server(Options(scenario=load_scenario(file))).emulation.state.profiles
    assert profiles.get("az1")["Mine"] is True
    assert profiles.names() == ["az1"]
