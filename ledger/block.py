"""Blocks: a header that commits to everything, and a body of raw transactions.

Law: the block hash is the hash of the header, and the header binds parent, validators, transactions, receipts
and the state after them; the round in which the block is voted on is not part of it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Final

from coseal.ledger import codec, merkle, signing
from coseal.ledger.certificate import ROUND_MAX
from coseal.ledger.certificates import Certificate, certificate_from_value, decode_certificate
from coseal.ledger.errors import Malformed
from coseal.ledger.signing import HASH_BYTES, TAG_HEADER, ZERO_HASH

HEADER_VERSION: Final = 1
MAX_BLOCK_BYTES: Final = 4 * 1024 * 1024
MAX_BLOCK_TRANSACTIONS: Final = 5_000
MAX_FRAME_BYTES: Final = 8 * 1024 * 1024


@dataclass(frozen=True)
class Header:
    """What the validators agree on at one height; hashes are 32 bytes, ``time_ms`` is ms since the epoch.

    ``state_root`` is the state after this block. ``last_commit_hash`` is the hash of the parent's commit
    certificate, zero at height 1, whose ``parent_hash`` is the chain id.
    """

    version: int
    chain_id: bytes
    height: int
    parent_hash: bytes
    epoch: int
    validators_hash: bytes
    next_validators_hash: bytes
    proposer: str
    created_round: int
    time_ms: int
    tx_root: bytes
    tx_count: int
    receipts_root: bytes
    state_root: bytes
    last_commit_hash: bytes

    @cached_property
    def raw(self) -> bytes:
        """The canonical bytes."""
        return codec.encode(["header", *(getattr(self, field.name) for field in fields(self))])

    @cached_property
    def hash(self) -> bytes:
        """The block hash."""
        return signing.digest(TAG_HEADER, self.raw)

    @staticmethod
    def decode(data: bytes) -> Header:
        """Parse a header; raise ``Malformed``."""
        values = codec.decode_record(data, "header", HEADER_VERSION, 14)
        header = Header(HEADER_VERSION, *values)
        for name in HASH_FIELDS:
            codec.octets(getattr(header, name), name, size=HASH_BYTES)
        codec.integer(header.height, "height", low=1)
        codec.integer(header.epoch, "epoch")
        codec.text(header.proposer, "proposer", limit=64)
        codec.integer(header.created_round, "created_round", high=ROUND_MAX)
        codec.integer(header.time_ms, "time_ms")
        codec.integer(header.tx_count, "tx_count", high=MAX_BLOCK_TRANSACTIONS)
        header.__dict__["raw"] = data  # decode accepts only what encode would write again
        return header


HASH_FIELDS: Final = (
    "chain_id",
    "parent_hash",
    "validators_hash",
    "next_validators_hash",
    "tx_root",
    "receipts_root",
    "state_root",
    "last_commit_hash",
)
"""The fields of a header that are hashes, in their order."""


@dataclass(frozen=True)
class Block:
    """A header, the raw transactions it counts, and the commit certificate of its parent (None at height 1)."""

    header: Header
    transactions: tuple[bytes, ...]
    last_commit: Certificate | None

    @property
    def hash(self) -> bytes:
        """The block hash, which is the header's."""
        return self.header.hash

    @cached_property
    def raw(self) -> bytes:
        """The canonical bytes."""
        last_commit = None if self.last_commit is None else self.last_commit.to_value()
        return codec.encode(["block", 1, self.header.raw, list(self.transactions), last_commit])

    @cached_property
    def is_whole(self) -> bool:
        """Whether the transactions are those of the header's root; worked out once."""
        return merkle.root(self.transactions) == self.header.tx_root

    @staticmethod
    def decode(data: bytes, *, check_roots: bool = True) -> Block:
        """Parse a block and check that the body is the one its header commits to; raise ``Malformed``.

        Neither the transactions nor the certificate inside are verified here. Without ``check_roots`` the
        transactions are only counted: for an auditor who is asked about headers alone.
        """
        if len(data) > MAX_BLOCK_BYTES:
            raise Malformed(f"block of {len(data)} bytes, at most {MAX_BLOCK_BYTES}")
        header_raw, transactions, last_commit = codec.decode_record(data, "block", 1, 3)
        header = Header.decode(codec.octets(header_raw, "header", limit=4096))
        raws = codec.sequence(transactions, "transactions", limit=MAX_BLOCK_TRANSACTIONS)
        for raw in raws:
            codec.octets(raw, "transaction")
        certificate = None if last_commit is None else certificate_from_value(last_commit)
        block = Block(header, tuple(raws), certificate)
        if len(raws) != header.tx_count or (check_roots and not block.is_whole):
            raise Malformed("the transactions are not those of the header")
        if last_commit_hash(certificate) != header.last_commit_hash:
            raise Malformed("last_commit is not the one of the header")
        block.__dict__["raw"] = data
        return block


def last_commit_hash(certificate: Certificate | None) -> bytes:
    """Return the header field for a parent's certificate: its hash, zero for none."""
    return ZERO_HASH if certificate is None else certificate.hash


OK: Final = "ok"


@dataclass(frozen=True, slots=True)
class Receipt:
    """The outcome of a transaction: ``code`` is ``ok`` or a rejection's code, with a human ``detail``.

    ``data`` is what the contract returned: a map, part of the certified outcome; ``steps`` is what executing it took
    (docs/spec/budget.md). The first receipt of every block is the outcome of its ``begin_block``, with the zero id.
    """

    tx_id: bytes
    code: str
    detail: str
    data: dict[str, Any]
    steps: int

    @property
    def ok(self) -> bool:
        """Whether the transaction took effect."""
        return self.code == OK

    def encode(self) -> bytes:
        """Return the canonical bytes, a leaf of the receipts tree."""
        return codec.encode(["receipt", 1, self.tx_id, self.code, self.detail, self.data, self.steps])

    @staticmethod
    def decode(data: bytes) -> Receipt:
        """Parse a receipt; raise ``Malformed``."""
        tx_id, code, detail, result, steps = codec.decode_record(data, "receipt", 1, 5)
        if type(detail) is not str:
            raise Malformed("detail: expected text")
        tx_id, data_map = codec.octets(tx_id, "tx_id", size=HASH_BYTES), codec.mapping(result, "data")
        return Receipt(tx_id, codec.text(code, "code", limit=64), detail, data_map, codec.integer(steps, "steps"))

    @staticmethod
    def decode_own(data: bytes) -> Receipt:
        """Parse a receipt that this software wrote or has decoded before, without looking again."""
        return Receipt(*codec.decode_own(data)[2:])


@dataclass(frozen=True)
class CommittedBlock:
    """A decided block as the block log holds it: with its own commit certificate and its receipts.

    ``receipts`` are encoded, ``begin_block``'s first, so there is one more than transactions.
    """

    block: Block
    certificate: Certificate
    receipts: tuple[bytes, ...]

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        return codec.encode(["committed", 1, self.block.raw, self.certificate.encode(), list(self.receipts)])

    @staticmethod
    def decode(data: bytes, *, check_roots: bool = True) -> CommittedBlock:
        """Parse a log record; raise ``Malformed``, also when the receipts are not those of the header.

        Without ``check_roots`` transactions and receipts are only counted.
        """
        block_raw, certificate_raw, receipts = codec.decode_record(data, "committed", 1, 3)
        block = Block.decode(codec.octets(block_raw, "block"), check_roots=check_roots)
        certificate = decode_certificate(codec.octets(certificate_raw, "certificate"))
        leaves = codec.sequence(receipts, "receipts", limit=MAX_BLOCK_TRANSACTIONS + 1)
        for leaf in leaves:
            codec.octets(leaf, "receipt")
        if len(leaves) != block.header.tx_count + 1:
            raise Malformed("the receipts are not those of the header")
        if not certificate.is_of(block.header):
            raise Malformed("the certificate is of another block")
        committed = CommittedBlock(block, certificate, tuple(leaves))
        if check_roots and merkle.root(leaves) != block.header.receipts_root:
            raise Malformed("the receipts are not those of the header")
        return committed

    def check_roots(self) -> None:
        """Raise ``Malformed`` unless transactions and receipts are those of the header, for whom ``decode`` did not."""
        header = self.block.header
        if not self.block.is_whole:
            raise Malformed("the transactions are not those of the header")
        if merkle.root(self.receipts) != header.receipts_root:  # H4
            raise Malformed("the receipts are not those of the header")
