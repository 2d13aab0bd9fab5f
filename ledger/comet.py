"""Certificates of CometBFT: a quorum of precommits for a block whose first transaction is our header.

Law: what is proven is that q distinct validators signed a precommit, of this chain and height, for one CometBFT block,
and that the header is the first transaction of that block. Every row is verified, a validator counts once. No protobuf
library is needed: what a vote signs is written here byte for byte.

The header is leaf 0 of the tree over the block's transactions, the root of that tree is field 6 of the 14 of CometBFT's
own header, the root of these is the block's hash, and the precommits sign that. Source: docs/spec/comet.md.
"""

from __future__ import annotations

import itertools
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from coseal.ledger import codec, merkle, signing, zip215
from coseal.ledger.errors import BadCertificate, BadProof, Malformed
from coseal.ledger.signing import HASH_BYTES, SIGNATURE_BYTES, ZERO_HASH, Verify
from coseal.ledger.validators import MAX_VALIDATORS, ValidatorSet

if TYPE_CHECKING:
    from coseal.ledger.block import Header

COMET_TAG: Final = "comet-certificate"
HEADER_FIELDS: Final = 14
DATA_FIELD: Final = 6
"""Which field of CometBFT's header is the root over the block's transactions."""
_ROUND_MAX: Final = 2**31 - 1
SECONDS_MIN: Final = -62_135_596_800
SECONDS_MAX: Final = 253_402_300_799
"""Protobuf has timestamps of the years 1 to 9999; CometBFT lets a validator put any of them into its vote."""
NANOSECONDS_MAX: Final = 999_999_999
PARTS_MAX: Final = 2**16
_TRANSACTIONS_MAX: Final = 2**20
_PATH_MAX: Final = 20


class VoteKind(Enum):
    """The kinds of votes of CometBFT's validators; the number is part of what is signed."""

    PREVOTE = 1
    PRECOMMIT = 2


@dataclass(frozen=True, slots=True)
class Row:
    """The precommit of one validator (its index): when it says it signed, and its signature."""

    validator: int
    seconds: int
    nanoseconds: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class CometCertificate:
    """q or more precommits of ``round``, ascending by validator, and the paths from the header to what they signed.

    ``parts_total`` and ``parts_hash`` are the rest of what CometBFT calls a block id; ``transactions`` counts those of
    its block, the header included (M1).
    """

    height: int
    round: int
    parts_total: int
    parts_hash: bytes
    transactions: int
    data_path: tuple[bytes, ...]
    header_path: tuple[bytes, ...]
    rows: tuple[Row, ...]

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        return codec.encode(self.to_value())

    def to_value(self) -> list[Any]:
        """Return the value that ``encode`` writes, for embedding in a message."""
        rows = [[row.validator, row.seconds, row.nanoseconds, row.signature] for row in self.rows]
        block_id = [self.parts_total, self.parts_hash]
        paths = [self.transactions, list(self.data_path), list(self.header_path)]
        return [COMET_TAG, 1, self.height, self.round, *block_id, *paths, rows]

    @property
    def hash(self) -> bytes:
        """SHA-256 of the tagged bytes."""
        return signing.digest(signing.TAG_CERTIFICATE, self.encode())

    @staticmethod
    def from_value(value: Any) -> CometCertificate:
        """Parse the decoded form; raise ``Malformed``. Proves nothing until ``verify_commit``."""
        height, round, total, parts_hash, count, data, header, rows = codec.record(value, COMET_TAG, 1, 8)
        return CometCertificate(
            codec.integer(height, "height", low=1),
            codec.integer(round, "round", high=_ROUND_MAX),
            codec.integer(total, "parts", low=1, high=PARTS_MAX),
            codec.octets(parts_hash, "parts hash", size=HASH_BYTES),
            codec.integer(count, "transactions", low=1, high=_TRANSACTIONS_MAX),
            _path(data, "data path"),
            _path(header, "header path"),
            tuple(_row(row) for row in codec.sequence(rows, "rows", limit=MAX_VALIDATORS)),
        )

    def signers(self) -> tuple[int, ...]:
        """Return the indices of the validators that signed, ascending."""
        return tuple(row.validator for row in self.rows)

    def is_of(self, header: Header) -> bool:
        """Say whether this is said to be of ``header``; that it is, ``verify_commit`` shows."""
        return self.height == header.height and self.transactions == header.tx_count + 1

    def block_hash(self, header: Header) -> bytes:
        """Return the hash of the CometBFT block that begins with ``header``; raise ``BadProof`` for no such paths."""
        leaf = sha256(header.raw).digest()
        data_hash = merkle.tree_reached(leaf, 0, self.transactions, self.data_path)  # M2
        return merkle.tree_reached(bytes_value(data_hash), DATA_FIELD, HEADER_FIELDS, self.header_path)  # M3

    def verify_commit(self, header: Header, validators: ValidatorSet, verify: Verify = signing.verify) -> None:
        """Raise ``BadCertificate`` unless q distinct validators committed ``header``, every signature valid."""
        if not self.is_of(header):
            raise BadCertificate("the certificate is of another block")
        signers = self.signers()
        if any(left >= right for left, right in itertools.pairwise(signers)):  # M5
            raise BadCertificate("the rows are not ascending by validator")
        if any(index >= validators.n for index in signers):  # M5
            raise BadCertificate("a row is of no validator")
        if len(signers) < validators.quorum:  # M6
            raise BadCertificate(f"{len(signers)} signers, a quorum is {validators.quorum}")
        try:
            block_hash = self.block_hash(header)
        except BadProof as error:
            raise BadCertificate(f"the header is not in the block that was signed: {error.reason}") from None
        for row in self.rows:  # M6: all of them
            question = (validators[row.validator].key, self.signed(row, block_hash, header.chain_id), row.signature)
            if not verify(*question) and not zip215.verify(*question):
                raise BadCertificate(f"the signature of {validators[row.validator].id} does not verify")

    def signed(self, row: Row, block_hash: bytes, chain_id: bytes) -> bytes:
        """Return what the validator of ``row`` signed, if ``block_hash`` is of the block that it voted for."""
        parts = (self.parts_total, self.parts_hash)
        return canonical_vote(
            chain_id, self.height, self.round, block_hash, parts, seconds=row.seconds, nanoseconds=row.nanoseconds
        )


def comet_chain_id(chain_id: bytes) -> str:
    """Return what CometBFT calls this chain: base64url of the 32 bytes, without padding (43 characters)."""
    return urlsafe_b64encode(chain_id).rstrip(b"=").decode()


def address_of(key: bytes) -> bytes:
    """Return CometBFT's address of a validator: the first 20 bytes of SHA-256 of its key."""
    return sha256(key).digest()[:20]


def canonical_vote(
    chain_id: bytes,
    height: int,
    round: int,
    block_hash: bytes,
    parts: tuple[int, bytes],
    *,
    seconds: int,
    nanoseconds: int,
    kind: VoteKind = VoteKind.PRECOMMIT,
) -> bytes:
    """Return the bytes that a vote signs: a length, and ``CanonicalVote`` as protobuf (M4).

    ``block_hash`` is 32 zero bytes for a vote for no block; ``parts`` are not signed then.
    """
    vote = b"\x08" + varint(kind.value) + b"\x11" + height.to_bytes(8, "little")
    if round:
        vote += b"\x19" + round.to_bytes(8, "little")
    total, parts_hash = parts
    part_set = b"\x08" + varint(total) + _delimited(b"\x12", parts_hash)
    if block_hash != ZERO_HASH:
        vote += _delimited(b"\x22", _delimited(b"\x0a", block_hash) + _delimited(b"\x12", part_set))
    vote += _delimited(b"\x2a", timestamp(seconds, nanoseconds))
    vote += _delimited(b"\x32", comet_chain_id(chain_id).encode())
    return varint(len(vote)) + vote


def timestamp(seconds: int, nanoseconds: int) -> bytes:
    """Return protobuf's ``Timestamp``, in which a zero is absent and a negative number is its two's complement."""
    first = b"\x08" + varint(seconds % 2**64) if seconds else b""
    return first + (b"\x10" + varint(nanoseconds) if nanoseconds else b"")


def bytes_value(value: bytes) -> bytes:
    """Return protobuf's ``BytesValue``, as CometBFT hashes the fields of its header."""
    return _delimited(b"\x0a", value)


def varint(value: int) -> bytes:
    """Return a number that is not negative as protobuf writes it: 7 bits a byte, the least first."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _delimited(tag: bytes, value: bytes) -> bytes:
    return tag + varint(len(value)) + value


def _path(value: Any, what: str) -> tuple[bytes, ...]:
    return tuple(codec.octets(item, what, size=HASH_BYTES) for item in codec.sequence(value, what, limit=_PATH_MAX))


def _row(value: Any) -> Row:
    fields = codec.sequence(value, "row", limit=4)
    if len(fields) != 4:
        raise Malformed("a row has 4 fields")
    validator, seconds, nanoseconds, signature = fields
    return Row(
        codec.integer(validator, "validator", high=MAX_VALIDATORS - 1),
        codec.integer(seconds, "seconds", low=SECONDS_MIN, high=SECONDS_MAX),
        codec.integer(nanoseconds, "nanoseconds", high=NANOSECONDS_MAX),
        codec.octets(signature, "signature", size=SIGNATURE_BYTES),
    )
