"""Commands about openings that need a secret: requesting with a key of its own, releasing parts, opening.

Law: a value is written only if its recorded item commits to it; nothing is reported before it is on disk.
"""

from __future__ import annotations

import os
import re
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from coseal.cli.custodian import secrets_of
from coseal.cli.shared import JsonOption, SenderOption, plain_table, print_json, reaching, two_names, visible
from coseal.errors import EXIT_BAD, EXIT_UNKNOWN, CosealError

if TYPE_CHECKING:
    from coseal.client.openings import Opening
    from coseal.network.access import Access

_DAY_MS: Final = 86_400_000
_CELLS: Final = re.compile(r"([0-9]{1,9}):([0-9,-]{1,200}):([a-z0-9.,-]{1,400})")
_SEQUENCES_MAX: Final = 1_000
"""Cells of one request, and so items of one of its parts."""


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("request")(request)
    app.command("release")(release)
    app.command("open")(open_request)


@reaching
def request(
    access: Access,
    name: Annotated[str, typer.Argument(metavar="REQUEST", help="The id of the request.")],
    vault: Annotated[str, typer.Argument(metavar="OWNER/VAULT", help="Whose vault, and its id.")],
    cells: Annotated[
        list[str],
        typer.Option("--cells", metavar="NUMBER:ITEMS:LABELS", help="A sidecar's cells, as 1:4,7-9:price; repeatable."),
    ],
    purpose: Annotated[str, typer.Option("--purpose", metavar="TEXT", help="What the values are needed for.")],
    legal_basis: Annotated[str, typer.Option("--legal-basis", metavar="TEXT", help="By which law they may be asked.")],
    sender: SenderOption,
    order: Annotated[str | None, typer.Option("--order", metavar="TEXT", help="By an order: its number.")] = None,
    finding: Annotated[str | None, typer.Option("--finding", metavar="ID", help="By an open finding.")] = None,
    own: Annotated[bool, typer.Option("--own", help="One's own data.")] = False,
    emergency: Annotated[
        str | None, typer.Option("--emergency", metavar="TEXT", help="Why it cannot wait; others review it afterwards.")
    ] = None,
    days: Annotated[int, typer.Option("--days", min=1, max=30, help="When it ends at the latest.")] = 28,
    as_json: JsonOption = False,
) -> None:
    """Request an opening of sealed cells; others approve it, and custodians release to it.

    With --emergency nobody approves it beforehand: custodians may release at once, and members of other roles say
    afterwards whether that was justified (`coseal disclosure review`). If not, there is no other until a ballot.

    `coseal disclosure sealed` has the numbers of sidecars with their items. A key for this request alone is made and
    kept beside the operator's key. A run that was interrupted is repeated with the same command.

    Example:

      coseal disclosure request r1 bank-a/loans --cells 1:1-3:price --order "Order 12"
      --purpose "Compare the rates with the cap" --legal-basis "Article 38" --as regulator
    """
    owner, held = two_names(vault, "OWNER/VAULT", "bank-a/loans")
    basis, reference = _basis(order, finding, own=own)
    if own and emergency is not None:
        raise typer.BadParameter("--emergency goes with --order or --finding")
    scope = [_part_of(one) for one in cells]
    why = {"basis": basis, "reference": reference, "purpose": purpose, "legal_basis": legal_basis}
    ends_ms = time.time_ns() // 1_000_000 + days * _DAY_MS
    with access.client(sender) as client:
        openings = client.openings(secrets_of(access, client))
        committed = openings.request(name, owner, held, scope, expires_ms=ends_ms, emergency=emergency, **why)
        committed.require_ok()
    data = committed.data
    if as_json:
        print_json({**data, "height": committed.height})
        return
    from coseal.contracts.kernel.wording import moment_text

    typer.echo(visible(f"{data['by']}/{name}: {data['status']} of {vault}, block {committed.height}"))
    if emergency is not None:
        typer.echo(f"  members of other roles review it until {moment_text(data['review_ms'])}")
    else:
        typer.echo(f"  {owner} may object until {moment_text(data['object_ms'])}")
    typer.echo(f"  {openings.secrets.folder / f'request-{name}.json'}: its key; keep a copy until it is opened")


def _basis(order: str | None, finding: str | None, *, own: bool) -> tuple[str, str]:
    given = [(basis, text) for basis, text in (("order", order), ("finding", finding)) if text is not None]
    given += [("own", "own data")] if own else []
    if len(given) != 1:
        raise typer.BadParameter("expected one of --order, --finding and --own")
    return given[0]


def _part_of(text: str) -> dict[str, Any]:
    """Return a part of a scope from ``NUMBER:ITEMS:LABELS``, items as ``4,7-9``."""
    match = _CELLS.fullmatch(text)
    if match is None:
        raise typer.BadParameter(f"{text!r}: expected NUMBER:ITEMS:LABELS, such as 1:4,7-9:price")
    sequences: set[int] = set()
    for one in match[2].split(","):
        first, _, last = one.partition("-")
        if not first.isdecimal() or not (last or first).isdecimal():
            raise typer.BadParameter(f"{text!r}: expected items such as 4,7-9")
        low, high = int(first), int(last or first)
        if not 1 <= low <= high < low + _SEQUENCES_MAX:
            raise typer.BadParameter(f"{text!r}: items {one}, expected at most {_SEQUENCES_MAX}, ascending from 1")
        sequences.update(range(low, high + 1))
    return {"number": int(match[1]), "sequences": sorted(sequences), "labels": sorted(set(match[3].split(",")))}


@reaching
def release(
    access: Access,
    name: Annotated[str, typer.Argument(metavar="MEMBER/REQUEST", help="Whose request, and its id.")],
    sender: SenderOption,
    as_json: JsonOption = False,
) -> None:
    """Release the parts of the own seat for an approved request, in an envelope that its requester alone opens.

    Parts are derived of the cells in the recorded scope and of no others, and only if the keys kept here are those of
    the seat. `coseal disclosure decline` says why not instead.

    Example:

      coseal disclosure release regulator/r1 --as central-bank
    """
    by, own = two_names(name, "MEMBER/REQUEST", "regulator/r1")
    with access.client(sender) as client:
        committed = client.openings(secrets_of(access, client)).release(by, own).require_ok()
    data = committed.data
    if as_json:
        print_json({**data, "height": committed.height})
        return
    where = f"{data['owner']}/{data['vault']}, seat {data['seat']}"
    typer.echo(visible(f"{name}: released by {where}; the request is {data['status']}, block {committed.height}"))


@reaching
def open_request(
    access: Access,
    name: Annotated[str, typer.Argument(metavar="REQUEST", help="The id of an own request.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Write the values and what shows faults there.")],
    sender: SenderOption,
    report: Annotated[
        bool, typer.Option("--report/--no-report", help="Say on the chain what was opened; that ends the request.")
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Open the cells of an own request with what custodians released, each value compared with its commitment.

    Who released a false part, or sealed other values than it committed to, is named. What the owner stated of the
    values (claims) is evaluated again over them, and said to hold or to be refuted. The file is the operator's alone;
    what is in it is clear text. While cells wait for further custodians nothing is reported, and the exit code is 2;
    it is 1 if a cell failed or a claim is refuted.

    Example:

      coseal disclosure open r1 --out rates.json --as regulator
    """
    with access.client(sender) as client:
        openings = client.openings(secrets_of(access, client))
        opening: Opening = openings.open(name)
        document = _document(opening)
        _save(out, document)
        ends = report and opening.is_decided
        committed = openings.report(opening).require_ok() if ends else None
    if as_json:
        print_json({**document, "file": str(out), "height": None if committed is None else committed.height})
    else:
        _print(opening, out)
        if committed is not None:
            typer.echo(f"reported in block {committed.height}; the request is {committed.data['status']}")
    if not opening.is_decided:
        raise typer.Exit(EXIT_UNKNOWN)
    failed = any(cell.status != "opened" for cell in opening.cells)
    raise typer.Exit(EXIT_BAD if failed or any(claim.outcome == "refuted" for claim in opening.claims) else 0)


def _document(opening: Opening) -> dict[str, Any]:
    from coseal.ledger.render import plain

    found = opening.request
    cells = [
        {"source": one.source, "sequence": one.sequence, "label": one.label, "status": one.status}
        | ({"values": plain(dict(one.values))} if one.values else {})
        for one in opening.cells
    ]
    faults = [
        {"kind": one.kind, "member": one.member, "says": one.says, "sha256": one.digest}
        | {"evidence": plain(dict(one.evidence))}
        for one in opening.faults
    ]
    claims = [asdict(one) for one in opening.claims]
    named = {"by": found.by, "request": found.id, "owner": found.owner, "vault": found.vault}
    return {**named, "cells": cells, "claims": claims, "faults": faults, "unsigned": list(opening.unsigned)}


def _save(out: Path, document: dict[str, Any]) -> None:
    """Write clear text to a file of its owner's alone, whole and durable."""
    from coseal.ledger.strict_json import json_line

    try:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(json_line(document) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise CosealError(f"{out}: {error.strerror}") from None


def _print(opening: Opening, out: Path) -> None:
    from coseal.ledger.render import plain

    opened = sum(cell.status == "opened" for cell in opening.cells)
    typer.echo(visible(f"{opening.request.name}: {opened} of {len(opening.cells)} cells opened"))
    table = plain_table("item", "label", "values")
    for cell in opening.cells:
        values = ", ".join(f"{name} = {plain(value)}" for name, value in cell.values.items())
        table.add_row(f"{cell.source}/{cell.sequence}", cell.label, values or f"({_SAYS[cell.status]})")
    table.print()
    for claim in opening.claims:
        stated = "holds" if claim.stated else "does not hold"
        outcome = _OUTCOMES[claim.outcome].format(says=claim.says)
        typer.echo(
            visible(
                f"{claim.source}/{claim.sequence}: stated: {claim.rule} version {claim.version} {stated}; {outcome}"
            )
        )
    for fault in opening.faults:
        typer.echo(visible(f"fault of {fault.member}: {fault.says}"))
    for member in opening.unsigned:
        typer.echo(visible(f"{member}: its release is signed by no operator that it has now"))
    typer.echo(f"{out}: the values in the clear, readable by its owner alone")


_OUTCOMES: Final = {
    "holds": "so it does",
    "refuted": "refuted by its values",
    "false": "so it is",
    "understated": "by its values it does",
    "undetermined": "not determined by what was opened: {says}",
}
_SAYS: Final = {
    "waiting": "more custodians have to release",
    "check": "no key of the vault fits it",
    "commitment": "its values are not those committed to",
}
