"""The gateway: a member's own systems send plain JSON with a token, and the node signs for the member.

Law: one token and one idempotency key make at most one committed transaction, also across restarts of the node.

The salt follows from token and key, but a transaction's ``valid_until`` has to follow the clock; so the signed bytes
are kept (``IdempotencyStore``) before they are sent, and a retry sends the same bytes. Only when the chain can no
longer commit them (their validity is past in block time, and the index, complete to the tip, does not know them) does
a retry sign again.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import structlog
from starlette.datastructures import Headers
from starlette.responses import Response

from coseal.ledger.block import Header
from coseal.ledger.transaction import MAX_TRANSACTION_BYTES, SALT_BYTES, Transaction, sign
from coseal.node.http.auth import Token, unauthorized
from coseal.node.http.bodies import parse_json
from coseal.node.http.context import Context
from coseal.node.http.hot import HotRequest
from coseal.node.http.idempotency import Bound, Full, key_of
from coseal.node.http.problems import Problem, unavailable
from coseal.node.http.services import Gateway
from coseal.node.http.transactions import Transactions, require_json, wait_of

_log = structlog.get_logger("node.http")
_KEY_CHARACTERS_MAX: Final = 255
_FIELDS: Final = frozenset({"contract", "action", "args"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked: an action with its arguments; ``key`` is what it is bound under, ``digest`` of its body.

    ``again``: a retry of what a contract rejected, so of what had no effect, is tried as a new transaction.
    """

    contract: str
    action: str
    args: dict[str, Any]
    key: bytes
    digest: bytes
    again: bool = False


class Submission:
    """``POST /v1/submit`` over one node, and the gateway for whatever else sends plain data."""

    def __init__(self, context: Context, transactions: Transactions) -> None:
        self.context = context
        self._services = context.services
        self._transactions = transactions

    async def submit(self, request: HotRequest) -> Response:
        """Sign what an authorised system of this node's member asks for, and submit it."""
        gateway, token = self.authorise(request)
        wait = wait_of(request)
        asked = await _parse(request, token)
        self.context.take_transactions(request.asker, 1, time.monotonic(), loopback=request.loopback)
        transaction = await self._bound(gateway, asked)
        return await self._transactions.submit(transaction, wait)

    async def outcome(self, gateway: Gateway, asked: Asked, wait: str) -> dict[str, Any]:
        """Submit the one transaction of a request; return what is known of it, raise the problem of a refusal."""
        return await self._transactions.outcome(await self._bound(gateway, asked), wait)

    def authorise(self, request: HotRequest) -> tuple[Gateway, Token]:
        """Return the gateway and the token of a system that may use it; raise the problem 401 or 403."""
        gateway, identity = self._services.gateway, request.identity
        if gateway is None:
            raise Problem(403, "no_gateway", "this node has no operator key; sign and use /v1/transactions")
        if identity is None or identity.token is None:
            raise unauthorized("unauthenticated", "the gateway needs a bearer token of this node's member")
        if identity.member != gateway.sender.partition("/")[0]:
            raise Problem(403, "forbidden", "the token is of another member than this node's gateway")
        if not identity.may("submit"):
            raise Problem(403, "forbidden", "the token does not have the scope submit")
        return gateway, identity.token

    async def _bound(self, gateway: Gateway, asked: Asked) -> Transaction:
        """Return the one transaction of this key, signed now or at an earlier try."""
        store, now_ms = self.context.idempotency, self._services.now_ms()

        def make() -> Bound:
            transaction = self._sign(gateway, asked, now_ms)
            return Bound(asked.digest, transaction.raw, transaction.valid_until_ms)

        try:
            bound = await asyncio.to_thread(store.bind, asked.key, now_ms, make)  # Y17
            if bound.request == asked.digest and await self._is_dead(bound, again=asked.again):
                bound = await asyncio.to_thread(store.rebind, asked.key, bound, make)
        except sqlite3.DatabaseError as error:
            _log.error("idempotency", reason=f"idempotency.sqlite cannot be used: {error}")
            detail = (
                f"the gateway's memory of requests, idempotency.sqlite, cannot be used: {error}; nothing was signed"
            )
            raise unavailable(detail) from None
        except Full:
            raise unavailable("the gateway remembers as many idempotency keys as it may") from None
        if bound.request != asked.digest:  # Y18
            raise Problem(422, "idempotency_key_reused", "the key was used with another body; use a new key")
        return Transaction.decode(bound.raw)

    async def _is_dead(self, bound: Bound, *, again: bool) -> bool:  # Y19
        """Say whether the chain will never commit a bound transaction, nor has; with ``again``, or had it rejected."""
        if again and await self._transactions.was_rejected(Transaction.decode(bound.raw).id):
            return True
        tip = await self._tip()
        if tip is None or bound.valid_until_ms > tip.time_ms:
            return False
        tx_id = Transaction.decode(bound.raw).id
        return await self._transactions.locate(tx_id, complete=True) is None and not self._services.is_pending(tx_id)

    async def _tip(self) -> Header | None:
        committed = await self.context.block(self._services.height)
        return None if committed is None else committed.block.header

    def _sign(self, gateway: Gateway, asked: Asked, now_ms: int) -> Transaction:
        """Sign; half of the longest validity leaves room for a chain clock that lags the wall clock."""
        genesis = self._services.genesis
        try:
            transaction = sign(
                gateway.signer,
                chain_id=genesis.chain_id,
                sender=gateway.sender,
                contract=asked.contract,
                action=asked.action,
                args=asked.args,
                valid_until_ms=now_ms + genesis.parameters.validity_ms_max // 2,
                salt=asked.key[:SALT_BYTES],
            )
        except (ValueError, TypeError) as error:  # nested too deep for the encoding
            raise Problem(400, "malformed", f"args: {error}") from None
        return transaction


async def _parse(request: HotRequest, token: Token) -> Asked:
    key = idempotency_key(request.headers, token)
    require_json(request.headers)
    fields = await parse_json(request.body, "request")
    if type(fields) is not dict or fields.keys() != _FIELDS or type(fields["args"]) is not dict:
        raise Problem(400, "malformed", "expected an object with exactly contract, action and args (an object)")
    contract, action = fields["contract"], fields["action"]
    if not all(type(name) is str and 0 < len(name) <= 64 for name in (contract, action)):
        raise Problem(400, "malformed", "contract and action: expected texts of 1 to 64 characters")
    if len(request.body) > MAX_TRANSACTION_BYTES:
        raise Problem(413, "too_large", f"a transaction has at most {MAX_TRANSACTION_BYTES} bytes; send less")
    return Asked(contract, action, fields["args"], key, sha256(request.body).digest())


def idempotency_key(headers: Headers, token: Token) -> bytes:
    """Return what the request's ``Idempotency-Key`` is bound under; raise the problem 400 without a good one."""
    key = headers.get("idempotency-key", "")
    if not (0 < len(key) <= _KEY_CHARACTERS_MAX and key.isascii() and key.isprintable()):
        detail = f"send Idempotency-Key of 1 to {_KEY_CHARACTERS_MAX} ASCII characters, new for each new record"
        raise Problem(400, "idempotency_key_required", detail)
    return key_of(token.digest, key)
