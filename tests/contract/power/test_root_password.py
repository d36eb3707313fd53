"""The VMs' root password: wherever it comes from, a VM gets its hash, and nobody gets the password."""

import base64
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer
from passlib.hash import sha512_crypt

from tests.contract.power.conftest import NODE, POOL, Site
from xio_slurm.deadline import Deadline
from xio_slurm.emulator.tool import Emulator
from xio_slurm.errors import PasswordError
from xio_slurm.manifest import RootPassword
from xio_slurm.power.root_password import PasswordHash, read_password

PLAIN = "gr0ßes $(id) 'Geheimnis' \"x\\"
REGION = "us-east-2"
CRYPT = sha512_crypt.using(rounds=5000).hash(PLAIN)


def _file(path: Path, content: bytes = PLAIN.encode(), mode: int = 0o600) -> RootPassword:
    path.write_bytes(content)
    path.chmod(mode)
    return RootPassword(None, None, str(path), None)


def _command(path: Path, body: str) -> RootPassword:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return RootPassword(None, None, None, (str(path), "an argument"))


def _secret(name: str, **value: object) -> RootPassword:
    """A secret in moto's Secrets Manager, where there is a value."""
    if value:
        boto3.client("secretsmanager", REGION).create_secret(Name=name, **value)  # type: ignore[arg-type]  # test data
    return RootPassword(name, REGION, None, None)


def _hash(emulator: Emulator, node: str = NODE) -> str:
    """The hash in the script of a node's VM."""
    (vm,) = (vm for vm in emulator.vms() if vm.node == node)
    script = base64.b64decode(vm.user_data).decode()
    (found,) = re.findall(r"^\{ XIO_ROOT_PASSWORD_HASH='?([^'\n]*?)'?; \} 2>/dev/null$", script, re.MULTILINE)
    return str(found)


def _everything(site: Site, ended: subprocess.CompletedProcess[str], emulator: Emulator) -> str:
    """All that a call leaves: what it printed, every file of the head node but the password's own, and the VMs."""
    files = [path for path in site.folder.rglob("*") if path.is_file() and not path.name.startswith("secret")]
    scripts = [base64.b64decode(vm.user_data) for vm in emulator.vms()]
    content = b"\n".join([path.read_bytes() for path in files] + scripts).decode(errors="replace")
    return content + ended.stdout + ended.stderr + json.dumps([vm.request for vm in emulator.vms()])


def _holds_none_of_it(text: str, password: str = PLAIN) -> bool:
    encoded = {password, json.dumps(password)[1:-1], base64.b64encode(password.encode()).decode(), "Geheimnis"}
    return not any(form in text for form in encoded)


@pytest.fixture(scope="module")
def moto_server() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def aws(site: Site, moto_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A Secrets Manager, for the programs and for this test; its URL."""
    settings = {
        "AWS_ENDPOINT_URL": moto_server,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    site.environment |= settings
    return moto_server


@pytest.mark.parametrize("source", ["file", "command", "secret", "secret of JSON"])
def test_every_vm_gets_the_hash_and_nobody_the_password(
    site: Site, ems_emulator: Emulator, aws: str, source: str
) -> None:
    sources = {
        "file": lambda: _file(site.folder / "secret", f"{PLAIN}\r\n".encode()),
        "command": lambda: _command(site.folder / "secret", f"cat <<'END'\n{PLAIN}\nEND"),
        "secret": lambda: _secret("plain", SecretString=PLAIN),
        "secret of JSON": lambda: _secret("json", SecretString=json.dumps({"user": "root", "password": PLAIN})),
    }
    site.change(root_password=sources[source]())
    ended = site.call("xio-resume", f"xspot-vm-{POOL}-[1-3]")
    assert ended.returncode == 0, ended.stderr
    hashes = {_hash(ems_emulator, f"xspot-vm-{POOL}-{number}") for number in (1, 2, 3)}
    assert len(hashes) == 1
    assert sha512_crypt.verify(PLAIN, hashes.pop())
    assert _holds_none_of_it(_everything(site, ended, ems_emulator))
    assert "password" not in site.log()


def test_what_is_a_hash_already_is_passed_on_as_it_is(site: Site, ems_emulator: Emulator) -> None:
    site.change(root_password=_file(site.folder / "secret", f"{CRYPT}\n".encode()))
    assert site.call("xio-resume", NODE).returncode == 0
    assert _hash(ems_emulator) == CRYPT


def test_without_a_password_the_script_says_so(site: Site, ems_emulator: Emulator) -> None:
    assert site.call("xio-resume", NODE).returncode == 0
    assert _hash(ems_emulator) == ""


def test_it_is_read_once_a_call_and_only_to_make_vms(site: Site, ems_emulator: Emulator) -> None:
    calls = site.folder / "calls"
    site.change(root_password=_command(site.folder / "secret", f"echo called >> {calls}; echo '{CRYPT}'"))
    assert site.call("xio-resume", "others-[1-3]").returncode == 1
    assert not calls.exists()
    assert site.call("xio-resume", f"xspot-vm-{POOL}-[1-20]").returncode == 0
    assert calls.read_text() == "called\n"
    assert site.call("xio-suspend", f"xspot-vm-{POOL}-[1-20]").returncode == 0
    assert site.call("xio-resume-fail", NODE).returncode == 0
    assert calls.read_text() == "called\n"


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        ("open", "its mode 0644 is too open: chmod 600 "),
        ("group", "its mode 0640 is too open: chmod 600 "),
        ("executable", "its mode 0700 is too open: chmod 600 "),
        ("another's", "is another user's, who could change it: chown root "),
        ("missing", "there is no such file: see to VmRootPasswordFile"),
        ("folder", "isn't a regular file"),
        ("pipe", "isn't a regular file"),
        ("empty", "it is empty"),
        ("empty line", "it is empty"),
        ("two lines", "it holds more than one line"),
        ("control", "it holds characters that can't be typed"),
        ("binary", "what it holds isn't UTF-8 text"),
        ("large", "it holds more than 511 bytes"),
        ("half a hash", "it begins like a hash of crypt(5), and isn't a whole one"),
    ],
)
def test_a_file_that_will_not_do_is_told_once_and_the_vms_are_made(
    site: Site, ems_emulator: Emulator, trouble: str, told: str
) -> None:
    path = site.folder / "secret"
    contents = {
        "empty": b"",
        "empty line": b"\r\n",
        "two lines": f"{PLAIN}\n{PLAIN}\n".encode(),
        "control": f"{PLAIN}\x1b\n".encode(),
        "binary": PLAIN.encode() + b"\xff",
        "large": PLAIN.encode() * 1000,
        "half a hash": f"$6${PLAIN}".encode(),
    }
    modes = {"open": 0o644, "group": 0o640, "executable": 0o700}
    source = _file(path, contents.get(trouble, PLAIN.encode()), modes.get(trouble, 0o600))
    if trouble == "another's":
        os.chown(path, 12345, 12345)
    elif trouble in {"missing", "folder", "pipe"}:
        path.unlink()
    if trouble == "folder":
        path.mkdir()
    elif trouble == "pipe":
        os.mkfifo(path, 0o600)
    site.change(root_password=source)
    _told_once(site, ems_emulator, f"{path}: {told}")


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_private_file_behind_a_link_will_do(site: Site, ems_emulator: Emulator, mode: int) -> None:
    _file(site.folder / "secret", mode=mode)
    (site.folder / "secret-link").symlink_to(site.folder / "secret")
    site.change(root_password=RootPassword(None, None, str(site.folder / "secret-link"), None))
    assert site.call("xio-resume", NODE).returncode == 0
    assert sha512_crypt.verify(PLAIN, _hash(ems_emulator))


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            f'set -x; echo "{CRYPT}" | cut -c 1-40; echo Geheimnis >&2; exit 3',
            "ended with 3: run it as SlurmUser",
        ),
        ("kill -9 $$", "ended with -9"),
        ("true", "it is empty"),
        ("echo Geheimnis; echo Geheimnis", "it holds more than one line"),
        ("sh -c 'sleep 20; true' \"$0\" & wait", "didn't end in its time"),
        ("trap '' TERM; yes Geheimnis", "didn't end in its time"),
        ("yes Geheimnis | head -c 300000 | tr -d '\\n'", "it holds more than 511 bytes"),
    ],
)
def test_a_command_that_will_not_do_is_told_once_and_the_vms_are_made(
    site: Site, ems_emulator: Emulator, body: str, told: str
) -> None:
    # A third of the time that there is; the command and what it started are gone after it.
    site.change(root_password=_command(site.folder / "secret", body), resume_timeout=8)
    _told_once(site, ems_emulator, f"{site.folder / 'secret'}: {told}")
    assert str(site.folder) not in _command_lines()


@pytest.mark.parametrize(
    ("owner", "mode", "told"),
    [
        (0, 0o775, "its mode 0775 lets others change it: chmod go-w "),
        (0, 0o757, "its mode 0757 lets others change it: chmod go-w "),
        (12345, 0o755, "is another user's, who could change it: chown root "),
    ],
)
def test_a_command_that_others_may_write_is_not_run(
    site: Site, ems_emulator: Emulator, owner: int, mode: int, told: str
) -> None:
    path = site.folder / "secret"
    site.change(root_password=_command(path, f"touch {site.folder}/ran; echo x"))
    path.chmod(mode)
    if owner:
        os.chown(path, owner, owner)
    _told_once(site, ems_emulator, f"{path}: {told}{path}")
    assert not (site.folder / "ran").exists()


def test_a_command_that_is_not_there_is_told_once_and_the_vms_are_made(site: Site, ems_emulator: Emulator) -> None:
    site.change(root_password=RootPassword(None, None, None, ("/nowhere/secret", PLAIN)))
    (site.folder / "manifest.json").rename(site.folder / "secret-manifest")  # such an argument is in the manifest
    (site.folder / "manifest.json").symlink_to("secret-manifest")
    told = "/nowhere/secret: can't be run: No such file or directory: see to VmRootPasswordCommand"
    _told_once(site, ems_emulator, told, searched=False)
    assert _holds_none_of_it(site.log())


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({}, f"the secret {{}} isn't in {REGION}: see to VmRootPasswordSecret and AvailabilityZone"),
        ({"SecretBinary": PLAIN.encode()}, "the secret {} is binary: store it as text"),
        ({"SecretString": json.dumps({"Password": PLAIN})}, "its JSON has no text under the key 'password'"),
        ({"SecretString": json.dumps({"password": 12})}, "its JSON has no text under the key 'password'"),
        ({"SecretString": f"{PLAIN}\n{PLAIN}"}, "the secret {}: it holds more than one line"),
        ({"SecretString": '{"a":' * 10_000}, "the secret {}: it holds more than 511 bytes"),
    ],
)
def test_a_secret_that_will_not_do_is_told_once_and_the_vms_are_made(
    site: Site, ems_emulator: Emulator, aws: str, value: dict[str, object], told: str
) -> None:
    name = f"s{abs(hash(told + str(value)))}"
    site.change(root_password=_secret(name, **value))
    _told_once(site, ems_emulator, told.format(name))


def test_an_aws_that_cannot_be_reached_is_told_once_and_the_vms_are_made(
    site: Site, ems_emulator: Emulator, aws: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    site.environment["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{port}"
    site.change(root_password=_secret("s"))
    _told_once(site, ems_emulator, "AWS secretsmanager: no answer (")


def test_an_aws_that_says_nothing_is_told_once_and_the_vms_are_made(
    site: Site, ems_emulator: Emulator, aws: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        site.environment["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{silent.getsockname()[1]}"
        site.change(root_password=_secret("s"), resume_timeout=16)
        started = time.monotonic()
        _told_once(site, ems_emulator, "the secret s: the root password wasn't to be had in time")
        assert time.monotonic() - started < 16


def test_libraries_do_not_chat_in_our_places(site: Site, ems_emulator: Emulator, aws: str) -> None:
    site.change(root_password=_secret("chat", SecretString=PLAIN))
    ended = site.call("xio-resume", NODE)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "credentials" not in site.log()


class _Broken(BaseHTTPRequestHandler):
    """An AWS that answers what no AWS would: a list for a text."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        content = json.dumps({"SecretString": [PLAIN]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def test_what_nobody_expected_is_told_without_its_text_and_the_vms_are_made(
    site: Site, ems_emulator: Emulator, aws: str
) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Broken) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        site.environment["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{server.server_address[1]}"
        site.change(root_password=_secret("s"))
        _told_once(site, ems_emulator, "the root password can't be read, by a bug (")
        server.shutdown()


def _told_once(site: Site, emulator: Emulator, told: str, *, searched: bool = True) -> None:
    """Two VMs are asked for: they are made, a line and an event say what is missing, and the password is nowhere."""
    ended = site.call("xio-resume", f"xspot-vm-{POOL}-[1-2]")
    assert ended.returncode == 0, ended.stderr
    assert _hash(emulator) == ""
    assert len(emulator.vms()) == 2
    (line,) = (line for line in site.log().splitlines() if "the VMs are made without a root password" in line)
    assert told in line
    assert " ERROR: " in line
    events = [json.loads(line) for line in (site.folder / "log" / "events.jsonl").read_text().splitlines()]
    (event,) = (event for event in events if event["event"] == "no-password")
    assert told in event["why"]
    if searched:
        assert _holds_none_of_it(_everything(site, ended, emulator))


def _command_lines() -> str:
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return "\n".join(lines)


def test_no_repr_shows_even_the_hash(site: Site) -> None:
    password = read_password(_file(site.folder / "secret"), Deadline.after(10))
    assert repr(password) == str(password) == "PasswordHash()"
    assert isinstance(password, PasswordHash)


def test_no_error_shows_what_was_read_nor_does_its_trace(site: Site) -> None:
    with pytest.raises(PasswordError) as caught:
        read_password(_file(site.folder / "secret", PLAIN.encode() + b"\xff"), Deadline.after(10))
    report = "".join(traceback.format_exception(caught.value))
    assert _holds_none_of_it(report)


@pytest.mark.parametrize("program", ["resume", "suspend", "resume_fail"])
def test_boto3_is_not_on_the_run_time_path(program: str) -> None:
    code = f"import sys, xio_slurm.power.{program}; print(*sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    loaded = set(ended.stdout.split())
    assert f"xio_slurm.power.{program}" in loaded
    assert not loaded & {"boto3", "botocore", "passlib", "xio_slurm.aws", "xio_slurm.power.root_password"}


def test_boto3_is_not_loaded_for_a_password_of_a_file(site: Site) -> None:
    source = _file(site.folder / "secret")
    code = (
        "import sys\n"
        "from xio_slurm.deadline import Deadline\n"
        "from xio_slurm.manifest import RootPassword\n"
        "from xio_slurm.power.root_password import read_password\n"
        f"read_password(RootPassword(None, None, {source.file!r}, None), Deadline.after(10))\n"
        "print(*sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert not set(ended.stdout.split()) & {"boto3", "botocore", "xio_slurm.aws"}
