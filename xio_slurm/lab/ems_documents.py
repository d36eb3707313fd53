"""What the lab's EMS has from its start: the documents that ``xio apply`` of the configuration would have made."""

import json
from pathlib import Path
from typing import Any, Final

from xio_slurm.config.model import Config
from xio_slurm.emulator.az1 import az1
from xio_slurm.emulator.scenario import Scenario, load_scenario
from xio_slurm.lab.layout import Layout
from xio_slurm.lab.slurm_conf import CLUSTER
from xio_slurm.plan.ems_observation import Observed
from xio_slurm.plan.ems_plan import plan_ems
from xio_slurm.plan.environment_document import Head
from xio_slurm.plan.planning import Planning

_ANY_AMI: Final = "ami-00000000000000003"
"""Of an image that the configuration names, and doesn't have made."""


def write_scenario(config: Config, layout: Layout, given: Path | None) -> Path:
    """Write a scenario with them and with all of the ``given`` one, whose documents come first; its path.

    Raises EmulatorError for a scenario that can't be read.
    """
    scenario = load_scenario(given) if given is not None else Scenario()
    documents = scenario.model_dump(mode="json", exclude_unset=True) | _with_ours(scenario, config, layout)
    layout.scenario.write_text(json.dumps(documents, indent=2), encoding="utf-8")
    return layout.scenario


def _with_ours(scenario: Scenario, config: Config, layout: Layout) -> dict[str, list[dict[str, Any]]]:
    has_template = any(profile["ProfileName"] == "az1" for profile in scenario.profiles)
    profiles = scenario.profiles if has_template else (*scenario.profiles, az1())
    observed = Observed(profiles, scenario.environments, scenario.images, frozenset(), None)
    head = Head(config.cluster or CLUSTER, "127.0.0.1", config.plugin.slurm_bin_dir, str(layout.etc))
    plan = plan_ems(Planning(config, head, observed, adopt=True), prune=False)
    amis = {pool.image: _ANY_AMI for pool in config.pools} | {image.name: image.ami for image in config.images}
    images = [{"ImageName": name, "ImageId": ami} for name, ami in amis.items()]
    environments = [plan.environment.document] if plan.environment and plan.environment.document else []
    return {
        "profiles": _new(scenario.profiles, [each.document for each in plan.profiles if each.document], "ProfileName"),
        "images": _new(scenario.images, images, "ImageName"),
        "environments": _new(scenario.environments, environments, "EnvName"),
    }


def _new(given: tuple[dict[str, Any], ...], ours: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    there = {document[key] for document in given}
    return [*given, *(document for document in ours if document[key] not in there)]
