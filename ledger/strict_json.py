"""JSON from outside, read strictly: the one parser of every document and request that members, nodes and tools take.

Law: what is accepted has an encoding (``ledger.codec``): no float, no NaN, no integer beyond 64 bit, no repeated
key, no half of a surrogate pair. Nesting is bounded before anything is parsed.
"""

from __future__ import annotations

import json
from typing import Any, Final

from coseal.ledger import codec
from coseal.ledger.errors import Malformed


def strict_json(raw: bytes | str, what: str = "JSON", *, depth: int = codec.MAX_DEPTH) -> Any:
    """Parse JSON without floats, NaN, duplicate keys, or integers beyond 64 bit; raise ``Malformed``.

    Nesting is bounded by ``depth`` before parsing, so no input can exhaust the stack. Every text in the result is
    valid Unicode, so it has an encoding.
    """
    try:
        text = raw.decode("utf-8") if isinstance(raw, bytes) else raw
    except UnicodeDecodeError:
        raise Malformed(f"{what}: not UTF-8") from None
    _require_depth(text, what, depth)  # N1
    try:
        value = json.loads(
            text,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
            parse_int=_small_integer,
            object_pairs_hook=_unique_pairs,
        )
        if "\\u" in text or isinstance(raw, str):
            json.dumps(value, ensure_ascii=False).encode()  # an escape can make half of a surrogate pair
    except Malformed as error:
        raise Malformed(f"{what}: {error.reason}") from None
    except UnicodeEncodeError:
        raise Malformed(f"{what}: a text holds half of a surrogate pair") from None
    except ValueError as error:
        raise Malformed(f"{what}: {error}") from None
    return value


def json_text(value: Any) -> str:
    """Return a value of our own as JSON, its texts as they are."""
    return json.dumps(value, ensure_ascii=False)


def json_line(value: Any) -> str:
    """Return a value of our own as compact JSON that is one line for every reader."""
    return one_line(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def one_line(text: str) -> str:
    """Return JSON with the line ends escaped that JSON allows in a text and many readers of lines split at."""
    return text if text.isascii() else text.translate(_LINE_ENDS)


_LINE_ENDS: Final = str.maketrans({"\x85": "\\u0085", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def json_value(text: str) -> Any:
    """Return the value that ``json_text`` wrote. For what we wrote ourselves; from outside, ``strict_json``."""
    return json.loads(text)


def _require_depth(text: str, what: str, limit: int) -> None:
    """Refuse nesting beyond the limit, counting brackets outside strings."""
    if text.count("[") + text.count("{") <= limit:
        return
    depth, position, size = 0, 0, len(text)
    while position < size:
        quote = text.find('"', position)
        outside = text[position : size if quote < 0 else quote]
        for character in outside:
            if character in "[{":
                depth += 1
                if depth > limit:
                    raise Malformed(f"{what}: nested deeper than {limit}")
            elif character in "]}":
                depth -= 1
        position = size if quote < 0 else _after_string(text, quote + 1)


def _after_string(text: str, position: int) -> int:
    """Return the position after the string whose opening quote is just before ``position``."""
    while (quote := text.find('"', position)) >= 0:
        slashes = quote
        while slashes > position and text[slashes - 1] == "\\":
            slashes -= 1
        if (quote - slashes) % 2 == 0:
            return quote + 1
        position = quote + 1
    return len(text)


def _refuse_number(literal: str) -> Any:
    raise Malformed(f"the number {literal[:32]} is not an integer; send a decimal as text")


def _small_integer(literal: str) -> int:
    if len(literal) > 20 or not codec.INT_MIN <= int(literal) <= codec.INT_MAX:
        raise Malformed(f"the integer {literal[:24]} is beyond 64 bit")
    return int(literal)


def _unique_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise Malformed(f"duplicate key '{key[:64]}'")
        result[key] = value
    return result
