"""What a node keeps of a block whose body it has pruned: header, certificate, and the hashes of what it held.

Law: a head is exactly what its header commits to: its hashes lead to both roots, so the proof of any transaction or
receipt that somebody still has can be made from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from coseal.ledger import codec, merkle
from coseal.ledger.block import MAX_BLOCK_TRANSACTIONS, CommittedBlock, Header, Receipt
from coseal.ledger.certificates import Certificate, decode_certificate
from coseal.ledger.errors import LedgerError, Malformed
from coseal.ledger.signing import HASH_BYTES
from coseal.ledger.validators import MAX_VALIDATORS, ValidatorSet

MAX_HEAD_BYTES: Final = 512 * 1024


@dataclass(frozen=True, slots=True)
class Head:
    """A pruned block. ``transactions`` and ``receipts`` are leaf hashes, in the order of the block's trees.

    ``next_validators`` is the set that certifies the next height if it is another than this block's, else None.
    """

    header: Header
    certificate: Certificate
    transactions: tuple[bytes, ...]
    receipts: tuple[bytes, ...]
    next_validators: ValidatorSet | None = None

    @staticmethod
    def of(committed: CommittedBlock, next_validators: ValidatorSet | None = None) -> Head:
        """Return the head of a whole block; ``next_validators`` is read from it unless given, where the set changes."""
        leaves = tuple(merkle.leaf_hash(raw) for raw in committed.block.transactions)
        receipts = tuple(merkle.leaf_hash(raw) for raw in committed.receipts)
        following = next_validators or announced(committed)
        return Head(committed.block.header, committed.certificate, leaves, receipts, following)

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        following = None if self.next_validators is None else self.next_validators.encode()
        hashes = [b"".join(self.transactions), b"".join(self.receipts)]
        return codec.encode(["head", 1, self.header.raw, self.certificate.encode(), *hashes, following])

    @staticmethod
    def decode(data: bytes) -> Head:
        """Parse a head; raise ``Malformed``, also for a hash not of the header. Signatures are not checked."""
        if len(data) > MAX_HEAD_BYTES:
            raise Malformed(f"head of {len(data)} bytes, at most {MAX_HEAD_BYTES}")
        raw, certificate_raw, transactions, receipts, following = codec.decode_record(data, "head", 1, 5)
        header = Header.decode(codec.octets(raw, "header", limit=4096))
        certificate = decode_certificate(codec.octets(certificate_raw, "certificate"))
        if not certificate.is_of(header):  # Z2
            raise Malformed("the certificate is of another block")
        validators = None if following is None else ValidatorSet.decode(codec.octets(following, "next_validators"))
        if validators is not None and validators.hash != header.next_validators_hash:  # Z3
            raise Malformed("the next validators are not those of the header")
        head = Head(header, certificate, _hashes(transactions), _hashes(receipts), validators)
        if len(head.transactions) != header.tx_count or merkle.root_of_hashes(head.transactions) != header.tx_root:
            raise Malformed("the transaction hashes are not those of the header")  # Z1
        if merkle.root_of_hashes(head.receipts) != header.receipts_root:  # Z1
            raise Malformed("the receipt hashes are not those of the header")
        return head


def announced(committed: CommittedBlock) -> ValidatorSet | None:
    """Return the set that certifies the next height if the block changes it and its first receipt says to what.

    What is returned has the hash that the header announces, and the epoch after the header's; the block itself is not
    verified.
    """
    header = committed.block.header
    if header.next_validators_hash == header.validators_hash or not committed.receipts:
        return None
    try:
        found = _promoted(Receipt.decode(committed.receipts[0]).data)
    except LedgerError:
        return None
    if found is None or found.hash != header.next_validators_hash or found.epoch != header.epoch + 1:
        return None
    return found


def _promoted(data: Any) -> ValidatorSet | None:
    """Return the set that the beginning of a block made the next one (contracts.md); raise ``Malformed`` for none."""
    change = codec.mapping(data.get("membership", {}), "membership").get("validators")
    if type(change) is not dict or "rows" not in change:
        return None
    rows = codec.sequence(change["rows"], "validators", limit=MAX_VALIDATORS)
    return ValidatorSet.decode(codec.encode(["validators", 1, codec.integer(change.get("epoch"), "epoch"), rows]))


def _hashes(value: Any) -> tuple[bytes, ...]:
    flat = codec.octets(value, "hashes", limit=HASH_BYTES * (MAX_BLOCK_TRANSACTIONS + 1))
    if len(flat) % HASH_BYTES:
        raise Malformed("hashes: not a whole number")
    return tuple(flat[i : i + HASH_BYTES] for i in range(0, len(flat), HASH_BYTES))
