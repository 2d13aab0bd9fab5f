"""The verdicts of PM4Py once more, of logs that went through a real network: its certified monitors say the same.

Law: verdicts are read from the state that four nodes certified, each proven here; findings from the index of another
node than the one that recorded. All 592 rules judge the small log; of the larger one those that few cases break, for
each broken rule is a finding that every node writes (hundreds of thousands with all of them).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from coseal.client import supervision
from coseal.client.blocking import Client
from coseal.client.log_recording import Recorder
from coseal.contracts.process.chain import objects_of
from coseal.contracts.process.types import normalised
from coseal.contracts.rules.monitor import rule_sets
from coseal.contracts.rules.rule import parse_rules
from coseal.contracts.rules.verdict import Verdict
from coseal.contracts.supervision.state import object_state_key
from coseal.formats.importers.mapping import default_mapping
from coseal.formats.importers.reader import read_log
from coseal.network.access import Access
from tests.cluster.network import Cluster
from tests.reference import reference

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

VOTERS = ("regulator", "central-bank", "bank-a")
BROKEN = (Verdict.VIOLATED, Verdict.PENDING_VIOLATING)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    reference("golden_pm4py.json")  # without it no network is started
    made = Cluster.make(tmp_path_factory.mktemp("cluster"))
    try:
        made.start()
        made.wait_height(1)
        yield made
    finally:
        made.close()


@dataclass(frozen=True)
class Judged:
    """The cases, how many of them break each rule by the certified monitors, and violations and findings by both."""

    cases: int
    broken: list[int]
    violated: Counter[tuple[str, str]]
    findings: Counter[tuple[str, str]]


def client_of(cluster: Cluster, member: str) -> Client:
    return Access(cluster.net.directory, node=member).client(member)


def rule_of(index: int, found: dict[str, Any], process_type: str) -> dict[str, Any]:
    second = {"b": found["args"][1]} if len(found["args"]) > 1 else {}
    return {
        "id": f"{process_type}-{index}",
        "version": 1,
        "title": found["template"],
        "legal_basis": ["external:a reference implementation"],
        "severity": "violation",
        "effect": "notify",
        "scope": {"process_type": process_type, "object_type": "case"},
        "kind": "declare",
        "template": found["template"],
        "a": found["args"][0],
        **second,
    }


def adopt(cluster: Cluster, rules: list[dict[str, Any]]) -> None:
    with client_of(cluster, "regulator") as client:
        ballot = supervision.propose(client, rules).require_ok().receipt.data["ballot"]
    for member in VOTERS:
        with client_of(cluster, member) as client:
            outcome = supervision.vote(client, ballot, "yes").require_ok()
    assert outcome.receipt.data["status"] == "accepted"


def judge(cluster: Cluster, name: str, golden: list[dict[str, Any]]) -> Judged:
    """Adopt the rules, record the log through one node, read the verdicts proven and the findings from another."""
    path = reference(name)
    log = read_log(path, default_mapping(path))
    process_type = log.definition["id"]
    documents = [rule_of(index, found, process_type) for index, found in enumerate(golden)]
    with client_of(cluster, "enterprise-a") as client:
        recorder = Recorder(client, log)
        recorder.prepare()
        adopt(cluster, documents)
        height = recorder.run().height
    cluster.wait_one_tip()
    cluster.wait(lambda: indexed(cluster, "bank-a") >= height, "the index of bank-a")
    definition = normalised(log.definition)
    monitors = rule_sets(parse_rules(documents, definition), definition)["case"]
    cases = {name for item in log.items if "event" in item for kind, name in objects_of(item) if kind == "case"}
    broken, violated = Counter[str](), Counter[tuple[str, str]]()
    with client_of(cluster, "bank-a") as client:
        for case in sorted(cases):
            ((*_, state),) = client.value(object_state_key(process_type, "case", case), min_height=height)[4]
            for rule, verdict in zip(monitors.rules, monitors.verdicts(state), strict=True):
                broken[rule.id] += verdict in BROKEN
                violated[rule.id, case] += verdict is Verdict.VIOLATED
        rows = client.findings(process_type=process_type)
        findings = Counter((row["rule"], row["object"]) for row in rows)
    return Judged(len(cases), [broken[document["id"]] for document in documents], +violated, findings)


def indexed(cluster: Cluster, name: str) -> int:
    status = cluster.get(name, "/v1/status")
    return -1 if status is None else int(status["index"]["height"])


@pytest.mark.parametrize(
    ("name", "broken_by_at_most", "rules"), [("running-example.xes", 6, 592), ("receipt.xes.gz", 20, 104)]
)
def test_the_network_finds_the_violating_cases_of_the_reference(
    cluster: Cluster, name: str, broken_by_at_most: int, rules: int
):
    found = json.loads(reference("golden_pm4py.json").read_text(encoding="utf-8"))["logs"][f"xes/{name}"]
    golden = [rule for rule in found["declare_rules"] if rule["violating_cases"] <= broken_by_at_most]
    assert len(golden) == rules
    judged = judge(cluster, f"xes/{name}", golden)
    assert judged.cases == found["cases"]
    assert judged.broken == [rule["violating_cases"] for rule in golden]
    assert judged.findings == judged.violated
    assert judged.violated
