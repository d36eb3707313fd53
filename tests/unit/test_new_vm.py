"""What the EMS is asked for holds a secret, which no message shows."""

from xio_slurm.ems.vms import NewVm


def test_the_user_data_is_not_shown() -> None:
    vm = NewVm("n-1", "pool", "profile", "image", 1, 1000, None, 10, "cm9vdDpzZWNyZXQ=", enable_wo=False)
    assert vm.to_document()["VM"]["UserData"] == vm.user_data
    assert vm.user_data not in f"{vm} {vm!r}"
