"""The one byte encoding: canonical MessagePack with bounds.

Law: ``decode`` accepts exactly the image of ``encode``; one value has one encoding.

Values are None, bool, int (-2^63 <= i < 2^64), str, bytes, list and dict with sorted str keys. Floats,
extension types, duplicate or unsorted keys, non-minimal forms, trailing bytes and nesting beyond
``MAX_DEPTH`` are refused. The decoder allocates for items that are there, never for a length that is only claimed.
Source: the MessagePack specification; docs/spec/encoding.md.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Final, TypeAlias

import ormsgpack

from coseal.ledger.errors import Malformed

# A list or dict holds Values again; mypy cannot check recursive aliases of invariant containers usefully.
Value: TypeAlias = bool | int | str | bytes | list[Any] | dict[str, Any] | None

MAX_DEPTH: Final = 16
INT_MIN: Final = -(2**63)
INT_MAX: Final = 2**64 - 1

_SCALARS: Final = frozenset({type(None), bool, int, str, bytes})  # K1


def encode(value: Value) -> bytes:
    """Return the canonical bytes of ``value``; tuples are written as lists, dict keys are sorted.

    Raises ``TypeError`` or ``ValueError`` for a value that has no encoding: that is a bug of ours.
    """
    require_encodable(value)
    return _pack(value)


def require_encodable(value: Value) -> None:
    """Raise ``TypeError`` or ``ValueError`` unless ``encode_decoded`` gives the canonical bytes of ``value``."""
    if type(value) not in _SCALARS:
        _require_encodable(value, MAX_DEPTH)


def encode_decoded(value: Value) -> bytes:
    """Return the canonical bytes of a list of values that ``decode`` returned, or of scalars.

    Half the time of ``encode``, which looks at the types and the nesting of a value from elsewhere.
    """
    return _pack(value)


def decode(data: bytes) -> Value:
    """Return the value whose canonical encoding is ``data``; raise ``Malformed`` for anything else."""
    return _decoder(data)


def decode_by(decoder: Callable[[bytes], Value]) -> None:
    """Let this process decode by ``decoder``, which says the same as ``decode_plain`` (``ledger.native``)."""
    global _decoder
    _decoder = decoder


def decode_plain(data: bytes) -> Value:
    """Say what ``decode`` says, by the Python alone."""
    try:
        value = ormsgpack.unpackb(data)  # K6
    except ValueError as error:
        raise Malformed(f"not MessagePack: {error}") from None
    if type(value) not in _SCALARS:
        try:
            _require_encodable(value, MAX_DEPTH)  # K1, K5
        except (TypeError, ValueError) as error:
            raise Malformed(str(error)) from None
    if _pack(value) != data:  # K2, K3 (what is written is in order, and each key once), K4
        raise Malformed("not the canonical encoding of its value")
    return value  # type: ignore[no-any-return]


def decode_own(data: bytes) -> Any:
    """Return the value of bytes that ``encode`` wrote or ``decode`` has accepted, without looking again.

    A fifth of the time of ``decode``. Raises anything for other bytes: never for what comes from outside.
    """
    return ormsgpack.unpackb(data)


def decode_record(data: bytes, tag: str, version: int, fields: int) -> list[Any]:
    """Decode ``[tag, version, *fields]`` and return its ``fields`` values, or raise ``Malformed``."""
    return record(decode(data), tag, version, fields)


def record(value: Any, tag: str, version: int, fields: int) -> list[Any]:
    """Check that a decoded value is ``[tag, version, *fields]`` and return its ``fields`` values."""
    if type(value) is not list or len(value) < 2 or value[0] != tag or type(value[0]) is not str:  # K7
        raise Malformed(f"expected a {tag} record")
    if type(value[1]) is not int or value[1] != version:
        raise Malformed(f"unknown version of {tag}")
    if len(value) != fields + 2:
        raise Malformed(f"{tag} has {len(value) - 2} fields, expected {fields}")
    return value[2:]


def integer(value: Any, what: str, *, low: int = 0, high: int = 2**63 - 1) -> int:
    """Return ``value`` if it is an int (not a bool) within [low, high]; else raise ``Malformed``."""
    if type(value) is not int or not low <= value <= high:
        raise Malformed(f"{what}: expected an integer from {low} to {high}")
    return value


def octets(value: Any, what: str, *, size: int | None = None, limit: int | None = None) -> bytes:
    """Return ``value`` if it is bytes of exactly ``size``, or of at most ``limit``; else raise ``Malformed``."""
    if type(value) is not bytes:
        raise Malformed(f"{what}: expected bytes")
    if size is not None and len(value) != size:
        raise Malformed(f"{what}: expected {size} bytes, got {len(value)}")
    if limit is not None and len(value) > limit:
        raise Malformed(f"{what}: {len(value)} bytes, at most {limit}")
    return value


def text(value: Any, what: str, *, limit: int = 256) -> str:
    """Return ``value`` if it is a str of 1..``limit`` characters; else raise ``Malformed``."""
    if type(value) is not str or not 0 < len(value) <= limit:
        raise Malformed(f"{what}: expected a text of 1 to {limit} characters")
    return value


def sequence(value: Any, what: str, *, limit: int) -> list[Any]:
    """Return ``value`` if it is a list of at most ``limit`` items; else raise ``Malformed``."""
    if type(value) is not list or len(value) > limit:
        raise Malformed(f"{what}: expected a list of at most {limit} items")
    return value


def fields(value: Any, what: str, names: Collection[str]) -> dict[str, Any]:
    """Check that ``value`` is a map that holds none but these fields (some may be missing)."""
    found = mapping(value, what)
    for name in found:
        if name not in names:
            raise Malformed(f"{what}.{str(name)[:64]}: unknown field")
    return found


def all_fields(value: Any, what: str, names: frozenset[str]) -> dict[str, Any]:
    """Return a mapping with string keys that has all of ``names`` and no other; raise ``Malformed``."""
    found = fields(value, what, names)
    missing = sorted(names - set(found))
    if missing:
        raise Malformed(f"{what}.{missing[0]} is missing")
    return found


def mapping(value: Any, what: str) -> dict[str, Any]:
    """Return ``value`` if it is a map; else raise ``Malformed``."""
    if type(value) is not dict:
        raise Malformed(f"{what}: expected a map")
    return value


_decoder: Callable[[bytes], Value] = decode_plain

# Keys in order; of everything that is no Value, nothing is written.
_OPTIONS: Final = (
    ormsgpack.OPT_SORT_KEYS
    | ormsgpack.OPT_PASSTHROUGH_DATACLASS
    | ormsgpack.OPT_PASSTHROUGH_DATETIME
    | ormsgpack.OPT_PASSTHROUGH_ENUM
    | ormsgpack.OPT_PASSTHROUGH_SUBCLASS
    | ormsgpack.OPT_PASSTHROUGH_UUID
)


def _pack(value: Value) -> bytes:
    return ormsgpack.packb(value, option=_OPTIONS)


def _require_encodable(value: Any, depth: int) -> None:
    """Raise ``TypeError`` or ``ValueError`` for a container that nests too deep or holds what is no Value.

    Keys and the range of integers are the packer's to refuse.
    """
    if depth == 0:
        raise ValueError(f"nested deeper than {MAX_DEPTH}")
    kind = type(value)
    if kind is dict:
        items = value.values()
    elif kind is list or kind is tuple:
        items = value
    else:
        raise TypeError(f"{kind.__name__} has no encoding")
    for item in items:
        if type(item) not in _SCALARS:
            _require_encodable(item, depth - 1)
