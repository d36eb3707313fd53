"""SLURM_RESUME_FILE in all of its forms, and the filtered copy for a delegated program."""

import json
from pathlib import Path
from typing import Any

import pytest

from xio_slurm.errors import SlurmError
from xio_slurm.slurm.hostlist import expand
from xio_slurm.slurm.resume_file import ResumeFile, read_resume_file

V22_05: dict[str, Any] = {
    "jobs": [{"job_id": 1, "nodes": "xspot-vm-a-[1-2]"}, {"job_id": 2, "nodes": "q-1,xspot-vm-a-2"}],
    "all_nodes": "q-1,xspot-vm-a-[1-2]",
}
V23_02: dict[str, Any] = {
    "all_nodes_resume": "xspot-vm-a-[1-2],q-1",
    "jobs": [
        {
            "extra": None,
            "job_id": 1,
            "features": None,
            "nodes_alloc": "xspot-vm-a-[1-3]",
            "nodes_resume": "xspot-vm-a-[1-2]",
            "oversubscribe": "OK",
            "partition": "xio",
            "reservation": None,
        },
        {"job_id": 2, "nodes_alloc": "q-[1-2],xspot-vm-a-2", "nodes_resume": "q-1,xspot-vm-a-2"},
    ],
}


@pytest.mark.parametrize("document", [V22_05, V23_02])
def test_which_jobs_wait_for_a_node(document: dict[str, Any]) -> None:
    assert ResumeFile(document).jobs_of() == {"xspot-vm-a-1": (1,), "xspot-vm-a-2": (1, 2), "q-1": (2,)}


@pytest.mark.parametrize("document", [V22_05, V23_02])
def test_a_copy_for_others_speaks_of_none_of_our_nodes(document: dict[str, Any]) -> None:
    before = json.dumps(document)
    copy = ResumeFile(document).only(lambda node: node.startswith("q-"))
    assert "xspot" not in copy.to_json()
    assert [job["job_id"] for job in json.loads(copy.to_json())["jobs"]] == [2]
    assert copy.jobs_of() == {"q-1": (2,)}
    assert json.dumps(document) == before


def test_the_copy_keeps_what_it_does_not_know() -> None:
    copy = ResumeFile(V23_02 | {"new": {"key": 1}}).only(lambda node: node.startswith("q-"))
    assert copy.document["new"] == {"key": 1}
    assert set(expand(copy.document["jobs"][0]["nodes_alloc"])) == {"q-1", "q-2"}


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"jobs": None, "all_nodes_resume": None},
        {"jobs": [], "all_nodes_resume": "q-1"},
        {"jobs": [None, 3, {"job_id": None, "nodes_resume": None}, {"nodes": "a[1-"}]},
        {"jobs": {"job_id": 1}},
    ],
)
def test_odd_documents_are_tolerated(document: dict[str, Any]) -> None:
    assert ResumeFile(document).jobs_of() == {}
    assert ResumeFile(document).only(bool).document["jobs"] == []


def test_without_the_variable_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLURM_RESUME_FILE", raising=False)
    assert read_resume_file() is None


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b"\xff"])
def test_a_file_that_cannot_be_read_is_one_line(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "resume.json"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("SLURM_RESUME_FILE", str(path))
    with pytest.raises(SlurmError, match="SLURM_RESUME_FILE=") as caught:
        read_resume_file()
    assert "\n" not in str(caught.value)


def test_the_nodes_of_each_job() -> None:
    document = {"jobs": [{"job_id": 1, "nodes": "n-[1-2]"}, {"job_id": 2, "nodes_resume": "n-2"}, {"job_id": "x"}]}
    assert ResumeFile(document).nodes_of() == {1: ("n-1", "n-2"), 2: ("n-2",)}
