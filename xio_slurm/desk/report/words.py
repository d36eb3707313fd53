"""Numbers and times as the page writes them. Pure."""

import time
from typing import Final

_SMALL: Final = 100


def number(value: float) -> str:
    """Whole where it is large, with a tenth where it is small; thousands apart."""
    if value and abs(value) < 0.095:
        return "< 0.1" if abs(value) < 0.05 else "0.1"
    if value == int(value) or value >= _SMALL:
        return f"{value:,.0f}"
    return f"{value:,.1f}"


def seconds(value: float) -> str:
    """How long a boot took."""
    if value < 999.5:
        return f"{value:.3g} s"
    minutes = round(value / 60)
    return f"{minutes} min" if minutes < 600 else f"{minutes / 60:.3g} h"


def moment(when: float) -> str:
    """A time of the local clock."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(when))


def zone(when: float) -> str:
    """The local clock's zone at that time."""
    return time.strftime("UTC%z", time.localtime(when)).replace("UTC+0000", "UTC")


def amount(value: float) -> str:
    """Of money: to the cent, and more exact where it is less."""
    return f"{value:,.2f}" if value >= 0.01 or value == 0 else f"{value:.2g}"
