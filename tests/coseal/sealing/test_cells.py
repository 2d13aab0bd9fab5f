"""A batch is sealed, and read by an audience and by whoever has the cell's key; nothing else fits."""

import dataclasses
import hashlib

import pytest

from coseal.ledger import custody, sealed
from coseal.ledger.custody import Plan
from coseal.ledger.errors import BadProof, Malformed
from coseal.sealing.cells import Vault, key_for_audience, read_cell, seal_batch
from coseal.sealing.ciphers import encrypt_cell

PLAN, SOURCE, READER, AUDIENCE_KEY = Plan(5, 3), "bank-a/loans", ("auditors", 2), b"a" * 32
VAULT = Vault(
    sealed.vault_id(b"c" * 32, "bank-a", "loans"),
    tuple(hashlib.sha256(bytes([number])).digest() for number in range(PLAN.keys)),
)
ATTRIBUTES = {(8, "price"): {"rate": "4.35", "cap": "4.90"}, (7, "price"): {"rate": "5.10"}, (7, "party"): {"id": "A"}}


@pytest.fixture(scope="module")
def batch():
    return seal_batch(VAULT, SOURCE, ATTRIBUTES, {READER: AUDIENCE_KEY, ("staff", 1): b"b" * 32})


def test_what_is_recorded_are_commitments_in_the_order_of_the_cells(batch):
    assert [line[:2] for line in batch.lines] == [(7, "party"), (7, "price"), (8, "price")]
    assert [(cell.sequence, cell.label) for cell in batch.sidecar.cells] == [line[:2] for line in batch.lines]
    assert [name for name, _ in batch.lines[2][2]] == ["cap", "rate"]
    raw = sealed.encode_sidecar(batch.sidecar)
    assert sealed.decode_sidecar(raw, sealed.name_of(batch.sidecar)) == batch.sidecar
    assert b"4.35" not in raw
    assert not [key for key in VAULT.keys if key in raw]


def test_a_batch_sealed_twice_has_nothing_in_common(batch):
    again = seal_batch(VAULT, SOURCE, ATTRIBUTES)
    assert {c.ciphertext for c in again.sidecar.cells}.isdisjoint(c.ciphertext for c in batch.sidecar.cells)
    assert set(again.lines).isdisjoint(batch.lines)


def test_an_audience_reads_what_was_sealed_for_it(batch):
    for cell, (sequence, label, named) in zip(batch.sidecar.cells, batch.lines, strict=True):
        key = key_for_audience(batch.sidecar, cell, SOURCE, READER, AUDIENCE_KEY)
        values = read_cell(batch.sidecar, cell, SOURCE, key, named)
        assert {name: value for name, _, value in values} == ATTRIBUTES[sequence, label]


def test_a_threshold_of_seats_reads_without_the_owner(batch):
    cell, line = batch.sidecar.cells[2], batch.lines[2]
    cell_id = sealed.cell_id(VAULT.id, batch.sidecar.seed, SOURCE, cell.sequence, cell.label)
    said = {
        seat: [custody.part(VAULT.keys[number], cell_id) for number in custody.keys_of(PLAN, seat)]
        for seat in (0, 2, 4)
    }
    found = custody.find_key(PLAN, VAULT.id, cell_id, cell.check, said)
    values = read_cell(batch.sidecar, cell, SOURCE, found.key, line[2])
    assert [(name, value) for name, _, value in values] == [("cap", "4.90"), ("rate", "4.35")]


def test_another_audience_version_key_source_or_cell_reads_nothing(batch):
    cell, sidecar = batch.sidecar.cells[0], batch.sidecar
    with pytest.raises(Malformed, match="not for version 3 of audience auditors"):
        key_for_audience(sidecar, cell, SOURCE, ("auditors", 3), AUDIENCE_KEY)
    with pytest.raises(Malformed, match="wrap: another audience"):
        key_for_audience(sidecar, cell, SOURCE, READER, bytes(32))
    with pytest.raises(Malformed, match="another key than the cell's"):
        key_for_audience(sidecar, cell, "bank-b/loans", READER, AUDIENCE_KEY)
    key = key_for_audience(sidecar, cell, SOURCE, READER, AUDIENCE_KEY)
    with pytest.raises(Malformed, match="does not open it"):
        read_cell(sidecar, sidecar.cells[1], SOURCE, key, batch.lines[1][2])


def test_a_value_that_is_not_the_one_committed_to_is_seen(batch):
    cell, sidecar = batch.sidecar.cells[0], batch.sidecar
    key = key_for_audience(sidecar, cell, SOURCE, READER, AUDIENCE_KEY)
    cell_id = sealed.cell_id(VAULT.id, sidecar.seed, SOURCE, cell.sequence, cell.label)
    (honest,) = read_cell(sidecar, cell, SOURCE, key, batch.lines[0][2])
    swapped = dataclasses.replace(cell, ciphertext=encrypt_cell(key, cell_id, [honest._replace(value="B")]))
    for false in (swapped, dataclasses.replace(cell, ciphertext=encrypt_cell(key, cell_id, []))):
        with pytest.raises(BadProof, match="not those that the item commits to"):
            read_cell(sidecar, false, SOURCE, key, batch.lines[0][2])
    with pytest.raises(BadProof):
        read_cell(sidecar, cell, SOURCE, key, [("id", bytes(32))])
