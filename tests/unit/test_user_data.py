"""The VM's boot script, run for real by bash, with the commands that would change this machine replaced."""

import base64
import os
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from xio_slurm.manifest import Mount
from xio_slurm.power.user_data import encode, render
from xio_slurm.shipped import shipped

STUBS = (
    *("awk", "chpasswd", "getent", "grep", "hostname", "hostnamectl", "ip", "logger", "mkdir", "mount", "mountpoint"),
    *("scontrol", "sleep", "sysctl", "systemctl"),
)
TWO_ADDRESSES = (
    "2: eth0 inet 10.0.0.5/24 brd 10.0.0.255 scope global eth0\n2: eth0 inet 10.0.0.9/24 scope global secondary eth0\n"
)


@dataclass(frozen=True)
class Boot:
    """How a boot ended, and which commands it called."""

    code: int
    output: str
    calls: tuple[str, ...]

    def called(self, beginning: str) -> list[str]:
        return [call for call in self.calls if call.startswith(beginning)]


def _script(**changes: object) -> str:
    values = {"node": "xspot-vm-a-1", "pool": "a", "cluster": "lab", "mounts": (), "hook_script": ""} | changes
    return render(shipped("user-data.sh").read_text(), **values)  # type: ignore[arg-type]  # test data


def _boot(tmp_path: Path, script: str, **failing: int) -> Boot:
    """Run the script with stubs before everything else in PATH; a stub named in ``failing`` ends with that code."""
    stubs, calls = tmp_path / "stubs", tmp_path / "calls"
    stubs.mkdir()
    calls.touch()
    for name in STUBS:
        answers = {
            "ip": f'case "$*" in *show*) printf %s {shlex.quote(TWO_ADDRESSES)} ;; esac',
            "hostname": "[ $# = 1 ] && [ $1 = -I ] && echo '10.0.0.9 '",
            "chpasswd": f"cat >> {calls}",
            "awk": 'exec /usr/bin/awk "$@"',
            "grep": 'exec /usr/bin/grep "$@"',
            "mountpoint": "exit 1",
        }
        body = f'echo "{name} $*" >> {calls}\n{answers.get(name, "")}\nexit {failing.get(name, 0)}\n'
        (stubs / name).write_text(f"#!/bin/bash\n{body}")
        (stubs / name).chmod(0o755)
    # The script sets its own PATH; the stubs go before it, and its files into this test's folder.
    changed = script.replace("export PATH=", f"export PATH={stubs}:").replace("/etc/", f"{tmp_path}/etc/")
    ended = subprocess.run(
        ["/bin/bash"], input=changed, capture_output=True, text=True, timeout=60, check=False, env=dict(os.environ)
    )
    return Boot(ended.returncode, ended.stdout + ended.stderr, tuple(calls.read_text().splitlines()))


def test_the_assignments_go_after_the_first_line_and_are_quoted() -> None:
    script = render(
        '#!/bin/bash\necho "$XIO_NODE|$XIO_POOL|$XIO_CLUSTER|$XIO_HOOK_SCRIPT"; printf %s "$XIO_MOUNTS"\n',
        node="n-1",
        pool="a'; touch /tmp/x; '",
        cluster="$(id)",
        mounts=(Mount("/a b", "nas:/x", "nfs", "ro"), Mount("/c", "nas:/y", "nfs4", "rw")),
        hook_script="`id`",
    )
    assert script.startswith("#!/bin/bash\nXIO_NODE=n-1\n")
    ended = subprocess.run(["/bin/bash"], input=script, capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout == ("n-1|a'; touch /tmp/x; '|$(id)|`id`\nnfs\tnas:/x\t/a b\tro\nnfs4\tnas:/y\t/c\trw")


def test_it_travels_as_one_line_of_base64() -> None:
    encoded = encode(_script())
    assert "\n" not in encoded
    assert base64.b64decode(encoded).decode() == _script()


def test_a_boot_names_the_host_tells_slurm_and_starts_slurmd(tmp_path: Path) -> None:
    (tmp_path / "etc" / "default").mkdir(parents=True)
    boot = _boot(tmp_path, _script())
    assert boot.code == 0, boot.output
    assert boot.called("hostnamectl") == ["hostnamectl set-hostname xspot-vm-a-1"]
    assert boot.called("scontrol") == [
        "scontrol update NodeName=xspot-vm-a-1 NodeAddr=10.0.0.9 NodeHostname=xspot-vm-a-1"
    ]
    assert boot.called("systemctl") == ["systemctl restart slurmd"]
    assert (tmp_path / "etc" / "default" / "slurmd").read_text() == "SLURMD_OPTIONS='-N xspot-vm-a-1'\n"


HASH = "$6$salt$" + "a/." * 28 + "xy"


def test_a_trace_from_the_very_start_shows_no_hash(tmp_path: Path) -> None:
    script = _script(root_password_hash=HASH).replace("#!/bin/bash\n", "#!/bin/bash\nset -x\n", 1)
    boot = _boot(tmp_path, script)
    assert boot.called("root:") == [f"root:{HASH}"]
    assert "+ XIO_NODE=" in boot.output
    assert HASH not in boot.output


def test_the_template_runs_without_the_assignment_and_on_bash_4_2(tmp_path: Path) -> None:
    script = _script()
    assert "local -\n" not in script  # of bash 4.4
    boot = _boot(tmp_path, "\n".join(line for line in script.splitlines() if "XIO_ROOT_PASSWORD_HASH=" not in line))
    assert boot.code == 0, boot.output


@pytest.mark.parametrize("traced", ["", "set -x\n"])
def test_roots_password_goes_to_chpasswd_as_a_hash_and_nowhere_else(tmp_path: Path, traced: str) -> None:
    interpreter, _, script = shipped("user-data.sh").read_text().partition("\n")
    hook = tmp_path / "hook.sh"
    hook.write_text("#!/bin/sh\nenv\n")
    hook.chmod(0o755)
    template = f"{interpreter}\n{traced}{script}set\n"
    values = {"node": "n", "pool": "a", "cluster": "lab", "mounts": (), "hook_script": str(hook)}
    boot = _boot(tmp_path, render(template, **values, root_password_hash=HASH))  # type: ignore[arg-type]  # as above
    assert boot.code == 0, boot.output
    assert boot.called("chpasswd") == ["chpasswd -e"]
    assert boot.called("root:") == [f"root:{HASH}"]
    assert [call for call in boot.calls if HASH in call] == [f"root:{HASH}"]
    assert HASH not in boot.output
    assert ("\n+ say " in boot.output) is bool(traced)  # the trace goes on after it


def test_without_a_password_roots_stays_as_the_image_has_it(tmp_path: Path) -> None:
    boot = _boot(tmp_path, _script())
    assert boot.code == 0
    assert boot.called("chpasswd") == []


def test_a_password_that_cannot_be_set_does_not_end_the_boot(tmp_path: Path) -> None:
    boot = _boot(tmp_path, _script(root_password_hash=HASH), chpasswd=1)
    assert boot.code == 0
    assert "root's password can't be set" in boot.output
    assert boot.called("systemctl") == ["systemctl restart slurmd"]


def test_the_workers_address_goes_and_the_vms_stays(tmp_path: Path) -> None:
    boot = _boot(tmp_path, _script())
    assert boot.called("sysctl") == ["sysctl -q -w net.ipv4.conf.eth0.promote_secondaries=1"]
    assert boot.called("ip addr") == ["ip addr del 10.0.0.5/24 dev eth0"]


def test_slurm_and_the_sites_file_systems_are_mounted(tmp_path: Path) -> None:
    mounts = (Mount("/tools", "nas:/tools", "nfs", "ro,hard"), Mount("/proj x", "nas:/p", "nfs4", "rw"))
    boot = _boot(tmp_path, _script(mounts=mounts))
    assert boot.called("mount ") == [
        "mount -t nfs -o defaults head_node.lab.pcluster:/opt/slurm /opt/slurm",
        "mount -t nfs -o ro,hard nas:/tools /tools",
        "mount -t nfs4 -o rw nas:/p /proj x",
    ]


def test_a_site_that_mounts_slurm_itself_is_left_to_it(tmp_path: Path) -> None:
    boot = _boot(tmp_path, _script(mounts=(Mount("/opt/slurm", "fs:/slurm", "nfs", "ro"),)))
    assert boot.called("mount ") == ["mount -t nfs -o ro fs:/slurm /opt/slurm"]


def test_without_its_file_systems_a_node_does_not_join(tmp_path: Path) -> None:
    boot = _boot(tmp_path, _script(mounts=(Mount("/tools", "nas:/tools", "nfs", "ro"),)), mount=32, getent=2)
    assert boot.code == 1
    assert "nas:/tools can't be mounted at /tools: slurmd is not started" in boot.output
    assert len(boot.called("mount ")) == 5
    assert boot.called("systemctl") == []


@pytest.mark.parametrize(("hook", "joins"), [("exit 0", True), ("exit 7", False), (None, False)])
def test_the_sites_hook_decides_whether_the_node_joins(tmp_path: Path, hook: str | None, *, joins: bool) -> None:
    path = tmp_path / "hook.sh"
    if hook is not None:
        path.write_text(f"#!/bin/sh\n{hook}\n")
        path.chmod(0o755)
    boot = _boot(tmp_path, _script(hook_script=str(path)))
    assert (boot.code == 0) is joins, boot.output
    assert bool(boot.called("systemctl")) is joins


def test_a_slurm_that_cannot_be_told_the_address_does_not_end_the_boot(tmp_path: Path) -> None:
    boot = _boot(tmp_path, _script(), scontrol=1)
    assert boot.code == 0
    assert len(boot.called("scontrol")) == 5
    assert boot.called("systemctl") == ["systemctl restart slurmd"]
