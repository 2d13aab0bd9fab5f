"""The reference of the contracts' actions, made from their tables as `coseal actions` is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from coseal.client.actions import actions, fields_of, sender_of
from coseal.contracts.kernel.action import FORMER, STANDINGS, SUSPENDED, Action
from docs.site.markdown import block, code, table

LESS: Final = (SUSPENDED, FORMER)


def page() -> str:
    """Return what a suspended and a former member may send, then every action with its arguments and an example."""
    parts = [_standings()]
    contract = ""
    for name, action in actions().items():
        if name.partition(".")[0] != contract:
            contract = name.partition(".")[0]
            parts.append(f"## {contract}\n")
        parts += _entry(name, action)
    return "\n".join(parts)


def _standings() -> str:
    """Return the actions that need no good standing, and those that no measure pauses."""
    rows = [
        (code(name), *("yes" if said else "" for said in (*(may(action, who) for who in LESS), not action.pausable)))
        for name, action in actions().items()
        if may(action, SUSPENDED) or not action.pausable
    ]
    head = ("action", "a suspended member sends it", "a former member too", "never paused")
    said = (
        "What needs good standing and can be paused by a measure is not in the table ([standing](../spec/standing.md))."
    )
    return f"## Standing\n\n{said}\n\n{table(head, rows)}"


def may(action: Action, standing: str) -> bool:
    """Say whether a member of this standing may send an action."""
    return STANDINGS.index(standing) >= STANDINGS.index(action.standing)


def _entry(name: str, action: Action) -> Iterator[str]:
    yield f"### {name}\n"
    yield f"{action.title}. Sent by {sender_of(action)}.\n"
    rows = [(code(field.name), field.expected, "yes" if field.optional else "") for field in fields_of(action)]
    yield table(("argument", "", "may be left out"), rows)
    yield block(json.dumps(action.example, ensure_ascii=False, indent=2), "json")
