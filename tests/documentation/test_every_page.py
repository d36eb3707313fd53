"""No page with commands is left out, and nothing is said of a command that isn't there."""

from pathlib import Path

import pytest

from tests.documentation.blocks import commands, pages
from tests.documentation.pages import PAGES
from tests.documentation.running import TREE

TEXTS = pages(TREE)


@pytest.mark.parametrize("name", TEXTS)
def test_a_page_with_commands_has_its_surroundings(name: str) -> None:
    found = commands(name, TEXTS[name])
    if found and name not in PAGES:
        pytest.fail(f"{found[0].where}: '{found[0].text}': say in tests/documentation/pages.py where it is to be run")


@pytest.mark.parametrize("name", PAGES)
def test_what_is_said_of_a_command_is_of_one_that_is_there(name: str) -> None:
    found = {command.text for command in commands(name, TEXTS[name])}
    assert found, f"{name} has no commands: take it out of tests/documentation/pages.py"
    assert PAGES[name].named() <= found


def test_every_group_has_its_test() -> None:
    files = {path.stem.removeprefix("test_") for path in Path(__file__).parent.glob("test_*.py")}
    assert {page.group for page in PAGES.values()} <= files
