"""Transactions: what a member signs and the chain records exactly once.

Law: the raw bytes are kept from socket to disk, never re-encoded; the id covers the body, not the signature.

Wire form: ``["signed", 1, body bytes, signature]`` where body is the encoding of ``["transaction", 1, chain_id,
sender, public_key, contract, action, args, valid_until_ms, salt]``. Sender is ``member/user``, or ``node:ID`` for a
node that speaks for itself and signs with its consensus key: under the tag of transactions, so never a vote.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from coseal.ledger import codec, signing
from coseal.ledger.codec import Value
from coseal.ledger.errors import Malformed, TooLarge
from coseal.ledger.signing import HASH_BYTES, PUBLIC_KEY_BYTES, SIGNATURE_BYTES, TAG_TRANSACTION, Signer, Verify

MAX_TRANSACTION_BYTES: Final = 256 * 1024
SALT_BYTES: Final = 16
_NODE: Final = "node:"
_BODY_HEAD: Final = codec.encode(["transaction", 1, *[bytes(HASH_BYTES)] * 8])[: 1 + 12 + 1 + 2]
"""How every body begins, up to the chain id."""
_BODY_HEAD_AT_MOST: Final = 64


@dataclass(slots=True, unsafe_hash=True)
class Transaction:
    """A signed transaction, parsed. ``raw`` is its wire form, ``id`` 32 bytes, times in ms since the epoch.

    Never changed once it is made; it is not declared frozen because making one would then take three times as long.
    """

    raw: bytes
    id: bytes
    chain_id: bytes
    sender: str
    public_key: bytes
    contract: str
    action: str
    args: dict[str, Any]
    valid_until_ms: int
    salt: bytes
    signature: bytes
    preimage: bytes

    @property
    def member(self) -> str:
        """The member in whose name an operator acts; empty if a node sent it."""
        return "" if self.sender.startswith(_NODE) else self.sender.partition("/")[0]

    @staticmethod
    def decode(raw: bytes) -> Transaction:
        """Parse the wire form; raise ``Malformed``. The signature is not checked here."""
        if len(raw) > MAX_TRANSACTION_BYTES:
            raise TooLarge(f"transaction of {len(raw)} bytes, at most {MAX_TRANSACTION_BYTES}")
        body, signature = codec.decode_record(raw, "signed", 1, 2)
        body = codec.octets(body, "body", limit=MAX_TRANSACTION_BYTES)
        fields = codec.decode_record(body, "transaction", 1, 8)
        chain_id, sender, public_key, contract, action, args, valid_until_ms, salt = fields
        chain_id = codec.octets(chain_id, "chain_id", size=HASH_BYTES)
        _check_sender(codec.text(sender, "sender", limit=129))
        return Transaction(
            raw=raw,
            id=signing.digest(signing.TAG_TRANSACTION_ID, body),
            chain_id=chain_id,
            sender=sender,
            public_key=codec.octets(public_key, "public_key", size=PUBLIC_KEY_BYTES),
            contract=codec.text(contract, "contract", limit=64),
            action=codec.text(action, "action", limit=64),
            args=codec.mapping(args, "args"),
            valid_until_ms=codec.integer(valid_until_ms, "valid_until_ms"),
            salt=codec.octets(salt, "salt", size=SALT_BYTES),
            signature=codec.octets(signature, "signature", size=SIGNATURE_BYTES),
            preimage=signing.body_preimage(TAG_TRANSACTION, chain_id, body),
        )

    @staticmethod
    def decode_own(raw: bytes) -> Transaction:
        """Parse a transaction of a block that was decided here, without looking again."""
        _, _, body, signature = codec.decode_own(raw)
        chain_id, sender, public_key, contract, action, args, valid_until_ms, salt = codec.decode_own(body)[2:]
        return Transaction(
            raw=raw,
            id=signing.digest(signing.TAG_TRANSACTION_ID, body),
            chain_id=chain_id,
            sender=sender,
            public_key=public_key,
            contract=contract,
            action=action,
            args=args,
            valid_until_ms=valid_until_ms,
            salt=salt,
            signature=signature,
            preimage=signing.body_preimage(TAG_TRANSACTION, chain_id, body),
        )

    def verify_signature(self, verify: Verify = signing.verify) -> None:
        """Raise ``BadSignature`` unless ``public_key`` signed the body (whose key it is, the registry says)."""
        signing.require(self.public_key, self.preimage, self.signature, f"transaction {self.id.hex()}", verify)


def named_sender(data: bytes) -> bytes | None:
    """Return who the first transaction in ``data`` (one, or a list of them) says it is from, None if that is not plain.

    For whoever has to choose before anything is decoded or believed: nothing is checked here.
    """
    start = data.find(_BODY_HEAD, 0, _BODY_HEAD_AT_MOST) + len(_BODY_HEAD) + HASH_BYTES
    if start < len(_BODY_HEAD) + HASH_BYTES or start >= len(data):
        return None
    if data[start] == 0xD9:  # str 8: a length of one byte follows
        return data[start + 2 : start + 2 + data[start + 1]] if start + 1 < len(data) else None
    return data[start + 1 : start + 1 + data[start] - 0xA0] if 0xA0 <= data[start] < 0xC0 else None


def node_sender(node_id: str) -> str:
    """Return the sender of a transaction that a node signs itself."""
    return _NODE + node_id


def node_of(sender: str) -> str | None:
    """Return the id of the node that is this sender, or None if it is an operator."""
    return sender.removeprefix(_NODE) if sender.startswith(_NODE) else None


def _check_sender(sender: str) -> None:
    """Raise ``Malformed`` unless this is ``node:NODE`` or ``MEMBER/USER``; no name has a colon."""
    node_id = node_of(sender)
    if node_id is not None:
        if not node_id or "/" in node_id:
            raise Malformed("sender: expected node:NODE")
        return
    member, slash, user = sender.partition("/")
    if not (slash and member and user) or "/" in user:
        raise Malformed("sender: expected MEMBER/USER or node:NODE")


def body_of(
    *,
    chain_id: bytes,
    sender: str,
    public_key: bytes,
    contract: str,
    action: str,
    args: Mapping[str, Value],
    valid_until_ms: int,
    salt: bytes,
) -> bytes:
    """Return the canonical body, the bytes whose hash is signed."""
    fields: list[Any] = [chain_id, sender, public_key, contract, action, dict(args), valid_until_ms, salt]
    return codec.encode(["transaction", 1, *fields])


def sign(
    signer: Signer,
    *,
    chain_id: bytes,
    sender: str,
    contract: str,
    action: str,
    args: Mapping[str, Value],
    valid_until_ms: int,
    salt: bytes,
) -> Transaction:
    """Make and sign a transaction of ``sender`` (``member/user`` or ``node:ID``); ``salt`` is 16 random bytes."""
    body = body_of(
        chain_id=chain_id,
        sender=sender,
        public_key=signer.public_key,
        contract=contract,
        action=action,
        args=args,
        valid_until_ms=valid_until_ms,
        salt=salt,
    )
    signature = signer.sign(signing.body_preimage(TAG_TRANSACTION, chain_id, body))
    return Transaction.decode(join(body, signature))


def join(body: bytes, signature: bytes) -> bytes:
    """Return the wire form of a body and its signature."""
    return codec.encode(["signed", 1, body, signature])
