"""The emulator over TLS: as the Workload Optimizer's EMS, with its faults and its control API."""

import shutil
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from xio_slurm.emulator import Emulator
from xio_slurm.errors import EmulatorError

FILES = {"ExostellarRootCA.crt": 0o644, "ExostellarClient.pem": 0o600, "ExostellarHeadNode.pem": 0o600}


def curl(emulator: Emulator, folder: Path, path: str, *further: str) -> subprocess.CompletedProcess[str]:
    """As a shell script speaks to it: to the address, by the name."""
    port = emulator.url.rpartition(":")[2]
    return subprocess.run(
        [
            *("curl", "-sS", "--max-time", "20", "--cacert", folder / "ExostellarRootCA.crt"),
            *(
                "--resolve",
                f"ExostellarHeadNode:{port}:127.0.0.1",
                *further,
                f"https://ExostellarHeadNode:{port}{path}",
            ),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def shown(folder: Path) -> tuple[str, str]:
    return "--cert", str(folder / "ExostellarClient.pem")


def test_it_makes_certificates_once_and_only_the_owner_can_read_the_keys(tmp_path: Path) -> None:
    folder = tmp_path / "tls"
    with Emulator(tls=folder) as emulator:
        assert emulator.url.startswith("https://127.0.0.1:")
    assert {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()} == FILES
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    with Emulator(tls=folder):
        pass
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_api_and_control_are_there_for_who_shows_a_certificate(tmp_path: Path) -> None:
    with Emulator(tls=tmp_path) as emulator:
        assert curl(emulator, tmp_path, "/v1/xcompute/vms", *shown(tmp_path)).stdout == '{"Vms": []}'
        fault = '{"effect": "status", "status": 503, "times": 1}'
        assert '"id": 1' in curl(emulator, tmp_path, "/emulator/faults", *shown(tmp_path), "-d", fault).stdout
        assert "injected" in curl(emulator, tmp_path, "/v1/xcompute/vms", *shown(tmp_path)).stdout
        assert len(emulator.requests()) == 2
        for path in ("/v1/xcompute/vms", "/emulator/vms"):
            refused = curl(emulator, tmp_path, path)
            assert refused.returncode != 0
            assert "certificate required" in refused.stderr
        assert len(emulator.requests()) == 2


@pytest.mark.parametrize("how", ["reset", "close"])
def test_a_lost_answer_is_lost_over_tls_too(tmp_path: Path, how: str) -> None:
    with Emulator(tls=tmp_path) as emulator:
        emulator.add_fault(effect="lost-answer", how=how, times=1)
        done = curl(emulator, tmp_path, "/v1/image", *shown(tmp_path), "-d", '{"ImageName": "i"}')
        assert (done.returncode != 0, done.stdout) == (True, "")
        assert '"i"' in curl(emulator, tmp_path, "/v1/image/i", *shown(tmp_path)).stdout


def test_the_server_offers_nothing_older_than_tls_1_2(tmp_path: Path) -> None:
    with Emulator(tls=tmp_path) as emulator:
        for version, works in (("1.2", True), ("1.1", False)):
            done = curl(
                emulator,
                tmp_path,
                "/v1/xcompute/vms",
                *shown(tmp_path),
                *("--tls-max", version, "--tlsv1", "--ciphers", "ALL:@SECLEVEL=0"),
            )
            assert (done.returncode == 0) == works, done.stderr


def test_clients_that_stay_do_not_keep_it_from_ending(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with Emulator(tls=tmp_path) as emulator:
        context.load_verify_locations(tmp_path / "ExostellarRootCA.crt")
        context.load_cert_chain(tmp_path / "ExostellarClient.pem")
        port = int(emulator.url.rpartition(":")[2])
        half = socket.create_connection(("127.0.0.1", port))
        whole = context.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="ExostellarHeadNode")
        whole.sendall(b"GET /v1/xcompute/vms HTTP/1.1\r\nHost: x\r\n\r\n")
        assert whole.recv(100).startswith(b"HTTP/1.1 200")
    half.close()
    whole.close()


def test_a_folder_that_has_some_of_them_is_told(tmp_path: Path) -> None:
    with Emulator(tls=tmp_path):
        pass
    (tmp_path / "ExostellarClient.pem").unlink()
    with pytest.raises(EmulatorError, match=r"but no ExostellarClient\.pem: add it, or choose an empty folder"):
        Emulator(tls=tmp_path).__enter__()


def test_files_that_can_not_be_used_are_told(tmp_path: Path) -> None:
    with Emulator(tls=tmp_path):
        pass
    shutil.copy(tmp_path / "ExostellarRootCA.crt", tmp_path / "ExostellarHeadNode.pem")
    with pytest.raises(EmulatorError, match=r"ExostellarHeadNode\.pem: can't be used"):
        Emulator(tls=tmp_path).__enter__()
    with pytest.raises(EmulatorError, match="the certificates can't be made there: Not a directory"):
        Emulator(tls=Path("/dev/null/tls")).__enter__()


def test_the_command_serves_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "xio_slurm.commands", "emulator", "--port", "0", "--tls", str(tmp_path / "tls")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("EMS emulator on https://127.0.0.1:")
        process.terminate()
        assert process.communicate(timeout=60) == ("", "")
        assert process.returncode == 0
