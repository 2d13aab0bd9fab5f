"""Moves of membership, governance and evidence: operators, nodes, validators, members, rules of the protocol.

Law: as ``simulation.walk.walker``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from coseal.contracts.governance.state import (
    ADMISSIONS_KEY,
    CONSTITUTION_KEY,
    MEASURES_KEY,
    PROPOSALS_KEY,
    UPGRADE_KEY,
    leaving_key,
    proposal_key,
)
from coseal.contracts.governance.state import NAME as GOVERNANCE
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.kernel.state import ASIDES_KEY, PROTOCOL_VERSION_KEY
from coseal.contracts.membership.state import (
    FORMER_KEY,
    SUSPENDED_KEY,
    VALIDATORS_KEY,
    epoch_key,
    operators_key,
    own_nodes_key,
)
from coseal.ledger import signing
from coseal.ledger.certificate import Phase, vote_preimage
from simulation.walk import certification, credit, disclosure, mission, money, standards
from simulation.walk.walker import USERS, Make, Move, Walker

CAPABILITIES: Final = ("operate", "registrar", "submit", "supervise")
MAX_OPEN: Final = 4
_RECOMMENDED: Final = Path(__file__).parents[2] / "examples" / "constitution" / "recommended.json"
PAUSED: Final = ("membership.set_profile", "policy.amend", "process.define_type", "supervision.guide")
NEW_MEMBERS: Final = tuple(f"member-{number}" for number in range(6))


def _add_operator(walk: Walker) -> Move | None:
    member = walk.member()
    sender = walk.operator(member, "operate")
    if sender is None:
        return None
    rights = walk.get(operators_key(member))
    own = rights[sender.partition("/")[2]]
    free = [user for user in USERS if not rights.get(user)]
    if not free:
        return None
    given = sorted(walk.rng.sample(own, walk.rng.randint(1, len(own))))
    key = walk.keys.make().public_key.hex()
    return Move(sender, "membership.add_operator", {"user": walk.pick(free), "key": key, "capabilities": given})


def _remove_operator(walk: Walker) -> Move | None:
    member = walk.member()
    sender = walk.operator(member, "operate")
    rights = walk.get(operators_key(member))
    held = [user for user, capabilities in rights.items() if capabilities and user != "admin"]
    if sender is None or not held or walk.chance(2):
        return None
    return Move(sender, "membership.remove_operator", {"user": walk.pick(held)})


def _rotate_operator_key(walk: Walker) -> Move | None:
    member = walk.member()
    sender = walk.operator(member, walk.pick(("operate", "submit")))
    if sender is None:
        return None
    args: dict[str, Any] = {"key": walk.keys.make().public_key.hex()}
    if walk.chance(2):
        args["user"] = walk.pick([user for user, held in walk.get(operators_key(member)).items() if held])
    return Move(sender, "membership.rotate_operator_key", args)


def _set_profile(walk: Walker) -> Move | None:
    sender = walk.operator(walk.member(), "operate")
    texts = {"name": "Name", "description": "Text " * walk.rng.randint(1, 200), "url": "https://x.example"}
    names = walk.rng.sample(list(texts), walk.rng.randint(1, 3))
    return None if sender is None else Move(sender, "membership.set_profile", {name: texts[name] for name in names})


def _certificate(walk: Walker) -> str:
    return "3004" + walk.memory.next().to_bytes(4, "big").hex()


def _add_node(walk: Walker) -> Move | None:
    member = walk.member()
    sender = walk.operator(member, "operate")
    own = walk.get(own_nodes_key(member)) or []
    if sender is None or len(own) >= 3:
        return None
    args = {"node": f"node-{walk.memory.next()}", "link_certificate": _certificate(walk)}
    args["consensus_key"] = walk.keys.make().public_key.hex()
    if walk.chance(2):
        args["address"] = walk.pick(("127.0.0.1:9000", "[::1]:1", "a.example:65535"))
    return Move(sender, "membership.add_node", args)


def _remove_node(walk: Walker) -> Move | None:
    observers = walk.nodes("observer")
    if len(observers) < 4:
        return None
    node_id, record = walk.pick(observers)
    sender = walk.operator(record["member"], "operate")
    return None if sender is None else Move(sender, "membership.remove_node", {"node": node_id})


def _rotate_link_certificate(walk: Walker) -> Move | None:
    node_id, record = walk.pick(walk.nodes(walk.pick(("validator", "observer"))) or walk.nodes("validator"))
    sender = walk.operator(record["member"], "operate")
    args = {"node": node_id, "certificate": _certificate(walk)}
    return None if sender is None else Move(sender, "membership.rotate_link_certificate", args)


def _ready(walk: Walker) -> Move | None:
    waiting = [name for name, record in walk.nodes("observer") if walk.sight.height - record.get("ready", -100) >= 100]
    if not waiting or walk.sight.height < 2:
        return None
    return Move(walk.node(walk.pick(waiting)), "membership.ready", {"height": walk.sight.height - 1})


def _declare_software(walk: Walker) -> Move | None:
    node_id, record = walk.pick(walk.nodes("validator") + walk.nodes("observer"))
    version: int = walk.get(PROTOCOL_VERSION_KEY)
    versions = list(range(version, version + walk.rng.randint(1, 3)))
    if record.get("software", {}).get("protocol_versions") == versions:
        return None
    return Move(walk.node(node_id), "membership.declare_software", {"protocol_versions": versions})


# Governance


def _propose(walk: Walker) -> Move | None:
    waiting: list[Any] = walk.get(PROPOSALS_KEY) or []
    member = walk.pick(walk.electorate()) if walk.chance(2) else walk.member()
    sender = walk.operator(member, "operate")
    if sender is None or sum(row[2] == member for row in waiting) >= MAX_OPEN:
        return None
    suspends = walk.get(CONSTITUTION_KEY) is not None and walk.chance(6)  # it may be appealed there
    kind = "suspend_member" if suspends else walk.pick(tuple(_SUBJECTS))
    if walk.get(UPGRADE_KEY) is not None and walk.chance(6):  # it is decided for a short time only
        kind = "withdraw_version"
    subject = _SUBJECTS[kind](walk, member)
    if subject is None:
        return None
    args: dict[str, Any] = {"id": f"p-{walk.memory.next()}", "kind": kind, "subject": subject}
    if walk.chance(2):
        args["closes_ms"] = walk.sight.time_ms + walk.pick((1, 1_000, 3_600_000, DAY_MS, 90 * DAY_MS))
    if walk.chance(3) or kind == "amend_constitution":
        args["reason"] = "It is time"
    return Move(sender, "governance.propose", args)


def _amendment(walk: Walker, member: str) -> dict[str, Any] | None:
    """Return the recommended document with other times, so that a walk sees its hearings, overrides and delays."""
    if not walk.chance(2):
        return None
    after_ms = walk.rng.randint(1, DAY_MS)
    tracks = json.loads(_RECOMMENDED.read_text("utf-8"))
    for name, track in tracks["tracks"].items():
        track["override"]["after_ms"] = after_ms
        track["open_ms"] = [3_600_000, after_ms + DAY_MS, (3 if name == "emergency" else 90) * DAY_MS]
        delay_ms = DAY_MS if name == "standing" else walk.pick((0, 1_000, DAY_MS))
        track |= {"delay_ms": delay_ms, "not_before_ms": 0 if name != "constitution" else 1_000}
        if track.pop("veto", None):
            track["not_before_ms"] = 0
    current = walk.get(CONSTITUTION_KEY)
    return {"from": "00" * 32 if current is None else current[1], "document": tracks}


def _addition(walk: Walker, member: str) -> dict[str, Any] | None:
    ready = [name for name, record in walk.nodes("observer") if "ready" in record]
    if not ready or len(walk.get(VALIDATORS_KEY)[1]) >= 8:
        return None
    return {"node": walk.pick(ready)}


def _removal(walk: Walker, member: str) -> dict[str, Any] | None:
    seats = [row[0] for row in walk.get(VALIDATORS_KEY)[1]]
    return {"node": walk.pick(seats)} if len(seats) > 5 or walk.chance(8) else None


def _rotation(walk: Walker, member: str) -> dict[str, Any] | None:
    own = [row[0] for row in walk.get(VALIDATORS_KEY)[1] if row[1] == member]
    if not own:
        return None
    signer = walk.keys.make()
    node_id = walk.pick(own)
    proof = signer.sign(signing.key_preimage(walk.genesis.chain_id, node_id, signer.public_key))
    return {"node": node_id, "key": signer.public_key.hex(), "proof": proof.hex()}


def _new_member(walk: Walker, member: str) -> dict[str, Any] | None:
    free = [name for name in NEW_MEMBERS if name not in walk.members()]
    if not free:
        return None
    role = walk.pick(("bank", "enterprise", "institute", "public", "government"))
    government = role == "government"
    operators = [
        {
            "user": user,
            "key": walk.keys.make().public_key.hex(),
            "capabilities": ["operate", "submit", *(["supervise", "registrar"] if government else [])],
        }
        for user in USERS[: walk.rng.randint(1, 2)]
    ]
    name = walk.pick(free)
    level = walk.pick(("central", "provincial", "municipal")) if government else ""
    return {"member": name, "name": name, "role": role, "level": level, "sector": "", "operators": operators}


def _version(walk: Walker, member: str) -> dict[str, Any] | None:
    version: int = walk.get(PROTOCOL_VERSION_KEY)
    if not walk.upgrades or not walk.chance(3):
        return None
    return {"version": version + 1, "height": walk.sight.height + walk.rng.randint(2, 80)}


def _withdrawal(walk: Walker, member: str) -> dict[str, Any] | None:
    upgrade = walk.get(UPGRADE_KEY)
    return None if upgrade is None else {"proposal": upgrade[2]}


def _contract(walk: Walker, member: str) -> dict[str, Any] | None:
    """Return sources that no node has: their admission is void at its height."""
    subject = {"name": walk.pick(("tally", "pledges")), "version": walk.rng.randint(1, 2), "sha256": "11" * 32}
    return {**subject, "height": walk.sight.height + walk.rng.randint(2, 80)}


def _contract_withdrawal(walk: Walker, member: str) -> dict[str, Any] | None:
    waiting: list[Any] = walk.get(ADMISSIONS_KEY) or []
    return {"proposal": walk.pick(waiting)[4]} if waiting else None


def _retried(walk: Walker, member: str) -> dict[str, Any] | None:
    waiting: list[int] = walk.get(ASIDES_KEY) or []
    return {"number": walk.pick(waiting)} if waiting else None


def _grounds(walk: Walker) -> list[dict[str, str]]:
    numbers = walk.newest("finding", 8)
    known = [{"kind": "finding", "id": f"F{walk.pick(numbers)}"}] if numbers else []
    return [{"kind": "external", "id": "A judgment"}, *known]


def _suspension(walk: Walker, member: str) -> dict[str, Any] | None:
    until_ms = walk.sight.time_ms + walk.pick((60_000, 3_600_000, DAY_MS, 30 * DAY_MS))
    about = {"member": walk.member(), "until_ms": until_ms, "seats": walk.chance(2), "grounds": _grounds(walk)}
    return about if walk.chance(3) or walk.get(CONSTITUTION_KEY) is not None else None


def _reinstatement(walk: Walker, member: str) -> dict[str, Any] | None:
    suspended: list[str] = walk.get(SUSPENDED_KEY) or []
    return {"member": walk.pick(suspended), "grounds": _grounds(walk)} if suspended else None


def _departure(walk: Walker, member: str) -> dict[str, Any] | None:
    """Name a member that was admitted during the walk, mostly: those of the genesis have much to do."""
    gone: list[str] = walk.get(FORMER_KEY) or []
    free = [name for name in NEW_MEMBERS if name in walk.members() and name not in gone]
    return {"member": walk.pick(free), "grounds": _grounds(walk)} if free and walk.chance(3) else None


def _measure(walk: Walker, member: str) -> dict[str, Any] | None:
    actions = walk.rng.sample(PAUSED, walk.rng.randint(1, 3))
    until_ms = walk.sight.time_ms + walk.pick((60_000, 3_600_000, DAY_MS))
    about = {"title": "A measure", "text_sha256": "00" * 32, "until_ms": until_ms, "grounds": _grounds(walk)}
    return {**about, "pause": {action: "all" if walk.chance(3) else [walk.member()] for action in actions}}


def _measure_end(walk: Walker, member: str) -> dict[str, Any] | None:
    ids: list[str] = walk.get(MEASURES_KEY) or []
    return {"measure": walk.pick(ids)} if ids else None


_SUBJECTS: Final = {
    "amend_constitution": _amendment,
    "add_validator": _addition,
    "remove_validator": _removal,
    "rotate_validator_key": _rotation,
    "add_member": _new_member,
    "protocol_version": _version,
    "withdraw_version": _withdrawal,
    "add_contract": _contract,
    "withdraw_contract": _contract_withdrawal,
    "retry_due": _retried,
    "recognise_standard": standards.recognition,
    "settle_dispute": standards.settlement,
    "credit_formula": credit.formula_adopted,
    "custody_plan": disclosure.another_plan,
    "disclosure_policy": disclosure.policy,
    "adopt_scheme": certification.scheme_adopted,
    "retire_scheme": certification.scheme_retired,
    "revoke_certificate": certification.certificate_revoked,
    "open_mission": mission.said_by_a_ballot,
    "currency_class": money.money_class,
    "currency_regime": money.money_regime,
    "currency_correction": money.money_correction,
    "suspend_member": _suspension,
    "reinstate_member": _reinstatement,
    "remove_member": _departure,
    "measure": _measure,
    "emergency_measure": _measure,
    "end_measure": _measure_end,
}


def _vote(walk: Walker) -> Move | None:
    waiting: list[Any] = walk.get(PROPOSALS_KEY) or []
    if not waiting:
        return None
    proposal_id = walk.pick(waiting)[0]
    sender = walk.voter(GOVERNANCE, proposal_id)
    args = {"ballot": proposal_id, "choice": walk.pick(("no", "abstain")) if walk.chance(6) else "yes"}
    if not walk.chance(4):
        args["reason"] = "So it should be"
    return None if sender is None else Move(sender, "governance.vote", args)


def _withdraw(walk: Walker) -> Move | None:
    waiting: list[Any] = walk.get(PROPOSALS_KEY) or []
    own = [(row[0], row[2]) for row in waiting if walk.get(proposal_key(row[0]))["status"] == "open"]
    if not own or not walk.chance(4):
        return None
    proposal_id, member = walk.pick(own)
    sender = walk.operator(member, "operate")
    return None if sender is None else Move(sender, "governance.withdraw", {"proposal": proposal_id})


def _appeal(walk: Walker) -> Move | None:
    waiting: list[Any] = walk.get(PROPOSALS_KEY) or []
    for proposal_id, _, _ in waiting:
        record = walk.get(proposal_key(proposal_id))
        member = record.get("concerned")
        sender = None if member is None or record["status"] != "passed" else walk.operator(member, "operate")
        if sender is not None and record["round"] == 1:
            return Move(sender, "governance.appeal", {"proposal": proposal_id, "reason": "It rests on nothing"})
    return None


def _leave(walk: Walker) -> Move | None:
    member = walk.pick(NEW_MEMBERS)
    sender = walk.operator(member, "operate")
    if sender is None:
        return None
    if walk.get(leaving_key(member)) is not None:
        return Move(sender, "governance.stay", {}) if walk.chance(2) else None
    return Move(sender, "governance.leave", {"member": member})


# Evidence


def _report(walk: Walker) -> Move | None:
    epoch, rows = walk.get(VALIDATORS_KEY)
    first_height = walk.get(epoch_key(epoch))[0]
    node_id, _, _, key = walk.pick(rows)
    signer = walk.keys.of(key)
    if signer is None or first_height > walk.sight.height:
        return None
    height = walk.rng.randint(first_height, walk.sight.height)
    name, phase = walk.pick((("prepare", Phase.PREPARE), ("commit", Phase.COMMIT), ("proposal", Phase.PROPOSAL)))
    number = walk.rng.randrange(4)
    halves = []
    for digest in (b"\x11" * 32, b"\x22" * 32):
        preimage = vote_preimage(walk.genesis.chain_id, epoch, height, number, phase, digest)
        halves.append({"hash": digest.hex(), "signature": signer.sign(preimage).hex()})
    args = {"validator": node_id, "height": height, "round": number, "phase": name}
    sender = walk.node(walk.pick(rows)[0]) if walk.chance(2) else walk.operator(walk.member())
    return (
        None if sender is None else Move(sender, "evidence.report", {**args, "first": halves[0], "second": halves[1]})
    )


KINDS: Final[dict[str, tuple[int, Make]]] = {
    "add_operator": (2, _add_operator),
    "remove_operator": (1, _remove_operator),
    "rotate_operator_key": (1, _rotate_operator_key),
    "set_profile": (1, _set_profile),
    "add_node": (2, _add_node),
    "remove_node": (1, _remove_node),
    "rotate_link_certificate": (1, _rotate_link_certificate),
    "ready": (3, _ready),
    "declare_software": (5, _declare_software),
    "propose": (8, _propose),
    "vote on a proposal": (16, _vote),
    "withdraw": (1, _withdraw),
    "appeal": (40, _appeal),
    "leave or stay": (3, _leave),
    "report": (1, _report),
}
