"""What a log says of itself, kept as an object of a reserved type: XES headers, OCEL 1.0 globals.

Law: ``header_of(items_of(header)) == header``: the ledger's items hold it whole, so an export can give it back.

The header is JSON text, cut into attributes ``header-001`` to ``header-128`` of the objects ``log``, ``log-002``, ..
It is cut, not compressed: the same file gives the same items whatever the release of a library, so that a second
import finds what the first one recorded.
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
OBJECTS_MAX: Final = 64
_PIECE_CHARACTERS: Final = 4_000
_PIECES_AN_OBJECT: Final = 128  # as many attributes as a type can have
CHARACTERS_MAX: Final = OBJECTS_MAX * _PIECES_AN_OBJECT * _PIECE_CHARACTERS
_PIECES_AN_ITEM: Final = 8  # so that an item fits a transaction whatever the characters


def header_items(object_type: str, header: Mapping[str, Any]) -> tuple[list[dict[str, Any]], dict[str, str]] | None:
    """Return the declarations that hold a header, and the attributes to declare for ``object_type``.

    None if the header's text has more than ``CHARACTERS_MAX`` characters.
    """
    text = json.dumps(header, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    if len(text) > CHARACTERS_MAX:
        return None
    pieces = [text[at : at + _PIECE_CHARACTERS] for at in range(0, len(text), _PIECE_CHARACTERS)]
    items, names = [], [f"header-{number:03}" for number in range(1, min(len(pieces), _PIECES_AN_OBJECT) + 1)]
    for first in range(0, len(pieces), _PIECES_AN_OBJECT):
        number = first // _PIECES_AN_OBJECT + 1
        object_id = HEADER_ID if number == 1 else f"{HEADER_ID}-{number:03}"
        rows = [
            [name, EPOCH_TIME, piece]
            for name, piece in zip(names, pieces[first : first + _PIECES_AN_OBJECT], strict=False)
        ]
        items += [
            {"object": object_id, "type": object_type, "attributes": rows[at : at + _PIECES_AN_ITEM]}
            for at in range(0, len(rows), _PIECES_AN_ITEM)
        ]
    return items, dict.fromkeys(names, "string")


def header_of(pieces: Iterable[tuple[str, str, str]]) -> dict[str, Any] | None:
    """Return the header that (object id, attribute name, value) of header objects hold; None if they hold none."""
    text = "".join(value for _, name, value in sorted(pieces) if name.startswith("header-"))
    try:
        header = json.loads(text)
    except ValueError:
        return None
    return header if type(header) is dict else None
