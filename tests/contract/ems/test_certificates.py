"""Our own certificates are looked at before anything is sent: what is wrong is one line that names the file."""

import os
import pwd
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.contract.ems.conftest import NAME, NOW, Certificates, transport
from xio_slurm.deadline import Deadline
from xio_slurm.ems.certificates import Certificate, judge
from xio_slurm.ems.tls import certificate_warnings
from xio_slurm.emulator import Emulator
from xio_slurm.errors import CertificateError
from xio_slurm.manifest import Tls

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)


def authority(days: float) -> bytes:
    """A CA's certificate that ends so many days from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an old CA")])
    begin, end = NOW - timedelta(days=1000), NOW + timedelta(days=days)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), begin, end)
    signed = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return signed.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def locked_key(form: serialization.PrivateFormat) -> bytes:
    """A key that has a password."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.BestAvailableEncryption(b"secret"))


def parts(issued: trustme.LeafCert) -> tuple[bytes, bytes]:
    return issued.private_key_pem.bytes(), issued.cert_chain_pems[0].bytes()


def client(good: Certificates, *texts: bytes) -> Tls:
    """The client's file with this in it."""
    path = good.folder / "client.pem"
    path.write_bytes(b"".join(texts))
    return good.but(client_certificate=path)


Wrong = Callable[[Certificates], Tls]
_ENDED = f"{NOW - timedelta(days=2):%Y-%m-%d %H:%M} UTC"
_BEGINS = f"{NOW + timedelta(days=2):%Y-%m-%d %H:%M} UTC"
WRONG: dict[str, tuple[Wrong, str]] = {
    "a CA that isn't there": (
        lambda good: good.but(ca_file=good.folder / "none.crt"),
        "{folder}/none.crt: there is no such file: put the CA's certificate there, or set EmsCaFile",
    ),
    "a client that isn't there": (
        lambda good: good.but(client_certificate=good.folder / "none.pem"),
        "{folder}/none.pem: there is no such file: put the client's certificate there, or set EmsClientCertificate",
    ),
    "a key that isn't there": (
        lambda good: good.but(client_key=good.folder / "none.key"),
        "{folder}/none.key: there is no such file: put the client's key there, or set EmsClientKey",
    ),
    "a folder": (
        lambda good: good.but(ca_file=good.folder),
        "{folder}: the CA's certificate can't be read there: Is a directory: set EmsCaFile",
    ),
    "a CA's file with nothing in it": (
        lambda good: good.but(ca_file=os.devnull),
        "/dev/null: holds no certificate in PEM form: put the CA's certificate there",
    ),
    "a client's file without a certificate": (
        lambda good: client(good, parts(good.authority.issue_cert("c"))[0]),
        "{folder}/client.pem: holds no certificate in PEM form: put the client's certificate there",
    ),
    "a certificate that was cut off": (
        lambda good: client(good, (good.folder / "ExostellarClient.pem").read_bytes()[:-300]),
        "{folder}/client.pem: holds no certificate in PEM form: put the client's certificate there",
    ),
    "a client's file without a key": (
        lambda good: client(good, parts(good.authority.issue_cert("c"))[1]),
        "{folder}/client.pem: holds no private key in PEM form: "
        "add the client's key to it, or name its file in EmsClientKey",
    ),
    "a key that is none": (
        lambda good: client(
            good,
            parts(good.authority.issue_cert("c"))[1],
            b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        ),
        "{folder}/client.pem: the private key in it can't be read: get it anew from the EMS",
    ),
    "another's key in the file": (
        lambda good: client(
            good, parts(good.authority.issue_cert("c"))[1], parts(good.authority.issue_cert("other"))[0]
        ),
        "{folder}/client.pem: the key in it isn't that of its first certificate: use a certificate with its own key",
    ),
    "another's key": (
        lambda good: good.but(client_key=good.issue("other.pem", "other")),
        "{folder}/other.pem: the key isn't that of the certificate in {folder}/ExostellarClient.pem: "
        "use a certificate with its own key",
    ),
    "a key with a password": (
        lambda good: client(
            good, parts(good.authority.issue_cert("c"))[1], locked_key(serialization.PrivateFormat.PKCS8)
        ),
        "{folder}/client.pem: the key has a password, which nobody could type when a node is resumed: "
        "write it without ('openssl pkey -in OLD -out NEW')",
    ),
    "a key with a password, in the old form": (
        lambda good: client(
            good, parts(good.authority.issue_cert("c"))[1], locked_key(serialization.PrivateFormat.TraditionalOpenSSL)
        ),
        "{folder}/client.pem: the key has a password, which nobody could type when a node is resumed: "
        "write it without ('openssl pkey -in OLD -out NEW')",
    ),
    "an expired client": (
        lambda good: good.but(client_certificate=good.issue("old.pem", "old", -2)),
        f"{{folder}}/old.pem: the client's certificate expired on {_ENDED}: get a new one from the EMS",
    ),
    "a client of the future": (
        lambda good: good.but(client_certificate=good.issue("new.pem", "new", since=2)),
        f"{{folder}}/new.pem: the client's certificate is valid only from {_BEGINS} on: "
        "check this machine's clock, or get another certificate",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_certificate_that_can_not_be_used_is_told_and_nothing_is_sent(
    secure_ems: Emulator, certificates: Certificates, what: str
) -> None:
    wrong, told = WRONG[what]
    tls = wrong(certificates)
    with pytest.raises(CertificateError) as caught:
        transport(secure_ems.url, tls).request("POST", "/v1/xcompute/vm", Deadline.after(30), {})
    assert str(caught.value) == told.format(folder=certificates.folder)
    assert not caught.value.sent
    assert secure_ems.requests() == []
    with pytest.raises(CertificateError):
        certificate_warnings(tls, NOW)


def test_an_expired_ca_is_told(secure_ems: Emulator, certificates: Certificates) -> None:
    old = certificates.folder / "old.crt"
    old.write_bytes(authority(-2))
    with pytest.raises(CertificateError) as caught:
        transport(secure_ems.url, certificates.but(ca_file=old)).request("GET", "/x", Deadline.after(30))
    assert str(caught.value) == f"{old}: the CA's certificate expired on {_ENDED}: get a new one from the EMS"
    assert secure_ems.requests() == []


def test_an_expired_ca_beside_a_good_one_is_no_matter(secure_ems: Emulator, certificates: Certificates) -> None:
    both = certificates.folder / "both.crt"
    both.write_bytes(authority(-2) + (certificates.folder / "ExostellarRootCA.crt").read_bytes())
    tls = certificates.but(ca_file=both)
    assert transport(secure_ems.url, tls).request("GET", "/v1/xcompute/vms", Deadline.after(30)).status == 200
    assert certificate_warnings(tls, NOW) == ()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be another user")
def test_a_file_that_may_not_be_read_is_told_with_the_user(certificates: Certificates) -> None:
    key = certificates.folder / "ExostellarClient.pem"
    key.chmod(0o600)
    os.seteuid(65534)
    try:
        with pytest.raises(CertificateError) as caught:
            certificate_warnings(certificates.but(ca_file=None), NOW)
    finally:
        os.seteuid(0)
    assert str(caught.value) == f"{key}: user nobody may not read it: give nobody the right to"


@pytest.mark.parametrize(
    ("left", "told"),
    [
        (timedelta(days=30), None),
        (timedelta(days=29, hours=23), "expires in 29 days, on 2027-03-31 11:00 UTC"),
        (timedelta(days=1, hours=2), "expires in 1 day, on 2027-03-02 14:00 UTC"),
        (timedelta(hours=3), "expires today, on 2027-03-01 15:00 UTC"),
        (timedelta(0), "expires today, on 2027-03-01 12:00 UTC"),
    ],
)
def test_what_expires_within_thirty_days_is_warned_of(left: timedelta, told: str | None) -> None:
    certificate = Certificate("/c.pem", "the client's certificate", NOON - timedelta(days=1), NOON + left)
    line = f"/c.pem: the client's certificate {told}: get a new one from the EMS before"
    assert judge((certificate,), NOON) == (() if told is None else (line,))


def test_of_the_ca_and_the_client_each_is_warned_of(tmp_path: Path) -> None:
    certificates = Certificates.make(tmp_path / "tls", client_days=10)
    ca = certificates.folder / "soon.crt"
    ca.write_bytes(authority(20))
    first, second = certificate_warnings(certificates.but(ca_file=ca), NOW)
    assert first.startswith(f"{ca}: the CA's certificate expires in ")
    assert second.startswith(f"{certificates.folder}/ExostellarClient.pem: the client's certificate expires in ")


def test_a_request_is_made_with_a_certificate_that_expires_soon(tmp_path: Path) -> None:
    certificates = Certificates.make(tmp_path / "tls", client_days=10)
    with Emulator(tls=certificates.folder) as emulator:
        through = transport(emulator.url, certificates.tls)
        assert len(through.certificate_warnings) == 1
        assert through.request("GET", "/v1/xcompute/vms", Deadline.after(30)).status == 200


def test_a_certificate_that_is_replaced_is_taken_by_the_next_request(
    secure_ems: Emulator, certificates: Certificates
) -> None:
    client = certificates.folder / "ExostellarClient.pem"
    away = client.rename(certificates.folder / "away.pem")
    through = transport(secure_ems.url, certificates.tls)
    with pytest.raises(CertificateError):
        through.request("GET", "/v1/xcompute/vms", Deadline.after(30))
    assert secure_ems.requests() == []
    away.rename(client)
    assert through.request("GET", "/v1/xcompute/vms", Deadline.after(30)).status == 200


@pytest.mark.parametrize(
    ("mode", "done"), [(0o600, None), (0o640, None), (0o644, "read"), (0o620, "changed"), (0o606, "changed")]
)
@pytest.mark.parametrize("apart", [False, True])
def test_a_key_that_others_can_have_is_warned_of(
    certificates: Certificates, mode: int, done: str | None, *, apart: bool
) -> None:
    tls, key = certificates.tls, certificates.folder / "ExostellarClient.pem"
    if apart:
        other = certificates.folder / "public.pem"
        other.write_bytes(key.read_bytes())
        other.chmod(0o666)
        tls = certificates.but(client_key=key, client_certificate=other)
    key.chmod(mode)
    user = "SlurmUser" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    line = f"{key}: the client's key in it can be {done} by others: chown {user} {key}; chmod 600 {key}"
    assert certificate_warnings(tls, NOW) == (() if done is None else (line,))


def test_the_systems_authorities_and_no_client_need_no_look() -> None:
    assert certificate_warnings(Tls(None, None, None, NAME), NOW) == ()
