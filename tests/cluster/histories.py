"""Was what clients saw possible with one copy of the data, changed by one operation at a time?

Law: a checker knows what clients asked, what they were answered and when, and nothing of how the answers came about.
Times are of one clock, in s; ``returned_s`` is infinite for what was never answered, which may take effect
late or never.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from simulation.history import out_of_order

NEVER = math.inf


@dataclass(frozen=True, slots=True)
class Write:
    """``value``, which nothing else writes, was written to ``register``."""

    register: str
    value: str
    invoked_s: float
    returned_s: float = NEVER


@dataclass(frozen=True, slots=True)
class Read:
    """``register`` held ``value``; an empty one: nothing was written yet."""

    register: str
    value: str
    invoked_s: float
    returned_s: float


@dataclass(frozen=True, slots=True)
class Add:
    """``element``, which nothing else adds, was put into ``collection``."""

    collection: str
    element: str
    invoked_s: float
    returned_s: float = NEVER


@dataclass(frozen=True, slots=True)
class Look:
    """``collection`` held exactly ``elements``."""

    collection: str
    elements: frozenset[str]
    invoked_s: float
    returned_s: float


def register_fault(writes: Sequence[Write], reads: Sequence[Read]) -> str | None:
    """Say why the history of registers is not linearizable, or None.

    A value together with its reads is a block that no other value may interrupt. Value a must come before b if one of
    a's operations was over when one of b's began; two values that must each come before the other are the fault, and
    there is no other kind (Gibbons and Korach, "Testing Shared Memories", 1997, for values written once).
    """
    written = {write.value: write for write in writes}
    seen: dict[str, dict[str, list[Read]]] = defaultdict(lambda: defaultdict(list))
    for read in reads:
        seen[read.register][read.value].append(read)
    registers = sorted({*seen, *(write.register for write in writes)})
    for register in registers:
        values = {write.value for write in writes if write.register == register and write.returned_s < NEVER}
        zones = []
        for value in sorted(values | seen[register].keys()):
            write = written.get(value) if value else Write(register, "", -NEVER, -NEVER)
            if write is None or write.register != register:
                return f"{register}: a read returned {value!r}, which was never written to it"
            operations = [write, *seen[register][value]]
            first_over = min(operation.returned_s for operation in operations)
            if first_over < write.invoked_s:
                return f"{register}: a read returned {value!r} before it was written"
            zones.append((first_over, max(operation.invoked_s for operation in operations), value))
        reason = _crossing(zones)
        if reason is not None:
            return f"{register}: {reason}"
    return None


def _crossing(zones: list[tuple[float, float, str]]) -> str | None:
    """Find two values each of which must come before the other; a zone is (first end, last beginning, value)."""
    forward = sorted(zone for zone in zones if zone[0] < zone[1])
    for earlier, later in itertools.pairwise(forward):
        if later[0] < earlier[1]:
            return f"{earlier[2]!r} and {later[2]!r} were each seen after the other"
    firsts = [zone[0] for zone in forward]
    for first_over, last_begun, value in zones:
        around = bisect.bisect_left(firsts, last_begun) - 1
        if first_over >= last_begun and around >= 0 and first_over < forward[around][1]:
            return f"{value!r} was written and gone while {forward[around][2]!r} was there before and after"
    return None


def set_fault(adds: Sequence[Add], looks: Sequence[Look]) -> str | None:
    """Say why the history of sets that only grow is not linearizable, or None.

    Looks must be comparable by inclusion. Then their order is known, an element was added between the last look
    without it and the first with it, and time must not contradict that order.
    """
    for collection in sorted({item.collection for item in (*adds, *looks)}):
        added = {add.element: add for add in adds if add.collection == collection}
        position: dict[str, int] = {}
        operations = []
        before: frozenset[str] = frozenset()
        group = 0
        for look in sorted((look for look in looks if look.collection == collection), key=_size):
            if not before <= look.elements:
                return f"{collection}: two looks saw each what the other did not"
            if look.elements != before:
                group += 2
            for element in look.elements - before:
                if element not in added:
                    return f"{collection}: a look returned {element!r}, which was never added"
                position[element] = group - 1
            before = look.elements
            operations.append((look.invoked_s, look.returned_s, group, f"a look at {len(look.elements)}"))
        for element, add in added.items():
            if element in position or add.returned_s < NEVER:
                at = position.get(element, group + 1)
                operations.append((add.invoked_s, add.returned_s, at, f"add {element!r}"))
        reason = out_of_order(operations)
        if reason is not None:
            return f"{collection}: {reason}"
    return None


def _size(look: Look) -> int:
    return len(look.elements)
