"""AWS on localhost: moto's server, and what moto lacks."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import boto3
import pytest
import requests
from moto.server import ThreadedMotoServer

REGION = "us-east-2"

Answer = tuple[int, str]


class LoopbackAws:
    """An endpoint of AWS's. ``answers`` has a status and a body for each ``Action``; what it lacks, moto answers."""

    def __init__(self, moto_url: str) -> None:
        self.moto_url = moto_url
        self.answers: dict[str, Callable[[dict[str, list[str]]], Answer]] = {}
        self.asked: list[dict[str, list[str]]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def says(self, action: str, status: int, body: str) -> None:
        """Let an action be answered so, always."""
        self.answers[action] = lambda _parameters: (status, body)

    def refuses(self, action: str, code: str, message: str = "No.", status: int = 400) -> None:
        """Let an action be refused, as the EC2 API does."""
        self.says(
            action,
            status,
            f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
            "<RequestID>1</RequestID></Response>",
        )

    def of(self, action: str) -> list[dict[str, list[str]]]:
        """The parameters of the requests for an action."""
        return [parameters for parameters in self.asked if parameters["Action"] == [action]]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        aws = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                parameters = parse_qs(body.decode())
                aws.asked.append(parameters)
                answer = aws.answers.get(parameters.get("Action", [""])[0])
                if answer is not None:
                    status, text = answer(parameters)
                else:
                    headers = {name: self.headers[name] for name in ("Authorization", "Content-Type", "X-Amz-Date")}
                    moto = requests.post(aws.moto_url, data=body, headers=headers, timeout=30)
                    status, text = moto.status_code, moto.text
                content = text.encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_arguments: object) -> None:
                pass

        return Handler


@pytest.fixture(scope="session")
def moto_server() -> Iterator[str]:
    """moto's server, for the tests of this process; its URL."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    """Credentials of nobody, and nothing of this machine's own."""
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, f"{tmp_path}/none")
    boto3.DEFAULT_SESSION = None


@pytest.fixture
def moto_aws(moto_server: str, credentials: None, monkeypatch: pytest.MonkeyPatch) -> str:
    """An AWS with nothing in it; its URL."""
    requests.post(f"{moto_server}/moto-api/reset", timeout=30).raise_for_status()
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_server)
    return moto_server


@pytest.fixture
def loopback_aws(moto_aws: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackAws]:
    """An AWS whose single answers a test can choose."""
    aws = LoopbackAws(moto_aws)
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    yield aws
    aws.close()
