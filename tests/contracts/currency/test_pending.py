"""Pending transfers end once, on their conditions or by their time, and what is not posted goes back."""

from __future__ import annotations

import pytest

from coseal.contracts.currency.ledger import CREDIT, DEBIT, PENDING, POST, POSTED, VOID, Balance, Movement, apply_leg
from coseal.contracts.process.chain import item_hash
from coseal.ledger.render import time_text
from tests.support.currency import DAY_MS, VAULT_A, funded, payment

EA, EB, KEYED = "bank-a/ea", "bank-b/eb", "bank-a/keyed"


@pytest.fixture
def money():
    return funded()


def pend(money, amount=1_000, later_ms=DAY_MS, /, **release):
    args = {**payment(EA, EB, amount), "expires_ms": money.chain.now_ms + later_ms, "release": release}
    return money.ok("enterprise-a", "pend", **args)["pending"]


def state(money, name):
    return money.chain.get(f"currency/pending/{name[1:]}")


def test_reserved_money_is_not_spent_twice_and_goes_back_or_over(money):
    name = pend(money, 30_000)
    assert money.code("enterprise-a", "pay", **payment(EA, EB, 10_001)) == "insufficient"
    assert money.wallet(EB).balance.credits_pending == 30_000
    data = money.ok("enterprise-b", "post_pending", pending=name, amount=12_000)
    assert data["wallets"] == {EA: ["12000", "40000", "0", "0"], EB: ["0", "12000", "0", "0"]}
    assert (state(money, name)["status"], state(money, name)["posted"]) == ("posted", 12_000)
    for again in ("post_pending", "void_pending"):
        args = {"pending": name} if again == "post_pending" else {"pendings": [name]}
        assert money.code("enterprise-b", again, **args) == "unknown_pending"


def test_no_more_than_the_pending_amount_is_posted(money):
    name = pend(money)
    assert money.code("enterprise-b", "post_pending", pending=name, amount=1_001) == "insufficient"
    assert money.code("enterprise-b", "post_pending", pending=name, amount=0) == "invalid_argument"


def test_who_may_post_and_how_much_of_it(money):
    plain, payer, escrow = pend(money), pend(money, payer=True), pend(money, arbiter="regulator")
    assert money.code("enterprise-a", "post_pending", pending=plain, amount=1) == "not_yours"
    assert money.code("bank-a", "post_pending", pending=plain) == "not_yours"
    assert money.code("enterprise-a", "post_pending", pending=plain) == "ok"
    assert money.code("enterprise-b", "post_pending", pending=payer) == "not_yours"
    assert money.code("enterprise-a", "post_pending", pending=payer, amount=1) == "ok"
    for party in ("enterprise-a", "enterprise-b"):
        assert money.code(party, "post_pending", pending=escrow, amount=1) == "not_yours"
    assert money.code("regulator", "post_pending", pending=escrow, amount=1) == "ok"


def test_who_may_void_before_and_after_the_time(money):
    first, second, third = pend(money), pend(money, arbiter="regulator"), pend(money, payer=True)
    for name in (first, second, third):
        assert money.code("enterprise-a", "void_pending", pendings=[name]) == "not_yours"
    assert money.code("enterprise-b", "void_pending", pendings=[first, third]) == "ok"
    assert money.code("regulator", "void_pending", pendings=[second]) == "ok"
    assert money.wallet(EA).balance.available == 40_000


def test_voiding_many_is_all_or_nothing(money):
    names = [pend(money, 1), pend(money, 1)]
    assert money.code("enterprise-b", "void_pending", pendings=[*names, "P99"]) == "unknown_pending"
    assert money.wallet(EA).open_debits == 2
    money.ok("enterprise-b", "void_pending", pendings=names)
    assert money.wallet(EA).open_debits == 0


def test_a_thousand_small_reserves_are_given_back_at_once_by_their_payee(money):
    for _ in range(4):
        calls = [
            money.sign(
                "enterprise-a",
                "pend",
                **payment(EA, EB, 1, reference=str(at)),
                expires_ms=money.chain.now_ms + DAY_MS,
                release={},
            )
            for at in range(250)
        ]
        assert all(receipt.ok for receipt in money.chain.block(*calls))
    one_more = {**payment(EA, EB, 1), "expires_ms": money.chain.now_ms + DAY_MS, "release": {}}
    assert money.code("enterprise-a", "pend", **one_more) == "limit"
    assert money.code("bank-b", "close_wallet", wallet=EB) == "not_empty"
    names = [f"P{number}" for number in range(1, 1_001)]
    receipt = money.submit("enterprise-b", "void_pending", pendings=names)
    assert receipt.ok
    assert receipt.steps < 250_000
    money.ok("bank-b", "close_wallet", wallet=EB)


def test_time_ends_it_to_the_millisecond_and_the_chain_gives_it_back(money):
    expires_ms = money.chain.now_ms + 30_000
    args = {**payment(EA, EB, 5), "expires_ms": expires_ms, "release": {}}
    names = [money.ok("enterprise-a", "pend", **args)["pending"] for _ in range(2)]
    last, late = (money.sign("enterprise-b", "post_pending", pending=name) for name in names)
    assert money.chain.block(last, time_ms=expires_ms - 1)[0].ok
    (receipt,) = money.chain.block(late, time_ms=expires_ms)
    assert receipt.code == "expired"
    assert money.chain.begun["currency"]["expired"][0]["pending"] == names[1]
    assert (money.wallet(EA).balance.available, state(money, names[1])["status"]) == (39_995, "expired")


def test_what_the_chain_could_not_give_back_the_payer_frees(money, monkeypatch):
    def fails(*_):
        raise RuntimeError("a release does it wrongly")

    name = pend(money)
    with monkeypatch.context() as patched:
        patched.setattr("coseal.contracts.currency.pending.settle", fails)
        money.wait(2 * DAY_MS)
    assert money.chain.begun["system"]["aside"][0]["entry"] == ["pending", 1]
    assert money.wallet(EA).balance.debits_pending == 1_000
    assert money.code("enterprise-b", "post_pending", pending=name) == "expired"
    assert money.code("enterprise-a", "void_pending", pendings=[name]) == "ok"
    assert money.wallet(EA).balance.available == 40_000


@pytest.mark.parametrize("later_ms", [0, 999, 366 * DAY_MS + 2_000])
def test_a_pending_transfer_lasts_a_second_to_a_year(money, later_ms):
    args = {**payment(EA, EB, 1), "expires_ms": money.chain.now_ms + later_ms, "release": {}}
    assert money.code("enterprise-a", "pend", **args) == "bad_time"


# Conditions


def test_conditions_that_there_are_not_are_refused_by_name(money):
    args = {**payment(EA, EB, 1), "expires_ms": money.chain.now_ms + DAY_MS}
    for release in (
        {"tally": ["t", "m", 1]},
        {"tranche": ["p", 0]},
        {"tranche": "p"},
        {"unheld": True},
        {"no_finding": True},
    ):
        receipt = money.submit("enterprise-a", "pend", **args, release=release)
        assert receipt.code == "invalid_argument"
        assert next(iter(release)) in receipt.detail
    assert money.code("enterprise-a", "pend", **args, release={"arbiter": "nobody"}) == "unknown_member"


def test_a_time_and_a_confirmed_item_release_it(money):
    confirmed = money.instruct("bank-b", "1.00", confirm=False)
    hashed = item_hash(confirmed["source"], confirmed["sequence"], confirmed["item"]).hex()
    name = pend(money, 10, 30_000, after_ms=money.chain.now_ms + 10_000, confirmed=hashed)
    receipt = money.submit("enterprise-b", "post_pending", pending=name)
    assert (receipt.code, "not before" in receipt.detail) == ("not_released", True)
    money.wait(11_000)
    receipt = money.submit("enterprise-b", "post_pending", pending=name)
    assert (receipt.code, hashed in receipt.detail) == ("not_released", True)
    money.ok("central-bank", "process.attest", item=hashed, verdict="confirm")
    assert money.code("enterprise-b", "post_pending", pending=name) == "ok"


def test_an_object_without_a_finding_or_a_hold_releases_it(money):
    definition = {"id": "works", "version": 1, "title": "W", "object_types": {"site": {}}, "event_types": {"built": {}}}
    money.ok("enterprise-b", "process.define_type", **definition)
    money.ok("enterprise-b", "process.register_source", id="works", process_type="works", mode="live")
    event = {"event": "1", "type": "built", "time": time_text(money.chain.now_ms), "objects": [["site", "s"]]}
    money.ok("enterprise-b", "process.record", source="works", sequence=1, items=[event])
    place = ["works", "site", "s"]
    findings = pend(money, 10, no_finding=True, object=place)
    holds = pend(money, 10, unheld=True, object=place)
    about = {"process_type": "works", "object_type": "site", "object": "s", "subject": "enterprise-b"}
    why = {"severity": "violation", "reason": "It leaks", "legal_basis": ["external: an order"]}
    found = money.ok("regulator", "supervision.open_case", **about, **why)["id"]
    assert money.code("enterprise-b", "post_pending", pending=holds) == "ok"
    refused = money.submit("enterprise-b", "post_pending", pending=findings)
    assert (refused.code, "no_finding" in refused.detail) == ("not_released", True)
    money.ok("regulator", "supervision.acknowledge", finding=found)
    money.ok("regulator", "supervision.decide", finding=found, outcome="dismissed", reason="It does not")
    assert money.code("enterprise-b", "post_pending", pending=findings) == "ok"


# Freezes


def freeze(money, wallet=EA, **more):
    case = {"wallet": wallet, "severity": "violation", "reason": "No contract", "legal_basis": ["external: order 17"]}
    finding = money.ok("regulator", "open_case", **case)["id"]
    money.ok("regulator", "supervision.hold", finding=finding, reason="A risk", hold_ms=10 * DAY_MS, **more)
    return finding


def test_a_freeze_stops_new_debits_and_says_by_whom_and_until_when(money):
    finding = freeze(money)
    receipt = money.submit("enterprise-a", "pay", **payment(EA, EB, 1))
    assert receipt.code == "frozen"
    assert all(part in receipt.detail for part in (finding, "external: order 17", "until 20"))
    args = {**payment(EA, EB, 1), "expires_ms": money.chain.now_ms + DAY_MS, "release": {}}
    assert money.code("enterprise-a", "pend", **args) == "frozen"
    assert money.code("enterprise-b", "pay", **payment(EB, EA, 1)) == "insufficient"
    assert money.code("bank-a", "pay", **payment(VAULT_A, EA, 1)) == "ok"
    money.ok("regulator", "supervision.lift_hold", finding=finding, reason="It was settled")
    assert money.code("enterprise-a", "pay", **payment(EA, EB, 1)) == "ok"


def test_what_was_reserved_before_a_freeze_is_posted_under_it(money):
    name = pend(money, 40_000)
    freeze(money)
    assert money.code("enterprise-b", "post_pending", pending=name) == "ok"
    assert money.wallet(EA).balance.available == 0


def test_an_amount_may_be_frozen_and_the_rest_be_paid(money):
    freeze(money, amount=30_000)
    assert money.code("enterprise-a", "pay", **payment(EA, EB, 10_001)) == "frozen"
    assert money.code("enterprise-a", "pay", **payment(EA, EB, 10_000)) == "ok"
    assert money.code("enterprise-a", "pay", **payment(EA, EB, 1)) == "frozen"


def test_the_holder_contests_a_freeze_and_silence_ends_it(money):
    finding = freeze(money)
    assert money.code("bank-a", "supervision.contest_hold", finding=finding, reason="No") == "forbidden"
    contested = money.ok("enterprise-a", "supervision.contest_hold", finding=finding, reason="Wages are due")
    money.wait(contested["deadline_ms"] - money.chain.executor.time_ms)
    assert money.code("enterprise-a", "pay", **payment(EA, EB, 1)) == "ok"


def test_for_a_customer_that_is_no_member_its_institution_answers(money):
    finding = freeze(money, KEYED)
    assert money.ok("bank-a", "supervision.contest_hold", finding=finding, reason="No")["finding"] == finding
    assert (
        money.code(
            "bank-a",
            "open_case",
            wallet=KEYED,
            severity="warning",
            reason="x",
            legal_basis=["external: y"],
        )
        == "forbidden"
    )


# As TigerBeetle documents them

STEPS = {
    "posted": [(POSTED, 5, 0)],
    "pending": [(PENDING, 5, 0)],
    "pending then posted": [(PENDING, 5, 0), (POST, 5, 5)],
    "pending then posted in part": [(PENDING, 5, 0), (POST, 2, 5)],
    "pending then voided": [(PENDING, 5, 0), (VOID, 0, 5)],
}
TOTALS = {
    "posted": (5, 0),
    "pending": (0, 5),
    "pending then posted": (5, 0),
    "pending then posted in part": (2, 0),
    "pending then voided": (0, 0),
}


@pytest.mark.parametrize("name", STEPS)
def test_two_phases_leave_what_double_entry_says(name):
    debit, credit = Balance(credits_posted=10), Balance()
    for number, (kind, amount, reserved) in enumerate(STEPS[name], 1):
        movement = Movement(number, 1, 1, kind, "a/1", "a/2", amount, reserved)
        apply_leg(debit, DEBIT, movement, movement.hash)
        apply_leg(credit, CREDIT, movement, movement.hash)
    assert (debit.debits_posted, debit.debits_pending) == TOTALS[name]
    assert (credit.credits_posted, credit.credits_pending) == TOTALS[name]
    assert (debit.head, debit.count) == (credit.head, credit.count)
