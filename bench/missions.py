"""The four failures of the greatest mission, from a node's state: ``python -m bench.missions``; at most 100 ms.

Processor time of one process, no network: a mission with as many indicators, policies and evaluations as it may have,
every pair of whose policies is compared. Prints median and most; exits with 1 if the median is above the bound.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Final

from bench.machine import about
from bench.rules import Chain
from bench.standards import kept, view_of
from coseal.contracts.mission.checks import failures
from tests.support.missions import greatest

BOUND_MS: Final = 100
ROUNDS: Final = 50


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and write the figure with its bound."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", type=Path, help="write the figure to this file")
    given = parser.parse_args(arguments)
    executor = Chain(state_bits=12).executor
    values, now_ms = greatest()
    view = view_of(executor)
    for key, value in values.items():
        view.put(key, value)
    kept(executor, view)
    took, found = list[float](), None
    for _ in range(ROUNDS):
        started = time.process_time()
        found = failures(executor.reader, "m", now_ms)
        took.append((time.process_time() - started) * 1_000)
    median, most = statistics.median(took), max(took)
    print(
        f"failures of the greatest mission: {median:.1f} ms (most {most:.1f}), at most {BOUND_MS}; {len(found or ()):,}"
    )
    if given.json is not None:
        figure = {"median": round(median, 2), "most": round(most, 2), "bound": BOUND_MS}
        given.json.write_text(json.dumps({"machine": about(), "failures_ms": figure}, indent=1), "utf-8")
    return 0 if median <= BOUND_MS else 1


if __name__ == "__main__":
    sys.exit(main())
