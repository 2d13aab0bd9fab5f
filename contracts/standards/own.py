"""A member's own rule sets: which judge what it records of a process type, and what they may cost.

Law: an own set judges nothing but what its member's live sources record; what others recorded, and what a process type
becomes, it never stands in the way of.

contracts/standards/README.md, E24 to E30.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from coseal.contracts.kernel.action import Context, Reader, Rejected, View
from coseal.contracts.kernel.overlay import peek
from coseal.contracts.process.state import type_key
from coseal.contracts.rules.errors import RuleError
from coseal.contracts.rules.rule import Rule
from coseal.contracts.standards.content import MAX_COMPILE_STEPS, MAX_COST, MAX_RULES, rules_of
from coseal.contracts.standards.state import content_key, own_key
from coseal.contracts.supervision.sets_in_force import JudgingSet, judging_own

MAX_OWN: Final = 8
"""Own sets of a member that judge one process type."""

Own = dict[str, Any]
"""An own set as the list of its member has it."""


def own_sets(reader: Reader, member: str, process_type: str) -> list[Own]:
    """Return the own sets of a member that judge a process type, those that are over perhaps still among them."""
    value: Any = reader.get(own_key(member, process_type))
    return value or []


def put_own(view: View, member: str, process_type: str, entries: Sequence[Own]) -> None:
    """Write the own sets of a member that judge a process type."""
    if entries:
        view.put(own_key(member, process_type), [dict(entry) for entry in entries])
    else:
        view.delete(own_key(member, process_type))


def set_id(entry: Own) -> str:
    """Return what monitors call an own set."""
    return f"{entry['standard']}/{entry['version']}"


def enter(
    view: View, context: Context, record: Mapping[str, Any], name: tuple[str, int], adoption: Mapping[str, Any]
) -> Rejected | None:
    """Have a version judge what a member records, unless its own sets would cost too much together (E26)."""
    (standard, version), member, process_type = name, context.member, record["process_type"]
    definition: Any = view.get(type_key(process_type))
    content: Any = view.get(content_key(standard, version))
    steps = record["compile_steps"]
    view.charge(steps)
    try:
        rules = rules_of(content, definition)
    except RuleError as error:
        detail = f"{standard} {version} does not fit the present version of {process_type}: {error}"
        return Rejected("invalid_content", detail[:600])
    others = [
        entry
        for entry in fitting(view, own_sets(view, member, process_type), definition, context.time_ms)
        if (entry["standard"], entry["version"]) != name
    ]
    entry: Own = {"standard": standard, "version": version, **adoption, "generation": context.height}
    entry |= {"domain": record["domain"], "digest": record["digest"], "definition": definition["definition"]}
    entry |= {"cost": sum(rule.cost for rule in rules), "rules": len(rules), "compile_steps": steps, "fits": True}
    entries = [*others, entry]
    for figure, most, what in (
        (len(entries), MAX_OWN, "own sets would judge"),
        (sum(one["rules"] for one in entries), MAX_RULES, "rules of own sets would judge"),
        (sum(one["cost"] for one in entries), MAX_COST, "steps an event would be the cost of own sets for"),
        (sum(one["compile_steps"] for one in entries), MAX_COMPILE_STEPS, "steps a batch would compile own sets for"),
    ):
        if figure > most:
            return Rejected("limit", f"{figure} {what} {process_type}, at most {most}; end some of them first")
    put_own(view, member, process_type, entries)
    return None


def end(view: View, member: str, process_type: str, name: tuple[str, int], until_ms: int) -> None:
    """Have an own set judge nothing from a block time on."""
    entries = own_sets(view, member, process_type)
    changed = [
        {**entry, "until_ms": until_ms} if (entry["standard"], entry["version"]) == name else entry for entry in entries
    ]
    if changed != entries:
        put_own(view, member, process_type, changed)


def fitting(view: View, entries: Sequence[Own], definition: Mapping[str, Any], time_ms: int) -> list[Own]:
    """Return the own sets that are not over, each under the present definition of the process type.

    One that was charged under another definition is compiled again; one that does not fit any more judges nothing
    (E27).
    """
    total, found = 0, []
    for entry in entries:
        if entry["until_ms"] is not None and entry["until_ms"] <= time_ms:
            continue
        if entry["definition"] != definition["definition"]:
            entry = _under(view, entry, definition, MAX_COST - total)
        total += entry["cost"]
        found.append(entry)
    return found


def _under(view: View, entry: Own, definition: Mapping[str, Any], room: int) -> Own:
    """Return an own set as it is under a new definition."""
    view.charge(entry["compile_steps"])
    try:
        cost = sum(rule.cost for rule in _rules(view, content_key(entry["standard"], entry["version"]), definition))
    except RuleError:
        cost = MAX_COST + 1
    fits = cost <= room
    return {**entry, "definition": definition["definition"], "fits": fits, "cost": cost if fits else 0}


def judges(view: View, entries: Sequence[Own], definition: Mapping[str, Any]) -> list[JudgingSet]:
    """Return what judges of own sets that fit, and charge for compiling it, whether a node has it compiled or not."""
    found: list[JudgingSet] = []
    for entry in entries:
        view.charge(entry["compile_steps"])
        key = content_key(entry["standard"], entry["version"])
        name = (set_id(entry), entry["generation"], entry["from_ms"])
        found += judging_own(name, entry["digest"], definition, partial(_rules, view, key, definition))
    return found


def _rules(reader: Reader, key: str, definition: Mapping[str, Any]) -> Sequence[Rule]:
    content: Any = peek(reader, key)
    return rules_of(content, definition)
