"""One run of ``xio generate`` up to the moment of writing: all that is known, so that the rest only shows and acts."""

import shlex
from dataclasses import dataclass
from pathlib import Path

from xio_slurm.config.model import Config
from xio_slurm.deploy.advice import advice, must_stop
from xio_slurm.deploy.compile import Compiled, compile_config, read_user_data
from xio_slurm.deploy.conflicts import Conflicts, conflicts
from xio_slurm.deploy.difference import Difference, Kind, compare
from xio_slurm.deploy.ems_address import with_known_address
from xio_slurm.deploy.launchers import launches
from xio_slurm.deploy.programs import Programs, programs_of, unusable
from xio_slurm.deploy.publish import MANIFEST, NODE_DEFINITIONS, closed_to_others, read
from xio_slurm.deploy.survey import Survey, survey
from xio_slurm.manifest import DEFAULT_PATH
from xio_slurm.slurm import conf as slurm_conf
from xio_slurm.slurm.conf import SlurmConf
from xio_slurm.slurm.hostlist import fold


@dataclass(frozen=True, slots=True)
class Generation:
    """What would be written, what it changes, and what the cluster has to say about it."""

    folder: Path
    compiled: Compiled
    ours: SlurmConf
    conf: SlurmConf | None
    programs: Programs
    unchanged: bool
    difference: Difference
    conflicts: Conflicts
    survey: Survey

    @property
    def warnings(self) -> tuple[str, ...]:
        """What doesn't hinder writing, one line each."""
        lines = [*self.conflicts.warnings, *self.difference.unknown, *self.survey.notes]
        if self.compiled.manifest.ems_url is None:
            lines.append(
                "the EMS's address isn't known, so no VM can be made: 'xio apply' looks ManagementServerStackName up,"
                " or add ManagementServerIp"
            )
        lines += unusable(self.programs, (self.conf.get("SlurmUser") or "root") if self.conf is not None else None)
        lines += [
            f"{path}: is closed to others, and every user's commands read the node definitions: chmod o+x it"
            for path in closed_to_others(self.folder)
        ]
        if not self._is_loaded:
            lines += self._job_lines
        return tuple(lines)

    @property
    def advice(self) -> tuple[str, ...]:
        """What slurmctld needs after the change, one line each."""
        if self.unchanged or self.conflicts.errors:
            return ()
        return advice(self.difference.kinds, self.survey.version, first=self.difference.first)

    @property
    def objections(self) -> tuple[str, ...]:
        """Why this isn't written unless somebody insists: a running cluster that has this very file would be hurt.

        A 22.05 slurmctld reads the file again at any reconfigure or SIGHUP, be it a log rotation's, and ends itself.
        Elsewhere (another folder, slurmctld stopped) writing can do no harm.
        """
        if self.unchanged or not self._is_loaded:
            return ()
        lines = []
        if must_stop(self.difference.kinds, self.survey.version):
            lines.append(
                f"slurmctld is running with {self.folder / NODE_DEFINITIONS}, and any reconfigure after it is written"
                " could end it: stop slurmctld, run this again, start it (--yes writes all the same)"
            )
        return (*lines, *(f"{line} (--yes writes all the same)" for line in self._job_lines))

    @property
    def _is_loaded(self) -> bool:
        return self.survey.running and self.conf is not None and self.conf.included is not None

    @property
    def _lacks_include(self) -> bool:
        """Where there is no slurm.conf to look at, it is told with every change, and not again."""
        return not self.unchanged if self.conf is None else self.conf.included is None

    @property
    def _job_lines(self) -> tuple[str, ...]:
        gone = {*self.difference.removed_nodes}
        return tuple(
            f"job {job.id} of {job.user} is {job.state} on {fold(gone & {*job.nodes})}, which would go:"
            " let it end, or cancel it"
            for job in self.survey.jobs or ()
        )

    @property
    def next_steps(self) -> tuple[str, ...]:
        """What is still to be done by hand, one line each.

        ParallelCluster makes slurm.conf anew and drops the include, so a lost one is told at every run.
        """
        if self.conflicts.errors:
            return ()
        lines = []
        if self._lacks_include:
            where = self.conf.path if self.conf is not None else "slurm.conf"
            lines.append(f"put this line at the end of {where}: include {self.folder / NODE_DEFINITIONS}")
        manifest = self.folder / MANIFEST
        default = Path(DEFAULT_PATH)
        if default.resolve() != manifest.resolve() and not launches(Path(self.programs.resume), manifest):
            lines.append(f"the programs look for {DEFAULT_PATH}: ln -s {shlex.quote(str(manifest))} {DEFAULT_PATH}")
        return tuple(lines)


def prepare(config: Config, folder: Path, conf_path: str | None) -> Generation:
    """Compile, compare, and ask the cluster. Writes nothing.

    ``conf_path`` is the cluster's slurm.conf; None where there is none. Raises DeployError and SlurmError.
    """
    folder = folder.absolute()
    old = read(folder)
    config = with_known_address(config, old)
    programs = programs_of(config.plugin)
    compiled = compile_config(config, programs, read_user_data(config))
    ours = slurm_conf.parse(compiled.node_definitions, NODE_DEFINITIONS)
    conf = slurm_conf.read(conf_path, ours=str(folder / NODE_DEFINITIONS)) if conf_path is not None else None
    unchanged = (old.node_definitions, old.manifest) == (
        compiled.node_definitions.encode(),
        compiled.manifest.to_json().encode(),
    )
    difference = compare(old, compiled)
    found = conflicts(conf, ours, config.plugin.delegates) if conf is not None else Conflicts((), ())
    return Generation(
        folder=folder,
        compiled=compiled,
        ours=ours,
        conf=conf,
        programs=programs,
        unchanged=unchanged,
        difference=difference,
        conflicts=found,
        survey=_survey(config, conf, difference),
    )


def _survey(config: Config, conf: SlurmConf | None, difference: Difference) -> Survey:
    if difference.kinds <= {Kind.PROGRAMS}:
        return Survey(None, False, (), ())
    # Where an include is missing, ours before its first time or another, Slurm's commands would wait a minute for it.
    readable = None if difference.first or (conf is not None and conf.missing) else conf
    return survey(readable, config.plugin.slurm_bin_dir, difference.removed_nodes)
