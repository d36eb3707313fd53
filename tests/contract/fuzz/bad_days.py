"""Faults of the emulator for one run, drawn at random."""

import json
from random import Random
from typing import Any, Final

from tests.contract.fuzz.junk import OWNED, junk

_STATUSES: Final = (102, 102, 200, 200, 201, 204, 301, 400, 401, 403, 404, 408, 409, 429, 500, 500, 502, 503, 504)
_EFFECTS: Final = {
    "status": 40,
    "lost-request": 8,
    "lost-answer": 12,
    "truncated-json": 8,
    "truncated-body": 8,
    "huge-body": 0.6,
    "slow-drip": 0.6,
    "latency": 1.0,
    "no-capacity": 5,
    "never-boots": 4,
    "slow-boot": 3,
    "vm-dies": 3,
    "slow-delete": 4,
    "parse-fails": 5,
    "parse-never-ends": 1.5,
}
"""How often which."""

_SLOW: Final = {"slow-drip", "latency", "huge-body"}
"""Those that take real time, and come a few times in a run at most."""


def faults(random: Random, about: tuple[str, ...]) -> list[dict[str, Any]]:
    """One fault or a few, of everything or of these requests."""
    return [_fault(random, about) for _ in range(random.choice((1, 1, 1, 2, 4)))]


def may_lie(fault: dict[str, Any]) -> bool:
    """Whether it is a clear word that may not be true: there is no such VM, or none was made."""
    if fault["effect"] != "status":
        return False
    status = fault["status"]
    return status == 404 or (fault.get("done", False) and 400 <= status < 500) or (status == 200 and "text" in fault)


def _fault(random: Random, about: tuple[str, ...]) -> dict[str, Any]:
    effect = random.choices([*_EFFECTS], [*_EFFECTS.values()])[0]
    fault: dict[str, Any] = {"effect": effect, **_own_keys(random, effect)}
    if effect in {"no-capacity", "never-boots", "slow-boot", "vm-dies", "slow-delete"} or effect.startswith("parse"):
        return fault
    if random.random() < 0.6:
        method, _, path = random.choice(about).partition(" ")
        fault["match"] = {"path": path} | ({"method": method} if method.isalpha() else {})
    if random.random() < 0.8 or effect in _SLOW:
        fault["times"] = random.choice((1, 1, 2) if effect in _SLOW else (1, 1, 2, 4))
    if random.random() < 0.4:
        fault["skip"] = random.randrange(5)
    if random.random() < 0.2:
        fault["probability"] = 0.3
    return fault


def _own_keys(random: Random, effect: str) -> dict[str, Any]:
    keys: dict[str, Any] = {}
    match effect:
        case "status":
            keys = _status(random)
        case "lost-request" | "lost-answer":
            keys = {"how": random.choice(("reset", "close"))}
        case "huge-body":
            keys = {"bytes": random.choice((10, 40)) * 1024 * 1024}
        case "slow-drip":
            keys = {"seconds": 20}
        case "latency":
            keys = {"seconds": 0.6, "when": random.choice(("before", "after"))}
        case "slow-boot" | "vm-dies" | "slow-delete":
            keys = {"seconds": random.choice((0.0, 0.005, 0.02))}
        case "parse-fails":
            keys = {"code": random.choice((201, 202, 203, 7, 999))}
    return keys


def _status(random: Random) -> dict[str, Any]:
    keys: dict[str, Any] = {"status": random.choice(_STATUSES), "done": random.random() < 0.3}
    if keys["status"] == 102:
        return keys
    if random.random() < 0.5:
        return {**keys, "body": random.choice(("json", "text", "html", "empty")), "error": f"no {OWNED}\nat all=201"}
    return {**keys, "text": json.dumps(junk(random)), "content_type": random.choice(("application/json", "text/html"))}
