"""The page docs/configuration.md, made from the models that check a configuration.

``python -m xio_slurm.config.key_page > docs/configuration.md``
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel

from xio_slurm.config import key_types
from xio_slurm.config import schema as keys
from xio_slurm.config.json_schema import json_schema
from xio_slurm.markdown import table

_INTRODUCTION: Final = """\
# Configuration

<!-- Made from the code's own models by 'python -m xio_slurm.config.key_page': change those, not this. -->

Every key of the configuration, a YAML file. [etc/xio.yaml](../etc/xio.yaml) is a commented sample to begin with,
[Configure XIO](configure-xio.md) says what to decide, `xio check` tells every mistake with its line, and an editor that
knows [etc/xio.schema.json](../etc/xio.schema.json) completes keys as you type.

A key that isn't written has its default; one without a default and without *required* may be left out, and then nothing
is set. Other keys of a cluster's configuration may stand beside these: only what is below is read.
"""


@dataclass(frozen=True, slots=True)
class Part:
    """A mapping of the file: the path at which it stands, its model, and what is to be said of the whole."""

    path: str
    model: type[BaseModel]
    about: str


PARTS: Final = (
    Part("slurm", keys.SlurmKeys, ""),
    Part("slurm: Xio", keys.SectionKeys, "Or `Xwo` for the Workload Optimizer, with the same keys.\n"),
    Part("slurm: Xio: Images", keys.ImageKeys, "A list of these.\n"),
    Part("slurm: Xio: Profiles", keys.ProfileKeys, "A list of these, or a mapping of them by `ProfileName`.\n"),
    Part("slurm: Xio: Pools", keys.PoolKeys, "A list of these, or a mapping of them by `PoolName`.\n"),
    Part("slurm: Xio: Controllers", keys.ControllerKeys, "What isn't given is as the EMS's profile az1 has it.\n"),
    Part("slurm: Xio: Workers", keys.WorkerKeys, "What isn't given is as the EMS's profile az1 has it.\n"),
    Part("slurm: Xio: Plugin", keys.PluginKeys, "How this installation works; none of it must be given.\n"),
    Part("slurm: storage", keys.StorageKeys, ""),
    Part("slurm: storage: ExtraMounts", keys.MountKeys, "A list of these.\n"),
)
"""In the order of the sample."""

_KINDS: Final[Mapping[str, str]] = {
    key_types.NAME: "name",
    key_types.ALPHANUMERIC: "letters and digits",
    key_types.ABSOLUTE_PATH: "absolute path",
    key_types.WORD: "word",
    key_types.HOST: "address or host name",
    key_types.HOST_AND_PORT: "address:port",
    key_types.CURRENCY: "currency",
}
"""What a pattern is called in a table."""

_SECTIONS: Final = {part.model.__name__: part.path for part in PARTS}


def page() -> str:
    """The whole page."""
    schemas: dict[str, Any] = json.loads(json_schema())["$defs"]
    return "\n".join((_INTRODUCTION, *_words(), *(line for part in PARTS for line in _part(part, schemas))))


def _words() -> Iterator[str]:
    yield "The words for what a value may be:\n"
    patterns = ((kind, *key_types.PATTERNS[pattern]) for pattern, kind in _KINDS.items())
    yield table(
        ("Word", "Meaning", "Example"), ((kind, meaning, f"`{example}`") for kind, meaning, example in patterns)
    )


def _part(part: Part, schemas: Mapping[str, Any]) -> Iterator[str]:
    schema = schemas[part.model.__name__]
    names = [field.alias or name for name, field in part.model.model_fields.items()]
    old = [name for name in names if schema["properties"][name].get("deprecated")]
    yield f"## {part.path}\n"
    if part.about:
        yield part.about
    required = schema.get("required", ())
    rows = (_row(name, schema["properties"][name], required=name in required) for name in names if name not in old)
    yield table(("Key", "Value", "Default", "Meaning"), rows)
    if old:
        yield "Of older files these are read, too:\n"
        yield table(("Key", ""), ((f"`{name}`", schema["properties"][name]["description"]) for name in old))


def _row(name: str, schema: Mapping[str, Any], *, required: bool) -> tuple[str, ...]:
    default = "*required*" if required else _default(schema)
    return f"`{name}`", _value(schema), default, f"{schema['description']}{_example(schema)}"


def _default(schema: Mapping[str, Any]) -> str:
    default = schema.get("default")
    if default is None or default in ([], {}):
        return ""
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


def _example(schema: Mapping[str, Any]) -> str:
    examples = schema.get("examples", ())
    return f". Example: `{json.dumps(examples[0], ensure_ascii=False)}`".replace('"', "") if examples else ""


def _value(schema: Mapping[str, Any]) -> str:
    """What it may be, in words."""
    if "anyOf" in schema:
        return " or ".join(_value(choice) for choice in schema["anyOf"])
    if "$ref" in schema:
        return _link(schema["$ref"])
    kind = schema["type"]
    return _VALUES[kind](schema) if kind in _VALUES else _number(kind, schema)


def _text(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return " or ".join(f"`{choice}`" for choice in schema["enum"])
    return _KINDS[schema["pattern"]] if "pattern" in schema else "text"


_VALUES: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "array": lambda schema: f"list of {_value(schema['items'])}",
    "object": lambda schema: f"mapping of names to {_value(schema['additionalProperties'])}",
    "string": _text,
    "boolean": lambda _: "`true` or `false`",
}


def _number(kind: str, schema: Mapping[str, Any]) -> str:
    unit = f" {schema['x-unit']}" if "x-unit" in schema else ""
    least = f"{schema['minimum']:,} to" if "minimum" in schema else "more than 0, up to"
    return f"{'whole number' if kind == 'integer' else 'number'}, {least} {schema['maximum']:,}{unit}"


def _link(reference: str) -> str:
    model = reference.rpartition("/")[2].replace("Body", "Keys")
    path = _SECTIONS[model]
    return f"[{path}](#{path.lower().replace(': ', '-')})"


if __name__ == "__main__":
    sys.stdout.write(page())
