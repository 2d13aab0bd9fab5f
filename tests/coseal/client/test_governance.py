"""Governance from a member's side: proposals and the constitution, proven, and shown with what their track asks for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from coseal.cli.ballot_lines import print_standing, stands
from coseal.client import constitution, governance
from coseal.contracts.governance.document import FOUNDING
from coseal.contracts.kernel.dates import DAY_MS
from coseal.demo.examples import example
from coseal.errors import EXIT_UNKNOWN, BadAnswer, CosealError, Waiting
from tests.coseal.conftest import FakeNode

RECOMMENDED = json.loads(example("constitution/recommended.json").read_text())
VERSION = {"version": 2, "height": 1_000}


def made(document: Mapping[str, Any] | None) -> FakeNode:
    """Return a node on whose chain ``document`` decides, with one block."""
    node = FakeNode(document)
    with node.client("regulator") as client:
        client.submit("membership", "remove_operator", {"user": "nobody"})
    return node


@pytest.fixture
def constituted() -> FakeNode:
    return made(RECOMMENDED)


def propose(node: FakeNode) -> dict[str, Any]:
    """Have the regulator propose a version and bank-a abstain; return the proposal."""
    with node.client("regulator") as regulator, node.client("bank-a") as bank:
        governance.propose(regulator, "v2", "protocol_version", VERSION, reason="Faster").require_ok()
        governance.vote(bank, "v2", "abstain", "No opinion").require_ok()
        return governance.proposal(bank, "v2")


def test_a_proposal_shows_its_track_and_its_votes_by_constituency(constituted: FakeNode) -> None:
    found = propose(constituted)
    assert (found["status"], found["track"], found["round"], found["subject"]) == ("open", "protocol", 1, VERSION)
    assert (found["yes"], found["no"], found["abstain"], found["needed"], found["of"]) == (1, 0, 1, 3, 4)
    assert found["constituencies"]["bank"] == {"members": 2, "yes": 0, "no": 0, "abstain": 1}
    assert [(vote["member"], vote["choice"], vote["reason"]) for vote in found["votes"]] == [
        ("bank-a", "abstain", "No opinion"),
        ("regulator", "yes", "Faster"),
    ]
    assert found["electorate"] == ["bank-a", "central-bank", "enterprise-a", "regulator"]
    rule = found["rule"]
    assert rule["needed"] == {"government": 1, "bank": 2, "enterprise": 1}
    assert rule["heard_until_ms"] == found["opened_ms"] + RECOMMENDED["tracks"]["protocol"]["not_before_ms"]
    assert rule["override_from_ms"] == found["opened_ms"] + RECOMMENDED["tracks"]["protocol"]["override"]["after_ms"]


def test_people_read_how_it_stands(constituted: FakeNode, capsys: pytest.CaptureFixture[str]) -> None:
    found = propose(constituted)
    print_standing(found)
    said = " ".join(capsys.readouterr().out.split())
    assert stands(found) == "open, 1 yes, 0 no, 1 abstain; 3 of 4 needed"
    assert "track protocol: more than 2/3 of the members that run a validator, and each constituency" in said
    assert "bank 2 0 0 1 2" in said
    assert "abstain bank-a in block 3: No opinion" in said
    assert "not yet central-bank, enterprise-a" in said
    assert "decided not before " in said


def test_its_proposer_alone_withdraws_it_while_it_is_open(constituted: FakeNode) -> None:
    propose(constituted)
    with constituted.client("bank-a") as bank, constituted.client("regulator") as regulator:
        assert governance.withdraw(bank, "v2").receipt.code == "not_proposer"
        governance.withdraw(regulator, "v2", "Not ready").require_ok()
        assert governance.proposal(bank, "v2")["status"] == "withdrawn"
        assert governance.withdraw(regulator, "v2").receipt.code == "not_open"
        assert governance.appeal(bank, "v2", "Unjust").receipt.code == "not_concerned"


def test_votes_that_suffice_before_the_hearing_is_over_decide_nothing(constituted: FakeNode) -> None:
    propose(constituted)
    with constituted.client("regulator") as reader:
        with pytest.raises(
            Waiting, match=r"v2 passes at 20.* by the votes so far, overriding bank, and takes"
        ) as waiting:
            governance.decide(reader, constituted.client, "v2")
        rule = governance.proposal(reader, "v2")["rule"]
        assert waiting.value.until_ms == rule["override_from_ms"]
        assert waiting.value.exit_code == EXIT_UNKNOWN
        with pytest.raises(BadAnswer, match="there is no proposal nothing"):
            governance.proposal(reader, "nothing")


def test_who_waits_for_a_hearing_or_a_delay_is_told_until_when() -> None:
    admission = {**RECOMMENDED["tracks"]["protocol"], "delay_ms": 3 * DAY_MS}
    node = made({**RECOMMENDED, "tracks": {**RECOMMENDED["tracks"], "protocol": admission}})
    with node.client("regulator") as reader:
        governance.propose(reader, "v2", "protocol_version", VERSION, reason="Faster").require_ok()
        with pytest.raises(Waiting, match="when it has been heard, and takes effect at 20") as waiting:
            governance.decide(reader, node.client, "v2")
        found = governance.proposal(reader, "v2")
        assert found["rule"]["outlook"] == {"status": "passed", "at_ms": found["rule"]["heard_until_ms"]}
        assert waiting.value.until_ms == found["rule"]["heard_until_ms"] + 3 * DAY_MS
        node.chain.block(time_ms=found["rule"]["heard_until_ms"])
        with pytest.raises(Waiting, match="v2 passed, and takes effect at 20"):
            governance.decide(reader, node.client, "v2")
        node.chain.block(time_ms=waiting.value.until_ms)
        assert governance.decide(reader, node.client, "v2")["status"] == "accepted"


def test_votes_that_are_missing_are_named(constituted: FakeNode) -> None:
    propose(constituted)
    with constituted.client("regulator") as reader, pytest.raises(BadAnswer, match="lacks votes, of central-bank"):
        governance.decide(reader, {"enterprise-a": reader}.get, "v2")


def test_the_constitution_in_force_is_proven(constituted: FakeNode) -> None:
    with constituted.client() as client:
        found = constitution.in_force(client)
    assert (found.version, found.height, found.proposal, found.document) == (1, 0, "", RECOMMENDED)
    with made(None).client() as client:
        found = constitution.in_force(client)
    assert (found.version, found.digest, found.constitution) == (0, "00" * 32, FOUNDING)


def test_an_amendment_is_checked_before_it_is_proposed(constituted: FakeNode) -> None:
    consent = json.loads(example("constitution/consent.json").read_text())
    with constituted.client("regulator") as client:
        with pytest.raises(CosealError, match="on the track constitution a proposal needs a reason"):
            constitution.amendment(client, consent, None)
        subject = constitution.amendment(client, consent, "Consent")
        assert subject == {"from": constitution.in_force(client).digest, "document": consent}
        governance.propose(client, "c", "amend_constitution", subject, reason="Consent").require_ok()
        consent["tracks"]["rules"]["pass"] = {"total": [1, 5]}
        with pytest.raises(BadAnswer, match="K2, track rules: bank says yes, nobody else votes: it passes"):
            constitution.amendment(client, consent, "Consent")
