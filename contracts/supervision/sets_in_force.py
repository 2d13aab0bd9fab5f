"""Which rule sets judge a process type, compiled: what the state holds of them, and what a node keeps to save time.

Law: what is compiled follows from the state alone; whether it was compiled before changes nothing but time.

contracts/supervision/README.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from coseal.contracts.kernel.action import Reader, View
from coseal.contracts.kernel.overlay import peek
from coseal.contracts.process.state import type_key
from coseal.contracts.rules.monitor import RuleSet, rule_sets, witness_sets
from coseal.contracts.rules.rule import COUNT, DISPUTED, Rule, ended_rule, names_of, parse_rule, source_bytes
from coseal.contracts.supervision.state import SOURCE_BYTES_KEY, active_key, rule_key, set_key
from coseal.ledger import codec

TRIAL: Final = "trial"
ADOPTED: Final = "adopted"
_TRACES: Final = [(keeps, disputed) for disputed in DISPUTED for keeps in (False, True)]
"""What rules of a set may judge: ``JudgingSet.keeps`` and ``JudgingSet.disputed``."""
_MEMO_BYTES: Final = 4 * 1024 * 1024
_OWN_MEMO_BYTES: Final = 1024 * 1024
"""Of members' own sets, apart from the others: how many there are has no bound, so each use of one is charged."""
_TAG: Final = b"coseal/rule/1".ljust(24, b"\0")


def rule_digest(rule: Mapping[str, Any]) -> bytes:
    """Return the 32-byte hash of a rule as it was proposed."""
    return sha256(_TAG + codec.encode(dict(rule))).digest()


def active(reader: Reader, process_type: str) -> Sequence[Mapping[str, Any]]:
    """Return the entries of the sets that judge a process type, in the order in which they came."""
    value: Any = reader.get(active_key(process_type))
    return value or []


@dataclass(frozen=True, slots=True)
class JudgingSet:
    """A set that judges: ``by_type`` are its rules by object type; times in ms of block time.

    What judges the corrected trace of an object and what ``keeps`` to the recorded one are judged apart, and so are
    rules that judge ``disputed`` events in different ways. What a set only keeps of objects for rules over ``related``
    ones is apart as well.
    """

    id: str
    phase: str
    generation: int
    since_ms: int
    by_type: Mapping[str, RuleSet]
    keeps: bool = False
    disputed: str = COUNT
    related: bool = False

    @property
    def shadow(self) -> bool:
        """Whether what it finds has no effect."""
        return self.phase == TRIAL


class _Memo:
    """What was compiled. What nobody asked for while as much as the limit came new is forgotten.

    The limit is several times what may be in force, so what is in force stays.
    """

    def __init__(self, limit_bytes: int) -> None:
        """``limit_bytes`` is of source text."""
        self._limit_bytes, self._bytes = limit_bytes, 0
        self._new: dict[Any, tuple[Any, int]] = {}
        self._old: dict[Any, tuple[Any, int]] = {}

    def clear(self) -> None:
        """Forget everything, as a node that starts has."""
        self._new, self._old, self._bytes = {}, {}, 0

    def get(self, key: Any) -> Any:
        """Return what is kept under a key, or None."""
        found = self._new.get(key)
        if found is None:
            found = self._old.get(key)
            if found is None:
                return None
            self.put(key, *found)
        return found[0]

    def put(self, key: Any, value: Any, size_bytes: int) -> None:
        """Keep a value that was made of so much source text."""
        if self._bytes > self._limit_bytes:
            self._old, self._new, self._bytes = self._new, {}, 0
        self._new[key] = (value, size_bytes)
        self._bytes += size_bytes


_rules = _Memo(_MEMO_BYTES)
_compiled = _Memo(_MEMO_BYTES)
_hashes = _Memo(_MEMO_BYTES)
_own = _Memo(_OWN_MEMO_BYTES)


def put_active(view: View, process_type: str, entries: Sequence[Mapping[str, Any]]) -> None:
    """Write the entries of the sets that judge a process type, and how much source text judges in all."""
    before = active(view, process_type)
    change = sum(entry["source_bytes"] for entry in entries) - sum(entry["source_bytes"] for entry in before)
    if change:
        view.put(SOURCE_BYTES_KEY, total_bytes(view) + change)
    if entries:
        view.put(active_key(process_type), [dict(entry) for entry in entries])
    elif before:
        view.delete(active_key(process_type))


def total_bytes(reader: Reader) -> int:
    """Return the size of the source text of all rules that judge, of all process types."""
    value: Any = reader.get(SOURCE_BYTES_KEY)
    return value or 0


def judging_documents(reader: Reader, entry: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the documents of the rules of a judging set that are not off."""
    found: Any = reader.get(set_key(entry["set"]))
    for rule_id, version in found["rules"]:
        if rule_id not in entry["off"]:
            yield reader.get(rule_key(rule_id, version))


def rules_of(reader: Reader, definition: Mapping[str, Any], entry: Mapping[str, Any]) -> tuple[Rule, ...]:
    """Return the rules of a judging set, compiled; what is off only holds its place (J2).

    Raises RuleError if the process type lacks what one names.
    """
    found: Any = peek(reader, set_key(entry["set"]))
    rules = []
    for rule_id, version in found["rules"]:
        document: Any = peek(reader, rule_key(rule_id, version))
        off = rule_id in entry["off"]
        rules.append(ended_rule(document["rule"]) if off else compiled_rule(document, definition))
    return tuple(rules)


def compiled_rule(document: Mapping[str, Any], definition: Mapping[str, Any]) -> Rule:
    """Return the rule of a document, compiled; raises RuleError if the process type lacks what it names.

    A definition that has what it names unchanged gives the same rule.
    """
    key = _key_of(document["rule"], document["digest"], definition)
    rule: Rule | None = _rules.get(key)
    if rule is None:
        rule = parse_rule(document["rule"], definition)
        _rules.put(key, rule, source_bytes(document["rule"]))
    return rule


def keep_compiled(rules: Sequence[Rule], definition: Mapping[str, Any]) -> None:
    """Have rules that will judge from now on not compiled again."""
    for rule in rules:
        _rules.put(_key_of(rule.data, rule_digest(rule.data).hex(), definition), rule, source_bytes(rule.data))


def _key_of(data: Mapping[str, Any], digest: str, definition: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what a compiled rule follows from: the rule, and what it names of the definition."""
    object_types, event_types = names_of(data)
    hashes = _hashes_of(definition)
    names = [("object_types", name) for name in object_types] + [("event_types", name) for name in event_types]
    named = tuple(hashes.get(name) for name in names)
    return digest, named


def _hashes_of(definition: Mapping[str, Any]) -> Mapping[tuple[str, str], bytes]:
    """Return the hash of every object type and event type of a definition, by part and name."""
    key = definition["definition"]
    hashes: dict[tuple[str, str], bytes] | None = _hashes.get(key)
    if hashes is None:
        hashes, size_bytes = {}, 0
        for part in ("object_types", "event_types"):
            for name, body in definition[part].items():
                raw = codec.encode(body)
                hashes[part, name] = sha256(raw).digest()
                size_bytes += len(raw)
        _hashes.put(key, hashes, size_bytes)
    return hashes


def judging(reader: Reader, definition: Mapping[str, Any]) -> tuple[JudgingSet, ...]:
    """Return the sets that judge a process type."""
    found: list[JudgingSet] = []
    for entry in active(reader, definition["id"]):
        name = (entry["set"], entry["phase"], entry["generation"], entry["since_ms"])
        found += _parts(name, _by_type(reader, definition, entry))
    return tuple(found)


def judging_own(
    name: tuple[str, int, int], digest: str, definition: Mapping[str, Any], parse: Callable[[], Sequence[Rule]]
) -> list[JudgingSet]:
    """Return what judges of a member's own set: ``name`` is its id, its generation and since when in ms.

    ``parse`` gives its rules; it raises RuleError if the process type lacks what one names.
    """
    key = (digest, definition["definition"])
    compiled: list[Mapping[str, RuleSet]] | None = _own.get(key)
    if compiled is None:
        rules = parse()
        compiled = _split(rules, definition)
        _own.put(key, compiled, sum(source_bytes(rule.data) for rule in rules))
    set_id, generation, since_ms = name
    return list(_parts((set_id, TRIAL, generation, since_ms), compiled))


def _parts(name: tuple[str, str, int, int], compiled: Sequence[Mapping[str, RuleSet]]) -> Iterator[JudgingSet]:
    """Yield what judges of a set, one for each of ``_TRACES``, and what it keeps of related objects."""
    *judged, kept = compiled
    for (keeps, disputed), by_type in zip(_TRACES, judged, strict=True):
        if by_type:
            yield JudgingSet(*name, by_type, keeps, disputed)
    if kept:
        yield JudgingSet(*name, kept, related=True)


def _by_type(reader: Reader, definition: Mapping[str, Any], entry: Mapping[str, Any]) -> list[Mapping[str, RuleSet]]:
    """Return the rules of a set by object type, for each of ``_TRACES``, and what rules keep of related ones."""
    key = (entry["digest"], definition["definition"], tuple(entry["off"]))
    compiled: list[Mapping[str, RuleSet]] | None = _compiled.get(key)
    if compiled is None:
        rules = rules_of(reader, definition, entry)
        compiled = _split(rules, definition)
        _compiled.put(key, compiled, entry["source_bytes"])
    return compiled


def _split(rules: Sequence[Rule], definition: Mapping[str, Any]) -> list[Mapping[str, RuleSet]]:
    """Return rules by object type, for each of ``_TRACES``, and what they keep of related objects."""
    judged = [
        rule_sets([rule for rule in rules if (rule.keeps, rule.disputed) == trace], definition) for trace in _TRACES
    ]
    return [*judged, witness_sets(rules, definition)]


def definition_of(reader: Reader, process_type: str) -> Any:
    """Return the current definition of a process type, or None."""
    return reader.get(type_key(process_type))


def forget() -> None:
    """Forget everything compiled, as a node that starts has: nothing may come out differently."""
    for memo in (_rules, _compiled, _hashes, _own):
        memo.clear()
