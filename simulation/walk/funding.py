"""Moves about tranches of projects: pledged, claimed by events that somebody confirmed, released; and suspensions.

Law: as ``simulation.walk.walker``.
"""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.certification.certificates import IN_FORCE, is_suspended
from coseal.contracts.certification.proceedings import interested
from coseal.contracts.certification.state import (
    COUNT_KEY,
    certificate_key,
    number_key,
    project_key,
    scheme_key,
    tranche_key,
    used_key,
)
from coseal.contracts.certification.tranches import CLAIMED, PLANNED, PLEDGED
from coseal.contracts.certification.verdict import CERTIFIED
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.process.attestation import attestation
from coseal.contracts.process.chain import item_hash, objects_of
from simulation.walk.walker import Make, Move, Seen, Walker

_LOOKS_BACK: Final = 24


def tranches(walk: Walker, taking_part: frozenset[str]) -> dict[str, Any]:
    """Return tranches of a new project, of milestones that were recorded as events; nothing where there are none."""
    seen = [one for one in walk.memory.recorded[-400:] if one.item.get("counterparty") and objects_of(one.item)]
    seen = [one for one in seen if "event" in one.item and one.item["counterparty"] not in taking_part]
    seen = [one for one in seen if _confirmed(walk, one)] or seen
    members = [each for each in walk.members("bank") if each not in taking_part]
    if not seen or not members or walk.chance(4):
        return {}
    funder = walk.pick(members)  # one: who pays reviews nothing, and panels are to be found
    made = [
        {"amount": walk.pick((1, 5_000, 10**15)), "funder": funder, "milestone": _milestone(walk.pick(seen))}
        for _ in range(walk.pick((1, 2)))
    ]
    return {"tranches": made}


def _confirmed(walk: Walker, one: Seen) -> bool:
    """Say whether an event is confirmed, and has not served yet."""
    hashed = item_hash(one.source, one.sequence, one.item)
    said = attestation(walk.sight.reader, hashed)
    return said is not None and said["status"] == "confirmed" and walk.get(used_key(hashed.hex())) is None


def _milestone(one: Seen) -> dict[str, Any]:
    place = [one.process_type, *objects_of(one.item)[0]]
    return {"object": place, "event": one.item["type"], "members": [one.item["counterparty"]]}


def _funded(walk: Walker) -> Move | None:
    """Take the next step of a tranche of a project, mostly of one that may be paid."""
    count = walk.get(COUNT_KEY) or 0
    names = [walk.get(number_key(number)) for number in range(max(1, count - _LOOKS_BACK), count + 1)]
    found = [(name, walk.get(project_key(name))) for name in names]
    found = [(name, record) for name, record in found if "tranches" in record]
    if not found:
        return None
    ripe = [
        (name, record)
        for name, record in found
        if record["status"] == CERTIFIED and record["released"] < max(record["planned"], 1)
    ]
    name, record = walk.pick(ripe if ripe and not walk.chance(6) else found)
    every = [(number, walk.get(tranche_key(name, number))) for number in range(1, record["tranches"] + 1)]
    left = [(number, tranche) for number, tranche in every if tranche["status"] in (PLANNED, PLEDGED, CLAIMED)]
    number, tranche = left[0] if left and not walk.chance(4) else walk.pick(left or every)
    args = {"project": name, "tranche": number}
    match tranche["status"]:
        case "planned":
            more = {"pending": "P1"} if walk.chance(12) else {}
            return _by(walk, tranche["funder"], "pledge", {**args, **more})
        case "pledged":
            seen = [one for one in walk.memory.recorded if _milestone_or_none(one) == tranche["milestone"]]
            seen = [one for one in seen if _confirmed(walk, one)] or seen
            if not seen:
                return None
            return _by(walk, record["member"], "claim_milestone", {**args, "items": [_shown(walk.pick(seen))]})
        case _ if record["status"] != CERTIFIED and not walk.chance(40):
            return None
        case _:
            return _by(walk, tranche["funder"], "release", args)


def _milestone_or_none(one: Seen) -> dict[str, Any] | None:
    fits = "event" in one.item and one.item.get("counterparty") and objects_of(one.item)
    return _milestone(one) if fits else None


def _shown(one: Seen) -> dict[str, Any]:
    return {"source": one.source, "sequence": one.sequence, "item": one.item}


def _suspended(walk: Walker) -> Move | None:
    """Suspend a certificate, or reinstate it."""
    count = walk.get(COUNT_KEY) or 0
    names = [walk.get(number_key(number)) for number in range(max(1, count - _LOOKS_BACK), count + 1)]
    found = [(name, walk.get(project_key(name))) for name in names]
    found = [(name, record) for name, record in found if record["status"] in IN_FORCE]
    if not found:
        return None
    name, record = walk.pick(found)
    under: Any = walk.get(scheme_key(record["scheme"]))
    bodies = [each for each in under["bodies"] if each not in interested(record)]
    bodies = bodies[record["turn"] : record["turn"] + 1] or bodies
    args = {"project": name, "reason": "It has to be looked at"}
    certificate: Any = walk.get(certificate_key(record["certificate"]))
    if is_suspended(certificate, walk.sight.time_ms) != walk.chance(8):  # mostly the step that is to come
        return _by(walk, walk.pick(bodies), "reinstate", args)
    until_ms = walk.sight.time_ms + walk.pick((DAY_MS, 30 * DAY_MS))
    return _by(walk, walk.pick(bodies), "suspend", {**args, "until_ms": until_ms})


def _by(walk: Walker, member: str, action: str, args: dict[str, Any]) -> Move | None:
    sender = walk.operator(member, "operate")
    return None if sender is None else Move(sender, f"certification.{action}", args)


KINDS: Final[dict[str, tuple[int, Make]]] = {"fund": (20, _funded), "suspend": (9, _suspended)}
