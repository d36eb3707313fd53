"""What measures must itself be right: the clock, the stand-ins, and what the programs are measured against."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from bench.site import Site, fast_ems, hostlist, names, pools
from bench.timing import TREE, BenchError, timed
from xio_slurm.slurm.hostlist import expand
from xio_slurm.slurm.states import parse_nodes

BENCH = TREE / "bench"
TEMPLATE = TREE / "etc" / "user-data.sh"


def test_a_command_has_its_own_time_and_memory() -> None:
    ballast = bytearray(150 * 1024**2)  # of this process: the command's figure doesn't hold it
    small = timed(sys.executable, "-I", "-c", "import time; time.sleep(0.3)")
    large = timed(sys.executable, "-I", "-c", "b'x' * (100 * 1024**2)")
    assert 0.3 <= small.seconds < 10
    assert small.mebibytes < 40
    assert 100 < large.mebibytes < 140
    assert ballast[0] == 0


def test_a_command_that_fails_gives_no_figure() -> None:
    with pytest.raises(BenchError, match=r"^python\S* -I -c .*: exit code 3: no luck$"):
        timed(sys.executable, "-I", "-c", "import sys; print('no luck', file=sys.stderr); sys.exit(3)")
    with pytest.raises(BenchError, match=r"can't be run: FileNotFoundError"):
        timed("/nowhere/program")


def test_a_command_that_never_ends_is_ended(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    script = f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    command = [sys.executable, "-I", "-S", str(BENCH / "spawned.py"), "1", sys.executable, "-I", "-c", script]
    began = time.monotonic()
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert json.loads(ended.stdout)["exit_code"] == -9
    assert time.monotonic() - began < 20
    with pytest.raises(ProcessLookupError):
        os.kill(int(note.read_text()), 0)


def vms(url: str) -> set[str]:
    with urllib.request.urlopen(f"{url}/v1/xcompute/vms", timeout=10) as answer:  # noqa: S310  our own URL
        return {vm["NodeName"] for vm in json.load(answer)["Vms"]}


@pytest.mark.parametrize("how", ["http.client", "requests", "loop", "xio"])
def test_everyone_makes_and_deletes_the_same_vms(how: str, tmp_path: Path) -> None:
    with fast_ems(0.01) as url:
        site = Site.make(tmp_path / "site", 300, url)
        wanted = set(names(300))
        (site.folder / "few").write_text("\n".join(sorted(wanted)[:5]) + "\n")
        for create in (True, False):
            verb = "create" if create else "delete"
            expected = wanted
            if how in {"http.client", "requests"}:
                pool = (sys.executable, "-I", BENCH / "bare_pool.py", how, verb, url, TEMPLATE, "32")
                timed(*pool, input_file=site.folder / "names")
            elif how == "loop":
                loop = (BENCH / "curl_loop.sh", verb, url, TEMPLATE)
                timed(*loop, environment={"PATH": os.defpath}, input_file=site.folder / "few")
                expected = set(sorted(wanted)[:5])
            else:
                timed(*site.program("xio-resume" if create else "xio-suspend"))
            assert vms(url) == (expected if create else set())


def test_an_answer_takes_the_latency() -> None:
    with fast_ems(0.2) as url:
        began = time.monotonic()
        assert vms(url) == set()
        assert 0.2 <= time.monotonic() - began < 10


def test_a_refused_request_is_no_success(tmp_path: Path) -> None:
    (tmp_path / "names").write_text("nobody\n")
    with fast_ems(0) as url:
        for command in (
            (sys.executable, "-I", BENCH / "bare_pool.py", "http.client", "delete", url, TEMPLATE, "2"),
            (sys.executable, "-I", BENCH / "bare_pool.py", "requests", "delete", url, TEMPLATE, "2"),
            (BENCH / "curl_loop.sh", "delete", url, TEMPLATE),
        ):
            with pytest.raises(BenchError, match="exit code"):
                timed(*command, environment={"PATH": os.defpath}, input_file=tmp_path / "names")


@pytest.mark.parametrize("nodes", [1, 256, 300, 1000])
def test_a_sites_nodes_are_as_many_as_they_should_be(nodes: int) -> None:
    assert sum(pools(nodes)) == nodes
    assert expand(hostlist(nodes)) == tuple(names(nodes))


def test_the_scontrol_stand_in_tells_the_nodes_it_is_asked_for(tmp_path: Path) -> None:
    site = Site.make(tmp_path / "site", 300, "http://127.0.0.1:9")
    scontrol = str(site.folder / "bin" / "scontrol")

    def told(*arguments: str) -> list[str]:
        ended = subprocess.run([scontrol, *arguments], capture_output=True, text=True, check=True, timeout=30)
        return [node.name for node in parse_nodes(ended.stdout)]

    asked = "xspot-vm-p0-3,xspot-vm-p0-[1-2,9],xspot-vm-p1-[10-12]"
    assert told("show", "node", "-o", asked) == list(expand(asked))
    assert told("show", "node", "-o", "--all") == list(names(300))
    assert site.slurm_calls() == 2
    assert site.slurm_calls() == 0
