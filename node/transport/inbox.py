"""Frames from peers on their way to the machine: decoded, and their transactions verified off the loop.

Law: frames of one peer reach the machine in the order of their arrival; one peer's work never holds up another's,
and what waits for one peer is bounded by not reading from it. What came while a check was under way is checked
meanwhile, not when its turn comes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, Protocol, TypeAlias

from coseal.consensus.messages import Proposal
from coseal.ledger import codec
from coseal.ledger.errors import LedgerError
from coseal.ledger.transaction import Transaction
from coseal.node.core import wire
from coseal.node.core.verified_cache import VerifiedCache
from coseal.node.core.wire import Blocks, ConsensusMessage, Transactions, WireMessage
from coseal.node.verifier.verifier import Closed, Verifier

BACKLOG_BYTES: Final = 16 * 1024 * 1024
INLINE: Final = 2
"""So few signatures cost less where they are than on a trip to another process."""
AHEAD: Final = 4_096
"""Frames that wait are decoded while fewer transactions than these are being checked; decoded, one takes some 3 KB."""

_Opened: TypeAlias = tuple[WireMessage, list[Transaction]]


class Destination(Protocol):
    """Where frames go; called on the loop."""

    def frame_ready(self, peer: str, message: WireMessage) -> None:
        """A decoded frame, its transactions verified as far as they are good."""
        ...

    def frame_malformed(self, peer: str, reason: str) -> None:
        """A frame that no node of this software sends."""
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


class _Frame:
    """A frame that waits; ``opened``, if it was decoded already: its message and what is unverified in it."""

    __slots__ = ("opened", "payload")

    def __init__(self, payload: bytes) -> None:
        self.payload = payload
        self.opened: _Opened | None = None


class _Backlog:
    __slots__ = ("frames", "paused", "size_bytes", "task")

    def __init__(self) -> None:
        self.frames: deque[_Frame] = deque()
        self.size_bytes = 0
        self.paused = False
        self.task: asyncio.Task[None] | None = None


class Inbox:
    """Every method is called on the loop. ``wanted`` says whether an unverified transaction is worth the work."""

    def __init__(
        self,
        verifier: Verifier,
        verified: VerifiedCache,
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
            opened = self._open(peer, payload)
            if opened is not None and not self._deliver(peer, *opened):
                backlog.task = asyncio.get_running_loop().create_task(self._work(peer, backlog, *opened))
            return
        frame = _Frame(payload)
        backlog.frames.append(frame)
        backlog.size_bytes += len(payload)
        if backlog.size_bytes > BACKLOG_BYTES and not backlog.paused:
            backlog.paused = True
            self._destination.pause(peer)
        if self._verifier.pending < AHEAD:
            self._begin(frame)

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
        """Pass a frame on if it needs no work in another process."""
        if len(unverified) > INLINE:
            return False
        self._destination.frame_ready(peer, message)
        return True

    def _begin(self, frame: _Frame) -> None:
        """Have a frame's transactions checked while it waits, for those before it may take long to execute."""
        try:
            message = wire.decode(frame.payload)
        except LedgerError:
            return  # reported when it is its turn
        unverified = self._unverified(message)
        frame.opened = message, unverified
        if len(unverified) > INLINE:
            self._verifier.begin(unverified)

    async def _work(self, peer: str, backlog: _Backlog, message: WireMessage, unverified: list[Transaction]) -> None:
        """Have the transactions of a frame verified, pass it on, and go on with what came meanwhile."""
        try:
            while True:
                bad = await self._verifier.check(unverified)
                self._destination.frame_ready(peer, _without(message, bad))
                following = self._next(peer, backlog)
                if following is None:
                    break
                message, unverified = following
            backlog.task = None
        except Closed:
            return
        except Exception as error:
            self._destination.fault(error)

    def _next(self, peer: str, backlog: _Backlog) -> _Opened | None:
        """Pass on the frames that wait, up to one that needs work in another process, which is returned."""
        while backlog.frames:
            frame = backlog.frames.popleft()
            backlog.size_bytes -= len(frame.payload)
            if backlog.paused and backlog.size_bytes < BACKLOG_BYTES // 2:
                backlog.paused = False
                self._destination.resume(peer)
            opened = frame.opened or self._open(peer, frame.payload)
            if opened is not None and not self._deliver(peer, *opened):
                return opened
        return None

    def _open(self, peer: str, payload: bytes) -> _Opened | None:
        """Return a frame's message and what is unverified in it; None if it is malformed, which is reported."""
        try:
            message = wire.decode(payload)
        except LedgerError as error:
            self._destination.frame_malformed(peer, error.reason)
            return None
        return message, self._unverified(message)

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
