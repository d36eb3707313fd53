"""VMs that boot by running their user data: real processes, and none of them left."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import psutil
import pytest
import requests

from tests.contract.emulator.conftest import Client, vm_body
from xio_slurm.emulator import Emulator, Vm, vm_init

_T = TypeVar("_T")

DAEMONS = """#!/bin/bash
echo $$ >> {pids}
trap '' TERM                                      # deaf
setsid bash -c 'echo $$ >> {pids}; sleep 3600' &  # a session of its own
(setsid nohup bash -c 'trap "" TERM HUP; echo $$ >> {pids}; while true; do sleep 1; done' >/dev/null 2>&1 &) &
{last}
"""
"""Three processes of three sessions; two of them ignore SIGTERM."""


def daemons(pids: Path, *, script_stays: bool) -> str:
    return DAEMONS.format(pids=pids, last="while true; do sleep 1; done" if script_stays else "exit 0")


def pids_in(file: Path, count: int) -> list[int] | None:
    try:
        pids = [int(line) for line in file.read_text().split()]
    except (FileNotFoundError, ValueError):
        return None
    return pids if len(pids) == count else None


def alive(pids: list[int]) -> list[int]:
    return [pid for pid in pids if _is_alive(pid)]


def _is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_for(condition: Callable[[], _T]) -> _T:
    deadline = time.monotonic() + 60
    while not (result := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return result


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(boot_seconds=0.05, run_user_data=True, kill_grace=0.3, vm_env={"SITE": "lab one"}) as emulator:
        yield emulator


@pytest.fixture
def client(emulator: Emulator) -> Iterator[Client]:
    client = Client(emulator.url)
    with client.session:
        yield client


def ended(emulator: Emulator) -> Vm:
    return emulator.wait_until(lambda: [vm for vm in emulator.vms() if vm.exit_code is not None])[0]


def log_of(vm: Vm) -> str:
    assert vm.log is not None
    return Path(vm.log).read_text()


def boot(client: Client, script: str, node: str = "n-1") -> None:
    assert client.post("/v1/xcompute/vm", vm_body(node, script)).status_code == 200


def test_user_data_runs_with_an_environment_of_its_own(
    emulator: Emulator, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_EMULATOR", "1")
    boot(client, "#!/bin/bash\nenv | sort; pwd; ls -l /proc/self/fd | wc -l; stat -c %a $0; id -u; exit 3\n")
    vm = ended(emulator)
    output = log_of(vm)
    assert vm.exit_code == 3
    assert f"XIO_EMULATOR_NODE=n-1\nXIO_EMULATOR_ADDRESS={vm.address}\n".splitlines()[1] in output
    assert "XIO_EMULATOR_NODE=n-1" in output
    assert "SITE=lab one" in output
    assert "SECRET_OF_THE_EMULATOR" not in output
    assert output.splitlines()[-4:] == ["/", "5", "700", str(os.getuid())]


def test_user_data_runs_once_the_vm_has_its_address(emulator: Emulator, client: Client) -> None:
    boot(client, "#!/bin/sh\n/bin/echo $XIO_EMULATOR_ADDRESS\n")
    vm = ended(emulator)
    assert log_of(vm) == f"{vm.address}\n"
    assert [event.event for event in emulator.history()] == ["vm-asked", "vm-up", "script-ended"]


def test_a_vm_whose_script_ended_stays(emulator: Emulator, client: Client) -> None:
    boot(client, "#!/bin/sh\nexit 0\n")
    assert ended(emulator).exit_code == 0
    assert client.vm().json()["Vm"]


def test_a_script_that_dies_of_a_signal_is_told_so(emulator: Emulator, client: Client) -> None:
    boot(client, "#!/bin/sh\nkill -9 $$\n")
    assert ended(emulator).exit_code == -signal.SIGKILL


@pytest.mark.parametrize(("script", "told"), [("echo no interpreter\n", "#!"), ("#!/no/such\n", "No such file")])
def test_a_script_that_can_not_be_run_is_told(emulator: Emulator, client: Client, script: str, told: str) -> None:
    boot(client, script)
    vm = ended(emulator)
    assert vm.exit_code == 126
    assert told in log_of(vm)


def test_a_vm_without_user_data_runs_nothing(emulator: Emulator, client: Client) -> None:
    client.create()
    emulator.wait_until(lambda: client.vm().json()["Vm"])
    assert emulator.vms()[0].pid is None


def test_a_script_can_be_made_to_fail(emulator: Emulator, client: Client, tmp_path: Path) -> None:
    emulator.add_fault(effect="script-fails", exit_code=42)
    boot(client, f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    assert ended(emulator).exit_code == 42
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("script_stays", [True, False])
def test_a_delete_ends_all_that_the_vm_started(
    emulator: Emulator, client: Client, tmp_path: Path, script_stays: bool
) -> None:
    boot(client, daemons(tmp_path / "doomed", script_stays=script_stays), "n-1")
    boot(client, daemons(tmp_path / "kept", script_stays=script_stays), "n-2")
    doomed = wait_for(lambda: pids_in(tmp_path / "doomed", 3))
    kept = wait_for(lambda: pids_in(tmp_path / "kept", 3))
    assert doomed is not None
    assert kept is not None
    stays = kept if script_stays else kept[1:]
    wait_for(lambda: alive(kept) == stays)
    assert client.delete("/v1/xcompute/vm/n-1").status_code == 200
    assert alive(doomed) == []
    assert alive(kept) == stays
    assert client.vm("n-1").status_code == 404


def test_sigterm_comes_first(emulator: Emulator, client: Client, tmp_path: Path) -> None:
    emulator_grace = 60
    with Emulator(boot_seconds=0, run_user_data=True, kill_grace=emulator_grace) as patient:
        other = Client(patient.url)
        with other.session:
            boot(
                other,
                f"#!/bin/bash\ntrap 'echo bye > {tmp_path}/bye; exit' TERM\necho $$ > {tmp_path}/pid\n"
                "while true; do sleep 0.05; done\n",
            )
            wait_for(lambda: pids_in(tmp_path / "pid", 1))
            began = time.monotonic()
            assert other.delete("/v1/xcompute/vm/n-1").status_code == 200
            assert time.monotonic() - began < emulator_grace
            assert (tmp_path / "bye").read_text() == "bye\n"


def test_a_deleted_vm_can_be_made_again_under_its_name(emulator: Emulator, client: Client, tmp_path: Path) -> None:
    for count in (1, 2, 3):
        boot(client, f"#!/bin/sh\necho $$ >> {tmp_path}/pids\nexec sleep 3600\n")
        pids = wait_for(lambda count=count: pids_in(tmp_path / "pids", count))  # type: ignore[misc]  # bound per turn
        assert pids is not None
        assert alive(pids) == pids[-1:]
        assert client.delete("/v1/xcompute/vm/n-1").status_code == 200
        assert alive(pids) == []


def test_a_vm_that_dies_takes_its_processes_with_it(emulator: Emulator, client: Client, tmp_path: Path) -> None:
    emulator.add_fault(effect="vm-dies", seconds=0.5)
    boot(client, daemons(tmp_path / "pids", script_stays=True))
    pids = wait_for(lambda: pids_in(tmp_path / "pids", 3))
    assert pids is not None
    emulator.wait_until(lambda: not emulator.vms())
    assert alive(pids) == []


def test_a_reset_ends_all_vms(emulator: Emulator, client: Client, tmp_path: Path) -> None:
    boot(client, daemons(tmp_path / "pids", script_stays=True))
    pids = wait_for(lambda: pids_in(tmp_path / "pids", 3))
    assert pids is not None
    assert client.post("/emulator/reset", None).status_code == 200
    assert alive(pids) == []
    boot(client, "#!/bin/sh\nexit 5\n")
    assert ended(emulator).exit_code == 5


def test_a_vms_own_first_process_killed_leaves_a_vm_that_can_be_deleted(
    emulator: Emulator, client: Client, tmp_path: Path
) -> None:
    boot(client, f"#!/bin/sh\necho $PPID >> {tmp_path}/pids\nexec sleep 30\n")
    pids = wait_for(lambda: pids_in(tmp_path / "pids", 1))
    assert pids is not None
    os.kill(pids[0], signal.SIGTERM)
    wait_for(lambda: not alive(pids))
    assert client.delete("/v1/xcompute/vm/n-1").status_code == 200


def test_nothing_runs_unless_it_is_asked_for(ems_emulator: Emulator, tmp_path: Path) -> None:
    client = Client(ems_emulator.url)
    with client.session:
        boot(client, f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        ems_emulator.wait_until(lambda: client.vm().json()["Vm"])
        client.delete("/v1/xcompute/vm/n-1")
    assert not (tmp_path / "ran").exists()


def test_web_pages_are_refused_where_user_data_is_run(emulator: Emulator) -> None:
    for path in ("/v1/xcompute/vm", "/emulator/reset"):
        answer = requests.post(emulator.url + path, json=vm_body(), headers={"Origin": "http://evil"}, timeout=60)
        assert answer.status_code == 403
    assert emulator.vms() == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_no_process_outlives_the_emulator(tmp_path: Path, number: signal.Signals) -> None:
    port_file = tmp_path / "port"
    command = [sys.executable, "-m", "xio_slurm.commands", "emulator", "--port", "0", "--port-file", str(port_file)]
    options = ["--run-user-data", "--boot-seconds", "0", "--kill-grace", "0.3", "--vm-dir", str(tmp_path / "vms")]
    with subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL) as process:
        try:
            wait_for(port_file.exists)
            client = Client(f"http://127.0.0.1:{port_file.read_text().strip()}")
            with client.session:
                for count in (1, 2, 3):
                    boot(client, daemons(tmp_path / "pids", script_stays=count > 1), f"n-{count}")
                pids = wait_for(lambda: pids_in(tmp_path / "pids", 9))
            assert pids is not None
            first_processes = [child.pid for child in psutil.Process(process.pid).children()]
            assert len(first_processes) == 3
            process.send_signal(number)
            assert process.wait(60) == (-signal.SIGKILL if number == signal.SIGKILL else 0)
            if number != signal.SIGKILL:
                assert alive([*pids, *first_processes]) == []
            wait_for(lambda: not alive([*pids, *first_processes]))
            assert not list((tmp_path / "vms").glob("*.user-data"))
            assert sorted(path.name for path in (tmp_path / "vms").glob("*.log")) == ["n-1.log", "n-2.log", "n-3.log"]
        finally:
            process.kill()


def test_a_vm_that_can_not_be_started_harms_no_other(tmp_path: Path) -> None:
    with Emulator(boot_seconds=0, run_user_data=True, vm_dir=tmp_path / "vms") as other:
        (tmp_path / "vms" / "n-1.log").mkdir()  # where its log should go
        client = Client(other.url)
        with client.session:
            descriptors = psutil.Process().num_fds()
            boot(client, "#!/bin/sh\nexit 0\n", "n-1")
            other.wait_until(lambda: other.vms()[0].exit_code == 126)
            assert psutil.Process().num_fds() <= descriptors + 2  # the connection
            boot(client, "#!/bin/sh\nexit 0\n", "n-2")
            other.wait_until(lambda: other.vms()[1].exit_code == 0)
            assert client.delete("/v1/xcompute/vm/n-1").status_code == 200


def test_children_are_found_in_both_ways() -> None:
    with subprocess.Popen(["/bin/sh", "-c", "sleep 60 & sleep 60 & wait"]) as shell:
        try:
            wait_for(lambda: len(psutil.Process(shell.pid).children()) == 2)
            expected = sorted(child.pid for child in psutil.Process(shell.pid).children())
            assert sorted(vm_init._listed_children(shell.pid)) == expected
            assert sorted(vm_init._scanned_children()(shell.pid)) == expected
        finally:
            for child in psutil.Process(shell.pid).children():
                child.kill()
