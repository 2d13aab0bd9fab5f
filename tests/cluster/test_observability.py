"""A real Prometheus watches four real nodes: the dashboard's queries have answers, and alarms begin in time."""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.cluster.network import Cluster
from tests.node.telemetry.test_logs import documented as logged
from tests.node.telemetry.test_metrics import documented
from tests.node.transport.test_links import free_port
from tests.test_observability import DASHBOARD, PROMETHEUS

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

# What a network without trouble does not have.
EMPTY_IN_HEALTH = {
    "Round changes sent",
    "Refusals and accusations",
    "Links that are down",
    "Frames dropped, malformed, connections refused",
}
SECONDS = 120.0


class Prometheus:
    """Debian's Prometheus with the alarms of deploy/, asking the nodes of a cluster every second."""

    def __init__(self, folder: Path, program: str, cluster: Cluster) -> None:
        for name in ("alerts.yml", "prometheus.yml"):
            shutil.copy(PROMETHEUS / name, folder)
        config = yaml.safe_load((folder / "prometheus.yml").read_text())
        config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        (job,) = config["scrape_configs"]
        job["static_configs"][0]["targets"] = [cluster.entry(name).http for name in cluster.names]
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        listen = f"--web.listen-address=127.0.0.1:{port}"
        words = [program, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data", listen]
        self.process = subprocess.Popen([*words, "--log.level=error"])

    def query(self, expression: str) -> list[Any]:
        """Return the series of an instant query; an error of Prometheus fails the test."""
        words = urllib.parse.urlencode({"query": expression})
        return list(self._get(f"/api/v1/query?{words}")["data"]["result"])

    def alarms(self) -> set[str]:
        """Return the alarms that fire or would, if it lasts."""
        return {alarm["labels"]["alertname"] for alarm in self._get("/api/v1/alerts")["data"]["alerts"]}

    def has(self, expression: str, count: int) -> bool:
        """Say whether so many series come of an expression; not while Prometheus starts."""
        try:
            return len(self.query(expression)) == count
        except OSError:
            return False

    def _get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=20) as answer:
            return json.load(answer)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster.make(tmp_path_factory.mktemp("watched"))
    try:
        cluster.start()
        cluster.wait_height(1, seconds=SECONDS)
        yield cluster
    finally:
        cluster.close()


def test_four_nodes_have_the_labels_of_the_table(cluster: Cluster) -> None:
    cluster.submit("bank-a", cluster.transaction())
    table = documented()
    peers: set[str] = set()
    for name in cluster.names:
        with urllib.request.urlopen(f"{cluster.entry(name).url}/metrics", timeout=20) as answer:
            families = list(text_string_to_metric_families(answer.read().decode()))
        for family in families:
            for sample in family.samples if family.name.startswith("coseal_") else ():
                _, labels = table[family.name + "_total" * (family.type == "counter")]
                assert set(sample.labels) - {"le"} == labels, sample
                peers |= {sample.labels["peer"]} if "peer" in sample.labels else set()
    assert peers == set(cluster.names)


def test_what_four_nodes_log_is_in_the_table(cluster: Cluster) -> None:
    table, seen = logged("event"), set()
    for name in cluster.names:
        for line in (cluster.entry(name).data / "node.log").read_text().splitlines():
            said = json.loads(line)
            levels, fields = table[said["event"]]
            assert said["level"] in levels, said
            assert set(said) - {"time", "level", "node", "event"} <= fields, said
            assert said["node"] == name
            seen.add(said["event"])
    assert {"started", "peer_connected"} <= seen


def test_prometheus_answers_every_query_of_the_dashboard_and_no_alarm_begins_until_nodes_stop(
    cluster: Cluster, tmp_path: Path
) -> None:
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("prometheus is not there (apt-get install prometheus)")
    prometheus = Prometheus(tmp_path, program, cluster)
    try:
        cluster.wait(lambda: prometheus.has("coseal_healthy == 1", 4), "all are watched", SECONDS)
        for _ in range(5):
            cluster.submit("bank-a", cluster.transaction())
        counted = "rate(coseal_transactions_committed_total[20s]) > 0"
        cluster.wait(lambda: prometheus.has(counted, 4), "commits are seen", SECONDS)
        empty = {
            panel["title"]
            for panel in DASHBOARD["panels"]
            for target in panel.get("targets", ())
            if not prometheus.query(target["expr"].replace("$__rate_interval", "20s").replace("$node", ".*"))
        }
        assert empty <= EMPTY_IN_HEALTH
        assert not prometheus.alarms() & {
            "CosealDown",
            "CosealCannotCommit",
            "CosealContradiction",
            "CosealIndexBehind",
        }
        cluster.kill("regulator")
        cluster.kill("enterprise-a")
        cluster.wait(lambda: prometheus.alarms() >= {"CosealDown", "CosealCannotCommit"}, "alarms begin", SECONDS)
    finally:
        prometheus.process.terminate()
        prometheus.process.wait(timeout=30)
