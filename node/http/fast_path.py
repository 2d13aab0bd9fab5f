"""The fast path for signed transactions that come in one piece: past ASGI, a single one without its own task.

Law: it answers what the ordinary way would answer (``gatekeeper``, ``transactions``), by the same limits;
what it cannot answer so, takes the ordinary way. What comes in one turn of the loop is one submission, up to a bound.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from starlette.datastructures import Headers
from starlette.responses import Response

from coseal.ledger.transaction import Transaction
from coseal.node.core.events import Admission, Answer
from coseal.node.core.mempool import NO_ROOM
from coseal.node.http.bodies import HEIGHT_HEADER, JSON, MSGPACK
from coseal.node.http.context import Context
from coseal.node.http.hot import HotRequest
from coseal.node.http.metrics import RequestMetrics
from coseal.node.http.problems import MEDIA_TYPE, Problem, problem_of, slow_down, stopping
from coseal.node.http.transactions import WAITS, Transactions, decode, final_refusal

BODY_BYTES_MAX: Final = 16 * 1024
"""So much a connection may hold here beside the budget of all bodies."""
SUBMITTED_MAX: Final = 128
"""This many are submitted in one turn; what peers sent is looked at before the next, so it never waits for clients."""
_SINGLE: Final = "/v1/transactions"
_BATCH: Final = "/v1/transactions/batch"
# What is signed as a request, or has a body that comes later or in pieces, takes the ordinary way.
_ROUND: Final = frozenset({b"signature-input", b"expect", b"transfer-encoding", b"upgrade"})
_MSGPACK: Final = MSGPACK.encode()


Fields: TypeAlias = list[tuple[bytes, bytes]]
"""A head's fields, names in lower case."""


class Plan(NamedTuple):
    """What a request on the fast path wants: its route, what its sender waits for, and whether it shows a token."""

    route: str
    wait: str
    token: bool = False


_PLANS: Final[Mapping[bytes, Plan]] = {
    (route + query).encode(): Plan(route, wait)
    for route in (_SINGLE, _BATCH)
    for query, wait in (("", "accepted"), *((f"?wait={wait}", wait) for wait in WAITS))
}


class Caller(NamedTuple):
    """The other end of a connection: whose rate counts, and the end itself, ``address:port``."""

    asker: str
    connection: str
    loopback: bool


class Exchange(Protocol):
    """A request that awaits its answer; to answer one whose client has gone is no error."""

    response_complete: bool

    def answer(self, status: int, head: str, body: bytes, *, close: bool = False) -> None:
        """Send the one answer; ``head`` holds whole lines, all but for the body's length and the connection's end."""
        ...


@dataclass(slots=True)
class _Waiting:
    """A request that is answered in a later turn."""

    exchange: Exchange
    caller: Caller
    plan: Plan
    body: bytes
    started_s: float


class FastPath:
    """Takes requests on the loop's thread and answers each, once, in this turn or a later one."""

    def __init__(self, context: Context, transactions: Transactions, metrics: RequestMetrics) -> None:
        self.tasks: set[asyncio.Task[None]] = set()
        self.stopping = False
        self._context, self._transactions, self._metrics = context, transactions, metrics
        self._turn: list[tuple[_Waiting, Transaction]] = []
        self._slow_down = _problem_parts(slow_down())  # made once: a sender that gets it gets it often

    def plan(self, target: bytes, headers: Fields) -> Plan | None:
        """Say what such a POST wants, or None if it has to go round."""
        plan = _PLANS.get(target)
        if plan is None:
            return None
        fields = dict(headers)
        length = fields.get(b"content-length", b"")
        if len(fields) < len(headers) or fields.get(b"content-type") != _MSGPACK or not _ROUND.isdisjoint(fields):
            return None
        if not length.isdigit() or len(length) > 8 or int(length) > BODY_BYTES_MAX:
            return None
        return plan._replace(token=True) if b"authorization" in fields else plan

    def take(self, exchange: Exchange, caller: Caller, plan: Plan, headers: Fields, body: bytes) -> None:
        """Have what came submitted with what else comes in this turn, or refuse it at once."""
        waiting = _Waiting(exchange, caller, plan, body, time.perf_counter())
        try:
            if self.stopping:
                raise stopping()
            now_s = time.monotonic()
            self._context.take_request(caller.asker, now_s, loopback=caller.loopback)
            identity = self._context.authenticator.bearer(Headers(raw=headers)) if plan.token else None
            if identity is not None:
                waiting.caller = caller = caller._replace(asker=identity.name)
                self._context.take_request(caller.asker, now_s, loopback=caller.loopback)
            if self._context.must_pause(caller.connection, body, now_s):
                self._answer(waiting, *self._slow_down)
                return
            if plan.route == _BATCH:
                self._spawn(self._batch(waiting), [waiting])
                return
            self._context.take_transactions(caller.asker, 1, now_s, loopback=caller.loopback)
            transaction = decode(body)
        except Exception as error:
            self._refuse(waiting, problem_of(error, plan.route))
            return
        if not self._turn:
            asyncio.get_running_loop().call_soon(self._submit)
        self._turn.append((waiting, transaction))

    def _submit(self) -> None:
        turn, self._turn = self._turn[:SUBMITTED_MAX], self._turn[SUBMITTED_MAX:]
        if self._turn:
            asyncio.get_running_loop().call_soon(self._submit)
        self._spawn(self._submitted(turn), [waiting for waiting, _ in turn])

    async def _submitted(self, turn: list[tuple[_Waiting, Transaction]]) -> None:
        answers = await self._context.services.submit([transaction for _, transaction in turn])
        for (waiting, _), admitted in zip(turn, answers, strict=True):
            if waiting.plan.wait == "accepted" and self._is_new(admitted):
                self._accepted(waiting, admitted)
            elif (refused := final_refusal(admitted)) is not None:
                if refused.code in NO_ROOM:
                    self._context.count_refused(waiting.caller.connection, waiting.body, 1, time.monotonic())
                self._refuse(waiting, refused)
            else:
                self._spawn(self._known(waiting, admitted), [waiting])

    def _is_new(self, admitted: Answer) -> bool:
        """Say whether a transaction waits for a block: then there is nothing to look up."""
        return admitted.admission is Admission.ACCEPTED and self._context.services.is_pending(admitted.tx_id)

    def _accepted(self, waiting: _Waiting, admitted: Answer) -> None:
        tx_id = admitted.tx_id.hex()
        body = f'{{"id":"{tx_id}","status":"accepted","height":null,"index":null,"receipt":null}}'.encode()
        head = f"{HEIGHT_HEADER}: {self._context.services.height}\r\ncontent-type: {JSON}\r\n"
        self._answer(waiting, 202, head, body)

    async def _known(self, waiting: _Waiting, admitted: Answer) -> None:
        """Answer with what is known of a transaction, after its commit if that is waited for."""
        self._respond(waiting, self._transactions.response(await self._transactions.known(admitted, waiting.plan.wait)))

    async def _batch(self, waiting: _Waiting) -> None:
        caller, query = waiting.caller, {"wait": waiting.plan.wait}
        headers = Headers({"content-type": MSGPACK})
        request = HotRequest(headers, waiting.body, query, None, caller.asker, caller.loopback, caller.connection)
        self._respond(waiting, await self._transactions.batch(request))

    def _respond(self, waiting: _Waiting, response: Response) -> None:
        lines = (name + b": " + value + b"\r\n" for name, value in response.raw_headers if name != b"content-length")
        self._answer(waiting, response.status_code, b"".join(lines).decode("latin-1"), bytes(response.body))

    def _refuse(self, waiting: _Waiting, problem: Problem) -> None:
        self._answer(waiting, *_problem_parts(problem), close=problem.close)

    def _answer(self, waiting: _Waiting, status: int, head: str, body: bytes, *, close: bool = False) -> None:
        waiting.exchange.answer(status, head, body, close=close)
        self._metrics.count("POST", waiting.plan.route, status, time.perf_counter() - waiting.started_s)

    def _spawn(self, work: Coroutine[Any, Any, None], turn: list[_Waiting]) -> None:
        """Let ``work`` answer those in ``turn``; what it fails in is their answer."""
        task = asyncio.get_running_loop().create_task(self._guarded(work, turn))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _guarded(self, work: Coroutine[Any, Any, None], turn: list[_Waiting]) -> None:
        try:
            await work
        except asyncio.CancelledError:  # only a node that stops does this
            self._refuse_all(turn, stopping())
        except Exception as error:
            self._refuse_all(turn, problem_of(error, turn[0].plan.route))

    def _refuse_all(self, turn: list[_Waiting], problem: Problem) -> None:
        for waiting in turn:
            if not waiting.exchange.response_complete:
                self._refuse(waiting, problem)


def _problem_parts(problem: Problem) -> tuple[int, str, bytes]:
    """Return status, head and body of a problem."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in problem.header_lines().items())
    return problem.status, f"{lines}content-type: {MEDIA_TYPE}\r\n", problem.body()
