"""What a rule over related objects says, by looking at the whole log: nothing of it is shared with the monitors.

A log is a list of items in ledger order, as they stand corrected. ``judged`` gives the verdicts by object.
"""

from __future__ import annotations

from typing import Any

MOST = 64


def names(item: dict[str, Any], kind: str) -> list[str]:
    return [entry[1] for entry in item.get("objects", ()) if entry[0] == kind]


def related(rule: dict[str, Any], log: list[dict[str, Any]], at: int, me: str) -> list[str]:
    """Return the ids of the objects that count for the event at a place of the log."""
    over, found = rule["over"], []
    mine = (rule["scope"]["object_type"], me)
    if over["by"] == "item":
        entries = [(entry[0], entry[1], entry[2] if len(entry) > 2 else "") for entry in log[at]["objects"]]
    else:
        ends = [
            (tuple(item[one]), tuple(item[two]), item.get("qualifier", ""))
            for item in log[:at]
            if "relation" in item
            for one, two in (("relation", "to"), ("to", "relation"))
        ]
        entries = [(*other, qualifier) for one, other, qualifier in ends if one == mine]
    for kind, name, qualifier in entries:
        if kind == over["type"] and over.get("qualifier", qualifier) == qualifier and name not in found:
            found.append(name)
    return found


def counts(rule: dict[str, Any], item: dict[str, Any]) -> bool:
    wanted = rule.get("target_amount", 0)
    return item.get("type") == rule["had"] and item.get("attributes", {}).get("amount", 0) >= wanted


def status(log: list[dict[str, Any]], at: int, kind: str, name: str) -> Any:
    """Return the newest value of ``status`` of an object before a place of the log."""
    newest = None
    for item in log[:at]:
        if item.get("object", item.get("change")) == name and item["type"] == kind:
            for _, when, value in item.get("attributes", ()):
                if newest is None or newest[0] <= when:
                    newest = (when, value)
    return None if newest is None else newest[1]


def holds(rule: dict[str, Any], log: list[dict[str, Any]], at: int, me: str) -> bool | None:
    """Say whether the event at a place of the log keeps the rule; None if it cannot be determined."""
    kind, objects = rule["over"]["type"], related(rule, log, at, me)
    if len(objects) > MOST:
        return None
    before = [item for item in log[:at] if "event" in item]
    if "had" in rule:
        seen = [item for item in before if counts(rule, item)]
        true = [any(name in names(item, kind) for item in seen) for name in objects]
    else:
        true = [status(log, at, kind, name) == "good" for name in objects]
    match rule["quantifier"]:
        case "each":
            return all(true)
        case "any":
            return any(true)
        case "all":
            return not objects or any(set(objects) <= set(names(item, kind)) for item in seen)
        case _:
            return rule.get("min", 0) <= sum(true) <= rule.get("max", MOST)


def judged(rule: dict[str, Any], log: list[dict[str, Any]]) -> dict[str, str]:
    """Return by object that an event names what the rule says at the end of the log: the first that is final stays."""
    verdicts: dict[str, str] = {}
    for at, item in enumerate(log):
        for me in names(item, rule["scope"]["object_type"]):
            if verdicts.setdefault(me, "pending") == "pending" and item["type"] in rule["on"]:
                verdicts[me] = {True: "pending", False: "violated", None: "undetermined"}[holds(rule, log, at, me)]
    return verdicts
