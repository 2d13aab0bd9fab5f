"""Equivocation: one validator's signatures under two different things it may say only one of.

Law: the proof is complete in itself. Whoever knows the chain, the validator's key and these bytes can check it; no
block or certificate is needed, since a vote signs the hash of what it is about (rule D2 of docs/spec/encoding.md).
"""

from __future__ import annotations

from dataclasses import dataclass

from coseal.ledger import signing
from coseal.ledger.certificate import Phase, vote_preimage
from coseal.ledger.comet import VoteKind, canonical_vote
from coseal.ledger.errors import BadSignature, Malformed
from coseal.ledger.signing import ZERO_HASH, Verify


@dataclass(frozen=True, slots=True)
class VoteRest:
    """What a vote of CometBFT signs besides its place and the block's hash; no parts, 0 and zeros, for no block."""

    parts_total: int
    parts_hash: bytes
    seconds: int
    nanoseconds: int


@dataclass(frozen=True, slots=True)
class Signed:
    """One half: the hash that was signed (the last field of the preimage, 32 bytes) and the signature (64 bytes).

    In a vote of CometBFT it is the block's hash, 32 zero bytes for none, and there is a ``rest``.
    """

    hash: bytes
    signature: bytes
    rest: VoteRest | None = None


@dataclass(frozen=True, slots=True)
class Equivocation:
    """Two things said in one phase of one round; ``first`` has the lower hash, so there is one form of a proof."""

    epoch: int
    height: int
    round: int
    phase: Phase | VoteKind
    first: Signed
    second: Signed

    @staticmethod
    def of(epoch: int, height: int, round: int, phase: Phase | VoteKind, one: Signed, other: Signed) -> Equivocation:
        """Return the proof of two halves in whatever order."""
        first, second = sorted((one, other), key=lambda half: half.hash)
        return Equivocation(epoch, height, round, phase, first, second)

    def verify(self, chain_id: bytes, key: bytes, verify: Verify = signing.verify) -> None:
        """Raise ``Malformed`` or ``BadSignature`` unless the holder of ``key`` contradicted itself on this chain."""
        if self.first.hash >= self.second.hash:
            raise Malformed("expected two different hashes, the lower one first")
        for half, which in ((self.first, "first"), (self.second, "second")):
            if not verify(key, self.signed(chain_id, half), half.signature):
                raise BadSignature(f"the {which} signature does not verify")

    def signed(self, chain_id: bytes, half: Signed) -> bytes:
        """Return what was signed for a half; raise ``Malformed`` for one that is not of this phase."""
        phase, rest = self.phase, half.rest
        if isinstance(phase, Phase):
            if rest is not None:
                raise Malformed("the half of a vote of CometBFT, in another phase")
            return vote_preimage(chain_id, self.epoch, self.height, self.round, phase, half.hash)
        if rest is None:
            raise Malformed("the parts and the time of the vote are missing")
        parts = (rest.parts_total, rest.parts_hash)
        if (half.hash == ZERO_HASH) != (parts == (0, ZERO_HASH)):  # else one vote would have many forms
            raise Malformed("a vote for no block has no parts, and one for a block has some")
        return canonical_vote(
            chain_id,
            self.height,
            self.round,
            half.hash,
            parts,
            seconds=rest.seconds,
            nanoseconds=rest.nanoseconds,
            kind=phase,
        )
