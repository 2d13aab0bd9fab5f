"""Commands about trade: what nobody claims, proven; lists and actions stand beside.

Law: what a proof says was verified as its receiver will, with the genesis alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coseal.cli.beside import beside
from coseal.cli.shared import JsonOption, print_facts, print_json, reaching, save_document
from coseal.errors import CosealError

if TYPE_CHECKING:
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
