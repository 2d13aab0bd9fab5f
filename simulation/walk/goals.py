"""What a long walk must have come to, or it has not walked where it claims.

Law: a goal is counted where a receipt or the state shows that it happened, never where it was meant to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from coseal.contracts.kernel.action import Reader
from coseal.contracts.process.state import source_key, type_key
from coseal.contracts.rules.rule import SOURCE, names_of
from coseal.contracts.supervision.findings import CASE_ACTS
from coseal.contracts.supervision.state import active_key, rule_key, set_key

GOALS: Final[dict[str, str]] = {
    "trial": "a set is tried",
    "adopted": "a set is adopted",
    "tried": "a trial ends and its ballot goes on",
    "superseded": "a version takes the place of the one before",
    "retired": "a rule is retired",
    "unfit": "a set that was accepted does not fit its process type any more",
    "lost": "a process type loses what only a rule that is off names",
    "kept": "a process type may not lose what a rule that judges names",
    "source_kept": "a process type may not name objects as sources are named",
    "obligation": "a period of an obligation ends without its events",
    "corrected": "a finding is superseded by a correction",
    "superseded_by_dispute": "a finding is superseded by a dispute, or by its end",
    "undetermined_by_dispute": "a rule is undetermined by a disputed event",
    "unjudged": "what cannot be judged again after a correction is undetermined",
    "historical": "a deadline passes by the clock of a historical source",
    "rejected_event": "a rule refuses an event",
    "undetermined": "a rule cannot tell",
    "shadow": "a rule on trial finds something",
    "own_judged": "a member's own rules find something on what it recorded",
    "own_conforming": "what it recorded conforms to all of them",
    "own_unfit": "own rules do not fit the process type any more",
    "own_missed": "what own rules expected is missed",
    "hold_expired": "a hold ends by its time",
    "hold_unanswered": "a contested hold ends without an answer",
    "breach": "something is recorded on an object on hold",
    "overdue": "a step is not taken in time",
    "opened": "a person opens a finding",
    "sealed": "an argument is sealed",
    "issued": "money is issued on a reserve instruction",
    "carried": "a member carries what the key of a wallet signed",
    "settled": "a redemption is settled",
    "frozen": "a payment is refused under a hold",
    "given_back": "a pending transfer ends by its time",
    "rekeyed": "a lost key is replaced by its time",
    "corrected_money": "a ballot corrects a payment",
    "closed": "a finding closes because nobody appealed",
    "validator_added": "a validator is added",
    "validator_removed": "a validator is removed",
    "key_rotated": "a validator gets another key",
    "member_added": "a member is added",
    "amended": "another constitution comes into force",
    "overridden": "a proposal passes against a constituency",
    "delayed": "a proposal passes and waits for its delay",
    "withdrawn": "a proposal is withdrawn",
    "suspended": "a member is suspended",
    "reinstated": "a suspension ends by itself",
    "removed": "a member is removed",
    "left": "a member leaves",
    "stepped_down": "a validator of a suspended member steps down",
    "no_voice": "a suspended or former member is refused what needs good standing",
    "paused": "an action is refused while a measure pauses it",
    "measure_ended": "a measure ends by itself",
    "version": "another protocol version comes into force",
    "version_withdrawn": "a protocol version is withdrawn",
    "void": "a proposal is accepted that cannot take effect any more",
    "expired": "a ballot or proposal expires",
    "too_costly": "a transaction runs out of its steps",
    "failed": "the effect of a ballot runs out of its steps",
    "aside": "a due thing runs out of its steps and is set aside",
    "gap": "a gap is recorded",
    "disputed": "an event is disputed",
    "restart": "a node starts again",
    "audit": "an auditor checks a whole chain, signatures included",
}
"""Every name with what it means."""


def of_receipt(action: str, code: str, detail: str, data: Mapping[str, Any], *, carried: bool = False) -> Iterator[str]:
    """Yield the goals that a transaction's receipt shows; ``carried``: it has a mandate."""
    if code == "rule_broken":
        yield "source_kept" if "named source" in detail else "kept"
    if code in ("suspended", "former_member"):
        yield "no_voice"
    if code in ("too_costly", "paused", "frozen"):
        yield code
    if code == "ok" and data.get("status") == "failed":
        yield "failed"
    if code == "rule_violated":
        yield "rejected_event"
    if code != "ok":
        return
    if action in ("process.record", "process.attest"):
        yield from _of_findings(data)
    yield from _of_effects(data.get("effects", ()))
    if "gap" in data:
        yield "gap"
    for judged in data.get("judged", ()):
        yield "own_judged" if judged["found"] else "own_unfit" if judged["undetermined"] else "own_conforming"
    if action in ("currency.issue", "currency.settle_redeem"):
        yield "issued" if action == "currency.issue" else "settled"
    if action == "certification.seal":
        yield "sealed"
    if action == "currency.pay" and carried:
        yield "carried"
    if action in CASE_ACTS:
        yield "opened"
    if action == "process.attest" and data["status"] == "disputed":
        yield "disputed"
    if action.startswith("governance."):
        yield from _of_proposal(data)


def of_begun(reader: Reader, data: Mapping[str, Any]) -> Iterator[str]:
    """Yield the goals that a block's first receipt shows; ``reader`` is of the state before it."""
    epoch = data.get("membership", {}).get("validators")
    if epoch is not None:
        yield "validator_added" if epoch["added"] else "validator_removed" if epoch["removed"] else "key_rotated"
    governed = data.get("governance", {})
    if "protocol_version" in governed:
        yield "version"
    for name, goal in (("reinstated", "reinstated"), ("left", "left"), ("ended", "measure_ended")):
        if governed.get(name):
            yield goal
    if "stepped_down" in governed:
        yield "stepped_down"
    for proposal in governed.get("closed", ()):
        yield from _of_proposal(proposal)
    if data.get("standards", {}).get("missed"):
        yield "own_missed"
    paid = data.get("currency", {})
    for name, goal in (("expired", "given_back"), ("rekeyed", "rekeyed"), ("corrected", "corrected_money")):
        if paid.get(name):
            yield goal
    due = data.get("supervision", {})
    yield from _of_findings(due)
    for view in due.get("findings", ()):
        source: Any = reader.get(source_key(view["source"]))
        if view["object_type"] != SOURCE and view["sequence"] is None and source["mode"] == "historical":
            yield "historical"
    for ballot in due.get("ballots", ()):
        yield from _of_effects(ballot["effects"])
        if ballot["status"] == "expired":
            yield "expired"
    if due.get("overdue"):
        yield "overdue"
    if due.get("closed"):
        yield "closed"
    for hold in due.get("holds", ()):
        yield f"hold_{hold['status']}"


def of_definition(reader: Reader, process_type: str) -> Iterator[str]:
    """Yield what the newest version of a process type shows."""
    definition: Any = reader.get(type_key(process_type))
    active: Any = reader.get(active_key(process_type))
    for entry in active or ():
        found: Any = reader.get(set_key(entry["set"]))
        for rule_id, version in found["rules"]:
            document: Any = reader.get(rule_key(rule_id, version))
            if rule_id in entry["off"] and not set(names_of(document["rule"])[1]) <= set(definition["event_types"]):
                yield "lost"


def _of_findings(data: Mapping[str, Any]) -> Iterator[str]:
    for view in data.get("findings", ()):
        if view["rule"] == "system:hold":
            yield "breach"
        if view["verdict"] == "undetermined":
            yield "undetermined"
        if view["reason"][0].startswith("history_"):
            yield "unjudged"
        if view["reason"][0].startswith("dispute"):
            yield "undetermined_by_dispute"
        if view["object_type"] == SOURCE and view["sequence"] is None:
            yield "obligation"
    if data.get("superseded"):
        yield "superseded_by_dispute" if "by" in data else "corrected"
    if data.get("shadow"):
        yield "shadow"


def _of_effects(effects: Any) -> Iterator[str]:
    for effect in effects:
        status = effect.get("status")
        if "rules" in effect and status in GOALS:
            yield status
        if status == "rejected" and "code" in effect:
            yield "unfit"


_ACCEPTED: Final[Mapping[str, str]] = {
    "add_member": "member_added",
    "amend_constitution": "amended",
    "withdraw_version": "version_withdrawn",
    "suspend_member": "suspended",
    "remove_member": "removed",
}


def _of_proposal(data: Mapping[str, Any]) -> Iterator[str]:
    if data.get("status") in ("void", "expired", "withdrawn"):
        yield data["status"]
    if data.get("status") == "passed":
        yield "delayed"
    if "overridden" in data:
        yield "overridden"
    if data.get("status") == "accepted" and data["kind"] in _ACCEPTED:
        yield _ACCEPTED[data["kind"]]
