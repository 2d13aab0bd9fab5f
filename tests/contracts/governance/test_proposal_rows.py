"""Rows and events of what members decide: proposals, votes with their reasons, decisions, measures."""

from __future__ import annotations

import asyncio

from coseal.contracts.block_events import BEGIN, block_events
from coseal.contracts.governance.proposal_rows import VOTING
from coseal.contracts.governance.state import vote_key
from coseal.contracts.registry import CONTRACTS
from coseal.streams.outgoing import outgoing
from tests.contracts.governance.test_tracks import changed, world
from tests.node.index.test_index import opened
from tests.support.chain import Chain
from tests.support.governance import World
from tests.support.keys import signer

DAY_MS = 86_400_000
GROUNDS = [{"kind": "external", "id": "Judgment 7/2026"}]
VOTERS = ("bank-a", "central-bank", "regulator")


def rows(folder, chain, query):
    """Return what an index of the whole chain answers."""
    index = opened(folder / "index.sqlite", chain)
    index.start(len(chain.blocks))
    assert index.wait(len(chain.blocks), 20)

    def ask(connection):
        connection.row_factory = None
        return [tuple(row) for row in connection.execute(query)]

    found = asyncio.run(index.query(ask))
    index.stop()
    return found


def raised(chain, kind):
    """Return (id of the event, what it says) of every event of a kind."""
    found = []
    for committed in chain.blocks:
        for event in block_events(committed, (committed.block.header.height, BEGIN, 0)):
            if event.kind == kind:
                found.append((event.data["id"], event.data["status"], event.data["index"], event.contracts))
    return found


def test_the_votes_of_every_contract_with_ballots_have_rows():
    assert {name for name, contract in CONTRACTS.items() if "vote" in contract.actions} == set(VOTING)


def test_proposals_and_votes_have_rows_with_their_reasons(tmp_path):
    chain = Chain()
    found = World(chain, signer)
    found.node("institute-a")
    subject = {"node": "institute-a"}
    found.propose("p", "add_validator", subject, "bank-a", reason="A seat for research")
    chain.submit("enterprise-a/admin", "governance.vote", ballot="p", choice="no", reason="Too early")
    found.vote("p", "regulator")
    found.propose("q", "remove_member", {"member": "public-a", "grounds": GROUNDS}, "institute-a")
    found.vote("p", "central-bank")
    found.propose("r", "add_validator", subject, "bank-a")
    chain.submit("institute-a/admin", "governance.withdraw", proposal="q", reason="It stays")
    chain.block(time_ms=chain.now_ms + 8 * DAY_MS)
    said = rows(tmp_path, chain, "SELECT id, status, proposer, reason, yes, no, needed, electors FROM proposals")
    assert sorted(said) == [
        ("p", "accepted", "bank-a", "A seat for research", 3, 1, 3, 4),
        ("q", "withdrawn", "institute-a", None, 0, 0, 4, 5),
    ]
    votes = rows(tmp_path, chain, "SELECT ballot, round, member, choice, reason, hex(tx) FROM votes ORDER BY height")
    assert [vote[:5] for vote in votes] == [
        ("p", 1, "bank-a", "yes", "A seat for research"),
        ("p", 1, "enterprise-a", "no", "Too early"),
        ("p", 1, "regulator", "yes", None),
        ("p", 1, "central-bank", "yes", None),
    ]
    kept = found.reader.get(vote_key("governance", "p", 1, "enterprise-a"))
    assert votes[1][5].lower() == kept[3]
    outcome = "SELECT json_extract(document, '$.outcome.first_height') FROM proposals WHERE id = 'p'"
    assert rows(tmp_path, chain, outcome) == [(found.proposal("p")["outcome"]["first_height"],)]


def test_a_second_round_has_rows_of_its_own(tmp_path):
    found = world(changed(standing={"delay_ms": 3 * DAY_MS, "not_before_ms": 0}))
    chain = found.chain
    subject = {"member": "institute-a", "until_ms": chain.now_ms + 99 * DAY_MS, "seats": False, "grounds": GROUNDS}
    voters = ("bank-a", "central-bank", "regulator", "city", "enterprise-a")
    proposed = found.propose("s", "suspend_member", subject, "public-a", reason="It was judged")
    assert proposed.ok, proposed
    for voter in voters:
        receipt = chain.submit(f"{voter}/admin", "governance.vote", ballot="s", choice="yes", reason="Yes")
        if receipt.data["status"] == "passed":
            break
    assert receipt.data["status"] == "passed"
    assert chain.submit("institute-a/admin", "governance.appeal", proposal="s", reason="It was withdrawn").ok
    chain.submit("regulator/admin", "governance.vote", ballot="s", choice="yes", reason="Still")
    columns = "status, round, yes, decided_ms, json_extract(document, '$.appeal')"
    assert rows(tmp_path, chain, f"SELECT {columns} FROM proposals") == [("open", 2, 1, None, "It was withdrawn")]
    counted = "SELECT round, count(*) FROM votes GROUP BY round ORDER BY round"
    assert [turn for turn, _ in rows(tmp_path, chain, counted)] == [1, 2]
    assert [(name, status) for name, status, _, _ in raised(chain, "decision")] == [("s", "passed")]


def test_decisions_and_measures_are_events():
    chain = Chain()
    found = World(chain, signer)
    until_ms = chain.now_ms + DAY_MS
    about = {"title": "Audit", "text_sha256": "00" * 32, "until_ms": until_ms, "grounds": GROUNDS}
    pause = {"process.define_type": "all"}
    found.accept("audit", "measure", {**about, "pause": pause}, "public-a", VOTERS)
    found.accept("fire", "emergency_measure", {**about, "pause": {"supervision.guide": "all"}}, "public-a", VOTERS)
    found.accept("end", "end_measure", {"measure": "audit"}, "public-a", VOTERS)
    found.propose("late", "end_measure", {"measure": "fire"}, "public-a", closes_ms=chain.now_ms + 2_000)
    chain.block(time_ms=until_ms)
    governance = ("governance",)
    assert raised(chain, "measure") == [
        ("audit", "in force", 0, governance),
        ("fire", "in force", 0, governance),
        ("audit", "ended", 0, governance),
        ("fire", "ended", None, governance),
    ]
    assert raised(chain, "decision") == [
        ("audit", "accepted", 0, governance),
        ("fire", "accepted", 0, governance),
        ("end", "accepted", 0, governance),
        ("late", "expired", None, governance),
    ]
    sent = [event for committed in chain.blocks for event in outgoing(committed)]
    told = [
        (event.type, event.attributes["subject"]) for event in sent if event.type.endswith((".decision", ".measure"))
    ]
    assert told[:2] == [("coseal.governance.decision", "audit"), ("coseal.governance.measure", "audit")]
    assert len(told) == 8
    assert len({event.message_id for event in sent}) == len(sent)


def test_the_ballots_of_supervision_are_decisions_too():
    chain = Chain()
    chain.submit("regulator/admin", "supervision.propose_terms", terms={"respond": 10 * DAY_MS}, reason="Longer")
    for member in ("bank-a", "central-bank", "regulator"):
        chain.submit(f"{member}/admin", "supervision.vote", ballot="B1", choice="yes")
    assert raised(chain, "decision") == [("B1", "accepted", 0, ("supervision",))]
