"""The types of ``client.submit``: a stub with one signature for each action, made from the actions' fields.

Law: what the stub accepts differs from what the fields take only in what types cannot say, such as lengths.

``python -m docs.site.stubs`` (``make stubs``) writes ``coseal/client/submitting.pyi``.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from coseal.contracts.kernel.action import Action
from coseal.contracts.kernel.fields import (
    Boolean,
    Dependent,
    Field,
    Integer,
    Later,
    Many,
    Nullable,
    OneOf,
    Record,
    Scalar,
    Short,
    Special,
    Table,
    Translatable,
)
from coseal.contracts.registry import CONTRACTS

STUB: Final = Path(__file__).resolve().parents[2] / "coseal" / "client" / "submitting.pyi"
_HEAD: Final = '''\
"""The types of submitting an action. Made by ``make stubs`` from the fields of the contracts' actions."""

from collections.abc import Mapping
from typing import Any, Literal, NotRequired, TypedDict, overload

from coseal.client.transactions import Committed
'''
_ANY: Final = """\
    {keyword} submit_any(
        self, contract: str, action: str, args: Mapping[str, Any], *, timeout_s: float = ...
    ) -> Committed: ...
"""
_JSON_TYPES: Final[Mapping[str, str]] = {
    "string": "str",
    "integer": "int",
    "array": "list[Any]",
    "object": "dict[str, Any]",
}


class _Types:
    """Collects the maps of fields under names of their own; ``texts`` are their definitions, each after its parts."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def of(self, field: Field, name: str) -> str:
        """Return the type of what a field takes; ``name`` is for the map, if it is one."""
        match field:
            case Boolean():
                return "bool"
            case Integer():
                return "int"
            case OneOf():
                return f"Literal[{', '.join(map(_quoted, field.allowed))}]"
            case Scalar():
                return "str | int | bool | None"
            case Translatable():
                return "str | dict[str, str]"
            case Nullable():
                return f"{self.of(field.item, name)} | None"
            case Short():
                return f"{self.of(field.short, name)} | {self.of(field.full, name)}"
            case Many():
                return f"list[{self.of(field.item, name)}]"
            case Table():
                return f"dict[str, {self.of(field.item, name)}]"
            case Record():
                return self.record(field, name)
            case Special():
                forms = field.schema.get("anyOf", [field.schema])
                return " | ".join(_JSON_TYPES[form["type"]] for form in forms)
            case Later() | Dependent():
                return "Any"
        return "str"

    def record(self, record: Record, name: str, chosen: Mapping[str, str] | None = None) -> str:
        """Define the map of a record, with the types ``chosen`` for some of its fields; return its name."""
        entries = []
        for key, field in record.fields.items():
            kind = (chosen or {}).get(key) or self.of(field, name + _camel(key))
            entries.append(f"        {_quoted(key)}: {kind if key in record.required else f'NotRequired[{kind}]'},")
        body = "\n".join(entries)
        self.texts.append(f"{name} = TypedDict(\n    {_quoted(name)},\n    {{\n{body}\n    }},\n)")
        return name


def stub() -> str:
    """Return the text of the stub, formatted."""
    types = _Types()
    calls = [
        (contract.name, name, kind)
        for contract in CONTRACTS.values()
        for name, action in contract.actions.items()
        for kind in _arguments(types, contract.name, name, action)
    ]
    parts = [_HEAD, *types.texts, _client("Submitting", "def", calls), _client("AsyncSubmitting", "async def", calls)]
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(STUB), "-"]
    return subprocess.run(command, input="\n".join(parts), capture_output=True, text=True, check=True).stdout


def _arguments(types: _Types, contract: str, name: str, action: Action) -> Iterator[str]:
    """Yield the types of an action's arguments: one for each case where a field depends on another."""
    record, title = action.arguments.record, _camel(contract) + _camel(name)
    dependent = [(key, field) for key, field in record.fields.items() if isinstance(field, Dependent)]
    if not dependent:
        yield types.record(record, title)
    for key, field in dependent:
        for choice, case in field.cases.items():
            named = title + _camel(choice)
            chosen = {field.on: f"Literal[{_quoted(choice)}]", key: types.of(case, named + _camel(key))}
            yield types.record(record, named, chosen)


def _client(name: str, keyword: str, calls: list[tuple[str, str, str]]) -> str:
    lines = [f"class {name}:"]
    for contract, action, kind in calls:
        lines += [
            "    @overload",
            f"    {keyword} submit(",
            f"        self, contract: Literal[{_quoted(contract)}], action: Literal[{_quoted(action)}],",
            f"        args: {kind}, *, timeout_s: float = ...,",
            "    ) -> Committed: ...",
        ]
    return "\n".join(lines) + "\n" + _ANY.format(keyword=keyword)


def _camel(text: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in text.split("_"))


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def main() -> int:
    """Write the stub."""
    STUB.write_text(stub(), "utf-8")
    print(STUB.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
