"""Commands about netting: a run is opened and entered by generated commands; solved here, on the own machine.

Law: what is solved is proven, and what clears is checked by the contract; nobody has to believe the solver.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from coseal.cli.beside import beside
from coseal.cli.sending import act
from coseal.cli.shared import JsonOption, SenderOption, acting, plain_table, print_json, reaching

if TYPE_CHECKING:
    from coseal.client.netting import Solved
    from coseal.network.access import Access

_CONTRACT = "trade"

netting_app = typer.Typer(
    cls=beside(
        _CONTRACT,
        {"list": "netting_runs", "obligations": "netting_obligations"},
        {"open": "open-run", "enter": "enter", "withdraw": "withdraw"},
    ),
    no_args_is_help=True,
    help="Netting: rings of receivables clear without money, by amounts that are proven to be the greatest possible.",
)
RunArgument = Annotated[str, typer.Argument(metavar="N1", help="The run.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    netting_app.command("solve")(solve)
    netting_app.command("clear")(clear)
    app.add_typer(netting_app, name="netting")


@reaching
def solve(access: Access, run: RunArgument, as_json: JsonOption = False) -> None:
    """Find what of a run clears most, on this machine, from what the certified state says is in it.

    It may be solved before the run closes too: what is in it may change until then.

    Example:

      coseal netting solve N1
    """
    with access.client() as client:
        found = client.solved_run(run)
    if as_json:
        print_json({**found.arguments, "total": found.solution.total, "height": found.height})
        return
    _print(found)


@acting
def clear(access: Access, run: RunArgument, sender: SenderOption, as_json: JsonOption = False) -> None:
    """Solve a run and clear it: all receivables in it are less by what cleared, in one transaction.

    Any member may, in the hour after the run closes. The contract checks that no other amounts clear more.

    Example:

      coseal netting clear N1 --as bank-a
    """
    with access.client(sender) as client:
        found = client.solved_run(run)
        committed = act(access, client, _CONTRACT, "clear", found.arguments, as_json=as_json)
    committed.require_ok()
    if as_json:
        print_json({"run": dict(committed.data["run"]), "height": committed.height})
        return
    _print(found)
    typer.secho(f"{run} cleared in block {committed.height}", fg="green")


def _print(found: Solved) -> None:
    from coseal.contracts.currency.ledger import yuan

    owed, total = sum(one.amount for one in found.obligations), found.solution.total
    share = f" ({total * 100 // owed} %)" if owed else ""
    typer.secho(f"{found.name}: {yuan(total)} of {yuan(owed)} yuan clear without money{share}", bold=True)
    table = plain_table("party", "owes", "is owed", "clears", "still owes", "is still owed")
    for name, (owes, is_owed, clears) in found.parties.items():
        table.add_row(name, *map(yuan, (owes, is_owed, clears, owes - clears, is_owed - clears)))
    table.print()
    typer.echo(f"{len(found.receivables)} receivables, proven as of block {found.height}")
