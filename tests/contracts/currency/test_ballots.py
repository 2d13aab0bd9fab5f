"""Classes, the regime and corrections are decided by ballot, with the central bank's yes; a breach stops the node."""

from __future__ import annotations

import pytest

from coseal.contracts.currency import post
from coseal.contracts.currency.post import Totals
from coseal.contracts.kernel.overlay import Broken
from tests.support.currency import DAY_MS, USCC, VAULT_A, funded, payment

EA, EB, HOSTED = "bank-a/ea", "bank-b/eb", "bank-b/hosted"
LIMITS = {"single_max": 100, "day_max": None, "year_max": None, "balance_max": None}


@pytest.fixture
def money():
    return funded()


def test_a_class_is_in_force_from_its_block_and_has_versions(money):
    result = money.decide("currency_class", id="corporate", limits=LIMITS, holders=["member", "uscc"])
    assert (result["status"], result["outcome"]["version"]) == ("accepted", 1)
    assert money.code("enterprise-a", "pay", **payment(EA, EB, 101)) == "over_limit"
    assert money.code("enterprise-a", "pay", **payment(EA, EB, 100)) == "ok"
    assert money.chain.get("currency/class/corporate")["limits"][0] == 100
    opened = {"id": "lei", "class": "corporate", "holder": "lei:5493001KJTIIGC8Y1R12"}
    assert money.code("bank-a", "open_wallet", **opened) == "class_not_for_holder"


def test_what_a_ballot_decided_is_in_the_next_block_for_those_who_keep_rows(money):
    money.decide("currency_class", id="small", limits=LIMITS, holders=["uscc"])
    assert money.wait(10)["classes"][0]["class"] == "small"
    wrong = {"from": EA, "to": VAULT_A, "amount": 10, "member": "enterprise-a", "basis": ["external: an error"]}
    money.decide("currency_correction", **wrong)
    (corrected,) = money.wait(10)["corrected"]
    assert corrected["wallets"][EA] == ["10", "40000", "0", "0"]


def test_nothing_is_decided_without_the_central_bank(money):
    args = {"id": "r", "kind": "currency_regime", "subject": {"regime": "deposit"}}
    money.ok("regulator", "governance.propose", **args)
    for member in ("bank-a", "enterprise-a"):
        result = money.ok(member, "governance.vote", ballot="r", choice="yes")
    assert (result["status"], result["outcome"]["code"]) == ("void", "needs_central_bank")
    assert money.decide("currency_regime", regime="deposit")["status"] == "accepted"
    assert money.code("bank-a", "pay", **payment(VAULT_A, EA, 1, "INTE")) == "ok"


def test_a_correction_passes_a_freeze_and_never_takes_what_is_not_there(money):
    case = {"wallet": EA, "severity": "violation", "reason": "No", "legal_basis": ["external: order 17"]}
    finding = money.ok("regulator", "open_case", **case)["id"]
    money.ok("regulator", "supervision.hold", finding=finding, reason="A risk", hold_ms=DAY_MS)
    wrong = {"from": EA, "to": EB, "amount": 100, "member": "enterprise-a", "basis": ["external: an error"]}
    assert money.decide("currency_correction", **wrong)["status"] == "accepted"
    assert (money.balance(EA), money.balance(EB)) == (39_900, 100)
    for changes, code in (
        ({"amount": 10**9}, "insufficient"),
        ({"member": "city"}, "not_yours"),
        ({"from": "bank-a/none"}, "unknown_wallet"),
        ({"to": "issuance"}, "unknown_wallet"),
        ({"from": "issuance"}, "unknown_wallet"),
    ):
        args = {"id": "no", "kind": "currency_correction", "subject": {**wrong, **changes}}
        assert money.code("regulator", "governance.propose", **args) == code


def test_a_wallet_is_of_a_legal_entity_by_a_code_that_is_right(money):
    opened = {"id": "w", "class": "corporate"}
    for holder, code in (
        ("uscc:11010519491231002X", "natural_person"),
        ("lei:11010519491231002X", "natural_person"),
        (USCC[:-1] + "M", "bad_identifier"),
        ("lei:5493001KJTIIGC8Y1R13", "bad_identifier"),
        ("member:nobody", "bad_identifier"),
        ("name:Li", "bad_identifier"),
    ):
        assert money.code("bank-a", "open_wallet", **opened, holder=holder) == code
    both = {**opened, "holder": USCC, "holder_commitment": "ab" * 32}
    assert money.code("bank-a", "open_wallet", **both) == "invalid_argument"
    assert money.code("bank-a", "open_wallet", **opened) == "invalid_argument"
    assert money.code("bank-a", "open_wallet", **{**opened, "id": "x" * 30}, holder=USCC) == "bad_identifier"
    assert money.ok("bank-a", "open_wallet", **opened, holder_commitment="ab" * 32)["authority"] == "hosted"


def test_a_wallet_that_is_paid_in_the_block_that_closes_it_stays_whole(money):
    close, pay = (
        money.sign("bank-b", "close_wallet", wallet=EB),
        money.sign("enterprise-a", "pay", **payment(EA, EB, 1)),
    )
    assert [receipt.code for receipt in money.chain.block(close, pay)] == ["ok", "closed_wallet"]
    pay, close = (
        money.sign("enterprise-a", "pay", **payment(EA, HOSTED, 1)),
        money.sign("bank-b", "close_wallet", wallet=HOSTED),
    )
    assert [receipt.code for receipt in money.chain.block(pay, close)] == ["ok", "not_empty"]


def test_a_removed_member_still_disposes_of_its_money(money):
    subject = {"member": "enterprise-b", "grounds": [{"kind": "external", "id": "A judgment"}]}
    money.ok("enterprise-a", "pay", **payment(EA, EB, 100))
    assert money.decide("remove_member", **subject)["status"] == "accepted"
    assert (
        money.code("enterprise-b", "process.define_type", id="x", version=1, title="x", object_types={}, event_types={})
        == "former_member"
    )
    assert money.code("enterprise-b", "pay", **payment(EB, EA, 60)) == "ok"


def test_a_second_unit_is_refused_with_the_notices(money):
    notice = {"id": "table1/01", "title": "Announcement", "type_document": "notice", "date_document": "2017-09"}
    money.ok("regulator", "policy.publish", **notice)
    receipt = money.submit("city", "define_unit", name="Coin", symbol="C", supply=21)
    assert (receipt.code, "the yuan" in receipt.detail) == ("virtual_currency", True)
    assert "table1/01 (not in force), table1/09 (not in the register)" in receipt.detail
    definition = {"id": "x", "version": 1, "title": "X", "event_types": {}}
    for name in ("Stable-Coin", "代币", "TOKEN"):
        refused = money.submit("city", "process.define_type", **definition, object_types={name: {}})
        assert refused.code == "virtual_currency"
    assert money.code("city", "process.define_type", **definition, object_types={"token ring": {}}) == "ok"
    for name in ("currency", "disclosure", "trade"):
        reserved = {**definition, "id": name, "object_types": {}}
        assert money.code("city", "process.define_type", **reserved) == "reserved"


# The invariant


def test_a_block_that_makes_one_fen_is_not_voted_for(money, monkeypatch):
    write = Totals.write

    def one_more(self, view):
        self.balance.credits_posted += 1
        write(self, view)

    monkeypatch.setattr(Totals, "write", one_more)
    with pytest.raises(Broken, match="currency: wallets hold 100001 fen, 100000 were issued"):
        money.submit("enterprise-a", "pay", **payment(EA, EB, 1))


def test_money_that_appears_in_a_wallet_is_seen_with_the_first_movement_after_it(money, monkeypatch):

    apply = post.apply_leg

    def generous(balance, side, movement, hashed, **more):
        apply(balance, side, movement, hashed, **more)
        balance.credits_posted += side == "credit"

    monkeypatch.setattr(post, "apply_leg", generous)
    with pytest.raises(Broken, match="currency"):
        money.submit("enterprise-a", "pay", **payment(EA, EB, 1))
