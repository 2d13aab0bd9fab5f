"""A receiver that is a stream of NATS JetStream: each event a message, acknowledged when the stream has stored it.

Law: a message's id is its event's, so that JetStream drops what it has already; messages on their way together each
name the one before, so that none is stored before those ahead of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import math
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from coseal.errors import CosealError
from coseal.streams.delivery import Away, NotTaken, Report
from coseal.streams.outgoing import STRUCTURED, Outgoing
from coseal.streams.trust import trusting

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.js import JetStreamContext

_PREFIX: Final = "coseal."
_WRONG_LAST: Final = 10070
_TOO_LARGE: Final = 10054
_HEAD_BYTES: Final = 1_024
_NAME: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
DUPLICATE_WINDOW_S: Final = 600.0
"""How long a stream that is made here knows a message again."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to send: to ``stream``, under subjects that begin with ``subject``; ``create`` makes the stream if absent.

    ``window`` messages are on their way at once; ``timeout_s`` is for each acknowledgement. ``credentials`` is a file
    as `nsc` writes it, ``ca`` the certificates to trust instead of the system's.
    """

    stream: str = "COSEAL"
    subject: str = "coseal"
    create: bool = False
    window: int = 256
    timeout_s: float = 10.0
    credentials: Path | None = None
    ca: Path | None = None


class JetStream:
    """Publishes events to a stream; see ``coseal.streams.delivery.Receiver``."""

    batch_bytes = 4 * 1_048_576

    def __init__(self, url: str, options: Options, report: Report) -> None:
        """Check what is given, raising ``CosealError``; nothing is connected before the first event."""
        if importlib.util.find_spec("nats") is None:
            raise CosealError("the NATS client is not installed", "pip install 'coseal[nats]'")
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            raise CosealError(f"{parts.hostname}: no port of this number") from None
        if parts.scheme not in ("nats", "tls") or not parts.hostname:
            raise CosealError(f"{parts.scheme}://{parts.hostname}: expected nats://HOST:PORT or tls://HOST:PORT")
        if not _is_name(options.stream) or not all(_is_name(token) for token in options.subject.split(".")):
            hint = "letters, digits, - and _ ; a subject may have several such words, joined by dots"
            raise CosealError(f"stream {options.stream!r}, subject {options.subject!r}", hint)
        if options.credentials is not None and not options.credentials.is_file():
            raise CosealError(f"{options.credentials}: no such file")
        self._tls = trusting(options.ca) if parts.scheme == "tls" or options.ca is not None else None
        self._url, self._options, self._report = url, options, report
        place = parts.hostname if port is None else f"{parts.hostname}:{port}"
        self.name = f"{parts.scheme}://{place}/{options.stream}/{options.subject}"
        self.batch_events = options.window
        self._client: Client | None = None
        self._js: JetStreamContext | None = None
        self._ended = asyncio.Event()
        self._error: Exception | None = None
        self._alone = True

    async def close(self) -> None:
        """Close the connection."""
        client, self._client, self._js = self._client, None, None
        if client is not None:
            with contextlib.suppress(Exception):
                await client.close()

    async def deliver(self, events: Sequence[Outgoing]) -> None:
        """Publish events and return when the stream has stored all of them."""
        from nats.errors import NoServersError

        try:
            js, max_payload = await self._connected()
            too_large = next((event for event in events if len(event.structured) > max_payload - _HEAD_BYTES), None)
            if too_large is not None:
                raise NotTaken(f"{too_large.id} is larger than the {max_payload} bytes the server takes")
            await self._while_connected(self._publish(js, events))
        except (Away, NotTaken, CosealError):
            raise
        except Exception as error:  # the library raises its own errors, the system's and the event loop's
            await self.close()  # its buffers with it: what was not acknowledged is sent by us, not by it
            noted, self._error = self._error, None
            raise _meaning(noted if noted is not None and isinstance(error, NoServersError) else error) from None

    async def _while_connected(self, work: Coroutine[None, None, None]) -> None:
        """Carry work out; raise ``Away`` when the connection ends, which the library only finds out by waiting."""
        task, ended = asyncio.ensure_future(work), asyncio.ensure_future(self._ended.wait())
        try:
            await asyncio.wait((task, ended), return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise Away("the server ended the connection")
            await task
        finally:
            for one in (task, ended):
                one.cancel()
            await asyncio.gather(task, ended, return_exceptions=True)

    async def _noted(self, error: Exception) -> None:
        """Keep what the library tells of the connection: it is the reason if no server is left."""
        self._error = error

    async def _closed(self) -> None:
        self._ended.set()

    # The connection

    async def _connected(self) -> tuple[JetStreamContext, int]:
        """Return the connection, made if there is none, and how many bytes a message may have."""
        if self._js is not None and self._client is not None and self._client.is_connected:
            return self._js, self._client.max_payload
        await self.close()
        self._ended = asyncio.Event()
        from nats.aio.client import Client

        client, options = Client(), self._options
        self._client = client
        await asyncio.wait_for(
            client.connect(
                self._url,
                name="coseal stream",
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=0,  # the pauses are ours
                connect_timeout=math.ceil(options.timeout_s),
                tls=self._tls,
                user_credentials=None if options.credentials is None else str(options.credentials),
                error_cb=self._noted,
                closed_cb=self._closed,
            ),
            2 * options.timeout_s,
        )
        self._js = client.jetstream(timeout=options.timeout_s)
        await self._find_stream(self._js)
        return self._js, client.max_payload

    async def _find_stream(self, js: JetStreamContext) -> None:
        from nats.js.api import StorageType, StreamConfig
        from nats.js.errors import NotFoundError

        options = self._options
        try:
            config = (await js.stream_info(options.stream)).config
        except NotFoundError:
            if not options.create:
                raise Away(f"it has no stream {options.stream}; make it there, or give --create") from None
            config = StreamConfig(
                name=options.stream,
                subjects=[f"{options.subject}.>"],
                storage=StorageType.FILE,
                duplicate_window=DUPLICATE_WINDOW_S,
            )
            await js.add_stream(config)
        if config.storage == StorageType.MEMORY:
            detail = f"stream {options.stream} keeps messages in memory: what it acknowledges is lost when NATS stops"
            self._report("warning", {"detail": detail})

    # Publishing

    async def _publish(self, js: JetStreamContext, events: Sequence[Outgoing]) -> None:
        """Publish the first alone and the others together, each only to be stored right after the one before it."""
        if not self._alone:
            for event in events:
                await self._one(js, event)
            return
        await self._one(js, events[0])
        pairs = zip(events[1:], events, strict=False)
        answers = await asyncio.gather(
            *(self._one(js, event, after=before) for event, before in pairs), return_exceptions=True
        )
        failed = next((answer for answer in answers if isinstance(answer, BaseException)), None)
        if failed is None:
            return
        if getattr(failed, "err_code", None) == _WRONG_LAST:
            self._alone = False
            detail = "another writes to this stream too: messages are sent one by one, which is slower"
            self._report("warning", {"detail": detail})
            await self._publish(js, events)
            return
        raise failed

    async def _one(self, js: JetStreamContext, event: Outgoing, after: Outgoing | None = None) -> None:
        from nats.js.api import Header

        headers = {Header.MSG_ID.value: event.message_id, "content-type": STRUCTURED}
        if after is not None:
            headers[Header.EXPECTED_LAST_MSG_ID.value] = after.message_id
        subject = f"{self._options.subject}.{event.type.removeprefix(_PREFIX)}"
        await js.publish(subject, event.structured, stream=self._options.stream, headers=headers)


def _meaning(error: Exception) -> Away | NotTaken:
    """Return what an error of the library means."""
    from nats.errors import MaxPayloadError
    from nats.js.errors import APIError, NoStreamResponseError

    if isinstance(error, MaxPayloadError):
        return NotTaken("it is larger than the server takes")
    if isinstance(error, NoStreamResponseError):
        return Away("no stream there takes the subject; add it to the stream's subjects")
    if isinstance(error, APIError):
        told = f"JetStream: {error.description or type(error).__name__}"
        return NotTaken(told) if error.err_code == _TOO_LARGE else Away(told)
    return Away(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)


def _is_name(text: str) -> bool:
    return bool(text) and _NAME.issuperset(text)
