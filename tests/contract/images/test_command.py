"""``xio image`` as it is called: what it prints, and its exit codes."""

import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest

from tests.contract.images.conftest import ENVIRONMENT, NAME, NEW, OLD, XIO, Site, image_document

Begin = Callable[..., Site]

KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAx7\n-----END RSA PRIVATE KEY-----\n"


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    path = tmp_path / "key.pem"
    path.write_text(KEY)
    path.chmod(0o600)
    return path


def test_create_makes_the_image_and_says_so(begin: Begin) -> None:
    site = begin()
    done = site.create()
    assert (done.returncode, done.stdout) == (0, f"created: image {NAME} of {NEW}\n")
    assert f"{NAME}: asking the EMS to parse {NEW} (0 s)\n" in done.stderr
    again = site.create()
    assert (again.returncode, again.stdout, again.stderr) == (0, f"unchanged: image {NAME} of {NEW}\n", "")


def test_create_for_programs_prints_one_document(begin: Begin) -> None:
    site = begin({NAME: OLD}, image_rename="refuse")
    done = site.create("--json", "--replace")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["outcome"], document["ami"], document["warnings"]) == ("replaced", NEW, [])
    assert "no VM could start from it" in document["notes"][1]


def test_create_refuses_what_it_was_not_told_to_replace(begin: Begin) -> None:
    site = begin({NAME: OLD})
    done = site.create()
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (f"xio: image {NAME} is of {OLD}: --replace makes it anew from {NEW}, or take another name\n")


def test_create_replaces_what_others_use_only_with_force(begin: Begin) -> None:
    others = {**ENVIRONMENT, "EnvName": "theirs"}
    site = begin({NAME: OLD}, environments=[ENVIRONMENT, others])
    refused = site.create("--replace")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == (
        f"xio: image {NAME} is used by other environments, too (theirs: amd): take another name, or replace it for all "
        "with --force\n"
    )
    assert site.writes() == []
    forced = site.create("--replace", "--force")
    assert (forced.returncode, forced.stdout) == (0, f"replaced: image {NAME} of {NEW}\n")
    assert f"image {NAME} is used by lab: amd; theirs: amd: VMs that start from now on" in forced.stderr
    assert site.create("--replace").stdout == f"unchanged: image {NAME} of {NEW}\n"


def test_create_tells_that_our_own_pools_use_what_it_replaces(begin: Begin) -> None:
    site = begin({NAME: OLD})
    done = site.create("--replace")
    assert (done.returncode, done.stdout) == (0, f"replaced: image {NAME} of {NEW}\n")
    assert done.stderr.startswith(f"image {NAME} is used by lab: amd: VMs that start from now on get the new one\n")


def test_create_ends_well_where_the_old_image_stays(begin: Begin) -> None:
    site = begin({NAME: OLD})
    site.ems.add_fault(effect="status", status=409, match={"method": "DELETE"}, error="VMs run from it")
    for outcome in ("replaced", "unchanged"):
        done = site.create("--replace")
        assert (done.returncode, done.stdout) == (0, f"{outcome}: image {NAME} of {NEW}\n")
        assert f"note: {NAME}-xio-previous is left on the EMS" in done.stderr
        assert f"    xio image delete {NAME}-xio-previous" in done.stderr.splitlines()


def test_list_tells_what_is_not_finished(begin: Begin) -> None:
    site = begin(documents=[image_document("a", OLD, Status="Parsing"), image_document("b", NEW, State="Failed")])
    told = site.xio("list").stdout
    assert f"{OLD} (under way)" in told
    assert f"{NEW} (failed)" in told
    stages = {each["name"]: each["stage"] for each in json.loads(site.xio("list", "--json").stdout)["images"]}
    assert stages == {"a": "under way", "b": "failed", "theirs": "finished"}


def test_create_ends_at_its_timeout(begin: Begin) -> None:
    site = begin()
    site.ems.add_fault(effect="parse-never-ends")
    done = site.create("--timeout", "1.5")
    assert done.returncode == 1
    assert "hasn't ended in time" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    "fault",
    [
        {"effect": "status", "status": 500, "body": "html"},
        {"effect": "status", "status": 200, "body": "empty"},
        {"effect": "truncated-json"},
        {"effect": "huge-body", "bytes": 10 * 1024 * 1024},
        {"effect": "slow-drip", "seconds": 20},
        {"effect": "status", "status": 102},
        {"effect": "lost-answer"},
    ],
    ids=lambda fault: "-".join(map(str, fault.values())),
)
def test_an_odd_answer_is_one_line_and_exit_code_1(begin: Begin, fault: dict[str, object]) -> None:
    site = begin()
    site.ems.add_fault(**fault)
    for done in (
        site.create("--timeout", "2"),
        site.xio("list"),
        site.xio("show", NAME),
        site.xio("delete", NAME, "--yes"),
    ):
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.splitlines()[-1].startswith("xio: ")
        assert sum(line.startswith("xio: ") for line in done.stderr.splitlines()) == 1
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--ami", "rhel8", "--name", "a"], "isn't one: write ami-"),
        (["--ami", NEW, "--name", "a/b"], "isn't one: write one word"),
        (["--ami", NEW, "--name", ".."], "isn't one: write one word"),
        (["--ami", NEW, "--name", "a", "--user", "root"], "--user and --pem belong together"),
        (["--ami", NEW, "--name", "a", "-c", "x.yaml"], "--manifest and -c exclude each other"),
    ],
)
def test_wrong_usage_is_exit_code_2(begin: Begin, arguments: list[str], words: str) -> None:
    done = begin().xio("create", *arguments)
    assert done.returncode == 2
    assert words in done.stderr


def test_script_and_key_reach_the_ems_and_nothing_else(begin: Begin, pem: Path, tmp_path: Path) -> None:
    site = begin()
    script = tmp_path / "script.sh"
    script.write_text("#!/bin/sh\ntrue\n")
    site.ems.add_fault(effect="status", status=400, match={"method": "POST"}, error=f"bad key {KEY}: code=9")
    options = ("--user", "root", "--pem", str(pem), "--script", str(script))
    failed = site.create(*options)
    assert (failed.returncode, "it repeats the key" in failed.stderr) == (1, True)
    site.ems.remove_faults()
    done = site.create(*options, "--json")
    assert done.returncode == 0
    assert "MIIEow" not in failed.stderr + done.stderr + done.stdout


def test_a_key_that_others_can_read_is_refused(begin: Begin, pem: Path) -> None:
    site = begin()
    pem.chmod(0o640)
    done = site.create("--user", "root", "--pem", str(pem))
    assert done.stderr == f"xio: {pem}: others than its owner can read the key: chmod 600 {pem}\n"
    assert (done.returncode, site.ems.requests()) == (1, [])


def test_a_file_that_is_no_key_or_no_script_is_refused(begin: Begin, pem: Path, tmp_path: Path) -> None:
    site = begin()
    pem.write_text("MIIEow but no key")
    fifo, large, text = tmp_path / "fifo", tmp_path / "large", tmp_path / "text"
    os.mkfifo(fifo, 0o600)
    large.write_text("#!" + "x" * 300_000)
    text.write_text("echo hello")
    for options, words in (
        (("--user", "u", "--pem", str(pem)), "isn't a private key in PEM"),
        (("--user", "u", "--pem", str(fifo)), "the key isn't a plain file"),
        (("--user", "u", "--pem", str(tmp_path / "none")), "the key can't be read: No such file"),
        (("--script", str(large)), "the script is larger than 256 KiB"),
        (("--script", str(text)), "the script must begin with #!"),
    ):
        done = site.create(*options)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert words in done.stderr
        assert "MIIEow" not in done.stderr
    assert site.ems.requests() == []


def test_before_the_first_apply_the_configuration_will_do(begin: Begin, tmp_path: Path) -> None:
    site = begin()
    config = tmp_path / "xio.yaml"
    sample = (XIO.parents[1] / "tests/data/config/users-sample.yaml").read_text()
    stack = "ManagementServerStackName: exostellar-management-server"
    config.write_text(sample.replace(stack, f"Plugin: {{EmsUrl: {site.ems.url}}}"))
    command = [str(XIO), "image", "list", "-c", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "theirs" in done.stdout) == (0, True), done.stderr


def test_ctrl_c_says_what_goes_on(begin: Begin) -> None:
    site = begin(parse_seconds=60)
    command = [
        str(XIO),
        "image",
        "create",
        "--ami",
        NEW,
        "--name",
        NAME,
        "--manifest",
        str(site.path),
        "--no-aws-checks",
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        site.ems.wait_until(lambda: site.ems.requests("GET", "/v1/xcompute/parse/"))
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=20)
    assert process.returncode == 130
    assert told.splitlines()[-1].startswith("xio: interrupted: the EMS goes on with what it has begun")


def test_a_create_that_was_killed_is_given_again(begin: Begin) -> None:
    site = begin({NAME: OLD})
    site.ems.add_fault(effect="latency", when="after", seconds=60, match={"method": "PUT"}, times=1)
    command = ["create", "--ami", NEW, "--name", NAME, "--replace", "--manifest", str(site.path), "--no-aws-checks"]
    with subprocess.Popen([str(XIO), "image", *command], stderr=subprocess.DEVNULL) as process:
        site.ems.wait_until(lambda: site.ems.faults()[0].hits)
        process.kill()
    assert site.images() == {f"{NAME}-xio-previous": OLD, f"{NAME}-xio-next": NEW}
    done = site.create("--replace")
    assert (done.returncode, done.stdout) == (0, f"replaced: image {NAME} of {NEW}\n")
    assert site.images() == {NAME: NEW}


def test_on_a_terminal_a_bar_shows_the_step(begin: Begin) -> None:
    site = begin(parse_seconds=1.5)
    arguments = ["image", "create", "--ami", NEW, "--name", NAME, "--manifest", str(site.path), "--no-aws-checks"]
    terminal = pexpect.spawn(str(XIO), arguments, encoding="utf-8", timeout=30, dimensions=(24, 80))
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.read())
    terminal.close()
    assert terminal.exitstatus == 0
    assert re.search(r"rhel8 \S+ 0:00:0[01] parse job", shown)
    assert shown.splitlines()[-1] == f"created: image {NAME} of {NEW}"


def test_list_tells_the_pools_that_use_an_image(begin: Begin) -> None:
    site = begin({NAME: OLD})
    rows = [line.split() for line in site.xio("list").stdout.splitlines()]
    assert rows[1:] == [[NAME, OLD, "lab:", "amd"], ["theirs", "ami-0aa", "nothing"]]
    listed = json.loads(site.xio("list", "--json").stdout)["images"]
    assert listed[0] == {"name": NAME, "ami": OLD, "stage": "finished", "used_by": {"lab": ["amd"]}}
    site.ems.change(image_fields=[])
    assert json.loads(site.xio("list", "--json").stdout)["images"][0]["ami"] is None


def test_show_tells_all_but_keys(begin: Begin) -> None:
    site = begin({NAME: OLD})
    document = json.loads(site.xio("show", NAME, "--json").stdout)
    assert (document["image"]["ImageId"], document["used_by"]) == (OLD, {"lab": ["amd"]})
    lines = site.xio("show", NAME).stdout.splitlines()
    assert 'Kept: {"as": ["it", "is"]}' in lines
    assert lines[-1] == "Used by: lab: amd"


def test_what_is_not_there_is_one_line(begin: Begin) -> None:
    site = begin()
    for done in (site.xio("show", "none"), site.xio("delete", "none", "--yes")):
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == "xio: the EMS has no image none: see 'xio image list'\n"


def test_delete_asks_and_twice_where_pools_use_it(begin: Begin) -> None:
    site = begin({NAME: OLD, "unused": OLD})
    refused = site.xio("delete", NAME, "--yes")
    assert refused.stderr == f"xio: image {NAME} is used by lab: amd: no VM of theirs could start; --force deletes it\n"
    assert refused.returncode == 1
    assert site.xio("delete", NAME, stdin="y\nn\n").returncode == 1
    assert site.xio("delete", "unused", stdin="n\n").returncode == 1
    assert site.images() == {NAME: OLD, "unused": OLD}
    assert site.xio("delete", "unused", stdin="y\n").stdout == "deleted: image unused\n"
    assert site.images() == {NAME: OLD}
    assert site.xio("delete", NAME, stdin="y\ny\n").returncode == 0
    assert site.images() == {}


def test_delete_with_force_and_yes_asks_nothing(begin: Begin) -> None:
    site = begin({NAME: OLD})
    assert site.xio("delete", NAME, "--yes", "--force").stdout == f"deleted: image {NAME}\n"
    assert site.images() == {}


def test_an_ems_that_is_not_there_is_one_line(begin: Begin) -> None:
    site = begin()
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        site.path.write_text(site.path.read_text().replace(site.ems.url, f"http://127.0.0.1:{closed.getsockname()[1]}"))
        done = site.create()
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "can't be reached: Connection refused" in done.stderr
