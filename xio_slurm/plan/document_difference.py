"""What differs between two EMS documents, field by field, for people. Pure; secrets are masked."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from xio_slurm.ems.documents import Document
from xio_slurm.plain_text import printable, shortened
from xio_slurm.plan.change import FieldChange
from xio_slurm.secret_fields import hides, mask, masked

_NAMES: Final = ("Key", "PoolName", "ProfileName", "ImageName", "EnvName", "Name")
"""Keys that tell the entries of a list apart."""

_LENGTH: Final = 240
_ABSENT: Final = object()


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON: to Python True is 1, to JSON it isn't."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def difference(old: Document, new: Document) -> tuple[FieldChange, ...]:
    """The fields that differ, in the order of ``new``; none exactly where both are the same JSON; long ones cut."""
    return tuple(
        FieldChange(each.path, _shortened(each.old), _shortened(each.new)) for each in whole_difference(old, new)
    )


def whole_difference(old: Document, new: Document) -> tuple[FieldChange, ...]:
    """The same with values of any length."""
    return tuple(_of_objects("", old, new))


def _of_objects(path: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[FieldChange]:
    for key in (*new, *(key for key in old if key not in new)):
        place = f"{path}.{printable(key)}" if path else printable(key)
        was, now = old.get(key, _ABSENT), new.get(key, _ABSENT)
        if hides(key, old) or hides(key, new):
            yield from _of_secrets(place, was, now)
        else:
            yield from _of_values(place, was, now)


def _of_values(place: str, old: Any, new: Any) -> Iterator[FieldChange]:
    if _is_same(old, new):
        return
    both = [value for value in (old, new) if value is not _ABSENT]
    if all(isinstance(value, dict) and value for value in both):
        yield from _of_objects(place, *({} if value is _ABSENT else value for value in (old, new)))
    elif all(isinstance(value, list) and value for value in both):
        yield from _of_lists(place, *([] if value is _ABSENT else value for value in (old, new)))
    else:
        yield FieldChange(place, _text(old), _text(new))


def _of_secrets(place: str, old: Any, new: Any) -> Iterator[FieldChange]:
    if not _is_same(old, new):
        yield FieldChange(place, *(_text(value if value is _ABSENT else mask(value)) for value in (old, new)))


def _of_lists(place: str, old: list[Any], new: list[Any]) -> Iterator[FieldChange]:
    name_key = next((key for key in _NAMES if _names(key, old) is not None and _names(key, new) is not None), None)
    if name_key is None:
        yield from _of_plain_lists(place, old, new)
        return
    before, after = ({each[name_key]: each for each in entries} for entries in (old, new))
    for name in (*after, *(name for name in before if name not in after)):
        yield from _of_entries(f"{place}[{printable(name)}]", before.get(name, _ABSENT), after.get(name, _ABSENT))
    if before.keys() == after.keys() and [*before] != [*after]:
        yield FieldChange(place, _text([*before]), _text([*after]))


def _of_entries(place: str, old: Any, new: Any) -> Iterator[FieldChange]:
    entries = [value for value in (old, new) if value is not _ABSENT]
    if all(entry.keys() == {"Key", "Value"} for entry in entries):
        values = (value if value is _ABSENT else masked(value)["Value"] for value in (old, new))
        if not _is_same(old, new):
            yield FieldChange(place, *map(_text, values))
    elif len(entries) == 2:
        yield from _of_objects(place, old, new)
    else:
        yield FieldChange(place, _text(old), _text(new))


def _of_plain_lists(place: str, old: list[Any], new: list[Any]) -> Iterator[FieldChange]:
    texts = [[json.dumps(each, sort_keys=True) for each in entries] for entries in (old, new)]
    going, coming = (_left(entries, other) for entries, other in (texts, texts[::-1]))
    if not going and not coming:
        yield FieldChange(place, _text(old), _text(new))
    if going:
        yield FieldChange(f"{place}[]", _text(going), None)
    if coming:
        yield FieldChange(f"{place}[]", None, _text(coming))


def _left(texts: list[str], other: list[str]) -> list[Any]:
    """What the first has more of than the other."""
    more = Counter(texts) - Counter(other)
    return [json.loads(text) for text in more.elements()]


def _names(key: str, entries: list[Any]) -> list[str] | None:
    names = [each.get(key) for each in entries if isinstance(each, dict)]
    found = [name for name in names if isinstance(name, str)]
    return found if len(entries) == len(found) == len({*found}) else None


def _is_same(old: Any, new: Any) -> bool:
    if old is _ABSENT or new is _ABSENT:
        return old is new
    return same(old, new)


def _text(value: Any) -> str | None:
    if value is _ABSENT:
        return None
    return printable(json.dumps(masked(value), ensure_ascii=False))


def _shortened(text: str | None) -> str | None:
    return None if text is None else shortened(text, _LENGTH)
