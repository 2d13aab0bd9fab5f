"""Payments move what is there, by who may, within limits; a batch is its payments, or nothing if it is linked."""

from __future__ import annotations

import pytest

from coseal.contracts.currency.ledger import MAX_AMOUNT, Balance
from tests.support.currency import DAY_MS, VAULT_A, funded, payment

EA, EB, KEYED, HOSTED = "bank-a/ea", "bank-b/eb", "bank-a/keyed", "bank-b/hosted"
NONE = {"single_max": None, "day_max": None, "year_max": None, "balance_max": None}


@pytest.fixture
def money():
    return funded()


def test_a_payment_crosses_institutions_and_says_the_totals_after_it(money):
    data = money.ok("enterprise-a", "pay", **payment(EA, EB, 1_250, reference="May", about=["t", "case", "1"]))
    assert data["wallets"] == {EA: ["1250", "40000", "0", "0"], EB: ["0", "1250", "0", "0"]}
    assert (money.balance(EA), money.balance(EB)) == (38_750, 1_250)
    assert data["first"] == data["last"] == 4
    assert [money.chain.get(f"currency/institution/{bank}")[0] for bank in ("bank-a", "bank-b")] == [48_750, 1_250]


@pytest.mark.parametrize(
    ("sender", "args", "code"),
    [
        ("enterprise-b", payment(EA, EB, 1), "not_yours"),
        ("bank-a", payment(EA, EB, 1), "not_yours"),
        ("enterprise-a", payment(EA, EA, 1), "same_wallet"),
        ("enterprise-a", payment(EA, "bank-b/none", 1), "unknown_wallet"),
        ("enterprise-a", payment("bank-b/none", EA, 1), "unknown_wallet"),
        ("enterprise-a", payment(EA, EB, 40_001), "insufficient"),
        ("enterprise-a", payment(EA, "bank-b/vault", 1), "other_institution"),
        ("bank-a", payment(VAULT_A, EB, 1), "other_institution"),
        ("bank-a", payment(VAULT_A, EA, 1, "INTE"), "interest_forbidden"),
        ("bank-a", payment(KEYED, EA, 1), "not_yours"),
        ("enterprise-a", payment(EA, EB, 0), "invalid_argument"),
        ("enterprise-a", payment(EA, EB, -1), "invalid_argument"),
        ("enterprise-a", payment(EA, EB, MAX_AMOUNT + 1), "invalid_argument"),
        ("enterprise-a", payment(EA, EB, True), "invalid_argument"),
        ("enterprise-a", payment(EA, EB, "5"), "invalid_argument"),
        ("enterprise-a", payment("issuance", EB, 1), "unknown_wallet"),
        ("enterprise-a", payment(EA, "issuance", 1), "unknown_wallet"),
    ],
)
def test_a_refused_payment_changes_nothing(money, sender, args, code):
    keys = [f"currency/wallet/{name}" for name in (EA, EB, KEYED, HOSTED, VAULT_A)] + ["currency/totals"]
    before = {key: money.chain.get(key) for key in keys}
    assert money.code(sender, "pay", **args) == code
    assert {key: money.chain.get(key) for key in keys} == before


def test_interest_between_companies_is_not_the_ledgers_matter(money):
    assert money.code("enterprise-a", "pay", **payment(EA, EB, 1, "INTE")) == "ok"


def test_a_wallet_without_key_is_its_institutions_to_run(money):
    money.ok("enterprise-a", "pay", **payment(EA, HOSTED, 100))
    assert money.code("bank-a", "pay", **payment(HOSTED, EA, 1)) == "not_yours"
    assert money.code("bank-b", "pay", **payment(HOSTED, EA, 1)) == "ok"


def test_a_double_spend_in_one_block_is_refused_once(money):
    spends = [money.sign("enterprise-a", "pay", **payment(EA, name, 40_000)) for name in (EB, KEYED)]
    assert [receipt.code for receipt in money.chain.block(*spends)] == ["ok", "insufficient"]
    assert money.balance(EA) == 0


# Batches


def test_a_batch_refuses_each_item_alone_in_order(money):
    items = [
        payment(EA, EB, 30_000),
        payment(EA, EB, 20_000),
        payment(EB, EA, 1),
        payment(EA, "bank-b/none", 1),
        payment(EA, KEYED, 10_000),
    ]
    data = money.ok("enterprise-a", "pay_batch", items=items, linked=False)
    assert data["refused"] == [[1, "insufficient"], [2, "not_yours"], [3, "unknown_wallet"]]
    assert data["last"] - data["first"] == 1
    assert (money.balance(EA), money.balance(EB), money.balance(KEYED)) == (0, 30_000, 20_000)


def test_a_linked_batch_is_refused_with_its_first_refusal(money):
    items = [payment(EA, EB, 30_000), payment(EA, EB, 20_000)]
    receipt = money.submit("enterprise-a", "pay_batch", items=items, linked=True)
    assert (receipt.code, receipt.detail.startswith("args.items[1]: ")) == ("insufficient", True)
    assert money.balance(EA) == 40_000
    money.ok("enterprise-a", "pay_batch", items=[items[0], payment(EB, EA, 1)][:1], linked=True)


def test_money_that_a_batch_brings_can_be_paid_on_in_it(money):
    items = [payment(EA, "bank-a/second", 40_000), payment("bank-a/second", EB, 40_000)]
    money.open("bank-a/second", "member:enterprise-a")
    money.ok("enterprise-a", "pay_batch", items=items, linked=True)
    assert (money.balance("bank-a/second"), money.balance(EB)) == (0, 40_000)


def test_a_batch_in_which_everything_is_refused_moves_nothing(money):
    data = money.ok("enterprise-a", "pay_batch", items=[payment(EB, EA, 1)], linked=False)
    assert data == {"refused": [[0, "not_yours"]], "wallets": {}}


def test_a_full_batch_has_its_steps(money):
    items = [payment(EA, EB, 1, reference="r" * 20)] * 1_000
    receipt = money.submit("enterprise-a", "pay_batch", items=items, linked=True)
    assert receipt.ok
    assert 100_000 < receipt.steps < 200_000


# Limits

MIDNIGHT_MS = 1_700_064_000_000
"""2023-11-16 at 00:00 UTC+08:00."""


def test_a_day_begins_at_midnight_in_beijing(money):
    money.ok("enterprise-a", "reclass_wallet", wallet=EA, limits={**NONE, "day_max": 1_000})
    money.wait(MIDNIGHT_MS - 10_000 - money.chain.executor.time_ms)
    first = money.sign("enterprise-a", "pay", **payment(EA, EB, 1_000))
    assert money.chain.block(first, time_ms=MIDNIGHT_MS - 2)[0].ok
    refused = money.sign("enterprise-a", "pay", **payment(EA, EB, 1))
    (receipt,) = money.chain.block(refused, time_ms=MIDNIGHT_MS - 1)
    assert (receipt.code, receipt.detail) == ("over_limit", f"{EA}: day_max is 10.00, 0.00 are left")
    late = money.sign("enterprise-a", "pay", **payment(EA, EB, 1_000))
    assert money.chain.block(late, time_ms=MIDNIGHT_MS)[0].ok


def test_a_year_ends_on_its_last_evening(money):
    new_year_ms = 1_704_038_400_000  # 2024-01-01 at 00:00 UTC+08:00
    money.ok("enterprise-a", "reclass_wallet", wallet=EA, limits={**NONE, "year_max": 1_000})
    money.wait(new_year_ms - 5_000 - money.chain.executor.time_ms)
    assert money.code("enterprise-a", "pay", **payment(EA, EB, 1_000)) == "ok"
    assert money.code("enterprise-a", "pay", **payment(EA, EB, 1)) == "over_limit"
    money.wait(10_000)
    assert money.code("enterprise-a", "pay", **payment(EA, EB, 1_000)) == "ok"


def test_a_pending_transfer_uses_a_limit_when_money_is_reserved_and_never_fails_on_one_later(money):
    money.ok("enterprise-a", "reclass_wallet", wallet=EA, limits={**NONE, "day_max": 1_000})
    money.ok("enterprise-b", "reclass_wallet", wallet=EB, limits={**NONE, "balance_max": 1_000})
    later = {"expires_ms": money.chain.now_ms + 3 * DAY_MS, "release": {}}
    first = money.ok("enterprise-a", "pend", **payment(EA, EB, 900), **later)["pending"]
    assert money.code("enterprise-a", "pend", **payment(EA, EB, 101), **later) == "over_limit"
    assert money.code("enterprise-a", "pay", **payment(EA, EB, 101)) == "over_limit"
    money.ok("enterprise-b", "void_pending", pendings=[first])
    assert money.code("enterprise-a", "pay", **payment(EA, EB, 101)) == "over_limit"  # a void gives no limit back
    money.wait(2 * DAY_MS)
    second = money.ok("enterprise-a", "pend", **payment(EA, EB, 1_000), **later)["pending"]
    money.ok("enterprise-a", "reclass_wallet", wallet=EA, limits={**NONE, "day_max": 1})
    assert money.code("enterprise-b", "post_pending", pending=second) == "ok"


def test_what_is_reserved_counts_in_what_a_wallet_may_hold(money):
    money.ok("enterprise-b", "reclass_wallet", wallet=EB, limits={**NONE, "balance_max": 1_000})
    later = {"expires_ms": money.chain.now_ms + DAY_MS, "release": {}}
    money.ok("enterprise-a", "pend", **payment(EA, EB, 600), **later)
    assert money.code("enterprise-a", "pay", **payment(EA, EB, 401)) == "receiver_over_limit"
    assert money.code("enterprise-a", "pay", **payment(EA, EB, 400)) == "ok"
    over = {"wallet": EB, "limits": {**NONE, "balance_max": 999}}
    assert money.code("enterprise-b", "reclass_wallet", **over) == "over_limit"


def test_an_institution_does_not_starve_a_wallet_of_another(money):
    starved = {**NONE, "single_max": 0}
    assert money.code("bank-a", "reclass_wallet", wallet=EA, limits=starved) == "not_yours"
    assert money.code("bank-a", "reclass_wallet", wallet=KEYED, limits=starved) == "not_yours"
    assert money.code("bank-b", "reclass_wallet", wallet=HOSTED, limits=starved) == "ok"


def test_gross_totals_go_beyond_64_bit(money):
    """What two wallets pay to and fro is more than 64 bit hold, though neither ever has more than 62."""
    balance = Balance(2**90, 2**90 + 5, 0, 0, 7)
    assert Balance.decoded(balance.encoded()) == balance
    assert balance.encoded()[0] == (2**90).to_bytes(16, "big")
    assert (balance.posted, balance.texts()[0]) == (5, str(2**90))
