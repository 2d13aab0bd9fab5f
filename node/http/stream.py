"""Server-sent events: committed transactions and findings in ledger order, resumable, read from the log.

Law: a reader gets each event after its starting point exactly once and in order, however slow it is: nothing is
queued for it, the next block is read when the last one has been sent. What a block tells is in ``block_events``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import structlog
from fastapi import APIRouter, Depends, Header, Query
from pydantic import StringConstraints
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from coseal.contracts.block_events import (
    BEGIN,
    CANNOT_BE_SHOWN,
    KINDS,
    NO_CONTRACTS,
    BlockEvent,
    Place,
    block_events,
    place_after,
    place_of,
    place_text,
)
from coseal.contracts.kernel.admitted import history
from coseal.contracts.registry import Contracts, others_at
from coseal.ledger.block import CommittedBlock
from coseal.ledger.strict_json import json_line
from coseal.node.http.bodies import HEIGHT_HEADER
from coseal.node.http.context import Context
from coseal.node.http.problems import Problem

_log = structlog.get_logger("node.http")
_HEIGHT_MAX: Final = 2**63 - 1
_KEEP_ALIVE_S: Final = 15.0
_PLACE: Final = r"^[0-9]{1,18}(:([0-9]{1,9}|begin)(:[0-9]{1,9})?)?$"

From = Annotated[
    str | None, Query(alias="from", pattern=_PLACE, description="`height` or `height:index`, as ids are; inclusive.")
]
LastEventId = Annotated[str | None, Header(pattern=_PLACE, description="Resume after the event with this id.")]
Only = Annotated[
    str | None,
    Query(
        max_length=64,
        description="Only what is of this contract; what fell due is of each contract that had something due.",
    ),
]
Args = Annotated[bool, Query(description="With the arguments of transactions, which can be large.")]
_OfOthers = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}\.[a-z0-9_]{1,63}$")]
Kind = Annotated[
    Literal[KINDS] | _OfOthers | None,  # type: ignore[valid-type]
    Query(description="Only events of this type; those of a contract of others are called `CONTRACT.NAME`."),
]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events a reader asked for, None means all; and whether with the arguments of transactions."""

    contract: str | None = None
    kind: str | None = None
    args: bool = True

    def __call__(self, event: BlockEvent) -> bool:
        """Say whether an event is wanted."""
        return self.kind in (None, event.kind) and (self.contract is None or self.contract in event.contracts)


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
        return place_after(last_event_id)  # Y23
    if from_place is not None:
        height, index, number = place_of(from_place)
        return (height, index, number) if height else (1, BEGIN, 0)
    return tip + 1, BEGIN, 0


async def _events(context: Context, start: Place, wanted: Wanted) -> AsyncIterator[bytes]:
    yield b"retry: 1000\n\n"
    height = start[0]
    while True:
        if not await context.services.wait_height(height, _KEEP_ALIVE_S):
            yield b": nothing new\n\n"
            continue
        committed = await context.block(height)  # Y24
        if committed is None:
            raise LookupError(f"block {height} is not in the log")
        others = others_at(history(context.reader()), height, context.services.others)
        rendered = _block_events(committed, start, wanted, others)
        if rendered:
            yield rendered
        height += 1
        await asyncio.sleep(0)


def _block_events(committed: CommittedBlock, start: Place, wanted: Wanted, others: Contracts = NO_CONTRACTS) -> bytes:
    """Return the events of a block, as far as they do not come before ``start``."""
    events = list(filter(wanted, block_events(committed, start, others, args=wanted.args)))
    for event in events:
        if CANNOT_BE_SHOWN in event.data:
            _log.error("event_not_shown", event_id=place_text(event.place), reason=event.data[CANNOT_BE_SHOWN])
    return b"".join(map(_event, events))


def _event(event: BlockEvent) -> bytes:
    place = place_text(event.place)
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (place.encode(), event.kind.encode(), json_line(event.data).encode())
