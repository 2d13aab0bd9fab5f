"""The verdicts of PM4Py on real logs: the cases that break each of 592 rules are as many as it found.

Law: the figures are read as they were measured; our side judges event by event, as the ledger does.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from contracts.process_types import normalised
from contracts.rules.rule import parse_rules
from contracts.rules.trial import try_rules
from contracts.rules.verdict import Verdict
from coseal.importers.mapping import default_mapping
from coseal.importers.reader import read_log

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("COSEAL_REFERENCE_DATA", ROOT / "../shared/data"))
GOLDEN = DATA / "golden_pm4py.json"
LOGS = ("xes/running-example.xes", "xes/receipt.xes.gz", "xes/road_traffic_fines_sample.xes.gz")
BROKEN = (Verdict.VIOLATED, Verdict.PENDING_VIOLATING)

needs_data = pytest.mark.skipif(
    not GOLDEN.exists(), reason=f"no reference data at {DATA}; name its folder in COSEAL_REFERENCE_DATA"
)


def rule_of(index, found):
    second = {"b": found["args"][1]} if len(found["args"]) > 1 else {}
    return {"id": f"R{index}", "kind": "declare", "template": found["template"], "a": found["args"][0], **second}


@needs_data
@pytest.mark.parametrize("name", LOGS)
def test_as_many_cases_break_each_rule_as_the_reference_found(name):
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))["logs"][name]
    log = read_log(DATA / name, default_mapping(DATA / name))
    rules = parse_rules([rule_of(index, found) for index, found in enumerate(golden["declare_rules"])])
    assert len(rules) == 592
    result = try_rules(rules, log.items, normalised(log.definition))
    assert (result.cases, result.events) == (golden["cases"], golden["events"])
    ours = [sum(len(row.cases[verdict]) for verdict in BROKEN) for row in result.rules]
    assert ours == [found["violating_cases"] for found in golden["declare_rules"]]


@needs_data
def test_fourteen_permit_checks_are_not_followed_by_a_decision():
    path = DATA / "xes/receipt.xes.gz"
    log = read_log(path, default_mapping(path))
    check, decide = "T02 Check confirmation of receipt", "T04 Determine confirmation of receipt"
    (rule,) = parse_rules([{"id": "R", "kind": "declare", "template": "response", "a": check, "b": decide}])
    (row,) = try_rules([rule], log.items, normalised(log.definition)).rules
    assert {verdict: len(ids) for verdict, ids in row.cases.items() if ids} == {
        Verdict.PENDING: 1_420,
        Verdict.PENDING_VIOLATING: 14,
    }
