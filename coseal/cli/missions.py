"""Commands about missions: list, failures; those that act are the contract's own (``coseal.cli.verbs``).

Law: what `failures` prints is computed here from values that are proven against the certified state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from coseal.cli.beside import beside
from coseal.cli.shared import JsonOption, plain_table, print_json, reaching

if TYPE_CHECKING:
    from coseal.network.access import Access

_CONTRACT: Final = "mission"

mission_app = typer.Typer(
    cls=beside(_CONTRACT, {"list": "missions"}),
    no_args_is_help=True,
    help="Missions: goals with indicators, the policies that serve them, and what stands in their way.",
)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    mission_app.command("failures")(failures)
    app.add_typer(mission_app, name=_CONTRACT)


@reaching
def failures(
    access: Access,
    mission: Annotated[str, typer.Argument(metavar="MISSION", help="Its id.")],
    as_json: JsonOption = False,
) -> None:
    """Check a mission for the four failures: direction, demand, coordination, reflexivity. All is proven.

    Exit code 1 says that something failed. `--json` has with each finding the state keys that show it.

    Examples:

      coseal mission failures legal-digital-currency

      coseal mission failures legal-digital-currency --json
    """
    with access.client() as client:
        found = client.missions.failures(mission)
    failed = any(one["verdict"] == "failed" for one in found["failures"])
    if as_json:
        print_json(found)
        raise typer.Exit(int(failed))
    table = plain_table("failure", "code", "about", "verdict", "shown by")
    for one in found["failures"]:
        about, count = ", ".join(one["about"]) or "-", len(one["keys"])
        shown = one["keys"][0] if count == 1 else f"{count} values"
        table.add_row(one["check"].replace("_", " "), one["code"], about, one["verdict"], shown)
    if found["failures"]:
        table.print()
    else:
        typer.echo(f"nothing was found to fail in {mission}")
    typer.echo(f"computed from values proven as of block {found['height']}")
    raise typer.Exit(int(failed))
