from dataclasses import replace

import pytest
from consensus_harness import CHAIN_ID, Bench, toy_verify, validator_set

from coseal.consensus.messages import (
    RoundChange,
    decode_message,
    encode_message,
    preimage,
    subject,
    to_value,
    verify_message,
)
from coseal.ledger import codec
from coseal.ledger.certificate import ROUND_MAX, Phase
from coseal.ledger.errors import BadSignature, Malformed

BENCH = Bench(me="dia")
BLOCK = BENCH.block(transactions=[b"one"])
PREPARED = BENCH.certificate(Phase.PREPARE, BLOCK)
CHANGE = BENCH.change(0, 1, PREPARED)
MESSAGES = [
    BENCH.prepare(0, BLOCK),
    BENCH.commit(0, BLOCK),
    CHANGE,
    BENCH.change(1, ROUND_MAX),
    BENCH.proposal(BLOCK),
    BENCH.proposal(BLOCK, round=1, justification=[CHANGE, BENCH.change(1, 1)]),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_survives_its_bytes_and_its_sender_is_known(message):
    assert decode_message(encode_message(message)) == message
    verify_message(CHAIN_ID, BENCH.validators, message, toy_verify)
    assert len(preimage(CHAIN_ID, message)) == 24 + 32 + 8 + 8 + 4 + 1 + 32


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_truncated_bytes_and_trailing_bytes_are_refused(message):
    raw = encode_message(message)
    for false in (raw[:-1], raw + b"\0", raw[1:], b""):
        with pytest.raises(Malformed):
            decode_message(false)


@pytest.mark.parametrize(
    ("position", "value"),
    [
        (1, 2),
        (2, -1),
        (2, True),
        (3, 0),
        (3, 2**63),
        (4, ROUND_MAX + 1),
        (5, 64),
        (6, b"short"),
        (7, bytes(63)),
        (0, "vote"),
    ],
)
def test_a_field_out_of_bounds_is_refused(position, value):
    fields = to_value(BENCH.prepare(0, BLOCK))
    fields[position] = value
    with pytest.raises(Malformed):
        decode_message(codec.encode(fields))


def test_a_justification_holds_round_changes_only_and_no_more_than_validators():
    proposal = to_value(BENCH.proposal(BLOCK, round=1, justification=[CHANGE]))
    for false in ([to_value(BENCH.prepare(0, BLOCK))], [to_value(CHANGE)] * 65):
        with pytest.raises(Malformed):
            decode_message(codec.encode([*proposal[:7], false, proposal[8]]))


def test_what_is_no_message_is_refused():
    for false in (None, 1, [], ["nothing", 1], {"a": 1}):
        with pytest.raises(Malformed):
            decode_message(codec.encode(false))


def test_a_round_change_signs_its_certificate_and_zero_for_none():
    assert subject(CHANGE) == (Phase.ROUND_CHANGE, PREPARED.hash)
    assert subject(BENCH.change(0, 1)) == (Phase.ROUND_CHANGE, bytes(32))


def test_a_sender_that_is_nobody_and_another_epoch_are_refused():
    for false in (replace(MESSAGES[0], sender=4), replace(MESSAGES[0], epoch=1), replace(MESSAGES[0], sender=1)):
        with pytest.raises(BadSignature):
            verify_message(CHAIN_ID, BENCH.validators, false, toy_verify)
    with pytest.raises(BadSignature):
        verify_message(CHAIN_ID, validator_set(5, epoch=1), MESSAGES[0], toy_verify)
    assert isinstance(CHANGE, RoundChange)
