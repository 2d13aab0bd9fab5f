"""Where computed indicators come from: counters that the state has, each read by its key.

Law: a value is what the counters say at that moment, nothing is estimated; what was never counted is 0, and what does
not add exactly is None.

contracts/mission/README.md, section Sources.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from coseal.contracts.certification.state import funds_key, scheme_key
from coseal.contracts.kernel.action import Reader
from coseal.contracts.kernel.fields import Special
from coseal.contracts.kernel.names import is_label, label_rule
from coseal.contracts.participation.entry import CLASSES
from coseal.contracts.participation.state import consultation_key
from coseal.contracts.policy.state import figure_key
from coseal.contracts.policy.statistics import DIMENSIONS
from coseal.contracts.process.state import statistics_key, tally_key
from coseal.contracts.process.tally import tally_from
from coseal.contracts.standards.state import standard_key
from coseal.contracts.supervision.findings import STATISTICS
from coseal.contracts.supervision.state import rule_statistics_key

Source: TypeAlias = Sequence[str]
"""What is counted, and of what: ``["policies", "area", "payments"]``."""

MAX_TEXT: Final = 256
_MAX_DIGITS: Final = 9
_DIGITS: Final = frozenset("0123456789")


class Count(NamedTuple):
    """A thing that can be counted: how many texts say of what, where the state has it, and what of that value counts.

    ``read`` is given the value at the key, which may be None, and the texts.
    """

    texts: int
    key: Callable[..., str]
    read: Callable[..., int | None]


def _policies(figure: Any, by: str, value: str) -> int:
    return figure or 0


def _counter(name: str) -> Callable[..., int]:
    """Return what reads a counter of that name."""

    def read(counters: Any, *texts: str) -> int:
        found: int = 0 if counters is None else counters.get(name, 0)
        return found

    return read


def _findings(counters: Any, process_type: str, rule: str, outcome: str) -> int:
    return _counter(outcome)(counters)


def _users(record: Any, standard: str, version: str) -> int:
    return sum(record["review"]["users"]) if record is not None and "review" in record else 0


def _comments(record: Any, consultation: str, commenter: str) -> int:
    return 0 if record is None else _counter(commenter)(record["classes"])


def _tally(value: Any, process_type: str, object_type: str, name: str, tally: str) -> int | None:
    return tally_from(value).total(tally)


SOURCES: Final[Mapping[str, Count]] = {
    "policies": Count(2, figure_key, _policies),
    "items": Count(1, statistics_key, _counter("items")),
    "objects": Count(1, statistics_key, _counter("objects")),
    "findings": Count(3, lambda process_type, rule, _: rule_statistics_key(process_type, rule), _findings),
    "users": Count(2, lambda standard, version: standard_key(standard, int(version)), _users),
    "certificates": Count(1, scheme_key, _counter("certificates")),
    "released_fen": Count(1, funds_key, _counter("released")),
    "comments": Count(2, lambda consultation, _: consultation_key(consultation), _comments),
    "tally": Count(4, lambda process_type, object_type, name, _: tally_key(process_type, object_type, name), _tally),
}
"""What can be counted, by the word that a source begins with."""


def counter_key(source: Source) -> str:
    """Return the state key of the value that says what a source counts."""
    return SOURCES[source[0]].key(*source[1:])


def value_of(reader: Reader, source: Source) -> int | None:  # I3
    """Return what a source says now; None where a tally does not add exactly."""
    return SOURCES[source[0]].read(reader.get(counter_key(source)), *source[1:])


def _faults(value: Any) -> Iterator[str]:
    if type(value) is not list or not value or type(value[0]) is not str or value[0] not in SOURCES:
        yield f": expected a list that begins with {', '.join(SOURCES)}"
        return
    kind, wanted = value[0], SOURCES[value[0]].texts
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
