"""What the HTTP routes need of the node around them: one protocol, implemented by the runtime.

Law: every method is called on the runtime's event loop and returns at once, except those that are ``async`` and
``read_block``, which may read a disk and is called from threads as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from prometheus_client import CollectorRegistry

from coseal.contracts.kernel.action import Rejected
from coseal.contracts.registry import Others
from coseal.ledger.block import CommittedBlock
from coseal.ledger.genesis import Genesis
from coseal.ledger.native import Core
from coseal.ledger.signing import Signer
from coseal.ledger.snapshot import Manifest
from coseal.ledger.state import State
from coseal.ledger.transaction import Transaction
from coseal.ledger.validators import ValidatorSet
from coseal.node.core.events import Answer
from coseal.node.core.health import NodeStatus
from coseal.node.index.index import Index
from coseal.node.verifier.preview_worker import Preview

NO_SIDECARS: Final[Mapping[bytes, bytes]] = {}


@dataclass(frozen=True, slots=True)
class Location:
    """Where a transaction was committed: its block and its position in it; its receipt is number ``index + 1``."""

    height: int
    index: int


@dataclass(frozen=True, slots=True)
class Gateway:
    """The operator key with which this node signs for its member's own systems; ``sender`` is ``member/user``."""

    sender: str
    signer: Signer


class Unavailable(Exception):
    """The node cannot answer now (no quorum of peers, no tip yet); ``reason`` says why. Becomes 503."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Services(Protocol):
    """A running node, as its HTTP API sees it. Heights: 0 is genesis, ``height`` the last block in the log."""

    @property
    def genesis(self) -> Genesis:
        """The chain's genesis."""
        ...

    @property
    def others(self) -> Others:
        """The contracts of others that this node has."""
        ...

    @property
    def node_id(self) -> str:
        """This node's id."""
        ...

    @property
    def software_version(self) -> str:
        """The version of the installed software."""
        ...

    @property
    def core(self) -> Core:
        """What decides about signatures: the Python alone, or with the native half."""
        ...

    @property
    def gateway(self) -> Gateway | None:
        """The gateway's key, None if this node has none."""
        ...

    @property
    def index(self) -> Index:
        """The SQL index, for queries; it may lag and says so."""
        ...

    @property
    def registry(self) -> CollectorRegistry:
        """The node's metrics; the HTTP API adds its own, and serves all at ``/metrics``."""
        ...

    @property
    def height(self) -> int:
        """Height of the committed state and of the last block that ``read_block`` returns; they move together."""
        ...

    @property
    def first_height(self) -> int:
        """Height of the first block that ``read_block`` returns; bodies below it are pruned."""
        ...

    @property
    def state(self) -> State:
        """The committed state after block ``height``; read it without awaiting in between."""
        ...

    @property
    def validators(self) -> ValidatorSet:
        """The validators of the next height."""
        ...

    def now_ms(self) -> int:
        """The node's wall clock, ms since the epoch."""
        ...

    def status(self) -> NodeStatus:
        """What the machine says of the node and the network now."""
        ...

    def read_block(self, height: int) -> bytes | None:
        """Return the encoded ``CommittedBlock`` of a height from the first to the tip, or None; from any thread."""
        ...

    def read_head(self, height: int) -> bytes | None:
        """Return the encoded ``Head`` of a height from 1 to the tip, pruned or not, or None. Safe from any thread."""
        ...

    def snapshot(self, height: int | None = None) -> Manifest | None:
        """Return the manifest of the newest snapshot, or of the one of ``height``; None if there is none."""
        ...

    def snapshot_item(self, height: int, item: int) -> bytes | None:
        """Return a chunk of the snapshot of ``height``, or its block; None if it is not here. Safe from any thread."""
        ...

    def recent_block(self, height: int) -> CommittedBlock | None:
        """Return a block that the node still holds in memory, parsed: at least the last 16 from the tip."""
        ...

    async def submit(
        self, transactions: Sequence[Transaction], sidecars: Mapping[bytes, bytes] = NO_SIDECARS
    ) -> list[Answer]:
        """Verify the signatures off the loop and offer the transactions to the machine; one answer for each, in order.

        The transactions are decoded, nothing else of them is checked yet; one with a bad signature is answered with
        ``Rejected("bad_signature", ...)``. Order is kept for each sender. Sending again is no error: see ``Admission``.
        ``sidecars`` are what came beside some of them, by their raw bytes.
        """
        ...

    async def sidecar(self, name: bytes, member: str) -> bytes | None:
        """Return a live sidecar if it is here and the member may read it, else None."""
        ...

    @property
    def is_crowded(self) -> bool:
        """Say whether clients' transactions take more than a quarter of the room for what waits."""
        ...

    async def preview(self, transaction: Transaction, *, signed: bool) -> tuple[int, Preview]:
        """Return what would come of a transaction in the next block, and at which block time (ms), recording nothing.

        One that is not ``signed`` is taken as signed by its sender. Raises ``Unavailable``.
        """
        ...

    def is_pending(self, tx_id: bytes) -> bool:
        """Say whether the mempool holds the transaction."""
        ...

    def locate_recent(self, tx_id: bytes) -> Location | None:
        """Return where a transaction was committed if it was so lately (all that the index may not have yet)."""
        ...

    async def wait_committed(self, tx_id: bytes, timeout_s: float) -> Location | Rejected | None:
        """Return where the transaction is committed as soon as it is; None after ``timeout_s``.

        A refusal says that the node has dropped it (expired, or invalid by now) and that it will not be committed.
        """
        ...

    async def wait_height(self, height: int, timeout_s: float) -> bool:
        """Wait until ``height`` is reached; False after ``timeout_s``."""
        ...

    async def consistent(self, timeout_s: float) -> int:
        """Return a height that this node has reached and that covers everything committed before the call.

        It asks q validators, itself included if it is one, for their tip after the call came in, and waits until
        its own tip is at least the highest certified one. Raises ``Unavailable`` without q answers in time.
        """
        ...

    async def engine_shows(self, method: str, params: Mapping[str, str], number: int) -> Any:
        """Return CometBFT's answer to a call of its RPC, None under another engine; raise ``Unavailable``."""
        ...
