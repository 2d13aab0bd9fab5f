"""Sealed attributes as everybody sees them: commitments, cells, and the sidecars that carry the ciphertext.

Law: pure, and nothing here can decrypt. A commitment is bound to the place of its item, a cell to its vault and to the
seed of its sidecar, an envelope to its purpose and receiver, a sidecar to its name: none of them fits elsewhere.

Rules B1 to B9 of docs/spec/disclosure.md; keys are in ``custody``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import Any, Final, TypeAlias

from coseal.ledger import codec, merkle
from coseal.ledger.codec import Value
from coseal.ledger.errors import Malformed, TooLarge
from coseal.ledger.signing import (
    HASH_BYTES,
    TAG_AUDIENCE,
    TAG_CELL,
    TAG_ENVELOPE,
    TAG_RECEIVER,
    TAG_REQUEST,
    TAG_SEALED_VALUE,
    TAG_VAULT,
    digest,
)

SIDECAR_BYTES_MAX: Final = 1024 * 1024
LINES_MAX: Final = 4_096
"""Cells, or envelopes, of one sidecar."""
AUDIENCES_MAX: Final = 16
"""Audiences of one sidecar."""
PADDED_BYTES_MIN: Final = 64
SALT_BYTES: Final = 32
SEED_BYTES: Final = 32
CIPHER_TAG_BYTES: Final = 16
"""What AES-256-GCM-SIV adds to a plaintext, and AES-256-GCM to what is in an envelope."""
WRAP_BYTES: Final = 40
ENCAPSULATION_BYTES: Final = 1_120
"""What an HPKE envelope begins with: the ciphertext of ML-KEM-768, then the X25519 key made for it."""
SEALING_KEY_BYTES: Final = 1_216
"""A public key for envelopes: that of ML-KEM-768, then that of X25519."""


class Purpose(IntEnum):
    """What an envelope carries: a seat's keys of a vault, a seat's parts for a request, an audience's key."""

    DEALING = 1
    RELEASE = 2
    AUDIENCE = 3


# Names of places


def vault_id(chain_id: bytes, owner: str, name: str) -> bytes:
    """Return the hash that stands for a vault of a member in everything below."""
    return digest(TAG_VAULT, chain_id + codec.encode([owner, name]))  # B1


def request_id(chain_id: bytes, request: Value) -> bytes:
    """Return the hash that stands for a request for an opening."""
    return digest(TAG_REQUEST, chain_id + codec.encode(request))  # B1


def audience_id(vault: bytes, audience: str, version: int) -> bytes:
    """Return the hash that stands for one version of an audience of a vault."""
    return digest(TAG_AUDIENCE, vault + codec.encode([audience, version]))  # B1


def envelope_info(chain_id: bytes, purpose: Purpose, about: bytes, member: str, use: str, version: int) -> bytes:
    """Return what an HPKE envelope is bound to, so that it opens in its own place alone.

    ``about`` is the hash of B1 that the purpose asks for, the rest names the receiver's key.
    """
    receiver = digest(TAG_RECEIVER, codec.encode([member, use, version]))
    return TAG_ENVELOPE + chain_id + bytes([purpose]) + about + receiver  # B8


# Commitments


def commitment(salt: bytes, source: str, sequence: int, name: str, value: Value) -> bytes:
    """Return what an item carries in place of the value of its attribute ``name``."""
    codec.octets(salt, "salt", size=SALT_BYTES)
    return digest(TAG_SEALED_VALUE, salt + codec.encode([source, sequence, name, value]))  # B2


def items_root(lines: Iterable[tuple[int, str, Sequence[tuple[str, bytes]]]]) -> bytes:
    """Return the root over what each cell of a batch commits to: its sequence, label, and named commitments."""
    leaves = [codec.encode([sequence, label, [list(pair) for pair in named]]) for sequence, label, named in lines]
    return merkle.root(leaves)  # B3


# Cells


def cell_id(vault: bytes, seed: bytes, source: str, sequence: int, label: str) -> bytes:
    """Return what a cell's key is derived from and its ciphertext bound to."""
    return digest(TAG_CELL, vault + seed + codec.encode([source, sequence, label]))  # B4


def pad(plaintext: bytes, size: int = 0) -> bytes:
    """Return a plaintext with 0x80 and zero bytes after it, up to 64, 128, 256, ... bytes, at least to ``size``."""
    padded = PADDED_BYTES_MIN
    while padded <= len(plaintext) or padded < size:
        padded *= 2
    return (plaintext + b"\x80").ljust(padded, b"\0")  # B5


def unpad(padded: bytes) -> bytes:
    """Return what was padded; raise ``Malformed`` for what ``pad`` does not return."""
    stripped = padded.rstrip(b"\0")
    if not _is_padded(len(padded)) or stripped[-1:] != b"\x80":
        raise Malformed("plaintext: it is not padded by rule B5")
    return stripped[:-1]


def _is_padded(size: int) -> bool:
    return size >= PADDED_BYTES_MIN and size & (size - 1) == 0


# Sidecars


@dataclass(frozen=True, slots=True)
class Cell:
    """The sealed attributes of one item under one label, with the cell's key wrapped for each audience."""

    sequence: int
    label: str
    check: bytes
    ciphertext: bytes
    wraps: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Cells:
    """A sidecar of cells of one vault, ascending by sequence and label."""

    vault: bytes
    seed: bytes
    audiences: tuple[tuple[str, int], ...]
    cells: tuple[Cell, ...]

    def lines(self) -> list[bytes]:
        """Return the byte strings that the sidecar is a list of."""
        head = ["cells", 1, self.vault, self.seed, [list(audience) for audience in self.audiences]]
        rows = ([cell.sequence, cell.label, cell.check, cell.ciphertext, list(cell.wraps)] for cell in self.cells)
        return [codec.encode(head), *map(codec.encode, rows)]


@dataclass(frozen=True, slots=True)
class Envelope:
    """A text for one member, under a version of its key; version 0 is the key that a request brought with it."""

    member: str
    version: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Envelopes:
    """A sidecar of envelopes about one thing (a hash of B1), ascending by member and version."""

    about: bytes
    envelopes: tuple[Envelope, ...]

    def lines(self) -> list[bytes]:
        """Return the byte strings that the sidecar is a list of."""
        rows = ([envelope.member, envelope.version, envelope.content] for envelope in self.envelopes)
        return [codec.encode(["envelopes", 1, self.about]), *map(codec.encode, rows)]


Sidecar: TypeAlias = Cells | Envelopes


def encode_sidecar(sidecar: Sidecar) -> bytes:
    """Return the bytes of a sidecar."""
    return codec.encode(sidecar.lines())


def name_of(sidecar: Sidecar) -> bytes:
    """Return the name of a sidecar: the Merkle root over its list, so one line of it is proven without the rest."""
    return merkle.root(sidecar.lines())  # B6


def attached(sidecar: Sidecar) -> tuple[dict[str, Value], bytes]:
    """Return how a transaction names a sidecar that comes beside it, and the bytes of the sidecar."""
    raw = encode_sidecar(sidecar)
    return {"name": name_of(sidecar).hex(), "bytes": len(raw)}, raw


def decode_sidecar(raw: bytes, name: bytes | None = None) -> Sidecar:
    """Return the sidecar with these bytes; raise ``Malformed`` for other forms, or another name than ``name``."""
    if len(raw) > SIDECAR_BYTES_MAX:  # B6
        raise TooLarge(f"sidecar of {len(raw)} bytes, at most {SIDECAR_BYTES_MAX}")
    listed = codec.sequence(codec.decode(raw), "sidecar", limit=LINES_MAX + 1)
    lines = [codec.octets(line, "sidecar: line") for line in listed]
    if len(lines) < 2:
        raise Malformed("sidecar: expected a head and at least one line")
    if name is not None and merkle.root(lines) != name:
        raise Malformed("sidecar: another name than the one asked for")
    head = codec.decode(lines[0])
    rows = [codec.decode(line) for line in lines[1:]]
    kind = head[0] if type(head) is list and head else None
    parse = _PARSERS.get(kind) if type(kind) is str else None
    if parse is None:
        raise Malformed("sidecar: neither cells nor envelopes")
    return parse(head, rows)


def _cells(head: Value, rows: Sequence[Value]) -> Cells:
    vault, seed, named = codec.record(head, "cells", 1, 3)
    audiences = tuple(_audience(item) for item in codec.sequence(named, "audiences", limit=AUDIENCES_MAX))
    _require_ascending([audience for audience, _ in audiences], "audiences")
    cells = tuple(_cell(row, len(audiences)) for row in rows)
    _require_ascending([(cell.sequence, cell.label) for cell in cells], "cells")
    vault = codec.octets(vault, "vault", size=HASH_BYTES)
    return Cells(vault, codec.octets(seed, "seed", size=SEED_BYTES), audiences, cells)


def _audience(item: Value) -> tuple[str, int]:
    name, version = _fields(item, "audience", 2)
    return codec.text(name, "audience", limit=64), codec.integer(version, "version", low=1)


def _cell(row: Value, audiences: int) -> Cell:
    sequence, label, check, ciphertext, wraps = _fields(row, "cell", 5)
    ciphertext = codec.octets(ciphertext, "ciphertext", limit=SIDECAR_BYTES_MAX)
    if not _is_padded(len(ciphertext) - CIPHER_TAG_BYTES):  # B5
        raise Malformed(f"ciphertext: {len(ciphertext)} bytes, expected 64, 128, 256, ... and {CIPHER_TAG_BYTES}")
    if len(codec.sequence(wraps, "wraps", limit=AUDIENCES_MAX)) != audiences:
        raise Malformed(f"wraps: {len(wraps)}, expected one for each of {audiences} audiences")
    return Cell(
        codec.integer(sequence, "sequence", low=1),
        codec.text(label, "label", limit=64),
        codec.octets(check, "check", size=HASH_BYTES),
        ciphertext,
        tuple(codec.octets(wrap, "wrap", size=WRAP_BYTES) for wrap in wraps),
    )


def _envelopes(head: Value, rows: Sequence[Value]) -> Envelopes:
    (about,) = codec.record(head, "envelopes", 1, 1)
    envelopes = tuple(map(_envelope, rows))
    _require_ascending([(item.member, item.version) for item in envelopes], "envelopes")
    return Envelopes(codec.octets(about, "about", size=HASH_BYTES), envelopes)


def _envelope(row: Value) -> Envelope:
    member, version, content = _fields(row, "envelope", 3)
    content = codec.octets(content, "envelope", limit=SIDECAR_BYTES_MAX)
    if len(content) < ENCAPSULATION_BYTES + CIPHER_TAG_BYTES:
        raise Malformed(f"envelope: {len(content)} bytes, fewer than an empty one has")
    return Envelope(codec.text(member, "member", limit=64), codec.integer(version, "version"), content)


def _fields(row: Value, what: str, count: int) -> list[Any]:
    found = codec.sequence(row, what, limit=count)
    if len(found) != count:
        raise Malformed(f"{what}: {len(found)} fields, expected {count}")
    return found


def _require_ascending(keys: Sequence[Any], what: str) -> None:
    if any(first >= second for first, second in pairwise(keys)):  # B7
        raise Malformed(f"{what}: expected each once, ascending")


_PARSERS: Final[dict[str, Callable[[Value, Sequence[Value]], Sidecar]]] = {"cells": _cells, "envelopes": _envelopes}
