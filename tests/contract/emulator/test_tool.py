"""The emulator as a tool of Python tests."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
import requests

from xio_slurm.emulator import Emulator, Scenario, Settings
from xio_slurm.errors import EmulatorError


def test_the_fixture_is_used_as_the_documentation_says(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["xio_slurm.emulator.fixture"]\n')
    (tmp_path / "test_mine.py").write_text(
        "import urllib.request\n"
        "def test_mine(ems_emulator):\n"
        "    with urllib.request.urlopen(ems_emulator.url + '/v1/xcompute/vms') as answer:\n"
        "        assert answer.status == 200\n"
        "    assert [each.path for each in ems_emulator.requests()] == ['/v1/xcompute/vms']\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout


def test_importing_the_package_loads_no_server() -> None:
    code = "import sys, xio_slurm.emulator; print([m for m in sys.modules if m in ('aiohttp', 'pydantic', 'yaml')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"


def test_an_unknown_name_of_the_package_is_an_attribute_error() -> None:
    import xio_slurm.emulator  # noqa: PLC0415  # the package itself is the subject

    with pytest.raises(AttributeError, match="Emulatr"):
        _ = xio_slurm.emulator.Emulatr
    for name in xio_slurm.emulator.__all__:
        assert getattr(xio_slurm.emulator, name).__name__ == name


def test_settings_go_on_top_of_a_scenario() -> None:
    scenario = Scenario(settings=Settings(version="1", boot_seconds=5))
    with Emulator(scenario=scenario, boot_seconds=6) as emulator:
        assert (emulator.settings().version, emulator.settings().boot_seconds) == ("1", 6)


def test_a_wrong_setting_is_told_before_anything_starts() -> None:
    before = threading.active_count()
    with pytest.raises(EmulatorError, match="boot_second"):
        Emulator(boot_second=1)
    assert threading.active_count() == before


def test_it_leaves_no_thread_and_no_port() -> None:
    before = threading.active_count()
    with Emulator() as emulator:
        url = emulator.url
        assert requests.get(f"{url}/v1/xcompute/vms", timeout=60).status_code == 200
    assert threading.active_count() == before
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{url}/v1/xcompute/vms", timeout=60)


def test_it_must_be_running_to_be_asked() -> None:
    with pytest.raises(EmulatorError, match="with statement"):
        Emulator().vms()


def test_requests_are_found_by_method_and_path() -> None:
    with Emulator() as emulator:
        for path in ("/v1/envs", "/v1/images"):
            requests.get(emulator.url + path, timeout=60)
        assert [each.path for each in emulator.requests("GET", "/v1/env")] == ["/v1/envs"]
        assert emulator.requests("POST") == []
        emulator.forget_requests()
        assert emulator.requests() == []


def test_waiting_in_vain_is_told() -> None:
    with Emulator() as emulator, pytest.raises(EmulatorError, match="in vain"):
        emulator.wait_until(lambda: False, seconds=0.05)


def test_a_fault_that_is_not_there_can_not_be_removed() -> None:
    with Emulator() as emulator, pytest.raises(EmulatorError, match="no fault 7"):
        emulator.remove_fault(7)
