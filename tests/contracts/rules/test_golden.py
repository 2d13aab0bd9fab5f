"""The verdicts of PM4Py on real logs: the cases that break each of 592 rules are as many as it found.

Law: the figures are read as they were measured; our side judges event by event, as the ledger does.
"""

from __future__ import annotations

import json

import pytest

from coseal.contracts.process.types import normalised
from coseal.contracts.rules.rule import parse_rules
from coseal.contracts.rules.trial import try_rules
from coseal.contracts.rules.verdict import Verdict
from coseal.formats.importers.mapping import default_mapping
from coseal.formats.importers.reader import read_log
from tests.reference import reference

LOGS = ("xes/running-example.xes", "xes/receipt.xes.gz", "xes/road_traffic_fines_sample.xes.gz")
BROKEN = (Verdict.VIOLATED, Verdict.PENDING_VIOLATING)


def rule_of(index, found):
    second = {"b": found["args"][1]} if len(found["args"]) > 1 else {}
    return {"id": f"R{index}", "kind": "declare", "template": found["template"], "a": found["args"][0], **second}


@pytest.mark.parametrize("name", LOGS)
def test_as_many_cases_break_each_rule_as_the_reference_found(name):
    golden = json.loads(reference("golden_pm4py.json").read_text(encoding="utf-8"))["logs"][name]
    path = reference(name)
    log = read_log(path, default_mapping(path))
    rules = parse_rules([rule_of(index, found) for index, found in enumerate(golden["declare_rules"])])
    assert len(rules) == 592
    result = try_rules(rules, log.items, normalised(log.definition))
    assert (result.cases, result.events) == (golden["cases"], golden["events"])
    ours = [sum(len(row.cases[verdict]) for verdict in BROKEN) for row in result.rules]
    assert ours == [found["violating_cases"] for found in golden["declare_rules"]]


def test_fourteen_permit_checks_are_not_followed_by_a_decision():
    path = reference("xes/receipt.xes.gz")
    log = read_log(path, default_mapping(path))
    check, decide = "T02 Check confirmation of receipt", "T04 Determine confirmation of receipt"
    (rule,) = parse_rules([{"id": "R", "kind": "declare", "template": "response", "a": check, "b": decide}])
    (row,) = try_rules([rule], log.items, normalised(log.definition)).rules
    assert {verdict: len(ids) for verdict, ids in row.cases.items() if ids} == {
        Verdict.PENDING: 1_420,
        Verdict.PENDING_VIOLATING: 14,
    }
