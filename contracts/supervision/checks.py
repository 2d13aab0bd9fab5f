"""What a rule set must fit before it is proposed, tried or adopted, and what a new version of a process type must keep.

Law: one function checks a set at each of these steps, against the state of that moment; what judges a process type
compiles under its definition, and stays within the bounds, at all times.

What is in force is in ``supervision.sets``. contracts/supervision/README.md, J1 to J5 and J10 to J11.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from coseal.contracts.kernel.action import Rejected, View
from coseal.contracts.membership.state import member_key
from coseal.contracts.policy.instrument import instrument
from coseal.contracts.process import state as process_state
from coseal.contracts.process.state import type_key
from coseal.contracts.rules.errors import RuleError
from coseal.contracts.rules.periodic import Periodic
from coseal.contracts.rules.rule import (
    SOURCE,
    Rule,
    about_sources,
    names_of,
    parse_rules,
    parse_steps,
    source_bytes,
    test_steps,
)
from coseal.contracts.rules.rule_tests import failed_tests
from coseal.contracts.supervision.sets_in_force import (
    ADOPTED,
    TRIAL,
    active,
    compiled_rule,
    judging_documents,
    put_active,
    total_bytes,
)
from coseal.contracts.supervision.state import head_key, rule_key, waiting_key

EXTERNAL: Final = "external:"
MAX_IN_FORCE: Final = 1_000
MAX_PROPOSED: Final = 600
"""Rules of one set, so that any decision on it fits what is done when it is due."""
MAX_TOTAL_COST: Final = 250_000
MAX_SOURCE_BYTES: Final = 64 * 1024
MAX_ALL_SOURCE_BYTES: Final = 1024 * 1024
MAX_REASON_CHARACTERS: Final = 600


def check_set(view: View, data: Sequence[Any], set_id: str, phase: str) -> tuple[Rule, ...] | Rejected:
    """Return the rules of a set, compiled, if it may judge in a phase now; ``data`` are the rules as proposed (J1)."""
    process_type = data[0]["scope"]["process_type"]
    definition: Any = view.get(type_key(process_type))
    if definition is None:
        return Rejected("unknown_type", f"there is no process type {process_type}; define it first")
    for rule in data:
        view.charge(parse_steps(rule))
    try:
        rules = parse_rules(list(data), definition)
    except RuleError as error:
        return Rejected("invalid_rule", f"args.rules{error}"[:MAX_REASON_CHARACTERS])
    refusal = _check_basis(view, rules) or _check_versions(view, rules, set_id)
    refusal = refusal or _check_room(view, definition, rules, set_id, phase) or _check_sources(view, definition, rules)
    return refusal or _run_tests(view, rules, definition) or rules


def check_trial(view: View, set_id: str, record: Mapping[str, Any]) -> tuple[Rule, ...] | Rejected:
    """Return the rules of a set on trial if it may be adopted now (J1); what judges compiles already (J2)."""
    definition: Any = view.get(type_key(record["process_type"]))
    documents: list[Any] = [view.get(rule_key(rule_id, version)) for rule_id, version in record["rules"]]
    rules = tuple(compiled_rule(document, definition) for document in documents)
    refusal = _check_versions(view, rules, set_id) or _check_room(view, definition, rules, set_id, ADOPTED)
    refusal = refusal or _check_sources(view, definition, rules)
    if refusal is None and definition["definition"] != record["tried_under"]:
        refusal = _run_tests(view, rules, definition)
    return refusal or rules


def _run_tests(view: View, rules: Sequence[Rule], definition: Mapping[str, Any]) -> Rejected | None:
    for rule in rules:
        view.charge(test_steps(rule))
    return check_tests(rules, definition)


def unknown_basis(view: View, legal_basis: Sequence[str]) -> str | None:
    """Say which text is neither a policy of the register nor ``external:``; None if all are known."""
    for basis in legal_basis:
        if not basis.startswith(EXTERNAL) and instrument(view, basis) is None:
            detail = f"{basis} is not in the register; publish or record it,"
            return f"{detail} or write '{EXTERNAL} ...' for a text outside of it"
    return None


def _check_basis(view: View, rules: Sequence[Rule]) -> Rejected | None:
    known: set[str] = set()
    for index, rule in enumerate(rules):
        if not rule.legal_basis:  # J11
            return Rejected(
                "unknown_policy", f"args.rules[{index}].legal_basis: {rule.id} rests on nothing; name a policy"
            )
        unknown = unknown_basis(view, [basis for basis in rule.legal_basis if basis not in known])
        if unknown is not None:
            return Rejected("unknown_policy", f"args.rules[{index}].legal_basis: {unknown}")
        known.update(rule.legal_basis)
    return None


def _check_versions(view: View, rules: Sequence[Rule], set_id: str) -> Rejected | None:
    for index, rule in enumerate(rules):
        head: Any = view.get(head_key(rule.id)) or {"latest": 0, "active": 0}
        latest = head["latest"]
        document: Any = view.get(rule_key(rule.id, latest)) if latest else None
        if document is not None and document["set"] == set_id:
            continue
        if document is not None and document["status"] in ("proposed", TRIAL, "tried"):
            detail = f"args.rules[{index}]: {rule.id} version {latest} is {document['status']}; wait for its ballot"
            return Rejected("exists", detail)
        if rule.version != latest + 1:  # J10
            return Rejected(
                "version", f"args.rules[{index}].version: expected {latest + 1} of {rule.id}, got {rule.version}"
            )
        if document is not None and document["process_type"] != rule.process_type:
            detail = f"args.rules[{index}].id: {rule.id} is a rule of {document['process_type']}; choose another id"
            return Rejected("version", detail)
    return None


def _check_room(
    view: View, definition: Mapping[str, Any], rules: Sequence[Rule], set_id: str, phase: str
) -> Rejected | None:
    """Bound what judges a process type once the set does: how many rules, what an event costs, their source text."""
    count, cost = len(rules), sum(rule.cost for rule in rules)
    size, before = sum(source_bytes(rule.data) for rule in rules), 0
    for entry in active(view, definition["id"]):
        before += entry["source_bytes"]
        if entry["set"] != set_id:
            count += entry["rules"] - len(entry["off"])
            cost, size = cost + entry["cost"], size + entry["source_bytes"]
    for rule in rules if phase == ADOPTED else ():  # the version before will give way
        head: Any = view.get(head_key(rule.id))
        if head is not None and head["active"]:
            document: Any = view.get(rule_key(rule.id, head["active"]))
            count, cost = count - 1, cost - compiled_rule(document, definition).cost
            size -= source_bytes(document["rule"])
    total = total_bytes(view) - before + size
    for found, most, what in (  # J3
        (count, MAX_IN_FORCE, f"{count} rules would judge {definition['id']}"),
        (cost, MAX_TOTAL_COST, f"the rules that judge {definition['id']} would cost {cost} steps an event"),
        (size, MAX_SOURCE_BYTES, f"the rules that judge {definition['id']} would have {size} bytes of source"),
        (total, MAX_ALL_SOURCE_BYTES, f"all rules that judge would have {total} bytes of source"),
    ):
        if found > most:
            return Rejected("limit", f"{what}, at most {most}; retire some first")
    return None


def _check_sources(view: View, definition: Mapping[str, Any], rules: Sequence[Rule]) -> Rejected | None:
    for index, rule in enumerate(rules):
        if isinstance(rule.body, Periodic):
            refusal = _check_source(view, f"args.rules[{index}].source", rule.body.source, definition["id"])
            if refusal is not None:
                return refusal
        if about_sources(rule.data) and SOURCE in definition["object_types"]:  # J4
            detail = f"args.rules[{index}].kind: {definition['id']} has objects of type {SOURCE}, which stands for"
            return Rejected("invalid_rule", f"{detail} the sources of data here; {rule.kind} needs that name free")
    return None


def _check_source(view: View, path: str, source: str, process_type: str) -> Rejected | None:
    member = source.partition("/")[0]
    if view.get(member_key(member)) is None:
        return Rejected("unknown_member", f"{path}: {member} is no member of this chain")
    record: Any = process_state.source(view, source)
    if record is not None and record["process_type"] != process_type:  # J5
        detail = f"{path}: {source} records {record['process_type']}, so it can never meet a rule of {process_type}"
        return Rejected("invalid_rule", detail)
    return None


def check_tests(rules: Sequence[Rule], definition: Mapping[str, Any]) -> Rejected | None:
    """Run the tests of every rule; refuse the first that does not give what it expects."""
    for index, rule in enumerate(rules):
        failed = failed_tests(rule, definition, f"args.rules[{index}]")
        if failed:
            return Rejected("rule_test_failed", str(failed[0])[:MAX_REASON_CHARACTERS])
    return None


# Process types


def count_waiting(view: View, process_type: str, data: Sequence[Mapping[str, Any]], change: int) -> None:
    """Count a set that waits for its adoption (1), or does so no longer (-1), if it has rules about sources."""
    if any(map(about_sources, data)):
        count: Any = view.get(waiting_key(process_type)) or 0
        if count + change:
            view.put(waiting_key(process_type), count + change)
        else:
            view.delete(waiting_key(process_type))


def fit_type(view: View, before: Mapping[str, Any], definition: Mapping[str, Any]) -> str | None:
    """Say why what judges a process type would not fit its next version, or return None.

    What names nothing that changed is not compiled. The costs of the sets become those under the new version.
    """
    changed = {
        (part, name)
        for part in ("object_types", "event_types")
        for name in {**before[part], **definition[part]}
        if before[part].get(name) != definition[part].get(name)
    }
    changed |= {
        ("object_types", name)
        for part in ("tallies", "match")
        for name in {**before.get(part, {}), **definition.get(part, {})}
        if before.get(part, {}).get(name) != definition.get(part, {}).get(name)
    }
    if ("object_types", SOURCE) in changed and SOURCE in definition["object_types"]:
        about = _about_sources(view, definition["id"])
        if about is not None:
            return about
    if not changed:
        return None
    entries = []
    for entry in active(view, definition["id"]):
        cost = entry["cost"]
        for document in judging_documents(view, entry):
            object_types, event_types = names_of(document["rule"])
            named = [("object_types", name) for name in object_types] + [("event_types", name) for name in event_types]
            if any(name in changed for name in named):
                view.charge(2 * parse_steps(document["rule"]))
                try:
                    after = compiled_rule(document, definition)  # J2
                except RuleError as error:
                    return f"{document['rule']['id']} version {document['rule']['version']}: {error}"
                cost += after.cost - compiled_rule(document, before).cost
        entries.append({**entry, "cost": cost})
    total = sum(entry["cost"] for entry in entries)
    if total > MAX_TOTAL_COST:  # J3
        return f"the rules that judge {definition['id']} would cost {total} steps an event, at most {MAX_TOTAL_COST}"
    put_active(view, definition["id"], entries)
    return None


def _about_sources(view: View, process_type: str) -> str | None:
    """Say that a process type may not have objects named as sources are, if rules judge its sources or may soon."""
    rules = (document["rule"] for entry in active(view, process_type) for document in judging_documents(view, entry))
    if view.get(waiting_key(process_type)) is None and not any(map(about_sources, rules)):
        return None
    # J4
    return f"rules about the sources of {process_type} judge or are proposed, so no object type may be named {SOURCE}"
