"""``xio apply``: make everything be as the configuration says."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click

from xio_slurm.commands.image_progress import shown
from xio_slurm.commands.interruption import EXIT_CODE, ended_at_once, interrupting
from xio_slurm.commands.output import json_option, tell
from xio_slurm.commands.plan_document import plan_document
from xio_slurm.commands.plan_options import plan_options, planned, show, tell_problems
from xio_slurm.ems.documents import IMAGES
from xio_slurm.errors import XioError
from xio_slurm.images.making import ImageProgress
from xio_slurm.plan.apply import applying
from xio_slurm.plan.change import Verb
from xio_slurm.plan.plan import Plan
from xio_slurm.plan.steps import Result, Status, Step

_DONE: Final = {Verb.CREATE: "created", Verb.UPDATE: "changed", Verb.REPLACE: "made anew"}
_AGAIN: Final = {
    "interrupted": "the same command again finishes it",
    "failed": "once that is mended, the same command again does the rest",
}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@plan_options
@click.option("--yes", is_flag=True, help="Don't ask.")
@json_option("Print one JSON document instead of lines; needs --yes.")
def command(
    *,
    config_path: Path | None,
    folder: Path,
    slurm_conf: str | None,
    adopt: bool,
    prune: bool,
    no_aws_checks: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Make the EMS and Slurm be as the configuration says: show the plan, ask, and carry it out.

    First the images, then profiles, environment, node definitions and manifest in DIR, and at last slurm.conf's
    include line. It stops at the first failure; once that is mended, the same command again does the rest. Where
    nothing is to be changed, nothing is written.

    \b
    Exit codes: 0 all is as it should be, 1 refused, failed or not wanted,
    2 wrong usage, 130 interrupted.
    \b
    Examples:
      xio apply
      xio apply -c my.yaml -o /etc/xio --slurm-conf /opt/slurm/etc/slurm.conf
      xio apply --yes --prune --json
    """
    if not yes and (as_json or sys.stdin is None or not sys.stdin.isatty()):
        raise click.UsageError("nobody can be asked here whether to do it: give --yes")
    with ended_at_once("interrupted: nothing was done"):
        plan, config_warnings = planned(
            config_path, folder, slurm_conf, adopt=adopt, prune=prune, no_aws_checks=no_aws_checks
        )
        report = _Report(plan, config_warnings, as_json=as_json)
        report.begin()
        if plan.problem is not None or plan.refusals:
            report.end("refused", (), ("nothing was done",))
        if not plan.changes:
            report.end("unchanged", ())
        if not yes and not _wanted():
            report.end("refused", (), ("nothing was done",))
    _apply(plan, report)


def _wanted() -> bool:
    try:
        return click.confirm("\nDo it?")
    except click.Abort:
        click.echo()
        return False


def _apply(plan: Plan, report: "_Report") -> None:
    with _shown(plan) as show_image, applying(plan, lambda now: report.say(now, show_image)) as run:
        try:
            with interrupting():
                outcome = "applied" if run.run() else "failed"
            errors: tuple[str, ...] = ()
        except KeyboardInterrupt:
            outcome, errors = "interrupted", ("interrupted",)
        except XioError as error:
            outcome, errors = "failed", (str(error),)
    report.end(outcome, run.stages.results(), errors)


@contextmanager
def _shown(plan: Plan) -> Iterator[Callable[[ImageProgress], None]]:
    """How far the images are. Where none is to be made, nothing of it stands on the terminal."""
    if all(change.verb is Verb.UNCHANGED for change in plan.ems_changes if change.kind == IMAGES.word):
        yield lambda _: None
        return
    with shown() as show_image:
        yield show_image


class _Report:
    """What is told of a run: lines as it goes on, or one document at its end."""

    def __init__(self, plan: Plan, config_warnings: tuple[str, ...], *, as_json: bool) -> None:
        self._plan = plan
        self._config_warnings = config_warnings
        self._as_json = as_json

    def begin(self) -> None:
        if not self._as_json:
            show(self._plan, self._config_warnings)
        else:
            tell_problems(self._plan)

    def say(self, now: Step | Result | ImageProgress, show_image: Callable[[ImageProgress], None]) -> None:
        if isinstance(now, ImageProgress):
            show_image(now)
        elif isinstance(now, Result) and not self._as_json and now.status is Status.DONE:
            click.echo(f"{_DONE[now.step.verb]}: {_name(now.step)}")
            tell(f"note: {line}" for line in now.notes)

    def end(self, outcome: str, results: tuple[Result, ...], errors: Iterable[str] = ()) -> None:
        """Tell how it ended, and exit."""
        lines = [*errors, *(_error(each) for each in results if each.status is Status.FAILED)]
        if self._as_json:
            click.echo(json.dumps(self._document(outcome, results, lines), indent=2))
        elif outcome in {"applied", "unchanged"}:
            self._what_next(outcome)
        elif any(each.status in {Status.DONE, Status.FAILED} for each in results):
            left = [_name(each.step) for each in results if each.status is Status.SKIPPED]
            done = [_name(each.step) for each in results if each.status is Status.DONE]
            click.echo(
                f"done: {', '.join(done) or 'nothing'}; not begun: {', '.join(left) or 'nothing'}; {_AGAIN[outcome]}"
            )
        tell(f"xio: {line}" for line in lines)
        if outcome == "interrupted":
            sys.exit(EXIT_CODE)
        sys.exit(0 if outcome in {"applied", "unchanged"} else 1)

    def _what_next(self, outcome: str) -> None:
        if outcome == "applied":
            for line in self._plan.slurm.advice:
                click.echo(f"Slurm: {line}")
        for line in self._plan.slurm.next_steps:
            click.echo(f"next: {line}")

    def _document(self, outcome: str, results: tuple[Result, ...], errors: list[str]) -> dict[str, Any]:
        return {
            "outcome": outcome,
            "steps": [
                {
                    "kind": each.step.kind,
                    "name": each.step.name,
                    "action": each.step.verb.value,
                    "status": each.status.value,
                    "notes": list(each.notes),
                    "error": each.error,
                }
                for each in results
            ],
            "errors": [*errors, *self._plan.refusals, *([self._plan.problem] if self._plan.problem else [])],
            "advice": list(self._plan.slurm.advice) if outcome == "applied" else [],
            "next": list(self._plan.slurm.next_steps),
            "plan": plan_document(self._plan),
            "config_warnings": list(self._config_warnings),
        }


def _error(result: Result) -> str:
    text, name = result.error or "", _name(result.step)
    return text if name in text else f"{name}: {text}"


def _name(step: Step) -> str:
    return f"{step.kind} {step.name}"
