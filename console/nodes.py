"""The nodes that this console asks, how each of them is, and which one to ask next.

Law: a node is a source, not an authority: what it answers is handed on with its name, and another one is asked when it
does not answer, or oddly. Every answer is bounded in time and size, and read in the shape that it must have.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import httpx

from coseal.console.documents import STATUS, Status, status_of
from coseal.console.doubts import Doubts, question
from coseal.console.shapes import Odd, Shape, maybe, read, record, text
from coseal.errors import Refused, Unreachable

T = TypeVar("T")

JSON: Final = "application/json"
_ANSWER_BYTES_MAX: Final = 32 * 1024 * 1024
_TIMEOUT: Final = httpx.Timeout(20.0, connect=2.0)
_PROBE_TIMEOUT_S: Final = 2.5
SILENT: Final = "silent"
"""The error of a node that does not answer at all."""
ODD: Final = "odd"
"""The error of a node whose status is not of the form of one."""
_FAR_BEHIND_BLOCKS: Final = 20
_PROBLEM: Final = record(code=maybe(text(128)), detail=maybe(text(4_096), otherwise=""))


class NoAnswer(Unreachable):
    """No node answered; ``reasons`` says of each why (node, reason)."""

    def __init__(self, reasons: Iterable[tuple[str, str]]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("; ".join(f"{node}: {reason}" for node, reason in self.reasons))


class Problem(Refused):
    """A node refused the question: its HTTP status, its typed code and what it said."""

    def __init__(self, status: int, code: str, detail: str, node: str) -> None:
        super().__init__(code, detail)
        self.status, self.said, self.node = status, detail, node


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
    status: Status | None = None
    error: str = ""

    @property
    def height(self) -> int:
        """The height it says it is at, 0 if it does not answer."""
        return 0 if self.status is None else self.status.height


@dataclass(frozen=True, slots=True)
class Reply:
    """What a node answered: its name, what it was asked, the status, and the body as sent."""

    node: str
    status: int
    body: bytes
    question: str = ""

    def json(self, shape: Shape) -> dict[str, Any]:
        """Return the document of the body in its shape; raise ``Problem`` for a refusal, ``Odd`` for something else."""
        document: dict[str, Any] = read(self.require_ok(), shape)
        return document

    def require_ok(self) -> bytes:
        """Return the body; raise ``Problem`` for a refusal, ``Odd`` for a status that is neither."""
        if self.status >= 400:
            try:
                said = read(self.body, _PROBLEM)
            except Odd:
                said = {"code": None, "detail": ""}
            raise Problem(self.status, said["code"] or f"http_{self.status}", said["detail"], self.node)
        if self.status != 200:
            raise Odd(f"answered with status {self.status}")
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
        self.doubts = Doubts()
        """Answers that did not verify: a node that gave one is asked last for a while."""
        self._current = self.addresses[0].name if self.addresses else ""
        self.token = token
        """What is shown to nodes that have no token of their own."""
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
        """The highest height that any node says it is at; a claim, of nodes whose claims were not found wanting."""
        heights = [seen.height for seen in self.seen.values() if not self.doubts.is_aside(seen.node)]
        return max(heights, default=0)

    def order(self) -> list[Address]:
        """Return the nodes as they are to be asked: the present one while it keeps up, then the highest."""
        tip = self.tip

        def worth(address: Address) -> tuple[bool, bool, int]:
            seen = self.seen.get(address.name)
            height = 0 if seen is None else seen.height
            keeps_up = seen is None or (seen.status is not None and height >= tip - _FAR_BEHIND_BLOCKS)
            is_present = address.name == self._current and keeps_up
            return (self.doubts.is_aside(address.name), not is_present, -height)

        return sorted(self.addresses, key=worth)

    async def poll(self) -> bool:
        """Ask every node how it is; say whether anything of it changed."""
        before = {name: _essence(seen) for name, seen in self.seen.items()}
        found = await asyncio.gather(*(self._probe(address) for address in self.addresses))
        self.seen = {seen.node: seen for seen in found}
        return before != {seen.node: _essence(seen) for seen in found}

    async def ask(self, path: str, shape: Shape, params: dict[str, Any] | None = None) -> tuple[dict[str, Any], str]:
        """Return the first JSON document that fits its shape, and whose it is; see ``first``."""
        return await self.first(path, params, lambda reply: reply.json(shape))

    async def first(self, path: str, params: dict[str, Any] | None, take: Callable[[Reply], T]) -> tuple[T, str]:
        """Return the first answer that ``take`` takes, and whose it is; nodes that give none are passed over.

        Raises ``Problem`` if those that answer refuse, ``Odd`` if they answer oddly, ``NoAnswer`` if none answers.
        """
        reasons: list[tuple[str, str]] = []
        refusal: Problem | Odd | None = None
        for address in self.order():
            try:
                reply = await self.ask_one(address, path, params)
                require_able(reply)
                taken = await asyncio.to_thread(take, reply)
            except UNANSWERED as error:
                reasons.append((address.name, reason_of(error)))
            except Problem as problem:  # of one node: another may have what this one lacks
                refusal = refusal if isinstance(refusal, Problem) else problem
            except Odd as error:
                self.note(reply, error.reason, lambda reply=reply: take(reply))  # type: ignore[misc]
                refusal = refusal or Odd(f"{address.name}: {error.reason}")
            else:
                self._current = address.name
                return taken, address.name
        raise refusal or NoAnswer(reasons)

    def note(self, reply: Reply, reason: str, judge: Callable[[], object]) -> None:
        """Keep an answer that did not verify; see ``Doubts.note``."""
        self.doubts.note(reply.node, reply.question, reason, reply.body, judge)

    async def ask_one(
        self, address: Address, path: str, params: dict[str, Any] | None = None, *, accept: str = JSON
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
            asked = question(path, (params or {}).items())
            return Reply(address.name, response.status_code, b"".join(parts), asked)

    async def _probe(self, address: Address) -> Seen:
        try:
            async with asyncio.timeout(_PROBE_TIMEOUT_S):
                reply = await self.ask_one(address, "/v1/status")
            status = status_of(reply.json(STATUS))
        except Problem as error:
            return Seen(address.name, time.monotonic(), error=str(error))
        except Odd as error:
            self.note(reply, error.reason, lambda: reply.json(STATUS))
            return Seen(address.name, time.monotonic(), error=ODD)
        except UNANSWERED:
            return Seen(address.name, time.monotonic(), error=SILENT)
        return Seen(address.name, time.monotonic(), status)


UNANSWERED: Final = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, TimeoutError, NoAnswer)
"""What comes instead of an answer."""


def require_able(reply: Reply) -> None:
    """Raise ``NoAnswer`` for an answer of a node that is broken or busy: it says nothing about the question."""
    if reply.status >= 500 or reply.status == 429:
        raise NoAnswer([(reply.node, f"answered {reply.status}")])


def reason_of(error: Exception) -> str:
    """Return why there was no answer, in a line."""
    if isinstance(error, NoAnswer):
        return "; ".join(reason for _, reason in error.reasons)
    return str(error) or type(error).__name__


def _essence(seen: Seen) -> tuple[Any, ...]:
    """Return of a status what is worth showing again."""
    status = seen.status
    if status is None:
        return (seen.error,)
    peers = tuple((peer.node, peer.connected) for peer in status.peers)
    condition = (status.healthy, status.why_stalled, status.syncing, status.voting)
    return (seen.error, status.height, status.round, status.leader, *condition, peers)
