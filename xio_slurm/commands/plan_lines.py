"""A plan for people: lines of at most 80 columns. Pure."""

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from xio_slurm.commands.output import with_command
from xio_slurm.deploy.publish import MANIFEST
from xio_slurm.ems.documents import PROFILES
from xio_slurm.plain_text import listed
from xio_slurm.plan.change import Change, FieldChange, Verb
from xio_slurm.plan.include_line import include_line
from xio_slurm.plan.plan import Plan
from xio_slurm.plan.profile_document import TEMPLATE
from xio_slurm.plan.slurm_files import SlurmFiles

WIDTH: Final = 80

_SIGNS: Final = {Verb.CREATE: "+", Verb.UPDATE: "~", Verb.REPLACE: "±", Verb.UNCHANGED: "="}
_WORDS: Final = {Verb.CREATE: "create", Verb.UPDATE: "change", Verb.REPLACE: "make anew"}


@dataclass(frozen=True, slots=True)
class Line:
    """A line; ``sign`` (``+ ~ ± -``, or empty) says what it is about, for its colour."""

    text: str
    sign: str = ""


def plan_lines(plan: Plan) -> Iterator[Line]:
    """All of a plan but its warnings and refusals, which are told apart from it."""
    url = plan.config.plugin.ems_url or "not known"
    yield Line(f"Cluster {plan.head.cluster}, EMS {url}")
    yield Line("")
    for change in plan.ems_changes:
        if change.verb is not Verb.UNCHANGED:
            yield from _document(change)
    yield from _files(plan.slurm)
    unchanged = [*_unchanged(plan)]
    if unchanged:
        yield from _wrapped(f"  = unchanged: {', '.join(unchanged)}", "    ")
    for mention in plan.mentions:
        words, *command = with_command(f"  * {mention}")
        yield from _wrapped(words, "    ")
        yield from map(Line, command)
    yield Line("")
    yield Line(_summary(plan))


def _document(change: Change) -> Iterator[Line]:
    sign = _SIGNS[change.verb]
    is_copy = change.verb is Verb.CREATE and change.kind == PROFILES.word
    yield Line(f"  {sign} {change.kind} {change.name}{f', a copy of {TEMPLATE} but for' if is_copy else ''}", sign)
    for field in change.fields:
        yield from _field(field)


def _field(field: FieldChange) -> Iterator[Line]:
    if field.old is None or field.new is None:
        sign = "+" if field.old is None else "-"
        yield from _wrapped(f"      {sign} {field.path}: {field.new if field.old is None else field.old}", sign=sign)
        return
    line = f"      ~ {field.path}: {field.old} → {field.new}"
    if len(line) <= WIDTH:
        yield Line(line, "~")
        return
    yield Line(f"      ~ {field.path}:", "~")
    yield from _wrapped(f"          - {field.old}", " " * 12, "-")
    yield from _wrapped(f"          + {field.new}", " " * 12, "+")


def _files(slurm: SlurmFiles) -> Iterator[Line]:
    generation = slurm.generation
    if slurm.writes_files:
        sign = "+" if generation.difference.first else "~"
        yield Line(f"  {sign} {slurm.node_definitions} and {MANIFEST}", sign)
        for change in generation.difference.changes:
            first = change.text[0]
            yield from _wrapped(f"      {change.text}", sign=first if first in "+-" else "~")
        if not slurm.is_settled:
            yield Line("      ~ what an interrupted run has left is finished", "~")
    if slurm.puts_include and not slurm.refusals and generation.conf is not None:
        yield Line(f"  ~ {generation.conf.path}", "~")
        yield Line(f"      + {include_line(slurm.node_definitions)}", "+")


def _unchanged(plan: Plan) -> Iterator[str]:
    for change in plan.ems_changes:
        if change.verb is Verb.UNCHANGED:
            yield f"{change.kind} {change.name}"
    if not plan.slurm.writes_files:
        yield str(plan.slurm.generation.folder)
    if not plan.slurm.puts_include and plan.slurm.generation.conf is not None:
        yield plan.slurm.generation.conf.path


def _summary(plan: Plan) -> str:
    if not plan.changes:
        if plan.problem is not None:
            return "Nothing to do in Slurm; the EMS wasn't looked at."
        unsure = [f"{change.kind} {change.name}" for change in plan.ems_changes if not change.is_sure]
        if unsure:
            return f"Nothing to do that can be told: what {listed(unsure)} is isn't known."
        return "Nothing to do: everything is as the configuration says."
    verbs = [change.verb for change in plan.ems_changes]
    parts = [f"{count} to {word}" for verb, word in _WORDS.items() if (count := verbs.count(verb))]
    on_the_ems = ", ".join(parts) if parts else "nothing to do"
    if plan.problem is not None:
        on_the_ems = "not looked at"
    slurm = ["both files"] if plan.slurm.writes_files else []
    slurm += ["the include line"] if plan.slurm.puts_include else []
    return f"EMS: {on_the_ems}. Slurm: {' and '.join(slurm) or 'nothing to do'}."


def _wrapped(text: str, indent: str = " " * 8, sign: str = "") -> Iterable[Line]:
    lines = textwrap.wrap(
        text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    )
    return (Line(line, sign) for line in lines)
