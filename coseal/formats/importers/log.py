"""What every importer produces: a log as the process contract takes it, or the findings that forbid it.

Law: items are in one deterministic order: what has no time first, then by time, equal times as the file has them.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from coseal.audit.export import read_at_most
from coseal.contracts.kernel.names import identifier_rule, is_identifier, is_label, label_rule
from coseal.contracts.process.items import is_decimal, time_ms
from coseal.errors import BadAnswer, CosealError
from coseal.formats.importers.times import BadTime, Zone

EXAMPLES_MAX: Final = 5
UNPACKED_BYTES_MAX: Final = 1 << 30
_GZIP: Final = b"\x1f\x8b"
_FRACTION: Final = re.compile(r"\.([0-9]+)", re.ASCII)
_INT64: Final = range(-(2**63), 2**63)
_TEXT_MAX: Final = 4_096


@dataclass(frozen=True, slots=True)
class Log:
    """A log ready to be recorded.

    ``definition`` and ``source`` are the arguments of ``process.define_type`` and ``process.register_source``;
    ``items`` those of ``process.record``, in order. ``events``, ``objects`` and so on count the items by kind.
    """

    definition: dict[str, Any]
    source: dict[str, Any]
    items: tuple[dict[str, Any], ...]
    notes: tuple[str, ...] = ()
    """What a reader of the log should know, though nothing is wrong with it."""

    def counts(self) -> dict[str, int]:
        """Return how many items there are of each kind."""
        kinds = {"events": "event", "declarations": "object", "changes": "change", "relations": "relation"}
        return {name: sum(key in item for item in self.items) for name, key in kinds.items()}


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of fault: how often, and where the first ones are."""

    code: str
    count: int
    examples: tuple[tuple[str, str], ...]

    @property
    def advice(self) -> str:
        """What can be done about it; empty where the examples say it."""
        return ADVICE.get(self.code, "")


_RENAME: Final = (
    "give it another name in the file, the same wherever it stands; keep the old one as an attribute if it matters"
)
ADVICE: Final[Mapping[str, str]] = {
    "bad_id": _RENAME,
    "bad_name": _RENAME,
    "no_offset": "give the zone of these times: --zone +08:00, or --zone Europe/Rome where there is summer time",
    "ambiguous_time": "clocks were set back, so this time came twice: --ambiguous earlier (or later) says which it is",
    "no_such_time": "clocks were set forward past this local time: correct it in the file, or write it with its offset",
    "unmapped_column": "name it in the map's [attributes] with its type, or leave it out by name with ignore",
    "missing_column": "names are compared letter by letter; the delimiter may be another one (delimiter in the map)",
    "not_utf8": 'say the encoding: --encoding cp1252, or gb18030, latin-1, utf-16, ..; in the map, encoding = "cp1252"',
    "header_too_large": (
        "--log-attributes leave-out imports the log without them, counted; in the map, log_attributes"
    ),
    "bad_encoding": "it is another encoding, or the file is damaged at that line",
}
"""By code, what a person can do."""


@dataclass(slots=True)
class Findings:
    """Collects the faults of a file by code, each with its path; counts all, keeps the first few."""

    _found: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)

    def add(self, code: str, path: str, detail: str) -> None:
        """Note a fault of the value at ``path``."""
        self._counts[code] = self._counts.get(code, 0) + 1
        examples = self._found.setdefault(code, [])
        if len(examples) < EXAMPLES_MAX:
            examples.append((path, detail))

    def all(self) -> tuple[Finding, ...]:
        """Return what was found, by code in the order of first appearance."""
        return tuple(Finding(code, self._counts[code], tuple(rows)) for code, rows in self._found.items())

    def require_none(self, path: Path) -> None:
        """Raise ``BadLog`` if anything was found."""
        if self._found:
            raise BadLog(path, self.all())


class BadLog(BadAnswer):
    """A file that is not imported; ``findings`` say what is wrong with it."""

    def __init__(self, path: Path, findings: tuple[Finding, ...]) -> None:
        total = sum(finding.count for finding in findings)
        super().__init__(f"{path}: {total} finding{'s' * (total != 1)}, nothing was recorded")
        self.findings = findings


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes, unpacked if it is packed with gzip; at most ``UNPACKED_BYTES_MAX``."""
    try:
        with path.open("rb") as file:
            packed = file.read(len(_GZIP)) == _GZIP
            file.seek(0)
            data = read_at_most((gzip.GzipFile(fileobj=file) if packed else file).read, UNPACKED_BYTES_MAX + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise CosealError(f"{path}: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > UNPACKED_BYTES_MAX:
        raise CosealError(f"{path}: more than {UNPACKED_BYTES_MAX >> 20} MiB", "split the log by time or by case")
    return data


def read_text(path: Path) -> str:
    """Return a file's text, UTF-8 with or without a byte order mark."""
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        findings = Findings()
        findings.add("not_utf8", f"byte {error.start}", error.reason)
        raise BadLog(path, findings.all()) from None


def in_time_order(items: Iterable[tuple[str | None, dict[str, Any]]], zone: int | None) -> tuple[dict[str, Any], ...]:
    """Return items sorted stably by their time text; None is before all times. The texts are readable."""
    return tuple(item for _, item in sorted(items, key=lambda pair: time_key(pair[0], zone)))


def time_key(text: str | None, zone: int | None) -> tuple[int, str]:
    """Return (ms, the digits below a ms) of a readable time, None before all; a ledger cuts those digits, not a log."""
    if text is None:
        return (-(2**63), "")
    fraction = _FRACTION.search(text)
    return time_ms(text, zone) or 0, fraction[1][3:].rstrip("0") if fraction else ""


class Values:
    """Reads a file's values as the declared types want them, and notes each that does not fit."""

    def __init__(self, findings: Findings, zone: Zone) -> None:
        """``zone``: what times without an offset are."""
        self._findings = findings
        self._zone = zone

    def read(self, kind: str, value: Any, path: str) -> Any:
        """Return ``value`` as ``kind`` (a type of the process contract), None if it does not fit.

        A text may spell an integer, boolean or decimal, as OCEL 2.0 JSON and CSV do; the spelling must be the
        plain one (``5``, not ``+5`` or ``5.0``), so that nothing is lost by reading it.
        """
        readers = {
            "string": self._string,
            "integer": self._integer,
            "boolean": self._boolean,
            "decimal": self._decimal,
            "time": self.time,
        }
        return readers[kind](value, path)

    def identifier(self, value: Any, path: str) -> str | None:
        """Return ``value`` if it can name an event, object or type on the ledger."""
        if is_identifier(value):
            return str(value)
        self.bad("bad_id", value, path, identifier_rule())
        return None

    def object_type(self, value: Any, path: str) -> str | None:
        """Return ``value`` if it can name an object type on the ledger."""
        if is_identifier(value) and "/" not in value:
            return str(value)
        self.bad("bad_name", value, path, identifier_rule(slash=False))
        return None

    def label(self, value: Any, path: str) -> str | None:
        """Return ``value`` if it can name an activity or an attribute on the ledger."""
        if is_label(value):
            return str(value)
        self.bad("bad_name", value, path, label_rule())
        return None

    def time(self, value: Any, path: str) -> str | None:
        """Return a time text as it is, or with the offset of its region, if it can be read."""
        if type(value) is not str:
            self.bad("bad_value", value, path, "a time as 2026-01-05T10:00:00+08:00")
            return None
        try:
            return self._zone.read(value)
        except BadTime as error:
            self._findings.add(error.code, path, error.detail)
            return None

    def _string(self, value: Any, path: str) -> str | None:
        if type(value) is str and len(value) <= _TEXT_MAX:
            return value
        self.bad("bad_value", value, path, f"a text of at most {_TEXT_MAX} characters")
        return None

    def _integer(self, value: Any, path: str) -> int | None:
        if type(value) is str and len(value) <= 20 and re.fullmatch(r"0|-?[1-9][0-9]*", value, re.ASCII):
            value = int(value)
        if type(value) is int and value in _INT64:
            return value
        self.bad("bad_value", value, path, "an integer of 64 bit")
        return None

    def _boolean(self, value: Any, path: str) -> bool | None:
        if type(value) is bool:
            return value
        if value in ("true", "false") and isinstance(value, str):
            return value == "true"
        self.bad("bad_value", value, path, "true or false")
        return None

    def _decimal(self, value: Any, path: str) -> str | None:
        """Keep the source's own digits."""
        text = str(value) if isinstance(value, str) or type(value) is int else ""
        if is_decimal(text):
            return text
        self.bad("bad_value", value, path, "a decimal number")
        return None

    def bad(self, code: str, value: Any, path: str, expected: str) -> None:
        """Note that a value is not what is expected."""
        self._findings.add(code, path, f"{str(value)[:60]!r} is not {expected}")
