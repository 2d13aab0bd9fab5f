"""The command that looks at what a node stands on: doctor.

Law: every line that is not ok says what to do.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coseal.cli.shared import DirectoryArgument, JsonOption, folder, in_folder, print_json
from coseal.errors import EXIT_BAD, CosealError

if TYPE_CHECKING:
    from coseal.doctor.line import Line

_COLOURS = {"ok": "green", "warn": "yellow", "bad": "red"}


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("doctor")(doctor)


@in_folder
def doctor(
    directory: DirectoryArgument = None,
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="The node.toml of one node, instead of DIR.")
    ] = None,
    url: Annotated[
        list[str] | None,
        typer.Option("--url", metavar="URL", help="Another node's HTTP interface, to compare clocks; again for more."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Look at what the nodes of a folder stand on: clock, disk, keys, ports, peers, genesis, Python, limits, journal.

    Each line is ok, warn or bad and says what to do. Run it as the node's user, before the first start and whenever
    something is odd; the node may run. Exit code 0: nothing is bad; 1: something is; 2: there was nothing to look at.

    Examples:

      coseal doctor

      coseal doctor --config /var/lib/coseal/nodes/bank-a/node.toml --url https://regulator.example:8600
    """
    from coseal.doctor.examination import configurations, examine
    from coseal.doctor.line import Rating, worst

    if config is not None and not config.is_file():
        raise CosealError(f"{config}: no such file", "it is the node.toml in a node's folder")
    configs, chain_id = ([config], None) if config is not None else configurations(folder(directory))
    lines = examine(configs, chain_id, url or [], (lambda line: None) if as_json else _show)
    verdict = worst(lines)
    if as_json:
        print_json({"verdict": verdict, "lines": [asdict(line) for line in lines]})
    else:
        counts = {one: sum(line.verdict is one for line in lines) for one in Rating}
        typer.echo(f"{verdict}: " + ", ".join(f"{count} {one}" for one, count in counts.items()))
    if verdict is Rating.bad:
        raise typer.Exit(EXIT_BAD)


def _show(line: Line) -> None:
    typer.secho(f"{line.verdict:4} ", fg=_COLOURS[line.verdict], nl=False)
    typer.echo(f" {line.node or 'machine'}: {line.check}: {line.text}")
    if line.todo:
        typer.echo(f"      {line.todo}")
