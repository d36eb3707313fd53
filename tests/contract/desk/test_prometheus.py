"""A real Prometheus scrapes ``xio sync``, loads the rules, and fires an alert."""

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import requests
import yaml

from tests.contract.desk.test_metrics import served
from tests.contract.sync.conftest import HeadNode
from tests.slurm.waiting import wait_for

__all__ = ["served"]

RULES: Final = Path(__file__).resolve().parents[3] / "etc" / "prometheus" / "xio.rules.yml"


@pytest.fixture
def prometheus(tmp_path: Path, served: str) -> Iterator[str]:
    """The API of a Prometheus that scrapes that ``xio sync``."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    target = served.removeprefix("http://").removesuffix("/metrics")
    scrape = {"job_name": "xio", "scrape_interval": "200ms", "static_configs": [{"targets": [target]}]}
    document = {
        "global": {"evaluation_interval": "200ms", "scrape_timeout": "200ms"},
        "rule_files": [str(RULES)],
        "scrape_configs": [scrape | {"scrape_timeout": "200ms"}],
    }
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(document))
    command = [
        "/usr/bin/prometheus",
        f"--config.file={tmp_path}/prometheus.yml",
        f"--storage.tsdb.path={tmp_path}/tsdb",
        f"--web.listen-address={address}",
    ]
    with (tmp_path / "prometheus.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=tmp_path)
    try:
        wait_for(lambda: answers(address), 30)
        yield f"http://{address}/api/v1"
    finally:
        process.terminate()
        process.wait(timeout=30)


def answers(address: str) -> bool:
    try:
        return requests.get(f"http://{address}/-/ready", timeout=2).status_code == 200
    except requests.RequestException:
        return False


def asked(api: str, what: str, **parameters: str) -> Any:
    return requests.get(f"{api}/{what}", params=parameters, timeout=10).json()["data"]


def value(api: str, query: str) -> float | None:
    found = asked(api, "query", query=query)["result"]
    return float(found[0]["value"][1]) if found else None


def test_it_scrapes_loads_the_rules_and_fires(head: HeadNode, prometheus: str) -> None:
    wait_for(lambda: value(prometheus, "xio_ems_up") == 1, 20)
    assert value(prometheus, 'up{job="xio"}') == 1
    kinds = {name: each[0]["type"] for name, each in asked(prometheus, "metadata").items()}
    assert (kinds["xio_nodes"], kinds["xio_boot_seconds"]) == ("gauge", "histogram")
    assert kinds["xio_asked"] == "counter"
    rules = [rule for group in asked(prometheus, "rules")["groups"] for rule in group["rules"]]
    assert {rule["health"] for rule in rules} <= {"ok", "unknown"}
    assert len(rules) == len(yaml.safe_load(RULES.read_text())["groups"][0]["rules"])

    head.slurm.fail()
    wait_for(lambda: value(prometheus, 'ALERTS{alertname="XioSlurmUnreachable",alertstate="pending"}') == 1, 20)
