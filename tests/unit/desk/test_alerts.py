"""The alert rules load and fire when they should, and the dashboard asks for what there is."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from tests.unit.desk.test_metrics import PROMTOOL, everything

ETC: Final = Path(__file__).resolve().parents[3] / "etc"
RULES: Final = ETC / "prometheus" / "xio.rules.yml"
DASHBOARD: Final = json.loads((ETC / "grafana" / "xio.json").read_text())
SUFFIXES: Final = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
SERIES: Final = {f"{family.name}{suffix}" for family in everything() for suffix in SUFFIXES[family.kind]}

CASES: Final[dict[str, tuple[dict[str, str], dict[str, str]]]] = {
    "XioSyncNotAlive": ({"xio_sync_alive": "0x60"}, {}),
    "XioMetricsOld": ({"xio_looked_timestamp_seconds": "0x60"}, {}),
    "XioEmsUnreachable": ({"xio_ems_up": "0x60"}, {}),
    "XioSlurmUnreachable": ({"xio_slurm_up": "0x60"}, {}),
    "XioPoolClosedLong": (
        {
            "xio_ems_up": "1x60",
            'xio_pool_gate{pool="a",gate="closed"}': "1x60",
            'xio_pool_gate{pool="b",gate="closed"}': "0x60",
        },
        {"pool": "a", "gate": "closed"},
    ),
    "XioRejected": ({'xio_refused_total{pool="a",code="rejected"}': "0x40 1x20"}, {"pool": "a", "code": "rejected"}),
    "XioBootsFailing": ({'xio_boot_failures_total{pool="a"}': "0x40 2 4 6 8x20"}, {"pool": "a"}),
    "XioBootingLong": (
        {'xio_oldest_boot_seconds{pool="a"}': "700x60", 'xio_boot_timeout_seconds{pool="a"}': "540x60"},
        {"pool": "a"},
    ),
    "XioOrphans": ({'xio_orphans{pool="a"}': "2x60", 'xio_orphans{pool="b"}': "0x60"}, {"pool": "a"}),
    "XioForeignVms": ({'xio_foreign_vms{pool="a"}': "1x60"}, {"pool": "a"}),
    "XioJobsHeld": ({"xio_held_jobs_total": "0x40 2x20"}, {}),
}
WELL: Final = {
    "xio_sync_alive": "1x60",
    "xio_looked_timestamp_seconds": "0+60x60",
    "xio_ems_up": "1x60",
    "xio_slurm_up": "1x60",
    'xio_pool_gate{pool="a",gate="closed"}': "0x60",
    'xio_refused_total{pool="a",code="rejected"}': "7x60",
    'xio_refused_total{pool="a",code="capacity"}': "0+1x60",
    'xio_boot_failures_total{pool="a"}': "5x60",
    'xio_oldest_boot_seconds{pool="a"}': "30x60",
    'xio_boot_timeout_seconds{pool="a"}': "540x60",
    'xio_orphans{pool="a"}': "3x5 0x5 1x5 0x45",
    'xio_foreign_vms{pool="a"}': "0x60",
    "xio_held_jobs_total": "4x60",
}
"""Sixty minutes of a cluster that nobody need be woken for."""


def rules() -> Iterator[dict[str, Any]]:
    for group in yaml.safe_load(RULES.read_text())["groups"]:
        yield from group["rules"]


def promtool(*arguments: str) -> None:
    done = subprocess.run([PROMTOOL, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def fires(tmp_path: Path, alert: str, series: dict[str, str], alerts: list[dict[str, str]]) -> None:
    """Have promtool play sixty minutes, and say what fires in the end."""
    severity = next(rule["labels"]["severity"] for rule in rules() if rule["alert"] == alert)
    # promtool compares annotations, too: they are rendered in a test of their own.
    bare = {"groups": [{"name": "xio", "rules": [{**rule, "annotations": {}} for rule in rules()]}]}
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(bare))
    expected = [{"exp_labels": {"severity": severity, **labels}} for labels in alerts]
    test = {
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "interval": "1m",
        "alert_rule_test": [{"eval_time": "59m", "alertname": alert, "exp_alerts": expected}],
    }
    document = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [test]}
    (tmp_path / "test.yml").write_text(yaml.safe_dump(document))
    promtool("test", "rules", str(tmp_path / "test.yml"))


def test_promtool_accepts_the_rules() -> None:
    promtool("check", "rules", str(RULES))


def test_every_alert_has_a_case() -> None:
    assert [rule["alert"] for rule in rules()] == list(CASES)


@pytest.mark.parametrize("alert", CASES)
def test_it_fires(tmp_path: Path, alert: str) -> None:
    series, labels = CASES[alert]
    fires(tmp_path, alert, series, [labels])


@pytest.mark.parametrize("alert", CASES)
def test_it_lets_a_cluster_be_that_is_well(tmp_path: Path, alert: str) -> None:
    fires(tmp_path, alert, WELL, [])


def test_no_series_at_all_is_a_service_that_is_gone(tmp_path: Path) -> None:
    fires(tmp_path, "XioSyncNotAlive", {}, [{}])


def test_pools_that_are_closed_with_the_ems_are_told_once(tmp_path: Path) -> None:
    series = {"xio_ems_up": "0x60", 'xio_pool_gate{pool="a",gate="closed"}': "1x60"}
    fires(tmp_path, "XioPoolClosedLong", series, [])


def queries() -> list[str]:
    """The dashboard's, with its variables filled in."""
    found = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    return [expr.replace("$__rate_interval", "5m").replace("$pool", ".*") for expr in found]


@pytest.mark.parametrize("expr", [*queries(), *(rule["expr"] for rule in rules())])
def test_they_ask_for_metrics_that_there_are(expr: str) -> None:
    assert {*re.findall(r"\bxio_\w+", expr)} <= SERIES
    assert "xio_" in expr


def test_the_dashboards_queries_can_be_understood(tmp_path: Path) -> None:
    records = [{"record": f"panel:{number}", "expr": expr} for number, expr in enumerate(queries())]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": records}]}))
    promtool("check", "rules", str(tmp_path / "rules.yml"))


def test_the_dashboard_is_one() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken
        assert at["x"] + at["w"] <= 24
        taken |= cells
        assert {target["datasource"]["uid"] for target in panel["targets"]} == {"${datasource}"}
    assert {each["name"] for each in DASHBOARD["templating"]["list"]} == {"datasource", "pool"}


def lost(ours: Any, theirs: Any, path: str = "dashboard") -> Iterator[str]:
    """What isn't in the second as in the first, but for what that says besides."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key, value in ours.items():
            yield from lost(value, theirs.get(key), f"{path}.{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for number, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from lost(mine, other, f"{path}[{number}]")
    elif ours != theirs:
        yield f"{path}: {ours} is {theirs}"


def test_grafanas_own_model_takes_all_of_the_dashboard() -> None:
    register_default_plugins()
    taken = json.loads(JSONEncoder().encode(Dashboard.from_json(DASHBOARD)))
    assert list(lost(DASHBOARD, taken)) == []
    misspelt = {**DASHBOARD, "panels": [{**DASHBOARD["panels"][0], "gridPosition": {}}]}
    assert list(lost(misspelt, json.loads(JSONEncoder().encode(Dashboard.from_json(misspelt))))) != []
