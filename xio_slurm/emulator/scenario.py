"""A scenario: what the emulator has and does from its start, in one file of YAML or JSON."""

import json
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from xio_slurm.emulator.documents import Environment, Image, Profile
from xio_slurm.emulator.faults import Fault
from xio_slurm.emulator.settings import Settings
from xio_slurm.errors import EmulatorError

_DOCUMENTS: Final[dict[str, type[BaseModel]]] = {"profiles": Profile, "images": Image, "environments": Environment}
_FAULT: Final[TypeAdapter[Fault]] = TypeAdapter(Fault)


class Scenario(BaseModel):
    """Settings, faults, and the documents that are there besides the profile ``az1``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    settings: Settings = Settings()
    faults: tuple[Fault, ...] = ()
    profiles: tuple[dict[str, Any], ...] = ()
    images: tuple[dict[str, Any], ...] = ()
    environments: tuple[dict[str, Any], ...] = ()


def load_scenario(path: Path) -> Scenario:
    """Read a scenario file; raises EmulatorError with one line a problem."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise EmulatorError(f"{path}: can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise EmulatorError(f"{path}: can't be read: it is no UTF-8 text") from None
    try:
        data = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except json.JSONDecodeError as error:
        raise EmulatorError(f"{path}: line {error.lineno}: {error.msg}") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise EmulatorError(f"{path}: line {line}: {error.problem}") from None
    except yaml.YAMLError as error:
        raise EmulatorError(f"{path}: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise EmulatorError(f"{path}: nested too deeply") from None
    if not isinstance(data, dict):
        raise EmulatorError(f"{path}: should hold keys such as 'settings' and 'faults'")
    return parse_scenario(data, str(path))


def parse_scenario(data: dict[str, Any], where: str) -> Scenario:
    """The scenario of these keys; raises EmulatorError that names ``where``."""
    try:
        scenario = Scenario.model_validate(data)
    except ValidationError as error:
        raise EmulatorError("\n".join(f"{where}: {line}" for line in problems(error))) from None
    found = [
        f"{where}: {key}.{index}.{line}"
        for key, model in _DOCUMENTS.items()
        for index, document in enumerate(getattr(scenario, key))
        for line in _problems_of(model, document)
    ]
    if found:
        raise EmulatorError("\n".join(found))
    return scenario


def _problems_of(model: type[BaseModel], document: dict[str, Any]) -> list[str]:
    try:
        model.model_validate(document)
    except ValidationError as error:
        return problems(error)
    return []


def parse_fault(data: Any) -> Fault:
    """The fault of these keys; raises EmulatorError."""
    try:
        return _FAULT.validate_python(data)
    except ValidationError as error:
        raise EmulatorError(f"fault: {'; '.join(problems(error))}") from None


def change_settings(settings: Settings, changes: Any) -> Settings:
    """The settings with these changes; raises EmulatorError."""
    if not isinstance(changes, dict):
        raise EmulatorError("settings: should be an object of names and values")
    try:
        return Settings.model_validate({**settings.model_dump(), **changes})
    except ValidationError as error:
        raise EmulatorError(f"settings: {'; '.join(problems(error))}") from None


def problems(error: ValidationError) -> list[str]:
    """Each problem in a line: where, what, and what was found there."""
    lines = []
    for each in error.errors(include_url=False):
        where = ".".join(str(part) for part in each["loc"])
        found = "" if each["type"] in {"missing", "union_tag_not_found"} else f" (not {_short(each['input'])})"
        lines.append(f"{where}: {each['msg']}{found}" if where else f"{each['msg']}{found}")
    return lines


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
