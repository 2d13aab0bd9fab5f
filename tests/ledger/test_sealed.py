"""Commitments, cells and sidecars: bound to their places, of one form, named by their content (rules B1 to B9)."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coseal.ledger import codec, merkle, sealed
from coseal.ledger.errors import Malformed
from coseal.ledger.sealed import Cell, Cells, Envelope, Envelopes, Purpose

CHAIN = b"c" * 32
VAULT = sealed.vault_id(CHAIN, "bank-a", "loans")
CELL = Cell(7, "price", b"k" * 32, bytes(80), (bytes(40),))
CELLS = Cells(
    VAULT, b"s" * 32, (("auditors", 2),), (CELL, dataclasses.replace(CELL, sequence=8, ciphertext=bytes(144)))
)
ENVELOPES = Envelopes(VAULT, (Envelope("bank-a", 1, bytes(1_136)), Envelope("court", 3, bytes(1_200))))


def test_a_commitment_is_of_one_value_in_one_place_under_one_salt():
    place = (b"1" * 32, "bank-a/loans", 7, "rate", "4.35")
    others = [(b"2" * 32, "bank-b/loans", 8, "cap", "4.36")[index] for index in range(5)]
    found = {sealed.commitment(*place)}
    for index, other in enumerate(others):
        found.add(sealed.commitment(*place[:index], other, *place[index + 1 :]))
    assert len(found) == 6
    with pytest.raises(Malformed, match="salt: expected 32 bytes, got 0"):
        sealed.commitment(b"", *place[1:])


def test_a_cell_is_of_one_vault_sidecar_source_item_and_label():
    place = (VAULT, b"s" * 32, "bank-a/loans", 7, "price")
    others = (b"w" * 32, b"t" * 32, "bank-b/loans", 8, "party")
    found = {sealed.cell_id(*place[:index], others[index], *place[index + 1 :]) for index in range(5)}
    assert len({*found, sealed.cell_id(*place)}) == 6


def test_an_envelope_is_bound_to_chain_purpose_subject_and_receiver():
    place = (CHAIN, Purpose.DEALING, VAULT, "court", "custody", 1)
    others = (b"d" * 32, Purpose.RELEASE, b"w" * 32, "court-b", "reader", 2)
    found = {sealed.envelope_info(*place[:index], others[index], *place[index + 1 :]) for index in range(6)}
    assert len({*found, sealed.envelope_info(*place)}) == 7
    assert {len(info) for info in found} == {24 + 32 + 1 + 32 + 32}


def test_what_stands_for_a_vault_a_request_and_an_audience_is_of_one_of_them():
    ids = [
        VAULT,
        sealed.vault_id(b"d" * 32, "bank-a", "loans"),
        sealed.vault_id(CHAIN, "bank-b", "loans"),
        sealed.vault_id(CHAIN, "bank-a", "deposits"),
        sealed.request_id(CHAIN, 7),
        sealed.request_id(CHAIN, 8),
        sealed.request_id(b"d" * 32, 7),
        sealed.audience_id(VAULT, "auditors", 1),
        sealed.audience_id(VAULT, "auditors", 2),
        sealed.audience_id(VAULT, "staff", 1),
    ]
    assert len(set(ids)) == len(ids)


def test_the_root_over_the_items_proves_one_line():
    lines = [(7, "party", (("name", b"1" * 32),)), (7, "price", (("cap", b"2" * 32), ("rate", b"3" * 32)))]
    leaves = [codec.encode([sequence, label, [list(pair) for pair in named]]) for sequence, label, named in lines]
    merkle.verify(leaves[1], 1, 2, merkle.prove(leaves, 1), sealed.items_root(lines))


@given(st.binary(max_size=300), st.sampled_from([0, 64, 128, 256, 1024]))
def test_what_is_padded_comes_back_and_shows_only_a_power_of_two(plaintext, size):
    padded = sealed.pad(plaintext, size)
    assert sealed.unpad(padded) == plaintext
    assert len(padded).bit_count() == 1
    assert max(size, len(plaintext) + 1, 64) <= len(padded) < 2 * max(size, len(plaintext) + 1, 64)


@pytest.mark.parametrize("padded", [b"", bytes(64), b"\x80" + bytes(62), b"x\x80" + bytes(94), b"x" * 64])
def test_what_was_not_padded_is_refused(padded):
    with pytest.raises(Malformed, match="not padded by rule B5"):
        sealed.unpad(padded)


@pytest.mark.parametrize(
    "sidecar",
    [CELLS, ENVELOPES, dataclasses.replace(CELLS, audiences=(), cells=(Cell(1, "x", b"k" * 32, bytes(80)),))],
    ids=["cells", "envelopes", "no audience"],
)
def test_a_sidecar_is_read_back_and_one_line_is_proven_without_the_rest(sidecar):
    raw, lines = sealed.encode_sidecar(sidecar), sidecar.lines()
    name = sealed.name_of(sidecar)
    assert sealed.decode_sidecar(raw) == sealed.decode_sidecar(raw, name) == sidecar
    merkle.verify(lines[1], 1, len(lines), merkle.prove(lines, 1), name)
    with pytest.raises(Malformed, match="another name"):
        sealed.decode_sidecar(raw, bytes(32))


def changed(**fields):
    return dataclasses.replace(CELLS, cells=(dataclasses.replace(CELL, **fields),))


@pytest.mark.parametrize(
    ("sidecar", "reason"),
    [
        (dataclasses.replace(CELLS, cells=()), "expected a head and at least one line"),
        (dataclasses.replace(CELLS, cells=(CELLS.cells[1], CELL)), "cells: expected each once, ascending"),
        (dataclasses.replace(CELLS, cells=(CELL, CELL)), "cells: expected each once, ascending"),
        (dataclasses.replace(CELLS, vault=b"v"), "vault: expected 32 bytes, got 1"),
        (dataclasses.replace(CELLS, seed=b""), "seed: expected 32 bytes, got 0"),
        (dataclasses.replace(CELLS, audiences=()), "wraps: 1, expected one for each of 0 audiences"),
        (dataclasses.replace(CELLS, audiences=(("auditors", 0),)), "version: expected an integer from 1"),
        (
            Cells(VAULT, b"s" * 32, (("a", 1), ("a", 2)), (Cell(1, "x", b"k" * 32, bytes(80), (bytes(40),) * 2),)),
            "audiences: expected each once, ascending",
        ),
        (changed(sequence=0), "sequence: expected an integer from 1"),
        (changed(label=""), "label: expected a text of 1 to 64 characters"),
        (changed(check=b""), "check: expected 32 bytes, got 0"),
        (changed(ciphertext=bytes(79)), "ciphertext: 79 bytes"),
        (changed(ciphertext=bytes(64)), "ciphertext: 64 bytes"),
        (changed(ciphertext=b""), "ciphertext: 0 bytes"),
        (changed(wraps=(bytes(41),)), "wrap: expected 40 bytes, got 41"),
        (changed(wraps=()), "wraps: 0, expected one for each of 1 audiences"),
        (dataclasses.replace(ENVELOPES, about=b""), "about: expected 32 bytes, got 0"),
        (
            dataclasses.replace(ENVELOPES, envelopes=ENVELOPES.envelopes[::-1]),
            "envelopes: expected each once, ascending",
        ),
        (Envelopes(VAULT, (Envelope("a", 1, bytes(1_135)),)), "envelope: 1135 bytes, fewer than an empty one has"),
        (Envelopes(VAULT, (Envelope("", 1, bytes(1_136)),)), "member: expected a text"),
        (Envelopes(VAULT, (Envelope("a", -1, bytes(1_136)),)), "version: expected an integer from 0"),
    ],
)
def test_a_sidecar_of_another_form_is_refused(sidecar, reason):
    with pytest.raises(Malformed, match=reason):
        sealed.decode_sidecar(sealed.encode_sidecar(sidecar))


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([[], b"x"], "line: expected bytes"),
        ([codec.encode(["blobs", 1, VAULT]), b"\x90"], "sidecar: neither cells nor envelopes"),
        ([b"\x07", b"\x90"], "sidecar: neither cells nor envelopes"),
        ([codec.encode(["cells", 2, VAULT, VAULT, []]), b"\x90"], "unknown version of cells"),
        ([codec.encode(["cells", 1, VAULT, VAULT, []]), b"\x90"], "cell: 0 fields, expected 5"),
        ([codec.encode(["envelopes", 1, VAULT]), codec.encode([1, 2, 3, 4])], "envelope: expected a list of at most 3"),
        ([b"", b""], "not MessagePack"),
        (7, "sidecar: expected a list"),
    ],
)
def test_bytes_that_are_no_sidecar_are_refused(lines, reason):
    with pytest.raises(Malformed, match=reason):
        sealed.decode_sidecar(codec.encode(lines))


def test_a_sidecar_has_a_size_and_a_number_of_lines_at_most():
    largest = (1 << 19) + 16
    cells = tuple(Cell(number, "x", b"k" * 32, bytes(80)) for number in range(1, sealed.LINES_MAX + 1))
    many = Cells(VAULT, b"s" * 32, (), cells)
    assert sealed.decode_sidecar(sealed.encode_sidecar(many)) == many
    more = dataclasses.replace(many, cells=(*cells, Cell(5_000, "x", b"k" * 32, bytes(80))))
    with pytest.raises(Malformed, match="sidecar: expected a list of at most 4097 items"):
        sealed.decode_sidecar(sealed.encode_sidecar(more))
    two = dataclasses.replace(many, cells=tuple(Cell(n, "x", b"k" * 32, bytes(largest)) for n in (1, 2)))
    with pytest.raises(Malformed, match="sidecar of 1048786 bytes, at most 1048576"):
        sealed.decode_sidecar(sealed.encode_sidecar(two))


def test_changing_any_byte_of_a_sidecar_changes_its_name_or_is_refused():
    raw, name = sealed.encode_sidecar(CELLS), sealed.name_of(CELLS)
    for place in range(0, len(raw), 7):
        other = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        with pytest.raises(Malformed):
            sealed.decode_sidecar(other, name)
