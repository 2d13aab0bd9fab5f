"""Foreign documents: what fits is given on as the shape says, everything else is odd and says where."""

from __future__ import annotations

import json
from typing import Any

import pytest

from coseal.console.shapes import (
    Odd,
    Shape,
    flag,
    integer,
    listed,
    mapped,
    matching,
    maybe,
    one_of,
    optional,
    pair,
    read,
    record,
    text,
)

SHAPE = record(
    n=integer(high=10),
    t=text(3),
    f=flag,
    o=optional(integer()),
    w=one_of("a", "b"),
    l=listed(integer(), 2),
    m=mapped(flag, 2),
    x=maybe(matching("[0-9]+", "digits")),
    p=maybe(pair(text(3), integer())),
    e=maybe(text(3), otherwise=""),
)
GOOD: dict[str, Any] = {"n": 3, "t": "abc", "f": True, "o": None, "w": "a", "l": [1, 2], "m": {"k": False}}
MISSING: dict[str, Any] = {"x": None, "p": None, "e": ""}


def take(document: Any, shape: Shape = SHAPE) -> Any:
    return read(json.dumps(document).encode(), shape, "it")


def test_what_fits_is_given_on_without_what_nobody_asked_for():
    assert take({**GOOD, "more": [1], "x": "12", "e": "a"}) == {**GOOD, **MISSING, "x": "12", "e": "a"}
    assert take({**GOOD, "p": ["a", 1]})["p"] == ("a", 1)


def test_a_field_that_may_be_missing_is_always_there_to_read():
    assert take(GOOD) == {**GOOD, **MISSING}


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"n": 11}, "it.n"),
        ({"n": -1}, "it.n"),
        ({"n": True}, "it.n"),
        ({"n": "3"}, "it.n"),
        ({"n": None}, "it.n"),
        ({"t": "abcd"}, "it.t"),
        ({"t": 3}, "it.t"),
        ({"f": 1}, "it.f"),
        ({"o": "x"}, "it.o"),
        ({"w": "c"}, "it.w"),
        ({"l": [1, 2, 3]}, "it.l"),
        ({"l": [1, "x"]}, "it.l[1]"),
        ({"l": {}}, "it.l"),
        ({"m": {"k": 1}}, "it.m.k"),
        ({"m": {"a": True, "b": True, "c": True}}, "it.m"),
        ({"x": "1a"}, "it.x"),
        ({"x": None}, "it.x"),
        ({"p": ["a"]}, "it.p"),
        ({"p": ["a", 1, 2]}, "it.p"),
        ({"p": [1, 1]}, "it.p[0]"),
        ({"p": ["a", "b"]}, "it.p[1]"),
    ],
)
def test_what_does_not_fit_is_odd_and_says_where(changed: dict[str, Any], where: str):
    with pytest.raises(Odd) as refused:
        take({**GOOD, **changed})
    assert refused.value.reason.startswith(f"{where}:")


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_field_that_must_be_there_is_missed(name: str):
    with pytest.raises(Odd, match=f"it.{name}: missing"):
        take({key: value for key, value in GOOD.items() if key != name})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[]",
        b"1",
        b"null",
        b'{"n": 1e999}',
        b'{"n": NaN}',
        b'{"n": 1, "n": 1}',
        b'{"n": ' + b"9" * 5_000 + b"}",
        b"[" * 100_000,
        b'{"a":' * 5_000,
        b'{"t": "\\ud800"}',
    ],
)
def test_bytes_that_are_no_such_document_are_odd(body: bytes):
    with pytest.raises(Odd):
        read(body, SHAPE)
