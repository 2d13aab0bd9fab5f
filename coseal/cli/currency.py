"""Commands about money: paying, issuing on what is recorded, and whether all of it adds up; actions are beside.

Law: what is shown of totals is proven, and a check believes no node; a list is as a node's index says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from coseal.cli.audit import LevelName, print_report, run_audit
from coseal.cli.beside import beside
from coseal.cli.sending import act
from coseal.cli.shared import (
    DirectoryArgument,
    GenesisOption,
    JsonOption,
    SenderOption,
    TokenOption,
    acting,
    in_folder,
    plain_table,
    print_json,
    reaching,
)
from coseal.errors import EXIT_BAD, EXIT_OK, EXIT_UNKNOWN, CosealError

if TYPE_CHECKING:
    from coseal.audit.money import Money
    from coseal.client.blocking import Client
    from coseal.client.transactions import Committed
    from coseal.ledger.genesis import Genesis
    from coseal.network.access import Access

_CONTRACT = "currency"

SourceArgument = Annotated[
    str, typer.Argument(metavar="SOURCE", help="The institution's source of reserve instructions.")
]
SequenceArgument = Annotated[int, typer.Argument(metavar="NUMBER", min=1, help="The instruction's number in it.")]

currency_app = typer.Typer(
    cls=beside(_CONTRACT, {"supply": "supply", "institutions": "institutions", "pendings": "pendings"}),
    no_args_is_help=True,
    help="The legal digital currency: issue, pay on, redeem, and check that all of it adds up.",
)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    currency_app.command("show")(show)
    currency_app.command("check")(check)
    currency_app.command("confirm")(confirm)
    currency_app.command("issue-on")(issue_on)
    app.add_typer(currency_app, name=_CONTRACT)
    app.command("pay")(pay)


@acting
def pay(
    access: Access,
    debit: Annotated[str, typer.Argument(metavar="FROM", help="The wallet that pays, institution/id.")],
    credit: Annotated[str, typer.Argument(metavar="TO", help="The wallet that is paid.")],
    amount: Annotated[str, typer.Argument(metavar="YUAN", help="With at most two decimals: 12.50.")],
    sender: SenderOption,
    code: Annotated[str, typer.Option("--code", help="What for: SUPP, TRAD, LOAN, INTE, TAXS, GOVT, CASH.")] = "OTHR",
    reference: Annotated[str, typer.Option("--reference", metavar="TEXT", help="No personal data.")] = "",
    end_to_end: Annotated[str, typer.Option("--end-to-end", metavar="TEXT", help="Your own id of it.")] = "",
    about: Annotated[
        str, typer.Option("--about", metavar="TYPE/OBJECT-TYPE/OBJECT", help="What is recorded that it is for.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Pay from a wallet that your member disposes of. A wallet with a key pays by a mandate (`coseal wallet mandate`).

    Examples:

      coseal pay bank-a/enterprise-a bank-b/mill 1250.00 --code SUPP --reference "Invoice 7" --as enterprise-a

      coseal pay bank-a/vault bank-a/enterprise-a 100000 --code CASH --as bank-a --dry-run
    """
    from coseal.client.money import payment

    parts = about.split("/", 2) if about else []
    if len(parts) not in (0, 3):
        raise CosealError(f"--about {about}: expected TYPE/OBJECT-TYPE/OBJECT")
    args = payment(debit, credit, amount, code=code, reference=reference, end_to_end=end_to_end, about=parts)
    with access.client(sender) as client:
        committed = act(access, client, _CONTRACT, "pay", args, as_json=as_json)
    _end(committed, as_json=as_json)


@reaching
def show(access: Access, as_json: JsonOption = False) -> None:
    """Show what was issued and redeemed, and what all wallets have, proven as of one block.

    That it adds up the ledger says here; `coseal currency check` sums the wallets.

    Example:

      coseal currency show
    """
    from coseal.contracts.currency.ledger import yuan

    with access.client() as client:
        found = client.money.totals()
    if as_json:
        print_json(found)
        return
    issued, redeemed, circulating = (yuan(found[name]) for name in ("issued", "redeemed", "circulating"))
    typer.secho(f"issued {issued} less redeemed {redeemed} = {circulating} in circulation", bold=True)
    typer.echo(f"  reserved   {yuan(found['reserved'])}, of that {yuan(found['redeeming'])} to be redeemed")
    typer.echo(f"  {found['wallets']} wallets of {found['institutions']} institutions, {found['movements']} movements")
    typer.echo(f"proven as of block {found['height']}")


@acting
def confirm(
    access: Access,
    source: SourceArgument,
    sequence: SequenceArgument,
    sender: SenderOption,
    as_json: JsonOption = False,
) -> None:
    """Confirm a reserve instruction that is recorded, for the central bank; it is fetched and sent as `process.attest`.

    Example:

      coseal currency confirm bank-a/reserves 1 --as central-bank
    """
    from coseal.contracts.process.chain import item_hash

    with access.client(sender) as client:
        item = _instruction(client, source, sequence)
        args = {"item": item_hash(source, sequence, item).hex(), "verdict": "confirm"}
        committed = act(access, client, "process", "attest", args, as_json=as_json)
    _end(committed, as_json=as_json)


@acting
def issue_on(
    access: Access,
    source: SourceArgument,
    sequence: SequenceArgument,
    sender: SenderOption,
    as_json: JsonOption = False,
) -> None:
    """Issue money on a reserve instruction that is recorded and confirmed: it is fetched, and sent as `currency.issue`.

    Another operator of the central bank than the one who confirmed the instruction does this.

    Example:

      coseal currency issue-on bank-a/reserves 1 --as central-bank/issuer
    """
    with access.client(sender) as client:
        args = {"source": source, "sequence": sequence, "item": _instruction(client, source, sequence)}
        committed = act(access, client, _CONTRACT, "issue", args, as_json=as_json)
    _end(committed, as_json=as_json)


def _instruction(client: Client, source: str, sequence: int) -> dict[str, Any]:
    """Return an item of a source as a node has it: who signs it looks at it, and the chain compares its hash."""
    from urllib.parse import quote

    found: dict[str, Any] = client.get(f"/v1/sources/{quote(source, safe='')}/items/{sequence}")["item"]["item"]
    said = ", ".join(f"{name} {value}" for name, value in sorted(found.get("attributes", {}).items()))
    typer.echo(f"{found.get('type')} of {source.partition('/')[0]}: {said}", err=True)
    return found


def _end(committed: Committed, *, as_json: bool) -> None:
    """Print what came of an act; exit with 1 if it was refused."""
    from coseal.cli.transactions import print_committed

    print_committed(committed, as_json=as_json)
    if not committed.ok:
        raise typer.Exit(EXIT_BAD)


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
