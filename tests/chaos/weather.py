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
BAD_VMS: Final[tuple[dict[str, Any], ...]] = (
    {"effect": "never-boots", "probability": 0.02},
    {"effect": "script-fails", "probability": 0.02},
    {"effect": "slow-boot", "seconds": 15, "probability": 0.05},
    {"effect": "slow-delete", "seconds": 5, "probability": 0.05},
)
"""What becomes of some VMs."""


def wrong_answers(share: float) -> list[dict[str, Any]]:
    """The EMS's, of every kind, of which one or more hit so large a share (0 to 1) of all requests."""
    each = 1 - (1 - share) ** (1 / len(_KINDS))
    return [{**kind, "probability": each} for kind in _KINDS]


@dataclass(frozen=True, slots=True)
class Blow:
    """Something that happens once, so many seconds after the beginning. ``word`` is a method of Blows."""

    at: float
    word: str


_EVERY: Final = {
    "restart_ems": (45, 0.2, 0.9),
    "kill_sync": (25, 0.2, 0.9),
    "power_off": (15, 0.2, 0.9),
    "crash_slurmctld": (60, 0.2, 0.3),
    "restart_slurmctld": (60, 0.8, 0.95),
    "clock_ahead": (60, 0.1, 0.3),
    "clock_back": (60, 0.4, 0.6),
    "clock_right": (60, 0.7, 0.9),
}
"""About every so many seconds, and at which part of that time: slurmctld has some peace between its two."""


def blows(seconds: float, random: Random) -> tuple[Blow, ...]:
    """The blows of a run, in order. A long run has more of them: each comes about every so many seconds."""
    made = [
        Blow((turn + random.uniform(first, last)) * seconds / count, word)
        for word, (period, first, last) in _EVERY.items()
        for count in (max(1, round(seconds / period)),)
        for turn in range(count)
    ]
    made += [Blow(seconds * 0.3, "exhaust_pool"), Blow(seconds * 0.6, "refill_pool")]
    return tuple(sorted(made, key=lambda blow: blow.at))
