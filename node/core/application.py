"""The ledger as consensus sees it: blocks are filled from the mempool and executed by the contracts.

Law: a block is executed once per node, whether to build it, to vote for it or to commit it.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from coseal.consensus.application import CannotGoOn, Draft, Executed, Invalid
from coseal.contracts.execution import Executor, Outcome, UnknownProtocol
from coseal.contracts.kernel.action import Rejected
from coseal.contracts.kernel.budget import fits
from coseal.contracts.kernel.sidecars import BLOCK_SIDECARS_BYTES_MAX
from coseal.contracts.kernel.wording import moment_text
from coseal.ledger import merkle
from coseal.ledger.block import HEADER_VERSION, MAX_BLOCK_BYTES, Block, Header, last_commit_hash
from coseal.ledger.certificates import Certificate
from coseal.ledger.genesis import Genesis
from coseal.ledger.transaction import Transaction
from coseal.node.core.block_sizing import BlockSizing
from coseal.node.core.held_sidecars import HeldSidecars, none_held
from coseal.node.core.mempool import Mempool

# Header, list heads and the framing of the block itself; the parent's certificate is counted by its own size.
_BLOCK_RESERVE_BYTES: Final = 4 * 1024
_TRANSACTION_OVERHEAD_BYTES: Final = 5
_EXECUTED_MAX: Final = 4


class LedgerApplication:
    """Implements ``consensus.application.Application`` over an ``Executor`` and a ``Mempool``."""

    def __init__(
        self, genesis: Genesis, executor: Executor, mempool: Mempool, sidecars: HeldSidecars | None = None
    ) -> None:
        """``sidecars`` are those that this node holds, None on a chain that has none."""
        self._sidecars = none_held() if sidecars is None else sidecars
        self._genesis = genesis
        self._executor = executor
        self._mempool = mempool
        self._sizing = BlockSizing(genesis.parameters.round_timeout_ms)
        self.untimed_blocks = self.untimed_steps = 0  # executed since ``took``
        self._executed: OrderedDict[bytes, Executed] = OrderedDict()
        self._dropped: list[tuple[Transaction, Rejected]] = []

    def build(self, draft: Draft) -> Executed:
        """See ``Application``."""
        room_steps = self._sizing.room_steps
        try:
            chosen = self._select(draft)
            outcome = self._executor.run(draft.height, draft.time_ms, chosen, room_steps)
        except UnknownProtocol as error:
            raise CannotGoOn(str(error)) from None
        if outcome.beyond:
            self._mempool.tried(chosen[len(outcome.transactions)], outcome.beyond)
        named = (self._executor.names(transaction) for transaction in outcome.transactions)
        self._sidecars.write(one for one in named if one is not None)  # P1, N45
        raws = tuple(transaction.raw for transaction in outcome.transactions)
        header = Header(
            version=HEADER_VERSION,
            chain_id=self._genesis.chain_id,
            height=draft.height,
            parent_hash=draft.parent_hash,
            epoch=draft.epoch,
            validators_hash=draft.validators_hash,
            next_validators_hash=outcome.next_validators.hash,
            proposer=draft.proposer,
            created_round=draft.created_round,
            time_ms=draft.time_ms,
            tx_root=merkle.root(raws),
            tx_count=len(raws),
            receipts_root=outcome.receipts_root,
            state_root=outcome.state_root,
            last_commit_hash=last_commit_hash(draft.last_commit),
        )
        return self._keep(Block(header, raws, draft.last_commit), outcome)

    def execute(self, block: Block) -> Executed | Invalid:
        """See ``Application``."""
        known = self._executed.get(block.hash)
        if known is not None:
            return known
        try:
            outcome = self._executor.execute_block(block)
        except UnknownProtocol as error:
            raise CannotGoOn(str(error)) from None
        if isinstance(outcome, Rejected):
            return Invalid(f"{outcome.code}: {outcome.detail}", diverged=outcome.code == "diverged")
        return self._keep(block, outcome)

    def commit(self, executed: Executed, certificate: Certificate) -> None:
        """See ``Application``."""
        self.advance(executed)

    def advance(self, executed: Executed) -> None:
        """Make a decided block the state, and let go of what is in it."""
        outcome: Outcome = executed.result
        members = [self._executor.member_of(transaction.sender) for transaction in outcome.transactions]
        self._mempool.turns.executed(outcome.time_ms, zip(members, outcome.taken, strict=True))
        self._executor.commit(outcome)
        for tx_id in outcome.tx_ids:
            self._mempool.remove(tx_id)
        self._executed.clear()

    def has_sidecars(self, block: Block) -> bool:
        """See ``Application``; what waits in memory is written ahead of what the core says next (N45)."""
        named = self._executor.names_in(block)
        if not self._sidecars.has_all(named):
            return False
        self._sidecars.write(named)
        return True

    def has_work(self) -> bool:
        """See ``Application``."""
        return len(self._mempool) > 0

    def next_deadline_ms(self) -> int | None:
        """See ``Application``."""
        return self._executor.next_deadline_ms()

    def expire(self, time_ms: int) -> None:
        """Drop the pending transactions for which a block at ``time_ms`` comes too late (N15)."""
        for transaction in self._mempool.expire(time_ms):
            late = f"valid until {moment_text(transaction.valid_until_ms)}, and in no block by then; sign it again"
            self._dropped.append((transaction, Rejected("expired", late)))

    def recheck(self, time_ms: int, count: int) -> None:
        """Drop those of the ``count`` oldest pending transactions that no block at ``time_ms`` could hold."""
        checked = [(tx, self._executor.check(tx, time_ms)) for tx in self._mempool.oldest(count)]
        self._drop([(tx, rejected) for tx, rejected in checked if rejected is not None])

    def took(self, duration_ms: int) -> None:
        """Note how long it took to execute what was executed since the last call (N13)."""
        self._sizing.took(self.untimed_steps, duration_ms)
        self.untimed_blocks = self.untimed_steps = 0

    def take_dropped(self) -> list[tuple[Transaction, Rejected]]:
        """Return, once, the pending transactions that turned out to have no place in any block, and why."""
        dropped, self._dropped = self._dropped, []
        return dropped

    def _select(self, draft: Draft) -> list[Transaction]:
        """Take pending transactions in turn while they fit; one that may not be in a block is dropped (N13, N14).

        What one takes is known only when it is executed: here it counts for the least, or for what it took before.
        """
        parameters = self._genesis.parameters
        certificate_bytes = 0 if draft.last_commit is None else len(draft.last_commit.encode())
        room = min(parameters.block_bytes_max, MAX_BLOCK_BYTES) - _BLOCK_RESERVE_BYTES - certificate_bytes
        room_steps, used_steps = self._sizing.room_steps, 0
        sidecars_room = BLOCK_SIDECARS_BYTES_MAX
        chosen: list[Transaction] = []
        useless: list[tuple[Transaction, Rejected]] = []
        line = self._mempool.line()
        for transaction in line:
            size, steps = len(transaction.raw) + _TRANSACTION_OVERHEAD_BYTES, self._mempool.steps(transaction)
            named = self._executor.names(transaction)
            beside = 0 if named is None else named.size
            lacks = named is not None and not self._sidecars.has(named)  # N44
            if lacks or size > room or beside > sidecars_room or not fits(steps, used_steps, room_steps):
                line.leave()
                continue
            rejected = self._executor.check(transaction, draft.time_ms)
            if rejected is not None:
                useless.append((transaction, rejected))
                continue
            chosen.append(transaction)
            if len(chosen) == parameters.block_transactions_max:
                break
            room, used_steps = room - size, used_steps + steps
            sidecars_room -= beside  # N40
            line.take(steps)
        self._drop(useless)
        return chosen

    def _drop(self, useless: list[tuple[Transaction, Rejected]]) -> None:
        for transaction, _ in useless:
            self._mempool.remove(transaction.id)
        self._dropped += useless

    def _keep(self, block: Block, outcome: Outcome) -> Executed:
        executed = Executed(block, outcome.receipts, outcome.next_validators, outcome)
        self.untimed_blocks += 1
        self.untimed_steps += outcome.steps
        self._executed[block.hash] = executed
        while len(self._executed) > _EXECUTED_MAX:
            self._executed.popitem(last=False)
        return executed
