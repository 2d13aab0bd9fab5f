"""Reading a log file of any known format, and checking it as the ledger will.

Law: what this returns, the process contract accepts; so a bad file is refused before anything is sent.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from coseal.contracts.process.cells import in_the_clear
from coseal.contracts.process.items import Unfit, schema_of
from coseal.contracts.process.types import DEFINE_TYPE, definition_hash, normalised
from coseal.errors import CosealError
from coseal.formats.importers import mapping as maps
from coseal.formats.importers.cloudevents import read_cloudevents
from coseal.formats.importers.csv_log import read_csv
from coseal.formats.importers.documents import read_cii, read_ubl
from coseal.formats.importers.log import Findings, Log, read_bytes
from coseal.formats.importers.ocel1_json import read_ocel1_json
from coseal.formats.importers.ocel1_xml import read_ocel1_xml
from coseal.formats.importers.ocel_json import read_ocel_json
from coseal.formats.importers.ocel_sqlite import MAGIC, read_ocel_sqlite
from coseal.formats.importers.ocel_xml import read_ocel_xml
from coseal.formats.importers.xes import read_xes
from coseal.formats.iso20022.reserves import read_reserves

FORMATS: Final[Mapping[str, Callable[[Path, maps.Mapping], Log]]] = {
    "ocel-json": read_ocel_json,
    "ocel-sqlite": read_ocel_sqlite,
    "ocel-xml": read_ocel_xml,
    "ocel1-json": read_ocel1_json,
    "ocel1-xml": read_ocel1_xml,
    "xes": read_xes,
    "cloudevents": read_cloudevents,
    "ubl": read_ubl,
    "cii": read_cii,
    "pacs.009": read_reserves,
    "csv": read_csv,
}


def read_log(path: Path, mapping: maps.Mapping, format: str | None = None, *, sealing: bool = False) -> Log:
    """Read a file; ``format`` is found from its content if None. Raises ``BadLog`` with everything that is wrong.

    With ``sealing`` the file has the values of sealed attributes, which are to be sealed; otherwise commitments.
    """
    name = format or format_of(path, mapping)
    if name is None or name not in FORMATS:
        raise CosealError(f"{path}: which format is it?", f"give --format {' or '.join(FORMATS)}")
    if name != "xes" and not mapping.log_attributes:
        raise CosealError(f"{path}: log_attributes is for XES, this is {name}", "leave --log-attributes out")
    log = FORMATS[name](path, mapping)
    _require_named(path, log, mapping)
    _check(path, log, sealing=sealing)
    if mapping.zone.region is None:
        return log
    note = f"times without an offset are local times of {mapping.zone.region}, recorded with the offset its clocks had"
    return replace(log, notes=(note, *log.notes))


def format_of(path: Path, mapping: maps.Mapping) -> str | None:
    """Return the format a file's content shows, else the one its map or its name tells (CSV shows nothing)."""
    data = read_bytes(path)
    if data.startswith(MAGIC):
        return "ocel-sqlite"
    if data.startswith(_UTF_16):  # of XML, which says so itself
        data = data.decode("utf-16-be" if data[0] in b"\0\xfe" else "utf-16-le", "replace").lstrip("\ufeff").encode()
    start = data[:4096].removeprefix(codecs.BOM_UTF8).lstrip()
    if start.startswith(b"<"):
        return next((name for marks, name in _XML_MARKS if any(mark in data for mark in marks)), "xes")
    if start.startswith((b"{", b"[")):
        return next((name for mark, name in _JSON_MARKS if mark in data), "ocel-json")
    ending = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    return "csv" if mapping.columns is not None else _ENDINGS.get(ending)


_ENDINGS: Final = {".csv": "csv", ".json": "ocel-json", ".jsonocel": "ocel-json"}
_UTF_16: Final = (codecs.BOM_UTF16_BE, codecs.BOM_UTF16_LE, b"\0<", b"<\0")
_XML_MARKS: Final = (
    ((b"urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",), "ubl"),
    ((b"urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",), "cii"),
    ((b"<object-types", b"<event-types"), "ocel-xml"),
    ((b"<objects>", b"<objects/>"), "ocel1-xml"),
)
_JSON_MARKS: Final = (
    (b'"ocel:events"', "ocel1-json"),
    (b'"ocel:global-log"', "ocel1-json"),
    (b'"eventTypes"', "ocel-json"),
    (b'"specversion"', "cloudevents"),
)


def _require_named(path: Path, log: Log, mapping: maps.Mapping) -> None:
    """Raise ``CosealError`` if the map keeps back an attribute that the file lacks: a mistyped name stays public."""
    types = (*log.definition.get("object_types", {}).values(), *log.definition.get("event_types", {}).values())
    names = {name for one in types for name in one.get("attributes", {})}
    for table, wanted in (("seal", mapping.labels), ("classes", mapping.classes)):
        for name in wanted:
            if name not in names:
                raise CosealError(f"{path}: no attribute {name}, which the map names in [{table}]")


def _check(path: Path, log: Log, *, sealing: bool) -> None:
    findings = Findings()
    refused = DEFINE_TYPE.arguments.check(log.definition)
    if refused is not None:
        findings.add(refused.code, "process type", refused.detail)
        findings.require_none(path)
    definition = normalised(log.definition)
    named = {**definition, "definition": definition_hash(definition).hex()}
    schema = schema_of(in_the_clear(named) if sealing else named, log.source.get("zone_minutes"))
    for item in log.items:
        try:
            schema.read(item)
        except Unfit as error:
            kind = next(key for key in ("event", "object", "change", "relation") if key in item)
            findings.add("does_not_fit", f"{kind} {item[kind]}{str(error).partition(':')[0]}", str(error))
    findings.require_none(path)
