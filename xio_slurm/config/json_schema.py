"""The JSON schema of a configuration file, for editors (``xio check --schema``)."""

import json
from typing import Any

from xio_slurm.config.schema import FileKeys


def json_schema() -> str:
    """As text: the same models give the same bytes."""
    schema: dict[str, Any] = FileKeys.model_json_schema(by_alias=True)
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_without_null(schema),
        "title": "Configuration of xio-slurm",
    }
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def _is_noise(key: str, part: Any) -> bool:
    return (key == "default" and part is None) or (key == "title" and isinstance(part, str))


def _without_null(schema: Any) -> Any:
    """None stands for "not given" in the models, while a key that is given must have a value."""
    if isinstance(schema, list):
        return [_without_null(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {key: _without_null(part) for key, part in schema.items() if not _is_noise(key, part)}
    choices = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) == 1:
        del schema["anyOf"]
        schema |= choices[0]
    elif choices:
        schema["anyOf"] = choices
    return schema
