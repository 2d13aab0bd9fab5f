"""What actions there are, described from the contracts' own tables: who may send them, what they take, an example.

Law: what is expected of an argument is what its check says when it refuses; nothing is described twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from coseal.contracts.arguments import Arguments, Check, Many, Nullable, Record, Table
from coseal.contracts.framework import Action
from coseal.contracts.table import CONTRACTS

_NOTHING_FITS: Final = object()


@dataclass(frozen=True, slots=True)
class Field:
    """One argument: its name, what is expected in words, whether it may be left out."""

    name: str
    expected: str
    optional: bool


def actions() -> dict[str, Action]:
    """Return all actions by ``CONTRACT.ACTION``, in the contracts' order."""
    return {
        f"{contract.name}.{name}": action
        for contract in CONTRACTS.values()
        for name, action in contract.actions.items()
    }


def sender_of(action: Action) -> str:
    """Return who may send an action, in words."""
    if action.capability is None:
        return "a node, signed with its own key"
    who = f"an operator with the capability {action.capability}" if action.capability else "any operator"
    return f"{who}, or a node" if action.by_node else who


def fields_of(action: Action) -> list[Field]:
    """Return the arguments of an action, in the order of its check."""
    check = action.validate
    return fields_in(check.shape) if isinstance(check, Arguments) else []


def fields_in(record: Record) -> list[Field]:
    """Return the fields of a map."""
    return [Field(name, expected(check), name not in record.required) for name, check in record.fields.items()]


def expected(check: Check) -> str:
    """Return what a check expects, in words."""
    match check:
        case Nullable():
            return f"{expected(check.item)}, or null"
        case Many():
            return f"{_refusal(check)}, each {expected(check.item)}"
        case Table():
            return f"{_refusal(check)}; keys: {expected(check.key)}; values: {expected(check.item)}"
        case Record():
            parts = (f"{field.name}{' (optional)' if field.optional else ''}" for field in fields_in(check))
            return f"a map of {', '.join(parts)}"
    return _refusal(check)


def _refusal(check: Check) -> str:
    """Return what a check says that it expected when it gets what is nothing of the kind."""
    return (check(_NOTHING_FITS) or "as in the example").removeprefix(": expected ")


def document(name: str, action: Action) -> dict[str, Any]:
    """Return an action as JSON: ``fields`` with what is expected, and an ``example`` that the check takes."""
    return {
        "name": name,
        "title": action.title,
        "capability": action.capability,
        "by_node": action.by_node,
        "sent_by": sender_of(action),
        "fields": [
            {"name": field.name, "expected": field.expected, "optional": field.optional} for field in fields_of(action)
        ],
        "example": dict(action.example),
    }
