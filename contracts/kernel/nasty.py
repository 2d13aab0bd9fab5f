"""What an action is tried with: its example with one field at a time set to every nasty value that the field has.

Law: what is ``refused`` is refused whatever the state, and the refusal names the field; all values can be encoded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from coseal.contracts.kernel.action import Arguments
from coseal.contracts.kernel.fields import Dependent, Field
from coseal.contracts.kernel.names import is_encodable


class Trial(NamedTuple):
    """Arguments that differ from an example in ``field``, and whether they are to be refused for it.

    ``later``: only when the action is executed, as its form is known then.
    """

    field: str
    args: dict[str, Any]
    refused: bool
    later: bool = False


def trials(arguments: Arguments, example: Mapping[str, Any]) -> Iterator[Trial]:
    """Yield the example without each required field, with an unknown one, and with every nasty value of every field."""
    record = arguments.record
    for name in record.required:
        yield Trial(name, {key: value for key, value in example.items() if key != name}, refused=True)
    yield Trial("no such field", {**example, "no such field": None}, refused=True)
    for name, field in record.fields.items():
        if isinstance(field, Dependent):
            for choice, case in field.cases.items():
                yield from _trials_of(name, case, {**example, field.on: choice})
        else:
            yield from _trials_of(name, field, example)


def _trials_of(name: str, field: Field, example: Mapping[str, Any]) -> Iterator[Trial]:
    nasty = field.nasty()
    for value in nasty.refused:
        if _is_encodable(value):
            yield Trial(name, {**example, name: value}, refused=True)
    for value in nasty.passed:
        yield Trial(name, {**example, name: value}, refused=False)
    for value in nasty.later:
        yield Trial(name, {**example, name: value}, refused=True, later=True)


def _is_encodable(value: Any) -> bool:
    """Say whether a value can be in a transaction: all of its texts have a UTF-8 form."""
    if type(value) is str:
        return is_encodable(value)
    if type(value) is list:
        return all(map(_is_encodable, value))
    return type(value) is not dict or all(is_encodable(key) and _is_encodable(part) for key, part in value.items())
