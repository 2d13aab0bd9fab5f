"""What a node's JSON must look like: every document that pages take from a node is read through a shape.

Law: a page never meets a value of another type, size or range than its shape says; what a shape does not name is left
out. A document that does not fit is odd, and says where.

    FINDINGS = record(height=integer(), findings=listed(record(id=text())), next=optional(text()))
    FINDINGS(document, "findings")
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from coseal.ledger import codec
from coseal.ledger.errors import LedgerError, Malformed
from coseal.ledger.render import MAX_DOCUMENT_DEPTH
from coseal.ledger.strict_json import strict_json

Shape = Callable[[Any, str], Any]
"""``shape(value, where)`` returns the value as a page may use it, or raises ``Malformed``."""

TEXT_CHARACTERS: Final = 65_536
ROWS: Final = 10_000
TIME_MS_MAX: Final = 2**53
"""Beyond the year 287,000: a time above it is nobody's."""


CANNOT: Final = "cannot_be_shown"
"""The field by which a node says why an entry of a list could not be shown (docs/spec/api.md)."""


class Odd(LedgerError):
    """What a node answered is not the document that was asked for, or not of its form."""


def read(body: bytes, shape: Shape, what: str = "answer") -> Any:
    """Return the JSON document of ``body`` in its shape; raise ``Odd``."""
    try:
        return shape(strict_json(body, what, depth=MAX_DOCUMENT_DEPTH), what)
    except Malformed as error:
        raise Odd(error.reason) from None


def integer(low: int = 0, high: int = 2**63 - 1) -> Shape:
    """Return the shape of an integer from ``low`` to ``high``."""
    return lambda value, where: codec.integer(value, where, low=low, high=high)


def text(limit: int = TEXT_CHARACTERS) -> Shape:
    """Return the shape of a text of at most ``limit`` characters; it may be empty."""

    def shape(value: Any, where: str) -> str:
        if type(value) is not str or len(value) > limit:
            raise Malformed(f"{where}: expected a text of at most {limit} characters")
        return value

    return shape


_reason: Final = text(1_024)


def one_of(*words: str) -> Shape:
    """Return the shape of a text that is one of some words."""

    def shape(value: Any, where: str) -> str:
        if type(value) is not str or value not in words:
            raise Malformed(f"{where}: expected one of {', '.join(words)}")
        return value

    return shape


def matching(pattern: str, what: str) -> Shape:
    """Return the shape of a text that matches a pattern as a whole; ``what`` says in words what that is."""
    form = re.compile(pattern)

    def shape(value: Any, where: str) -> str:
        if type(value) is not str or form.fullmatch(value) is None:
            raise Malformed(f"{where}: expected {what}")
        return value

    return shape


def flag(value: Any, where: str) -> bool:
    """Return ``value`` if it is true or false."""
    if type(value) is not bool:
        raise Malformed(f"{where}: expected true or false")
    return value


def optional(shape: Shape) -> Shape:
    """Return the shape of a value that may be null."""
    return lambda value, where: None if value is None else shape(value, where)


class Rows(list[Any]):
    """A list whose node could not show some of its entries: ``unshown`` has the reason of each."""

    unshown: tuple[str, ...] = ()


def listed(shape: Shape, limit: int = ROWS, *, least: int = 0) -> Shape:
    """Return the shape of a list of ``least`` to ``limit`` values of one shape.

    What the node says it cannot show is kept apart: nothing else of such an entry is sure.
    """

    def of_list(value: Any, where: str) -> list[Any]:
        rows = codec.sequence(value, where, limit=limit)
        if len(rows) < least:
            raise Malformed(f"{where}: expected at least {least} items")
        found = Rows()
        for number, row in enumerate(rows):
            if type(row) is dict and CANNOT in row:
                found.unshown += (_reason(row[CANNOT], f"{where}[{number}].{CANNOT}"),)
            else:
                found.append(shape(row, f"{where}[{number}]"))
        return found

    return of_list


def pair(first: Shape, second: Shape) -> Shape:
    """Return the shape of a list of two values, each with a shape of its own."""

    def of_pair(value: Any, where: str) -> tuple[Any, Any]:
        found = codec.sequence(value, where, limit=2)
        if len(found) < 2:
            raise Malformed(f"{where}: expected two items")
        return first(found[0], f"{where}[0]"), second(found[1], f"{where}[1]")

    return of_pair


def mapped(shape: Shape, limit: int = ROWS) -> Shape:
    """Return the shape of a map from any texts to values of one shape."""

    def of_map(value: Any, where: str) -> dict[str, Any]:
        fields = codec.mapping(value, where)
        if len(fields) > limit:
            raise Malformed(f"{where}: expected a map of at most {limit} fields")
        return {name: shape(held, f"{where}.{name[:64]}") for name, held in fields.items()}

    return of_map


def record(**fields: Shape) -> Shape:
    """Return the shape of a map with these fields; one whose shape is ``maybe`` may be missing.

    What is read has every field, so a page never fails for one that a node leaves out.
    """

    def of_record(value: Any, where: str) -> dict[str, Any]:
        given = codec.mapping(value, where)
        found = {}
        for name, shape in fields.items():
            if name in given:
                found[name] = shape(given[name], f"{where}.{name}")
            elif isinstance(shape, _Maybe):
                found[name] = shape.otherwise
            else:
                raise Malformed(f"{where}.{name}: missing")
        return found

    return of_record


class _Maybe:
    """The shape of a field that may be missing."""

    def __init__(self, shape: Shape, otherwise: Any) -> None:
        self._shape, self.otherwise = shape, otherwise

    def __call__(self, value: Any, where: str) -> Any:
        return self._shape(value, where)


def maybe(shape: Shape, otherwise: Any = None) -> Shape:
    """Return the shape of a field that may be missing, and is ``otherwise`` then."""
    return _Maybe(shape, otherwise)


height: Final = integer()
time_ms: Final = integer(high=TIME_MS_MAX)
duration_ms: Final = integer(low=-TIME_MS_MAX, high=TIME_MS_MAX)
name: Final = text(1_024)
cursor: Final = optional(text(1_024))
digest: Final = matching("[0-9a-f]{64}", "64 hexadecimal digits")
