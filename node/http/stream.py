"""Server-sent events: every committed transaction in ledger order, resumable, read from the log.

Law: a reader gets each event after its starting point exactly once and in order, however slow it is: nothing is
queued for it, the next block is read when the last one has been sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

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
_PLACE: Final = r"^[0-9]{1,18}(:[0-9]{1,9})?$"

From = Annotated[str | None, Query(alias="from", pattern=_PLACE, description="`height` or `height:index`, inclusive.")]
LastEventId = Annotated[str | None, Header(pattern=_PLACE, description="Resume after this event.")]
Only = Annotated[str | None, Query(max_length=64, description="Only this contract's transactions.")]


def router(context: Context) -> APIRouter:
    """Return the route of the stream."""
    routes = APIRouter(tags=["transactions"], dependencies=[Depends(context.fresh)])

    @routes.get("/v1/stream", summary="Committed transactions as server-sent events")
    async def stream(from_place: From = None, last_event_id: LastEventId = None, contract: Only = None) -> Response:
        height, index = _start(from_place, last_event_id, context.services.height)
        if context.streams >= context.limits.streams:
            raise Problem(429, "too_many_streams", f"at most {context.limits.streams} streams", retry_after_s=5)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", HEIGHT_HEADER: str(context.services.height)}
        return _Stream(context, _events(context, height, index, contract), headers)

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


def _start(from_place: str | None, last_event_id: str | None, tip: int) -> tuple[int, int]:
    """Return the first (height, index) to send; a Last-Event-ID wins over ``from``, as browsers send both."""
    if last_event_id is not None:
        height, _, index = last_event_id.partition(":")
        return (int(height), int(index) + 1) if index else (int(height) + 1, 0)
    if from_place is not None:
        height, _, index = from_place.partition(":")
        return max(1, int(height)), int(index or 0)
    return tip + 1, 0


async def _events(context: Context, height: int, index: int, contract: str | None) -> AsyncIterator[bytes]:
    yield b"retry: 1000\n\n"
    while True:
        if not await context.services.wait_height(height, _KEEP_ALIVE_S):
            yield b": nothing new\n\n"
            continue
        committed = await context.block(height)
        if committed is None:
            raise LookupError(f"block {height} is not in the log")
        rendered = _block_events(committed, index, contract)
        if rendered:
            yield rendered
        height, index = height + 1, 0
        await asyncio.sleep(0)


def _block_events(committed: CommittedBlock, first: int, contract: str | None) -> bytes:
    """Return the events of a block from transaction ``first`` on."""
    header = committed.block.header
    parts = []
    for index in range(first, header.tx_count):
        transaction = Transaction.decode(committed.block.transactions[index])
        if contract is None or transaction.contract == contract:
            receipt = Receipt.decode(committed.receipts[index + 1])
            data = json_bytes(event_json(header.height, index, header.time_ms, transaction, receipt))
            parts.append(b"id: %d:%d\nevent: transaction\ndata: %s\n\n" % (header.height, index, data))
    return b"".join(parts)


def event_json(height: int, index: int, time_ms: int, transaction: Transaction, receipt: Receipt) -> dict[str, Any]:
    """Return the data of one event."""
    return {
        "height": height,
        "index": index,
        "time": time_text(time_ms),
        "id": transaction.id.hex(),
        "sender": transaction.sender,
        "contract": transaction.contract,
        "action": transaction.action,
        "args": plain(transaction.args),
        "receipt": receipt_json(receipt),
    }
