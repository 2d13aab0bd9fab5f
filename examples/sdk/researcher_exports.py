"""A researcher exports: the whole process, verified, as a table for pandas and as OCEL 2.0 for process mining.

    python examples/sdk/researcher_exports.py http://127.0.0.1:8600 genesis.json receivables out/

No key is needed where reads are public. With pandas the table comes as a DataFrame, without it as a list of rows; the
OCEL file is read by PM4Py (`pm4py.read_ocel2_json`), r4pm and others.
"""

from __future__ import annotations

import csv
import io
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import coseal

try:
    import pandas
except ImportError:
    pandas = None


def rows(url: str, genesis: Path, process_type: str) -> list[dict[str, str]]:
    """Return every event as a flat row; verified from the genesis on before it is returned."""
    made = coseal.export(url, "csv", genesis=genesis, process_type=process_type)
    return list(csv.DictReader(io.StringIO(made.data.decode())))


def table(url: str, genesis: Path, process_type: str) -> Any:
    """Return the same as a pandas DataFrame, or the rows where pandas is not installed."""
    found = rows(url, genesis, process_type)
    if pandas is None:
        return found
    frame = pandas.DataFrame(found)
    frame["timestamp"] = pandas.to_datetime(frame["timestamp"], utc=True, format="ISO8601")
    return frame


def directly_follows(found: list[dict[str, str]]) -> Counter[tuple[str, str]]:
    """Return how often one activity directly follows another within a case."""
    last: dict[str, str] = {}
    counted: Counter[tuple[str, str]] = Counter()
    for row in found:
        if row["case"] in last:
            counted[last[row["case"]], row["activity"]] += 1
        last[row["case"]] = row["activity"]
    return counted


def main(url: str, genesis: str, process_type: str, out: str) -> int:
    """Write PROCESS.json (OCEL 2.0) and PROCESS.csv, and print the most frequent steps."""
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    ocel = coseal.export(url, "ocel-json", genesis=genesis, process_type=process_type)
    (folder / f"{process_type}.json").write_bytes(ocel.data)
    found = rows(url, Path(genesis), process_type)
    with open(folder / f"{process_type}.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, found[0].keys())
        writer.writeheader()
        writer.writerows(found)
    print(f"{ocel.facts['items']} items, blocks {ocel.facts['heights'][0]} to {ocel.facts['heights'][1]}, all verified")
    for (before, after), count in directly_follows(found).most_common(5):
        print(f"{count:6} {before} -> {after}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
