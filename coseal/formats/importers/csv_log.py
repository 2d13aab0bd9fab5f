"""CSV event logs: one row an event of one case, the columns read as a map says.

Law: every column is mapped or ignored by name, every row becomes one event, an empty cell is an absent attribute.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any, Final

from coseal.errors import CosealError
from coseal.formats.importers.cells import read_table
from coseal.formats.importers.log import Findings, Log, Values, in_time_order
from coseal.formats.importers.mapping import Columns, Mapping
from coseal.formats.importers.times import BadTime

_LISTED_MAX: Final = 16


def read_csv(path: Path, mapping: Mapping) -> Log:
    """Read a ``.csv`` or ``.csv.gz`` file; raise ``BadLog`` with all findings."""
    columns = mapping.columns
    if columns is None:
        raise CosealError(
            f"{path}: a CSV file needs a map", "give --map, which says which column is the case; see --help"
        )
    findings = Findings()
    rows = csv.reader(
        io.StringIO(read_table(path, columns.encoding), newline=""), delimiter=columns.delimiter, strict=True
    )
    items: list[tuple[str | None, dict[str, Any]]] = []
    activities: dict[str, None] = dict.fromkeys(columns.activities)
    try:
        header = next(rows, [])
        _check_header(header, columns, findings)
        findings.require_none(path)
        placed = _Placed(findings, rows.line_num + 1)
        reader = _Rows(header, columns, mapping, placed)
        for number, row in enumerate(rows, start=1):
            if row:
                reader.read(row, number, items, activities)
            placed.line = rows.line_num + 1
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
    named = dict.fromkeys([columns.case, columns.activity, columns.timestamp, *columns.attributes, *columns.ignore])
    if columns.event_id:
        named[columns.event_id] = None
    there: set[str] = set()
    for index, name in enumerate(header):
        if name in there:
            findings.add("duplicate_column", f"header[{index}]", name)
        elif name not in named:
            findings.add("unmapped_column", f"header[{index}]", f"{name}: map it, or ignore it by name")
        there.add(name)
    for name in named:
        if name not in there:
            findings.add("missing_column", name, f"the map names it, the file has only {_listed(header)}")


def _listed(header: list[str]) -> str:
    shown = ", ".join(repr(name) for name in header[:_LISTED_MAX]) or "no column"
    return shown + (f" and {len(header) - _LISTED_MAX} more" if len(header) > _LISTED_MAX else "")


class _Placed(Findings):
    """Findings that say in which line of the file their row begins."""

    def __init__(self, findings: Findings, line: int) -> None:
        super().__init__()
        self._all, self.line = findings, line

    def add(self, code: str, path: str, detail: str) -> None:
        """See ``Findings``."""
        self._all.add(code, path, f"line {self.line}: {detail}")


class _Rows:
    """Turns rows into events."""

    def __init__(self, header: list[str], columns: Columns, mapping: Mapping, findings: Findings) -> None:
        self._width = len(header)
        self._at = {name: index for index, name in enumerate(header)}
        self._columns = columns
        self._counterparties = mapping.counterparties
        self._findings = findings
        self._values = Values(findings, mapping.zone)
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
        time = self._time(columns.timestamp, row, path)
        event_id = self._event_id(row, number, path)
        if columns.activities and activity not in columns.activities:
            self._findings.add("undeclared_type", f"{path}.{columns.activity}", f"{activity!r} is not declared")
        if activity is not None:
            activities[activity] = None
        item: dict[str, Any] = {"event": event_id, "type": activity, "time": time}
        item["objects"] = [[columns.object_type, case]]
        attributes = {
            name: self._value(name, kind, row, path)
            for name, kind in columns.attributes.items()
            if row[self._at[name]] != ""
        }
        if attributes:
            item["attributes"] = attributes
        if activity is not None and activity in self._counterparties:
            item["counterparty"] = self._counterparties[activity]
        items.append((time, item))

    def _value(self, name: str, kind: str, row: list[str], path: str) -> Any:
        if kind == "time":
            return self._time(name, row, path)
        text = row[self._at[name]]
        if kind not in ("integer", "decimal"):
            return self._values.read(kind, text, f"{path}.{name}")
        plain = self._columns.numbers.plain(text)
        if plain is None:
            self._values.bad("bad_value", text, f"{path}.{name}", self._columns.numbers.expected)
            return None
        return self._values.read(kind, plain, f"{path}.{name}")

    def _time(self, name: str, row: list[str], path: str) -> str | None:
        text, form = row[self._at[name]], self._columns.formats.get(name, self._columns.timestamp_format)
        if form is None:
            return self._values.time(text, f"{path}.{name}")
        try:
            return self._values.time(form.read(text), f"{path}.{name}")
        except BadTime as error:
            self._findings.add(error.code, f"{path}.{name}", error.detail)
            return None

    def _event_id(self, row: list[str], number: int, path: str) -> str | None:
        column = self._columns.event_id
        if column is None:
            return f"row-{number}"
        event_id = self._values.identifier(row[self._at[column]], f"{path}.{column}")
        if event_id is not None and event_id in self._seen:
            self._findings.add("duplicate_id", f"{path}.{column}", f"event {event_id}")
        self._seen.add(event_id or "")
        return event_id
