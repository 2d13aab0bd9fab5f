"""Fields: what a value has to be, as data that can be checked, described and turned into a JSON Schema.

Law: what passes is exactly what is described: no unknown field, no float, no digit but 0-9, nothing unbounded;
and the verdict is the same on every machine, so no table of Unicode properties and no time zone data is asked.

``check`` returns None if a value is fine, else what is wrong as a path from that value and a message:
``.date: expected ...``. Containers put their part of the path in front, so a good value costs no text. A receipt has
the first fault; whoever writes arguments gets all of them from ``faults``, by the same checks.

    Record({"id": Identifier(), "date": Date()}, {"areas": Many(Text(high=64), high=32)})
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from coseal.contracts.kernel.dates import parse_date, parse_time
from coseal.contracts.kernel.names import (
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

JsonSchema: TypeAlias = dict[str, Any]

MAX_LANGUAGES: Final = 8
_LOWER_HEX: Final = frozenset("0123456789abcdef")


class Field:
    """What a value has to be. One that is given is not changed."""

    def check(self, value: Any) -> str | None:
        """Return the first thing that is wrong with ``value``, or None."""
        raise NotImplementedError

    def faults(self, value: Any) -> Iterator[str]:
        """Yield all that is wrong with ``value``."""
        error = self.check(value)
        if error is not None:
            yield error

    def describe(self) -> str:
        """Return what is expected, as one line for people."""
        raise NotImplementedError


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


class Reference(Field):
    """What a source is called: an identifier, or a URI-reference with empty parts; see ``is_reference``."""

    def check(self, value: Any) -> str | None:
        """See ``Field``."""
        return None if is_reference(value) else f": expected {self.describe()}"

    def describe(self) -> str:
        """See ``Field``."""
        return reference_rule()


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


class Boolean(Field):
    """True or false."""

    def check(self, value: Any) -> str | None:
        """See ``Field``."""
        return None if type(value) is bool else f": expected {self.describe()}"

    def describe(self) -> str:
        """See ``Field``."""
        return "true or false"


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


class Date(Field):
    """A year, a month or a day: ``2017``, ``2017-09`` or ``2017-09-04``."""

    def check(self, value: Any) -> str | None:
        """See ``Field``."""
        return None if parse_date(value) else f": expected {self.describe()}"

    def describe(self) -> str:
        """See ``Field``."""
        return "a date as 2017, 2017-09 or 2017-09-04"


class Timestamp(Field):
    """An RFC 3339 time with its offset: ``2017-09-04T15:00:00.5+08:00``."""

    def check(self, value: Any) -> str | None:
        """See ``Field``."""
        return None if parse_time(value) is not None else f": expected {self.describe()}"

    def describe(self) -> str:
        """See ``Field``."""
        return "an RFC 3339 time as 2017-09-04T15:00:00.5+08:00"


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


class Later(Field):
    """Any value: what it has to be is known, and checked, when the action is executed.

    ``expected`` says in words what that is; the executing action refuses ``refused`` and takes values like ``passed``.
    """

    def __init__(self, expected: str, *, refused: Sequence[Any], passed: Sequence[Any]) -> None:
        self.expected, self.refused, self.passed = expected, refused, passed

    def check(self, value: Any) -> str | None:
        """See ``Field``."""
        return None

    def describe(self) -> str:
        """See ``Field``."""
        return self.expected


class Parts(Field):
    """A field of a value with parts, which finds every fault of them; ``check`` returns the first."""

    def check(self, value: Any) -> str | None:
        """See ``Field``."""
        return next(self.faults(value), None)

    def faults(self, value: Any) -> Iterator[str]:
        """See ``Field``; in the order in which the parts stand."""
        raise NotImplementedError


class Special(Parts):
    """What ``find`` yields no fault of, for a form that only one place has.

    ``schema`` is the narrowest JSON Schema that all such values fit; ``refused`` and ``passed`` are values on both
    sides of the bounds.
    """

    def __init__(
        self,
        find: Callable[[Any], Iterator[str]],
        expected: str,
        schema: JsonSchema,
        *,
        refused: Sequence[Any],
        passed: Sequence[Any],
    ) -> None:
        self.find, self.expected, self.schema = find, expected, schema
        self.refused, self.passed = refused, passed

    def faults(self, value: Any) -> Iterator[str]:
        """See ``Field``."""
        return self.find(value)

    def describe(self) -> str:
        """See ``Field``."""
        return self.expected


class Nullable(Parts):
    """None, or ``item``."""

    def __init__(self, item: Field) -> None:
        self.item = item

    def faults(self, value: Any) -> Iterator[str]:
        """See ``Field``."""
        if value is not None:
            yield from self.item.faults(value)

    def describe(self) -> str:
        """See ``Field``."""
        return f"{self.item.describe()}, or null"


class Short(Parts):
    """A text as ``short`` wants it, which stands for a longer form, or that form."""

    def __init__(self, short: Field, full: Field) -> None:
        self.short, self.full = short, full

    def faults(self, value: Any) -> Iterator[str]:
        """See ``Field``."""
        return (self.short if type(value) is str else self.full).faults(value)

    def describe(self) -> str:
        """See ``Field``."""
        return f"{self.short.describe()}; or {self.full.describe()}"


class Many(Parts):
    """A list of ``low`` to ``high`` items; ``unique`` refuses a repeated one (for texts and integers)."""

    def __init__(self, item: Field, *, high: int, low: int = 0, unique: bool = False) -> None:
        self.item, self.high, self.low, self.unique = item, high, low, unique

    def faults(self, value: Any) -> Iterator[str]:
        """See ``Field``."""
        if type(value) is not list or not self.low <= len(value) <= self.high:
            yield f": expected {self._list()}"
            return
        item, fits = self.item, True
        for index, entry in enumerate(value):
            if isinstance(item, Parts):
                for error in item.faults(entry):
                    fits = False
                    yield f"[{index}]{error}"
            elif (wrong := item.check(entry)) is not None:
                fits = False
                yield f"[{index}]{wrong}"
        if fits and self.unique and len(set(value)) != len(value):
            yield ": expected every item once"

    def describe(self) -> str:
        """See ``Field``."""
        return f"{self._list()}, each {self.item.describe()}"

    def _list(self) -> str:
        return f"a list of {self.low} to {self.high} items"


class Table(Parts):
    """A map of at most ``high`` entries from any label (or ``key``) to ``item``."""

    def __init__(self, item: Field, *, high: int, key: Field | None = None) -> None:
        self.item, self.high, self.key = item, high, Label() if key is None else key

    def faults(self, value: Any) -> Iterator[str]:
        """See ``Field``."""
        if type(value) is not dict or len(value) > self.high:
            yield f": expected {self._map()}"
            return
        for name, entry in value.items():
            wrong = self.key.check(name)
            if wrong is not None:
                yield f": key '{str(name)[:64]}'{wrong}"
                continue
            for error in self.item.faults(entry):
                yield f".{name}{error}"

    def describe(self) -> str:
        """See ``Field``."""
        return f"{self._map()}; keys: {self.key.describe()}; values: {self.item.describe()}"

    def _map(self) -> str:
        return f"a map of at most {self.high} entries"


class Record(Parts):
    """A map with all of ``required``, any of ``optional``, and no other key."""

    def __init__(self, required: Mapping[str, Field], optional: Mapping[str, Field] | None = None) -> None:
        self.required = required
        self.fields: dict[str, Field] = {**required, **(optional or {})}

    def faults(self, value: Any) -> Iterator[str]:
        """See ``Field``; what is missing comes last."""
        if type(value) is not dict:
            yield ": expected a map"
            return
        fields = self.fields
        for name, item in value.items():
            field = fields.get(name)
            if field is None:
                yield f".{str(name)[:64]}: unknown; expected {', '.join(fields) or 'nothing'}"
            elif isinstance(field, Parts):
                for error in field.faults(item):
                    yield f".{name}{error}"
            elif (wrong := field.check(item)) is not None:
                yield f".{name}{wrong}"
        for name in self.required:
            if name not in value:
                yield f".{name}: missing"

    def describe(self) -> str:
        """See ``Field``."""
        names = (name if name in self.required else f"{name} (optional)" for name in self.fields)
        return f"a map of {', '.join(names)}"


class Dependent(Field):
    """What the field ``on`` of the same record chooses: ``cases`` has a field for each of its values.

    Alone it passes any value; ``Arguments`` checks the chosen one when all others are known to fit.
    """

    def __init__(self, on: str, cases: Mapping[str, Field]) -> None:
        self.on, self.cases = on, cases

    def check(self, value: Any) -> str | None:
        """See ``Field``."""
        return None

    def describe(self) -> str:
        """See ``Field``."""
        return f"as {self.on} says: {'; '.join(f'{name}: {case.describe()}' for name, case in self.cases.items())}"


class Translatable(Field):
    """A text of 1 to ``high`` characters, or the same in up to 8 languages: a map of ISO 639 code to such a text."""

    def __init__(self, *, high: int = 256) -> None:
        self.text = Text(high=high)
        self.translated = Table(self.text, high=MAX_LANGUAGES, key=Language())

    def check(self, value: Any) -> str | None:
        """See ``Field``."""
        if type(value) is dict and value:
            return self.translated.check(value)
        return None if self.text.check(value) is None else f": expected {self.describe()}"

    def describe(self) -> str:
        """See ``Field``."""
        return f"{self.text.describe()}, or a map of language (en, zh, ...) to such texts"


class Language(Field):
    """The code of a language in ISO 639."""

    def check(self, value: Any) -> str | None:
        """See ``Field``."""
        known = type(value) is str and 2 <= len(value) <= 3 and all("a" <= letter <= "z" for letter in value)
        return None if known else f": expected {self.describe()}"

    def describe(self) -> str:
        """See ``Field``."""
        return "a language as two or three letters, such as en or zh"
