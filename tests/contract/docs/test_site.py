"""The documentation's site: it builds, every link leads somewhere, and nothing is loaded from elsewhere."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[3]
SOURCES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "etc/ansible/README.md",
]
LOADING = {"img": "src", "script": "src", "link": "href", "iframe": "src", "source": "src", "object": "data"}


@dataclass
class Page(HTMLParser):
    """What a page of the site links to, loads, can be jumped to, and says in its paragraphs."""

    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)
    paragraphs: list[str] = field(default_factory=list)
    numbered_lists: int = 0
    _inside: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag in LOADING and LOADING[tag] in given:
            self.loads.append(given[LOADING[tag]])
        self.numbered_lists += tag == "ol" and "class" not in given  # the theme has one of its own
        if tag == "p":
            self._inside = True
            self.paragraphs.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "p"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.paragraphs[-1] += data


@cache
def page(path: Path) -> Page:
    """A page of the site, read."""
    read = Page()
    read.feed(path.read_text(encoding="utf-8"))
    return read


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as bin/docs builds it."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, env=environment, check=False)
    # With --quiet mkdocs passes over the warnings that --strict is about.
    told = [line for line in built.stderr.splitlines() if not line.startswith("INFO ")]
    assert (built.returncode, built.stdout, told) == (0, "", [])
    return folder


def place_of(source: Path) -> str:
    """Where a page of the repository is in the site."""
    name = source.relative_to(ROOT).as_posix().removeprefix("docs/")
    lower = {"README.md": "readme.html", "CHANGELOG.md": "changelog.html"}
    return lower.get(name, name.replace("README.md", "index.html").replace(".md", ".html"))


def without_blocks(source: Path) -> str:
    """What a page says outside of its blocks of code."""
    return re.sub(r"^( *)```.*?^ *```", "", source.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def pages(site: Path) -> dict[Path, Page]:
    """All pages but the one for addresses that don't exist, whose links are a server's."""
    return {path: page(path) for path in sorted(site.rglob("*.html")) if path.name != "404.html"}


def test_every_page_is_in_the_site_and_its_navigation(site: Path) -> None:
    navigation = page(site / "index.html").links
    for source in SOURCES:
        place = place_of(source)
        assert (site / place).is_file(), source
        assert place in navigation, f"{source} isn't in mkdocs.yml's nav"


def test_every_link_and_anchor_of_the_site_exists(site: Path) -> None:
    seen = 0
    for path, read in pages(site).items():
        for link in (*read.links, *read.loads):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            assert target.is_file(), f"{path.name}: {link}"
            if parts.fragment and not parts.fragment.startswith("__"):  # the theme's own, made by its script
                assert unquote(parts.fragment) in page(target).anchors, f"{path.name}: {link}"
            seen += 1
    assert seen > 1000


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for path, read in pages(site).items():
        for address in read.loads:
            assert not urlsplit(address).netloc, f"{path.name}: {address}"
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(@import|url\()\s*[\"']?(https?:)?//", sheet.read_text(encoding="utf-8")), sheet


def test_no_mark_of_markdown_is_left_over(site: Path) -> None:
    for path, read in pages(site).items():
        for text in read.paragraphs:
            assert not re.search(r"```|^\s*(\||[-*] |\d+\. |#+ )|\]\(", text, re.MULTILINE), f"{path.name}: {text}"


def test_a_numbered_list_isnt_torn_by_what_belongs_to_its_items(site: Path) -> None:
    for source in SOURCES:
        lists = len(re.findall(r"^ *1\. ", without_blocks(source), re.MULTILINE))
        assert page(site / place_of(source)).numbered_lists == lists, source


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_every_link_leads_to_a_file_of_the_repository(source: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", without_blocks(source)):
        parts = urlsplit(link)
        if not parts.scheme and parts.path:
            assert (source.parent / parts.path).exists(), link


def test_pages_made_from_the_code_are_what_it_says() -> None:
    checked = subprocess.run(
        [ROOT / "bin" / "docs", "--check"], capture_output=True, text=True, timeout=300, check=False
    )
    assert checked.returncode == 0, checked.stderr
