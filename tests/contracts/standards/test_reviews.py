"""Reviews: what is computed from what was recorded, page by page, and against a recount."""

from __future__ import annotations

import json
from collections import Counter
from fractions import Fraction

import pytest

from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.contract import Moment
from coseal.contracts.kernel.overlay import CommittedReader, Overlay
from coseal.contracts.standards import actions as standards
from coseal.contracts.standards import domains, series
from coseal.contracts.standards.state import adopters_key, adoption_key, items_key, standard_key, use_key
from coseal.contracts.standards.status import KEPT_PERIODS, TERMS, opens_ms, period_of
from coseal.demo.examples import example
from coseal.ledger import codec
from coseal.ledger.validators import ROLES
from tests.support.chain import Chain
from tests.support.genesis import make_genesis
from tests.support.standards import DAY_MS, competing

RECOMMENDED = json.loads(example("constitution/recommended.json").read_text())
LOANS = (("bank-a", "loans"), ("central-bank", "loans"), ("enterprise-a", "loans"))


@pytest.fixture
def scene(chain):
    found = competing(chain)
    found.propose("s", "loans")
    found.propose("t", "credits")
    found.close()  # so that what follows is recorded in whole periods
    return found


def adopt(scene, standard, *members):
    for member in members:
        scene.ok(member, "adopt", standard=standard, version=1)


def by_role(figures):
    return {role: figure for role, figure in zip(ROLES, figures, strict=True) if figure}


def test_a_standard_becomes_de_facto_by_use_and_is_lost_when_it_ends(scene):
    adopt(scene, "s", "bank-a", "central-bank", "enterprise-a")
    begun = scene.periods(*LOANS, count=2)
    assert scene.status("s") == "in_use"
    begun = scene.periods(*LOANS, count=1)
    (review,) = begun["reviews"]
    assert (review["before"], review["status"]) == ("in_use", "de_facto")
    assert by_role(review["users"]) == by_role(review["active"]) == {"bank": 2, "enterprise": 1}
    assert review["items"] == 30
    assert scene.standard("s")["review"]["period"] == period_of(scene.chain.executor.time_ms) - 1
    (domain,) = begun["domains"]
    assert (domain["items"], domain["members"]) == (30, 3)
    (review,) = scene.close()["reviews"]
    assert (review["before"], review["status"], by_role(review["users"])) == ("de_facto", "in_use", {})


def test_one_constituency_keeps_what_two_gained(scene):
    adopt(scene, "s", "bank-a", "central-bank", "enterprise-a")
    scene.periods(*LOANS)
    assert scene.status("s") == "de_facto"
    scene.periods(LOANS[0], LOANS[1], count=1)
    assert scene.status("s") == "de_facto"


def test_adopting_without_use_and_use_without_adopting_count_for_nothing(scene):
    adopt(scene, "s", "city", "public-a", "regulator", "institute-a")
    (review,) = scene.periods(*LOANS)["reviews"]
    assert review["status"] == "in_use"
    assert by_role(review["users"]) == {}
    assert by_role(review["adopters"]) == {"government": 2, "institute": 1, "public": 1}
    assert by_role(review["active"]) == {"bank": 2, "enterprise": 1}


def test_a_trial_counts_as_use_that_is_measured_and_never_as_a_user(scene):
    for member, _ in LOANS:
        scene.ok(member, "try", standard="s", version=1)
    (review,) = scene.periods(*LOANS)["reviews"]
    assert (review["items"], by_role(review["users"]), review["status"]) == (30, {}, "in_use")
    adopt(scene, "s", *[member for member, _ in LOANS])
    (review,) = scene.periods(*LOANS, count=1)["reviews"]
    assert review["status"] == "de_facto"  # the trial's periods were measured


def test_a_member_that_is_suspended_records_and_is_no_user(scene):
    adopt(scene, "s", "bank-a", "central-bank", "enterprise-a")
    grounds = [{"kind": "external", "id": "the court's decision"}]
    until_ms = scene.chain.now_ms + 300 * DAY_MS
    scene.decide("suspend_member", member="enterprise-a", until_ms=until_ms, seats=False, grounds=grounds)
    (review,) = scene.periods(*LOANS)["reviews"]
    assert by_role(review["users"]) == by_role(review["active"]) == by_role(review["adopters"]) == {"bank": 2}
    assert review["items"] == 30
    assert scene.ok("enterprise-a", "end_adoption", standard="s", version=1, reason="No more")
    assert scene.code("enterprise-a", "adopt", standard="t", version=1) == "suspended"


def test_what_is_recorded_beside_it_takes_the_share_away(scene):
    adopt(scene, "s", "bank-a", "central-bank", "enterprise-a")
    scene.ok("central-bank", "process.register_source", id="credits", process_type="credits", mode="live")
    scene.periods(*LOANS, count=2)
    scene.record("central-bank", "credits", 2)  # 10 of 12 is not more than 9/10
    (review,) = scene.periods(*LOANS, count=1)["reviews"]
    assert by_role(review["users"]) == {"bank": 1, "enterprise": 1}
    assert review["status"] == "in_use"  # two users


def test_of_two_standards_of_a_domain_one_may_be_de_facto(scene):
    adopt(scene, "s", "bank-a", "central-bank", "enterprise-a")
    adopt(scene, "t", "city")
    begun = scene.periods(*LOANS, ("city", "credits"))
    found = {review["standard"]: review["status"] for review in begun["reviews"]}
    assert found == {"s": "de_facto", "t": "in_use"}
    assert by_role(scene.domain("lending")["active"]) == {"government": 1, "bank": 2, "enterprise": 1}


def test_a_format_is_reviewed_for_its_adopters_and_never_de_facto(scene):
    scene.propose("f", "", "city", domain="lending")
    adopt(scene, "f", "bank-a", "central-bank", "enterprise-a")
    begun = scene.periods(*LOANS)
    (review,) = [one for one in begun["reviews"] if one["standard"] == "f"]
    assert review["status"] == "in_use"
    assert by_role(review["adopters"]) == {"bank": 2, "enterprise": 1}


def test_a_domain_without_standards_is_not_reviewed_any_more(scene):
    scene.propose("f", "", "city", domain="logs")
    scene.wait(181 * DAY_MS)
    assert scene.close().get("domains", []) == []
    assert not scene.domain("logs")["reviewing"]
    scene.propose("g", "", "city", domain="logs")
    assert [one["domain"] for one in scene.close()["domains"]] == ["logs"]


def test_a_chain_that_paused_reviews_the_last_period_alone(scene):
    adopt(scene, "s", "bank-a", "central-bank", "enterprise-a")
    scene.periods(*LOANS)
    begun = scene.wait(200 * DAY_MS)
    assert [one["period"] for one in begun["domains"]] == [period_of(scene.chain.executor.time_ms) - 1]
    assert scene.status("s") == "in_use"


def test_figures_of_a_year_are_kept():
    rows = []
    for period in range(100, 130):
        rows = series.counted(rows, period, 1, 2)
        rows = series.counted(rows, period, 3, 4)
    assert rows == [[period, 4, 6] for period in range(130 - KEPT_PERIODS, 130)]
    assert series.counted(rows, 500, 1, 1) == [[500, 1, 1]]


# Many members: written into a state, without a transaction each


class Written:
    """A state in memory with a domain, in which many members record and adopt."""

    def __init__(self, members):
        self.values, self.members = {}, members
        self.put("membership/members", sorted(members))
        for member, role in members.items():
            self.put(f"membership/member/{member}", {"role": role})

    def put(self, key, value):
        self.values[key.encode()] = codec.encode(value)

    def view(self):
        return Overlay(self.values.get, standards.CONTRACT.open_keys)

    def keep(self, view):
        for key, value in view.updates().items():
            if value is None:
                self.values.pop(key, None)
            else:
                self.values[key] = value

    def run(self, time_ms):
        """Do everything that is due; return what it shows, and how many things it was."""
        view, shown, count = self.view(), {}, 0
        while (entry := deadlines.take(view, "standards", deadlines.BLOCK_CLOCK, time_ms)) is not None:
            count += 1
            before = view.spent
            for name, rows in standards.CONTRACT.fire(view, Moment(9, time_ms), entry).items():
                shown.setdefault(name, []).extend(rows)
            assert view.spent - before < 20_000
        self.keep(view)
        return shown, count

    def get(self, key):
        return CommittedReader(self.values.get).get(key)


def recount(state, names, period):
    """The users of a standard as anybody counts them from the keys of its members."""
    users, active = Counter(), Counter()
    for member, role in state.members.items():
        items = {row[0]: row[1] for row in state.get(items_key("d", member)) or []}
        if any(items.get(period - back, 0) < TERMS.use_min for back in range(3)):
            continue
        active[role] += 1
        adoption = state.get(adoption_key(*names, member))
        use = {row[0]: row[1:] for row in state.get(use_key(*names, member)) or []}
        if adoption is None or adoption["mode"] != "adopted" or adoption["until_ms"] is not None:
            continue
        shares = [Fraction(use.get(period - back, [0])[0], items[period - back]) for back in range(3)]
        users[role] += min(shares) > Fraction(9, 10)
    return users, active


def test_a_review_of_many_pages_finds_what_a_recount_finds():
    members = {f"m{number:03}": ROLES[number * 7 % 5] for number in range(300)}
    state, period = Written(members), 700
    view = state.view()
    domains.enter(view, "d", [["s", 1]], opens_ms(period + 1))
    view.put("standards/head/s", {"member": "m000", "kind": "process_type", "domain": "d", "latest": 1})
    adopters = 0
    for number, member in enumerate(members):
        for back in (2, 1, 0):
            domains.count(view, "d", member, period - back, 8 + number % 5)
        if number % 3:
            series.append(view, lambda page: adopters_key("s", 1, page), adopters, member)
            adopters += 1
            mode, until_ms = ("trial" if number % 11 == 0 else "adopted"), (5 if number % 13 == 0 else None)
            adoption = {"mode": mode, "sources": [], "from_ms": 0, "until_ms": until_ms, "history": []}
            view.put(adoption_key("s", 1, member), adoption)
            use = 8 + number % 5 - number % 2
            view.put(use_key("s", 1, member), [[period - back, use, use, 0] for back in (2, 1, 0)])
    record = {"kind": "process_type", "title": "S", "member": "m000", "status": "in_use", "history": []}
    view.put(standard_key("s", 1), {**record, "adopters": adopters})
    state.keep(view)

    shown, count = state.run(opens_ms(period + 1) + 5)
    users, active = recount(state, ("s", 1), period)
    (review,), (domain,) = shown["reviews"], shown["domains"]
    assert dict(zip(ROLES, review["users"], strict=True)) == {role: users[role] for role in ROLES}
    assert dict(zip(ROLES, domain["active"], strict=True)) == {role: active[role] for role in ROLES}
    assert count == -(-300 // 64) + -(-200 // 64)
    assert review["period"] == domain["period"] == period


def test_reviews_go_by_the_numbers_of_the_constitution():
    document = {**RECOMMENDED, "de_facto": {"use_min": 1, "users_min": 3}}
    found = competing(Chain(make_genesis(name="of-few", constitution=document)))
    found.propose("s", "loans")
    found.close()
    adopt(found, "s", "bank-a", "central-bank", "enterprise-a")
    (review,) = found.periods(*LOANS, items=1)["reviews"]
    assert (review["status"], by_role(review["active"])) == ("de_facto", {"bank": 2, "enterprise": 1})
    assert found.chain.get("governance/de_facto") == document["de_facto"]
