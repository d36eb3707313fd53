"""What is wrong with a page is told, with its name and line."""

from pathlib import Path

import pytest

from tests.documentation.blocks import Command, PageError, commands
from tests.documentation.output import differs
from tests.documentation.running import run_page


def page(*lines: str, language: str = "console") -> str:
    return "\n".join(("# A page", f"```{language}", *lines, "```", ""))


def test_commands_are_found_with_their_lines_and_outputs() -> None:
    text = "1. Do it:\n\n" + page("$ one \\", "    more", "its", "output", "", "$ two").replace("\n", "\n   ")
    assert commands("p.md", text) == (
        Command("p.md", 5, "one \\\n    more", "its\noutput"),
        Command("p.md", 10, "two", ""),
    )
    assert commands("p.md", page("a=1", "echo $a", language="sh")) == (Command("p.md", 3, "a=1\necho $a", ""),)
    assert commands("p.md", page("a ─► b", language="")) == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (page("xio check", language=""), "p.md:2: say what this block is"),
        (page("xio check", language="bash"), "p.md:2: say what this block is"),
        (page("xio check"), "p.md:3: a console block begins with a command"),
        ("```console\n$ xio check\n", "p.md:1: this block has no end"),
    ],
)
def test_a_block_of_which_it_isnt_clear_what_to_run_is_told(text: str, told: str) -> None:
    with pytest.raises(PageError, match=told):
        commands("p.md", text)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("a", "a\n"),
        ("a\n…\nd", "a\nb\nc\nd\n"),
        ("a\n…\nb", "a\nb"),
        ("…", ""),
        ("about … of it", "about all of it"),
        ("job 12 at 20:59:21, http://127.0.0.1:5000", "job 7 at 1:02:03, http://127.0.0.1:41147"),
    ],
)
def test_an_output_that_is_as_shown(shown: str, printed: str) -> None:
    assert differs(shown, printed) is None


@pytest.mark.parametrize(
    ("shown", "printed", "line"),
    [
        ("a\nb", "a\nc", "b"),
        ("a", "a\nb", "(nothing more)"),
        ("a\n…\nd", "a\nb", "d"),
        ("a.c", "abc", "a.c"),
        ("29 checks", "30 checks", "29 checks"),
        ("a", "", "a"),
    ],
)
def test_an_output_that_isnt(shown: str, printed: str, line: str) -> None:
    assert differs(shown, printed) == line


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (("$ true", "$ echo no >&2; (exit 3)"), (":4:", "exit code 3 in place of 0", "no")),
        (("$ echo one", "two"), (":3:", "a line that wasn't printed: two", "one")),
        (("$ exit 4",), (":3:", "ends the shell")),
    ],
)
def test_a_command_that_does_otherwise_fails_its_page(lines: tuple[str, ...], told: tuple[str, ...]) -> None:
    wrong = run_page("docs/lab.md", page(*lines))
    assert "docs/lab.md" + told[0] in wrong
    for words in told[1:]:
        assert words in wrong


def test_a_block_ends_at_its_first_line_that_fails_and_variables_stay() -> None:
    good = page("it=here", language="sh") + page("$ echo $it", "here")
    assert run_page("docs/lab.md", good) == ""
    wrong = run_page("docs/lab.md", good + page("echo first", "(exit 5)", "echo last", language="sh"))
    assert "docs/lab.md:12:" in wrong
    assert "exit code 5 in place of 0" in wrong
    assert "\nlast" not in wrong.partition("it printed:")[2]


def test_what_commands_change_is_gone_with_their_machine(tmp_path: Path) -> None:
    places = ("/etc/xio-was-here", "/opt/xio-was-here", "./xio-was-here", "/tmp/xio-was-here")  # noqa: S108
    text = page(
        *(f"$ echo it > {place} && cat {place}\nit" for place in places),
        "$ curl http://192.0.2.1 || echo none",
        "…",
        "none",
    )
    assert run_page("docs/lab.md", text) == ""
    assert not any(Path(place).exists() for place in places)
