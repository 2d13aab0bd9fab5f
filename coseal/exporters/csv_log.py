"""CSV, flattened on one object type: one row an event of one case, and the map that reads it back.

Law: the reader of ``coseal.importers.csv_log`` gets the same events back with the map of ``csv_map``.
"""

from __future__ import annotations

import csv
import io
import json
from typing import Final

from coseal.errors import CosealError
from coseal.exporters.flat import Flat
from coseal.exporters.log import ExportLog
from coseal.exporters.xml_text import plain

_LEDGER_TYPES: Final = {
    "string": "string",
    "integer": "integer",
    "boolean": "boolean",
    "float": "decimal",
    "time": "time",
}
_OWN: Final = ("case", "activity", "timestamp", "event_id")


def write_csv(log: ExportLog, flat: Flat) -> bytes:
    """Return the file's bytes; what CSV cannot say is counted in the log's ``leaves_out``."""
    names = list(_columns(log))
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*_OWN, *(_column(name) for name in names)])
    for one, events in flat.cases:
        log.leave_out("object_values", len(one.values))
        log.leave_out("cases_without_events", int(not events))
        for event in events:
            values = [event.attributes.get(name) for name in names]
            log.leave_out("empty_texts", sum(value == "" for value in values))
            texts = ["" if value is None else plain(value) for value in values]
            writer.writerow([one.id, event.type, event.time, event.id, *texts])
    return file.getvalue().encode()


def csv_map(log: ExportLog, flat: Flat, process_type: str) -> str:
    """Return the map file (TOML) with which ``coseal import`` reads what ``write_csv`` wrote."""
    columns = {"process_type": process_type, "object_type": flat.object_type}
    lines = [f"{name} = {_toml(value)}" for name, value in columns.items()]
    lines += [f"{name} = {_toml(name)}" for name in _OWN]
    lines += [f"activities = [{', '.join(_toml(name) for name in log.event_types)}]", "", "[attributes]"]
    lines += [f"{_toml(_column(name))} = {_toml(_LEDGER_TYPES[kind])}" for name, kind in _columns(log).items()]
    return "\n".join(lines) + "\n"


def _columns(log: ExportLog) -> dict[str, str]:
    """Return every attribute of events with its type; one name of several types is a text."""
    result: dict[str, str] = {}
    for attributes in log.event_types.values():
        for name, kind in attributes.items():
            result[name] = kind if result.get(name, kind) == kind else "string"
    for name in result:
        if _column(name) != name and _column(name) in result:
            raise CosealError(f"two attributes would be the column {_column(name)}", "export it as ocel-json")
    return result


def _column(name: str) -> str:
    """Return an attribute's column; one named as a column of ours is marked."""
    return f"attribute:{name}" if name in _OWN else name


def _toml(text: str) -> str:
    """Return a TOML basic string; JSON's escapes are a part of TOML's."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
