"""Moves of the policy register: published, endorsed, approved, promulgated, amended, repealed, evaluated, recorded.

Law: as ``simulation.walk.walker``.
"""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.policy.state import instrument_key
from simulation.walk.walker import Make, Move, Walker

DATES: Final = ("2019", "2020-01", "2020-06-30", "2021-12-31", "2022-02-28", "2023")


def _issuer(walk: Walker) -> str:
    return str(walk.pick([*walk.members("government"), "central-bank"]))


def _known(walk: Walker, *statuses: str) -> dict[str, Any] | None:
    names = list(walk.memory.policies)
    for name in walk.rng.sample(names, min(8, len(names))):
        entry: dict[str, Any] | None = walk.get(instrument_key(name))
        if entry is not None and entry["status"] in statuses:
            return entry
    return None


def _publish(walk: Walker) -> Move | None:
    before = _known(walk, "proposed") if walk.chance(3) else None
    member = before["member"] if before is not None and before.get("origin") == "live" else _issuer(walk)
    sender = walk.operator(member)
    if sender is None:
        return None
    name = before["id"] if before is not None else f"cn/{walk.memory.next()}"
    walk.memory.policies[name] = None
    args: dict[str, Any] = {
        "id": name,
        "title": "A policy",
        "type_document": "notice",
        "date_document": walk.pick(DATES),
    }
    if before is None and walk.chance(3):
        args["stage"] = "proposed"
    if walk.chance(2):
        args["passed_by"] = [member, walk.pick([other for other in walk.members() if other != member])]
    if walk.chance(4):
        args |= {"jurisdiction": walk.pick(("CN", "HK", "DE", "CN-31")), "zone_minutes": walk.pick((0, 60, 480, -840))}
    if walk.chance(4):
        args["text_sha256"] = "ab" * 32
    if walk.chance(4) and walk.memory.policies:
        args[walk.pick(("amends", "based_on", "cites"))] = [walk.pick(list(walk.memory.policies))]
    return Move(sender, "policy.publish", args)


def _endorse(walk: Walker) -> Move | None:
    entry = _known(walk, "passed", "promulgated")
    if entry is None or not entry.get("awaiting"):
        return None
    sender = walk.operator(walk.pick(entry["awaiting"]))
    return None if sender is None else Move(sender, "policy.endorse", {"id": entry["id"]})


def _approve(walk: Walker) -> Move | None:
    entry = _known(walk, "passed", "recorded")
    sender = walk.operator(walk.pick(["central-bank", "regulator"]))
    if entry is None or sender is None:
        return None
    return Move(sender, "policy.approve", {"id": entry["id"], "date": walk.pick(DATES)})


def _promulgate(walk: Walker) -> Move | None:
    entry = _known(walk, "passed")
    if entry is None:
        return None
    sender = walk.operator(entry.get("member") or _issuer(walk))
    first, second = sorted((walk.pick(DATES), walk.pick((*DATES, "2030-01-01"))))
    args = {"id": entry["id"], "date_publication": first, "first_date_entry_in_force": second}
    return None if sender is None else Move(sender, "policy.promulgate", args)


def _amend(walk: Walker) -> Move | None:
    entry = _known(walk, "promulgated", "recorded")
    if entry is None:
        return None
    sender = walk.operator(entry.get("member") or _issuer(walk))
    args = {"id": entry["id"], "date": walk.pick(DATES), "kind": walk.pick(("amended", "corrected", "revised"))}
    if walk.chance(2):
        args["text_sha256"] = "cd" * 32
    return None if sender is None else Move(sender, "policy.amend", args)


def _repeal(walk: Walker) -> Move | None:
    entry = _known(walk, "promulgated", "passed")
    if entry is None or not walk.chance(3):
        return None
    sender = walk.operator(entry.get("member") or _issuer(walk))
    args = {"id": entry["id"], "date_no_longer_in_force": walk.pick((*DATES, "2031-01-01"))}
    return None if sender is None else Move(sender, "policy.repeal", args)


def _evaluate(walk: Walker) -> Move | None:
    entry = _known(walk, "promulgated", "passed", "ended", "recorded")
    sender = walk.operator(walk.pick([*walk.members("government", "institute"), "central-bank"]))
    if entry is None or sender is None:
        return None
    args = {"id": entry["id"], "date": walk.pick(DATES), "verdict": walk.pick(("met", "partly_met", "not_met"))}
    return Move(sender, "policy.evaluate", {**args, "summary": "So it went"})


def _record(walk: Walker) -> Move | None:
    sender = walk.operator(walk.member("government"), "registrar")
    if sender is None:
        return None
    instruments = []
    for _ in range(walk.rng.randint(1, 3)):
        name = f"table/{walk.rng.randrange(40)}"
        walk.memory.policies[name] = None
        events = [
            {"action": walk.pick(("passed", "promulgated", "effective", "amended", "repealed", "suspended", "expired"))}
            | ({} if walk.chance(4) else {"date": walk.pick(DATES)})
            | ({} if walk.chance(3) else {"issuer": walk.pick(("Council", "regulator", "国务院"))})
            for _ in range(walk.rng.randint(0, 4))
        ]
        instruments.append(
            {"id": name, "title": "Recorded", "level": walk.pick(("central", "municipal")), "events": events}
        )
    args = {"source": "A table", "source_sha256": walk.pick(("00", "11")) * 32, "instruments": instruments}
    return Move(sender, "policy.record", args)


KINDS: Final[dict[str, tuple[int, Make]]] = {
    "publish": (4, _publish),
    "endorse": (3, _endorse),
    "approve": (3, _approve),
    "promulgate": (3, _promulgate),
    "amend": (2, _amend),
    "repeal": (2, _repeal),
    "evaluate": (1, _evaluate),
    "record policies": (2, _record),
}
