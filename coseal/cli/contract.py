"""Commands for those who write contracts of their own: new, check.

Law: a contract is judged by the code that nodes run; the exit code of a check is 1 if anything is bad.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coseal.cli.shared import Commands, JsonOption, plain_table, print_json
from coseal.errors import EXIT_BAD, EXIT_OK

if TYPE_CHECKING:
    from coseal.kit.checks import Report

contract_app = typer.Typer(cls=Commands, no_args_is_help=True, help="Write and check contracts of your own.")

_COLOURS = {"ok": "green", "warn": "yellow", "bad": "red", "not checked": "yellow"}


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    contract_app.command("new")(new)
    contract_app.command("check")(check)
    app.add_typer(contract_app, name="contract")


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the contract is called.")],
    directory: Annotated[
        Path | None, typer.Option("--dir", metavar="DIR", help="The folder to make.", show_default="NAME")
    ] = None,
) -> None:
    """Make a package with a small contract that works: actions, state, rules, tests.

    Examples:

      coseal contract new pledges
    """
    from coseal.kit.skeleton import make

    folder = Path(name) if directory is None else directory
    for path in make(name, folder):
        typer.echo(f"  {path}")
    typer.echo(f"next: coseal contract check {folder}; its tests: python -m pytest {folder}")


def check(
    what: Annotated[
        str, typer.Argument(metavar="PATH|NAME", help="The folder of a contract's project, or one that is installed.")
    ] = ".",
    python: Annotated[
        str | None, typer.Option("--python", metavar="FILE", help="Another Python with coseal, to replay with.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Look for what breaks determinism or bounds, and print the digest under which a chain admits the contract.

    From the text: imports, floats, hash(), the order of sets, state outside of the chain, loops. On a chain in memory:
    every action with every value at and beyond the bounds of its fields, what it costs, and the same again in other
    processes. It finds mistakes, not malice. Exit code 1 if anything is bad.

    Examples:

      coseal contract check pledges

      coseal contract check pledges --json
    """
    from coseal.kit.checks import check_all, offers

    reports = check_all(offers(what), python=python)
    if as_json:
        print_json({"ok": all(report.ok for report in reports), "contracts": [_json(report) for report in reports]})
    else:
        for report in reports:
            _print(report)
    raise typer.Exit(EXIT_OK if all(report.ok for report in reports) else EXIT_BAD)


def _json(report: Report) -> dict[str, Any]:
    return {
        "package": report.package,
        "ok": report.ok,
        "sources": None if report.sources is None else report.sources._asdict(),
        "lines": [asdict(line) for line in report.lines],
        "costs": {name: {"example": first, "most": most} for name, (first, most) in report.costs.items()},
    }


def _print(report: Report) -> None:
    typer.secho(report.package, bold=True)
    for line in report.lines:
        typer.secho(f"  {line.verdict:<12}", fg=_COLOURS[line.verdict], nl=False)
        typer.echo(f"{line.check}: {line.text}")
    if report.costs:
        table = plain_table("action", "example", "most steps")
        for name, (first, most) in report.costs.items():
            table.add_row(name, str(first), str(most))
        table.print()
    if report.sources is not None and report.ok:
        name, version, sha256 = report.sources
        typer.echo(f"  sha256 {sha256}")
        proposal = f"coseal governance propose add_contract name={name} version={version} sha256={sha256}"
        typer.echo(f"  admit it: {proposal} height=HEIGHT --as MEMBER")
