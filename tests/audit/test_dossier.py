"""The dossier as a document: made of a real chain, verified, and spoilt in every part."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from coseal.audit.dossier import STEP_NAMES, listed, proven_ground, read
from coseal.audit.report import Verdict
from coseal.audit.verify import Verification, verify_bytes
from coseal.contracts.credit.dossier import Listed, Question, ground_of, require_whole
from coseal.contracts.credit.figures import figure_of, month_of
from coseal.ledger.errors import BadProof
from tests.liar.lies import Answer, sampled
from tests.support.currency import DAY_MS
from tests.support.trade import A, B, Trade, dossier_document, with_facts

ASKED = Question(A, formulas=("payment",))
Document = dict[str, Any]


@pytest.fixture(scope="module")
def scene() -> Trade:
    return with_facts()


@pytest.fixture
def document(scene: Trade) -> Document:
    return dossier_document(scene, ASKED)


def verify(scene: Trade, document: Any) -> Verification:
    return verify_bytes(json.dumps(document).encode(), scene.chain.genesis)


def bad(scene: Trade, document: Any) -> str:
    found = verify(scene, document)
    assert (found.verdict, found.facts) == (Verdict.BAD, {})
    return found.reason


def test_all_facts_are_proven_and_the_value_of_the_formula_is_worked_out(scene: Trade, document: Document) -> None:
    found = verify(scene, document)
    assert (found.verdict, found.kind) == (Verdict.OK, "dossier"), found.reason
    assert tuple(step.name for step in found.steps) == STEP_NAMES
    facts = found.facts
    assert (facts["facts"], facts["counting"], facts["open"], facts["corrected"], facts["expired"]) == (8, 6, 1, 1, 0)
    assert facts["kinds"]["settled_on_time"] == {"facts": 4, "total": 4_000_000, "most_with": [B, 4]}
    assert facts["kinds"]["settled_late"] == {"facts": 0, "total": 0, "most_with": None}
    [formula] = facts["formulas"]
    assert (formula["formula"], formula["version"], formula["value"]) == ("payment", 1, "100 of 100 points")
    assert formula["points"][0]["share"] == "4 of 4"
    assert "8 facts are all of enterprise-a" in found.reason
    assert "score" not in json.dumps(document)
    json.dumps(found.to_json())


def test_each_fact_says_what_became_of_it(scene: Trade, document: Document) -> None:
    rows = listed(proven_ground(read(document)))
    late = [(row["number"], row["counts"], row["status"]) for row in rows if row["kind"] == "settled_late"]
    assert late == [(1, False, "open"), (2, False, "corrected")]
    assert [row["correction"] for row in rows if row["kind"] == "settled_on_time"] == [False, False, False, True]


def test_what_no_formula_looks_at_any_more_is_marked_and_does_not_count_in_it() -> None:
    scene = with_facts()
    for _ in range(13):
        scene.fell_due(31 * DAY_MS)
    facts = verify(scene, dossier_document(scene, ASKED)).facts
    assert facts["facts"] >= 8
    assert facts["expired"] >= 7
    assert facts["formulas"][0]["points"][0]["value"].startswith("too few facts")


def test_every_value_is_needed_and_no_other_is_taken(scene: Trade, document: Document) -> None:
    for index, value in enumerate(document["values"]):
        less = {**document, "values": [*document["values"][:index], *document["values"][index + 1 :]]}
        assert f"{value['key']} is neither shown nor proven absent" in bad(scene, less)
    other = dossier_document(scene, Question(B))["values"]
    assert "is no part of the dossier" in bad(scene, {**document, "values": [*document["values"], other[0]]})


def test_another_question_is_not_answered(scene: Trade, document: Document) -> None:
    for changed in ({"member": B}, {"member": "nobody"}, {"months": 12}, {"formulas": []}, {"formulas": ["other"]}):
        bad(scene, {**document, **changed})
    for malformed in ({"months": 62}, {"formulas": ["payment", "payment"]}, {"score": 100}):
        bad(scene, {**document, **malformed})


def test_a_formula_that_looks_at_more_months_is_refused(scene: Trade) -> None:
    reader = scene.chain.executor.reader
    with pytest.raises(BadProof, match="looks at 12 months"):
        ground_of(reader, Question(A, 3, ("payment",)), month_of(scene.chain.executor.time_ms))


def test_a_list_without_one_line_or_with_another_fate_is_not_whole(scene: Trade, document: Document) -> None:
    lists = proven_ground(read(document)).lists
    late = next(each for each in lists if each.place.kind == "settled_late")
    require_whole(late)
    for index in range(len(late.kept)):
        with pytest.raises(BadProof):
            require_whole(late._replace(kept=[*late.kept[:index], *late.kept[index + 1 :]]))
    for status in ("", "refused"):
        wrong = [replace(late.kept[0], status=status), *late.kept[1:]]
        with pytest.raises(BadProof, match="the list says otherwise"):
            require_whole(late._replace(kept=wrong))
    stray = late.kept[2].entry._replace(number=1, of=7)
    with pytest.raises(BadProof, match="changes what is no fact"):
        require_whole(Listed(late.place, figure_of(late.place, [stray]), [replace(late.kept[2], entry=stray)]))


def test_lies_about_every_part_are_refused_or_change_nothing(scene: Trade, document: Document) -> None:
    raw = json.dumps(document).encode()
    true, refused = verify_bytes(raw, scene.chain.genesis).facts, 0
    for lie in sampled(Answer(raw), Random(7), 120, old=[], other=[]):
        found = verify_bytes(lie.content, scene.chain.genesis)
        assert not found.ok or found.facts == true, lie
        refused += not found.ok
    assert refused > 60


def test_an_entry_of_a_page_cannot_be_dropped(scene: Trade, document: Document) -> None:
    changed = deepcopy(document)
    page = next(value for value in changed["values"] if value["key"].startswith("credit/entries/"))
    page["value"] = page["value"][1:]
    bad(scene, changed)
