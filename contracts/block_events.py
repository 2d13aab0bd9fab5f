"""What a committed block tells, as events in ledger order: for the node's stream, and for clients that verify blocks.

Law: the same block gives the same events with the same ids everywhere, so a reader resumes at any node.

A block's events: what ``begin_block`` did, if anything (``H:begin``), then each transaction (``H:index``). What either
raised comes right after it, as ``H:begin:1``, ``H:index:1``, ``H:index:2``, ...: findings, evidence that was put on
record, ballots that were decided, measures and standards that changed; last what a contract of others raised by its own
acts and due things.
docs/spec/api.md, section Stream.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, TypeAlias

from coseal.contracts.kernel.action import APPENDED
from coseal.contracts.kernel.contract import Contract, Raised
from coseal.contracts.registry import CONTRACTS, Contracts
from coseal.ledger.block import CommittedBlock, Receipt
from coseal.ledger.render import plain, receipt_json, time_text
from coseal.ledger.strict_json import json_text
from coseal.ledger.transaction import Transaction

NO_CONTRACTS: Final[Contracts] = {}
KINDS: Final = tuple(
    dict.fromkeys(("transaction", "begin", *(kind for contract in CONTRACTS.values() for kind in contract.events)))
)
BEGIN: Final = -1
MAX_RAISED: Final = 1_000
"""Events of one kind that a contract of others raises by one act."""
CANNOT_BE_SHOWN: Final = "cannot_be_shown"
"""The field of an event whose making failed: the fault in words. It has its place, and no more is said of it."""

_Thing: TypeAlias = tuple[str, tuple[str, ...], dict[str, Any]]
Place: TypeAlias = tuple[int, int, int]
"""(height, index, number): index -1 is ``begin_block``; number 0 the thing itself, 1 and up what it raised."""


@dataclass(frozen=True, slots=True)
class BlockEvent:
    """One event: its place, its kind (of ``KINDS``, or of a contract of others), the contracts that it is of, and what
    it says as JSON values.
    """

    place: Place
    kind: str
    contracts: tuple[str, ...]
    data: dict[str, Any]


def place_of(text: str) -> Place:
    """Return the place of an id, or of a height; the text is of that form."""
    height, *rest = text.split(":")
    index = BEGIN if not rest or rest[0] == "begin" else int(rest[0])
    return int(height), index, int(rest[1]) if len(rest) == 2 else 0


def place_text(place: Place) -> str:
    """Return a place as an id."""
    height, index, number = place
    return f"{height}:{'begin' if index == BEGIN else index}" + (f":{number}" if number else "")


def place_after(text: str) -> Place:
    """Return the first place after the event with this id, or after the block of a height."""
    height, index, number = place_of(text)
    return (height, index, number + 1) if ":" in text else (height + 1, BEGIN, 0)


def block_events(
    committed: CommittedBlock, start: Place, others: Contracts = NO_CONTRACTS, *, args: bool = True
) -> Iterator[BlockEvent]:
    """Yield the events of a block that do not come before ``start``, with the arguments of transactions or without.

    ``others`` are the contracts of others that the block ran with (``registry.others_at``).
    """
    header = committed.block.header
    for index in range(BEGIN, header.tx_count):
        if (header.height, index + 1, 0) <= start:
            continue  # even its last event lies before the start
        for number, (kind, contracts, data) in enumerate(_contained(committed, index, others, args)):
            place = (header.height, index, number)
            if place >= start and data:
                yield BlockEvent(place, kind, contracts, data)


def _contained(committed: CommittedBlock, index: int, others: Contracts, args: bool) -> list[_Thing]:
    """Return what ``_things`` does; a fault of ours costs the thing it is of, and not the stream."""
    try:
        return _things(committed, index, others, args)
    except Exception as error:
        kind = "begin" if index == BEGIN else "transaction"
        return [(kind, (), {**_frame(committed, index), CANNOT_BE_SHOWN: f"{type(error).__name__}: {error}"[:400]})]


def _frame(committed: CommittedBlock, index: int) -> dict[str, Any]:
    header = committed.block.header
    return {"height": header.height, "index": None if index == BEGIN else index, "time": time_text(header.time_ms)}


def _things(committed: CommittedBlock, index: int, others: Contracts, args: bool) -> list[_Thing]:
    """Return (kind, contract, data) of a transaction or ``begin_block``, and of what it raised.

    The data of a ``begin_block`` that did nothing is empty.
    """
    frame, receipt = _frame(committed, index), Receipt.decode(committed.receipts[index + 1])
    if index == BEGIN:
        due = plain(receipt.data)
        first: _Thing = ("begin", tuple(receipt.data), {**frame, "due": due} if due else {})
        name = "begin"
    else:
        transaction = Transaction.decode(committed.block.transactions[index])
        said = {
            **frame,
            "id": transaction.id.hex(),
            "sender": transaction.sender,
            "contract": transaction.contract,
            "action": transaction.action,
            **({"args": plain(transaction.args)} if args else {}),
            "receipt": receipt_json(receipt),
        }
        first = ("transaction", (transaction.contract,), said)
        name = f"{transaction.contract}.{transaction.action}"
    return [first, *_raised(name, receipt, frame), *_raised_by_others(others, name, receipt, frame)]


def _raised(name: str, receipt: Receipt, frame: Mapping[str, Any]) -> Iterator[_Thing]:
    """Yield what each contract says that an accepted act, or the start of the block, raised."""
    due = [receipt.data[of] for of in sorted(receipt.data)] if name == "begin" else ()
    begun = [data for data in due if APPENDED in data]
    for contract in CONTRACTS.values() if receipt.ok else ():
        data = receipt.data.get(contract.name, {}) if name == "begin" else receipt.data
        for kind, raised in contract.events.items():
            for view in (*raised(name, data), *(found for more in begun for found in raised(APPENDED, more))):
                yield kind, (contract.name,), {**frame, **plain(view)}


def _raised_by_others(others: Contracts, name: str, receipt: Receipt, frame: Mapping[str, Any]) -> Iterator[_Thing]:
    """Yield what contracts of others say that their own acts, or what was due of them, raised."""  # W13
    for contract in others.values() if receipt.ok else ():
        begun = name == "begin"
        if not (contract.name in receipt.data if begun else name.partition(".")[0] == contract.name):
            continue
        data = receipt.data[contract.name] if begun else receipt.data
        for kind, view in raised_by(contract, name, data):
            yield kind, (contract.name,), {**frame, **view}


def raised_by(contract: Contract, name: str, data: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the kind and view of each event that an accepted act of a contract of others, or its due things, raised."""
    for kind, raised in contract.events.items():
        for view in _views(raised, name, data):
            yield kind, view


def _views(raised: Raised, name: str, data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what an act raised as JSON values; a fault of the contract costs the events of this kind."""
    try:
        views = [plain(dict(view)) for view in islice(raised(name, data), MAX_RAISED)]
        json_text(views)
    except Exception as error:
        return [{CANNOT_BE_SHOWN: f"{type(error).__name__}: {error}"[:400]}]  # W15
    return views
