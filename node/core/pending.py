"""What waits for a block at this node: clients' transactions, peers', and the node's own.

Law: a client's new transaction goes to all peers before it is ordered (N12), and whatever leaves the pool without a
block is reported with its reason (N14).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from coseal.consensus import events as core
from coseal.contracts.evidence import actions as evidence
from coseal.contracts.kernel.action import Rejected
from coseal.contracts.kernel.sidecars import Named
from coseal.ledger.equivocation import Equivocation
from coseal.ledger.signing import Signer
from coseal.ledger.transaction import Transaction
from coseal.node.core import events, packing
from coseal.node.core.admission import AdmissionControl
from coseal.node.core.apart import Apart
from coseal.node.core.application import LedgerApplication
from coseal.node.core.context import MachineContext
from coseal.node.core.declaration import Declaration
from coseal.node.core.events import Admission, Answer
from coseal.node.core.evidence import Reporter
from coseal.node.core.held_sidecars import HeldSidecars, none_held
from coseal.node.core.keyring import Keyring
from coseal.node.core.mempool import Mempool
from coseal.node.core.readiness import Readiness

RECHECK: Final = 256
_UNAVAILABLE: Final = Rejected("sidecar_unavailable", "nobody gave this node its sidecar within 30 s; send both again")


class Pending:
    """Looks after ``mempool``: what enters it, what of it is passed on, and what leaves it."""

    def __init__(
        self,
        context: MachineContext,
        mempool: Mempool,
        application: LedgerApplication,
        run: Callable[[core.Event], bool],
        sidecars: HeldSidecars | None = None,
    ) -> None:
        """``run`` gives the core an event; ``sidecars`` are those that this node holds, None where there are none."""
        config, executor, node_id = context.config, context.executor, context.config.node_id
        self._context, self._emit, self._application, self._run = context, context.emit, application, run
        self.apart = Apart()
        self._held = none_held() if sidecars is None else sidecars
        self._admission = AdmissionControl(context, mempool, self._held, self.apart)
        signers = [signer for signer in (config.signer, config.next_signer) if signer is not None]
        self._keyring = Keyring(executor, node_id, *signers) if signers else None
        self.reporter = Reporter(executor, mempool, node_id, self._keyring)
        self._own = (Declaration(executor, node_id, self._keyring), Readiness(executor, node_id, self._keyring))

    def submitted(self, transactions: tuple[Transaction, ...], sidecars: Sequence[bytes | None] = ()) -> None:
        """Take clients' transactions and pass the new ones on before they are ordered (N12, Fabric #4438)."""
        answers, fresh = self._admission.submit(transactions, sidecars)
        self._emit(events.Answered(answers))
        self._pass_on(fresh)

    def refused_for_room(self, transactions: Sequence[Transaction], now_ms: int) -> dict[bytes, Rejected]:
        """Say which of clients' transactions have no place now, before their signatures are verified (N9)."""
        return self._admission.refused_for_room(transactions, now_ms)

    def gossiped(self, raws: tuple[bytes, ...]) -> list[Named]:
        """Take a peer's transactions; return the sidecars that some lack, and wait apart for."""
        fresh, lacking = self._admission.gossiped(raws)
        if fresh:
            self._run(core.WorkArrived())
        return lacking

    def release(self) -> None:
        """Admit what waited for sidecars that are here now."""
        if len(self.apart) and self._admission.release():
            self._run(core.WorkArrived())

    def tick(self) -> None:
        """Once a second: let go of what no block may hold any more, and report what we can prove."""
        block_time_ms = self._admission.block_time_ms(self._context.now_ms)
        self._application.expire(block_time_ms)
        self._application.recheck(block_time_ms, RECHECK)
        late = self.apart.take_late(self._held.has, self._context.now_ms)
        if late:
            self._context.counters["sidecar_unavailable"] += len(late)
            refused = [Answer(waiting.transaction.id, Admission.REJECTED, _UNAVAILABLE) for waiting in late]
            self._emit(events.Dropped(tuple(refused)))
        self.release()
        for report in self.reporter.tick(block_time_ms):
            answers, fresh = self._admission.submit((report,))
            self.reporter.answered(report, answers[0])
            self._pass_on(fresh)

    def send_own(self, own: dict[str, Any] | None, *, settled: bool = True) -> None:
        """Send what the chain has to know of this node: what its software has (N36), that it is caught up (N31).

        ``own`` is its registry entry; the caller knows that it is caught up. ``settled``: no peer has a sidecar that it
        lacks (N49).
        """
        for source in self._own if settled else self._own[:1]:
            transaction = source.due(own, self._admission.block_time_ms(self._context.now_ms))
            if transaction is not None:
                self._pass_on(self._admission.submit((transaction,))[1])

    def gossip_again(self) -> None:
        """Send the oldest transactions again: perhaps this node alone knows them (N12)."""
        for frame in self._admission.gossip_again():
            self._emit(events.BroadcastFrame(frame))

    def report_dropped(self) -> None:
        """Say what will be in no block, and why."""
        dropped = self._application.take_dropped()
        if dropped:
            answers = tuple(Answer(tx.id, Admission.REJECTED, rejected) for tx, rejected in dropped)
            self._emit(events.Dropped(answers))

    def accuse(self, validator: str, proof: Equivocation, first: bytes, second: bytes) -> None:
        """Take a proof against a validator, to be reported (N34); ``first`` and ``second`` are what it signed."""
        self._context.count(f"accused_{validator}")
        self.reporter.accuse(validator, proof)
        self._emit(events.Accused(validator, first, second, evidence.arguments_of(validator, proof)))

    def take_key(self, signer: Signer) -> None:
        """Hold another key of the node, for when the state registers it."""
        if self._keyring is not None:
            self._keyring.take(signer)

    def _pass_on(self, fresh: list[bytes]) -> None:
        for frame in packing.pack_transactions(fresh):
            self._emit(events.BroadcastFrame(frame))
        if fresh:
            self._run(core.WorkArrived())
