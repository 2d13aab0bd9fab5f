"""What changes while nobody asks: the pulse that polls nodes and follows headers, and the nodes' event stream.

Law: a browser learns *that* something changed, never what: they ask for their page again, which verifies as always.
With nobody looking the console only keeps up with the headers. Nothing that a node answers ends what runs here.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Final

import httpx

from coseal.console.documents import STREAMED
from coseal.console.light import LightClient
from coseal.console.nodes import UNANSWERED, Address, Nodes, Reply
from coseal.console.shapes import Odd, read

WATCHED_S: Final = 1.0
UNWATCHED_S: Final = 5.0
_PULSE_S_MIN: Final = 0.3  # however many blocks come
_RETRY_S: Final = 1.0
_SILENCE_S: Final = 40.0  # a node sends a comment every 15 s
_EVENT_BYTES_MAX: Final = 16 * 1024 * 1024
_PLACE: Final = re.compile(r"([0-9]{1,18}):[0-9A-Za-z:.-]{1,64}")

logger = logging.getLogger("console")

LookUp = Callable[[], tuple[Address, ...]]
"""Returns the nodes there are now, where that may change while the console runs."""


class Live:
    """The console's running tasks."""

    def __init__(self, nodes: Nodes, light: LightClient, look_up: LookUp | None = None) -> None:
        self.viewers = 0
        self.source = ""
        """The node whose stream is being read, empty while there is none."""
        self._nodes, self._light, self._look_up = nodes, light, look_up
        self._version = 0
        self._changed = asyncio.Event()
        self._attention = asyncio.Event()
        self._last_id = ""
        self.heard = 0
        """How many events of streams were heard."""

    @property
    def version(self) -> int:
        """Rises with every change worth showing."""
        return self._version

    def ring(self) -> None:
        """Wake those who wait: something changed."""
        self._version += 1
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def wait(self, seen: int, timeout_s: float) -> int:
        """Return the version once it is above ``seen``, or as it is after ``timeout_s``."""
        if self._version <= seen:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), timeout_s)
        return self._version

    @contextlib.asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Count one more viewer while the block runs."""
        self.viewers += 1
        self._attention.set()
        try:
            yield
        finally:
            self.viewers -= 1

    async def run(self) -> None:
        """Run until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._pulse())
            tasks.create_task(self._listen())

    async def refresh(self) -> bool:
        """Poll the nodes once and follow one run of headers; say whether the light client still lags."""
        if self._look_up is not None:
            self._nodes.addresses = self._look_up()
        changed = await self._nodes.poll()
        trouble = self._light.trouble
        moved = await self._light.advance()
        if changed or moved or trouble != self._light.trouble:
            self.ring()
        return moved and self._light.height < self._nodes.tip

    async def _pulse(self) -> None:
        while True:
            began = time.monotonic()
            with _logged("following the chain"):
                if await self.refresh():
                    await self._catch_up()
            await asyncio.sleep(_PULSE_S_MIN)
            pause_s = WATCHED_S if self.viewers else UNWATCHED_S
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._attention.wait(), max(0.0, pause_s - (time.monotonic() - began)))
            self._attention.clear()

    async def _catch_up(self) -> None:
        """Follow runs one after another, telling viewers about once a second how far it is."""
        told = time.monotonic()
        while await self._light.advance():
            if time.monotonic() - told > WATCHED_S:
                await self._nodes.poll()
                self.ring()
                told = time.monotonic()

    async def _listen(self) -> None:
        """Read the stream of one node after another while somebody looks; resume where the last one ended."""
        while True:
            if not self.viewers or not self._nodes.seen:
                await asyncio.sleep(_RETRY_S / 2)
                continue
            for address in self._nodes.order():
                seen = self._nodes.seen.get(address.name)
                if seen is not None and seen.status is not None:
                    with contextlib.suppress(*UNANSWERED), _logged("reading the event stream"):
                        await self._read(address)
                    if self.source:
                        break  # it did stream for a while: begin again with the node that is first now
            self.source = ""
            await asyncio.sleep(_RETRY_S)

    async def _read(self, address: Address) -> None:
        headers = {"Accept": "text/event-stream", **address.headers}
        params: dict[str, Any] = {"args": "false"}
        if self._last_id and int(self._last_id.partition(":")[0]) >= self._nodes.tip - 2:
            headers["Last-Event-ID"] = self._last_id
        timeout = httpx.Timeout(5.0, read=_SILENCE_S)
        request = self._nodes.http.stream(
            "GET", f"{address.url}/v1/stream", params=params, headers=headers, timeout=timeout
        )
        async with request as response:
            if response.status_code != 200:
                return
            self.source = address.name
            async for event in events_of(response.aiter_bytes()):
                if not self.viewers:
                    return
                try:
                    self._hear(event)
                except Odd as error:
                    reply = Reply(address.name, 200, event, "GET /v1/stream")
                    self._nodes.note(reply, error.reason, lambda event=event: place_of(event))  # type: ignore[misc]
                    return

    def _hear(self, event: bytes) -> None:
        place, height = place_of(event)
        if place and place != self._last_id:
            self._last_id = place
            self.heard += 1
            if height > self._light.height:
                self._attention.set()  # follow it now, not at the next beat


async def events_of(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the events of a stream as they come, each the bytes before an empty line; end at one that is too large."""
    held = b""
    async for part in parts:
        held += part
        *events, held = held.split(b"\n\n")
        for event in events:
            yield event
        if len(held) > _EVENT_BYTES_MAX:
            return


def place_of(event: bytes) -> tuple[str, int]:
    """Return the place and the height of an event, ("", 0) for one without data; raise ``Odd``."""
    fields = {}
    for line in event.split(b"\n"):
        name, _, value = line.partition(b": ")
        fields[name] = value
    if b"data" not in fields:
        return "", 0
    place = fields.get(b"id", b"").decode("utf-8", "replace")
    if _PLACE.fullmatch(place) is None:
        raise Odd("an event of the stream has no place HEIGHT:PLACE")
    return place, int(read(fields[b"data"], STREAMED, "event")["height"])


@contextlib.contextmanager
def _logged(what: str) -> Iterator[None]:
    """Log a fault of this program and continue, so that pages still show what there is."""
    try:
        yield
    except UNANSWERED:
        raise
    except Exception:
        logger.exception("%s failed", what)
