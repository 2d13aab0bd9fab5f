"""Following the chain: every block from a place on, verified, and its events in ledger order.

Law: a block is given, and an event yielded, only after the block was verified and follows the one before it; none is
left out or yielded twice, whichever nodes are asked on the way. An event's id is all that is needed to go on later.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any, Final

from coseal.client.contracts import event_kinds
from coseal.client.exchange import MSGPACK, Exchange, Pause, document_of, false_answer
from coseal.client.reads import records_of
from coseal.client.session import Session
from coseal.contracts.block_events import BEGIN, Place, block_events, place_after, place_text
from coseal.contracts.installed import installed
from coseal.contracts.kernel.admitted import Admitted, history_of
from coseal.contracts.kernel.state import CONTRACTS_KEY
from coseal.contracts.registry import Contracts, coming, others_at
from coseal.errors import Busy, CosealError, FalseAnswer, Unreachable
from coseal.ledger.block import CommittedBlock, Receipt

PATIENCE_S: Final = 60.0
_PAGE_BLOCKS: Final = 100
_PLACE: Final = re.compile(r"[0-9]{1,18}(:([0-9]{1,9}|begin)(:[0-9]{1,9})?)?")
_PAUSE_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Event:
    """What was committed: ``kind`` is ``transaction``, ``finding``, ``evidence`` or ``begin``, or ``CONTRACT.NAME``
    of a contract of others that is installed here; ``data`` as in the API.

    ``id`` is its place on the ledger, ``HEIGHT:INDEX`` or longer, the same at every node.
    """

    id: str
    kind: str
    height: int
    data: dict[str, Any]


class Blocks:
    """Where a reader of blocks stands; ``more`` takes it further, until ``done``."""

    def __init__(
        self,
        session: Session,
        *,
        start: int | None = None,
        parent: bytes | None = None,
        follow: bool = True,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """``start``: the first height, else what comes next. ``parent``: the hash of the block before it, if known.

        ``patience_s``: how long no node need answer before ``more`` raises ``Unreachable``.
        """
        if start is not None and start < 0:
            raise CosealError(f"height {start}", "heights begin at 1")
        self.done = False
        self._session, self._follow, self._patience_s = session, follow, patience_s
        self._height = None if start is None else max(1, start)
        self._parent = parent
        self._goal: int | None = None
        self._pruned: set[str] = set()
        self._known = installed().contracts
        self._history: tuple[Admitted, ...] | None = None if self._known else ()

    def others(self, committed: CommittedBlock) -> Contracts:
        """Return the contracts of others that a block given by ``more`` ran with, as far as they are installed here;
        to be asked of each block, in order.
        """
        height, entries = committed.block.header.height, self._history or ()
        if self._known:
            coming_here = coming(Receipt.decode(committed.receipts[0]).data, height)
            self._history = tuple(sorted({*entries, *coming_here}))
        return others_at(entries, height, self._known)

    def more(self) -> Exchange[list[CommittedBlock]]:
        """Return the next blocks, none if nothing came; to call again if a node fails in between.

        Raises ``Refused`` (``pruned``) when no node keeps the next block any more.
        """
        silent_since = time.monotonic()
        while True:
            try:
                found = yield from self._more()
                if found or self.done:
                    return found
                if not self._follow and time.monotonic() - silent_since > self._patience_s:
                    raise Busy(f"no node gives block {self._height}, which is committed", "try again in a moment")
                if self._follow:
                    yield Pause(_PAUSE_S)
                    return []
            except (FalseAnswer, Unreachable) as error:
                if isinstance(error, FalseAnswer):
                    self._session.distrust(error)
                    if len(self._session.distrusted) == len(self._session.urls):
                        raise
                elif isinstance(error, Busy):
                    self._session.turn(error.node)
                if time.monotonic() - silent_since > self._patience_s:
                    raise
            yield Pause(_PAUSE_S)

    def _more(self) -> Exchange[list[CommittedBlock]]:
        if self._height is None or (self._goal is None and not self._follow):
            tip = (yield from self._session.block("latest")).block.header.height
            self._height = tip + 1 if self._height is None else self._height
            self._goal = tip
        height = self._height
        if self._end(height):
            return []
        node, raws = yield from self._records(height)
        if raws and self._history is None:
            self._history = history_of((yield from self._session.value(CONTRACTS_KEY, height)))
        blocks: list[CommittedBlock] = []
        for raw in raws:
            try:
                committed = yield from self._session.verified_block(node, raw)
                self._require_next(node, committed, height)
            except (FalseAnswer, Unreachable) as error:
                if not blocks:
                    raise
                if isinstance(error, FalseAnswer):
                    self._session.distrust(error)
                break  # what came before it holds; the next call asks for this block again
            blocks.append(committed)
            self._parent, height = committed.block.hash, height + 1
            self._height = height
            self._pruned.clear()
            if self._end(height):
                break
        return blocks

    def _end(self, height: int) -> bool:
        self.done = not self._follow and self._goal is not None and height > self._goal
        return self.done

    def _records(self, height: int) -> Exchange[tuple[str, list[bytes]]]:
        """Return a node's records of blocks from a height on; waits for the first, none if it does not come."""
        session = self._session
        params = {"from": height, "limit": _PAGE_BLOCKS, "min_height": height}
        reply = yield from session.ask("GET", "/v1/blocks", params=params, headers={"Accept": MSGPACK})
        if reply.status == 503 and b'"height_not_reached"' in reply.content:
            session.turn(reply.node)  # nothing new here: is there elsewhere?
            return reply.node, []
        if reply.status == 410:
            self._pruned.add(reply.node)
            if len(self._pruned) < len(session.urls):
                raise Busy(f"{reply.node} keeps block {height} no more", "ask one that does", node=reply.node)
        if reply.status >= 500:
            raise Busy(f"{reply.node} answered {reply.status}", "ask another node", node=reply.node)
        if reply.status != 200:
            document_of(reply)
        blocks = records_of(reply, _PAGE_BLOCKS)
        if not blocks:
            raise false_answer(reply.node, f"gave no block, though it was asked to wait for block {height}")
        return reply.node, blocks

    def _require_next(self, node: str, committed: CommittedBlock, height: int) -> None:
        header = committed.block.header
        if header.height != height or self._parent not in (None, header.parent_hash):
            raise false_answer(node, f"gave another block than the next, {height}")


class Follower:
    """Where a reader of events stands; ``more`` takes it further, until ``done``."""

    def __init__(
        self,
        session: Session,
        *,
        after: str | None = None,
        start: int | None = None,
        contract: str | None = None,
        kind: str | None = None,
        follow: bool = True,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """``patience_s``: how long no node need answer before ``more`` raises ``Unreachable``."""
        if after is not None and _PLACE.fullmatch(after) is None:
            raise CosealError(f"{after!r} is not a position in a stream", "give the id of an event, such as 12:0")
        if kind is not None and kind not in (kinds := event_kinds()):
            raise CosealError(f"no events of kind {kind!r}", f"choose one of {', '.join(kinds)}")
        self._contract, self._kind = contract, kind
        self._start: Place = (0, BEGIN, 0)
        if after is not None:
            self._start = place_after(after)
            start = self._start[0]
        self._blocks = Blocks(session, start=start, follow=follow, patience_s=patience_s)

    @property
    def done(self) -> bool:
        """Whether the tip was reached, where it was not to be followed."""
        return self._blocks.done

    def more(self) -> Exchange[list[Event]]:
        """Return the events of the next blocks, none if nothing came; to call again if a node fails in between."""
        return [
            Event(place_text(event.place), event.kind, committed.block.header.height, event.data)
            for committed in (yield from self._blocks.more())
            for event in block_events(committed, self._start, self._blocks.others(committed))
            if self._kind in (None, event.kind) and (self._contract is None or self._contract in event.contracts)
        ]
