"""What the site has besides docs/: README, changelog, and the files of etc/ that the pages link to.

The pages are read on disk and on a forge, too, so they link as the repository has it (``../etc/xio.yaml``); in the site
these files lie beside the pages.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT: Final = Path(__file__).resolve().parents[1]
PAGES: Final = {"README.md": "readme.md", "CHANGELOG.md": "changelog.md"}
"""A README beside index.md would be taken for another index."""

_UP: Final = re.compile(r"\]\(\.\./(?!\.\.)")
_CODE: Final = re.compile(r"`[^`]+`")
_ITEM: Final = re.compile(r"(\d+\.|-) ")
_TO_PAGE: Final = re.compile(rf"\]\(({'|'.join(map(re.escape, PAGES))})(?=[)#])")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add them."""
    for name, page in PAGES.items():
        text = (ROOT / name).read_text(encoding="utf-8").replace("](docs/", "](")
        files.append(File.generated(config, page, content=_to_pages(text)))
    for path in _shipped():
        files.append(File.generated(config, path.relative_to(ROOT).as_posix(), abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Have the links of a page lead to where the site has those files, and have it as Python-Markdown reads it."""
    return "\n".join(map(_plain_bars, _indented(_to_pages(_UP.sub("](", markdown)))))


def _to_pages(text: str) -> str:
    return _TO_PAGE.sub(lambda found: f"]({PAGES[found[1]]}", text)


def _indented(markdown: str) -> Iterator[str]:
    """Everywhere else a list item's own width is enough for what belongs to it; Python-Markdown wants four columns."""
    more, fenced = 0, False
    for line in markdown.splitlines():
        if line.startswith("```"):
            more, fenced = 0, not fenced
        elif not fenced and (item := _ITEM.match(line)):
            more = 4 - len(item[0])
        elif line and not line.startswith(" "):
            more = 0
        yield " " * more + line if line.startswith(" ") else line


def _plain_bars(line: str) -> str:
    """In a table's code a bar that others want escaped would be shown with its backslash."""
    return _CODE.sub(lambda found: found[0].replace("\\|", "|"), line) if line.startswith("|") else line


def _shipped() -> Iterator[Path]:
    yield ROOT / "LICENSE"
    yield from (path for path in sorted((ROOT / "etc").rglob("*")) if path.is_file())
