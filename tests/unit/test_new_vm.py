"""What the EMS is asked for holds a secret, and so may its answer: no message shows it."""

from xio_slurm.ems.vms import NewVm, Vm


def test_the_user_data_is_not_shown() -> None:
    vm = NewVm("n-1", "pool", "profile", "image", 1, 1000, None, 10, "cm9vdDpzZWNyZXQ=", enable_wo=False)
    assert vm.to_document()["VM"]["UserData"] == vm.user_data
    assert vm.user_data not in f"{vm} {vm!r}"


def test_the_answer_is_not_shown() -> None:
    vm = Vm("n-1", "10.0.0.1", None, answer={"UserData": "cm9vdDpzZWNyZXQ="})
    assert "cm9vdDpzZWNyZXQ=" not in f"{vm} {vm!r}"
