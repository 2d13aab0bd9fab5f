"""``python -m coseal.node.verifier.preview_worker STATE GENESIS``: the process that simulates transactions for a node.

Law: it only reads the node's state, of one moment for each question, and records nothing; it ends when the node does.
It is a process, for what it executes is somebody's wish, and a thread would take the interpreter from the loop and
share with it what contracts remember. Frames are a length (4 bytes, big-endian) and that many bytes.
"""

from __future__ import annotations

import os
import socket
import sys
import time
import traceback
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Final

from coseal.contracts.execution import Executor
from coseal.contracts.installed import installed
from coseal.contracts.kernel.action import Rejected
from coseal.contracts.membership import actions as membership
from coseal.ledger import codec
from coseal.ledger.block import Receipt
from coseal.ledger.errors import LedgerError
from coseal.ledger.genesis import Genesis
from coseal.ledger.state import State
from coseal.ledger.transaction import Transaction
from coseal.node.storage.state_store import ReadOnlyStore

LENGTH_BYTES: Final = 4
READY: Final = b"\x01"
_WRITTEN_S: Final = 2.0
_POLL_S: Final = 0.01
_NICE: Final = 10


@dataclass(frozen=True, slots=True)
class Question:
    """What would come of ``raw`` in the next block, at ``time_ms``, on a state no older than ``min_height``?

    ``signed`` False: nobody signed it, and it is taken as signed with the sender's key.
    """

    raw: bytes
    signed: bool
    min_height: int
    time_ms: int

    def encode(self) -> bytes:
        """Return the bytes of the question."""
        return codec.encode(["preview", 1, self.raw, self.signed, self.min_height, self.time_ms])

    @staticmethod
    def decode(data: bytes) -> Question:
        """Parse a question of the node, which makes no others."""
        return Question(*codec.decode_own(data)[2:])


@dataclass(frozen=True, slots=True)
class Preview:
    """What would come of it on the state after block ``height``: a receipt, or why no block could hold it."""

    height: int
    outcome: Receipt | Rejected

    def encode(self) -> bytes:
        """Return the bytes of the answer."""
        found = self.outcome
        rest = [found.code, found.detail] if isinstance(found, Rejected) else [found.encode()]
        return codec.encode(["previewed", 1, self.height, *rest])

    @staticmethod
    def decode(data: bytes) -> Preview:
        """Parse an answer."""
        height, *rest = codec.decode_own(data)[2:]
        return Preview(height, Receipt.decode(rest[0]) if len(rest) == 1 else Rejected(*rest))


class Previewer:
    """Answers questions about the state in a store, whose tree is not made: no root is asked for."""

    def __init__(self, genesis: Genesis, store: ReadOnlyStore) -> None:
        self._genesis, self._store = genesis, store
        self._state = State(store, genesis.parameters.state_bits)
        self._executor: Executor | None = None

    def answer(self, question: Question) -> Preview:
        """Execute what is asked for on the newest state; a contract that fails is the answer's ``internal_error``."""
        height = self._renewed(question.min_height)
        try:
            return Preview(height, self._outcome(question, height))
        except Exception:  # the process is for this; what it printed is in the node's log
            traceback.print_exc()
            return Preview(height, Rejected("internal_error", "the contract failed; the node's log says where"))
        finally:
            self._store.rest()

    def _renewed(self, min_height: int) -> int:
        """See the newest state, which the node may be about to write; return its height."""
        deadline = time.monotonic() + _WRITTEN_S
        while (height := self._store.renew()) < min_height and time.monotonic() < deadline:
            time.sleep(_POLL_S)
        return height

    def _outcome(self, question: Question, height: int) -> Receipt | Rejected:
        if self._executor is None or self._executor.height != height:
            self._executor = Executor(self._genesis, self._state, height=height, others=installed().contracts)
        try:
            tx = Transaction.decode(question.raw)
            if question.signed:
                tx.verify_signature()
        except LedgerError as error:
            return Rejected("bad_signature" if question.signed else "malformed", error.reason)
        if not question.signed:
            key = membership.sender_key(self._executor.reader, tx.sender)
            tx = replace(tx, public_key=tx.public_key if key is None else key)
        refused = self._executor.check(tx, question.time_ms)
        if refused is not None:
            return refused
        outcome = self._executor.run(height + 1, question.time_ms, [tx])
        return Receipt.decode(outcome.receipts[1])


def frame(data: bytes) -> bytes:
    """Return the bytes that carry ``data``."""
    return len(data).to_bytes(LENGTH_BYTES, "big") + data


def serve(previewer: Previewer, questions: BinaryIO, answers: socket.socket) -> None:
    """Say that it is ready, and answer until the other end is gone."""
    answers.sendall(READY)
    while len(length := questions.read(LENGTH_BYTES)) == LENGTH_BYTES:
        data = questions.read(int.from_bytes(length, "big"))
        answers.sendall(frame(previewer.answer(Question.decode(data)).encode()))


def main() -> None:
    """Serve the socket at standard input, behind everything else that wants a processor."""
    os.nice(_NICE)
    state, genesis = map(Path, sys.argv[1:])
    with socket.socket(fileno=0) as node, node.makefile("rb") as questions:
        store = ReadOnlyStore(state)
        try:
            serve(Previewer(Genesis.decode(genesis.read_bytes()), store), questions, node)
        except ConnectionError:
            return


if __name__ == "__main__":
    main()
