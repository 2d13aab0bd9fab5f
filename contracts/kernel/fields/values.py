"""Fields of single values: texts and names, numbers, choices, dates and times.

A pattern in a schema is one that regular expressions of ECMA 262 and of Python read alike.
"""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.kernel.dates import MAX_TIME_CHARACTERS, parse_date, parse_time
from coseal.contracts.kernel.fields.base import Field, JsonSchema, Nasty, others
from coseal.contracts.kernel.names import (
    MAX_IDENTIFIER,
    identifier_rule,
    is_encodable,
    is_identifier,
    is_label,
    is_reference,
    label_rule,
    reference_rule,
)
from coseal.ledger.codec import INT_MAX, INT_MIN
from coseal.ledger.genesis import is_name

_LOWER_HEX: Final = frozenset("0123456789abcdef")
_HALF_A_PAIR: Final = "\ud800"
_HOSTILE: Final = (
    *(
        "'; DROP TABLE transactions; --",
        '<script>alert(1)</script>"&',
        "=1+1",
        "{{7*7}}{% raw %}",
        "%s%n%x",
        "a%00/%2e",
    ),
    *("\x00", "\n", "a\r\nb: c", "\u202eabc", "\u200b", "..", "a/../b", "/", "NaN", "null", "\U0010ffff"),
)
"""Texts that mean something where they are not expected: in SQL, HTML, a table of figures, a header, a path."""

_DAY: Final = "(0[1-9]|[12][0-9]|3[01])"
_MONTH: Final = "(0[1-9]|1[0-2])"
_HOUR_MINUTE: Final = "([01][0-9]|2[0-3]):[0-5][0-9]"
_DATE_PATTERN: Final = f"^[0-9]{{4}}(-{_MONTH}(-{_DAY})?)?$"
_TIME_PATTERN: Final = f"^[0-9]{{4}}-{_MONTH}-{_DAY}[Tt]{_HOUR_MINUTE}:[0-5][0-9](\\.[0-9]+)?([Zz]|[+-]{_HOUR_MINUTE})$"
_LABEL_PATTERN: Final = r"^\S([\s\S]*\S)?$"


def _nasty_text(field: Field, refused: list[Any], passed: list[Any]) -> Nasty:
    """Return what every text is tried with, beside what belongs to this field."""
    sides: tuple[list[Any], list[Any]] = ([], [])
    for text in _HOSTILE:
        sides[field.check(text) is None].append(text)
    return Nasty([*others(str), _HALF_A_PAIR, *refused, *sides[0]], [*passed, *sides[1]], [])


def _text_schema(field: Field, **more: Any) -> JsonSchema:
    return {"type": "string", **more, "description": field.describe()}


class Text(Field):
    """A text of ``low`` to ``high`` characters (code points)."""

    def __init__(self, *, high: int = 256, low: int = 1) -> None:
        self.high, self.low = high, low

    def check(self, value: Any) -> str | None:
        """See ``Field``."""
        if type(value) is str and self.low <= len(value) <= self.high and is_encodable(value):
            return None
        return f": expected {self.describe()}"

    def describe(self) -> str:
        """See ``Field``."""
        return f"a text of {self.low} to {self.high} characters"

    def json_schema(self) -> JsonSchema:
        """See ``Field``."""
        return _text_schema(self, minLength=self.low, maxLength=self.high)

    def nasty(self) -> Nasty:
        """See ``Field``."""
        short = ["x" * (self.low - 1)] if self.low else []
        passed = ["x" * self.low, "x" * self.high, "\U0001f600" * self.high, "\x00" * self.high]
        return _nasty_text(self, [*short, "x" * (self.high + 1)], passed)

    def sample(self, number: int = 0) -> Any:
        """See ``Field``."""
        return f"x{number}"[: self.high].ljust(self.low, "x")


class Label(Field):
    """A text that is read and compared, but never part of an address: see ``is_label``."""

    def __init__(self, *, high: int = 128) -> None:
        self.high = high

    def check(self, value: Any) -> str | None:
        """See ``Field``."""
        return None if is_label(value, self.high) else f": expected {self.describe()}"

    def describe(self) -> str:
        """See ``Field``."""
        return label_rule(self.high)

    def json_schema(self) -> JsonSchema:
        """See ``Field``."""
        return _text_schema(self, minLength=1, maxLength=self.high, pattern=_LABEL_PATTERN)

    def nasty(self) -> Nasty:
        """See ``Field``."""
        refused = ["", " ", " x", "x ", "\u3000x", "x\n", "a\x00b", "a\u200bb", "a\u202eb", "x" * (self.high + 1)]
        return _nasty_text(self, refused, ["x", "合", "x" * self.high, "\U0001f600" * self.high])

    def sample(self, number: int = 0) -> Any:
        """See ``Field``."""
        return f"x{number}"[: self.high]


class Identifier(Field):
    """What an object, an event, a policy, a rule or a type is called: see ``is_identifier``.

    ``slash`` False refuses '/' as well: state keys join parts with it, so every part but the last must be without one.
    """

    def __init__(self, *, slash: bool = True) -> None:
        self.slash = slash

    def check(self, value: Any) -> str | None:
        """See ``Field``."""
        if is_identifier(value) and (self.slash or "/" not in value):
            return None
        return f": expected {self.describe()}"

    def describe(self) -> str:
        """See ``Field``."""
        return identifier_rule(slash=self.slash)

    def json_schema(self) -> JsonSchema:
        """See ``Field``."""
        inner = r"[\s\S]" if self.slash else "[^/]"
        pattern = rf"^(?!\.{{1,2}}$)[^\s/]({inner}*[^\s/])?$"
        return _text_schema(self, minLength=1, maxLength=MAX_IDENTIFIER, pattern=pattern)

    def nasty(self) -> Nasty:
        """See ``Field``."""
        refused = [
            "",
            ".",
            "..",
            "./x",
            "x/..",
            "x//y",
            "/x",
            "x/",
            " x",
            "x\n",
            "a\u200bb",
            "x" * (MAX_IDENTIFIER + 1),
        ]
        passed = ["x", "...", "%2e%2e", "a?b#c", "合", "x" * MAX_IDENTIFIER, "\U0001f600" * MAX_IDENTIFIER]
        if self.slash:
            return _nasty_text(self, refused, [*passed, "https://a.example/b", "a/b c/d"])
        return _nasty_text(self, [*refused, "x/y"], passed)

    def sample(self, number: int = 0) -> Any:
        """See ``Field``."""
        return f"x{number}"


class Reference(Field):
    """What a source is called: an identifier, or a URI-reference with empty parts; see ``is_reference``."""

    def check(self, value: Any) -> str | None:
        """See ``Field``."""
        return None if is_reference(value) else f": expected {self.describe()}"

    def describe(self) -> str:
        """See ``Field``."""
        return reference_rule()

    def json_schema(self) -> JsonSchema:
        """See ``Field``."""
        return _text_schema(self, minLength=1, maxLength=MAX_IDENTIFIER, pattern=_LABEL_PATTERN)

    def nasty(self) -> Nasty:
        """See ``Field``."""
        refused = ["", ".", "..", "/..", "x/../y", " x", "x\n", "a\u2028b", "x" * (MAX_IDENTIFIER + 1)]
        return _nasty_text(self, refused, ["x", "/", "//x//", "https://a.example/", "x" * MAX_IDENTIFIER])

    def sample(self, number: int = 0) -> Any:
        """See ``Field``."""
        return f"x{number}"


class Name(Field):
    """A name as members, users and nodes have: a-z, 0-9, '-' and '.', beginning with a letter."""

    def __init__(self, *, high: int = 64) -> None:
        self.high = high

    def check(self, value: Any) -> str | None:
        """See ``Field``."""
        return None if is_name(value, limit=self.high) else f": expected {self.describe()}"

    def describe(self) -> str:
        """See ``Field``."""
        return f"a name of a-z, 0-9, '-' and '.', at most {self.high} characters, beginning with a letter"

    def json_schema(self) -> JsonSchema:
        """See ``Field``."""
        return _text_schema(self, minLength=1, maxLength=self.high, pattern="^[a-z][a-z0-9.-]*$")

    def nasty(self) -> Nasty:
        """See ``Field``."""
        refused = ["", "X", "1x", "-x", "x_y", "x y", "x/y", "é", "x\n", "x" * (self.high + 1)]
        return _nasty_text(self, refused, ["x", "x" * self.high, "x..-"])

    def sample(self, number: int = 0) -> Any:
        """See ``Field``."""
        return f"x{number}"


class Language(Field):
    """The code of a language in ISO 639."""

    def check(self, value: Any) -> str | None:
        """See ``Field``."""
        known = type(value) is str and 2 <= len(value) <= 3 and all("a" <= letter <= "z" for letter in value)
        return None if known else f": expected {self.describe()}"

    def describe(self) -> str:
        """See ``Field``."""
        return "a language as two or three letters, such as en or zh"

    def json_schema(self) -> JsonSchema:
        """See ``Field``."""
        return _text_schema(self, pattern="^[a-z]{2,3}$")

    def nasty(self) -> Nasty:
        """See ``Field``."""
        return _nasty_text(self, ["", "e", "EN", "engl", "zh-", "é1"], ["en", "zzz"])

    def sample(self, number: int = 0) -> Any:
        """See ``Field``."""
        return chr(ord("a") + number // 26 % 26) + chr(ord("a") + number % 26)


class Hexadecimal(Field):
    """Exactly ``size`` bytes as lower-case hexadecimal; the default is a SHA-256."""

    def __init__(self, size: int = 32) -> None:
        self.size = size

    def check(self, value: Any) -> str | None:
        """See ``Field``."""
        if type(value) is str and len(value) == 2 * self.size and _LOWER_HEX.issuperset(value):
            return None
        return f": expected {self.describe()}"

    def describe(self) -> str:
        """See ``Field``."""
        return f"{self.size} bytes as {2 * self.size} lower-case hexadecimal digits"

    def json_schema(self) -> JsonSchema:
        """See ``Field``."""
        return _text_schema(self, pattern=f"^[0-9a-f]{{{2 * self.size}}}$")

    def nasty(self) -> Nasty:
        """See ``Field``."""
        size = self.size
        refused = ["", "0" * (2 * size - 1), "0" * (2 * size + 1), "AB" * size, "0x" * size, "zz" * size, "٠٠" * size]
        return _nasty_text(self, refused, ["00" * size, "ff" * size, "0a" * size])

    def sample(self, number: int = 0) -> Any:
        """See ``Field``."""
        return number.to_bytes(self.size, "big").hex()


class OneOf(Field):
    """One of the texts ``allowed``."""

    def __init__(self, *allowed: str) -> None:
        self.allowed = allowed
        self._choices = frozenset(allowed)

    def check(self, value: Any) -> str | None:
        """See ``Field``."""
        return None if type(value) is str and value in self._choices else f": expected {self.describe()}"

    def describe(self) -> str:
        """See ``Field``."""
        return f"one of {', '.join(self.allowed)}"

    def json_schema(self) -> JsonSchema:
        """See ``Field``."""
        return {"enum": list(self.allowed)}

    def nasty(self) -> Nasty:
        """See ``Field``."""
        odd = [text for text in ("", " ", self.allowed[-1] + " ", "no such choice") if text not in self._choices]
        return _nasty_text(self, odd, list(self.allowed))

    def sample(self, number: int = 0) -> Any:
        """See ``Field``."""
        return self.allowed[number % len(self.allowed)]


class Integer(Field):
    """An integer (no bool) from ``low`` to ``high``."""

    def __init__(self, low: int = INT_MIN, high: int = INT_MAX) -> None:
        self.low, self.high = low, high

    def check(self, value: Any) -> str | None:
        """See ``Field``."""
        if type(value) is int and self.low <= value <= self.high:
            return None
        return f": expected {self.describe()}"

    def describe(self) -> str:
        """See ``Field``."""
        return f"an integer from {self.low} to {self.high}"

    def json_schema(self) -> JsonSchema:
        """See ``Field``."""
        return {"type": "integer", "minimum": self.low, "maximum": self.high}

    def nasty(self) -> Nasty:
        """See ``Field``."""
        low, high = self.low, self.high
        beyond = [value for value in (low - 1, high + 1, INT_MIN, INT_MAX) if INT_MIN <= value <= INT_MAX]
        outside = [value for value in beyond if not low <= value <= high]
        return Nasty([*others(int), str(low), "1", *outside], [low, high, (low + high) // 2], [])

    def sample(self, number: int = 0) -> Any:
        """See ``Field``."""
        return self.low + number % (self.high - self.low + 1)


class Boolean(Field):
    """True or false."""

    def check(self, value: Any) -> str | None:
        """See ``Field``."""
        return None if type(value) is bool else f": expected {self.describe()}"

    def describe(self) -> str:
        """See ``Field``."""
        return "true or false"

    def json_schema(self) -> JsonSchema:
        """See ``Field``."""
        return {"type": "boolean"}

    def nasty(self) -> Nasty:
        """See ``Field``."""
        return Nasty([*others(bool), 0, 1, "true"], [True, False], [])

    def sample(self, number: int = 0) -> Any:
        """See ``Field``."""
        return number % 2 == 1


class Date(Field):
    """A year, a month or a day: ``2017``, ``2017-09`` or ``2017-09-04``."""

    def check(self, value: Any) -> str | None:
        """See ``Field``."""
        return None if parse_date(value) else f": expected {self.describe()}"

    def describe(self) -> str:
        """See ``Field``."""
        return "a date as 2017, 2017-09 or 2017-09-04"

    def json_schema(self) -> JsonSchema:
        """See ``Field``."""
        return _text_schema(self, pattern=_DATE_PATTERN)

    def nasty(self) -> Nasty:
        """See ``Field``."""
        refused = ["", "17", "0000", "2017-9", "2017-13", "2017-02-29", "1900-02-29", "2017-09-31", "2017-09-00"]
        odd = ["20170904", "2017-09-04 ", "2017/09", "+017", "٢٠١٧", "2017-09-04T00:00:00Z"]
        return _nasty_text(
            self, [*refused, *odd], ["0001", "9999", "0001-01-01", "9999-12-31", "2016-02-29", "2017-09"]
        )

    def sample(self, number: int = 0) -> Any:
        """See ``Field``."""
        return f"{2017 - number % 1_000}-09-04"


class Timestamp(Field):
    """An RFC 3339 time with its offset: ``2017-09-04T15:00:00.5+08:00``."""

    def check(self, value: Any) -> str | None:
        """See ``Field``."""
        return None if parse_time(value) is not None else f": expected {self.describe()}"

    def describe(self) -> str:
        """See ``Field``."""
        return "an RFC 3339 time as 2017-09-04T15:00:00.5+08:00"

    def json_schema(self) -> JsonSchema:
        """See ``Field``."""
        return _text_schema(self, maxLength=MAX_TIME_CHARACTERS, pattern=_TIME_PATTERN)

    def nasty(self) -> Nasty:
        """See ``Field``."""
        day, clock = "2017-09-04", "T15:00:00"
        refused = [
            "",
            day,
            f"{day}{clock}",
            f"{day} 15:00:00Z",
            f"{day}T24:00:00Z",
            f"{day}T23:59:60Z",
            f"{day}{clock}.Z",
        ]
        odd = [f"{day}{clock}+0800", f"{day}{clock}+24:00", f"2017-02-29{clock}Z", f"0000-01-01{clock}Z"]
        long = f"{day}{clock}." + "1" * MAX_TIME_CHARACTERS
        passed = ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59.999999999-23:59", "2016-02-29t00:00:00z"]
        return _nasty_text(self, [*refused, *odd, long + "Z"], [*passed, long[: MAX_TIME_CHARACTERS - 1] + "Z"])

    def sample(self, number: int = 0) -> Any:
        """See ``Field``."""
        return f"{2017 - number % 1_000}-09-04T15:00:00Z"


class Scalar(Field):
    """A text of 0 to ``high`` characters, an integer of 64 bit, true, false or null."""

    def __init__(self, *, high: int = 256) -> None:
        self.high = high

    def check(self, value: Any) -> str | None:
        """See ``Field``."""
        kind = type(value)
        if kind is str:
            good = len(value) <= self.high and is_encodable(value)
        else:
            good = value is None or kind is bool or (kind is int and INT_MIN <= value <= INT_MAX)
        return None if good else f": expected {self.describe()}"

    def describe(self) -> str:
        """See ``Field``."""
        return f"a text of at most {self.high} characters, an integer, true, false or null"

    def json_schema(self) -> JsonSchema:
        """See ``Field``."""
        kinds = ["string", "integer", "boolean", "null"]
        return {"type": kinds, "maxLength": self.high, "minimum": INT_MIN, "maximum": INT_MAX}

    def nasty(self) -> Nasty:
        """See ``Field``."""
        texts = _nasty_text(self, ["x" * (self.high + 1)], ["", "x" * self.high])
        refused = [value for value in texts.refused if type(value) in (str, bytes, list, dict)]
        return Nasty(refused, [*texts.passed, INT_MIN, INT_MAX, True, False, None], [])

    def sample(self, number: int = 0) -> Any:
        """See ``Field``."""
        return number
