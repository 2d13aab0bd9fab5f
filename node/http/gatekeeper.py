"""The outermost layer: limits, identity, the body, hot routes, and every error turned into a problem.

Law: nothing behind it runs before rate, body and identity are settled, and nothing leaves it as a stack trace.
What a read shows is on this node's disk before it leaves: a crash makes no node go back behind what it said.

It is plain ASGI because the routes that carry the load (transactions, one or many) cost a third behind the framework's
layers; they are called from here, and described in the OpenAPI document by hand. A single transaction usually does not
come through here at all: ``fast_path``.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from coseal.contracts.registry import LISTS
from coseal.node.http.auth import CREDENTIALS, Identity, key_id, require_reader, unauthorized
from coseal.node.http.bodies import HEIGHT_HEADER, read_body
from coseal.node.http.context import Context
from coseal.node.http.fast_path import FastPath
from coseal.node.http.hot import HotRequest, HotRoute
from coseal.node.http.metrics import RequestMetrics
from coseal.node.http.paths import route_as_sent
from coseal.node.http.problems import Problem, problem_of, stopping, unavailable

OPEN_PATHS: Final = frozenset({"/healthz", "/readyz", "/openapi.json", "/docs"})
"""Paths that answer without authentication on every chain."""
_AT_ONCE: Final = frozenset({"/healthz", "/readyz", "/v1/status"})
"""Reads of the node's own condition, which must not wait for a disk that hangs."""

_GRACE_S: Final = 0.3
_QUERY_FIELDS_MAX: Final = 16


class Gatekeeper:
    """The ASGI application that a server runs; ``app`` serves what is not in ``hot`` (path -> POST handler)."""

    def __init__(
        self, app: ASGIApp, context: Context, hot: Mapping[str, HotRoute], fast_path: FastPath, metrics: RequestMetrics
    ) -> None:
        """``fast_path`` is for the server, which gives it what need not come through here."""
        self._app = app
        self._context = context
        self._hot = hot
        self.fast_path = fast_path
        self._metrics = metrics
        self._serving: set[asyncio.Task[None]] = set()
        self._stopping = False

    async def stop(self) -> None:
        """Take no more requests, let running ones finish for a moment, and end what still waits or streams."""
        self._stopping = self.fast_path.stopping = True
        if serving := self._serving | self.fast_path.tasks:
            await asyncio.wait(serving, timeout=_GRACE_S)
        for task in self._serving | self.fast_path.tasks:
            task.cancel()

    def close(self) -> None:
        """Close what it keeps open."""
        self._context.idempotency.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started_s, status, complete = time.perf_counter(), 0, False
        withheld: Problem | None = None

        async def watched(message: Message) -> None:
            nonlocal status, complete, withheld
            if message["type"] == "http.response.start":
                withheld = await self._unwritten(scope, message)
                if withheld is not None:
                    raise withheld
                status = message["status"]
            else:
                complete = not message.get("more_body", False)
            await send(message)

        task: asyncio.Task[None] | None = asyncio.current_task()
        if task is not None:
            self._serving.add(task)
        try:
            if self._stopping:
                raise stopping()
            await self._enter(scope, receive, watched)
        except asyncio.CancelledError:
            if not self._stopping:
                raise
            if not status:
                await stopping().response()(scope, receive, watched)
            elif not complete:
                await watched({"type": "http.response.body", "body": b"", "more_body": False})
        except Exception as error:
            problem = withheld or problem_of(error, getattr(scope.get("route"), "path_format", "?"))
            if status and not complete:
                raise  # the answer has begun; the server closes the connection, which the client can tell
            if not status:
                await problem.response()(scope, receive, watched)
        finally:
            if task is not None:
                self._serving.discard(task)
            route = scope["path"] if scope["path"] in self._hot else getattr(scope.get("route"), "path_format", "other")
            self._metrics.count(scope["method"], route, status, time.perf_counter() - started_s)

    async def _enter(self, scope: Scope, receive: Receive, send: Send) -> None:
        context, headers = self._context, Headers(scope=scope)
        address, port = scope.get("client") or ("local", 0)
        loopback = is_loopback(address)
        context.take_request(f"address:{address}", time.monotonic(), loopback=loopback)
        identity = context.authenticator.bearer(headers)
        body = await self._body(scope, headers, receive)
        try:
            identity = identity or self._signer(scope, headers, body)
            asker = f"address:{address}" if identity is None else identity.name
            if identity is not None:
                context.take_request(asker, time.monotonic(), loopback=loopback)
            hot = self._hot.get(scope["path"])
            if hot is not None:
                if scope["method"] != "POST":
                    raise Problem(405, "method_not_allowed", "use POST", headers={"Allow": "POST"})
                query = query_of(scope)
                response = await hot(HotRequest(headers, body, query, identity, asker, loopback, f"{address}:{port}"))
                await response(scope, receive, send)
                return
            self._require_read(scope, identity)
            route_as_sent(scope)
            scope["coseal"] = HotRequest(headers, body, {}, identity, asker, loopback, f"{address}:{port}")
            await self._app(scope, replay(body, receive), send)
        finally:
            context.budget.give(len(body))

    async def _unwritten(self, scope: Scope, start: Message) -> Problem | None:
        """Wait until the height that a read was made at is durable here; return the problem 503 if it stays undone."""
        if scope["method"] == "POST" or scope["path"] in _AT_ONCE:
            return None
        height = Headers(raw=start["headers"]).get(HEIGHT_HEADER)
        if height is None:
            return None
        if await self._context.services.wait_height(int(height), self._context.limits.wait_seconds):  # Y7
            return None
        return unavailable("this node's disk is too slow: it has not yet written what it would show")

    async def _body(self, scope: Scope, headers: Headers, receive: Receive) -> bytes:
        if scope["method"] not in ("GET", "HEAD"):  # of a method that no route takes, the body is read and forgotten
            return await read_body(headers, receive, self._context.limits, self._context.budget)
        if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
            raise Problem(400, "unexpected_body", f"a {scope['method']} request has no body here", close=True)
        return b""

    def _signer(self, scope: Scope, headers: Headers, body: bytes) -> Identity | None:
        """Return who signed the request, None if it is not signed; raise the problem 401."""
        claimed = key_id(headers)
        if claimed is None:
            return None
        services = self._context.services
        return self._context.authenticator.signed(
            method=scope["method"],
            target=target_of(scope),
            headers=headers,
            body=body,
            chain_id=services.genesis.chain_id,
            key=self._context.operator_key(claimed) if claimed else None,
            now_s=services.now_ms() // 1000,
        )

    def _require_read(self, scope: Scope, identity: Identity | None) -> None:
        if scope["method"] == "POST" or scope["path"] in OPEN_PATHS:  # Y10
            return
        parameters = self._context.services.genesis.parameters
        require_reader(identity, "reading needs", public_read=parameters.public_read)
        if identity is None and is_for_members(scope["path"]):
            raise unauthorized("unauthenticated", f"this is for members: reading it needs {CREDENTIALS}")


_FOR_MEMBERS: Final = tuple(listed.path for listed in LISTS.values() if listed.members)


def is_for_members(path: str) -> bool:
    """Say whether a path is that of a list which is never public, or of one of its entries."""
    return any(path == listed or path.startswith(f"{listed}/") for listed in _FOR_MEMBERS)


@lru_cache(maxsize=1_024)
def is_loopback(address: str) -> bool:
    """Say whether an address is of this machine."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "local"


def target_of(scope: Scope) -> str:
    """Return the request target as it was sent: path and query."""
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope["query_string"]
    return (path + b"?" + query if query else path).decode("ascii", "replace")


def query_of(scope: Scope) -> dict[str, str]:
    """Return the query of a hot route; raise the problem 400 for a parameter given twice, or for very many."""
    raw = scope["query_string"]
    if not raw:
        return {}
    try:
        pairs = parse_qsl(raw.decode("ascii", "replace"), keep_blank_values=True, max_num_fields=_QUERY_FIELDS_MAX)
    except ValueError:
        raise Problem(400, "invalid_parameter", f"more than {_QUERY_FIELDS_MAX} query parameters") from None
    query = dict(pairs)
    if len(query) != len(pairs):
        raise Problem(400, "invalid_parameter", "a query parameter is given twice")
    return query


def replay(body: bytes, receive: Receive) -> Receive:
    """Return a ``receive`` that gives the body, which is read already, and then what the server has to say."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
