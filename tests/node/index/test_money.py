"""Rows about money follow from receipts, say what the state says, and give every movement as it was hashed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from coseal.contracts.currency.ledger import ISSUANCE, Balance, Movement, verify_statement
from coseal.contracts.currency.lists import MOVEMENTS, PENDINGS, SUPPLY, WALLETS
from coseal.contracts.currency.post import issuance
from coseal.contracts.currency.state import month_key
from coseal.node.index import lists
from coseal.node.index.index import Index
from tests.support.currency import DAY_MS, VAULT_A, funded, payment

EA, EB, KEYED = "bank-a/ea", "bank-b/eb", "bank-a/keyed"


@pytest.fixture(scope="module")
def scene():
    """Every kind of movement, over two months."""
    money = funded()
    items = [payment(EA, EB, 100, about=["t", "case", "1"]), payment(EA, EB, 10**9), payment(EA, KEYED, 50)]
    money.ok("enterprise-a", "pay_batch", items=items, linked=False)
    later = {"expires_ms": money.chain.now_ms + 20 * DAY_MS, "release": {}}
    names = [money.ok("enterprise-a", "pend", **payment(EA, EB, 70, reference="r"), **later)["pending"] for _ in "123"]
    money.ok("enterprise-b", "post_pending", pending=names[0], amount=30)
    money.ok("enterprise-b", "void_pending", pendings=[names[1]])
    money.wait(21 * DAY_MS)
    for action in ("settle_redeem", "void_redeem"):
        redemption = money.ok("bank-a", "redeem", amount=500)["redemption"]
        money.ok("central-bank", action, redemption=redemption)
    pay = payment(KEYED, EA, 5, end_to_end="E-1")
    assert money.carry("city", KEYED, "pay", **pay).ok
    wrong = {"from": EA, "to": VAULT_A, "amount": 10, "member": "enterprise-a", "basis": ["external: an error"]}
    money.decide("currency_correction", **wrong)
    money.open("bank-a/gone", "member:enterprise-b")
    money.ok("bank-a", "close_wallet", wallet="bank-a/gone")
    money.ok(
        "enterprise-a",
        "reclass_wallet",
        wallet=EA,
        limits={"single_max": 10**6, "day_max": None, "year_max": None, "balance_max": None},
    )
    money.wait(10)
    return money


@pytest.fixture(scope="module")
def index(scene, tmp_path_factory: pytest.TempPathFactory):
    blocks, folder = scene.chain.blocks, tmp_path_factory.mktemp("money")
    index = Index(Path(folder) / "i.sqlite", scene.chain.chain_id, lambda height: blocks[height - 1].encode())
    index.start(len(blocks))
    assert index.wait(len(blocks), 30), index.error
    yield index
    index.stop()


def listed(index, name, /, **filters):
    return (asyncio.run(index.query(lists.page, name, filters)))[1].items


def movements(index, wallet=""):
    found = listed(index, MOVEMENTS, **({"wallet": wallet} if wallet else {}))
    return [
        Movement(
            *(one[name] for name in ("number", "height", "time_ms", "kind", "debit", "credit", "amount", "reserved")),
            one["code"],
            one["reference"],
            one["end_to_end"],
            one.get("about", ()),
            one["pending"],
            bytes.fromhex(one["tx"]),
        )
        for one in found
    ]


def test_every_wallet_is_listed_as_the_state_has_it(scene, index):
    found = {one["wallet"]: one for one in listed(index, WALLETS)}
    assert len(found) == scene.totals.wallets
    for name, row in found.items():
        wallet = scene.wallet(name)
        assert [row["debits"], row["credits"], str(row["reserved"]), str(row["incoming"])] == wallet.balance.texts()
        assert (row["balance"], row["status"], row["class"]) == (wallet.balance.posted, wallet.status, wallet.class_id)
    assert found[EA]["limits"] == [10**6, None, None, None]
    assert [one["wallet"] for one in listed(index, WALLETS, institution="bank-b")] == [
        "bank-b/eb",
        "bank-b/hosted",
        "bank-b/vault",
    ]


def test_the_movements_of_every_wallet_give_its_totals_and_its_chain(scene, index):
    for name in (EA, EB, KEYED, VAULT_A):
        verify_statement(name, movements(index, name), Balance(), scene.wallet(name).balance)
    verify_statement(ISSUANCE, movements(index, ISSUANCE), Balance(), issuance(scene.chain.executor.reader))
    assert len(movements(index)) == scene.totals.balance.count


def test_a_month_is_the_movements_between_its_key_and_the_next(scene, index):
    opening = Balance.decoded(scene.chain.get(month_key(EA, 202311)))
    closing = Balance.decoded(scene.chain.get(month_key(EA, 202312)))
    every = movements(index, EA)
    inside = [one for one in every if opening.count <= every.index(one) < closing.count]
    verify_statement(EA, inside, opening, closing, 202311, 202311)
    verify_statement(EA, every[len(inside) :], closing, scene.wallet(EA).balance, 202312, 202312)


def test_pending_transfers_and_supply_are_listed(index):
    found = listed(index, PENDINGS, wallet=EA)
    assert [(one["id"], one["status"], one["posted"]) for one in found] == [
        ("P1", "posted", 30),
        ("P2", "voided", 0),
        ("P3", "expired", 0),
    ]
    assert [(one["amount"], one["institution"]) for one in listed(index, SUPPLY)] == [
        (100_000, "bank-a"),
        (-500, "bank-a"),
    ]
