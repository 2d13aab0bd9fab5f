"""The command that puts a damaged node in order: `coseal node repair`.

Law: it says what it did and what the node does now; what it cannot repair it names.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from coseal.cli.network import NodeArgument, node_app
from coseal.cli.shared import DirectoryOption, JsonOption, folder, print_json


def register(app: typer.Typer) -> None:
    """Add the command of this module to the group of ``coseal node``."""
    node_app.command("repair")(node_repair)


def node_repair(
    node: NodeArgument,
    start: Annotated[bool, typer.Option("--start/--no-start", help="Start it again and wait for it.")] = True,
    directory: DirectoryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a node's damaged folder in order, and start it: what is gone comes from the other nodes.

    Damaged files are moved to a folder `damaged-TIME` in the node's, never deleted; blocks before the first damaged one
    are kept. A validator whose journal was lost follows, and votes when it cannot contradict itself.

    Example:

      coseal node repair bank-a
    """
    from coseal.network import folders
    from coseal.network.repair import repair

    found = repair(folders.load(folder(directory)), node, start=start)
    if as_json:
        print_json({"node": node, **asdict(found)})
        return
    for line in found.done:
        typer.echo(line)
    if found.pid is not None:
        typer.secho(f"{node} runs as process {found.pid}, at height {found.height}", fg="green")
        if found.silence is not None:
            typer.secho(f"  it does not vote yet: {found.silence}", fg="yellow")
