"""What rules cost: ``python -m bench.rules``: events a second by number of rules in force, and as history grows.

One executor in one process, without consensus, network and disk; transactions are signed and decoded beforehand. A
block holds ten batches of a hundred events; a case has eight events, most of them as the rules want them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from coseal.contracts.execution import Executor
from coseal.contracts.genesis_state import new_state
from coseal.contracts.registry import CAPABILITIES
from coseal.ledger.block import Receipt
from coseal.ledger.render import time_text
from coseal.ledger.transaction import Transaction, sign
from tests.support.genesis import VALIDATORS, make_genesis
from tests.support.keys import operator

BATCH, BATCHES_A_BLOCK, CASE_EVENTS, BLOCK_MS = 100, 10, 8, 1_000
TYPES = [f"step {number}" for number in range(10)]


def rules(count: int) -> list[dict[str, Any]]:
    """Return rules of all kinds over the ten event types."""
    found: list[dict[str, Any]] = []
    for number in range(count):
        a, b = TYPES[number % 10], TYPES[(number % 10 + 1 + number // 10 % 9) % 10]
        body = (
            {"kind": "declare", "template": "response", "a": a, "b": b},
            {"kind": "guard", "on": [a], "assert": "e.attributes.amount <= 1000 && e.attributes.by != ''"},
            {
                "kind": "declare",
                "template": "noncoexistence",
                "a": a,
                "b": b,
                "activation": "e.attributes.amount > 999",
            },
            {"kind": "declare", "template": "response", "a": a, "b": b, "within_ms": 86_400_000},
            {"kind": "shape", "on": [a], "schema": {"type": "object", "required": ["amount"]}},
            {"kind": "declare", "template": "absence", "a": a, "n": 9},
            {"kind": "segregation", "a": a, "b": b, "by": "attributes.by"},
            {"kind": "declare", "template": "precedence", "a": b, "b": a, "activation": "e.attributes.amount > 999"},
            {"kind": "lag", "within_ms": 86_400_000},
            {"kind": "gap"},
        )[number % 10]
        scope = {"process_type": "bench"}
        found.append({"id": f"R-{number}", "version": 1, "legal_basis": ["external: bench"], "scope": scope, **body})
    return found


class Chain:
    """An executor that is fed blocks; ``time_ms`` is the tip's."""

    def __init__(self, state_bits: int = 16) -> None:
        self.genesis = make_genesis("bench", members=VALIDATORS, capabilities=CAPABILITIES, state_bits=state_bits)
        self.executor = Executor(self.genesis, new_state(self.genesis))
        self.events = 0
        self.findings = 0
        self._salt = 0

    def signed(self, member: str, name: str, args: dict[str, Any]) -> Transaction:
        """Return a transaction for the next block."""
        contract, _, action = name.partition(".")
        self._salt += 1
        return sign(
            operator(member),
            chain_id=self.genesis.chain_id,
            sender=f"{member}/admin",
            contract=contract,
            action=action,
            args=args,
            valid_until_ms=self.executor.time_ms + 300_000,
            salt=self._salt.to_bytes(16, "big"),
        )

    def block(self, transactions: Sequence[Transaction]) -> float:
        """Execute and commit a block; return the seconds of processor time that took."""
        executor = self.executor
        began = time.process_time()
        outcome = executor.run(executor.height + 1, executor.time_ms + BLOCK_MS, transactions)
        executor.commit(outcome)
        took = time.process_time() - began
        executor.state._store.write(outcome.change.entries)  # type: ignore[attr-defined]
        executor.state.flushed(outcome.change)
        for raw in outcome.receipts[1:]:
            receipt = Receipt.decode(raw)
            if not receipt.ok:
                raise RuntimeError(f"{receipt.code}: {receipt.detail}")
            self.findings += len(receipt.data.get("findings", ()))
        return took

    def prepare(self, rule_count: int) -> None:
        """Define the process, and adopt so many rules."""
        attributes = {"attributes": {"amount": "integer", "by": "string"}}
        define = {
            "id": "bench",
            "version": 1,
            "title": "Bench",
            "object_types": {"case": {}},
            "event_types": dict.fromkeys(TYPES, attributes),
        }
        self.block([self.signed("bank-a", "process.define_type", define)])
        register = {"id": "log", "process_type": "bench", "mode": "live"}
        self.block([self.signed("bank-a", "process.register_source", register)])
        if rule_count:
            self.adopt(rules(rule_count))

    def adopt(self, found: list[dict[str, Any]]) -> None:
        """Put the chain's first set of rules in force."""
        self.block([self.signed("bank-a", "supervision.propose_rules", {"rules": found})])
        for member in ("bank-a", "central-bank", "regulator"):
            self.block([self.signed(member, "supervision.vote", {"ballot": "B1", "choice": "yes"})])

    def batches(self) -> list[Transaction]:
        """Return the transactions of the next block."""
        time = time_text(self.executor.time_ms)
        made = []
        for _ in range(BATCHES_A_BLOCK):
            items = [_event(self.events + offset, time) for offset in range(BATCH)]
            args = {"source": "log", "sequence": self.events + 1, "items": items}
            made.append(self.signed("bank-a", "process.record", args))
            self.events += BATCH
        return made


def _event(number: int, time: str) -> dict[str, Any]:
    """Cases come in turns of a hundred, so that no case is done in one batch."""
    turn, place = divmod(number, BATCH * CASE_EVENTS)
    step, case = divmod(place, BATCH)
    return {
        "event": f"e{number}",
        "type": TYPES[step],
        "time": time,
        "objects": [["case", f"{turn}-{case}"]],
        "attributes": {"amount": number % 997, "by": f"person {step}"},
    }


def measure(chain: Chain, events: int) -> float:
    """Record so many events; return the seconds that executing took."""
    return sum(chain.block(chain.batches()) for _ in range(events // (BATCH * BATCHES_A_BLOCK)))


def by_rules(counts: Sequence[int], events: int) -> Iterator[dict[str, Any]]:
    """Yield the figures for each number of rules."""
    base = 0.0
    for count in counts:
        chain = Chain()
        chain.prepare(count)
        measure(chain, 2_000)
        before = chain.findings
        took = measure(chain, events)
        cost_us = took / events * 1e6
        base = base or cost_us
        yield {
            "rules": count,
            "events_per_second": round(events / took),
            "us_per_event": round(cost_us, 1),
            "us_over_none": round(cost_us - base, 1),
            "findings_per_1000": round((chain.findings - before) / events * 1_000, 1),
        }


def by_history(steps: Sequence[int], rule_count: int, events: int) -> Iterator[dict[str, Any]]:
    """Yield the figures as history grows to each of the steps."""
    chain = Chain()
    chain.prepare(rule_count)
    for step in steps:
        measure(chain, max(0, step - events - chain.events))
        took = measure(chain, events)
        yield {"history": chain.events, "us_per_event": round(took / events * 1e6, 1)}


def show(console: Console, title: str, figures: Sequence[dict[str, Any]]) -> None:
    """Print figures as a table."""
    table = Table(title=title)
    for name in figures[0]:
        table.add_column(name, justify="right")
    for row in figures:
        table.add_row(*(f"{value:,}" for value in row.values()))
    console.print(table)


def main() -> int:
    """Measure, print tables, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=20_000, help="events measured for each row")
    parser.add_argument("--full", action="store_true", help="let history grow to 1,000,000 events")
    parser.add_argument("--out", type=Path, default=Path("bench/results/rules.json"))
    options = parser.parse_args()
    console = Console()
    rows = list(by_rules((0, 10, 100), options.events))
    show(console, "Events by rules in force (one executor)", rows)
    steps = (10_000, 100_000, 1_000_000) if options.full else (10_000, 50_000, 100_000)
    history = list(by_history(steps, 10, 5_000))
    show(console, "Cost of an event as history grows (10 rules)", history)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    about = {"python": platform.python_version(), "machine": platform.machine(), "cores": os.cpu_count()}
    options.out.write_text(json.dumps({"about": about, "by_rules": rows, "by_history": history}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
