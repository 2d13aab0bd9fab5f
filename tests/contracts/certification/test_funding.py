"""Tranches: pledged by their funders, shown by their milestones, released in order while a certificate is in force."""

from __future__ import annotations

from typing import Any

import pytest

from coseal.contracts.certification.projects import TRANCHE_STEPS
from coseal.contracts.certification.state import funds_key, tranche_key, used_key
from coseal.contracts.kernel.budget import RAW_BYTES_A_STEP
from coseal.contracts.process.chain import item_hash
from coseal.ledger.render import time_text
from tests.support.chain import Chain
from tests.support.currency import Money, payment
from tests.support.panelled import APPLICANT, DAY_MS, SMALL, Panelled, review

FUNDER, ATTESTER = "enterprise-b", "city"
SITE = ["works", "site", "S1"]
FIRST = {"amount": 10_000, "funder": FUNDER, "milestone": {"object": SITE, "event": "built", "members": [ATTESTER]}}
BY_COUNT = {"object": SITE, "tally": {"name": "built", "least": 2}, "members": [ATTESTER]}
SECOND = {"amount": 5_000, "funder": FUNDER, "milestone": BY_COUNT}
PAYEE, PAYER = "bank-a/ea", "bank-b/eb"
TYPE = {
    "id": "works",
    "version": 1,
    "title": "Works",
    "object_types": {"site": {}},
    "event_types": {"built": {}, "seen": {}},
    "tallies": {"site": {"built": [{"on": "built", "add": 1}]}},
}
Data = dict[str, Any]


class Funded(Panelled):
    """``clearing`` with two tranches, and what records works on a site."""

    def __init__(self, *, money: bool = False, chain: Chain | None = None) -> None:
        super().__init__(money=money, chain=chain)
        self.items: dict[str, int] = {}
        self.ok(APPLICANT, "process.define_type", **TYPE)
        for member in (APPLICANT, ATTESTER):
            self.ok(member, "process.register_source", id="works", process_type="works", mode="live")

    def applied(self) -> Funded:
        self.admitted(tranches=[FIRST, SECOND])
        return self

    def certified(self, outcome: str = "certified") -> Funded:
        self.applied().reviewed().decided(outcome)
        return self

    def event(self, member: str = APPLICANT, kind: str = "built", counterparty: str = ATTESTER, **more: Any) -> Data:
        """Record an event about the site; return how a claim shows it."""
        sequence = self.items[member] = self.items.get(member, 0) + 1
        item = {"event": str(sequence), "type": kind, "time": time_text(self.chain.now_ms), "objects": [SITE[1:]]}
        item |= {"counterparty": counterparty, **more}
        self.ok(member, "process.record", source="works", sequence=sequence, items=[item])
        return {"source": f"{member}/works", "sequence": sequence, "item": item}

    def attested(self, member: str = ATTESTER, **more: Any) -> Data:
        shown = self.event(counterparty=member, **more)
        self.ok(member, "process.attest", item=hash_of(shown), verdict="confirm")
        return shown

    def pledge(self, number: int = 1, **more: Any) -> str:
        return self.code(FUNDER, "pledge", project="clearing", tranche=number, **more)

    def claim(self, number: int = 1, *items: Data) -> str:
        shown = {"items": list(items)} if items else {}
        return self.code(APPLICANT, "claim_milestone", project="clearing", tranche=number, **shown)

    def release(self, number: int = 1) -> str:
        return self.code(FUNDER, "release", project="clearing", tranche=number)

    @property
    def funds(self) -> Data:
        return dict(self.chain.get(funds_key("rationality")))


def hash_of(shown: Data) -> str:
    return item_hash(shown["source"], shown["sequence"], shown["item"]).hex()


def sums(planned: int, released: int, kept_back: int = 0) -> Data:
    return {"planned": planned, "released": released, "withheld_by_refusal": kept_back}


@pytest.fixture
def scene() -> Funded:
    return Funded().certified()


# Who is named


@pytest.mark.parametrize("named", ["nobody", APPLICANT, "bank-a"])
def test_who_takes_part_neither_pays_nor_attests(named: str) -> None:
    scene = Funded()
    code = "unknown_member" if named == "nobody" else "own_case"
    milestone = {**FIRST["milestone"], "members": [ATTESTER, named]}
    for tranche in ({**FIRST, "funder": named}, {**FIRST, "milestone": milestone}):
        args = {"title": "C", "scheme": "rationality", "kind": "public_chain", "framework_sha256": "cd" * 32}
        given = {"project": "c", "parties": ["bank-a"], **args, "tranches": [tranche]}
        assert scene.code(APPLICANT, "apply", **given) == code
    wrong = [{**FIRST, "milestone": {**FIRST["milestone"], "tally": {"name": "built", "least": 1}}}]
    assert scene.code(APPLICANT, "apply", **{**given, "tranches": wrong}) == "invalid_argument"


def test_each_tranche_that_is_applied_for_has_its_price() -> None:
    scene = Funded()
    args = {"title": "C", "scheme": "rationality", "kind": "public_chain", "framework_sha256": "cd" * 32}

    def steps(count: int) -> int:
        """Return what an application that is refused for its first tranche takes beside its bytes."""
        tranches = [{**FIRST, "funder": APPLICANT}] * count
        signed = scene.chain.sign(
            f"{APPLICANT}/admin", "certification.apply", {"project": "c", "tranches": tranches, **args}
        )
        receipt = scene.chain.block(signed)[-1]
        assert receipt.code == "own_case"
        return receipt.steps - len(signed.raw) // RAW_BYTES_A_STEP

    assert steps(32) - steps(1) == 31 * TRANCHE_STEPS


def test_a_funder_has_an_interest_so_it_neither_acts_nor_reviews() -> None:
    scene = Funded()
    scene.sealed(tranches=[{**FIRST, "funder": "regulator"}])
    assert scene.code("regulator", "admit", project="clearing") == "own_case"
    scene.ok("institute-a", "admit", project="clearing")
    assert scene.round["seeders"] == [APPLICANT, "institute-a"]
    scene.drawn()
    assert "regulator" not in {name.partition("/")[0] for name in scene.panel}


# Pledges


def test_a_tranche_is_a_wish_until_its_funder_pledges_it_once(scene: Funded) -> None:
    assert scene.chain.get(funds_key("rationality")) is None
    assert scene.code("regulator", "pledge", project="clearing", tranche=1) == "not_funder"
    assert scene.pledge(3) == "unknown_tranche"
    assert (scene.pledge(1), scene.pledge(2), scene.pledge(1)) == ("ok", "ok", "pledged")
    assert scene.funds == sums(15_000, 0)
    assert scene.record["planned"] == 15_000
    assert scene.chain.get(tranche_key("clearing", 1))["status"] == "pledged"


def test_a_refusal_keeps_money_back_until_the_second_panel_certifies() -> None:
    scene = Funded().applied()
    scene.pledge(1)
    scene.reviewed(lambda name: review(Default_Test="refuted")).decided("refused")
    assert scene.funds == sums(10_000, 0, 10_000)
    scene.pledge(2)
    assert scene.funds == sums(15_000, 0, 15_000)
    scene.ok(APPLICANT, "appeal", project="clearing", reason="It was repeated")
    assert scene.funds == sums(15_000, 0)
    scene.reviewed(turn=1)
    assert (scene.record["status"], scene.funds) == ("certified", sums(15_000, 0))


def test_what_is_over_is_not_pledged(scene: Funded) -> None:
    scene.wait(SMALL["validity_ms"])
    assert scene.record["status"] == "expired"
    assert scene.pledge() == "wrong_step"


# Milestones


def test_a_milestone_is_shown_by_an_event_that_a_named_member_confirmed(scene: Funded) -> None:
    shown = scene.event()
    assert scene.claim(1, shown) == "not_pledged"
    scene.pledge()
    assert scene.claim(1) == "not_attested"
    assert scene.claim(1, shown) == "not_attested"
    scene.ok(ATTESTER, "process.attest", item=hash_of(shown), verdict="dispute", reason="No", attested=shown["item"])
    assert scene.claim(1, shown) == "not_attested"
    scene.ok(ATTESTER, "process.attest", item=hash_of(shown), verdict="confirm", attested=shown["item"])
    assert scene.claim(1, {**shown, "sequence": 9}) == "not_attested"
    assert scene.claim(1, {**shown, "item": {**shown["item"], "type": "seen"}}) == "not_attested"
    assert scene.code("bank-a", "claim_milestone", project="clearing", tranche=1, items=[shown]) == "not_applicant"
    assert scene.claim(1, shown, shown) == "used"
    assert scene.claim(1, shown) == "ok"
    assert scene.chain.get(used_key(hash_of(shown))) == ["clearing", 1]
    assert scene.claim(1, shown) == "claimed"


def test_what_others_confirm_or_what_is_about_something_else_shows_nothing(scene: Funded) -> None:
    scene.pledge()
    for shown, code in (
        (scene.attested("bank-c"), "not_attested"),
        (scene.attested(kind="seen"), "wrong_item"),
        (scene.attested(objects=[["site", "S2"]]), "wrong_item"),
    ):
        assert scene.claim(1, shown) == code


def test_an_item_serves_once_in_any_project(scene: Funded) -> None:
    scene.pledge()
    shown = scene.attested()
    assert scene.claim(1, shown) == "ok"
    scene.apply("other", tranches=[FIRST])
    scene.ok(FUNDER, "pledge", project="other", tranche=1)
    other: Data = {"project": "other", "tranche": 1, "items": [shown]}
    assert scene.code(APPLICANT, "claim_milestone", **other) == "used"


def test_a_tally_is_reached_by_the_counts_of_both_sides(scene: Funded) -> None:
    scene.pledge(2)
    shown = [scene.attested(), scene.attested()]
    assert scene.claim(2, shown[0]) == "wrong_item"
    assert scene.claim(2) == "not_reached"
    scene.event(ATTESTER, counterparty=APPLICANT)
    assert scene.claim(2) == "not_reached"
    scene.event(ATTESTER, counterparty=APPLICANT)
    assert scene.claim(2) == "ok"


# Releases


def test_tranches_are_released_in_order_once_and_for_good(scene: Funded) -> None:
    assert scene.release(1) == "not_pledged"
    scene.pledge(1)
    scene.pledge(2)
    assert scene.release(1) == "milestone_missing"
    for _ in range(2):
        scene.event(ATTESTER, counterparty=APPLICANT)
        shown = scene.attested()
    assert (scene.claim(1, shown), scene.claim(2)) == ("ok", "ok")
    assert scene.code("regulator", "release", project="clearing", tranche=1) == "not_funder"
    assert scene.release(2) == "out_of_order"
    assert scene.release(1) == "ok"
    assert scene.release(1) == "released"
    assert scene.funds == sums(15_000, 10_000)
    suspend(scene)
    assert scene.release(2) == "not_certified"
    assert scene.chain.get(tranche_key("clearing", 1))["status"] == "released"
    scene.wait(DAY_MS + 1)
    assert scene.release(2) == "ok"
    assert (scene.record["released"], scene.funds) == (15_000, sums(15_000, 15_000))


def suspend(scene: Funded, days: int = 1) -> str:
    until_ms = scene.chain.now_ms + days * DAY_MS
    return scene.code("regulator", "suspend", project="clearing", reason="A look", until_ms=until_ms)


@pytest.mark.parametrize("outcome", ["conditional", "refused"])
def test_nothing_is_released_but_on_a_certificate_without_conditions(outcome: str) -> None:
    scene = Funded().certified(outcome)
    scene.pledge()
    assert scene.claim(1, scene.attested()) == "ok"
    assert scene.release() == "not_certified"


def test_nothing_is_released_when_the_time_is_over(scene: Funded) -> None:
    scene.pledge()
    scene.claim(1, scene.attested())
    scene.wait(SMALL["validity_ms"])
    assert scene.release() == "not_certified"


def test_a_hold_of_the_site_stops_its_tranche(scene: Funded) -> None:
    scene.pledge()
    scene.claim(1, scene.attested())
    about = {"process_type": SITE[0], "object_type": SITE[1], "object": SITE[2], "subject": APPLICANT}
    why = {"severity": "violation", "reason": "It leaks", "legal_basis": ["external: an order"]}
    finding = scene.ok("regulator", "supervision.open_case", **about, **why)["id"]
    scene.ok("regulator", "supervision.hold", finding=finding, reason="A risk", hold_ms=DAY_MS)
    assert scene.release() == "on_hold"
    scene.ok("regulator", "supervision.lift_hold", finding=finding, reason="It was mended")
    assert scene.release() == "ok"


# Suspension


def test_a_suspension_is_short_ends_early_and_comes_again_after_180_days(scene: Funded) -> None:
    assert scene.code("institute-a", "suspend", project="clearing", reason="r", until_ms=1) == "not_body"
    assert suspend(scene, 31) == "bad_time"
    reinstate = {"project": "clearing", "reason": "In order"}
    assert scene.code("regulator", "reinstate", **reinstate) == "wrong_step"
    assert suspend(scene, 30) == "ok"
    assert suspend(scene) == "too_early"
    assert scene.code("regulator", "reinstate", **reinstate) == "ok"
    assert scene.code("regulator", "reinstate", **reinstate) == "wrong_step"
    scene.wait(179 * DAY_MS)
    assert suspend(scene) == "too_early"
    scene.wait(DAY_MS)
    assert suspend(scene) == "ok"


def test_what_is_not_certified_is_not_suspended() -> None:
    assert suspend(Funded().certified("refused")) == "wrong_step"


# Money


@pytest.fixture
def rich() -> tuple[Funded, Money]:
    scene = Funded(money=True)
    money = Money(scene.chain)
    money.found()
    money.issue("bank-b")
    money.open(PAYEE, f"member:{APPLICANT}")
    money.open(PAYER, f"member:{FUNDER}")
    money.open("bank-a/other", "member:enterprise-b")
    money.ok("bank-b", "pay", **payment("bank-b/vault", PAYER, 60_000, "CASH"))
    return scene.certified(), money


def pend(money: Money, amount: int = 10_000, to: str = PAYEE, tranche: Any = ("clearing", 1), days: int = 60) -> str:
    release = {"tranche": list(tranche)} if tranche else {}
    args = {**payment(PAYER, to, amount), "expires_ms": money.chain.now_ms + days * DAY_MS, "release": release}
    return str(money.ok(FUNDER, "pend", **args)["pending"])


def test_a_tranche_is_paid_by_the_transfer_that_was_pledged_and_only_once_released(rich: tuple[Funded, Money]) -> None:
    scene, money = rich
    for wrong in (
        "P99",
        pend(money, 9_999),
        pend(money, tranche=("clearing", 2)),
        pend(money, tranche=None),
        pend(money, to="bank-a/other"),
    ):
        assert scene.pledge(1, pending=wrong) == "wrong_pending"
    first, second = pend(money), pend(money)
    assert scene.pledge(1, pending=first) == "ok"
    assert scene.pledge(1, pending=second) == "pledged"
    assert money.code(APPLICANT, "post_pending", pending=first) == "not_released"
    assert scene.claim(1, scene.attested()) == "ok"
    assert money.code(APPLICANT, "post_pending", pending=first) == "not_released"
    assert scene.release() == "ok"
    assert money.code(APPLICANT, "post_pending", pending=second) == "not_released"
    assert money.code(APPLICANT, "post_pending", pending=first) == "ok"
    assert scene.pledge(1, pending=second) == "pledged"
    assert money.code(APPLICANT, "post_pending", pending=second) == "not_released"
    assert money.balance(PAYEE) == 10_000


def test_a_transfer_that_went_back_is_replaced_even_after_the_release(rich: tuple[Funded, Money]) -> None:
    scene, money = rich
    assert scene.pledge(1) == "ok"
    first = pend(money, days=2)
    assert scene.pledge(1, pending=first) == "ok"
    money.wait(3 * DAY_MS)
    assert scene.pledge(1) == "pledged"
    second = pend(money)
    assert scene.pledge(1, pending=second) == "ok"
    scene.claim(1, scene.attested())
    assert scene.release() == "ok"
    money.ok(APPLICANT, "void_pending", pendings=[second])
    third = pend(money)
    assert scene.pledge(1, pending=third) == "ok"
    assert scene.funds == sums(10_000, 10_000)
    assert money.code(APPLICANT, "post_pending", pending=third) == "ok"
