"""What a plan would do to Slurm's side: node definitions, manifest, and the line of slurm.conf that includes them."""

from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from xio_slurm.config.model import Config
from xio_slurm.deploy.advice import advice_once_included, must_stop
from xio_slurm.deploy.as_slurm_user import unread_certificates
from xio_slurm.deploy.conflicts import is_configless
from xio_slurm.deploy.difference import Kind
from xio_slurm.deploy.folders import folder_warnings
from xio_slurm.deploy.generation import Generation, prepare
from xio_slurm.deploy.publish import NODE_DEFINITIONS, is_settled
from xio_slurm.errors import DeployError
from xio_slurm.plan.include_line import include_line, other_names
from xio_slurm.slurm.running import resume_program


class Include(Enum):
    """Whether slurm.conf includes our node definitions."""

    PRESENT = "present"
    MISSING = "missing"
    LOST = "lost"
    """It is missing, and there are node definitions that it should include."""
    UNKNOWN = "unknown"
    """There is no slurm.conf here."""


@dataclass(frozen=True, slots=True)
class SlurmFiles:
    """The files as ``xio generate`` would make them, and what becomes of the include line.

    ``is_settled``: no interrupted run has left files that are not in their places yet. ``awaits_restart``: slurmctld
    runs, and was started before slurm.conf named our programs; it is asked where nothing is left to write.
    """

    generation: Generation
    include: Include
    is_settled: bool
    awaits_restart: bool = False

    @property
    def writes_files(self) -> bool:
        """Whether node definitions and manifest are written, or what an interrupted run has left is finished."""
        return not (self.generation.unchanged and self.is_settled)

    @property
    def node_definitions(self) -> Path:
        """What slurm.conf includes."""
        return self.generation.folder / NODE_DEFINITIONS

    @property
    def puts_include(self) -> bool:
        """Whether the line is to be put into slurm.conf."""
        return self.include in {Include.MISSING, Include.LOST}

    @property
    def changes(self) -> bool:
        """Whether there is anything to write."""
        return self.puts_include or self.writes_files

    @property
    def refusals(self) -> tuple[str, ...]:
        """Why nothing of it is written, one line each."""
        lines = [*self.generation.conflicts.errors]
        if self.puts_include:
            try:
                include_line(self.node_definitions)
            except DeployError as error:
                lines.append(str(error))
        return tuple(lines)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to know before it is written, one line each; what would hurt a running cluster comes last."""
        lines = [*self.generation.cluster_warnings]
        conf = self.generation.conf
        if conf is None:
            lines.append(
                "there is no slurm.conf here: its nodes, programs and include line weren't looked at"
                " (give it with --slurm-conf)"
            )
        elif self.include is Include.LOST:
            lines.append(
                f"{conf.path}: something took the line away that includes {self.node_definitions}"
                " (ParallelCluster's update does that)"
            )
        if conf is not None:
            slurm_user = conf.get("SlurmUser") or "root"
            lines += folder_warnings(self.generation.config.plugin, slurm_user)
            if (tls := self.generation.compiled.manifest.tls) is not None:
                lines += unread_certificates(tls, slurm_user)
        if self.puts_include and conf is not None and (others := other_names(conf)):
            lines.append(
                f"{conf.path}: has {others} more hard {'links' if others > 1 else 'link'}, which would keep the old"
                " content: make symbolic links of them, or put the include line by hand"
            )
        if self.puts_include and conf is not None and is_configless(conf):
            lines.append(
                f"{conf.path}: a configless slurmctld ships only includes without a '/' in their name: better put a"
                f" link to {self.node_definitions} and 'include {self.node_definitions.name}' there by hand"
            )
        return (*lines, *self._objections)

    @property
    def _objections(self) -> tuple[str, ...]:
        survey = self.generation.survey
        if self.puts_include and survey.running and must_stop({Kind.NODES}, survey.version):
            return (
                "slurmctld is running, and any reconfigure after the include line is written could end it:"
                " better stop slurmctld, apply, start it",
            )
        return self.generation.objections

    @property
    def advice(self) -> tuple[str, ...]:
        """What slurmctld needs once it is written, one line each."""
        if self.refusals:
            return ()
        if self.puts_include or (self.generation.unchanged and not self.is_settled):
            return advice_once_included(self.generation.survey.version)
        return self.generation.advice

    @property
    def next_steps(self) -> tuple[str, ...]:
        """What is to be done by hand once it is written, one line each."""
        if self.puts_include:
            return self.generation.link_steps
        restart = ("restart slurmctld (running jobs survive that): it doesn't know our ResumeProgram yet",)
        return (*(restart if self.awaits_restart else ()), *self.generation.next_steps)

    @property
    def forgotten_steps(self) -> tuple[str, ...]:
        """Of these, what an earlier apply has told already: nothing else is left to do."""
        return () if self.changes or self.refusals else self.next_steps


def plan_slurm_files(config: Config, folder: Path, conf_path: str | None) -> SlurmFiles:
    """Plan; writes nothing. ``conf_path`` None: there is no slurm.conf. Raises DeployError and SlurmError."""
    generation = prepare(config, folder, conf_path)
    if generation.conf is None:
        include = Include.UNKNOWN
    elif generation.conf.included is not None:
        include = Include.PRESENT
    else:
        include = Include.MISSING if generation.difference.first else Include.LOST
    files = SlurmFiles(generation, include, is_settled(generation.folder))
    return files if files.changes else replace(files, awaits_restart=_awaits_restart(generation))


def _awaits_restart(generation: Generation) -> bool:
    conf = generation.conf
    if conf is None or conf.included is None or conf.missing:  # Slurm's commands would wait for what is missing
        return False
    if any(conf.lines.index(line) >= conf.included for _, line in conf.values("ResumeProgram")):
        return False  # another one overrules ours, of which is warned
    loaded = resume_program(generation.config.plugin.slurm_bin_dir, slurm_conf=conf.path)
    return loaded is not None and loaded != generation.programs.resume
