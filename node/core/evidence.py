"""What this node does about a validator that contradicted itself: it reports the proof to the chain, once.

Law: a report is sent when nobody else's is on the chain or on its way, and never again once the chain would refuse it;
so what a restart or a repetition brings up again costs nothing. What waits is bounded.

The validators take turns: the one after the accused reports at once, the next two seconds later if nothing is known of
it yet, and so on. So most proofs are reported once, though every validator may hold them.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from coseal.consensus.messages import Message, subject
from coseal.contracts.evidence import actions as evidence
from coseal.contracts.execution import Executor
from coseal.contracts.membership import actions as membership
from coseal.ledger import codec, transaction
from coseal.ledger.equivocation import Equivocation, Signed
from coseal.ledger.signing import CannotSign, Signer
from coseal.ledger.transaction import Transaction
from coseal.node.core.events import Admission, Answer
from coseal.node.core.mempool import Mempool

# N35: proofs that wait, ticks between two turns, reports of one proof.
PENDING_MAX: Final = 64
TURN_TICKS: Final = 2
SENDS_MAX: Final = 3


def proof_of(first: Message, second: Message) -> Equivocation:
    """Return what two contradicting messages prove."""
    phase, hash = subject(first)
    _, other = subject(second)
    one, two = Signed(hash, first.signature), Signed(other, second.signature)
    return Equivocation.of(first.epoch, first.height, first.round, phase, one, two)


@dataclass(slots=True)
class _Pending:
    """A proof to be reported after ``wait`` ticks; ``sends`` counts how often the pool took a report of it."""

    args: dict[str, Any]
    wait: int
    sends: int = 0


class Reporter:
    """Holds what this node has to report. ``signer`` None: it has no key to say anything with."""

    def __init__(self, executor: Executor, mempool: Mempool, node_id: str, signer: Signer | None) -> None:
        self._executor, self._mempool = executor, mempool
        self._node_id, self._signer = node_id, signer
        self._pending: dict[tuple[str, int, int, str], _Pending] = {}

    def __len__(self) -> int:
        return len(self._pending)

    def accuse(self, validator: str, proof: Equivocation) -> None:
        """Take a proof; when there are too many of them already, what is held is enough."""
        args = evidence.arguments_of(validator, proof)
        place = (args["validator"], args["height"], args["round"], args["phase"])
        if self._signer is not None and place not in self._pending and len(self._pending) < PENDING_MAX:
            self._pending[place] = _Pending(args, self._turn(validator) * TURN_TICKS)

    def tick(self, block_time_ms: int) -> list[Transaction]:
        """Return the reports to send now, and forget what the chain would refuse (it is on record, mostly).

        Called once a second; ``block_time_ms`` is the least time of a block made now.
        """
        reports = []
        for place, pending in list(self._pending.items()):
            if pending.sends >= SENDS_MAX or self._is_refused(pending.args):  # N35
                del self._pending[place]
            elif not self._may_report():
                continue  # another key of it is registered: once that one is held (N34)
            elif pending.wait > 0:
                pending.wait -= 1
            elif not self._is_on_its_way(pending.args):
                try:
                    reports.append(self._sign(pending.args, block_time_ms))
                except CannotSign:  # its signer is away: later
                    continue
        return reports

    def answered(self, report: Transaction, answer: Answer) -> None:
        """Learn whether the pool took a report of ``tick``; if not, it is made again."""
        for pending in self._pending.values():
            if pending.args == report.args and answer.admission is not Admission.REJECTED:
                pending.sends += 1

    def _may_report(self) -> bool:
        """Say whether the chain would take a report of this node: it has a key, which is the registered one."""
        sender = transaction.node_sender(self._node_id)
        key = membership.sender_key(self._executor.reader, sender)
        return self._signer is not None and key == self._signer.public_key

    def _turn(self, accused: str) -> int:
        """Return how many go before this node (N35): those between the accused and it, all if it does not vote."""
        validators = self._executor.validators
        mine, theirs = validators.index(self._node_id), validators.index(accused)
        return validators.n if mine is None or theirs is None else (mine - theirs - 1) % validators.n

    def _is_refused(self, args: dict[str, Any]) -> bool:
        """Say whether the next block would refuse it. The core has verified both signatures, outer ones and inner."""
        executor = self._executor
        chain_id, height = executor.chain_id, executor.height + 1
        refused = evidence.refusal(executor.reader, args, chain_id=chain_id, height=height, verify=lambda *_: True)
        return refused is not None

    def _is_on_its_way(self, args: dict[str, Any]) -> bool:
        return any(
            waiting.contract == "evidence" and waiting.action == "report" and waiting.args == args
            for waiting in self._mempool
        )

    def _sign(self, args: dict[str, Any], block_time_ms: int) -> Transaction:
        if self._signer is None:
            raise ValueError("a node without a key reports nothing")
        executor = self._executor
        return transaction.sign(
            self._signer,
            chain_id=executor.chain_id,
            sender=transaction.node_sender(self._node_id),
            contract="evidence",
            action="report",
            args=args,
            valid_until_ms=block_time_ms + executor.parameters.validity_ms_max // 2,
            salt=sha256(codec.encode(args)).digest()[: transaction.SALT_BYTES],
        )
