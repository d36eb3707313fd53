"""The programs called by an administrator, beside slurmctld's own calls."""

import requests

from xio_slurm.lab import Lab
from xio_slurm.ledger import Ledger

NODE = "xspot-vm-amd-8-gb-1-cores-7"


def test_what_root_does_by_hand_does_not_lock_slurm_user_out(lab: Lab) -> None:
    fault = {"effect": "never-boots", "times": 1}
    requests.post(f"{lab.emulator_url}/emulator/faults", json=fault, timeout=10).raise_for_status()
    ended = lab.run(lab.layout.bin / "xio-resume", NODE)
    assert ended.returncode == 0, ended.stderr
    assert NODE in lab.vms()
    ours = [*lab.layout.ledger.rglob("*"), lab.layout.events]
    assert {path.stat().st_uid for path in ours} == {lab.layout.ledger.stat().st_uid}
    assert lab.run(lab.layout.bin / "xio-suspend", NODE).returncode == 0
    assert lab.vms() == ()
    job = lab.run("srun", "-p", "xio", "-w", NODE, "hostname")
    assert (job.returncode, job.stdout) == (0, f"{NODE}\n"), job.stderr
    lab.wait_until_idle(240)
    assert list(Ledger(str(lab.layout.ledger)).entries()) == []
