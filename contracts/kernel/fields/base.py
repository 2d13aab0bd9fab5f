"""What every field can do, and the two fields whose form only one place knows.

Law: ``check`` returns None if a value is fine, else what is wrong as a path from that value and a message:
``.date: expected ...``. Containers put their part of the path in front, so a good value costs no text. A receipt has
the first fault; ``faults`` gives an author of arguments all of them, by the same checks.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

JsonSchema: TypeAlias = dict[str, Any]

OTHER_TYPES: Final[tuple[Any, ...]] = (None, True, 7, b"\x00", "", [], {}, {"\x00": [None]}, ["a", 1])
"""A value of each type of the encoding, some of them empty."""


def others(*kinds: type) -> list[Any]:
    """Return values of all types but ``kinds``."""
    return [value for value in OTHER_TYPES if type(value) not in kinds]


class Nasty(NamedTuple):
    """Values for tests: ``refused`` fail the check, ``passed`` pass it, both with those next to every bound.

    ``later`` pass the check and are refused when the action is executed, whatever the state.
    """

    refused: list[Any]
    passed: list[Any]
    later: list[Any]


class Form(ABC):
    """What a value has to be, such as an attribute of a process type. A value that is given is not changed."""

    @abstractmethod
    def check(self, value: Any) -> str | None:
        """Return the first thing that is wrong with ``value``, or None."""

    def faults(self, value: Any) -> Iterator[str]:
        """Yield all that is wrong with ``value``."""
        error = self.check(value)
        if error is not None:
            yield error

    @abstractmethod
    def describe(self) -> str:
        """Return what is expected, as one line for people."""


class Field(Form):
    """The form of an argument of an action, which has a schema and test values as well."""

    @abstractmethod
    def json_schema(self) -> JsonSchema:
        """Return the narrowest JSON Schema (2020-12) that every value fits which passes."""

    @abstractmethod
    def nasty(self) -> Nasty:
        """Return values for tests, all of which can be encoded but for texts with half a surrogate pair."""

    @abstractmethod
    def sample(self, number: int = 0) -> Any:
        """Return a small value that passes; another one for each number, as far as the field has others."""


class Later(Field):
    """Any value: what it has to be is known, and checked, when the action is executed.

    ``expected`` says in words what that is; executing refuses ``refused``, and takes values like ``passed``.
    """

    def __init__(self, expected: str, *, refused: Sequence[Any], passed: Sequence[Any]) -> None:
        self.expected, self.refused, self.passed = expected, refused, passed

    def check(self, value: Any) -> str | None:
        """See ``Field``."""
        return None

    def describe(self) -> str:
        """See ``Field``."""
        return self.expected

    def json_schema(self) -> JsonSchema:
        """See ``Field``; as nothing is known yet, the words say more than the schema."""
        return {"description": self.expected}

    def nasty(self) -> Nasty:
        """See ``Field``."""
        return Nasty([], list(self.passed), list(self.refused))

    def sample(self, number: int = 0) -> Any:
        """See ``Field``."""
        return self.passed[number % len(self.passed)]


class Parts(Field):
    """A field of a value with parts, which finds every fault of them; ``check`` returns the first."""

    def check(self, value: Any) -> str | None:
        """See ``Field``."""
        return next(self.faults(value), None)

    @abstractmethod
    def faults(self, value: Any) -> Iterator[str]:
        """See ``Form``; in the order in which the parts stand."""


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

    def json_schema(self) -> JsonSchema:
        """See ``Field``."""
        return {**self.schema, "description": self.expected}

    def nasty(self) -> Nasty:
        """See ``Field``."""
        return Nasty([*others(*map(type, self.passed)), *self.refused], list(self.passed), [])

    def sample(self, number: int = 0) -> Any:
        """See ``Field``."""
        return self.passed[number % len(self.passed)]
