"""Rule sets: proposed as a whole, voted on, perhaps tried in the shadow, adopted, superseded, retired.

Law: a version never changes; a version follows the one before; one version of a rule is in force at a time; nothing
that was recorded before a rule came into force is judged by it.

contracts/supervision/README.md, section Actions: rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple

from coseal.contracts.kernel.action import Context, Rejected, View
from coseal.contracts.kernel.budget import CHANGE_STEPS
from coseal.contracts.process.state import type_key
from coseal.contracts.rules.rule import Rule, source_bytes
from coseal.contracts.supervision import obligations as supervision_obligations
from coseal.contracts.supervision import observer as supervision_watch
from coseal.contracts.supervision.checks import check_set, check_trial, count_waiting
from coseal.contracts.supervision.sets_in_force import (
    ADOPTED,
    TRIAL,
    active,
    compiled_rule,
    keep_compiled,
    put_active,
    rule_digest,
)
from coseal.contracts.supervision.state import head_key, rule_key, set_key, trial_key

MAX_CHECK_STEPS: Final = 250_000
"""The most that checking a set takes, so that the deciding vote, which checks it again and adopts it, has room."""

Effect = dict[str, Any]
"""What a decided ballot did, as receipts show it."""


class Now(NamedTuple):
    """Where in the chain something happens: height, and block time in ms."""

    height: int
    time_ms: int


def propose(view: View, context: Context, args: Mapping[str, Any], set_id: str) -> dict[str, Any] | Rejected:
    """Check a rule set as a whole and write it as proposed; return the set's record."""
    before = view.spent
    rules = check_set(view, args["rules"], set_id, TRIAL if "trial_ms" in args else ADOPTED)
    if isinstance(rules, Rejected):
        return rules
    if view.spent - before > MAX_CHECK_STEPS:
        detail = f"checking these rules takes {view.spent - before} steps, at most {MAX_CHECK_STEPS}"
        return Rejected("limit", f"{detail}, for the deciding vote checks them again; propose fewer at a time")
    process_type = rules[0].process_type
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
    count_waiting(view, process_type, args["rules"], 1)
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


# What ballots decide


def check_again(view: View, set_id: str, phase: str) -> tuple[Rule, ...] | Rejected:
    """Return the rules of an accepted set if it may still judge in a phase."""
    record: Any = view.get(set_key(set_id))
    if record["status"] == TRIAL:
        return check_trial(view, set_id, record)
    return check_set(view, _proposed(view, record), set_id, phase)


def begin_trial(view: View, set_id: str, rules: Sequence[Rule], now: Now, ends_ms: int, adoption: str) -> list[Effect]:
    """Have a set judge in the shadow until ``ends_ms``; ``adoption`` is the ballot that decides about it then."""
    record: Any = view.get(set_key(set_id))
    _activate(view, set_id, record, rules, TRIAL, now)
    definition: Any = view.get(type_key(record["process_type"]))
    tried_under = definition["definition"]
    effect = _mark(view, set_id, TRIAL, now, trial_ends_ms=ends_ms, adoption=adoption, tried_under=tried_under)
    view.put(trial_key(set_id), {})
    _begin_obligations(view, set_id, record, rules, now)
    return [effect]


def _proposed(view: View, record: Mapping[str, Any]) -> list[Any]:
    """Return the rules of a set as they were proposed."""
    documents: list[Any] = [view.get(rule_key(*name)) for name in record["rules"]]
    return [document["rule"] for document in documents]


def _begin_obligations(view: View, set_id: str, record: Mapping[str, Any], rules: Sequence[Rule], now: Now) -> None:
    definition: Any = view.get(type_key(record["process_type"]))
    keep_compiled(rules, definition)
    supervision_watch.begin_obligations(view, definition, now.time_ms, set_id)


def end_trial(view: View, set_id: str, now: Now) -> list[Effect]:
    """End the trial of a set: it judges nothing until its ballot is decided."""
    record: Any = view.get(set_key(set_id))
    if record["status"] != TRIAL:
        return []
    _deactivate(view, set_id, record)
    return [_mark(view, set_id, "tried", now)]


def reject(view: View, set_id: str, now: Now, why: Rejected | None = None) -> list[Effect]:
    """Set a rule set aside; its versions may be proposed again. ``why`` if it was accepted, and does not fit."""
    record: Any = view.get(set_key(set_id))
    if record["status"] == TRIAL:
        _deactivate(view, set_id, record)
    for rule_id, version in record["rules"]:
        head: Any = view.get(head_key(rule_id))
        view.put(head_key(rule_id), {**head, "latest": version - 1})
    view.charge(CHANGE_STEPS * len(record["rules"]))
    count_waiting(view, record["process_type"], _proposed(view, record), -1)
    if why is None:
        return [_mark(view, set_id, "rejected", now)]
    effect = _mark(view, set_id, "rejected", now, refused=[why.code, why.detail])
    return [{**effect, "code": why.code, "detail": why.detail}]


def adopt(view: View, set_id: str, now: Now) -> list[Effect]:
    """Put a rule set in force: its rules judge what is recorded from now on, and supersede their versions before.

    A set that does not fit any more is rejected.
    """
    rules = check_again(view, set_id, ADOPTED)
    if isinstance(rules, Rejected):
        return reject(view, set_id, now, rules)
    record: Any = view.get(set_key(set_id))
    view.charge(CHANGE_STEPS * len(rules))
    if record["status"] == TRIAL:
        _deactivate(view, set_id, record)
    superseded: list[list[Any]] = []
    for rule_id, version in record["rules"]:
        head: Any = view.get(head_key(rule_id))
        if head["active"]:
            superseded.append([rule_id, head["active"]])  # J10
        view.put(head_key(rule_id), {**head, "active": version})
    effects = end_rules(view, record["process_type"], superseded, "superseded", now)
    _activate(view, set_id, record, rules, ADOPTED, now)
    count_waiting(view, record["process_type"], [rule.data for rule in rules], -1)
    effects.append(_mark(view, set_id, ADOPTED, now, since=now.height))
    _begin_obligations(view, set_id, record, rules, now)
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
    view.charge(CHANGE_STEPS * len(names))
    definition: Any = view.get(type_key(process_type))
    by_set: dict[str, list[Rule]] = {}
    for name in names:
        document: Any = view.get(rule_key(*name))
        by_set.setdefault(document["set"], []).append(compiled_rule(document, definition))
        _mark_rule(view, document, name, status, now)
        supervision_obligations.end(view, document["rule"])
    entries = []
    for entry in active(view, process_type):
        gone = by_set.get(entry["set"], []) if entry["phase"] == ADOPTED else []
        off = sorted({*entry["off"], *(rule.id for rule in gone)})
        if len(off) < entry["rules"]:
            cost = entry["cost"] - sum(rule.cost for rule in gone)
            size = entry["source_bytes"] - sum(source_bytes(rule.data) for rule in gone)
            entries.append({**entry, "off": off, "cost": cost, "source_bytes": size})
        elif gone:
            record: Any = view.get(set_key(entry["set"]))
            view.put(set_key(entry["set"]), {**record, "status": status})
    put_active(view, process_type, entries)
    return [{"rules": list(names), "status": status, "process_type": process_type}]


def _activate(view: View, set_id: str, record: Mapping[str, Any], rules: Sequence[Rule], phase: str, now: Now) -> None:
    entry = {
        "set": set_id,
        "phase": phase,
        "generation": 0 if phase == TRIAL else 1,
        "since": now.height,
        "since_ms": now.time_ms,
        "rules": len(record["rules"]),
        "cost": sum(rule.cost for rule in rules),
        "source_bytes": sum(source_bytes(rule.data) for rule in rules),
        "digest": record["digest"],
        "off": [],
    }
    put_active(view, record["process_type"], [*active(view, record["process_type"]), entry])


def _deactivate(view: View, set_id: str, record: Mapping[str, Any]) -> None:
    entries = [entry for entry in active(view, record["process_type"]) if entry["set"] != set_id]
    put_active(view, record["process_type"], entries)


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
