"""What a case of the budget needs: a chain to execute it on, and how it is timed beside the loop."""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from bench.rules import TYPES, Chain
from coseal.contracts.supervision import sets_in_force
from coseal.doctor.speed import step_us
from coseal.ledger.block import Receipt
from coseal.ledger.render import time_text
from coseal.ledger.transaction import Transaction

DAY_MS: Final = 86_400_000
ROUNDS: Final = 5
LEAST_SECONDS: Final = 0.35
"""How long a case is repeated at least: the quickest of a few short runs is the machine's chance, not the work."""
NEAR: Final = 0.95
"""The share from which on a case may seem too long by chance."""
MOST_SECONDS: Final = 30.0
"""How long a case is repeated that seems to take as long as its steps: what else the machine does comes and goes."""


@dataclass(frozen=True, slots=True)
class Result:
    """A case: its steps, its milliseconds, what a step of the loop took beside it, and how it ended."""

    name: str
    steps: int
    milliseconds: float
    loop_us: float
    code: str = "ok"
    expected: str = "ok"

    @property
    def step_us(self) -> float:
        """The microseconds that a step took."""
        return self.milliseconds * 1_000 / max(1, self.steps)

    @property
    def share(self) -> float:
        """The time of a step as a part of that of the loop's; above 1 the charge is too small."""
        return self.step_us / self.loop_us


class Scene:
    """A chain with the process type ``bench`` and what a case needs."""

    def __init__(self, *, state_bits: int = 12, **definition: Any) -> None:
        self.chain = Chain(state_bits=state_bits)
        attributes = {"amount": "integer", "by": "string", "note": "string", "at": "time"}
        self.define(1, {kind: {"attributes": attributes} for kind in TYPES}, **definition)
        self.must("bank-a", "process.register_source", {"id": "log", "process_type": "bench", "mode": "historical"})
        self.sequence = 1
        self.versions = 1

    def define(self, version: int, types: dict[str, Any], **more: Any) -> None:
        """Define a version of the process type."""
        self.must("bank-a", "process.define_type", self.definition(version, types, **more))

    @staticmethod
    def definition(version: int, types: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Return the arguments that define a version of the process type."""
        base = {"id": "bench", "version": version, "title": "Bench", "late_ms": 0, "gaps": "record"}
        return {
            **base,
            "object_types": {"case": {"attributes": {"limit": "integer", "text": "string"}}, "party": {}},
            "event_types": types,
            **more,
        }

    def must(self, member: str, name: str, args: dict[str, Any]) -> Receipt:
        """Commit a transaction that has to be accepted."""
        receipt = self.commit(self.chain.signed(member, name, args))
        if not receipt.ok:
            raise SystemExit(f"{name}: {receipt.code}: {receipt.detail}")
        return receipt

    def commit(self, *transactions: Transaction, after_ms: int = 1_000) -> Receipt:
        """Commit a block; return the last receipt."""
        executor = self.chain.executor
        outcome = executor.run(executor.height + 1, executor.time_ms + after_ms, transactions)
        executor.commit(outcome)
        executor.state._store.write(outcome.change.entries)  # type: ignore[attr-defined]
        executor.state.flushed(outcome.change)
        return Receipt.decode(outcome.receipts[-1])

    def adopt(self, *found: dict[str, Any]) -> None:
        """Put rules in force."""
        ballot = self.must("bank-a", "supervision.propose_rules", {"rules": list(found)}).data["ballot"]
        for member in ("regulator", "central-bank", "bank-a"):
            self.must(member, "supervision.vote", {"ballot": ballot, "choice": "yes"})

    def decide(self, name: str, kind: str, subject: dict[str, Any], *, last: bool = True) -> Transaction:
        """Propose something and have it accepted; without ``last`` return the vote that decides it, not committed."""
        self.must("enterprise-a", "governance.propose", {"id": name, "kind": kind, "subject": subject})
        self.must("regulator", "governance.vote", {"ballot": name, "choice": "yes"})
        vote = self.chain.signed("bank-a", "governance.vote", {"ballot": name, "choice": "yes"})
        if last:
            self.commit(vote)
        return vote

    @staticmethod
    def rule(rule_id: str, kind: str, **fields: Any) -> dict[str, Any]:
        """Return a rule of the process type."""
        scope = {"process_type": "bench"}
        return {"id": rule_id, "version": 1, "legal_basis": ["external: bench"], "scope": scope, "kind": kind, **fields}

    def event(self, number: int, kind: str, objects: list[str], *, at_ms: int = 0, **attributes: Any) -> dict[str, Any]:
        """Return an event as an item."""
        return {
            "event": f"e{number}",
            "type": kind,
            "time": time_text(1_600_000_000_000 + at_ms),
            "objects": [["party" if name.startswith("party") else "case", name] for name in objects],
            "attributes": {"amount": number, "by": f"clerk {number % 7}", **attributes},
        }

    def record(self, items: list[dict[str, Any]], **more: Any) -> Transaction:
        """Return a batch for the next block."""
        args = {"source": "log", "sequence": self.sequence, "items": items, **more}
        return self.chain.signed("bank-a", "process.record", args)

    def recorded(self, items: list[dict[str, Any]]) -> None:
        """Commit batches of four items each."""
        for first in range(0, len(items), 4):
            batch = items[first : first + 4]
            receipt = self.commit(self.record(batch))
            if not receipt.ok:
                raise SystemExit(f"process.record: {receipt.code}: {receipt.detail}")
            self.sequence += len(batch)


def time_case(
    name: str,
    scene: Scene,
    *transactions: Transaction,
    after_ms: int = 1_000,
    compiles: bool = False,
    expected: str = "ok",
) -> Result:
    """Execute a block several times, the loop between, and take the quickest of each; the steps are the block's.

    What an empty block takes is left out, unless the case is what is due in one; it is timed in turn with the case, for
    a machine that is faster for a moment would leave out too little of a short one. With ``compiles`` each execution is
    that of a node that has compiled no rule yet. ``expected`` is the code of the last receipt: another one means that
    the case measures something else than its name says.
    """
    executor = scene.chain.executor
    height, time_ms = executor.height + 1, executor.time_ms + after_ms

    def run(*given: Transaction, at_ms: int = time_ms) -> tuple[float, Any]:
        if compiles:
            sets_in_force.forget()
        started = time.process_time()
        outcome = executor.run(height, at_ms, given)
        return time.process_time() - started, outcome

    gc.collect()
    gc.disable()
    try:
        empty = min(run(at_ms=executor.time_ms + 1)[0] for _ in range(ROUNDS)) if transactions else _empty_seconds()
        began = time.process_time()
        quickest, outcome = run(*transactions)
        loop, rounds = step_us(), 1
        while rounds < ROUNDS or time.process_time() - began < _wanted_seconds(quickest - empty, outcome.steps, loop):
            quickest, loop, rounds = min(quickest, run(*transactions)[0]), min(loop, step_us()), rounds + 1
            if transactions:
                empty = min(empty, run(at_ms=executor.time_ms + 1)[0])
    finally:
        gc.enable()
    receipt = Receipt.decode(outcome.receipts[-1])
    milliseconds = (quickest - empty) * 1_000
    return Result(name, outcome.steps, milliseconds, loop, receipt.code, expected)


def _wanted_seconds(seconds: float, steps: int, loop_us: float) -> float:
    """Return how long to repeat a case and the loop: longer if its quickest run took nearly what its steps may."""
    return MOST_SECONDS if seconds * 1_000_000 > NEAR * loop_us * steps else LEAST_SECONDS


@cache
def _empty_seconds() -> float:
    """Return how long a block without anything takes on a chain of its own."""
    executor = Scene().chain.executor
    quickest = float("inf")
    for _ in range(ROUNDS):
        started = time.process_time()
        executor.run(executor.height + 1, executor.time_ms + 1, ())
        quickest = min(quickest, time.process_time() - started)
    return quickest
