"""JSON renderings, and reading them back without believing what stands beside ``raw``."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.ledger import render
from coseal.ledger.errors import Malformed
from coseal.ledger.signing import Ed25519Signer
from coseal.ledger.strict_json import strict_json
from coseal.ledger.transaction import MAX_TRANSACTION_BYTES, Transaction, sign


def transaction(**args):
    return sign(
        Ed25519Signer(bytes(32)),
        chain_id=b"\x01" * 32,
        sender="bank-a/admin",
        contract="policy",
        action="publish",
        args=args,
        valid_until_ms=1_700_000_000_123,
        salt=bytes(range(16)),
    )


@given(st.integers(0, 253_402_300_799_999))
@settings(max_examples=200, deadline=None)
def test_a_time_is_written_as_datetime_writes_it(time_ms):
    expected = datetime.fromtimestamp(time_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    assert render.time_text(time_ms) == f"{expected.zfill(19)}.{time_ms % 1000:03}Z"


@pytest.mark.parametrize(
    ("time_ms", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
        (253_402_300_800_000, "10000-01-01T00:00:00.000Z"),
        (2**63 - 1, "292278994-08-17T07:12:55.807Z"),
    ],
)
def test_known_times(time_ms, text):
    assert render.time_text(time_ms) == text


def test_bytes_are_hexadecimal_wherever_they_stand():
    assert render.plain({"a": [b"\xab", 1, None, "x"], "b": {"c": b""}}) == {
        "a": ["ab", 1, None, "x"],
        "b": {"c": ""},
    }


def test_a_transaction_is_read_back_from_any_sufficient_part_of_its_rendering():
    tx = transaction(title="通知", number=2**64 - 1, flag=True)
    full = strict_json(json.dumps(render.transaction_json(tx)))
    signed = {name: full[name] for name in full if name not in ("id", "raw", "valid_until")}
    for form in (full, {"raw": full["raw"]}, signed, {**signed, "id": full["id"]}):
        assert render.transaction_raw_from_json(form) == tx.raw


def test_a_transaction_with_bytes_in_its_arguments_travels_as_raw():
    tx = transaction(data=b"\x01")
    full = render.transaction_json(tx)
    assert render.transaction_raw_from_json(full) == tx.raw
    signed = {name: full[name] for name in full if name not in ("id", "raw", "valid_until")}
    other = Transaction.decode(render.transaction_raw_from_json(signed))
    assert other.id != tx.id  # it says text where the signer said bytes, so the signature will not verify


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"raw": "%"}, "raw"),
        ({"raw": None}, "raw"),
        ({"raw": ""}, "MessagePack"),
        ({"sender": "bank-b/admin"}, "sender"),
        ({"id": "00" * 32}, "id"),
        ({"valid_until_ms": 1}, "valid_until_ms"),
        ({"args": {"n": True}}, "args"),
        ({"remark": "x"}, "remark"),
    ],
)
def test_a_transaction_that_shows_other_than_its_raw_form_is_refused(change, named):
    full = {**render.transaction_json(transaction(n=1)), **change}
    with pytest.raises(Malformed, match=named):
        render.transaction_raw_from_json(full)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"sender": ...}, "sender"),
        ({"signature": ...}, "signature"),
        ({"chain_id": "XX"}, "chain_id"),
        ({"chain_id": "AB" * 32}, "chain_id"),
        ({"chain_id": "0" * 130}, "chain_id"),
        ({"salt": 5}, "salt"),
        ({"salt": "00" * 15}, "salt"),
        ({"signature": "00"}, "signature"),
        ({"args": []}, "args"),
        ({"args": {"x": 1.5}}, "float"),
        ({"args": {"x": "\ud800"}}, "surrogates"),
        ({"valid_until_ms": 2**70}, "valid_until_ms"),
        ({"valid_until_ms": "1"}, "valid_until_ms"),
        ({"contract": ""}, "contract"),
        ({"contract": 5}, "contract: expected a text"),
        ({"action": True}, "action: expected a text"),
        ({"sender": None}, "sender: expected a text"),
        ({"args": {"x": "a" * MAX_TRANSACTION_BYTES}}, "at most"),
        ({"unknown": 1}, "unknown"),
        ({"id": "00" * 32}, "id"),
    ],
)
def test_a_transaction_in_fields_is_refused_with_the_field_named(change, named):
    full = render.transaction_json(transaction(n=1))
    fields = {name: full[name] for name in full if name not in ("id", "raw", "valid_until")}
    for name, value in change.items():
        if value is ...:
            del fields[name]
        else:
            fields[name] = value
    with pytest.raises(Malformed, match=named):
        render.transaction_raw_from_json(fields)


@pytest.mark.parametrize("value", [None, [], "raw", 5])
def test_what_is_no_object_is_refused(value):
    for read in (
        render.transaction_raw_from_json,
        render.proof_from_json,
        render.state_proof_from_json,
        render.certified_header_from_json,
    ):
        with pytest.raises(Malformed):
            read(value)


def test_true_does_not_pass_for_one():
    assert not render._same({"a": [1]}, {"a": [True]})
    assert render._same({"a": [1, None]}, {"a": [1, None]})
    assert not render._same([1], [1, 2])
    assert not render._same({"a": 1}, {"b": 1})
