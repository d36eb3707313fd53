"""The key of ``xio image create --pem`` goes to the EMS, and nowhere else, whatever the EMS does with it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.contract.fuzz.ems import Ems, running
from tests.contract.fuzz.heads import IMAGE, Head, head
from xio_slurm.emulator.scenario import Scenario

LINES: Final = tuple(
    f"{'MIIEpQIBAAKCAQEA' if number == 0 else 'q7Xw0pLmZt9aQe'}{number:02d}VtR5kYhUj3Bn8sDf" for number in range(12)
)
KEY: Final = "\n".join(("-----BEGIN RSA PRIVATE KEY-----", *LINES, "-----END RSA PRIVATE KEY-----", ""))
ESCAPED: Final = json.dumps(KEY)[1:-1]

DAYS: Final[dict[str, list[dict[str, Any]]]] = {
    "good": [],
    "refuses and repeats it": [{"effect": "status", "status": 400, "text": json.dumps({"Error": f"bad key {KEY} =7"})}],
    "refuses and repeats it as it came": [{"effect": "status", "status": 400, "text": f"{{bad request: {ESCAPED}"}],
    "fails and repeats a part": [{"effect": "status", "status": 500, "text": f"at {LINES[3]}: {LINES[4]}"}],
    "answers with it": [{"effect": "status", "status": 200, "text": json.dumps({"JobId": KEY})}],
    "answers with something else": [{"effect": "status", "status": 200, "text": json.dumps([KEY])}],
    "answers with a page": [{"effect": "status", "status": 200, "text": f"<title>{KEY}</title>"}],
    "loses its answer": [{"effect": "lost-answer"}],
    "never ends": [{"effect": "parse-never-ends"}],
    "fails": [{"effect": "parse-fails", "code": 202}],
}
"""What happens to the request that has the key."""


def found_in(text: str) -> bool:
    """Whether anything of the key is there."""
    return any(line[8:28] in text for line in LINES)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Head]:
    with head(tmp_path, {"theirs": "ami-9"}) as made:
        for folder in (made.state, made.log, made.temporary):
            folder.mkdir()
        made.ems.emulator.change(parse_seconds=0.3)
        made.patience = 10.0
        yield made


def create(node: Head, pem: Path, *options: str) -> tuple[int, str, int]:
    """Run the command in a process of its own: its code, all that it said and that /proc told, and how often looked."""
    manifest = node.manifest()
    command = (sys.executable, "-m", "xio_slurm.commands", "image", "create", "--ami", "ami-1", "--name", IMAGE)
    options = ("--no-aws-checks", "--user", "root", "--pem", str(pem), "--manifest", str(manifest), *options)
    environment = {**os.environ, "TMPDIR": str(node.temporary), "HOME": str(node.folder), "PYTHONFAULTHANDLER": "1"}
    process = subprocess.Popen(
        (*command, *options),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        cwd=node.folder,
    )
    seen, looks = "", 0
    with process:
        while process.poll() is None:
            for told in Path("/proc").glob("[0-9]*"):
                if told.name == str(process.pid) or _parent(told) == process.pid:
                    seen += _content(told / "cmdline") + _content(told / "environ")
                    looks += 1
            time.sleep(0.01)
        assert process.stdout is not None
        return process.returncode, seen + process.stdout.read(), looks


def _parent(process: Path) -> int:
    status = _content(process / "stat").rpartition(")")[2].split()
    return int(status[1]) if len(status) > 1 else 0


def _content(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


@pytest.mark.parametrize("options", [(), ("--json", "--replace")], ids=["lines", "json"])
@pytest.mark.parametrize("day", DAYS)
def test_the_key_is_in_no_output_argument_environment_log_or_file(
    node: Head, day: str, options: tuple[str, ...]
) -> None:
    pem = node.folder / "key.pem"
    pem.write_text(KEY)
    pem.chmod(0o600)
    for fault in DAYS[day]:
        node.ems.emulator.add_fault(**fault, match={"method": "POST", "path": "/v1/xcompute/parse"})
    code, said, looks = create(node, pem, "--timeout", "4", *options)
    assert code == (0 if day in {"good", "loses its answer"} else 1), said
    assert looks > 3
    assert "image" in said
    assert not found_in(said)
    files = [path for path in node.folder.rglob("*") if path.is_file() and path != pem]
    assert node.folder / "manifest.json" in files or files
    assert not [path for path in files if found_in(path.read_text(errors="replace"))]
    assert not [*node.temporary.iterdir()]
    assert node.ems.emulator.requests("POST", "/v1/xcompute/parse")


@pytest.mark.parametrize("command", [("list",), ("list", "--json"), ("show", IMAGE), ("show", IMAGE, "--json")])
def test_an_ems_that_tells_the_key_of_an_image_is_not_repeated(tmp_path: Path, command: tuple[str, ...]) -> None:
    image = {"ImageName": IMAGE, "ImageId": "ami-1", "UserKeyPem": KEY, "Request": {"Odd": [{"Text": KEY}]}}
    with running(Scenario(images=(image,))) as ems:
        assert not found_in(_looked_at(Head(tmp_path, ems), ems, command))


def _looked_at(node: Head, ems: Ems, command: tuple[str, ...]) -> str:
    for folder in (node.state, node.log, node.temporary):
        folder.mkdir()
    called = node.call("image", *command)
    assert called.code == 0, called.err
    assert IMAGE in called.out
    assert found_in(ems.ask("GET", f"/v1/image/{IMAGE}").decode())
    return called.out + called.err
