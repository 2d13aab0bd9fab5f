"""Spans of a transaction's way through this node, made from what goes into the machine and what comes out of it.

Law: the machine knows nothing of it, and the wire carries nothing for it. The trace of a transaction is named by the
transaction's id, so what every node tells of it joins without any of them having passed something on; which
transactions are traced follows from the id, too. Without ``[trace]`` there is no tracer, and nothing is looked at.

Ids: OpenTelemetry trace id = bytes 0..15 of the transaction's id, id of the root span = bytes 16..23.
"""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from coseal.consensus.messages import Commit, Message, Prepare, Proposal
from coseal.ledger.block import Block, CommittedBlock
from coseal.ledger.errors import LedgerError
from coseal.ledger.transaction import Transaction
from coseal.node.core.events import (
    Admission,
    Answered,
    AppendBlock,
    BroadcastFrame,
    Dropped,
    FrameReceived,
    NodeEffect,
    NodeEvent,
)
from coseal.node.core.wire import ConsensusMessage

ARRIVALS_MAX: Final = 10_000
FLIGHTS_MAX: Final = 64


class TraceSettings(BaseModel):
    """The table ``[trace]`` of ``node.toml``: where spans go, by OTLP over HTTP, and one transaction in how many."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    endpoint: str | None = Field(default=None, pattern=r"^https?://")
    one_in: int = Field(default=1, ge=1)


NO_TRACE: Final = TraceSettings()


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of work on one transaction; times in ns since the epoch, ids as in OpenTelemetry (16 and 8 bytes)."""

    name: str
    tx_id: bytes
    span_id: bytes
    start_ns: int
    end_ns: int
    attributes: dict[str, str | int]

    @property
    def trace_id(self) -> bytes:
        """The same on every node."""
        return self.tx_id[:16]

    @property
    def root_id(self) -> bytes:
        """The id of the root span, which the node makes whose client sent the transaction."""
        return root_id(self.tx_id)


def root_id(tx_id: bytes) -> bytes:
    """Return the id of the root span of a transaction's trace."""
    return tx_id[16:24]


@dataclass(slots=True)
class _Flight:
    """A block on its way: the traced transactions in it, and when its last step here ended.

    ``decided``: others' votes did it; what we still say of it is no step any more.
    """

    tx_ids: tuple[bytes, ...]
    attributes: dict[str, str | int]
    own: bool
    since_ns: int
    decided: bool = False


class Tracer:
    """Called by the runtime, on the loop; gives finished spans to ``export``. ``close`` ends what takes them."""

    def __init__(
        self,
        export: Callable[[Span], object],
        one_in: int = 1,
        now_ns: Callable[[], int] = time.time_ns,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self.now_ns, self.close = now_ns, close
        self._export, self._one_in = export, one_in
        self._arrivals: OrderedDict[bytes, int] = OrderedDict()
        self._flights: OrderedDict[bytes, _Flight] = OrderedDict()

    def arrived(self, transactions: Iterable[Transaction]) -> None:
        """A client's transactions have arrived."""
        now = self.now_ns()
        for transaction in transactions:
            if self._is_traced(transaction.id):
                self._arrivals[transaction.id] = now
        _bound(self._arrivals, ARRIVALS_MAX)

    def stepped(self, event: NodeEvent, effects: Sequence[NodeEffect], started_ns: int) -> None:
        """The machine took an event, from ``started_ns`` on until now, and answered with ``effects``."""
        match event:
            case FrameReceived(_, ConsensusMessage(Proposal() as proposal)):
                self._proposed(proposal, started_ns, own=False)
        for effect in effects:
            match effect:
                case Answered():
                    self._answered(effect, started_ns)
                case BroadcastFrame(ConsensusMessage(Proposal() as proposal)):
                    self._proposed(proposal, started_ns, own=True)
                case AppendBlock(committed):
                    self._decided(committed, started_ns)
                case Dropped(answers):
                    for answer in answers:
                        self._end(answer.tx_id, {"coseal.end": "dropped"})

    def left(self, message: Message) -> None:
        """A message of this node left it: what it promises is durable."""
        block_hash = message.block.hash if isinstance(message, Proposal) else getattr(message, "block_hash", b"")
        flight = self._flights.get(block_hash)
        if flight is None or flight.decided:
            return
        match message:
            case Proposal():
                self._step(flight, "proposal")
            case Prepare():
                self._step(flight, None if flight.own else "vote")
            case Commit():
                self._step(flight, "prepared")

    def published(self, committed: CommittedBlock) -> None:
        """A block is durable and its clients know."""
        flight = self._flights.pop(committed.block.hash, None)
        if flight is None:
            return
        self._step(flight, "receipt")
        for tx_id in flight.tx_ids:
            self._end(tx_id, {"coseal.end": "committed", "coseal.height": committed.block.header.height})

    def _is_traced(self, tx_id: bytes) -> bool:
        return int.from_bytes(tx_id[24:]) % self._one_in == 0

    def _answered(self, effect: Answered, started_ns: int) -> None:
        for answer in effect.answers:
            arrived_ns = self._arrivals.get(answer.tx_id)
            if arrived_ns is None:
                continue
            said: dict[str, str | int] = {"coseal.admission": answer.admission.value}
            if answer.rejected is not None:
                said["coseal.code"] = answer.rejected.code
            self._say("verification", answer.tx_id, arrived_ns, started_ns, {})
            self._say("admission", answer.tx_id, started_ns, self.now_ns(), said)
            if answer.admission is Admission.REJECTED:
                self._end(answer.tx_id, {"coseal.end": "rejected"})
            elif answer.admission is not Admission.ACCEPTED:  # another request is its root
                del self._arrivals[answer.tx_id]

    def _proposed(self, proposal: Proposal, started_ns: int, *, own: bool) -> None:
        if proposal.block.hash not in self._flights:
            self._take_off(proposal.block, proposal.round, started_ns, own=own)

    def _decided(self, committed: CommittedBlock, started_ns: int) -> None:
        flight = self._flights.get(committed.block.hash)
        if flight is None:  # it came with its certificate, to a node that follows or catches up
            flight = self._take_off(committed.block, committed.certificate.round, started_ns, own=False)
        else:
            self._step(flight, "commit")
        flight.decided = True

    def _take_off(self, block: Block, round: int, started_ns: int, *, own: bool) -> _Flight:
        traced = tuple(tx_id for raw in block.transactions if (tx_id := _id_of(raw)) and self._is_traced(tx_id))
        attributes: dict[str, str | int] = {
            "coseal.height": block.header.height,
            "coseal.round": round,
            "coseal.block": block.hash.hex(),
        }
        flight = self._flights[block.hash] = _Flight(traced, attributes, own, started_ns)
        _bound(self._flights, FLIGHTS_MAX)
        return flight

    def _step(self, flight: _Flight, name: str | None) -> None:
        """End what lasted until now for a block, under ``name`` if it has one, and begin the next."""
        now = self.now_ns()
        if name is not None:
            for tx_id in flight.tx_ids:
                self._say(name, tx_id, flight.since_ns, now, flight.attributes)
        flight.since_ns = now

    def _end(self, tx_id: bytes, attributes: dict[str, str | int]) -> None:
        """End the root span, if this node began it."""
        arrived_ns = self._arrivals.pop(tx_id, None)
        if arrived_ns is not None:
            self._export(Span("transaction", tx_id, root_id(tx_id), arrived_ns, self.now_ns(), attributes))

    def _say(self, name: str, tx_id: bytes, start_ns: int, end_ns: int, attributes: dict[str, str | int]) -> None:
        self._export(Span(name, tx_id, os.urandom(8), start_ns, end_ns, attributes))


def _id_of(raw: bytes) -> bytes | None:
    try:
        return Transaction.decode(raw).id
    except LedgerError:
        return None  # the machine refuses the block


def _bound(kept: OrderedDict[bytes, int] | OrderedDict[bytes, _Flight], most: int) -> None:
    while len(kept) > most:
        kept.popitem(last=False)
