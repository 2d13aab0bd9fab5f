"""Payments and statements in the messages of ISO 20022, for the commands import and export.

Law: a file is paid whole, group by group, or not begun; what the wallet's proven statement shows as paid already is not
paid again, so a file that is imported twice pays once.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from coseal.cli.shared import plain_table, print_json
from coseal.errors import EXIT_BAD, CosealError

if TYPE_CHECKING:
    from coseal.client.blocking import Client
    from coseal.formats.iso20022.orders import Group, Orders
    from coseal.formats.iso20022.reports import Outcome
    from coseal.network.access import Access

_PAID: Final = ("debit", "credit", "amount", "code", "end_to_end")


def import_payments(
    access: Access,
    file: Path,
    format: str,
    sender: str,
    *,
    linked: bool,
    report: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Pay what a pain.001 or pacs.008 asks for, a batch for each group; write a pain.002 if wanted."""
    from coseal.contracts.currency.ledger import ZONE_MS, yuan
    from coseal.formats.iso20022.orders import read_orders
    from coseal.formats.iso20022.reports import pain_002
    from coseal.ledger.render import time_text

    now_ms = time.time_ns() // 1_000_000
    orders = read_orders(file, format, time_text(now_ms + ZONE_MS)[:10])
    fen = sum(item["amount"] for group in orders.groups for item in group.items)
    if dry_run:
        said = {"message": orders.id, "payments": orders.count, "groups": len(orders.groups), "amount": yuan(fen)}
        if as_json:
            print_json({"ok": True, **said})
        else:
            typer.echo(f"{orders.id}: {orders.count} payments of {yuan(fen)} in all; nothing is wrong with the file")
        return
    with access.client(sender) as client:
        outcomes = [_paid(client, group, linked=linked) for group in orders.groups]
    if report is not None:
        _write(report, pain_002(orders, outcomes, now_ms))
    _print(orders, outcomes, report, as_json=as_json)
    if not all(outcome.ok for group in outcomes for outcome in group):
        raise typer.Exit(EXIT_BAD)


def _paid(client: Client, group: Group, *, linked: bool) -> list[Outcome]:
    """Pay those of a group that are not paid yet; return what came of each."""
    from coseal.formats.iso20022.reports import Outcome

    known = _known(client, group)
    waiting = [item for item in group.items if _identity(item) not in known]
    outcomes = dict.fromkeys(known, Outcome(ok=True))
    if waiting:
        committed = client.money.pay_batch(waiting, linked=linked)
        receipt = committed.receipt
        refused = dict(receipt.data["refused"]) if receipt.ok else {}
        for at, item in enumerate(waiting):
            code = refused.get(at, "") if receipt.ok else receipt.code
            outcomes[_identity(item)] = Outcome(not code, code, "" if receipt.ok else receipt.detail)
    return [outcomes[_identity(item)] for item in group.items]


def _known(client: Client, group: Group) -> set[tuple[Any, ...]]:
    """Return which payments of a group the payers' statements show, of this month and the one before."""
    from coseal.contracts.currency.ledger import POSTED, day_of, month_of
    from coseal.contracts.currency.statement import month_text
    from coseal.contracts.kernel.dates import DAY_MS

    if len({_identity(item) for item in group.items}) < len(group.items):
        raise CosealError(f"group {group.id}: two payments are the same in all, with one EndToEndId")
    since = month_text(month_of(day_of(time.time_ns() // 1_000_000 - 31 * DAY_MS)))
    found: set[tuple[Any, ...]] = set()
    for payer in sorted({item["from"] for item in group.items}):
        movements = client.statement(payer, first=since).movements
        found |= {tuple(getattr(one, name) for name in _PAID) for one in movements if one.kind == POSTED}
    return found & {_identity(item) for item in group.items}


def _identity(item: Mapping[str, Any]) -> tuple[Any, ...]:
    named = {**item, "debit": item["from"], "credit": item["to"]}
    return tuple(named[name] for name in _PAID)


def _print(orders: Orders, outcomes: Sequence[Sequence[Outcome]], report: Path | None, *, as_json: bool) -> None:
    rows = [
        (group, ids, item, outcome)
        for group, own in zip(orders.groups, outcomes, strict=True)
        for ids, item, outcome in zip(group.ids, group.items, own, strict=True)
    ]
    if as_json:
        shown = [
            {"group": group.id, "end_to_end": ids[1], **item, "ok": outcome.ok, "code": outcome.code}
            for group, ids, item, outcome in rows
        ]
        print_json({"ok": all(row[3].ok for row in rows), "message": orders.id, "payments": shown})
        return
    refused = [row for row in rows if not row[3].ok]
    typer.secho(
        f"{orders.id}: {len(rows) - len(refused)} of {len(rows)} payments are settled", fg="red" if refused else "green"
    )
    if refused:
        table = plain_table("end to end", "from", "to", "refused")
        for _, ids, item, outcome in refused:
            table.add_row(ids[1], item["from"], item["to"], f"{outcome.code} {outcome.detail}".strip())
        table.print()
    if report is not None:
        typer.echo(f"  report   {report}")


def export_account(
    access: Access, format: str, wallet: str | None, first: str | None, last: str | None, out: Path, *, as_json: bool
) -> None:
    """Write the statement of a wallet as camt.053 or camt.054, and beside it the document that proves it."""
    from coseal.formats.iso20022.reports import Account, camt_053, camt_054

    if wallet is None:
        raise CosealError(f"{format} is of a wallet: which one?", "give --wallet institution/id")
    with access.client() as client:
        found = client.statement(wallet, first=first, last=last)
    proof = (json.dumps(found.document, ensure_ascii=False, separators=(",", ":")) + "\n").encode()
    time_ms = int(found.document["block"]["header"]["time_ms"])
    account = Account(found.facts, found.movements, found.height, time_ms, sha256(proof).hexdigest())
    beside = out.with_name(f"{out.name}.statement.json")
    _write(out, camt_053(account) if format == "camt.053" else camt_054(account))
    _write(beside, proof)
    if as_json:
        print_json({"ok": True, "file": str(out), "proof": str(beside), "facts": dict(found.facts)})
        return
    typer.secho(f"{out}: {len(found.movements)} movements of {wallet}, proven to be all", fg="green")
    typer.echo(f"  proof    {beside}; check it with `coseal verify {beside}`")


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise CosealError(f"{path}: {error.strerror}") from None
