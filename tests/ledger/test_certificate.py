"""Certificates that prove something, and all that do not (rows C1 and C2)."""

from dataclasses import replace

import pytest

from coseal.ledger import codec
from coseal.ledger.certificate import ROUND_MAX, PbftCertificate, Phase, assemble, vote_preimage
from coseal.ledger.errors import BadCertificate, LedgerError, Malformed
from coseal.ledger.validators import ValidatorSet

CHAIN = b"\x11" * 32
BLOCK = b"\x22" * 32


@pytest.fixture
def certify(signer):
    def make(validators, indices, *, phase=Phase.COMMIT, height=5, round=2, block=BLOCK, chain=CHAIN, as_phase=None):
        preimage = vote_preimage(chain, validators.epoch, height, round, as_phase or phase, block)
        votes = {index: signer(index).sign(preimage) for index in indices}
        return assemble(phase, validators, height, round, block, votes)

    return make


def refused(certificate, validators, chain=CHAIN):
    with pytest.raises(BadCertificate) as caught:
        certificate.verify(chain, validators)
    return caught.value.reason


@pytest.mark.parametrize(("n", "q"), [(1, 1), (4, 3), (5, 4), (6, 5), (7, 5), (9, 7), (64, 43)])
def test_a_quorum_of_any_validators_is_accepted_and_one_less_is_not(certify, make_validators, n, q):
    validators = make_validators(n)
    for indices in (range(q), range(n - q, n), range(n)):
        certify(validators, indices).verify(CHAIN, validators)
    if q > 1:
        assert "quorum" in refused(certify(validators, range(q - 1)), validators)


def test_a_certificate_survives_its_encoding(certify, make_validators):
    for phase in (Phase.PREPARE, Phase.COMMIT):
        certificate = certify(make_validators(7), range(1, 7), phase=phase, round=ROUND_MAX)
        decoded = PbftCertificate.decode(certificate.encode())
        assert decoded == certificate
        assert decoded.hash == certificate.hash
        assert decoded.signers() == (1, 2, 3, 4, 5, 6)


def test_every_signature_is_verified_also_beyond_the_quorum(certify, make_validators):
    validators = make_validators(4)
    certificate = certify(validators, range(4))
    for position in range(4):
        signatures = list(certificate.signatures)
        signatures[position] = bytes(64)
        assert f"node-{position:02}" in refused(replace(certificate, signatures=tuple(signatures)), validators)


def test_an_empty_certificate_is_refused(certify, make_validators):
    validators = make_validators(4)
    assert "quorum" in refused(certify(validators, ()), validators)
    assert "bitmap" in refused(replace(certify(validators, range(3)), bitmap=b"", signatures=()), validators)


def test_a_set_padding_bit_is_refused(certify, make_validators):
    validators = make_validators(4)
    certificate = certify(validators, range(3))
    padded = replace(certificate, bitmap=bytes([0b0001_0111]), signatures=(*certificate.signatures, bytes(64)))
    assert "padding" in refused(padded, validators)


@pytest.mark.parametrize("bitmap", [b"", b"\x07\x00", b"\x07" * 8])
def test_a_bitmap_of_the_wrong_length_is_refused(certify, make_validators, bitmap):
    validators = make_validators(4)
    assert "bitmap" in refused(replace(certify(validators, range(3)), bitmap=bitmap), validators)


def test_a_signer_counts_once_however_often_its_signature_stands_there(certify, make_validators):
    validators = make_validators(4)
    one = certify(validators, (0,)).signatures[0]
    thrice = replace(certify(validators, range(3)), signatures=(one,) * 3)
    assert "node-01" in refused(thrice, validators)
    alone = replace(certify(validators, (0,)), signatures=(one,) * 3)
    assert "quorum" in refused(alone, validators)


def test_signatures_out_of_order_are_refused(certify, make_validators):
    validators = make_validators(4)
    certificate = certify(validators, range(3))
    assert "verify" in refused(replace(certificate, signatures=certificate.signatures[::-1]), validators)


def test_more_or_fewer_signatures_than_signers_are_refused(certify, make_validators):
    validators = make_validators(4)
    certificate = certify(validators, range(4))
    fewer = replace(certificate, signatures=certificate.signatures[:3])
    more = replace(certificate, signatures=(*certificate.signatures, certificate.signatures[0]))
    assert "signatures" in refused(fewer, validators)
    assert "signatures" in refused(more, validators)


def test_votes_of_another_epoch_chain_height_round_phase_or_block_are_refused(certify, make_validators):
    validators = make_validators(4)
    certificate = certify(validators, range(3))
    certificate.verify(CHAIN, validators)
    assert "epoch" in refused(certificate, ValidatorSet(1, validators.validators))
    assert "verify" in refused(replace(certificate, epoch=1), ValidatorSet(1, validators.validators))
    assert "verify" in refused(certificate, validators, chain=bytes(32))
    for change in ({"height": 6}, {"round": 1}, {"phase": Phase.PREPARE}, {"block_hash": CHAIN}):
        assert "verify" in refused(replace(certificate, **change), validators)


def test_prepares_are_no_commits(certify, make_validators):
    validators = make_validators(4)
    relabelled = certify(validators, range(3), phase=Phase.COMMIT, as_phase=Phase.PREPARE)
    assert "verify" in refused(relabelled, validators)


def test_signatures_of_other_keys_are_refused(certify, make_validators):
    validators = make_validators(4)
    stranger = ValidatorSet(0, (*validators.validators[:2], replace(validators[2], key=validators[3].key)))
    assert "verify" in refused(certify(validators, range(3)), ValidatorSet(0, (*stranger.validators, validators[3])))


VALID = [3, 0, 5, 2, BLOCK, b"\x07", [bytes(64)] * 3]


@pytest.mark.parametrize(
    ("position", "value"),
    [
        (0, 0),
        (0, 1),
        (0, 4),
        (0, True),
        (0, "3"),
        (1, -1),
        (1, True),
        (2, 0),
        (3, ROUND_MAX + 1),
        (3, -1),
        (4, BLOCK[:-1]),
        (4, BLOCK.hex()),
        (5, bytes(9)),
        (5, 7),
        (6, [bytes(63)] * 3),
        (6, [bytes(64)] * 65),
        (6, None),
    ],
)
def test_malformed_fields_are_refused_when_parsing(position, value):
    fields = list(VALID)
    PbftCertificate.decode(codec.encode(["certificate", 1, *fields]))
    fields[position] = value
    with pytest.raises(Malformed):
        PbftCertificate.decode(codec.encode(["certificate", 1, *fields]))


def test_no_changed_byte_leaves_a_certificate_that_verifies(certify, make_validators):
    validators = make_validators(4)
    raw = certify(validators, range(3)).encode()
    for offset in range(len(raw)):
        changed = bytearray(raw)
        changed[offset] ^= 0x01
        with pytest.raises(LedgerError):
            PbftCertificate.decode(bytes(changed)).verify(CHAIN, validators)


def test_a_cheaper_verifier_can_stand_in(certify, make_validators):
    validators = make_validators(4)
    asked = []
    certify(validators, range(3)).verify(CHAIN, validators, lambda *triple: asked.append(triple) or True)
    assert [key for key, _, _ in asked] == [validators[index].key for index in range(3)]
