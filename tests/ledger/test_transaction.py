"""Transactions: one body, one id, one wire form."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.ledger import codec, signing, transaction
from coseal.ledger.certificate import Phase, vote_preimage
from coseal.ledger.errors import BadSignature, LedgerError, Malformed
from coseal.ledger.signing import Ed25519Signer
from coseal.ledger.transaction import (
    MAX_TRANSACTION_BYTES,
    Transaction,
    body_of,
    join,
    named_sender,
    node_of,
    node_sender,
    sign,
)

SIGNER = Ed25519Signer(b"\x05" * 32)
CHAIN = b"\x01" * 32
FIELDS = {
    "chain_id": CHAIN,
    "sender": "bank-a/admin",
    "contract": "policy",
    "action": "publish",
    "args": {"title": "通知", "year": 2020, "list": [1, None, True]},
    "valid_until_ms": 1_700_000_000_000,
    "salt": bytes(range(16)),
}


def signed(**changed):
    return sign(SIGNER, **{**FIELDS, **changed})


def raw_with(**changed):
    """A wire form made without the checks of ``sign``."""
    values = {**FIELDS, "public_key": SIGNER.public_key, **changed}
    order = ("chain_id", "sender", "public_key", "contract", "action", "args", "valid_until_ms", "salt")
    return join(codec.encode(["transaction", 1, *(values[name] for name in order)]), bytes(64))


def test_a_signed_transaction_is_parsed_and_verifies():
    tx = signed()
    assert Transaction.decode(tx.raw) == tx
    assert {name: getattr(tx, name) for name in FIELDS} == FIELDS
    assert (tx.public_key, tx.member) == (SIGNER.public_key, "bank-a")
    tx.verify_signature()


def test_what_was_decoded_once_is_parsed_alike_without_looking_again():
    for tx in (signed(), signed(sender=node_sender("bank-a-1"), args={})):
        assert Transaction.decode_own(tx.raw) == Transaction.decode(tx.raw)


def test_a_node_signs_as_itself_and_acts_in_no_members_name():
    tx = signed(sender=node_sender("bank-a-1"))
    assert (tx.sender, tx.member, node_of(tx.sender)) == ("node:bank-a-1", "", "bank-a-1")
    assert node_of(signed().sender) is None
    tx.verify_signature()


def test_a_nodes_transaction_is_signed_under_a_tag_no_vote_has():
    tx = signed(sender=node_sender("bank-a-1"))
    assert all(not vote_preimage(CHAIN, 0, 1, 0, phase, bytes(32)).startswith(tx.preimage[:24]) for phase in Phase)
    body, _ = codec.decode_record(tx.raw, "signed", 1, 2)
    for phase in Phase:
        vote = SIGNER.sign(vote_preimage(CHAIN, 0, 1, 0, phase, bytes(32)))
        with pytest.raises(BadSignature):
            Transaction.decode(join(body, vote)).verify_signature()


def test_the_id_covers_the_body_and_not_the_signature():
    tx = signed()
    body, _ = codec.decode_record(tx.raw, "signed", 1, 2)
    resigned = Transaction.decode(join(body, bytes(64)))
    assert resigned.id == tx.id == signing.digest(signing.TAG_TRANSACTION_ID, body)
    with pytest.raises(BadSignature, match=tx.id.hex()):
        resigned.verify_signature()


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_changes_the_id(field):
    other = {
        "chain_id": bytes(32),
        "sender": "bank-b/admin",
        "contract": "process",
        "action": "amend",
        "args": {},
        "valid_until_ms": 1,
        "salt": bytes(16),
    }
    assert signed(**{field: other[field]}).id != signed().id


def test_no_changed_byte_leaves_a_transaction_that_verifies():
    raw = signed().raw
    for offset in range(len(raw)):
        changed = bytearray(raw)
        changed[offset] ^= 0x04
        with pytest.raises(LedgerError):
            Transaction.decode(bytes(changed)).verify_signature()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("chain_id", bytes(31)),
        ("chain_id", "00" * 32),
        ("sender", "bank-a"),
        ("sender", "/admin"),
        ("sender", "bank-a/"),
        ("sender", "bank-a/admin/x"),
        ("sender", ""),
        ("sender", "a/" + "b" * 128),
        ("sender", "node:"),
        ("sender", "node:a/b"),
        ("sender", "node:" + "b" * 125),
        ("public_key", bytes(33)),
        ("contract", ""),
        ("contract", "c" * 65),
        ("contract", b"policy"),
        ("action", None),
        ("action", "a" * 65),
        ("args", []),
        ("args", None),
        ("valid_until_ms", -1),
        ("valid_until_ms", True),
        ("valid_until_ms", 2**63),
        ("salt", bytes(15)),
        ("salt", bytes(17)),
    ],
)
def test_malformed_fields_are_refused(field, value):
    Transaction.decode(raw_with())
    with pytest.raises(Malformed):
        Transaction.decode(raw_with(**{field: value}))


def test_the_size_is_bounded_at_the_limit():
    base = len(signed(args={"x": "a" * 70_000}).raw) - 70_000
    largest = signed(args={"x": "a" * (MAX_TRANSACTION_BYTES - base)})
    assert len(largest.raw) == MAX_TRANSACTION_BYTES
    with pytest.raises(Malformed, match="at most"):
        signed(args={"x": "a" * (MAX_TRANSACTION_BYTES - base + 1)})


def test_the_wire_form_holds_a_body_and_a_signature_of_the_right_form():
    body = body_of(public_key=SIGNER.public_key, **FIELDS)
    for wrong in (join(body, bytes(63)), join(body + b"\x00", bytes(64)), join(b"", bytes(64)), body, b""):
        with pytest.raises(Malformed):
            Transaction.decode(wrong)


def test_a_signature_for_another_chain_or_purpose_does_not_verify():
    tx = signed()
    body, signature = codec.decode_record(tx.raw, "signed", 1, 2)
    moved = codec.encode(["transaction", 1, bytes(32), *codec.decode_record(body, "transaction", 1, 8)[1:]])
    with pytest.raises(BadSignature):
        Transaction.decode(join(moved, signature)).verify_signature()
    http = SIGNER.sign(signing.body_preimage(signing.TAG_HTTP, CHAIN, body))
    with pytest.raises(BadSignature):
        Transaction.decode(join(body, http)).verify_signature()
    with pytest.raises(BadSignature):
        replace(tx, public_key=Ed25519Signer(bytes(32)).public_key).verify_signature()


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_parsed_or_refused_with_a_typed_error(data):
    with pytest.raises(Malformed):
        Transaction.decode(data)


def test_raw_bytes_are_kept_not_encoded_again():
    raw = bytes(bytearray(signed().raw))
    assert Transaction.decode(raw).raw is raw
    assert transaction.SALT_BYTES == 16


@pytest.mark.parametrize("sender", ["a/b", "bank-a/admin", "a" * 31 + "/", f"{'m' * 64}/{'u' * 64}", "node:n1"])
@pytest.mark.parametrize("padding", [0, 300, 70_000])
def test_who_bytes_say_they_are_from_is_read_without_decoding_them(sender, padding):
    body = body_of(
        chain_id=bytes(32),
        sender=sender,
        public_key=bytes(32),
        contract="c",
        action="a",
        args={"x": "y" * padding},
        valid_until_ms=1,
        salt=bytes(16),
    )
    raw = join(body, bytes(64))
    assert named_sender(raw) == sender.encode()
    assert named_sender(codec.encode([raw])) == sender.encode()
    assert named_sender(codec.encode([raw] * 1_000)) == sender.encode()


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_bytes_name_a_sender_or_none(data):
    head = transaction._BODY_HEAD
    for raw in (data, head + data, head + bytes(32) + data):
        named = named_sender(raw)
        assert named is None or len(named) <= 255
