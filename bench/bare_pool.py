"""The least that asks an EMS for many VMs at once: threads and http.client, with no ledger, no look and no deadline.

``python -I bare_pool.py create|delete URL TEMPLATE THREADS < NAMES``. What is refused with 429 is asked again at once.
"""

import base64
import http.client
import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit


class Pool:
    """A connection for each thread."""

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
        if not hasattr(self._own, "connection"):
            self._own.connection = http.client.HTTPConnection(self._address, timeout=30)
        status = 429
        while status == 429:
            self._own.connection.request(method, path, body)
            answer = self._own.connection.getresponse()
            answer.read()
            status = answer.status
        return int(status)


def main(action: str, url: str, template: str, threads: str) -> int:
    """Do it for each node on stdin. Exit code 1 if any was refused."""
    with open(template, encoding="utf-8") as file:  # noqa: PTH123  pathlib takes time to load
        pool = Pool(url, file.read())
    work = pool.create if action == "create" else pool.delete
    with ThreadPoolExecutor(max_workers=int(threads)) as executor:
        return int(any(status != 200 for status in executor.map(work, sys.stdin.read().split())))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
