"""What a log says of itself, kept as an object of a reserved type: XES headers, OCEL 1.0 globals.

Law: ``header_of(items_of(header)) == header``: the ledger's items hold it whole, so an export can give it back.

The header is JSON text, cut into attributes ``header-001``, ``header-002``, .. of one object with the id ``log``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

XES_HEADER: Final = "xes:log"
OCEL1_HEADER: Final = "ocel1:log"
HEADER_TYPES: Final = (XES_HEADER, OCEL1_HEADER)
EPOCH_TIME: Final = "1970-01-01T00:00:00Z"
HEADER_ID: Final = "log"
PIECES_MAX: Final = 128
_PIECE_CHARACTERS: Final = 4_000
_PIECES_AN_ITEM: Final = 8  # so that an item fits a transaction whatever the characters


def header_items(object_type: str, header: Mapping[str, Any]) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Return the declarations that hold a header, and the attributes to declare for ``object_type``."""
    text = json.dumps(header, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    pieces = [text[at : at + _PIECE_CHARACTERS] for at in range(0, len(text), _PIECE_CHARACTERS)]
    rows = [[f"header-{number:03}", EPOCH_TIME, piece] for number, piece in enumerate(pieces, start=1)]
    items = [
        {"object": HEADER_ID, "type": object_type, "attributes": rows[at : at + _PIECES_AN_ITEM]}
        for at in range(0, len(rows), _PIECES_AN_ITEM)
    ]
    return items, {name: "string" for name, _, _ in rows}


def header_of(pieces: Iterable[tuple[str, str]]) -> dict[str, Any] | None:
    """Return the header that (attribute name, value) pairs of the object hold; None if they hold none."""
    text = "".join(value for name, value in sorted(pieces) if name.startswith("header-"))
    try:
        header = json.loads(text)
    except ValueError:
        return None
    return header if type(header) is dict else None
