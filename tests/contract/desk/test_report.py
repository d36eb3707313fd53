"""``xio report`` in a process of its own, on real files; the page in a real browser."""

import gzip
import json
import os
import pwd
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from tests.browser import browser, complaints_of, prefer, requests_of, resize
from tests.manifests import manifest_with
from xio_slurm.desk.report.words import number
from xio_slurm.ledger import Entry, Run
from xio_slurm.manifest import Pool

XIO: Final = [sys.executable, "-I", "-m", "xio_slurm.commands", "report"]
HOSTILE: Final = "<script>document.title='bad'</script>\"'><img src=http://example.com/x onerror=alert(1)>&amp;"
POOLS: Final = {"amd-8-gb-1-cores": 0.042, "amd-64-gb-8-cores-of-a-long-name": 0.31, "gpu": None}
SECTIONS: Final = ["vms", "pools", "boots", "slowest", "failures", "failed", "about"]


def a_site(folder: Path) -> Path:
    """A head node's folders and manifest."""
    for name in ("log", "state/nodes", "out"):
        (folder / name).mkdir(parents=True)
    pools = tuple(Pool(name, "p", "i", 500, 1, 7000, None, 10, vm_hour_price=price) for name, price in POOLS.items())
    manifest = manifest_with(cluster="hpc-1", log_dir=str(folder / "log"), state_dir=str(folder / "state"), pools=pools)
    (folder / "manifest.json").write_text(manifest.to_json())
    return folder


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return a_site(tmp_path)


def a_life(ago: float, number: int, pool: str, *, failed: str = "", text: str = "") -> list[str]:
    """The lines about a VM that was asked for so many hours ago, and lived for two; or about its failure."""
    node, begin = f"xspot-vm-{pool}-{number}", time.time() - ago * 3600

    def line(after: float, kind: str, program: str = "xio-resume", **details: Any) -> str:
        known = {"time": begin + after, "event": kind, "program": program, "run": f"{program}-{number}-{ago}"}
        return json.dumps(known | details) + "\n"

    about = {"node": node, "pool": pool}
    lines = [line(0, "wanted", job=str(4000 + number), hostlist=node), line(0.1, "asking", **about)]
    if failed:
        return [*lines, *(line(1, kind, code=failed, text=text, **about) for kind in ("refused", "failed"))]
    boot = 30 + number * 7 % 90
    return [
        *lines,
        line(1, "asked", **about),
        line(boot, "registered", "xio-sync", seconds=boot, **about),
        line(7200, "deleting", "xio-suspend", **about),
        line(7201, "gone", "xio-suspend", seconds=1, **about),
    ]


def some_lives() -> list[str]:
    """A busy week, in the order of the times."""
    lines = [each for n in range(1, 120) for each in a_life(170 - n * 1.4, n, [*POOLS][n % 3])]
    lines += a_life(20, 200, "gpu", failed="rejected", text=HOSTILE)
    lines += [each for n in range(5) for each in a_life(30 + n, 300 + n, "amd-8-gb-1-cores", failed="capacity")]
    return sorted(lines, key=lambda line: float(json.loads(line)["time"]))


def run(site: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*XIO, "--manifest", str(site / "manifest.json"), *arguments],
        env={"PATH": os.defpath},
        cwd=site / "out",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def figures(site: Path, *arguments: str) -> Any:
    done = run(site, "--json", *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_page_is_written_and_told_in_a_line(site: Path) -> None:
    (site / "log" / "events.jsonl").write_text("".join(some_lives()))
    done = run(site)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("xio-report.html: written (")
    assert [path.name for path in (site / "out").iterdir()] == ["xio-report.html"]
    page = (site / "out" / "xio-report.html").read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert "<script" not in page
    assert "xspot-vm-gpu-200" in page


def test_stdout_has_the_same_page(site: Path) -> None:
    (site / "log" / "events.jsonl").write_text("".join(some_lives()))
    done = run(site, "-o", "-")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("</html>\n")
    assert not [*(site / "out").iterdir()]


@pytest.mark.parametrize("cut", [0.0, 0.13, 0.5, 0.99])
def test_rotated_files_tell_the_same(site: Path, cut: float) -> None:
    lines = some_lives()
    when = ("--since", "2026-01-01", "--until", time.strftime("%Y-%m-%dT%H:%M:%S"))
    log = site / "log" / "events.jsonl"
    log.write_text("".join(lines))
    whole = figures(site, *when)
    at = int(cut * len(lines))
    log.write_text("".join(lines[at:]))
    (older := log.with_name("events.jsonl.1.gz")).write_bytes(gzip.compress("".join(lines[:at]).encode()))
    os.utime(older, (time.time() - 5, time.time() - 5))
    assert figures(site, *when) | {"now": 0} == whole | {"now": 0}
    assert whole["total"]["vms"] == 119


def test_a_vm_that_lives_is_the_ledgers(site: Path) -> None:
    node = "xspot-vm-gpu-1"
    entry = Entry(node, "gpu", "ours", Run("r", 1.0), time.time() - 3 * 3600)
    (site / "state" / "nodes" / f"{node}.json").write_bytes(msgspec.json.encode(entry))
    found = figures(site, "--since", "2h")
    assert found["total"]["vm_hours"] == pytest.approx(2, abs=0.01)
    assert (found["total"]["most_vms"], found["estimates"]["living"]) == (1, 1)


def test_an_empty_period_is_a_page_too(site: Path) -> None:
    done = run(site, "--since", "1h")
    assert (done.returncode, done.stderr) == (0, "")
    assert "There was no VM in this period." in (site / "out" / "xio-report.html").read_text()


def test_events_that_cannot_be_read_are_a_line_and_exit_code_1(site: Path) -> None:
    (site / "log" / "events.jsonl").mkdir()
    done = run(site)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "events.jsonl: isn't a plain file" in done.stderr
    assert "This report is incomplete." in (site / "out" / "xio-report.html").read_text()
    document = json.loads(run(site, "--json").stdout)
    assert (document["complete"], len(document["errors"])) == (False, 1)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--since", "soon"), "--since 'soon' is no time"),
        (("--since", "7d", "--until", "8d"), "--since must be earlier"),
        (("--since", "0m"), "--since must be earlier"),
        (("--json", "-o", "x.html"), "--json prints on stdout"),
        (("--until", "1969-01-01"), "--until '1969-01-01' is no time from 1970"),
    ],
)
def test_wrong_usage_is_told(site: Path, arguments: tuple[str, ...], told: str) -> None:
    done = run(site, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert not [*(site / "out").iterdir()]


def test_what_is_no_plain_file_stays(site: Path) -> None:
    os.mkfifo(site / "out" / "pipe")
    done = run(site, "-o", "pipe")
    assert (done.returncode, done.stderr) == (1, "xio: pipe: isn't a plain file: name another\n")
    done = run(site, "-o", "none/x.html")
    assert (done.returncode, done.stderr) == (1, "xio: none/x.html: can't be written: No such file or directory\n")


def test_root_writes_where_slurm_user_cannot(site: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become SlurmUser")
    user = pwd.getpwnam("nobody")
    os.chown(site / "state", user.pw_uid, user.pw_gid)
    (site / "out").chmod(0o700)
    for folder in (site, *site.parents[:3]):
        folder.chmod(0o755)
    assert run(site).returncode == 0
    assert (site / "out" / "xio-report.html").stat().st_uid == 0


# The page as a reader sees it.


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Chrome, str, Any]]:
    """A browser, the page's address and the same figures as JSON."""
    site = a_site(tmp_path_factory.mktemp("site"))
    (site / "log" / "events.jsonl").write_text("".join(some_lives()))
    since, until = (time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(time.time() - ago)) for ago in (7 * 86400, 0))
    when = ("--since", since, "--until", until)
    assert run(site, *when).returncode == 0
    with browser(tmp_path_factory.mktemp("browser")) as chrome:
        yield chrome, (site / "out" / "xio-report.html").as_uri(), figures(site, *when)


def shown(page: tuple[Chrome, str, Any], width: int, **likes: str) -> Chrome:
    chrome, address, _ = page
    resize(chrome, width)
    prefer(chrome, **likes)
    chrome.get(address)
    return chrome


BOXES: Final = """
return [...document.querySelectorAll('svg')].filter(svg => svg.getClientRects().length).map(svg => {
  const box = rect => [rect.left, rect.top, rect.right, rect.bottom];
  return {name: svg.querySelector('title').textContent, about: svg.querySelector('desc').textContent,
          box: box(svg.getBoundingClientRect()),
          labels: [...svg.querySelectorAll('text')].map(text => box(text.getBoundingClientRect()))};
});"""

CONTRASTS: Final = """
const light = colour => { const [r, g, b] = colour.match(/[0-9.]+/g).map(Number).map(
  v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const ground = element => { for (; element; element = element.parentElement) {
  const colour = getComputedStyle(element).backgroundColor;
  if (!/, 0\\)$/.test(colour)) return colour; } return 'rgb(255,255,255)'; };
return [...document.querySelectorAll('h1,h2,h3,p,li,td,th,dt,dd,summary,code,span,text')].filter(
  element => element.getClientRects().length && element.textContent.trim()).map(element => {
  const style = getComputedStyle(element), ink = element.tagName === 'text' ? style.fill : style.color;
  const [a, b] = [light(ink), light(ground(element))].sort((x, y) => y - x);
  return [(a + 0.05) / (b + 0.05), element.textContent.slice(0, 30)]; });"""


def test_it_asks_for_nothing_and_complains_of_nothing(page: tuple[Chrome, str, Any]) -> None:
    page[0].get("about:blank")
    requests_of(page[0]), complaints_of(page[0])
    chrome = shown(page, 1280)
    assert requests_of(chrome) == [page[1]]
    assert complaints_of(chrome) == []


def test_every_section_is_seen(page: tuple[Chrome, str, Any]) -> None:
    for width in (360, 1280):
        chrome = shown(page, width)
        found = chrome.find_elements(By.TAG_NAME, "section")
        assert [each.get_attribute("id") for each in found] == SECTIONS
        assert all(each.is_displayed() and each.size["height"] > 60 for each in found)


@pytest.mark.parametrize("width", [320, 360, 768, 1280])
def test_it_does_not_scroll_sideways(page: tuple[Chrome, str, Any], width: int) -> None:
    chrome = shown(page, width)
    assert chrome.execute_script("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [360, 1280])
def test_charts_have_a_size_and_labels_within_that_do_not_overlap(page: tuple[Chrome, str, Any], width: int) -> None:
    charts = shown(page, width).execute_script(BOXES)
    assert len(charts) == 1 + 3 + 1 + 3  # VMs and boots, of all and of three pools
    for chart in charts:
        left, top, right, bottom = chart["box"]
        assert right - left > 200
        assert bottom - top > 80
        assert len(chart["labels"]) >= 4
        assert chart["about"]
        for a in chart["labels"]:
            assert left - 1 <= a[0] < a[2] <= right + 1, chart
            assert top - 1 <= a[1] < a[3] <= bottom + 1, chart
        for index, a in enumerate(chart["labels"]):
            for b in chart["labels"][index + 1 :]:
                assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] + 3 or b[3] <= a[1] + 3, chart


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read(page: tuple[Chrome, str, Any], scheme: str) -> None:
    chrome = shown(page, 1280, scheme=scheme)
    contrasts = chrome.execute_script(CONTRASTS)
    assert len(contrasts) > 100
    assert [each for each in contrasts if each[0] < 4.5] == []
    body = chrome.find_element(By.TAG_NAME, "body").value_of_css_property("background-color")
    assert ("246" in body) == (scheme == "light")


def test_on_paper_it_is_light_and_has_no_empty_tables(page: tuple[Chrome, str, Any]) -> None:
    chrome = shown(page, 800, scheme="dark", media="print")
    assert (
        chrome.find_element(By.TAG_NAME, "body").value_of_css_property("background-color") == "rgba(255, 255, 255, 1)"
    )
    assert not any(each.is_displayed() for each in chrome.find_elements(By.TAG_NAME, "details"))


def test_hostile_words_are_words(page: tuple[Chrome, str, Any]) -> None:
    chrome = shown(page, 1280)
    assert chrome.find_elements(By.CSS_SELECTOR, "script, img, a[href]") == []
    assert "bad" not in chrome.title
    assert HOSTILE in chrome.find_element(By.ID, "failed").text


def test_bars_are_as_high_as_the_figures(page: tuple[Chrome, str, Any]) -> None:
    chrome, document = shown(page, 1280), page[2]
    bars = chrome.execute_script(
        "return [...document.querySelector('#boots svg').querySelectorAll('.bar')]"
        ".map(bar => bar.getBoundingClientRect().height)"
    )
    counts = document["total"]["boots_by_step"]
    assert len(bars) == len(counts)
    each = max(bars) / max(counts)
    assert bars == pytest.approx([count * each for count in counts], abs=0.6)
    assert sum(counts) == document["total"]["boots"]["count"] > 100


def test_the_table_has_the_figures(page: tuple[Chrome, str, Any]) -> None:
    chrome, document = shown(page, 1280), page[2]
    rows = [" ".join(row.text.split()) for row in chrome.find_elements(By.CSS_SELECTOR, "#pools tbody tr")]
    assert [row.split()[0] for row in rows] == [pool["pool"] for pool in document["pools"]]
    for row, pool in zip(rows, document["pools"], strict=True):
        assert f" {number(pool['vm_hours'])} " in row
        assert ("no price" in row) == (pool["vm_hour_price"] is None)
        if pool["cost"] is not None:
            assert f"{pool['cost']:,.2f}" in row
    kinds = [row.text.split()[:2] for row in chrome.find_elements(By.CSS_SELECTOR, "#failures tbody tr")]
    assert kinds == [["capacity", "5"], ["rejected", "1"]]
