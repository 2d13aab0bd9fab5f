"""Exporting a process: the file, and the signed manifest that says what it holds and where it comes from.

Law: the same items up to the same height give the same file and, signed by the same key, the same manifest.
docs/formats.md, section The manifest.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from coseal.audit.export import signed_bytes
from coseal.formats.exporters.chain import ProcessRecord
from coseal.formats.exporters.csv_log import csv_map, write_csv
from coseal.formats.exporters.flat import Flat, flatten
from coseal.formats.exporters.log import ExportLog, log_of
from coseal.formats.exporters.ocel_json import write_ocel_json
from coseal.formats.exporters.ocel_sqlite import write_ocel_sqlite
from coseal.formats.exporters.ocel_xml import write_ocel_xml
from coseal.formats.exporters.parquet import write_parquet
from coseal.formats.exporters.xes import write_xes
from coseal.ledger import merkle
from coseal.ledger.signing import Signer

_WHOLE: Final[dict[str, Callable[[ExportLog], bytes]]] = {
    "ocel-json": write_ocel_json,
    "ocel-sqlite": write_ocel_sqlite,
    "ocel-xml": write_ocel_xml,
}
_EVENTS: Final[dict[str, Callable[[ExportLog], bytes]]] = {"parquet": write_parquet}
_FLAT: Final[Mapping[str, Callable[[ExportLog, Flat], bytes]]] = {"xes": write_xes, "csv": write_csv}
FORMATS: Final = (*_WHOLE, *_FLAT, *_EVENTS)


@dataclass(frozen=True, slots=True)
class Export:
    """A file's bytes, what its manifest says but for its name and signature, and the map of a CSV file."""

    data: bytes
    facts: dict[str, Any]
    map_text: str | None


def export(record: ProcessRecord, format: str, object_type: str | None = None, *, recorded: bool = False) -> Export:
    """Return the export of a process in one of ``FORMATS``; ``object_type`` is for XES and CSV.

    ``recorded``: corrections are items of their own, else they stand in the place of what they correct.
    """
    log = log_of(record.definition, record.rows, recorded=recorded)
    flat = flatten(log, object_type) if format in _FLAT else None
    data = (_WHOLE | _EVENTS)[format](log) if flat is None else _FLAT[format](log, flat)
    map_text = csv_map(log, flat, record.process_type) if format == "csv" and flat is not None else None
    facts: dict[str, Any] = {
        "format": format,
        "view": "recorded" if recorded else "corrected",
        "process_type": record.process_type,
        "definition": record.definition,
        "definitions": [[version, digest] for version, digest in sorted(record.definitions.items())],
        "heights": [record.first_height, record.height],
        "block_hash": record.block_hash.hex(),
        "items": len(record.hashes),
        "items_root": merkle.root(record.hashes).hex(),
        "sources": [
            {
                "source": name,
                "items": source.items,
                "sequence": source.sequence,
                "head": source.head.hex(),
                "zone_minutes": source.zone_minutes,
                "mode": source.mode,
            }
            for name, source in sorted(record.sources.items())
        ],
        "counts": _counts(log, flat, format),
        "leaves_out": dict(sorted(log.leaves_out.items())),
    }
    if format in _WHOLE and (zeros := log.zero_times()):
        facts["zero_times"] = zeros
    if flat is not None:
        facts["object_type"] = flat.object_type
    return Export(data, facts, map_text)


def _counts(log: ExportLog, flat: Flat | None, format: str) -> dict[str, Any]:
    """Return what the file holds, as ``audit.counting`` counts it."""
    if format in _EVENTS:
        return {"events": len(log.events)}
    return log.counts() if flat is None else flat.counts(log)


def manifest(
    made: Export,
    file_name: str,
    chain_id: bytes,
    sender: str,
    signer: Signer,
    registration: dict[str, Any] | None = None,
) -> bytes:
    """Return the bytes of the manifest of an export that is written as ``file_name``, signed.

    ``registration`` is the state proof that gives ``sender`` its key, for one that the genesis does not name.
    """
    document: dict[str, Any] = {
        "coseal": "export",
        "version": 1,
        "chain_id": chain_id.hex(),
        "file": {"name": file_name, "bytes": len(made.data), "sha256": sha256(made.data).hexdigest()},
        **made.facts,
        "signer": sender,
        "public_key": signer.public_key.hex(),
        **({} if registration is None else {"registration": registration}),
    }
    document["signature"] = signer.sign(signed_bytes(document)).hex()
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()
