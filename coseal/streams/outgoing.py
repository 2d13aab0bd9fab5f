"""The CloudEvents of a committed block, in ledger order: what ``coseal stream`` sends.

Law: the same block gives the same events with the same ids at every node and at every attempt, so that a receiver knows
by ``source`` and ``id`` what it has already. What was refused changed nothing and is no event. docs/streams.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from coseal.contracts.block_events import (
    BEGIN,
    CANNOT_BE_SHOWN,
    NO_CONTRACTS,
    BlockEvent,
    block_events,
    place_text,
)
from coseal.contracts.kernel.action import APPENDED
from coseal.contracts.kernel.dates import parse_time
from coseal.contracts.process.recorded import RecordedItem, recorded_items
from coseal.contracts.registry import Contracts
from coseal.ledger.block import CommittedBlock, Receipt
from coseal.ledger.render import plain, time_text
from coseal.ledger.strict_json import json_line
from coseal.ledger.transaction import Transaction

STRUCTURED: Final = "application/cloudevents+json"
BATCH: Final = "application/cloudevents-batch+json"
DATA_TYPE: Final = "application/json"
VERIFIED: Final = "certificate"
"""The value of ``ledgerverified``: docs/streams.md says what was checked before the event was sent."""

FAULT: Final = "fault"
"""The kind of an event that stands for what could not be shown."""
_WITHIN_TRANSACTIONS: Final = ("transaction", "evidence")
"""Kinds that have no event of their own: what is refused, and evidence, which its transaction says."""
_BATCHES: Final = {("process", "record"): "items", ("policy", "record"): "instruments"}
_ITEMS: Final = ("event", "object", "change", "relation")


@dataclass(frozen=True)
class Outgoing:
    """One event: ``attributes`` are the CloudEvents context (all texts), ``data`` JSON values.

    ``object_types`` are the types of the objects it is about.
    """

    attributes: Mapping[str, str]
    data: Mapping[str, Any]
    object_types: frozenset[str]

    @property
    def id(self) -> str:
        """Its place on the ledger."""
        return self.attributes["id"]

    @property
    def type(self) -> str:
        """What happened: ``coseal.CONTRACT.ACTION`` and the like."""
        return self.attributes["type"]

    @property
    def message_id(self) -> str:
        """One text for source and id, by which a receiver knows the event again."""
        return f"{self.attributes['source']}/{self.id}"

    def document(self) -> dict[str, Any]:
        """Return the event in CloudEvents' JSON format, parsed."""
        return {**self.attributes, "datacontenttype": DATA_TYPE, "data": self.data}

    @cached_property
    def structured(self) -> bytes:
        """The event in CloudEvents' JSON format."""
        return _json(self.document())

    def body(self) -> bytes:
        """Return the data alone, as the binary mode has it."""
        return _json(self.data)


def chain_source(chain_id: bytes) -> str:
    """Return the ``source`` of all events of a chain."""
    return f"urn:coseal:chain:{chain_id.hex()}"


def outgoing(committed: CommittedBlock, others: Contracts = NO_CONTRACTS) -> Iterator[Outgoing]:
    """Yield the events of a verified block in ledger order; ``others`` as for ``block_events``."""
    frame = _Frame(committed)
    for one in block_events(committed, (committed.block.header.height, BEGIN, 0), others):
        place = place_text(one.place)
        if CANNOT_BE_SHOWN in one.data:
            yield frame.event(place, FAULT, one.data)
        elif one.kind == "begin":
            yield from _due(frame, place, one)
            yield from _items(frame, place, one)
        elif one.kind == "finding":
            yield frame.finding(place, one)
        elif one.kind == "transaction" and one.data["receipt"]["ok"]:
            yield frame.transaction(place, one)
            batch = (one.data["contract"], one.data["action"])
            if batch == ("process", "record"):
                yield from _items(frame, place, one)
            elif batch == ("policy", "record"):
                yield from _instruments(frame, place, one)
            elif APPENDED in one.data["receipt"]["data"]:
                yield from _items(frame, place, one)
        elif one.kind not in _WITHIN_TRANSACTIONS:
            yield frame.raised(place, one)


class _Frame:
    """What all events of a block share, and how many there were."""

    def __init__(self, committed: CommittedBlock) -> None:
        header = committed.block.header
        self.time = time_text(header.time_ms)
        self.transactions, self.receipts = committed.block.transactions, committed.receipts
        self._height, self._count = header.height, 0
        self._shared = {
            "specversion": "1.0",
            "source": chain_source(header.chain_id),
            "recordedtime": self.time,
            "ledgerheight": str(header.height),
            "ledgerblock": committed.block.hash.hex(),
            "ledgerverified": VERIFIED,
        }

    def event(
        self,
        place: str,
        kind: str,
        data: Mapping[str, Any],
        *,
        subject: str | None = None,
        object_types: frozenset[str] = frozenset(),
        **more: str | None,
    ) -> Outgoing:
        """Return the next event; attributes that are None are left out."""
        given = {"subject": subject, "time": self.time, **more}
        attributes = {
            **self._shared,
            "id": place,
            "type": f"coseal.{kind}",
            "sequence": f"{self._height:012d}-{self._count:06d}",
            **{name: value for name, value in given.items() if value},
        }
        self._count += 1
        return Outgoing(attributes, data, object_types)

    def transaction(self, place: str, one: BlockEvent) -> Outgoing:
        """Return the event of a transaction; that of a batch is without what are events themselves."""
        data, args = one.data, dict(one.data["args"])
        args.pop(_BATCHES.get((data["contract"], data["action"]), ""), None)
        result = data["receipt"]["data"]
        names = (result.get("id"), args.get("id"), result.get("source"))
        return self.event(
            place,
            f"{data['contract']}.{data['action']}",
            {**data, "args": args},
            subject=next((name for name in names if type(name) is str), None),
            ledgertx=data["id"],
            processtype=_text(result.get("process_type")),
        )

    def raised(self, place: str, one: BlockEvent) -> Outgoing:
        """Return the event of what a contract raised: a decision, a measure, or whatever one of others has."""
        index = one.data["index"]
        kind = one.kind if "." in one.kind else f"{one.contracts[0]}.{one.kind}"
        transaction = None if index is None else Transaction.decode(self.transactions[index]).id.hex()
        return self.event(place, kind, one.data, subject=_text(one.data.get("id")), ledgertx=transaction)

    def finding(self, place: str, one: BlockEvent) -> Outgoing:
        """Return the event of a finding that was raised, by a transaction or by a deadline."""
        view, index = one.data, one.data["index"]
        return self.event(
            place,
            "finding.raised",
            view,
            subject=f"{view['object_type']}/{view['object']}",
            object_types=frozenset((view["object_type"],)),
            ledgertx=None if index is None else Transaction.decode(self.transactions[index]).id.hex(),
            processtype=view["process_type"],
            severity=view["severity"],
        )


def _due(frame: _Frame, place: str, one: BlockEvent) -> Iterator[Outgoing]:
    """Yield what fell due at the start of the block, an event for each contract."""
    for contract, due in one.data["due"].items():
        yield frame.event(f"{place}.{contract}", f"{contract}.due", {**one.data, "due": due})


def _items(frame: _Frame, place: str, one: BlockEvent) -> Iterator[Outgoing]:
    """Yield the items of a batch, or that a contract appended; ``data`` is as in ``GET /v1/objects/{id}/events``, and
    the process type.
    """
    index = one.data["index"]
    begun = index is None
    transaction = None if begun else Transaction.decode(frame.transactions[index])
    receipt = Receipt.decode(frame.receipts[0 if begun else index + 1])

    def event(offset: int, recorded: RecordedItem) -> Outgoing:
        item = plain(recorded.item)
        kind = next(name for name in _ITEMS if name in item)
        objects = _objects(kind, item)
        occurred = item.get("time")  # without an offset it is no time of CloudEvents
        data = {
            "process_type": recorded.process_type,
            "source": recorded.source,
            "sequence": recorded.sequence,
            "height": one.data["height"],
            "index": index,
            "hash": recorded.hash.hex(),
            "item": item,
        }
        return frame.event(
            f"{place}.{offset}",
            f"process.{kind}",
            data,
            subject="/".join(objects[0]) if objects else None,
            object_types=frozenset(object_type for object_type, _ in objects),
            time=frame.time if parse_time(occurred) is None else occurred,
            ledgertx=one.data.get("id"),
            processtype=recorded.process_type,
            eventtype=item["type"] if kind == "event" else None,
        )

    yield from _each(frame, place, one, list(recorded_items(transaction, receipt)), event)


def _instruments(frame: _Frame, place: str, one: BlockEvent) -> Iterator[Outgoing]:
    """Yield the historical facts of a batch, an event for each instrument."""
    args = one.data["args"]
    shared = {name: one.data[name] for name in ("height", "index")}
    shared |= {name: args[name] for name in ("source", "source_sha256")}

    def event(offset: int, instrument: Mapping[str, Any]) -> Outgoing:
        data = {**shared, "instrument": instrument}
        subject = instrument["id"]
        return frame.event(f"{place}.{offset}", "policy.instrument", data, subject=subject, ledgertx=one.data["id"])

    yield from _each(frame, place, one, args["instruments"], event)


def _each(
    frame: _Frame, place: str, one: BlockEvent, things: Sequence[Any], event: Callable[[int, Any], Outgoing]
) -> Iterator[Outgoing]:
    """Yield the event of each thing of a batch; a fault in this software costs the one it is of, and not the stream."""
    for offset, thing in enumerate(things):
        try:
            made = event(offset, thing)
        except Exception as error:
            where = {name: one.data[name] for name in ("height", "index", "time")}
            made = frame.event(
                f"{place}.{offset}", FAULT, {**where, CANNOT_BE_SHOWN: f"{type(error).__name__}: {error}"}
            )
        yield made


def _objects(kind: str, item: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return (type, id) of the objects an item names."""
    if kind == "event":
        return [(one[0], one[1]) for one in item.get("objects", ())]
    if kind == "relation":
        return [(one[0], one[1]) for one in (item["relation"], item["to"])]
    return [(item["type"], item[kind])]


def _text(value: Any) -> str | None:
    return value if type(value) is str else None


def _json(value: Any) -> bytes:
    return json_line(value).encode()
