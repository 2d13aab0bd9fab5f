"""How many steps of the budget this machine makes: a fixed loop of the kind of work that contracts do.

Law: the loop never changes with the product, so that its time tells about the machine alone.
docs/spec/budget.md.
"""

from __future__ import annotations

import time
from hashlib import sha256
from typing import Final

from coseal.ledger import codec

NEEDED_STEPS_A_MS: Final = 2_000
"""A step takes at most half a microsecond on a machine that may run a node."""
LOOP_STEPS: Final = 630
"""The steps that one round of the loop stands for."""
_ROUNDS: Final = 5
_RECORD: Final = {"id": "F1", "rule": "R-1", "object": "case 17", "steps": [["acknowledge", 12, 1_700_000_000_000]]}


def _loop() -> int:
    """Do the work of ``LOOP_STEPS`` steps: look up, compare, build, encode, hash."""
    state: dict[str, object] = {}
    total = 0
    for number in range(55):
        key = f"a_contract/object/loans/case/{number}"
        record = {**_RECORD, "number": number}
        state[key] = record
        found = state.get(key)
        if type(found) is dict and found["id"] == "F1" and len(key) > number % 30:
            total += len(sha256(codec.encode(record)).digest())
        values = [entry for entry in (number, total, None, number + 1) if entry is not None]
        total += max(values) + sum(1 for value in values if value % 3)
    return total


def step_us() -> float:
    """Return the microseconds that a step of the loop takes now: the quickest of some rounds."""
    quickest = float("inf")
    for _ in range(_ROUNDS):
        started = time.process_time()
        _loop()
        quickest = min(quickest, time.process_time() - started)
    return quickest * 1_000_000 / LOOP_STEPS


def steps_a_ms() -> int:
    """Return how many steps this machine makes in a millisecond."""
    return int(1_000 / step_us())
