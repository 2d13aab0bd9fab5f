"""Mutations of bytes: blind ones, and ones that know MessagePack, JSON or the records of our files.

Law: a stream of mutants follows from its seed alone, so every finding can be made again.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import msgpack

from coseal.ledger import framing

BYTES_MAX = 1024 * 1024
EDGES = (0, 1, 0x7F, 0x80, 0x90, 0xA0, 0xC0, 0xC1, 0xC4, 0xC6, 0xCA, 0xCF, 0xD3, 0xDB, 0xDC, 0xDD, 0xDF, 0xE0, 0xFF)
INTEGERS = (0, 1, -1, 2, 3, 4, 5, 16, 17, 64, 65, 127, 128, 255, 256, 2**16, 2**31, 2**32 - 1, 2**32, 2**53, 2**63 - 1)
INTEGERS += (2**63, 2**64 - 1, -(2**63))
TEXTS = (
    "",
    "a",
    "通知",
    "a/b",
    "../x",
    "\0",
    "\ud7ff",
    "x" * 65,
    "x" * 257,
    "0",
    "-0",
    "1e400",
    "1970-01-01T00:00:00Z",
)
LEAVES: tuple[Any, ...] = (None, True, False, *INTEGERS, *TEXTS, [], {})
OCTETS: tuple[Any, ...] = (b"", bytes(31), bytes(32), bytes(64), b"\xff" * 64, b"\x90")

Mutator = Callable[[Random, bytes, Sequence[bytes]], bytes]

# Blind


def flip(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Flip one to four bits."""
    out = bytearray(data)
    for _ in range(random.randint(1, 4)):
        if out:
            out[random.randrange(len(out))] ^= 1 << random.randrange(8)
    return bytes(out)


def put(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Overwrite or insert a byte with which formats begin something."""
    at = random.randint(0, len(data))
    return data[:at] + bytes([random.choice(EDGES)]) + data[at + random.randint(0, 1) :]


def cut(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Leave something out: an end, or a piece."""
    start, end = sorted((random.randint(0, len(data)), random.randint(0, len(data))))
    return data[:start] + (data[end:] if random.random() < 0.5 else b"")


def repeat(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Say a piece twice, or move it."""
    start, end = sorted((random.randint(0, len(data)), random.randint(0, len(data))))
    at = random.randint(0, len(data))
    return data[:at] + data[start:end] + data[at:]


def splice(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Join the beginning of one input and the end of another."""
    other = random.choice(others)
    return data[: random.randint(0, len(data))] + other[random.randint(0, len(other)) :]


def lengthen(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Replace what may be a length field of 1, 2, 4 or 8 bytes by another, often a huge one."""
    width = random.choice((1, 2, 4, 8))
    if len(data) < width:
        return data
    at = random.randint(0, len(data) - width)
    old = int.from_bytes(data[at : at + width], "big")
    top = 256**width - 1
    new = random.choice((top, top // 2, top - 1, old + 1, old - 1, old * 2, 0)) % (top + 1)
    return data[:at] + new.to_bytes(width, "big") + data[at + width :]


def deepen(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Put many openings before a place: MessagePack lists, JSON lists, or claims of 2^32 items."""
    at = random.randint(0, len(data))
    opening = random.choice((b"\x91", b"\x81\xa1a", b"[", b'{"a":', b"\xdd\xff\xff\xff\xff", b"\xdc\xff\xff", b"<a>"))
    return data[:at] + opening * random.choice((1, 3, 17, 200)) + data[at:]


BLIND: tuple[Mutator, ...] = (flip, put, cut, repeat, splice, lengthen, deepen)

# Values


def change(random: Random, value: Any, leaves: Sequence[Any], depth: int = 0) -> Any:
    """Return ``value`` with one place in it changed; bytes that hold an encoding are changed inside as well."""
    inner = isinstance(value, list | dict) and len(value) > 0
    if inner and random.random() < 0.85:
        return change_inside(random, value, leaves, depth)
    if type(value) is bytes and depth < 8 and random.random() < 0.7:
        inside = unpack(value)
        if isinstance(inside, list | dict):
            return pack(random, change(random, inside, leaves, depth + 1))
    if type(value) is str and len(value) > 40 and depth < 8 and random.random() < 0.7:
        inside = unpack(unbase64(value))
        if isinstance(inside, list | dict):
            changed = change(random, inside, (*LEAVES, *OCTETS), depth + 1)
            return base64.b64encode(pack(random, changed)).decode()
    if isinstance(value, list) and random.random() < 0.5:
        return [*value, random.choice(leaves)]
    if type(value) is int and random.random() < 0.5:
        return max(-(2**63), min(2**64 - 1, value + random.choice((-1, 1))))
    if isinstance(value, str | bytes) and value and random.random() < 0.5:
        return value[:-1] if random.random() < 0.5 else value + value[:1]
    return random.choice(leaves)


def change_inside(random: Random, value: Any, leaves: Sequence[Any], depth: int) -> Any:
    """Change, leave out, repeat, exchange or rename a member of a container."""
    if isinstance(value, list):
        out, at = list(value), random.randrange(len(value))
        match random.randrange(8):
            case 0:
                del out[at]
            case 1:
                out.insert(at, out[at])
            case 2:
                other = random.randrange(len(out))
                out[at], out[other] = out[other], out[at]
            case _:
                out[at] = change(random, out[at], leaves, depth)
        return out
    keyed, key = dict(value), random.choice(list(value))
    match random.randrange(8):
        case 0:
            del keyed[key]
        case 1:
            keyed[random.choice(TEXTS)] = keyed.pop(key)
        case 2:
            keyed[random.choice(TEXTS)] = random.choice(leaves)
        case _:
            keyed[key] = change(random, keyed[key], leaves, depth)
    return keyed


def unpack(data: bytes) -> Any:
    """Return what MessagePack without rules of ours reads, None if it reads nothing."""
    try:
        return msgpack.unpackb(data, raw=False, strict_map_key=False, max_buffer_size=BYTES_MAX)
    except Exception:
        return None


def unbase64(text: str) -> bytes:
    """Return the bytes that a base64 text holds, none if it is no such text."""
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return b""


def pack(random: Random, value: Any) -> bytes:
    """Return a MessagePack form of a value, now and then one with keys out of order or floats."""
    if isinstance(value, dict) and random.random() < 0.2:
        value = dict(sorted(value.items(), reverse=True, key=str))
    try:
        return msgpack.packb(value, use_bin_type=True)  # type: ignore[no-any-return]
    except (ValueError, OverflowError, UnicodeEncodeError):
        return b"\xc1"


def in_msgpack(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Change the value that MessagePack bytes hold."""
    value = unpack(data)
    if value is None:
        return flip(random, data, others)
    for _ in range(random.choice((1, 1, 1, 2))):
        value = change(random, value, (*LEAVES, *OCTETS, 1.5))
    return pack(random, value)


def in_json(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Change the value that a JSON text holds."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return flip(random, data, others)
    for _ in range(random.choice((1, 1, 1, 2))):
        value = change(random, value, (*LEAVES, 1.5, float("inf")))
    return json.dumps(value, ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass")


def in_records(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Change, leave out, repeat or exchange a record of a file, and frame it again with a right checksum."""
    records = [(record.sequence, record.kind, record.payload) for record in framing.scan(data).records]
    if not records:
        return flip(random, data, others)
    at = random.randrange(len(records))
    sequence, kind, payload = records[at]
    match random.randrange(6):
        case 0:
            del records[at]
        case 1:
            records.insert(at, records[at])
        case 2:
            records[at] = (sequence + random.choice((-1, 1)), kind, payload)
        case 3:
            records[at] = (sequence, random.choice((0, 1, 2, 3, 255)), payload)
        case _:
            records[at] = (sequence, kind, in_msgpack(random, payload, others))
    return b"".join(framing.frame(max(0, s) % 2**64, k, p) for s, k, p in records)


AWARE: dict[str, tuple[Mutator, ...]] = {
    "msgpack": (in_msgpack,),
    "json": (in_json,),
    "records": (in_records,),
    "text": (),
}


def mutant(random: Random, corpus: Sequence[bytes], form: str) -> bytes:
    """Return one mutant of an input of the corpus, of at most ``BYTES_MAX`` bytes."""
    aware = AWARE[form]
    data = random.choice(corpus)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        mutators = aware if aware and random.random() < 0.5 else BLIND
        data = random.choice(mutators)(random, data, corpus)
    return data[:BYTES_MAX]
