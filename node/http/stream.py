"""Server-sent events: committed transactions and findings in ledger order, resumable, read from the log.

Law: a reader gets each event after its starting point exactly once and in order, however slow it is: nothing is
queued for it, the next block is read when the last one has been sent.

A block's events: what ``begin_block`` did, if anything (``H:begin``), then each transaction (``H:index``); the findings
that either raised come right after it, as ``H:begin:1``, ``H:index:1``, ``H:index:2``, ..., and so does the evidence
that a transaction put on record.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, TypeAlias

from fastapi import APIRouter, Depends, Header, Query
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from ledger.block import CommittedBlock, Receipt
from ledger.render import plain, receipt_json, time_text
from ledger.transaction import Transaction
from node.http.bodies import HEIGHT_HEADER, json_bytes
from node.http.context import Context
from node.http.problems import Problem

_HEIGHT_MAX: Final = 2**63 - 1
_KEEP_ALIVE_S: Final = 15.0
_PLACE: Final = r"^[0-9]{1,18}(:([0-9]{1,9}|begin)(:[0-9]{1,9})?)?$"
_BEGIN: Final = -1
_SUPERVISION: Final = "supervision"
_EVIDENCE: Final = "evidence"

Place: TypeAlias = tuple[int, int, int]
"""(height, index, number): index -1 is ``begin_block``; number 0 the thing itself, 1 and up the findings it raised."""

From = Annotated[
    str | None, Query(alias="from", pattern=_PLACE, description="`height` or `height:index`, as ids are; inclusive.")
]
LastEventId = Annotated[str | None, Header(pattern=_PLACE, description="Resume after the event with this id.")]
Only = Annotated[
    str | None, Query(max_length=64, description="Only this contract's; findings are those of `supervision`.")
]
Args = Annotated[bool, Query(description="With the arguments of transactions, which can be large.")]
Kind = Annotated[
    Literal["transaction", "begin", "finding", "evidence"] | None, Query(description="Only events of this type.")
]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events a reader asked for, None means all; and whether with the arguments of transactions."""

    contract: str | None = None
    kind: str | None = None
    args: bool = True

    def __call__(self, kind: str, contract: str) -> bool:
        """Say whether an event of this type and contract is wanted."""
        return self.kind in (None, kind) and self.contract in (None, contract)


def router(context: Context) -> APIRouter:
    """Return the route of the stream."""
    routes = APIRouter(tags=["transactions"], dependencies=[Depends(context.fresh)])

    @routes.get("/v1/stream", summary="Committed transactions and findings as server-sent events")
    async def stream(
        from_place: From = None,
        last_event_id: LastEventId = None,
        contract: Only = None,
        event: Kind = None,
        args: Args = True,
    ) -> Response:
        start = _start(from_place, last_event_id, context.services.height)
        context.require_kept(start[0])
        if context.streams >= context.limits.streams:
            raise Problem(429, "too_many_streams", f"at most {context.limits.streams} streams", retry_after_s=5)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", HEIGHT_HEADER: str(context.services.height)}
        return _Stream(context, _events(context, start, Wanted(contract, event, args)), headers)

    return routes


class _Stream(StreamingResponse):
    """A stream that counts while it is open."""

    def __init__(self, context: Context, events: AsyncIterator[bytes], headers: dict[str, str]) -> None:
        super().__init__(events, 200, headers, "text/event-stream")
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._context.streams += 1
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._context.streams -= 1


def _start(from_place: str | None, last_event_id: str | None, tip: int) -> Place:
    """Return the first place to send; a Last-Event-ID wins over ``from``, as browsers send both."""
    if last_event_id is not None:
        height, index, number = _place(last_event_id)
        return (height, index, number + 1) if ":" in last_event_id else (height + 1, _BEGIN, 0)
    if from_place is not None:
        height, index, number = _place(from_place)
        return (height, index, number) if height else (1, _BEGIN, 0)
    return tip + 1, _BEGIN, 0


def _place(text: str) -> Place:
    height, *rest = text.split(":")
    index = _BEGIN if not rest or rest[0] == "begin" else int(rest[0])
    return int(height), index, int(rest[1]) if len(rest) == 2 else 0


async def _events(context: Context, start: Place, wanted: Wanted) -> AsyncIterator[bytes]:
    yield b"retry: 1000\n\n"
    height = start[0]
    while True:
        if not await context.services.wait_height(height, _KEEP_ALIVE_S):
            yield b": nothing new\n\n"
            continue
        committed = await context.block(height)
        if committed is None:
            raise LookupError(f"block {height} is not in the log")
        rendered = _block_events(committed, start, wanted)
        if rendered:
            yield rendered
        height += 1
        await asyncio.sleep(0)


def _block_events(committed: CommittedBlock, start: Place, wanted: Wanted) -> bytes:
    """Return the events of a block, as far as they do not come before ``start``."""
    header = committed.block.header
    parts = []
    for index in range(_BEGIN, header.tx_count):
        if (header.height, index + 1, 0) <= start:
            continue  # even its last finding lies before the start
        receipt = Receipt.decode(committed.receipts[index + 1])
        for number, (kind, contract, data) in enumerate(_things(committed, index, receipt, wanted.args)):
            if (header.height, index, number) >= start and data and wanted(kind, contract):
                parts.append(_event(header.height, index, number, kind, data))
    return b"".join(parts)


def _things(
    committed: CommittedBlock, index: int, receipt: Receipt, args: bool
) -> list[tuple[str, str, dict[str, Any]]]:
    """Return (event type, contract, data) of a transaction or ``begin_block``, and of what it raised.

    The data of a ``begin_block`` that did nothing is empty.
    """
    header = committed.block.header
    frame = {"height": header.height, "index": None if index == _BEGIN else index, "time": time_text(header.time_ms)}
    if index == _BEGIN:
        due = plain(receipt.data)
        first = ("begin", _SUPERVISION, {**frame, "due": due} if due else {})
        views = receipt.data.get(_SUPERVISION, {}).get("findings", ())
    else:
        transaction = Transaction.decode(committed.block.transactions[index])
        data = event_json(header.height, index, header.time_ms, transaction, receipt, args=args)
        first = ("transaction", transaction.contract, data)
        views = receipt.data.get("findings", ()) if transaction.contract == "process" else ()
        if transaction.contract == _EVIDENCE and receipt.ok:
            return [first, ("evidence", _EVIDENCE, {**frame, "evidence": plain(receipt.data)})]
    return [first, *(("finding", _SUPERVISION, {**frame, **plain(view)}) for view in views)]


def _event(height: int, index: int, number: int, kind: str, data: dict[str, Any]) -> bytes:
    place = f"{height}:{'begin' if index == _BEGIN else index}" + (f":{number}" if number else "")
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (place.encode(), kind.encode(), json_bytes(data))


def event_json(
    height: int, index: int, time_ms: int, transaction: Transaction, receipt: Receipt, *, args: bool = True
) -> dict[str, Any]:
    """Return the data of one event, with the transaction's arguments or without."""
    return {
        "height": height,
        "index": index,
        "time": time_text(time_ms),
        "id": transaction.id.hex(),
        "sender": transaction.sender,
        "contract": transaction.contract,
        "action": transaction.action,
        **({"args": plain(transaction.args)} if args else {}),
        "receipt": receipt_json(receipt),
    }
