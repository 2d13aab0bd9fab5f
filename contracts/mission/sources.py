"""Where computed indicators come from: counters that the state has, each read by its key.

Law: a value is what the counters say at that moment, nothing is estimated; what was never counted is 0, and what does
not add exactly is None.

contracts/mission/README.md, section Sources.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from coseal.contracts.certification.state import funds_key, scheme_key
from coseal.contracts.kernel.action import Reader
from coseal.contracts.kernel.fields import Special
from coseal.contracts.kernel.names import is_label, label_rule
from coseal.contracts.participation.entry import CLASSES
from coseal.contracts.participation.state import consultation_key
from coseal.contracts.policy.state import figure_key
from coseal.contracts.policy.statistics import DIMENSIONS
from coseal.contracts.process.state import statistics_key
from coseal.contracts.process.tally import read_tally
from coseal.contracts.standards.state import standard_key
from coseal.contracts.supervision.findings import STATISTICS
from coseal.contracts.supervision.state import rule_statistics_key

Source: TypeAlias = Sequence[str]
"""What is counted, and of what: ``["policies", "area", "payments"]``."""

MAX_TEXT: Final = 256
_MAX_DIGITS: Final = 9
_DIGITS: Final = frozenset("0123456789")


def _policies(reader: Reader, by: str, value: str) -> int:
    figure: Any = reader.get(figure_key(by, value))
    return figure or 0


def _items(reader: Reader, process_type: str) -> int:
    return _counter(reader, statistics_key(process_type), "items")


def _objects(reader: Reader, process_type: str) -> int:
    return _counter(reader, statistics_key(process_type), "objects")


def _findings(reader: Reader, process_type: str, rule: str, outcome: str) -> int:
    return _counter(reader, rule_statistics_key(process_type, rule), outcome)


def _users(reader: Reader, standard: str, version: str) -> int:
    record: Any = reader.get(standard_key(standard, int(version)))
    return sum(record["review"]["users"]) if record is not None and "review" in record else 0


def _certificates(reader: Reader, scheme: str) -> int:
    return _counter(reader, scheme_key(scheme), "certificates")


def _released(reader: Reader, scheme: str) -> int:
    return _counter(reader, funds_key(scheme), "released")


def _comments(reader: Reader, consultation: str, commenter: str) -> int:
    record: Any = reader.get(consultation_key(consultation))
    found: int = 0 if record is None else record["classes"].get(commenter, 0)
    return found


def _tally(reader: Reader, process_type: str, object_type: str, name: str, tally: str) -> int | None:
    return read_tally(reader, process_type, object_type, name).total(tally)


def _counter(reader: Reader, key: str, name: str) -> int:
    counters: Any = reader.get(key)
    found: int = 0 if counters is None else counters.get(name, 0)
    return found


SOURCES: Final[Mapping[str, tuple[int, Callable[..., int | None]]]] = {
    "policies": (2, _policies),
    "items": (1, _items),
    "objects": (1, _objects),
    "findings": (3, _findings),
    "users": (2, _users),
    "certificates": (1, _certificates),
    "released_fen": (1, _released),
    "comments": (2, _comments),
    "tally": (4, _tally),
}
"""What can be counted: how many texts say of what, and how it is read."""


def value_of(reader: Reader, source: Source) -> int | None:  # I3
    """Return what a source says now; None where a tally does not add exactly."""
    return SOURCES[source[0]][1](reader, *source[1:])


def _faults(value: Any) -> Iterator[str]:
    if type(value) is not list or not value or type(value[0]) is not str or value[0] not in SOURCES:
        yield f": expected a list that begins with {', '.join(SOURCES)}"
        return
    kind, wanted = value[0], SOURCES[value[0]][0]
    if len(value) != 1 + wanted:
        yield f": expected {wanted} texts after {kind}"
        return
    for place, text in enumerate(value[1:], 1):
        if not is_label(text, MAX_TEXT):
            yield f"[{place}]: expected {label_rule(MAX_TEXT)}"
            return
    if kind == "policies" and value[1] not in DIMENSIONS:
        yield f"[1]: expected one of {', '.join(DIMENSIONS)}"
    if kind == "findings" and value[3] not in STATISTICS:
        yield f"[3]: expected one of {', '.join(STATISTICS)}"
    if kind == "comments" and value[2] not in CLASSES:
        yield f"[2]: expected one of {', '.join(CLASSES)}"
    if kind == "users" and not is_version(value[2]):
        yield "[2]: expected a version, such as 1"


def is_version(text: str) -> bool:
    """Say whether a text is a number from 1 on, in digits and without zeros before it."""
    return 0 < len(text) <= _MAX_DIGITS and _DIGITS.issuperset(text) and text[0] != "0"


SOURCE: Final = Special(
    _faults,
    "what is counted, and of what, such as policies, area, payments",
    {"type": "array", "minItems": 2, "maxItems": 5, "items": {"type": "string"}},
    refused=(
        None,
        [],
        ["none"],
        ["items"],
        ["items", 1],
        ["policies", "colour", "red"],
        ["findings", "works", "r", "lost"],
        ["users", "s", "01"],
        ["users", "s", "x"],
        ["items", "a", "b"],
        ["comments", "c", "crowd"],
        ["tally", "a", "b", "c"],
        ["items", "x" * (MAX_TEXT + 1)],
        [["items"], "a"],
    ),
    passed=(
        ["policies", "area", "payments"],
        ["items", "works"],
        ["objects", "works"],
        ["findings", "works", "r", "raised"],
        ["users", "s", "1"],
        ["certificates", "rationality"],
        ["released_fen", "rationality"],
        ["comments", "draft-law", "person"],
        ["tally", "works", "site", "S1", "built"],
    ),
)
