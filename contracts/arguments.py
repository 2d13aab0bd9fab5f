"""Checks for the arguments of actions, put together like a description of them.

Law: what passes is exactly what is described: no unknown field, no float, no digit but 0-9, nothing unbounded;
and the verdict is the same on every machine, so no table of Unicode properties and no time zone data is asked.

A ``Check`` takes a value and returns None if it is fine, else what is wrong as a path from that value and a
message: ``.date: expected ...``. Containers put their part of the path in front, so a good value costs no text.
A receipt has the first fault; whoever writes arguments gets all of them from ``refusals``, by the same checks.

    validate = arguments({"id": identifier(), "date": date()}, optional={"areas": many(text(high=64), high=32)})
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, TypeAlias

from coseal.contracts.framework import Args, Rejected, Validate
from coseal.contracts.names import (
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

Check: TypeAlias = Callable[[Any], str | None]
Further: TypeAlias = Callable[[Args], Iterator[Rejected]]

INVALID: Final = "invalid_argument"
DAY_MS: Final = 86_400_000
MAX_TIME_CHARACTERS: Final = 64
MAX_LANGUAGES: Final = 8
_LOWER_HEX: Final = frozenset("0123456789abcdef")
_NOTHING: Final[Mapping[str, Check]] = {}


class Parts:
    """A ``Check`` of a value with parts, which gives every fault of them; called, it gives the first."""

    def __call__(self, value: Any) -> str | None:
        """See ``Check``."""
        return next(self.faults(value), None)

    def faults(self, value: Any) -> Iterator[str]:
        """Yield all that is wrong, in the order in which the parts stand."""
        raise NotImplementedError


def faults(check: Check, value: Any) -> Iterator[str]:
    """Yield all that ``check`` finds wrong with ``value``."""
    if isinstance(check, Parts):
        yield from check.faults(value)
    else:
        error = check(value)
        if error is not None:
            yield error


class Arguments:
    """The ``validate`` of an action; ``refusals`` gives all that is wrong, ``shape`` says what is expected."""

    def __init__(self, shape: Record, further: Further | None) -> None:
        self.shape = shape
        self._further = further

    def __call__(self, args: Args) -> Rejected | None:
        """Return the first refusal, or None."""
        return next(self.refusals(args), None)

    def refusals(self, args: Args) -> Iterator[Rejected]:
        """Yield all refusals; ``further`` is asked of arguments of the right shape only."""
        fits = True
        for error in self.shape.faults(args):
            fits = False
            yield Rejected(INVALID, f"args{error}")
        if fits and self._further is not None:
            yield from self._further(args)


def arguments(
    required: Mapping[str, Check], optional: Mapping[str, Check] = _NOTHING, further: Further | None = None
) -> Arguments:
    """Return the ``validate`` of an action: all of ``required``, any of ``optional``, nothing else.

    ``further`` yields what else is wrong with arguments that fit so far.
    """
    return Arguments(Record(required, optional), further)


def refusals(validate: Validate, args: Args) -> Iterator[Rejected]:
    """Yield all that an action's ``validate`` finds wrong with its arguments."""
    if isinstance(validate, Arguments):
        yield from validate.refusals(args)
    else:
        refusal = validate(args)
        if refusal is not None:
            yield refusal


def refused(error: str | None) -> Iterator[Rejected]:
    """Yield a check's answer about ``args`` as a refusal, for ``further``."""
    if error is not None:
        yield Rejected(INVALID, f"args{error}")


def parts(find: Callable[[Any], Iterator[str]]) -> Parts:
    """What ``find`` yields nothing wrong of."""
    return _Found(find)


class _Found(Parts):
    """See ``parts``."""

    def __init__(self, find: Callable[[Any], Iterator[str]]) -> None:
        self._find = find

    def faults(self, value: Any) -> Iterator[str]:
        """See ``Parts``."""
        return self._find(value)


def record(required: Mapping[str, Check], optional: Mapping[str, Check] = _NOTHING) -> Record:
    """A map with all of ``required``, any of ``optional``, and no other key."""
    return Record(required, optional)


class Record(Parts):
    """See ``record``."""

    def __init__(self, required: Mapping[str, Check], optional: Mapping[str, Check]) -> None:
        self.required = required
        self.fields = {**required, **optional}

    def faults(self, value: Any) -> Iterator[str]:
        """See ``Parts``; what is missing comes last."""
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
            elif (wrong := field(item)) is not None:
                yield f".{name}{wrong}"
        for name in self.required:
            if name not in value:
                yield f".{name}: missing"


def table(item: Check, *, high: int, key: Check | None = None) -> Table:
    """A map of at most ``high`` entries from any label (or ``key``) to ``item``."""
    return Table(label() if key is None else key, item, high)


class Table(Parts):
    """See ``table``."""

    def __init__(self, key: Check, item: Check, high: int) -> None:
        self.key, self.item, self.high = key, item, high

    def faults(self, value: Any) -> Iterator[str]:
        """See ``Parts``."""
        if type(value) is not dict or len(value) > self.high:
            yield f": expected a map of at most {self.high} entries"
            return
        for name, entry in value.items():
            wrong = self.key(name)
            if wrong is not None:
                yield f": key '{str(name)[:64]}'{wrong}"
                continue
            for error in faults(self.item, entry):
                yield f".{name}{error}"


def many(item: Check, *, high: int, low: int = 0, unique: bool = False) -> Many:
    """A list of ``low`` to ``high`` items; ``unique`` refuses a repeated one (for texts and integers)."""
    return Many(item, low, high, unique)


class Many(Parts):
    """See ``many``."""

    def __init__(self, item: Check, low: int, high: int, unique: bool) -> None:
        self.item, self.low, self.high, self.unique = item, low, high, unique

    def faults(self, value: Any) -> Iterator[str]:
        """See ``Parts``."""
        if type(value) is not list or not self.low <= len(value) <= self.high:
            yield f": expected a list of {self.low} to {self.high} items"
            return
        fits = True
        for index, entry in enumerate(value):
            for error in faults(self.item, entry):
                fits = False
                yield f"[{index}]{error}"
        if fits and self.unique and len(set(value)) != len(value):
            yield ": expected every item once"


def nullable(item: Check) -> Nullable:
    """None, or ``item``."""
    return Nullable(item)


class Nullable(Parts):
    """See ``nullable``."""

    def __init__(self, item: Check) -> None:
        self.item = item

    def faults(self, value: Any) -> Iterator[str]:
        """See ``Parts``."""
        if value is not None:
            yield from faults(self.item, value)


def text(*, high: int = 256, low: int = 1) -> Check:
    """A text of ``low`` to ``high`` characters (code points)."""

    def check(value: Any) -> str | None:
        if type(value) is str and low <= len(value) <= high and is_encodable(value):
            return None
        return f": expected a text of {low} to {high} characters"

    return check


def translatable(*, high: int = 256) -> Check:
    """A text of 1 to ``high`` characters, or the same in up to 8 languages: a map of ISO 639 code to such a text."""
    words = text(high=high)
    translated = table(words, high=MAX_LANGUAGES, key=_language)

    def check(value: Any) -> str | None:
        if type(value) is dict and value:
            return translated(value)
        if words(value) is None:
            return None
        return f": expected a text of 1 to {high} characters, or a map of language (en, zh, ...) to such texts"

    return check


def _language(value: Any) -> str | None:
    known = type(value) is str and 2 <= len(value) <= 3 and all("a" <= letter <= "z" for letter in value)
    return None if known else ": expected a language as two or three letters, such as en or zh"


def label(*, high: int = 128) -> Check:
    """A text that is read and compared, but never part of an address: see ``is_label``."""
    expected = f": expected {label_rule(high)}"
    return lambda value: None if is_label(value, high) else expected


def identifier(*, slash: bool = True) -> Check:
    """What an object, an event, a policy, a rule or a type is called: see ``is_identifier``.

    ``slash`` False refuses '/' as well: state keys join parts with it, so every part but the last must be without one.
    """
    expected = f": expected {identifier_rule(slash=slash)}"
    return lambda value: None if is_identifier(value) and (slash or "/" not in value) else expected


def reference() -> Check:
    """What a source is called: an identifier, or a URI-reference with empty parts; see ``is_reference``."""
    expected = f": expected {reference_rule()}"
    return lambda value: None if is_reference(value) else expected


def name(*, high: int = 64) -> Check:
    """A name as members, users and nodes have: a-z, 0-9, '-' and '.', beginning with a letter."""

    def check(value: Any) -> str | None:
        if is_name(value, limit=high):
            return None
        return f": expected a name of a-z, 0-9, '-' and '.', at most {high} characters, beginning with a letter"

    return check


def integer(low: int = INT_MIN, high: int = INT_MAX) -> Check:
    """An integer (no bool) from ``low`` to ``high``."""

    def check(value: Any) -> str | None:
        if type(value) is int and low <= value <= high:
            return None
        return f": expected an integer from {low} to {high}"

    return check


def boolean() -> Check:
    """True or false."""
    return lambda value: None if type(value) is bool else ": expected true or false"


def one_of(*allowed: str) -> Check:
    """One of the texts ``allowed``."""
    choices = frozenset(allowed)

    def check(value: Any) -> str | None:
        if type(value) is str and value in choices:
            return None
        return f": expected one of {', '.join(allowed)}"

    return check


def hexadecimal(size: int = 32) -> Check:
    """Exactly ``size`` bytes as lower-case hexadecimal; the default is a SHA-256."""

    def check(value: Any) -> str | None:
        if type(value) is str and len(value) == 2 * size and _LOWER_HEX.issuperset(value):
            return None
        return f": expected {size} bytes as {2 * size} lower-case hexadecimal digits"

    return check


def date() -> Check:
    """A year, a month or a day: ``2017``, ``2017-09`` or ``2017-09-04``."""
    return lambda value: None if parse_date(value) else ": expected a date as 2017, 2017-09 or 2017-09-04"


def timestamp() -> Check:
    """An RFC 3339 time with its offset: ``2017-09-04T15:00:00.5+08:00``."""
    return lambda value: (
        None if parse_time(value) is not None else ": expected an RFC 3339 time as 2017-09-04T15:00:00.5+08:00"
    )


def scalar(*, high: int = 256) -> Check:
    """A text of 0 to ``high`` characters, an integer of 64 bit, true, false or null."""

    def check(value: Any) -> str | None:
        kind = type(value)
        if kind is str:
            good = len(value) <= high and is_encodable(value)
        else:
            good = value is None or kind is bool or (kind is int and INT_MIN <= value <= INT_MAX)
        return None if good else f": expected a text of at most {high} characters, an integer, true, false or null"

    return check


def folded(value: str) -> str:
    """Return a text in lower case without spaces and ``-_./``, for comparing names; only A-Z are lowered.

    ``str.lower`` and ``str.isalnum`` ask a table of Unicode properties, which differs between releases of Python.
    """
    return value.translate(_FOLD)


_FOLD: Final = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz", " -_./")


def parse_date(value: Any) -> tuple[int, int, int] | None:
    """Return (year, month, day) of a date, with 0 for a part it does not name; None if it is no date.

    Tuples of one precision compare as the dates do; ``first_day`` gives a common ground.
    """
    if type(value) is not str or len(value) not in (4, 7, 10) or not value.isascii():
        return None
    parts = value.split("-")
    if [len(part) for part in parts] != [4, 2, 2][: len(parts)] or not all(part.isdigit() for part in parts):
        return None
    year, month, day = (*(int(part) for part in parts), 0, 0)[:3]
    if year < 1 or (len(parts) > 1 and not 1 <= month <= 12):
        return None
    if len(parts) > 2 and not 1 <= day <= _days_in_month(year, month):
        return None
    return year, month, day


def first_day(value: tuple[int, int, int]) -> int:
    """Return the first day a parsed date names, as days since 1970-01-01 in the proleptic Gregorian calendar."""
    year, month, day = value
    return days_since_epoch(year, month or 1, day or 1)


def last_day(value: tuple[int, int, int]) -> int:
    """Return the last day a parsed date names: of a year its 31 December, of a month its last."""
    year, month, day = value
    month = month or 12
    return days_since_epoch(year, month, day or _days_in_month(year, month))


def parse_time(value: Any) -> int | None:
    """Return an RFC 3339 time as ms since the epoch, digits below a ms cut off; None if it is no such time.

    The offset is required. A leap second is refused: time in ms since the epoch has no place for it.
    """
    if type(value) is not str or not 20 <= len(value) <= MAX_TIME_CHARACTERS or not value.isascii():
        return None
    if value[10] not in "Tt" or value[13] != ":" or value[16] != ":":
        return None
    day_ms = _day_ms(value[:10])
    hour, minute, second = value[11:13], value[14:16], value[17:19]
    if day_ms is None or not (hour.isdigit() and minute.isdigit() and second.isdigit()):
        return None
    if hour > "23" or minute > "59" or second > "59":
        return None
    offset_at = len(value) - 1 if value[-1] in "Zz" else len(value) - 6
    offset_ms = _offset_ms(value[offset_at:])
    millisecond = _millisecond(value[19:offset_at])
    if offset_ms is None or millisecond is None:
        return None
    seconds = int(hour) * 3600 + int(minute) * 60 + int(second)
    return day_ms + seconds * 1000 + millisecond - offset_ms


def days_since_epoch(year: int, month: int, day: int) -> int:
    """Return the days from 1970-01-01 to a day of the proleptic Gregorian calendar."""
    shifted = year - (month <= 2)  # years that begin in March, so that the leap day is the last of its year
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return shifted * 365 + shifted // 4 - shifted // 100 + shifted // 400 + day_of_year - 719_468


def _days_in_month(year: int, month: int) -> int:
    leap = month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1] + leap


@lru_cache(maxsize=4096)
def _day_ms(value: str) -> int | None:
    parsed = parse_date(value)
    return None if parsed is None or len(value) != 10 else first_day(parsed) * DAY_MS


@lru_cache(maxsize=256)
def _offset_ms(value: str) -> int | None:
    """Return the ms of ``Z`` or ``+08:00``, or None."""
    if value in ("Z", "z"):
        return 0
    hour, minute = value[1:3], value[4:6]
    if len(value) != 6 or value[0] not in "+-" or value[3] != ":" or not (hour.isdigit() and minute.isdigit()):
        return None
    if hour > "23" or minute > "59":
        return None
    size = (int(hour) * 60 + int(minute)) * 60_000
    return -size if value[0] == "-" else size


def _millisecond(fraction: str) -> int | None:
    """Return the ms of ``.5`` (500) or of nothing (0), or None."""
    if not fraction:
        return 0
    digits = fraction[1:]
    if fraction[0] != "." or not digits.isdigit():
        return None
    return int(digits[:3].ljust(3, "0"))
