"""A node for tests of its HTTP API: a real executor and real certified blocks; only the shell around them is ours.

``Services`` here does in memory what the runtime does with consensus and a disk: it checks, pools, and commits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
from prometheus_client import CollectorRegistry

from coseal.contracts.kernel.action import Rejected
from coseal.contracts.membership import actions as membership
from coseal.contracts.registry import NO_OTHERS, Others
from coseal.ledger import transaction
from coseal.ledger.block import CommittedBlock, Receipt
from coseal.ledger.genesis import Genesis
from coseal.ledger.head import Head
from coseal.ledger.native import Core
from coseal.ledger.snapshot import Manifest
from coseal.ledger.transaction import Transaction
from coseal.node.core.events import Admission, Answer
from coseal.node.core.health import NodeStatus, PeerStatus
from coseal.node.http.app import create_app
from coseal.node.http.auth import Token
from coseal.node.http.context import Settings
from coseal.node.http.services import NO_SIDECARS, Gateway, Location, Unavailable
from coseal.node.index.index import Index
from coseal.node.verifier.preview_worker import Preview
from tests.support.chain import Chain
from tests.support.genesis import START_MS, make_genesis
from tests.support.keys import operator, validator

Scenario = Callable[["World", httpx.AsyncClient], Awaitable[None]]
READING = "reading-token-0123456789"
READER = Token("reader", "city", sha256(READING.encode()).digest(), frozenset(("read",)))
"""Who may read what is for members, by the token ``READING``; for the settings of a world."""


async def _at_once() -> None:
    """Let a preview take no time."""


def scenario(**options: Any) -> Callable[[Scenario], Callable[[Path], None]]:
    """Make a test of an async function that gets a new world and a client on loopback."""

    def decorate(function: Scenario) -> Callable[[Path], None]:
        async def play(folder: Path) -> None:
            world = World(folder, **options)
            try:
                async with world.client() as client:
                    await function(world, client)
            finally:
                world.close()

        def test(tmp_path: Path) -> None:
            asyncio.run(play(tmp_path))

        test.__name__ = function.__name__
        return test

    return decorate


class World:
    """The node ``enterprise-a``. With ``auto`` every submission is committed at once, one block each."""

    def __init__(
        self,
        folder: Path,
        *,
        genesis: Genesis | None = None,
        settings: Settings | None = None,
        auto: bool = True,
        gateway: bool = True,
        others: Others = NO_OTHERS,
    ) -> None:
        self.genesis = genesis or make_genesis("door")
        self.others = others
        self.chain = Chain(self.genesis, others=others)
        self.auto = auto
        self.node_id = "enterprise-a"
        self.software_version = "0.0.0"
        self.core = Core()
        self.gateway = Gateway("enterprise-a/admin", operator("enterprise-a")) if gateway else None
        self.registry = CollectorRegistry()
        self.pool: dict[bytes, Transaction] = {}
        self.pool_limit = 100
        self.beside: dict[bytes, bytes] = {}
        self.readable: dict[tuple[bytes, str], bytes] = {}
        self.places: dict[bytes, Location] = {}
        self.dropped: dict[bytes, Rejected] = {}
        self.recent = 16
        self.first_height = 1
        self.held: tuple[Manifest, list[bytes]] | None = None
        self.recent_places = True
        self.claims: int | None = 0
        self.engine: Any = None
        self.engine_asked: list[tuple[str, dict[str, str], int]] = []
        self.clock_ms = START_MS
        self.previewed: list[tuple[Transaction, bool]] = []
        self.previewing: Callable[[], Awaitable[None]] = _at_once
        self.stalled: str | None = None
        self.syncing = False
        self.index = Index(
            folder / "index.sqlite", self.genesis.chain_id, self.read_block, others, self.genesis.contracts
        )
        self.index.start(0)
        self._news = asyncio.Condition()
        self._salt = 0
        self.app = create_app(self, settings or Settings())

    # Services

    @property
    def height(self) -> int:
        return len(self.chain.blocks)

    def read_head(self, height: int) -> bytes | None:
        if not 1 <= height <= self.height:
            return None
        return Head.of(self.chain.blocks[height - 1]).encode()

    def snapshot(self, height: int | None = None) -> Manifest | None:
        return None if self.held is None or height not in (None, self.held[0].height) else self.held[0]

    def snapshot_item(self, height: int, item: int) -> bytes | None:
        if self.held is None or height != self.held[0].height or item >= len(self.held[1]):
            return None
        return self.held[1][item]

    @property
    def state(self) -> Any:
        return self.chain.executor.state

    @property
    def validators(self) -> Any:
        return self.chain.executor.validators

    def now_ms(self) -> int:
        return self.clock_ms

    def status(self) -> NodeStatus:
        tip = self.chain.blocks[-1].block if self.chain.blocks else None
        return NodeStatus(
            chain_id=self.genesis.chain_id,
            node=self.node_id,
            kind="validator",
            voting=True,
            silence=None,
            software_version=self.software_version,
            protocol_version=1,
            height=self.height,
            block_hash=self.genesis.chain_id if tip is None else tip.hash,
            state_root=self.state.root,
            time_ms=self.chain.executor.time_ms,
            round=0,
            leader="bank-a",
            epoch=0,
            validators=4,
            quorum=3,
            peers=(PeerStatus("bank-a", True, True, self.height, 12),),
            mempool_transactions=len(self.pool),
            mempool_bytes=sum(len(tx.raw) for tx in self.pool.values()),
            syncing=self.syncing,
            healthy=self.stalled is None,
            why_stalled=self.stalled,
        )

    def read_block(self, height: int) -> bytes | None:
        return self.chain.blocks[height - 1].encode() if 1 <= height <= self.height else None

    def recent_block(self, height: int) -> CommittedBlock | None:
        return self.chain.blocks[height - 1] if max(0, self.height - self.recent) < height <= self.height else None

    async def submit(
        self, transactions: Sequence[Transaction], sidecars: Mapping[bytes, bytes] = NO_SIDECARS
    ) -> list[Answer]:
        self.beside |= sidecars
        answers = [self._admit(tx) for tx in transactions]
        if self.auto and self.pool:
            asyncio.get_running_loop().call_soon(lambda: asyncio.ensure_future(self.commit()))
        return answers

    async def sidecar(self, name: bytes, member: str) -> bytes | None:
        return self.readable.get((name, member))

    @property
    def is_crowded(self) -> bool:
        return 4 * len(self.pool) > self.pool_limit

    async def preview(self, transaction: Transaction, *, signed: bool) -> tuple[int, Preview]:
        self.previewed.append((transaction, signed))
        executor, time_ms = self.chain.executor, self.chain.executor.time_ms + 1
        if not signed:
            key = membership.sender_key(executor.reader, transaction.sender)
            transaction = replace(transaction, public_key=key or transaction.public_key)
        refused = executor.check(transaction, time_ms)
        outcome = refused or Receipt.decode(executor.run(self.height + 1, time_ms, [transaction]).receipts[1])
        await self.previewing()
        return time_ms, Preview(self.height, outcome)

    def is_pending(self, tx_id: bytes) -> bool:
        return tx_id in self.pool

    def locate_recent(self, tx_id: bytes) -> Location | None:
        return self.places.get(tx_id) if self.recent_places else None

    async def wait_committed(self, tx_id: bytes, timeout_s: float) -> Location | Rejected | None:
        await self._wait(lambda: tx_id in self.places or tx_id in self.dropped, timeout_s)
        return self.places.get(tx_id) or self.dropped.get(tx_id)

    async def wait_height(self, height: int, timeout_s: float) -> bool:
        return await self._wait(lambda: self.height >= height, timeout_s)

    async def consistent(self, timeout_s: float) -> int:
        if self.claims is None:
            raise Unavailable("2 of 3 nodes answered")
        if not await self.wait_height(self.claims, timeout_s):
            raise Unavailable("behind")
        return max(self.claims, self.height)

    async def engine_shows(self, method: str, params: Mapping[str, str], number: int) -> Any:
        if isinstance(self.engine, str):
            raise Unavailable(self.engine)
        self.engine_asked.append((method, dict(params), number))
        return self.engine

    # The other side of it

    async def commit(self, *more: Transaction) -> CommittedBlock:
        """Commit what is pooled, and ``more``, as one block."""
        transactions = [*self.pool.values(), *more]
        self.pool.clear()
        committed = self.chain.extend(transactions)
        for index, tx in enumerate(transactions):
            self.places[tx.id] = Location(self.height, index)
        self.index.feed(committed, tuple(transactions))
        async with self._news:
            self._news.notify_all()
        return committed

    async def drop(self, tx_id: bytes, refused: Rejected) -> None:
        del self.pool[tx_id]
        self.dropped[tx_id] = refused
        async with self._news:
            self._news.notify_all()

    def sign(self, name: str, args: Mapping[str, Any], *, sender: str = "enterprise-a", **changes: Any) -> Transaction:
        contract, _, action = name.partition(".")
        self._salt += 1
        fields: dict[str, Any] = {
            "chain_id": self.genesis.chain_id,
            "sender": f"{sender}/admin",
            "contract": contract,
            "action": action,
            "args": args,
            "valid_until_ms": self.chain.executor.time_ms + 300_000,
            "salt": self._salt.to_bytes(16, "big"),
            **changes,
        }
        signer = fields.pop("signer", operator(sender))
        return transaction.sign(signer, **fields)

    def sign_as_node(self, name: str, args: Mapping[str, Any], node: str) -> Transaction:
        """Sign what a node says itself, with its consensus key."""
        tx = self.sign(name, args)
        fields = ("chain_id", "contract", "action", "args", "valid_until_ms", "salt")
        given = {field: getattr(tx, field) for field in fields}
        return transaction.sign(validator(node), sender=transaction.node_sender(node), **given)

    def profile(self, text: str = "hello", **changes: Any) -> Transaction:
        return self.sign("membership.set_profile", {"description": text}, **changes)

    def client(self, address: str = "127.0.0.1", **options: Any) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=self.app, client=(address, 4_000))
        return httpx.AsyncClient(transport=transport, base_url="http://node", **options)

    def close(self) -> None:
        self.index.stop()
        self.app.close()

    def _admit(self, tx: Transaction) -> Answer:
        try:
            tx.verify_signature()
        except Exception as error:
            return Answer(tx.id, Admission.REJECTED, Rejected("bad_signature", str(error)))
        if tx.id in self.pool:
            return Answer(tx.id, Admission.PENDING)
        refused = self.chain.executor.check(tx, self.chain.executor.time_ms + 1)
        if refused is not None and refused.code == "duplicate":
            return Answer(tx.id, Admission.COMMITTED)
        if refused is None and len(self.pool) >= self.pool_limit:
            refused = Rejected("mempool_full", "too many transactions are waiting; send it again later")
        if refused is not None:
            return Answer(tx.id, Admission.REJECTED, refused)
        self.pool[tx.id] = tx
        return Answer(tx.id, Admission.ACCEPTED)

    async def _wait(self, done: Any, timeout_s: float) -> bool:
        try:
            async with asyncio.timeout(timeout_s), self._news:
                await self._news.wait_for(done)
        except TimeoutError:
            return bool(done())
        return True
