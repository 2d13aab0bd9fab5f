"""Moves about participation: gateways, consultations, entries, themes, answers, each step by who is to act.

Law: as ``simulation.walk.walker``.
"""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.certification.schemes import ADOPTED
from coseal.contracts.certification.state import scheme_key
from coseal.contracts.governance.state import proposal_key
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.participation.consultations import CONCLUDED, OPEN
from coseal.contracts.participation.entry import CLASSES, KINDS, REASONS
from coseal.contracts.participation.marks import MARK_BYTES, NONE, PAGE_ENTRIES, mark_at
from coseal.contracts.participation.offices import ROLES
from coseal.contracts.participation.receiving import recorded
from coseal.contracts.participation.state import (
    COUNT_KEY,
    GATEWAYS_KEY,
    assigned_key,
    consultation_key,
    number_key,
    theme_key,
)
from coseal.contracts.participation.themes import OUTCOMES
from coseal.contracts.policy.instrument import instrument
from coseal.contracts.standards.domains import domain_of
from coseal.contracts.standards.state import head_key
from simulation.walk.certification import SCHEMES
from simulation.walk.standards import DOMAINS
from simulation.walk.walker import Make, Move, Walker

_LOOKS_BACK: Final = 12


def _register(walk: Walker) -> Move | None:
    gateways = walk.get(GATEWAYS_KEY) or []
    member = walk.pick(gateways) if gateways and walk.chance(3) else walk.member(*ROLES)
    sender = walk.operator(member, "operate")
    if sender is None or (len(gateways) > 3 and not walk.chance(4)):
        return None
    args = {"url": "https://comments.example", "key": walk.keys.make().public_key.hex()}
    args |= {"include_ms": walk.pick((3_600_000, DAY_MS, 7 * DAY_MS)), "duties_sha256": "dd" * 32}
    return Move(sender, "participation.register_gateway", args)


def _open(walk: Walker) -> Move | None:
    found = walk.pick((_policy, _standard, _scheme))(walk)
    sender = None if found is None else walk.operator(found[2], "operate")
    if found is None or sender is None:
        return None
    about, subject, _ = found
    args = {"consultation": f"c-{walk.memory.next()}", "title": {"en": "A draft", "zh": "草案"}}
    args |= {"about": about, "subject": subject, "questions": ["Is it right?"]}
    days = walk.pick((31, 60)) if about == "policy" else walk.pick((8, 30))
    args["closes_ms"] = walk.sight.time_ms + days * DAY_MS
    if walk.chance(2):
        args["answer_ms"] = walk.pick((20, 120)) * DAY_MS
    gateways = walk.get(GATEWAYS_KEY) or []
    if len(gateways) > 1 and walk.chance(6):
        args["gateways"] = [gateways[0], walk.pick(gateways[1:])]
    return Move(sender, "participation.open", args)


def _policy(walk: Walker) -> tuple[str, str, str] | None:
    for name in list(walk.memory.policies)[-40:]:
        found = instrument(walk.sight.reader, name)
        if found is not None and found["origin"] == "live" and found["status"] == "proposed":
            return "policy", name, str(walk.pick(found["passed_by"][:1]))
    return None


def _standard(walk: Walker) -> tuple[str, str, str] | None:
    places = [row for domain in DOMAINS for row in domain_of(walk.sight.reader, domain)["standards"]]
    if not places:
        return None
    standard, _ = walk.pick(places)
    return "standard", standard, walk.get(head_key(standard))["member"]


def _scheme(walk: Walker) -> tuple[str, str, str] | None:
    name = walk.pick(SCHEMES)
    found = walk.get(scheme_key(name))
    if found is None or found["status"] != ADOPTED:
        return None
    return "scheme", name, walk.get(proposal_key(found["ballot"]))["proposer"]


def _consultation(walk: Walker) -> tuple[str, Any] | None:
    """Return one of the newest consultations that are not concluded, or any."""
    count = walk.get(COUNT_KEY) or 0
    names = [walk.get(number_key(number)) for number in range(max(1, count - _LOOKS_BACK), count + 1)]
    found = [(name, walk.get(consultation_key(name))) for name in names]
    left = [one for one in found if one[1]["status"] != CONCLUDED]
    return walk.pick(left or found) if found else None


def _receive(walk: Walker) -> Move | None:
    found, gateways = _consultation(walk), walk.get(GATEWAYS_KEY) or []
    if found is None or not gateways:
        return None
    name, record = found
    if record["status"] != OPEN and not walk.chance(4):
        return None
    member = walk.pick(record.get("gateways") or gateways)
    sender = walk.operator(member, "operate")
    first = recorded(walk.sight.reader, name, member)["entries"] + 1
    entries = [_entry(walk) for _ in range(walk.rng.randint(1, 5))]
    args = {"consultation": name, "first": first, "entries": entries}
    return None if sender is None else Move(sender, "participation.receive", args)


def _entry(walk: Walker) -> list[str]:
    number = walk.memory.next()
    text = walk.pick(REASONS) if walk.chance(6) else f"{number % 7:064x}"
    return [f"{number:064x}", text, walk.pick(CLASSES), walk.pick(KINDS), f"{number % 11:032x}"]


def _deal(walk: Walker) -> Move | None:
    """Take the next step of who opened a consultation: name themes, assign, answer, conclude."""
    found = _consultation(walk)
    sender = None if found is None else walk.operator(found[1]["member"], "operate")
    if found is None or sender is None:
        return None
    name, record = found
    args: dict[str, Any] = {"consultation": name}
    if not record["themes"] or walk.chance(20):
        return Move(sender, "participation.theme", {**args, "titles": ["Duties", "Costs"][: walk.pick((1, 2))]})
    left = [one for member in record["recorded"] for one in _unassigned(walk, name, member)]
    if left and not walk.chance(4):
        chosen = [[member, entry, walk.rng.randint(1, record["themes"])] for member, entry in left[:6]]
        return Move(sender, "participation.assign", {**args, "assignments": chosen})
    open_themes = [
        number for number in range(1, record["themes"] + 1) if "outcome" not in walk.get(theme_key(name, number))
    ]
    if open_themes and not walk.chance(6):
        more = {"reason": "So it is"} if not walk.chance(6) else {}
        outcome = walk.pick(OUTCOMES)
        more |= {"change": "Article 6"} if outcome in ("accepted", "partly") else {}
        return Move(
            sender, "participation.answer", {**args, "theme": walk.pick(open_themes), "outcome": outcome, **more}
        )
    return Move(sender, "participation.conclude", args)


def _unassigned(walk: Walker, name: str, member: str) -> list[tuple[str, int]]:
    """Return the first entries of a gateway that have no mark."""
    entries = recorded(walk.sight.reader, name, member)["entries"]
    page: bytes = walk.get(assigned_key(name, member, 0)) or bytes(MARK_BYTES * PAGE_ENTRIES)
    numbers = range(1, min(entries, PAGE_ENTRIES) + 1)
    return [(member, entry) for entry in numbers if mark_at(page, entry - 1) == NONE]


MOVES: Final[dict[str, tuple[int, Make]]] = {
    "register_gateway": (1, _register),
    "open a consultation": (1, _open),
    "receive": (1, _receive),
    "deal with comments": (2, _deal),
}
