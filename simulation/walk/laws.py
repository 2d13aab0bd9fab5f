"""What holds of the rules in force after every block, computed again from the documents in the state.

Law: nothing is asked here of what a node remembers, nor of how the contracts keep count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final

from coseal.contracts import apply
from coseal.contracts.kernel import due
from coseal.contracts.kernel.action import Reader
from coseal.contracts.membership.state import MEMBERS_KEY
from coseal.contracts.process.chain import objects_of
from coseal.contracts.process.state import source_key, type_key
from coseal.contracts.rules.errors import RuleError
from coseal.contracts.rules.rule import SOURCE, about_sources, parse_rule, source_bytes
from coseal.contracts.standards import series
from coseal.contracts.standards.domains import MAX_STANDARDS, domain_of
from coseal.contracts.standards.own import MAX_OWN, own_sets
from coseal.contracts.standards.records import OVER
from coseal.contracts.standards.state import adopters_key, adoption_key, standard_key
from coseal.contracts.standards.state import head_key as standard_head_key
from coseal.contracts.supervision import actions as supervision
from coseal.contracts.supervision import checks as supervision_checks
from coseal.contracts.supervision.state import (
    SOURCE_BYTES_KEY,
    active_key,
    cases_key,
    counter_key,
    finding_key,
    findings_key,
    head_key,
    object_state_key,
    rule_key,
    set_key,
)
from coseal.ledger.block import Receipt
from coseal.ledger.transaction import Transaction
from simulation.invariants import Violation
from simulation.walk.processes import TYPES
from simulation.walk.standards import DOMAINS

REFUSED_STEPS: Final = 1_200
"""More than who is refused for being somebody else may cost, beside the bytes of its transaction."""
SHORT_BYTES: Final = 32
TIGHT: Final[Mapping[str, int]] = {
    "MAX_IN_FORCE": 4,
    "MAX_TOTAL_COST": 1_500,
    "MAX_SOURCE_BYTES": 360,
    "MAX_ALL_SOURCE_BYTES": 700,
}
"""Bounds that a walk reaches."""
STARVED: Final[tuple[tuple[Any, str, int], ...]] = (
    (apply, "TRANSACTION_STEPS", 4_000),
    (supervision, "DECISION_STEPS", 2_000),
    (due, "DUE_ENTRY_STEPS", 260),
)
"""Steps of which a walk runs out."""


def tight_bounds() -> AbstractContextManager[None]:
    """Let little room be left for rules."""
    return _changed([(supervision_checks, name, bound) for name, bound in TIGHT.items()])


def starved() -> AbstractContextManager[None]:
    """Let work run out of its steps: transactions, effects of ballots, due things."""
    return _changed(STARVED)


@contextmanager
def _changed(bounds: Sequence[tuple[Any, str, int]]) -> Iterator[None]:
    before = [(module, name, getattr(module, name)) for module, name, _ in bounds]
    for module, name, bound in bounds:
        setattr(module, name, bound)
    try:
        yield
    finally:
        for module, name, bound in before:
            setattr(module, name, bound)


def judge(reader: Reader, transactions: Sequence[Transaction], receipts: Sequence[Receipt], begun: Receipt) -> None:
    """Raise ``Violation`` if a block left something that does not hold; ``reader`` is of the state after it."""
    names = [
        f"{tx.contract}.{tx.action}" if receipt.ok else "" for tx, receipt in zip(transactions, receipts, strict=True)
    ]
    for tx, receipt, name in zip(transactions, receipts, names, strict=True):
        if tx.action == "define_type" and receipt.code in ("forbidden", "version"):
            _cheap(tx, receipt)
        if name == "process.record":
            _short(reader, receipt.data["process_type"], tx.args["items"])
    effects = [effect for receipt in receipts if receipt.ok for effect in receipt.data.get("effects", ())]
    effects += [
        effect for ballot in begun.data.get("supervision", {}).get("ballots", ()) for effect in ballot["effects"]
    ]
    if effects or "process.define_type" in names:
        _standing(reader)
    if "process.register_source" not in names:
        _sources(reader, effects)


def _cheap(tx: Transaction, receipt: Receipt) -> None:
    """Who is refused at the door has had nothing compiled."""
    most = REFUSED_STEPS + len(tx.raw) // 16
    if receipt.steps > most:
        raise Violation(f"a define_type refused as {receipt.code} took {receipt.steps} steps, more than {most}")


def _short(reader: Reader, process_type: str, items: Sequence[Any]) -> None:
    """What is kept of events is short: of long texts the digest."""
    for object_type, object_id in dict.fromkeys(name for item in items for name in objects_of(item)):
        value: Any = reader.get(object_state_key(process_type, object_type, object_id))
        for set_id, _, _, _, _, state in () if value is None else value[4]:
            for slot, detail in state[1]:
                if _longest(detail) > SHORT_BYTES:
                    raise Violation(f"rule {slot} of {set_id} keeps a long text of {object_type} {object_id}")


def _longest(value: Any) -> int:
    if type(value) is str:
        return len(value.encode())
    entries = value.values() if type(value) is dict else value if type(value) is list else ()
    return max(map(_longest, entries), default=0)


def _standing(reader: Reader) -> None:
    """Whatever judges compiles, is counted rightly and has its room; obligations fall due by block time."""
    total = 0
    for process_type in TYPES:
        definition: Any = reader.get(type_key(process_type))
        entries: Any = reader.get(active_key(process_type)) or []
        count = cost = size = 0
        for entry in entries:
            _in_phase(reader, entry)
            rules = list(_judging(reader, entry))
            try:
                compiled = [parse_rule(rule, definition) for rule in rules]
            except RuleError as error:
                raise Violation(f"{entry['set']} judges {process_type} and does not compile: {error}") from None
            own, own_size = sum(rule.cost for rule in compiled), sum(map(source_bytes, rules))
            if (own, own_size) != (entry["cost"], entry["source_bytes"]):
                raise Violation(f"{entry['set']} costs {own} with {own_size} bytes, the state says {entry}")
            count, cost, size = count + len(rules), cost + own, size + own_size
            for rule in filter(about_sources, rules):
                if SOURCE in definition["object_types"]:
                    raise Violation(f"{rule['id']} is about sources, and {process_type} has objects of that name")
                if rule["kind"] == "periodic":
                    _owed(reader, process_type, rule)
        bounds = supervision_checks
        if count > bounds.MAX_IN_FORCE or cost > bounds.MAX_TOTAL_COST or size > bounds.MAX_SOURCE_BYTES:
            raise Violation(f"{count} rules judge {process_type} at a cost of {cost} with {size} bytes")
        total += size
    if total != (reader.get(SOURCE_BYTES_KEY) or 0) or total > supervision_checks.MAX_ALL_SOURCE_BYTES:
        raise Violation(f"{total} bytes of source judge, the state says {reader.get(SOURCE_BYTES_KEY)!r}")


def _in_phase(reader: Reader, entry: Mapping[str, Any]) -> None:
    """What judges is what its ballot decided, whole: the set, its rules and their heads say one thing."""
    found: Any = reader.get(set_key(entry["set"]))
    if found["status"] != entry["phase"]:
        raise Violation(f"{entry['set']} is {found['status']} and judges as {entry['phase']}")
    for rule_id, version in found["rules"]:
        document: Any = reader.get(rule_key(rule_id, version))
        head: Any = reader.get(head_key(rule_id))
        judges = rule_id not in entry["off"]
        if judges and (document["status"], document["set"]) != (entry["phase"], entry["set"]):
            raise Violation(f"{rule_id} version {version} of {entry['set']} is {document['status']} and judges")
        if judges and entry["phase"] == "adopted" and head["active"] != version:
            raise Violation(f"{rule_id} version {version} judges, {head['active']} is in force")


def _judging(reader: Reader, entry: Mapping[str, Any]) -> Iterator[Any]:
    found: Any = reader.get(set_key(entry["set"]))
    for rule_id, version in found["rules"]:
        if rule_id not in entry["off"]:
            document: Any = reader.get(rule_key(rule_id, version))
            yield document["rule"]


def _owed(reader: Reader, process_type: str, rule: Mapping[str, Any]) -> None:
    value: Any = reader.get(object_state_key(process_type, SOURCE, rule["source"]))
    if value is None or value[0] != "block" or value[1] is None:
        raise Violation(f"the obligation of {rule['source']} by {rule['id']} never falls due: {value}")


def _sources(reader: Reader, effects: Sequence[Mapping[str, Any]]) -> None:
    """An obligation comes into force for a source that can meet it."""
    for effect in effects:
        for rule_id, version in effect["rules"] if effect.get("status") in ("trial", "adopted") else ():
            document: Any = reader.get(rule_key(rule_id, version))
            if document["rule"]["kind"] == "periodic":
                source: Any = reader.get(source_key(document["rule"]["source"]))
                if source is not None and source["process_type"] != effect["process_type"]:
                    raise Violation(f"{rule_id} obliges {document['rule']['source']}, a source of another process type")


def counted(reader: Reader) -> None:
    """Raise ``Violation`` unless the findings themselves give what the state counts of them, open ones by severity."""
    last: Any = reader.get(counter_key("finding")) or 0
    raised, cases = Counter[tuple[str, str, str]](), Counter[str]()
    opened: dict[tuple[str, str, str], Counter[str]] = {}
    for number in range(1, last + 1):
        found: Any = reader.get(finding_key(f"F{number}"))
        place = (found["process_type"], found["object_type"], found["object"])
        raised[place] += 1
        still = opened.setdefault(place, Counter())
        if found["status"] not in ("closed", "notified", "superseded"):
            still[found["severity"]] += 1
            if "opened_by" in found:
                cases[found["opened_by"].partition("/")[0]] += 1
    for place, count in raised.items():
        value: Any = reader.get(findings_key(*place))
        if {name: value[name] for name in ("raised", "open")} != {"raised": count, "open": dict(opened[place])}:
            raise Violation(
                f"{count} findings about {'/'.join(place)}, {dict(opened[place])} open, the state says {value}"
            )
    members: Any = reader.get(MEMBERS_KEY)
    for member in members:
        value = reader.get(cases_key(member))
        if value != (cases[member] or None):
            raise Violation(f"{cases[member]} open cases of {member}, the state says {value}")


def own_rules(reader: Reader) -> None:
    """Raise ``Violation`` unless each own set is as its member tries or has adopted it, and they are few."""
    members: Any = reader.get(MEMBERS_KEY)
    for member, process_type in [(member, process_type) for member in members for process_type in TYPES]:
        entries = own_sets(reader, member, process_type)
        if len(entries) > MAX_OWN:
            raise Violation(f"{member} has {len(entries)} own sets for {process_type}")
        for entry in entries:
            adoption: Any = reader.get(adoption_key(entry["standard"], entry["version"], member))
            same = all(entry[name] == adoption[name] for name in ("mode", "sources", "from_ms"))
            if not same or (adoption["until_ms"] is not None and entry["until_ms"] is None):
                raise Violation(f"{member}'s own set is {entry}, its adoption {adoption}")


def competing(reader: Reader) -> None:
    """Raise ``Violation`` unless what competes in a domain is in force, and its pages hold all that took it up."""
    for domain in DOMAINS:
        places = domain_of(reader, domain)["standards"]
        if len(places) > MAX_STANDARDS:
            raise Violation(f"{len(places)} standards compete in {domain}")
        for standard, version in places:
            record: Any = reader.get(standard_key(standard, version))
            head: Any = reader.get(standard_head_key(standard))
            if record["status"] in OVER or head["domain"] != domain:
                raise Violation(f"{standard} {version} is {record['status']} in {head['domain']}, not in {domain}")
            pages = range(series.pages(record["adopters"]))
            found = [name for page in pages for name in series.on_page(reader, adopters_key(standard, version, page))]
            known = [name for name in found if reader.get(adoption_key(standard, version, name)) is not None]
            if len(set(found)) != record["adopters"] or known != found:
                raise Violation(f"{found} took up {standard} {version}, the state says {record['adopters']}")
