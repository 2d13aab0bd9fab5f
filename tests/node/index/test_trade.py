"""Rows about trade say what the state says, of all that acts and time do; the money that moved is among movements."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from coseal.contracts.currency.ledger import POSTED, Movement
from coseal.contracts.currency.lists import MOVEMENTS
from coseal.contracts.process.chain import chain
from coseal.contracts.trade.lists import EXPOSURES, LOANS, OFFERS, RECEIVABLES
from coseal.ledger.signing import ZERO_HASH
from coseal.node.index import lists
from coseal.node.index.index import Index
from tests.support.currency import DAY_MS
from tests.support.trade import DUE_DAYS, WALLETS, A, B, Trade, trading


@pytest.fixture(scope="module")
def scene() -> Trade:
    """Receivables of every status."""
    trade = trading()
    trade.issue()
    trade.ok(A, "trade.reject", receivable=trade.issue(), reason="late")
    parts = trade.owed()
    trade.ok(B, "trade.split", receivable=parts, amounts=[400_000, 600_000])
    trade.finance("R4")
    trade.finance("R5", kind="pledge")
    trade.settle("R5", 599_000)
    trade.ok(A, "trade.dispute", receivable="R5", reason="broken")
    trade.transfer(trade.owed())
    trade.owed(autopay=WALLETS[A])
    trade.ok(B, "trade.offer_transfer", **trade.transferring("R7"))
    trade.ok(B, "trade.withdraw_offer", receivable="R7", member="city")
    trade.fell_due(DUE_DAYS * DAY_MS)
    trade.ok("city", "trade.claim_recourse", receivable="R6")
    return trade


@pytest.fixture(scope="module")
def index(scene: Trade, tmp_path_factory: pytest.TempPathFactory):
    blocks, folder = scene.chain.blocks, tmp_path_factory.mktemp("trade")
    index = Index(Path(folder) / "i.sqlite", scene.chain.chain_id, lambda height: blocks[height - 1].encode())
    index.start(len(blocks))
    assert index.wait(len(blocks), 30), index.error
    yield index
    index.stop()


def read(index: Index, listed: Any, **given: str) -> list[Any]:
    page = asyncio.run(index.query(lists.page, listed, given, (), 1_000, listed.orders[0]))[1]
    return list(page.items)


def test_every_receivable_and_loan_is_as_the_state_has_it(scene, index):
    rows = read(index, RECEIVABLES)
    assert {row["status"] for row in rows} == {
        *("lapsed", "rejected", "split", "accepted", "recourse", "settled", "overdue")
    } - {"accepted"}
    for row in rows:
        found = scene.receivable(row["id"])
        names = ("debtor", "creditor", "holder", "wallet", "amount", "outstanding", "due_ms", "status", "financier")
        assert {name: row[name] for name in names} == {name: getattr(found, name) for name in names}
        assert (row["hands"], bool(row["disputed"])) == (len(found.hands), found.dispute is not None)
    (loan,) = read(index, LOANS)
    assert (loan["principal"], loan["fee"], loan["status"]) == (0, 1_000, "open")


def test_exposures_and_offers_are_as_the_state_has_them(scene, index):
    (exposure,) = [row for row in read(index, EXPOSURES) if row["exposure"]]
    assert (exposure["bank"], exposure["debtor"], exposure["exposure"]) == ("bank-a", A, 401_000)
    assert exposure["allowed"] == 20_000_000
    assert scene.chain.get("trade/exposure/bank-a/enterprise-a") == 401_000
    statuses = {(row["receivable"], row["kind"]): row["status"] for row in read(index, OFFERS)}
    assert statuses == {
        ("R4", "assignment"): "accepted",
        ("R5", "pledge"): "accepted",
        ("R6", "transfer"): "accepted",
        ("R7", "transfer"): "withdrawn",
    }


def test_what_moved_is_among_the_movements_as_it_was_hashed(scene, index):
    head = ZERO_HASH
    for row in read(index, MOVEMENTS):
        if WALLETS[A] in (row["debit"], row["credit"]):
            movement = Movement(
                *(row[name] for name in ("number", "height", "time_ms", "kind", "debit", "credit", "amount")),
                code=row["code"],
                about=tuple(row.get("about", ())),
                tx=bytes.fromhex(row["tx"]),
            )
            assert movement.kind == POSTED
            head = chain(head, movement.hash)
    assert head == scene.wallet(WALLETS[A]).balance.head
