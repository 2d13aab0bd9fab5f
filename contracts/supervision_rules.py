"""Rule sets: proposed as a whole, voted on, perhaps tried in the shadow, adopted, superseded, retired.

Law: a version never changes; a version follows the one before; one version of a rule is in force at a time; nothing
that was recorded before a rule came into force is judged by it.

State: ``supervision/rule/<id>`` and ``/<version>``, ``supervision/set/<set>``, ``supervision/active/<process type>``.
docs/spec/contracts-supervision.md, section Actions: rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple

from contracts import supervision_obligations, supervision_watch
from contracts.framework import Context, Rejected, View
from contracts.policy_instrument import instrument
from contracts.process_types import type_key
from contracts.rules.errors import RuleError
from contracts.rules.periodic import Periodic
from contracts.rules.proving import failed_tests
from contracts.rules.rule import ON_SOURCES, SOURCE, Rule, parse_rules
from contracts.supervision_sets import ADOPTED, TRIAL, active, active_key, head_key, rule_digest, rule_key, set_key

EXTERNAL: Final = "external:"
MAX_IN_FORCE: Final = 1_000
MAX_TOTAL_COST: Final = 1_000_000
MAX_TEST_WORK: Final = 2_000_000
MAX_REASON_CHARACTERS: Final = 600

Effect = dict[str, Any]
"""What a decided ballot did, as receipts show it."""


class Now(NamedTuple):
    """Where in the chain something happens: height, and block time in ms."""

    height: int
    time_ms: int


def propose(view: View, context: Context, args: Mapping[str, Any], set_id: str) -> dict[str, Any] | Rejected:
    """Check a rule set as a whole and write it as proposed; return the set's record."""
    data = args["rules"]
    process_type = data[0]["scope"]["process_type"]
    definition: Any = view.get(type_key(process_type))
    if definition is None:
        return Rejected("unknown_type", f"there is no process type {process_type}; define it first")
    try:
        rules = parse_rules(data, definition)
    except RuleError as error:
        return _invalid(error)
    refusal = _check_basis(view, rules) or _check_versions(view, rules) or _check_room(view, definition, rules)
    refusal = refusal or _check_sources(view, definition, rules) or check_tests(rules, definition)
    if refusal is not None:
        return refusal
    cost = sum(rule.cost for rule in rules)
    digests = [rule_digest(rule.data) for rule in rules]
    record: dict[str, Any] = {
        "process_type": process_type,
        "rules": [[rule.id, rule.version] for rule in rules],
        "status": "proposed",
        "proposer": context.member,
        "cost": cost,
        "digest": sha256(b"".join(digests)).hexdigest(),
    }
    record |= {name: args[name] for name in ("title", "trial_ms") if name in args}
    now = Now(context.height, context.time_ms)
    for rule, digest in zip(rules, digests, strict=True):
        _write_proposed(view, rule, digest, set_id, process_type, context.member, now)
    view.put(set_key(set_id), record)
    return record


def _write_proposed(
    view: View, rule: Rule, digest: bytes, set_id: str, process_type: str, proposer: str, now: Now
) -> None:
    before: Any = view.get(rule_key(rule.id, rule.version))
    document = {
        "rule": dict(rule.data),
        "set": set_id,
        "status": "proposed",
        "proposer": proposer,
        "process_type": process_type,
        "cost": rule.cost,
        "digest": digest.hex(),
        "height": now.height,
        "time_ms": now.time_ms,
        "history": [*([] if before is None else before["history"]), ["proposed", now.height, now.time_ms]][-16:],
    }
    view.put(rule_key(rule.id, rule.version), document)
    head: Any = view.get(head_key(rule.id))
    view.put(head_key(rule.id), {"latest": rule.version, "active": 0 if head is None else head["active"]})


def _invalid(error: RuleError) -> Rejected:
    return Rejected("invalid_rule", f"args.rules{error}"[:MAX_REASON_CHARACTERS])


def _check_basis(view: View, rules: Sequence[Rule]) -> Rejected | None:
    known: dict[str, bool] = {}
    for index, rule in enumerate(rules):
        if not rule.legal_basis:
            return Rejected(
                "unknown_policy", f"args.rules[{index}].legal_basis: {rule.id} rests on nothing; name a policy"
            )
        for basis in rule.legal_basis:
            if basis not in known:
                known[basis] = basis.startswith(EXTERNAL) or instrument(view, basis) is not None
            if not known[basis]:
                detail = f"args.rules[{index}].legal_basis: {basis} is not in the register; publish or record it,"
                return Rejected("unknown_policy", f"{detail} or write '{EXTERNAL} ...' for a text outside of it")
    return None


def _check_versions(view: View, rules: Sequence[Rule]) -> Rejected | None:
    for index, rule in enumerate(rules):
        head: Any = view.get(head_key(rule.id)) or {"latest": 0, "active": 0}
        latest = head["latest"]
        document: Any = view.get(rule_key(rule.id, latest)) if latest else None
        if document is not None and document["status"] in ("proposed", TRIAL, "tried"):
            detail = f"args.rules[{index}]: {rule.id} version {latest} is {document['status']}; wait for its ballot"
            return Rejected("exists", detail)
        if rule.version != latest + 1:
            return Rejected(
                "version", f"args.rules[{index}].version: expected {latest + 1} of {rule.id}, got {rule.version}"
            )
        if document is not None and document["process_type"] != rule.process_type:
            detail = f"args.rules[{index}].id: {rule.id} is a rule of {document['process_type']}; choose another id"
            return Rejected("version", detail)
    return None


def _check_room(view: View, definition: Mapping[str, Any], rules: Sequence[Rule]) -> Rejected | None:
    """Bound how many rules judge a process type, and what an event costs at worst."""
    count, cost = len(rules), sum(rule.cost for rule in rules)
    for rule in rules:  # those whose version before will give way
        head: Any = view.get(head_key(rule.id))
        if head is not None and head["active"]:
            document: Any = view.get(rule_key(rule.id, head["active"]))
            count, cost = count - 1, cost - document["cost"]
    for entry in active(view, definition["id"]):
        count += entry["rules"] - len(entry["off"])
        cost += entry["cost"]
    if count > MAX_IN_FORCE or cost > MAX_TOTAL_COST:
        detail = f"{count} rules at a cost of {cost} would judge {definition['id']}"
        return Rejected("limit", f"{detail}; at most {MAX_IN_FORCE} at {MAX_TOTAL_COST}: retire some first")
    return None


def _check_sources(view: View, definition: Mapping[str, Any], rules: Sequence[Rule]) -> Rejected | None:
    for index, rule in enumerate(rules):
        if isinstance(rule.body, Periodic):
            member = rule.body.source.partition("/")[0]
            if view.get(f"membership/member/{member}") is None:
                return Rejected("unknown_member", f"args.rules[{index}].source: {member} is no member of this chain")
        if rule.kind in ON_SOURCES and SOURCE in definition["object_types"]:
            detail = f"args.rules[{index}].kind: {definition['id']} has objects of type {SOURCE}, which stands for"
            return Rejected("invalid_rule", f"{detail} the sources of data here; {rule.kind} needs that name free")
    return None


def check_tests(rules: Sequence[Rule], definition: Mapping[str, Any]) -> Rejected | None:
    """Run the tests of every rule; refuse the first that does not give what it expects."""
    work = sum(rule.cost * (1 + len(test.get("events", ()))) for rule in rules for test in rule.tests)
    if work > MAX_TEST_WORK:
        return Rejected("limit", f"the rules' tests take up to {work} steps, at most {MAX_TEST_WORK}; test with less")
    for index, rule in enumerate(rules):
        failed = failed_tests(rule, definition, f"args.rules[{index}]")
        if failed:
            return Rejected("rule_test_failed", str(failed[0])[:MAX_REASON_CHARACTERS])
    return None


# What ballots decide


def begin_trial(view: View, set_id: str, now: Now, ends_ms: int, adoption: str) -> list[Effect]:
    """Have a set judge in the shadow until ``ends_ms``; ``adoption`` is the ballot that decides about it then."""
    record: Any = view.get(set_key(set_id))
    _activate(view, set_id, record, TRIAL, now)
    effect = _mark(view, set_id, TRIAL, now, trial_ends_ms=ends_ms, adoption=adoption)
    view.put(f"supervision/trial/{set_id}", {})
    definition: Any = view.get(type_key(record["process_type"]))
    supervision_watch.begin_obligations(view, definition, now.time_ms, set_id)
    return [effect]


def end_trial(view: View, set_id: str, now: Now) -> list[Effect]:
    """End the trial of a set: it judges nothing until its ballot is decided."""
    record: Any = view.get(set_key(set_id))
    if record["status"] != TRIAL:
        return []
    _deactivate(view, set_id, record)
    return [_mark(view, set_id, "tried", now)]


def reject(view: View, set_id: str, now: Now) -> list[Effect]:
    """Set a rule set aside; its versions may be proposed again."""
    record: Any = view.get(set_key(set_id))
    if record["status"] == TRIAL:
        _deactivate(view, set_id, record)
    for rule_id, version in record["rules"]:
        head: Any = view.get(head_key(rule_id))
        view.put(head_key(rule_id), {**head, "latest": version - 1})
    return [_mark(view, set_id, "rejected", now)]


def adopt(view: View, set_id: str, now: Now) -> list[Effect]:
    """Put a rule set in force: its rules judge what is recorded from now on, and supersede their versions before."""
    record: Any = view.get(set_key(set_id))
    definition: Any = view.get(type_key(record["process_type"]))
    documents: list[Any] = [view.get(rule_key(*name)) for name in record["rules"]]
    try:
        rules = parse_rules([document["rule"] for document in documents], definition)
    except RuleError:  # the type changed since
        return reject(view, set_id, now)
    if record["status"] == TRIAL:
        _deactivate(view, set_id, record)
    if check_tests(rules, definition) is not None or _check_room(view, definition, rules) is not None:
        return reject(view, set_id, now)
    superseded: list[list[Any]] = []
    for rule_id, version in record["rules"]:
        head: Any = view.get(head_key(rule_id))
        if head["active"]:
            superseded.append([rule_id, head["active"]])
        view.put(head_key(rule_id), {**head, "active": version})
    effects = end_rules(view, record["process_type"], superseded, "superseded", now)
    _activate(view, set_id, record, ADOPTED, now)
    effects.append(_mark(view, set_id, ADOPTED, now, since=now.height))
    supervision_watch.begin_obligations(view, definition, now.time_ms, set_id)
    return effects


def retire(view: View, process_type: str, rule_ids: Sequence[str], now: Now) -> list[Effect]:
    """End the versions in force of some rules; those that are not in force any more are passed over."""
    ended: list[list[Any]] = []
    for rule_id in rule_ids:
        head: Any = view.get(head_key(rule_id))
        if head["active"]:
            ended.append([rule_id, head["active"]])
            view.put(head_key(rule_id), {**head, "active": 0})
    return end_rules(view, process_type, ended, "retired", now)


def end_rules(view: View, process_type: str, names: Sequence[list[Any]], status: str, now: Now) -> list[Effect]:
    """Have versions in force judge nothing from now on."""
    if not names:
        return []
    by_set: dict[str, list[list[Any]]] = {}
    for name in names:
        document: Any = view.get(rule_key(*name))
        by_set.setdefault(document["set"], []).append(name)
        _mark_rule(view, document, name, status, now)
        supervision_obligations.end(view, document["rule"])
    entries = []
    for entry in active(view, process_type):
        gone = by_set.get(entry["set"], []) if entry["phase"] == ADOPTED else []
        off = sorted({*entry["off"], *(rule_id for rule_id, _ in gone)})
        if len(off) < entry["rules"]:
            entries.append({**entry, "off": off})
        elif gone:
            record: Any = view.get(set_key(entry["set"]))
            view.put(set_key(entry["set"]), {**record, "status": status})
    _put_active(view, process_type, entries)
    return [{"rules": list(names), "status": status, "process_type": process_type}]


def _activate(view: View, set_id: str, record: Mapping[str, Any], phase: str, now: Now) -> None:
    entry = {
        "set": set_id,
        "phase": phase,
        "generation": 0 if phase == TRIAL else 1,
        "since": now.height,
        "since_ms": now.time_ms,
        "rules": len(record["rules"]),
        "cost": record["cost"],
        "digest": record["digest"],
        "off": [],
    }
    _put_active(view, record["process_type"], [*active(view, record["process_type"]), entry])


def _deactivate(view: View, set_id: str, record: Mapping[str, Any]) -> None:
    entries = [entry for entry in active(view, record["process_type"]) if entry["set"] != set_id]
    _put_active(view, record["process_type"], entries)


def _put_active(view: View, process_type: str, entries: Sequence[Mapping[str, Any]]) -> None:
    if entries:
        view.put(active_key(process_type), [dict(entry) for entry in entries])
    else:
        view.delete(active_key(process_type))


def _mark(view: View, set_id: str, status: str, now: Now, **changes: Any) -> Effect:
    """Write a set's new status, to itself and its rules."""
    record: Any = view.get(set_key(set_id))
    view.put(set_key(set_id), {**record, "status": status, **changes})
    for name in record["rules"]:
        document: Any = view.get(rule_key(*name))
        _mark_rule(view, document, name, status, now)
    return {"rules": record["rules"], "status": status, "set": set_id, "process_type": record["process_type"]}


def _mark_rule(view: View, document: Mapping[str, Any], name: Sequence[Any], status: str, now: Now) -> None:
    history = [*document["history"], [status, now.height, now.time_ms]][-16:]
    changed = {**document, "status": status, "height": now.height, "time_ms": now.time_ms, "history": history}
    view.put(rule_key(name[0], name[1]), changed)
