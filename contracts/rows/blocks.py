"""How committed blocks become rows.

Law: what is written for a block depends on the rows before it, its transactions and its receipts alone; a rejected
transaction leaves its rows in ``transactions`` and ``acts`` and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from coseal.contracts.kernel.rows.buffer import Rows
from coseal.contracts.kernel.rows.place import BEGIN, Act
from coseal.contracts.kernel.wording import in_language
from coseal.contracts.policy import rows as policies
from coseal.contracts.process.chain import objects_of
from coseal.contracts.process.flows import FlowRows, Step
from coseal.contracts.process.items import time_ms
from coseal.contracts.process.recorded import accepted_items
from coseal.contracts.process.tables import (
    ACTIVITIES,
    BATCHES,
    ITEM_OBJECTS,
    ITEMS,
    OBJECTS,
    PROCESS_TYPES,
    SOURCES,
    TRACES,
)
from coseal.contracts.rows.tables import ACTS, BLOCKS, LEFT_OUT, TRANSACTIONS
from coseal.contracts.supervision import rows as supervision
from coseal.ledger.block import CommittedBlock, Receipt
from coseal.ledger.render import plain
from coseal.ledger.transaction import Transaction

_KINDS: Final = ("event", "object", "change", "relation")


class Part(NamedTuple):
    """A part of a block: a transaction, or None for what was due at its start; its receipt, and what rows say of it."""

    tx: Transaction | None
    receipt: Receipt
    act: Act

    @property
    def name(self) -> str:
        """``contract.action``, or ``begin``."""
        return "begin" if self.tx is None else f"{self.tx.contract}.{self.tx.action}"


class BlockRows:
    """Puts the rows of blocks, in order, into ``rows``."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._flows = FlowRows(rows)
        self._detailed = rows.holds(ITEMS)
        self._blocks, self._transactions, self._batches = rows.of(BLOCKS), rows.of(TRANSACTIONS), rows.of(BATCHES)
        self._sources, self._activities = rows.of(SOURCES), rows.of(ACTIVITIES)
        self._objects, self._links, self._traces = rows.of(OBJECTS), rows.of(ITEM_OBJECTS), rows.of(TRACES)
        self._events: dict[int, int] = {}
        self._next_item = 0
        self._actions: Mapping[str, _Apply] = {
            "process.define_type": self._define_type,
            "process.register_source": self._register_source,
            "process.record": self._record,
            **dict.fromkeys(policies.ACTIONS, self._policy),
            **dict.fromkeys(supervision.ACTIONS, self._supervision),
        }

    def write(
        self,
        committed: CommittedBlock,
        transactions: Sequence[Transaction] = (),
        decode_receipt: Callable[[bytes], Receipt] = Receipt.decode,
    ) -> None:
        """Put the rows of one block; see ``parts_of`` for its parts."""
        self.begin(committed)
        for part in parts_of(committed, transactions, decode_receipt):
            self.put(part)
        self.count()

    def begin(self, committed: CommittedBlock) -> None:
        """Put the row of the block itself."""
        header = committed.block.header
        certificate = committed.certificate
        self._blocks.add(
            header.height, header.hash, header.time_ms, header.proposer, certificate.round, header.tx_count
        )

    def put(self, part: Part) -> None:
        """Put the rows of a transaction, or of what was due at the start of a block."""
        tx, receipt, act = part
        if tx is None:
            self._due(receipt, act)
            return
        self._named(tx, receipt, act)
        if self._detailed:
            self._act(act, part.name, tx.args, receipt)
        apply = self._actions.get(part.name) if receipt.ok else None
        if apply is not None:
            apply(tx, receipt.data, act)

    def leave_out(self, part: Part, reason: str) -> None:
        """Put, instead of the rows of ``part``, that there is such a transaction and why no more is said of it."""
        if part.tx is not None:
            self._named(part.tx, part.receipt, part.act)
        self._rows.of(LEFT_OUT).add(*part.act.where, part.name, reason)

    def _named(self, tx: Transaction, receipt: Receipt, act: Act) -> None:
        self._transactions.add(tx.id, *act.where, tx.sender, tx.contract, tx.action, receipt.code)

    def count(self) -> None:
        """Add what the block's events count up to, once for all of them."""
        events, self._events = self._events, {}
        for activity, count in events.items():
            known = _required(self._activities.find(activity), "an activity")
            self._activities.put(known | {"events": known["events"] + count})
        self._flows.count()

    def _due(self, receipt: Receipt, act: Act) -> None:
        due = receipt.data.get("supervision")
        if due:
            supervision.begun(self._rows, due, act)
        if self._detailed and receipt.data:
            self._act(act, "begin", {}, receipt)

    def _act(self, act: Act, name: str, args: Mapping[str, Any], receipt: Receipt) -> None:
        told = {key: plain(value) for key, value in args.items() if (name, key) != ("process.record", "items")}
        self._rows.of(ACTS).add(
            *act.where, act.member, name, int(receipt.ok), receipt.detail, told, plain(receipt.data)
        )

    def _policy(self, tx: Transaction, data: Mapping[str, Any], act: Act) -> None:
        policies.write(self._rows, tx.action, tx.args, data, act)

    def _supervision(self, tx: Transaction, data: Mapping[str, Any], act: Act) -> None:
        supervision.write(self._rows, tx.action, tx.args, data, act)

    # Process

    def _define_type(self, tx: Transaction, data: Mapping[str, Any], act: Act) -> None:
        args = tx.args
        self._rows.of(PROCESS_TYPES).add(
            args["id"], args["version"], in_language(args["title"]), act.member, data["definition"], *act.where
        )

    def _register_source(self, tx: Transaction, data: Mapping[str, Any], act: Act) -> None:
        source = {
            "name": data["source"],
            "member": act.member,
            "process_type": data["process_type"],
            "mode": data["mode"],
            "zone_minutes": tx.args.get("zone_minutes"),
            **dict.fromkeys(("sequence", "items", "events", "gaps", "missing"), 0),
            **dict.fromkeys(("latest_ms", "recorded_ms")),
        }
        self._sources.put(source | act.place)

    def _record(self, tx: Transaction, data: Mapping[str, Any], act: Act) -> None:
        items, sequence = [recorded.item for recorded in accepted_items(tx, data)], data["first"]
        source = _required(self._sources.find(data["source"]), "a source")
        if self._next_item == 0:
            before = self._batches.last()
            self._next_item = 1 if before is None else before["first_item"] + before["items"]
        first, self._next_item = self._next_item, self._next_item + len(items)
        self._batches.add(first, len(items), source["name"], sequence, act.height, act.position)
        if self._detailed:
            self._items(source, items, first, sequence, act)
        events, latest_ms = self._link(source, items, first, act)
        source["sequence"] = data["last"]
        source["items"] += len(items)
        source["events"] += events
        gap = data.get("gap")
        if gap is not None:
            source["gaps"] += 1
            source["missing"] += gap[1] - gap[0] + 1
        source["recorded_ms"], source["height"], source["position"] = act.time_ms, act.height, act.position
        if latest_ms is not None and (source["latest_ms"] is None or source["latest_ms"] < latest_ms):
            source["latest_ms"] = latest_ms
        self._sources.put(source)
        supervision.observed(self._rows, data, act)

    def _link(
        self, source: Mapping[str, Any], items: Sequence[Mapping[str, Any]], first: int, act: Act
    ) -> tuple[int, int | None]:
        """Link items to their objects; return how many events there are, and the latest time of one."""
        process_type, zone_minutes = source["process_type"], source["zone_minutes"]
        counts, add = self._events, self._links.add
        events, steps = 0, list[Step]()
        latest_ms: int | None = None
        for number, item in enumerate(items, first):
            activity = occurred_ms = None
            if "event" in item:
                activity = self._activity(process_type, item["type"], act)
                counts[activity] = counts.get(activity, 0) + 1
                events += 1
                occurred_ms = time_ms(item["time"], zone_minutes)
                if occurred_ms is not None and (latest_ms is None or occurred_ms > latest_ms):
                    latest_ms = occurred_ms
            for object_type, object_id in objects_of(item):
                key = self._object(process_type, object_type, object_id, act)
                add(key, number, activity, occurred_ms)
                if activity is not None:
                    steps.append((key, object_type, activity, occurred_ms))
        self._flows.write(process_type, steps, act)
        return events, latest_ms

    def _items(
        self,
        source: Mapping[str, Any],
        items: Sequence[Mapping[str, Any]],
        first: int,
        sequence: int,
        act: Act,
    ) -> None:
        """Put every item whole."""
        for offset, item in enumerate(items):
            is_event = "event" in item
            self._rows.of(ITEMS).add(
                first + offset,
                source["process_type"],
                source["name"],
                sequence + offset,
                next(kind for kind in _KINDS if kind in item),
                item.get("event"),
                item["type"] if is_event else None,
                item["time"] if is_event else None,
                time_ms(item["time"], source["zone_minutes"]) if is_event else None,
                act.time_ms,
                item.get("late"),
                item["corrects"][0] if "corrects" in item else None,
                *act.where,
                item,
            )

    def _activity(self, process_type: str, name: str, act: Act) -> int:
        known = self._activities.number(process_type, name)
        if known is not None:
            return known
        number = self._activities.new_number(process_type, name)
        activity = {"id": number, "process_type": process_type, "name": name, "events": 0}
        self._activities.put(activity | act.place)
        return number

    def _object(self, process_type: str, object_type: str, name: str, act: Act) -> int:
        """Return the number of an object, which is new with its first item."""
        known = self._objects.number(name, object_type, process_type)
        if known is not None:
            return known
        number = self._objects.new_number(name, object_type, process_type)
        self._objects.add(number, process_type, object_type, name, *act.where)
        self._traces.lack(number)
        return number


def parts_of(
    committed: CommittedBlock,
    transactions: Sequence[Transaction] = (),
    decode_receipt: Callable[[bytes], Receipt] = Receipt.decode,
) -> Iterator[Part]:
    """Yield what was due at the start of a block, then its transactions; these are given if parsed already.

    ``decode_receipt`` is ``Receipt.decode_own`` for a block that was decided here.
    """
    header = committed.block.header
    receipts = map(decode_receipt, committed.receipts)
    yield Part(None, next(receipts), Act("", b"", header.time_ms, header.height, BEGIN))
    for position, tx in enumerate(transactions or map(Transaction.decode, committed.block.transactions)):
        yield Part(tx, next(receipts), Act(tx.sender, tx.id, header.time_ms, header.height, position))


_Apply: TypeAlias = Callable[[Transaction, Mapping[str, Any], Act], None]


def _required(row: dict[str, Any] | None, what: str) -> dict[str, Any]:
    """Return a row that an accepted transaction speaks of; without it the rows are not those of the blocks before."""
    if row is None:
        raise LookupError(f"{what} is missing among the rows of the blocks before")
    return row
