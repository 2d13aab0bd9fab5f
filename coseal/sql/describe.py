"""The schema of an index in words, as ``coseal index schema`` and docs/sql.md have it."""

from __future__ import annotations

from typing import Any

from coseal.contracts.installed import installed
from coseal.contracts.kernel.contract import Contract
from coseal.contracts.kernel.rows.schema import Table
from coseal.contracts.rows.tables import TABLES, VIEWS
from coseal.ledger.genesis import Sources


def described() -> list[dict[str, Any]]:
    """Return every table and view: ``name``, ``says``, ``columns`` with ``name``, ``type``, ``says``.

    Those of installed contracts of others are among them.
    """
    tables = [
        {
            "name": table.name,
            "says": table.says,
            "key": list(table.key),
            "columns": [
                {"name": column.name, "type": column.kind.value, "null": column.null, "says": column.says}
                for column in table.columns
            ],
        }
        for table in (*TABLES, *_of_others())
    ]
    views = [
        {
            "name": view.name,
            "says": f"view: {view.says}",
            "key": [],
            "columns": [{"name": name, "type": "", "null": True, "says": says} for name, says in view.columns],
        }
        for view in VIEWS
    ]
    return [*tables, *views]


def _of_others() -> list[Table]:
    """Return the tables of installed contracts of others, as the newest version that has one knows it."""
    found = {table.name: table for _, one in sorted(installed().contracts.items(), key=_first) for table in one.tables}
    return [found[name] for name in sorted(found)]


def _first(item: tuple[Sources, Contract]) -> Sources:
    return item[0]


def markdown() -> str:
    """Return the schema as the section of docs/sql.md."""
    lines = []
    for one in described():
        lines += [f"### `{one['name']}`", "", f"{one['says'][0].upper()}{one['says'][1:]}.", ""]
        lines += ["| column | type | |", "|---|---|---|"]
        for column in one["columns"]:
            key = ", key" if column["name"] in one["key"] else ""
            null = ", may be null" if column["null"] and column["type"] else ""
            lines.append(f"| `{column['name']}` | {column['type']}{key}{null} | {column['says']} |")
        lines.append("")
    return "\n".join(lines)
