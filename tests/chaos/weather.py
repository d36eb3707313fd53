"""What goes wrong, and when: the EMS's wrong answers, and the blows that hit single parts of the cluster."""

from dataclasses import dataclass
from random import Random
from typing import Any, Final

_KINDS: Final[tuple[dict[str, Any], ...]] = (
    {"effect": "status", "status": 500},
    {"effect": "status", "status": 500, "done": True},
    {"effect": "status", "status": 502, "body": "html"},
    {"effect": "status", "status": 503},
    {"effect": "status", "status": 503, "body": "html"},
    {"effect": "status", "status": 429, "retry_after": 1},
    {"effect": "status", "status": 400},
    {"effect": "status", "status": 404},
    {"effect": "status", "status": 200, "text": "<html>Welcome</html>", "content_type": "text/html"},
    {"effect": "lost-request", "how": "reset"},
    {"effect": "lost-request", "how": "close"},
    {"effect": "lost-answer", "how": "reset"},
    {"effect": "lost-answer", "how": "close"},
    {"effect": "truncated-json"},
    {"effect": "truncated-body"},
    {"effect": "latency", "seconds": 2, "jitter": 4},
    {"effect": "latency", "seconds": 2, "jitter": 4, "when": "after"},
    {"effect": "slow-drip", "seconds": 4},
)
_VM_KINDS: Final[tuple[dict[str, Any], ...]] = (
    {"effect": "never-boots", "probability": 0.02},
    {"effect": "script-fails", "probability": 0.02},
    {"effect": "slow-boot", "seconds": 15, "probability": 0.05},
    {"effect": "slow-delete", "seconds": 5, "probability": 0.05},
)


def faults(share: float) -> list[dict[str, Any]]:
    """The EMS's faults, of which one or more hit so large a share (0 to 1) of all requests."""
    each = 1 - (1 - share) ** (1 / len(_KINDS))
    return [*({**kind, "probability": each} for kind in _KINDS), *_VM_KINDS]


@dataclass(frozen=True, slots=True)
class Blow:
    """Something that happens once, so many seconds after the beginning. ``word`` is a method of Chaos."""

    at: float
    word: str


def blows(seconds: float, random: Random) -> tuple[Blow, ...]:
    """The blows of a run, in order. A long run has more of them: each comes about every so many seconds."""
    every = {"restart_ems": 45, "restart_slurmctld": 60, "kill_sync": 25, "power_off": 15}
    made = []
    for word, period in every.items():
        count = max(1, round(seconds / period))
        made += [Blow((turn + random.uniform(0.2, 0.9)) * seconds / count, word) for turn in range(count)]
    made += [Blow(seconds * 0.3, "exhaust_pool"), Blow(seconds * 0.6, "refill_pool")]
    return tuple(sorted(made, key=lambda blow: blow.at))
