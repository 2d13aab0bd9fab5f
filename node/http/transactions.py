"""The hot way in, and what became of a transaction: submit one or many, status, receipt.

Law: the answer to a transaction depends on its id, not on how often it was sent; an answer that says committed is
about a block that is durable on this node.
"""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query
from starlette.datastructures import Headers
from starlette.responses import Response

from coseal.contracts.kernel.action import Rejected
from coseal.ledger.block import CommittedBlock, Receipt
from coseal.ledger.errors import LedgerError, TooLarge
from coseal.ledger.handover import with_handovers
from coseal.ledger.proof import TransactionProof
from coseal.ledger.render import proof_json, receipt_json, time_text, transaction_json, transaction_raw_from_json
from coseal.ledger.transaction import Transaction
from coseal.node.core.events import Admission, Answer
from coseal.node.core.mempool import NO_ROOM
from coseal.node.http.bodies import JSON, MSGPACK, answer, media_type, parse_json, split_raws
from coseal.node.http.context import Context, WithHandovers
from coseal.node.http.hot import HotRequest
from coseal.node.http.problems import Problem, refusal, slow_down
from coseal.node.http.services import Location
from coseal.node.http.sidecars import SEALED, split_sealed
from coseal.node.index import queries

# Refusals that a transaction also gets when it is sent again long after it was committed.
_OUTDATED: Final = frozenset({"expired", "unknown_sender"})
WAITS: Final = ("accepted", "commit")
TxId = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="Transaction id, 64 lower-case hex digits.")]
Proof = Annotated[bool, Query(description="Add the receipt file that `coseal verify` checks offline.")]


class Transactions:
    """Submission and lookup over one node."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._services = context.services

    async def single(self, request: HotRequest) -> Response:
        """``POST /v1/transactions``."""
        wait = wait_of(request)
        self._take(request, 1)
        raw, sidecar, kind = request.body, None, media_type(request.headers)
        if kind == SEALED:
            raw, sidecar = split_sealed(raw)
        elif kind != MSGPACK:
            raw = await _raw_from_json(request.headers, raw)
        if self._context.must_pause(request.connection, raw, time.monotonic()):
            raise slow_down()
        try:
            return await self.submit(decode(raw), wait, sidecar)
        except Problem as problem:
            self._context.count_refused(request.connection, raw, problem.code in NO_ROOM, time.monotonic())
            raise

    async def submit(self, transaction: Transaction, wait: str, sidecar: bytes | None = None) -> Response:
        """Submit one transaction, with what comes beside it, and answer; raise the problem of a refusal."""
        return self.response(await self.outcome(transaction, wait, sidecar))

    def response(self, document: dict[str, Any]) -> Response:
        """Return the answer that tells what is known of one transaction."""
        return answer(document, height=self._services.height, status=202 if document["status"] == "accepted" else 200)

    async def outcome(self, transaction: Transaction, wait: str, sidecar: bytes | None = None) -> dict[str, Any]:
        """Submit one transaction and return what is known of it; raise the problem of a refusal."""
        (admitted,) = await self._services.submit([transaction], {} if sidecar is None else {transaction.raw: sidecar})
        return await self.known(admitted, wait)

    async def known(self, admitted: Answer, wait: str) -> dict[str, Any]:
        """Return what is known of a submitted transaction; raise the problem of a refusal."""
        document = await self._outcome(admitted, time.monotonic() + self._timeout(wait))
        if isinstance(document, Problem):
            raise document
        return document

    async def was_rejected(self, tx_id: bytes) -> bool:
        """Say whether a transaction is committed and its contract rejected it."""
        place = await self.locate(tx_id, complete=False)
        return place is not None and not Receipt.decode((await self._block(place)).receipts[place.index + 1]).ok

    async def batch(self, request: HotRequest) -> Response:
        """``POST /v1/transactions/batch``."""
        wait, limit = wait_of(request), self._context.limits.batch_transactions
        if self._context.must_pause(request.connection, request.body, time.monotonic()):
            raise slow_down()
        if media_type(request.headers) == MSGPACK:
            raws: list[Any] = split_raws(request.body, limit)
        else:
            raws = await _list_from_json(request.headers, request.body, limit)
        if not raws:
            raise Problem(400, "malformed", "the list is empty")
        self._take(request, len(raws))
        decoded = [_try_decode(raw) for raw in raws]
        answers = iter(await self._services.submit([item for item in decoded if isinstance(item, Transaction)]))
        end_s = time.monotonic() + self._timeout(wait)
        results = [item if isinstance(item, Problem) else await self._outcome(next(answers), end_s) for item in decoded]
        without = sum(isinstance(result, Problem) and result.code in NO_ROOM for result in results)
        self._context.count_refused(request.connection, request.body, without, time.monotonic())
        return self._batch_answer(results)

    def _batch_answer(self, results: list[dict[str, Any] | Problem]) -> Response:
        rendered = [_result_json(result) for result in results]
        document = {"height": self._services.height, "results": rendered}
        busy = [result for result in results if isinstance(result, Problem) and result.status in (429, 503)]
        if len(busy) == len(results):  # Y14
            first = busy[0]
            raise Problem(first.status, first.code, first.detail, retry_after_s=first.retry_after_s, more=document)
        accepted = any(result["status"] == "accepted" for result in rendered)
        return answer(document, height=self._services.height, status=202 if accepted else 200)

    async def _outcome(self, admitted: Answer, end_s: float) -> dict[str, Any] | Problem:
        """Return what is known of a transaction, waiting for its commit until ``end_s``."""
        if (final := final_refusal(admitted)) is not None:
            return final
        refused = admitted.rejected
        complete = refused is not None or admitted.admission is Admission.COMMITTED
        place: Location | Rejected | None = await self.locate(admitted.tx_id, complete=complete)  # Y13
        if place is None and refused is not None:
            return refusal(refused, admitted.tx_id)
        if place is None and (left_s := end_s - time.monotonic()) > 0:
            place = await self._services.wait_committed(admitted.tx_id, left_s)
        if isinstance(place, Rejected):
            return refusal(place, admitted.tx_id)
        if place is None:
            return {"id": admitted.tx_id.hex(), "status": "accepted", "height": None, "index": None, "receipt": None}
        return located_json(admitted.tx_id, place, await self._block(place))

    async def locate(self, tx_id: bytes, *, complete: bool) -> Location | None:
        """Return where a transaction was committed, None if it was not.

        ``complete`` first lets the index reach the tip, so that None is certain; raises the problem 503 if it cannot.
        """
        recent = self._services.locate_recent(tx_id)
        if recent is not None or self._services.is_pending(tx_id):
            return recent
        if complete:
            await self._context.index_reaches(self._services.height)
        found = await self._services.index.query(queries.locate, tx_id)
        if found is None or found[0] > self._services.height:  # the log lost its last record and will fetch it again
            return None
        return Location(*found)

    async def status(self, tx_id: bytes) -> tuple[dict[str, Any], Location | None]:
        """Return the status document of a transaction; raise the problem 404."""
        place = await self.locate(tx_id, complete=True)
        if place is not None:
            committed = await self._block(place)
            transaction = transaction_json(Transaction.decode(committed.block.transactions[place.index]))
            time_ms = committed.block.header.time_ms
            more = {"time": time_text(time_ms), "transaction": transaction}
            return {**located_json(tx_id, place, committed), **more}, place
        if self._services.is_pending(tx_id):
            return {"id": tx_id.hex(), "status": "accepted", "height": None, "index": None, "receipt": None}, None
        detail = "neither pending nor committed on this node"
        raise Problem(404, "unknown_transaction", detail, more={"height": self._services.height})

    async def proof(self, place: Location, *, handovers: bool = True) -> dict[str, Any]:
        """Return the receipt file of a committed transaction, with what leads from the genesis to its epoch."""
        committed = await self._block(place)
        document = await asyncio.to_thread(lambda: proof_json(TransactionProof.of(committed, place.index)))
        leading = await self._context.handovers(committed.block.header.epoch) if handovers else ()
        return with_handovers(document, leading)

    async def _block(self, place: Location) -> CommittedBlock:
        committed = await self._context.block(place.height)
        if committed is None:
            raise LookupError(f"block {place.height} is not in the log")
        return committed

    def _take(self, request: HotRequest, count: int) -> None:
        self._context.take_transactions(request.asker, count, time.monotonic(), loopback=request.loopback)

    def _timeout(self, wait: str) -> float:
        return self._context.limits.wait_seconds if wait == "commit" else 0.0


def final_refusal(admitted: Answer) -> Problem | None:
    """Return the problem of a refusal, None if the transaction is not refused or may be committed all the same."""
    refused = admitted.rejected
    return None if refused is None or refused.code in _OUTDATED else refusal(refused, admitted.tx_id)


def router(context: Context, transactions: Transactions) -> APIRouter:
    """Return the read routes of transactions."""
    routes = APIRouter(prefix="/v1/transactions", tags=["transactions"], dependencies=[Depends(context.fresh)])

    @routes.get("/{id:part}", summary="Status of a transaction")
    async def status(id: TxId, proof: Proof = False) -> Response:
        document, place = await transactions.status(bytes.fromhex(id))
        if proof and place is not None:
            document["proof"] = await transactions.proof(place)
        return answer(document, height=context.services.height)

    @routes.get("/{id:part}/receipt", summary="Receipt of a transaction, verifiable offline")
    async def receipt(id: TxId, handovers: WithHandovers = True) -> Response:
        _, place = await transactions.status(bytes.fromhex(id))
        if place is None:
            raise Problem(404, "not_committed", "the transaction is pending", retry_after_s=1)
        return answer(await transactions.proof(place, handovers=handovers), height=context.services.height)

    return routes


def decode(raw: bytes) -> Transaction:
    """Parse a transaction; raise the problem 400, or 413 for one that is too large."""
    try:
        return Transaction.decode(raw)
    except LedgerError as error:
        raise unreadable(error) from None


def located_json(tx_id: bytes, place: Location, committed: CommittedBlock) -> dict[str, Any]:  # Y15
    """Return the answer about a committed transaction: ``committed``, or ``rejected`` by its contract."""
    receipt = Receipt.decode(committed.receipts[place.index + 1])
    return {
        "id": tx_id.hex(),
        "status": "committed" if receipt.ok else "rejected",
        "height": place.height,
        "index": place.index,
        "receipt": receipt_json(receipt),
    }


def _result_json(result: dict[str, Any] | Problem) -> dict[str, Any]:
    if isinstance(result, Problem):
        return {"id": None, "status": "refused", "code": result.code, "detail": result.detail, **result.more}
    return result


def wait_of(request: HotRequest) -> str:
    """Return the query parameter ``wait`` of a submission; raise the problem 400."""
    unknown = request.query.keys() - {"wait"}
    if unknown:
        raise Problem(400, "invalid_parameter", f"unknown query parameter {min(unknown)[:64]}")
    wait = request.query.get("wait", "accepted")
    if wait not in WAITS:
        raise Problem(400, "invalid_parameter", f"wait: expected one of {', '.join(WAITS)}")
    return wait


def _try_decode(raw: Any) -> Transaction | Problem:
    try:
        return Transaction.decode(raw if isinstance(raw, bytes) else transaction_raw_from_json(raw))
    except LedgerError as error:
        return unreadable(error)


def unreadable(error: LedgerError) -> Problem:
    """Return the problem of bytes that are no transaction."""
    return (
        Problem(413, "too_large", error.reason)
        if isinstance(error, TooLarge)
        else Problem(400, "malformed", error.reason)
    )


async def _raw_from_json(headers: Headers, body: bytes) -> bytes:
    require_json(headers)
    try:
        return transaction_raw_from_json(await parse_json(body, "transaction"))
    except LedgerError as error:
        raise unreadable(error) from None


async def _list_from_json(headers: Headers, body: bytes, limit: int) -> list[Any]:
    require_json(headers)
    items = await parse_json(body, "transactions")
    if type(items) is not list or len(items) > limit:
        raise Problem(400, "malformed", f"expected a list of at most {limit} transactions")
    return items


def require_json(headers: Headers) -> None:
    """Raise the problem 415 unless the body is JSON."""
    if media_type(headers) != JSON:
        raise Problem(415, "unsupported_media_type", f"send {JSON} or {MSGPACK}")
