"""docs/emulator.md leaves nothing out, and its file is right."""

import json
import re
from pathlib import Path
from typing import get_args

from xio_slurm.commands.emulator import command
from xio_slurm.emulator import Settings
from xio_slurm.emulator.faults import Fault
from xio_slurm.emulator.scenario import load_scenario

PAGE = (Path(__file__).parents[3] / "docs" / "emulator.md").read_text()
FAULTS = get_args(get_args(Fault)[0])


def test_the_scenario_of_the_page_is_right(tmp_path: Path) -> None:
    file = tmp_path / "scenario.yaml"
    file.write_text(re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[0])
    assert load_scenario(file).faults[0].times == 3


def test_every_setting_effect_and_option_is_told() -> None:
    told = set(re.findall(r"`([^`\s]+)", PAGE))
    assert set(Settings.model_fields) <= told
    assert {effect for fault in FAULTS for effect in get_args(fault.model_fields["effect"].annotation)} <= told
    keys = {key for fault in FAULTS for key in fault.model_fields} - {"effect"}
    assert keys <= told
    assert {option.opts[0] for option in command.params} - {"--verbose"} <= told


def test_the_defaults_are_told_as_they_are() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", PAGE.partition("| setting |")[2], re.MULTILINE))
    settings = Settings().model_dump()
    told = {name: default.strip().strip("`") for name, default in rows.items() if name in settings and default.strip()}
    assert len(told) > 10
    for name, default in told.items():
        value = settings[name]
        expected = f"{value:g}" if isinstance(value, float) else json.dumps(value).strip('"')
        assert default.lower() == expected.lower(), name
