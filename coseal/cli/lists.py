"""`coseal list`: the lists of every contract, each with its filters, as a node's index has them.

Law: lists, filters and headings are what the contracts say of them; a list of a new contract is here by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from coseal.cli.shared import Commands, JsonOption, gathering, plain_table, print_json, reaching

if TYPE_CHECKING:
    from coseal.contracts.kernel.lists import Filter, List


class Lists(Commands):
    """A group with a command for each list; what they are is read when the group is used."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all lists."""
        from coseal.client.contracts import lists

        return sorted(lists())

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command of a list, None if there is no such list."""
        from coseal.client.contracts import lists

        listed = lists().get(cmd_name)
        return None if listed is None else _command(listed)


lists_app = typer.Typer(
    cls=Lists,
    no_args_is_help=True,
    help="What is on the ledger, by kind, as a node's index has it: any list, with its filters.",
)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(lists_app, name="list")


def _command(listed: List) -> Any:
    options = {one.name: (_option(listed, one), None) for one in listed.filters}
    if len(listed.orders) > 1:
        options["order"] = (_choice("order", listed.orders_say, tuple(order.name for order in listed.orders)), None)

    def entries(
        access: Any,
        filters: dict[str, Any],
        limit: Annotated[int, typer.Option("--limit", min=1, help="How many entries at most.")] = 100,
        as_json: JsonOption = False,
    ) -> None:
        with access.client() as client:
            if listed.paged:
                found = list(client.pages(listed.path, listed.entries, limit=limit, **filters))
            else:
                found = client.get(listed.path, **filters)[listed.entries][:limit]
        if as_json:
            print_json(found)
        else:
            _print(listed, found)

    entries.__doc__ = f"{listed.says}.\n\nExample:\n\n  coseal list {listed.name} --limit 10 --json"
    group = typer.Typer(add_completion=False, rich_markup_mode="rich")
    group.command(listed.name)(reaching(gathering("filters", options, dict)(entries)))
    return typer.main.get_command(group)


def _option(listed: List, one: Filter) -> Any:
    """Return the option of a filter, explained by itself or by the column that it is of."""
    columns = {column.name: column.says for column in listed.table.columns}
    says = one.says or f"Only where it is this: {columns.get(one.name, one.name)}."
    if one.values:
        return _choice(one.name, says, one.values)
    return Annotated[str | None, typer.Option(_flag(one.name), metavar="TEXT", help=says)]


def _choice(name: str, says: str, values: tuple[str, ...]) -> Any:
    return Annotated[Literal[values] | None, typer.Option(_flag(name), help=says)]


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _print(listed: List, found: list[dict[str, Any]]) -> None:
    from coseal.client.languages import reader_language
    from coseal.contracts.kernel.wording import in_language

    language = reader_language()
    table = plain_table(*(in_language(heading, language) for heading in listed.columns.values()))
    for entry in found:
        cells = [_cell(entry, name, language) for name in listed.columns]
        table.add_row(*cells[:-1], str(entry.get("cannot_be_shown", cells[-1])))
    table.print()
    typer.echo(f"{len(found)}, as the node's index has them")


def _cell(entry: Mapping[str, Any], name: str, language: str) -> str:
    from coseal.contracts.kernel.wording import in_language
    from coseal.ledger.render import time_text

    match entry.get(name):
        case None | "" | []:
            return "-"
        case bool(value):
            return "yes" if value else "no"
        case int(time_ms) if name.endswith("_ms"):
            return time_text(time_ms)[:16].replace("T", " ")
        case list(values):
            return ", ".join(map(str, values))
        case dict(words):
            return in_language(words, language)
        case value:
            return str(value)
