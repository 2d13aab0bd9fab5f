"""Several hosts in front of one fake node: some down, some lying, some slow; for both clients."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx

Lie = Callable[[str, bytes], bytes]
"""``lie(path, content)`` returns the content that the host gives instead."""


class Hosts(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers for every host as the node does, but for what ``down``, ``slow`` and ``lies`` say of it.

    ``eats``: how many posted transactions arrive while their answers are lost.
    """

    def __init__(self, node: Any) -> None:
        self.node = node
        self.asked: list[str] = []
        self.down: set[str] = set()
        self.slow: set[str] = set()
        self.lies: dict[str, Lie] = {}
        self.eats = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        self.asked.append(host)
        if host in self.down:
            raise httpx.ConnectError("refused", request=request)
        if host in self.slow:
            raise httpx.ReadTimeout("slow", request=request)
        response = self.node.handle_request(request)
        if request.method == "POST" and self.eats:
            self.eats -= 1
            raise httpx.ReadError("reset", request=request)
        lie = self.lies.get(host)
        return (
            response
            if lie is None
            else httpx.Response(response.status_code, content=lie(request.url.path, response.content))
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)  # others have their turn
        return self.handle_request(request)


def changed(path_end: str, change: Callable[[Any], Any]) -> Lie:
    """Return a lie about the JSON documents of paths with this end."""

    def lie(path: str, content: bytes) -> bytes:
        return json.dumps(change(json.loads(content))).encode() if path.endswith(path_end) else content

    return lie
