"""The sign guard: the last line between a replica and a conflicting signature.

Law: over its whole life, restarts included, a guard signs at most one preimage for a (height, round, step), and
never steps back. It trusts nothing that the replica believes; it looks only at what was signed.

G1  (height, round, step) only rises; the steps of a round are round change 0, proposal 1, prepare 2, commit 3.
G2  Signing the very bytes of a step that is held returns the stored signature; other bytes are refused.
G3  An absent guard (a lost journal; an empty one is not absent) signs nothing until the chain is certified beyond
    where it may have voted: two heights above the highest tip that q validators showed.
G4  A guard that is shown a signature of its own which it does not hold stops, for good: the key lives twice, or an
    old copy was restored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from coseal.consensus.events import SignRecord
from coseal.consensus.persisted import EMPTY_GUARD
from coseal.ledger.certificate import Phase
from coseal.ledger.signing import CannotSign, Signer

# A stopped guard is at the greatest height there is, so G1 refuses everything, after a restart too.
STOPPED: Final = SignRecord(2**63 - 1, 0, 0, b"", b"")

# A node votes at most at one height above a commit certificate, which may be one above what its peers hold.
_MAY_HAVE_VOTED_ABOVE: Final = 2


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature, and the record that must be durable before it is sent (None when it already is)."""

    signature: bytes
    record: SignRecord | None


class SignGuard:
    """Signs consensus statements for one validator; ``signs`` is ``Persisted.signs``.

    A validator has one key at a time; ``signer`` holds it, and ``take_key`` brings the one that is to follow it.
    """

    def __init__(self, signer: Signer, signs: tuple[SignRecord, ...] | None) -> None:
        self._signer = signer
        self._signers = {signer.public_key: signer}
        self._absent = signs is None
        held = signs or (EMPTY_GUARD,)
        self._place = (held[-1].height, held[-1].round)
        self._steps = {record.step: record for record in held}
        self._tips: dict[int, int] = {}
        self._release: int | None = None

    @property
    def key(self) -> bytes:
        """The public key it signs with."""
        return self._signer.public_key

    def take_key(self, signer: Signer) -> None:
        """Hold another key as well, for the epoch that names it."""
        self._signers[signer.public_key] = signer

    def use_key(self, key: bytes) -> bool:
        """Sign with ``key``, that of our seat, from now on; say whether it is held (else nothing changes)."""
        self._signer = self._signers.get(key, self._signer)
        return key in self._signers

    @property
    def place(self) -> tuple[int, int]:
        """The (height, round) of the last signature."""
        return self._place

    @property
    def absent(self) -> bool:
        """Whether its journal was lost and it has signed nothing since (G3)."""
        return self._absent

    @property
    def stopped(self) -> bool:
        """Whether it was shown a signature of its own that it lacks (G4)."""
        return self._place[0] == STOPPED.height

    def silence(self, height: int) -> str | None:
        """Why it signs nothing at all at ``height``, in words, or None."""
        if self.stopped:
            return (
                "its journal lacks a signature of its own: the key is in use elsewhere, or the journal is an old copy"
            )
        if self._absent and (self._release is None or height <= self._release):  # G3
            until = "a quorum has shown its tip" if self._release is None else f"height {self._release} is certified"
            return f"the journal was lost, so this node only follows until {until}"
        return None

    def signed(self, height: int, round: int, step: Phase) -> SignRecord | None:
        """Return what was signed at exactly this step, if it is held."""
        return self._steps.get(step) if (height, round) == self._place and not self._empty(step) else None

    def may_sign(self, height: int, round: int, step: Phase) -> bool:
        """Say whether a new preimage could be signed at this step."""
        if self.silence(height) is not None:
            return False
        place = (height, round)
        return place > self._place or (place == self._place and step > max(self._steps))  # G1

    def sign(self, height: int, round: int, step: Phase, preimage: bytes) -> Signed | None:
        """Return the signature of ``preimage`` as the statement of this step, or None: refused."""
        held = self.signed(height, round, step)
        if held is not None:
            return Signed(held.signature, None) if held.preimage == preimage else None  # G2
        if not self.may_sign(height, round, step):
            return None
        try:
            signature = self._signer.sign(preimage)
        except CannotSign:  # nothing was signed, so nothing is held
            return None
        record = SignRecord(height, round, int(step), preimage, signature)
        if (height, round) != self._place:
            self._place, self._steps = (height, round), {}
        self._steps[record.step] = record
        self._absent = False
        return Signed(record.signature, record)

    def lacks(self, height: int, round: int, step: Phase, preimage: bytes) -> bool:
        """Say whether a valid signature of our own on ``preimage`` would be news to us (G4).

        Of rounds below the current one nothing is held, so nothing can be said.
        """
        if self._absent or (height, round) < self._place:
            return False
        held = self.signed(height, round, step)
        return held is None or held.preimage != preimage

    def stop(self) -> SignRecord:
        """Sign nothing from now on and return the record that keeps it so (G4)."""
        self._place, self._steps = (STOPPED.height, STOPPED.round), {STOPPED.step: STOPPED}
        return STOPPED

    def witness(self, validator: int, height: int, quorum: int) -> None:
        """Note that ``validator`` showed the certificate of ``height``; q of them end the doubt of G3 in time."""
        if self._absent and self._release is None:
            self._tips[validator] = max(height, self._tips.get(validator, 0))
            if len(self._tips) >= quorum:
                self._release = max(self._tips.values()) + _MAY_HAVE_VOTED_ABOVE

    def forget_witnesses(self) -> None:
        """Forget who showed a tip: other validators have these indices from now on (V4)."""
        self._tips.clear()

    def _empty(self, step: int) -> bool:
        return self._steps.get(step) == EMPTY_GUARD
