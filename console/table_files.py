"""A table of a page as a file: CSV or JSON, of what the page shows, with whether this console verified it.

Law: a file holds what the table showed and nothing else; a cell that a spreadsheet would take for a formula is marked
as text. The seal of the section that the table stands in goes with it.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

from coseal.console.page import Page, View

KINDS: Final = ("csv", "json")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_VOID: Final = frozenset({"br", "hr", "img", "input", "link", "meta"})


@dataclass
class _Table:
    """What was found of a table: its headings, its rows, and the seals of its section."""

    headings: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    verified: bool | None = None


def wanted(page: Page) -> bool:
    """Say whether a file of a table is asked for: then lists give more rows."""
    return page.query("table") is not None and page.query("file") in KINDS


def file_of(page: Page, view: View) -> View:
    """Return a table of a built page as a file; the page itself if it has no such table."""
    name, kind = page.query("table") or "", page.query("file")
    reader = _Reader(name)
    reader.feed(view.body)
    found = reader.table
    if found is None:
        return view
    if kind == "csv":
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow(found.headings)
        writer.writerows([_as_text(cell) for cell in row] for row in found.rows)
        return page.file(f"{name}.csv", "\ufeff" + out.getvalue())
    rows = [dict(zip(found.headings, row, strict=False)) for row in found.rows]
    document = {"table": name, "page": page.link(table=None, file=None), "verified": found.verified, "rows": rows}
    return page.file(f"{name}.json", json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def _as_text(cell: str) -> str:
    is_number = cell.replace(",", "").replace(".", "").removeprefix("-").isdigit()
    return f"'{cell}" if cell.startswith(_FORMULA) and not is_number else cell


class _Reader(HTMLParser):
    """Reads one table of the console's own markup, and the seal in the head of the section around it."""

    def __init__(self, name: str) -> None:
        super().__init__(convert_charrefs=True)
        self.table: _Table | None = None
        self._name = name
        self._open: list[tuple[str, str]] = []
        self._inside: _Table | None = None
        self._sealed: bool | None = None
        self._cell: list[str] | None = None
        self._row: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        kinds = given.get("class", "")
        if tag == "section":
            self._sealed = None
        elif tag == "details" and "seal" in kinds.split() and self._within("section-aside"):
            self._sealed = "verified" in kinds.split()
        elif tag == "table" and given.get("data-table") == self._name and self.table is None:
            self.table = self._inside = _Table(verified=self._sealed)
        elif tag == "tr":
            self._row = []
        elif tag in ("th", "td"):
            self._cell = []
        if tag not in _VOID:
            self._open.append((tag, kinds))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass
        if tag == "table":
            self._inside = None
        elif tag in ("th", "td") and self._cell is not None:
            self._row.append(" ".join("".join(self._cell).split()))
            self._cell = None
        elif tag == "tr" and self._inside is not None:
            if self._inside.headings:
                self._inside.rows.append(self._row)
            else:
                self._inside.headings = self._row

    def handle_data(self, data: str) -> None:
        if self._cell is not None and not self._within("seal"):
            self._cell.append(data)

    def _within(self, kind: str) -> bool:
        return any(kind in kinds.split() for _, kinds in self._open)
