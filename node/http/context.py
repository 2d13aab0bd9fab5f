"""What all routes share: the node behind them, the limits, and reads that are as fresh as the client asks.

Law: a read says at which height it was made; ``min_height`` and ``consistent`` are fulfilled before it is made.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import Query

from coseal.contracts.kernel.action import Reader
from coseal.contracts.kernel.overlay import Overlay
from coseal.contracts.membership import epochs as membership_epochs
from coseal.contracts.membership.state import operator_key
from coseal.ledger.block import CommittedBlock, Header
from coseal.ledger.certificates import Certificate
from coseal.ledger.handover import Handover
from coseal.ledger.head import Head
from coseal.ledger.transaction import named_sender
from coseal.node.http.auth import Authenticator, Token
from coseal.node.http.bodies import BodyBudget
from coseal.node.http.idempotency import IdempotencyStore
from coseal.node.http.limits import STILL_S, Limits, Patience, TokenBuckets
from coseal.node.http.problems import Problem, unavailable
from coseal.node.http.services import Services, Unavailable

_CACHED_BLOCKS: Final = 8
_HEIGHT_MAX: Final = 2**63 - 1

MinHeight = Annotated[
    int, Query(ge=0, le=_HEIGHT_MAX, description="Wait until the answer covers this height, else 503.")
]
WithHandovers = Annotated[
    bool,
    Query(alias="handovers", description="Add what leads from the genesis to the validators of the block's epoch."),
]
Consistent = Annotated[
    bool,
    Query(description="First ask a quorum for its tip: the answer covers everything committed before the request."),
]


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of this node's HTTP API: limits, bearer tokens, and the file of the gateway's idempotency keys.

    Without ``idempotency_path`` the keys are kept in memory, for tests.
    """

    limits: Limits = field(default_factory=Limits)
    tokens: tuple[Token, ...] = ()
    idempotency_path: Path | None = None


class Context:
    """The node, as the routes use it."""

    def __init__(self, services: Services, settings: Settings) -> None:
        limits = settings.limits
        self.services = services
        self.limits = limits
        self.authenticator = Authenticator(settings.tokens, limits.nonces)
        self.budget = BodyBudget(limits.bodies_bytes)
        self.requests = TokenBuckets(limits.burst_s, limits.buckets)
        self.transactions = TokenBuckets(limits.burst_s, limits.buckets)
        self._patience = Patience(limits)
        self._crowded_s = float("-inf")  # when many were seen waiting
        self.idempotency = IdempotencyStore(settings.idempotency_path, limits.idempotency_keys)
        self.streams = 0
        self._blocks: OrderedDict[int, CommittedBlock] = OrderedDict()
        self._handovers: dict[int, Handover] = {}

    # Reads

    def reader(self) -> Reader:
        """Return the committed state by key text, for queries of the contracts; use it without awaiting."""
        return Overlay(self.services.state.get)

    def operator_key(self, name: str) -> bytes | None:
        """Return the registered key of ``member/user``, or None."""
        record: Any = self.reader().get(operator_key(name))
        return None if record is None else record["key"]

    async def block(self, height: int) -> CommittedBlock | None:
        """Return a committed block, parsed, or None; raise the problem 410 for one that is pruned here."""
        found = self.services.recent_block(height) or self._blocks.get(height)
        if found is None:
            self.require_kept(height)
        if found is None and 1 <= height <= self.services.height:
            found = await asyncio.to_thread(self._read, height)
            if found is None and await self.services.wait_height(height, self.limits.wait_seconds):
                found = self.services.recent_block(height)  # its state was here before its certificate
            if found is not None:
                self._blocks[height] = found
                while len(self._blocks) > _CACHED_BLOCKS:
                    self._blocks.popitem(last=False)
        return found

    def require_kept(self, height: int) -> None:
        """Raise the problem 410 if the block of ``height`` was pruned here, naming the first one that is not."""
        first = self.services.first_height
        if 1 <= height < first <= self.services.height:
            detail = f"this node has the bodies of blocks from {first} on; ask one that keeps all, or an archive"
            more: dict[str, Any] = {"first_height": first, "height": self.services.height}
            raise Problem(410, "pruned", detail, more=more)  # Y26

    def _read(self, height: int) -> CommittedBlock | None:
        raw = self.services.read_block(height)
        return None if raw is None else CommittedBlock.decode(raw)

    async def certified(self, height: int) -> tuple[Header, Certificate]:
        """Return the header of a height and its commit certificate; raise the problem 503 at genesis."""
        if 1 <= height < self.services.first_height:
            raw = await asyncio.to_thread(self.services.read_head, height)
            if raw is not None:
                head = Head.decode(raw)
                return head.header, head.certificate
        committed = await self.block(height)
        if committed is None:
            raise unavailable("no block is committed yet, so nothing is certified")
        return committed.block.header, committed.certificate

    async def handovers(self, last_epoch: int, first_epoch: int = 1) -> tuple[Handover, ...]:
        """Return what leads to the epochs ``first_epoch``..``last_epoch`` of this chain, ascending."""
        found = []
        for number in range(max(first_epoch, self.services.genesis.validators.epoch + 1), last_epoch + 1):
            handover = self._handovers.get(number)
            if handover is None:
                epoch = membership_epochs.epoch(self.reader(), number)
                if epoch is None:
                    break
                header, certificate = await self.certified(epoch.first_height - 1)
                handover = self._handovers[number] = Handover(header, certificate, epoch.validators)
            found.append(handover)
        return tuple(found)

    # Freshness, as dependencies of the routes

    async def fresh(self, min_height: MinHeight = 0, consistent: Consistent = False) -> int:  # Y6
        """Wait until the state is as fresh as asked for; return the height it must at least have."""
        timeout_s = self.limits.wait_seconds
        if consistent:
            try:
                min_height = max(min_height, await self.services.consistent(timeout_s))
            except Unavailable as error:
                raise unavailable(error.reason) from None
        if self.services.height < min_height and not await self.services.wait_height(min_height, timeout_s):
            raise _not_reached("height_not_reached", min_height, self.services.height)
        return min_height

    async def fresh_index(self, min_height: MinHeight = 0, consistent: Consistent = False) -> int:
        """As ``fresh``, and wait for the index as well."""
        height = await self.fresh(min_height, consistent)
        await self.index_reaches(height)
        return height

    async def index_reaches(self, height: int) -> None:
        """Wait until the index covers ``height``; raise the problem 503."""
        index = self.services.index
        if not await index.reached(height, self.limits.wait_seconds):
            if index.error is not None:
                raise unavailable("the index has failed; the node's log says why, and a restart tries again")
            raise _not_reached("index_behind", height, index.height)

    # Limits

    def take_request(self, key: str, now_s: float, *, loopback: bool) -> None:
        """Count a request against the rate of ``key``; raise the problem 429."""
        rate = self.limits.loopback_requests_per_s if loopback else self.limits.requests_per_s
        wait_s = self.requests.take(key, 1, rate, now_s)
        if wait_s > 0:
            # Closing would make the client connect again at once, which costs more than the refusal.
            raise Problem(429, "too_many_requests", f"at most {rate} requests a second", retry_after_s=wait_s)

    def take_transactions(self, key: str, count: int, now_s: float, *, loopback: bool) -> None:
        """Count ``count`` transactions against the rate of ``key``; raise the problem 429."""
        rate = self.limits.loopback_transactions_per_s if loopback else self.limits.transactions_per_s
        wait_s = self.transactions.take(key, count, rate, now_s)
        if wait_s > 0:
            raise Problem(429, "too_many_transactions", f"at most {rate} transactions a second", retry_after_s=wait_s)

    def must_pause(self, connection: str, body: bytes, now_s: float) -> bool:
        """Say whether the sender in ``body`` is held off on this connection; reads no more than its name.

        Only while many wait, or did a moment ago, for a block may take all: who is held off and goes on without a pause
        gets in again when there is room for everyone.
        """
        if self.services.is_crowded:
            self._crowded_s = now_s
        return now_s - self._crowded_s < STILL_S and self._patience.holds_off(_party(connection, body), now_s)

    def count_refused(self, connection: str, body: bytes, count: int, now_s: float) -> None:
        """Note that ``count`` transactions in ``body`` were refused for lack of room."""
        if count:
            self._patience.refused(_party(connection, body), count, now_s)


def _party(connection: str, body: bytes) -> str:
    """Return who is meant: behind a proxy many senders share a connection, and a name alone could be another's."""
    return f"{connection} {(named_sender(body) or b'').hex()}"


def _not_reached(code: str, wanted: int, height: int) -> Problem:
    detail = f"height {wanted} is not reached, this node is at {height}"
    more: dict[str, Any] = {"height": height}
    return Problem(503, code, detail, retry_after_s=1, more=more)
