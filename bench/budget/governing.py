"""Cases of policies, members, measures."""

from __future__ import annotations

from collections.abc import Iterator

from bench.budget.scene import Result, Scene, time_case
from coseal.contracts.governance.grounds import MAX_GROUNDS
from coseal.contracts.governance.measures import MAX_ACTIONS, MAX_MEMBERS
from coseal.contracts.membership.nodes import MAX_NODES
from coseal.contracts.registry import CONTRACTS
from coseal.ledger.signing import Ed25519Signer
from tests.support.keys import operator


def registering() -> Iterator[Result]:
    """Policies and members."""
    scene = Scene()
    base = {"source": "bench", "source_sha256": "00" * 32}
    events = [{"action": "amended", "date": "2001-01-01", "number": f"{n}"} for n in range(60)]
    one = [
        {"id": f"p{n}", "title": f"Policy {n}", "is_about": [f"area {k}" for k in range(8)], "events": events}
        for n in range(50)
    ]
    yield time_case(
        "50 instruments of 60 events recorded",
        scene,
        scene.chain.signed("regulator", "policy.record", {**base, "instruments": one}),
    )
    many = [
        {"id": f"q{n}", "title": f"Policy {n}", "passed_by": [f"issuer {n} {k}" for k in range(4)]} for n in range(300)
    ]
    yield time_case(
        "300 instruments of four new issuers recorded",
        scene,
        scene.chain.signed("regulator", "policy.record", {**base, "instruments": many}),
    )
    for n in range(100):
        scene.must(
            "bank-a",
            "membership.add_operator",
            {"user": f"u{n}", "key": f"{n:064x}".replace("0" * 60, "ab" * 30), "capabilities": ["submit"]},
        )
    added = scene.chain.signed(
        "bank-a", "membership.add_operator", {"user": "last", "key": "cd" * 32, "capabilities": ["submit"]}
    )
    yield time_case("one more operator of a member with a hundred", scene, added)
    asked = scene.chain.signed("bank-a", "supervision.ask", {"topic": "t", "question": "q" * 4_000})
    yield time_case("a question of 4,000 characters", scene, asked)


def _key(name: str) -> str:
    return Ed25519Signer(name.encode().ljust(32, b".")).public_key.hex()


def standing() -> Iterator[Result]:
    """Ballots about a member or a measure: the largest measure, a member with as many nodes as there may be."""
    scene = Scene()
    names = [f"member-{n}" for n in range(MAX_MEMBERS)]
    for name in names:
        operators = [{"user": "admin", "key": operator(name).public_key.hex(), "capabilities": ["operate"]}]
        fields = {"member": name, "name": name, "role": "enterprise", "level": "", "sector": "", "operators": operators}
        scene.decide(f"in-{name}", "add_member", fields)
    about = {"title": "t" * 128, "text_sha256": "00" * 32, "until_ms": scene.chain.executor.time_ms + 86_400_000}
    grounds = [{"kind": "external", "id": f"{n}"} for n in range(MAX_GROUNDS)]
    can = [f"{c.name}.{name}" for c in CONTRACTS.values() for name, action in c.actions.items() if action.pausable]
    pause = dict.fromkeys(can[:MAX_ACTIONS], names)
    subject = {**about, "grounds": grounds, "pause": pause}
    proposed = {"id": "n", "kind": "measure", "subject": subject}
    yield time_case(
        "a measure of 16 actions for 32 members proposed",
        scene,
        scene.chain.signed("bank-a", "governance.propose", proposed),
    )
    vote = scene.decide("m", "measure", subject, last=False)
    yield time_case("a measure of 16 actions for 32 members decided", scene, vote)
    for n in range(MAX_NODES):
        keys = {"consensus_key": _key(f"node {n}"), "link_certificate": f"3004{n:08x}"}
        scene.must(names[0], "membership.add_node", {"node": f"node-{n}", **keys})
    vote = scene.decide("out", "remove_member", {"member": names[0], "grounds": grounds}, last=False)
    yield time_case("a member with 16 nodes removed", scene, vote)
