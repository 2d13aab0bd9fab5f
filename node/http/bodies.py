"""Bodies in and out: bounded reading, strict JSON, MessagePack by negotiation.

Law: no request makes the node hold more than its limit, whatever length it announces or in whatever pieces it comes;
what is parsed is parsed strictly.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgpack
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive

from coseal.ledger.errors import Malformed
from coseal.ledger.strict_json import strict_json
from coseal.node.http.limits import Limits
from coseal.node.http.problems import Problem, unavailable

MSGPACK: Final = "application/msgpack"
JSON: Final = "application/json"
HEIGHT_HEADER: Final = "Coseal-Height"
# A parsed JSON document takes tens of times its size in memory, a parsed MessagePack list of bytes about its size.
JSON_BYTES_MAX: Final = 2 * 1024 * 1024
# Larger ones are parsed in a thread, so that the event loop keeps its turn.
_INLINE_JSON_BYTES: Final = 32 * 1024
_JSON: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_DISCARD_BODIES: Final = 4
_DISCARD_SECONDS: Final = 0.5


class BodyBudget:
    """How much of all requests' bodies the node holds at once."""

    def __init__(self, limit: int) -> None:
        self._free = limit

    def take(self, size: int) -> None:
        """Reserve ``size`` bytes or raise the problem 503."""
        if size > self._free:
            raise unavailable("too many large requests at once")
        self._free -= size

    def give(self, size: int) -> None:
        """Return what was taken."""
        self._free += size


async def read_body(headers: Headers, receive: Receive, limits: Limits, budget: BodyBudget) -> bytes:
    """Read a body of at most ``limits.body_bytes`` within ``limits.body_seconds``; raise 413, 408 or 503.

    The caller gives ``len(body)`` back to the budget when it is done with the body.
    """
    announced = headers.get("content-length", "")
    if announced.isdigit() and (len(announced) > 12 or int(announced) > limits.body_bytes):
        if "expect" not in headers:  # a client that waits for 100 Continue sends nothing
            await _discard(receive, limits.body_bytes)
        raise _too_large(limits)
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(limits.body_seconds):
            more = True
            while more:
                part, more = await _next_part(receive)
                if size + len(part) > limits.body_bytes:
                    raise _too_large(limits)
                budget.take(len(part))
                size += len(part)
                parts.append(part)
    except TimeoutError:
        budget.give(size)
        raise Problem(408, "slow_body", f"the body took longer than {limits.body_seconds} s", close=True) from None
    except Problem as problem:
        budget.give(size)
        if problem.status == 413:
            await _discard(receive, limits.body_bytes)
        raise
    return parts[0] if len(parts) == 1 else b"".join(parts)


async def _next_part(receive: Receive) -> tuple[bytes, bool]:
    """Return the next piece of a body, and whether more follows."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise Problem(400, "disconnected", "the request ended early", close=True)
    return message.get("body", b""), message.get("more_body", False)


async def _discard(receive: Receive, body_bytes: int) -> None:
    """Read some of an unwanted body and forget it.

    Closing a socket with unread data resets it, and the client would never see why it was refused.
    """
    left, more = _DISCARD_BODIES * body_bytes, True
    with contextlib.suppress(TimeoutError, Problem):
        async with asyncio.timeout(_DISCARD_SECONDS):
            while more and left > 0:
                part, more = await _next_part(receive)
                left -= len(part)


def _too_large(limits: Limits) -> Problem:
    return Problem(413, "too_large", f"the body exceeds {limits.body_bytes} bytes", close=True)


def media_type(headers: Headers) -> str:
    """Return the Content-Type without parameters, lower-case; empty when there is none."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def wants_msgpack(headers: Headers) -> bool:  # Y2
    """Say whether the client asks for MessagePack in ``Accept``."""
    return MSGPACK in headers.get("accept", "")


async def parse_json(body: bytes, what: str) -> Any:
    """Parse strict JSON; raise the problem 400, or 413 for more than ``JSON_BYTES_MAX``."""
    if len(body) > JSON_BYTES_MAX:
        raise Problem(413, "too_large", f"JSON of more than {JSON_BYTES_MAX} bytes; send MessagePack or less at once")
    try:
        if len(body) <= _INLINE_JSON_BYTES:
            return strict_json(body, what)  # Y3
        return await asyncio.to_thread(strict_json, body, what)
    except Malformed as error:
        raise Problem(400, "malformed", error.reason) from None


def split_raws(body: bytes, limit: int) -> list[bytes]:
    """Return the raw transactions of a MessagePack list of byte strings; raise the problem 400.

    The list is bounded before anything is allocated for it; an item is at most what the body holds, and whether it is
    too large for a transaction is reported for that item alone.
    """
    unpacker = msgpack.Unpacker(
        max_buffer_size=max(1, len(body)),
        max_array_len=0,
        max_bin_len=len(body),
        max_map_len=0,
        max_str_len=0,
        max_ext_len=0,
    )
    unpacker.feed(body)
    raws = []
    try:
        count = unpacker.read_array_header()
        if count > limit:
            raise ValueError(f"{count} items")
        for _ in range(count):
            raw = unpacker.unpack()
            if type(raw) is not bytes:
                raise ValueError("an item is no byte string")
            raws.append(raw)
        if unpacker.tell() != len(body):
            raise ValueError("bytes after the list")
    except Exception as error:  # msgpack raises several unrelated types for bad input
        detail = f"expected a MessagePack list of at most {limit} signed transactions as byte strings"
        raise Problem(400, "malformed", f"{detail}: {str(error) or type(error).__name__}") from None
    return raws


def json_bytes(document: Any) -> bytes:  # Y1
    """Return a document as JSON in UTF-8. Integers are written whole, also beyond 2^53."""
    return _JSON.encode(document).encode()


def answer(
    document: Mapping[str, Any],
    *,
    height: int | None = None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a JSON answer; ``height`` also goes to the header ``Coseal-Height``."""
    more = dict(headers or {})
    if height is not None:
        more[HEIGHT_HEADER] = str(height)  # Y4
    return Response(json_bytes(document), status, more, JSON)


def msgpack_list(items: Sequence[Any], *, height: int) -> Response:
    """Return a MessagePack list; the node's tip goes to ``Coseal-Tip`` and ``Coseal-Height``."""
    headers = {"Coseal-Tip": str(height), HEIGHT_HEADER: str(height)}
    return Response(msgpack.packb(list(items), use_bin_type=True), 200, headers, MSGPACK)
