"""What doesn't go: told in one line each, with nothing done that others need, and finished by a second run."""

import json
import os
import re
import signal
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pexpect
import pytest
import requests

from tests.contract.apply.conftest import SMALL, Cluster
from xio_slurm.images.replacement import PREVIOUS_SUFFIX


def small(**changes: Any) -> dict[str, Any]:
    """The small configuration with other values of its one profile."""
    document: dict[str, Any] = json.loads(json.dumps(SMALL))
    document["slurm"]["Xio"]["Profiles"][0].update(changes)
    return document


def names(cluster: Cluster) -> set[str]:
    """The names of all documents."""
    keys = ("ProfileName", "EnvName", "ImageName")
    return {each[key] for of_kind in cluster.documents().values() for each in of_kind for key in keys if key in each}


def test_an_ems_that_cannot_be_reached_is_said_and_the_rest_is_not_called_complete(cluster: Cluster) -> None:
    cluster.configure(SMALL, EmsUrl="http://127.0.0.1:9")
    run = cluster.run("plan", "--detailed-exitcode")
    assert run.code == 1
    assert "EMS: not looked at. Slurm: both files and the include line." in run.out
    assert re.search(r"^xio: the EMS at http://127.0.0.1:9: can't be reached: Connection refused$", run.err, re.M)
    assert "this plan isn't complete" in run.err
    applied = cluster.run("apply", "--yes", "--json")
    assert applied.code == 1
    assert (applied.document["plan"]["complete"], applied.document["plan"]["documents"]) == (False, [])
    assert not cluster.out.exists()


def test_without_slurm_conf_the_ems_and_the_files_are_planned_and_it_is_said_what_was_not_looked_at(
    cluster: Cluster,
) -> None:
    cluster.configure(SMALL, HeadAddress="10.1.2.3")
    run = cluster.run("plan", "--detailed-exitcode", slurm_conf=False)
    assert run.code == 2, run.err
    assert "+ environment lab" in run.out
    assert "warning: there is no slurm.conf here" in run.err
    cluster.configure(SMALL)
    run = cluster.run("apply", "--yes", slurm_conf=False)
    assert run.code == 1
    assert "xio: environment lab: where the head node is isn't known here: add Plugin: HeadAddress" in run.err
    assert cluster.writes() == []
    assert not cluster.out.exists()


def test_a_refusal_in_the_plan_writes_nothing_at_all(cluster: Cluster) -> None:
    document = small(ProfileName="theirs")
    document["slurm"]["Xio"]["Pools"][0]["ProfileName"] = "theirs"
    cluster.configure(document)
    theirs = cluster.theirs()
    run = cluster.run("apply", "--yes", "--json")
    assert run.code == 1
    assert "xio: profile theirs: " in run.err
    assert "--adopt" in run.err
    assert run.document["outcome"] == "refused"
    assert cluster.writes() == []
    assert not cluster.out.exists()
    assert cluster.theirs() == theirs


def test_the_former_scripts_include_is_refused_and_said_to_be_taken_away(cluster: Cluster) -> None:
    nodes = "".join(f"NodeName=xspot-vm-a-{number} CPUs=2\n" for number in (1, 2, 3))
    (cluster.folder / "lab_xspot.slurm.conf").write_text(f"{nodes}PartitionName=xio-a\n")
    cluster.conf.write_text(f"{cluster.conf.read_text()}include lab_xspot.slurm.conf\n")
    run = cluster.run("apply", "--yes")
    assert run.code == 1
    (line,) = (line for line in run.err.splitlines() if "lab_xspot" in line)
    assert "with 3 of our nodes and 1 of our partitions: take the line away that includes it in slurm.conf" in line
    assert cluster.writes() == []


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_without_a_terminal_it_is_wrong_usage_not_to_say_yes(cluster: Cluster, options: tuple[str, ...]) -> None:
    run = cluster.run("apply", *options)
    assert (run.code, run.out) == (2, "")
    assert [line for line in run.err.splitlines() if "--yes" in line] == [
        "Error: nobody can be asked here whether to do it: give --yes"
    ]
    assert cluster.ems.requests() == []


def test_json_on_a_terminal_is_wrong_usage_without_yes(cluster: Cluster) -> None:
    program, *arguments = cluster.command("apply", "--json")
    shell = pexpect.spawn(program, arguments, env=cluster.environment, timeout=60, encoding="utf-8")
    shell.expect("give --yes")
    shell.expect(pexpect.EOF)
    shell.close()
    assert shell.exitstatus == 2


class _NotAnEms(BaseHTTPRequestHandler):
    """A web server of somebody else's; ``says`` is its status and body for every path."""

    says: tuple[int, bytes] = (404, b"")

    def do_GET(self) -> None:
        status, body = self.says
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.mark.parametrize(
    "says", [(404, b'{"detail": "Not Found"}'), (301, b""), (200, b"\n<!doctype html><title>Welcome</title>")]
)
def test_a_web_server_that_is_no_ems_is_said_to_be_none(cluster: Cluster, says: tuple[int, bytes]) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_NotAnEms,), {"says": says})) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        cluster.configure(SMALL, EmsUrl=url)
        for run in (cluster.run("plan"), cluster.run("apply", "--yes")):
            assert run.code == 1
            expected = f"xio: {url} answers, but not as an EMS does ({says[0]}): check ManagementServerIp or EmsUrl"
            assert expected in run.err.splitlines()
        server.shutdown()


@pytest.mark.parametrize(("answer", "code"), [("n", 1), ("y", 0)])
def test_on_a_terminal_it_asks(cluster: Cluster, answer: str, code: int) -> None:
    program, *arguments = cluster.command("apply")
    shell = pexpect.spawn(program, arguments, env=cluster.environment, timeout=60, encoding="utf-8")
    shell.expect("Do it?")
    shell.sendline(answer)
    shell.expect(pexpect.EOF)
    shell.close()
    assert shell.exitstatus == code
    assert ("lab" in names(cluster)) == (code == 0)


def test_an_image_that_fails_stops_all_that_needs_it_and_a_second_run_finishes(cluster: Cluster) -> None:
    cluster.ems.add_fault(effect="parse-fails", code=202, times=1)
    run = cluster.run("apply", "--yes", "--json")
    assert run.code == 1
    assert run.document["outcome"] == "failed"
    assert [(each["kind"], each["status"]) for each in run.document["steps"]] == [
        ("image", "failed"),
        ("profile", "skipped"),
        ("environment", "skipped"),
        ("files", "skipped"),
        ("include line", "skipped"),
    ]
    (error,) = run.document["errors"]
    assert error.startswith("image rhel8: ")
    assert cluster.writes() == ["POST /v1/xcompute/parse"]
    assert cluster.is_applied()
    assert not cluster.plan().changes


def test_a_failed_profile_stops_the_environment_and_it_is_said_what_was_done(cluster: Cluster) -> None:
    cluster.ems.add_fault(effect="status", status=400, error="no", match={"method": "POST", "path": "/v1/profile"})
    run = cluster.run("apply", "--yes")
    assert run.code == 1
    assert "xio: create profile amd: EMS 400: no\n" in run.err
    expected = f"not begun: environment lab, files {cluster.out}, include line {cluster.conf}; once that is mended, the"
    assert f"done: image rhel8; {expected}" in run.out
    assert "lab" not in names(cluster)
    assert not (cluster.out / "manifest.json").exists()
    assert "include" not in cluster.conf.read_text()


def test_a_profile_that_a_running_controller_holds_is_named_with_the_controller(cluster: Cluster) -> None:
    assert cluster.is_applied()
    vm = {"CPUs": 1, "ImageName": "rhel8", "MaxMemory": 1000, "VolumeSize": 10, "UserData": ""}
    asked = {"NodeName": "xspot-vm-a-1", "PoolName": "a", "ProfileName": "amd", "VM": vm}
    requests.post(f"{cluster.ems.url}/v1/xcompute/vm", json=asked, timeout=10)
    cluster.ems.wait_until(lambda: cluster.ems.vms()[0].address)
    detail = requests.get(f"{cluster.ems.url}/v1/xcompute/vm/xspot-vm-a-1?detailedInfo=true", timeout=10).json()
    cluster.configure(small(MaxControllers=3))
    run = cluster.run("apply", "--yes")
    assert run.code == 1
    (line,) = (line for line in run.err.splitlines() if line.startswith("xio: update profile amd: "))
    assert "EMS 409" in line
    assert f"profile amd is held by {detail['Controller']['NodeName']} for xspot-vm-a-1: " in line
    assert line.endswith("then run this again")


@pytest.mark.parametrize("path", ["/v1/profile", "/v1/env", "/v1/xcompute/parse"])
def test_a_write_whose_answer_is_lost_is_not_sent_twice(cluster: Cluster, path: str) -> None:
    cluster.ems.add_fault(effect="lost-answer", match={"method": "POST", "path": path}, times=1)
    run = cluster.run("apply", "--yes")
    assert run.code == 0, run.err
    assert cluster.writes().count(f"POST {path}") == 1
    assert not cluster.plan().changes


@pytest.mark.parametrize("effect", [{"effect": "lost-request"}, {"effect": "status", "status": 502, "body": "html"}])
def test_a_write_that_was_lost_is_said_not_to_be_done_and_a_second_run_does_it(
    cluster: Cluster, effect: dict[str, Any]
) -> None:
    cluster.ems.add_fault(**effect, match={"method": "POST", "path": "/v1/env"}, times=1)
    run = cluster.run("apply", "--yes")
    assert run.code == 1
    assert re.search(r"^xio: .*environment lab.*: it wasn't done; run this again$", run.err, re.M)
    assert cluster.writes().count("POST /v1/env") == 1
    assert cluster.is_applied()


@pytest.mark.parametrize("again", [False, True])
def test_what_another_has_made_or_changed_since_the_plan_is_left_alone(cluster: Cluster, again: bool) -> None:
    """``again``: our profile is there already, and changed by another; else another makes one of its name."""
    url = f"{cluster.ems.url}/v1/profile"
    if again:
        assert cluster.is_applied()
        cluster.configure(small(MaxControllers=3))
    body = requests.get(f"{url}/{'amd' if again else 'az1'}", timeout=10).json()
    others = {**body, "ProfileName": "amd", "MaxControllers": 99}
    if not again:
        others = {key: value for key, value in others.items() if key not in {"Id", "Arbiter", "Manufacturer"}}
        others = {key: value for key, value in others.items() if key not in {"MeteringList", "Status"}}
    # The first look is the plan's, where the profile is there; the next is the one before the write.
    look = cluster.ems.add_fault(effect="latency", seconds=1.5, match={"path": "/v1/profile/amd"}, skip=int(again))

    def meddle() -> None:
        cluster.ems.wait_until(lambda: any(each.id == look and each.hits for each in cluster.ems.faults()))
        requests.request("PUT" if again else "POST", url, json=others, timeout=10)

    meddler = threading.Thread(target=meddle)
    meddler.start()
    run = cluster.run("apply", "--yes")
    meddler.join()
    assert run.code == 1
    what = "was changed" if again else "was made"
    assert f"xio: profile amd: {what} by somebody else since the plan was made: plan again" in run.err
    assert requests.get(f"{url}/amd", timeout=10).json()["MaxControllers"] == 99


def test_a_lost_include_line_is_told_and_put_back_and_nothing_else_is_touched(cluster: Cluster) -> None:
    assert cluster.is_applied()
    expected = cluster.state()
    files = {path: path.stat().st_mtime_ns for path in cluster.out.iterdir() if path.suffix in {".conf", ".json"}}
    cluster.conf.write_text(cluster.conf.read_text().replace(f"include {cluster.out}/xio.nodes.conf\n", ""))
    planned = cluster.run("plan", "--detailed-exitcode")
    assert planned.code == 2
    assert f"warning: {cluster.conf}: something took the line away" in planned.err
    cluster.ems.forget_requests()
    run = cluster.run("apply", "--yes")
    assert run.code == 0
    assert "Slurm: restart slurmctld" in run.out
    assert cluster.state() == expected
    assert cluster.writes() == []
    assert {path: path.stat().st_mtime_ns for path in files} == files


def test_of_two_at_once_on_one_folder_one_is_refused_in_one_line(cluster: Cluster) -> None:
    cluster.ems.add_fault(effect="latency", seconds=300, match={"method": "POST", "path": "/v1/profile"}, times=1)
    with cluster.start("apply", "--yes") as first:
        cluster.ems.wait_until(lambda: cluster.ems.faults()[0].hits)
        second = cluster.run("apply", "--yes")
        assert first.poll() is None
        first.kill()
    assert second.code == 1
    assert f"xio: {cluster.out}: another 'xio apply' is at work there: wait for it, then plan again\n" in second.err
    assert cluster.is_applied()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_with_what_was_done_and_a_second_run_finishes(cluster: Cluster, number: int) -> None:
    cluster.ems.add_fault(effect="latency", seconds=300, match={"method": "POST", "path": "/v1/env"}, times=1)
    with cluster.start("apply", "--yes") as process:
        cluster.ems.wait_until(lambda: cluster.ems.faults()[0].hits)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert f"done: image rhel8, profile amd; not begun: files {cluster.out}, include line" in out
    assert "xio: environment lab: interrupted: plan again to see what was done of it" in err
    assert "Traceback" not in err
    cluster.ems.remove_faults()
    assert cluster.is_applied()


def test_ctrl_c_while_images_are_made_does_not_wait_for_the_ems(make_cluster: Callable[..., Cluster]) -> None:
    document = small()
    document["slurm"]["Xio"]["Images"].append({"ImageName": "second", "ImageId": "ami-2"})
    cluster = make_cluster(document, parse_seconds=300)
    with cluster.start("apply", "--yes") as process:
        cluster.ems.wait_until(lambda: len(cluster.ems.requests("POST", "/v1/xcompute/parse")) == 2)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=15)
    assert process.returncode == 130
    assert "done: nothing; not begun: profile amd, environment lab" in out
    assert "Traceback" not in err


def test_images_are_made_side_by_side_four_at_most(make_cluster: Callable[..., Cluster]) -> None:
    document = small()
    document["slurm"]["Xio"]["Images"] = [{"ImageName": f"rhel{n}", "ImageId": f"ami-{n}"} for n in range(6)]
    document["slurm"]["Xio"]["DefaultImageName"] = "rhel0"
    cluster = make_cluster(document, parse_seconds=300)
    with cluster.start("apply", "--yes") as process:
        cluster.ems.wait_until(lambda: len(cluster.ems.requests("GET", "/v1/xcompute/parse/")) >= 8)
        assert len(cluster.ems.requests("POST", "/v1/xcompute/parse")) == 4
        process.kill()


def test_a_folder_that_cannot_be_written_is_told_before_anything_is_done(cluster: Cluster) -> None:
    cluster.out.write_text("")
    run = cluster.run("apply", "--yes")
    assert run.code == 1
    assert len([line for line in run.err.splitlines() if line.startswith("xio: ")]) == 1
    assert cluster.writes() == []


def test_the_delegates_of_slurm_conf_are_shown_and_stay_the_same_once_we_are_included(cluster: Cluster) -> None:
    cluster.conf.write_text(f"{cluster.conf.read_text()}ResumeProgram=/site/resume\nSuspendProgram=/site/suspend\n")
    planned = cluster.run("plan")
    assert "ResumeProgram of the nodes that aren't ours: /site/resume" in " ".join(planned.out.split())
    assert cluster.is_applied()
    manifest = json.loads((cluster.out / "manifest.json").read_text())
    assert manifest["delegates"] == {"resume": "/site/resume", "suspend": "/site/suspend", "resume_fail": None}
    assert "unchanged: " in cluster.run("generate").out
    assert not cluster.plan().changes


@pytest.mark.parametrize("name", ["apply", "generate"])
def test_without_slurm_conf_the_delegates_stay_those_of_the_manifest(cluster: Cluster, name: str) -> None:
    text = cluster.conf.read_text()
    cluster.conf.write_text(f"{text}ResumeProgram=/pc/resume\nSuspendProgram=/pc/end\nResumeFailProgram=/pc/end\n")
    cluster.configure(SMALL, HeadAddress="127.0.0.1")
    assert cluster.is_applied()
    manifest = (cluster.out / "manifest.json").read_text()
    planned = cluster.run("plan", "--detailed-exitcode", slurm_conf=False)
    assert planned.code == 0, planned.out
    kept = "ResumeProgram of the nodes that aren't ours: /pc/resume (kept: there is no slurm.conf here)"
    assert kept in " ".join(planned.out.split())
    assert cluster.run(name, *(("--yes",) if name == "apply" else ()), slurm_conf=False).code == 0
    assert (cluster.out / "manifest.json").read_text() == manifest

    cluster.conf.write_text(text)
    planned = cluster.run("plan")
    assert "      ResumeProgram of the nodes that aren't ours: /pc/resume → none\n" in planned.out
    assert planned.out.count("/pc/") == 3


def test_what_a_broken_off_replacement_left_beside_its_image_goes(cluster: Cluster) -> None:
    assert cluster.is_applied()
    left = {"ImageName": f"rhel8{PREVIOUS_SUFFIX}", "ImageId": "ami-0"}
    requests.post(f"{cluster.ems.url}/v1/image", json=left, timeout=10).raise_for_status()
    run = cluster.run("plan", "--detailed-exitcode")
    assert run.code == 2
    assert "~ image rhel8" in run.out
    assert cluster.is_applied()
    assert {name for name in names(cluster) if "rhel8" in name} == {"rhel8"}
    assert not cluster.plan().changes


def test_a_configless_cluster_is_told_before_the_line_is_put(cluster: Cluster) -> None:
    text = cluster.conf.read_text().replace("idle_on_node_suspend", "idle_on_node_suspend,enable_configless")
    cluster.conf.write_text(text)
    assert "configless slurmctld ships only includes without a '/'" in cluster.run("plan").err


def aws_without_an_answer() -> dict[str, str]:
    """An environment in which AWS's requests go to a port where nobody listens."""
    keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_EC2_METADATA_DISABLED": "true"}
    nowhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_CONFIG_FILE": os.devnull}
    return {**keys, **nowhere, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}


def test_an_address_that_aws_does_not_tell_is_taken_from_the_manifest_with_a_warning(cluster: Cluster) -> None:
    document = small()
    document["slurm"]["Xio"]["ManagementServerStackName"] = "ems"
    cluster.configure(document)
    assert cluster.is_applied()
    text = Path(cluster.config).read_text().replace(f"EmsUrl: {cluster.ems.url}", "LogDir: /var/log/xio")
    cluster.config.write_text(text)
    run = cluster.run("plan", "--detailed-exitcode", environment=aws_without_an_answer())
    assert run.code == 0, run.err
    assert f"the address of an earlier look-up is used: {cluster.ems.url}" in run.err
    (cluster.out / "manifest.json").unlink()
    run = cluster.run("plan", environment=aws_without_an_answer())
    assert run.code == 1
    assert "this plan isn't complete" in run.err


def test_json_is_one_document_where_it_is_ended_by_a_signal_and_where_nothing_can_be_planned(cluster: Cluster) -> None:
    cluster.ems.add_fault(effect="latency", seconds=300, match={"method": "POST", "path": "/v1/env"}, times=1)
    with cluster.start("apply", "--yes", "--json") as process:
        cluster.ems.wait_until(lambda: cluster.ems.faults()[0].hits)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert json.loads(out)["outcome"] == "interrupted"
    cluster.config.write_text("slurm: {Xio: {PoolSize: many}}\n")
    for name, *options in (("plan", "--json"), ("apply", "--yes", "--json")):
        run = cluster.run(name, *options)
        assert run.code == 1
        assert run.document["complete"] is False
        assert run.document["errors"] == [line.removeprefix("xio: ") for line in run.err.splitlines()]


def test_what_hurts_is_warned_of_before_slurm_conf_is_replaced(cluster: Cluster) -> None:
    (cluster.folder / "second-name.conf").hardlink_to(cluster.conf)
    cluster.conf.write_text(cluster.conf.read_text().replace("ClusterName=lab", "ClusterName=prod"))
    warnings = cluster.plan().warnings
    assert any("has 1 more hard link, which would keep the old content" in line for line in warnings)
    assert any("ClusterName is lab, and prod in " in line for line in warnings)


def test_where_the_include_line_is_there_already_nobody_is_told_to_put_it(cluster: Cluster) -> None:
    cluster.conf.write_text(f"{cluster.conf.read_text()}include {cluster.out}/xio.nodes.conf\n")
    advice = " ".join(cluster.plan().slurm.advice)
    assert "restart slurmctld" in advice
    assert "put the include" not in advice


def test_where_the_ami_of_an_image_is_not_told_nobody_says_that_all_is_well(cluster: Cluster) -> None:
    assert cluster.is_applied()
    text = json.dumps({"ImageName": "rhel8"})
    cluster.ems.add_fault(effect="status", status=200, text=text, match={"path": "/v1/image/rhel8"})
    run = cluster.run("plan", "--detailed-exitcode")
    assert run.code == 0
    assert "Nothing to do that can be told: what image rhel8 is isn't known." in run.out
