"""TLS with an EMS: it works as the Workload Optimizer has it, and whatever is wrong is one line and sends nothing."""

import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import trustme
from msgspec import structs

from tests.contract.ems.conftest import NAME, Certificates, Listen, Listener, transport
from xio_slurm.deadline import Deadline
from xio_slurm.ems.transport import Answer, Transport
from xio_slurm.emulator import Emulator
from xio_slurm.errors import EmsUnreachable
from xio_slurm.manifest import Tls

NO_VMS = Answer(200, b'{"Vms": []}')
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


def ask(through: Transport) -> Answer:
    """The EMS's answer, whenever it is given."""
    return structs.replace(through.request("GET", "/v1/xcompute/vms", Deadline.after(30)), date=None)


def failure(through: Transport) -> str:
    """What is said of a request that fails, and was never sent."""
    with pytest.raises(EmsUnreachable) as caught:
        through.request("POST", "/v1/xcompute/vm", Deadline.after(30), {})
    assert not caught.value.sent
    line = str(caught.value)
    assert "\n" not in line
    return line


def test_both_sides_are_verified_by_the_name_though_the_address_is_another(
    secure_ems: Emulator, certificates: Certificates
) -> None:
    assert secure_ems.url.startswith("https://127.0.0.1:")
    assert ask(transport(secure_ems.url, certificates.tls)) == NO_VMS


def test_the_server_is_greeted_by_its_name(certificates: Certificates, listen: Listen) -> None:
    greeted = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.folder / "ExostellarHeadNode.pem")
    context.sni_callback = lambda _socket, name, _context: greeted.append(name)

    def answer(connection: socket.socket) -> bytes:
        with context.wrap_socket(connection, server_side=True) as secured:
            head = secured.recv(65536)
            listener.heads.append(head)
            secured.sendall(OK)
        return b""

    listener = listen(answer)
    assert ask(transport(f"https://{listener.url}", certificates.tls)) == Answer(200, b"{}")
    assert greeted == [NAME]
    assert f"\r\nHost: {NAME}:{listener.url.partition(':')[2]}\r\n".encode() in listener.heads[0]


def test_key_and_certificate_may_be_in_two_files(
    secure_ems: Emulator, certificates: Certificates, tmp_path: Path
) -> None:
    issued = certificates.authority.issue_cert("client")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    issued.private_key_pem.write_to_path(str(key))
    issued.cert_chain_pems[0].write_to_path(str(certificate))
    assert ask(transport(secure_ems.url, certificates.but(client_certificate=certificate, client_key=key))) == NO_VMS


Wrong = Callable[[Certificates, Path], Tls]
CLIENTS: dict[str, tuple[Wrong, str]] = {
    "no certificate": (
        lambda good, _: good.but(client_certificate=None),
        "it demands a certificate of its clients (certificate required): name one in EmsClientCertificate",
    ),
    "a certificate of another CA": (
        lambda good, other: good.but(client_certificate=Certificates.make(other).folder / "ExostellarClient.pem"),
        "it doesn't take the certificate in {other}/ExostellarClient.pem (unknown ca): "
        "get one that this EMS's CA has signed",
    ),
    "another CA": (
        lambda good, other: good.but(ca_file=Certificates.make(other).folder / "ExostellarRootCA.crt"),
        "its certificate is from no CA of {other}/ExostellarRootCA.crt: "
        "set EmsCaFile to the certificate of the EMS's CA",
    ),
    "the system's CAs": (
        lambda good, _: good.but(ca_file=None),
        "its certificate is from no CA of this machine's list: set EmsCaFile to the certificate of the EMS's CA",
    ),
    "another name": (
        lambda good, _: good.but(server_name="ems.example"),
        "its certificate isn't for ems.example: set EmsServerName to the name that it bears",
    ),
    "its address": (
        lambda good, _: good.but(server_name=None),
        "its certificate isn't for 127.0.0.1: set EmsServerName to the name that it bears",
    ),
}


@pytest.mark.parametrize("what", CLIENTS)
def test_a_wrong_client_is_told_in_its_own_line_and_sends_nothing(
    secure_ems: Emulator, certificates: Certificates, tmp_path: Path, what: str
) -> None:
    wrong, told = CLIENTS[what]
    other = tmp_path / "other"
    line = failure(transport(secure_ems.url, wrong(certificates, other)))
    assert line == f"the EMS at {secure_ems.url}: {told.format(other=other)}"
    assert secure_ems.requests() == []


SERVERS = {
    "expired": (
        {"server_days": -1.0},
        "its certificate has expired, or its CA's: have it renewed on the EMS",
    ),
    "of another name": (
        {"name": "ems.example"},
        "its certificate isn't for ExostellarHeadNode: set EmsServerName to the name that it bears",
    ),
}


@pytest.mark.parametrize("what", SERVERS)
def test_a_wrong_server_is_told_in_its_own_line_and_gets_nothing(tmp_path: Path, what: str) -> None:
    made, told = SERVERS[what]
    certificates = Certificates.make(tmp_path / "tls", **made)  # type: ignore[arg-type]  # fields of two types
    with Emulator(tls=certificates.folder) as emulator:
        assert failure(transport(emulator.url, certificates.tls)) == f"the EMS at {emulator.url}: {told}"
        assert emulator.requests() == []


def test_a_server_whose_time_has_not_come_is_told(tmp_path: Path) -> None:
    certificates = Certificates.make(tmp_path / "tls")
    certificates.issue("ExostellarHeadNode.pem", NAME, since=1)
    with Emulator(tls=certificates.folder) as emulator:
        line = failure(transport(emulator.url, certificates.tls))
    assert line.endswith(": its certificate isn't valid yet: compare this machine's clock with the EMS's")


def test_a_client_that_the_server_takes_for_expired_is_told(certificates: Certificates, tmp_path: Path) -> None:
    # Our own look finds it good: the server's clock is ahead, as it were. OpenSSL lets one verify at another time
    # by no means of Python's, so the alert comes by hand.
    told = "it says that the certificate in {client} has expired: get a new one, or set its clock"
    from xio_slurm.ems.tls_refusals import turned_away  # noqa: PLC0415

    error = ssl.SSLError(1, "alert")
    error.reason = "SSLV3_ALERT_CERTIFICATE_EXPIRED"
    assert turned_away([error], certificates.tls) == told.format(client=certificates.tls.client_certificate)


def test_http_behind_an_https_url_is_told(ems_emulator: Emulator, certificates: Certificates) -> None:
    url = ems_emulator.url.replace("http:", "https:")
    told = "it speaks no TLS on this port: write http:// in EmsUrl, or the port of https"
    assert failure(transport(url, certificates.tls)) == f"the EMS at {url}: {told}"
    assert ems_emulator.requests() == []


def test_https_behind_an_http_url_is_told(secure_ems: Emulator) -> None:
    url = secure_ems.url.replace("https:", "http:")
    told = "it speaks TLS on this port: write https:// in EmsUrl"
    assert failure(transport(url)) == f"the EMS at {url}: {told}"
    assert secure_ems.requests() == []


def test_an_alert_in_answer_to_http_is_told(listen: Listen) -> None:
    def alert(connection: socket.socket) -> bytes:
        head = connection.recv(65536)
        connection.sendall(b"\x15\x03\x01\x00\x02\x02\x16")
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):  # what is left unread would reset the connection
            pass
        return head

    line = failure(transport(f"http://{listen(alert).url}"))
    assert line.endswith("it speaks TLS on this port: write https:// in EmsUrl")


def test_a_handshake_that_ends_without_a_word_is_told(certificates: Certificates, listen: Listen) -> None:
    listener = listen(lambda connection: connection.recv(65536))
    told = "it ended the TLS handshake and said nothing: it may want a certificate, in EmsClientCertificate"
    assert failure(transport(f"https://{listener.url}", certificates.tls)).endswith(told)


def test_a_server_of_old_tls_alone_is_told(certificates: Certificates, listen: Listen) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.folder / "ExostellarHeadNode.pem")
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1

    def shake(connection: socket.socket) -> bytes:
        context.wrap_socket(connection, server_side=True)
        return b""

    line = failure(transport(f"https://{listen(shake).url}", certificates.tls))
    assert line.endswith(": it must offer TLS 1.2 or later")


def test_a_handshake_that_drips_is_given_up_in_time(certificates: Certificates, listen: Listen) -> None:
    def drip(connection: socket.socket) -> bytes:
        connection.sendall(b"\x16\x03\x03\x40\x00")  # a record of 16 KiB, and then a byte now and then
        for _ in range(60):
            connection.sendall(b"\x02")
            time.sleep(0.3)
        return b""

    started = time.monotonic()
    line = failure(transport(f"https://{listen(drip).url}", certificates.tls))
    assert time.monotonic() - started < 15
    assert line.endswith("can't be reached: no answer in time")


# Connections


def test_connections_are_kept_and_shared_by_threads(
    secure_ems: Emulator, certificates: Certificates, proxy: Listener
) -> None:
    through = transport(secure_ems.url, certificates.tls, f"http://{proxy.url}")
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: ask(through), range(60)))
    assert answers == [NO_VMS] * 60
    assert 1 <= len(proxy.heads) <= 2
    through.close()


def test_a_proxy_gets_no_more_than_the_address(
    secure_ems: Emulator, certificates: Certificates, proxy: Listener
) -> None:
    ask(transport(secure_ems.url, certificates.tls, f"http://{proxy.url}"))
    assert proxy.heads[0].startswith(f"CONNECT {secure_ems.url.removeprefix('https://')} HTTP/1.".encode())
    assert b"v1" not in proxy.heads[0]


def test_through_a_proxy_the_server_is_verified_all_the_same(
    secure_ems: Emulator, certificates: Certificates, proxy: Listener
) -> None:
    line = failure(transport(secure_ems.url, certificates.but(server_name="x"), f"http://{proxy.url}"))
    assert line.endswith("its certificate isn't for x: set EmsServerName to the name that it bears")
    assert secure_ems.requests() == []


def test_http_goes_through_a_proxy_that_is_configured(listen: Listen) -> None:
    def answer(connection: socket.socket) -> bytes:
        head = connection.recv(65536)
        listener.heads.append(head)
        connection.sendall(OK)
        return b""

    listener = listen(answer)
    assert ask(transport("http://ems.example:5000", proxy=f"http://{listener.url}")) == Answer(200, b"{}")
    assert listener.heads[0].startswith(b"GET http://ems.example:5000/v1/xcompute/vms HTTP/1.1\r\n")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_is_not_there_is_told(scheme: str, certificates: Certificates) -> None:
    line = failure(transport(f"{scheme}://127.0.0.1:2", certificates.tls, "http://u:secret@127.0.0.1:1"))
    assert line.endswith("can't be reached through the proxy http://127.0.0.1:1: Connection refused")


def test_a_proxy_that_refuses_is_told(certificates: Certificates, listen: Listen) -> None:
    def refuse(connection: socket.socket) -> bytes:
        head = connection.recv(65536)
        connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        return head

    listener = listen(refuse)
    line = failure(transport("https://127.0.0.1:2", certificates.tls, f"http://{listener.url}"))
    assert line.endswith(f"through the proxy http://{listener.url}: Tunnel connection failed: 403 Forbidden")


def test_a_proxy_that_hangs_up_is_told(certificates: Certificates, listen: Listen) -> None:
    listener = listen(lambda connection: connection.recv(65536))
    line = failure(transport("https://127.0.0.1:2", certificates.tls, f"http://{listener.url}"))
    told = "Remote end closed connection without response"
    assert line.endswith(f"can't be reached through the proxy http://{listener.url}: {told}")


def test_a_proxy_that_drips_is_given_up_in_time(certificates: Certificates, listen: Listen) -> None:
    def drip(connection: socket.socket) -> bytes:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        for _ in range(60):
            connection.sendall(b"X: y\r\n")
            time.sleep(0.3)
        return b""

    started = time.monotonic()
    line = failure(transport("https://127.0.0.1:2", certificates.tls, f"http://{listen(drip).url}"))
    assert time.monotonic() - started < 15
    assert line.endswith(": no answer in time")


def test_a_proxy_of_the_environment_is_not_used(
    secure_ems: Emulator, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert ask(transport(secure_ems.url, certificates.tls)) == NO_VMS


def test_authorities_of_the_environment_are_not_used(
    secure_ems: Emulator, certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.crt"
    trustme.CA().cert_pem.write_to_path(str(other))
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(certificates.tls.ca_file))
    failure(transport(secure_ems.url, certificates.but(ca_file=other)))


def test_without_tls_the_run_time_loads_nothing_of_it() -> None:
    code = (
        "import sys, xio_slurm.power.resume, xio_slurm.power.suspend\n"
        "from xio_slurm.ems.transport import Transport\n"
        "Transport('http://127.0.0.1:1', connect_timeout=1, read_timeout=1, max_connections=1)\n"
        "print([name for name in sys.modules if name.partition('.')[0] == 'cryptography'])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"
