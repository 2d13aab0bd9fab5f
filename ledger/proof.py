"""Answers that verify offline: a transaction with what it came to, or a value of the state, certified by a quorum.

Law: ``verify`` needs the validators of the block's epoch and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from coseal.ledger import codec, merkle, signing
from coseal.ledger.block import CommittedBlock, Header, Receipt
from coseal.ledger.certificates import Certificate, certificate_from_value
from coseal.ledger.errors import BadCertificate, BadProof
from coseal.ledger.signing import Verify
from coseal.ledger.state import MAX_KEY_BYTES, StateProof
from coseal.ledger.transaction import MAX_TRANSACTION_BYTES, Transaction
from coseal.ledger.validators import ValidatorSet


def verify_certified(
    header: Header,
    certificate: Certificate,
    chain_id: bytes,
    validators: ValidatorSet,
    verify: Verify = signing.verify,
) -> None:
    """Raise ``BadCertificate`` unless ``certificate`` commits ``header`` on this chain by these validators."""
    if header.chain_id != chain_id:
        raise BadCertificate("the header is of another chain")
    if header.validators_hash != validators.hash or header.epoch != validators.epoch:
        raise BadCertificate("the header is of other validators")
    certificate.verify_commit(header, validators, verify)  # Q3, M1


@dataclass(frozen=True, slots=True)
class TransactionProof:
    """A raw transaction and its encoded receipt, with their audit paths to a certified header.

    ``index`` is the transaction's position in the block; its receipt is leaf ``index + 1`` of the receipts tree.
    """

    transaction: bytes
    receipt: bytes
    index: int
    transaction_path: tuple[bytes, ...]
    receipt_path: tuple[bytes, ...]
    header: Header
    certificate: Certificate

    @staticmethod
    def of(committed: CommittedBlock, index: int) -> TransactionProof:
        """Return the proof of transaction ``index`` of a decided block; raise ``IndexError`` if there is none."""
        transactions, receipts = committed.block.transactions, committed.receipts
        return TransactionProof(
            transaction=transactions[index],
            receipt=receipts[index + 1],
            index=index,
            transaction_path=tuple(merkle.prove(transactions, index)),
            receipt_path=tuple(merkle.prove(receipts, index + 1)),
            header=committed.block.header,
            certificate=committed.certificate,
        )

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        paths: list[Any] = [list(self.transaction_path), list(self.receipt_path)]
        head: list[Any] = [self.header.raw, self.certificate.to_value()]
        return codec.encode(["proof", 1, self.transaction, self.receipt, self.index, *paths, *head])

    @staticmethod
    def decode(data: bytes) -> TransactionProof:
        """Parse a proof; raise ``Malformed``. Proves nothing until ``verify``."""
        transaction, receipt, index, path, receipt_path, header, certificate = codec.decode_record(data, "proof", 1, 7)
        return TransactionProof(
            codec.octets(transaction, "transaction", limit=MAX_TRANSACTION_BYTES),
            codec.octets(receipt, "receipt"),
            codec.integer(index, "index"),
            tuple(codec.octets(item, "path", size=32) for item in codec.sequence(path, "path", limit=64)),
            tuple(codec.octets(item, "path", size=32) for item in codec.sequence(receipt_path, "path", limit=64)),
            Header.decode(codec.octets(header, "header", limit=4096)),
            certificate_from_value(certificate),
        )

    def verify(
        self, chain_id: bytes, validators: ValidatorSet, verify: Verify = signing.verify
    ) -> tuple[Transaction, Receipt]:
        """Return the transaction and its receipt if everything holds; else raise a ``LedgerError``.

        Checked: certificate, both Merkle paths, the transaction's own signature, and that the receipt names it.
        """
        verify_certified(self.header, self.certificate, chain_id, validators, verify)
        self.verify_transaction_path()
        self.verify_receipt_path()
        return self.content(chain_id, verify)

    def verify_transaction_path(self) -> None:
        """Raise ``BadProof`` unless the transaction stands at its index under the header's ``tx_root``."""
        header = self.header
        merkle.verify(self.transaction, self.index, header.tx_count, self.transaction_path, header.tx_root)

    def verify_receipt_path(self) -> None:
        """Raise ``BadProof`` unless the receipt stands one place later under the header's ``receipts_root``."""
        size = self.header.tx_count + 1
        merkle.verify(self.receipt, self.index + 1, size, self.receipt_path, self.header.receipts_root)

    def content(self, chain_id: bytes, verify: Verify = signing.verify) -> tuple[Transaction, Receipt]:
        """Return both, signature verified and of one another; that they are in the block, the paths say."""
        transaction = Transaction.decode(self.transaction)
        transaction.verify_signature(verify)
        receipt = Receipt.decode(self.receipt)
        if receipt.tx_id != transaction.id:
            raise BadProof("the receipt is of another transaction")
        if transaction.chain_id != chain_id:
            raise BadProof("the transaction is of another chain")
        return transaction, receipt


@dataclass(frozen=True, slots=True)
class BeginProof:
    """The encoded receipt of a block's ``begin_block``, leaf 0 of the receipts tree, with its audit path."""

    receipt: bytes
    receipt_path: tuple[bytes, ...]
    header: Header
    certificate: Certificate

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        head: list[Any] = [self.header.raw, self.certificate.to_value()]
        return codec.encode(["begin-proof", 1, self.receipt, list(self.receipt_path), *head])

    @staticmethod
    def decode(data: bytes) -> BeginProof:
        """Parse a proof; raise ``Malformed``. Proves nothing until ``verify``."""
        receipt, path, header, certificate = codec.decode_record(data, "begin-proof", 1, 4)
        return BeginProof(
            codec.octets(receipt, "receipt"),
            tuple(codec.octets(item, "path", size=32) for item in codec.sequence(path, "path", limit=64)),
            Header.decode(codec.octets(header, "header", limit=4096)),
            certificate_from_value(certificate),
        )

    def verify(self, chain_id: bytes, validators: ValidatorSet, verify: Verify = signing.verify) -> Receipt:
        """Return the receipt if everything holds; else raise a ``LedgerError``."""
        verify_certified(self.header, self.certificate, chain_id, validators, verify)
        self.verify_path()
        return self.content()

    def verify_path(self) -> None:
        """Raise ``BadProof`` unless the receipt is the first under the header's ``receipts_root``."""
        merkle.verify(self.receipt, 0, self.header.tx_count + 1, self.receipt_path, self.header.receipts_root)

    def content(self) -> Receipt:
        """Return the receipt; that it is in the block, the path says."""
        return Receipt.decode(self.receipt)


@dataclass(frozen=True, slots=True)
class CertifiedValue:
    """A key of the state, its value (canonical bytes, None: absent), and the proof against a certified header.

    The header is the one *after* whose block the state holds the value.
    """

    key: bytes
    value: bytes | None
    proof: StateProof
    header: Header
    certificate: Certificate

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        head: list[Any] = [self.header.raw, self.certificate.to_value()]
        return codec.encode(["certified-value", 1, self.key, self.value, self.proof.encode(), *head])

    @staticmethod
    def decode(data: bytes) -> CertifiedValue:
        """Parse a certified value; raise ``Malformed``. Proves nothing until ``verify``."""
        key, value, proof, header, certificate = codec.decode_record(data, "certified-value", 1, 5)
        return CertifiedValue(
            codec.octets(key, "key", limit=MAX_KEY_BYTES),
            None if value is None else codec.octets(value, "value"),
            StateProof.decode(codec.octets(proof, "proof")),
            Header.decode(codec.octets(header, "header", limit=4096)),
            certificate_from_value(certificate),
        )

    def encode_bare(self) -> bytes:
        """Return the canonical bytes without header and certificate, for a document that holds these once."""
        return codec.encode(["proven-value", 1, self.key, self.value, self.proof.encode()])

    @staticmethod
    def decode_bare(data: bytes, header: Header, certificate: Certificate) -> CertifiedValue:
        """Parse what ``encode_bare`` gives; raise ``Malformed``. Proves nothing until ``verify``."""
        key, value, proof = codec.decode_record(data, "proven-value", 1, 3)
        return CertifiedValue(
            codec.octets(key, "key", limit=MAX_KEY_BYTES),
            None if value is None else codec.octets(value, "value"),
            StateProof.decode(codec.octets(proof, "proof")),
            header,
            certificate,
        )

    def verify(self, chain_id: bytes, validators: ValidatorSet, verify: Verify = signing.verify) -> None:
        """Raise a ``LedgerError`` unless the certified state holds this value (or lacks the key)."""
        verify_certified(self.header, self.certificate, chain_id, validators, verify)
        self.proof.verify(self.key, self.value, self.header.state_root)
