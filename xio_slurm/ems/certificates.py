"""Our side's certificates, looked at before anything is sent: are they there, do they fit, are they in date.

OpenSSL would find most of this out as well, in words that name neither the file nor what to do. Loaded only where the
EMS has an https URL.
"""

import os
import pwd
import stat
import warnings
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from xio_slurm.errors import CertificateError
from xio_slurm.manifest import Tls

SOON: Final = timedelta(days=30)
"""A certificate that expires sooner is warned of."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What of a certificate is judged. ``what`` is its word for messages; the times are aware ones."""

    file: str
    what: str
    not_before: datetime
    not_after: datetime


def read(tls: Tls) -> tuple[Certificate, ...]:
    """The certificates of these files. Raises CertificateError where one can't be used, whatever the date is."""
    found = []
    if tls.ca_file is not None:
        found.append(_authority(tls.ca_file))
    if tls.client_certificate is not None:
        found.append(_client(tls.client_certificate, tls.client_key or tls.client_certificate))
    return tuple(found)


def judge(certificates: tuple[Certificate, ...], now: datetime) -> tuple[str, ...]:
    """Warnings, a line each, about what expires soon. Raises CertificateError for what is out of date."""
    return tuple(warning for each in certificates if (warning := _warning(each, now)) is not None)


def key_warnings(tls: Tls) -> tuple[str, ...]:
    """A line where others can read or change the client's key. That SlurmUser's group may read it can be meant so."""
    if tls.client_certificate is None:
        return ()
    file = tls.client_key or tls.client_certificate
    try:
        mode = Path(file).stat().st_mode
    except OSError:
        return ()  # to read it says why
    done = "changed" if mode & (stat.S_IWGRP | stat.S_IWOTH) else "read" if mode & stat.S_IROTH else None
    if done is None:
        return ()
    user = _user() if os.geteuid() else "SlurmUser"
    return (f"{file}: the client's key in it can be {done} by others: chown {user} {file}; chmod 600 {file}",)


def _warning(certificate: Certificate, now: datetime) -> str | None:
    file, what = certificate.file, certificate.what
    if now < certificate.not_before:
        raise CertificateError(
            f"{file}: {what} is valid only from {certificate.not_before:%Y-%m-%d %H:%M} UTC on: "
            "check this machine's clock, or get another certificate"
        )
    ends = f"{certificate.not_after:%Y-%m-%d %H:%M} UTC"
    if now > certificate.not_after:
        raise CertificateError(f"{file}: {what} expired on {ends}: get a new one from the EMS")
    left = certificate.not_after - now
    if left >= SOON:
        return None
    days = "today" if left.days == 0 else f"in {left.days} day{'s' if left.days > 1 else ''}"
    return f"{file}: {what} expires {days}, on {ends}: get a new one from the EMS before"


def _authority(file: str) -> Certificate:
    what = "the CA's certificate"
    # A file may hold many authorities, old ones too: it is of use as long as one of them is.
    last = max(_certificates(file, what, "EmsCaFile"), key=lambda each: each.not_valid_after_utc)
    return Certificate(file, what, last.not_valid_before_utc, last.not_valid_after_utc)


def _client(file: str, key_file: str) -> Certificate:
    what = "the client's certificate"
    # The first is the client's own, as OpenSSL reads the file; its authorities may follow.
    own = _certificates(file, what, "EmsClientCertificate")[0]
    if _key(key_file).public_key() != own.public_key():
        raise CertificateError(
            f"{key_file}: the key isn't that of the certificate in {file}: use a certificate with its own key"
            if key_file != file
            else f"{file}: the key in it isn't that of its first certificate: use a certificate with its own key"
        )
    return Certificate(file, what, own.not_valid_before_utc, own.not_valid_after_utc)


def _certificates(file: str, what: str, setting: str) -> list[x509.Certificate]:
    text = _content(file, what, setting)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about old authorities that bent a rule when they were made
            return x509.load_pem_x509_certificates(text)
    except ValueError:
        raise CertificateError(f"{file}: holds no certificate in PEM form: put {what} there") from None


def _key(file: str) -> PrivateKeyTypes:
    text = _content(file, "the client's key", "EmsClientKey")
    if b"PRIVATE KEY-----" not in text:
        raise CertificateError(
            f"{file}: holds no private key in PEM form: add the client's key to it, or name its file in EmsClientKey"
        )
    try:
        return load_pem_private_key(text, password=None)
    except TypeError:  # so it is said that it has one
        raise CertificateError(
            f"{file}: the key has a password, which nobody could type when a node is resumed: "
            "write it without ('openssl pkey -in OLD -out NEW')"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise CertificateError(f"{file}: the private key in it can't be read: get it anew from the EMS") from None


def _content(file: str, what: str, setting: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except FileNotFoundError:
        raise CertificateError(f"{file}: there is no such file: put {what} there, or set {setting}") from None
    except PermissionError:
        raise CertificateError(f"{file}: user {_user()} may not read it: give {_user()} the right to") from None
    except OSError as error:
        raise CertificateError(f"{file}: {what} can't be read there: {error.strerror}: set {setting}") from None


def _user() -> str:
    with suppress(KeyError):
        return pwd.getpwuid(os.geteuid()).pw_name
    return str(os.geteuid())
