"""Carrying events over: verified blocks in, acknowledged events out, the cursor behind them.

Law: an event leaves only after its block was verified and all wanted ones before it were acknowledged; the cursor never
stands behind an event that was neither acknowledged nor written to the dead letters. So a receiver gets every event at
least once and in order, however long it or the nodes are away. Nothing is queued: the next blocks are asked for when
those before are delivered.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from coseal.client.asynchronous import AsyncClient
from coseal.client.connection import introduced
from coseal.client.stream import Blocks
from coseal.contracts.registry import Contracts
from coseal.errors import BadAnswer, CosealError, Refused, Unreachable
from coseal.ledger.block import CommittedBlock
from coseal.ledger.render import time_text
from coseal.ledger.strict_json import json_line
from coseal.streams.cursor import Cursor, Position
from coseal.streams.outgoing import Outgoing, outgoing
from coseal.streams.wanted import Wanted

Others = Callable[[CommittedBlock], Contracts]
"""Returns the contracts of others that a block ran with."""
Report = Callable[[str, dict[str, Any]], None]
"""``report(what, facts)``: what happens, for an observer."""

MAX_DEAD_IN_A_ROW: Final = 100
"""So many events in a row that are not taken are no bad events but the wrong receiver."""
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 30.0
LONGEST_ASKED_S: Final = 3_600.0
"""No receiver makes us wait longer between two attempts."""
_EVERY_S: Final = 1.0
_NOTHING_S: Final = 0.1
"""A node that has nothing new lets us wait; one that does not is not asked without end."""


class Away(Exception):
    """The receiver did not acknowledge; later it may. ``after_s``: how long it asks to be left alone."""

    def __init__(self, detail: str, after_s: float = 0.0) -> None:
        super().__init__(detail)
        self.detail, self.after_s = detail, after_s


class NotTaken(Exception):
    """The receiver will never take these events as they are."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Receiver(Protocol):
    """Where events go. ``name`` is what the cursor is bound to; at most ``batch_events`` are delivered at once."""

    name: str
    batch_events: int
    batch_bytes: int

    async def deliver(self, events: Sequence[Outgoing]) -> None:
        """Return when all are acknowledged; raise ``Away``, ``NotTaken``, or a ``CosealError`` that ends the stream."""

    async def close(self) -> None:
        """Let go of connections."""


@dataclass(slots=True)
class Figures:
    """What was done since the start. ``height`` is that of the last block done with, ``time_ms`` its time."""

    sent: int = 0
    left_out: int = 0
    attempts_failed: int = 0
    dead_letters: int = 0
    height: int = 0
    time_ms: int = 0
    receiver_up: bool = True

    def document(self) -> dict[str, Any]:
        """Return the figures as JSON values."""
        return {
            "height": self.height,
            "time": time_text(self.time_ms) if self.time_ms else None,
            "sent": self.sent,
            "left_out": self.left_out,
            "attempts_failed": self.attempts_failed,
            "dead_letters": self.dead_letters,
        }


class Delivery:
    """Delivers what is wanted of a chain to a receiver, from a position on."""

    def __init__(
        self,
        client: AsyncClient,
        receiver: Receiver,
        wanted: Wanted,
        report: Report,
        *,
        cursor: Cursor | None = None,
        start: int | None = 1,
        follow: bool = True,
        dead_letters: Path | None = None,
        give_up_s: float | None = None,
    ) -> None:
        """``start``: the first height where the cursor has none, None for what comes next.

        ``give_up_s``: raise ``Unreachable`` when the receiver has not acknowledged for so long; never if None.
        """
        self.figures = Figures()
        self._client, self._receiver, self._wanted, self._report = client, receiver, wanted, report
        self._cursor, self._start, self._follow = cursor, start, follow
        self._dead_letters, self._give_up_s = dead_letters, give_up_s
        self._position: Position | None = None
        self._written_at = self._told_at = time.monotonic()
        self._dead_in_a_row = 0

    async def run(self) -> None:
        """Deliver until the tip (without ``follow``) or until cancelled; the cursor is written before this returns.

        Raises ``BadAnswer`` (an event that is not taken, blocks that are kept nowhere, another chain), ``Unreachable``.
        """
        try:
            await self._patiently(lambda: self._client.run(introduced(self._client.session, None)))
            self._position = await self._begin()
            self._write()
            self._report("started", {"to": self._receiver.name, "from": self._position.height})
            parent = self._position.parent
            blocks = Blocks(
                self._client.session,
                start=self._position.height,
                parent=None if parent is None else bytes.fromhex(parent),
                follow=self._follow,
            )
            while not blocks.done:
                found = await self._more(blocks)
                await (self._page(found, blocks.others) if found else asyncio.sleep(_NOTHING_S))
        finally:
            self._write()

    # Where it stands

    async def _begin(self) -> Position:
        if self._cursor is not None and self._cursor.position is not None:
            return self._cursor.position
        if self._start is not None:
            return Position(self._start)
        tip = (await self._patiently(lambda: self._client.block("latest"))).block
        return Position(tip.header.height + 1, tip.hash.hex())

    def _write(self) -> None:
        self._written_at = time.monotonic()
        if self._cursor is not None and self._position not in (None, self._cursor.position):
            self._cursor.write(self._position)

    def _reach(self, position: Position) -> None:
        """Note that everything before a position is done with."""
        self._position = position
        self.figures.height = position.height - 1
        now = time.monotonic()
        if now - self._written_at >= _EVERY_S:
            self._write()
        if now - self._told_at >= _EVERY_S:
            self._say()

    def _say(self) -> None:
        self._told_at = time.monotonic()
        self._report("sent", self.figures.document())

    # From the nodes

    async def _patiently(self, ask: Callable[[], Any]) -> Any:
        """Return what nodes answer, however long none does; only as long as usual if the tip is the end."""
        while True:
            try:
                return await ask()
            except Unreachable as error:
                if not self._follow:
                    raise
                self._report("no_node", {"detail": error.detail, "hint": error.hint})
                await asyncio.sleep(_EVERY_S)

    async def _more(self, blocks: Blocks) -> list[CommittedBlock]:
        try:
            found: list[CommittedBlock] = await self._patiently(lambda: self._client.run(blocks.more()))
        except Refused as error:
            if error.code != "pruned":
                raise
            height = 0 if self._position is None else self._position.height
            hint = (
                "add --url of a node that keeps all blocks; the cursor stays where it is, so nothing is lost until then"
            )
            raise BadAnswer(f"no node asked keeps block {height}, the next to send: {error.detail}", hint) from None
        return found

    # To the receiver

    async def _page(self, blocks: Sequence[CommittedBlock], others: Others) -> None:
        before = self.figures.sent
        chunk: list[Outgoing] = []
        size, reached = 0, None
        for event, position in self._steps(blocks, others):
            if event is not None and self._wanted(event):
                length = len(event.structured)
                full = len(chunk) >= self._receiver.batch_events or size + length > self._receiver.batch_bytes
                if chunk and full and reached is not None:
                    await self._deliver(chunk)
                    self._reach(reached)
                    chunk, size = [], 0
                chunk.append(event)
                size += length
            elif event is not None:
                self.figures.left_out += 1
            reached = position
            if not chunk:
                self._reach(reached)
        if chunk:
            await self._deliver(chunk)
        if reached is not None:
            self._reach(reached)
            self.figures.time_ms = blocks[-1].block.header.time_ms
            self._write()
        if self.figures.sent > before:
            self._say()

    def _steps(self, blocks: Iterable[CommittedBlock], others: Others) -> Iterator[tuple[Outgoing | None, Position]]:
        """Yield every event with the position after it, and None after each block's last."""
        for committed in blocks:
            header, parent = committed.block.header, committed.block.header.parent_hash.hex()
            events = list(outgoing(committed, others(committed)))
            if self._position is not None and self._position.height == header.height:
                done = self._position.after
                known = next((number for number, event in enumerate(events, 1) if event.id == done), 0)
                events = events[known:]
            for event in events:
                yield event, Position(header.height, parent, event.id)
            yield None, Position(header.height + 1, committed.block.hash.hex())

    async def _deliver(self, events: Sequence[Outgoing]) -> None:
        """Have events acknowledged, or each that is not taken written to the dead letters."""
        try:
            await self._insist(events)
        except NotTaken as error:
            if len(events) == 1:
                self._bury(events[0], error.detail)
                return
            half = len(events) // 2  # which one is it?
            await self._deliver(events[:half])
            await self._deliver(events[half:])
            return
        self.figures.sent += len(events)
        self._dead_in_a_row = 0

    async def _insist(self, events: Sequence[Outgoing]) -> None:
        """Deliver, again and again, with pauses that grow, until they are acknowledged."""
        pause_s, since = FIRST_PAUSE_S, time.monotonic()
        while True:
            try:
                await self._receiver.deliver(events)
                break
            except Away as error:
                self.figures.attempts_failed += 1
                self.figures.receiver_up = False
                away_s = time.monotonic() - since
                if self._give_up_s is not None and away_s >= self._give_up_s:
                    raise Unreachable(
                        f"{self._receiver.name} has acknowledged nothing for {away_s:.0f} s: {error.detail}",
                        "start again when it is back: the stream continues from the cursor",
                    ) from None
                wait_s = max(min(error.after_s, LONGEST_ASKED_S), pause_s * random.uniform(0.5, 1.0))
                facts = {"event": events[0].id, "detail": error.detail, "away_s": round(away_s, 1)}
                self._report("receiver_away", {**facts, "again_in_s": round(wait_s, 1)})
                await asyncio.sleep(wait_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        if not self.figures.receiver_up:
            self.figures.receiver_up = True
            self._report("receiver_back", {"event": events[0].id, "away_s": round(time.monotonic() - since, 1)})

    def _bury(self, event: Outgoing, why: str) -> None:
        refused = f"{self._receiver.name} does not take event {event.id} ({event.type}): {why}"
        if self._dead_letters is None:
            raise BadAnswer(refused, "fix the receiver and start again, or keep such events: --dead-letters FILE")
        self._dead_in_a_row += 1
        if self._dead_in_a_row > MAX_DEAD_IN_A_ROW:
            raise BadAnswer(
                f"{refused}; {MAX_DEAD_IN_A_ROW} before it were not taken either", "is it the right receiver?"
            )
        letter = {
            "at": time_text(time.time_ns() // 1_000_000),
            "to": self._receiver.name,
            "why": why,
            "event": event.document(),
        }
        try:
            with open(self._dead_letters, "a", encoding="utf-8") as file:
                file.write(json_line(letter) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise CosealError(f"{self._dead_letters}: {error.strerror}", "the event was not passed over") from None
        self.figures.dead_letters += 1
        self._report("dead_letter", {"event": event.id, "type": event.type, "detail": why})
