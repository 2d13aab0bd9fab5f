"""What acts of trade cost beside many receivables: ``python -m bench.receivables``: a state of 10^6 and an empty one.

Law: the same acts are done in turns on both states in one run, each at its quickest, so their ratio is that of the
work and not of the machine. Exit status 1 if beside so many there are less than ``LEAST`` of the acts a second.

A turn issues a receivable on 64 matched lines, accepts it, splits it into 16 parts and pays each of them; only these
acts are timed: transactions decoded, signatures verified, blocks executed and committed, state root included. The many
are written as the contract writes them, each accepted, financed by a bank and due at a time of its own. One executor
in one process, its state in memory, without a network.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import time
from pathlib import Path
from typing import Any, Final

from bench.budget.scene import DAY_MS, Scene
from bench.budget.trading import BANK, CREDITOR, DEBTOR, WALLETS, founded, issuing
from bench.machine import about
from bench.standards import kept, view_of
from coseal.contracts.execution import decode_and_verify
from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.trade.ledger import ACCEPTED, Receivable
from coseal.contracts.trade.moving import MAX_PARTS
from coseal.contracts.trade.state import COUNT_KEY, NAME, book_key, exposure_key, receivable_key
from coseal.node.start import COLLECTIONS

LEAST: Final = 0.9
ROUNDS: Final = 5
TURNS: Final = 5
"""Of a round."""
AT_ONCE: Final = 5_000
"""Receivables that are written together."""
DEBTORS: Final = 1_000
AMOUNT: Final = 1_000_000
STATE_BITS: Final = 20
"""As for a chain that is founded for millions of entries; a genesis that does not say has 16."""


def populate(scene: Scene, count: int) -> None:
    """Write so many receivables into the state, with what else the contract has of each."""
    executor = scene.chain.executor
    view = view_of(executor)
    due_ms, height = executor.time_ms + 365 * DAY_MS, executor.height
    owed: dict[str, int] = {}
    for number in range(1, count + 1):
        debtor = f"debtor-{number % DEBTORS}"
        made = Receivable(
            debtor, CREDITOR, BANK, WALLETS[BANK], AMOUNT, AMOUNT, due_ms + number, ACCEPTED, f"{number:064x}", height
        )
        view.put(receivable_key(number), {**made.encoded(), "financier": BANK})
        deadlines.add(view, NAME, BLOCK_CLOCK, made.due_ms, ["due", number])
        owed[debtor] = owed.get(debtor, 0) + AMOUNT
        if number % AT_ONCE == 0:
            view = kept(executor, view)
    for debtor, amount in owed.items():
        view.put(exposure_key(BANK, debtor), amount)
    if count:
        view.put(book_key(BANK), count * AMOUNT)
        view.put(COUNT_KEY, [count, 0, 0])
    kept(executor, view)


def turn(scene: Scene) -> tuple[int, float]:
    """Have a receivable issued, accepted, split and paid; return how many acts that were and the seconds they took."""
    asked = issuing(scene)
    issued, took = _timed(scene, (CREDITOR, "issue", asked))
    name = issued["receivables"][0]["id"]
    acts = [
        (DEBTOR, "accept", {"receivable": name}),
        (CREDITOR, "split", {"receivable": name, "amounts": [asked["amount"] // MAX_PARTS] * MAX_PARTS}),
    ]
    for act in acts:
        done, seconds = _timed(scene, act)
        took += seconds
    parts = [each["id"] for each in done["receivables"] if each["id"] != name]
    amount = asked["amount"] // MAX_PARTS
    pays = [(DEBTOR, "settle", {"receivable": part, "amount": amount, "from": WALLETS[DEBTOR]}) for part in parts]
    _, seconds = _timed(scene, *pays)
    return 1 + len(acts) + len(pays), took + seconds


def _timed(scene: Scene, *acts: tuple[str, str, dict[str, Any]]) -> tuple[Any, float]:
    """Commit acts in one block; return what the last one did, and the seconds."""
    raws = [scene.chain.signed(member, f"trade.{act}", args).raw for member, act, args in acts]
    started = time.perf_counter()
    receipt = scene.commit(*map(decode_and_verify, raws))
    took = time.perf_counter() - started
    if not receipt.ok:
        raise SystemExit(f"trade.{acts[-1][1]}: {receipt.code}: {receipt.detail}")
    return receipt.data, took


def measure(scene: Scene) -> float:
    """Return the acts a second of some turns."""
    turns = [turn(scene) for _ in range(TURNS)]
    return sum(acts for acts, _ in turns) / sum(seconds for _, seconds in turns)


def main(arguments: list[str] | None = None) -> int:
    """Measure, print the rates and their ratio, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--receivables", type=int, default=1_000_000, help="how many there are (1,000,000)")
    parser.add_argument("--state-bits", type=int, default=STATE_BITS, help=f"buckets of the state tree ({STATE_BITS})")
    parser.add_argument("--out", type=Path, default=Path("bench/results/receivables.json"))
    options = parser.parse_args(arguments)
    scenes = {}
    for count in (0, options.receivables):
        scenes[count] = founded(state_bits=options.state_bits)
        populate(scenes[count], count)
        print(f"{count:,} receivables are in the state", file=sys.stderr, flush=True)
    gc.freeze()
    gc.set_threshold(*COLLECTIONS)  # both as a node does
    rates = dict.fromkeys(scenes, 0.0)
    for _ in range(ROUNDS):
        for count, scene in scenes.items():
            rates[count] = max(rates[count], measure(scene))
    ratio = rates[options.receivables] / rates[0]
    figures = {
        "receivables": options.receivables,
        "acts_per_s_empty": round(rates[0]),
        "acts_per_s": round(rates[options.receivables]),
        "ratio": round(ratio, 3),
    }
    print(json.dumps(figures, indent=1))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({"about": about(), **figures}, indent=1) + "\n")
    return 0 if ratio >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
