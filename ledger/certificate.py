"""Votes of our own PBFT and the quorum certificates made of them.

Law: a certificate proves that q distinct validators of its epoch signed one preimage; all its signatures are
verified, never only the first q (CVE-2020-15091), and a validator counts once by construction (a bitmap).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

from coseal.ledger import codec, signing
from coseal.ledger.errors import BadCertificate, Malformed
from coseal.ledger.signing import HASH_BYTES, SIGNATURE_BYTES, Verify
from coseal.ledger.validators import MAX_VALIDATORS, ValidatorSet

if TYPE_CHECKING:
    from coseal.ledger.block import Header

ROUND_MAX: Final = 2**32 - 1
VOTE_PREIMAGE_BYTES: Final = 24 + 32 + 8 + 8 + 4 + 1 + 32


class Phase(IntEnum):
    """The kinds of signed consensus statements; the number is part of the preimage."""

    ROUND_CHANGE = 0
    PROPOSAL = 1
    PREPARE = 2
    COMMIT = 3


_TAGS: Final = {
    Phase.ROUND_CHANGE: signing.TAG_ROUND_CHANGE,
    Phase.PROPOSAL: signing.TAG_PROPOSAL,
    Phase.PREPARE: signing.TAG_PREPARE,
    Phase.COMMIT: signing.TAG_COMMIT,
}


def vote_preimage(chain_id: bytes, epoch: int, height: int, round: int, phase: Phase, block_hash: bytes) -> bytes:
    """Return TAG ‖ chain_id ‖ epoch(8) ‖ height(8) ‖ round(4) ‖ phase(1) ‖ block_hash(32), big-endian.

    In a ROUND-CHANGE the last field is the hash of the carried certificate (32 zero bytes for none).
    """
    return b"".join(  # D2
        (
            _TAGS[phase],
            chain_id,
            epoch.to_bytes(8, "big"),
            height.to_bytes(8, "big"),
            round.to_bytes(4, "big"),
            bytes([phase]),
            block_hash,
        )
    )


@dataclass(frozen=True, slots=True)
class Vote:
    """What a vote preimage says."""

    chain_id: bytes
    epoch: int
    height: int
    round: int
    phase: Phase
    block_hash: bytes


def parse_vote_preimage(preimage: bytes) -> Vote:
    """Return the fields of a vote preimage, whose tag and phase agree; raise ``Malformed``."""
    if len(preimage) != VOTE_PREIMAGE_BYTES or preimage[76] >= len(Phase):
        raise Malformed("not a vote preimage")
    phase = Phase(preimage[76])
    if preimage[:24] != _TAGS[phase]:
        raise Malformed("not a vote preimage: tag and phase differ")
    return Vote(
        chain_id=preimage[24:56],
        epoch=int.from_bytes(preimage[56:64], "big"),
        height=int.from_bytes(preimage[64:72], "big"),
        round=int.from_bytes(preimage[72:76], "big"),
        phase=phase,
        block_hash=preimage[77:],
    )


@dataclass(frozen=True, slots=True)
class PbftCertificate:
    """q or more signatures on one vote. ``bitmap`` bit i (least significant first) says validator i signed."""

    phase: Phase
    epoch: int
    height: int
    round: int
    block_hash: bytes
    bitmap: bytes
    signatures: tuple[bytes, ...]

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        return codec.encode(self.to_value())

    def to_value(self) -> list[Any]:
        """Return the value that ``encode`` writes, for embedding in a message."""
        fields = [int(self.phase), self.epoch, self.height, self.round, self.block_hash, self.bitmap]
        return ["certificate", 1, *fields, list(self.signatures)]

    @property
    def hash(self) -> bytes:
        """SHA-256 of the tagged bytes, as headers and round changes refer to it."""
        return signing.digest(signing.TAG_CERTIFICATE, self.encode())

    @staticmethod
    def decode(data: bytes) -> PbftCertificate:
        """Parse a certificate; raise ``Malformed``. Proves nothing until ``verify``."""
        return PbftCertificate.from_value(codec.decode(data))

    @staticmethod
    def from_value(value: Any) -> PbftCertificate:
        """Parse the decoded form; raise ``Malformed``."""
        phase, epoch, height, round, block_hash, bitmap, signatures = codec.record(value, "certificate", 1, 7)
        if phase not in (Phase.PREPARE, Phase.COMMIT) or type(phase) is not int:
            raise Malformed("phase: a certificate is of PREPARE or COMMIT votes")
        return PbftCertificate(
            Phase(phase),
            codec.integer(epoch, "epoch"),
            codec.integer(height, "height", low=1),
            codec.integer(round, "round", high=ROUND_MAX),
            codec.octets(block_hash, "block hash", size=HASH_BYTES),
            codec.octets(bitmap, "bitmap", limit=MAX_VALIDATORS // 8),
            tuple(
                codec.octets(signature, "signature", size=SIGNATURE_BYTES)
                for signature in codec.sequence(signatures, "signatures", limit=MAX_VALIDATORS)
            ),
        )

    def signers(self) -> tuple[int, ...]:
        """Return the indices whose bit is set, ascending."""
        bits = int.from_bytes(self.bitmap, "little")
        return tuple(index for index in range(8 * len(self.bitmap)) if bits >> index & 1)

    def is_of(self, header: Header) -> bool:
        """Say whether this is a certificate of ``header``; whether it holds, ``verify_commit`` shows."""
        return self.height == header.height and self.block_hash == header.hash

    def verify_commit(self, header: Header, validators: ValidatorSet, verify: Verify = signing.verify) -> None:
        """Raise ``BadCertificate`` unless q distinct validators committed ``header``, every signature valid."""
        if self.phase is not Phase.COMMIT:  # Q3
            raise BadCertificate("not a certificate of COMMIT votes")
        if not self.is_of(header):
            raise BadCertificate("the certificate is of another block")
        self.verify(header.chain_id, validators, verify)

    def verify(self, chain_id: bytes, validators: ValidatorSet, verify: Verify = signing.verify) -> None:
        """Raise ``BadCertificate`` unless q distinct validators of this epoch signed, every signature valid."""
        if self.epoch != validators.epoch:
            raise BadCertificate(f"epoch {self.epoch}, the validators are of epoch {validators.epoch}")
        if len(self.bitmap) != (validators.n + 7) // 8:  # Q1
            raise BadCertificate(f"the bitmap has {len(self.bitmap)} bytes for {validators.n} validators")
        signers = self.signers()
        if any(index >= validators.n for index in signers):  # Q1
            raise BadCertificate("a padding bit of the bitmap is set")
        if len(signers) < validators.quorum:  # Q2
            raise BadCertificate(f"{len(signers)} signers, a quorum is {validators.quorum}")
        if len(self.signatures) != len(signers):
            raise BadCertificate(f"{len(self.signatures)} signatures for {len(signers)} signers")
        preimage = vote_preimage(chain_id, self.epoch, self.height, self.round, self.phase, self.block_hash)
        for index, signature in zip(signers, self.signatures, strict=True):  # Q2: all of them
            if not verify(validators[index].key, preimage, signature):
                raise BadCertificate(f"the signature of {validators[index].id} does not verify")


def assemble(
    phase: Phase, validators: ValidatorSet, height: int, round: int, block_hash: bytes, votes: Mapping[int, bytes]
) -> PbftCertificate:
    """Return the certificate of ``votes`` (validator index -> signature), which the caller has verified."""
    indices = sorted(votes)
    bits = sum(1 << index for index in indices)
    bitmap = bits.to_bytes((validators.n + 7) // 8, "little")
    signatures = tuple(votes[index] for index in indices)
    return PbftCertificate(phase, validators.epoch, height, round, block_hash, bitmap, signatures)
