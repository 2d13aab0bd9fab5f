"""What is said of a standard is what its reviews compare, and what may be done next is what the contract accepts."""

from __future__ import annotations

from fractions import Fraction

import pytest

from coseal.contracts.membership.state import MEMBERS_KEY
from coseal.contracts.standards import described
from coseal.contracts.standards.state import PERIOD_KEY
from coseal.ledger.block import Receipt
from tests.support.genesis import make_genesis
from tests.support.standards import DAY_MS, LOANS, NAMED, Competition, competing

ACTS = {
    "adopt": NAMED,
    "try": NAMED,
    "end_adoption": {**NAMED, "reason": "Enough"},
    "dispute": {**NAMED, "ground": "defect", "text": "It lacks the lender"},
    "recognise": {**NAMED, "level": "reference", "instrument": "cn/1"},
    "withdraw_recognition": {**NAMED, "reason": "Too early"},
    "supersede": {**NAMED, "successor": "t", "successor_version": 1, "notice_ms": 30 * DAY_MS, "reason": "t is better"},
    "deprecate": {**NAMED, "notice_ms": 30 * DAY_MS, "reason": "Nobody lends"},
}
MEMBERS = ("regulator", "central-bank", "bank-a", "enterprise-a", "public-a")


@pytest.fixture
def scene(chain):
    found = competing(chain)
    found.propose("s", "loans")
    found.propose("t", "credits")
    found.ok(
        "regulator", "policy.publish", id="cn/1", title="Notice", type_document="notice", date_document="2021-09-15"
    )
    return found


def accepted(scene: Competition, member: str) -> list[str]:
    """Return what the contract would accept now; nothing is committed."""
    chain, found = scene.chain, []
    for action, args in ACTS.items():
        tx = chain.sign(f"{member}/admin", f"standards.{action}", args)
        outcome = chain.executor.run(chain.executor.height + 1, chain.now_ms, [tx])
        if Receipt.decode(outcome.receipts[1]).ok:
            found.append(action)
    return sorted(found)


def require_same_acts(scene: Competition) -> None:
    for member in MEMBERS:
        said = described.acts(scene.chain, "s", 1, member, scene.chain.now_ms)
        assert sorted(said) == accepted(scene, member), member


def test_what_may_be_done_next_is_what_the_contract_accepts_all_through_a_life(scene):
    require_same_acts(scene)
    scene.ok("central-bank", "try", **NAMED)
    scene.ok("bank-a", "adopt", **NAMED)
    scene.ok("enterprise-a", "adopt", **NAMED, effective_ms=scene.chain.now_ms + DAY_MS)
    require_same_acts(scene)
    scene.ok("central-bank", "adopt", **NAMED)
    scene.close()
    scene.periods(*LOANS)
    assert scene.status("s") == "de_facto"
    require_same_acts(scene)
    scene.ok("regulator", "recognise", **ACTS["recognise"])
    scene.ok("enterprise-a", "dispute", **ACTS["dispute"])
    require_same_acts(scene)
    scene.ok("enterprise-a", "end_adoption", **ACTS["end_adoption"])
    scene.ok("bank-a", "deprecate", **ACTS["deprecate"])
    require_same_acts(scene)
    scene.wait(31 * DAY_MS)
    assert scene.status("s") == "ended"
    require_same_acts(scene)


def test_the_conditions_say_what_a_review_decides(scene):
    assert described.version(scene.chain, "s", 1, scene.chain.now_ms)["review"] is None
    for member in ("bank-a", "central-bank"):
        scene.ok(member, "adopt", **NAMED)
    scene.close()
    scene.periods(*LOANS)
    found = described.version(scene.chain, "s", 1, scene.chain.now_ms)
    assert (found["review"]["users"]["bank"], found["review"]["active"]["enterprise"]) == (2, 1)
    assert Fraction(*found["mean"]) == Fraction(1, 2)  # all banks, no enterprise
    assert [(one["condition"], one["has"], one["needs"], one["met"]) for one in found["conditions"]] == [
        ("mean", [1, 2], [1, 2], False),
        ("carried", 1, 2, False),
        ("users", 2, 3, False),
    ]
    scene.ok("enterprise-a", "adopt", **NAMED)
    scene.periods(*LOANS)
    found = described.version(scene.chain, "s", 1, scene.chain.now_ms)
    assert found["status"] == "de_facto"
    assert found["conditions"] == [{"condition": "kept", "has": [1, 1], "needs": [2, 5], "met": True}]


def test_a_kind_that_is_not_measured_has_no_conditions(scene):
    scene.propose("f")
    found = described.version(scene.chain, "f", 1, scene.chain.now_ms)
    assert (found["measured"], found["conditions"], found["content"]["name"]) == (False, [], "OCEL 2.0")
    assert described.version(scene.chain, "f", 2, scene.chain.now_ms) is None
    assert described.version(scene.chain, "none", 1, scene.chain.now_ms) is None


def test_a_domain_says_what_competes_in_it_and_who_is_active(scene):
    assert described.domain(scene.chain, "lending")["period"] is None
    scene.close()
    scene.periods(*LOANS)
    found = described.domain(scene.chain, "lending")
    assert (found["standards"], found["members"], found["items"]) == ([["s", 1], ["t", 1]], 3, 30)
    assert (found["active"]["bank"], found["active"]["enterprise"]) == (2, 1)
    assert described.domain(scene.chain, "nothing")["standards"] == []


def test_what_is_read_for_a_member_is_known_before(scene):
    class Known:
        """A reader of few keys."""

        def __init__(self, keys):
            self.keys = set(keys)

        def get(self, key):
            assert key in self.keys, key
            return scene.chain.get(key)

    own = ["standards/standard/s/1", "standards/head/s", "standards/content/s/1"]
    known = Known([*own, *described.SHARED_KEYS, *described.keys_of("s", 1, "bank-a")])
    described.version(known, "s", 1, scene.chain.now_ms)
    described.acts(known, "s", 1, "bank-a", scene.chain.now_ms)
    assert MEMBERS_KEY in known.keys


def test_a_genesis_says_how_long_a_period_is_and_standards_are_reviewed_by_that(make_chain):
    founded = make_genesis(standard_period_ms=20_000)
    chain = make_chain(founded)
    assert chain.get(PERIOD_KEY) == founded.parameters.standard_period_ms == 20_000
    scene = competing(chain)
    scene.propose("s", "loans")
    for member, _ in LOANS:
        scene.ok(member, "adopt", **NAMED)

    def close():
        return scene.wait(20_000 - scene.chain.executor.time_ms % 20_000)

    close()
    periods = []
    for _ in range(3):
        for member, source in LOANS:
            scene.record(member, source)
        (review,) = close()["reviews"]
        periods.append(review["period"])
    assert review["status"] == "de_facto"
    assert periods == [scene.chain.executor.time_ms // 20_000 - 3 + at for at in range(3)]


def test_a_chain_of_the_usual_periods_keeps_no_number_for_them(chain):
    assert chain.get(PERIOD_KEY) is None
