"""Following headers, and every way in which one can be no lawful successor (rows C7 and S3)."""

from dataclasses import replace

import pytest

from coseal.audit.light import (
    BadHeader,
    OtherChain,
    UnknownValidators,
    check_certificate,
    check_last_commit,
    follow,
    genesis_anchor,
    resume,
    signed_both,
)
from coseal.ledger.certificate import Phase
from coseal.ledger.errors import BadCertificate, LedgerError
from coseal.ledger.signing import ZERO_HASH
from coseal.ledger.validators import ValidatorSet


def anchor_at(chain, height):
    anchor = genesis_anchor(chain.genesis)
    for committed in chain.blocks[:height]:
        anchor = follow(anchor, committed.block.header)
    return anchor


def test_a_chain_is_followed_from_genesis_to_its_tip(chain):
    anchor = anchor_at(chain, 12)
    assert anchor.height == 12
    assert anchor.hash == chain.blocks[-1].block.hash
    for committed in chain.blocks:
        anchor = anchor_at(chain, committed.block.header.height)
        check_certificate(anchor, committed.block.header, committed.certificate)
        parent = anchor_at(chain, committed.block.header.height - 1)
        check_last_commit(parent, committed.block.header, committed.block.last_commit)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"chain_id": ZERO_HASH}, OtherChain),
        ({"height": 7}, BadHeader),
        ({"height": 5}, BadHeader),
        ({"parent_hash": ZERO_HASH}, BadHeader),
        ({"epoch": 1}, BadHeader),
        ({"validators_hash": ZERO_HASH}, BadHeader),
        ({"next_validators_hash": ZERO_HASH}, UnknownValidators),
        ({"proposer": "somebody"}, BadHeader),
        ({"created_round": 1}, BadHeader),
        ({"time_ms": 0}, BadHeader),
        ({"last_commit_hash": ZERO_HASH}, BadHeader),
    ],
)
def test_a_header_with_one_wrong_field_is_not_followed(chain, change, error):
    anchor, header = anchor_at(chain, 5), chain.blocks[5].block.header
    assert follow(anchor, header).height == 6
    with pytest.raises(error):
        follow(anchor, replace(header, **change))


def test_a_height_is_never_skipped_even_where_the_leader_is_the_same(chain):
    anchor, header = anchor_at(chain, 6), chain.blocks[6].block.header
    assert follow(anchor, header).height == 7
    with pytest.raises(BadHeader, match="height 8 follows height 6"):
        follow(anchor, replace(header, height=8))


def test_time_must_be_strictly_later_than_the_parents(chain):
    anchor, header = anchor_at(chain, 5), chain.blocks[5].block.header
    assert follow(anchor, replace(header, time_ms=anchor.time_ms + 1)).height == 6
    with pytest.raises(BadHeader):
        follow(anchor, replace(header, time_ms=anchor.time_ms))


def test_the_first_block_has_the_chain_id_as_parent_and_no_certificate_of_one(chain):
    header = chain.blocks[0].block.header
    assert follow(genesis_anchor(chain.genesis), header).height == 1
    with pytest.raises(BadHeader):
        follow(genesis_anchor(chain.genesis), replace(header, last_commit_hash=b"\1" * 32))


def test_the_proposer_of_a_later_round_is_the_leader_of_that_round(chain):
    anchor, header = anchor_at(chain, 5), chain.blocks[5].block.header
    validators = anchor.next_validators
    following = validators[(validators.index(header.proposer) + 1) % 4].id
    assert follow(anchor, replace(header, created_round=1, proposer=following)).proposer == following


@pytest.mark.parametrize("field", ["tx_root", "receipts_root", "state_root", "tx_count", "time_ms", "created_round"])
def test_a_certificate_covers_every_header_field(chain, field):
    anchor, committed = anchor_at(chain, 6), chain.blocks[5]
    header = committed.block.header
    value = getattr(header, field)
    changed = replace(header, **{field: value + 1 if isinstance(value, int) else ZERO_HASH})
    with pytest.raises(BadCertificate):
        check_certificate(anchor, changed, committed.certificate)


def test_the_parents_certificate_must_be_the_headers_and_of_the_parent(chain):
    parent, block = anchor_at(chain, 5), chain.blocks[5].block
    check_last_commit(parent, block.header, block.last_commit)
    with pytest.raises(BadHeader, match="missing"):
        check_last_commit(parent, block.header, None)
    with pytest.raises(BadHeader, match="not the one of the header"):
        check_last_commit(parent, block.header, chain.blocks[3].certificate)
    older = chain.blocks[3].certificate
    with pytest.raises(BadHeader, match="height below"):
        check_last_commit(parent, replace(block.header, last_commit_hash=older.hash), older)
    prepared = replace(block.last_commit, phase=Phase.PREPARE)
    with pytest.raises(BadCertificate, match="not a certificate of COMMIT votes"):
        check_last_commit(parent, replace(block.header, last_commit_hash=prepared.hash), prepared)
    other = replace(block.last_commit, block_hash=ZERO_HASH)
    with pytest.raises(BadCertificate, match="another block"):
        check_last_commit(parent, replace(block.header, last_commit_hash=other.hash), other)
    unsigned = replace(block.last_commit, signatures=(bytes(64),) * 3)
    with pytest.raises(BadCertificate):
        check_last_commit(parent, replace(block.header, last_commit_hash=unsigned.hash), unsigned)


def test_a_change_of_validators_is_followed_only_to_the_set_the_header_names(chain):
    anchor, header = anchor_at(chain, 5), chain.blocks[5].block.header
    seats = anchor.next_validators.validators
    other = ValidatorSet(1, (replace(seats[0], member="another"), *seats[1:]))
    changed = replace(header, next_validators_hash=other.hash)
    following = follow(anchor, changed, lambda wanted, epoch: other)
    assert following.next_validators is other
    assert following.validators == anchor.next_validators
    for wrong in (ValidatorSet(1, seats), ValidatorSet(2, other.validators), None):
        with pytest.raises(UnknownValidators):
            follow(anchor, changed, lambda wanted, epoch, wrong=wrong: wrong)


def test_resuming_needs_the_validators_the_header_names(chain):
    header, genesis = chain.blocks[5].block.header, chain.genesis
    assert resume(genesis, header, genesis.validators) == anchor_at(chain, 6)
    with pytest.raises(OtherChain):
        resume(genesis, replace(header, chain_id=ZERO_HASH), genesis.validators)
    for change in ({"epoch": 1}, {"validators_hash": ZERO_HASH}):
        with pytest.raises(BadHeader):
            resume(genesis, replace(header, **change), genesis.validators)
    with pytest.raises(UnknownValidators):
        resume(genesis, replace(header, next_validators_hash=ZERO_HASH), genesis.validators)


def test_those_who_signed_two_certificates_are_named_as_members(chain):
    header, validators = chain.blocks[0].block.header, chain.genesis.validators
    left, right = chain.certify(header, (0, 1, 2)), chain.certify(header, (1, 2, 3))
    assert signed_both(left, right, validators) == ("central-bank", "enterprise-a")


def test_all_refusals_are_errors_of_bytes_from_outside():
    assert all(issubclass(error, LedgerError) for error in (BadHeader, OtherChain, UnknownValidators))
