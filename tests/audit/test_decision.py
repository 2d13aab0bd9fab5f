"""The decision document: made of a real chain, verified, and spoilt in every part."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from coseal.audit.decision import STEP_NAMES
from coseal.audit.report import Verdict
from coseal.audit.verify import Verification, verify_bytes
from coseal.contracts.governance.state import NAME, ballot_key
from coseal.contracts.kernel.action import View
from coseal.contracts.kernel.contract import Moment
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.registry import CONTRACTS
from coseal.ledger import codec
from coseal.ledger.genesis import PROTOCOL_VERSION
from coseal.ledger.proof import CertifiedValue
from coseal.ledger.render import proven_value_from_json, proven_value_json
from tests.contracts.governance.test_tracks import BANKS, NEWCOMER, SEVEN, changed, seven, world
from tests.support.governance import World, decision_document
from tests.support.keys import signer

REASON = "It meets the conditions of paragraph 4"
GROUNDS = [{"kind": "external", "id": "court/2026-17"}]


def newcomer(name: str) -> dict[str, Any]:
    operator = {"user": "admin", "key": signer(f"{name}/admin").public_key.hex(), "capabilities": ["operate"]}
    return {**NEWCOMER, "member": name, "operators": [operator]}


def verify(found: World, document: Any) -> Verification:
    return verify_bytes(json.dumps(document).encode(), found.chain.genesis)


def voted(found: World, name: str, yes: tuple[str, ...] = (), no: tuple[str, ...] = ()) -> None:
    for choice, members in (("yes", yes), ("no", no)):
        for member in members:
            args = {"ballot": name, "choice": choice, "reason": f"{REASON}, says {member}"}
            assert found.chain.submit(f"{member}/admin", "governance.vote", **args).ok


@pytest.fixture(scope="module")
def told() -> World:
    """Five banks, a government and an enterprise: one matter passes, one fails, one overrides, one is appealed."""
    found = seven(changed(standing={"not_before_ms": 0, "delay_ms": DAY_MS}))
    found.propose("fails", "add_member", newcomer("bank-y"), "bank-a")
    voted(found, "fails", no=("regulator", "enterprise-a"))
    opened = found.chain.now_ms
    found.propose("against", "add_member", newcomer("bank-w") | {"role": "enterprise"}, "bank-a")
    voted(found, "against", (*BANKS[1:], "regulator"), ("enterprise-a",))
    found.propose("gone", "add_member", newcomer("bank-x"), "bank-a")
    found.chain.submit("bank-a/admin", "governance.withdraw", proposal="gone", reason="Later")
    until = opened + 100 * DAY_MS
    subject = {"member": "bank-e", "until_ms": until, "seats": False, "grounds": GROUNDS}
    found.propose("suspends", "suspend_member", subject, "bank-a", reason="Its sources are silent")
    everyone = (*BANKS[1:4], "regulator", "enterprise-a")
    voted(found, "suspends", everyone)
    assert found.proposal("suspends")["status"] == "passed"
    appealed = {"proposal": "suspends", "reason": "They are not silent"}
    assert found.chain.submit("bank-e/admin", "governance.appeal", **appealed).ok
    voted(found, "suspends", ("bank-a", *everyone))
    found.chain.block(time_ms=opened + 15 * DAY_MS)
    found.propose("joins", "add_member", NEWCOMER, "bank-a", reason="A new bank")
    voted(found, "joins", (*BANKS[1:4], "regulator"))
    return found


def test_all_that_decided_a_ballot_is_proven_and_worked_out_again(told: World) -> None:
    found = verify(told, decision_document(told.chain, "joins"))
    assert (found.verdict, found.kind) == (Verdict.OK, "decision"), found.reason
    assert tuple(step.name for step in found.steps) == STEP_NAMES
    facts = found.facts
    assert (facts["status"], facts["track"], facts["total"], facts["at_least"]) == ("accepted", "admission", [2, 3], 2)
    assert facts["constituencies"]["bank"] == {
        "members": 4,
        "yes": 4,
        "no": 0,
        "abstain": 0,
        "quota": [1, 2],
        "met": True,
    }
    assert [vote["member"] for vote in facts["votes"]] == ["bank-a", "bank-b", "bank-c", "bank-d", "regulator"]
    assert facts["votes"][1]["reason"] == f"{REASON}, says bank-b"
    assert "5 yes of 7, more than 2/3; government 1 of 1, more than 1/2; bank 4 of 4" in found.reason
    json.dumps(found.to_json())


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("fails", "rejected", "rejected in block"),
        ("against", "accepted", "enterprise was overridden"),
        ("gone", "withdrawn", "withdrawn by bank-a"),
        ("suspends", "accepted", "effect from"),
    ],
)
def test_every_way_in_which_a_ballot_is_decided_is_told(told: World, name: str, status: str, words: str) -> None:
    found = verify(told, decision_document(told.chain, name))
    assert found.ok, found.reason
    assert found.facts["status"] == status
    assert words in found.reason


def test_votes_of_both_rounds_are_shown_and_the_second_decides(told: World) -> None:
    facts = verify(told, decision_document(told.chain, "suspends")).facts
    rounds = [[vote["member"] for vote in facts["votes"] if vote["round"] == turn] for turn in (1, 2)]
    everyone = ["bank-a", "bank-b", "bank-c", "bank-d", "enterprise-a", "regulator"]
    assert rounds[0][:4] == everyone[:4]
    assert rounds[1][0] == "bank-a"
    assert facts["appeal"]["reason"] == "They are not silent"
    assert facts["concerned"] == "bank-e"
    assert facts["constituencies"]["bank"]["members"] == 4  # it is not counted in its own case


def test_a_vote_counts_where_it_did_whatever_became_of_its_member(told: World) -> None:
    """The suspended bank had voted before; its vote counted then and counts in the document."""
    found = seven(changed(standing={"not_before_ms": 0, "delay_ms": 0}))
    found.propose("joins", "add_member", NEWCOMER, "bank-e")
    voted(found, "joins", (*BANKS[:3], "regulator"))
    found.propose("later", "add_member", newcomer("bank-y"), "bank-e")
    subject = {"member": "bank-e", "until_ms": found.chain.now_ms + DAY_MS, "seats": False, "grounds": GROUNDS}
    found.propose("out", "suspend_member", subject, "bank-a", reason="x")
    voted(found, "out", (*BANKS[1:4], "regulator", "enterprise-a"))
    voted(found, "later", (*BANKS[:4], "regulator"))
    joined, later = (verify(found, decision_document(found.chain, name)) for name in ("joins", "later"))
    assert joined.ok, joined.reason
    assert later.ok, later.reason
    counted = {vote["member"]: vote["counted_in"] for vote in joined.facts["votes"]}
    assert counted["bank-e"] == ["validators", "members"]
    assert {vote["member"]: vote["counted_in"] for vote in later.facts["votes"]}["bank-e"] == []


def test_the_founding_rule_is_verified_without_a_document() -> None:
    found = seven(None)
    found.propose("joins", "add_member", NEWCOMER, "bank-a")
    voted(found, "joins", BANKS[1:])
    document = decision_document(found.chain, "joins")
    assert document["constitution"] is None
    result = verify(found, document)
    assert result.ok, result.reason
    assert result.facts["constitution"]["version"] == 0
    assert verify(found, {**document, "constitution": document["subject"]}).verdict is Verdict.BAD


def spoil(document: dict[str, Any], how: str, other: dict[str, Any]) -> str:
    """Spoil a document; return what the verifier has to name."""
    votes = document["votes"]
    if how == "a vote removed":
        del votes[2]
        return "the vote of bank-c in round 1 is neither shown nor proven absent"
    if how == "a proven absence removed":
        document["votes"] = [vote for vote in votes if vote["present"]]
        return "is neither shown nor proven absent"
    if how == "a vote twice":
        votes[3] = votes[2]
        return "a vote is shown twice"
    if how == "a choice":
        votes[2]["value"][0] = "no"
        return "differs from what the raw form holds"
    if how == "a reason":
        votes[2]["value"][4] = "None"
        return "differs from what the raw form holds"
    if how == "the vote of another ballot":
        votes[2] = other["votes"][2]
        return "is neither shown nor proven absent"
    if how == "the ballot of another":
        document["ballot"] = other["ballot"]
        return "is shown in the place of"
    if how == "no constitution":
        document["constitution"] = None
        return "it was decided by constitution 1"
    if how == "the subject":
        document["subject"] = other["subject"]
        return "is shown in the place of"
    if how == "another contract":
        document["contract"] = "process"
        return "process decides no ballots"
    document["more"] = 1
    return "expected the fields"


@pytest.mark.parametrize(
    "how",
    [
        "a vote removed",
        "a proven absence removed",
        "a vote twice",
        "a choice",
        "a reason",
        "the vote of another ballot",
        "the ballot of another",
        "no constitution",
        "the subject",
        "another contract",
        "a field more",
    ],
)
def test_whatever_is_left_out_or_changed_is_named(told: World, how: str) -> None:
    document = deepcopy(decision_document(told.chain, "joins"))
    named = spoil(document, how, decision_document(told.chain, "fails"))
    found = verify(told, document)
    assert (found.verdict, found.exit_code) == (Verdict.BAD, 1)
    assert named in found.reason


def test_a_raw_form_that_says_otherwise_is_no_proof(told: World) -> None:
    """A vote whose raw form is changed as well no longer leads to the certified root."""
    document = decision_document(told.chain, "joins")
    tip = told.chain.blocks[-1]
    one = proven_value_from_json(document["votes"][2], tip.block.header, tip.certificate)
    assert one.value is not None
    choice, *rest = codec.decode(one.value)
    for value in (codec.encode(["no", *rest]), None):
        changed_value = CertifiedValue(one.key, value, one.proof, one.header, one.certificate)
        spoilt = {**document, "votes": [*document["votes"]]}
        spoilt["votes"][2] = proven_value_json(changed_value)
        found = verify(told, spoilt)
        assert found.verdict is Verdict.BAD, (choice, found.reason)
        assert found.steps[-1].name == "votes"


def test_an_open_ballot_has_no_decision() -> None:
    found = seven(changed())
    found.propose("joins", "add_member", NEWCOMER, "bank-a")
    result = verify(found, decision_document(found.chain, "joins", constitution=1))
    assert result.verdict is Verdict.BAD
    assert "nothing is decided yet" in result.reason


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"status": "rejected"}, "the votes come to passed in block"),
        ({"overridden": "bank"}, "the votes come to passed in block"),
        ({"sizes": {"bank": 50}}, "the votes come to open in block"),
        ({"tally": {"members": {"bank": [9, 0, 0]}, "validators": {}}}, "the votes do not sum to the tally"),
        ({"track": "seats"}, "it was decided on track seats, though its kind is on admission"),
        ({"constitution": 0}, "constitution 1 was in force since block 0, not 0"),
        ({"constitution": 2}, "constitution 2 was not in force"),
        ({"effect_ms": 1}, "it does not take effect when its track says"),
    ],
)
def test_a_quorum_that_certified_another_decision_than_the_votes_is_found_out(changes: Any, named: str) -> None:
    """Validators that changed a decided ballot agree on it and sign it; the rule of decision does not."""
    kept = CONTRACTS["governance"]

    def begin(view: View, moment: Moment) -> Any:
        record: Any = view.get(ballot_key(NAME, "joins"))
        if record is not None and "decided" in record:
            view.put(ballot_key(NAME, "joins"), {**record, **changes})
        return kept.begin(view, moment) if kept.begin is not None else {}

    rules = {PROTOCOL_VERSION: {**CONTRACTS, "governance": replace(kept, begin=begin)}}
    found = world(changed(), SEVEN, (*SEVEN, "enterprise-a.2"), rules=rules)
    found.propose("joins", "add_member", NEWCOMER, "bank-a")
    voted(found, "joins", (*BANKS[1:], "regulator"))
    assert verify(found, decision_document(found.chain, "joins")).ok
    found.chain.block()
    result = verify(found, decision_document(found.chain, "joins"))
    assert result.verdict is Verdict.BAD
    assert named in result.reason
