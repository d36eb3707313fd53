"""What a document has lost of another: a client that doesn't know a key must keep it all the same."""

from collections.abc import Mapping
from typing import Any, Final

_NAMES: Final = ("Key", "PoolName")
"""What tells the entries of a list apart: tags, and an environment's pools."""


def lost(given: Mapping[str, Any], sent: Mapping[str, Any], path: str = "") -> list[str]:
    """The paths of ``given`` that ``sent`` hasn't, at any depth.

    Of a list of tags, every ``Key`` is a path; of SecurityGroupIds, every id is. Pools may go, but one that stays
    keeps its keys. Any other list is a value like a number is.
    """
    found = []
    for key, value in given.items():
        place = f"{path}{key}"
        if key not in sent:
            found.append(place)
        elif isinstance(value, dict):
            found += lost(value, sent[key], f"{place}.") if isinstance(sent[key], dict) else [place]
        elif isinstance(value, list):
            found += _lost_of_list(key, value, sent[key], place)
    return found


def _lost_of_list(key: str, given: list[Any], sent: Any, place: str) -> list[str]:
    entries = sent if isinstance(sent, list) else []
    if key == "SecurityGroupIds":
        return [f"{place}[{each}]" for each in given if each not in entries]
    found = []
    for entry in given:
        name_key = next((each for each in _NAMES if isinstance(entry, dict) and each in entry), None)
        if name_key is None:
            continue
        name = entry[name_key]
        same = [each for each in entries if isinstance(each, dict) and each.get(name_key) == name]
        if same:
            found += lost(entry, same[0], f"{place}[{name}].")
        elif name_key == "Key":
            found.append(f"{place}[{name}]")
    return found
