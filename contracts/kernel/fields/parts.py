"""Fields of values with parts: lists, tables, records, and those with more than one form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from coseal.contracts.kernel.fields.base import Field, JsonSchema, Nasty, Parts, others
from coseal.contracts.kernel.fields.values import Label, Language, Text

MAX_LANGUAGES: Final = 8


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

    def json_schema(self) -> JsonSchema:
        """See ``Field``."""
        return {"anyOf": [self.item.json_schema(), {"type": "null"}]}

    def nasty(self) -> Nasty:
        """See ``Field``."""
        refused, passed, later = self.item.nasty()
        return Nasty([value for value in refused if value is not None], [None, *passed], later)

    def sample(self, number: int = 0) -> Any:
        """See ``Field``."""
        return self.item.sample(number)


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

    def json_schema(self) -> JsonSchema:
        """See ``Field``."""
        return {"anyOf": [self.short.json_schema(), self.full.json_schema()]}

    def nasty(self) -> Nasty:
        """See ``Field``."""
        short, full = self.short.nasty(), self.full.nasty()
        refused = [value for value in short.refused if type(value) is str]
        refused += [value for value in full.refused if type(value) is not str]
        return Nasty(refused, [*short.passed, *full.passed], full.later)

    def sample(self, number: int = 0) -> Any:
        """See ``Field``."""
        return self.short.sample(number)


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
        parted = isinstance(item, Parts)
        for index, entry in enumerate(value):
            if parted:
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

    def json_schema(self) -> JsonSchema:
        """See ``Field``."""
        unique = {"uniqueItems": True} if self.unique else {}
        bounds = {"minItems": self.low, "maxItems": self.high}
        return {"type": "array", "items": self.item.json_schema(), **bounds, **unique}

    def nasty(self) -> Nasty:
        """See ``Field``."""
        item = self.item.nasty()
        wrong = [*others(list), self._samples(self.high + 1)]
        if self.low:
            wrong.append(self._samples(self.low - 1))
        if self.unique and self.high > 1:
            wrong.append([*self._samples(max(self.low, 2) - 1), self.item.sample()])
        full = [self._samples(count) for count in (self.low, self.high)]
        return Nasty(
            [*wrong, *map(self._with, item.refused)],
            [*full, *map(self._with, item.passed)],
            [*map(self._with, item.later)],
        )

    def _samples(self, count: int) -> list[Any]:
        return [self.item.sample(number) for number in range(count)]

    def _with(self, value: Any) -> list[Any]:
        """Return a short list that has ``value`` and is right otherwise."""
        rest = [entry for entry in self._samples(self.low + 1) if entry != value]
        return [*rest[: max(self.low - 1, 0)], value]

    def sample(self, number: int = 0) -> Any:
        """See ``Field``."""
        return self._samples(max(self.low, min(self.high, 1)))


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

    def json_schema(self) -> JsonSchema:
        """See ``Field``."""
        names = {"propertyNames": self.key.json_schema(), "maxProperties": self.high}
        return {"type": "object", **names, "additionalProperties": self.item.json_schema()}

    def nasty(self) -> Nasty:
        """See ``Field``."""
        keys, item, key = self.key.nasty(), self.item.nasty(), self.key.sample()
        wrong = [*others(dict), *({name: self.item.sample()} for name in keys.refused if type(name) is str)]
        over = self._samples(self.high + 1)
        if len(over) > self.high:
            wrong.append(over)
        passed = [{}, self._samples(self.high), *({name: self.item.sample()} for name in keys.passed)]
        return Nasty(
            [*wrong, *({key: value} for value in item.refused)],
            [*passed, *({key: value} for value in item.passed)],
            [{key: value} for value in item.later],
        )

    def _samples(self, count: int) -> dict[str, Any]:
        return {self.key.sample(number): self.item.sample(number) for number in range(count)}

    def sample(self, number: int = 0) -> Any:
        """See ``Field``."""
        return self._samples(1)


class Record(Parts):
    """A map with all of ``required``, any of ``optional``, and no other key."""

    def __init__(self, required: Mapping[str, Field], optional: Mapping[str, Field] | None = None) -> None:
        self.required = required
        self.fields: dict[str, Field] = {**required, **(optional or {})}
        self._parted = frozenset(name for name, field in self.fields.items() if isinstance(field, Parts))

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
            elif name in self._parted:
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

    def json_schema(self) -> JsonSchema:
        """See ``Field``."""
        properties = {name: field.json_schema() for name, field in self.fields.items()}
        names = {"required": list(self.required)} if self.required else {}
        return {"type": "object", "properties": properties, **names, "additionalProperties": False}

    def nasty(self) -> Nasty:
        """See ``Field``; every part is tried in a record that is right otherwise."""
        base = self.sample()
        refused: list[Any] = [*others(dict), {**base, "": 1}, {**base, "no such field": None}]
        refused += [{key: value for key, value in base.items() if key != name} for name in self.required]
        found = Nasty(refused, [base, {name: field.sample() for name, field in self.fields.items()}], [])
        for name, field in self.fields.items():
            for values, kept in zip(field.nasty(), found, strict=True):
                kept.extend({**base, name: value} for value in values)
        return found

    def sample(self, number: int = 0) -> Any:
        """See ``Field``."""
        return {name: field.sample(number) for name, field in self.required.items()}


class Dependent(Field):
    """What the field ``on`` of the same record chooses: ``cases`` has a field for each of its values.

    Alone it passes any value; the arguments of an action check the chosen one when all others are known to fit.
    """

    def __init__(self, on: str, cases: Mapping[str, Field]) -> None:
        self.on, self.cases = on, cases

    def check(self, value: Any) -> str | None:
        """See ``Field``."""
        return None

    def describe(self) -> str:
        """See ``Field``."""
        return f"as {self.on} says: {'; '.join(f'{name}: {case.describe()}' for name, case in self.cases.items())}"

    def json_schema(self) -> JsonSchema:
        """See ``Field``; which of the cases it is, the arguments' own schema says."""
        return {"description": f"as {self.on} says"}

    def nasty(self) -> Nasty:
        """See ``Field``; of the first case."""
        first = next(iter(self.cases.values())).nasty()
        return Nasty([], first.passed, first.refused)

    def sample(self, number: int = 0) -> Any:
        """See ``Field``; of the first case."""
        return next(iter(self.cases.values())).sample(number)


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

    def json_schema(self) -> JsonSchema:
        """See ``Field``."""
        return {"anyOf": [self.text.json_schema(), {**self.translated.json_schema(), "minProperties": 1}]}

    def nasty(self) -> Nasty:
        """See ``Field``."""
        text, translated = self.text.nasty(), self.translated.nasty()
        refused = [{}, *(value for value in text.refused if type(value) is not dict)]
        refused += [value for value in translated.refused if type(value) is dict]
        return Nasty(refused, [*text.passed, *(value for value in translated.passed if value)], [])

    def sample(self, number: int = 0) -> Any:
        """See ``Field``."""
        return self.text.sample(number)
