"""What tallies and matching cost: ``python -m bench.tallies``: recording with them and without.

Law: both are measured in turns in one run, each at its quickest, so the difference is that of the work and not of the
machine. Exit status 1 if an event takes more than ``MOST_US`` longer. What a step takes says how busy the machine is.

One executor in one process: batches of 200 events of 50 order lines, which add to one or two tallies each; a guard
reads how a line matches. Without, the same events under a guard that reads something else of the line.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import time
from pathlib import Path
from typing import Any, Final

from bench.budget.scene import Scene
from bench.machine import about
from bench.rules import TYPES
from coseal.contracts.process.matching import FIGURES, QUANTITIES
from coseal.doctor.speed import step_us
from coseal.ledger.transaction import Transaction
from coseal.node.start import COLLECTIONS

MOST_US: Final = 10.0
BATCH: Final = 200
ROUNDS: Final = 5
BATCHES: Final = 20


def definition() -> dict[str, Any]:
    """Return the tallies that matching needs: an order adds to two, an invoice to two, a receipt to one."""
    on = dict(zip(FIGURES, (TYPES[0], TYPES[1], TYPES[2], TYPES[0], TYPES[2]), strict=True))
    scales = {name: 3 if name in QUANTITIES else 2 for name in FIGURES}
    tallies = {name: [{"on": on[name], "add": "amount", "scale": scales[name]}] for name in FIGURES}
    return {"tallies": {"case": tallies}, "match": {"case": {"quantity_ppm": 20_000}}}


def scene(*, tallied: bool) -> Scene:
    """Return a chain on which a guard judges every third event."""
    made = Scene(**(definition() if tallied else {}))
    text = "o.match.verdict != 'x'" if tallied else "o.id != 'x'"
    made.adopt(made.rule("M", "guard", on=[TYPES[2]], **{"assert": text}))
    return made


def measure(made: Scene) -> float:
    """Return how many microseconds an event takes in some batches, executed and committed."""
    took = 0.0
    for _ in range(BATCHES):
        items = [made.event(n, TYPES[n % 3], [f"c{n % 50}"]) for n in range(BATCH)]
        signed: Transaction = made.record(items)
        started = time.process_time()
        receipt = made.commit(signed)
        took += time.process_time() - started
        if not receipt.ok:
            raise SystemExit(f"process.record: {receipt.code}: {receipt.detail}")
        made.sequence += BATCH
    return took / (BATCHES * BATCH) * 1e6


def main() -> int:
    """Measure, print both costs and their difference, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("bench/results/tallies.json"))
    options = parser.parse_args()
    scenes = {tallied: scene(tallied=tallied) for tallied in (False, True)}
    gc.freeze()
    gc.set_threshold(*COLLECTIONS)  # both as a node does
    took = dict.fromkeys(scenes, float("inf"))
    for _ in range(ROUNDS):
        for tallied, made in scenes.items():
            took[tallied] = min(took[tallied], measure(made))
    more = took[True] - took[False]
    figures = {
        "us_per_event_without": round(took[False], 1),
        "us_per_event_with": round(took[True], 1),
        "us_more": round(more, 1),
        "us_a_step": round(step_us(), 3),
    }
    print(json.dumps(figures, indent=1))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({"about": about(), **figures}, indent=1) + "\n")
    return 0 if more <= MOST_US else 1


if __name__ == "__main__":
    sys.exit(main())
