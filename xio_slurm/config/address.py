"""Where the EMS is, and where it launches instances."""

import re
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from xio_slurm.config.nodes import KeyPath
from xio_slurm.config.problems import Problems
from xio_slurm.config.section import Section
from xio_slurm.config.validate import show

_DIGITS_AND_DOTS: Final = re.compile(r"[0-9.]+")

_REGION: Final = r"[a-z]{2,4}(?:-[a-z]+)+-[0-9]+"
_ZONE: Final = re.compile(rf"{_REGION}(?:[a-z]|-[a-z]+-[0-9]+[a-z]|-wl[0-9]+-[a-z]+-wlz-[0-9]+)", re.ASCII)
"""A zone's name is its region's and a letter; Local Zones and Wavelength Zones have the place's name in between."""


def read_zone(section: Section, problems: Problems) -> str | None:
    """The availability zone. What only looks wrong is told as a warning: AWS may name new ones otherwise."""
    zone = section.keys.availability_zone
    if zone is not None and not _ZONE.fullmatch(zone):
        remedy = "add the zone's letter to the region" if re.fullmatch(_REGION, zone) else "write the zone's full name"
        what = f"{show(zone)} is no availability zone such as us-east-2b"
        problems.warning((*section.path, "AvailabilityZone"), what, remedy)
    return zone


def ems_url(section: Section, problems: Problems) -> str | None:
    """The EMS's base URL; None where only its stack is known, which is told."""
    keys = section.keys
    address = _address(section, problems)
    if section.plugin.keys.ems_url is not None:
        return _checked_url(section.plugin.keys.ems_url, (*section.plugin.path, "EmsUrl"), problems)
    if address is not None:
        host = f"[{address}]" if ":" in address else address
        return f"http://{host}:5000" if section.product == "xio" else f"https://{host}"
    place = (*section.path, "ManagementServerIp")
    if keys.management_server_stack_name is None:
        what = "is missing, and so are ManagementServerStackName and Plugin.EmsUrl: nothing says where the EMS is"
        problems.error(place, what, "add it, such as ManagementServerIp: 10.0.0.10")
    elif not problems.has_error(place) and not problems.has_error((*section.plugin.path, "EmsUrl")):
        what = "the EMS's address isn't known, since nothing looks the stack up yet: no VM can be made"
        remedy = "add ManagementServerIp, or EmsUrl under Plugin"
        problems.warning((*section.path, "ManagementServerStackName"), what, remedy)
    return None


def _address(section: Section, problems: Problems) -> str | None:
    address = section.keys.management_server_ip
    if address is None or _is_address(address):
        return address
    path = (*section.path, "ManagementServerIp")
    problems.error(path, f"{address!r} is no IP address", "write one such as 10.0.0.10")
    return None


def _is_address(text: str) -> bool:
    if ":" not in text and not _DIGITS_AND_DOTS.fullmatch(text):
        return True  # a host's name
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _checked_url(url: str, path: KeyPath, problems: Problems) -> str | None:
    """The URL without a slash at its end. It is never quoted in a message: it could hold a password."""
    example = "write http://<address>:5000 or https://<address>"
    try:
        parts = urlsplit(url)
        port_is_fine = parts.port != 0
    except ValueError:
        problems.error(path, "is no URL", example)
        return None
    if parts.username is not None or parts.password is not None:
        problems.error(path, "holds a user or password, and every program of the cluster reads it", "take it out")
    elif parts.scheme not in ("http", "https") or not parts.hostname or not port_is_fine:
        problems.error(path, "is no http or https URL", example)
    elif parts.query or parts.fragment:
        problems.error(path, "holds more than an address ('?' or '#')", example)
    else:
        return url.rstrip("/")
    return None
