"""Commands about wallets: what one has and ever did, freezing it, and mandates of a customer's key; others beside.

Law: what a wallet has is proven, and a statement is proven to be complete; a list is as a node's index says. A key of a
customer is read to sign a mandate, and never sent.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coseal.cli.beside import beside
from coseal.cli.sending import act
from coseal.cli.shared import JsonOption, SenderOption, acting, plain_table, print_json, reaching, save_document
from coseal.errors import EXIT_BAD, CosealError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from coseal.contracts.currency.ledger import Movement
    from coseal.network.access import Access

_CONTRACT = "currency"

wallet_app = typer.Typer(
    cls=beside(
        _CONTRACT,
        {"list": "wallets"},
        {"open": "open-wallet", "close": "close-wallet", "reclass": "reclass-wallet", "rekey": "rekey-wallet"},
    ),
    no_args_is_help=True,
    help="Wallets: open and close them, list them, freeze one, and prove all that one of them ever did.",
)
WalletArgument = Annotated[str, typer.Argument(metavar="WALLET", help="institution/id.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    wallet_app.command("show")(show)
    wallet_app.command("statement")(statement)
    wallet_app.command("freeze")(freeze)
    wallet_app.command("mandate")(mandate)
    app.add_typer(wallet_app, name="wallet")


@reaching
def show(access: Access, wallet: WalletArgument, as_json: JsonOption = False) -> None:
    """Show what a wallet has, its limits, and by what it is frozen, proven against the certified state.

    Example:

      coseal wallet show bank-a/enterprise-a
    """
    with access.client() as client:
        found = client.money.wallet(wallet)
    if as_json:
        print_json(found)
        return
    from coseal.contracts.currency.ledger import yuan
    from coseal.ledger.render import time_text

    typer.secho(f"{wallet}: {yuan(found['balance'])} yuan", bold=True)
    for name in ("available", "reserved", "incoming"):
        typer.echo(f"  {name:<10} {yuan(found[name]):>20}")
    typer.echo(f"  holder     {found['holder']} ({found['authority']}), class {found['class']}, {found['status']}")
    if found["key"]:
        typer.echo(f"  key        {found['key']}, {found['nonce']} mandates used")
    for name, (of_class, own) in found["limits"].items():
        given = [
            f"{yuan(limit)} ({whose})" for limit, whose in ((of_class, "class"), (own, "own")) if limit is not None
        ]
        if given:
            typer.echo(f"  {name:<10} {', '.join(given)}")
    if "frozen" in found:
        hold = found["frozen"]
        amount = "all" if hold["amount"] is None else yuan(hold["amount"])
        until = time_text(hold["until_ms"])[:19]
        typer.secho(
            f"  frozen     {amount} by finding {hold['finding']}, until {until}Z unless it ends before", fg="red"
        )
    if "change_of_key" in found:
        change = found["change_of_key"]
        effective = time_text(change["effective_ms"])[:19]
        typer.secho(f"  new key    {change['key']} from {effective}Z on", fg="yellow")
    typer.echo(f"proven as of block {found['height']}")


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
        save_document(out, document, facts, lambda: _print_statement(facts, ()), as_json=as_json)
    elif as_json:
        print_json(document)
    else:
        _print_statement(facts, movements)


def _from_archive(
    access: Access, archive: Path, wallet: str, months: tuple[str | None, str | None]
) -> tuple[Mapping[str, Any], Sequence[Movement], dict[str, Any]]:
    from coseal.audit.sources import sources_in
    from coseal.audit.statement import read, verify_wallet_statement
    from coseal.audit.steps import Trace
    from coseal.cli.archived_statements import statement_from
    from coseal.client.statements import period_of
    from coseal.ledger.handover import split_handovers

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
    span = f"{facts.get('first', 'the beginning')} to {facts.get('last', 'now')}"
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


@acting
def freeze(
    access: Access,
    wallet: WalletArgument,
    reason: Annotated[str, typer.Argument(metavar="TEXT", help="Why; it stays on the ledger.")],
    sender: SenderOption,
    basis: Annotated[
        list[str], typer.Option("--basis", metavar="TEXT", help="A policy's id or external:..; again for more.")
    ],
    lasting: Annotated[str, typer.Option("--for", metavar="TIME", help="How long, at most 30d.")],
    amount: Annotated[
        str | None, typer.Option("--amount", metavar="YUAN", help="Only so much.", show_default="all of it")
    ] = None,
    severity: Annotated[str, typer.Option("--severity", help="notice, warning or violation.")] = "warning",
    as_json: JsonOption = False,
) -> None:
    """Open a case about a wallet and hold it: new debits are refused, credits arrive. It ends by itself.

    These are two transactions, `currency.open_case` and `supervision.hold`; the holder may contest the second, and
    silence ends it (`coseal findings contest-hold`, `lift-hold`). With --dry-run only the first is tried.

    Example:

      coseal wallet freeze bank-a/shop "By order of a court" --basis external:court/17 --for 7d --as regulator
    """
    from coseal.cli.transactions import print_committed
    from coseal.client.money import fen
    from coseal.client.supervision import duration_ms

    hold: dict[str, Any] = {"reason": reason, "hold_ms": duration_ms(lasting)}
    if amount is not None:
        hold["amount"] = fen(amount)
    case = {"wallet": wallet, "severity": severity, "reason": reason, "legal_basis": basis}
    with access.client(sender) as client:
        committed = act(access, client, _CONTRACT, "open_case", case, as_json=as_json)
        if committed.ok:
            finding = committed.receipt.data["id"]
            committed = client.submit_any("supervision", "hold", {"finding": finding, **hold})
    print_committed(committed, as_json=as_json)
    if not committed.ok:
        raise typer.Exit(EXIT_BAD)


@reaching
def mandate(
    access: Access,
    wallet: WalletArgument,
    action: Annotated[str, typer.Argument(metavar="ACTION", help="pay, pay_batch, pend, post_pending, ...")],
    words: Annotated[list[str] | None, typer.Argument(metavar="key=value", help="As `coseal submit`.")] = None,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="FILE", help="A JSON object of arguments; - reads standard input.")
    ] = None,
    key: Annotated[Path | None, typer.Option("--wallet-key", metavar="FILE.pem", help="The wallet's key.")] = None,
    lasting: Annotated[str, typer.Option("--for", metavar="TIME", help="How long it may be carried.")] = "24h",
) -> None:
    """Sign an action with the key of a wallet, for any member to carry; print it as the arguments to submit.

    Nothing of the action can be changed by who carries it, and it can be carried once.

    Example:

      coseal wallet mandate bank-a/shop pay from=bank-a/shop to=bank-a/mill amount:=1250 code=SUPP --wallet-key shop.pem
    """
    from coseal.client.arguments import parse_arguments
    from coseal.client.keys import environment_passphrase, read_signer
    from coseal.client.supervision import duration_ms

    if key is None:
        raise CosealError("which key is the wallet's?", "give --wallet-key FILE.pem")
    args = parse_arguments(_CONTRACT, action, words or [], data)
    signer = read_signer(key, environment_passphrase())
    covered = {name: value for name, value in args.items() if name not in ("mandate", "mandates")}
    if action == "pay_batch":
        covered["items"] = [item for item in covered["items"] if item["from"] == wallet]
    with access.client() as client:
        signed = client.money.mandate(signer, wallet, action, covered, lasting_ms=duration_ms(lasting))
    if action == "pay_batch":
        print_json({**args, "mandates": {**args.get("mandates", {}), wallet: signed}})
    else:
        print_json({**args, "mandate": signed})
