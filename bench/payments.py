"""What payments cost: ``python -m bench.payments``: a payment a signature beside any signed transaction, and batches.

Law: all are measured in turns in one run, each at its quickest, so their ratios are those of the work and not of the
machine. Exit status 1 if batches do fewer than ``LEAST_TRANSFERS`` transfers a second, or one hot wallet has less than
``LEAST_HOT`` of the rate of distinct ones. What share a payment has of the rate of the cheapest transaction is shown
and not required: on a network votes, messages and rows come on top of both.

One executor in one process, without a network: a transaction is decoded, its signature verified, and its block
executed and committed, state root included. What a step takes says how busy the machine is.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from bench.budget.paying import MANY, funded, payment
from bench.budget.scene import Scene
from bench.machine import about
from coseal.contracts.execution import decode_and_verify
from coseal.doctor.speed import step_us
from coseal.ledger.transaction import Transaction
from coseal.node.start import COLLECTIONS

LEAST_TRANSFERS: Final = 4_000
LEAST_HOT: Final = 0.9
SIGNED: Final = 200
"""Transactions of one block, each with a signature of its own."""
BATCH: Final = 500
BATCHES: Final = 4
"""Of a block."""
ROUNDS: Final = 5


def _any(scene: Scene) -> tuple[list[Transaction], int]:
    signed = scene.chain.signed
    calls = [signed("bank-a", "membership.set_profile", {"description": f"{n}"}) for n in range(SIGNED)]
    return calls, SIGNED


def _one_each(scene: Scene) -> tuple[list[Transaction], int]:
    pays = [payment(f"bank-a/w{n}", f"bank-a/w{n + SIGNED}") for n in range(SIGNED)]
    return [scene.chain.signed("bank-a", "currency.pay", args) for args in pays], SIGNED


def _distinct(scene: Scene) -> tuple[list[Transaction], int]:
    items = [payment(f"bank-a/w{n}", f"bank-a/w{n + BATCH}") for n in range(BATCH)]
    return _batches(scene, items)


def _hot(scene: Scene) -> tuple[list[Transaction], int]:
    return _batches(scene, [payment(f"bank-a/w{n}", f"bank-a/w{MANY - 1}") for n in range(BATCH)])


def _batches(scene: Scene, items: list[dict[str, object]]) -> tuple[list[Transaction], int]:
    args = {"items": items, "linked": False}
    calls = [scene.chain.signed("bank-a", "currency.pay_batch", args) for _ in range(BATCHES)]
    return calls, BATCH * BATCHES


CASES: Final[dict[str, Callable[[Scene], tuple[list[Transaction], int]]]] = {
    "signed_transactions": _any,
    "payments": _one_each,
    "transfers_in_batches": _distinct,
    "transfers_into_one_wallet": _hot,
}


def measure(scene: Scene, made: Sequence[Transaction], count: int) -> float:
    """Return how many of ``count`` things a second were done by transactions, admitted, executed and committed."""
    raws = [each.raw for each in made]
    started = time.perf_counter()
    receipt = scene.commit(*map(decode_and_verify, raws))
    took = time.perf_counter() - started
    if not receipt.ok or receipt.data.get("refused"):
        raise SystemExit(f"a case is refused: {receipt.code}: {receipt.detail}")
    return count / took


def main() -> int:
    """Measure, print the rates and their ratios, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--out", type=Path, default=Path("bench/results/payments.json"))
    options = parser.parse_args()
    scene = funded()
    gc.freeze()
    gc.set_threshold(*COLLECTIONS)  # both as a node does
    rates = dict.fromkeys(CASES, 0.0)
    for _ in range(options.rounds):
        for name, make in CASES.items():
            rates[name] = max(rates[name], measure(scene, *make(scene)))
    share = rates["payments"] / rates["signed_transactions"]
    hot = rates["transfers_into_one_wallet"] / rates["transfers_in_batches"]
    figures = {
        **{f"{name}_per_s": round(rate) for name, rate in rates.items()},
        "payment_to_any_transaction": round(share, 3),
        "one_wallet_to_distinct": round(hot, 3),
        "us_a_step": round(step_us(), 3),
    }
    print(json.dumps(figures, indent=1))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({"about": about(), **figures}, indent=1) + "\n")
    return 0 if rates["transfers_in_batches"] >= LEAST_TRANSFERS and hot >= LEAST_HOT else 1


if __name__ == "__main__":
    sys.exit(main())
