"""What commands share that send one action: sending it, or saying with --dry-run what would come of it.

Law: a dry run signs nothing, so its reader cannot submit it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import typer

from coseal.cli.shared import print_json
from coseal.errors import EXIT_BAD, EXIT_OK

if TYPE_CHECKING:
    from coseal.client.blocking import Client
    from coseal.client.transactions import Committed
    from coseal.network.access import Access


def act(
    access: Access, client: Client, contract: str, action: str, args: Mapping[str, Any], *, as_json: bool
) -> Committed:
    """Submit an action and return its verified outcome; with --dry-run print what would come of it, and end."""
    if not access.dry_run:
        return client.submit_any(contract, action, args)
    found = client.simulate(contract, action, args)
    print_simulated(found, as_json=as_json)
    raise typer.Exit(EXIT_OK if found["status"] == "committed" else EXIT_BAD)


def print_simulated(found: Mapping[str, Any], *, as_json: bool) -> None:
    """Print what a node says would come of an action."""
    from coseal.cli.transactions import print_data

    if as_json:
        print_json(dict(found))
        return
    receipt, fine = found["receipt"], found["status"] == "committed"
    verdict = "would be committed" if fine else "would be rejected"
    typer.secho(f"{verdict}, on the state after block {found['height']}", fg="green" if fine else "red")
    if not fine:
        typer.echo(f"  refused  {receipt['code']}: {receipt['detail']}")
    if "steps" in receipt:
        typer.echo(f"  steps    {receipt['steps']}")
    print_data(receipt["data"])
    typer.echo(f"  dry run: nothing was signed or recorded; {found['node']} says so, and others may act before you do")
