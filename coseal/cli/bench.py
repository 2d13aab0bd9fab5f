"""The command that puts a load on a running network: bench.

Law: what it prints was committed and read back; the load generator shares the machine, which it says.
"""

from __future__ import annotations

from typing import Annotated

import typer

from coseal.cli.shared import (
    DirectoryOption,
    GenesisOption,
    JsonOption,
    KeyOption,
    TokenOption,
    UrlOption,
    folder,
    in_folder,
    plain_table,
    print_json,
)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("bench")(bench)


@in_folder
def bench(
    clients: Annotated[int, typer.Option("--clients", min=1, max=1_000, help="Clients at once.")] = 64,
    transactions: Annotated[int, typer.Option("--transactions", min=1, help="Transactions in all.")] = 5_000,
    batch: Annotated[int, typer.Option("--batch", min=1, max=1_000, help="Events a transaction.")] = 1,
    sender: Annotated[
        str, typer.Option("--as", metavar="MEMBER[/USER]", help="Who records the events.")
    ] = "enterprise-a",
    directory: DirectoryOption = None,
    url: UrlOption = None,
    genesis: GenesisOption = None,
    key: KeyOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a load of signed process events on a running network and print rate and latency.

    Every client records its own source and waits for each commit. The events stay on the chain: use a network made for
    it. `make bench` measures the product itself, side by side with its limits.

    Examples:

      coseal bench

      coseal bench --clients 1 --transactions 300

      coseal bench --batch 100 --transactions 2000 --json
    """
    from coseal.client.workload import measure
    from coseal.network.access import Access

    access = Access(folder(directory), None, url, genesis, key, token)
    urls = [url] if url is not None else [node.url for node in access.network().nodes if node.kind == "validator"]
    with access.client(sender) as client:
        figures = measure(client, urls, clients=clients, transactions=transactions, batch=batch).to_json()
    if as_json:
        print_json(figures)
        return
    table = plain_table(*(name.replace("_", " ") for name in figures))
    table.add_row(*(f"{value:,}" for value in figures.values()))
    table.print()
    typer.echo("the load generator ran on this machine too")
