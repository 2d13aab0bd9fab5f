"""The proof of trade: made of a real chain, verified, and spoilt in every part."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest

from coseal.audit.report import Verdict
from coseal.audit.trade import STEP_NAMES
from coseal.audit.verify import Verification, verify_bytes
from coseal.contracts.trade.proofs import Invoice, Question, question_from_json
from coseal.ledger.errors import Malformed
from tests.support.trade import AMOUNT, A, B, Trade, trade_document, trading

TAKEN = Invoice(B, "INV-2026/001", "2026-03-31", AMOUNT)
OTHER = TAKEN._replace(number="INV-2026/002")


@pytest.fixture(scope="module")
def scene() -> Trade:
    """R1 is free, R2 sold, R3 pledged, R4 settled, R5 proposed, R6 split."""
    trade = trading()
    trade.owed(invoice={"number": TAKEN.number, "date": TAKEN.date, "total": TAKEN.total})
    for kind in ("assignment", "pledge"):
        trade.finance(trade.owed(), kind=kind)
    trade.settle(trade.owed(), AMOUNT)
    trade.issue()
    trade.ok(B, "trade.split", receivable=trade.owed(), amounts=[AMOUNT // 2, AMOUNT // 2])
    return trade


def verify(scene: Trade, document: Any) -> Verification:
    return verify_bytes(json.dumps(document).encode(), scene.chain.genesis)


def test_an_unpledged_receivable_is_proven(scene: Trade) -> None:
    found = verify(scene, trade_document(scene, Question("R1")))
    assert (found.verdict, found.kind) == (Verdict.OK, "trade-proof"), found.reason
    assert tuple(step.name for step in found.steps) == STEP_NAMES
    assert (found.facts["debtor"], found.facts["holder"], found.facts["outstanding"]) == (A, B, "10000.00")
    assert found.reason.startswith("R1 is unpledged as of block")
    json.dumps(found.to_json())


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("R2", "was sold to bank-a"),
        ("R3", "is pledged to bank-a"),
        ("R4", "is settled"),
        ("R5", "is proposed"),
        ("R6", "is split"),
        ("R99", "there is no receivable R99"),
    ],
)
def test_what_a_bank_finances_or_is_not_owed_is_not_proven(scene: Trade, name: str, words: str) -> None:
    found = verify(scene, trade_document(scene, Question(name)))
    assert found.verdict is Verdict.BAD
    assert words in found.reason


def test_an_invoice_that_was_never_registered_is_proven_absent(scene: Trade) -> None:
    found = verify(scene, trade_document(scene, Question("", OTHER)))
    assert found.verdict is Verdict.OK, found.reason
    assert found.facts["total"] == "10000.00"


@pytest.mark.parametrize("number", ["INV-2026/001", "inv2026001"])
def test_a_registered_invoice_is_not_proven_absent_however_it_is_spelt(scene: Trade, number: str) -> None:
    found = verify(scene, trade_document(scene, Question("", TAKEN._replace(number=number))))
    assert found.verdict is Verdict.BAD
    assert "stands behind R1" in found.reason


def test_the_answer_to_another_question_proves_nothing(scene: Trade) -> None:
    free, absent = trade_document(scene, Question("R1")), trade_document(scene, Question("", OTHER))
    for document, changes in (
        (free, {"receivable": "R2"}),
        (free, {"receivable": "R99"}),
        (free, {"receivable": None, "invoice": TAKEN._asdict()}),
        (absent, {"invoice": TAKEN._asdict()}),
        (absent, {"invoice": OTHER._replace(total=1)._asdict()}),
        (free, {"value": absent["value"]}),
    ):
        assert verify(scene, {**document, **changes}).verdict is Verdict.BAD, changes


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [each for name, part in value.items() for each in leaves(part, (*path, name))]
    if isinstance(value, list):
        return [each for at, part in enumerate(value) for each in leaves(part, (*path, at))]
    return [path]


@pytest.mark.parametrize("question", [Question("R1"), Question("", OTHER)], ids=str)
def test_no_part_can_be_altered(scene: Trade, question: Question) -> None:
    """Whatever is changed: the document is bad, or says just what it said."""
    whole = trade_document(scene, question)
    facts = verify(scene, whole).facts
    spoilt = 0
    for path in leaves(whole):
        changed = deepcopy(whole)
        part = changed
        for step in path[:-1]:
            part = part[step]
        before = part[path[-1]]
        part[path[-1]] = f"{before}x" if isinstance(before, str) else 7 if before is None else before + 1
        found = verify(scene, changed)
        assert not found.ok or found.facts == facts, path
        spoilt += not found.ok
    assert spoilt > 10


@pytest.mark.parametrize(
    ("receivable", "invoice"),
    [
        (None, None),
        ("R1", TAKEN._asdict()),
        ("R0", None),
        ("R\u0661", None),
        (1, None),
        (None, {**TAKEN._asdict(), "total": 0}),
        (None, {**TAKEN._asdict(), "number": "-"}),
        (None, {**TAKEN._asdict(), "creditor": "a/b"}),
        (None, {"creditor": B}),
    ],
)
def test_what_is_no_question(receivable: Any, invoice: Any) -> None:
    with pytest.raises(Malformed):
        question_from_json(receivable, invoice)
