"""Why a TLS connection with the EMS didn't come about, in words that say what to do."""

import re
import ssl
from collections.abc import Iterable
from typing import Final

from xio_slurm.manifest import Tls

_NOT_YET_VALID: Final = 9
_EXPIRED: Final = 10
_WRONG_NAME: Final = frozenset({62, 64})
_UNTRUSTED: Final = frozenset({2, 18, 19, 20, 21, 24, 26, 79})
"""Why OpenSSL doesn't take a certificate (X509_V_ERR_… in x509_vfy.h)."""

_NO_TLS: Final = frozenset({"WRONG_VERSION_NUMBER", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"})
"""What OpenSSL's releases say of an answer that is no TLS."""

_ALERT: Final = re.compile(r"(?:SSLV3|TLSV1|TLSV13)_ALERT_(?P<what>[A-Z_]+)")
_ABOUT_US: Final = frozenset(
    {
        "ACCESS_DENIED",
        "BAD_CERTIFICATE",
        "CERTIFICATE_EXPIRED",
        "CERTIFICATE_REQUIRED",
        "CERTIFICATE_REVOKED",
        "CERTIFICATE_UNKNOWN",
        "HANDSHAKE_FAILURE",
        "UNKNOWN_CA",
        "UNSUPPORTED_CERTIFICATE",
    }
)
"""Alerts with which a server turns a client away (RFC 8446, 6.2)."""


def turned_away(causes: Iterable[BaseException], tls: Tls) -> str | None:
    """What to do about a server that doesn't take us for a client; None if it is something else.

    In TLS 1.3 this comes when the request is on its way. The server hasn't read it: a client that isn't verified has
    not finished its handshake, and nothing that it sends is let through before.
    """
    alert = next((match["what"] for reason in _reasons(causes) if (match := _ALERT.match(reason))), None)
    if alert not in _ABOUT_US:
        return None
    if tls.client_certificate is None:
        return f"it demands a certificate of its clients ({_words(alert)}): name one in EmsClientCertificate"
    if alert == "CERTIFICATE_EXPIRED":
        return f"it says that the certificate in {tls.client_certificate} has expired: get a new one, or set its clock"
    return (
        f"it doesn't take the certificate in {tls.client_certificate} ({_words(alert)}): "
        "get one that this EMS's CA has signed"
    )


def no_handshake(causes: Iterable[BaseException], tls: Tls, name: str) -> str | None:
    """What to do where no TLS connection came about; None if it is not TLS that failed. ``name`` is the server's."""
    causes = tuple(causes)
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _unverified(cause, tls, name)
    reasons = _reasons(causes)
    if any(reason in _NO_TLS for reason in reasons):
        return "it speaks no TLS on this port: write http:// in EmsUrl, or the port of https"
    if reasons:
        return f"the TLS handshake failed: {_words(reasons[-1])}: it must offer TLS 1.2 or later"
    if any(isinstance(cause, ssl.SSLError | ConnectionResetError | BrokenPipeError) for cause in causes):
        return "it ended the TLS handshake and said nothing: it may want a certificate, in EmsClientCertificate"
    return None


def _unverified(error: ssl.SSLCertVerificationError, tls: Tls, name: str) -> str:
    if error.verify_code in _WRONG_NAME:
        return f"its certificate isn't for {name}: set EmsServerName to the name that it bears"
    if error.verify_code == _EXPIRED:
        return "its certificate has expired, or its CA's: have it renewed on the EMS"
    if error.verify_code == _NOT_YET_VALID:
        return "its certificate isn't valid yet: compare this machine's clock with the EMS's"
    if error.verify_code in _UNTRUSTED:
        ours = tls.ca_file or "this machine's list"
        return f"its certificate is from no CA of {ours}: set EmsCaFile to the certificate of the EMS's CA"
    return f"its certificate isn't good: {error.verify_message}"


def _reasons(causes: Iterable[BaseException]) -> list[str]:
    return [cause.reason for cause in causes if isinstance(cause, ssl.SSLError) and cause.reason]


def _words(reason: str) -> str:
    return reason.lower().replace("_", " ")
