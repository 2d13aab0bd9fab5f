"""CSV event logs: one row an event of one case, the columns read as a map says.

Law: every column is mapped or ignored by name, every row becomes one event, an empty cell is an absent attribute.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from coseal.errors import CosealError
from coseal.importers.log import Findings, Log, Values, in_time_order, read_text
from coseal.importers.mapping import Columns, Mapping


def read_csv(path: Path, mapping: Mapping) -> Log:
    """Read a ``.csv`` or ``.csv.gz`` file; raise ``BadLog`` with all findings."""
    columns = mapping.columns
    if columns is None:
        raise CosealError(f"{path}: a CSV file needs a map", "say with --map which column is the case; see --help")
    findings = Findings()
    rows = csv.reader(io.StringIO(read_text(path), newline=""), delimiter=columns.delimiter, strict=True)
    items: list[tuple[str | None, dict[str, Any]]] = []
    activities: dict[str, None] = dict.fromkeys(columns.activities)
    try:
        header = next(rows, [])
        _check_header(header, columns, findings)
        findings.require_none(path)
        reader = _Rows(header, columns, mapping, findings)
        for number, row in enumerate(rows, start=1):
            if row:
                reader.read(row, number, items, activities)
    except csv.Error as error:
        findings.add("bad_row", f"line {rows.line_num}", str(error))
    findings.require_none(path)
    return Log(
        definition=mapping.definition({columns.object_type: {}}, dict.fromkeys(activities, columns.attributes)),
        source=mapping.source_args(),
        items=in_time_order(items, mapping.zone_minutes),
    )


def _check_header(header: list[str], columns: Columns, findings: Findings) -> None:
    """Note columns that are there twice, that nothing is said about, or that the map names in vain."""
    named = [columns.case, columns.activity, columns.timestamp, *columns.attributes, *columns.ignore]
    if columns.event_id:
        named.append(columns.event_id)
    for index, name in enumerate(header):
        if name in header[:index]:
            findings.add("duplicate_column", f"header[{index}]", name)
        elif name not in named:
            findings.add("unmapped_column", f"header[{index}]", f"{name}: map it, or ignore it by name")
    for name in dict.fromkeys(named):
        if name not in header:
            findings.add("missing_column", name, "the map names it, the file has no such column")


class _Rows:
    """Turns rows into events."""

    def __init__(self, header: list[str], columns: Columns, mapping: Mapping, findings: Findings) -> None:
        self._width = len(header)
        self._at = {name: index for index, name in enumerate(header)}
        self._columns = columns
        self._counterparties = mapping.counterparties
        self._findings = findings
        self._values = Values(findings, mapping.zone_minutes)
        self._seen: set[str] = set()

    def read(
        self, row: list[str], number: int, items: list[tuple[str | None, dict[str, Any]]], activities: dict[str, None]
    ) -> None:
        """Append the event of ``row``; ``number`` counts from 1 without the header."""
        columns, path = self._columns, f"row {number}"
        if len(row) != self._width:
            self._findings.add("bad_row", path, f"{len(row)} cells, the header has {self._width}")
            return
        case = self._values.identifier(row[self._at[columns.case]], f"{path}.{columns.case}")
        activity = self._values.label(row[self._at[columns.activity]], f"{path}.{columns.activity}")
        time = self._values.time(row[self._at[columns.timestamp]], f"{path}.{columns.timestamp}")
        event_id = self._event_id(row, number, path)
        if columns.activities and activity not in columns.activities:
            self._findings.add("undeclared_type", f"{path}.{columns.activity}", f"{activity!r} is not declared")
        if activity is not None:
            activities[activity] = None
        item: dict[str, Any] = {"event": event_id, "type": activity, "time": time}
        item["objects"] = [[columns.object_type, case]]
        attributes = {
            name: self._values.read(kind, row[self._at[name]], f"{path}.{name}")
            for name, kind in columns.attributes.items()
            if row[self._at[name]] != ""
        }
        if attributes:
            item["attributes"] = attributes
        if activity is not None and activity in self._counterparties:
            item["counterparty"] = self._counterparties[activity]
        items.append((time, item))

    def _event_id(self, row: list[str], number: int, path: str) -> str | None:
        column = self._columns.event_id
        if column is None:
            return f"row-{number}"
        event_id = self._values.identifier(row[self._at[column]], f"{path}.{column}")
        if event_id is not None and event_id in self._seen:
            self._findings.add("duplicate_id", f"{path}.{column}", f"event {event_id}")
        self._seen.add(event_id or "")
        return event_id
