"""Replay: computing every outcome again from the genesis, with the contracts the nodes run.

Law: a block counts as replayed only if its receipts, its state root and its next validators come out the same, and
if the wallets after it have together what was issued and not redeemed.
"""

from __future__ import annotations

from collections.abc import Mapping

from coseal.audit.money import Money
from coseal.contracts.execution import Executor, Outcome, UnknownProtocol, decode_and_verify
from coseal.contracts.genesis_state import new_state
from coseal.contracts.installed import installed
from coseal.contracts.kernel.action import Reader, Rejected
from coseal.contracts.kernel.overlay import Broken
from coseal.ledger.block import Block
from coseal.ledger.errors import LedgerError
from coseal.ledger.genesis import Genesis
from coseal.ledger.state import MemoryStore, StateProof
from coseal.ledger.transaction import Transaction
from coseal.ledger.validators import ValidatorSet


class BadReplay(LedgerError):
    """A certified block is invalid, or its outcome is not what the validators certified."""


class CannotReplay(LedgerError):
    """This software does not have the rules of the block."""


class Replay:
    """A state in memory at block ``height``, from genesis on; ``root`` is its state root, ``money`` all wallets."""

    def __init__(self, genesis: Genesis) -> None:
        self._genesis = genesis
        self._store = MemoryStore(genesis.parameters.state_bits)
        self._state = new_state(genesis, self._store)
        self._verified: Mapping[bytes, Transaction] = {}
        self._known: Executor | None = None
        self.money = Money()

    @property
    def height(self) -> int:
        """The last replayed height."""
        return 0 if self._known is None else self._known.height

    @property
    def root(self) -> bytes:
        """The state root after it."""
        return self._state.root

    @property
    def reader(self) -> Reader:
        """The state by key text, for queries of the contracts."""
        return self._executor.reader

    @property
    def _executor(self) -> Executor:
        """What executes blocks, made for the first of them: contracts that the genesis admits may be lacking."""
        if self._known is None:
            try:
                self._known = Executor(self._genesis, self._state, self._admit, others=installed().contracts)
            except UnknownProtocol as error:
                raise CannotReplay(str(error)) from None
        return self._known

    def apply(self, block: Block, verified: Mapping[bytes, Transaction]) -> None:
        """Execute the block after ``height``; ``verified`` are transactions whose signature was checked already.

        Raises ``BadReplay`` or ``CannotReplay``, and then stays where it was.
        """
        self._verified = verified
        outcome = self._execute(block)
        fault = self.money.fault() if self.money.take(outcome.change.entries.values()) else None
        if fault is not None:  # A25
            raise BadReplay(f"money is not conserved: {fault}")
        self._executor.commit(outcome)
        self._store.write(outcome.change.entries)
        self._executor.state.flushed(outcome.change)

    def prove(self, key: bytes) -> tuple[bytes | None, StateProof]:
        """Return the value of a key, None if it is absent, and its proof against ``root``."""
        return self._state.prove(key)

    def validators_after(self, block: Block) -> ValidatorSet:
        """Return the validators that ``block``, the one after ``height``, announces, by executing it."""
        self._verified = {}
        return self._execute(block).next_validators

    def _execute(self, block: Block) -> Outcome:
        try:
            outcome = self._executor.execute_block(block)
        except UnknownProtocol as error:
            raise CannotReplay(str(error)) from None
        except Broken as error:
            raise BadReplay(f"what a contract promises does not hold: {error}") from None
        if isinstance(outcome, Rejected):
            raise BadReplay(f"replay refuses what the validators certified: {outcome.code}, {outcome.detail}")
        return outcome

    def _admit(self, raw: bytes) -> Transaction:
        return self._verified.get(raw) or decode_and_verify(raw)
