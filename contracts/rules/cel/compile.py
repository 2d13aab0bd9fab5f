"""CEL-S/1: the guards of rules, a strict subset of the Common Expression Language.

Law: what is accepted here means what it means in CEL (but G38 to G40 and G43), ends within ``MAX_COST`` steps, and is
the same on every machine; an expression without a value is ``Undetermined``, never true.

    guard = compile_expression("e.attributes.days <= 360", {"e": "{attributes: {days: int}}"}, result="bool")
    guard.evaluate({"e": {"attributes": {"days": 180}}})    # True

docs/spec/rules.md, section Guards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from coseal.contracts.rules.cel.check import LARGEST, MAX_COST, Charge, check
from coseal.contracts.rules.cel.decimals import decimal
from coseal.contracts.rules.cel.evaluate import Run, compiled
from coseal.contracts.rules.cel.parser import parse
from coseal.contracts.rules.cel.types import SIMPLE, Type, agree, list_of, map_of, parse_type, record
from coseal.contracts.rules.cel.values import Duration, EvalError, Timestamp, Value, type_name
from coseal.contracts.rules.errors import RuleError

__all__ = [
    "LARGEST",
    "MAX_COST",
    "Charge",
    "Duration",
    "Expression",
    "RuleError",
    "Timestamp",
    "Type",
    "Undetermined",
    "Value",
    "compile_expression",
    "decimal",
    "list_of",
    "map_of",
    "parse_type",
    "record",
]


@dataclass(frozen=True, slots=True)
class Undetermined:
    """An expression has no value on some bindings: ``reason``, and the character of the operation that failed."""

    reason: str
    position: int


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked expression: its text, its type (``dyn`` if only known when it runs), its worst-case steps.

    ``charge`` is what evaluating it is charged.
    """

    text: str
    type: Type
    cost: int
    charge: Charge
    wanted: str | None
    _run: Run = field(repr=False, compare=False)

    def evaluate(self, bindings: Mapping[str, Any]) -> Value | Undetermined:
        """Return the value on these bindings, or why there is none.

        Bindings hold bool, int of 64 bit, str, None, list, dict with str keys, Timestamp and Duration, within the
        bounds of the ledger; never float, bytes or tuple.
        """
        try:
            value: Value = self._run(bindings)
        except EvalError as error:
            return Undetermined(error.reason, error.position)
        if self.wanted is not None and type_name(value) != self.wanted:
            return Undetermined(f"expected a {self.wanted}, got {type_name(value)}", 0)
        return value


def compile_expression(
    text: str, variables: Mapping[str, str | Type], path: str = "", result: str | None = None
) -> Expression:
    """Return the expression that ``text`` is; raises RuleError with ``path``, the character and the reason.

    ``variables`` gives the type of each name, as a text (see ``parse_type``) or a ``Type``. ``result`` is the type
    the value must have, a simple one such as ``bool``.
    """
    types = {name: parse_type(kind) if isinstance(kind, str) else kind for name, kind in variables.items()}
    node = parse(text, path)
    fact, charge = check(node, types, path)
    if result is not None and not agree(fact.type, SIMPLE[result]):
        raise RuleError(path, node.position, f"expected a {result}, this is {fact.type}")
    return Expression(text, fact.type, fact.cost, charge, result, compiled(node))
