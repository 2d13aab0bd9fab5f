"""What one validator signs at one height: proposal, votes and round changes, each through the guard.

Law: a message leaves only behind the records it relies on (P1 to P4), and a node without a seat signs nothing.

P1  PROPOSAL: body, justification and sign state are durable, and the sidecars of a new block; a restarted leader
    proposes the same block again.
P2  PREPARE: body, its sidecars and sign state; others may rely on us holding them.
P3  COMMIT: body, prepared certificate and sign state.
P4  ROUND-CHANGE: the new round and sign state.
P5  Anything at the next height, and any answer to a client: block and commit certificate (``replica``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from coseal.consensus.context import Context
from coseal.consensus.events import Broadcast, Persist, Record
from coseal.consensus.guard import Signed
from coseal.consensus.messages import Commit, Message, Prepare, Proposal, RoundChange, preimage, subject
from coseal.ledger.block import Block
from coseal.ledger.certificate import PbftCertificate, Phase, vote_preimage
from coseal.ledger.signing import HASH_BYTES
from coseal.ledger.validators import ValidatorSet


class VoteSigner:
    """Our seat at ``height`` among ``validators``; ``me`` is its index, None for a node that only follows.

    ``round`` is the one it signs in.
    """

    def __init__(self, context: Context, height: int, validators: ValidatorSet) -> None:
        index, guard = validators.index(context.config.node_id), context.guard
        self._context = context
        self._height = height
        self._epoch = validators.epoch
        self.round = 0
        # A key other than the seat's would sign what nobody accepts; both may change with an epoch (V3, V5).
        holds = index is not None and guard is not None and guard.use_key(validators[index].key)
        self.me = index if holds else None

    @property
    def signs(self) -> bool:
        """Whether this node signs at all; one that does not must not wait for answers either."""
        guard = self._context.guard
        return guard is not None and self.me is not None and guard.silence(self._height) is None

    def may(self, phase: Phase) -> bool:
        """Say whether something new can be signed at this step of the round."""
        guard = self._context.guard
        return guard is not None and self.me is not None and guard.may_sign(self._height, self.round, phase)

    def sign(self, phase: Phase, last: bytes) -> Signed | None:
        """Return the signature of a statement, ``last`` being its last field; None when it is refused."""
        guard = self._context.guard
        if guard is None or self.me is None:
            return None
        return guard.sign(self._height, self.round, phase, self._preimage(self.round, phase, last))

    def place(self) -> tuple[int, int, int, int]:
        """Return the fields every message of this node begins with: epoch, height, round, sender."""
        return self._epoch, self._height, self.round, -1 if self.me is None else self.me

    def broadcast(self, message: Message, signed: Signed, records: Iterable[Record]) -> None:
        """Broadcast a message behind everything it relies on."""
        for record in records if signed.record is None else (*records, signed.record):
            self._context.emit(Persist(record))
        self._context.emit(Broadcast(message))

    def signed_before(
        self, blocks: Sequence[Block], justification: tuple[RoundChange, ...]
    ) -> list[Proposal | Prepare | Commit]:
        """Return our proposal and votes of the round once more, from what the guard holds."""
        guard = self._context.guard
        if guard is None or self.me is None:
            return []
        messages: list[Proposal | Prepare | Commit] = []
        proposed = guard.signed(self._height, self.round, Phase.PROPOSAL)
        for block in blocks:
            if proposed is not None and proposed.preimage == self._preimage(
                self.round, Phase.PROPOSAL, block.hash
            ):  # P1
                messages.append(Proposal(*self.place(), block, justification, proposed.signature))
        for phase, vote in ((Phase.PREPARE, Prepare), (Phase.COMMIT, Commit)):
            signed = guard.signed(self._height, self.round, phase)
            if signed is not None:
                messages.append(vote(*self.place(), signed.preimage[-HASH_BYTES:], signed.signature))
        return messages

    def check_own_signature(self, message: Message) -> None:
        """Compare a message that carries our own signature with what we know to have signed (G4)."""
        phase, _ = subject(message)
        self._check(phase, message.round, preimage(self._context.config.chain_id, message))

    def check_own_signature_in(self, certificate: PbftCertificate) -> None:
        """Compare our part of a verified certificate with what we know to have signed (G4)."""
        if self.me is not None and self.me in certificate.signers():
            signed = self._preimage(certificate.round, certificate.phase, certificate.block_hash)
            self._check(certificate.phase, certificate.round, signed)

    def _check(self, phase: Phase, round: int, signed: bytes) -> None:
        guard = self._context.guard
        if guard is not None and guard.lacks(self._height, round, phase, signed):
            self._context.emit(Persist(guard.stop()))
            self._context.fire("G4")

    def _preimage(self, round: int, phase: Phase, last: bytes) -> bytes:
        return vote_preimage(self._context.config.chain_id, self._epoch, self._height, round, phase, last)
