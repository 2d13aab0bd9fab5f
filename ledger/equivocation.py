"""Equivocation: one validator's signatures under two different things it may say only one of.

Law: the proof is complete in itself. Whoever knows the chain, the validator's key and these bytes can check it; no
block or certificate is needed, since a vote signs the hash of what it is about (rule D2 of docs/spec/encoding.md).
"""

from __future__ import annotations

from dataclasses import dataclass

from coseal.ledger import signing
from coseal.ledger.certificate import Phase, vote_preimage
from coseal.ledger.errors import BadSignature, Malformed
from coseal.ledger.signing import Verify


@dataclass(frozen=True, slots=True)
class Signed:
    """One half: the hash that was signed (the last field of the preimage, 32 bytes) and the signature (64 bytes)."""

    hash: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Equivocation:
    """Two things said in one phase of one round; ``first`` has the lower hash, so there is one form of a proof."""

    epoch: int
    height: int
    round: int
    phase: Phase
    first: Signed
    second: Signed

    @staticmethod
    def of(epoch: int, height: int, round: int, phase: Phase, one: Signed, other: Signed) -> Equivocation:
        """Return the proof of two halves in whatever order."""
        first, second = sorted((one, other), key=lambda half: half.hash)
        return Equivocation(epoch, height, round, phase, first, second)

    def verify(self, chain_id: bytes, key: bytes, verify: Verify = signing.verify) -> None:
        """Raise ``Malformed`` or ``BadSignature`` unless the holder of ``key`` contradicted itself on this chain."""
        if self.first.hash >= self.second.hash:
            raise Malformed("expected two different hashes, the lower one first")
        for half, which in ((self.first, "first"), (self.second, "second")):
            preimage = vote_preimage(chain_id, self.epoch, self.height, self.round, self.phase, half.hash)
            if not verify(key, preimage, half.signature):
                raise BadSignature(f"the {which} signature does not verify")
