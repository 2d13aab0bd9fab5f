"""The ``coseal`` command: one module a group of commands, all of them thin over the modules beside this package.

Law: nothing heavy is imported before a command needs it, so that help and completion answer at once.
"""

from __future__ import annotations

import gc
import os
import sys
from typing import Annotated, Any, Final

import typer

from coseal import __version__
from coseal.cli import (
    actions,
    amendments,
    audit,
    bench,
    bundle,
    certification,
    conformance,
    console,
    constitution,
    contract,
    currency,
    data,
    demo,
    disclosure,
    doctor,
    exports,
    findings,
    genesis,
    governance,
    imports,
    index,
    keys,
    lists,
    members,
    missions,
    netting,
    network,
    questions,
    repair,
    rule_ballots,
    rules,
    standards,
    standing,
    stream,
    trade,
    transactions,
    wallets,
)
from coseal.cli.shared import Commands

# httpx would bring its own command line, with a parser of options and a highlighter, longer than the rest of it takes
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None: as if it were not installed


class Ordered(Commands):
    """The commands, listed as the help's groups have them."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names in the order of ``PANELS``."""
        order = [name for names in PANELS.values() for name in names]
        names = sorted(super().list_commands(ctx), key=lambda name: order.index(name) if name in order else len(order))
        if ctx is not None and not ctx.resilient_parsing:
            return names
        from coseal.cli import verbs  # needed to complete a word only: the help is faster without

        return [*names, *(name for name in verbs.names() if name not in names)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command, or the commands of the contract of that name."""
        found = super().get_command(ctx, cmd_name)
        if found is None:
            from coseal.cli import verbs

            if cmd_name in verbs.names():
                return verbs.group(cmd_name)
        return found


app = typer.Typer(
    name="coseal",
    cls=Ordered,
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
        "  coseal actions         what can be recorded; `coseal submit .. --dry-run` tries it\n\n"
        "Exit codes: 0 all is well, 1 the answer is bad, 2 could not tell (or wrong usage)."
    ),
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"coseal {__version__}, {_core()}")
        raise typer.Exit


def _core() -> str:
    """Return what a node that is started here would run, or why none would start."""
    from coseal.ledger import native

    try:
        return native.choose(os.environ.get(native.SETTING), __version__).name
    except native.CoreProblem as problem:
        return problem.reason


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Print version and build, and end.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Hold the options that belong to no command."""


PANELS: Final = {
    "Begin here": ("up", "status", "demo", "console", "actions", "submit", "show", "import", "audit", "down"),
    "Record and supervise": ("sign", "rules", "findings", "obligations", "questions"),
    "Read, check and hand on": ("verify", "bundle", "export", "index", "sql", "list", "stream"),
    "Members and their decisions": (
        *("governance", "constitution", "standards", "certification", "mission", "disclosure", "member"),
        *("keys", "genesis", "contract"),
    ),
    "Money and trade": ("pay", "wallet", "currency", "trade", "netting"),
    "Operate nodes": ("init", "node", "logs", "doctor", "bench", "snapshot", "restore", "archive", "prune"),
}
"""The commands as the help groups them: first the ten that matter first."""

_GROUPS = (
    network,
    members,
    repair,
    governance,
    standing,
    standards,
    wallets,
    currency,
    trade,
    netting,
    transactions,
    imports,
    exports,
    rules,
    rule_ballots,
    findings,
    questions,
    lists,
)
_MORE = (
    actions,
    conformance,
    constitution,
    certification,
    missions,
    disclosure,
    amendments,
    genesis,
    doctor,
    stream,
    bundle,
    audit,
    index,
    demo,
    data,
    keys,
    console,
    contract,
    bench,
)
for _group in (*_GROUPS, *_MORE):
    _group.register(app)
for _panel, _names in PANELS.items():
    for _command in app.registered_commands:
        if _command.name in _names:
            _command.rich_help_panel = _panel
    for _typer in app.registered_groups:
        if _typer.name in _names:
            _typer.rich_help_panel = _panel


def main() -> None:
    """Run the command line; the entry point of the ``coseal`` script."""
    gc.freeze()  # what a command loads stays to its end: looking at it again and again took a seventh of most commands
    gc.set_threshold(50_000, 20, 10)
    app()
