"""The least that asks an EMS for many VMs at once: threads and an HTTP client, with no ledger, no look, no deadline.

``python -I bare_pool.py http.client|requests create|delete URL TEMPLATE THREADS < NAMES``. What is refused with 429 is
asked again at once.
"""

import base64
import http.client
import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from urllib.parse import urlsplit


class Pool:
    """With http.client: a connection for each thread."""

    def __init__(self, url: str, template: str) -> None:
        self._address = urlsplit(url).netloc
        self._template = template
        self._own = threading.local()

    def create(self, node: str) -> int:
        """Ask for a VM; the status of the answer."""
        script = f"#!/bin/sh\nXIO_NODE={node}\n{self._template}"
        vm = {
            "CPUs": 1,
            "ImageName": "image",
            "MaxMemory": 7200,
            "VolumeSize": 10,
            "UserData": base64.b64encode(script.encode()).decode(),
        }
        document = {"NodeName": node, "PoolName": "p", "ProfileName": "amd", "VM": vm}
        return self._send("POST", "/v1/xcompute/vm", json.dumps(document).encode())

    def delete(self, node: str) -> int:
        """Delete a VM; the status of the answer."""
        return self._send("DELETE", f"/v1/xcompute/vm/{node}", None)

    def _send(self, method: str, path: str, body: bytes | None) -> int:
        while (status := self._answered(method, path, body)) == 429:
            pass
        return status

    def _answered(self, method: str, path: str, body: bytes | None) -> int:
        if not hasattr(self._own, "connection"):
            self._own.connection = http.client.HTTPConnection(self._address, timeout=30)
        self._own.connection.request(method, path, body)
        answer = self._own.connection.getresponse()
        answer.read()
        return int(answer.status)


class RequestsPool(Pool):
    """With requests: one session for all threads."""

    def __init__(self, url: str, template: str) -> None:
        import requests  # noqa: PLC0415  the other does without

        super().__init__(url, template)
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=64))

    def _answered(self, method: str, path: str, body: bytes | None) -> int:
        return self._session.request(method, self._url + path, data=body, timeout=30).status_code


_POOLS: Final = {"http.client": Pool, "requests": RequestsPool}


def main(client: str, action: str, url: str, template: str, threads: str) -> int:
    """Do it for each node on stdin. Exit code 1 if any was refused."""
    with open(template, encoding="utf-8") as file:  # noqa: PTH123  pathlib takes time to load
        pool = _POOLS[client](url, file.read())
    work = pool.create if action == "create" else pool.delete
    with ThreadPoolExecutor(max_workers=int(threads)) as executor:
        return int(any(status != 200 for status in executor.map(work, sys.stdin.read().split())))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
