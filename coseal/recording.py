"""Recording a log: its type and source made known, its items sent in batches, several on the way at once.

Law: an item is recorded once however often this runs. What is recorded already must be what the file holds: the
source's certified chain head says so, before anything is sent and after everything was.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from contracts.process_chain import chain, item_hash
from contracts.process_types import definition_hash, normalised, type_key
from coseal.client import COMMIT_TIMEOUT_S, Client, state_path
from coseal.errors import BadAnswer, CosealError, Refused, Unreachable
from coseal.importers.log import Log
from ledger import codec
from ledger.signing import ZERO_HASH
from ledger.transaction import Transaction

BATCH_ITEMS: Final = 500
WINDOW: Final = 8
_BATCH_BYTES: Final = 200 * 1024  # of a transaction's 256 KiB
_BATCH_ITEMS_MAX: Final = 1_000
_POLL_S: Final = 0.02
_LOOK_AFTER_S: Final = 1.0
_RESTARTS_MAX: Final = 5

Progress = Callable[[int, int], None]
"""``progress(recorded, all)`` in items, as commits are seen."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a run came to: items that were there before, items it added, and where the source stands now."""

    source: str
    process_type: str
    before: int
    added: int
    sequence: int
    head: bytes
    height: int


@dataclass(frozen=True, slots=True)
class _Batch:
    """Items ``first`` .. ``last`` (sequences, from 1) under one signature."""

    first: int
    last: int


class Recorder:
    """Records one log through one client, whose sender's member owns the source."""

    def __init__(self, client: Client, log: Log, *, batch_items: int = BATCH_ITEMS, window: int = WINDOW) -> None:
        if client.sender is None:
            raise CosealError("nobody to record as", "give a sender MEMBER/USER and its key")
        if not 1 <= batch_items <= _BATCH_ITEMS_MAX:
            raise CosealError(f"batches of {batch_items} items", f"expected 1 to {_BATCH_ITEMS_MAX}")
        self._client, self._log, self._window = client, log, window
        self._source = f"{client.sender.partition('/')[0]}/{log.source['id']}"
        self._key = f"process/source/{self._source}"
        self._heads, sizes = _heads(self._source, log.items)
        self._batches = _cut(sizes, batch_items)

    def run(self, progress: Progress | None = None) -> Recorded:
        """Record what is missing; raise ``BadAnswer`` when something else is recorded, ``Refused`` by a contract."""
        report = progress or (lambda recorded, total: None)
        self.prepare()
        before = self._recorded()
        report(before, len(self._log.items))
        restarts, position = 0, before
        while position < len(self._log.items):
            reached = self._send_from(position, report)
            restarts = 0 if reached > position else restarts + 1
            position = reached
            if restarts > _RESTARTS_MAX:
                raise Unreachable(f"{self._source}: no batch after item {position} is recorded", "see `coseal status`")
        certified = self._client.state(self._key)
        value: Any = codec.decode(certified.value or b"\xc0")
        self._require_ours(value)
        if value["sequence"] != len(self._log.items):
            raise BadAnswer(f"{self._source} holds {value['sequence']} items, the file {len(self._log.items)}")
        added = len(self._log.items) - before
        return Recorded(
            self._source,
            self._log.definition["id"],
            before,
            added,
            value["sequence"],
            value["head"],
            certified.header.height,
        )

    # Making the source known

    def prepare(self) -> None:
        """Make type and source known, unless they are; rules can then be adopted before anything is recorded."""
        self._define()
        self._register()

    def _define(self) -> None:
        """Define the process type, unless exactly this definition is in force."""
        type_id = self._log.definition["id"]
        current: Any = self._client.value(type_key(type_id))
        if current is None:
            self._client.submit("process", "define_type", self._log.definition).require_ok()
            return
        ours = normalised({**self._log.definition, "version": current["version"]})
        if current["definition"] != definition_hash(ours).hex():
            hint = "name another process_type in the map file"
            raise BadAnswer(f"process type {type_id} is defined otherwise on this chain", hint)

    def _register(self) -> None:
        """Register the source, unless it is there as we would have it."""
        current: Any = self._client.value(self._key)
        if current is None:
            self._client.submit("process", "register_source", self._log.source).require_ok()
            return
        for name in ("process_type", "mode", "zone_minutes"):
            if current.get(name) != self._log.source.get(name):
                there, here = current.get(name), self._log.source.get(name)
                hint = "name another source in the map file"
                raise BadAnswer(f"{self._source} is registered with {name} {there!r}, the file says {here!r}", hint)

    def _recorded(self) -> int:
        """Return how many items the source has, having checked that they are the file's."""
        value: Any = self._client.value(self._key)
        self._require_ours(value)
        return int(value["sequence"])

    def _require_ours(self, value: Any) -> None:
        """Compare the certified chain head of the source with the one the file's items give."""
        sequence = 0 if value is None else value["sequence"]
        if value is None or value["gaps"] or sequence >= len(self._heads) or self._heads[sequence] != value["head"]:
            raise BadAnswer(
                f"what is recorded as {self._source} (up to sequence {sequence}) is not what the file begins with",
                "nothing was added; was the file or the map changed? Name another source in the map for a new log",
            )

    # Sending

    def _send_from(self, position: int, report: Progress) -> int:
        """Send every batch after ``position``, keeping a window on its way; return how far the source has come.

        Stops early when a batch came too early or was lost: the caller goes on from where the source stands.
        """
        flying: deque[tuple[_Batch, Transaction]] = deque()
        for batch in _after(self._batches, position):
            while len(flying) >= self._window:
                position = self._land(flying, report)
                if position < 0:
                    return self._recorded()
            transaction = self._sign(batch)
            self._client.send(transaction)
            flying.append((batch, transaction))
        while flying:
            position = self._land(flying, report)
            if position < 0:
                return self._recorded()
        return position

    def _land(self, flying: deque[tuple[_Batch, Transaction]], report: Progress) -> int:
        """Wait until the oldest batch is recorded and return the source's sequence; -1 if it never will be."""
        batch, transaction = flying[0]
        began = looked = time.monotonic()
        while True:
            sequence = self._sequence()
            if sequence >= batch.last:
                while flying and flying[0][0].last <= sequence:
                    flying.popleft()
                report(sequence, len(self._log.items))
                return sequence
            now = time.monotonic()
            if now - looked > _LOOK_AFTER_S:
                looked = now
                if not self._pending(transaction):
                    return -1
            if now - began > COMMIT_TIMEOUT_S:
                raise Unreachable(f"nothing was committed for {COMMIT_TIMEOUT_S:.0f} s", "see `coseal status`")
            time.sleep(_POLL_S)

    def _pending(self, transaction: Transaction) -> bool:
        """Say whether a transaction may still take effect; raise ``Refused`` if sending again cannot help."""
        try:
            answer = self._client.get(f"/v1/transactions/{transaction.id.hex()}")
        except Refused as error:
            if error.code == "unknown_transaction":
                return False
            raise
        receipt = answer.get("receipt") or {}
        if answer.get("status") == "rejected" and receipt.get("code") not in ("sequence", "already_recorded"):
            raise Refused(str(receipt.get("code")), str(receipt.get("detail")))
        return answer.get("status") == "accepted"

    def _sequence(self) -> int:
        """Return the source's sequence as the node says; the end of the run proves it."""
        value = self._client.get(state_path(self._key)).get("value")
        return int(value["sequence"]) if isinstance(value, dict) else 0

    def _sign(self, batch: _Batch) -> Transaction:
        items = list(self._log.items[batch.first - 1 : batch.last])
        args = {"source": self._log.source["id"], "sequence": batch.first, "items": items}
        return self._client.sign("process", "record", args)


def _heads(source: str, items: Sequence[dict[str, Any]]) -> tuple[list[bytes], list[int]]:
    """Return the source's chain head after 0, 1, .. items, and the encoded size of each item."""
    heads, sizes = [ZERO_HASH], []
    for sequence, item in enumerate(items, start=1):
        heads.append(chain(heads[-1], item_hash(source, sequence, item)))
        sizes.append(len(codec.encode(item)))
    return heads, sizes


def _cut(sizes: Sequence[int], batch_items: int) -> list[_Batch]:
    """Return batches of at most ``batch_items`` items that fit a transaction."""
    batches: list[_Batch] = []
    first, total = 1, 0
    for sequence, size in enumerate(sizes, start=1):
        if sequence > first and (total + size > _BATCH_BYTES or sequence - first >= batch_items):
            batches.append(_Batch(first, sequence - 1))
            first, total = sequence, 0
        total += size
    if sizes:
        batches.append(_Batch(first, len(sizes)))
    return batches


def _after(batches: Sequence[_Batch], position: int) -> list[_Batch]:
    """Return the batches that hold something after item ``position``, the first one cut to begin there."""
    rest = [batch for batch in batches if batch.last > position]
    return [_Batch(position + 1, rest[0].last), *rest[1:]] if rest and rest[0].first <= position else rest
