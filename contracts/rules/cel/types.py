"""The types of CEL-S/1: how they are written, when two agree, how much a value of them can weigh.

Law: a type is finite and has a greatest size, so that the worst case of an operation on it is known.

docs/spec/rules.md, rules G20 to G24.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from coseal.contracts.rules.cel.lexer import Token, tokens
from coseal.contracts.rules.cel.values import MAX_ITEMS
from coseal.contracts.rules.errors import RuleError, quoted

STRING_SIZE: Final = 4_096  # characters of a string from outside, at most
CHARACTERS_A_STEP: Final = 1_024  # compared or copied
DYN_WEIGHT: Final = 1_024  # steps of comparing values of which nothing is known
MAX_TYPE_DEPTH: Final = 8


@dataclass(frozen=True, slots=True)
class Type:
    """A type (G20): ``kind``, the type of a list's items or a map's values, the fields of a record.

    A record is a map of which the fields are known: a name and its type.
    """

    kind: str
    item: Type | None = None
    fields: tuple[tuple[str, Type], ...] = ()

    def __str__(self) -> str:
        if self.kind == "record":
            return "{" + ", ".join(f"{quoted(name)}: {field}" for name, field in self.fields) + "}"
        return self.kind if self.item is None else f"{self.kind}({self.item})"

    def field(self, name: str) -> Type | None:
        """Return the type of a record's field."""
        return next((field for known, field in self.fields if known == name), None)


DYN: Final = Type("dyn")
BOOL: Final = Type("bool")
INT: Final = Type("int")
STRING: Final = Type("string")
NULL: Final = Type("null")
TIMESTAMP: Final = Type("timestamp")
DURATION: Final = Type("duration")
LIST: Final = Type("list", DYN)
MAP: Final = Type("map", DYN)
SIMPLE: Final = {kind.kind: kind for kind in (DYN, BOOL, INT, STRING, NULL, TIMESTAMP, DURATION)}


def list_of(item: Type) -> Type:
    """Return the type of lists."""
    return Type("list", item)


def map_of(value: Type) -> Type:
    """Return the type of maps from strings."""
    return Type("map", value)


def record(fields: Mapping[str, Type]) -> Type:
    """Return the type of maps with known fields; any of them may be absent from a value (G24)."""
    return Type("record", None, tuple(fields.items()))


def size_of(kind: Type) -> int:
    """Return the greatest size of a value from outside: characters of a text, items of a list or map."""
    if kind.kind in ("string", "dyn"):
        return STRING_SIZE
    return MAX_ITEMS if kind.item is not None else 1


def weight(kind: Type, size: int) -> int:
    """Return the steps that comparing a value of this type and size takes beyond the first (G52)."""
    if kind.kind == "string":
        return size // CHARACTERS_A_STEP
    if kind.kind == "record":
        return sum(1 + weight(field, size_of(field)) for _, field in kind.fields)
    if kind.item is not None:
        return size * (1 + weight(kind.item, size_of(kind.item)))
    return DYN_WEIGHT if kind.kind == "dyn" else 0


def agree(left: Type, right: Type) -> bool:
    """Say whether a value may be of both types; ``dyn`` agrees with all, a record with a map."""
    if "dyn" in (left.kind, right.kind):
        return True
    if {left.kind, right.kind} == {"record", "map"} or left.kind == right.kind == "record":
        return True
    if left.kind != right.kind:
        return False
    return left.item is None or right.item is None or agree(left.item, right.item)


def joined(types: list[Type]) -> Type:
    """Return the one type of several values, ``dyn`` if they differ."""
    return types[0] if types and types.count(types[0]) == len(types) else DYN


def parse_type(text: str, path: str = "") -> Type:
    """Read a type: ``int``, ``list(string)``, ``map(dyn)``, ``{id: string, 'org:role': string}``; raises RuleError.

    Simple types are bool, int, string, null, timestamp, duration and dyn; ``list`` and ``map`` alone hold ``dyn``.
    """
    return _TypeReader(tokens(text, path), path).whole()


class _TypeReader:
    def __init__(self, found: list[Token], path: str) -> None:
        self.tokens, self.path, self.at = found, path, 0

    def take(self, *kinds: str) -> Token:
        token = self.tokens[self.at]
        if token.kind not in kinds:
            raise RuleError(
                self.path, token.position, f"expected {' or '.join(kinds)}, got {quoted(token.text or token.kind)}"
            )
        self.at += 1
        return token

    def whole(self) -> Type:
        kind = self.type(0)
        self.take("end")
        return kind

    def type(self, depth: int) -> Type:
        token = self.take("name", "{")
        if depth > MAX_TYPE_DEPTH:
            raise RuleError(self.path, token.position, f"types nested deeper than {MAX_TYPE_DEPTH}")
        if token.kind == "{":
            return self.fields(depth)
        if token.text in SIMPLE:
            return SIMPLE[token.text]
        if token.text not in ("list", "map"):
            names = ", ".join((*SIMPLE, "list(...)", "map(...)", "{...}"))
            raise RuleError(self.path, token.position, f"no type {quoted(token.text)}; expected one of {names}")
        item = DYN
        if self.tokens[self.at].kind == "(":
            self.take("(")
            item = self.type(depth + 1)
            self.take(")")
        return Type(token.text, item)

    def fields(self, depth: int) -> Type:
        found: dict[str, Type] = {}
        while self.tokens[self.at].kind != "}":
            if found:
                self.take(",")
            name = self.take("name", "string").text
            self.take(":")
            found[name] = self.type(depth + 1)
        self.take("}")
        return record(found)
