"""The command that says what transactions there are: `coseal actions`.

Law: what it prints comes from the contracts' tables, and its example is one that the contract takes.
"""

from __future__ import annotations

import json
from typing import Annotated

import typer

from coseal.cli.shared import JsonOption, plain_table, print_json
from coseal.errors import CosealError


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("actions")(show_actions)


def show_actions(
    name: Annotated[
        str | None,
        typer.Argument(metavar="CONTRACT[.ACTION]", help="One action, or those of a contract.", show_default="all"),
    ] = None,
    example: Annotated[
        bool, typer.Option("--example", help="Print the arguments to begin with alone, as --data reads them.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """List what transactions there are; of one: who may send it, what it takes, and arguments to begin with.

    Examples:

      coseal actions

      coseal actions policy.publish

      coseal actions policy.publish --example > publish.json
    """
    from coseal.client import actions

    every = actions.actions()
    if name in every:
        found = actions.document(name, every[name])
        if example or as_json:
            print_json(found["example"] if example else found)
        else:
            _print_one(found)
        return
    chosen = {key: action for key, action in every.items() if name is None or key.partition(".")[0] == name}
    if not chosen:
        contracts = dict.fromkeys(key.partition(".")[0] for key in every)
        same = [key for key in every if key.partition(".")[2] == str(name).rpartition(".")[2]]
        hint = f"is it {' or '.join(same)}?" if same else f"contracts: {', '.join(contracts)}"
        raise CosealError(f"there is no action {name!r}", f"{hint}; `coseal actions` lists all")
    if example:
        raise CosealError("--example is for one action", "coseal actions CONTRACT.ACTION --example")
    if as_json:
        print_json([actions.document(key, action) for key, action in chosen.items()])
        return
    table = plain_table("action", "needs", "", "takes (what is in brackets may be left out)")
    for key, action in chosen.items():
        fields = (f"[{field.name}]" if field.optional else field.name for field in actions.fields_of(action))
        needs = "a node" if action.capability is None else action.capability
        table.add_row(key, needs, action.title, " ".join(fields))
    table.print()
    typer.echo("needs: the capability that the sending operator must have, if any")
    typer.echo("coseal actions CONTRACT.ACTION says what one takes, with an example to begin with")


def _print_one(found: dict[str, object]) -> None:
    typer.secho(f"{found['name']}: {found['title']}", bold=True)
    typer.echo(f"  sent by  {found['sent_by']}")
    table = plain_table("argument", "expected", "")
    for field in found["fields"]:  # type: ignore[attr-defined]  # a list of maps
        table.add_row(
            field["name"], field["expected"].replace("[", "\\["), "may be left out" if field["optional"] else ""
        )
    table.print()
    typer.echo("arguments to begin with:")
    typer.echo(json.dumps(found["example"], ensure_ascii=False, indent=2))
    typer.echo(f"\n`coseal actions {found['name']} --example > FILE` writes them; then try without effect:")
    typer.echo(f"  coseal submit {found['name']} --data FILE --as MEMBER --dry-run")
    contract, _, action = str(found["name"]).partition(".")
    typer.echo(f"`coseal {contract} {action.replace('_', '-')} --help` says the same as options of a command")
