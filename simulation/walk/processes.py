"""Moves of processes: types that gain and lose names, sources live and historical, batches, attestations.

Law: as ``simulation.walk.walker``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.process.chain import ObjectName, decoded_item_hash, objects_of
from coseal.contracts.process.corrections import shown_history
from coseal.contracts.process.state import attestation_key, source_key, type_key
from coseal.contracts.supervision.state import active_key, object_state_key, rule_key, set_key
from coseal.ledger.render import time_text
from simulation.walk.walker import Make, Move, Walker

TYPES: Final = ("loans", "permits", "trade")
EVENTS: Final = ("apply", "check", "decide", "pay", "report", "close")
OBJECTS: Final = ("case", "party", "source")
AMOUNTS: Final = ("integer", "decimal", "string", {"type": "scaled", "scale": 2})
ATTRIBUTES: Final[Mapping[str, Any]] = {
    "amount": AMOUNTS,
    "by": ("string", {"type": "string", "class": "sealed"}),
    "due": ("time",),
    "ok": ("boolean", "integer"),
}
_NO_ATTRIBUTES: Final[Mapping[str, Any]] = {"attributes": {}}
RULES_A_TYPE: Final = 10
"""How many rules a process type may have, ``R-<type>-0`` and so on."""
SOURCES: Final = ("log", "feed", "old/log", "reports")
PAST_MS: Final = 1_577_836_800_000


def definition(walk: Walker) -> Any:
    """Return the definition of a process type that there is, or None."""
    return walk.get(type_key(walk.pick(TYPES)))


def judging_rules(walk: Walker, process_type: str) -> list[dict[str, Any]]:
    """Return the rules that judge a process type now."""
    rules = []
    for entry in walk.get(active_key(process_type)) or []:
        for rule_id, version in walk.get(set_key(entry["set"]))["rules"]:
            if rule_id not in entry["off"]:
                rules.append(walk.get(rule_key(rule_id, version))["rule"])
    return rules


# Types


def _define_type(walk: Walker) -> Move | None:
    type_id = walk.pick(TYPES)
    before = walk.get(type_key(type_id))
    member = walk.member() if before is None else before["member"]
    sender = walk.operator(member)
    if sender is None:
        return None
    args = {"id": type_id, "title": type_id.title(), "late_ms": walk.pick((0, 1_000, 60_000, DAY_MS))}
    args["gaps"] = walk.pick(("record", "record", "refuse"))
    if before is None:
        events: dict[str, Any] = {name: _attributes(walk) for name in EVENTS}
        args |= {"version": 1, "object_types": {"case": _attributes(walk), "party": {}}, "event_types": events}
    else:
        args |= {"version": before["version"] + 1, **_next_types(walk, before)}
    return Move(sender, "process.define_type", args)


def _attributes(walk: Walker) -> dict[str, Any]:
    return {"attributes": {name: walk.pick(kinds) for name, kinds in ATTRIBUTES.items() if not walk.chance(8)}}


def _next_types(walk: Walker, before: Mapping[str, Any]) -> dict[str, Any]:
    """Return the types of the next version: more, fewer, or with other attributes, mostly beside what rules name."""
    objects, events = dict(before["object_types"]), dict(before["event_types"])
    if walk.chance(5):  # the same names with other amounts: rules compile again, and cost something else
        retyped = {name: {**body["attributes"], "amount": walk.pick(AMOUNTS)} for name, body in events.items()}
        return {
            "object_types": objects,
            "event_types": {name: {"attributes": found} for name, found in retyped.items()},
        }
    named = {"case"}
    if not walk.chance(4):
        for rule in judging_rules(walk, before["id"]):
            named |= {*rule.get("on", ()), rule.get("a", ""), rule.get("b", "")}
            named.add(rule["scope"].get("object_type") or "case")
    free = [name for name in (*EVENTS, *OBJECTS) if name not in named]
    for name in walk.rng.sample(free, min(len(free), walk.rng.randint(1, 3))):
        part = objects if name in OBJECTS else events
        if name in part and len(part) > 1 and walk.chance(2):
            del part[name]
        elif name != "source" or walk.chance(3):
            part[name] = _attributes(walk)
    return {"object_types": objects, "event_types": events}


# Sources


def _register_source(walk: Walker) -> Move | None:
    found = definition(walk)
    member, name = walk.member(), walk.pick(SOURCES)
    sender = walk.operator(member)
    if found is None or sender is None or walk.get(source_key(f"{member}/{name}")) is not None:
        return None
    if (member, name) not in walk.memory.sources:
        walk.memory.sources.append((member, name))
    args: dict[str, Any] = {"id": name, "process_type": found["id"], "mode": walk.pick(("live", "live", "historical"))}
    if walk.chance(3):
        args["zone_minutes"] = walk.pick((-840, 0, 480, 840))
    return Move(sender, "process.register_source", args)


# Items


def _record(walk: Walker) -> Move | None:
    sources = walk.memory.sources
    member, name = walk.pick(sources) if sources else ("", "")
    record = walk.get(source_key(f"{member}/{name}"))
    if record is None:
        return None
    sender, found = walk.operator(member), walk.get(type_key(record["process_type"]))
    if sender is None or not found["event_types"] or not found["object_types"]:
        return None
    first = record["sequence"] + 1
    args: dict[str, Any] = {"source": name, "sequence": first}
    if found["gaps"] == "record" and walk.chance(12):
        args |= {"sequence": first + walk.rng.randint(1, 5), "gap": "lost"}
    clock_ms = record["latest_ms"] or PAST_MS
    items = [_item(walk, found, record, args["sequence"] + at, clock_ms) for at in range(walk.rng.choice((1, 1, 2, 5)))]
    args["items"] = items
    for offset, item in enumerate(items):
        if "counterparty" in item:
            hashed = decoded_item_hash(f"{member}/{name}", args["sequence"] + offset, _ordered(item))
            walk.memory.asked = [*walk.memory.asked, (hashed.hex(), item["counterparty"])][-40:]
    return Move(sender, "process.record", args)


def _ordered(value: Any) -> Any:
    """Return a value with its maps in the order of the codec."""
    if type(value) is dict:
        return {
            name: _ordered(value[name]) for name in sorted(value, key=lambda name: (len(name.encode()), name.encode()))
        }
    return [_ordered(entry) for entry in value] if type(value) is list else value


def _item(walk: Walker, found: Any, record: Any, sequence: int, clock_ms: int) -> dict[str, Any]:
    objects = list(found["object_types"])
    kind = walk.rng.randrange(12)
    if kind == 0:
        return {"object": _object(walk), "type": (name := walk.pick(objects)), **_values(walk, found, name)}
    if kind == 1 and found["object_types"].get("case", _NO_ATTRIBUTES)["attributes"]:
        return {"change": _object(walk), "type": "case", **_values(walk, found, "case", least=1)}
    if kind == 2:
        return {"relation": [walk.pick(objects), _object(walk)], "to": [walk.pick(objects), _object(walk)]}
    return _event(walk, found, record, sequence, clock_ms)


def _object(walk: Walker) -> str:
    return f"o{walk.rng.randrange(walk.pick((3, 12, 60)))}"


def _values(walk: Walker, found: Any, name: str, least: int = 0) -> dict[str, Any]:
    attributes = found["object_types"][name]["attributes"]
    names = walk.rng.sample(list(attributes), min(len(attributes), walk.rng.randint(least, 2)))
    if not names:
        return {}
    when = walk.pick(("0", "2020-01-01T00:00:00Z", "2026-05-05T12:00:00+08:00"))
    return {"attributes": [[name, when, _value(walk, attributes[name])] for name in names]}


def _value(walk: Walker, spec: Mapping[str, Any]) -> Any:
    if spec["class"] == "sealed":
        return walk.pick(("00", "ff")) * 32
    match spec["type"]:
        case "string":
            return walk.pick(
                ("ann", "ben", f"actor {walk.rng.randrange(80)}", "x" * 33, "\U0001d54a" * walk.pick((8, 9, 900)))
            )
        case "integer" | "scaled":
            return walk.pick((0, 1, -1, 99, 1_000, 2**63 - 1, -(2**63), walk.rng.randrange(200)))
        case "decimal":
            return walk.pick(("0", "35.0", "-1e-05", "9" * 30, "1e40", "100.25"))
        case "boolean":
            return walk.chance(2)
        case _:
            return walk.pick(("2020-01-01T00:00:00Z", "2026-12-31T23:59:59.999+08:00", "9999-12-31T23:59:59Z"))


def _event(walk: Walker, found: Any, record: Any, sequence: int, clock_ms: int) -> dict[str, Any]:
    name = walk.pick(list(found["event_types"]))
    if record["mode"] == "live":
        occurred_ms = walk.sight.time_ms - walk.pick((0, 0, 1, 900, 2_000, 90_000))
    else:
        occurred_ms = clock_ms + walk.pick((0, 1_000, 60_000, DAY_MS, 40 * DAY_MS, -DAY_MS))
        occurred_ms = min(occurred_ms, walk.sight.time_ms)
    item: dict[str, Any] = {
        "event": f"e{sequence}",
        "type": name,
        "time": time_text(occurred_ms),
        "objects": [[walk.pick(list(found["object_types"])), _object(walk)] for _ in range(walk.pick((1, 1, 1, 2, 4)))],
    }
    if "source" in found["object_types"] and walk.chance(4):
        item["objects"].append(["source", f"{walk.pick(walk.memory.sources)[0]}/log"])
    item["objects"] = [list(pair) for pair in dict.fromkeys(map(tuple, item["objects"]))]
    attributes = found["event_types"][name]["attributes"]
    chosen = {key: _value(walk, spec) for key, spec in attributes.items() if spec.get("required") or not walk.chance(4)}
    if chosen:
        item["attributes"] = chosen
    if walk.chance(30) or (record["mode"] == "live" and occurred_ms < walk.sight.time_ms - found["late_ms"]):
        item["late"] = "the line was down"
    if walk.chance(10):
        member = walk.member()
        item["counterparty"] = member
    if walk.chance(20):
        item["evidence"] = ["cd" * 32]
    if walk.chance(4):
        rules = walk.rng.sample(range(RULES_A_TYPE), walk.pick((1, 2, RULES_A_TYPE)))
        item["claims"] = [[f"R-{found['id']}-{rule}", walk.pick((1, 1, 2)), walk.chance(2)] for rule in rules]
    return item


def _correct(walk: Walker) -> Move | None:
    """Correct something that was recorded, with what it is judged again from, or without."""
    recorded = walk.memory.recorded
    chosen = walk.pick(recorded[-80:]) if recorded else None
    member, _, name = chosen.source.partition("/") if chosen is not None else ("", "", "")
    record, sender = walk.get(source_key(f"{member}/{name}")), walk.operator(member) if member else None
    if chosen is None or sender is None or record is None:
        return None
    found = walk.get(type_key(record["process_type"]))
    if not found["event_types"] or not found["object_types"]:
        return None
    first = record["sequence"] + 1
    item = _event(walk, found, record, first, record["latest_ms"] or PAST_MS)
    if walk.chance(2) and "event" in chosen.item and chosen.item["type"] in found["event_types"]:
        item = {**chosen.item, "event": f"e{first}", "type": walk.pick([chosen.item["type"], item["type"]])}
        item |= {"late": "a mistake"}
        for part in ("attributes", "counterparty"):
            item.pop(part, None)
    item["corrects"] = [chosen.sequence, decoded_item_hash(chosen.source, chosen.sequence, chosen.item).hex()]
    args = {"source": name, "sequence": first, "items": [item], "corrected": [chosen.item]}
    if not walk.chance(4):
        shown = _shown(walk, record["process_type"], [*objects_of(chosen.item), *objects_of(item)])
        if shown:
            args["history"] = shown_history(shown)
    return Move(sender, "process.record", args)


def _shown(walk: Walker, process_type: str, names: list[ObjectName]) -> dict[ObjectName, list[Any]]:
    shown = {}
    for name in dict.fromkeys(names):
        value = walk.get(object_state_key(process_type, *name))
        if value is not None and 0 < value[6] < 200:
            of = [
                entry for entry in walk.memory.recorded if entry.process_type == process_type and name in entry.objects
            ]
            shown[name] = [entry[:5] for entry in of[value[5] : value[5] + value[6]]]
    return shown


def _attest(walk: Walker) -> Move | None:
    asked = walk.memory.asked
    if not asked:
        return None
    hashed, counterparty = walk.pick(asked)
    record = walk.get(attestation_key(bytes.fromhex(hashed)))
    sender = walk.operator(counterparty)
    if record is None or sender is None or (record["status"] == "confirmed" and not walk.chance(10)):
        return None
    args = {"item": hashed, "verdict": "confirm"}
    if record["status"] == "open" and walk.chance(2):
        args = {"item": hashed, "verdict": "dispute", "reason": "It was less"}
    if record["status"] == "disputed" or args["verdict"] == "dispute":
        args |= _attested(walk, record)
    return Move(sender, "process.attest", args)


def _attested(walk: Walker, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a dispute, or a confirmation after one, shows: the event, and mostly the history of its objects."""
    where = (record["source"], record["sequence"])
    one = next((entry for entry in walk.memory.recorded if entry[:2] == where), None)
    if one is None:  # recorded by another walker
        return {}
    shown = {} if walk.chance(4) else _shown(walk, one.process_type, list(objects_of(one.item)))
    return {"attested": one.item, **({"history": shown_history(shown)} if shown else {})}


KINDS: Final[dict[str, tuple[int, Make]]] = {
    "define_type": (5, _define_type),
    "register_source": (4, _register_source),
    "record": (26, _record),
    "correct": (4, _correct),
    "attest": (5, _attest),
}
