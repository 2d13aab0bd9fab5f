"""What windows cost: ``python -m bench.windows``: recording under 100 ``response`` rules, with windows and without.

Law: both are measured in turns in one run, each at its quickest, so the ratio is that of the work and not of the
machine. Exit status 1 if windows take more than ``MOST`` times what the rules take without them.

One executor in one process, as ``bench.rules``: every batch of a hundred events names a hundred objects, so that each
object's monitors are read and written for each of its events, and half of the obligations stay open.
"""

from __future__ import annotations

import argparse
import json
import sys
from itertools import permutations
from pathlib import Path
from typing import Any, Final

from bench.machine import about
from bench.rules import TYPES, Chain, measure

MOST: Final = 1.5
DAY_MS: Final = 86_400_000
RULES: Final = 100
ROUNDS: Final = 3


def rules(*, windows: bool) -> list[dict[str, Any]]:
    """Return ``response`` rules over the ten event types, each with a window of its own if ``windows``."""
    pairs = list(permutations(TYPES, 2))
    found = []
    for number in range(RULES):
        a, b = pairs[number % len(pairs)]
        rule = {"id": f"R-{number}", "version": 1, "legal_basis": ["external: bench"], "kind": "declare"}
        rule |= {"scope": {"process_type": "bench"}, "template": "response", "a": a, "b": b}
        found.append(rule | ({"within_ms": 30 * DAY_MS + number} if windows else {}))
    return found


def chain(*, windows: bool) -> Chain:
    """Return a chain on which the rules are in force and some thousand events recorded."""
    made = Chain()
    made.prepare(0)
    made.adopt(rules(windows=windows))
    measure(made, 2_000)
    return made


def main() -> int:
    """Measure, print both costs and their ratio, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=8_000, help="events of one measurement")
    parser.add_argument("--out", type=Path, default=Path("bench/results/windows.json"))
    options = parser.parse_args()
    chains = {windows: chain(windows=windows) for windows in (False, True)}
    took = dict.fromkeys(chains, float("inf"))
    for _ in range(ROUNDS):
        for windows, each in chains.items():
            took[windows] = min(took[windows], measure(each, options.events) / options.events * 1e6)
    ratio = took[True] / took[False]
    figures = {
        "rules": RULES,
        "us_per_event_without_windows": round(took[False], 1),
        "us_per_event_with_windows": round(took[True], 1),
        "ratio": round(ratio, 2),
    }
    print(json.dumps(figures, indent=1))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({"about": about(), **figures}, indent=1) + "\n")
    return 0 if ratio <= MOST else 1


if __name__ == "__main__":
    sys.exit(main())
