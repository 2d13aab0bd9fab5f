"""Alarms and dashboard name metrics that exist, and Prometheus' own tool accepts them; each alarm is shown firing."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry
from prometheus_client.process_collector import ProcessCollector

from tests.node.telemetry.test_metrics import documented

ROOT = Path(__file__).parent.parent
PROMETHEUS = ROOT / "deploy" / "prometheus"
PAGE = (ROOT / "docs" / "observability.md").read_text("utf-8")
RULES = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text("utf-8"))["groups"][0]["rules"]
CASES = yaml.safe_load((PROMETHEUS / "alerts.test.yml").read_text("utf-8"))["tests"]
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "dashboard.json").read_text("utf-8"))


def queries() -> Iterator[tuple[str, str]]:
    """Yield (title of the panel, query) of the dashboard, as Prometheus would be asked."""
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"].replace("$__rate_interval", "1m").replace("$node", ".*")


def metrics_of(query: str) -> set[str]:
    return set(re.findall(r"\b(?:coseal|process)_\w+", re.sub(r'"[^"]*"', "", query)))


def existing() -> set[str]:
    """Return the names of all series a node serves."""
    names = {"process_" + rest for rest in _process_metrics()}
    for name, (kind, _) in documented().items():
        names |= {f"{name}_{part}" for part in ("bucket", "sum", "count")} if kind == "histogram" else {name}
    return names


def _process_metrics() -> set[str]:
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    return {sample.name.removeprefix("process_") for family in registry.collect() for sample in family.samples}


def promtool(*words: str | Path, folder: Path = PROMETHEUS) -> subprocess.CompletedProcess[str]:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not there (apt-get install prometheus)")
    return subprocess.run([program, *words], cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_every_alarm_names_metrics_that_exist() -> None:
    for rule in RULES:
        assert metrics_of(rule["expr"]) <= existing(), rule["alert"]


def test_every_alarm_is_in_the_table_with_its_severity_and_the_other_way_round() -> None:
    rows = re.findall(r"^\| `(Coseal\w+)` \| (\w+) \| .+ \| .+ \|$", PAGE, re.MULTILINE)
    assert dict(rows) == {rule["alert"]: rule["labels"]["severity"] for rule in RULES}
    assert {severity for _, severity in rows} == {"critical", "warning"}


def test_every_alarm_is_shown_firing_and_shown_silent() -> None:
    checks = [check for case in CASES for check in case["alert_rule_test"]]
    firing = {check["alertname"] for check in checks if check.get("exp_alerts")}
    silent = {check["alertname"] for check in checks if not check.get("exp_alerts")}
    assert firing == silent == {rule["alert"] for rule in RULES}


@pytest.mark.slow
def test_the_alarms_do_what_their_examples_say() -> None:
    tested = promtool("test", "rules", "alerts.test.yml")
    assert tested.returncode == 0, tested.stdout + tested.stderr


@pytest.mark.slow
def test_the_examples_notice_an_alarm_that_is_wrong(tmp_path: Path) -> None:
    shutil.copy(PROMETHEUS / "alerts.test.yml", tmp_path)
    text = (PROMETHEUS / "alerts.yml").read_text("utf-8")
    (tmp_path / "alerts.yml").write_text(text.replace("coseal_healthy == 0", "coseal_healthy == 1"))
    assert promtool("test", "rules", "alerts.test.yml", folder=tmp_path).returncode == 1


def test_prometheus_accepts_the_configuration() -> None:
    checked = promtool("check", "config", "prometheus.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_query_of_the_dashboard_names_metrics_that_exist() -> None:
    asked = list(queries())
    assert len(asked) > 30
    for title, query in asked:
        names = metrics_of(query)
        assert names, title
        assert names <= existing(), title


def test_the_dashboard_shows_every_metric() -> None:
    shown = set().union(*(metrics_of(query) for _, query in queries()))
    missing = [name for name in documented() if not {name, f"{name}_bucket"} & shown]
    assert missing == ["coseal_block_timestamp_seconds"]  # an idle chain makes no blocks: its age means nothing


def test_prometheus_accepts_every_query_of_the_dashboard(tmp_path: Path) -> None:
    rules = [{"record": f"panel:{number}", "expr": query} for number, (_, query) in enumerate(queries())]
    (tmp_path / "queries.yml").write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    checked = promtool("check", "rules", "queries.yml", folder=tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_panels_have_ids_and_places_of_their_own_and_ask_the_chosen_source() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for one, other in itertools.combinations([panel["gridPos"] for panel in panels], 2):
        assert not _overlap(one, other), (one, other)
    sources = {
        json.dumps(item["datasource"])
        for panel in panels
        for item in (panel, *panel.get("targets", ()))
        if item.get("datasource")
    }
    assert sources == {json.dumps({"type": "prometheus", "uid": "${datasource}"})}


def _overlap(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(
        one[start] < other[start] + other[size] and other[start] < one[start] + one[size]
        for start, size in (("x", "w"), ("y", "h"))
    )


def test_the_spans_of_the_table_are_those_of_the_tracer() -> None:
    source = (ROOT / "node" / "telemetry" / "tracing.py").read_text("utf-8")
    table = PAGE.partition("| span | who | from | to |\n")[2].partition("\n\n")[0]
    made = re.findall(r'(?:_step\(flight, |_say\(|Span\(|else )"([a-z]+)"', source)
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == set(made)
    keys = set(re.findall(r'"(coseal\.\w+)"', source))
    assert {key for key in keys if f"`{key}`" not in PAGE} == {"coseal.height", "coseal.round", "coseal.block"}
