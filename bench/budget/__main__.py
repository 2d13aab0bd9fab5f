"""What a step takes: ``python -m bench.budget``: every kind of work at its worst case, in steps of a fixed loop.

Law: a case is a transaction, or a block with something due, that the executor really executes; its time a step is
compared with that of the loop, timed right before and after it, so that a busy machine does not matter. A case that
takes longer a step than the loop is a fault: its charge is too small. So is one that ends with another outcome than
the one it is for: it measures something else. Exit status 1 then.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from bench.budget import (
    arguing,
    competing,
    consulting,
    correcting,
    defining,
    due,
    funding,
    governing,
    judging,
    missions,
    opening,
    paying,
    recording,
    tallying,
    trading,
)
from bench.budget.scene import Result
from bench.machine import about

GROUPS: Final[dict[str, Callable[[], Iterator[Result]]]] = {
    "recording": recording.recording,
    "tallying": tallying.tallying,
    "judging": judging.judging,
    "related": judging.related,
    "correcting": correcting.correcting,
    "defining": defining.defining,
    "registering": governing.registering,
    "standing": governing.standing,
    "due": due.due,
    "competing": competing.competing,
    "paying": paying.paying,
    "trading": trading.trading,
    "arguing": arguing.arguing,
    "certifying": arguing.certifying,
    "consulting": consulting.consulting,
    "missions": missions.missions,
    "opening": opening.opening,
    "funding": funding.funding,
}


def main(arguments: list[str] | None = None) -> int:
    """Run the cases, print the table; return 1 if a charge is too small or an outcome is not the expected one."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("groups", nargs="*", choices=[[], *GROUPS], help="cases of these groups only")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    given = parser.parse_args(arguments)
    found = []
    print(f"{'case':<62}{'steps':>9}{'ms':>8}{'us a step':>11}{'share':>7}  outcome")
    for name in given.groups or GROUPS:
        for result in GROUPS[name]():
            found.append(result)
            figures = f"{result.steps:>9,}{result.milliseconds:>8.1f}{result.step_us:>11.3f}{result.share:>7.2f}"
            print(f"{result.name:<62}{figures}  {result.code}", flush=True)
    low = [result for result in found if result.share > 1]
    for result in low:
        print(f"the charge is too small: {result.name}", file=sys.stderr)
    strange = [result for result in found if result.code != result.expected]
    for result in strange:
        print(f"{result.code} where {result.expected} is expected: {result.name}", file=sys.stderr)
    if given.json is not None:
        rows = [
            {"case": r.name, "steps": r.steps, "ms": r.milliseconds, "share": r.share, "code": r.code} for r in found
        ]
        given.json.write_text(json.dumps({"machine": about(), "rows": rows}, indent=1), "utf-8")
    return 1 if low or strange else 0


if __name__ == "__main__":
    sys.exit(main())
