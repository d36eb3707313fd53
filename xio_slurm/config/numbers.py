"""What to write where a key wants a number, in the key's own unit: an example that fits another key does harm."""

import re
from decimal import Decimal
from typing import Final

_MIB: Final = "MiB in digits, such as 30000"
_GB: Final = "GB in digits, such as 20"
_RATE: Final = "nodes a minute in digits, such as 100"

NUMBERS: Final = {
    "MaxMemory": _MIB,
    "MinMemory": _MIB,
    "InstanceMemory": _MIB,
    "VolumeSize": _GB,
    "DefaultVolumeSize": _GB,
    "CPUs": "digits, such as 4",
    "PoolSize": "digits, such as 10",
    "MaxControllers": "digits, such as 10",
    "Weight": "digits, such as 100",
    "MaxConcurrentRequests": "digits, such as 32",
    "ConnectTimeout": "seconds in digits, such as 5",
    "ReadTimeout": "seconds in digits, such as 30",
    "ResumeTimeout": "seconds in digits, such as 600",
    "SuspendTimeout": "seconds in digits, such as 120",
    "SuspendTime": "seconds in digits, such as 350",
    "RetrySeconds": "seconds in digits, such as 60",
    "BootTimeout": "seconds in digits, such as 300",
    "PoolBootTimeouts": "seconds in digits, such as 300",
    "CloseSeconds": "seconds in digits, such as 60",
    "LongestCloseSeconds": "seconds in digits, such as 900",
    "BootFailures": "digits, such as 10",
    "FailedStarts": "digits, such as 5",
    "OrphanGrace": "seconds in digits, such as 90",
    "SyncInterval": "seconds in digits, such as 15",
    "MostDeletes": "digits, such as 50",
    "VmHourPrices": "a price in digits, such as 0.085",
    "ResumeRate": _RATE,
    "SuspendRate": _RATE,
}
"""For every key that takes a number."""

_BASED: Final = re.compile(r"0(?:[xX][0-9a-fA-F]{1,16}|b[01]{1,60}|o[0-7]{1,20})", re.ASCII)
_GROUPED: Final = re.compile(r"[1-9][0-9]*(?:_[0-9]+)+", re.ASCII)
_OCTAL: Final = re.compile(r"0+[0-7]+", re.ASCII)
_DECIMAL: Final = re.compile(r"[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]{1,2})?|[0-9]+\.(?:[eE][-+]?[0-9]{1,2})?", re.ASCII)
_MAX_DIGITS: Final = 18


def number_remedy(key: str, text: str, *, whole: bool) -> str:
    """What to write for a number that is spelled ``text``: the same number plainly if there is no doubt about it."""
    if _OCTAL.fullmatch(text) and int(text):
        octal, decimal = int(text, 8), int(text)
        return f"write {decimal}" + (f", or {octal} if it is meant in base 8" if octal != decimal else "")
    value = _value(text)
    if value is None or (whole and value != value.to_integral_value()):
        return f"write {NUMBERS.get(key, 'digits')}"
    plain = f"{value:f}"
    return f"write {plain.rstrip('0').rstrip('.') if '.' in plain else plain}"


def _value(text: str) -> Decimal | None:
    """The number, where every reader would agree about it."""
    if len(text) > _MAX_DIGITS:
        return None
    if _BASED.fullmatch(text):
        return Decimal(int(text, 0))
    if _GROUPED.fullmatch(text):
        return Decimal(text.replace("_", ""))
    if not _DECIMAL.fullmatch(text):
        return None
    value = Decimal(text)
    return value if -_MAX_DIGITS < value.adjusted() < _MAX_DIGITS else None
