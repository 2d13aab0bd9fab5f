"""A receiver that is a webhook: CloudEvents' HTTP binding, structured, binary or batch, perhaps signed.

Law: a 2xx status is the acknowledgement and nothing else is. Redirects are not followed; of an answer only its status,
``Retry-After`` and the first bytes are read.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from pathlib import Path
from typing import Final
from urllib.parse import quote

import httpx

from coseal import __version__
from coseal.client.blocking import are_local
from coseal.errors import BadAnswer, CosealError
from coseal.streams.delivery import Away, NotTaken
from coseal.streams.outgoing import BATCH, DATA_TYPE, STRUCTURED, Outgoing
from coseal.streams.signature import Secret, signature_headers
from coseal.streams.trust import trusting

MAX_BATCH_BYTES: Final = 1_048_576
_SHOWN_BYTES: Final = 300
_OF_THE_EVENT: Final = frozenset((400, 409, 413, 422, 431))
"""Statuses that say something of this event; others are of the receiver, and may be otherwise in a while."""
_GONE: Final = 410
_UNESCAPED: Final = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')


class Mode(StrEnum):
    """How an event travels: as one JSON document, as headers and data, or several in one list."""

    structured = "structured"
    binary = "binary"
    batch = "batch"


@dataclass(frozen=True, slots=True)
class Options:
    """How to send: ``timeout_s`` for a whole attempt, ``bearer`` for ``Authorization``, ``secret`` to sign with.

    ``ca`` is a file of certificates to trust instead of the usual ones.
    """

    mode: Mode = Mode.structured
    batch_events: int = 100
    timeout_s: float = 30.0
    secret: Secret | None = None
    bearer: str | None = None
    allow_http: bool = False
    ca: Path | None = None


class Webhook:
    """Posts events to a URL; see ``coseal.streams.delivery.Receiver``."""

    batch_bytes = MAX_BATCH_BYTES

    def __init__(self, url: str, options: Options, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """Check the URL; raise ``CosealError`` if events may not go there."""
        self._url, self._options = _checked(url, allow_http=options.allow_http), options
        self.name = str(self._url.copy_with(username=None, password=None, query=None, fragment=None))
        self.batch_events = options.batch_events if options.mode is Mode.batch else 1
        self._http = httpx.AsyncClient(
            verify=True if options.ca is None else trusting(options.ca),
            headers={"User-Agent": f"coseal/{__version__}"},
            trust_env=not are_local([url]),
            transport=transport,
            timeout=options.timeout_s,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def deliver(self, events: Sequence[Outgoing]) -> None:
        """Post events and return when the receiver has acknowledged them."""
        headers, body = self._message(events)
        if self._options.secret is not None:
            headers |= signature_headers(self._options.secret, headers, body, int(time.time()))
        if self._options.bearer is not None:
            headers["authorization"] = f"Bearer {self._options.bearer}"
        response = None
        try:
            async with (
                asyncio.timeout(self._options.timeout_s),
                self._http.stream("POST", self._url, content=body, headers=headers) as response,
            ):
                said = await _beginning(response)
        except (TimeoutError, httpx.HTTPError) as error:
            if response is not None and response.is_success:
                return  # what comes after the status is nothing to us
            if isinstance(error, TimeoutError):
                raise Away(f"no answer within {self._options.timeout_s:g} s") from None
            raise Away(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__) from None
        if not response.is_success:
            _judge(response, said)

    def _message(self, events: Sequence[Outgoing]) -> tuple[dict[str, str], bytes]:
        """Return headers and body of a request."""
        if self._options.mode is Mode.batch:
            return {"content-type": BATCH}, b"[" + b",".join(event.structured for event in events) + b"]"
        (event,) = events
        if self._options.mode is Mode.binary:
            return binary_headers(event.attributes) | {"content-type": DATA_TYPE}, event.body()
        return {"content-type": STRUCTURED}, event.structured


def binary_headers(attributes: Mapping[str, str]) -> dict[str, str]:
    """Return context attributes as headers: UTF-8, what HTTP cannot hold percent-encoded (HTTP binding, 3.1.3.2)."""
    return {f"ce-{name}": quote(value, safe=_UNESCAPED) for name, value in attributes.items()}


def _judge(response: httpx.Response, said: str) -> None:
    """Raise what a status that is no 2xx means."""
    status = response.status_code
    told = f"it answered {status}" + (f": {said}" if said else "")
    if status == _GONE:
        raise BadAnswer(f"{response.request.url.host} is retired: {told}", "give the URL of its successor")
    if status in _OF_THE_EVENT:
        raise NotTaken(told)
    if response.is_redirect:
        where = response.headers.get("location", "")[:200]
        told = f"it answered {status} to {where}; redirects are not followed, give the new URL"
    raise Away(told, _asked_s(response.headers.get("retry-after", "")))


def _asked_s(value: str) -> float:
    """Return the seconds of a ``Retry-After``, which may be a date; 0 if there is none."""
    if value.isascii() and value.isdigit() and len(value) <= 9:
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return 0.0
    if at.tzinfo is None:
        return 0.0
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


async def _beginning(response: httpx.Response) -> str:
    """Return the first bytes of an answer as one line; the connection serves again if there are no more."""
    found = b""
    async for piece in response.aiter_bytes():
        found += piece[:_SHOWN_BYTES]
        if len(found) >= _SHOWN_BYTES:
            break
    text = found[:_SHOWN_BYTES].decode("utf-8", "replace")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _checked(url: str, *, allow_http: bool) -> httpx.URL:
    """Return the URL, or raise ``CosealError``, which does not tell what may be secret of it."""
    try:
        found = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise CosealError(f"the webhook's URL: {error}") from None
    if found.scheme not in ("http", "https") or not found.host:
        raise CosealError("the webhook's URL: expected https://HOST/PATH", "or http:// on this machine")
    if found.port is not None and not 0 < found.port < 65_536:
        raise CosealError(f"the webhook's URL: {found.port} is not a port")
    if found.scheme == "http" and not allow_http and not are_local([url]):
        hint = "use https://, or give --allow-http if the network between is yours"
        raise CosealError(f"events for {found.host} would travel in the clear", hint)
    return found
