"""The straight way in, for a signed transaction that comes in one piece: past ASGI, without a task of its own.

Law: it answers what the way round would answer (``node.http.door``, ``node.http.transactions``), by the same limits;
what it cannot answer so, the server sends round. All that comes in one turn of the loop is one submission.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from ledger.transaction import Transaction
from node.events import Admission, Answer
from node.http.bodies import HEIGHT_HEADER, JSON, MSGPACK, json_bytes
from node.http.context import Context
from node.http.metrics import RequestMetrics
from node.http.problems import MEDIA_TYPE, Problem, problem_of, stopping
from node.http.transactions import Transactions, decode, final_refusal

BODY_BYTES_MAX: Final = 16 * 1024
"""So much a connection may hold here beside the budget of all bodies."""
_ROUTE: Final = "/v1/transactions"
_WAITS: Final[Mapping[bytes, str]] = {
    _ROUTE.encode(): "accepted",
    _ROUTE.encode() + b"?wait=accepted": "accepted",
    _ROUTE.encode() + b"?wait=commit": "commit",
}
# Who is asked to prove something, or wants the body later, or sends it in pieces, goes round.
_ROUND: Final = frozenset({b"authorization", b"signature-input", b"expect", b"transfer-encoding", b"upgrade"})
_MSGPACK: Final = MSGPACK.encode()


class Exchange(Protocol):
    """A request that awaits its answer; to answer one whose client has gone is no error."""

    def answer(self, status: int, head: str, body: bytes, *, close: bool = False) -> None:
        """Send the one answer; ``head`` holds whole lines, all but for the body's length and the connection's end."""
        ...


@dataclass(frozen=True, slots=True)
class _Waiting:
    exchange: Exchange
    transaction: Transaction
    wait: str
    started_s: float


class Straight:
    """Takes requests on the loop's thread and answers each, once, in this turn or a later one."""

    def __init__(self, context: Context, transactions: Transactions, metrics: RequestMetrics) -> None:
        self.tasks: set[asyncio.Task[None]] = set()
        self._context, self._transactions, self._metrics = context, transactions, metrics
        self._turn: list[_Waiting] = []

    def wait_of(self, target: bytes, headers: Sequence[tuple[bytes, bytes]]) -> str | None:
        """Say what the sender of such a POST waits for, or None if it has to go round."""
        wait = _WAITS.get(target)
        if wait is None:
            return None
        fields = dict(headers)
        length = fields.get(b"content-length", b"")
        if len(fields) < len(headers) or fields.get(b"content-type") != _MSGPACK or not _ROUND.isdisjoint(fields):
            return None
        return wait if length.isdigit() and len(length) < 9 and int(length) <= BODY_BYTES_MAX else None

    def take(self, exchange: Exchange, asker: str, body: bytes, wait: str, *, loopback: bool) -> None:
        """Have a transaction submitted with what else comes in this turn, or refuse it at once."""
        started_s = time.perf_counter()
        try:
            now_s = time.monotonic()
            self._context.take_request(asker, now_s, loopback=loopback)
            self._context.take_transactions(asker, 1, now_s, loopback=loopback)
            waiting = _Waiting(exchange, decode(body), wait, started_s)
        except Problem as problem:
            self._refuse(exchange, problem, started_s)
            return
        if not self._turn:
            asyncio.get_running_loop().call_soon(self._submit)
        self._turn.append(waiting)

    def _submit(self) -> None:
        turn, self._turn = self._turn, []
        self._spawn(self._submitted(turn), turn)

    async def _submitted(self, turn: list[_Waiting]) -> None:
        answers = await self._context.services.submit([waiting.transaction for waiting in turn])
        for waiting, admitted in zip(turn, answers, strict=True):
            if waiting.wait == "accepted" and self._is_new(admitted):
                self._accepted(waiting, admitted)
            elif (refused := final_refusal(admitted)) is not None:
                self._refuse(waiting.exchange, refused, waiting.started_s)
            else:
                self._spawn(self._known(waiting, admitted), [waiting])

    def _is_new(self, admitted: Answer) -> bool:
        """Say whether a transaction waits for a block: then there is nothing to look up."""
        return admitted.admission is Admission.ACCEPTED and self._context.services.is_pending(admitted.tx_id)

    async def _known(self, waiting: _Waiting, admitted: Answer) -> None:
        """Answer with what is known of a transaction, after its commit if that is waited for."""
        document = await self._transactions.known(admitted, waiting.wait)
        self._send(waiting, 202 if document["status"] == "accepted" else 200, json_bytes(document))

    def _accepted(self, waiting: _Waiting, admitted: Answer) -> None:
        tx_id = admitted.tx_id.hex()
        self._send(
            waiting, 202, f'{{"id":"{tx_id}","status":"accepted","height":null,"index":null,"receipt":null}}'.encode()
        )

    def _send(self, waiting: _Waiting, status: int, body: bytes) -> None:
        height = self._context.services.height
        waiting.exchange.answer(status, f"{HEIGHT_HEADER}: {height}\r\ncontent-type: {JSON}\r\n", body)
        self._metrics.count("POST", _ROUTE, status, time.perf_counter() - waiting.started_s)

    def _refuse(self, exchange: Exchange, problem: Problem, started_s: float) -> None:
        head = "".join(f"{name}: {value}\r\n" for name, value in problem.header_lines().items())
        head += f"content-type: {MEDIA_TYPE}\r\n"
        exchange.answer(problem.status, head, problem.body(), close=problem.close)
        self._metrics.count("POST", _ROUTE, problem.status, time.perf_counter() - started_s)

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
            self._refuse_all(turn, problem_of(error, _ROUTE))

    def _refuse_all(self, turn: list[_Waiting], problem: Problem) -> None:
        for waiting in turn:
            self._refuse(waiting.exchange, problem, waiting.started_s)
