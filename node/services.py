"""The running node as its HTTP API sees it: the runtime's side of ``http.services.Services``.

Law: reads return at once, on the loop's thread; a transaction reaches the machine only with a verified signature.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from coseal.contracts.kernel.action import Rejected
from coseal.contracts.registry import Others
from coseal.ledger.block import CommittedBlock
from coseal.ledger.genesis import Genesis
from coseal.ledger.native import Core
from coseal.ledger.snapshot import Manifest
from coseal.ledger.state import State
from coseal.ledger.transaction import Transaction
from coseal.ledger.validators import ValidatorSet
from coseal.node.core.events import Admission, Answer
from coseal.node.core.health import NodeStatus
from coseal.node.http.services import NO_SIDECARS, Gateway, Location, Unavailable
from coseal.node.parts import Parts
from coseal.node.verifier.preview_worker import Preview, Question
from coseal.node.verifier.verifier import Closed

_STOPPING: Final = "the node is stopping"
_BAD_SIGNATURE: Final = Rejected(
    "bad_signature", "the signature does not verify under the transaction's own public key"
)


class NodeServices:
    """Implements ``Services`` over the parts of a running node."""

    def __init__(
        self,
        parts: Parts,
        *,
        core: Core,
        gateway: Gateway | None,
        now_ms: Callable[[], int],
        offer: Callable[[tuple[Transaction, ...], tuple[bytes | None, ...]], tuple[Answer, ...]],
    ) -> None:
        """``now_ms`` is the node's wall clock; ``offer`` gives verified transactions, and what came beside each, to the
        machine.
        """
        self.core, self.index, self.registry, self.gateway = core, parts.index, parts.metrics.registry, gateway
        self._parts, self._machine, self._storage, self._commits = parts, parts.machine, parts.storage, parts.commits
        self._now_ms, self._offer = now_ms, offer
        self._submitted: list[tuple[tuple[Transaction, ...], asyncio.Future[tuple[Answer, ...]]]] = []
        self._sidecars: dict[bytes, bytes] = {}  # of what was submitted, by the transaction's raw bytes

    @property
    def genesis(self) -> Genesis:
        """See ``Services``."""
        return self._machine.config.genesis

    @property
    def others(self) -> Others:
        """See ``Services``."""
        return self._machine.executor.others

    @property
    def node_id(self) -> str:
        """See ``Services``."""
        return self._machine.config.node_id

    @property
    def software_version(self) -> str:
        """See ``Services``."""
        return self._machine.config.software_version

    @property
    def height(self) -> int:
        """See ``Services``."""
        return self._machine.executor.height

    @property
    def first_height(self) -> int:
        """See ``Services``."""
        return self._storage.first_height

    @property
    def state(self) -> State:
        """See ``Services``."""
        return self._machine.executor.state

    @property
    def validators(self) -> ValidatorSet:
        """See ``Services``."""
        return self._machine.executor.validators

    def now_ms(self) -> int:
        """See ``Services``."""
        return self._now_ms()

    def status(self) -> NodeStatus:
        """See ``Services``."""
        return self._machine.status(self._now_ms())

    def read_block(self, height: int) -> bytes | None:
        """See ``Services``."""
        return self._parts.read_block(height)

    def read_head(self, height: int) -> bytes | None:
        """See ``Services``."""
        return self._parts.read_head(height)

    def snapshot(self, height: int | None = None) -> Manifest | None:
        """See ``Services``."""
        snapshots = self._storage.snapshots
        found = snapshots.newest if height is None else snapshots.at(height)
        return None if found is None else found.manifest

    def snapshot_item(self, height: int, item: int) -> bytes | None:
        """See ``Services``."""
        found = self._storage.snapshots.at(height)
        return None if found is None else found.read(item)

    def recent_block(self, height: int) -> CommittedBlock | None:
        """See ``Services``."""
        return self._commits.block(height)

    async def submit(
        self, transactions: Sequence[Transaction], sidecars: Mapping[bytes, bytes] = NO_SIDECARS
    ) -> list[Answer]:
        """See ``Services``. What arrives in one turn of the loop goes to the machine as one event."""
        if self._parts.tracer is not None:
            self._parts.tracer.arrived(transactions)
        now_ms = self._now_ms()
        no_room = self._machine.refused_for_room(transactions, now_ms)  # N9: what has no place costs no signature check
        refused = {tx.raw: _rejected(tx, no_room[tx.raw]) for tx in transactions if tx.raw in no_room}
        try:
            bad = await self._parts.verifier.check(tx for tx in transactions if tx.raw not in refused)
        except Closed:
            raise Unavailable(_STOPPING) from None
        refused |= {tx.raw: _rejected(tx, _BAD_SIGNATURE) for tx in transactions if tx.raw in bad}
        good = tuple(transaction for transaction in transactions if transaction.raw not in refused)
        self._sidecars.update((tx.raw, sidecars[tx.raw]) for tx in good if tx.raw in sidecars)
        admitted = iter(await self._queue(good) if good else ())
        return [refused.get(tx.raw) or next(admitted) for tx in transactions]

    def _queue(self, transactions: tuple[Transaction, ...]) -> asyncio.Future[tuple[Answer, ...]]:
        loop = asyncio.get_running_loop()
        if not self._submitted:
            loop.call_soon(self._flush)
        future: asyncio.Future[tuple[Answer, ...]] = loop.create_future()
        self._submitted.append((transactions, future))
        return future

    def _flush(self) -> None:
        submitted, self._submitted = self._submitted, []
        sidecars, self._sidecars = self._sidecars, {}
        offered = tuple(tx for transactions, _ in submitted for tx in transactions)
        beside = tuple(sidecars.get(tx.raw) for tx in offered) if sidecars else ()
        answers = iter(self._offer(offered, beside))
        for transactions, future in submitted:
            mine = tuple(itertools.islice(answers, len(transactions)))
            if future.done():
                continue
            if len(mine) == len(transactions):
                future.set_result(mine)
            else:  # a halted machine answers nothing
                future.set_exception(Unavailable(_STOPPING))

    async def sidecar(self, name: bytes, member: str) -> bytes | None:
        """See ``Services``."""
        if not self._machine.may_read_sidecar(name, member):
            return None
        return await asyncio.to_thread(self._storage.sidecars.read, name)

    async def preview(self, transaction: Transaction, *, signed: bool) -> tuple[int, Preview]:
        """See ``Services``."""
        executor = self._machine.executor
        time_ms = max(self._now_ms(), executor.time_ms + 1)
        question = Question(transaction.raw, signed, executor.height, time_ms)
        return time_ms, await self._parts.previews.preview(question)

    @property
    def is_crowded(self) -> bool:
        """See ``Services``."""
        return self._machine.mempool.is_crowded

    def is_pending(self, tx_id: bytes) -> bool:
        """See ``Services``."""
        return tx_id in self._machine.mempool

    def locate_recent(self, tx_id: bytes) -> Location | None:
        """See ``Services``."""
        return self._commits.locate(tx_id)

    async def wait_committed(self, tx_id: bytes, timeout_s: float) -> Location | Rejected | None:
        """See ``Services``."""
        return await self._commits.wait(tx_id, timeout_s)

    async def wait_height(self, height: int, timeout_s: float) -> bool:
        """See ``Services``."""
        return await self._commits.wait_height(height, timeout_s)

    async def consistent(self, timeout_s: float) -> int:
        """See ``Services``."""
        if not self._machine.answers_reads:
            raise Unavailable("CometBFT orders this chain, and no quorum can be asked there: use min_height")
        return await self._parts.reads.consistent(timeout_s)

    async def engine_shows(self, method: str, params: Mapping[str, str], number: int) -> Any:
        """See ``Services``."""
        return await self._parts.links.shown_to(method, params, number)


def _rejected(transaction: Transaction, why: Rejected) -> Answer:
    return Answer(transaction.id, Admission.REJECTED, why)
