"""What actions there are, described from the contracts' own tables: who may send them, what they take, an example.

Law: what is expected of an argument is what its field says; nothing is described twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from coseal.client.contracts import contracts
from coseal.contracts.kernel.action import Action


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument: its name, what is expected in words, whether it may be left out."""

    name: str
    expected: str
    optional: bool


def actions() -> dict[str, Action]:
    """Return all actions by ``CONTRACT.ACTION``, in the contracts' order."""
    return {
        f"{contract.name}.{name}": action
        for contract in contracts().values()
        for name, action in contract.actions.items()
    }


def sender_of(action: Action) -> str:
    """Return who may send an action, in words."""
    if action.capability is None:
        return "a node, signed with its own key"
    who = f"an operator with the capability {action.capability}" if action.capability else "any operator"
    return f"{who}, or a node" if action.by_node else who


def fields_of(action: Action) -> list[Argument]:
    """Return the arguments of an action, in the order of its check."""
    record = action.arguments.record
    return [Argument(name, field.describe(), name not in record.required) for name, field in record.fields.items()]


def document(name: str, action: Action) -> dict[str, Any]:
    """Return an action as JSON: ``fields`` with what is expected, a JSON ``schema``, an ``example``."""
    return {
        "name": name,
        "title": action.title,
        "capability": action.capability,
        "by_node": action.by_node,
        "sent_by": sender_of(action),
        "fields": [
            {"name": field.name, "expected": field.expected, "optional": field.optional} for field in fields_of(action)
        ],
        "schema": action.arguments.json_schema(),
        "example": dict(action.example),
    }
