"""What a transaction may cost: work is counted in steps, and bounded before it is done.

Law: the steps of a transaction follow from the state, the transaction and the block's header alone, never from what a
node remembers; work is charged before it is done, by the size of what is about to be done.

A step takes at most 0.5 us on the slowest machine that the sizing page allows; ``bench/budget`` measures that.
docs/spec/budget.md.
"""

from __future__ import annotations

from typing import Final

TRANSACTION_STEPS: Final = 500_000  # B2
"""The most that one transaction takes: 250 ms."""
BLOCK_STEPS: Final = 2_000_000
"""The most that a block takes: 1 s."""
DUE_STEPS: Final = 500_000
"""The most that everything takes that is due in one block."""
DUE_ENTRY_STEPS: Final = 50_000
"""The most that one due thing takes."""
TAKE_STEPS: Final = 260
"""What taking a due thing out of its index counts for in its contract's share."""
DUE_DECISION_STEPS: Final = 400_000
"""The most that one due thing takes that decides a ballot, its effect included."""
DUE_FIRST_STEPS: Final = 450_000
"""What the first contract of a height has at least: a decision, and further ones where that takes little."""
DUE_EFFECT_STEPS: Final = 230_000
"""The most that the effect of a ballot takes that is decided when it is due."""
DECISION_STEPS: Final = 400_000
"""The most that the effect of a decided ballot takes, of the steps of the transaction that decides it."""
MAX_DUE: Final = 1_000
"""How many due things all contracts together do at the start of one block; the rest is done in the next."""

BASE_STEPS: Final = 400
RAW_BYTES_A_STEP: Final = 3
READ_STEPS: Final = 8
WRITE_STEPS: Final = 16
VALUE_BYTES_A_STEP: Final = 16
"""Of a value in an open family, one whose values grow."""
ITEM_STEPS: Final = 60
OBJECT_STEPS: Final = 30
CHARACTER_STEPS: Final = 4
SIGN_STEPS: Final = 100
"""A character of an expression's text, and each that stands for an operation: with it come most of its tokens."""
SCHEMA_STEPS: Final = 4
"""A byte of a schema."""
RULE_STEPS: Final = 220
"""A rule that is compiled, beside its text."""
CHANGE_STEPS: Final = 170
"""A rule whose status a decision changes."""
TEST_STEPS: Final = 95
"""A test of a rule, and each event of one, beside what the rule takes."""
ENTRY_STEPS: Final = 4
"""An entry of a list or map that an action walks, a leaf that it hashes."""
FINDING_STEPS: Final = 60
SIGNATURE_STEPS: Final = 400

_UNLIMITED: Final = 2**62


def least_steps(size_bytes: int) -> int:
    """Return the least that a transaction of so many bytes takes: what is charged before anything is done."""
    return BASE_STEPS + size_bytes // RAW_BYTES_A_STEP


def fits(steps: int, before: int, room_steps: int, left_steps: int = BLOCK_STEPS) -> bool:
    """Say whether a block whose transactions took ``before`` has room for one more of ``steps``.

    ``left_steps`` is what the block leaves for transactions, ``room_steps`` what its builder wants them to take. One
    that begins in the first half of the room may go beyond it: else it would wait for a block without others.
    """
    after = before + steps
    return after <= left_steps and (after <= room_steps or 2 * before <= room_steps)


class Spent(BaseException):
    """The steps are used up. No ``Exception``, so that no contract takes it for one; caught by who gave the meter."""


class Meter:
    """Steps that are left of a limit; ``note`` is what a refusal for the cost adds, empty for nothing."""

    __slots__ = ("left", "limit", "note")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.left = limit
        self.note = ""

    @staticmethod
    def unlimited() -> Meter:
        """Return a meter for work that is no transaction's."""
        return Meter(_UNLIMITED)

    @property
    def spent(self) -> int:
        """The steps charged so far, at most the limit."""
        return min(self.limit - self.left, self.limit)

    def charge(self, steps: int) -> None:
        """Count steps; raises ``Spent`` where they are not left."""
        self.left -= steps
        if self.left < 0:
            raise Spent


def free(steps: int) -> None:
    """Count nothing: for logs of the past, which nobody waits for."""
