"""One run of ``xio generate`` up to the moment of writing: all that is known, so that the rest only shows and acts."""

import shlex
from dataclasses import dataclass, replace
from pathlib import Path

from xio_slurm.config.model import Config
from xio_slurm.deploy.advice import advice, advice_once_included, must_stop
from xio_slurm.deploy.compile import Compiled, compile_config, read_user_data
from xio_slurm.deploy.conflicts import Conflicts, conflicts
from xio_slurm.deploy.delegation import Delegation, delegation, kept
from xio_slurm.deploy.difference import Difference, Kind, compare
from xio_slurm.deploy.ems_address import with_known_address
from xio_slurm.deploy.launchers import manifest_of
from xio_slurm.deploy.programs import Programs, programs_of, unusable
from xio_slurm.deploy.publish import MANIFEST, NODE_DEFINITIONS, Deployed, closed_to_others, read
from xio_slurm.deploy.survey import Survey, survey
from xio_slurm.manifest import DEFAULT_PATH
from xio_slurm.slurm import conf as slurm_conf
from xio_slurm.slurm.conf import SlurmConf
from xio_slurm.slurm.hostlist import fold


@dataclass(frozen=True, slots=True)
class Generation:
    """What would be written, what it changes, and what the cluster has to say about it.

    ``config`` is the configuration with what was found for it: the EMS's known address, slurm.conf's name of the
    cluster and the programs to delegate to. ``deployed`` is what the folder held.
    """

    config: Config
    folder: Path
    deployed: Deployed
    compiled: Compiled
    ours: SlurmConf
    conf: SlurmConf | None
    delegation: Delegation
    programs: Programs
    unchanged: bool
    difference: Difference
    conflicts: Conflicts
    survey: Survey

    @property
    def warnings(self) -> tuple[str, ...]:
        """What doesn't hinder writing, one line each."""
        if self.compiled.manifest.ems_url is not None:
            return self.cluster_warnings
        return (
            *self.cluster_warnings,
            "the EMS's address isn't known, so no VM can be made: 'xio apply' looks ManagementServerStackName up,"
            " or add ManagementServerIp",
        )

    @property
    def cluster_warnings(self) -> tuple[str, ...]:
        """Those of them that are about the cluster: slurm.conf, programs, folders and jobs."""
        lines = [*self._other_name, *self.delegation.warnings, *self.conflicts.warnings]
        lines += [*self.difference.unknown, *self.survey.notes]
        lines += unusable(self.programs, (self.conf.get("SlurmUser") or "root") if self.conf is not None else None)
        lines += [
            f"{path}: is closed to others, and every user's commands read the node definitions: chmod o+x it"
            for path in closed_to_others(self.folder)
        ]
        if not self._is_loaded:
            lines += self._job_lines
        return tuple(lines)

    @property
    def _other_name(self) -> tuple[str, ...]:
        theirs = self.conf.get("ClusterName") if self.conf is not None else None
        if self.conf is None or theirs is None or theirs.casefold() == (self.config.cluster or theirs).casefold():
            return ()
        return (
            f"ClusterName is {self.config.cluster}, and {theirs} in {self.conf.path}: is this the configuration of this"
            " cluster?",
        )

    @property
    def advice(self) -> tuple[str, ...]:
        """What slurmctld needs after the change, one line each."""
        if self.unchanged or self.conflicts.errors:
            return ()
        if self.difference.first and self.conf is not None and self.conf.included is not None:
            return advice_once_included(self.survey.version)
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
                " could end it: stop slurmctld, run this again, start it"
            )
        return (*lines, *self._job_lines)

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
        if self.conflicts.errors or not self._lacks_include:
            return self.link_steps
        where = self.conf.path if self.conf is not None else "slurm.conf"
        return (f"put this line at the end of {where}: include {self.folder / NODE_DEFINITIONS}", *self.link_steps)

    @property
    def link_steps(self) -> tuple[str, ...]:
        """Of these, what lets the programs find the manifest."""
        manifest = self.folder / MANIFEST
        default = Path(DEFAULT_PATH)
        named = manifest_of(Path(self.programs.resume))
        if self.conflicts.errors or (named or default).resolve() == manifest.resolve():
            return ()
        if named is not None:
            return (f"{self.programs.resume} reads {named}: give -o {shlex.quote(str(named.parent))}",)
        return (f"the programs look for {DEFAULT_PATH}: ln -s {shlex.quote(str(manifest))} {DEFAULT_PATH}",)


def prepare(config: Config, folder: Path, conf_path: str | None) -> Generation:
    """Compile, compare, and ask the cluster. Writes nothing.

    ``conf_path`` is the cluster's slurm.conf; None where there is none. Raises DeployError and SlurmError.
    """
    folder = folder.absolute()
    old = read(folder)
    conf = slurm_conf.read(conf_path, ours=str(folder / NODE_DEFINITIONS)) if conf_path is not None else None
    configured = config.plugin.delegates
    found_delegates = delegation(configured, conf) if conf is not None else kept(configured, old.known())
    config = _with_cluster(with_known_address(config, old), conf, found_delegates)
    programs = programs_of(config.plugin)
    compiled = compile_config(config, programs, read_user_data(config))
    ours = slurm_conf.parse(compiled.node_definitions, NODE_DEFINITIONS)
    unchanged = (old.node_definitions, old.manifest) == (
        compiled.node_definitions.encode(),
        compiled.manifest.to_json().encode(),
    )
    difference = compare(old, compiled)
    found = conflicts(conf, ours, config.plugin.delegates) if conf is not None else Conflicts((), ())
    return Generation(
        config=config,
        folder=folder,
        deployed=old,
        compiled=compiled,
        ours=ours,
        conf=conf,
        delegation=found_delegates,
        programs=programs,
        unchanged=unchanged,
        difference=difference,
        conflicts=found,
        survey=_survey(config, conf, difference),
    )


def _with_cluster(config: Config, conf: SlurmConf | None, found: Delegation) -> Config:
    """The configuration with what its cluster's slurm.conf says, where the file says nothing."""
    cluster = config.cluster or (conf.get("ClusterName") if conf is not None else None)
    return replace(config, cluster=cluster, plugin=replace(config.plugin, delegates=found.delegates))


def _survey(config: Config, conf: SlurmConf | None, difference: Difference) -> Survey:
    lacks_include = conf is not None and conf.included is None
    if difference.kinds <= {Kind.PROGRAMS} and not lacks_include:
        return Survey(None, False, (), ())
    # Where an include is missing, ours before its first time or another, Slurm's commands would wait a minute for it.
    waits = conf is not None and (conf.missing or (difference.first and not lacks_include))
    return survey(None if waits else conf, config.plugin.slurm_bin_dir, difference.removed_nodes)
