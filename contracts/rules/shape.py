"""Shapes: a strict subset of JSON Schema 2020-12, bounded before it is used.

Law: what is accepted here means what it means in JSON Schema; everything else is refused with its path, so a schema
never checks less than its author believes. A shape takes at most ``MAX_COST`` steps on any value.

    shape = compile_shape({"type": "object", "required": ["days"], "properties": {"days": {"type": "integer"}}})
    shape.check({"days": "six"})    # ".days: expected integer, got string"

docs/spec/rules.md, section Shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeAlias

from coseal.contracts.rules.errors import RuleError, quoted
from coseal.ledger.codec import INT_MAX, INT_MIN

MAX_COST: Final = 20_000
MAX_ITEMS: Final = 256
MAX_PROPERTIES: Final = 256
MAX_CHOICES: Final = 256
MAX_DEPTH: Final = 16
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

Test: TypeAlias = Callable[[Any], str | None]

_TYPES: Final[Mapping[str, type]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "boolean": bool,
    "null": type(None),
}
_NAMES: Final[Mapping[type, str]] = {kind: name for name, kind in _TYPES.items()}
_NOTES: Final = frozenset(("title", "description", "$comment"))
_LEFT_OUT: Final[Mapping[str, str]] = {
    "pattern": "regular expressions have no bound; use enum or the lengths",
    "patternProperties": "regular expressions have no bound; name the properties",
    "format": "formats differ between validators; use enum or the lengths",
    "uniqueItems": "comparing every pair has no small bound",
    "multipleOf": "use a guard with %",
    "definitions": "write $defs",
}
_INTEGER_BOUNDS: Final[Mapping[str, tuple[str, Callable[[int, int], bool]]]] = {
    "minimum": ("at least", int.__ge__),
    "maximum": ("at most", int.__le__),
    "exclusiveMinimum": ("more than", int.__gt__),
    "exclusiveMaximum": ("less than", int.__lt__),
}
_SIZE_BOUNDS: Final[Mapping[str, tuple[type[str] | type[list[Any]], str, Callable[[int, int], bool]]]] = {
    "minLength": (str, "at least {} characters", int.__ge__),
    "maxLength": (str, "at most {} characters", int.__le__),
    "minItems": (list, "at least {} items", int.__ge__),
    "maxItems": (list, "at most {} items", int.__le__),
}


class _Part(NamedTuple):
    """A compiled schema or keyword: its test, the most steps it takes, the schemas inside each other below it."""

    test: Test
    cost: int
    height: int = 0


@dataclass(frozen=True, slots=True)
class Shape:
    """A compiled schema; ``cost`` is the most steps a check takes."""

    cost: int
    _test: Test = field(repr=False, compare=False)

    def check(self, value: Any) -> str | None:
        """Return None if a value fits, else the path in it and the reason: ``.days: expected integer, ...``."""
        return self._test(value)


def compile_shape(schema: Any, path: str = "") -> Shape:
    """Return the shape of a schema; raises RuleError with the JSON path from ``path`` and the reason."""
    part = _Compiler(schema, path).whole()
    if part.cost > MAX_COST:
        raise RuleError(path, None, f"the worst case takes {part.cost} steps, more than {MAX_COST}")  # S9
    return Shape(part.cost, part.test)


class _Compiler:
    def __init__(self, schema: Any, path: str) -> None:
        self.schema, self.path = schema, path
        self.definitions: Mapping[str, Any] = {}
        self.compiled: dict[str, _Part] = {}
        self.open: list[str] = []

    def whole(self) -> _Part:
        schema = _record(self.schema, self.path)
        if schema.get("$schema", DIALECT) != DIALECT:
            raise RuleError(f"{self.path}.$schema", None, f"the dialect is {DIALECT}")
        self.definitions = _record(schema.get("$defs", {}), f"{self.path}.$defs")
        if len(self.definitions) > MAX_PROPERTIES:
            raise RuleError(f"{self.path}.$defs", None, f"at most {MAX_PROPERTIES} definitions")  # S8
        for name in self.definitions:
            self.definition(name, f"{self.path}.$defs.{name}", 0)
        return self.part({key: value for key, value in schema.items() if key not in ("$schema", "$defs")}, self.path, 0)

    def definition(self, name: str, path: str, depth: int) -> _Part:
        if name in self.open:
            raise RuleError(path, None, f"the reference is cyclic: {' > '.join((*self.open, name))}")  # S7
        if name not in self.compiled:
            self.open.append(name)
            self.compiled[name] = self.part(self.definitions[name], f"{self.path}.$defs.{name}", depth)
            self.open.pop()
        return self.compiled[name]

    def part(self, schema: Any, path: str, depth: int) -> _Part:
        if depth > MAX_DEPTH:
            raise RuleError(path, None, f"nested deeper than {MAX_DEPTH}")  # S8
        for keyword in _record(schema, path):
            if keyword not in _KEYWORDS and keyword not in _NOTES:
                reason = _LEFT_OUT.get(keyword, f"expected one of {', '.join(sorted(_KEYWORDS))}")
                raise RuleError(f"{path}.{keyword}", None, f"unsupported keyword: {reason}")  # S1
        parts = [
            compile_keyword(self, schema, f"{path}.{keyword}", depth)
            for keyword, compile_keyword in _KEYWORDS.items()
            if keyword in schema
        ]
        tests, cost = [part.test for part in parts], 1 + sum(part.cost for part in parts)
        height = max((part.height for part in parts), default=0)
        if depth + height > MAX_DEPTH:  # through a reference to what was compiled before
            raise RuleError(path, None, f"nested deeper than {MAX_DEPTH}")
        if len(tests) == 1:
            return _Part(tests[0], cost, height)

        def test(value: Any) -> str | None:
            for test in tests:
                error = test(value)
                if error is not None:
                    return error
            return None

        return _Part(test, cost, height)

    # keywords, in the order in which a value is tested (S10)

    def reference(self, schema: Mapping[str, Any], path: str, depth: int) -> _Part:
        target = schema["$ref"]
        name = target.removeprefix("#/$defs/") if type(target) is str else ""
        if type(target) is not str or not target.startswith("#/$defs/") or not name or any(c in name for c in "/~%"):
            raise RuleError(path, None, "a reference is local: #/$defs/name, without / ~ %")  # S7
        if name not in self.definitions:
            raise RuleError(path, None, f"no definition {quoted(name)}")
        part = self.definition(name, path, depth + 1)
        return part._replace(height=part.height + 1)

    def kind(self, schema: Mapping[str, Any], path: str, depth: int) -> _Part:
        given = schema["type"]
        names = given if type(given) is list else [given]
        for name in names:
            if type(name) is not str or name not in _TYPES:
                hint = "a number is an integer or a decimal text here" if name == "number" else "unknown type"
                raise RuleError(path, None, f"{hint}; expected one of {', '.join(_TYPES)}")  # S2
        if not names or len(set(names)) != len(names):
            raise RuleError(path, None, "expected types, each once")
        kinds, expected = frozenset(_TYPES[name] for name in names), " or ".join(names)

        def test(value: Any) -> str | None:
            if type(value) in kinds:
                return None
            return f": expected {expected}, got {_NAMES.get(type(value), 'no JSON value')}"

        return _Part(test, 1)

    def choice(self, schema: Mapping[str, Any], path: str, depth: int) -> _Part:
        options = schema["enum"]
        if type(options) is not list or not 0 < len(options) <= MAX_CHOICES:
            raise RuleError(path, None, f"expected a list of 1 to {MAX_CHOICES} values")
        return _among(options, path)

    def constant(self, schema: Mapping[str, Any], path: str, depth: int) -> _Part:
        return _among([schema["const"]], path)

    def required(self, schema: Mapping[str, Any], path: str, depth: int) -> _Part:
        names = schema["required"]
        if type(names) is not list or len(names) > MAX_PROPERTIES or not all(type(name) is str for name in names):
            raise RuleError(path, None, f"expected a list of at most {MAX_PROPERTIES} names")  # S8
        if len(set(names)) != len(names):
            raise RuleError(path, None, "a name stands twice")

        def test(value: Any) -> str | None:
            if type(value) is dict:
                for name in names:
                    if name not in value:
                        return f".{name}: missing"
            return None

        return _Part(test, len(names))

    def properties(self, schema: Mapping[str, Any], path: str, depth: int) -> _Part:
        given = _record(schema["properties"], path)
        if len(given) > MAX_PROPERTIES:
            raise RuleError(path, None, f"at most {MAX_PROPERTIES} properties")  # S8
        parts = {name: self.part(part, f"{path}.{name}", depth + 1) for name, part in given.items()}
        tests = [(name, part.test) for name, part in parts.items()]

        def test(value: Any) -> str | None:
            if type(value) is dict:
                for name, test in tests:
                    if name in value:
                        error = test(value[name])
                        if error is not None:
                            return f".{name}{error}"
            return None

        height = 1 + max((part.height for part in parts.values()), default=-1)
        return _Part(test, sum(1 + part.cost for part in parts.values()), height)

    def additional(self, schema: Mapping[str, Any], path: str, depth: int) -> _Part:
        if schema["additionalProperties"] is not False:
            raise RuleError(path, None, "expected false; leave it out to allow others")  # S4
        known = _record(schema.get("properties", {}), path)
        expected = ", ".join(known) or "nothing"

        def test(value: Any) -> str | None:
            if type(value) is dict:
                for name in value:
                    if name not in known:
                        return f".{str(name)[:64]}: unknown; expected {expected}"
            return None

        return _Part(test, len(known) + 1)  # the first unknown name ends it

    def items(self, schema: Mapping[str, Any], path: str, depth: int) -> _Part:
        high = schema.get("maxItems")
        if type(high) is not int or not 0 <= high <= MAX_ITEMS:
            raise RuleError(path, None, f"items needs maxItems beside it, at most {MAX_ITEMS}")  # S6
        part = self.part(schema["items"], path, depth + 1)

        def test(value: Any) -> str | None:
            if type(value) is list:
                for index, item in enumerate(value):
                    error = part.test(item)
                    if error is not None:
                        return f"[{index}]{error}"
            return None

        return _Part(test, high * (1 + part.cost), part.height + 1)


def _record(value: Any, path: str) -> Mapping[str, Any]:
    if type(value) is not dict or not all(type(name) is str for name in value):
        raise RuleError(path, None, "expected an object")
    return value


def _among(options: list[Any], path: str) -> _Part:
    """One of some scalars; a set of (type, value), for true is no 1."""
    for option in options:
        number = type(option) is int and INT_MIN <= option <= INT_MAX
        if not number and not (option is None or type(option) in (str, bool)):
            raise RuleError(path, None, "expected texts, integers of 64 bit, true, false or null")  # S3
    allowed = {(type(option), option) for option in options}
    if len(allowed) != len(options):
        raise RuleError(path, None, "a value stands twice")
    expected = ", ".join(map(_shown, options[:8])) + (", ..." if len(options) > 8 else "")

    def test(value: Any) -> str | None:
        kind = type(value)
        if kind in (dict, list) or (kind, value) not in allowed:
            return f": expected one of {expected}" if len(options) > 1 else f": expected {expected}"
        return None

    return _Part(test, 1)


def _shown(value: str | int | None) -> str:
    """Spell a scalar as JSON does, a text in single quotes."""
    if type(value) is str:
        return quoted(value)
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def _integer_bound(keyword: str) -> Callable[[_Compiler, Mapping[str, Any], str, int], _Part]:
    words, holds = _INTEGER_BOUNDS[keyword]

    def compile_bound(compiler: _Compiler, schema: Mapping[str, Any], path: str, depth: int) -> _Part:
        bound = schema[keyword]
        if type(bound) is not int or not INT_MIN <= bound <= INT_MAX:
            raise RuleError(path, None, "expected an integer of 64 bit")  # S5

        def test(value: Any) -> str | None:
            return f": expected {words} {bound}" if type(value) is int and not holds(value, bound) else None

        return _Part(test, 1)

    return compile_bound


def _size_bound(keyword: str) -> Callable[[_Compiler, Mapping[str, Any], str, int], _Part]:
    kind, words, holds = _SIZE_BOUNDS[keyword]

    def compile_bound(compiler: _Compiler, schema: Mapping[str, Any], path: str, depth: int) -> _Part:
        bound = schema[keyword]
        if type(bound) is not int or not 0 <= bound <= INT_MAX:
            raise RuleError(path, None, "expected an integer of at least 0")  # S5
        expected = f": expected {words.format(bound)}"

        def test(value: Any) -> str | None:
            return expected if isinstance(value, kind) and not holds(len(value), bound) else None

        return _Part(test, 1)

    return compile_bound


_KEYWORDS: Final[Mapping[str, Callable[[_Compiler, Mapping[str, Any], str, int], _Part]]] = {  # S10
    "type": _Compiler.kind,
    "const": _Compiler.constant,
    "enum": _Compiler.choice,
    **{keyword: _integer_bound(keyword) for keyword in _INTEGER_BOUNDS},
    **{keyword: _size_bound(keyword) for keyword in _SIZE_BOUNDS},
    "required": _Compiler.required,
    "additionalProperties": _Compiler.additional,
    "properties": _Compiler.properties,
    "items": _Compiler.items,
    "$ref": _Compiler.reference,
}
