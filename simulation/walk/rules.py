"""Moves of rules: sets of all kinds proposed, with trials and without, voted on, superseded, retired; terms.

Law: as ``simulation.walk.walker``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.supervision.state import ballot_key, head_key, open_key, rule_key
from simulation.walk.processes import EVENTS, RULES_A_TYPE, SOURCES, definition
from simulation.walk.walker import Make, Move, Walker

WINDOWS_MS: Final = (0, 1_000, 60_000, DAY_MS)
UNARY: Final = ("existence", "absence", "exactly_one", "init", "end")
BINARY: Final = (
    *("responded_existence", "coexistence", "noncoexistence", "response", "precedence", "succession"),
    *("altresponse", "altprecedence", "altsuccession", "chainresponse", "chainprecedence", "chainsuccession"),
)
CLAIMED: Final = ("s.by != 'ann'", "has(s.by) && e.time > timestamp('2020-01-01T00:00:00Z')", "s.rate > 1")
CONDITIONS: Final = (
    "e.attributes.amount != e.attributes.amount",
    "e.attributes.amount == dyn(99) || has(e.attributes.by)",
    "has(e.attributes.by) && e.attributes.by != 'ann'",
    "e.attributes.by.startsWith('a')",
    "e.objects.all(x, x.id != '\\ud800' && size(x.id) < 3)",
    "e.objects.exists(x, x.type == 'party')",
    "e.time <= block.time && !e.late",
    "e.attributes.due > e.time",
    "o.count < 3",
    "string(e.sequence) in ['1', '2', e.id]",
    "e.sequence / (o.count - 1) >= 0",
    "timestamp('2020-01-01T00:00:00Z') + duration('24h') < e.time",
    "e.member == 'bank-a' ? e.live : true",
)
CORRELATIONS: Final = (
    "a.attributes.by == t.attributes.by",
    "a.member != t.member && a.time <= t.time",
    "a.objects.exists(x, x.id == t.id)",
    "a.attributes.by.startsWith(t.attributes.by)",
)
RELATED: Final = (
    {"quantifier": "each"},
    {"quantifier": "any"},
    {"quantifier": "all"},
    {"quantifier": "count", "max": 0},
    {"quantifier": "count", "min": 1, "max": 2},
)
WHERE: Final = (
    "true",
    "r.id != o.id && size(r.id) < 3",
    "has(r.attributes.limit) && r.attributes.limit > o.count",
    "r.attributes.limit == dyn(99)",
)
SCHEMAS: Final = (
    {"type": "object", "required": ["amount"]},
    {"type": "object", "properties": {"by": {"type": "string", "maxLength": 8}}, "additionalProperties": False},
    {"properties": {"amount": {"$ref": "#/$defs/n"}}, "$defs": {"n": {"type": ["integer", "string"]}}},
)


def propose(walk: Walker) -> Move | None:
    """Propose a set of rules on a process type."""
    found = definition(walk)
    sender = walk.operator(walk.member())
    if found is None or not found["event_types"] or sender is None or _is_full(walk, sender):
        return None
    rules = []
    for number in walk.rng.sample(range(RULES_A_TYPE), walk.rng.randint(1, 3)):
        rule_id = f"R-{found['id']}-{number}"
        head = walk.get(head_key(rule_id)) or {"latest": 0}
        latest = walk.get(rule_key(rule_id, head["latest"]))
        if latest is None or latest["status"] not in ("proposed", "trial", "tried"):
            rules.append(_rule(walk, found, rule_id, head["latest"] + 1))
    if not rules:
        return None
    args: dict[str, Any] = {"rules": rules}
    if walk.chance(2):
        args["trial_ms"] = walk.pick((1_000, 30_000, DAY_MS, 10 * DAY_MS))
    if walk.chance(2):
        args["open_ms"] = walk.pick((1_000, 60_000, DAY_MS, 90 * DAY_MS))
    return Move(sender, "supervision.propose_rules", args)


def _is_full(walk: Walker, sender: str) -> bool:
    """Say whether a member has as many open ballots as it may."""
    return (walk.get(open_key(sender.partition("/")[0])) or 0) >= 8


def _rule(walk: Walker, found: Mapping[str, Any], rule_id: str, version: int) -> dict[str, Any]:
    scope: dict[str, Any] = {"process_type": found["id"]}
    rule: dict[str, Any] = {"id": rule_id, "version": version, "legal_basis": ["external: an act"], "scope": scope}
    if walk.memory.policies and walk.chance(4):
        rule["legal_basis"] = [walk.pick(list(walk.memory.policies))]
    events = list(EVENTS) if walk.chance(20) else list(found["event_types"])
    kind = walk.pick(
        ("declare", "declare", "declare", "guard", "claim", "shape", "segregation", "related", "lag", "gap", "periodic")
    )
    rule |= {"kind": kind, **_BODIES[kind](walk, events)}
    if kind == "related":
        scope["object_type"] = rule.pop("about")
    elif kind not in ("lag", "gap", "periodic") and "party" in found["object_types"] and walk.chance(4):
        scope["object_type"] = "party"
    match walk.rng.randrange(8):
        case 0:
            rule["effect"] = "notify"
        case 1:
            rule |= {"effect": "hold", "hold_ms": walk.pick((1_000, DAY_MS, 30 * DAY_MS))}
        case 2 if kind in ("guard", "shape"):
            rule["effect"] = "reject"
    if kind not in ("lag", "gap", "periodic"):
        if walk.chance(2):
            rule["disputed"] = walk.pick(("count", "leave_out", "undetermined"))
        if walk.chance(8):
            rule["corrections"] = walk.pick(("apply", "keep"))
    if walk.chance(8):
        rule["valid_from"] = walk.pick(("2020-01-01T00:00:00Z", "2024-01-01T00:00:00+08:00"))
    if walk.chance(8):
        rule["valid_to"] = walk.pick(("2024-06-01T00:00:00Z", "9999-12-31T23:59:59Z"))
    if kind == "declare" and rule["template"] in ("init", "existence") and walk.chance(2):
        rule["tests"] = [{"events": [], "verdict": "pending_violating"}]
    return rule


def _declare(walk: Walker, events: list[str]) -> dict[str, Any]:
    if len(events) < 2 or walk.chance(3):
        body: dict[str, Any] = {"template": walk.pick(UNARY), "a": walk.pick(events)}
        if body["template"] in UNARY[:3] and walk.chance(2):
            body["n"] = walk.pick((2, 3, 100))
    else:
        a, b = walk.rng.sample(events, 2)
        body = {"template": walk.pick(BINARY), "a": a, "b": b}
        if walk.chance(2):
            body["within_ms"] = walk.pick(WINDOWS_MS)
        if walk.chance(4):
            body["correlation"] = walk.pick(CORRELATIONS)
        if walk.chance(6):
            body["target"] = walk.pick(CONDITIONS)
    if walk.chance(5):
        body["activation"] = walk.pick(CONDITIONS)
    return body


def _guard(walk: Walker, events: list[str]) -> dict[str, Any]:
    text = walk.pick(CONDITIONS)
    if walk.chance(10):
        text = " && ".join([text] * walk.pick((3, 20, 60)))
    return {"on": walk.rng.sample(events, min(len(events), walk.rng.randint(1, 2))), "assert": text}


def _claim(walk: Walker, events: list[str]) -> dict[str, Any]:
    return {"on": walk.rng.sample(events, min(len(events), walk.rng.randint(1, 2))), "assert": walk.pick(CLAIMED)}


def _shape(walk: Walker, events: list[str]) -> dict[str, Any]:
    return {"on": [walk.pick(events)], "schema": walk.pick(SCHEMAS)}


def _segregation(walk: Walker, events: list[str]) -> dict[str, Any]:
    return {"a": walk.pick(events), "b": walk.pick(events), "by": walk.pick(("member", "source", "attributes.by"))}


def _related(walk: Walker, events: list[str]) -> dict[str, Any]:
    about, other = walk.pick((("case", "party"), ("party", "case")))
    over = {"type": other, "by": walk.pick(("item", "relation")), **({"qualifier": ""} if walk.chance(4) else {})}
    on = walk.pick(events)
    had = [name for name in events if name != on]
    form = walk.pick(RELATED)
    body: dict[str, Any] = {"about": about, "on": [on], "over": over, **form}
    if form["quantifier"] != "all" and (not had or walk.chance(3)):
        return {**body, "where": walk.pick(WHERE)}
    target = {"target": walk.pick(CONDITIONS)} if walk.chance(4) else {}
    return {**body, "had": walk.pick(had or events), **target}


def _lag(walk: Walker, events: list[str]) -> dict[str, Any]:
    return {"within_ms": walk.pick(WINDOWS_MS), **({"on": [walk.pick(events)]} if walk.chance(2) else {})}


def _gap(walk: Walker, events: list[str]) -> dict[str, Any]:
    return {"missing_max": walk.rng.randrange(4)} if walk.chance(2) else {}


def _periodic(walk: Walker, events: list[str]) -> dict[str, Any]:
    every = {"days": walk.pick((1, 7))} if walk.chance(2) else {"months": walk.pick((1, 3, 12))}
    member, name = (
        walk.pick(walk.memory.sources)
        if walk.memory.sources and walk.chance(2)
        else (walk.member(), walk.pick(SOURCES))
    )
    return {"source": f"{member}/{name}", "on": [walk.pick(events)], "every": every, "n": walk.pick((1, 2))}


_BODIES: Final = {
    "declare": _declare,
    "guard": _guard,
    "claim": _claim,
    "shape": _shape,
    "segregation": _segregation,
    "related": _related,
    "lag": _lag,
    "gap": _gap,
    "periodic": _periodic,
}


def _retire(walk: Walker) -> Move | None:
    found = definition(walk)
    sender = walk.operator(walk.member())
    if found is None or sender is None or _is_full(walk, sender):
        return None
    ids = [f"R-{found['id']}-{number}" for number in range(RULES_A_TYPE)]
    ids = [name for name in ids if (walk.get(head_key(name)) or {"active": 0})["active"]]
    if not ids:
        return None
    chosen = walk.rng.sample(ids, walk.rng.randint(1, min(3, len(ids))))
    args: dict[str, Any] = {"process_type": found["id"], "rules": chosen, "reason": "It was repealed"}
    if walk.chance(2):
        args["open_ms"] = walk.pick((60_000, DAY_MS))
    return Move(sender, "supervision.propose_retirement", args)


def _terms(walk: Walker) -> Move | None:
    sender = walk.operator(walk.member())
    if sender is None or _is_full(walk, sender):
        return None
    steps = ("acknowledge", "inquire", "respond", "decide", "appeal", "decide_appeal", "answer", "contest")
    terms = {walk.pick(steps): walk.pick((1_000, 60_000, DAY_MS, 366 * DAY_MS)) for _ in range(2)}
    return Move(sender, "supervision.propose_terms", {"terms": terms, "reason": "It is too long", "open_ms": DAY_MS})


def _vote(walk: Walker) -> Move | None:
    for number in walk.newest("ballot", 16):
        record = walk.get(ballot_key(f"B{number}"))
        if record["status"] != "open" or walk.chance(4):
            continue
        sender = walk.voter("supervision", f"B{number}")
        if sender is not None:
            choice = "no" if walk.chance(8) else "yes"
            return Move(sender, "supervision.vote", {"ballot": f"B{number}", "choice": choice})
    return None


KINDS: Final[dict[str, tuple[int, Make]]] = {
    "propose_rules": (7, propose),
    "propose_retirement": (3, _retire),
    "propose_terms": (1, _terms),
    "vote on a ballot": (24, _vote),
}
