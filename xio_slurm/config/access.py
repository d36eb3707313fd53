"""How the EMS is spoken to, and where the VMs' root password comes from."""

from typing import Final
from urllib.parse import urlsplit

from xio_slurm.config.problems import Problems
from xio_slurm.config.section import Section
from xio_slurm.manifest import RootPassword, Tls

XWO_TLS: Final = Tls(
    ca_file="/etc/ssl/certs/ExostellarRootCA.crt",
    client_certificate="/etc/ssl/certs/ExostellarClient.pem",
    client_key=None,
    server_name="ExostellarHeadNode",
)
"""Where the Workload Optimizer's users have its certificates, and the name that its EMS's certificate bears."""


def read_tls(section: Section, problems: Problems) -> Tls:
    """The certificates, with what the product implies. Whether they are there and good is seen when they are used."""
    keys = section.plugin.keys
    default = XWO_TLS if section.product == "xwo" else Tls(None, None, None, None)
    if keys.ems_client_key is not None and keys.ems_client_certificate is None:
        place = (*section.plugin.path, "EmsClientKey")
        problems.error(place, "stands without EmsClientCertificate", "add it, or take the key out")
    return Tls(
        ca_file=keys.ems_ca_file or default.ca_file,
        client_certificate=keys.ems_client_certificate or default.client_certificate,
        client_key=keys.ems_client_key,
        server_name=keys.ems_server_name or default.server_name,
    )


def read_proxy(section: Section, problems: Problems) -> str | None:
    """The proxy's URL. It is never quoted in a message: it could hold a password."""
    proxy = section.plugin.keys.ems_proxy
    if proxy is None:
        return None
    place = (*section.plugin.path, "EmsProxy")
    try:
        parts = urlsplit(proxy)
        usable = parts.scheme in ("http", "https") and parts.hostname is not None and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        problems.error(place, "is no http or https URL", "write http://<address>:<port>")
    elif parts.username is not None or parts.password is not None:
        problems.error(place, "holds a user or password, and every program of the cluster reads it", "take it out")
    return proxy


def read_root_password(section: Section, region: str | None, problems: Problems) -> RootPassword | None:
    """Where the root password comes from, if there is one: only from one place."""
    keys = section.plugin.keys
    given = {
        (*section.path, "VmRootPasswordSecret"): section.keys.vm_root_password_secret,
        (*section.plugin.path, "VmRootPasswordFile"): keys.vm_root_password_file,
        (*section.plugin.path, "VmRootPasswordCommand"): keys.vm_root_password_command,
    }
    places = [place for place, value in given.items() if value is not None]
    for place in places[1:]:
        problems.error(place, f"stands beside {places[0][-1]}: the password comes from one place", "keep one of them")
    command = keys.vm_root_password_command
    if command is not None and not command[0].startswith("/"):
        place = (*section.plugin.path, "VmRootPasswordCommand")
        problems.error(place, f"{command[0]!r} isn't an absolute path", "write the program's whole path")
    if not places:
        return None
    return RootPassword(
        secret=section.keys.vm_root_password_secret,
        region=region if section.keys.vm_root_password_secret is not None else None,
        file=keys.vm_root_password_file,
        command=tuple(command) if command is not None else None,
    )
