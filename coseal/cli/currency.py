"""Commands about money: wallets with their statements, and whether all of it adds up; actions are generated beside.

Law: what a statement says is proven to be complete, and a check believes no node; a list is as a node's index says.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coseal.cli.audit import LevelName, print_report, run_audit
from coseal.cli.beside import beside
from coseal.cli.shared import (
    DirectoryArgument,
    GenesisOption,
    JsonOption,
    TokenOption,
    in_folder,
    plain_table,
    print_json,
    reaching,
)
from coseal.errors import EXIT_BAD, EXIT_OK, EXIT_UNKNOWN, CosealError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from coseal.audit.money import Money
    from coseal.contracts.currency.ledger import Movement
    from coseal.ledger.genesis import Genesis
    from coseal.network.access import Access

_CONTRACT = "currency"

wallet_app = typer.Typer(
    cls=beside(
        _CONTRACT,
        {"list": "wallets"},
        {"open": "open-wallet", "close": "close-wallet", "reclass": "reclass-wallet", "rekey": "rekey-wallet"},
    ),
    no_args_is_help=True,
    help="Wallets: open and close them, list them, and prove all that one of them ever did.",
)
currency_app = typer.Typer(
    cls=beside(_CONTRACT, {"supply": "supply", "institutions": "institutions", "pendings": "pendings"}),
    no_args_is_help=True,
    help="The legal digital currency: issue, pay on, redeem, and check that all of it adds up.",
)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    wallet_app.command("statement")(statement)
    app.add_typer(wallet_app, name="wallet")
    currency_app.command("check")(check)
    app.add_typer(currency_app, name=_CONTRACT)


@reaching
def statement(
    access: Access,
    wallet: Annotated[
        str, typer.Argument(metavar="WALLET", help="institution/id, or issuance: what was issued and redeemed.")
    ],
    month: Annotated[
        str | None, typer.Option("--month", metavar="YYYY-MM", help="Of this month alone, at UTC+08:00.")
    ] = None,
    first: Annotated[str | None, typer.Option("--first", metavar="YYYY-MM", help="From this month on.")] = None,
    last: Annotated[str | None, typer.Option("--last", metavar="YYYY-MM", help="Up to this month, included.")] = None,
    archive: Annotated[
        Path | None,
        typer.Option(
            "--archive", metavar="PATH", help="Make it from these block files, all of them replayed; no node is asked."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the document there, for `coseal verify`.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show all movements of a wallet, proven to be all, or write them into a file that `coseal verify` checks offline.

    Without months it is of all the wallet ever did. With one line removed, altered or in another place the document
    proves nothing, and `coseal verify` ends with 1.

    Examples:

      coseal wallet statement bank-a/enterprise-a --month 2026-03 --out statement.json

      coseal wallet statement bank-a/enterprise-a --archive backup/blocks --genesis genesis.json

      coseal verify statement.json --genesis genesis.json
    """
    if month is not None and (first is not None or last is not None):
        raise CosealError("--month is both the first and the last month", "give either it, or --first and --last")
    months = (month, month) if month is not None else (first, last)
    if archive is None:
        with access.client() as client:
            found = client.statement(wallet, first=months[0], last=months[1])
        facts, movements, document = found.facts, found.movements, found.document
    else:
        facts, movements, document = _from_archive(access, archive, wallet, months)
    if out is not None:
        raw = json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"
        try:
            out.write_text(raw, encoding="utf-8")
        except OSError as error:
            raise CosealError(f"{out}: {error.strerror}") from None
    if as_json:
        print_json({"file": None if out is None else str(out), "facts": dict(facts)} if out else document)
        return
    _print_statement(facts, movements if out is None else ())
    if out is not None:
        typer.echo(f"  {out}: check it anywhere with `coseal verify {out} --genesis genesis.json`")


def _from_archive(
    access: Access, archive: Path, wallet: str, months: tuple[str | None, str | None]
) -> tuple[Mapping[str, Any], Sequence[Movement], dict[str, Any]]:
    from coseal.audit.sources import sources_in
    from coseal.audit.statement import read, verify_wallet_statement
    from coseal.audit.steps import Trace
    from coseal.client.statements import period_of
    from coseal.ledger.handover import split_handovers
    from coseal.sql.statement import statement_from

    if not archive.exists():
        raise CosealError(f"{archive}: no such file or folder")
    genesis = access.load_genesis()
    document = statement_from([*sources_in(archive)], genesis, wallet, period_of(*months))
    _, facts, _ = verify_wallet_statement(document, genesis, Trace())
    return facts, read(split_handovers(document)[0]).movements, document


def _print_statement(facts: Mapping[str, Any], movements: Sequence[Movement]) -> None:
    """Print what a wallet had and has, and each movement with the balance after it."""
    from coseal.contracts.currency.ledger import POST, POSTED, yuan
    from coseal.ledger.render import time_text

    wallet = facts["wallet"]
    span = f"{facts['first'] or 'the beginning'} to {facts['last'] or 'now'}"
    typer.secho(f"{wallet}, {span}: {facts['movements']} movements, proven to be all", fg="green")
    if "holder" in facts:
        typer.echo(f"  holder    {facts['holder']} ({facts['authority']}, class {facts['class']}, {facts['status']})")
    balance = _fen(facts["opening"])
    if movements:
        table = plain_table("number", "time", "kind", "other side", "amount", "balance", "purpose", "reference")
        for one in movements:
            paid = one.debit == wallet
            moved = one.amount if one.kind in (POSTED, POST) else 0
            balance += -moved if paid else moved
            amount = yuan(-one.amount if paid else one.amount)
            other = one.credit if paid else one.debit
            row = (str(one.number), time_text(one.time_ms)[:19], one.kind, other, amount, yuan(balance), one.code)
            table.add_row(*row, one.reference)
        table.print()
    for name in ("opening", "credited", "debited", "closing", "reserved", "incoming"):
        typer.echo(f"  {name:<9} {facts[name]:>22}")


def _fen(yuan: str) -> int:
    return int(yuan.replace(".", ""))


@in_folder
def check(
    directory: DirectoryArgument = None,
    url: Annotated[
        list[str] | None,
        typer.Option("--url", metavar="URL", help="A running node; several are compared. Instead of DIR's blocks."),
    ] = None,
    genesis: GenesisOption = None,
    last: Annotated[
        int | None, typer.Option("--to", min=1, metavar="H", help="Last height.", show_default="the highest tip")
    ] = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Sum every wallet after every block, and compare with what was issued and not redeemed; no node is believed.

    The chain is audited by replay, and each wallet read as its blocks left it. Exit code 1, with the first height, if
    the sums, those that the ledger itself keeps, or the chain do not hold.

    Examples:

      coseal currency check

      coseal currency check backup/blocks --genesis genesis.json --json
    """
    from coseal.audit.replay import Replay

    made: list[Replay] = []

    def replay(trusted: Genesis) -> Replay:
        made.append(Replay(trusted))
        return made[-1]

    report, trusted = run_audit(
        directory, url, genesis, LevelName.replay, first=1, last=last, token=token, quiet=as_json, replay=replay
    )
    money = made[0].money
    if as_json:
        first = report.findings[0].height if report.findings else None
        shown = {"ok": report.ok, "height": report.last, "fails_at": first, "currency": money.to_json()}
        print_json({**shown, "audit": report.to_json()})
    else:
        print_report(report, trusted)
        _print_money(money, report.last)
    raise typer.Exit({"ok": EXIT_OK, "bad": EXIT_BAD, "unknown": EXIT_UNKNOWN}[report.verdict.value])


def _print_money(money: Money, height: int) -> None:
    """Print what was issued and where it is, by institution and layer, in yuan."""
    from coseal.contracts.currency.ledger import yuan

    table = plain_table("institution", "wallets", "vault", "customers")
    for name, one in sorted(money.institutions.items()):
        table.add_row(name, str(one.wallets), yuan(one.vault), yuan(one.customers))
    table.print()
    issued, redeemed = money.issuance.debits_posted, money.issuance.credits_posted
    typer.echo(f"issued {yuan(issued)} less redeemed {yuan(redeemed)} = {yuan(money.circulating)}")
    same = money.sums.posted == money.circulating
    words = f"all {money.wallets} wallets together have {yuan(money.sums.posted)}"
    typer.secho(f"{words}, after each block up to {height}", fg="green" if same else "red")
