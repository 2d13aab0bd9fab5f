"""CloudEvents 1.0.2: structured, binary and batch, recorded as process data of the node's own member.

Law: a request is recorded as a whole, in one transaction, or not at all, and then the answer names the event that is
wrong; the same events sent again are not recorded again. docs/spec/api.md, section CloudEvents.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final
from urllib.parse import unquote

from starlette.datastructures import Headers
from starlette.responses import Response

from coseal.contracts.process import state as process
from coseal.contracts.process import types as process_types
from coseal.contracts.process.cloudevents import Number, SourcedItem, fitted, read_event
from coseal.contracts.process.items import Unfit, schema_of
from coseal.ledger import codec
from coseal.ledger.transaction import MAX_TRANSACTION_BYTES
from coseal.node.http.auth import Token
from coseal.node.http.bodies import JSON_BYTES_MAX, answer, media_type
from coseal.node.http.gateway import Asked, Submission, idempotency_key
from coseal.node.http.hot import HotRequest
from coseal.node.http.problems import Problem
from coseal.node.http.transactions import wait_of

STRUCTURED: Final = "application/cloudevents+json"
BATCH: Final = "application/cloudevents-batch+json"
MAX_EVENTS: Final = 1_000
_ENVELOPE_BYTES: Final = 1_024
_CHARACTERS_SHOWN: Final = 128


@dataclass(frozen=True, slots=True)
class _Batch:
    """Events of one source, in its sequence; ``named`` says of each what a problem calls it."""

    source: str
    first: int
    items: list[dict[str, Any]]
    named: list[dict[str, Any]]


class Events:
    """``POST /v1/events`` over one node's gateway."""

    def __init__(self, submission: Submission) -> None:
        self._submission = submission
        self._context = submission.context

    async def record(self, request: HotRequest) -> Response:
        """Sign and submit what an authorised system of this node's member sends as CloudEvents."""
        gateway, token = self._submission.authorise(request)
        wait = wait_of(request)
        events = await _events_of(request)
        batch = _batch(events)
        self._context.take_transactions(request.asker, 1, time.monotonic(), loopback=request.loopback)
        items = self._fitting(gateway.sender.partition("/")[0], batch)
        asked = _asked(request.headers, token, {"source": batch.source, "sequence": batch.first, "items": items})
        document = await self._submission.outcome(gateway, asked, wait)
        if document["status"] == "rejected":
            raise _rejected(document, batch)
        status = 202 if document["status"] == "accepted" else 200
        return answer(document, height=self._context.services.height, status=status)

    def _fitting(self, member: str, batch: _Batch) -> list[dict[str, Any]]:
        """Return the items as their process type has them; raise the problem of the first one that does not fit."""
        reader = self._context.reader()
        source = process.source(reader, f"{member}/{batch.source}")
        if source is None:
            detail = (
                f"{member} has no source {batch.source[:_CHARACTERS_SHOWN]}; register it with process.register_source"
            )
            raise Problem(422, "unknown_source", detail, more={"event": batch.named[0]})
        definition = process_types.process_type(reader, source["process_type"])
        if definition is None:
            raise Problem(422, "unknown_type", "the source's process type is gone", more={"event": batch.named[0]})
        schema = schema_of(definition, source.get("zone_minutes"))
        items = []
        for item, named in zip(batch.items, batch.named, strict=True):
            try:
                items.append(fitted(item, definition))
                schema.read(items[-1])
            except Unfit as error:
                raise _unfit("invalid_item", error, named) from None
        return items


def _asked(headers: Headers, token: Token, args: dict[str, Any]) -> Asked:
    """Return the request for the gateway. Without a key of its own the content is the key."""
    try:
        body = codec.encode(args)
    except (TypeError, ValueError, OverflowError) as error:
        raise Problem(400, "malformed", f"the events have no encoding: {error}") from None
    if len(body) > MAX_TRANSACTION_BYTES - _ENVELOPE_BYTES:
        raise Problem(413, "too_large", f"a transaction has at most {MAX_TRANSACTION_BYTES} bytes; send fewer events")
    digest = sha256(body).digest()
    given = "idempotency-key" in headers
    key = idempotency_key(headers, token) if given else sha256(b"coseal/events/1\0" + token.digest + digest).digest()
    return Asked("process", "record", args, key, digest, again=not given)  # Y22


# What came


async def _events_of(request: HotRequest) -> list[Any]:
    """Return the events of a request as their JSON format has them."""
    kind = media_type(request.headers)
    if kind == BATCH:
        events = await _parse(request.body)
        if type(events) is not list or not 1 <= len(events) <= MAX_EVENTS:
            raise Problem(400, "malformed", f"expected a list of 1 to {MAX_EVENTS} events")
        return events
    if kind == STRUCTURED:
        return [await _parse(request.body)]
    if "ce-specversion" in request.headers:
        return [await _binary(request.headers, request.body)]
    detail = f"send {STRUCTURED}, {BATCH}, or the headers ce-id, ce-source, ... with JSON data"
    raise Problem(415, "unsupported_media_type", detail)


async def _binary(headers: Headers, body: bytes) -> dict[str, Any]:
    """Return an event whose context attributes are headers and whose data is the body."""
    event: dict[str, Any] = {}
    for name, value in headers.items():
        if not name.startswith("ce-"):
            continue
        attribute = name[3:]
        if attribute in event or attribute in ("datacontenttype", "data", "data_base64"):
            raise Problem(400, "malformed", f"the header {name[:64]} stands there twice, or has no place in this mode")
        event[attribute] = _header_text(name, value)
    if "content-type" in headers:
        event["datacontenttype"] = headers["content-type"]
    if body:
        event["data"] = await _parse(body)
    return event


def _header_text(name: str, value: str) -> str:
    """Return a header's text, percent-decoded as the HTTP binding says."""
    try:
        return unquote(value, errors="strict")
    except UnicodeDecodeError:
        raise Problem(400, "malformed", f"the header {name[:64]} is not percent-encoded UTF-8") from None


async def _parse(body: bytes) -> Any:
    """Parse JSON strictly; a number that is no integer keeps its digits as a text."""
    if len(body) > JSON_BYTES_MAX:
        raise Problem(413, "too_large", f"JSON of more than {JSON_BYTES_MAX} bytes; send fewer events at once")
    try:
        return await asyncio.to_thread(_parse_now, body)
    except (ValueError, RecursionError) as error:
        raise Problem(400, "malformed", f"not strict JSON: {str(error)[:200]}") from None


def _parse_now(body: bytes) -> Any:
    return json.loads(
        body.decode(), parse_float=Number, parse_int=_integer, parse_constant=_constant, object_pairs_hook=_unique
    )


def _integer(text: str) -> int | Number:
    """Return an integer of 64 bit; a larger number keeps its digits, for a decimal to take."""
    fits = text != "-0" and len(text) <= 20 and -(2**63) <= int(text) < 2**63
    return int(text) if fits else Number(text)


def _constant(text: str) -> Any:
    raise ValueError(f"{text} is no JSON number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("an object has a key twice")
    return result


def _batch(events: list[Any]) -> _Batch:
    """Read the events; raise the problem of the first that is no CloudEvent or not the next of its source."""
    read: list[SourcedItem] = []
    named: list[dict[str, Any]] = []
    for index, event in enumerate(events):
        named.append(_name(event, index))
        try:
            read.append(read_event(event))
        except Unfit as error:
            raise _unfit("invalid_event", error, named[-1]) from None
        if read[-1].source != read[0].source:  # Y21
            raise Problem(422, "invalid_event", ".source: a batch is of one source", more={"event": named[-1]})
        expected = read[0].sequence + index
        if read[-1].sequence != expected:
            detail = f".sequence: expected {expected}, got {read[-1].sequence}; a batch is gapless and in order"
            raise Problem(422, "sequence", detail, more={"event": named[-1]})
    return _Batch(read[0].source, read[0].sequence, [one.item for one in read], named)


# What a problem says


def _name(event: Any, index: int) -> dict[str, Any]:
    """Return what names an event in an answer: its place in the request, id, source and sequence."""
    fields = event if isinstance(event, Mapping) else {}
    shown = {name: str(fields[name])[:_CHARACTERS_SHOWN] for name in ("id", "source", "sequence") if name in fields}
    return {"index": index, **shown}


def _unfit(code: str, error: Unfit, named: Mapping[str, Any]) -> Problem:
    return Problem(422, code, str(error).removeprefix(": "), more={"event": named})


def _rejected(document: Mapping[str, Any], batch: _Batch) -> Problem:
    """Return the problem of events that their contract rejected; its detail begins with the item's place."""
    receipt = document["receipt"]
    place = receipt["detail"].partition("items[")[2].partition("]")[0]
    index = int(place) if place.isdigit() and int(place) < len(batch.named) else 0
    where = {name: document[name] for name in ("id", "height", "index")}
    more = {**where, "event": batch.named[index], "data": receipt["data"]}
    return Problem(422, receipt["code"], receipt["detail"], more=more)
