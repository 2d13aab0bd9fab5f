"""CSV, flattened on one object type: one row an event of one case, and the map that reads it back.

Law: the reader of ``coseal.formats.importers.csv_log`` gets the same events back with the map of ``csv_map``.
"""

from __future__ import annotations

import csv
import io
import json
from typing import Final

from coseal.formats.exporters.flat import Flat
from coseal.formats.exporters.log import ExportLog
from coseal.formats.exporters.xml_text import plain

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
    names = list(log.event_columns(_OWN))
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*_OWN, *(log.column(name, _OWN) for name in names)])
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
    lines += [
        f"{_toml(log.column(name, _OWN))} = {_toml(_LEDGER_TYPES[kind])}"
        for name, kind in log.event_columns(_OWN).items()
    ]
    return "\n".join(lines) + "\n"


def _toml(text: str) -> str:
    """Return a TOML basic string; JSON's escapes are a part of TOML's."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
