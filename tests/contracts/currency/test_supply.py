"""Money is made by the central bank alone, once for each confirmed instruction, and goes back the same way."""

from __future__ import annotations

import pytest

from coseal.contracts.currency.ledger import MAX_ISSUED
from coseal.contracts.currency.supply import REDEEM_MS, fen_of
from coseal.contracts.process.chain import item_hash
from tests.support.currency import VAULT_A, Money, funded, payment

ISSUER = "central-bank/issuer"


@pytest.fixture
def money():
    found = Money()
    found.found()
    return found


def test_what_is_issued_is_in_the_vault_of_who_recorded_the_instruction(money):
    data = money.issue("bank-b", "12.50")
    assert (data["institution"], data["amount"]) == ("bank-b", 1_250)
    assert money.balance("bank-b/vault") == money.issued == money.totals.balance.posted == 1_250
    assert money.chain.get("currency/institution/bank-b")[:3] == [0, 1_250, 1]


def test_nobody_but_the_central_bank_issues_and_not_who_attested(money):
    args = money.instruct("bank-a", "1.00")
    assert money.code("bank-a", "issue", **args) == "forbidden"
    assert money.code("enterprise-a", "issue", **args) == "forbidden"
    assert money.code("central-bank", "issue", **args) == "same_person"
    assert money.submit(ISSUER, "issue", **args).ok
    assert money.code(ISSUER, "issue", **args) == "already_used"
    assert money.issued == 100


def test_two_items_about_one_instruction_issue_once(money):
    first, second = (money.instruct("bank-a", amount, instruction="X") for amount in ("1.00", "2.00"))
    assert money.submit(ISSUER, "issue", **first).ok
    assert money.code(ISSUER, "issue", **second) == "already_used"
    other = money.instruct("bank-b", "1.00", instruction="X")
    assert money.submit(ISSUER, "issue", **other).ok  # ids are an institution's own


def test_an_instruction_that_was_altered_disputed_or_is_anothers_issues_nothing(money):
    args = money.instruct("bank-a", "1.00")
    more = {**args["item"], "attributes": {**args["item"]["attributes"], "amount": "100.00"}}
    assert money.code(ISSUER, "issue", **{**args, "item": more}) == "not_attested"
    assert money.code(ISSUER, "issue", **{**args, "source": "bank-b/reserves"}) == "not_attested"
    assert money.code(ISSUER, "issue", **{**args, "sequence": 2}) == "not_attested"
    assert money.code(ISSUER, "issue", **money.instruct("bank-a", "1.00", confirm=False)) == "not_attested"


@pytest.mark.parametrize(
    "changes",
    [
        {"direction": "redeem"},
        {"currency": "USD"},
        {"amount": "1"},
        {"amount": "1.000"},
        {"amount": "-1.00"},
        {"amount": "0.00"},
        {"amount": "1e2"},
        {"amount": "10000000000000.01"},
        {"instruction": ""},
        {"instruction": "x" * 36},
    ],
)
def test_an_instruction_says_a_direction_the_yuan_and_an_amount_with_two_decimals(money, changes):
    args = money.instruct("bank-a", **{"amount": "1.00", **changes})
    assert money.code(ISSUER, "issue", **args) == "bad_instruction"
    assert money.issued == 0


def test_an_amount_is_read_from_its_text_alone():
    read = {"1.00": 100, "0.01": 1, "10000000000000.00": 10**15, "01.00": None, ".50": None, "1.0": None, "٣.00": None}
    assert {text: fen_of(text) for text in read} == read
    assert [fen_of(value) for value in (1.0, 100, None, True, b"1.00")] == [None] * 5


def test_an_instruction_of_another_process_type_issues_nothing(money):
    definition = {"id": "fake", "version": 1, "title": "F", "object_types": {"account": {}}}
    attributes = dict.fromkeys(("direction", "amount", "currency", "instruction"), "string")
    events = {"Reserve instruction": {"attributes": attributes}}
    money.ok("bank-a", "process.define_type", **definition, event_types=events)
    money.ok("bank-a", "process.register_source", id="fake", process_type="fake", mode="live")
    args = money.instruct("bank-a", "1.00", confirm=False)
    item = args["item"]
    money.ok("bank-a", "process.record", source="fake", sequence=1, items=[item])
    hashed = item_hash("bank-a/fake", 1, item).hex()
    money.ok("central-bank", "process.attest", item=hashed, verdict="confirm")
    assert money.code(ISSUER, "issue", source="bank-a/fake", sequence=1, item=item) == "bad_instruction"


def test_no_more_is_in_circulation_than_fits(money, monkeypatch):
    monkeypatch.setattr("coseal.contracts.currency.supply.MAX_ISSUED", 150)
    money.issue("bank-a", "1.00")
    assert money.code(ISSUER, "issue", **money.instruct("bank-a", "0.51")) == "limit"
    money.issue("bank-a", "0.50")
    assert MAX_ISSUED == 4 * 10**18


# Redemption


def test_what_is_redeemed_is_gone_when_it_is_settled():
    money = funded()
    redemption = money.ok("bank-a", "redeem", amount=30_000)["redemption"]
    assert money.wallet(VAULT_A).balance.available == 20_000
    assert money.code("bank-a", "pay", **payment(VAULT_A, "bank-a/ea", 20_001)) == "insufficient"
    assert money.code("bank-a", "settle_redeem", redemption=redemption) == "forbidden"
    money.ok("central-bank", "settle_redeem", redemption=redemption)
    assert (money.balance(VAULT_A), money.issued) == (20_000, 70_000)
    assert money.code("central-bank", "settle_redeem", redemption=redemption) == "unknown_pending"


def test_a_redemption_is_not_posted_or_voided_as_a_transfer_is():
    money = funded()
    redemption = money.ok("bank-a", "redeem", amount=1)["redemption"]
    assert money.code("bank-a", "post_pending", pending=redemption) == "unknown_pending"
    assert money.code("bank-a", "void_pending", pendings=[redemption]) == "unknown_pending"
    money.ok("central-bank", "void_redeem", redemption=redemption)
    assert money.wallet(VAULT_A).balance.available == 50_000


def test_a_redemption_ends_by_itself_and_not_one_ms_later_is_it_settled():
    money = funded()
    data = money.ok("bank-a", "redeem", amount=500)
    money.wait(data["expires_ms"] - 30_000 - money.chain.executor.time_ms)
    settled = money.sign("central-bank", "settle_redeem", redemption=data["redemption"])
    receipts = money.chain.block(settled, time_ms=data["expires_ms"])
    assert receipts[0].code == "expired"
    assert money.chain.begun["currency"]["expired"][0]["pending"] == data["redemption"]
    assert (money.wallet(VAULT_A).balance.available, REDEEM_MS) == (50_000, 5 * 86_400_000)


# Institutions


def test_a_successor_runs_the_wallets_of_a_dismissed_institution_and_not_its_vault():
    money = funded()
    money.ok("bank-b", "open_wallet", **{"id": "ours", "class": "corporate", "holder": "member:enterprise-a"})
    assert money.code("bank-a", "dismiss_institution", member="bank-b", successor="bank-a") == "forbidden"
    assert money.code("central-bank", "dismiss_institution", member="bank-b", successor="city") == "not_an_institution"
    money.ok("central-bank", "dismiss_institution", member="bank-b", successor="bank-a")
    opened = {"id": "new", "class": "corporate", "holder": "member:enterprise-a"}
    assert money.code("bank-b", "open_wallet", **opened) == "not_an_institution"
    assert money.code("bank-b", "close_wallet", wallet="bank-b/ours") == "not_yours"
    money.ok("bank-a", "close_wallet", wallet="bank-b/ours")
    assert money.code("bank-a", "redeem", amount=1) == "ok"
    money.ok("bank-a", "pay", **payment(VAULT_A, "bank-b/vault", 100, "CASH"))
    money.ok("bank-b", "redeem", amount=100)


def test_only_a_bank_is_admitted_once(money):
    assert money.code("central-bank", "admit_institution", member="enterprise-a") == "not_a_bank"
    assert money.code("central-bank", "admit_institution", member="central-bank") == "not_a_bank"
    assert money.code("central-bank", "admit_institution", member="nobody") == "not_a_bank"
    assert money.code("central-bank", "admit_institution", member="bank-a") == "exists"
    assert money.code("regulator", "admit_institution", member="bank-a") == "forbidden"
