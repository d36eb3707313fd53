"""What a controller must do, on a real slurmctld: through scontrol, and through pyslurm where it fits that Slurm."""

from collections.abc import Iterator

import pytest

from tests.manifests import manifest_with
from xio_slurm.errors import SlurmError
from xio_slurm.lab import Lab
from xio_slurm.manifest import SlurmBackend
from xio_slurm.slurm.controller import Controller, controller
from xio_slurm.slurm.pyslurm_controller import PyslurmController

OURS = ("pc-1", "pc-2")


@pytest.fixture(params=["scontrol", "pyslurm"])
def slurm(lab: Lab, request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Iterator[Controller]:
    """The lab's, through each."""
    backend: SlurmBackend = request.param
    manifest = manifest_with(slurm_bin_dir=lab.record.slurm_bin_dir, slurm_backend=backend)
    made = controller(manifest, slurm_conf=str(lab.layout.slurm_conf))
    if backend == "pyslurm" and not isinstance(made, PyslurmController):
        pytest.skip(f"pyslurm isn't tried: {caplog.messages[-1]}")
    yield made
    lab.run("scontrol", "update", f"NodeName={','.join(OURS)}", "State=RESUME")


def test_a_controller(slurm: Controller, lab: Lab) -> None:
    every = dict(slurm.every_node())
    assert every == lab.nodes()
    assert slurm.nodes((*OURS, "nobody-1")) == {name: every[name] for name in OURS}
    assert slurm.nodes(()) == {}
    assert {every[name].powered_down for name in OURS} == {True}

    slurm.set_state(OURS, "DRAIN", "xio:capacity none = there")
    drained = lab.nodes()
    assert {(*drained[name].flags & {"DRAIN"}, drained[name].reason) for name in OURS} == {
        ("DRAIN", "xio:capacity none = there")
    }
    assert slurm.nodes(OURS) == {name: drained[name] for name in OURS}
    slurm.set_state(OURS, "RESUME")
    assert not any("DRAIN" in state.flags for state in slurm.nodes(OURS).values())

    slurm.set_addresses({"pc-2": "127.0.0.3", "pc-1": "127.0.0.2"})
    assert [slurm.nodes(OURS)[name].address for name in OURS] == ["127.0.0.2", "127.0.0.3"]

    with pytest.raises(SlurmError, match="nvalid node"):
        slurm.set_state(("nobody-1",), "RESUME")
    with pytest.raises(SlurmError):
        slurm.update_jobs(("999999",), "StartTime=now")
    with pytest.raises(SlurmError):
        slurm.set_state(OURS, "NO_STATE")
