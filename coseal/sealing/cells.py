"""Sealing a batch of items into a sidecar, and reading its cells.

Law: salts and the seed are drawn for each batch; what is returned to be recorded is commitments alone. Who reads a cell
compares every value with the commitment that its item carries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from secrets import token_bytes
from typing import TypeAlias

from coseal.ledger import custody, sealed
from coseal.ledger.codec import Value
from coseal.ledger.errors import BadProof, Malformed
from coseal.ledger.sealed import Cell, Cells
from coseal.sealing.ciphers import SealedValue, decrypt_cell, encrypt_cell, unwrap, wrap

Line: TypeAlias = tuple[int, str, tuple[tuple[str, bytes], ...]]
"""What a cell commits to: sequence and label, and the commitment of each attribute by name."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A sidecar, and the commitments that the items carry in place of what is in it."""

    sidecar: Cells
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Vault:
    """A vault as its owner has it: its hash, all its keys, and the size to which it pads every cell (0: none)."""

    id: bytes
    keys: tuple[bytes, ...]
    pad: int = 0


def seal_batch(
    vault: Vault,
    source: str,
    attributes: Mapping[tuple[int, str], Mapping[str, Value]],
    audiences: Mapping[tuple[str, int], bytes] | None = None,
    draw: Callable[[int], bytes] = token_bytes,
) -> Batch:
    """Seal attributes, by sequence and label of their cell, for the audiences (name and version) with these keys."""
    readers = sorted((audiences or {}).items())
    seed = draw(sealed.SEED_BYTES)
    wrapping = [custody.wrapping_key(key, seed) for _, key in readers]
    cells, lines = [], []
    for (sequence, label), named in sorted(attributes.items()):
        values = [SealedValue(name, draw(sealed.SALT_BYTES), value) for name, value in sorted(named.items())]
        cell = sealed.cell_id(vault.id, seed, source, sequence, label)
        key = custody.cell_key(vault.id, vault.keys, cell)
        ciphertext = encrypt_cell(key, cell, values, vault.pad)
        wraps = tuple(wrap(under, key) for under in wrapping)
        cells.append(Cell(sequence, label, custody.key_check(key, cell), ciphertext, wraps))
        lines.append((sequence, label, _commitments(source, sequence, values)))
    return Batch(Cells(vault.id, seed, tuple(reader for reader, _ in readers), tuple(cells)), tuple(lines))


def key_for_audience(sidecar: Cells, cell: Cell, source: str, reader: tuple[str, int], audience_key: bytes) -> bytes:
    """Return the key of a cell that is wrapped for an audience; raise ``Malformed`` if there is none that fits."""
    if reader not in sidecar.audiences:
        raise Malformed(f"sidecar: not for version {reader[1]} of audience {reader[0]}")
    wrapped = cell.wraps[sidecar.audiences.index(reader)]
    key = unwrap(custody.wrapping_key(audience_key, sidecar.seed), wrapped)
    cell_id = sealed.cell_id(sidecar.vault, sidecar.seed, source, cell.sequence, cell.label)
    if custody.key_check(key, cell_id) != cell.check:  # B14
        raise Malformed("wrap: another key than the cell's")
    return key


def read_cell(
    sidecar: Cells, cell: Cell, source: str, key: bytes, commitments: Sequence[tuple[str, bytes]]
) -> list[SealedValue]:
    """Return the attributes of a cell; raise ``Malformed`` or ``BadProof`` unless they are those committed to."""
    cell_id = sealed.cell_id(sidecar.vault, sidecar.seed, source, cell.sequence, cell.label)
    values = decrypt_cell(key, cell_id, cell.ciphertext)
    if _commitments(source, cell.sequence, values) != tuple(commitments):  # B2
        raise BadProof("cell: its values are not those that the item commits to")
    return values


def _commitments(source: str, sequence: int, values: Sequence[SealedValue]) -> tuple[tuple[str, bytes], ...]:
    return tuple((name, sealed.commitment(salt, source, sequence, name, value)) for name, salt, value in values)
