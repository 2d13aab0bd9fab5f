"""Which rule sets judge a process type, compiled: what the state holds of them, and what a node keeps to save time.

Law: what is compiled follows from the state alone; whether it was compiled before changes nothing but time.

State: ``supervision/active/<process type>``, ``supervision/set/<set>``, ``supervision/rule/<id>/<version>``.
docs/spec/contracts-supervision.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from contracts.framework import Reader, remember
from contracts.process_types import type_key
from contracts.rules.errors import RuleError
from contracts.rules.monitor import RuleSet, rule_sets
from contracts.rules.rule import Rule, parse_rule, parse_rules
from ledger import codec

TRIAL: Final = "trial"
ADOPTED: Final = "adopted"
_TAG: Final = b"coseal/rule/1".ljust(24, b"\0")


def rule_key(rule_id: str, version: int) -> str:
    """Return the state key of one version of a rule."""
    return f"supervision/rule/{rule_id}/{version}"


def head_key(rule_id: str) -> str:
    """Return the state key of which versions of a rule there are."""
    return f"supervision/rule/{rule_id}"


def set_key(set_id: str) -> str:
    """Return the state key of a rule set."""
    return f"supervision/set/{set_id}"


def active_key(process_type: str) -> str:
    """Return the state key of the sets that judge a process type."""
    return f"supervision/active/{process_type}"


def rule_digest(rule: Mapping[str, Any]) -> bytes:
    """Return the 32-byte hash of a rule as it was proposed."""
    return sha256(_TAG + codec.encode(dict(rule))).digest()


def active(reader: Reader, process_type: str) -> Sequence[Mapping[str, Any]]:
    """Return the entries of the sets that judge a process type, in the order in which they came."""
    value: Any = reader.get(active_key(process_type))
    return value or []


@dataclass(frozen=True, slots=True)
class JudgingSet:
    """A set that judges: ``by_type`` are its rules by object type; times in ms of block time."""

    id: str
    phase: str
    generation: int
    since_ms: int
    by_type: Mapping[str, RuleSet]

    @property
    def shadow(self) -> bool:
        """Whether what it finds has no effect."""
        return self.phase == TRIAL


_rules: dict[tuple[str, str], tuple[Rule, ...]] = {}
_compiled: dict[tuple[str, str, tuple[str, ...]], Mapping[str, RuleSet]] = {}


def rules_of(reader: Reader, definition: Mapping[str, Any], set_id: str, digest: str) -> tuple[Rule, ...]:
    """Return the compiled rules of a set, those that are off as well; raises RuleError if the type lacks a name."""
    key = (digest, definition["definition"])
    rules = _rules.get(key)
    if rules is None:
        found: Any = reader.get(set_key(set_id))
        documents: list[Any] = [reader.get(rule_key(*name)) for name in found["rules"]]
        rules = parse_rules([document["rule"] for document in documents], definition)
        remember(_rules, key, rules)
    return rules


def judging(reader: Reader, definition: Mapping[str, Any]) -> tuple[JudgingSet, ...]:
    """Return the sets that judge a process type."""
    return tuple(
        JudgingSet(
            entry["set"], entry["phase"], entry["generation"], entry["since_ms"], _by_type(reader, definition, entry)
        )
        for entry in active(reader, definition["id"])
    )


def _by_type(reader: Reader, definition: Mapping[str, Any], entry: Mapping[str, Any]) -> Mapping[str, RuleSet]:
    off = tuple(entry["off"])
    key = (entry["digest"], definition["definition"], off)
    compiled = _compiled.get(key)
    if compiled is None:
        compiled = rule_sets(rules_of(reader, definition, entry["set"], entry["digest"]), definition, off)
        remember(_compiled, key, compiled)
    return compiled


def broken_rule(reader: Reader, definition: Mapping[str, Any]) -> str | None:
    """Say which rule in force would not compile under a new definition of its process type, and why; or None."""
    for entry in active(reader, definition["id"]):
        found: Any = reader.get(set_key(entry["set"]))
        for rule_id, version in found["rules"]:
            if rule_id in entry["off"]:
                continue
            document: Any = reader.get(rule_key(rule_id, version))
            try:
                parse_rule(document["rule"], definition)
            except RuleError as error:
                return f"{rule_id} version {version}: {error}"
    return None


def definition_of(reader: Reader, process_type: str) -> Any:
    """Return the current definition of a process type, or None."""
    return reader.get(type_key(process_type))
