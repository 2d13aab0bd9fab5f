"""What a standard says, by its kind, and what of it has to be true when it is proposed.

Law: what a kind cannot measure never makes a standard de facto; the content of a version never changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from coseal.contracts.kernel.action import Context, Rejected, View
from coseal.contracts.kernel.fields import Dependent, Field, Hexadecimal, Identifier, Label, Many, Record, Text
from coseal.contracts.process.state import type_key
from coseal.ledger import codec

PROCESS_TYPE: Final = "process_type"
KINDS: Final[Mapping[str, Field]] = {
    PROCESS_TYPE: Record({"process_type": Identifier(slash=False), "definition": Hexadecimal()}),
    "area_list": Record({"areas": Many(Label(), low=1, high=1_024, unique=True)}),
    "format": Record({"name": Label(), "place": Text(high=512)}, {"sha256": Hexadecimal()}),
}
"""What standards of each kind say."""
MEASURED: Final = (PROCESS_TYPE,)
"""The kinds whose use the ledger sees."""

CONTENT: Final = Dependent("kind", KINDS)
_TAG: Final = b"coseal/standard/1".ljust(24, b"\0")


def digest_of(kind: str, content: Mapping[str, Any]) -> str:
    """Return the SHA-256 of what a standard says, hexadecimal."""
    return sha256(_TAG + codec.encode([kind, dict(content)])).hexdigest()


def check(view: View, context: Context, kind: str, content: Mapping[str, Any]) -> Rejected | None:
    """Refuse content that is not true of the ledger; its form is right."""
    if kind != PROCESS_TYPE:
        return None
    name = content["process_type"]
    definition: Any = view.get(type_key(name))  # E8
    if definition is None:
        return Rejected("invalid_content", f"args.content.process_type: there is no process type {name}")
    if definition["member"] != context.member:
        detail = f"process type {name} belongs to {definition['member']}, which alone can make it a standard"
        return Rejected("not_owner", detail)
    if definition["definition"] != content["definition"]:
        detail = f"args.content.definition: {name} version {definition['version']} is {definition['definition']}"
        return Rejected("invalid_content", detail)
    return None
