"""What consensus asks of the application it orders blocks for, shaped after ABCI 2.0.

Law: the core sees blocks and roots, never a contract; another application, or another engine, would fit here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from coseal.ledger.block import Block
from coseal.ledger.certificates import Certificate
from coseal.ledger.validators import ValidatorSet


@dataclass(frozen=True, slots=True)
class Draft:
    """The header fields that consensus decides before the application fills a block."""

    height: int
    parent_hash: bytes
    epoch: int
    validators_hash: bytes
    proposer: str
    created_round: int
    time_ms: int
    last_commit: Certificate | None


@dataclass(frozen=True, slots=True)
class Executed:
    """A block with everything that its execution yields, ready to be committed.

    ``receipts`` are encoded, ``begin_block``'s first. ``next_validators`` is the set of the next height.
    ``result`` is the application's own (state change and so on); consensus passes it back to ``commit``.
    """

    block: Block
    receipts: tuple[bytes, ...]
    next_validators: ValidatorSet
    result: Any


@dataclass(frozen=True, slots=True)
class Invalid:
    """Why a block may not be voted for. ``diverged``: its body is valid but our execution gives other roots."""

    reason: str
    diverged: bool = False


class CannotGoOn(Exception):
    """The application cannot execute the next block, whatever it is: the process must stop, and says why."""


class Application(Protocol):
    """Synchronous and deterministic; blocks are executed before they are voted on.

    ``build`` and ``execute`` may raise ``CannotGoOn``.
    """

    def build(self, draft: Draft) -> Executed:
        """Choose pending transactions, execute them on the committed state and return the finished block."""
        ...

    def execute(self, block: Block) -> Executed | Invalid:
        """Check the body of ``block`` on the committed state, execute it, and compare every root of the header.

        Consensus has checked the fields of ``Draft``; everything else in the header is checked here. Changes
        nothing. Executing the same block twice may return the first result.
        """
        ...

    def commit(self, executed: Executed, certificate: Certificate) -> None:
        """Make a decided block the tip."""
        ...

    def has_sidecars(self, block: Block) -> bool:
        """Whether what the transactions of ``block`` name beside it is here, so that this node may vouch for it (P2).

        True only if all of it is durable before anything that the core says after this question leaves the node. Of a
        block that ``build`` made it is true, and durable likewise (P1).
        """
        ...

    def has_work(self) -> bool:
        """Whether a block made now would hold a transaction."""
        ...

    def next_deadline_ms(self) -> int | None:
        """The block time at which something falls due without any transaction, or None."""
        ...
