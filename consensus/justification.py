"""What a round change may carry, and what a leader may propose after one. Every honest node recomputes it.

Law: if any block can have been decided at this height, the justification of every later proposal binds to it.

J1  A round change asks for a round from 1 and is of this height and epoch.
J2  A carried certificate is of q PREPAREs at this height and epoch, in a round below the one asked for. A claim that
    does not hold drops that round change alone.
J3  A proposal of round r > 0 carries round changes to exactly r by q distinct signers, all signatures verified; two
    by one signer refuse it. One of round 0 carries none.
J4  The certificate of the highest round among them binds the choice; two blocks certified in that round refuse it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from coseal.consensus.messages import Proposal, RoundChange, verify_message
from coseal.ledger.certificate import PbftCertificate, Phase
from coseal.ledger.errors import BadCertificate, BadSignature
from coseal.ledger.signing import Verify
from coseal.ledger.validators import ValidatorSet


@dataclass(frozen=True, slots=True)
class Justified:
    """The round changes that count, and the certificate that binds the proposal (None: a fresh block)."""

    changes: tuple[RoundChange, ...]
    prepared: PbftCertificate | None


class Judge:
    """Checks round changes of one height, remembering a bounded number of certificates that hold."""

    def __init__(self, chain_id: bytes, height: int, validators: ValidatorSet, verify: Verify) -> None:
        self._chain_id = chain_id
        self._height = height
        self._validators = validators
        self._verify = verify
        self._proven: dict[bytes, None] = {}

    def change_holds(self, change: RoundChange) -> bool:
        """Say whether what the round change carries is true; its own signature was checked (J1, J2)."""
        if change.round == 0 or change.height != self._height or change.epoch != self._validators.epoch:  # J1
            return False
        return change.prepared is None or (
            change.prepared.round < change.round and self.certificate_holds(change.prepared, Phase.PREPARE)  # J2
        )

    def certificate_holds(self, certificate: PbftCertificate, phase: Phase) -> bool:
        """Say whether a certificate proves q votes of ``phase`` at this height."""
        if certificate.phase is not phase or certificate.height != self._height:
            return False
        key = certificate.hash
        if key in self._proven:
            return True
        try:
            certificate.verify(self._chain_id, self._validators, self._verify)
        except BadCertificate:
            return False
        self._proven[key] = None
        if len(self._proven) > PROVEN_MAX:
            del self._proven[next(iter(self._proven))]
        return True

    def justify(self, proposal: Proposal, known: dict[int, RoundChange]) -> Justified | None:
        """Return what the proposal's justification comes to, or None if it proves nothing (J3, J4).

        ``known`` are round changes by sender that were checked before and need not be checked again.
        """
        if proposal.round == 0:
            return None if proposal.justification else Justified((), None)  # J3
        senders = [change.sender for change in proposal.justification]
        if len(set(senders)) != len(senders):  # J3: who counts twice counts for nothing
            return None
        changes = tuple(c for c in proposal.justification if c.round == proposal.round and self._counts(c, known))
        if len(changes) < self._validators.quorum:
            return None
        return choose(changes)

    def _counts(self, change: RoundChange, known: dict[int, RoundChange]) -> bool:
        if known.get(change.sender) == change:
            return True
        try:
            verify_message(self._chain_id, self._validators, change, self._verify)
        except BadSignature:
            return False
        return self.change_holds(change)


PROVEN_MAX: Final = 256  # B6


def choose(changes: tuple[RoundChange, ...]) -> Justified | None:
    """Return the changes with the certificate that binds (J4), or None when two blocks claim the highest round."""
    certificates = [change.prepared for change in changes if change.prepared is not None]
    if not certificates:
        return Justified(changes, None)
    highest = max(certificates, key=lambda certificate: certificate.round)
    if any(c.round == highest.round and c.block_hash != highest.block_hash for c in certificates):
        return None
    return Justified(changes, highest)
