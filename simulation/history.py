"""I18: are the writes and consistent reads of clients linearizable? One register a member, checked by value.

Law: the checker knows what clients saw and when, and the order in which the chain recorded the writes; no node's
opinion of a read's height enters.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Write:
    """``value`` written to ``register``: when it was first sent, and when a client saw it committed."""

    register: str
    value: str
    invoked_ms: int
    acknowledged_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """A consistent read of ``register`` that returned ``value`` (empty: never written)."""

    register: str
    value: str
    invoked_ms: int
    returned_ms: int


@dataclass(slots=True)
class History:
    """What all clients did, in the order it happened."""

    writes: list[Write] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)


def fault(history: History, order: list[str]) -> str | None:
    """Say why the history is not linearizable given the values in the order the chain took them, or None."""
    position = {value: index for index, value in enumerate(order)}
    position[""] = -1
    writes = {write.value: write for write in history.writes}
    for read in history.reads:
        if read.value not in position:
            return f"a read returned {read.value!r}, which the chain does not hold"
        if read.value and writes[read.value].invoked_ms > read.returned_ms:
            return f"a read returned {read.value!r} before it was written"
    by_register: dict[str, list[tuple[int, int, int, str]]] = {}
    for write in history.writes:
        if write.acknowledged_ms is None:
            continue
        if write.value not in position:
            return f"{write.value!r} was acknowledged and is not in the chain"
        entry = (write.invoked_ms, write.acknowledged_ms, position[write.value], f"write {write.value}")
        by_register.setdefault(write.register, []).append(entry)
    for read in history.reads:
        entry = (read.invoked_ms, read.returned_ms, position[read.value], f"read {read.value!r}")
        by_register.setdefault(read.register, []).append(entry)
    for register, operations in by_register.items():
        reason = out_of_order(operations)
        if reason is not None:
            return f"{register}: {reason}"
    return None


def out_of_order(operations: Sequence[tuple[float, float, int, str]]) -> str | None:
    """Say which operation comes before one that was over when it began, or None.

    Each is (invoked, returned, position, what it was), times of one clock, positions those of the order to be judged;
    operations of one position may stand in any order.
    """
    newest = -sys.maxsize, ""
    finished = sorted(operations, key=lambda operation: operation[1])
    index = 0
    for invoked, _, at, what in sorted(operations):
        while finished[index][1] < invoked:
            newest = max(newest, (finished[index][2], finished[index][3]))
            index += 1
        if at < newest[0]:
            return f"{what} began after {newest[1]} was over, and is older"
    return None
