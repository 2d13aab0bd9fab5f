"""The one byte encoding: canonical MessagePack with bounds.

Law: ``decode`` accepts exactly the image of ``encode``; one value has one encoding.

Values are None, bool, int (-2^63 <= i < 2^64), str, bytes, list and dict with sorted str keys. Floats,
extension types, duplicate or unsorted keys, non-minimal forms, trailing bytes and nesting beyond
``MAX_DEPTH`` are refused. Lengths and nesting are bounded before the decoder allocates for them.
Source: the MessagePack specification; docs/spec/encoding.md.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import msgpack

from ledger.errors import Malformed

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
    return _pack(_ordered(value, MAX_DEPTH))


def encode_decoded(value: Value) -> bytes:
    """Return the canonical bytes of a list of values that ``decode`` returned, or of scalars: its maps are in order.

    A third of the time of ``encode``; of a value from elsewhere the bytes may not be canonical.
    """
    return _pack(value)


def decode(data: bytes) -> Value:
    """Return the value whose canonical encoding is ``data``; raise ``Malformed`` for anything else."""
    if _may_overallocate(data):  # K6
        _scan(data)
    try:
        value = msgpack.unpackb(data, raw=False, strict_map_key=True, ext_hook=_no_extension)
    except Malformed:
        raise
    except Exception as error:  # msgpack raises several unrelated types for bad input
        raise Malformed(f"not MessagePack: {error or type(error).__name__}") from None
    if type(value) not in _SCALARS:
        _check(value, MAX_DEPTH)  # K1, K3, K5
    if _pack(value) != data:  # K2, K3 (a key that stands twice is written once), K4
        raise Malformed("not the canonical encoding of its value")
    return value  # type: ignore[no-any-return]


def decode_own(data: bytes) -> Any:
    """Return the value of bytes that ``encode`` wrote or ``decode`` has accepted, without looking again.

    A fifth of the time of ``decode``. Raises anything for other bytes: never for what comes from outside.
    """
    return msgpack.unpackb(data)


def decode_record(data: bytes, tag: str, version: int, fields: int) -> list[Any]:
    """Decode ``[tag, version, *fields]`` and return its ``fields`` values, or raise ``Malformed``."""
    return record(decode(data), tag, version, fields)


def record(value: Value, tag: str, version: int, fields: int) -> list[Any]:
    """Check that a decoded value is ``[tag, version, *fields]`` and return its ``fields`` values."""
    if type(value) is not list or len(value) < 2 or value[0] != tag or type(value[0]) is not str:  # K7
        raise Malformed(f"expected a {tag} record")
    if type(value[1]) is not int or value[1] != version:
        raise Malformed(f"unknown version of {tag}")
    if len(value) != fields + 2:
        raise Malformed(f"{tag} has {len(value) - 2} fields, expected {fields}")
    return value[2:]


def integer(value: Value, what: str, *, low: int = 0, high: int = 2**63 - 1) -> int:
    """Return ``value`` if it is an int (not a bool) within [low, high]; else raise ``Malformed``."""
    if type(value) is not int or not low <= value <= high:
        raise Malformed(f"{what}: expected an integer from {low} to {high}")
    return value


def octets(value: Value, what: str, *, size: int | None = None, limit: int | None = None) -> bytes:
    """Return ``value`` if it is bytes of exactly ``size``, or of at most ``limit``; else raise ``Malformed``."""
    if type(value) is not bytes:
        raise Malformed(f"{what}: expected bytes")
    if size is not None and len(value) != size:
        raise Malformed(f"{what}: expected {size} bytes, got {len(value)}")
    if limit is not None and len(value) > limit:
        raise Malformed(f"{what}: {len(value)} bytes, at most {limit}")
    return value


def text(value: Value, what: str, *, limit: int = 256) -> str:
    """Return ``value`` if it is a str of 1..``limit`` characters; else raise ``Malformed``."""
    if type(value) is not str or not 0 < len(value) <= limit:
        raise Malformed(f"{what}: expected a text of 1 to {limit} characters")
    return value


def sequence(value: Value, what: str, *, limit: int) -> list[Any]:
    """Return ``value`` if it is a list of at most ``limit`` items; else raise ``Malformed``."""
    if type(value) is not list or len(value) > limit:
        raise Malformed(f"{what}: expected a list of at most {limit} items")
    return value


def mapping(value: Value, what: str) -> dict[str, Any]:
    """Return ``value`` if it is a map; else raise ``Malformed``."""
    if type(value) is not dict:
        raise Malformed(f"{what}: expected a map")
    return value


_packer: Final = msgpack.Packer(use_bin_type=True)  # making one takes longer than writing a transaction


def _pack(value: Value) -> bytes:
    return _packer.pack(value)  # type: ignore[no-any-return]


def _ordered(value: Any, depth: int) -> Value:
    """Return ``value`` with every dict in key order, checking types and nesting on the way."""
    kind = type(value)
    if kind in _SCALARS:
        return value  # type: ignore[no-any-return]
    if depth == 0:
        raise ValueError(f"nested deeper than {MAX_DEPTH}")
    if kind is list or kind is tuple:
        return [item if type(item) in _SCALARS else _ordered(item, depth - 1) for item in value]
    if kind is dict:
        for key in value:
            if type(key) is not str:
                raise TypeError("map keys must be str")
        return {
            key: item if type(item := value[key]) in _SCALARS else _ordered(item, depth - 1) for key in sorted(value)
        }
    raise TypeError(f"{kind.__name__} has no encoding")


def _check(value: Any, depth: int) -> None:
    """Refuse what ``encode`` never writes: other types, deeper nesting, maps in another order."""
    if depth == 0:
        raise Malformed(f"nested deeper than {MAX_DEPTH}")
    kind = type(value)
    if kind is list:
        for item in value:
            if type(item) not in _SCALARS:
                _check(item, depth - 1)
    elif kind is dict:
        for key, item in value.items():
            if type(key) is not str:
                raise Malformed("map keys must be text")
            if type(item) not in _SCALARS:
                _check(item, depth - 1)
        if list(value) != sorted(value):  # K3
            raise Malformed("map keys are not strictly ascending")
    else:
        raise Malformed(f"{kind.__name__} is not allowed")


def _no_extension(code: int, data: bytes) -> Value:
    raise Malformed(f"extension type {code} is not allowed")


# The decoder allocates a container's claimed length, at most len(data) slots, before it reads the items. A few
# headers inside a large input can therefore claim far more than the input holds. The cheap test bounds that
# claim; only an input that might exceed it pays for the exact scan.
_SLOT_BYTES: Final = 8
_FREE_BYTES: Final = 1 << 20
_HARMLESS_BYTES: Final = 256  # not even if every byte claimed a map of as many pairs


def _may_overallocate(data: bytes) -> bool:
    size = len(data)
    if size <= _HARMLESS_BYTES:
        return False
    wide = data.count(b"\xdd") + data.count(b"\xdf") * 2
    narrow = data.count(b"\xdc") + data.count(b"\xde") * 2
    claimed = _SLOT_BYTES * (wide * size + narrow * min(size, 65_535))
    return claimed > _FREE_BYTES + 32 * size


def _scan(data: bytes) -> None:
    """Walk the headers alone and refuse lengths beyond the input or nesting beyond ``MAX_DEPTH``."""
    size, offset = len(data), 0
    open_items = [1]  # items still expected at each level of nesting
    while open_items:
        if open_items[-1] == 0:
            open_items.pop()
            continue
        open_items[-1] -= 1
        if offset >= size:
            raise Malformed("truncated")
        head = data[offset]
        if head in _WIDTHS:
            width = _WIDTHS[head]
            length = int.from_bytes(data[offset + 1 : offset + 1 + width], "big")
            offset += 1 + width
        else:
            width, length = 0, head & (0x1F if 0xA0 <= head <= 0xBF else 0x0F)
            offset += 1
        if head <= 0x7F or head >= 0xE0 or head in (0xC0, 0xC2, 0xC3):
            continue
        if head in _FIXED:
            offset += _FIXED[head]
        elif 0xA0 <= head <= 0xBF or head in (0xC4, 0xC5, 0xC6, 0xD9, 0xDA, 0xDB):
            offset += length
        elif 0x80 <= head <= 0x9F or head in (0xDC, 0xDD, 0xDE, 0xDF):
            items = length * 2 if head <= 0x8F or head in (0xDE, 0xDF) else length
            if items > size - offset:
                raise Malformed("a container claims more items than there are bytes")
            if len(open_items) > MAX_DEPTH:
                raise Malformed(f"nested deeper than {MAX_DEPTH}")
            open_items.append(items)
        else:
            raise Malformed(f"type 0x{head:02x} is not allowed")
        if offset > size:
            raise Malformed("truncated")


_WIDTHS: Final = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4, 0xDC: 2, 0xDD: 4, 0xDE: 2, 0xDF: 4}
_FIXED: Final = {0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8}
