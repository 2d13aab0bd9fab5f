"""Sending items of a source in batches, several on their way at once, each item recorded exactly once.

Law: what the source's certified chain head covers is compared with what was to be recorded, before anything is sent and
after everything was; a batch that was lost or came too early is sent again from where the source stands.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from coseal.client.corrections import corrects_earlier, with_hashes, with_history
from coseal.client.events import read_events
from coseal.client.exchange import Exchange, Pause, state_path
from coseal.client.session import COMMIT_TIMEOUT_S, Session
from coseal.contracts.process.chain import chain, item_hash
from coseal.contracts.process.state import source_key, type_key
from coseal.errors import BadAnswer, CosealError, Refused, Unreachable
from coseal.ledger import codec
from coseal.ledger.errors import LedgerError
from coseal.ledger.signing import ZERO_HASH
from coseal.ledger.transaction import Transaction

BATCH_ITEMS: Final = 500
WINDOW: Final = 8
_BATCH_BYTES: Final = 200 * 1024  # of a transaction's 256 KiB
_BATCH_ITEMS_MAX: Final = 1_000
_POLL_S: Final = 0.02
_RETRY_S: Final = 0.5
_LOOK_AFTER_S: Final = 1.0
_RESTARTS_MAX: Final = 5
_OVERTAKEN: Final = ("sequence", "already_recorded", "history_incomplete")

Progress = Callable[[int, int], None]
"""``progress(recorded, all)`` in items, as commits are seen."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The result of a run: items that were there before, items it added, and where the source stands now.

    ``sequence`` is the number of its last item, ``head`` its certified chain head (32 bytes), ``height`` the block
    after which both are proven.
    """

    source: str
    process_type: str
    before: int
    added: int
    sequence: int
    head: bytes
    height: int


@dataclass(frozen=True, slots=True)
class _Batch:
    """Items ``first`` .. ``last`` (counted from 1) under one signature."""

    first: int
    last: int


class Sending:
    """Items of one source that follow its item ``base``, whose chain head is ``head``.

    ``source_id`` is without the member. Positions are counted from ``base``: the first item is 1.
    """

    def __init__(
        self,
        session: Session,
        source_id: str,
        items: Sequence[dict[str, Any]],
        *,
        base: int = 0,
        head: bytes = ZERO_HASH,
        batch_items: int = BATCH_ITEMS,
        window: int = WINDOW,
    ) -> None:
        if not 1 <= batch_items <= _BATCH_ITEMS_MAX:
            raise CosealError(f"batches of {batch_items} items", f"expected 1 to {_BATCH_ITEMS_MAX}")
        if window < 1:
            raise CosealError(f"a window of {window} batches", "expected 1 or more")
        self.source = f"{session.member}/{source_id}"
        self.key = source_key(self.source)
        self._session, self._source_id, self._items, self._window = session, source_id, items, window
        self._base, self._seen = base, 0
        self._heads, sizes = _heads(self.source, items, base, head)
        self._batches = _cut(
            sizes, batch_items, [position for position, item in enumerate(items, 1) if "corrects" in item]
        )

    def run(self, report: Progress) -> Exchange[Recorded]:
        """Send what is missing; raise ``BadAnswer`` when something else is recorded, ``Refused`` by a contract."""
        before = yield from self._recorded()
        report(before, len(self._items))
        position, restarts, moved = before, 0, time.monotonic()
        failed: Unreachable | None = None
        while position < len(self._items):
            try:
                if failed is None:
                    reached = yield from self._send_from(position, report)
                    restarts += reached <= position
                else:
                    reached = yield from self._recorded()  # whatever arrived meanwhile, from here it goes on
                    failed = None
            except Unreachable as error:
                reached, failed = position, error
                yield Pause(_RETRY_S)
            if reached > position:
                restarts, moved = 0, time.monotonic()
            position = reached
            if restarts > _RESTARTS_MAX or time.monotonic() - moved > COMMIT_TIMEOUT_S:
                stands = f"{self.source}: no batch after item {self._base + self._seen} is recorded"
                why, hint = ("", "see `coseal status`") if failed is None else (f": {failed.detail}", failed.hint)
                raise Unreachable(stands + why, hint, sent=True)
        return (yield from self._proven(before))

    def _proven(self, before: int) -> Exchange[Recorded]:
        certified = yield from self._session.state(self.key)
        value: Any = codec.decode(certified.value or b"\xc0")
        self._require_ours(value)
        expected = self._base + len(self._items)
        if value["sequence"] != expected:
            raise BadAnswer(f"{self.source} holds {value['sequence']} items, expected {expected}")
        added, height = len(self._items) - before, certified.header.height
        return Recorded(self.source, value["process_type"], before, added, expected, value["head"], height)

    def _recorded(self) -> Exchange[int]:
        """Return how many of the items are recorded, having checked that it is these."""
        value: Any = yield from self._session.value(self.key)
        self._require_ours(value)
        return int(value["sequence"]) - self._base

    def _require_ours(self, value: Any) -> None:
        """Compare the certified chain head of the source with the one that the items give."""
        position = -1 if value is None else value["sequence"] - self._base
        if not 0 <= position < len(self._heads) or self._heads[position] != value["head"]:
            sequence = 0 if value is None else value["sequence"]
            if self._base:
                raise BadAnswer(
                    f"{self.source} is at sequence {sequence}, and after {self._base} it does not hold these items",
                    "something else records as this source; read it again and go on from there",
                )
            raise BadAnswer(
                f"what is recorded as {self.source} (up to sequence {sequence}) is not what the file begins with",
                "nothing was added; was the file or the map changed? Name another source in the map for a new log",
            )

    # Sending

    def _send_from(self, position: int, report: Progress) -> Exchange[int]:
        """Send every batch after ``position``, keeping a window on its way; return how far the source has come.

        Stops early when a batch came too early or was lost: the caller continues from where the source stands.
        """
        flying: deque[tuple[_Batch, Transaction]] = deque()
        for batch in _after(self._batches, position):
            while len(flying) >= self._window:
                position = yield from self._land(flying, report)
                if position < 0:
                    return (yield from self._recorded())
            if self._corrects(batch) and flying:  # what it shows is what was recorded before
                while flying:
                    position = yield from self._land(flying, report)
                    if position < 0:
                        return (yield from self._recorded())
            transaction = yield from self._sign(batch)
            yield from self._session.send(transaction)
            flying.append((batch, transaction))
        while flying:
            position = yield from self._land(flying, report)
            if position < 0:
                return (yield from self._recorded())
        return position

    def _land(self, flying: deque[tuple[_Batch, Transaction]], report: Progress) -> Exchange[int]:
        """Wait until the oldest batch is recorded and return the source's position; -1 if it never will be."""
        batch, transaction = flying[0]
        began = looked = time.monotonic()
        while True:
            position = yield from self._position()
            if position >= batch.last:
                while flying and flying[0][0].last <= position:
                    flying.popleft()
                self._seen = position
                report(position, len(self._items))
                return position
            now = time.monotonic()
            if now - looked > _LOOK_AFTER_S:
                looked = now
                if not (yield from self._pending(transaction)):
                    return -1
            if now - began > COMMIT_TIMEOUT_S:
                raise Unreachable(f"nothing was committed for {COMMIT_TIMEOUT_S:.0f} s", "see `coseal status`")
            yield Pause(_POLL_S)

    def _pending(self, transaction: Transaction) -> Exchange[bool]:
        """Say whether a transaction may still take effect; raise ``Refused`` if sending again cannot help."""
        try:
            answer = yield from self._session.get(f"/v1/transactions/{transaction.id.hex()}")
        except Refused as error:
            if error.code == "unknown_transaction":
                return False
            raise
        receipt = answer.get("receipt") or {}
        if answer.get("status") == "rejected" and receipt.get("code") not in _OVERTAKEN:
            proven = yield from self._session.receipt(transaction.id)
            proven.require_ok()
        return answer.get("status") == "accepted"

    def _position(self) -> Exchange[int]:
        """Return the source's position as the node says; the end of the run proves it."""
        value = (yield from self._session.get(state_path(self.key))).get("value")
        sequence = value.get("sequence") if isinstance(value, dict) else None
        return sequence - self._base if type(sequence) is int else 0

    def _sign(self, batch: _Batch) -> Exchange[Transaction]:
        items = list(self._items[batch.first - 1 : batch.last])
        args = {"source": self._source_id, "sequence": self._base + batch.first, "items": items}
        if self._corrects(batch):
            args = yield from with_history(self._session, self.source, args)
        return self._session.sign("process", "record", args)

    def _corrects(self, batch: _Batch) -> bool:
        return corrects_earlier(self._items[batch.first - 1 : batch.last], self._base + batch.first)


def record_events(
    session: Session,
    events: Iterable[Mapping[str, Any]],
    source_id: str | None,
    sequence: int | None,
    batch_items: int,
    window: int,
    progress: Progress | None,
) -> Exchange[Recorded]:
    """Record events after what a source holds; see ``coseal.client.blocking.Client.record``."""
    given = read_events(events, source_id, sequence)
    if given.sequence is not None and given.sequence < 1:
        raise CosealError(f"sequence {given.sequence}", "a source numbers its items from 1 on")
    source = f"{session.member}/{given.source_id}"
    value: Any = yield from session.value(source_key(source))
    if value is None:
        hint = "register it first: submit process.register_source with its process type and mode"
        raise Refused("unknown_source", f"{source} is no source of this chain", hint)
    base = value["sequence"]
    known = 0 if given.sequence is None else base + 1 - given.sequence
    if known < 0:
        hint = "send what is between first, or submit process.record with a gap if the type records gaps"
        raise Refused("sequence", f"{source} expects {base + 1}, and the first event is {given.sequence}", hint)
    definition: Any = (yield from session.value(type_key(value["process_type"]))) if given.is_cloud else {}
    items = yield from with_hashes(session, source, given.fitted(definition), given.sequence or base + 1)
    known = min(known, len(items))
    rest: dict[str, Any] = {"items": items[known:], "base": base, "head": value["head"]}
    if given.sequence == 1 and not value["gaps"] and base <= len(items):
        rest, known = {"items": items}, 0  # from the beginning: what is there already is compared as well
    sending = Sending(session, given.source_id, **rest, batch_items=batch_items, window=window)
    report = progress or (lambda recorded, total: None)
    recorded = yield from sending.run(lambda done, _: report(known + done, len(items)))
    return replace(recorded, before=known + recorded.before)


def _heads(source: str, items: Sequence[dict[str, Any]], base: int, head: bytes) -> tuple[list[bytes], list[int]]:
    """Return the source's chain head after 0, 1, .. of the items, and the encoded size of each item."""
    heads, sizes = [head], []
    for position, item in enumerate(items, start=1):
        try:
            heads.append(chain(heads[-1], item_hash(source, base + position, item)))
            sizes.append(len(codec.encode(item)))
        except (LedgerError, TypeError, ValueError, OverflowError) as error:
            raise CosealError(f"item {base + position} has no encoding: {error}") from None
    return heads, sizes


def _cut(sizes: Sequence[int], batch_items: int, corrections: Sequence[int] = ()) -> list[_Batch]:
    """Return batches of at most ``batch_items`` items that fit a transaction; each correction begins one."""
    batches: list[_Batch] = []
    first, total, alone = 1, 0, set(corrections)
    for position, size in enumerate(sizes, start=1):
        apart = position in alone or position - 1 in alone
        if position > first and (total + size > _BATCH_BYTES or position - first >= batch_items or apart):
            batches.append(_Batch(first, position - 1))
            first, total = position, 0
        total += size
    if sizes:
        batches.append(_Batch(first, len(sizes)))
    return batches


def _after(batches: Sequence[_Batch], position: int) -> list[_Batch]:
    """Return the batches that hold something after item ``position``, the first one cut to begin there."""
    rest = [batch for batch in batches if batch.last > position]
    return [_Batch(position + 1, rest[0].last), *rest[1:]] if rest and rest[0].first <= position else rest
