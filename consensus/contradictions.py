"""What the validators of one height say against what they said before: noticed, and reported once a validator.

Law: of two contradicting messages the first one stays, and both are the proof (R2); a signature counts against its
signer whether it came in a message or inside a certificate. One of our own that the guard lacks silences us (G4).
"""

from __future__ import annotations

from coseal.consensus.context import Context
from coseal.consensus.events import Accuse
from coseal.consensus.messages import Commit, Message, Prepare
from coseal.consensus.vote_signer import VoteSigner
from coseal.consensus.votes import Verdict, Votes
from coseal.ledger.certificate import PbftCertificate, Phase
from coseal.ledger.validators import ValidatorSet


class Contradictions:
    """Holds what arrives against the messages kept in ``votes``, and against what ``vote_signer`` said."""

    def __init__(self, context: Context, votes: Votes, vote_signer: VoteSigner, validators: ValidatorSet) -> None:
        self._context, self._votes, self._vote_signer, self._validators = context, votes, vote_signer, validators
        self._accused: dict[int, None] = {}

    def accuse(self, message: Message) -> None:
        """Report a message that contradicts one that is held, once a height and validator."""
        first = self._votes.held(message)
        if first is not None and message.sender not in self._accused:
            self._accused[message.sender] = None
            self._context.emit(Accuse(self._validators[message.sender].id, first, message))

    def compare(self, certificate: PbftCertificate) -> None:
        """Hold a verified certificate against what its signers said to us; ourselves included."""
        self._vote_signer.check_own_signature_in(certificate)
        vote = Prepare if certificate.phase is Phase.PREPARE else Commit
        place = (certificate.epoch, certificate.height, certificate.round)
        for sender, signature in zip(certificate.signers(), certificate.signatures, strict=True):
            message = vote(*place, sender, certificate.block_hash, signature)
            if sender != self._vote_signer.me and self._votes.judge(message) is Verdict.CONFLICT:
                self.accuse(message)
