"""The slurm.conf of a throw-away slurmctld. Pure.

It is the cluster's own with the new node definitions, and with nothing that reaches out.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from xio_slurm.errors import SlurmError
from xio_slurm.slurm.conf import Line, SlurmConf
from xio_slurm.slurm.hostlist import expand

_LEFT_OUT: Final = frozenset(
    (
        # who and where the cluster's slurmctld is: the trial has its own
        *("slurmctldhost", "controlmachine", "controladdr", "backupcontroller", "backupaddr", "slurmctldaddr"),
        *("slurmctldport", "slurmuser", "slurmctldpidfile", "statesavelocation"),
        # what it would log to
        *("slurmctldlogfile", "slurmctlddebug", "slurmctldsyslogdebug", "slurmschedlogfile", "slurmschedloglevel"),
        *("debugflags", "logtimeformat"),
        # secrets and daemons of authentication: with auth/none no other daemon takes a message of the trial's
        *("authtype", "authinfo", "authalttypes", "authaltparameters", "credtype", "tlstype", "tlsparameters"),
        # programs that it would run
        *("resumeprogram", "suspendprogram", "resumefailprogram", "rebootprogram", "mailprog"),
        *("prologslurmctld", "epilogslurmctld", "resvprolog", "resvepilog"),
        *("slurmctldprimaryonprog", "slurmctldprimaryoffprog"),
        # plugins that speak to others, or need accounting to start; none of them looks at node definitions
        *("jobsubmitplugins", "burstbuffertype", "federationparameters", "mpidefault"),
        *("preempttype", "preemptmode", "preemptparameters", "preemptexempttime"),
    )
)
_LEFT_OUT_FAMILIES: Final = ("accountingstor", "jobcomp", "priority", "acctgather", "metrics")
_QOS = re.compile(r"\s(?:allow|deny)?qos=(?:\"[^\"]*\"|\S+)", re.IGNORECASE)
_ADDRESS = re.compile(r"\snodeaddr=\S+", re.IGNORECASE)
_PREEMPT_MODE = re.compile(r"\spreemptmode=\S+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Place:
    """What the trial may use of this machine. ``folder`` is private to it."""

    folder: Path
    host: str
    user: str
    port: int


@dataclass(frozen=True, slots=True)
class TrialConf:
    """The text, and for each of its lines (from 1) where it came from; None for the trial's own."""

    text: str
    origins: tuple[Line | None, ...]

    def origin(self, number: int) -> Line | None:
        """Where a line that slurmctld names came from."""
        return self.origins[number - 1] if 0 < number <= len(self.origins) else None


def trial_conf(conf: SlurmConf | None, ours: SlurmConf, place: Place) -> TrialConf:
    """Put ``ours`` in the place of the include, at the end where there is none. ``conf`` None: a minimal one.

    Left out is what would reach out of the trial or need what isn't here: accounting, authentication, programs,
    log files. None of it decides whether slurmctld takes nodes and partitions.
    """
    theirs: tuple[Line, ...] = conf.lines if conf is not None else ()
    at = len(theirs) if conf is None or conf.included is None else conf.included
    kept = [line for line in (*theirs[:at], *ours.lines, *theirs[at:]) if not _left_out(line)]
    own = _own(place, named=any(key == "clustername" for line in kept for key, _ in line.pairs()))
    text = "".join(f"{line}\n" for line in (*own, *map(_written, kept)))
    return TrialConf(text, (*(None for _ in own), *kept))


def _own(place: Place, *, named: bool) -> Iterable[str]:
    name = () if named else ("ClusterName=trial",)
    return (
        *name,
        f"SlurmctldHost={place.host}(127.0.0.1)",
        f"SlurmctldPort={place.port}",
        f"SlurmUser={place.user}",
        f"StateSaveLocation={place.folder}/state",
        f"SlurmctldPidFile={place.folder}/slurmctld.pid",
        "SlurmctldDebug=info",
        "AuthType=auth/none",
        "CredType=cred/none",
        # power saving stays on, so that what is wrong with it shows, but no real program is called
        "ResumeProgram=/bin/true",
        "SuspendProgram=/bin/true",
        "ResumeFailProgram=/bin/true",
        "MailProg=/bin/true",
        "MpiDefault=none",
    )


def _addresses(nodes: str) -> str:
    """Numbers for the nodes' addresses: slurmctld tries for ten seconds to look up each name that it can't."""
    try:
        return f" NodeAddr={','.join('127.0.0.1' for _ in expand(nodes))}"
    except SlurmError:
        return ""  # slurmctld is to say what is wrong with the list


def _left_out(line: Line) -> bool:
    key = next((key for key, _ in line.pairs()), "")
    return key in _LEFT_OUT or key.startswith(_LEFT_OUT_FAMILIES)


def _written(line: Line) -> str:
    text = line.text
    key, value = next(line.pairs(), ("", ""))
    if key == "partitionname":
        text = _PREEMPT_MODE.sub("", _QOS.sub("", text))
    elif key == "nodename" and value.lower() != "default":
        text = _ADDRESS.sub("", text) + _addresses(value)
    return text.replace("\\", "\\\\").replace("#", "\\#")
