"""``python -m bench.exploring``: what questions about a process as a whole cost, in CPU ms, at 262,200 events.

As many events and cases as the loan applications of BPI 2012, with many variants: 13,110 cases of 20 events each. Each
figure is the least of five runs in one thread, without HTTP. ``--network`` records them on a network of one node
instead and asks it and a console over HTTP: ``bench.exploring_pages``.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any, Final

from bench import exploring_pages
from coseal.contracts.kernel.rows.buffer import Rows
from coseal.contracts.kernel.rows.place import Act
from coseal.contracts.process.flows import FlowRows
from coseal.contracts.rows.tables import CORE
from coseal.node.index import database
from coseal.node.index.contracts import process_flows, process_times

CASES: Final = 13_110
EVENTS: Final = 20
_ACTIVITIES: Final = 24
_BEGIN_MS: Final = 1_300_000_000_000
_BETWEEN_MS: Final = 3_600_000
_MIDDLE_MS: Final = _BEGIN_MS + CASES // 2 * _BETWEEN_MS
FILTERS: Final[dict[str, dict[str, Any]]] = {
    "none": {},
    "the later half": {"from_ms": _MIDDLE_MS, "during": "begins"},
    "all but the shortest": {"least_ms": 40_000_000},
    "an activity": {"activity": "activity 12"},
    "a flow": {"before": "activity 7", "after": "activity 9"},
    "several": {"activity": "activity 12", "least_ms": 100_000_000, "from_ms": _MIDDLE_MS},
}


def cases() -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """Yield the number of each case and its events (number of the activity, time in ms), the same each time."""
    random = Random(1)
    for case in range(1, CASES + 1):
        events, ms = [], _BEGIN_MS + case * _BETWEEN_MS
        for place in range(EVENTS):
            activity = min(_ACTIVITIES, max(1, place + 1 + random.choice((0, 0, 0, 1, -1, 2))))
            ms += int(random.expovariate(1 / 7_200_000))
            events.append((activity, ms))
        yield case, events


def fill(path: Path) -> None:
    """Make the index of a process, the same each time."""
    item = 0
    database.prepare(path, b"bench")
    connection = database.connect(path)
    connection.row_factory = sqlite3.Row
    connection.execute("BEGIN")
    for number in range(1, _ACTIVITIES + 1):
        row = (number, "t", f"activity {number}", 0, 1, 0)
        connection.execute("INSERT INTO activities VALUES (?, ?, ?, ?, ?, ?)", row)
    rows = Rows(database.Writer(connection), CORE)
    flows = FlowRows(rows)
    for case, events in cases():
        connection.execute("INSERT INTO objects VALUES (?, 't', 'case', ?, 1, 0)", (case, f"c{case}"))
        steps = []
        for activity, ms in events:
            item += 1
            connection.execute("INSERT INTO item_objects VALUES (?, ?, ?, ?)", (case, item, activity, ms))
            steps.append((case, "case", activity, ms))
        flows.write("t", steps, Act("", b"", 0, 1, 0))
        if case % 50 == 0:
            flows.count()
    flows.count()
    rows.flush()
    connection.execute("COMMIT")
    connection.close()


def cpu_ms(question: Callable[[], object]) -> float:
    """Return the least time of five runs."""
    took = []
    for _ in range(5):
        began = time.process_time()
        question()
        took.append(1_000 * (time.process_time() - began))
    return min(took)


def main() -> int:
    """Print a line for each choice of filters, or with ``--network`` one for each page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", action="store_true", help="over HTTP, on a network of one node and a console")
    parser.add_argument("--base-port", type=int, default=26000)
    parser.add_argument("--out", type=Path, default=Path("bench/results/exploring.json"))
    options = parser.parse_args()
    if options.network:
        return exploring_pages.measure(cases, options.base_port, options.out)
    _index()
    return 0


def _index() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index.sqlite"
        fill(path)
        connection = database.open_reader(path)
        print(f"{'CPU ms, filters':22}{'map':>8}{'variants':>10}{'cases':>8}{'longest':>9}{'times':>8}{'dots':>8}")
        for name, filters in FILTERS.items():
            asked = (
                lambda f=filters: process_flows.process_map(connection, "t", None, 200, f),
                lambda f=filters: process_flows.variants(connection, "t", None, [], 25, f),
                lambda f=filters: process_flows.cases(connection, "t", None, f, [], 25),
                lambda f=filters: process_flows.cases(connection, "t", None, f, [], 25, "longest"),
                lambda f=filters: process_times.times(connection, "t", None, f),
                lambda f=filters: process_times.dots(connection, "t", None, f, 120),
            )
            figures = [cpu_ms(question) for question in asked]
            print(
                f"{name:22}" + "".join(f"{ms:{wide}.1f}" for ms, wide in zip(figures, (8, 10, 8, 9, 8, 8), strict=True))
            )
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
