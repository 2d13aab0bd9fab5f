"""Following the chain: every block from a place on, verified, as events in ledger order.

Law: an event is told only after its block was verified and follows the one told before it; none is left out or told
twice, whichever nodes are asked on the way. An event's id is all that is needed to go on later.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any, Final

from contracts.feed import BEGIN, KINDS, Place, place_after, place_text, told
from coseal.conversation import MSGPACK, Conversation, Dialogue, Pause, document_of, false_answer
from coseal.errors import Busy, CosealError, FalseAnswer, Unreachable
from ledger import codec
from ledger.block import CommittedBlock
from ledger.errors import LedgerError

PATIENCE_S: Final = 60.0
_PAGE_BLOCKS: Final = 100
_PLACE: Final = re.compile(r"[0-9]{1,18}(:([0-9]{1,9}|begin)(:[0-9]{1,9})?)?")
_PAUSE_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Event:
    """What was committed: ``kind`` is ``transaction``, ``finding``, ``evidence`` or ``begin``; ``data`` as in the API.

    ``id`` is its place on the ledger, ``HEIGHT:INDEX`` or longer, the same at every node.
    """

    id: str
    kind: str
    height: int
    data: dict[str, Any]


class Follower:
    """Where a reader of the chain stands; ``more`` takes it further, until ``done``."""

    def __init__(
        self,
        conversation: Conversation,
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
            raise CosealError(f"{after!r} is no place in a stream", "give the id of an event, such as 12:0")
        if kind is not None and kind not in KINDS:
            raise CosealError(f"no events of kind {kind!r}", f"there are {', '.join(KINDS)}")
        if start is not None and start < 0:
            raise CosealError(f"height {start}", "heights begin at 1")
        self.done = False
        self._conversation, self._contract, self._kind, self._follow = conversation, contract, kind, follow
        self._patience_s = patience_s
        self._place: Place | None = None
        if after is not None:
            self._place = place_after(after)
        elif start is not None:
            self._place = (max(1, start), BEGIN, 0)
        self._last: CommittedBlock | None = None
        self._goal: int | None = None

    def more(self) -> Dialogue[list[Event]]:
        """Return the events of the next blocks, none if nothing came; to call again if a node fails in between."""
        silent_since = time.monotonic()
        while True:
            try:
                return (yield from self._more())
            except (FalseAnswer, Unreachable) as error:
                if isinstance(error, FalseAnswer):
                    self._conversation.distrust(error)
                    if len(self._conversation.distrusted) == len(self._conversation.urls):
                        raise
                elif isinstance(error, Busy):
                    self._conversation.turn(error.node)
                if time.monotonic() - silent_since > self._patience_s:
                    raise
            yield Pause(_PAUSE_S)

    def _more(self) -> Dialogue[list[Event]]:
        if self._place is None or (self._goal is None and not self._follow):
            tip = (yield from self._conversation.block("latest")).block.header.height
            self._place = self._place or (tip + 1, BEGIN, 0)
            self._goal = tip
        height = self._place[0]
        if self._end(height):
            return []
        node, blocks = yield from self._blocks(height)
        events: list[Event] = []
        for raw in blocks:
            try:
                committed = yield from self._conversation.verified_block(node, raw)
                self._require_next(node, committed, height)
            except (FalseAnswer, Unreachable) as error:
                if not events:
                    raise
                if isinstance(error, FalseAnswer):
                    self._conversation.distrust(error)
                break  # what came before it holds; the next call asks for this block again
            events += [
                Event(place_text(event.place), event.kind, height, event.data)
                for event in told(committed, self._place)
                if self._kind in (None, event.kind) and self._contract in (None, event.contract)
            ]
            self._last, height = committed, height + 1
            self._place = (height, BEGIN, 0)
            if self._end(height):
                break
        return events

    def _end(self, height: int) -> bool:
        self.done = not self._follow and self._goal is not None and height > self._goal
        return self.done

    def _blocks(self, height: int) -> Dialogue[tuple[str, list[bytes]]]:
        """Return a node's records of blocks from a height on; waits for the first, none if it does not come."""
        conversation = self._conversation
        params = {"from": height, "limit": _PAGE_BLOCKS, "min_height": height}
        reply = yield from conversation.ask("GET", "/v1/blocks", params=params, headers={"Accept": MSGPACK})
        if reply.status == 503 and b'"height_not_reached"' in reply.content:
            conversation.turn(reply.node)  # nothing new here: is there elsewhere?
            return reply.node, []
        if reply.status != 200:
            document_of(reply)
        try:
            rows = codec.sequence(codec.decode(reply.content), "blocks", limit=_PAGE_BLOCKS)
            return reply.node, [codec.octets(row, "block") for row in rows]
        except LedgerError as error:
            raise false_answer(reply.node, f"gave no blocks: {error.reason}") from None

    def _require_next(self, node: str, committed: CommittedBlock, height: int) -> None:
        header, last = committed.block.header, self._last
        if header.height != height or (last is not None and header.parent_hash != last.block.hash):
            raise false_answer(node, f"gave another block than the next, {height}")
