"""Frames from peers on their way to the machine: decoded, and their transactions verified off the loop.

Law: frames of one peer reach the machine in the order of their arrival; one peer's work never holds up another's,
and what waits for one peer is bounded by not reading from it. What came while a check was under way is checked
together, for a trip to another thread costs as much as a signature.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from consensus.messages import Proposal
from ledger import codec
from ledger.errors import LedgerError
from ledger.transaction import Transaction
from node import wire
from node.admission import VerifiedTransactions
from node.verifier import Verifier
from node.wire import Blocks, ConsensusMessage, Transactions, WireMessage

BACKLOG_BYTES: Final = 16 * 1024 * 1024
INLINE: Final = 2
"""So few signatures cost less where they are than on a trip to another thread."""
TOGETHER: Final = 64
"""A peer's waiting frames are checked together until they hold so many unverified transactions."""


class Destination(Protocol):
    """Where frames go; called on the loop."""

    def frame_ready(self, peer: str, message: WireMessage) -> None:
        """A decoded frame, its transactions verified as far as they are good."""
        ...

    def frame_malformed(self, peer: str, reason: str) -> None:
        """A frame that is not one of ours; a node of this software never sends one."""
        ...

    def fault(self, error: Exception) -> None:
        """Our own code failed on a frame; the process must end."""
        ...

    def pause(self, peer: str) -> None:
        """Read no more from ``peer``."""
        ...

    def resume(self, peer: str) -> None:
        """Read from ``peer`` again."""
        ...


class _Backlog:
    __slots__ = ("paused", "payloads", "size_bytes", "task")

    def __init__(self) -> None:
        self.payloads: deque[bytes] = deque()
        self.size_bytes = 0
        self.paused = False
        self.task: asyncio.Task[None] | None = None


class Inbox:
    """Every method is called on the loop. ``wanted`` says whether an unverified transaction is worth the work."""

    def __init__(
        self,
        verifier: Verifier,
        verified: VerifiedTransactions,
        wanted: Callable[[Transaction], bool],
        destination: Destination,
    ) -> None:
        self._verifier, self._verified, self._wanted = verifier, verified, wanted
        self._destination = destination
        self._backlogs: dict[str, _Backlog] = {}

    def receive(self, peer: str, payload: bytes) -> None:
        """Take an encoded frame."""
        backlog = self._backlogs.get(peer)
        if backlog is None:
            backlog = self._backlogs[peer] = _Backlog()
        if backlog.task is None:
            message = self._decode(peer, payload)
            unverified = [] if message is None else self._unverified(message)
            if message is not None and not self._deliver(peer, message, unverified):
                work = self._work(peer, backlog, [message], unverified)
                backlog.task = asyncio.get_running_loop().create_task(work)
            return
        backlog.payloads.append(payload)
        backlog.size_bytes += len(payload)
        if backlog.size_bytes > BACKLOG_BYTES and not backlog.paused:
            backlog.paused = True
            self._destination.pause(peer)

    def forget(self, peer: str) -> None:
        """Drop what waits for a peer whose link is gone."""
        backlog = self._backlogs.pop(peer, None)
        if backlog is not None and backlog.task is not None:
            backlog.task.cancel()

    def close(self) -> None:
        """Drop everything."""
        for peer in list(self._backlogs):
            self.forget(peer)

    def _deliver(self, peer: str, message: WireMessage, unverified: list[Transaction]) -> bool:
        """Pass a frame on if it needs no work in another thread."""
        if len(unverified) > INLINE:
            return False
        self._destination.frame_ready(peer, message)
        return True

    async def _work(
        self, peer: str, backlog: _Backlog, messages: list[WireMessage], unverified: list[Transaction]
    ) -> None:
        """Have the transactions of frames verified, pass them on, and go on with what came meanwhile.

        Before blocks are passed on, and executed, which takes long, the threads get those of the next frame.
        """
        try:
            while messages:
                bad = await self._verifier.check(unverified)
                ahead = self._look_ahead(backlog) if isinstance(messages[-1], Blocks) else None
                if ahead is not None:
                    self._verifier.begin(ahead[1])
                for message in messages:
                    self._destination.frame_ready(peer, _without(message, bad))
                if ahead is None:
                    messages, unverified = self._next(peer, backlog)
                else:
                    self._take(peer, backlog)
                    messages, unverified = [ahead[0]], ahead[1]
            backlog.task = None
        except Exception as error:
            self._destination.fault(error)

    def _look_ahead(self, backlog: _Backlog) -> tuple[WireMessage, list[Transaction]] | None:
        """Return the next frame that waits, which stays where it is, if its transactions are worth other threads."""
        if not backlog.payloads:
            return None
        try:
            message = wire.decode(backlog.payloads[0])
        except LedgerError:
            return None  # told when it is its turn
        unverified = self._unverified(message)
        return (message, unverified) if len(unverified) > INLINE else None

    def _take(self, peer: str, backlog: _Backlog) -> bytes:
        """Take the next frame out of those that wait, and read from the peer again if there is room."""
        payload = backlog.payloads.popleft()
        backlog.size_bytes -= len(payload)
        if backlog.paused and backlog.size_bytes < BACKLOG_BYTES // 2:
            backlog.paused = False
            self._destination.resume(peer)
        return payload

    def _next(self, peer: str, backlog: _Backlog) -> tuple[list[WireMessage], list[Transaction]]:
        """Pass on waiting frames up to one that needs work; return it with those behind it, as many as one check takes.

        Nothing waits if it returns no frame.
        """
        messages: list[WireMessage] = []
        unverified: list[Transaction] = []
        while backlog.payloads and len(unverified) < TOGETHER:
            message = self._decode(peer, self._take(peer, backlog))
            if message is None:
                continue
            more = self._unverified(message)
            if messages or not self._deliver(peer, message, more):
                messages.append(message)
                unverified += more
        return messages, unverified

    def _decode(self, peer: str, payload: bytes) -> WireMessage | None:
        try:
            return wire.decode(payload)
        except LedgerError as error:
            self._destination.frame_malformed(peer, error.reason)
            return None

    def _unverified(self, message: WireMessage) -> list[Transaction]:
        """Return the transactions in a frame whose signatures are still to be checked."""
        found: list[Transaction] = []
        for raw in _raws(message):
            if raw in self._verified:
                continue
            try:
                transaction = Transaction.decode(raw)
            except LedgerError:
                continue  # the machine refuses it, or the block that holds it
            if not isinstance(message, Transactions) or self._wanted(transaction):
                found.append(transaction)
        return found


def _raws(message: WireMessage) -> Iterable[bytes]:
    match message:
        case Transactions(raws):
            yield from raws
        case ConsensusMessage(Proposal() as proposal):
            yield from proposal.block.transactions
        case Blocks(_, blocks):
            for block, _ in blocks:
                yield from _raws_of_block(block)


def _raws_of_block(block: bytes) -> list[bytes]:
    """Return the transactions of an encoded block without proving that they are its header's."""
    try:
        _, transactions, _ = codec.decode_record(block, "block", 1, 3)
    except LedgerError:
        return []
    return [raw for raw in transactions if type(raw) is bytes] if type(transactions) is list else []


def _without(message: WireMessage, bad: set[bytes]) -> WireMessage:
    """Return gossip without what did not verify; a block is passed on as it is, for it is refused as a whole."""
    if bad and isinstance(message, Transactions):
        return Transactions(tuple(raw for raw in message.raws if raw not in bad))
    return message
