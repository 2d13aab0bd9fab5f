"""Make china-instruments.jsonl.gz and table1.json from the reference data (folder in COSEAL_REFERENCE_DATA).

Law: facts are copied as they are; only their form is compacted, and the same input gives the same bytes.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
from pathlib import Path

HERE = Path(__file__).parent
PLAIN = ("title", "level", "type_document", "region", "area", "date_publication", "first_date_entry_in_force")


def main() -> None:
    """Write both files beside this script."""
    data = Path(os.environ.get("COSEAL_REFERENCE_DATA", "../shared/data"))
    with (data / "policy_cn" / "events.csv").open(encoding="utf-8", newline="") as file:
        events: dict[str, list[dict[str, str]]] = {}
        for row in csv.DictReader(file):
            events.setdefault(row["instrument"], []).append(row)
    with (data / "policy_cn" / "instruments.csv").open(encoding="utf-8", newline="") as file:
        instruments = [compact(row, events.pop(row["id"], [])) for row in csv.DictReader(file)]
    if events:
        raise SystemExit(f"events of unknown instruments: {sorted(events)[:3]}")
    instruments.sort(key=lambda item: (first_date(item), item["id"]))
    lines = "".join(json.dumps(item, ensure_ascii=False, separators=(",", ":")) + "\n" for item in instruments)
    (HERE / "china-instruments.jsonl.gz").write_bytes(gzip.compress(lines.encode(), 9, mtime=0))
    table = json.loads((data / "policies_table1.json").read_text(encoding="utf-8"))
    (HERE / "table1.json").write_text(json.dumps(table, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def compact(row: dict[str, str], events: list[dict[str, str]]) -> dict[str, object]:
    """Return an instrument with its events [date, action, issuer, number, text]; empty fields are left out."""
    result: dict[str, object] = {"id": row["id"], **{name: row[name] for name in PLAIN if row[name]}}
    if row["expired"]:
        result["expired"] = row["expired"] == "1"
    result["text_sha256"] = row["text_sha256"]
    result["text_ref"] = row["source_path"]
    ordered = sorted(events, key=lambda event: int(event["seq"]))
    result["events"] = [[event[name] for name in ("date", "action", "issuer", "number", "text")] for event in ordered]
    return result


def first_date(item: dict[str, object]) -> str:
    """Return the earliest date an instrument tells, for the order of the file; undated ones come last."""
    events = item["events"]
    dates = [event[0] for event in events] if isinstance(events, list) else []
    return min([*dates, str(item.get("date_publication", "9999"))])


if __name__ == "__main__":
    main()
