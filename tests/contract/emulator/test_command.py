"""``xio emulator`` as people and other programs start it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import requests

COMMAND = [sys.executable, "-m", "xio_slurm.commands", "emulator"]
DATA = Path(__file__).parents[2] / "data" / "emulator"


@contextmanager
def running(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command on a free port, and its URL from the line that it prints."""
    with subprocess.Popen(
        [*COMMAND, "--port", "0", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("EMS emulator on http://")
            yield process, line.split()[3]
        finally:
            process.kill()


def refused(*options: str) -> str:
    """What it says on standard error, in one line, with exit code 1."""
    done = subprocess.run([*COMMAND, *options], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("xio: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_serves_in_silence_until_told_to_end(number: signal.Signals) -> None:
    with running() as (process, url):
        assert requests.get(f"{url}/v1/xcompute/vms", timeout=60).json() == {"Vms": []}
        process.send_signal(number)
        assert process.communicate(timeout=60) == ("", "")
        assert process.returncode == 0


def test_requests_that_wait_do_not_keep_it_from_ending() -> None:
    with running() as (process, url):
        requests.put(f"{url}/emulator/settings", json={"latency": 3600}, timeout=60)
        with pytest.raises(requests.ReadTimeout):
            requests.get(f"{url}/v1/xcompute/vms", timeout=0.3)
        process.terminate()
        assert process.wait(30) == 0


def test_clients_that_hang_up_are_no_error() -> None:
    faults: list[dict[str, object]] = [
        {"effect": "lost-answer"},
        {"effect": "lost-request", "how": "close"},
        {"effect": "truncated-body"},
        {"effect": "huge-body", "bytes": 10**12},
        {"effect": "slow-drip", "seconds": 1},
        {"effect": "latency", "seconds": 0.5},
    ]
    whats = [
        b"GET /v1/profiles HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /v1/image HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{",
        b"this is no HTTP\r\n\r\n",
    ]
    with running() as (process, url):
        for fault in faults:
            requests.post(f"{url}/emulator/faults", json=fault, timeout=60)
            for what in whats:
                with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=60) as connection:
                    connection.sendall(what)
                    connection.settimeout(0.1)
                    with suppress(TimeoutError, ConnectionError):
                        connection.recv(10)
            requests.delete(f"{url}/emulator/faults", timeout=60)
        time.sleep(1.2)  # so that what is still under way meets the closed connections
        process.terminate()
        assert process.communicate(timeout=60) == ("", "")
        assert process.returncode == 0


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be another user")
@pytest.mark.parametrize("options", [["--only-user", "daemon"], ["--only-user", "root"], []])
def test_users_that_were_not_named_are_refused(options: list[str]) -> None:
    ask = (
        "import sys, urllib.request as u\ntry: print(u.urlopen(sys.argv[1]).status)\nexcept OSError as e: print(e.code)"
    )
    with running(*options) as (_, url):
        assert requests.get(f"{url}/v1/xcompute/vms", timeout=60).status_code == 200
        said = {
            user: subprocess.run(
                ["/usr/bin/python3", "-c", ask, f"{url}/v1/xcompute/vms"],
                user=user,
                cwd="/",
                capture_output=True,
                text=True,
                timeout=60,
                check=True,
            ).stdout.strip()
            for user in ("daemon", "nobody")
        }
    allowed = {"daemon", "nobody"} if not options else set(options)
    assert said == {user: "200" if user in allowed else "403" for user in ("daemon", "nobody")}


def test_the_port_file_is_written_when_it_listens(tmp_path: Path) -> None:
    port_file = tmp_path / "port"
    with running("--port-file", str(port_file)) as (_, url):
        assert url.endswith(f":{port_file.read_text().strip()}")
    assert "port can't be written" in refused("--port", "0", "--port-file", str(tmp_path / "none" / "port"))


def test_verbose_tells_each_request() -> None:
    with running("--verbose") as (process, url):
        requests.post(f"{url}/emulator/faults", json={"effect": "latency", "seconds": 0}, timeout=60)
        requests.get(f"{url}/v1/xcompute/vm/n-1", timeout=60)
        process.terminate()
        output, _ = process.communicate(timeout=60)
    assert output.startswith("GET /v1/xcompute/vm/n-1 404 ")
    assert output.endswith(" ms  faults 1\n")


def test_boot_seconds_and_variables_are_taken(tmp_path: Path) -> None:
    with running("--boot-seconds", "3.5", "--vm-dir", str(tmp_path / "vms"), "--run-user-data") as (_, url):
        assert requests.get(f"{url}/emulator/settings", timeout=60).json()["boot_seconds"] == 3.5
        assert (tmp_path / "vms").stat().st_mode & 0o777 == 0o700


def test_a_taken_port_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert "Address already in use" in refused("--port", str(taken.getsockname()[1]))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--address", "localhost"], "not an IP address"),
        (["--address", "0.0.0.0", "--run-user-data"], "loopback|127.0.0.1"),  # noqa: S104  # it is refused
        (["--address", "192.0.2.1"], "can't listen"),
        (["--port", "70000"], "65535"),
        (["--boot-seconds", "-1"], "boot_seconds"),
        (["--kill-grace", "-1"], "negative"),
        (["--only-user", "no-such-user"], "no such user"),
        (["--vm-addresses", "10.0.0.0/8"], "127.0.0.0/8"),
        (["--vm-addresses", "127.77.0.1/16"], "host bits"),
        (["--scenario", "/no/such/file.yaml"], "No such file"),
    ],
)
def test_wrong_options_are_told(options: list[str], told: str) -> None:
    message = refused("--port", "0", *options)
    assert any(each in message for each in told.split("|")), message


def test_a_folder_that_others_can_write_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    assert "chmod 700" in refused("--port", "0", "--run-user-data", "--vm-dir", str(tmp_path))


def test_a_variable_without_a_value_is_wrong_usage() -> None:
    done = subprocess.run([*COMMAND, "--vm-env", "NAME"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "NAME=VALUE" in done.stderr


def test_without_aiohttp_it_says_what_to_install(tmp_path: Path) -> None:
    # A module that can't be found stands for one that isn't installed: this makes the finder say so.
    hide = (
        "import importlib.util, sys\n"
        "find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *more: None if name == 'aiohttp' else find(name, *more)\n"
        "sys.modules['aiohttp'] = None\n"
        "sys.argv = ['xio', 'emulator', '--port', '0']\n"
        "from xio_slurm.commands.main import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", hide], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr == "xio: the emulator needs aiohttp: pip install 'xio-slurm[emulator]'\n"


def test_a_scenario_is_there_from_the_start() -> None:
    with running("--scenario", str(DATA / "full.yaml"), "--boot-seconds", "9") as (_, url):
        settings = requests.get(f"{url}/emulator/settings", timeout=60).json()
        assert (settings["boot_seconds"], settings["existing_vm"]) == (9, "409")
        faults = requests.get(f"{url}/emulator/faults", timeout=60).json()["faults"]
        assert [fault["effect"] for fault in faults] == ["no-capacity", "latency"]
        assert requests.get(f"{url}/v1/image/rhel8", timeout=60).json()["ImageId"] == "ami-1"
        assert requests.get(f"{url}/v1/profile/amd", timeout=60).status_code == 200
        assert requests.get(f"{url}/v1/env/cluster", timeout=60).json()["Pools"][0]["PoolSize"] == 4
        requests.delete(f"{url}/emulator/faults", timeout=60)
        requests.post(f"{url}/emulator/reset", timeout=60)
        assert len(requests.get(f"{url}/emulator/faults", timeout=60).json()["faults"]) == 2


def test_json_is_a_scenario_too(tmp_path: Path) -> None:
    scenario = tmp_path / "s.json"
    scenario.write_text(json.dumps({"settings": {"version": "1.2.3"}}))
    with running("--scenario", str(scenario)) as (_, url):
        assert requests.get(f"{url}/v1/xcompute/info", timeout=60).json()["Manifest"]["copVersion"] == "1.2.3"


def test_two_run_side_by_side() -> None:
    with running() as (_, first), running() as (_, second):
        assert first != second


def test_a_thousand_creates_are_quick() -> None:
    """Not a bench: only that no request costs a delayed acknowledgement (40 ms) or a connection."""
    body = {"PoolName": "a", "ProfileName": "az1", "VM": {"CPUs": 1, "ImageName": "i", "MaxMemory": 1}}
    with running() as (_, url), requests.Session() as session:
        began = time.monotonic()
        for number in range(1000):
            answer = session.post(f"{url}/v1/xcompute/vm", json={"NodeName": f"n-{number}", **body}, timeout=60)
            assert answer.status_code == 200
        assert time.monotonic() - began < 30
        assert len(session.get(f"{url}/v1/xcompute/vms", timeout=60).json()["Vms"]) == 1000


def test_help_warns_of_what_run_user_data_does() -> None:
    done = subprocess.run(
        [*COMMAND, "--help"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, "COLUMNS": "80"},
    )
    assert "RUNNING the user data" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
