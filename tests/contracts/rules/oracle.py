"""CEL by its official implementation in C++, asked what CEL-S/1 is asked; a tool of tests alone."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cel_expr_python import cel

from coseal.contracts.rules.cel.values import Duration, Timestamp

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
MILLISECOND = datetime.timedelta(milliseconds=1)


@dataclass(frozen=True)
class Failed:
    """The oracle gives an error, or refuses the text."""

    reason: str


class Oracle:
    """Evaluates texts over variables of the given types."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.environment = cel.NewEnv(variables={name: self.type(kind) for name, kind in variables.items()})

    def type(self, kind: str) -> Any:
        if kind.startswith("list("):
            return cel.Type.List(self.type(kind[5:-1]))
        if kind.startswith("map("):
            return cel.Type.Map(cel.Type.STRING, self.type(kind[4:-1]))
        return getattr(cel.Type, kind.upper())

    def compile(self, text: str) -> cel.Expression:
        """Return the oracle's expression; its checker, narrower than ours on ``dyn``, is passed by if it refuses."""
        try:
            return self.environment.compile(text)
        except RuntimeError:
            return self.environment.compile(text, disable_check=True)

    def evaluate(self, text: str, bindings: Mapping[str, Any]) -> Any:
        """Return the value in our terms, or ``Failed``."""
        try:
            value = self.compile(text).eval(data={name: outward(value) for name, value in bindings.items()})
        except RuntimeError as error:
            return Failed(str(error))
        return Failed(str(value)) if value.type() == cel.Type.ERROR else inward(value)


def outward(value: Any) -> Any:
    if isinstance(value, Timestamp):
        return EPOCH + value.ms * MILLISECOND
    if isinstance(value, Duration):
        return value.ms * MILLISECOND
    if isinstance(value, list):
        return [outward(item) for item in value]
    if isinstance(value, dict):
        return {key: outward(item) for key, item in value.items()}
    return value


def inward(value: Any) -> Any:
    if value.type() == cel.Type.NULL:
        return None  # value() of a null gives away a reference to None that it does not own
    plain = value.value()
    if isinstance(plain, list):
        return [inward(item) for item in plain]
    if isinstance(plain, dict):
        return {key: inward(item) for key, item in plain.items()}
    if isinstance(plain, datetime.datetime):
        return Timestamp((plain - EPOCH) // MILLISECOND)
    if isinstance(plain, datetime.timedelta):
        return Duration(plain // MILLISECOND)
    return plain
