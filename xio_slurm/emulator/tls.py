"""The emulator as the Workload Optimizer's EMS is reached: TLS, with a certificate on either side.

The files have the names that users of that product have them under, so a client is configured as for the real one.
"""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from xio_slurm.emulator.private_file import write_private
from xio_slurm.errors import EmulatorError

SERVER_NAME: Final = "ExostellarHeadNode"
"""The name in the server's certificate, whatever its address is."""

_PLAIN_HTTP: Final = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Length: 48\r\nConnection: close\r\n\r\n"
    b"Client sent an HTTP request to an HTTPS server.\n"
)


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """The certificates in a folder: the CA's, and certificate and key in one file for the client and the server."""

    ca: Path
    client: Path
    server: Path

    @classmethod
    def prepare(cls, folder: Path) -> Self:
        """Those of the folder; made if it has none. Raises EmulatorError, also where it has some of them only."""
        files = cls(
            ca=folder / "ExostellarRootCA.crt",
            client=folder / "ExostellarClient.pem",
            server=folder / f"{SERVER_NAME}.pem",
        )
        missing = [file.name for file in (files.ca, files.client, files.server) if not file.exists()]
        if len(missing) == 3:
            files.make()
        elif missing:
            raise EmulatorError(f"{folder}: has certificates, but no {missing[0]}: add it, or choose an empty folder")
        return files

    def make(self) -> None:
        """Write new ones; only their owner can read the keys."""
        import trustme  # noqa: PLC0415  # it loads cryptography, which few need

        authority = trustme.CA()
        try:
            self.ca.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            for file, name in ((self.client, "client.exostellar"), (self.server, SERVER_NAME)):
                write_private(file, authority.issue_cert(name).private_key_and_cert_chain_pem.bytes())
            authority.cert_pem.write_to_path(str(self.ca))
            self.ca.chmod(0o644)
        except OSError as error:
            raise EmulatorError(f"{error.filename}: the certificates can't be made there: {error.strerror}") from None

    def context(self) -> ssl.SSLContext:
        """What the server listens with: it demands a certificate of its clients. Raises EmulatorError."""
        context = _Context(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.verify_mode = ssl.CERT_REQUIRED
        for file, load in ((self.server, context.load_cert_chain), (self.ca, context.load_verify_locations)):
            try:
                load(file)
            except OSError as error:  # ssl.SSLError is one
                reason = getattr(error, "reason", None) or error.strerror
                raise EmulatorError(f"{file}: can't be used: {reason}") from None
        return context


class _Handshake(ssl.SSLObject):
    """A handshake that tells the client why it failed, as every server does but asyncio's: it drops the alert."""

    outgoing: ssl.MemoryBIO
    failed: ssl.SSLError | None = None

    def do_handshake(self) -> None:
        if self.failed is not None:  # told by now
            raise self.failed
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as error:
            if error.reason == "HTTP_REQUEST":  # as Go's servers answer it
                self.outgoing.write(_PLAIN_HTTP)
            self.failed = error
            # With this, asyncio sends what is to go out, and comes again when the client says something or hangs up.
            raise ssl.SSLWantReadError from error


class _Context(ssl.SSLContext):
    sslobject_class = _Handshake

    def wrap_bio(self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, *more: Any, **named: Any) -> ssl.SSLObject:
        wrapped = super().wrap_bio(incoming, outgoing, *more, **named)
        wrapped.outgoing = outgoing  # type: ignore[attr-defined]  # it is a _Handshake
        return wrapped
