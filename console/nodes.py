"""The nodes that this console asks, how each of them is, and which one to ask next.

Law: a node is a source, not an authority: what it answers is handed on with its name, and another one is asked when it
does not answer. Every answer is bounded in time and size.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import httpx

MSGPACK: Final = "application/msgpack"
_JSON: Final = "application/json"
_ANSWER_BYTES_MAX: Final = 32 * 1024 * 1024
_TIMEOUT: Final = httpx.Timeout(20.0, connect=2.0)
_PROBE_TIMEOUT_S: Final = 2.5
SILENT: Final = "silent"
"""The error of a node that does not answer at all."""
_FAR_BEHIND_BLOCKS: Final = 20


class NoAnswer(Exception):
    """No node answered; ``reasons`` says of each why (node, reason)."""

    def __init__(self, reasons: Iterable[tuple[str, str]]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("; ".join(f"{node}: {reason}" for node, reason in self.reasons))


class Problem(Exception):
    """A node refused the question: its HTTP status, its typed code and its detail."""

    def __init__(self, status: int, code: str, detail: str, node: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.status, self.code, self.detail, self.node = status, code, detail, node


@dataclass(frozen=True, slots=True)
class Address:
    """A node to ask: its name, the base URL of its HTTP interface, and a token to show it, if it has one of its own."""

    name: str
    url: str
    token: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """What every request to it carries."""
        return {} if self.token is None else {"Authorization": f"Bearer {self.token}"}


@dataclass(frozen=True, slots=True)
class Seen:
    """How a node was last found: its status document, or why there is none. ``at`` is monotonic seconds."""

    node: str
    at: float
    status: dict[str, Any] | None = None
    error: str = ""

    @property
    def height(self) -> int:
        """The height it says it is at, 0 if it does not answer."""
        height = None if self.status is None else self.status.get("height")
        return height if type(height) is int else 0


@dataclass(frozen=True, slots=True)
class Reply:
    """What a node answered: its name, the status, and the body as sent."""

    node: str
    status: int
    body: bytes

    def json(self) -> dict[str, Any]:
        """Return the JSON object of the body; raise ``Problem`` for a refusal or for something else than an object."""
        try:
            document = json.loads(self.body)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise Problem(
                self.status, "no_json", f"{self.node} answered {self.status} without a JSON object", self.node
            )
        if self.status >= 400:
            code, detail = str(document.get("code", f"http_{self.status}")), str(document.get("detail", ""))
            raise Problem(self.status, code, detail, self.node)
        return document

    def require_ok(self) -> bytes:
        """Return the body, or raise ``Problem``."""
        if self.status >= 400:
            self.json()
        return self.body


class Nodes:
    """The nodes by name; asks them, and remembers how each is."""

    def __init__(
        self,
        addresses: Iterable[Address],
        *,
        token: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.addresses = tuple(addresses)
        self.seen: dict[str, Seen] = {}
        self.distrusted: dict[str, str] = {}
        """Nodes that gave something false, and what: they are asked last."""
        self._current = self.addresses[0].name if self.addresses else ""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        limits = httpx.Limits(max_connections=32, max_keepalive_connections=8)
        self._http = httpx.AsyncClient(
            headers=headers, timeout=_TIMEOUT, limits=limits, trust_env=False, transport=transport
        )

    @property
    def http(self) -> httpx.AsyncClient:
        """The client, for what is read as a stream."""
        return self._http

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    @property
    def tip(self) -> int:
        """The highest height that any node says it is at; a claim."""
        return max((seen.height for seen in self.seen.values()), default=0)

    def order(self) -> list[Address]:
        """Return the nodes as they are to be asked: the present one while it keeps up, then the highest."""
        tip = self.tip

        def worth(address: Address) -> tuple[bool, bool, int]:
            seen = self.seen.get(address.name)
            height = 0 if seen is None else seen.height
            keeps_up = seen is None or (seen.status is not None and height >= tip - _FAR_BEHIND_BLOCKS)
            is_present = address.name == self._current and keeps_up
            return (address.name in self.distrusted, not is_present, -height)

        return sorted(self.addresses, key=worth)

    async def poll(self) -> bool:
        """Ask every node how it is; say whether anything of it changed."""
        before = {name: _essence(seen) for name, seen in self.seen.items()}
        found = await asyncio.gather(*(self._probe(address) for address in self.addresses))
        self.seen = {seen.node: seen for seen in found}
        return before != {seen.node: _essence(seen) for seen in found}

    async def ask(self, path: str, params: dict[str, Any] | None = None, *, accept: str = _JSON) -> Reply:
        """Return the first answer; a node that is silent or broken (5xx) is passed over. Raise ``NoAnswer``."""
        reasons: list[tuple[str, str]] = []
        for address in self.order():
            try:
                reply = await self.ask_one(address, path, params, accept=accept)
            except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
                reasons.append((address.name, str(error) or type(error).__name__))
                continue
            if reply.status >= 500 or reply.status == 429:
                reasons.append((address.name, f"answered {reply.status}"))
                continue
            self._current = address.name
            return reply
        raise NoAnswer(reasons)

    async def ask_one(
        self, address: Address, path: str, params: dict[str, Any] | None = None, *, accept: str = _JSON
    ) -> Reply:
        """Return one node's answer, whatever it is; raises as httpx does."""
        async with self._http.stream(
            "GET", address.url + path, params=params, headers={"Accept": accept, **address.headers}
        ) as response:
            parts, size = [], 0
            async for part in response.aiter_bytes():
                size += len(part)
                if size > _ANSWER_BYTES_MAX:
                    raise httpx.ReadError(f"more than {_ANSWER_BYTES_MAX} bytes")
                parts.append(part)
            return Reply(address.name, response.status_code, b"".join(parts))

    async def _probe(self, address: Address) -> Seen:
        try:
            async with asyncio.timeout(_PROBE_TIMEOUT_S):
                document = (await self.ask_one(address, "/v1/status")).json()
        except Problem as error:
            return Seen(address.name, time.monotonic(), error=str(error))
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError):
            return Seen(address.name, time.monotonic(), error=SILENT)
        return Seen(address.name, time.monotonic(), document)


def _essence(seen: Seen) -> tuple[Any, ...]:
    """Return of a status what is worth showing anew."""
    status = seen.status or {}
    peers = tuple((p.get("node"), p.get("connected")) for p in status.get("peers", ()) if isinstance(p, dict))
    names = ("height", "round", "leader", "healthy", "why_stalled", "syncing", "voting")
    return (seen.error, *(status.get(name) for name in names), peers)
