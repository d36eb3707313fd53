"""Where the EMS is, and where it launches instances."""

import re
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from xio_slurm.config.nodes import KeyPath
from xio_slurm.config.problems import Problems
from xio_slurm.config.section import Section
from xio_slurm.config.validate import show
from xio_slurm.naming import Product

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


def region_of(zone: str | None) -> str | None:
    """The region that a zone's name begins with; None for what names no region."""
    found = re.match(_REGION, zone, re.ASCII) if zone is not None else None
    return found[0] if found else None


def ems_url(section: Section, problems: Problems) -> str | None:
    """The EMS's base URL; None where only its stack is known: plan and apply look that up."""
    keys = section.keys
    address = _address(section, problems)
    if section.plugin.keys.ems_url is not None:
        return _checked_url(section.plugin.keys.ems_url, (*section.plugin.path, "EmsUrl"), problems)
    if address is not None:
        return url_of(address, section.product)
    place = (*section.path, "ManagementServerIp")
    if keys.management_server_stack_name is None:
        what = "is missing, and so are ManagementServerStackName and Plugin.EmsUrl: nothing says where the EMS is"
        problems.error(place, what, "add it, such as ManagementServerIp: 10.0.0.10")
    return None


def url_of(address: str, product: Product) -> str:
    """The base URL of the EMS at an address: XIO speaks HTTP on 5000, XWO HTTPS."""
    host = f"[{address}]" if ":" in address else address
    return f"https://{host}" if product == "xwo" else f"http://{host}:5000"


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
