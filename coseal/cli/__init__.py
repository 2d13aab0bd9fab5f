"""The ``coseal`` command: one module a group of commands, all of them thin over the modules beside this package.

Law: nothing heavy is imported before a command needs it, so that help and completion answer at once.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from coseal import __version__
from coseal.cli import (
    adopting,
    asking,
    bundling,
    checking,
    describing,
    doctoring,
    exporting,
    findings,
    founding,
    governing,
    importing,
    indexing,
    keeping,
    keys,
    looking,
    measuring,
    membership,
    network,
    rules,
    story,
    streaming,
    transactions,
)
from coseal.cli.shared import Commands

# httpx would bring its own command line, with a parser of options and a highlighter, longer than the rest of it takes
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None: as if it were not installed

app = typer.Typer(
    name="coseal",
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=(
        "A permissioned ledger on which government, bank and enterprise nodes agree on policy events and process "
        "data, and which anyone can audit.\n\n"
        "[bold]First steps[/bold]\n\n"
        "  coseal up --detach     start four nodes on this machine\n\n"
        "  coseal status          how they are\n\n"
        "  coseal demo            the whole story on real data\n\n"
        "Exit codes: 0 all is well, 1 the answer is bad, 2 could not tell (or wrong usage)."
    ),
)


def _version(wanted: bool) -> None:
    if wanted:
        from ledger.build import BUILD

        typer.echo(f"coseal {__version__}, {BUILD}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Print version and build, and end.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Hold the options that belong to no command."""


_GROUPS = (network, membership, governing, transactions, importing, exporting, rules, adopting, findings, asking)
_MORE = (
    describing,
    founding,
    doctoring,
    streaming,
    bundling,
    checking,
    indexing,
    story,
    keeping,
    keys,
    looking,
    measuring,
)
for _group in (*_GROUPS, *_MORE):
    _group.register(app)


def main() -> None:
    """Run the command line; the entry point of the ``coseal`` script."""
    app()
