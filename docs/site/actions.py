"""The reference of the contracts' actions, made from their tables as `coseal actions` is."""

from __future__ import annotations

import json
from collections.abc import Iterator

from coseal.client.actions import actions, fields_of, sender_of
from coseal.contracts.kernel.action import Action
from docs.site.markdown import block, code, table


def page() -> str:
    """Return every action with who may send it, its arguments and an example."""
    parts: list[str] = []
    contract = ""
    for name, action in actions().items():
        if name.partition(".")[0] != contract:
            contract = name.partition(".")[0]
            parts.append(f"## {contract}\n")
        parts += _entry(name, action)
    return "\n".join(parts)


def _entry(name: str, action: Action) -> Iterator[str]:
    yield f"### {name}\n"
    yield f"{action.title}. Sent by {sender_of(action)}.\n"
    rows = [(code(field.name), field.expected, "yes" if field.optional else "") for field in fields_of(action)]
    yield table(("argument", "", "may be left out"), rows)
    yield block(json.dumps(action.example, ensure_ascii=False, indent=2), "json")
