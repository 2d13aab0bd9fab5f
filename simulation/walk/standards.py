"""Moves about standards: proposed, taken up, ended, classified, recognised, disputed.

Law: as ``simulation.walk.walker``.
"""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.process.state import type_key
from coseal.contracts.standards.domains import domain_of, entry_of
from coseal.contracts.standards.records import OVER
from coseal.contracts.standards.state import adoption_key, dispute_key, head_key, standard_key
from simulation.walk.processes import TYPES
from simulation.walk.walker import Make, Move, Walker

DOMAINS: Final = ("lending", "event-logs", "areas")
_PLACES: Final = (
    *(("lending", "process_type"), ("lending", "rule_set"), ("lending", "schema")),
    *(("event-logs", "format"), ("areas", "area_list")),
)
KEEP: Final = 24
"""Standards that a walk has in one domain at most."""


def _competing(walk: Walker) -> dict[str, Any] | None:
    """Return how a standard of some domain is named."""
    places = [row for domain in DOMAINS for row in domain_of(walk.sight.reader, domain)["standards"]]
    if not places:
        return None
    standard, version = walk.pick(places)
    return {"standard": standard, "version": version}


def _record(walk: Walker, named: dict[str, Any]) -> Any:
    return walk.get(standard_key(named["standard"], named["version"]))


def _propose(walk: Walker) -> Move | None:
    member = walk.member()
    sender = walk.operator(member)
    domain, kind = walk.pick(_PLACES)
    if sender is None or len(domain_of(walk.sight.reader, domain)["standards"]) >= KEEP:
        return None
    args: dict[str, Any] = {"standard": f"s-{walk.memory.next()}", "version": 1, "kind": kind, "domain": domain}
    args |= {"title": {"en": "A standard", "zh": "标准"}, "patents": [] if walk.chance(2) else ["A patent"]}
    if kind == "process_type":
        definition = walk.get(type_key(walk.pick(TYPES)))
        if definition is None:
            return None
        sender = walk.operator(definition["member"])
        entry = entry_of(walk.sight.reader, definition["id"])
        if "standard" in entry:
            args["standard"] = entry["standard"][0]
            args["version"] = walk.get(head_key(args["standard"]))["latest"] + 1
        args["domain"] = entry["domain"] or domain
        args["content"] = {"process_type": definition["id"], "definition": definition["definition"]}
    elif kind in ("rule_set", "schema"):
        definition = walk.get(type_key(walk.pick(TYPES)))
        if definition is None or not definition["object_types"] or not definition["event_types"]:
            return None
        if entry_of(walk.sight.reader, definition["id"])["domain"] not in ("", domain):
            return None
        args["content"] = _judging(walk, definition, kind)
    elif kind == "format":
        args["content"] = {"name": "OCEL 2.0", "sha256": "ab" * 32, "place": "https://www.ocel-standard.org"}
    else:
        args["content"] = {"areas": ["Lending", "贷款"]}
    return None if sender is None else Move(sender, "standards.propose", args)


def _judging(walk: Walker, definition: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return what a rule set or a schema says about events of a process type."""
    names, object_type = sorted(definition["event_types"]), walk.pick(sorted(definition["object_types"]))
    scope = {"process_type": definition["id"], "object_type": object_type}
    if kind == "schema":
        return {**scope, "schemas": {walk.pick(names): {"type": "object", "maxProperties": 2}}}
    rule = {"version": 1, "title": "R", "severity": "violation", "legal_basis": ["external: walk"], "scope": scope}
    first, second = walk.pick(names), walk.pick(names)
    return {
        "rules": [
            {
                **rule,
                "id": "own-absence",
                "effect": "flag",
                "kind": "declare",
                "template": "absence",
                "a": first,
                "n": 2,
            },
            {
                **rule,
                "id": "own-guard",
                "effect": "reject",
                "kind": "guard",
                "on": [first],
                "assert": "size(e.objects) < 2",
            },
            {
                **rule,
                "id": "own-response",
                "effect": "hold",
                "hold_ms": DAY_MS,
                "kind": "declare",
                "template": "response",
            }
            | {"a": first, "b": second, "within_ms": walk.pick((1_000, 60_000, DAY_MS))},
        ]
    }


def _take_up(walk: Walker) -> Move | None:
    named, member = _competing(walk), walk.member()
    trial = walk.chance(3)
    sender = walk.operator(member, "submit" if trial else "operate")
    if named is None or sender is None:
        return None
    adoption = walk.get(adoption_key(named["standard"], named["version"], member))
    if adoption is not None and adoption["until_ms"] is None and not walk.chance(4):
        return Move(sender, "standards.end_adoption", {**named, "reason": "Enough"}) if walk.chance(3) else None
    if trial:
        return Move(sender, "standards.try", named)
    later = {"effective_ms": walk.sight.time_ms + DAY_MS} if walk.chance(4) else {}
    return Move(sender, "standards.adopt", {**named, **later})


def _end(walk: Walker) -> Move | None:
    named, following = _competing(walk), _competing(walk)
    if named is None or following is None:
        return None
    record = _record(walk, named)
    sender = walk.operator(record["member"], "operate")
    if sender is None or not walk.chance(2):
        return None
    args = {**named, "notice_ms": walk.pick((30 * DAY_MS, 60 * DAY_MS)), "reason": "It is old"}
    if named == following:
        return Move(sender, "standards.deprecate", args)
    successor = {"successor": following["standard"], "successor_version": following["version"]}
    return Move(sender, "standards.supersede", {**args, **successor})


def _classify(walk: Walker) -> Move | None:
    definition = walk.get(type_key(walk.pick(TYPES)))
    sender = None if definition is None else walk.operator(definition["member"])
    if sender is None or (entry_of(walk.sight.reader, definition["id"])["domain"] and not walk.chance(6)):
        return None
    return Move(sender, "standards.classify", {"process_type": definition["id"], "domain": walk.pick(DOMAINS)})


def _recognise(walk: Walker) -> Move | None:
    named, policies = _competing(walk), list(walk.memory.policies)
    if named is None or not policies:
        return None
    record = _record(walk, named)
    if "recognition" in record:
        sender = walk.operator(record["recognition"]["member"], "operate")
        return None if sender is None else Move(sender, "standards.withdraw_recognition", {**named, "reason": "No"})
    sender = walk.operator(walk.pick([*walk.members("government"), "central-bank"]), "operate")
    if sender is None or ("approved" not in record and not walk.chance(6)):
        return None
    args = {**named, "level": walk.pick(("recommended", "reference")), "instrument": walk.pick(policies)}
    return Move(sender, "standards.recognise", args)


def _dispute(walk: Walker) -> Move | None:
    named, member = _competing(walk), walk.member()
    if named is None:
        return None
    record = _record(walk, named)
    dispute = walk.get(dispute_key(named["standard"], named["version"], member))
    if dispute is not None and dispute["status"] in ("open", "overdue"):
        sender = walk.operator(record["member"])
        return None if sender is None else Move(sender, "standards.answer", {**named, "member": member, "text": "So"})
    if walk.get(adoption_key(named["standard"], named["version"], member)) is None:
        return None
    sender = walk.operator(member)
    args = {**named, "ground": walk.pick(("ambiguity", "patent", "domain")), "text": "It is unclear"}
    return None if sender is None else Move(sender, "standards.dispute", args)


def recognition(walk: Walker, member: str) -> dict[str, Any] | None:
    """Return a standard whose recognition a ballot may approve."""
    return _competing(walk)


def settlement(walk: Walker, member: str) -> dict[str, Any] | None:
    """Return how a ballot may settle a dispute, or move a process type."""
    if walk.chance(3):
        return {"classify": {"process_type": walk.pick(TYPES), "domain": walk.pick(DOMAINS)}}
    named = _competing(walk)
    if named is None or _record(walk, named)["status"] in OVER:
        return None
    for other in walk.members():
        dispute = walk.get(dispute_key(named["standard"], named["version"], other))
        if dispute is not None and dispute["status"] in ("open", "answered", "overdue"):
            ended = {"notice_ms": 30 * DAY_MS} if walk.chance(2) else {}
            return {"dispute": {**named, "member": other, "outcome": "upheld", **ended}}
    return None


KINDS: Final[dict[str, tuple[int, Make]]] = {
    "propose a standard": (2, _propose),
    "take up a standard": (6, _take_up),
    "end a standard": (1, _end),
    "classify": (1, _classify),
    "recognise": (3, _recognise),
    "dispute": (3, _dispute),
}
