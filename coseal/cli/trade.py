"""Commands about trade: what nobody claims, and what a member did, proven; lists and actions stand beside.

Law: what a proof says was verified as its receiver will, with the genesis alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coseal.cli.beside import beside
from coseal.cli.shared import JsonOption, plain_table, print_facts, print_json, reaching, save_document
from coseal.errors import CosealError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coseal.client.dossiers import ProvenDossier
    from coseal.client.trade import TradeProof
    from coseal.network.access import Access

_CONTRACT = "trade"

trade_app = typer.Typer(
    cls=beside(
        _CONTRACT, {"receivables": "receivables", "offers": "offers", "loans": "loans", "exposures": "exposures"}
    ),
    no_args_is_help=True,
    help="Receivables: issue, transfer, finance and pay them, and prove that nobody else claims one.",
)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    trade_app.command("proof")(proof)
    trade_app.command("dossier")(dossier)
    app.add_typer(trade_app, name=_CONTRACT)


@reaching
def proof(
    access: Access,
    receivable: Annotated[str | None, typer.Argument(metavar="R1", help="With --unpledged: which.")] = None,
    unpledged: Annotated[
        bool, typer.Option("--unpledged", help="That no bank finances the receivable, bought or in pledge.")
    ] = False,
    unregistered: Annotated[
        bool, typer.Option("--unregistered", help="That the invoice stands behind no receivable.")
    ] = False,
    creditor: Annotated[str, typer.Option("--creditor", metavar="MEMBER", help="Whose invoice.")] = "",
    number: Annotated[str, typer.Option("--number", metavar="N", help="Its number, in any spelling.")] = "",
    date: Annotated[str, typer.Option("--date", metavar="YYYY-MM-DD", help="Its day.")] = "",
    total: Annotated[str, typer.Option("--total", metavar="YUAN", help="Its total, such as 1130.00.")] = "",
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the document there, for `coseal verify`.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Prove that nobody else claims a receivable or an invoice, in a file that `coseal verify` checks offline.

    The document is of the newest block, and says nothing of later ones. Where somebody does, the command ends with 1.

    Examples:

      coseal trade proof R1 --unpledged --out proof.json

      coseal trade proof --unregistered --creditor enterprise-b --number INV-7 --date 2026-03-31 --total 1130.00

      coseal verify proof.json --genesis genesis.json
    """
    if unpledged == unregistered or unpledged != (receivable is not None):
        raise CosealError("ask one of the two", "R1 --unpledged, or --unregistered with the invoice's particulars")
    with access.client() as client:
        if receivable is not None:
            found = client.unpledged(receivable)
        else:
            found = client.unregistered(creditor, number, date, _fen(total))
    if out is not None:
        save_document(out, found.document, found.facts, lambda: _print_proof(found), as_json=as_json)
    elif as_json:
        print_json(found.document)
    else:
        _print_proof(found)


def _print_proof(found: TradeProof) -> None:
    typer.secho(found.reason, fg="green")
    print_facts(found.facts)


def _fen(text: str) -> int:
    """Return yuan with at most two decimals as fen."""
    whole, _, part = text.partition(".")
    if not (text.isascii() and whole.isdecimal() and len(part) <= 2 and (not part or part.isdecimal())):
        raise CosealError(f"--total {text}: expected yuan with at most two decimals, such as 1130.00")
    return int(whole) * 100 + int(part.ljust(2, "0") or 0)


@reaching
def dossier(
    access: Access,
    member: Annotated[str, typer.Argument(metavar="MEMBER", help="Whose facts.")],
    formula: Annotated[
        list[str] | None,
        typer.Option("--formula", metavar="ID", help="By this formula; again for more.", show_default="all adopted"),
    ] = None,
    months: Annotated[
        int | None,
        typer.Option("--months", metavar="N", min=1, help="The last N months alone.", show_default="all that are kept"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the document there, for `coseal verify`.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show all facts of a member, proven to be all, with what was contested and what the formulas in force say.

    No score is on the ledger: who reads the facts works it out, and `coseal verify` does it again. With one fact
    removed or altered the document proves nothing. A node shows a dossier to its own member (--node), and to another
    for 30 days after that one recorded why it reads it (`coseal submit credit.consult`).

    Examples:

      coseal trade dossier enterprise-a --node enterprise-a --out dossier.json

      coseal verify dossier.json --genesis genesis.json
    """
    with access.client() as client:
        found = client.dossier(member, formulas=formula, months=months)
    if out is not None:
        save_document(out, found.document, found.facts, lambda: _print_dossier(found), as_json=as_json)
    elif as_json:
        print_json({"facts": found.facts, "listed": list(found.listed)})
    else:
        _print_dossier(found)


def _print_dossier(found: ProvenDossier) -> None:
    """Print the facts, a line each, and each point of each formula."""
    from coseal.contracts.currency.ledger import yuan

    if found.listed:
        table = plain_table("month", "fact", "rests on", "with", "amount", "days", "counts")
        for one in found.listed:
            amount = str(one["amount"]) if one["kind"] == "gap" else yuan(one["amount"]) if one["amount"] else ""
            what = f"{_words(one['kind'])}, corrected" if one["correction"] else _words(one["kind"])
            days = str(one["days"] or "")
            table.add_row(one["month"], what, one["origin"], one["counterparty"], amount, days, _counting(one))
        table.print()
    for formula in found.facts["formulas"]:
        span = f"{formula['first']} to {formula['last']}"
        table = plain_table("point", "", "of", "comes to")
        table.set_title(f"{formula['title']} ({formula['formula']} version {formula['version']}), {span}")
        for point in formula["points"]:
            table.add_row(point["point"], point["title"], point["share"], point["value"])
        table.print()
        typer.echo(f"  {formula['formula']} comes to {formula['value']}")
    typer.secho(found.reason, fg="green")


def _words(kind: str) -> str:
    return kind.replace("_", " ")


def _counting(one: Mapping[str, Any]) -> str:
    """Say whether a fact counts, what became of it, and whether formulas look past it."""
    status = {"open": "contested, not answered yet", "overdue": "contested, not answered in time"}
    became = status.get(one["status"], f"contest {one['status']}" if one["status"] else "")
    became = one["status"] if one["status"] == "overturned" else became
    parts = ["yes" if one["counts"] else "no", became, "expired" if one["expired"] else ""]
    parts += [f"kept from paying by {one['held']}"] if one["held"] else []
    return "; ".join(filter(None, parts))
