"""The server under the application: uvicorn with the limits it lacks (header size and time, connections, stalls).

Law: a connection that does not make progress is closed, and none makes the node hold more than its bounds.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from coseal.node.http.fast_path import Caller, FastPath, Plan
from coseal.node.http.gatekeeper import Gatekeeper, is_loopback
from coseal.node.http.limits import Limits
from coseal.node.http.problems import Problem
from coseal.node.http.tls import TlsListener

_BACKLOG: Final = 1_024


class HttpServer:
    """Serves a node's application on the running loop; it handles no signals, that is the runtime's business."""

    def __init__(
        self,
        app: Gatekeeper,
        host: str,
        port: int,
        limits: Limits,
        *,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Prepare; with ``tls`` it serves TLS."""
        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            http=_limited(limits, app.fast_path),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=_BACKLOG,
            timeout_keep_alive=int(limits.keep_alive_seconds),
            timeout_graceful_shutdown=2,
        )
        self._app = app
        self._server = _Server(config, limits, tls)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Return when the server accepts connections; raise ``OSError`` if it cannot listen."""
        self._task = asyncio.create_task(self._server.serve(), name="http-server")
        while not self._server.started:
            if self._task.done():
                self._task.result()
                raise OSError("the HTTP server did not start")
            await asyncio.sleep(0.005)

    @property
    def port(self) -> int:
        """The port it listens on, of use when 0 was asked for."""
        return int(self._server.servers[0].sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Stop accepting, let running requests finish for a moment, end those that wait or stream, close."""
        self._server.should_exit = True
        await self._app.stop()
        if self._task is not None:
            await self._task


class _Server(uvicorn.Server):
    """With TLS it listens itself: uvicorn's way bounds neither the time nor the number of handshakes."""

    def __init__(self, config: uvicorn.Config, limits: Limits, tls: ssl.SSLContext | None) -> None:
        super().__init__(config)
        self._limits, self._tls = limits, tls

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[Any] | None = None) -> None:
        if self._tls is not None:
            await self.lifespan.startup()
            self.servers = [self._tls_listener(self._tls)]  # type: ignore[list-item]
            self.started = True
            return
        try:
            await super().startup(sockets)
        except SystemExit:  # uvicorn's way to say that it cannot bind; the runtime decides what ends the process
            raise OSError(f"cannot listen on {self.config.host}:{self.config.port}") from None

    def _tls_listener(self, tls: ssl.SSLContext) -> TlsListener:
        config = self.config
        family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
        try:
            listener = socket.create_server((config.host, config.port), family=family, backlog=_BACKLOG)
        except OSError as error:
            raise OSError(f"cannot listen on {config.host}:{config.port}: {error.strerror}") from None
        listener.setblocking(False)

        def protocol() -> asyncio.Protocol:
            kind: Any = config.http_protocol_class
            made: asyncio.Protocol = kind(config, self.server_state, self.lifespan.state)
            return made

        return TlsListener(listener, tls, protocol, self._limits)


class _LimitedProtocol(HttpToolsProtocol):
    """One connection, with its head bounded in size and time, and its stalls ended."""

    limits: Limits
    by_address: Counter[str]
    fast_path: FastPath

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_bytes = 0  # of the parsed part of the head
        self._raw_bytes = 0  # received while the head is open, parsed or not
        self._chunk_bytes = 0
        self._in_head = True
        self._refused = False
        self._whole: list[bytes] | None = None  # the body so far of a request that may take the fast path
        self._plan: Plan | None = None  # what it wants
        self._timer: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None
        self._address = ""

    # Connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._address = self.client[0] if self.client else "local"
        far_end = f"{self._address}:{self.client[1] if self.client else 0}"
        self._caller = Caller(f"address:{self._address}", far_end, is_loopback(self._address))
        self.by_address[self._address] += 1
        share = self.limits.connections_per_address
        crowded = self.by_address[self._address] > share and not is_loopback(self._address)
        if crowded or len(self.connections) > self.limits.connections:
            self._refuse(503, "too_many_connections", "this node has as many connections as it may", retry_after_s=1)
            return
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        if self._stall is not None:
            self._stall.cancel()
        self.by_address[self._address] -= 1
        if self.by_address[self._address] <= 0:
            del self.by_address[self._address]
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        self._chunk_bytes = len(data)
        super().data_received(data)
        if self._whole is not None:
            self._go_round(self._whole)
        if self._in_head and not self._refused:
            self._raw_bytes += self._chunk_bytes
            if self._raw_bytes > self.limits.header_bytes:
                self._refuse_head()
            elif self._timer is None:
                self._arm()

    # Parser

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._head_bytes, self._raw_bytes = True, 0, 0
        self._disarm()  # of the first head, whose time began with the connection; this one's may be over at once

    def on_url(self, url: bytes) -> None:
        self._head_bytes += len(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_bytes += len(name) + len(value) + 4
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._disarm()
        if self._head_bytes > self.limits.header_bytes:
            self._refuse_head()
        if self._refused:
            return
        self._plan = self._fast_path_plan()
        if self._plan is None:
            super().on_headers_complete()
        else:
            self._whole = []

    def on_body(self, body: bytes) -> None:
        if self._whole is not None:
            self._whole.append(body)
        elif not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._chunk_bytes = 0  # what came before is not of the next head; how much of the chunk is left is not known
        if self._whole is not None and self._plan is not None:
            body, self._whole = b"".join(self._whole), None
            self.cycle = exchange = _Exchange(self)  # type: ignore[assignment]
            self.fast_path.take(exchange, self._caller, self._plan, self.headers, body)
        elif not self._refused:
            super().on_message_complete()

    # The fast path

    def _fast_path_plan(self) -> Plan | None:
        """Say what a request that may take the fast path wants, None if it must take the ordinary way.

        Where an answer is owed or cannot leave, it goes round, for there requests wait their turn.
        """
        free = self.cycle is None or self.cycle.response_complete
        if not free or self.flow.write_paused or self.parser.get_method() != b"POST":
            return None
        if self.parser.get_http_version() != "1.1" or not self.parser.should_keep_alive():
            return None
        return self.fast_path.plan(self.url, self.headers)

    def _go_round(self, parts: list[bytes]) -> None:
        """Do for a request whose body is not all here what was left undone when its head was complete."""
        self._whole = None
        super().on_headers_complete()
        for part in parts:
            super().on_body(part)

    def send_400_response(self, msg: str) -> None:
        if not self._refused:
            self._refuse(400, "malformed_request", "not HTTP/1.1; what is no ASCII is percent-encoded in a path")

    # Stalls

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._stall is None:
            self._stall = self.loop.call_later(self.limits.write_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    # Refusals

    def _arm(self) -> None:
        self._disarm()
        self._timer = self.loop.call_later(self.limits.header_seconds, self._slow_head)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _slow_head(self) -> None:
        if not self.transport.is_closing():
            self._refuse(408, "slow_header", f"the header took longer than {self.limits.header_seconds} s")

    def _refuse_head(self) -> None:
        self._refuse(431, "header_too_large", f"the header exceeds {self.limits.header_bytes} bytes")

    def _refuse(self, status: int, code: str, detail: str, retry_after_s: float | None = None) -> None:
        """Answer with a problem, once, and close."""
        self._refused, self._whole = True, None
        self._disarm()
        self.transport.write(_problem_bytes(Problem(status, code, detail, retry_after_s=retry_after_s, close=True)))
        self.transport.close()


class _Exchange:
    """What stands for uvicorn's cycle on a connection while a request on the fast path awaits its answer."""

    __slots__ = ("_connection", "disconnected", "keep_alive", "message_event", "response_complete")

    def __init__(self, connection: _LimitedProtocol) -> None:
        self._connection = connection
        self.disconnected = self.response_complete = False
        self.keep_alive = True
        self.message_event = _UNHEARD

    def answer(self, status: int, head: str, body: bytes, *, close: bool = False) -> None:
        """See ``fast_path.Exchange``."""
        if self.disconnected or self.response_complete or self._connection.transport.is_closing():
            return
        self.response_complete = True
        keep = self.keep_alive and not close
        end = "\r\n" if keep else "connection: close\r\n\r\n"
        lines = f"{head}content-length: {len(body)}\r\n{end}".encode("latin-1")
        common = _lines(*self._connection.server_state.default_headers)
        self._connection.transport.write(b"".join((STATUS_LINE[status], common, lines, body)))
        if not keep:
            self._connection.transport.close()
        self._connection.on_response_complete()


@lru_cache(maxsize=4)
def _lines(*headers: tuple[bytes, bytes]) -> bytes:
    """Return headers as they are sent; those of all answers change once a second, for the date is one."""
    return b"".join(b"%b: %b\r\n" % header for header in headers)


_UNHEARD: Final = asyncio.Event()
"""Nobody waits for what happens to an exchange: its answer finds out."""


def _limited(limits: Limits, fast_path: FastPath) -> type[HttpToolsProtocol]:
    """Return the protocol class with these limits."""
    members = {"limits": limits, "by_address": Counter(), "fast_path": fast_path}
    return type("LimitedProtocol", (_LimitedProtocol,), members)


def _problem_bytes(problem: Problem) -> bytes:
    """Return a problem as a whole HTTP/1.1 response."""
    response = problem.response()
    head = f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}\r\n".encode()
    lines = b"".join(name + b": " + value + b"\r\n" for name, value in response.raw_headers)
    return head + lines + b"\r\n" + bytes(response.body)
