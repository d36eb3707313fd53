"""SIGKILL at every request in turn, and between the files: the next run ends as an unbroken one does."""

import json
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contract.apply.conftest import SMALL, Cluster
from xio_slurm.plan.apply import applying
from xio_slurm.plan.steps import Status

FORK = multiprocessing.get_context("fork")
REPLACING_WRITES = {"allow": 4, "refuse": 5}
"""Writes of a replacement: parse, two renames, delete; or parse, a refused rename, delete, parse, delete."""
HOLD = 300.0
"""Seconds: a held request is never carried out within the test."""


def unbroken(begin: Callable[[], Cluster], writes: int = 3) -> tuple[dict[str, Any], int, int]:
    """The state that an unbroken run ends in, the number of its requests, and of those of them that plan."""
    cluster = begin()
    cluster.ems.forget_requests()
    plan = cluster.plan()
    planning = len(cluster.ems.requests())
    assert {each.status for each in cluster.apply(plan)} <= {Status.DONE, Status.UNCHANGED}
    requests = len(cluster.ems.requests())
    assert len(cluster.writes()) == writes
    return cluster.state(), requests, planning


def kill_at(cluster: Cluster, **fault: Any) -> bool:
    """Apply in a process of its own, and kill it while the fault holds a request; False: it came to its end."""
    number = cluster.ems.add_fault(effect="latency", seconds=HOLD, times=1, **fault)
    process = FORK.Process(target=lambda: os._exit(0 if cluster.is_applied() else 1))
    process.start()
    deadline = time.monotonic() + 60
    while process.is_alive():
        assert time.monotonic() < deadline
        if any(each.hits for each in cluster.ems.faults()):
            if fault.get("when") == "after":
                cluster.ems.wait_until(lambda: _is_done(cluster, fault["match"]["path"]))
            process.kill()
            break
        time.sleep(0.005)
    process.join(30)
    cluster.ems.remove_fault(number)
    return process.exitcode == -signal.SIGKILL


def _is_done(cluster: Cluster, path: str) -> bool:
    """Whether the write to this path has made what it makes."""
    kind, name = {
        "/v1/xcompute/parse": ("images", "rhel8"),
        "/v1/profile": ("profiles", "amd"),
        "/v1/env": ("envs", "lab"),
    }[path]
    return any(name in each.values() for each in cluster.documents()[kind])


def finish(cluster: Cluster, expected: dict[str, Any], theirs: str) -> None:
    """Run it again: the end is that of an unbroken run, and nothing is left to do."""
    assert cluster.is_applied()
    assert cluster.state() == expected
    assert cluster.theirs() == theirs
    assert not cluster.plan().changes


@pytest.mark.parametrize("part", range(3))
def test_killed_at_every_request_in_turn(make_cluster: Callable[..., Cluster], part: int) -> None:
    """One test for every third request each, since a test has its time.

    Those of the planning come before anything is written, so that its last one stands for them all.
    """
    expected, requests, planning = unbroken(make_cluster)
    assert requests > planning + 10
    for skip in range(planning - 1 + part, requests, 3):
        kill_and_finish(make_cluster(), skip, expected, requests)


@pytest.mark.parametrize("rename", ["allow", "refuse"])
@pytest.mark.parametrize("part", range(3))
def test_killed_at_every_request_of_an_image_that_gets_another_ami(
    make_cluster: Callable[..., Cluster], rename: str, part: int
) -> None:
    """Made beside the old one, and then renamed; or where the EMS renames none, made a second time in its place."""

    def begin() -> Cluster:
        cluster = make_cluster(image_rename=rename)
        assert cluster.is_applied()
        cluster.configure(with_ami("ami-2"))
        return cluster

    expected, requests, planning = unbroken(begin, writes=REPLACING_WRITES[rename])
    assert '"ImageId": "ami-2"' in " ".join(expected["documents"]["images"])
    for skip in range(planning - 1 + part, requests, 3):
        kill_and_finish(begin(), skip, expected, requests)


def kill_and_finish(cluster: Cluster, skip: int, expected: dict[str, Any], requests: int) -> None:
    """Kill an apply at a request of its ``requests``, and run it again."""
    theirs = cluster.theirs()
    killed = kill_at(cluster, skip=skip, match={"path": "/v1/*"})
    # How often a parse job is looked at is a matter of time.
    assert killed or skip >= requests - 2
    finish(cluster, expected, theirs)


def with_ami(ami: str) -> dict[str, Any]:
    """The small configuration with another AMI of its image."""
    document: dict[str, Any] = json.loads(json.dumps(SMALL))
    document["slurm"]["Xio"]["Images"][0]["ImageId"] = ami
    return document


@pytest.mark.parametrize("shown", ["hidden", "listed"])
def test_killed_while_an_image_is_parsed_the_next_run_ends_as_an_unbroken_one(
    make_cluster: Callable[..., Cluster], shown: str
) -> None:
    """An EMS may list an image from the beginning of its parse on: it is waited for, and not made a second time."""
    expected, _, _ = unbroken(lambda: make_cluster(image_while_parsing=shown))
    cluster = make_cluster(image_while_parsing=shown, parse_seconds=2.0)
    theirs = cluster.theirs()
    assert kill_at(cluster, match={"path": "/v1/xcompute/parse/*", "method": "GET"})
    images = {each["ImageName"]: each.get("Status") for each in cluster.documents()["images"]}
    assert images.get("rhel8") == {"hidden": None, "listed": "Parsing"}[shown]
    finish(cluster, expected, theirs)
    if shown == "listed":
        assert cluster.writes().count("POST /v1/xcompute/parse") == 1


@pytest.mark.parametrize("path", ["/v1/xcompute/parse", "/v1/profile", "/v1/env"])
def test_killed_when_a_write_was_done_and_its_answer_was_not_there_yet(
    make_cluster: Callable[..., Cluster], path: str
) -> None:
    expected, _, _ = unbroken(make_cluster)
    cluster = make_cluster()
    theirs = cluster.theirs()
    assert kill_at(cluster, when="after", match={"path": path, "method": "POST"})
    finish(cluster, expected, theirs)
    assert len([each for each in cluster.writes() if each == f"POST {path}"]) <= 1


def test_killed_at_every_step_between_the_files(make_cluster: Callable[..., Cluster]) -> None:
    expected, _, _ = unbroken(make_cluster)
    step = 1
    while True:
        cluster = make_cluster()
        theirs = cluster.theirs()
        killed = kill_at_move(cluster, step)
        finish(cluster, expected, theirs)
        if not killed:
            break
        step += 1
    assert step > 6  # two files to their successors, both to their places, the backup, slurm.conf


def kill_at_move(cluster: Cluster, step: int) -> bool:
    """Apply in a process that is killed when it is about to put its step-th file into place."""

    def work() -> None:
        left, real = step, Path.replace

        def mortal(path: Path, target: Path) -> Path:
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(path, target)

        Path.replace = mortal  # type: ignore[assignment,method-assign]  # to be killed there is the purpose
        with applying(cluster.plan(), lambda _: None) as run:
            os._exit(0 if run.run() else 1)

    child = FORK.Process(target=work)
    child.start()
    child.join(60)
    assert child.exitcode in {0, -signal.SIGKILL}
    return child.exitcode != 0
