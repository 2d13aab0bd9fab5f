"""The blocks held at one height, what executing them came to, and which are durable.

Law: a block is executed before anything is said for it; at most ``BODIES_MAX`` bodies are held (B6).
"""

from __future__ import annotations

from collections.abc import Container
from typing import Final

from coseal.consensus.application import Draft, Executed, Invalid
from coseal.consensus.context import Context, Fault
from coseal.consensus.events import BodyRecord, Record
from coseal.consensus.rules import Tip, link_fault
from coseal.ledger.block import Block
from coseal.ledger.validators import ValidatorSet

BODIES_MAX: Final = 8


class Bodies:
    """Blocks of the height after ``tip`` by hash."""

    def __init__(self, context: Context, tip: Tip, validators: ValidatorSet) -> None:
        self._context = context
        self._tip = tip
        self._validators = validators
        self._blocks: dict[bytes, Block] = {}
        self._executed: dict[bytes, Executed] = {}
        self._stored: dict[bytes, None] = {}

    def get(self, block_hash: bytes) -> Block | None:
        """Return a body, if it is held."""
        return self._blocks.get(block_hash)

    def all(self) -> list[Block]:
        """Return every body, oldest first."""
        return list(self._blocks.values())

    def keep(self, block: Block, *, stored: bool = False) -> None:
        """Hold a body; ``stored`` says that it is durable already."""
        self._blocks.setdefault(block.hash, block)
        if stored:
            self._stored[block.hash] = None

    def build(self, round: int) -> Executed:
        """Have the application make a block on the tip, and hold it."""
        tip = self._tip
        draft = Draft(
            height=tip.height + 1,
            parent_hash=tip.hash,
            epoch=self._validators.epoch,
            validators_hash=self._validators.hash,
            proposer=self._context.config.node_id,
            created_round=round,
            time_ms=max(self._context.now_ms, tip.time_ms + 1),
            last_commit=tip.certificate,
        )
        executed = self._context.application.build(draft)
        self.keep(executed.block)
        self._executed[executed.block.hash] = executed
        return executed

    def execute(self, block: Block, *, certified: bool) -> Executed | None:
        """Return what ``block`` comes to, None if it is invalid; ``Fault`` if a quorum certified it and it is.

        The headers of a fresh block were checked before; those of a certified one are checked here, without time.
        """
        held = self._executed.get(block.hash)
        if held is not None:
            return held
        fault = link_fault(block, self._tip, self._validators, self._context.config) if certified else None
        outcome = self._context.application.execute(block) if fault is None else Invalid(fault)
        if isinstance(outcome, Executed) and outcome.next_validators.hash != block.header.next_validators_hash:
            outcome = Invalid("next_validators_hash is not the one of our execution", diverged=True)
        if isinstance(outcome, Executed):
            self._executed[block.hash] = outcome
            return outcome
        if certified:
            place = f"block {block.hash.hex()} of height {block.header.height}"
            raise Fault(f"a quorum certified {place}, and here it is invalid: {outcome.reason}")
        return None

    def unstored(self, block: Block) -> list[Record]:
        """Return the record that makes ``block`` durable, once (P1)."""
        if block.hash in self._stored:
            return []
        self._stored[block.hash] = None
        return [BodyRecord(block.header.height, block)]

    def prune(self, needed: Container[bytes]) -> None:
        """Forget the oldest bodies beyond ``BODIES_MAX`` that are not ``needed`` (B6)."""
        for block_hash in [held for held in self._blocks if held not in needed]:
            if len(self._blocks) <= BODIES_MAX:
                break
            del self._blocks[block_hash]
            self._executed.pop(block_hash, None)
            self._stored.pop(block_hash, None)
