"""CEL-S/1 at work: a checked tree becomes closures, one for each operation.

Law: a closure returns a value or raises ``EvalError`` with the character of the operation that failed, whatever the
bindings hold; ``&&`` and ``||`` (and the macros made of them) ignore an error where another operand decides.

docs/spec/rules.md, rules G30 to G43.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from coseal.contracts.rules.cel import decimals, values
from coseal.contracts.rules.cel import parser as tree
from coseal.contracts.rules.cel.values import MAX_ITEMS, Duration, EvalError, Timestamp, equal, type_name

Environment: TypeAlias = Mapping[str, Any]
Run: TypeAlias = Callable[[Any], Any]

MACRO_SLOT: Final = " item"
"""Where a macro keeps its item in the bindings; no name of an expression holds a space."""

_BINARY: Final[Mapping[str, Mapping[tuple[type, type], Callable[[Any, Any], Any]]]] = {
    "_+_": {
        (int, int): lambda a, b: values.integer(a + b),
        (str, str): operator.add,
        (list, list): values.concatenated,
        (Timestamp, Duration): lambda a, b: values.timestamp(a.ms + b.ms),
        (Duration, Timestamp): lambda a, b: values.timestamp(a.ms + b.ms),
        (Duration, Duration): lambda a, b: values.duration(a.ms + b.ms),
    },
    "_-_": {
        (int, int): lambda a, b: values.integer(a - b),
        (Timestamp, Timestamp): lambda a, b: values.duration(a.ms - b.ms),
        (Timestamp, Duration): lambda a, b: values.timestamp(a.ms - b.ms),
        (Duration, Duration): lambda a, b: values.duration(a.ms - b.ms),
    },
    "_*_": {(int, int): lambda a, b: values.integer(a * b)},
    "_/_": {(int, int): values.quotient},
    "_%_": {(int, int): values.remainder},
    "_[_]": {(list, int): values.item_at, (dict, str): values.entry_of},
    "startsWith": {(str, str): str.startswith},
    "endsWith": {(str, str): str.endswith},
    "contains": {(str, str): operator.contains},
    "decimal": {(str, int): decimals.decimal},
    "compare": {(left, right): decimals.compare for left in (str, int) for right in (str, int)},
}
_TERNARY: Final[Mapping[str, Mapping[tuple[type, type, type], Callable[[Any, Any, Any], Any]]]] = {
    "decimal": {(str, int, str): decimals.rounded},
}


def _same(value: Any) -> Any:
    return value


def _part(part: Callable[[int], int]) -> Callable[[Any], int]:
    return lambda value: part(value.ms)


_UNARY: Final[Mapping[str, dict[type, Callable[[Any], Any]]]] = {
    "-_": {int: lambda a: values.integer(-a)},
    "!_": {bool: operator.not_},
    "size": {str: len, list: len, dict: len},
    "timestamp": {str: values.parse_timestamp, int: lambda a: values.timestamp(a * 1_000), Timestamp: _same},
    "duration": {str: values.parse_duration, Duration: _same},
    "int": {int: _same, str: values.parse_integer, Timestamp: lambda a: a.ms // 1_000},
    "string": {
        str: _same,
        int: str,
        bool: lambda a: "true" if a else "false",
        Timestamp: values.timestamp_text,
        Duration: values.duration_text,
    },
    "bool": {bool: _same, str: values.parse_boolean},
    **{
        name: {
            Timestamp: _part(part),
            **({Duration: _part(values.DURATION_PARTS[name])} if name in values.DURATION_PARTS else {}),
        }
        for name, part in values.TIMESTAMP_PARTS.items()
    },
}
_COMPARISONS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {  # G35
    "_<_": operator.lt,
    "_<=_": operator.le,
    "_>_": operator.gt,
    "_>=_": operator.ge,
}
_PLAIN_ORDERED: Final = (int, str, bool)
_KEYS: Final = (str, int, bool)  # what CEL has as keys; only texts are keys here


def compiled(node: tree.Node) -> Run:
    """Return the closure of a checked tree: bindings in, value out or EvalError."""
    return _COMPILERS[type(node)](node)


def _literal(node: tree.Literal) -> Run:
    value = node.value
    return lambda bindings: value


def _variable(node: tree.Variable) -> Run:
    name, position = MACRO_SLOT if node.item else node.name, node.position

    def run(bindings: Environment) -> Any:
        try:
            return bindings[name]
        except KeyError:
            raise EvalError(f"{name} has no value", position) from None

    return run


def _select(node: tree.Select) -> Run:
    operand, field, position = compiled(node.operand), node.field, node.position

    def run(bindings: Environment) -> Any:
        holder = operand(bindings)
        if type(holder) is not dict:
            raise EvalError(f"a {type_name(holder)} has no field {field}", position)
        try:
            return holder[field]
        except KeyError:
            raise EvalError(f"no such field: {field}", position) from None  # G24, G37

    def has(bindings: Environment) -> bool:
        holder = operand(bindings)
        if type(holder) is not dict:
            raise EvalError(f"a {type_name(holder)} has no field {field}", position)
        return bool(field in holder)

    return has if node.test else run


def _logic(node: tree.Logic) -> Run:
    """G31: the operand that decides decides, whatever the others do; else the first error."""
    operands, position = [compiled(operand) for operand in node.operands], node.position
    decisive, other = node.operator == "||", node.operator == "&&"

    def run(bindings: Environment) -> Any:
        failed: tuple[str, int] | None = None
        for operand in operands:
            try:
                value = operand(bindings)
            except EvalError as raised:
                failed = failed or (raised.reason, raised.position)
                continue
            if value is decisive:
                return decisive
            if value is not other:
                failed = failed or (f"expected a bool, got {type_name(value)}", position)
        if failed is not None:
            raise EvalError(*failed)
        return other

    return run


def _conditional(node: tree.Conditional) -> Run:
    """G33: the condition and one branch are evaluated."""
    condition, accepted, rejected = compiled(node.condition), compiled(node.accepted), compiled(node.rejected)
    position = node.position

    def run(bindings: Environment) -> Any:
        value = condition(bindings)
        if value is True:
            return accepted(bindings)
        if value is False:
            return rejected(bindings)
        raise EvalError(f"expected a bool before ?, got {type_name(value)}", position)

    return run


def _macro(node: tree.Macro) -> Run:
    """G32: ``all`` and ``exists`` as && and || over the items; ``exists_one`` counts, and any error is one."""
    items_of, body = compiled(node.range), compiled(node.body)
    name, position = node.name, node.position
    decisive = name == "exists"

    def items(bindings: Environment) -> list[Any]:
        found = items_of(bindings)
        if type(found) is not list:
            raise EvalError(f"{name}() walks a list, not a {type_name(found)}", position)
        if len(found) > MAX_ITEMS:  # G36
            raise EvalError(f"a list of more than {MAX_ITEMS} items", position)
        return found

    def run(bindings: Environment) -> Any:
        failed: tuple[str, int] | None = None
        inner: dict[str, Any] = {**bindings}
        for item in items(bindings):
            inner[MACRO_SLOT] = item
            try:
                value = body(inner)
            except EvalError as raised:
                failed = failed or (raised.reason, raised.position)
                continue
            if value is decisive:
                return decisive
            if type(value) is not bool:
                failed = failed or (f"expected a bool, got {type_name(value)}", position)
        if failed is not None:
            raise EvalError(*failed)
        return not decisive

    def one(bindings: Environment) -> bool:
        count = 0
        inner: dict[str, Any] = {**bindings}
        for item in items(bindings):
            inner[MACRO_SLOT] = item
            value = body(inner)
            if type(value) is not bool:
                raise EvalError(f"expected a bool, got {type_name(value)}", position)
            count += value
        return count == 1

    return one if name == "exists_one" else run


def _list(node: tree.ListLiteral) -> Run:
    items = [compiled(item) for item in node.items]
    return lambda bindings: [item(bindings) for item in items]


def _map(node: tree.MapLiteral) -> Run:
    entries = [(compiled(key), compiled(value)) for key, value in zip(node.keys, node.values, strict=True)]
    position = node.position

    def run(bindings: Environment) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in entries:
            name = key(bindings)
            if type(name) is not str:
                raise EvalError(f"the keys of a map are strings, not {type_name(name)}", position)
            if name in found:
                raise EvalError("a key stands twice", position)
            found[name] = value(bindings)
        return found

    return run


def _call(node: tree.Call) -> Run:
    name, position, first = node.function, node.position, node.operands[0]
    if name in values.TIME_CONSTANTS and type(first) is tree.Literal and type(first.value) is str:
        time = values.TIME_CONSTANTS[name](first.value)  # the check has tried it
        return lambda bindings: time
    operands = [compiled(operand) for operand in node.operands]
    if name in ("_==_", "_!=_"):
        return _equality(node, operands)
    if name == "_in_":
        return _membership(operands, position)
    if name in _COMPARISONS:
        return _comparison(name, operands, position)
    if name == "dyn":
        return operands[0]
    if len(operands) == 3:
        return _ternary(name, operands, position)
    return _unary(name, operands[0], position) if len(operands) == 1 else _binary(name, operands, position)


def _equality(node: tree.Call, operands: list[Run]) -> Run:
    left, right = operands
    expected = node.function == "_==_"
    constant = node.operands[1]
    if type(constant) is tree.Literal and type(constant.value) is str:
        text = constant.value  # nothing but a text equals a text
        return (lambda bindings: left(bindings) == text) if expected else (lambda bindings: left(bindings) != text)
    return lambda bindings: equal(left(bindings), right(bindings)) is expected


def _membership(operands: list[Run], position: int) -> Run:
    value_of, holder_of = operands

    def run(bindings: Environment) -> bool:
        value, holder = value_of(bindings), holder_of(bindings)
        if type(holder) is list:
            if len(holder) > MAX_ITEMS:  # G36
                raise EvalError(f"a list of more than {MAX_ITEMS} items", position)
            return any(equal(value, item) for item in holder)
        if type(holder) is not dict:
            raise EvalError(f"in needs a list or map, got {type_name(holder)}", position)
        if type(value) not in _KEYS:
            raise EvalError(f"the keys of a map are strings, not {type_name(value)}", position)
        return type(value) is str and value in holder  # G37

    return run


def _comparison(name: str, operands: list[Run], position: int) -> Run:
    left, right = operands
    compare = _COMPARISONS[name]

    def run(bindings: Environment) -> Any:
        a, b = left(bindings), right(bindings)
        kind = type(a)
        if kind is type(b):
            if kind in _PLAIN_ORDERED:  # G35
                return compare(a, b)
            if kind is Timestamp or kind is Duration:
                return compare(a.ms, b.ms)
        raise _no_overload(name, position, a, b)

    return run


def _binary(name: str, operands: list[Run], position: int) -> Run:
    left, right = operands
    table = _BINARY[name]

    def run(bindings: Environment) -> Any:
        a, b = left(bindings), right(bindings)  # G33: the leftmost error is the error
        function = table.get((type(a), type(b)))
        if function is None:
            raise _no_overload(name, position, a, b)
        try:
            return function(a, b)
        except EvalError as error:
            raise EvalError(error.reason, position) from None

    return run


def _unary(name: str, operand: Run, position: int) -> Run:
    table = _UNARY[name]

    def run(bindings: Environment) -> Any:
        a = operand(bindings)
        function = table.get(type(a))
        if function is None:
            raise _no_overload(name, position, a)
        try:
            return function(a)
        except EvalError as error:
            raise EvalError(error.reason, position) from None

    return run


def _ternary(name: str, operands: list[Run], position: int) -> Run:
    first, second, third = operands
    table = _TERNARY[name]

    def run(bindings: Environment) -> Any:
        a, b, c = first(bindings), second(bindings), third(bindings)
        function = table.get((type(a), type(b), type(c)))
        if function is None:
            raise _no_overload(name, position, a, b, c)
        try:
            return function(a, b, c)
        except EvalError as error:
            raise EvalError(error.reason, position) from None

    return run


def _no_overload(name: str, position: int, *given: Any) -> EvalError:
    plain = name.replace("_", " ").strip(" ")
    return EvalError(f"{plain} of ({', '.join(map(type_name, given))})", position)


_COMPILERS: Final[Mapping[type, Callable[[Any], Run]]] = {
    tree.Literal: _literal,
    tree.Variable: _variable,
    tree.Select: _select,
    tree.Logic: _logic,
    tree.Conditional: _conditional,
    tree.Macro: _macro,
    tree.ListLiteral: _list,
    tree.MapLiteral: _map,
    tree.Call: _call,
}
