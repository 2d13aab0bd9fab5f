"""Rule files on this side of a network: read, checked, and tried on logs.

Law: a rule is judged by the modules that judge it on the ledger, never by another reading of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coseal.client.rule_checks import Read, RuleCheck, check
from coseal.contracts.process.state import type_key
from coseal.contracts.process.types import DEFINE_TYPE, normalised
from coseal.contracts.registry import PROCESS_TYPES
from coseal.contracts.rules.errors import RuleError
from coseal.contracts.rules.facts import Definition
from coseal.contracts.rules.rule import entries, parse_rule, parse_rules
from coseal.contracts.rules.trial import TrialResult, try_rules
from coseal.errors import BadAnswer
from coseal.formats.importers.log import Log, read_text
from coseal.ledger.errors import LedgerError
from coseal.ledger.strict_json import strict_json

if TYPE_CHECKING:
    from coseal.client.blocking import Client

_HINT = "a rule file is a JSON list of rules; see docs/spec/rules.md"


@dataclass(frozen=True, slots=True)
class Tried:
    """What rules say of a log, and what they name that the log does not have."""

    result: TrialResult
    warnings: tuple[str, ...]


def read_json(path: Path) -> Any:
    """Return the JSON document of a file; raise ``CosealError`` with what is wrong."""
    try:
        return strict_json(read_text(path), str(path))
    except LedgerError as error:
        raise BadAnswer(str(error)) from None


def read_definition(path: Path) -> Definition:
    """Return the process type in a file of arguments of ``process.define_type``."""
    args = read_json(path)
    refused = DEFINE_TYPE.arguments.check(args)
    if refused is not None:
        raise BadAnswer(f"{path}: {refused.detail}")
    return normalised(args)


def check_file(path: Path, definition: Definition | None = None) -> RuleCheck:
    """Return what a proposal of the rules of a file would meet; raise ``BadAnswer`` if it is no rule file.

    Without a definition that of a contract's own process type is known.
    """
    data = read_json(path)
    named = next((entry["scope"]["process_type"] for entry in data if _names_type(entry)), "")
    return _checked(path, data, definition or PROCESS_TYPES.get(named), None)


def check_against(client: Client, path: Path) -> RuleCheck:
    """Return what a proposal of the rules of a file would meet on a network, whose state is proven."""
    data, known = read_json(path), cache(client.value)
    named = next((entry["scope"]["process_type"] for entry in data if _names_type(entry)), None)
    definition: Any = None if named is None else known(type_key(named))
    if named is not None and definition is None:
        raise BadAnswer(f"there is no process type {named}", "define it first: `coseal actions process.define_type`")
    return _checked(path, data, definition, known)


def _checked(path: Path, data: Any, definition: Definition | None, read: Read | None) -> RuleCheck:
    try:
        return check(data, definition, read)
    except RuleError as error:
        raise BadAnswer(f"{path}: {error}", _HINT) from None


def _names_type(entry: Any) -> bool:
    scope = entry.get("scope") if type(entry) is dict else None
    return type(scope) is dict and type(scope.get("process_type")) is str


def try_file(path: Path, log: Log, object_type: str | None = None, process_type: Definition | None = None) -> Tried:
    """Return what the rules of a file say of a log; raise ``BadAnswer`` if a rule is refused.

    A rule may name event types and attributes that the log lacks: that is a warning, for a log shows what happened,
    not all that may happen. ``object_type`` is set in place of the rules' own. ``process_type`` says what the log's
    does not, such as its tallies.
    """
    data = read_json(path)
    definition = _completed(normalised(log.definition), process_type)
    try:
        rules = parse_rules(data)
    except RuleError as error:
        raise BadAnswer(f"{path}: {error}", _HINT) from None
    zone, source = log.source.get("zone_minutes"), f"log/{log.source['id']}"
    result = try_rules(rules, log.items, definition, object_type=object_type, source=source, zone_minutes=zone)
    return Tried(result, _unknown(data, definition, object_type))


def _completed(definition: Definition, process_type: Definition | None) -> Definition:
    """Return a log's process type with what another has beside it; the other's word counts where both have a type."""
    if process_type is None:
        return definition
    types = {part: {**definition[part], **process_type[part]} for part in ("object_types", "event_types")}
    declared = {part: process_type[part] for part in ("tallies", "match") if part in process_type}
    return {**definition, **types, **declared}


def _unknown(data: Any, definition: Definition, object_type: str | None) -> tuple[str, ...]:
    """Return what each rule names that a log's process type does not have."""
    warnings = []
    for entry in entries(data):
        scope = dict(entry.get("scope") or {})
        scope.pop("process_type", None)
        if object_type is not None and "object_type" in scope:
            scope["object_type"] = object_type
        try:
            parse_rule({**entry, "scope": scope}, definition)
        except RuleError as error:
            warnings.append(f"{entry['id']}: {error}")
    return tuple(warnings)
