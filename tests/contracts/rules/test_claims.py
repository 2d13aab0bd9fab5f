"""Claims: what is refused, what is judged of what owners state, and what they evaluate before they seal."""

from __future__ import annotations

from typing import Any

import pytest

from coseal.contracts.process.items import MAX_CLAIMS, Unfit, schema_of
from coseal.contracts.process.types import definition_hash, normalised
from coseal.contracts.rules.cel.compile import Undetermined
from coseal.contracts.rules.claims import Claim
from coseal.contracts.rules.errors import RuleError
from coseal.contracts.rules.facts import Event
from coseal.contracts.rules.monitor import RuleSet
from coseal.contracts.rules.rule import parse_rule

_TYPE = normalised(
    {
        "id": "loans",
        "version": 1,
        "title": "Loans",
        "object_types": {"loan": {}},
        "event_types": {
            "grant": {
                "attributes": {
                    "rate": {"type": "decimal", "class": "sealed", "required": True},
                    "due": {"type": "time", "class": "sealed"},
                    "days": {"type": "integer", "class": "sealed"},
                    "branch": "string",
                }
            },
            "repay": {"attributes": {"amount": "integer"}},
        },
    }
)
DEFINITION = {**_TYPE, "definition": definition_hash(_TYPE).hex()}
CAP = {
    "id": "R-CAP",
    "kind": "claim",
    "on": ["grant"],
    "scope": {"process_type": "loans", "object_type": "loan"},
    "assert": "compare(s.rate, '0.06') <= 0",
}
ITEM = {
    "event": "g1",
    "type": "grant",
    "time": "2026-01-05T10:00:00Z",
    "objects": [["loan", "L1"]],
    "attributes": {"rate": "0.05", "branch": "East"},
}


def claim(**fields: Any) -> Claim:
    body = parse_rule({**CAP, **fields}, DEFINITION).body
    assert isinstance(body, Claim)
    return body


def evaluate(text: str, **attributes: Any) -> Any:
    item = {**ITEM, "attributes": {**ITEM["attributes"], **attributes}}
    return claim(**{"assert": text}).evaluate(item, DEFINITION, "bank-a/log", 480)


@pytest.mark.parametrize(
    ("fields", "place", "reason"),
    [
        ({"assert": "e.attributes.branch == 'East'"}, ".assert", "reads no sealed attribute"),
        ({"assert": "s.branch == 'East'"}, ".assert", "branch"),
        ({"assert": "e.attributes.rate == s.rate"}, ".assert", "rate"),
        ({"assert": "s.rate == 'a' && e.sequence > 1"}, ".assert", "sequence"),
        ({"assert": "s.rate == 'a' && e.live"}, ".assert", "live"),
        ({"assert": "s.rate == 'a' && o.count > 1"}, ".assert", "o"),
        ({"assert": "s.rate == 'a' && block.height > 1"}, ".assert", "block"),
        ({"assert": "s.days"}, ".assert", "bool"),
        ({"assert": "size(s) > 1"}, ".assert", "s"),
        ({"on": ["repay"]}, ".assert", "rate"),
        ({"on": ["other"]}, ".on", "unknown event type"),
        ({"effect": "reject"}, ".effect", "reject is for guards and shapes"),
        ({"within_ms": 1}, ".within_ms", "unknown"),
    ],
)
def test_a_claim_reads_what_its_owner_knows_and_nothing_else(fields: Any, place: str, reason: str) -> None:
    with pytest.raises(RuleError) as refused:
        parse_rule({**CAP, **fields}, DEFINITION)
    assert refused.value.path == place
    assert reason in refused.value.reason


@pytest.mark.parametrize(
    ("claims", "verdict", "reason"),
    [
        ([["R-CAP", 2, True]], None, ""),
        ([["R-OTHER", 1, False], ["R-CAP", 2, True]], None, ""),
        ([["R-CAP", 2, False]], "violated", "its owner states that the condition is false"),
        ([["R-CAP", 1, False]], "undetermined", "its owner states it of version 1, and version 2 judges"),
        ([["R-OTHER", 2, False]], "undetermined", "its owner does not state whether the condition holds"),
        (None, "undetermined", "its owner does not state whether the condition holds"),
    ],
)
def test_what_is_stated_is_judged(claims: Any, verdict: str | None, reason: str) -> None:
    rules = RuleSet([parse_rule({**CAP, "version": 2}, DEFINITION)], DEFINITION)
    item = ITEM if claims is None else {**ITEM, "claims": claims}
    event = Event(item, 1_767_607_200_000, "bank-a/log", 1, 5, 1_767_607_201_000)
    _, findings = rules.observe(None, event, "L1")
    assert [(found.verdict, str(found.reason)) for found in findings] == (
        [] if verdict is None else [(verdict, reason)]
    )


def test_an_event_of_another_type_states_nothing() -> None:
    rules = RuleSet([parse_rule(CAP, DEFINITION)], DEFINITION)
    item = {"event": "r1", "type": "repay", "time": ITEM["time"], "objects": ITEM["objects"]}
    assert rules.observe(None, Event(item, 0, "bank-a/log", 1, 5, 0), "L1")[1] == []


@pytest.mark.parametrize(
    ("text", "attributes", "value"),
    [
        ("compare(s.rate, '0.06') <= 0", {}, True),
        ("compare(s.rate, '0.06') <= 0", {"rate": "0.07"}, False),
        ("compare(s.rate, '0.06') <= 0", {"rate": "6e-2"}, True),
        ("s.days <= 360 && e.attributes.branch == 'East'", {"days": 30}, True),
        ("!has(s.days) || s.days <= 360", {}, True),
        ("s.due - e.time <= duration('24h')", {"due": "2026-01-06T09:00:00Z"}, True),
        ("s.due - e.time <= duration('24h')", {"due": "2026-01-06T20:00:00"}, False),
        ("s.due - e.time <= duration('24h')", {"due": "2026-01-06T17:00:00"}, True),
        ("e.member == 'bank-a' && s.rate != ''", {}, True),
    ],
)
def test_an_owner_evaluates_its_values_by_the_types_that_they_have(text: str, attributes: Any, value: bool) -> None:
    assert evaluate(text, **attributes) is value


def test_a_condition_over_what_is_not_known_has_no_value() -> None:
    found = evaluate("s.days <= 360")
    assert type(found) is Undetermined
    assert "days" in found.reason


@pytest.mark.parametrize(
    "claims",
    [
        None,
        [],
        {},
        [["R-CAP", 1]],
        [["R-CAP", 1, "true"]],
        [["R-CAP", 1, 1]],
        [["R-CAP", 0, True]],
        [["R-CAP", True, True]],
        [["R/CAP", 1, True]],
        [["", 1, True]],
        [["R-CAP", 1, True], ["R-CAP", 2, True]],
        [[f"R-{number}", 1, True] for number in range(MAX_CLAIMS + 1)],
    ],
)
def test_claims_of_another_form_are_refused_with_their_place(claims: Any) -> None:
    sealed = {**ITEM["attributes"], "rate": "ab" * 32}
    with pytest.raises(
        Unfit, match=rf"^\.claims: expected a list of 1 to {MAX_CLAIMS} \[rule, version, true or false\]"
    ):
        schema_of(DEFINITION, 480).read({**ITEM, "attributes": sealed, "claims": claims})


def test_claims_stand_in_events_alone() -> None:
    declared = {"object": "L1", "type": "loan", "claims": [["R-CAP", 1, True]]}
    with pytest.raises(Unfit, match=r"^\.claims: unknown"):
        schema_of(DEFINITION, 480).read(declared)
    most = [[f"R-{number}", 1, True] for number in range(MAX_CLAIMS)]
    sealed = {**ITEM["attributes"], "rate": "ab" * 32}
    assert schema_of(DEFINITION, 480).read({**ITEM, "attributes": sealed, "claims": most}).kind == "event"
