"""What the ledger decides by a constitution: tracks, overrides, vetoes, delays, appeals, presence, amendments."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from coseal.contracts.genesis_state import genesis_updates
from coseal.contracts.governance import actions as governance
from coseal.contracts.governance import electorate, in_force
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.registry import CONTRACTS, KINDS
from coseal.ledger.errors import Malformed
from tests.support.chain import Chain
from tests.support.genesis import MEMBERS, make_genesis
from tests.support.governance import World
from tests.support.keys import signer

DOCUMENTS = Path(__file__).parents[3] / "examples" / "constitution"
RECOMMENDED = json.loads((DOCUMENTS / "recommended.json").read_text())
BANKS = ("bank-a", "bank-b", "bank-c", "bank-d", "bank-e")
SEVEN = ("regulator", *BANKS, "enterprise-a")
NEWCOMER = {
    **dict(KINDS["add_member"].example),
    "member": "bank-z",
    "operators": [{"user": "admin", "key": signer("bank-z/admin").public_key.hex(), "capabilities": ["operate"]}],
}
RULES = {"retry_due": {"number": 1}, "add_member": NEWCOMER, "protocol_version": {"version": 2, "height": 1_000}}


def changed(**tracks: dict[str, Any]) -> dict[str, Any]:
    """Return the recommended document with some fields of its tracks changed, and `retry_due` as an ordinary matter."""
    kept = {name: {**track, **tracks.get(name, {})} for name, track in RECOMMENDED["tracks"].items()}
    return {**RECOMMENDED, "tracks": kept, "kinds": {**RECOMMENDED["kinds"], "retry_due": "ordinary"}}


def world(document: dict[str, Any] | None = RECOMMENDED, members=MEMBERS, validators=None, **more: Any) -> World:
    seats = validators or ("regulator", "central-bank", "bank-a", "enterprise-a")
    made = make_genesis(members=members, validators=seats, constitution=document)
    return World(Chain(made, **more), signer)


def seven(document: dict[str, Any] | None) -> World:
    """Five banks with a seat each, a government with one, an enterprise with two: eight seats that are agreed upon."""
    return world(document, SEVEN, (*SEVEN, "enterprise-a.2"))


def ids(found: World, **wanted: Any) -> list[str]:
    return [row["id"] for row in governance.proposals(found.reader, KINDS, **wanted)]


# The hole, and that it is closed


@pytest.mark.parametrize("kind", ["add_member", "protocol_version"])
def test_five_banks_alone_decide_under_the_founding_rule_and_nothing_under_the_recommended_one(kind):
    founding = seven(None)
    assert founding.propose("p", kind, RULES[kind], "bank-a").ok
    assert founding.vote("p", *BANKS[1:]).data["status"] == "accepted"
    recommended = seven(RECOMMENDED)
    assert recommended.propose("p", kind, RULES[kind], "bank-a", reason="It is time").ok
    receipt = recommended.vote("p", *BANKS[1:])
    assert (receipt.data["status"], receipt.data["yes"], receipt.data["of"]) == ("open", 5, 7)
    assert recommended.proposal("p")["constituencies"]["bank"] == {"members": 5, "yes": 5, "no": 0, "abstain": 0}
    assert recommended.vote("p", "regulator").data["status"] == ("accepted" if kind == "add_member" else "open")
    if kind == "protocol_version":  # heard for two days, and all constituencies
        recommended.vote("p", "enterprise-a")
        recommended.chain.block(time_ms=recommended.chain.now_ms + 2 * DAY_MS)
        assert recommended.proposal("p")["status"] == "accepted"


def test_three_of_the_four_of_the_usual_consortium_pass_what_they_passed_before():
    usual = world()
    usual.node("institute-a")
    receipt = usual.accept("p", "add_validator", {"node": "institute-a"}, "regulator", ("bank-a", "central-bank"))
    assert receipt.data["status"] == "accepted"


# Clocks


def test_against_one_constituency_a_proposal_passes_when_the_others_have_waited():
    found = seven(RECOMMENDED)
    opened = found.chain.now_ms
    found.propose("p", "add_member", NEWCOMER | {"role": "enterprise"}, "bank-a", closes_ms=opened + 21 * DAY_MS)
    found.vote("p", *BANKS[1:], "regulator")
    assert found.vote("p", "enterprise-a", choice="no").data["status"] == "open"
    assert found.chain.executor.next_deadline_ms() == opened + 14 * DAY_MS
    found.chain.block(time_ms=opened + 14 * DAY_MS)
    shown = found.proposal("p")
    assert (shown["status"], shown["overridden"], shown["outcome"]) == ("accepted", "enterprise", {"member": "bank-z"})


def test_a_new_member_counts_in_its_constituency_from_its_admission_on():
    found = seven(RECOMMENDED)
    before = electorate.sizes(found.reader)
    found.propose("p", "add_member", NEWCOMER | {"role": "enterprise"}, "bank-a")
    found.vote("p", *BANKS[1:], "regulator", "enterprise-a")
    assert found.proposal("p")["status"] == "accepted"
    counted = {**before["members"], "enterprise": before["members"]["enterprise"] + 1}
    assert electorate.sizes(found.reader) == {**before, "members": counted}


def test_a_veto_holds_until_it_is_overridden():
    document = changed(seats={"veto": ["government"], "not_before_ms": DAY_MS})
    found = seven(document)
    opened = found.chain.now_ms
    found.propose("p", "remove_validator", {"node": "bank-e"}, "bank-a")
    found.vote("p", "bank-b", "bank-c", "bank-d", "enterprise-a")
    assert found.vote("p", "regulator", choice="no").data["status"] == "open"
    found.chain.block(time_ms=opened + DAY_MS)
    assert found.proposal("p")["status"] == "open"
    found.chain.block(time_ms=opened + 14 * DAY_MS)
    assert (found.proposal("p")["status"], found.proposal("p")["overridden"]) == ("accepted", "government")


def test_what_passed_waits_for_its_delay_and_is_checked_again():
    found = world(changed(seats={"delay_ms": 3 * DAY_MS}))
    found.node("institute-a")
    found.node("public-a", "public-a")
    for name in ("institute-a", "public-a"):
        receipt = found.accept(name, "add_validator", {"node": name}, "regulator", ("bank-a", "central-bank"))
        assert (receipt.data["status"], receipt.data["effect_ms"]) == (
            "passed",
            found.chain.executor.time_ms + 3 * DAY_MS,
        )
    assert found.vote("institute-a", "enterprise-a").code == "ballot_closed"
    assert ids(found, status="passed") == ["public-a", "institute-a"]
    for name in ("institute-a", "public-a"):  # said within the last blocks that it is ready
        found.ready(name)
    found.chain.block(time_ms=found.chain.executor.time_ms + 3 * DAY_MS)
    assert [row["status"] for row in found.chain.begun["governance"]["closed"]] == ["accepted", "void"]
    assert found.proposal("public-a")["outcome"]["code"] == "change_pending"
    assert ids(found, status="passed") == []


def test_what_passed_is_looked_at_before_its_delay_ended_and_goes_on_waiting():
    found = world(changed(seats={"delay_ms": 30 * DAY_MS}))
    found.node("institute-a")
    receipt = found.accept("p", "add_validator", {"node": "institute-a"}, "regulator", ("bank-a", "central-bank"))
    effect_ms, closes_ms = receipt.data["effect_ms"], found.proposal("p")["closes_ms"]
    assert closes_ms < effect_ms
    found.chain.block(time_ms=closes_ms)  # an open one would be closed now
    found.chain.block(time_ms=effect_ms - DAY_MS)
    assert found.proposal("p")["status"] == "passed"
    found.ready("institute-a")
    found.chain.block(time_ms=effect_ms)
    assert found.proposal("p")["status"] == "accepted"


def test_reasons_are_asked_of_who_has_to_give_them():
    found = world(changed(seats={"reason": ["proposer", "no"]}))
    found.node("institute-a")
    subject = {"node": "institute-a"}
    assert found.propose("p", "add_validator", subject, "bank-a").code == "reason_missing"
    assert found.propose("p", "add_validator", subject, "bank-a", reason="A seat for the institutes").ok
    assert found.vote("p", "regulator", choice="no").code == "reason_missing"
    assert found.vote("p", "regulator").ok


# What else may be done about a proposal


def test_the_proposer_alone_withdraws_and_only_what_is_open():
    found = world()
    found.node("institute-a")
    found.propose("p", "add_validator", {"node": "institute-a"}, "bank-a")
    assert found.chain.submit("regulator/admin", "governance.withdraw", proposal="p").code == "not_proposer"
    assert found.chain.submit("bank-a/admin", "governance.withdraw", proposal="nothing").code == "unknown_ballot"
    receipt = found.chain.submit("bank-a/admin", "governance.withdraw", proposal="p", reason="Not yet")
    assert (receipt.data["status"], receipt.data["outcome"]) == ("withdrawn", {"reason": "Not yet"})
    assert found.chain.submit("bank-a/admin", "governance.withdraw", proposal="p").code == "not_open"
    assert found.vote("p", "regulator").code == "ballot_closed"
    assert ids(found, status="open") == []


def concerning(document: dict[str, Any]) -> World:
    """A chain on which `retry_due` is about bank-a, so that it has no vote in it and may appeal."""
    about = replace(
        KINDS["retry_due"],
        concerned=lambda subject: "bank-a",
        check=lambda view, case, subject: None,
        enact=lambda view, case, subject: {"number": subject["number"]},
    )
    kinds = {**KINDS, "retry_due": about}
    return world(document, rules={1: {**CONTRACTS, "governance": governance.contract(kinds)}})


def test_the_member_concerned_appeals_once_and_all_vote_again():
    found = concerning(changed(ordinary={"delay_ms": DAY_MS}))
    found.propose("p", "retry_due", {"number": 1}, "regulator")
    assert found.vote("p", "bank-a").code == "own_case"
    appeal = {"proposal": "p", "reason": "It rests on what was withdrawn"}
    assert found.chain.submit("bank-a/admin", "governance.appeal", **appeal).code == "not_passed"
    for member in ("central-bank", "enterprise-a"):
        found.vote("p", member)
    assert found.vote("p", "institute-a").data["status"] == "passed"
    assert found.chain.submit("central-bank/admin", "governance.appeal", **appeal).code == "not_concerned"
    again = found.chain.submit("bank-a/admin", "governance.appeal", **appeal)
    assert (again.data["status"], again.data["round"], again.data["yes"]) == ("open", 2, 0)
    effect_ms = found.chain.executor.time_ms + DAY_MS
    found.chain.block(time_ms=effect_ms)
    assert found.proposal("p")["status"] == "open"  # the first decision takes effect no more
    for member in ("regulator", "central-bank", "enterprise-a", "institute-a"):
        last = found.vote("p", member)
    assert last.data["status"] == "passed"
    assert found.chain.submit("bank-a/admin", "governance.appeal", **appeal).code == "already_appealed"
    found.chain.block(time_ms=found.chain.executor.time_ms + DAY_MS)
    shown = found.proposal("p")
    assert (shown["status"], shown["round"], shown["appeal"]["reason"]) == ("accepted", 2, appeal["reason"])
    assert found.chain.submit("bank-a/admin", "governance.appeal", **appeal).code == "already_appealed"


def test_an_appeal_that_the_others_agree_with_ends_the_proposal():
    found = concerning(changed(ordinary={"delay_ms": DAY_MS}))
    found.propose("p", "retry_due", {"number": 1}, "regulator")
    found.vote("p", "central-bank", "enterprise-a", "institute-a")
    found.chain.submit("bank-a/admin", "governance.appeal", proposal="p", reason="It was another one")
    found.vote("p", "regulator", "central-bank", "enterprise-a", choice="no")
    assert found.proposal("p")["status"] == "rejected"


# Presence


def test_who_gives_no_sign_for_long_is_not_counted_and_a_vote_makes_it_present():
    found = world(changed(ordinary={"open_ms": [3_600_000, 21 * DAY_MS, 90 * DAY_MS]}))
    chain = found.chain
    start, present = chain.executor.time_ms or chain.genesis.time_ms, RECOMMENDED["present_ms"]
    chain.block(time_ms=start + present - DAY_MS)
    assert electorate.sizes(found.reader)["members"] == {
        "bank": 2,
        "enterprise": 1,
        "government": 2,
        "institute": 1,
        "public": 1,
    }
    found.node("institute-a")
    found.propose("p", "add_validator", {"node": "institute-a"}, "institute-a")
    chain.block(time_ms=start + present)
    assert electorate.sizes(found.reader)["members"] == {"bank": 2, "enterprise": 1, "government": 1, "institute": 1}
    found.propose("q", "add_member", NEWCOMER | {"role": "public"}, "bank-a")
    assert found.vote("q", "public-a").ok
    assert electorate.sizes(found.reader)["members"] == {
        "bank": 2,
        "enterprise": 1,
        "government": 1,
        "institute": 1,
        "public": 1,
    }
    assert found.proposal("q")["constituencies"]["public"]["yes"] == 1
    assert found.proposal("p")["track"] == "seats"


# Amendments


def amend(found: World, document: dict[str, Any], *, amended: str | None = None, by: str = "regulator"):
    subject = {"from": amended or in_force.version(found.reader).digest, "document": document}
    return found.propose("amend", "amend_constitution", subject, by, reason="So that no class decides alone")


def test_a_chain_goes_from_the_founding_rule_to_a_document_and_open_proposals_go_on_under_it():
    found = seven(None)
    found.propose("open", "add_member", NEWCOMER, "bank-a")
    found.vote("open", *BANKS[1:4])
    assert amend(found, RECOMMENDED).ok
    receipt = found.vote("amend", *BANKS[:4])
    assert (receipt.data["status"], receipt.data["outcome"]["version"]) == ("accepted", 1)
    assert in_force.constitution(found.reader).title == RECOMMENDED["title"]
    assert found.vote("open", "bank-e").data["status"] == "open"  # five banks are not enough any more
    assert found.vote("open", "enterprise-a").data["status"] == "accepted"
    assert (found.proposal("amend")["track"], found.proposal("open")["track"]) == ("ordinary", "admission")


def test_an_amendment_names_what_it_amends_and_lacks_nothing_that_keeps_it_safe():
    found = seven(RECOMMENDED)
    assert amend(found, RECOMMENDED, amended="00" * 32).code == "stale_constitution"
    tracks = {
        name: {key: value for key, value in track.items() if key != "override"}
        for name, track in RECOMMENDED["tracks"].items()
    }
    for name in ("protocol", "standing"):
        unsafe = {**RECOMMENDED, "tracks": {**RECOMMENDED["tracks"], name: tracks[name]}}
        receipt = amend(found, unsafe)
        assert (receipt.code, "K3" in receipt.detail or "K5" in receipt.detail) == ("unsafe_constitution", True)
    broken = {**RECOMMENDED, "kinds": {"add_member": "nowhere"}}
    receipt = amend(found, broken)
    assert (receipt.code, "no track nowhere" in receipt.detail) == ("invalid_argument", True)
    assert amend(found, RECOMMENDED).ok


def test_an_amendment_is_heard_passes_and_takes_effect_after_its_delay():
    found = world()
    opened = found.chain.now_ms
    consent = json.loads((DOCUMENTS / "consent.json").read_text())
    assert amend(found, consent).ok
    found.vote("amend", "central-bank", "bank-a", "enterprise-a", "institute-a", "public-a", "city")
    assert found.proposal("amend")["status"] == "open"
    found.chain.block(time_ms=opened + 14 * DAY_MS)
    assert found.proposal("amend")["status"] == "passed"
    found.chain.block(time_ms=opened + 21 * DAY_MS)
    assert in_force.version(found.reader).number == 2
    assert found.proposal("amend")["outcome"]["digest"] == in_force.digest_of(consent)


def test_a_new_constitution_moves_the_dates_of_what_is_open_and_the_central_bank():
    found = seven(None)
    opened = found.chain.now_ms
    found.propose("open", "add_member", NEWCOMER | {"role": "enterprise"}, "bank-a", closes_ms=opened + 60 * DAY_MS)
    found.vote("open", "bank-b", "bank-c", "regulator")
    document = {**RECOMMENDED, "central_bank_counts_as": "government"}
    amend(found, document)
    found.vote("amend", *BANKS[:4])
    found.vote("open", "bank-d", "bank-e")
    found.chain.block(time_ms=opened + 14 * DAY_MS)
    assert found.proposal("open")["overridden"] == "enterprise"
    usual = world(None)
    assert electorate.seat(usual.reader, "central-bank").constituency == "bank"
    amend(usual, document)
    usual.vote("amend", "bank-a", "enterprise-a")
    assert electorate.seat(usual.reader, "central-bank").constituency == "government"
    assert electorate.sizes(usual.reader)["validators"] == {"bank": 1, "enterprise": 1, "government": 2}


# Genesis


def test_no_chain_begins_with_a_document_that_no_amendment_could_bring():
    tracks = {
        name: {key: value for key, value in track.items() if key != "override"}
        for name, track in RECOMMENDED["tracks"].items()
    }
    for document, word in (({}, "title"), ({**RECOMMENDED, "tracks": tracks}, "K3")):
        with pytest.raises(Malformed, match=rf"genesis.constitution.*{word}"):
            genesis_updates(make_genesis(constitution=document))
