"""The syntax tree of CEL-S/1.

Law: the tree is at most ``MAX_DEPTH`` deep, so that whatever walks it by recursion ends; chains of ``&&`` and ``||``
are one node. What CEL-S/1 leaves out of CEL is refused by name and place.

docs/spec/rules.md, rules G10 to G18.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from coseal.contracts.rules.cel.lexer import Token, number_of, tokens
from coseal.contracts.rules.errors import RuleError, quoted

MAX_DEPTH: Final = 64
MAX_NESTING: Final = 36
INT_MIN: Final = -(2**63)
INT_MAX: Final = 2**63 - 1

MACROS: Final = ("all", "exists", "exists_one")
_KEYWORDS: Final = frozenset(("true", "false", "null", "in"))  # G2, as what is reserved
_RESERVED: Final = _KEYWORDS | {
    *("as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "namespace"),
    *("package", "return", "var", "void", "while"),
}
_LEFT_OUT: Final = {  # G11
    "map": "use all, exists or exists_one",
    "filter": "use all, exists or exists_one",
    "matches": "regular expressions have no bound; use startsWith, endsWith or contains",
}
_CONSTANTS: Final = {"true": True, "false": False, "null": None}
_RELATIONS: Final = frozenset(("<", "<=", ">=", ">", "==", "!=", "in"))
# binding power of the left-associative operators below && and ||
_LEVELS: Final = (_RELATIONS, frozenset(("+", "-")), frozenset(("*", "/", "%")))


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant: an integer, text, boolean or null."""

    position: int
    depth: int
    value: int | str | bool | None


@dataclass(frozen=True, slots=True)
class Variable:
    """A name bound from outside, or with ``item`` by the macro around it."""

    position: int
    depth: int
    name: str
    item: bool = False


@dataclass(frozen=True, slots=True)
class Select:
    """``operand.field``; with ``test``, ``has(operand.field)``."""

    position: int
    depth: int
    operand: Node
    field: str
    test: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A function or operator on its operands; the receiver of a method is the first of them."""

    position: int
    depth: int
    function: str
    operands: tuple[Node, ...]
    method: bool = False


@dataclass(frozen=True, slots=True)
class Logic:
    """``&&`` or ``||`` over two or more operands."""

    position: int
    depth: int
    operator: str
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Conditional:
    """``condition ? accepted : rejected``."""

    position: int
    depth: int
    condition: Node
    accepted: Node
    rejected: Node


@dataclass(frozen=True, slots=True)
class Macro:
    """``range.name(variable, body)``; in the body the variable is marked as ``item``."""

    position: int
    depth: int
    name: str
    range: Node
    body: Node


@dataclass(frozen=True, slots=True)
class ListLiteral:
    """``[a, b]``."""

    position: int
    depth: int
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class MapLiteral:
    """``{key: value}``."""

    position: int
    depth: int
    keys: tuple[Node, ...]
    values: tuple[Node, ...]


Node: TypeAlias = Literal | Variable | Select | Call | Logic | Conditional | Macro | ListLiteral | MapLiteral


def parse(source: str, path: str = "") -> Node:
    """Return the tree of an expression; raises RuleError with the character and the reason."""
    return _Parser(source, path).whole()


class _Parser:
    def __init__(self, source: str, path: str) -> None:
        self.path, self.tokens = path, tokens(source, path)
        self.at, self.nesting, self.item = 0, 0, ""

    # tokens

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def take(self, *kinds: str) -> Token | None:
        """Take the next token if it is one of these."""
        token = self.tokens[self.at]
        if token.kind not in kinds:
            return None
        self.at += 1
        return token

    def expect(self, kind: str) -> Token:
        token = self.take(kind)
        if token is None:
            raise self.error(self.token.position, f"expected {quoted(kind)}, got {self.shown()}")
        return token

    def shown(self) -> str:
        token = self.token
        if token.kind in ("integer", "string", "name"):
            return f"{token.kind} {quoted(token.text)}"
        return "the end" if token.kind == "end" else quoted(token.text)

    def operator(self) -> str:
        token = self.token
        return "in" if token.kind == "name" and token.text == "in" else token.kind

    def error(self, position: int, reason: str) -> RuleError:
        return RuleError(self.path, position, reason)

    def depth(self, position: int, *children: Node) -> int:
        """Return the depth of a node over these children."""
        depth = 1 + max((child.depth for child in children), default=0)
        if depth > MAX_DEPTH:
            raise self.error(position, f"more than {MAX_DEPTH} operations inside each other")  # G10
        return depth

    # grammar

    def whole(self) -> Node:
        node = self.expression()
        if self.token.kind != "end":
            raise self.error(self.token.position, f"expected the end, got {self.shown()}")
        return node

    def expression(self) -> Node:
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            raise self.error(self.token.position, f"nested deeper than {MAX_NESTING}")  # G10
        node = self.logic("||")
        mark = self.take("?")
        if mark is not None:
            accepted = self.logic("||")
            self.expect(":")
            rejected = self.expression()
            depth = self.depth(mark.position, node, accepted, rejected)
            node = Conditional(mark.position, depth, node, accepted, rejected)
        self.nesting -= 1
        return node

    def logic(self, operator: str) -> Node:
        first = self.token.position
        operands = [self.logic("&&") if operator == "||" else self.binary(0)]
        while self.take(operator):
            operands.append(self.logic("&&") if operator == "||" else self.binary(0))
        if len(operands) == 1:
            return operands[0]
        return Logic(first, self.depth(first, *operands), operator, tuple(operands))

    def binary(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self.unary()
        node = self.binary(level + 1)
        while self.operator() in _LEVELS[level]:
            mark = self.token
            function = f"_{self.operator()}_"
            self.at += 1
            right = self.binary(level + 1)
            node = Call(mark.position, self.depth(mark.position, node, right), function, (node, right))
        return node

    def unary(self) -> Node:
        marks = []
        kind = self.token.kind
        while kind in ("!", "-") and self.token.kind == kind:
            marks.append(self.token)
            self.at += 1
        if kind == "-" and self.token.kind == "integer":
            mark = marks.pop()  # the sign belongs to the number: -9223372036854775808 is one
            node = self.members(self.integer(mark.position, -1))
        else:
            node = self.members(self.primary())
        for mark in reversed(marks):
            node = Call(mark.position, self.depth(mark.position, node), f"{kind}_", (node,))
        return node

    def integer(self, position: int, sign: int) -> Literal:
        text = self.expect("integer").text
        value = sign * (number_of(text[2:], 16) if text.startswith("0x") else number_of(text))
        if not INT_MIN <= value <= INT_MAX:
            raise self.error(position, "the integer does not fit 64 bit")  # G3
        return Literal(position, 1, value)

    def members(self, node: Node) -> Node:
        while True:
            mark = self.take(".", "[")
            if mark is None:
                return node
            if mark.kind == "[":
                key = self.expression()
                self.expect("]")
                node = Call(mark.position, self.depth(mark.position, node, key), "_[_]", (node, key))
                continue
            name = self.expect("name")
            if name.text in _KEYWORDS:
                raise self.error(name.position, f"{quoted(name.text)} is a keyword")
            if self.take("("):
                node = self.method(node, name)
            else:
                node = Select(name.position, self.depth(name.position, node), node, name.text)

    def method(self, receiver: Node, name: Token) -> Node:
        if name.text in _LEFT_OUT:
            raise self.error(name.position, f"{name.text}() is left out: {_LEFT_OUT[name.text]}")
        if name.text in MACROS:
            return self.macro(receiver, name)
        operands = (receiver, *self.arguments(")"))
        return Call(name.position, self.depth(name.position, *operands), name.text, operands, method=True)

    def macro(self, receiver: Node, name: Token) -> Node:
        if self.item:
            raise self.error(name.position, f"{name.text}() inside the body of another: macros do not nest")  # G16
        variable = self.expect("name")
        self.no_keyword(variable)
        self.expect(",")
        self.item = variable.text
        body = self.expression()
        self.item = ""
        self.expect(")")
        depth = self.depth(name.position, receiver, body)
        return Macro(name.position, depth, name.text, receiver, body)

    def primary(self) -> Node:
        token = self.token
        if token.kind == "integer":
            return self.integer(token.position, 1)
        self.at += token.kind != "end"
        if token.kind == "string":
            return Literal(token.position, 1, token.text)
        if token.kind == "name":
            return self.named(token)
        if token.kind == "(":
            node = self.expression()
            self.expect(")")
            return node
        if token.kind == "[":
            items = self.arguments("]")
            return ListLiteral(token.position, self.depth(token.position, *items), items)
        if token.kind == "{":
            return self.map_literal(token.position)
        if token.kind == ".":
            raise self.error(token.position, "a name does not begin with a dot here")  # G11
        self.at -= token.kind != "end"
        raise self.error(token.position, f"expected a value, got {self.shown()}")

    def named(self, token: Token) -> Node:
        if token.text in _CONSTANTS:
            return Literal(token.position, 1, _CONSTANTS[token.text])
        self.no_keyword(token)
        if self.take("("):
            if token.text == "has":
                return self.has(token)
            if token.text in _LEFT_OUT:
                raise self.error(token.position, f"{token.text}() is left out: {_LEFT_OUT[token.text]}")
            operands = self.arguments(")")
            return Call(token.position, self.depth(token.position, *operands), token.text, operands)
        if self.token.kind == "{":
            raise self.error(token.position, "no messages here: write a map as {'name': value}")  # G11
        return Variable(token.position, 1, token.text, token.text == self.item)

    def no_keyword(self, token: Token) -> None:
        if token.text in _RESERVED:
            raise self.error(token.position, f"{quoted(token.text)} is reserved")

    def has(self, token: Token) -> Node:
        node = self.expression()
        self.expect(")")
        if type(node) is not Select or node.test:
            raise self.error(token.position, "has() needs a field, as has(e.attributes.amount)")
        return Select(node.position, node.depth, node.operand, node.field, test=True)

    def arguments(self, close: str) -> tuple[Node, ...]:
        """Return what stands up to the closing mark; a list may end with a comma."""
        found: list[Node] = []
        while not self.take(close):
            if found:
                self.expect(",")
                if close == "]" and self.take(close):
                    break
            found.append(self.expression())
        return tuple(found)

    def map_literal(self, position: int) -> Node:
        keys: list[Node] = []
        values: list[Node] = []
        while not self.take("}"):
            if keys:
                self.expect(",")
                if self.take("}"):
                    break
            keys.append(self.expression())
            self.expect(":")
            values.append(self.expression())
        return MapLiteral(position, self.depth(position, *keys, *values), tuple(keys), tuple(values))
