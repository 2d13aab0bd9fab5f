"""The framing of append-only files: block log and journal, read by the node and by the auditor alike.

Law: a damaged last record is told apart from damage before good ones; the first is the trace of a crash and may
be cut off, the second means the file cannot be trusted.

Record: magic(2) ‖ length(4) ‖ sequence(8) ‖ type(1) ‖ payload ‖ checksum(8), big-endian; the checksum is the
first 8 bytes of SHA-256 over everything before it in the record.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

MAGIC: Final = b"\xc0\x5e"
_HEAD: Final = 15
_CHECKSUM: Final = 8
OVERHEAD: Final = _HEAD + _CHECKSUM
MAX_PAYLOAD_BYTES: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its sequence number, type byte, payload, and where in the file it starts and ends."""

    sequence: int
    kind: int
    payload: bytes
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Scan:
    """The good records of a file, where the good part ends, and what stopped the scan.

    ``torn`` - the rest is one incomplete or damaged last record: cut the file at ``end``.
    ``damaged`` - good records follow the bad one, or a sequence number is missing: trust nothing after ``end``.
    """

    records: tuple[Record, ...]
    end: int
    torn: bool
    damaged: bool


def frame(sequence: int, kind: int, payload: bytes) -> bytes:
    """Return the bytes of one record."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise ValueError(f"payload of {len(payload)} bytes, at most {MAX_PAYLOAD_BYTES}")
    body = MAGIC + len(payload).to_bytes(4, "big") + sequence.to_bytes(8, "big") + bytes([kind]) + payload
    return body + sha256(body).digest()[:_CHECKSUM]  # F1


def scan(data: bytes | memoryview, *, first_sequence: int | None = None) -> Scan:
    """Read all records of a file's bytes; ``first_sequence`` is what the first record must carry, if known."""
    view = memoryview(data)
    records: list[Record] = []
    offset, expected = 0, first_sequence
    while offset < len(view):
        found = read(view, offset)
        if found is None:
            later = is_followed(view, offset, expected)
            return Scan(tuple(records), offset, torn=not later, damaged=later)
        if expected is not None and found.sequence != expected:  # F2
            return Scan(tuple(records), offset, torn=False, damaged=True)
        records.append(found)
        expected = found.sequence + 1
        offset = found.end
    return Scan(tuple(records), offset, torn=False, damaged=False)


def read(view: memoryview, offset: int) -> Record | None:
    """Return the good record that starts at ``offset``, or None."""
    head = bytes(view[offset : offset + _HEAD])
    if len(head) < _HEAD or head[:2] != MAGIC:
        return None
    length = int.from_bytes(head[2:6], "big")
    end = offset + _HEAD + length + _CHECKSUM
    if length > MAX_PAYLOAD_BYTES or end > len(view):
        return None
    body = bytes(view[offset : end - _CHECKSUM])
    if sha256(body).digest()[:_CHECKSUM] != bytes(view[end - _CHECKSUM : end]):
        return None
    return Record(int.from_bytes(head[6:14], "big"), head[14], body[_HEAD:], offset, end)


def skip(view: memoryview, offset: int) -> tuple[int, int] | None:
    """Return (sequence, end) of the record that seems to start at ``offset``, by its head alone, or None."""
    head = bytes(view[offset : offset + _HEAD])
    if len(head) < _HEAD or head[:2] != MAGIC:
        return None
    end = offset + OVERHEAD + int.from_bytes(head[2:6], "big")
    return (int.from_bytes(head[6:14], "big"), end) if end <= len(view) else None


def is_followed(view: memoryview, offset: int, sequence: int | None) -> bool:
    """Say whether good records follow the bad one at ``offset``, which should have carried ``sequence`` (F3).

    Payloads hold what others send, also bytes that look like a record. So what lies within the extent that a sound
    head claims is payload (F5), unless one changed byte of the length explains why a record begins there.
    """
    if _is_whole(view[offset:]):
        return False
    end = _claimed_end(view, offset, sequence)  # F5
    for position in _places(view, offset + 1):
        inside = position < end
        if inside and not _may_be_length(view, offset, position):
            continue
        found = read(view, position)
        if found is None or (sequence is not None and found.sequence <= sequence):
            continue
        if not inside or _is_whole(view[offset:position]):
            return True
    return False


def is_cut(rest: memoryview) -> bool:
    """Say whether ``rest``, which holds no good record, is the beginning of one: an append that did not finish.

    A whole record whose length field was changed also claims more than there is; its checksum betrays it.
    """
    head = bytes(rest[:_HEAD])
    if head[:2] != MAGIC[: len(head)]:
        return False
    if len(head) < _HEAD:
        return True
    length = int.from_bytes(head[2:6], "big")
    if length > MAX_PAYLOAD_BYTES or OVERHEAD + length <= len(rest):
        return False
    return not _is_whole(rest)


def _claimed_end(view: memoryview, offset: int, sequence: int | None) -> int:
    """Return where the bad record at ``offset`` ends by its head, or ``offset`` if the head cannot be believed.

    It can if magic and sequence are right, or if one byte of them is wrong and the record ends where the file does.
    """
    head = bytes(view[offset : offset + _HEAD])
    if len(head) < _HEAD:
        return offset
    known = MAGIC + (head[6:14] if sequence is None else sequence.to_bytes(8, "big"))
    wrong = sum(one != other for one, other in zip(head[:2] + head[6:14], known, strict=True))
    end = offset + OVERHEAD + int.from_bytes(head[2:6], "big")
    return end if wrong == 0 or (wrong == 1 and end == len(view)) else offset


def _may_be_length(view: memoryview, offset: int, position: int) -> bool:
    """Say whether the record at ``offset`` would end at ``position`` if one byte of its length were another."""
    length = position - offset - OVERHEAD
    if length < 0:
        return False
    claimed = bytes(view[offset + 2 : offset + 6])
    return sum(one != other for one, other in zip(claimed, length.to_bytes(4, "big"), strict=True)) == 1


def _is_whole(record: memoryview) -> bool:
    """Say whether ``record`` is a good record once its length field says how long it is."""
    length = len(record) - OVERHEAD
    if length < 0:
        return False
    body = MAGIC + length.to_bytes(4, "big") + bytes(record[6:-_CHECKSUM])
    return sha256(body).digest()[:_CHECKSUM] == bytes(record[-_CHECKSUM:])


def _places(view: memoryview, offset: int) -> Iterator[int]:
    """Yield every place from ``offset`` on where the magic number stands."""
    rest = bytes(view[offset:])
    position = rest.find(MAGIC)
    while position >= 0:
        yield offset + position
        position = rest.find(MAGIC, position + 1)
