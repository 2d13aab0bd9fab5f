"""The socket on which CometBFT asks: frames in, answers out.

Law: answers leave in the order of the questions of their connection, whenever each comes in; a frame that cannot be
read closes its connection, upon which CometBFT ends and is started again.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final, cast

import structlog

from coseal.ledger.errors import Malformed
from coseal.node.core.comet import abci
from coseal.node.core.comet.abci import Request, read_request, read_varint

FRAME_BYTES_MAX: Final = 128 * 1024 * 1024
_log = structlog.get_logger("node")


class _Connection(asyncio.Protocol):
    def __init__(self, server: AbciServer) -> None:
        self.number = next(server.numbers)
        self._server = server
        self._buffer = bytearray()
        self._first = 0
        self._requests: deque[Request] = deque()
        self._answers: deque[bytes | None] = deque()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._server.connections[self.number] = self

    def connection_lost(self, _: Exception | None) -> None:
        self._transport = None
        self._server.connections.pop(self.number, None)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        try:
            self._read()
        except Malformed as error:
            _log.error("abci_malformed", reason=error.reason)
            self.close()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def answer(self, number: int, data: bytes) -> None:
        """Take the answer to question ``number``; those that are complete from the first on leave."""
        if number < self._first:
            return
        self._answers[number - self._first] = data
        out = bytearray()
        while self._answers and self._answers[0] is not None:
            out += abci.framed(self._answers.popleft() or b"")
            self._requests.popleft()
            self._first += 1
        if out and self._transport is not None:
            self._transport.write(bytes(out))

    def ask_again(self) -> None:
        """Ask what is not answered."""
        pairs = enumerate(zip(self._requests, self._answers, strict=True), self._first)
        for number, request in [(number, request) for number, (request, answer) in pairs if answer is None]:
            self._server.ask(self.number, number, request)

    def _read(self) -> None:
        position = 0
        while (frame := _next_frame(self._buffer, position)) is not None:
            data, position = frame
            number = self._first + len(self._answers)
            request = read_request(data)
            self._requests.append(request)
            self._answers.append(None)
            self._server.ask(self.number, number, request)
        del self._buffer[:position]


class AbciServer:
    """Listens on a Unix socket; every method is called on the loop."""

    def __init__(self, path: Path, ask: Callable[[int, int, Request], None]) -> None:
        """``ask(connection, number, request)`` leads to a call of ``answer``, at once or later."""
        self.ask = ask
        self.numbers = itertools.count()
        self.connections: dict[int, _Connection] = {}
        self._path = path
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Begin to listen."""
        self._path.unlink(missing_ok=True)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(lambda: _Connection(self), str(self._path))
        self._path.chmod(0o600)

    def ask_again(self) -> None:
        """Ask everything again that is not answered: of who answers from now on."""
        for connection in list(self.connections.values()):
            connection.ask_again()

    def answer(self, connection: int, number: int, data: bytes) -> None:
        """Send an answer in its place; lost if the connection is gone."""
        found = self.connections.get(connection)
        if found is not None:
            found.answer(number, data)

    async def close(self) -> None:
        """Close all connections; CometBFT ends."""
        if self._server is not None:
            self._server.close()
        for connection in list(self.connections.values()):
            connection.close()


def _next_frame(buffer: bytearray, position: int) -> tuple[bytes, int] | None:
    """Return the frame at ``position`` and where it ends, None if it is not complete; raise ``Malformed``."""
    head = bytes(buffer[position : position + 10])
    if not any(byte < 0x80 for byte in head):
        if len(head) == 10:
            raise Malformed("a frame without a length")
        return None
    size, used = read_varint(head, 0)
    if size > FRAME_BYTES_MAX:
        raise Malformed(f"a frame of {size} bytes")
    begin = position + used
    if len(buffer) < begin + size:
        return None
    return bytes(buffer[begin : begin + size]), begin + size
