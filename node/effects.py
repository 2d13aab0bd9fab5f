"""Carries out what the machine says, on the parts of a running node.

Law: effects are carried out in their order, and what must follow a durable write waits for it (``storage.writer``).
Nothing here decides.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

import structlog

from coseal.ledger.errors import LedgerError
from coseal.node.core import packing, wire
from coseal.node.core.events import (
    AbciAnswer,
    Accused,
    AdoptSnapshot,
    Answered,
    Append,
    AppendBlock,
    ApplyState,
    AskCommit,
    BeginJoin,
    BroadcastFrame,
    ContractFault,
    Dropped,
    EraseSidecar,
    Halt,
    KeepHeads,
    KeepItem,
    KeepSidecar,
    ListSnapshots,
    LoadBlocks,
    LoadChunk,
    LoadHeads,
    LoadItem,
    LoadSidecars,
    LoadSnapshot,
    NodeEffect,
    Noticed,
    Offer,
    Pin,
    Published,
    ReadHeightKnown,
    ReplaceJournal,
    SendFrame,
    SignWith,
    StartTimer,
    StopTimer,
    Unpin,
)
from coseal.node.core.wire import ConsensusMessage, Sidecars, WireMessage
from coseal.node.parts import Parts
from coseal.node.storage.files import StorageError
from coseal.node.telemetry import reports

_log = structlog.get_logger("node")


class Process(Protocol):
    """What effects do to the process; called on the loop."""

    def halted(self, reason: str, *, needs_release: bool) -> None:
        """The machine stopped for good."""
        ...

    def snapshot_adopted(self, height: int) -> None:
        """Everything of a snapshot is on disk: end, to start again on it."""
        ...

    def lost_sidecar(self, name: bytes) -> None:
        """A sidecar that should be on disk is not, or is damaged."""
        ...

    def write_failed(self, error: Exception) -> None:
        """The disk refused or what it holds is damaged: end, and write nothing more."""
        ...


class Effects:
    """``perform`` is called on the loop, with each effect of a step in its order."""

    def __init__(self, parts: Parts, process: Process) -> None:
        self._parts, self._process = parts, process
        self._writer, self._links, self._tracer = parts.writer, parts.links, parts.tracer

    def perform(self, effect: NodeEffect) -> None:
        """Carry out one effect."""
        parts, writer = self._parts, self._writer
        match effect:
            case Append() | ReplaceJournal() | KeepSidecar():
                writer.write(effect)
            case AppendBlock(committed):
                parts.commits.decided(committed)
                writer.write(effect)
            case EraseSidecar():
                writer.after(lambda: writer.run(lambda: parts.storage.sidecars.erase(effect.name)))  # N51
            case LoadSidecars():
                writer.after(lambda: self._give(effect))
            case ApplyState():
                writer.apply(effect)
            case Published():
                writer.after(lambda: self._publish(effect))
            case SendFrame(peer, message):
                self._send(message, partial(self._links.send, peer, bulk=isinstance(message, Sidecars)))
            case BroadcastFrame(message):
                self._send(message, self._links.broadcast)
            case LoadBlocks():
                writer.after(lambda: self._answer(effect.peer, lambda: self._blocks(effect)))
            case LoadHeads() | LoadSnapshot() | LoadItem():
                writer.after(lambda: self._answer(effect.peer, lambda: parts.snapshot_service.answer(effect)))
            case BeginJoin() | KeepHeads() | KeepItem():
                writer.run(lambda: parts.snapshot_service.keep(effect))
            case AdoptSnapshot(height):
                writer.run(parts.storage.joining.complete, lambda: self._process.snapshot_adopted(height))
            case StartTimer(timer, delay_ms):
                parts.timers.start(timer, delay_ms)
            case StopTimer(kind):
                parts.timers.stop(kind)
            case Answered(answers):
                parts.metrics.commits.answered(answers)
            case Dropped(answers):
                for answer in answers:
                    parts.metrics.commits.dropped(answer.tx_id)
                    if answer.rejected is not None:
                        parts.commits.dropped(answer.tx_id, answer.rejected)
            case ReadHeightKnown(token, height):
                parts.reads.answered(token, height)
            case Accused():
                reports.keep_evidence(parts.storage.folder, effect)
            case Noticed(code, text, severe):
                (_log.error if severe else _log.warning)(code, text=text)
            case ContractFault(name, height, tx_id, error):
                _log.error("contract_fault", what=name, height=height, transaction=tx_id.hex(), exc_info=error)
            case Pin(node, certificate, address):  # registered, or its certificate is another now; perhaps this node
                _log.info("registered", peer=node)
                self._links.pin(node, certificate, endpoint(address))
            case Unpin(node):
                _log.info("unregistered", peer=node)
                self._links.unpin(node)
            case AbciAnswer():
                writer.after(lambda: self._links.carry_out(effect))  # N1
            case ListSnapshots() | LoadChunk():
                writer.after(lambda: self._show(effect))
            case AskCommit() | Offer() | SignWith():
                self._links.carry_out(effect)
            case Halt(reason, needs_release):
                self._process.halted(reason, needs_release=needs_release)

    def _send(self, message: WireMessage, send: Callable[..., None]) -> None:
        """Encode now, while the disk works; send when what the frame may promise is durable (N1)."""
        payload = wire.encode(message)
        self._parts.metrics.sent.count(message)
        if wire.promises_nothing(message):
            send(payload, consensus=False)
        else:
            self._writer.after(partial(send, payload, consensus=isinstance(message, ConsensusMessage)))
            if self._tracer is not None and isinstance(message, ConsensusMessage):
                self._writer.after(partial(self._tracer.left, message.message))

    def _publish(self, effect: Published) -> None:
        parts, outcome, header = self._parts, effect.outcome, effect.committed.block.header
        parts.commits.published(effect.committed, outcome.tx_ids)
        parts.index.feed(effect.committed, outcome.transactions, catching_up=parts.machine.catching_up)
        parts.metrics.commits.committed(outcome.tx_ids)
        parts.metrics.blocks.inc()
        parts.metrics.transactions.inc(header.tx_count)
        if self._tracer is not None:
            self._tracer.published(effect.committed)
        if outcome.members_changed:
            parts.renewal.look()
        _log.debug("committed", height=header.height, hash=effect.committed.block.hash, transactions=header.tx_count)

    def _give(self, effect: LoadSidecars) -> None:
        """Send a peer sidecars from the disk, one a frame; one that is damaged is told to the machine."""
        for name in effect.names:
            data = self._parts.storage.sidecars.read(name)
            if data is None:
                self._process.lost_sidecar(name)
            self._links.send(effect.peer, wire.encode(Sidecars(((name, data),))), consensus=False, bulk=True)

    def _blocks(self, effect: LoadBlocks) -> WireMessage:
        heights = range(effect.from_height, effect.from_height + effect.limit)
        blocks = (block for height in heights if (block := self._parts.read_block(height)) is not None)
        return packing.pack_blocks(effect.from_height, blocks)

    def _show(self, effect: ListSnapshots | LoadChunk) -> None:
        """Answer CometBFT with what is read from the disk for a peer."""
        try:
            answer = self._parts.snapshot_service.shown(effect)
        except (StorageError, LedgerError) as error:
            self._process.write_failed(error)
            return
        self._links.carry_out(answer)

    def _answer(self, peer: str, make: Callable[[], WireMessage]) -> None:
        """Send a peer what is read from the disk for it."""
        try:
            payload = wire.encode(make())
        except (StorageError, LedgerError) as error:
            self._process.write_failed(error)
            return
        self._links.send(peer, payload, consensus=False)


def endpoint(address: str | None) -> tuple[str, int] | None:
    """Parse the ``HOST:PORT`` that a node registered; the contract has checked its form."""
    host, _, port = (address or "").rpartition(":")
    return (host.strip("[]"), int(port)) if host else None
