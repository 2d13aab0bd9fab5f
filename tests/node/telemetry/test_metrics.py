"""The metrics of a running node are those of the table in docs/observability.md, by Prometheus' own conventions."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import urllib.request
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.parser import text_string_to_metric_families

from coseal.node.core.events import Admission, Answer
from coseal.node.exits import Exit
from coseal.node.runtime import Runtime
from coseal.node.telemetry.metrics import TIMED_MAX, CommitTimes
from tests.node.single import make_node, signed
from tests.node.test_runtime import commit, run, started
from tests.node.transport.test_links import free_port

PAGE = Path(__file__).parents[3] / "docs" / "observability.md"
ROW = re.compile(r"^\| `(coseal_\w+)` \| (\w+) \| (.*?) ?\| .+ \|$", re.MULTILINE)


def documented() -> dict[str, tuple[str, frozenset[str]]]:
    """Return type and labels of every metric in the table, by name."""
    rows = ROW.findall(PAGE.read_text("utf-8"))
    return {name: (kind, frozenset(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}


@pytest.fixture(scope="module")
def exposition(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What ``/metrics`` of a node says after a commit and a few requests."""
    port = free_port()
    folder = make_node(tmp_path_factory.mktemp("metrics"), port=free_port(), http_port=port)
    texts: list[str] = []

    def ask(path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.read().decode()

    async def scenario(runtime: Runtime) -> None:
        await started(runtime)
        await commit(runtime, signed(folder))
        await asyncio.to_thread(ask, "/v1/status")
        texts.append(await asyncio.to_thread(ask, "/metrics"))

    assert run(folder, scenario) is Exit.STOPPED
    return texts[0]


def test_a_running_node_has_exactly_the_metrics_of_the_table_with_their_types(exposition: str) -> None:
    served = {
        family.name + "_total" * (family.type == "counter"): family.type
        for family in text_string_to_metric_families(exposition)
        if family.name.startswith("coseal_")
    }
    assert served == {name: kind for name, (kind, _) in documented().items()}


def test_every_metric_has_exactly_the_labels_of_the_table(exposition: str) -> None:
    table = documented()
    for family in text_string_to_metric_families(exposition):
        if not family.name.startswith("coseal_"):
            continue
        _, labels = table[family.name + "_total" * (family.type == "counter")]
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == labels, sample


def test_names_types_and_units_pass_prometheus_own_lint(exposition: str) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not there (apt-get install prometheus)")
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=exposition, capture_output=True, text=True, timeout=60, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_a_commit_moves_what_should_move(exposition: str) -> None:
    values = {
        sample.name: sample.value
        for family in text_string_to_metric_families(exposition)
        for sample in family.samples
        if not sample.labels
    }
    assert values["coseal_transactions_committed_total"] == 1
    assert values["coseal_transaction_commit_seconds_count"] == 1
    assert values["coseal_signatures_verified_total"] == 1
    assert values["coseal_disk_free_bytes"] > 0
    assert values["coseal_validator_seat"] == values["coseal_voting"] == values["coseal_healthy"] == 1
    assert values["coseal_release_needed"] == values["coseal_contracts_missing"] == 0


def test_messages_are_counted_by_the_kind_of_what_is_inside(exposition: str) -> None:
    assert 'coseal_messages_sent_total{kind="prepare"}' in exposition
    assert 'coseal_messages_sent_total{kind="proposal"}' in exposition
    assert 'kind="consensus_message"' not in exposition


def test_times_to_commit_are_bounded_and_forget_what_is_dropped_or_anothers() -> None:
    registry = CollectorRegistry()
    times = CommitTimes(Histogram("seconds", "of tests", registry=registry))
    times.answered(Answer(b"%d" % number, Admission.ACCEPTED) for number in range(TIMED_MAX + 5))
    times.answered([Answer(b"here before", Admission.PENDING)])
    times.dropped(b"0")
    times.dropped(b"never seen")
    times.committed([b"0", b"1", b"2", b"of another node", b"here before", b"%d" % TIMED_MAX])
    assert registry.get_sample_value("seconds_count") == 2
    times.committed([b"1"])
    assert registry.get_sample_value("seconds_count") == 2
