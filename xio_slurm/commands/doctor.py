"""``xio doctor``: what isn't as it must be, the most important first."""

import json
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, Final

import click

from xio_slurm.commands.ems_options import config_option, manifest_option, path_of
from xio_slurm.commands.output import folded, json_option
from xio_slurm.commands.slurm_conf import conf_path
from xio_slurm.desk.doctor.examination import Report, examine
from xio_slurm.desk.doctor.finding import Area, Finding, Severity, error
from xio_slurm.desk.doctor.looking import look
from xio_slurm.errors import ManifestError
from xio_slurm.manifest import Manifest
from xio_slurm.vms.access import ready_to_read

_COLOURS: Final = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}


@click.command()
@manifest_option
@config_option("Look at the configuration (YAML), too: is it what is deployed?")
@click.option(
    "--slurm-conf",
    metavar="FILE",
    help="The cluster's slurm.conf. [default: $SLURM_CONF, else /etc/slurm/slurm.conf, else ../etc of SlurmBinDir]",
)
@json_option("Print one JSON document instead of lines.")
def command(*, manifest_path: Path | None, config_path: Path | None, slurm_conf: str | None, as_json: bool) -> None:
    """Say what isn't as it must be for jobs to run on VMs, and what mends it.

    The most important comes first, each with a command or a step that mends it. It looks at slurm.conf, slurmctld,
    the programs, the manifest, the EMS and what is on it, certificates, clocks, the folders, xio sync, the pools and
    every node and VM. It changes nothing and takes a few seconds, whatever hangs. Run it as root or as SlurmUser.

    \b
    Exit codes: 0 nothing is wrong but for warnings, 1 errors, 2 wrong usage.
    \b
    Examples:
      xio doctor
      xio doctor -c /etc/xio/xio.yaml       is the configuration deployed?
      xio doctor --json | jq -r '.findings[0].what'
    """
    report = _report(path_of(manifest_path), config_path, slurm_conf)
    if as_json:
        click.echo(json.dumps(_document(report), indent=2))
    else:
        _print(report)
    sys.exit(1 if report.errors else 0)


def _report(path: str, config_path: Path | None, slurm_conf: str | None) -> Report:
    try:
        manifest = Manifest.read(path)
    except ManifestError as problem:
        return Report((error(Area.MANIFEST, str(problem), "xio apply"),), (), 1)
    ready_to_read(manifest)
    return examine(look(manifest, path, conf_path(slurm_conf, manifest.slurm_bin_dir), config_path))


def _print(report: Report) -> None:
    for finding in report.findings:
        word = finding.severity.value
        lines = folded(f"{word}: {finding.what}", "    ")
        click.echo(f"{click.style(word, fg=_COLOURS[finding.severity])}{lines.removeprefix(word)}")
        click.echo(folded(f"    mend: {finding.mend}", " " * 10))
    reasons: defaultdict[str, list[str]] = defaultdict(list)
    for each in report.unchecked:
        reasons[each.why].append(each.question)
    for why, questions in reasons.items():
        click.echo(folded(f"not checked, since {why}:", "    "))
        for question in questions:
            click.echo(folded(f"    {question}", " " * 8))
    click.echo(_summary(report))


def _summary(report: Report) -> str:
    checks = f"{report.checks} check{'' if report.checks == 1 else 's'}"
    counts = Counter(finding.severity for finding in report.findings)
    parts = [f"{counts[each]} {each.value}{'' if counts[each] == 1 else 's'}" for each in Severity if counts[each]]
    parts += [f"{len(report.unchecked)} not made"] if report.unchecked else []
    return f"{checks}, {', '.join(parts) or 'all well'}"


def _document(report: Report) -> dict[str, Any]:
    return {
        "complete": not report.unchecked,
        "findings": [_finding(finding) for finding in report.findings],
        "not_checked": [{"question": each.question, "why": each.why} for each in report.unchecked],
        "checks": report.checks,
    }


def _finding(finding: Finding) -> dict[str, str]:
    return {
        "severity": finding.severity.value,
        "area": finding.area.value,
        "what": finding.what,
        "mend": finding.mend,
    }
