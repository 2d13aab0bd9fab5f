"""What the signer process signs, and what it refuses: its own guard in front of the consensus key.

Law (docs/spec/signer.md): a signature leaves only when the record of it is durable; over the life of the guard's
file at most one preimage is signed for a (height, round, step), no matter who asks and how often; what is no known
kind of statement of this chain is never signed.

The guard is the one of consensus (``consensus.guard``), the file has the form of a node's journal, and they share
nothing else with the node: a node that was taken over, cloned or restored from a copy cannot make it equivocate.
"""

from __future__ import annotations

from typing import Final, Protocol

from coseal.consensus.guard import STOPPED, SignGuard
from coseal.ledger.certificate import VOTE_PREIMAGE_BYTES, parse_vote_preimage
from coseal.ledger.errors import Malformed
from coseal.ledger.signing import HASH_BYTES, TAG_TRANSACTION, Signer
from coseal.node.core.journal import Journal
from coseal.node.signing.signer_wire import Answer, Is, Question, Refused, Sign, Signed, Who

# U3: on these the key's owner contradicts nobody, and the chain says what a node may send.
_FREE_TAGS: Final = (TAG_TRANSACTION,)
_TAG_BYTES: Final = len(TAG_TRANSACTION)
_FREE_BYTES: Final = _TAG_BYTES + 2 * HASH_BYTES


class GuardFile(Protocol):
    """Where the guard's records become durable; every method raises ``StorageError``, after which nothing is signed."""

    def append(self, data: bytes) -> None:
        """Write ``data`` at the end."""
        ...

    def sync(self) -> None:
        """Make what was appended durable."""
        ...

    def replace(self, data: bytes) -> None:
        """Put exactly ``data`` in the place of the file, durably."""
        ...


class SigningService:
    """Answers questions for one key on one chain; ``journal`` is the content of ``file`` at the start."""

    def __init__(self, signer: Signer, chain_id: bytes, node_id: str, journal: Journal, file: GuardFile) -> None:
        self._signer, self._chain_id, self._node_id = signer, chain_id, node_id
        self._journal, self._file = journal, file
        self._guard = SignGuard(signer, journal.persisted.signs)

    @property
    def place(self) -> tuple[int, int]:
        """The (height, round) of the last vote."""
        return self._guard.place

    def answer(self, question: Question) -> Answer:
        """Return the answer to a question; raises ``StorageError``, after which the process must end."""
        match question:
            case Who():
                return Is(self._signer.public_key, self._chain_id, self._node_id)
            case Sign(preimage) if len(preimage) == VOTE_PREIMAGE_BYTES:
                return self._vote(preimage)
            case Sign(preimage) if len(preimage) == _FREE_BYTES and preimage[:_TAG_BYTES] in _FREE_TAGS:
                if preimage[_TAG_BYTES : _TAG_BYTES + HASH_BYTES] != self._chain_id:  # U2
                    return Refused("a transaction of another chain")
                return Signed(self._signer.sign(preimage))  # U3
            case Sign():
                return Refused("neither a vote nor a transaction")  # U1

    def _vote(self, preimage: bytes) -> Answer:
        try:
            vote = parse_vote_preimage(preimage)  # U1
        except Malformed as error:
            return Refused(error.reason)
        if vote.chain_id != self._chain_id:  # U2
            return Refused("a vote of another chain")
        where = f"height {vote.height} round {vote.round} step {int(vote.phase)}"
        if not 0 < vote.height < STOPPED.height:
            return Refused(f"{where}: there is no such height")
        signed = self._guard.sign(vote.height, vote.round, vote.phase, preimage)  # U4
        if signed is None:
            height, round = self._guard.place
            return Refused(
                f"{where}: other bytes, or a later step, were signed before, at height {height} round {round}"
            )
        if signed.record is not None:
            self._file.append(self._journal.append(signed.record))
            self._file.sync()  # U5
            rewritten = self._journal.decided(vote.height - 1)
            if rewritten is not None:
                self._file.replace(rewritten)
        return Signed(signed.signature)
