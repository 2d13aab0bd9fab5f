"""Schemas of the actions of all contracts, made from their fields, for the OpenAPI document.

Law: a body that fits its schema is one whose arguments no field refuses for their form, as far as a schema can say.
"""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.registry import CONTRACTS

_SIGNED: Final[dict[str, Any]] = {
    "chain_id": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    "sender": {"type": "string", "description": "MEMBER/USER, or node:ID"},
    "public_key": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    "valid_until_ms": {"type": "integer"},
    "salt": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    "signature": {"type": "string", "pattern": "^[0-9a-f]{128}$"},
}


def action_schemas() -> dict[str, Any]:
    """Return components: the arguments of every action by ``CONTRACT.ACTION``, and the bodies that carry one."""
    arguments = {
        f"{contract.name}.{name}": {"title": action.title, **action.arguments.json_schema()}
        for contract in CONTRACTS.values()
        for name, action in contract.actions.items()
    }
    raw = {"type": "object", "required": ["raw"], "properties": {"raw": {"type": "string"}}}
    return {
        **arguments,
        "Transaction": {
            "description": "A signed transaction: `raw` (base64 of the wire form), or all fields and `signature`.",
            "anyOf": [raw, _with_action(arguments, _SIGNED, closed=False)],
        },
        "Submission": {
            "description": "An action that the node signs for its member.",
            **_with_action(arguments, {}),
        },
        "Unsigned": {
            "description": "An action and who would send it.",
            **_with_action(arguments, {"sender": _SIGNED["sender"]}),
        },
    }


def _with_action(names: dict[str, Any], more: dict[str, Any], *, closed: bool = True) -> dict[str, Any]:
    """Return the schema of a map with ``more``, a contract, an action of it, and arguments that this action takes."""
    forms = []
    for name in names:
        contract, _, action = name.partition(".")
        chosen = {"contract": {"const": contract}, "action": {"const": action}}
        args = {"$ref": f"#/components/schemas/{name}"}
        properties = {**more, **chosen, "args": args}
        bound = {"additionalProperties": False} if closed else {}
        forms.append({"type": "object", "required": list(properties), "properties": properties, **bound})
    return {"oneOf": forms}
