"""The reference of the library, made from the signatures and docstrings of ``import coseal``."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

import coseal
from docs.site.markdown import block, code, table

_OF_A_CLIENT = ("governance", "supervision")
"""Modules of ``coseal.client`` whose functions take a client."""
_HIDDEN = ("coseal.client.base", "coseal.client.submitting")
"""Modules whose classes have no entry of their own: their methods are shown with the classes that are made of them."""


def page() -> str:
    """Return every public name: functions, classes with their methods, errors."""
    parts: list[str] = []
    for name in sorted(coseal.__all__, key=_rank):
        found = getattr(coseal, name)
        parts += _class(name, found) if inspect.isclass(found) else _function(f"coseal.{name}", found, 2)
    for name in _OF_A_CLIENT:
        parts += _module(name, import_module(f"coseal.client.{name}"))
    return "\n".join(parts)


def _rank(name: str) -> tuple[int, str, int]:
    """Return where a name stands: functions, the clients, what they give, errors."""
    found = getattr(coseal, name)
    if not inspect.isclass(found):
        return 0, name, 0
    rank = 3 if issubclass(found, Exception) else 1 if name.endswith("Client") else 2
    return rank, name.removeprefix("Async"), len(name)


def _module(name: str, module: ModuleType) -> Iterator[str]:
    """Yield the functions of a module that take a client."""
    yield f"## coseal.client.{name}\n"
    yield prose(module)
    for key, found in vars(module).items():
        ours = inspect.isfunction(found) and found.__module__ == module.__name__ and not key.startswith("_")
        if ours and "client" in inspect.signature(found).parameters:
            yield from _function(f"{name}.{key}", found, 3)


def _function(name: str, found: Any, level: int) -> Iterator[str]:
    yield f"{'#' * level} {name}\n"
    yield block(_signature(name.rpartition(".")[2], found), "python")
    yield prose(found)


def _class(name: str, found: type) -> Iterator[str]:
    yield f"## coseal.{name}\n"
    yield prose(found)
    if dataclasses.is_dataclass(found):
        fields = [
            (code(field.name), code(str(field.type))) for field in dataclasses.fields(found) if field.name[0] != "_"
        ]
        yield table(("field", "type"), fields)
    hidden = [base for base in found.__mro__[1:] if base.__module__ in _HIDDEN]
    members = [
        (key, value) for base in (*hidden, found) for key, value in vars(base).items() if not key.startswith("_")
    ]
    properties = [(key, value) for key, value in members if isinstance(value, property)]
    rows = [
        (code(key), code(_returns(value.fget)), " ".join((value.__doc__ or "").split())) for key, value in properties
    ]
    yield table(("property", "type", ""), rows)
    for key, value in members:
        function = value.__func__ if isinstance(value, (classmethod, staticmethod)) else value
        if inspect.isfunction(function) and function.__doc__:
            yield from _function(f"{name}.{key}", function, 3)


def _returns(function: Any) -> str:
    return str(inspect.signature(function).return_annotation)


def _signature(name: str, function: Any) -> str:
    """Return a signature, one argument a line if it is long."""
    signature = inspect.signature(function)
    kept = [item for item in signature.parameters.values() if item.name not in ("self", "cls")]
    told = str(signature.replace(parameters=kept)).replace("'", "")
    begin = "async def" if inspect.iscoroutinefunction(function) else "def"
    one = f"{begin} {name}{told}"
    if len(one) <= 100:
        return one
    lines = [f"    {part}," for part in _arguments(signature.replace(parameters=kept))]
    returns = signature.return_annotation
    after = "" if returns is inspect.Signature.empty else f" -> {returns}"
    return "\n".join([f"{begin} {name}(", *lines, f"){after}"])


def _arguments(signature: inspect.Signature) -> Iterator[str]:
    star = False
    for item in signature.parameters.values():
        if item.kind is inspect.Parameter.KEYWORD_ONLY and not star:
            star = True
            yield "*"
        yield str(item).replace("'", "")


def prose(found: Any) -> str:
    """Return a docstring as Markdown: arguments become a list, examples blocks of code."""
    text = (inspect.getdoc(found) or "").replace("``", "`")
    lines = []
    listed = False
    for line in text.splitlines():
        argument = re.match(r"`\w+`: ", line)
        listed = bool(argument) or (listed and bool(line))
        lines.append(f"- {line}" if argument else f"  {line}" if listed else line)
    examples = r"(?m)(?:^>>> .*\n?(?:(?!\n).+\n?)*)+"
    return re.sub(examples, lambda match: block(match.group(), "pycon"), "\n".join(lines)) + "\n"
