"""Members that want more than their share: each tries a way around the constitution, and where it ends.

By name, what else is tried elsewhere: two constituencies against three (``test_constitution``), an emergency by
instalments or by an ordinary measure (``test_measures``), the suspension of many (``test_standing``), use that is none
(``tests/contracts/standards``).
"""

from __future__ import annotations

import itertools

import pytest

from coseal.contracts.governance import electorate, in_force
from coseal.contracts.governance.leaving import NOTICE_MS
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.membership.standing import standing
from tests.contracts.governance.test_tracks import (
    BANKS,
    NEWCOMER,
    RECOMMENDED,
    amend,
    changed,
    concerning,
    seven,
    world,
)
from tests.support.keys import signer

GROUNDS = [{"kind": "external", "id": "Judgment 7/2026"}]


def friend(name: str, role: str) -> dict[str, object]:
    key = signer(f"{name}/admin").public_key.hex()
    return {**NEWCOMER, "member": name, "role": role, "operators": [{**NEWCOMER["operators"][0], "key": key}]}


def suspension(found, member: str) -> dict[str, object]:
    return {"member": member, "until_ms": found.chain.now_ms + 60 * DAY_MS, "seats": False, "grounds": GROUNDS}


def test_a_majority_does_not_admit_friends_into_the_constituencies_of_others():
    found = seven(RECOMMENDED)
    found.propose("friend", "add_member", friend("friend", "enterprise"), "bank-a")
    found.vote("friend", *BANKS[1:], "regulator")
    assert found.vote("friend", "enterprise-a", choice="no").data["status"] == "open"
    found.chain.block(time_ms=found.chain.now_ms + 13 * DAY_MS)
    assert electorate.sizes(found.reader)["members"]["enterprise"] == 1  # what it would take is an override


def test_honest_members_are_not_removed_one_by_one_by_two_constituencies():
    found = world()
    found.node("institute-a")
    for member in ("public-a", "institute-a"):
        name = f"out-{member}"
        subject = {"member": member, "grounds": GROUNDS}
        found.propose(name, "remove_member", subject, "regulator", reason="They disagree")
        for voter in ("city", "central-bank", "bank-a", "public-a", "institute-a", "enterprise-a"):
            choice = "yes" if voter in ("city", "central-bank", "bank-a") else "no"
            args = {"ballot": name, "choice": choice, "reason": "We agree, or not"}
            found.chain.submit(f"{voter}/admin", "governance.vote", **args)
        assert found.proposal(name)["status"] == "rejected"
    assert sum(electorate.sizes(found.reader)["members"].values()) == 7


@pytest.mark.parametrize("emptied", [True, False])
def test_a_constituency_that_is_emptied_between_two_votes_is_not_asked_any_more(emptied):
    every = {**RECOMMENDED["tracks"]["ordinary"]["pass"], "at_least": 5}
    found = concerning(changed(ordinary={"pass": every, "override": {"after_ms": 20 * DAY_MS, "floor": [1, 3]}}))
    found.propose("p", "retry_due", {"number": 1}, "regulator")
    assert found.vote("p", "central-bank", "enterprise-a", "institute-a").data["status"] == "open"
    if emptied:
        found.chain.submit("public-a/admin", "governance.leave", member="public-a")
    found.chain.block(time_ms=found.chain.now_ms + NOTICE_MS)
    assert ("public" in electorate.sizes(found.reader)["members"]) is not emptied
    assert found.vote("p", "city").data["status"] == ("accepted" if emptied else "open")


def test_who_is_suspended_to_win_a_ballot_is_not_counted_and_counts_again_with_its_return():
    found = world(None)
    chain = found.chain
    found.propose("p", "add_member", NEWCOMER, "bank-a", closes_ms=chain.now_ms + 80 * DAY_MS)
    found.vote("p", "enterprise-a", choice="no")
    found.propose("silence", "suspend_member", suspension(found, "enterprise-a"), "regulator")
    found.vote("silence", "bank-a")
    assert found.vote("silence", "central-bank").data["status"] == "accepted"  # all others, and not fewer
    assert [found.proposal("p")[name] for name in ("yes", "no", "of")] == [1, 0, 3]
    found.propose("back", "reinstate_member", {"member": "enterprise-a", "grounds": GROUNDS}, "regulator")
    found.vote("back", "bank-a", "central-bank")
    assert [found.proposal("p")[name] for name in ("yes", "no", "of")] == [1, 1, 4]


def test_no_amendment_makes_a_later_one_easier_than_two_thirds_of_all():
    """In two steps: first every other track, then that of the constitution."""
    tracks = RECOMMENDED["tracks"]
    others = {name: {**tracks[name], "not_before_ms": 0} for name in ("standing", "standards", "protocol")}
    first = {**RECOMMENDED, "tracks": {**RECOMMENDED["tracks"], **others}}
    found = seven(None)
    assert amend(found, first).ok
    assert found.vote("amend", *BANKS[:4]).data["status"] == "accepted"
    digest = in_force.version(found.reader).digest
    for change in ({"pass": {"total": [1, 2]}}, {"override": {"after_ms": 0, "floor": [0, 1]}}):
        second = {**first, "tracks": {**first["tracks"], "constitution": {**first["tracks"]["constitution"], **change}}}
        subject = {"from": digest, "document": second}
        receipt = found.propose("again", "amend_constitution", subject, "bank-a", reason="Simpler")
        assert (receipt.code, "K5" in receipt.detail) == ("unsafe_constitution", True)
    unheard = {**first["tracks"], "constitution": {**first["tracks"]["constitution"], "not_before_ms": 0}}
    subject = {"from": digest, "document": {**first, "tracks": unheard}}
    found.propose("unheard", "amend_constitution", subject, "bank-a", reason="Sooner")
    found.vote("unheard", *BANKS[1:], "regulator")
    found.chain.block(time_ms=found.chain.now_ms + 14 * DAY_MS)
    assert found.proposal("unheard")["status"] == "open"  # the first step is decided by as strict a rule as ever


def test_what_was_rejected_is_proposed_again_and_begins_without_votes():
    found = world(None)
    for turn in range(3):
        receipt = found.propose(f"p-{turn}", "add_member", NEWCOMER, "institute-a")
        assert [receipt.data[name] for name in ("status", "yes", "no")] == ["open", 0, 0]
        assert found.vote(f"p-{turn}", "bank-a", "regulator", choice="no").data["status"] == "rejected"
    assert found.propose("p-0", "add_member", NEWCOMER, "institute-a").code == "exists"


def test_a_proposal_goes_on_without_its_proposer():
    found = world(None)
    chain = found.chain
    found.propose("p", "add_member", NEWCOMER, "public-a", closes_ms=chain.now_ms + 80 * DAY_MS)
    chain.submit("public-a/admin", "governance.leave", member="public-a")
    chain.block(time_ms=chain.now_ms + NOTICE_MS)
    assert standing(found.reader, "public-a").status == "former"
    assert chain.submit("public-a/admin", "governance.withdraw", proposal="p").code == "former_member"
    assert found.vote("p", "bank-a", "regulator", "central-bank").data["status"] == "accepted"


@pytest.mark.parametrize("order", [*itertools.permutations("asv")], ids="".join)
def test_an_amendment_a_suspension_and_the_vote_it_concerns_are_decided_in_the_order_of_the_block(order):
    found = world(None)
    found.propose("other", "add_member", NEWCOMER, "institute-a")
    amend(found, RECOMMENDED)
    found.propose("s", "suspend_member", suspension(found, "enterprise-a"), "regulator")
    found.vote("amend", "bank-a")
    found.vote("s", "bank-a")
    deciding = {
        what: found.chain.sign(f"{who}/admin", "governance.vote", {"ballot": name, "choice": "yes"})
        for what, who, name in (
            ("a", "central-bank", "amend"),
            ("s", "central-bank", "s"),
            ("v", "enterprise-a", "other"),
        )
    }
    came = dict(zip(order, found.chain.block(*(deciding[what] for what in order)), strict=True))
    heard_first = order.index("a") < order.index("s")  # the new constitution hears a suspension for a week
    assert came["a"].data["status"] == "accepted"
    assert came["s"].data["status"] == ("open" if heard_first else "accepted")
    silenced = not heard_first and order.index("s") < order.index("v")
    assert came["v"].code == ("suspended" if silenced else "ok")
