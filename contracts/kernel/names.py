"""What things may be called: names that a reader can see, and ids that a path over HTTP can hold.

Law: an id that is accepted can be fetched, linked and exported; no table of Unicode properties is consulted, because
it differs between releases of Python. docs/spec/contracts.md, section Names.
"""

from __future__ import annotations

from typing import Any, Final

MAX_IDENTIFIER: Final = 128
_SPACES: Final = frozenset(
    " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
)
_FOLD: Final = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz", " -_./")
_DOTS: Final = frozenset((".", ".."))
_HIDDEN_RANGES: Final = (
    *((0x00, 0x1F), (0x7F, 0x9F)),  # controls, line ends among them
    *((0x2028, 0x202E), (0x061C, 0x061C), (0x200B, 0x200F)),  # line ends, direction, zero width
    *((0x2060, 0x206F), (0xFEFF, 0xFEFF), (0xFFF0, 0xFFFB)),
    *((0x00AD, 0x00AD), (0x034F, 0x034F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F)),  # drawn as nothing
    *((0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A)),
    (0xE0000, 0xE0FFF),
    (0xFDD0, 0xFDEF),  # no characters at all, as are the last two of every plane
    *((plane | 0xFFFE, plane | 0xFFFF) for plane in range(0, 0x110000, 0x10000)),
)
HIDDEN: Final = frozenset(chr(code) for first, last in _HIDDEN_RANGES for code in range(first, last + 1))
"""Code points that show nothing, end a line, turn the direction of what follows, or are no characters.

They are listed, because a table of Unicode properties differs between releases of Python.
"""


def is_visible(value: str) -> bool:
    """Say whether a text is without hidden code points, and has a UTF-8 form."""  # I1
    if value.isascii():
        return value.isprintable()
    return HIDDEN.isdisjoint(value) and is_encodable(value)


def is_label(value: Any, high: int = MAX_IDENTIFIER) -> bool:
    """Say whether ``value`` is a text of 1 to ``high`` characters, none hidden, without a space at either end."""  # I2
    if type(value) is not str or not 0 < len(value) <= high or value[0] in _SPACES or value[-1] in _SPACES:
        return False
    return is_visible(value)


def is_identifier(value: Any) -> bool:
    """Say whether ``value`` is a label that can be part of an address: none of its parts between '/' is empty or dots.

    Clients and proxies take '.' and '..' out of a path, and many an empty part; the one in ``https://host`` may stay.
    """
    if not is_label(value):
        return False
    if "/" not in value:
        return value not in _DOTS  # I3
    scheme, mark, rest = value.partition("://")
    parts = (rest if mark and scheme and "/" not in scheme else value).split("/")
    return "" not in parts and _DOTS.isdisjoint(parts)  # I3


def is_reference(value: Any) -> bool:
    """Say whether ``value`` can name a source: an identifier, or one whose parts are empty, as ``/sensors/1/`` has.

    Systems that send CloudEvents seldom choose their source; it is addressed percent-encoded, as one part.
    """
    return is_label(value) and _DOTS.isdisjoint(value.split("/"))  # I4


def label_rule(high: int = MAX_IDENTIFIER) -> str:
    """Return in words what ``is_label`` wants."""
    return f"a text of 1 to {high} characters, none of them invisible or a control, no space at either end"


def identifier_rule(*, slash: bool = True) -> str:
    """Return in words what ``is_identifier`` wants; ``slash``: whether '/' is allowed."""
    parts = "'/' only between parts that are neither empty nor '.' or '..'" if slash else "not '.' or '..', no '/'"
    return f"an identifier: {label_rule()}, {parts}"


def reference_rule() -> str:
    """Return in words what ``is_reference`` wants."""
    return f"a source: {label_rule()}, no part '.' or '..' between '/'"


def folded(value: str) -> str:
    """Return a text in lower case without spaces and ``-_./``, for comparing names; only A-Z are lowered.

    ``str.lower`` and ``str.isalnum`` ask a table of Unicode properties, which differs between releases of Python.
    """
    return value.translate(_FOLD)


def is_encodable(value: str) -> bool:
    """Say whether a text has a UTF-8 form; half a surrogate pair, which JSON can spell, has none."""
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
