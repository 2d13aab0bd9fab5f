"""The running node: carries events to the machine and effects from it, and decides nothing itself.

Law: effects are carried out in their order, and what must follow a durable write waits for it (``node.writer``).
Everything here runs on one event loop; threads only write files, fill the index and look up names, and another process
checks signatures.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import ssl
import time
from collections.abc import Sequence
from typing import Any, Final

import structlog

from coseal.consensus.events import ExecutionTook
from coseal.consensus.messages import Proposal
from coseal.ledger.native import Core
from coseal.ledger.transaction import Transaction
from coseal.node.comet.engine import CometEngine
from coseal.node.comet.files import Home
from coseal.node.commits import Commits, recent_blocks
from coseal.node.config import NodeConfig
from coseal.node.consistent_reads import ConsistentReads
from coseal.node.core.events import (
    Answer,
    Answered,
    Applied,
    BlocksPruned,
    FrameReceived,
    NodeEffect,
    NodeEvent,
    NodeTimer,
    OperatorAllowsVoting,
    PeerConnected,
    PeerDisconnected,
    Pin,
    ReadRequested,
    SidecarLost,
    SignerChanged,
    Start,
    Submitted,
    TickKind,
    TimerFired,
)
from coseal.node.core.verified_cache import VerifiedCache
from coseal.node.core.wire import ConsensusMessage, WireMessage
from coseal.node.effects import Effects, endpoint
from coseal.node.engine import EngineMachine
from coseal.node.exits import Exit
from coseal.node.http.app import create_app
from coseal.node.http.auth import Token
from coseal.node.http.context import Settings
from coseal.node.http.gatekeeper import Gatekeeper
from coseal.node.http.server import HttpServer
from coseal.node.http.services import Gateway
from coseal.node.index.index import Index
from coseal.node.parts import Parts
from coseal.node.services import NodeServices
from coseal.node.signing.keys import load_certificate
from coseal.node.signing.remote_signer import RemoteSigner
from coseal.node.signing.renewal import Renewal
from coseal.node.storage.data_folder import STATE_FOLDER, Storage
from coseal.node.storage.files import StorageError
from coseal.node.storage.snapshot_service import SnapshotService
from coseal.node.storage.writer import Writer
from coseal.node.telemetry import reports
from coseal.node.telemetry.metrics import Metrics
from coseal.node.telemetry.progress import Progress
from coseal.node.telemetry.tracing import Tracer
from coseal.node.timers import Timers
from coseal.node.transport.inbox import Inbox
from coseal.node.transport.links import Identity, Links, PortInUse
from coseal.node.transport.network import Network
from coseal.node.verifier.preview import Previews
from coseal.node.verifier.verifier import Verifier

_log = structlog.get_logger("node")
PROGRESS_SECONDS: Final = 10.0
WRITER_PAUSE_MS: Final = 20


class Runtime:
    """One node from start to end: ``run`` returns its exit status."""

    def __init__(
        self,
        *,
        config: NodeConfig,
        storage: Storage,
        machine: EngineMachine,
        core: Core,
        verified: VerifiedCache,
        identity: Identity,
        tokens: tuple[Token, ...] = (),
        gateway: Gateway | None = None,
        allow_voting: bool = False,
        signer: RemoteSigner | None = None,
        http_tls: ssl.SSLContext | None = None,
        tracer: Tracer | None = None,
        comet: Home | CometEngine | None = None,
    ) -> None:
        """``comet``: where CometBFT lives that orders the blocks of ``machine``, if that is not its own work; or it,
        if it runs already and waits for the state of the snapshot that it joined by.

        ``allow_voting``: the operator vouches that a lost journal hides no vote. ``signer``: the process with our
        consensus key, if it is not in this one. ``http_tls``: what HTTP shows, if it uses TLS. ``tracer``: if spans
        of transactions are wanted.
        """
        self._config, self._storage, self._machine, self._core = config, storage, machine, core
        self._now_ms = config.fault_injection.now_ms
        self.joined = 0  # the height of the snapshot from which the node must be built again
        self._allow_voting = allow_voting
        self._signer, self._http_tls, self._tracer = signer, http_tls, tracer
        self._metrics = Metrics(lambda: machine.status(self._now_ms()))
        self._verifier = Verifier(verified, config.verifier_processes, self.fault, core)
        self._writer = Writer(storage, self, config.fault_injection)
        self._timers = Timers(self._timer_fired)
        self._inbox = Inbox(self._verifier, verified, self._is_wanted, self)
        pinned = {pin.node: pin.certificate for pin in machine.pins}
        self._links: Network
        self.engine: CometEngine | None = None
        if comet is None:
            self._links = Links(identity, pinned, self, self._inbox.receive)
        elif isinstance(comet, Home):
            self._links = self.engine = CometEngine(comet, load_certificate(identity.certificate), self)
        else:
            self._links = self.engine = comet
            comet.serve(self)
        commits = Commits(storage.tip_height)
        commits.preload(recent_blocks(storage))
        index = Index(
            storage.folder / "index.sqlite",
            storage.genesis.chain_id,
            storage.read_block,
            machine.executor.others,
            storage.genesis.contracts,
            on_demand=config.index == "on_demand",
        )
        self._parts = Parts(
            machine=machine,
            storage=storage,
            writer=self._writer,
            snapshot_service=SnapshotService(storage),
            commits=commits,
            index=index,
            reads=ConsistentReads(commits, lambda token: self._step(ReadRequested(token))),
            verifier=self._verifier,
            previews=Previews(storage.folder / STATE_FOLDER, config.genesis),
            links=self._links,
            timers=self._timers,
            renewal=Renewal(config, machine, self._links, self._step),
            metrics=self._metrics,
            tracer=tracer,
        )
        self._metrics.observe(
            verified=lambda: self._verifier.checked,
            dropped=lambda: self._links.dropped,
            unapplied=lambda: self._writer.unapplied,
            indexed=lambda: storage.tip_height if index.resting else index.height,
            left_out=lambda: index.left_out,
            free_bytes=lambda: shutil.disk_usage(storage.folder).free,
        )
        self._effects = Effects(self._parts, self)
        self.services = NodeServices(self._parts, core=core, gateway=gateway, now_ms=self._now_ms, offer=self._offer)
        self._tokens = tokens
        self._gatekeeper: Gatekeeper | None = None
        self._http: HttpServer | None = None
        self._ended: asyncio.Future[Exit] | None = None
        self._failed = False
        self._progress = Progress(storage.tip_height)

    # Life

    async def run(self) -> Exit:
        """Run until a signal, a halt or a fault; return how it ended."""
        loop = asyncio.get_running_loop()
        self._ended = loop.create_future()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end, Exit.STOPPED)
        loop.set_exception_handler(_log_exception)
        try:
            self._parts.index.start(self._storage.tip_height, self._storage.first_height)
            await self._verifier.start()
            await self._start_http()
            registered = {pin.node: where for pin in self._machine.pins if (where := endpoint(pin.address)) is not None}
            await self._links.start(self._config.link_listen, {**registered, **self._config.peers})
        except PortInUse as error:
            _log.error("port_in_use", reason=error.reason)
            await self._close(Exit.PORT)
            return Exit.PORT
        except StorageError as error:
            _log.error("cannot_start", reason=error.reason, status=int(Exit.STORAGE))
            await self._close(Exit.STORAGE)
            return Exit.STORAGE
        progress = loop.create_task(self._report_progress())
        chain_id = self._storage.genesis.chain_id.hex()
        _log.info("started", height=self._storage.tip_height, chain=chain_id, core=self._core.name)
        self._step(Start())
        if self._allow_voting:
            self._step(OperatorAllowsVoting())
        if self._signer is not None:
            self._signer.start(
                lambda trouble: loop.call_soon_threadsafe(self._signer_changed, trouble),
                lambda reason: loop.call_soon_threadsafe(self._signer_refused, reason),
            )
        ended = await self._ended
        progress.cancel()
        await self._close(ended)
        return ended

    def _end(self, how: Exit) -> None:
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(how)

    async def _start_http(self) -> None:
        config = self._config
        if config.http_listen is None:
            return
        settings = Settings(config.http_limits, self._tokens, self._storage.folder / "idempotency.sqlite")
        self._gatekeeper = create_app(self.services, settings)
        server = HttpServer(self._gatekeeper, *config.http_listen, config.http_limits, tls=self._http_tls)
        host, port = config.http_listen
        try:
            await server.start()
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else str(error)
            raise PortInUse(
                f"cannot serve HTTP on {host}:{port}: {why}; change http_listen or stop what uses the port"
            ) from None
        self._http = server

    async def _close(self, how: Exit) -> None:
        """Stop taking in, write what is queued, close what is open; after a disk error nothing more is written."""
        self._timers.stop_all()
        if self._signer is not None:
            self._signer.close()
        if self._http is not None:
            await self._http.stop()
        self._inbox.close()
        if self.engine is None or not self.joined:
            await self._links.close()
        await self._writer.close()
        await self._parts.snapshot_service.close()
        await self._verifier.close()
        await self._parts.previews.close()
        if self._gatekeeper is not None:
            self._gatekeeper.close()
        self._parts.index.stop()
        if self._tracer is not None:
            await asyncio.to_thread(self._tracer.close)
        if how is not Exit.STORAGE:
            self._storage.close()
        _log.info("stopped", status=int(how), height=self._parts.commits.durable_height)

    # The machine

    def _step(self, event: NodeEvent) -> Sequence[NodeEffect]:
        """Give one event to the machine, carry out what it answers and return that; a fault ends the process.

        After a fault it is given nothing more, for what it holds may be half of a change, while the node closes.
        How long blocks take to execute, timeouts (T1) and the next block's size (N13) should know.
        """
        if self._failed:
            return ()
        try:
            started_ns = 0 if self._tracer is None else self._tracer.now_ns()
            started = time.perf_counter()
            effects = self._machine.step(event, self._now_ms())
            seconds = time.perf_counter() - started
            if self._tracer is not None:
                self._tracer.stepped(event, effects, started_ns)
            for effect in effects:
                self._effects.perform(effect)
            if self._machine.has_executed and not isinstance(event, ExecutionTook):
                self._step(ExecutionTook(round(seconds * 1000)))
            return effects
        except Exception as error:
            self.fault(error)
            return ()

    def fault(self, error: Exception) -> None:
        """Something nobody thought of: say it, leave a dump, end; a restart goes on from what is durable."""
        self._failed = True
        _log.error("fault", exc_info=error)
        self._dump(f"{type(error).__name__}: {error}")
        self._timers.stop_all()
        self._end(Exit.BUG)

    def _offer(self, transactions: tuple[Transaction, ...], sidecars: tuple[bytes | None, ...]) -> tuple[Answer, ...]:
        """Give clients' transactions to the machine; it answers within the step, and nothing once the node ends."""
        if self._ended is not None and self._ended.done():
            return ()
        effects = self._step(Submitted(transactions, sidecars))
        return next((effect.answers for effect in effects if isinstance(effect, Answered)), ())

    def _is_wanted(self, transaction: Transaction) -> bool:
        """Whether gossip holds something new, as far as cheap checks tell (the machine judges again)."""
        executor = self._machine.executor
        return (
            transaction.id not in self._machine.mempool
            and self._machine.mempool.refusal(transaction) is None
            and executor.check(transaction, max(self._now_ms(), executor.time_ms + 1)) is None
        )

    def _timer_fired(self, timer: NodeTimer) -> None:
        if timer.kind is TickKind.CATCH_UP and self._writer.behind:
            self._timers.start(timer, WRITER_PAUSE_MS)  # fetched blocks wait for the disk
            return
        self._step(TimerFired(timer))

    # CometBFT (see ``comet.engine.Answering``)

    @property
    def pins(self) -> Sequence[Pin]:
        """All registered nodes."""
        return self._machine.pins

    @property
    def height(self) -> int:
        """The height of the state."""
        return self._machine.executor.height

    def give(self, event: NodeEvent) -> None:
        """Give the machine an event."""
        self._step(event)

    # Links (see ``links.Receiver``) and frames (see ``inbox.Destination``)

    def peer_connected(self, peer: str) -> None:
        """A link is up."""
        _log.info("peer_connected", peer=peer)
        self._step(PeerConnected(peer))

    def peer_disconnected(self, peer: str, reason: str) -> None:
        """A link is gone."""
        _log.info("peer_disconnected", peer=peer, reason=reason)
        self._inbox.forget(peer)
        self._step(PeerDisconnected(peer))

    def link_refused(self, address: str, reason: str) -> None:
        """A connection did not become a link: say so now and then, count always."""
        self._metrics.refused.inc()
        if self._progress.is_news(address):
            _log.info("link_refused", address=address, reason=reason)

    def frame_ready(self, peer: str, message: WireMessage) -> None:
        """A decoded frame is ready for the machine."""
        self._metrics.received.count(message)
        started = time.perf_counter()
        self._step(FrameReceived(peer, message))
        if isinstance(message, ConsensusMessage) and isinstance(message.message, Proposal):
            self._metrics.proposals.observe(time.perf_counter() - started)

    def frame_malformed(self, peer: str, reason: str) -> None:
        """A proven peer sent what this software never sends: close, it may come back."""
        self._metrics.malformed.labels(peer).inc()
        self._links.disconnect(peer, f"a malformed frame: {reason}")

    def pause(self, peer: str) -> None:
        """See ``inbox.Destination``."""
        self._links.pause(peer)

    def resume(self, peer: str) -> None:
        """See ``inbox.Destination``."""
        self._links.resume(peer)

    # Storage (see ``writer.Observer``)

    def applied(self, height: int) -> None:
        """The state database has a block."""
        self._step(Applied(height))
        if self._storage.first_height != self._machine.first_height:
            _log.info("pruned", first_height=self._storage.first_height)
            self._step(BlocksPruned(self._storage.first_height))
        self._parts.snapshot_service.make_if_pinned()

    def synced(self, writes: int, seconds: float) -> None:
        """A batch is durable."""
        self._metrics.writes.inc(writes)
        self._metrics.syncs.observe(seconds)

    def write_failed(self, error: Exception) -> None:
        """The disk refused or lied: end, and write nothing more."""
        if isinstance(error, StorageError):
            _log.error("storage_failed", reason=error.reason)
        else:
            _log.error("storage_failed", exc_info=error)
        self._timers.stop_all()
        self._end(Exit.STORAGE)

    # The signer process (see ``remote_signer``)

    def _signer_changed(self, trouble: str | None) -> None:
        if trouble is None:
            _log.info("signer_connected")
        else:
            _log.warning("signer_away", reason=trouble)
        self._step(SignerChanged(trouble))

    def _signer_refused(self, reason: str) -> None:
        if self._progress.is_news("signer"):
            _log.warning("signer_refused", reason=reason)

    # What ends the process (see ``effects.Process``)

    def halted(self, reason: str, *, needs_release: bool) -> None:
        """The machine stopped for good."""
        _log.error("halted", reason=reason)
        self._dump(reason)
        self._end(Exit.RELEASE if needs_release else Exit.HALTED)

    def snapshot_adopted(self, height: int) -> None:
        """Everything of a snapshot is on disk: end, to start again on it."""
        self.joined = height
        if self.engine is not None:
            self.engine.hold()
        self._end(Exit.STOPPED)

    def lost_sidecar(self, name: bytes) -> None:
        """A sidecar that should be on disk is not, or is damaged: ask peers for it."""
        _log.error("sidecar_lost", name=name.hex())
        asyncio.get_running_loop().call_soon(self._step, SidecarLost(name))

    # For people

    async def _report_progress(self) -> None:
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            self._parts.renewal.look()
            self._progress.report(self._machine.status(self._now_ms()))

    def _dump(self, reason: str) -> None:
        reports.dump(self._storage.folder, reason, self._machine.status(self._now_ms()))


def _log_exception(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    _log.error("loop", text=str(context.get("message")), exc_info=context.get("exception"))
