"""Text as XML holds it.

Law: a reader gets the same characters back; a character that XML cannot hold is refused.
"""

from __future__ import annotations

import re
from typing import Final

from coseal.errors import CosealError

HEAD: Final = "<?xml version='1.0' encoding='UTF-8'?>\n"
_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPES: Final = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord("\r"): "&#13;"}
_QUOTED: Final = {**_ESCAPES, ord('"'): "&quot;", ord("\n"): "&#10;", ord("\t"): "&#9;"}


def escaped(text: str) -> str:
    """Return text for an element's content."""
    _require(text)
    return text.translate(_ESCAPES)


def quoted(text: str) -> str:
    """Return text as an attribute's value, with its quotes."""
    _require(text)
    return f'"{text.translate(_QUOTED)}"'


def plain(value: str | int | bool) -> str:
    """Return a value's text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _require(text: str) -> None:
    found = _FORBIDDEN.search(text)
    if found:
        detail = f"XML cannot hold the character {ord(found[0]):#06x}, which is in {text[:60]!r}"
        raise CosealError(detail, "export it as ocel-json")
