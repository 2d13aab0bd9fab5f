"""The form of nodes and schemes: what they say, and what they cannot."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest

from coseal.contracts.certification import scheme
from coseal.contracts.certification.form import NODE, faults_of, node_of
from tests.contracts.certification.arguments import EXAMPLES

CLAIM = {"id": "a", "kind": "claim", "statement": "It is so"}
CITE = {"id": "x", "kind": "cite", "parent": "a", "cites": "b"}
RATIONALITY: dict[str, Any] = json.loads((EXAMPLES / "rationality.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("node", "path"),
    [
        ({**CLAIM, "any": True}, ".any"),
        ({**CLAIM, "cites": "b"}, ".cites"),
        ({**CLAIM, "reference": ["policy", "p"]}, ".reference"),
        ({**CLAIM, "declared": "defeated"}, ".declared"),
        ({**CLAIM, "id": "a/b"}, ".id"),
        ({**CLAIM, "statement": "two\nlines"}, ".statement"),
        ({"id": "a", "kind": "claim"}, ".statement"),
        ({**CLAIM, "kind": "evidence", "reference": ["policy", "a", "b"]}, ".reference"),
        ({**CLAIM, "kind": "strategy", "declared": "assumed"}, ".declared"),
        ({**CLAIM, "kind": "strategy", "criterion": "value"}, ".criterion"),
        ({**CITE, "place": "p"}, ".place"),
        ({"id": "x", "kind": "cite"}, ".cites"),
    ],
)
def test_what_a_kind_has_no_use_for_is_refused_by_path(node: dict[str, Any], path: str) -> None:
    assert [fault.partition(":")[0] for fault in faults_of(node)] == [path]


def test_nasty_values_of_every_field_are_refused() -> None:
    nasty = NODE.nasty()
    assert nasty.refused
    assert [value for value in nasty.refused if not list(faults_of(value))] == []


def test_evidence_is_grounded_by_a_digest_or_by_what_is_on_the_ledger_and_by_no_place() -> None:
    evidence = {**CLAIM, "kind": "evidence"}
    assert not node_of({**evidence, "place": "https://example.org"}).grounded
    assert node_of({**evidence, "sha256": "00" * 32}).grounded
    assert node_of({**evidence, "reference": ["policy", "p"]}).grounded


def test_the_shipped_scheme_has_three_criteria_of_public_chains_and_one_of_consortium_chains() -> None:
    assert list(scheme.faults_of(RATIONALITY)) == []
    common = scheme.applying(RATIONALITY, None)
    assert common == ["framework", "outcome", "value"]
    three = {"financial-risk", "credit-system", "incentives"}
    assert set(scheme.applying(RATIONALITY, "public_chain")) == {*common, *three}
    assert set(scheme.applying(RATIONALITY, "consortium_chain")) == {*common, "privacy-supervision"}
    assert scheme.kinds_of(RATIONALITY) == ["consortium_chain", "payment", "public_chain"]


@pytest.mark.parametrize(
    ("place", "value", "path"),
    [
        (("panel", "least", "humanities"), 0, ".panel.least.humanities"),
        (("panel", "least", "government"), 6, ".panel.size"),
        (("panel", "size"), 10, ".panel.size"),
        (("threshold", 0), 6, ".threshold"),
        (("criteria", 1, "id"), "framework", ".criteria[1].id"),
        (("criteria", 0, "floor"), 5, ".criteria[0].floor"),
        (("validity_ms",), 4 * 366 * 86_400_000, ".validity_ms"),
    ],
)
def test_a_scheme_under_which_a_sector_has_no_seat_or_nothing_can_pass_is_refused(
    place: tuple[Any, ...], value: Any, path: str
) -> None:
    changed = deepcopy(RATIONALITY)
    *outer, last = place
    part: Any = changed
    for step in outer:
        part = part[step]
    part[last] = value
    assert [fault.partition(":")[0] for fault in scheme.faults_of(changed)] == [path]
