"""What the text of a contract shows: floats, the order of sets, hash(), state outside of the chain, unbounded loops.

Law: a finding names file and line; what a text cannot show is left to the trial, and said.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Final

from coseal.contracts.installed.imports import Finding, trees

_INTEGER_MATH: Final = frozenset({"ceil", "comb", "factorial", "floor", "gcd", "isqrt", "lcm", "perm", "prod"})
_UNICODE: Final = frozenset(
    {
        *("lower", "upper", "casefold", "title", "capitalize", "swapcase", "isalnum", "isalpha", "isdigit"),
        *("isdecimal", "isnumeric", "isprintable", "isspace", "isidentifier"),
    }
)
_ORDERED_BY: Final = frozenset({"sorted", "len", "min", "max", "sum", "any", "all", "set", "frozenset"})
_STATE: Final = frozenset({"get", "put", "delete"})
_VIEWS: Final = frozenset({"View", "Reader"})


def check(files: Mapping[str, bytes]) -> list[Finding]:
    """Return all findings, in the order of files and lines."""
    found: list[Finding] = []
    for name, tree in trees(files):
        if not isinstance(tree, Finding):
            found += _File(name, tree).findings()
    return sorted(set(found))


class _File:
    def __init__(self, name: str, tree: ast.Module) -> None:
        self._name, self._tree = name, tree
        self._parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
        self._sets = {
            target.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None and self._is_set(node.value)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name)
        }

    def findings(self) -> Iterator[Finding]:
        for node in ast.walk(self._tree):
            line = getattr(node, "lineno", 0)
            for text, severe in (*self._numbers(node), *self._calls(node), *self._order(node), *self._loops(node)):
                yield Finding(self._name, line, text, severe)

    def _numbers(self, node: ast.AST) -> Iterator[tuple[str, bool]]:
        match node:
            case ast.Constant(value=float() | complex()):
                yield f"{node.value!r} is a float: count in the smallest unit", True
            case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
                yield "/ makes a float: use //", True
            case ast.BinOp(op=ast.Pow(), right=ast.UnaryOp(op=ast.USub())):
                yield "a negative power makes a float", True
            case ast.Attribute(value=ast.Name(id="math"), attr=attr) if attr not in _INTEGER_MATH:
                yield f"math.{attr} works with floats", True

    def _calls(self, node: ast.AST) -> Iterator[tuple[str, bool]]:
        match node:
            case ast.Call(func=ast.Name(id="float" | "complex" as name)):
                yield f"{name}() makes a float", True
            case ast.Call(func=ast.Name(id="hash" | "id" as name)):
                yield f"{name}() differs from process to process", True
            case ast.Call(func=ast.Attribute(attr=attr)) if attr in _UNICODE:
                yield f".{attr}() asks a table of Unicode that differs between releases of Python", False
            case ast.Global():
                yield f"global {', '.join(node.names)}: only the state is the same on every node", True
            case ast.ExceptHandler(type=None) | ast.ExceptHandler(type=ast.Name(id="BaseException")):
                yield "catches the end of the budget: name the exception that is meant", True
            case ast.AsyncFunctionDef() | ast.Await():
                yield "a contract awaits nothing", True
            case ast.Attribute(attr=attr) if attr.startswith("__") and attr.endswith("__"):
                yield f"{attr} reaches into Python itself", True
            case ast.Name(id="cache" | "lru_cache") | ast.Attribute(attr="cache" | "lru_cache"):
                yield "what is remembered may depend on arguments alone, never on the state", False

    def _order(self, node: ast.AST) -> Iterator[tuple[str, bool]]:
        walked: ast.AST | None = None
        match node:
            case ast.For(iter=walked) | ast.comprehension(iter=walked) | ast.Starred(value=walked):
                pass
            case ast.Call(
                func=ast.Name(id="list" | "tuple" | "iter" | "enumerate" | "next" | "zip"), args=[walked, *_]
            ):
                pass
            case ast.Call(func=ast.Attribute(attr="join" | "extend"), args=[walked]):
                pass
            case ast.Call(func=ast.Attribute(value=walked, attr="pop"), args=[]):
                pass
        if walked is not None and self._is_set(walked) and not self._is_sorted(node):
            yield "the order of a set differs from process to process: sorted(...)", True

    def _is_set(self, node: ast.AST) -> bool:
        match node:
            case ast.Set() | ast.SetComp() | ast.Call(func=ast.Name(id="set" | "frozenset")):
                return True
            case ast.Name(id=name):
                return name in getattr(self, "_sets", ())
            case ast.BinOp(op=ast.BitOr() | ast.BitAnd() | ast.Sub() | ast.BitXor(), left=left, right=right):
                return self._is_set(left) or self._is_set(right)
        return False

    def _is_sorted(self, node: ast.AST) -> bool:
        """Whether a comprehension over a set goes into something that does not depend on its order."""
        if not isinstance(node, ast.comprehension):
            return False
        made = self._parents[node]
        around = self._parents.get(made)
        called = isinstance(around, ast.Call) and isinstance(around.func, ast.Name) and around.func.id in _ORDERED_BY
        return isinstance(made, ast.SetComp) or called

    def _loops(self, node: ast.AST) -> Iterator[tuple[str, bool]]:
        if not isinstance(node, ast.While | ast.For):
            return
        touched = [
            part
            for statement in node.body
            for part in ast.walk(statement)
            if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute)
        ]
        names = {
            part.func.attr for part in touched if isinstance(part.func, ast.Attribute) and self._is_view(part.func)
        }
        if isinstance(node, ast.While) and not names & {*_STATE, "charge"}:
            yield "a loop whose turns cost no steps: nothing ends it but itself; charge for each turn", False
        elif names & _STATE:
            yield "a loop over the state: bound it by an argument or a limit, it costs steps at every turn", False

    def _is_view(self, node: ast.Attribute) -> bool:
        return isinstance(node.value, ast.Name) and node.value.id in {*self._views(), "view", "reader"}

    def _views(self) -> set[str]:
        return {
            each.arg
            for each in ast.walk(self._tree)
            if isinstance(each, ast.arg) and isinstance(each.annotation, ast.Name) and each.annotation.id in _VIEWS
        }
