"""What a TLS connection to the EMS is made with: whom we trust, and whom we are.

The EMS's certificate is always verified, its name too; there is no way to switch that off.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from xio_slurm.ems.certificates import judge, key_warnings, read
from xio_slurm.errors import CertificateError
from xio_slurm.manifest import Tls


@dataclass(frozen=True, slots=True)
class Trust:
    """What the connections are made with. ``warnings`` tells, a line each, what expires soon, or isn't ours alone."""

    context: ssl.SSLContext
    warnings: tuple[str, ...]


def certificate_warnings(tls: Tls, now: datetime) -> tuple[str, ...]:
    """A line for each of our certificates that expires within 30 days, and for a key of which others can have it.

    ``now`` is an aware time.

    Raises CertificateError, of one line, for one that can't be used.
    """
    return judge(read(tls), now) + key_warnings(tls)


def trust(tls: Tls, now: datetime) -> Trust:
    """What TLS needs, from files that were looked at first. Raises CertificateError like ``certificate_warnings``."""
    warnings = certificate_warnings(tls, now)
    # Not ssl.create_default_context: since Python 3.13 it demands of a CA what site-made ones often lack.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if tls.ca_file is None:
        context.load_default_certs()
    else:
        with _taken(tls.ca_file):
            context.load_verify_locations(tls.ca_file)
    if tls.client_certificate is not None:
        with _taken(tls.client_certificate):
            # OpenSSL would ask the terminal for a password, which may be anybody's or nobody's.
            context.load_cert_chain(tls.client_certificate, tls.client_key, password=lambda: "")
    return Trust(context, warnings)


@contextmanager
def _taken(file: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:  # ssl.SSLError is one
        reason = (getattr(error, "reason", None) or error.strerror or "no reason told").lower().replace("_", " ")
        raise CertificateError(f"{file}: OpenSSL doesn't take it ({reason}): get it anew from the EMS") from error
