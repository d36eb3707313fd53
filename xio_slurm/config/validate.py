"""Holds values against the schema, and says what is wrong in the file's own terms."""

import difflib
from collections.abc import Iterable
from typing import Any, Final, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from xio_slurm.config.key_types import PATTERNS
from xio_slurm.config.nodes import KeyPath
from xio_slurm.config.numbers import number_remedy
from xio_slurm.config.plain import Odd, Plain
from xio_slurm.config.problems import Problems
from xio_slurm.config.schema import Keys

Model = TypeVar("Model", bound=Keys)

_UNQUOTED: Final = frozenset({"VmRootPasswordSecret", "EmsUrl"})
"""Keys where someone could have written a password: their values are not repeated."""

_MAX_SHOWN: Final = 40
_MAX_LISTED: Final = 10

_MAX_TOLD: Final = 100
"""Problems told of one mapping: more than that is no configuration, but a file of another kind."""

_WANTED: Final = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "model_type": "a mapping of keys",
    "dict_type": "a mapping of keys",
}
_NUMBERS: Final = ("int_type", "float_type")


def validate(model: type[Model], plain: dict[str, Plain], path: KeyPath, problems: Problems) -> Model:
    """The model of a flat mapping; its bad values are told.

    So that the rest can be checked as well, they are left out, or replaced by the key's example where there must be
    one. Such a model never gets into a configuration, since its problems are errors.
    """
    try:
        return model.model_validate(plain)
    except ValidationError as error:
        details = error.errors(include_url=False)
    if len(details) > _MAX_TOLD:
        problems.error(path, f"has {len(details) - _MAX_TOLD} more problems like these", "look at the first ones")
    for detail in details[:_MAX_TOLD]:
        place = (*path, *detail["loc"])
        what, remedy = _explain(model, detail, problems.spelling(place))
        problems.error(place, what, remedy)
    bad = {detail["loc"][0] for detail in details if detail["loc"]}
    good = {key: value for key, value in plain.items() if key not in bad}
    return model.model_validate(_examples(model) | good)


def explain_type(value: Plain, wanted: str) -> tuple[str, str]:
    """What to say of a value that is no list or mapping where one is wanted."""
    if isinstance(value, Odd):
        return _explain_odd(value, wanted, f"write {wanted}")
    return f"must be {wanted}, not {show(value)}", f"write {wanted}"


def show(value: object) -> str:
    """A value as messages quote it: short."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a mapping of keys"
    if isinstance(value, list):
        return "a list"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 1] + "…"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that someone may have meant, whatever its case."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    near = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[near[0]] if near else None


def _explain(model: type[Keys], detail: ErrorDetails, spelling: str) -> tuple[str, str]:
    kind, value, loc = detail["type"], detail["input"], detail["loc"]
    key = str(loc[0]) if loc else ""
    if kind == "missing":
        return "is missing", f"add it, such as {key}: {_examples(model)[key]}"
    if kind == "extra_forbidden":
        known = [field.alias or "" for field in model.model_fields.values()]
        near = nearest(key, known)
        return "is an unknown key", f"did you mean {near}?" if near else _list_keys(known)
    if isinstance(value, Odd):
        wanted = _WANTED.get(kind, "a value")
        return _explain_odd(value, wanted, _remedy(kind, key, value.text) if kind in _NUMBERS else f"write {wanted}")
    if kind in _WANTED:
        return _explain_mismatch(kind, value, key, spelling)
    return _explain_range(model, detail, key)


def _list_keys(known: list[str]) -> str:
    if len(known) > _MAX_LISTED:
        return "take it out: etc/xio.yaml shows all keys"
    return f"known keys are {', '.join(known)}"


def _remedy(kind: str, key: str, text: str) -> str:
    """What to write in a number's place."""
    return number_remedy(key, text, whole=kind == "int_type")


def _explain_odd(value: Odd, wanted: str, remedy: str) -> tuple[str, str]:
    if value.kind == "null":
        return "has no value", f"write {wanted}, or take the key out"
    if value.kind == "tag":
        return f"has a value that isn't plain ({value.text})", f"write {wanted}"
    if value.text.lstrip("+-").isdecimal() and not value.text.lstrip("+-").startswith("0"):
        return "is too large a number", "put it in quotes" if wanted == "text" else remedy
    reading = "a date" if value.kind == "timestamp" else "a number in a notation of its own"
    if wanted == "text":
        return f"is {value.text!r}, which YAML reads as {reading}", f"put it in quotes: '{value.text}'"
    return f"must be {wanted}, and {value.text!r} is read by YAML as {reading}", remedy


def _explain_mismatch(kind: str, value: Any, key: str, spelling: str) -> tuple[str, str]:
    shown = "something else" if key in _UNQUOTED else show(value)
    what = f"must be {_WANTED[kind]}, not {shown}"
    if isinstance(value, (dict, list)):
        return what, f"write {_WANTED[kind]} after the key"
    if kind == "string_type":
        reading = "a boolean" if isinstance(value, bool) else "a number"
        return f"must be text, and YAML reads {spelling} as {reading}", f"put it in quotes: '{spelling}'"
    if kind in _NUMBERS:
        remedy = _remedy(kind, key, spelling.strip())
        return what, f"{remedy} without quotes" if remedy == f"write {spelling.strip()}" else remedy
    if kind == "list_type":
        return what, f"write a list: [{value}]" if key not in _UNQUOTED else "write a list"
    return what, f"write {_WANTED[kind]}"


def _explain_range(model: type[Keys], detail: ErrorDetails, key: str) -> tuple[str, str]:
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    shown = "" if key in _UNQUOTED else f"{show(value)} "
    if value == "":
        return "is empty", "write a value, or take the key out"
    limits = {
        "greater_than_equal": ("at least", "ge"),
        "greater_than": ("more than", "gt"),
        "less_than_equal": ("at most", "le"),
    }
    if kind in limits:
        words, name = limits[kind]
        limit = context.get(name)
        return f"is {show(value)}, and must be {words} {limit}", f"write a number that is {words} {limit}"
    if kind == "string_pattern_mismatch":
        rule, example = PATTERNS[context["pattern"]]
        return f"{shown}{rule}", f"write one such as {_example(model, key) or example}"
    if kind == "literal_error":
        return f"is {show(value)}, and must be {context['expected']}", f"write {context['expected']}"
    if kind in ("string_too_long", "too_long"):
        unit = "characters" if kind == "string_too_long" else "entries"
        return f"has more than {context['max_length']} {unit}", "shorten it"
    return f"{shown}isn't valid here: {detail['msg']}", "see etc/xio.yaml"


def _examples(model: type[Keys]) -> dict[str, Any]:
    """A value for every key that must be there."""
    fields = model.model_fields.values()
    return {field.alias or "": field.examples[0] for field in fields if field.is_required() and field.examples}


def _example(model: type[Keys], key: str) -> str | None:
    """The key's own example, or its default."""
    field = next((field for field in model.model_fields.values() if field.alias == key), None)
    value = None if field is None else (field.examples or [field.default])[0]
    value = value[0] if isinstance(value, list) and value else value
    return value if isinstance(value, str) else None
