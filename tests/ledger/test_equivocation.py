"""Equivocation: two signatures of one key, in one place, under two hashes; everything else proves nothing."""

from dataclasses import replace

import pytest

from coseal.ledger import signing
from coseal.ledger.certificate import Phase, vote_preimage
from coseal.ledger.comet import VoteKind
from coseal.ledger.equivocation import Equivocation, Signed, VoteRest
from coseal.ledger.errors import BadSignature, LedgerError, Malformed
from coseal.ledger.signing import Ed25519Signer
from tests.support.comet import voted_twice

SIGNER = Ed25519Signer(b"\x05" * 32)
CHAIN = b"\x01" * 32
ONE, OTHER = b"\x11" * 32, b"\x22" * 32
PLACE = {"epoch": 3, "height": 9, "round": 2, "phase": Phase.PREPARE}


def half(digest, chain_id=CHAIN, **changed):
    return Signed(digest, SIGNER.sign(vote_preimage(chain_id, *{**PLACE, **changed}.values(), digest)))


def proof(one, other):
    return Equivocation.of(*PLACE.values(), one, other)


@pytest.mark.parametrize("phase", Phase)
def test_two_signatures_in_one_place_prove_it_in_whatever_order_they_came(phase):
    halves = half(ONE, phase=phase), half(OTHER, phase=phase)
    place = (*{**PLACE, "phase": phase}.values(),)
    found = Equivocation.of(*place, *halves)
    assert found == Equivocation.of(*place, *reversed(halves))
    assert (found.first.hash, found.second.hash) == (ONE, OTHER)
    found.verify(CHAIN, SIGNER.public_key)


@pytest.mark.parametrize("halves", [(half(ONE), half(ONE)), (half(OTHER), half(ONE))])
def test_one_thing_said_twice_or_a_second_form_of_the_proof_is_refused(halves):
    with pytest.raises(Malformed):
        Equivocation(*PLACE.values(), *halves).verify(CHAIN, SIGNER.public_key)


OTHER_PLACES = {"epoch": 4, "height": 10, "round": 1, "phase": Phase.COMMIT, "chain_id": bytes(32)}


@pytest.mark.parametrize("field", OTHER_PLACES)
def test_c2_signatures_of_two_places_prove_nothing(field):
    elsewhere = half(OTHER, **{field: OTHER_PLACES[field]})
    for found in (proof(half(ONE), elsewhere), proof(elsewhere, half(ONE))):
        with pytest.raises(BadSignature):
            found.verify(CHAIN, SIGNER.public_key)


@pytest.mark.parametrize("field", PLACE)
def test_the_place_is_part_of_what_was_signed(field):
    moved = replace(proof(half(ONE), half(OTHER)), **{field: OTHER_PLACES[field]})
    with pytest.raises(BadSignature):
        moved.verify(CHAIN, SIGNER.public_key)


def test_signatures_of_another_key_or_in_another_role_prove_nothing():
    good = proof(half(ONE), half(OTHER))
    with pytest.raises(BadSignature):
        good.verify(CHAIN, Ed25519Signer(bytes(32)).public_key)
    for tag in (signing.TAG_TRANSACTION, signing.TAG_HTTP):
        role = Signed(OTHER, SIGNER.sign(signing.body_preimage(tag, CHAIN, OTHER)))
        with pytest.raises(BadSignature):
            proof(half(ONE), role).verify(CHAIN, SIGNER.public_key)


def test_every_byte_of_a_proof_counts():
    good = proof(half(ONE), half(OTHER))
    for name in ("first", "second"):
        for field in ("hash", "signature"):
            data = getattr(getattr(good, name), field)
            for offset in range(len(data)):
                changed = bytearray(data)
                changed[offset] ^= 0x10
                bad = replace(good, **{name: replace(getattr(good, name), **{field: bytes(changed)})})
                with pytest.raises(LedgerError):
                    bad.verify(CHAIN, SIGNER.public_key)


# Votes of CometBFT


@pytest.mark.parametrize("kind", VoteKind)
def test_two_votes_of_cometbft_in_one_place_prove_it_also_where_one_is_for_no_block(kind):
    found = Equivocation.of(3, 9, 2, kind, *reversed(voted_twice(CHAIN, SIGNER, 9, kind=kind, round=2)))
    found.verify(CHAIN, SIGNER.public_key)
    assert found.first.hash == bytes(32)
    (other,) = (one for one in VoteKind if one is not kind)
    for changed in ({"height": 10}, {"round": 1}, {"phase": other}):
        with pytest.raises(BadSignature):
            replace(found, **changed).verify(CHAIN, SIGNER.public_key)
    with pytest.raises(BadSignature):
        found.verify(bytes(32), SIGNER.public_key)


def test_every_field_of_a_vote_counts_and_a_vote_has_one_form():
    found = Equivocation.of(0, 9, 0, VoteKind.PREVOTE, *voted_twice(CHAIN, SIGNER, 9))
    rest = found.second.rest
    for name in ("parts_total", "seconds", "nanoseconds"):
        changed = replace(found.second, rest=replace(rest, **{name: getattr(rest, name) + 1}))
        with pytest.raises(BadSignature):
            replace(found, second=changed).verify(CHAIN, SIGNER.public_key)
    for half, other in (
        (found.first, replace(rest, seconds=1_700_000_000)),
        (found.second, VoteRest(0, bytes(32), -7, 5)),
    ):
        which = "first" if half is found.first else "second"
        with pytest.raises(Malformed, match="no parts"):
            replace(found, **{which: replace(half, rest=other)}).verify(CHAIN, SIGNER.public_key)


def test_a_vote_of_one_engine_is_none_of_the_other():
    votes = voted_twice(CHAIN, SIGNER, 9)
    with pytest.raises(Malformed, match="another phase"):
        Equivocation.of(0, 9, 0, Phase.PREPARE, *votes).verify(CHAIN, SIGNER.public_key)
    bare = [replace(one, rest=None) for one in votes]
    with pytest.raises(Malformed, match="missing"):
        Equivocation.of(0, 9, 0, VoteKind.PREVOTE, *bare).verify(CHAIN, SIGNER.public_key)
    with pytest.raises(BadSignature):
        Equivocation.of(0, 9, 0, Phase.PREPARE, *bare).verify(CHAIN, SIGNER.public_key)
