"""The map file: what a log is called on the ledger, and how the columns of a CSV file are to be read.

Law: every setting is checked when the map is read; a map never names a column or setting that has no effect.

A map is TOML. For every format:

    process_type = "traffic-fines"     # default: the file's name
    source = "fines-2006-2012"         # default: the file's name
    title = "Road traffic fines"       # optional; or { en = "Road traffic fines", zh = "道路交通罚单" }
    mode = "historical"                # or "live"
    zone = "+01:00"                    # only for times without an offset; or a region, "Europe/Rome"
    ambiguous = "refuse"               # of a region: a time that came twice is a finding, or "earlier", "later"
    legal_basis = ["cn-..."]           # optional: policies of the register
    [counterparties]                   # optional: who is asked to confirm the events of a type
    "Payment" = "bank-a"
    [classes]                          # optional: attributes only members may read
    expense = "restricted"
    [seal]                             # optional: attributes that only the readers of a vault see, by the label of
    price = ["amount", "rate"]         # their cell; `coseal import --seal VAULT` seals them

For XES also:

    log_attributes = "keep"            # or "leave-out": what the log says of itself, beside extensions and the like

For documents of trade (ubl, cii) also:

    type = "orders.type.json"          # the process type: arguments of process.define_type, beside the map
    [parties]                          # members by an identifier of the document, or a name
    "0088:1238764941386" = "bank-a"
    [lines]                            # optional: order lines of lines that name none
    "1" = "AEG012345/1"

For CSV also:

    object_type = "case"               # default
    case = "case_id"
    activity = "activity"
    timestamp = "timestamp"
    event_id = "id"                    # optional: default row-1, row-2, ..
    activities = ["Create Fine"]       # optional: others are then findings
    ignore = [".order"]                # every other column must be mapped
    delimiter = ","
    encoding = "utf-8"
    timestamp_format = "%d/%m/%Y %H:%M"  # optional: of all times, see coseal/formats/importers/times.py
    decimal = "."                      # or ","
    thousands = ""                     # or one of . , ' and a space
    [formats]                          # optional: times of a column that are written otherwise
    due = "%d/%m/%Y"
    [attributes]                       # column -> string, integer, boolean, decimal, time
    amount = "decimal"
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping as MappingType
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from coseal.errors import CosealError
from coseal.formats.importers.cells import DECIMALS, ENCODINGS, THOUSANDS, UTF_8, Numbers
from coseal.formats.importers.times import AMBIGUOUS, TimeFormat, Zone, zone_of

ATTRIBUTE_TYPES: Final = ("string", "integer", "boolean", "decimal", "time")
MODES: Final = ("historical", "live")
LOG_ATTRIBUTES: Final = ("keep", "leave-out")
_COLUMN_FIELDS: Final = ("object_type", "case", "activity", "timestamp", "event_id", "delimiter")
_SUFFIXES: Final = (".gz", ".json", ".jsonocel", ".sqlite", ".xml", ".xmlocel", ".xes", ".csv")


@dataclass(frozen=True, slots=True)
class Columns:
    """How a CSV file's columns are read."""

    case: str
    activity: str
    timestamp: str
    object_type: str = "case"
    event_id: str | None = None
    delimiter: str = ","
    encoding: str = UTF_8
    numbers: Numbers = field(default_factory=Numbers)
    timestamp_format: TimeFormat | None = None
    formats: MappingType[str, TimeFormat] = field(default_factory=dict)
    activities: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    attributes: MappingType[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mapping:
    """A map file, read. ``columns`` is None where no CSV is described."""

    process_type: str
    source: str
    title: str | dict[str, str]
    mode: str = "historical"
    zone: Zone = field(default_factory=Zone)
    legal_basis: tuple[str, ...] = ()
    counterparties: MappingType[str, str] = field(default_factory=dict)
    classes: MappingType[str, str] = field(default_factory=dict)
    labels: MappingType[str, str] = field(default_factory=dict)
    """Sealed attributes, each with the label of its cell."""
    columns: Columns | None = None
    log_attributes: bool = True
    """XES: whether the attributes of the log itself are recorded."""
    type_file: Path | None = None
    """Documents of trade: the process type's file; ``parties`` are members by identifiers, ``lines`` order lines."""
    parties: MappingType[str, str] = field(default_factory=dict)
    lines: MappingType[str, str] = field(default_factory=dict)

    @property
    def zone_minutes(self) -> int | None:
        """The offset that the source declares, in minutes east of UTC; None with a region, which has several."""
        return self.zone.minutes

    def definition(
        self,
        object_types: MappingType[str, MappingType[str, str]],
        event_types: MappingType[str, MappingType[str, str]],
    ) -> dict[str, Any]:
        """Return the arguments of ``process.define_type`` for types given as name -> attribute -> type."""
        args: dict[str, Any] = {
            "id": self.process_type,
            "version": 1,
            "title": self.title,
            "object_types": {name: self._attributes(attributes) for name, attributes in object_types.items()},
            "event_types": {name: self._attributes(attributes) for name, attributes in event_types.items()},
        }
        if self.legal_basis:
            args["legal_basis"] = list(self.legal_basis)
        return args

    def source_args(self) -> dict[str, Any]:
        """Return the arguments of ``process.register_source``."""
        args: dict[str, Any] = {"id": self.source, "process_type": self.process_type, "mode": self.mode}
        if self.title:
            args["title"] = self.title
        if self.zone_minutes is not None:
            args["zone_minutes"] = self.zone_minutes
        return args

    def _attributes(self, attributes: MappingType[str, str]) -> dict[str, Any]:
        return {"attributes": {name: self._attribute(name, kind) for name, kind in attributes.items()}}

    def _attribute(self, name: str, kind: str) -> Any:
        if name in self.labels:
            return {"type": kind, "class": "sealed", "label": self.labels[name]}
        return {"type": kind, "class": self.classes[name]} if name in self.classes else kind


def default_mapping(log: Path) -> Mapping:
    """Return the map of a file that came without one: everything bears the file's name."""
    name = log.name
    while name.endswith(_SUFFIXES):
        name = name[: name.rindex(".")]
    return Mapping(process_type=name, source=name, title=name)


@dataclass(frozen=True, slots=True)
class Options:
    """What a command's options say; each comes before the map's setting."""

    zone: str | None = None
    ambiguous: str | None = None
    encoding: str | None = None
    timestamp_format: str | None = None
    decimal: str | None = None
    log_attributes: str | None = None


def load_mapping(path: Path | None, log: Path, zone: str | None = None, options: Options | None = None) -> Mapping:
    """Read the map file for ``log``, as far as ``options`` (or ``zone`` alone) do not say otherwise.

    Raises ``CosealError``.
    """
    chosen = options or Options(zone)
    given = {name: value for name, value in asdict(chosen).items() if value is not None}
    if path is None:
        fields = _Fields(given, log)
        mapping = replace(default_mapping(log), zone=_zone(fields), log_attributes=_log_attributes(fields))
        for name in fields.left():
            raise CosealError(
                f"--{name.replace('_', '-')} is for CSV, which needs a map",
                "give --map, which says which column is the case",
            )
        return mapping
    return _read(path, log, given)


def _read(path: Path, log: Path, given: MappingType[str, str]) -> Mapping:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CosealError(f"{path}: {getattr(error, 'strerror', None) or error}", "--map wants a TOML file") from None
    fields = _Fields({**document, **given}, path)
    default = default_mapping(log)
    process_type = fields.text("process_type", default.process_type)
    mapping = Mapping(
        process_type=process_type,
        source=fields.text("source", process_type),
        title=fields.title("title", process_type),
        mode=fields.one_of("mode", MODES, "historical"),
        zone=_zone(fields),
        legal_basis=fields.texts("legal_basis"),
        counterparties=fields.table("counterparties"),
        classes=fields.table("classes", ("public", "restricted")),
        labels=_labels(fields),
        columns=_columns(fields),
        log_attributes=_log_attributes(fields),
        type_file=_type_file(fields, path),
        parties=fields.table("parties"),
        lines=fields.table("lines"),
    )
    fields.done()
    for name in mapping.classes:
        if name in mapping.labels:
            raise fields.wrong(f"classes.{name}", "it is sealed; name it in one of the two tables")
    return mapping


def _labels(fields: _Fields) -> dict[str, str]:
    labels: dict[str, str] = {}
    for label, names in fields.lists("seal").items():
        for name in names:
            if name in labels:
                raise fields.wrong(f"seal.{label}", f"{name} is named twice; an attribute is in one cell")
            labels[name] = label
    return labels


def _type_file(fields: _Fields, path: Path) -> Path | None:
    name = fields.text("type", "")
    return path.parent / name if name else None


def _zone(fields: _Fields) -> Zone:
    zone, ambiguous = fields.text("zone", ""), fields.one_of("ambiguous", AMBIGUOUS, AMBIGUOUS[0])
    made = zone_of(zone, ambiguous) if zone else Zone()
    if made.region is None and ambiguous != AMBIGUOUS[0]:
        raise fields.wrong("ambiguous", "only with a zone that is a region, as Europe/Rome")
    return made


def _log_attributes(fields: _Fields) -> bool:
    return fields.one_of("log_attributes", LOG_ATTRIBUTES, LOG_ATTRIBUTES[0]) == LOG_ATTRIBUTES[0]


def _numbers(fields: _Fields) -> Numbers:
    decimal, thousands = fields.one_of("decimal", DECIMALS, "."), fields.one_of("thousands", THOUSANDS, "")
    if decimal == thousands:
        raise fields.wrong("thousands", "the same as the decimal mark")
    return Numbers(decimal, thousands)


def _columns(fields: _Fields) -> Columns | None:
    texts = {name: fields.text(name, "") for name in _COLUMN_FIELDS}
    lists = {name: fields.texts(name) for name in ("activities", "ignore")}
    attributes = fields.table("attributes", ATTRIBUTE_TYPES)
    times, formats = fields.text("timestamp_format", ""), fields.table("formats")
    encoding, numbers = fields.one_of("encoding", tuple(ENCODINGS), UTF_8), _numbers(fields)
    plain = (encoding, numbers) == (UTF_8, Numbers())
    if not texts["case"]:
        if any(texts.values()) or any(lists.values()) or attributes or times or formats or not plain:
            raise fields.wrong("case", "expected the column that names the case")
        return None
    for name in ("activity", "timestamp"):
        if not texts[name]:
            raise fields.wrong(name, "missing; a CSV map names case, activity and timestamp")
    if len(texts["delimiter"] or ",") != 1:
        raise fields.wrong("delimiter", "expected one character")
    for name in formats:
        if attributes.get(name) != "time":
            raise fields.wrong(
                f"formats.{name}", "no attribute of type time; that of the timestamp is timestamp_format"
            )
    return Columns(
        case=texts["case"],
        activity=texts["activity"],
        timestamp=texts["timestamp"],
        object_type=texts["object_type"] or "case",
        event_id=texts["event_id"] or None,
        delimiter=texts["delimiter"] or ",",
        encoding=encoding,
        numbers=numbers,
        timestamp_format=TimeFormat(times).checked() if times else None,
        formats={name: TimeFormat(text).checked() for name, text in formats.items()},
        activities=lists["activities"],
        ignore=lists["ignore"],
        attributes=attributes,
    )


class _Fields:
    """Takes settings out of a TOML document and complains about those left."""

    def __init__(self, document: dict[str, Any], path: Path) -> None:
        self._document = dict(document)
        self._path = path

    def wrong(self, name: str, detail: str) -> CosealError:
        return CosealError(f"{self._path}: {name}: {detail}", "see `coseal import --help`")

    def text(self, name: str, default: str) -> str:
        value = self._document.pop(name, default)
        if type(value) is not str or (value == "" and default):
            raise self.wrong(name, "expected a text")
        return value

    def title(self, name: str, default: str) -> str | dict[str, str]:
        """Return a text, or a table of language to text."""
        if type(self._document.get(name)) is dict:
            return self.table(name)
        return self.text(name, default)

    def one_of(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        value = self.text(name, default)
        if value not in allowed:
            raise self.wrong(name, f"expected one of {', '.join(allowed)}")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        value = self._document.pop(name, [])
        if type(value) is not list or any(type(item) is not str for item in value):
            raise self.wrong(name, "expected a list of texts")
        return tuple(value)

    def table(self, name: str, allowed: tuple[str, ...] | None = None) -> dict[str, str]:
        value = self._document.pop(name, {})
        if type(value) is not dict or any(type(item) is not str for item in value.values()):
            raise self.wrong(name, "expected a table of texts")
        for key, item in value.items():
            if allowed is not None and item not in allowed:
                raise self.wrong(f"{name}.{key}", f"expected one of {', '.join(allowed)}")
        return value

    def lists(self, name: str) -> dict[str, list[str]]:
        """Return a table of lists of texts."""
        value = self._document.pop(name, {})
        if type(value) is not dict:
            raise self.wrong(name, "expected a table")
        for key, item in value.items():
            if type(item) is not list or not item or any(type(one) is not str for one in item):
                raise self.wrong(f"{name}.{key}", "expected a list of texts")
        return value

    def left(self) -> list[str]:
        return sorted(self._document)

    def done(self) -> None:
        if self._document:
            raise self.wrong(min(self._document), "unknown setting")
