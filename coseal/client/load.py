"""A load generator that costs little: signed transactions prepared ahead, sent over plain HTTP/1.1 connections.

Law: it speaks to a node as any client does, through ``POST /v1/transactions``, and counts only what was answered.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httptools


@dataclass(slots=True)
class LoadResult:
    """The result of a run. ``latencies_ms`` holds one figure an answered request; ``statuses`` counts HTTP codes."""

    elapsed_s: float = 0.0
    latencies_ms: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    last_body: bytes = b""

    def percentile_ms(self, share: float) -> float:
        """Return the latency below which ``share`` (0..1) of the requests stayed."""
        ordered = sorted(self.latencies_ms)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


class Connection(asyncio.Protocol):
    """One keep-alive HTTP/1.1 connection that sends a request at a time and parses the answer with httptools."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._body = b""
        self._parser: Any = httptools.HttpResponseParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``asyncio.Protocol``."""
        self._transport = transport  # type: ignore[assignment]  # a stream's transport is a Transport

    def connection_lost(self, error: Exception | None) -> None:
        """See ``asyncio.Protocol``."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error or ConnectionResetError("the node closed the connection"))

    def data_received(self, data: bytes) -> None:
        """See ``asyncio.Protocol``."""
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        """See ``httptools``."""
        self._body = self._body + body if self._body else body

    def on_message_complete(self) -> None:
        """See ``httptools``."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result((self._parser.get_status_code(), self._body))

    async def request(self, data: bytes) -> tuple[int, bytes]:
        """Send one request's bytes and return (status, body)."""
        if self._transport is None or self._transport.is_closing():
            raise ConnectionResetError("the connection is closed")
        self._body = b""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(data)
        return await self._answer

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()


async def connect(url: str) -> Connection:
    """Open a connection to the host and port of ``url``."""
    parts = urlsplit(url)
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(Connection, parts.hostname or "127.0.0.1", parts.port or 80)
    return connection


def post(url: str, path: str, body: bytes, content_type: str = "application/msgpack") -> bytes:
    """Return the bytes of one POST request."""
    host = urlsplit(url).netloc
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def run_clients(
    urls: Sequence[str], path: str, work: Sequence[Sequence[bytes]], result: LoadResult | None = None
) -> LoadResult:
    """Send every client's transactions (wire form) in order, one client a connection, all clients at once.

    Clients are spread over the nodes at ``urls``. A request answered 429 or 503 is sent again after a pause, so
    that what a client sends stays in order. What is answered is noted in ``result`` as it comes, if that is given.
    """
    result = LoadResult() if result is None else result
    homes = [urls[index % len(urls)] for index in range(len(work))]
    connections = [await connect(url) for url in homes]
    requests = [[post(url, path, raw) for raw in raws] for url, raws in zip(homes, work, strict=True)]
    started = time.perf_counter()

    async def client(connection: Connection, sends: Sequence[bytes]) -> None:
        for data in sends:
            status = 0
            while status in (0, 429, 503):
                if status:
                    await asyncio.sleep(0.05)
                sent = time.perf_counter()
                status, result.last_body = await connection.request(data)
                result.statuses[status] += 1
            result.latencies_ms.append((time.perf_counter() - sent) * 1000)

    try:
        async with asyncio.TaskGroup() as group:
            for connection, sends in zip(connections, requests, strict=True):
                group.create_task(client(connection, sends))
    finally:
        for connection in connections:
            connection.close()
    result.elapsed_s = time.perf_counter() - started
    return result
