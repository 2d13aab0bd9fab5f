"""The parts of a running node: made once by the runtime, shared by what carries out effects and answers clients."""

from __future__ import annotations

from dataclasses import dataclass

from coseal.ledger.head import Head
from coseal.node.commits import Commits
from coseal.node.consistent_reads import ConsistentReads
from coseal.node.engine import EngineMachine
from coseal.node.index.index import Index
from coseal.node.signing.renewal import Renewal
from coseal.node.storage.data_folder import Storage
from coseal.node.storage.snapshot_service import SnapshotService
from coseal.node.storage.writer import Writer
from coseal.node.telemetry.metrics import Metrics
from coseal.node.telemetry.tracing import Tracer
from coseal.node.timers import Timers
from coseal.node.transport.network import Network
from coseal.node.verifier.preview import Previews
from coseal.node.verifier.verifier import Verifier


@dataclass(frozen=True, slots=True)
class Parts:
    """``tracer`` is None if no spans of transactions are wanted."""

    machine: EngineMachine
    storage: Storage
    writer: Writer
    snapshot_service: SnapshotService
    commits: Commits
    index: Index
    reads: ConsistentReads
    verifier: Verifier
    previews: Previews
    links: Network
    timers: Timers
    renewal: Renewal
    metrics: Metrics
    tracer: Tracer | None

    def read_block(self, height: int) -> bytes | None:
        """Return an encoded block, a recent one from memory; None if it is not here. Raises ``StorageError``."""
        recent = self.commits.block(height)
        return self.storage.read_block(height) if recent is None else recent.encode()

    def read_head(self, height: int) -> bytes | None:
        """Return an encoded head, as ``read_block``."""
        recent = self.commits.block(height)
        return self.storage.read_head(height) if recent is None else Head.of(recent).encode()
