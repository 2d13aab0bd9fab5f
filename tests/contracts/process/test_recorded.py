"""Items are found wherever a transaction's receipt says that they were recorded."""

from __future__ import annotations

from typing import Any

import pytest

from coseal.contracts.process.chain import item_hash
from coseal.contracts.process.recorded import RecordedItem, recorded_items
from coseal.ledger.block import OK, Receipt
from coseal.ledger.signing import ZERO_HASH
from coseal.ledger.transaction import Transaction
from tests.support.chain import Chain

EVENTS = [
    {"event": name, "type": "pay", "time": "2023-01-01T00:00:00Z", "objects": [["case", name]]} for name in ("e1", "e2")
]
TYPE = {
    "id": "loans",
    "version": 1,
    "title": "Loans",
    "object_types": {"case": {}},
    "event_types": {"pay": {}},
    "gaps": "record",
}
APPENDED = ["bank-a/ledger/trade", 7, {"event": "tx:0", "type": "Issued", "time": "2023-01-01T00:00:00Z"}]


@pytest.fixture
def recorded(chain: Chain) -> tuple[Transaction, Receipt]:
    chain.submit("bank-a/admin", "process.define_type", **TYPE)
    chain.submit("bank-a/admin", "process.register_source", id="log", process_type="loans", mode="historical")
    transaction = chain.sign(
        "bank-a/admin", "process.record", {"source": "log", "sequence": 3, "items": EVENTS, "gap": "lost"}
    )
    (receipt,) = chain.block(transaction)
    assert receipt.ok, receipt.detail
    return transaction, receipt


def receipt(data: dict[str, Any], code: str = OK) -> Receipt:
    return Receipt(ZERO_HASH, code, "", data, 0)


def test_a_batch_yields_its_items_with_source_number_and_hash(recorded: tuple[Transaction, Receipt]) -> None:
    items = list(recorded_items(*recorded))
    assert items == [RecordedItem("bank-a/log", 3 + at, item, "loans") for at, item in enumerate(EVENTS)]
    assert [one.hash for one in items] == [item_hash("bank-a/log", 3 + at, item) for at, item in enumerate(EVENTS)]
    assert {one.member for one in items} == {"bank-a"}


def test_a_refused_batch_yields_nothing(chain: Chain) -> None:
    transaction = chain.sign("bank-a/admin", "process.record", {"source": "log", "sequence": 1, "items": EVENTS})
    (refused,) = chain.block(transaction)
    assert refused.code == "unknown_source"
    assert list(recorded_items(transaction, refused)) == []


def test_what_a_contract_appended_follows_what_the_arguments_record(recorded: tuple[Transaction, Receipt]) -> None:
    transaction, before = recorded
    items = list(recorded_items(transaction, receipt({**before.data, "appended": [APPENDED]})))
    assert items[:2] == list(recorded_items(transaction, before))
    assert items[2:] == [RecordedItem(*APPENDED, "trade")]
    assert items[2].member == "bank-a"


def test_another_action_yields_what_its_contract_appended(chain: Chain) -> None:
    transaction = chain.sign("bank-a/admin", "supervision.ask", {"topic": "Terms", "question": "When?"})
    assert list(recorded_items(transaction, receipt({"id": "Q1"}))) == []
    assert list(recorded_items(transaction, receipt({"appended": [APPENDED]}))) == [RecordedItem(*APPENDED, "trade")]
    assert list(recorded_items(transaction, receipt({"appended": [APPENDED]}, "forbidden"))) == []


def test_the_first_receipt_of_a_block_yields_what_fell_due_by_contract() -> None:
    due = receipt({"trade": {"appended": [APPENDED, APPENDED]}, "supervision": {"closed": []}, "system": {"aside": []}})
    assert list(recorded_items(None, due)) == [RecordedItem(*APPENDED, "trade")] * 2
