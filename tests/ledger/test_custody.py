"""Keys over seats: who can open, who cannot, which dealing and which release is false (rules B10 to B16)."""

import hashlib
from itertools import combinations, product

import pytest

from coseal.ledger import custody
from coseal.ledger.custody import Plan, Release
from coseal.ledger.errors import BadSignature, Malformed
from coseal.ledger.sealed import cell_id

EVERY = [Plan(n, t) for n, t in product(range(11), range(11)) if custody.fault_of(Plan(n, t)) is None]
SMALL = [plan for plan in EVERY if plan.seats <= 5]
VAULT, SEED = b"v" * 32, b"s" * 32
CELL = cell_id(VAULT, SEED, "bank-a/loans", 7, "price")


def keys_for(plan):
    return [hashlib.sha256(bytes([number])).digest() for number in range(plan.keys)]


def said_by(plan, seats):
    keys = keys_for(plan)
    return {seat: [custody.part(keys[number], CELL) for number in custody.keys_of(plan, seat)] for seat in seats}


def check_of(plan):
    return custody.key_check(custody.cell_key(VAULT, keys_for(plan), CELL), CELL)


def hmac_by_definition(key, text):
    """RFC 2104, for keys of at most 64 bytes."""
    inner, outer = (bytes(byte ^ pad for byte in key.ljust(64, b"\0")) for pad in (0x36, 0x5C))
    return hashlib.sha256(outer + hashlib.sha256(inner + text).digest()).digest()


def test_the_plans_are_those_of_the_bounds():
    assert [(plan.seats, plan.threshold) for plan in EVERY] == [
        *((3, 2), (4, 2), (5, 2), (5, 3), (6, 2), (6, 3), (7, 2), (7, 3), (7, 4)),
        *((8, 2), (8, 3), (9, 2), (9, 3)),
    ]
    assert {(plan.seats, plan.threshold): plan.keys for plan in EVERY}[7, 4] == 35
    assert custody.fault_of(Plan(8, 4)) == "56 keys, at most 36"
    assert custody.fault_of(Plan(6, 4)) == "a threshold of 4, expected 2 to 3 of 6 seats"
    assert custody.fault_of(Plan(5, 1)) == "a threshold of 1, expected 2 to 3 of 5 seats"
    assert custody.fault_of(Plan(10, 2)) == "10 seats, expected 3 to 9"


@pytest.mark.parametrize("plan", EVERY, ids=str)
def test_a_set_of_seats_has_all_keys_if_and_only_if_it_is_a_threshold_of_them(plan):
    held = [sum(1 << number for number in custody.keys_of(plan, seat)) for seat in range(plan.seats)]
    everything = (1 << plan.keys) - 1
    for subset in range(1 << plan.seats):
        union = 0
        for seat in range(plan.seats):
            union |= held[seat] * (subset >> seat & 1)
        assert (union == everything) == (subset.bit_count() >= plan.threshold)
    for number in range(plan.keys):  # and no t - 1 seats are alone in having a key, nor can they withhold it
        assert sum(mask >> number & 1 for mask in held) == plan.seats - plan.threshold + 1 >= plan.threshold


@pytest.mark.parametrize("plan", EVERY, ids=str)
def test_an_armed_vault_has_every_key_with_honest_seats_whoever_of_less_than_a_threshold_lied(plan):
    accepted = range(plan.arming)
    for liars in combinations(accepted, plan.threshold - 1):
        honest = [seat for seat in accepted if seat not in liars]
        assert set().union(*(custody.keys_of(plan, seat) for seat in honest)) == set(range(plan.keys))


@pytest.mark.parametrize("plan", SMALL, ids=str)
def test_every_subset_opens_the_cell_if_and_only_if_it_is_a_threshold(plan):
    key = custody.cell_key(VAULT, keys_for(plan), CELL)
    for size in range(plan.seats + 1):
        for seats in combinations(range(plan.seats), size):
            found = custody.find_key(plan, VAULT, CELL, check_of(plan), said_by(plan, seats))
            assert found == (custody.Found(key, ()) if size >= plan.threshold else None)


@pytest.mark.parametrize("plan", SMALL, ids=str)
def test_every_lone_liar_among_one_more_than_a_threshold_is_named(plan):
    key = custody.cell_key(VAULT, keys_for(plan), CELL)
    for seats in combinations(range(plan.seats), plan.threshold + 1):
        for liar in seats:
            for position in range(len(custody.keys_of(plan, liar))):
                said = said_by(plan, seats)
                said[liar][position] = bytes(32)
                found = custody.find_key(plan, VAULT, CELL, check_of(plan), said)
                assert found == custody.Found(key, (liar,))


def test_two_liars_who_agree_are_named_by_two_more_than_a_threshold():
    plan = Plan(5, 3)
    said = said_by(plan, range(5))
    shared = set(custody.keys_of(plan, 0)) & set(custody.keys_of(plan, 1))
    for liar in (0, 1):
        said[liar] = [
            bytes(32) if number in shared else part
            for number, part in zip(custody.keys_of(plan, liar), said[liar], strict=True)
        ]
    assert custody.find_key(plan, VAULT, CELL, check_of(plan), said).false == (0, 1)
    del said[4]
    assert custody.find_key(plan, VAULT, CELL, check_of(plan), said) is None


def test_a_cell_sealed_with_another_key_opens_for_nobody():
    plan = Plan(5, 3)
    other = custody.key_check(bytes(32), CELL)
    assert custody.find_key(plan, VAULT, CELL, other, said_by(plan, range(plan.arming))) is None


def test_keys_are_derived_as_the_definitions_say():
    assert hmac_by_definition(b"\x0b" * 20, b"Hi There").hex() == (  # RFC 4231, test case 1
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    )
    plan = Plan(4, 2)
    keys = keys_for(plan)
    joined = bytes(32)
    for key in keys:
        part = hmac_by_definition(key, b"coseal/cell-part/1".ljust(24, b"\0") + CELL)
        assert custody.part(key, CELL) == part
        joined = bytes(a ^ b for a, b in zip(joined, part, strict=True))
    expected = hmac_by_definition(joined, b"coseal/cell-key/1".ljust(24, b"\0") + VAULT + CELL)
    assert custody.cell_key(VAULT, keys, CELL) == expected
    assert custody.cell_key(VAULT, keys, cell_id(VAULT, SEED, "bank-a/loans", 8, "price")) != expected
    wrapping = hmac_by_definition(keys[0], b"coseal/audience/1".ljust(24, b"\0") + SEED)
    assert custody.wrapping_key(keys[0], SEED) == wrapping


def test_a_wrong_key_of_a_dealing_is_seen_before_it_is_accepted():
    plan = Plan(5, 3)
    keys = keys_for(plan)
    commitments = [custody.key_commitment(VAULT, number, key) for number, key in enumerate(keys)]
    mine = [keys[number] for number in custody.keys_of(plan, 2)]
    assert custody.dealt_wrongly(plan, VAULT, commitments, 2, mine) == []
    assert custody.dealt_wrongly(plan, b"w" * 32, commitments, 2, mine) == list(custody.keys_of(plan, 2))
    assert custody.dealt_wrongly(plan, VAULT, commitments, 2, [*mine[:-1], bytes(32)]) == [custody.keys_of(plan, 2)[-1]]
    assert custody.dealt_wrongly(plan, VAULT, commitments, 2, [mine[1], mine[0], *mine[2:]]) == list(
        custody.keys_of(plan, 2)[:2]
    )
    assert custody.dealt_wrongly(plan, VAULT, commitments, 2, mine[:-1]) == list(custody.keys_of(plan, 2))
    with pytest.raises(Malformed, match="expected 32 bytes"):
        custody.key_commitment(VAULT, 0, b"short")


def test_a_release_is_of_its_request_seat_chain_and_parts(signer):
    plan, chain = Plan(3, 2), b"c" * 32
    (parts,) = said_by(plan, [1]).values()
    release = Release(b"r" * 32, 1, ((CELL, tuple(parts)),)).signed(chain, signer(0))
    release.verify(chain, signer(0).public_key)
    assert custody.decode_release(release.encode(), plan) == release
    others = [
        (b"d" * 32, release),
        (chain, Release(b"q" * 32, 1, release.cells, release.signature)),
        (chain, Release(release.request, 2, release.cells, release.signature)),
        (chain, Release(release.request, 1, ((CELL, (bytes(32), parts[1])),), release.signature)),
    ]
    for other_chain, other in others:
        with pytest.raises(BadSignature):
            other.verify(other_chain, signer(0).public_key)
    with pytest.raises(BadSignature):
        release.verify(chain, signer(1).public_key)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"seat": 3}, "seat: expected an integer from 0 to 2"),
        ({"request": b"r"}, "request: expected 32 bytes, got 1"),
        ({"cells": ((CELL, (bytes(32),)),)}, "parts: 1, expected 2 of this seat"),
        ({"cells": ((CELL, (bytes(32), bytes(31))),)}, "part: expected 32 bytes, got 31"),
        ({"cells": ((b"", (bytes(32), bytes(32))),)}, "cell: expected 32 bytes, got 0"),
        ({"cells": ((CELL, (bytes(32), bytes(32))),) * 1_001}, "cells: expected a list of at most 1000 items"),
        ({"signature": b""}, "signature: expected 64 bytes, got 0"),
    ],
)
def test_a_release_of_another_form_is_refused(change, reason):
    whole = {"request": b"r" * 32, "seat": 1, "cells": ((CELL, (bytes(32), bytes(32))),), "signature": bytes(64)}
    assert custody.decode_release(Release(**whole).encode(), Plan(3, 2)) == Release(**whole)
    with pytest.raises(Malformed, match=reason):
        custody.decode_release(Release(**{**whole, **change}).encode(), Plan(3, 2))


def test_the_largest_release_fits_into_one_sidecar():
    plan = Plan(9, 3)
    most = max(len(custody.keys_of(plan, seat)) for plan in EVERY for seat in range(plan.seats))
    assert most == len(custody.keys_of(plan, 0)) == 28
    cells = tuple((number.to_bytes(32), (bytes(32),) * most) for number in range(custody.RELEASED_MAX))
    assert len(Release(b"r" * 32, 0, cells).encode()) + 2_048 < 1024 * 1024
