"""Commands that open sealed values: reading them beside an object's items, and showing single ones to others.

Law: a value is printed only if the proven item commits to it; of what is not read the reason is printed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coseal.cli.custodian import secrets_of
from coseal.cli.shared import JsonOption, SenderOption, plain_table, print_json, reaching, save_document, visible
from coseal.errors import CosealError

if TYPE_CHECKING:
    from coseal.client.sealed_values import OpenedHistory
    from coseal.network.access import Access

ObjectArgument = Annotated[str, typer.Argument(metavar="OBJECT", help="PROCESSTYPE/OBJECTTYPE/ID.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("read")(read)
    app.command("reveal")(reveal)
    app.command("log")(log)


@reaching
def read(access: Access, name: ObjectArgument, sender: SenderOption, as_json: JsonOption = False) -> None:
    """Show the sealed values of an object, each compared with the commitment of its item.

    The owner opens them with the keys of its vault, a reader with the key of an audience that it was granted; that key
    is kept beside the operator's. What cannot be read is shown with the reason.

    Example:

      coseal disclosure read loans/loan/L1 --as city
    """
    from coseal.client.history import parse_object

    with access.client(sender) as client:
        found: OpenedHistory = client.vaults(secrets_of(access, client)).read(*parse_object(name))
    if as_json:
        print_json(_document(name, found))
        return
    _print(name, found)


@reaching
def reveal(
    access: Access,
    name: ObjectArgument,
    attributes: Annotated[list[str], typer.Argument(metavar="ATTRIBUTE...", help="Sealed attributes to be shown.")],
    sender: SenderOption,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Write the document there, for `coseal verify`.")],
    item: Annotated[
        str | None,
        typer.Option(
            "--item", metavar="MEMBER/SOURCE/N", help="Of this item alone.", show_default="all that have the attribute"
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write a document that shows single sealed values of an object; whom it is given to needs no key to check it.

    It has all items of the object with their commitments, and of the sealed values those that are named, no other.

    Example:

      coseal disclosure reveal loans/loan/L1 rate --out rate.json --as bank-a
    """
    from coseal.audit.verify import verify_document
    from coseal.client.history import parse_object

    with access.client(sender) as client:
        place = parse_object(name)
        vaults = client.vaults(secrets_of(access, client))
        document = vaults.reveal(*place, attributes, item=_item(item))
        result = verify_document(document, client.genesis)
    shown = [f"  {each['name']} of {each['item']}: {each['value']}" for each in result.facts["values"]]
    save_document(out, document, result.facts, lambda: typer.echo(visible("\n".join(shown))), as_json=as_json)


@reaching
def log(
    access: Access,
    member: Annotated[str, typer.Argument(metavar="MEMBER", help="Whose sealed data.")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the document there, for `coseal verify`.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show every step that concerned what a member sealed, proven to be all: "these are all accesses to my data".

    With one step removed or altered the document proves nothing.

    Examples:

      coseal disclosure log bank-a

      coseal disclosure log bank-a --out accesses.json
    """
    with access.client() as client:
        found = client.access_history(member)

    def show() -> None:
        typer.secho(visible(found.reason), fg="green")
        table = plain_table("no.", "block", "step", "vault", "about")
        for entry in found.entries:
            table.add_row(str(entry.number), str(entry.height), entry.step, entry.vault, entry.subject or "-")
        if found.entries:
            table.print()

    if out is not None:
        save_document(out, found.document, found.facts, show, as_json=as_json)
    elif as_json:
        print_json({"facts": found.facts, "entries": [entry._asdict() for entry in found.entries]})
    else:
        show()


def _item(text: str | None) -> tuple[str, int] | None:
    if text is None:
        return None
    source, _, number = text.rpartition("/")
    if not (source and "/" in source and number.isascii() and number.isdigit()):
        raise CosealError(f"--item {text}: expected MEMBER/SOURCE/N", "as `coseal disclosure read` shows it")
    return source, int(number)


def _document(name: str, found: OpenedHistory) -> dict[str, Any]:
    from coseal.client.sealed_values import READ

    rows = [
        {
            "item": f"{one.source}/{one.sequence}",
            "vault": one.vault,
            "label": one.label,
            "name": one.name,
            "status": one.status,
            **({"value": one.value, "salt": one.salt.hex()} if one.status == READ else {}),
        }
        for one in found.attributes
    ]
    return {"object": name, "height": found.history.height, "items": len(found.history.items), "sealed": rows}


def _print(name: str, found: OpenedHistory) -> None:
    from coseal.client.sealed_values import READ, REASONS

    count = len(found.history.items)
    items = "1 item" if count == 1 else f"{count} items"
    typer.secho(visible(f"{name}: {items}, proven to be all as of block {found.history.height}"), fg="green")
    if not found.attributes:
        typer.echo("  nothing in them is sealed")
        return
    table = plain_table("item", "type", "name", "value")
    kinds = {(source, sequence): item.get("type", "") for source, sequence, item in found.history.items}
    for one in found.attributes:
        value = str(one.value) if one.status == READ else f"({REASONS[one.status]})"
        table.add_row(f"{one.source}/{one.sequence}", kinds[one.source, one.sequence], one.name or "-", value)
    table.print()
