"""One TLS connection to another node: frames in, frames out, both bounded.

Law: nothing is passed on before the peer has proven its identity and said a fitting Hello; a length is judged before
anything is allocated for it; what a slow peer does not take is bounded and the oldest consensus message goes first,
because a newer one says more.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from coseal.ledger.block import MAX_FRAME_BYTES
from coseal.ledger.errors import LedgerError
from coseal.node.core import wire
from coseal.node.core.wire import Hello

HELLO_SECONDS: Final = 2.5
IDLE_SECONDS: Final = 20.0
OUTBOUND_BYTES: Final = 8 * 1024 * 1024
BULK_BYTES: Final = 2 * 1024 * 1024
MAX_HELLO_BYTES: Final = 1024
_LENGTH_BYTES: Final = 4
_SOCKET_BUFFER_BYTES: Final = 512 * 1024
_JOINED_BYTES: Final = 16 * 1024  # more costs less where it is than in a copy


class Owner(Protocol):
    """What a link tells the set of links it belongs to."""

    def link_ready(self, link: Link) -> None:
        """The peer is who it should be and is of the same chain."""
        ...

    def link_frame(self, link: Link, payload: bytes) -> None:
        """A whole frame arrived on a ready link."""
        ...

    def link_lost(self, link: Link, reason: str) -> None:
        """The connection is gone, ready or not; called once."""
        ...


@dataclass(frozen=True, slots=True)
class Frame:
    """An encoded message on its way out; ``consensus``: it may be dropped for newer ones; ``bulk``: it can wait."""

    payload: bytes
    consensus: bool
    bulk: bool = False


class Link(asyncio.Protocol):
    """A connection. ``dialled``: we opened it, to reach ``expected``. ``peer`` is the proven identity."""

    def __init__(
        self, owner: Owner, hello: Hello, registry: Mapping[bytes, str], *, expected: str | None, now: float
    ) -> None:
        """``registry`` maps a certificate's DER to its node; ``now`` is the loop's time."""
        self.peer: str | None = None
        self.dialled = expected is not None
        self.ready = False
        self.paused = False
        self.dropped = 0
        self.heard = now
        self.settled = asyncio.Event()  # ready, or lost
        self._owner, self._hello, self._registry, self._expected = owner, hello, registry, expected
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._queue: deque[Frame] = deque()
        self._queued_bytes = 0
        self._bulk: deque[bytes] = deque()
        self._bulk_bytes = 0
        self._congested = False
        self._reason = "the connection broke"
        self._deadline: asyncio.TimerHandle | None = None

    # The connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The TLS handshake is done: see who is there and say who we are."""
        self._transport = transport  # type: ignore[assignment]  # a stream's transport is a Transport
        tls = transport.get_extra_info("ssl_object")
        certificate = tls.getpeercert(binary_form=True) if tls else None
        self.peer = self._registry.get(certificate or b"")
        if self.peer is None:
            self.close("its certificate is not registered")
        elif self._expected is not None and self.peer != self._expected:
            self.close(f"it is {self.peer}, not {self._expected}")
        elif self.peer == self._hello.node_id:
            self.close("it is this node itself")
        else:
            self._deadline = asyncio.get_running_loop().call_later(HELLO_SECONDS, self.close, "it did not say hello")
            self._transport.set_write_buffer_limits(high=_SOCKET_BUFFER_BYTES)  # type: ignore[union-attr]
            self._write(wire.encode(self._hello))

    def connection_lost(self, error: Exception | None) -> None:
        """See ``asyncio.Protocol``."""
        self._transport = None
        if self._deadline is not None:
            self._deadline.cancel()
        self._queue.clear()
        self._bulk.clear()
        self.settled.set()
        self._owner.link_lost(self, self._reason)

    def close(self, reason: str) -> None:
        """Close at once; ``reason`` goes to the log of our side."""
        if self._transport is not None and not self._transport.is_closing():
            self._reason = reason
            self._transport.abort()

    # Inbound

    def data_received(self, data: bytes) -> None:
        """Cut the stream into frames."""
        self._received += data
        position, size = 0, len(self._received)
        while size - position >= _LENGTH_BYTES and self._open:
            length = int.from_bytes(self._received[position : position + _LENGTH_BYTES], "big")
            limit = MAX_FRAME_BYTES if self.ready else MAX_HELLO_BYTES
            if not 0 < length <= limit:
                self.close(f"a frame of {length} bytes, at most {limit}")
                return
            end = position + _LENGTH_BYTES + length
            if end > size:
                break
            self._frame(bytes(memoryview(self._received)[position + _LENGTH_BYTES : end]))
            position = end
        del self._received[:position]

    @property
    def _open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def _frame(self, payload: bytes) -> None:
        self.heard = asyncio.get_running_loop().time()
        if self.ready:
            self._owner.link_frame(self, payload)
            return
        try:
            hello = wire.decode(payload)
        except LedgerError as error:
            self.close(f"its hello is malformed: {error.reason}")
            return
        if not isinstance(hello, Hello):
            self.close("it did not begin with a hello")
        elif hello.chain_id != self._hello.chain_id:
            self.close(f"it is of another chain, {hello.chain_id.hex()}")
        elif hello.node_id != self.peer:
            self.close(f"it calls itself {hello.node_id[:64]}, its certificate is that of {self.peer}")
        else:
            self.ready = True
            if self._deadline is not None:
                self._deadline.cancel()
            self.settled.set()
            self._owner.link_ready(self)

    def pause(self) -> None:
        """Read no more until ``resume``: the node is busy with what came before."""
        self.paused = True
        if self._open and self._transport is not None:
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        self.paused = False
        self.heard = asyncio.get_running_loop().time()
        if self._open and self._transport is not None:
            self._transport.resume_reading()

    # Outbound

    def send(self, frame: Frame) -> None:
        """Send, or queue while the peer is slow; beyond ``OUTBOUND_BYTES`` the oldest consensus message is dropped.

        What is bulk waits behind everything else, and is dropped itself where ``BULK_BYTES`` are waiting (N50).
        """
        if not self._open:
            return
        if not self._congested:
            self._write(frame.payload)
            return
        if frame.bulk:
            self._defer(frame.payload)
            return
        self._queue.append(frame)
        self._queued_bytes += len(frame.payload)
        while self._queued_bytes > OUTBOUND_BYTES:
            self._drop()

    def pause_writing(self) -> None:
        """See ``asyncio.Protocol``: the socket takes no more."""
        self._congested = True

    def resume_writing(self) -> None:
        """See ``asyncio.Protocol``: the socket takes more."""
        self._congested = False
        while self._queue and not self._congested:
            frame = self._queue.popleft()
            self._queued_bytes -= len(frame.payload)
            self._write(frame.payload)
        while self._bulk and not self._congested:
            payload = self._bulk.popleft()
            self._bulk_bytes -= len(payload)
            self._write(payload)

    def _defer(self, payload: bytes) -> None:
        if self._bulk and self._bulk_bytes + len(payload) > BULK_BYTES:
            self.dropped += 1
            return
        self._bulk.append(payload)
        self._bulk_bytes += len(payload)

    def _write(self, payload: bytes) -> None:
        if self._transport is None:
            return
        head = len(payload).to_bytes(_LENGTH_BYTES, "big")
        if len(payload) < _JOINED_BYTES:  # one TLS record instead of two
            self._transport.write(head + payload)
        else:
            self._transport.writelines((head, payload))

    def _drop(self) -> None:
        """Drop the oldest consensus message, or the oldest frame if there is none."""
        oldest = next((index for index, frame in enumerate(self._queue) if frame.consensus), 0)
        self._queued_bytes -= len(self._queue[oldest].payload)
        del self._queue[oldest]
        self.dropped += 1
