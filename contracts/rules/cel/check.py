"""What is checked before an expression is accepted: names, types, and the worst-case cost.

Law: an expression that passes takes at most ``MAX_COST`` steps on any input within the ledger's bounds; what cannot
be told before (``dyn``) is checked again when it runs.

docs/spec/rules.md, rules G20 to G26 (types) and G50 to G52 (cost).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from coseal.contracts.rules.cel import parser as tree
from coseal.contracts.rules.cel.decimals import require_rounding
from coseal.contracts.rules.cel.types import (
    BOOL,
    CHARACTERS_A_STEP,
    DURATION,
    DYN,
    INT,
    LIST,
    MAP,
    NULL,
    STRING,
    TIMESTAMP,
    Type,
    agree,
    joined,
    list_of,
    map_of,
    size_of,
    weight,
)
from coseal.contracts.rules.cel.values import (
    DURATION_PARTS,
    MAX_ITEMS,
    MAX_TEXT,
    TIME_CONSTANTS,
    TIMESTAMP_PARTS,
    EvalError,
)
from coseal.contracts.rules.errors import RuleError, quoted

MAX_COST: Final = 20_000

Overload = tuple[tuple[Type, ...], Type]


class Charge(NamedTuple):
    """The steps charged for something: ``least`` where all lists and texts from outside are empty, ``most`` where they
    are the largest, on a straight line in between (G53).
    """

    least: int
    most: int

    def plus(self, other: Charge) -> Charge:
        """Return the charge for both."""
        return Charge(self.least + other.least, self.most + other.most)

    def at(self, size: int) -> int:
        """Return the steps at a size of 0 to ``LARGEST``, rounded up."""
        return self.least - (self.least - self.most) * size // LARGEST


LARGEST: Final = 256
"""The size of an event whose longest list has 256 entries, or whose longest text 4,096 characters."""


class Fact(NamedTuple):
    """What is known of a part: its type, its greatest size (characters or items), the most steps it takes,
    and the most steps that comparing its value takes beyond the first.
    """

    type: Type
    size: int
    weight: int
    cost: int


_ORDERED: Final = (INT, STRING, BOOL, TIMESTAMP, DURATION)
_COMPARISONS: Final[list[Overload]] = [((kind, kind), BOOL) for kind in _ORDERED]
_INTEGERS: Final[Overload] = ((INT, INT), INT)
_TEXT_TEST: Final[list[Overload]] = [((STRING, STRING), BOOL)]

OPERATORS: Final[Mapping[str, list[Overload]]] = {
    "_+_": [
        _INTEGERS,
        ((STRING, STRING), STRING),
        ((LIST, LIST), LIST),
        ((TIMESTAMP, DURATION), TIMESTAMP),
        ((DURATION, TIMESTAMP), TIMESTAMP),
        ((DURATION, DURATION), DURATION),
    ],
    "_-_": [
        _INTEGERS,
        ((TIMESTAMP, TIMESTAMP), DURATION),
        ((TIMESTAMP, DURATION), TIMESTAMP),
        ((DURATION, DURATION), DURATION),
    ],
    **{name: [_INTEGERS] for name in ("_*_", "_/_", "_%_")},
    **dict.fromkeys(("_<_", "_<=_", "_>_", "_>=_"), _COMPARISONS),
    "-_": [((INT,), INT)],
    "!_": [((BOOL,), BOOL)],
}
FUNCTIONS: Final[Mapping[str, list[Overload]]] = {
    "size": [((kind,), INT) for kind in (STRING, LIST, MAP)],
    "timestamp": [((STRING,), TIMESTAMP), ((TIMESTAMP,), TIMESTAMP), ((INT,), TIMESTAMP)],
    "duration": [((STRING,), DURATION), ((DURATION,), DURATION)],
    "int": [((INT,), INT), ((STRING,), INT), ((TIMESTAMP,), INT)],
    "string": [((kind,), STRING) for kind in (STRING, INT, BOOL, TIMESTAMP, DURATION)],
    "bool": [((BOOL,), BOOL), ((STRING,), BOOL)],
    "dyn": [((DYN,), DYN)],
    "decimal": [((STRING, INT), INT), ((STRING, INT, STRING), INT)],
    "compare": [((left, right), INT) for left in (STRING, INT) for right in (STRING, INT)],
}
METHODS: Final[Mapping[str, list[Overload]]] = {
    "size": FUNCTIONS["size"],
    **dict.fromkeys(("startsWith", "endsWith", "contains"), _TEXT_TEST),
    **{name: [((TIMESTAMP,), INT)] for name in TIMESTAMP_PARTS},
    **{name: [((TIMESTAMP,), INT), ((DURATION,), INT)] for name in DURATION_PARTS},
}
_READING: Final = frozenset(("timestamp", "duration", "int", "string", "bool", "decimal"))
READING_COST: Final = 10


def check(node: tree.Node, variables: Mapping[str, Type], path: str = "") -> tuple[Fact, Charge]:
    """Return the facts of a tree, and what is charged for it.

    Raises RuleError for an unknown name, a type that does not fit, or the cost.
    """
    choices: list[int] = []
    fact = _Checker(variables, path, choices).fact(node)
    if fact.cost > MAX_COST:
        raise RuleError(path, node.position, f"the worst case takes {fact.cost} steps, more than {MAX_COST}")  # G50
    least = _Empty(variables, path, choices[::-1]).fact(node).cost
    most = _Largest(variables, path, choices[::-1]).fact(node).cost
    return fact, Charge(-(-least // 2), -(-most // 2))  # G53


class _Checker:
    """Finds the worst case; notes in ``choices`` which of several weights counts, where the smallest does (G52)."""

    def __init__(self, variables: Mapping[str, Type], path: str, choices: list[int]) -> None:
        self.variables, self.path, self.item, self.choices = variables, path, DYN, choices

    def size_of(self, kind: Type) -> int:
        """Return the size that a value from outside is taken to have."""
        return size_of(kind)

    def weight(self, kind: Type, size: int) -> int:
        """Return the steps that comparing such a value takes beyond the first."""
        return weight(kind, size)

    def smallest(self, *weights: int) -> int:
        """Return the weight that counts."""
        self.choices.append(weights.index(min(weights)))
        return min(weights)

    def capped(self, size: int) -> int:
        """Return the items of a list that operations made, of at most ``size``."""
        return min(MAX_ITEMS, size)

    def of(self, kind: Type, cost: int) -> Fact:
        """Return the fact of a value of which only the type is known."""
        size = self.size_of(kind)
        return Fact(kind, size, self.weight(kind, size), cost)

    def error(self, node: tree.Node, reason: str) -> RuleError:
        return RuleError(self.path, node.position, reason)

    def fact(self, node: tree.Node) -> Fact:
        match node:
            case tree.Literal():
                return self.literal(node.value)
            case tree.Variable():
                return self.variable(node)
            case tree.Select():
                return self.select(node)
            case tree.Call():
                return self.call(node)
            case tree.Logic():
                facts = [self.boolean(operand, node.operator) for operand in node.operands]
                return self.of(BOOL, 1 + sum(fact.cost for fact in facts))
            case tree.Conditional():
                return self.conditional(node)
            case tree.Macro():
                return self.macro(node)
            case tree.ListLiteral():
                return self.list_literal(node)
            case tree.MapLiteral():
                return self.map_literal(node)

    def boolean(self, node: tree.Node, place: str) -> Fact:
        fact = self.fact(node)
        if not agree(fact.type, BOOL):
            raise self.error(node, f"{place} needs a bool, got {fact.type}")
        return fact

    def variable(self, node: tree.Variable) -> Fact:
        kind = self.item if node.item else self.variables.get(node.name)
        if kind is None:
            known = ", ".join(self.variables) or "none"
            raise self.error(node, f"unknown name {quoted(node.name)}; known: {known}")
        return self.of(kind, 1)

    def select(self, node: tree.Select) -> Fact:
        operand = self.fact(node.operand)
        kind = self.entry(node, operand.type, node.field)
        return self.of(BOOL if node.test else kind, 1 + operand.cost)

    def entry(self, node: tree.Node, holder: Type, name: str) -> Type:
        """Return the type of what a map or record has under a constant name."""
        if holder.kind == "record":
            kind = holder.field(name)
            if kind is None:
                known = ", ".join(known for known, _ in holder.fields) or "none"
                raise self.error(node, f"unknown field {quoted(name)}; known: {known}")
            return kind
        if holder.kind == "map":
            return holder.item or DYN
        if holder.kind != "dyn":
            raise self.error(node, f"{holder} has no fields")
        return DYN

    def call(self, node: tree.Call) -> Fact:
        if node.function in ("_==_", "_!=_"):
            return self.equality(node)
        if node.function == "_in_":
            return self.membership(node)
        if node.function == "_[_]":
            return self.index(node)
        overloads = self.overloads(node)
        facts = [self.fact(operand) for operand in node.operands]
        kinds = [fact.type for fact in facts]
        found = [result for wanted, result in overloads if len(wanted) == len(kinds) and all(map(agree, wanted, kinds))]
        if not found:
            name = node.function.replace("_", " ").strip(" ")
            given = ", ".join(map(str, kinds))
            wanted = " or ".join("(" + ", ".join(map(str, wanted)) + ")" for wanted, _ in overloads)
            raise self.error(node, f"{name} of ({given}): expected {wanted}")  # G21
        self.constant(node)
        kind = joined(found)
        if kind == LIST:
            kind = list_of(joined([fact.type.item or DYN for fact in facts]))
        size = self.result_size(node.function, kind, facts)
        cost = 1 + sum(fact.cost for fact in facts) + self.extra(node.function, kind, size, facts)
        carried = node.function in ("_+_", "dyn") and kind.kind in ("string", "list", "dyn")
        heavy = sum(fact.weight for fact in facts) if carried else self.weight(kind, size)
        return Fact(kind, size, heavy, cost)

    def constant(self, node: tree.Call) -> None:
        """Refuse a constant that is no time, or names less than a millisecond, and an unknown rounding (G26)."""
        constant = node.operands[0]
        read: Callable[[str], object] | None = TIME_CONSTANTS.get(node.function)
        if node.function == "decimal" and len(node.operands) == 3:
            constant, read = node.operands[2], require_rounding
        if read is None or type(constant) is not tree.Literal or type(constant.value) is not str:
            return
        try:
            read(constant.value)
        except EvalError as error:
            raise self.error(constant, f"{quoted(constant.value)}: {error.reason}") from None

    def overloads(self, node: tree.Call) -> list[Overload]:
        table = OPERATORS if node.function in OPERATORS else METHODS if node.method else FUNCTIONS
        if node.function in table:
            return table[node.function]
        if node.function in METHODS:
            raise self.error(node, f"{node.function}() is called on a value: value.{node.function}()")
        if node.function in FUNCTIONS:
            raise self.error(node, f"{node.function}() is no method: {node.function}(value)")
        raise self.error(node, f"unknown function {node.function}(); known: {', '.join(table)}")

    def equality(self, node: tree.Call) -> Fact:
        left, right = (self.fact(operand) for operand in node.operands)
        if not agree(left.type, right.type):
            raise self.error(node, f"{left.type} never equals {right.type}")  # G22
        steps = self.smallest(left.weight, right.weight)
        return self.of(BOOL, 1 + left.cost + right.cost + steps)

    def membership(self, node: tree.Call) -> Fact:
        value, holder = (self.fact(operand) for operand in node.operands)
        cost = 1 + value.cost + holder.cost
        if holder.type.kind in ("record", "map"):
            if not agree(value.type, STRING):
                raise self.error(node, f"the keys of a map are strings, not {value.type}")
            if holder.type.kind == "record" and type(node.operands[0]) is tree.Literal:
                self.entry(node, holder.type, str(node.operands[0].value))
            return self.of(BOOL, cost)
        if holder.type.kind not in ("list", "dyn"):
            raise self.error(node, f"in needs a list or map, got {holder.type}")
        item = holder.type.item or DYN
        if not agree(value.type, item):
            raise self.error(node, f"a list of {item} never holds {value.type}")
        count = holder.size if holder.type.kind == "list" else self.size_of(LIST)
        return self.of(BOOL, cost + count + self.smallest(count * value.weight, holder.weight))

    def index(self, node: tree.Call) -> Fact:
        holder, key = (self.fact(operand) for operand in node.operands)
        cost = 1 + holder.cost + key.cost
        if holder.type.kind == "list":
            wanted, kind = INT, holder.type.item or DYN
        elif holder.type.kind in ("map", "record"):
            wanted, kind = STRING, holder.type.item or DYN
            name = node.operands[1]
            if type(name) is tree.Literal and type(name.value) is str:
                kind = self.entry(node, holder.type, name.value)
        elif holder.type.kind == "dyn":
            wanted, kind = DYN, DYN
        else:
            raise self.error(node, f"{holder.type} has no index")
        if not agree(key.type, wanted):
            raise self.error(node, f"the index of {holder.type.kind} is {wanted}, not {key.type}")
        return self.of(kind, cost)

    def conditional(self, node: tree.Conditional) -> Fact:
        condition = self.boolean(node.condition, "?")
        accepted, rejected = self.fact(node.accepted), self.fact(node.rejected)
        if not agree(accepted.type, rejected.type):
            raise self.error(node, f"the branches differ: {accepted.type} and {rejected.type}")  # G23
        cost = 1 + condition.cost + max(accepted.cost, rejected.cost)
        kind = joined([accepted.type, rejected.type])
        heavier = max(accepted.weight, rejected.weight)
        return Fact(kind, max(accepted.size, rejected.size), heavier, cost)

    def macro(self, node: tree.Macro) -> Fact:
        holder = self.fact(node.range)
        if holder.type.kind not in ("list", "dyn"):
            raise self.error(node, f"{node.name}() walks a list, not {holder.type}")  # G16
        self.item = holder.type.item or DYN
        body = self.boolean(node.body, f"{node.name}()")
        count = holder.size if holder.type.kind == "list" else self.size_of(LIST)
        return self.of(BOOL, 1 + holder.cost + count * (1 + body.cost))

    def list_literal(self, node: tree.ListLiteral) -> Fact:
        if len(node.items) > MAX_ITEMS:
            raise self.error(node, f"a list has at most {MAX_ITEMS} items")
        facts = [self.fact(item) for item in node.items]
        kind = list_of(joined([fact.type for fact in facts]))
        return _together(kind, facts)

    def map_literal(self, node: tree.MapLiteral) -> Fact:
        keys, values = [self.fact(key) for key in node.keys], [self.fact(value) for value in node.values]
        for key, fact in zip(node.keys, keys, strict=True):
            if not agree(fact.type, STRING):
                raise self.error(key, "the keys of a map are strings")  # G18
        known = [key.value for key in node.keys if type(key) is tree.Literal]
        if len(set(known)) != len(known):
            raise self.error(node, "a key stands twice")
        kind = map_of(joined([fact.type for fact in values]))
        return _together(kind, [*keys, *values])

    def literal(self, value: object) -> Fact:
        if type(value) is str:
            return Fact(STRING, len(value), weight(STRING, len(value)), 1)
        return self.of(BOOL if type(value) is bool else INT if type(value) is int else NULL, 1)

    def result_size(self, function: str, kind: Type, facts: list[Fact]) -> int:
        if function == "_+_" and kind.kind in ("string", "dyn"):
            return sum(fact.size for fact in facts)
        if kind.kind == "list":
            return self.capped(sum(fact.size for fact in facts))
        if function == "string":
            return max(MAX_TEXT, facts[0].size)
        return facts[0].size if function == "dyn" else 1

    def extra(self, function: str, kind: Type, size: int, facts: list[Fact]) -> int:
        """Return the steps a call takes beyond one, by the sizes of its operands (G51)."""
        if function in _READING:
            return READING_COST
        if function == "compare":
            return READING_COST * len(facts)
        if function in ("_<_", "_<=_", "_>_", "_>=_"):
            return self.smallest(*(fact.size for fact in facts)) // CHARACTERS_A_STEP
        if function in ("startsWith", "endsWith"):
            return facts[1].size // CHARACTERS_A_STEP
        if function == "contains":
            return sum(fact.size for fact in facts) // 64
        if function == "_+_" and kind.kind in ("string", "list", "dyn"):
            return size // (16 if kind.kind == "list" else CHARACTERS_A_STEP)
        return READING_COST if function in TIMESTAMP_PARTS else 0


class _Largest(_Checker):
    """Finds the cost where all lists and texts from outside are the largest, as one end of a straight line (G53).

    The smaller of two costs bends the other way than the rest, so the one that is smaller at the greatest size counts
    at every size, and lists that operations make are not capped.
    """

    def smallest(self, *weights: int) -> int:
        return weights[self.choices.pop()]

    def capped(self, size: int) -> int:
        return size


class _Empty(_Largest):
    """Finds the cost where all lists and texts from outside are empty: the other end of the line."""

    def size_of(self, kind: Type) -> int:
        return 0 if kind.item is not None or kind.kind in ("string", "dyn") else 1

    def weight(self, kind: Type, size: int) -> int:
        if kind.kind == "record":
            return sum(1 + self.weight(field, 0) for _, field in kind.fields)
        return weight(kind, size) if size and kind.kind == "string" else 0


def _together(kind: Type, facts: list[Fact]) -> Fact:
    """Return the fact of a list or map of these."""
    heavy = sum(1 + fact.weight for fact in facts)  # G52
    return Fact(kind, len(facts), heavy, 1 + sum(fact.cost for fact in facts))
