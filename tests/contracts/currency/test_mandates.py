"""A key guards its wallet: what it signed is done as it signed it, once, by whoever carries it, and nothing else."""

from __future__ import annotations

import pytest

from coseal.contracts.currency.authority import MANDATE_MS
from coseal.contracts.currency.wallets import LOST_KEY_MS, OBJECTION_MS
from tests.support.currency import DAY_MS, funded, payment
from tests.support.keys import signer

KEYED, EA = "bank-a/keyed", "bank-a/ea"
PAY = payment(KEYED, EA, 100)


@pytest.fixture
def money():
    return funded()


def test_any_member_carries_a_mandate_and_it_is_used_once(money):
    mandate = money.mandate(KEYED, "pay", PAY)
    assert money.code("city", "pay", **PAY, mandate=mandate) == "ok"
    assert money.code("city", "pay", **PAY, mandate=mandate) == "bad_mandate"
    assert (money.balance(KEYED), money.wallet(KEYED).nonce) == (9_900, 1)


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": 101},
        {"to": "bank-b/eb"},
        {"code": "OTHR"},
        {"reference": "x"},
        {"end_to_end": "x"},
        {"about": ["a", "b", "c"]},
    ],
)
def test_a_carrier_changes_nothing(money, changes):
    mandate = money.mandate(KEYED, "pay", PAY)
    assert money.code("bank-a", "pay", **{**PAY, **changes}, mandate=mandate) == "bad_mandate"
    assert money.wallet(KEYED).nonce == 0


def test_a_payment_is_not_made_an_escrow_nor_carried_for_another_wallet_or_chain(money):
    mandate = money.mandate(KEYED, "pay", PAY)
    escrow = {**PAY, "expires_ms": money.chain.now_ms + DAY_MS, "release": {"arbiter": "bank-a"}}
    assert money.code("bank-a", "pend", **escrow, mandate=mandate) == "bad_mandate"
    money.keyed("bank-b/keyed")
    assert money.code("bank-a", "pay", **{**PAY, "from": "bank-b/keyed"}, mandate=mandate) == "bad_mandate"
    other = money.mandate(KEYED, "pay", PAY, chain_id=b"\1" * 32)
    assert money.code("bank-a", "pay", **PAY, mandate=other) == "bad_mandate"
    foreign = money.mandate(KEYED, "pay", PAY, key="other")
    assert money.code("bank-a", "pay", **PAY, mandate=foreign) == "bad_mandate"


def test_a_mandate_is_for_its_time_and_its_turn(money):
    now_ms = money.chain.now_ms
    for until_ms, code in ((now_ms, "bad_mandate"), (now_ms + MANDATE_MS + 2_000, "bad_mandate")):
        late = money.mandate(KEYED, "pay", PAY, until_ms=until_ms)
        assert money.code("city", "pay", **PAY, mandate=late) == code
    skipped = money.mandate(KEYED, "pay", PAY, nonce=2)
    assert money.code("city", "pay", **PAY, mandate=skipped) == "bad_mandate"
    assert money.code("city", "pay", **PAY, mandate=money.mandate(KEYED, "pay", PAY)) == "ok"


def test_what_others_do_spoils_no_mandate(money):
    mandate = money.mandate(KEYED, "pay", PAY)
    money.ok("enterprise-a", "pay", **payment(EA, KEYED, 5))
    refused = {**PAY, "amount": 10**9}
    assert money.code("city", "pay", **refused, mandate=money.mandate(KEYED, "pay", refused)) == "insufficient"
    assert money.code("city", "pay", **PAY, mandate=mandate) == "ok"


def test_a_wallet_without_key_takes_no_mandate(money):
    args = payment(EA, KEYED, 1)
    assert money.code("enterprise-a", "pay", **args, mandate=money.mandate(EA, "pay", args)) == "bad_mandate"


def test_a_batch_has_one_mandate_for_each_keyed_wallet_over_its_own_items(money):
    money.keyed("bank-b/keyed", "second")
    money.ok("enterprise-a", "pay", **payment(EA, "bank-b/keyed", 500))
    items = [payment(KEYED, EA, 1), payment("bank-b/keyed", EA, 2), payment(KEYED, EA, 3), payment(EA, KEYED, 4)]
    mandates = {
        KEYED: money.mandate(KEYED, "pay_batch", {"linked": True, "items": [items[0], items[2]]}),
        "bank-b/keyed": money.mandate("bank-b/keyed", "pay_batch", {"linked": True, "items": [items[1]]}, key="second"),
    }
    args = {"items": items, "linked": True, "mandates": mandates}
    assert money.code("enterprise-a", "pay_batch", **{**args, "linked": False}) == "ok"  # its own item alone
    assert (money.balance(KEYED), money.wallet(KEYED).nonce) == (10_004, 0)
    more = {**args, "items": [*items, payment(KEYED, EA, 1)]}
    assert money.code("enterprise-a", "pay_batch", **more) == "bad_mandate"
    assert money.code("enterprise-a", "pay_batch", **args) == "ok"
    assert [money.wallet(name).nonce for name in (KEYED, "bank-b/keyed")] == [1, 1]
    unused = {"items": items[3:], "linked": True, "mandates": mandates}
    assert money.code("enterprise-a", "pay_batch", **unused) == "bad_mandate"


# Keys


def test_a_key_is_replaced_at_once_by_its_own_mandate(money):
    args = {"wallet": KEYED, "key": signer("next").public_key.hex()}
    assert money.carry("city", KEYED, "rekey_wallet", **args).ok
    assert money.code("city", "pay", **PAY, mandate=money.mandate(KEYED, "pay", PAY)) == "bad_mandate"
    assert money.code("city", "pay", **PAY, mandate=money.mandate(KEYED, "pay", PAY, key="next")) == "ok"


def test_a_lost_key_is_replaced_after_seven_days_by_who_runs_the_wallet(money):
    args = {"wallet": KEYED, "key": signer("next").public_key.hex()}
    assert money.code("bank-b", "rekey_wallet", **args) == "not_yours"
    assert money.code("bank-a", "rekey_wallet", **{**args, "wallet": EA}) == "not_yours"
    money.ok("bank-a", "rekey_wallet", **args)
    assert money.code("bank-a", "rekey_wallet", **args) == "change_pending"
    assert money.wait(LOST_KEY_MS - 3_000) == {}
    assert money.code("city", "pay", **PAY, mandate=money.mandate(KEYED, "pay", PAY)) == "ok"
    assert money.wait(10_000) == {"rekeyed": [args]}
    assert money.code("city", "pay", **PAY, mandate=money.mandate(KEYED, "pay", PAY, key="next")) == "ok"


def test_an_institution_that_takes_a_key_is_stopped_by_it(money):
    args = {"wallet": KEYED, "key": signer("thief").public_key.hex()}
    money.ok("bank-a", "rekey_wallet", **args)
    stolen = money.mandate(KEYED, "keep_key", {"wallet": KEYED}, key="thief")
    assert money.code("bank-a", "keep_key", wallet=KEYED, mandate=stolen) == "bad_mandate"
    assert money.carry("city", KEYED, "keep_key", wallet=KEYED).ok
    assert money.carry("city", KEYED, "keep_key", wallet=KEYED).code == "no_change"
    assert money.code("bank-a", "rekey_wallet", **args) == "objected"
    assert money.wait(LOST_KEY_MS) == {}
    money.wait(OBJECTION_MS - LOST_KEY_MS)
    assert money.code("bank-a", "rekey_wallet", **args) == "ok"
