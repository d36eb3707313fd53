"""All checks, one after the other, over what was seen. Pure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from xio_slurm.desk.doctor import ems_checks, folder_checks, node_checks, slurm_checks, time_checks
from xio_slurm.desk.doctor.finding import Area, Finding, Severity, error, in_order, warning
from xio_slurm.desk.doctor.seen import Seen
from xio_slurm.desk.looks import NotSeenError, Unseen

Check = Callable[[Seen], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Unchecked:
    """A question that couldn't be answered, and why not."""

    question: str
    why: str


@dataclass(frozen=True, slots=True)
class Report:
    """What doctor says: the most important first."""

    findings: tuple[Finding, ...]
    unchecked: tuple[Unchecked, ...]
    checks: int

    @property
    def errors(self) -> int:
        """How many of the findings are errors."""
        return sum(finding.severity is Severity.ERROR for finding in self.findings)


def examine(seen: Seen) -> Report:
    """Judge it all."""
    findings: list[Finding] = []
    unchecked: list[Unchecked] = []
    for check in CHECKS:
        try:
            findings += check(seen)
        except NotSeenError as missing:
            unchecked.append(Unchecked(question_of(check), str(missing)))
    return Report(in_order(findings), tuple(unchecked), len(CHECKS))


def question_of(check: Check) -> str:
    """What a check asks: the first line of what is written under its name."""
    return (check.__doc__ or "").partition("\n")[0]


def configuration(seen: Seen) -> Iterator[Finding]:
    """Is what the configuration says what is deployed? (with -c)"""
    found = seen.configuration
    if found is None:
        return
    if isinstance(found, Unseen):
        yield warning(Area.CONFIGURATION, f"the configuration can't be compared: {found.why}", "xio plan")
    elif found.errors:
        yield error(Area.CONFIGURATION, found.errors[0], f"xio check {found.file}")
    elif not found.deployed:
        yield warning(Area.CONFIGURATION, f"{found.file}: isn't what is deployed", f"xio plan -c {found.file}")
    elif found.warnings:
        count = f"{found.warnings} warning{'' if found.warnings == 1 else 's'}"
        yield warning(Area.CONFIGURATION, f"{found.file}: has {count}", f"xio check {found.file}")


CHECKS: Final[tuple[Check, ...]] = (
    slurm_checks.answers,
    slurm_checks.includes,
    slurm_checks.files_belong_together,
    slurm_checks.loaded,
    slurm_checks.programs,
    slurm_checks.nodes,
    slurm_checks.parameters,
    slurm_checks.version,
    folder_checks.state,
    node_checks.ledger,
    ems_checks.certificates,
    ems_checks.answers,
    ems_checks.is_an_ems,
    ems_checks.profiles,
    ems_checks.images,
    ems_checks.template,
    ems_checks.environment,
    ems_checks.clock,
    node_checks.memory,
    node_checks.registered,
    node_checks.boots,
    node_checks.pools,
    node_checks.vms,
    node_checks.undone,
    folder_checks.sync,
    folder_checks.log,
    time_checks.settings,
    time_checks.boots,
    configuration,
)
"""Each asks one question; the order here is that of reading, the report's is by importance."""
