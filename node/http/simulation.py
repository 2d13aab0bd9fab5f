"""``POST /v1/simulate``: the receipt that a transaction would get in the next block, recorded nowhere.

Law: it takes what ``POST /v1/transactions`` takes, or the same without key and signature from anyone who may read; each
asker has one at a time, and none of it is done on the loop.
"""

from __future__ import annotations

import time
from typing import Any, Final

from starlette.responses import Response

from coseal.contracts.kernel.action import Rejected
from coseal.ledger import codec
from coseal.ledger.errors import LedgerError
from coseal.ledger.render import receipt_json, time_text, transaction_raw_from_json
from coseal.ledger.signing import PUBLIC_KEY_BYTES, SIGNATURE_BYTES
from coseal.ledger.transaction import SALT_BYTES, Transaction, body_of, join
from coseal.node.http.auth import require_reader
from coseal.node.http.bodies import MSGPACK, answer, media_type, parse_json
from coseal.node.http.context import Context
from coseal.node.http.hot import HotRequest
from coseal.node.http.problems import RETRY_S, Problem, refusal
from coseal.node.http.transactions import decode, require_json, unreadable

_UNSIGNED: Final = frozenset({"sender", "contract", "action", "args"})


class Simulations:
    """The route over one node."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._running: set[str] = set()

    async def simulate(self, request: HotRequest) -> Response:
        """Say what would come of a transaction; raise the problem of one that no block could hold."""
        if request.query:
            raise Problem(400, "invalid_parameter", "expected no query parameter")
        self._context.take_transactions(request.asker, 1, time.monotonic(), loopback=request.loopback)
        transaction, signed = await self._read(request)
        asker = request.asker if request.identity is None else f"member:{request.identity.member}"
        if asker in self._running:  # Y16
            detail = "a simulation for you is running; one at a time"
            raise Problem(429, "simulation_running", detail, retry_after_s=RETRY_S)
        self._running.add(asker)
        try:
            return await self._answer(transaction, signed=signed)
        finally:
            self._running.discard(asker)

    async def _answer(self, transaction: Transaction, *, signed: bool) -> Response:
        time_ms, preview = await self._context.services.preview(transaction, signed=signed)
        outcome = preview.outcome
        if isinstance(outcome, Rejected):
            raise refusal(outcome, transaction.id if signed else None)
        receipt = receipt_json(outcome) | ({} if signed else {"tx_id": None})
        document: dict[str, Any] = {
            "simulated": True,
            "status": "committed" if outcome.ok else "rejected",
            "height": preview.height,
            "time_ms": time_ms,
            "time": time_text(time_ms),
            "receipt": receipt,
        }
        return answer(document, height=preview.height)

    async def _read(self, request: HotRequest) -> tuple[Transaction, bool]:
        """Return what is asked about, and whether it is signed."""
        if media_type(request.headers) == MSGPACK:
            return decode(request.body), True
        require_json(request.headers)
        document = await parse_json(request.body, "transaction")
        if type(document) is dict and document.keys() == _UNSIGNED:
            parameters = self._context.services.genesis.parameters
            require_reader(request.identity, "without a signature this needs", public_read=parameters.public_read)
            return decode(self._unsigned(document)), False
        try:
            return decode(transaction_raw_from_json(document)), True
        except LedgerError as error:
            raise unreadable(error) from None

    def _unsigned(self, fields: dict[str, Any]) -> bytes:
        """Return the wire form of what nobody signed, as valid as a transaction is by default."""
        genesis = self._context.services.genesis
        now_ms = self._context.services.now_ms()
        try:
            codec.mapping(fields["args"], "args")
            body = body_of(
                chain_id=genesis.chain_id,
                public_key=bytes(PUBLIC_KEY_BYTES),
                valid_until_ms=now_ms + genesis.parameters.validity_ms_max // 2,
                salt=bytes(SALT_BYTES),
                **fields,
            )
        except (LedgerError, TypeError, ValueError, OverflowError) as error:
            reason = error.reason if isinstance(error, LedgerError) else f"transaction: {error}"
            raise Problem(400, "malformed", reason) from None
        return join(body, bytes(SIGNATURE_BYTES))
