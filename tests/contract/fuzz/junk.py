"""JSON that no EMS should send: other shapes, numbers that nobody needs, text that a terminal would obey."""

import json
from random import Random
from typing import Any, Final

OWNED: Final = "\x1b]0;owned\x07"
"""What would set a terminal's title: in every text that tries more than to be long."""

_TEXTS: Final = (
    "",
    "x",
    f"{OWNED}\x1b[2J\x1b[31m",
    f"a\rb\b{OWNED}",
    f"one\ntwo\n{OWNED}xio: three",
    f"\x9b31m\x85\x7f\x00{OWNED}",
    f"\u202egnp.exe\u2028{OWNED}",
    f"\ud800{OWNED}",
    "\ud83d",
    "[bold red]markup[/] :smile:",
    "../../etc/passwd",
    "/",
    "%s%n {0} {x}",
    "ä" * 300,
    "y" * 20_000,
    "-----BEGIN PRIVATE KEY-----\nMIIE\n",
    "ami-1",
    "rhel8",
    "amd",
    "lab",
)
_NUMBERS: Final = (0, -1, 1, 2**31, 2**63, -(2**64), 10**400, 0.5, 1e308, float("nan"), float("inf"), -0.0)
_KEYS: Final = (
    "Profiles",
    "Environments",
    "Images",
    "Vms",
    "Vm",
    "VM",
    "Controller",
    "Worker",
    "Xspot",
    "Pools",
    "Slurm",
    "NodeName",
    "PrivateIpAddress",
    "ProfileName",
    "EnvName",
    "ImageName",
    "ImageId",
    "PoolName",
    "InstanceTags",
    "SecurityGroupIds",
    "JobId",
    "Id",
    "Error",
    "Manifest",
    "copVersion",
    "HeadAddress",
    "UserData",
    f"odd{OWNED}",
    "",
    "\ud800",
)


def junk(random: Random, depth: int = 3) -> Any:
    """A JSON value of any shape."""
    match random.randrange(7 if depth else 4):
        case 0:
            return random.choice((None, True, False))
        case 1:
            return random.choice(_NUMBERS)
        case 2 | 3:
            return random.choice(_TEXTS)
        case 4:
            return [junk(random, depth - 1) for _ in range(random.randrange(4))]
        case _:
            return {random.choice(_KEYS): junk(random, depth - 1) for _ in range(random.randrange(1, 5))}


def changed(random: Random, document: Any) -> Any:
    """The document with one place of it made something else, and now and then with more than one."""
    for _ in range(random.choice((1, 1, 1, 2, 5))):
        document = _changed_once(random, document)
    return document


def _changed_once(random: Random, document: Any) -> Any:
    inner = [*document] if isinstance(document, dict) else [*range(len(document))] if isinstance(document, list) else []
    if not inner or random.random() < 0.15:
        return _instead(random, document)
    place = random.choice(inner)
    if random.random() < 0.15:
        if isinstance(document, dict):
            return {key: value for key, value in document.items() if key != place}
        return [value for at, value in enumerate(document) if at != place]
    if isinstance(document, dict):
        return {**document, place: _changed_once(random, document[place])}
    return [_changed_once(random, value) if at == place else value for at, value in enumerate(document)]


def _instead(random: Random, value: Any) -> Any:
    match random.randrange(6):
        case 0:
            return None
        case 1:
            return [value]
        case 2:
            return {random.choice(_KEYS): value}
        case 3:
            return {**value, random.choice(_KEYS): junk(random)} if isinstance(value, dict) else [value, value]
        case _:
            return junk(random)


def poisoned(random: Random, document: Any, chance: float) -> Any:
    """The document in its own shape, with texts in it that a terminal would obey."""
    if isinstance(document, dict):
        return {key: poisoned(random, value, chance) for key, value in document.items()}
    if isinstance(document, list):
        return [poisoned(random, value, chance) for value in document]
    if random.random() >= chance:
        return document
    if isinstance(document, str):
        return random.choice(("", document)) + random.choice(_TEXTS)
    return random.choice(_NUMBERS) if isinstance(document, int | float) else document


def text_of(random: Random, document: Any) -> bytes:
    """The document as JSON in one of the ways to write it, right ones and wrong ones."""
    text = json.dumps(document, ensure_ascii=random.random() < 0.5)
    match random.randrange(12):
        case 0:
            text = text.replace("{", '{"Id": 1, "Id": [], "Error": "twice",', 1)
        case 1:
            text = f'{{"Deep": {"[" * 50_000}'
        case 2:
            text = text.replace(":", f': {"[" * 400}{"]" * 400}, "x":', 1)
        case 3:
            text = text.replace("1", "1" * 5_000, 1)
        case 4:
            text = text[: random.randrange(len(text))]
        case 5:
            text += "}"
        case 6:
            text = f"\ufeff{text}"
    body = text.encode("utf-8", "surrogatepass")
    match random.randrange(12):
        case 0:
            at = random.randrange(len(body) + 1)
            return body[:at] + random.choice((b"\xff\xfe", b"\x00", b"\xc3", b"\x1b]0;owned\x07")) + body[at:]
        case 1:
            return text.encode("utf-16", "surrogatepass")
    return body
