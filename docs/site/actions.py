"""The reference of the contracts' actions, made from their tables: what each takes is asked of its own check.

The checks are functions and hold no description of themselves, but each refusal says what was expected. So every
field gets a value that fits nothing, and the refusal is the description.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from contracts.framework import Action
from contracts.table import CONTRACTS
from docs.site.markdown import block, code, table

_UNKNOWN = "no-such-argument"


def page() -> str:
    """Return every action with who may send it, its arguments and an example."""
    parts = []
    for contract in CONTRACTS.values():
        parts.append(f"## {contract.name}\n")
        for name, action in contract.actions.items():
            parts += _entry(f"{contract.name}.{name}", action)
    return "\n".join(parts)


def _entry(name: str, action: Action) -> Iterator[str]:
    yield f"### {name}\n"
    yield f"{action.title}. {_sender(action)}\n"
    yield table(("argument", "", "may be left out"), [_row(action, field) for field in fields(action)])
    yield block(json.dumps(action.example, ensure_ascii=False, indent=2), "json")


def _sender(action: Action) -> str:
    """Return who may send it, in words."""
    if action.capability is None:
        return "Only a node sends it, signed with its own key."
    told = f"The sender needs the capability `{action.capability}`" if action.capability else "Any operator may send it"
    return f"{told}; a node may send it as well." if action.by_node else f"{told}."


def fields(action: Action) -> list[str]:
    """Return the names of all arguments, in the order of the check."""
    refusal = action.validate({_UNKNOWN: None})
    expected = refusal.detail.partition("unknown; expected ")[2] if refusal else ""
    return expected.split(", ") if expected else list(action.example)


def _row(action: Action, field: str) -> tuple[str, str, str]:
    return code(field), _expected(action, field), "yes" if _optional(action, field) else ""


def _expected(action: Action, field: str) -> str:
    """Return what the check expects of a field, and of each item if it is a list."""
    told = _told(action, field, object(), "")
    items = _told(action, field, [object()], "[0]") if told.startswith("a list") else ""
    return f"{told}, each {items}" if items else told


def _told(action: Action, field: str, value: Any, place: str) -> str:
    """Return what a refusal of ``value`` says was expected at a place within the field."""
    refusal = action.validate({**action.example, field: value})
    return refusal.detail.partition(f"args.{field}{place}: expected ")[2] if refusal else ""


def _optional(action: Action, field: str) -> bool:
    """Say whether the check takes the example without a field."""
    return action.validate({key: value for key, value in action.example.items() if key != field}) is None
