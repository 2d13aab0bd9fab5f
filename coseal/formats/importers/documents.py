"""Documents of trade as logs: one document becomes a few items of a source of its own.

Law: a document is recorded once, under a source that its kind and id name, and its digest is evidence of every item.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from coseal.contracts.kernel.names import is_reference
from coseal.errors import CosealError
from coseal.formats.documents import cii, ubl
from coseal.formats.documents.document import Document
from coseal.formats.documents.items import items_of
from coseal.formats.importers.log import Findings, Log, read_bytes
from coseal.formats.importers.mapping import Mapping
from coseal.ledger.errors import LedgerError
from coseal.ledger.strict_json import strict_json


def read_ubl(path: Path, mapping: Mapping) -> Log:
    """Read a UBL 2 document."""
    return _read(path, mapping, ubl.read_document)


def read_cii(path: Path, mapping: Mapping) -> Log:
    """Read a UN/CEFACT Cross Industry Invoice."""
    return _read(path, mapping, cii.read_document)


def _read(path: Path, mapping: Mapping, read: Callable[[Path], Document]) -> Log:
    definition = _definition(path, mapping)
    document, findings = read(path), Findings()
    digest = sha256(read_bytes(path)).hexdigest()
    items, notes = items_of(document, digest, mapping.parties, mapping.lines, findings)
    if mapping.zone_minutes is None:
        findings.add("no_offset", "IssueDate", f"{document.date} is a day in no zone")
    source = f"documents/{document.kind}/{document.id}"
    if not is_reference(source):
        findings.add("bad_id", "ID", f"{document.id[:64]!r} cannot name a source")
    findings.require_none(path)
    args = {"id": source, "process_type": definition["id"], "mode": mapping.mode, "zone_minutes": mapping.zone_minutes}
    return Log(definition, args, tuple(items), tuple(notes))


def _definition(path: Path, mapping: Mapping) -> dict[str, Any]:
    if mapping.type_file is None:
        raise CosealError(
            f"{path}: which process type does it belong to?",
            'give --map, with type = "orders.type.json" and [parties]',
        )
    try:
        found = strict_json(mapping.type_file.read_text("utf-8"), str(mapping.type_file))
    except (OSError, UnicodeDecodeError, LedgerError) as error:
        raise CosealError(f"{mapping.type_file}: {error}", "type names a file of process.define_type") from None
    if type(found) is not dict or type(found.get("id")) is not str:
        raise CosealError(f"{mapping.type_file}: no process type", "type names a file of process.define_type")
    return found
