"""What the sources of a contract may import and call by name: found in the text, before any of it runs.

Law: a contract reaches no clock, no chance, no disk and no network by what it imports (W3).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

PURE: Final = frozenset(
    {
        *("__future__", "abc", "bisect", "collections", "dataclasses", "enum", "functools"),
        *("hashlib", "heapq", "itertools", "math", "operator", "typing"),
    }
)
"""The part of the standard library that contracts may import."""
OWN: Final = ("coseal.contracts.kernel", "coseal.contracts.rules")
FORBIDDEN_NAMES: Final = frozenset(
    {
        *("__import__", "breakpoint", "compile", "delattr", "eval", "exec", "globals", "input", "locals"),
        *("open", "print", "vars", "__builtins__", "__loader__", "__spec__"),
    }
)


class Finding(NamedTuple):
    """Something in a source file: ``severe`` breaks determinism or the bounds, anything else deserves a look."""

    file: str
    line: int
    text: str
    severe: bool = True

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


def trees(files: Mapping[str, bytes]) -> Iterator[tuple[str, ast.Module | Finding]]:
    """Yield the parsed sources of a package by path; a finding for one that cannot be parsed."""
    for name, content in sorted(files.items()):
        if name.endswith(".py"):
            try:
                yield name, ast.parse(content)
            except (SyntaxError, ValueError) as error:
                yield name, Finding(name, getattr(error, "lineno", None) or 0, f"cannot be parsed: {error}")


def check(package: str, files: Mapping[str, bytes]) -> list[Finding]:
    """Return each import that a contract may not have, and each name that would get around that."""  # W3
    found: list[Finding] = []
    for name, tree in trees(files):
        if isinstance(tree, Finding):
            found.append(tree)
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                wrong = [alias.name for alias in node.names if not _allowed(package, alias.name)]
                found += [Finding(name, node.lineno, f"may not import {module}") for module in wrong]
            elif isinstance(node, ast.ImportFrom):
                module = f"{'.' * node.level}{node.module or ''}"
                names = [module] if node.level else [f"{module}.{alias.name}" for alias in node.names]
                wrong = [each for each in names if not node.level and not _allowed(package, each)]
                found += [Finding(name, node.lineno, f"may not import {each}") for each in wrong]
            elif isinstance(node, ast.Name) and node.id in FORBIDDEN_NAMES:
                found.append(Finding(name, node.lineno, f"{node.id} is not for contracts"))
    return found


def _allowed(package: str, module: str) -> bool:
    top = module.partition(".")[0]
    return top in PURE or top == package or any(module == own or module.startswith(f"{own}.") for own in OWN)
