"""Commands about the constitution of a network: show the one in force, propose another.

Law: what is shown is proven against the certified state; a document that the ledger would refuse is not proposed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coseal.cli.constitution import constitution_app, print_tracks
from coseal.cli.governance import end
from coseal.cli.sending import act
from coseal.cli.shared import JsonOption, SenderOption, acting, print_json, reaching

if TYPE_CHECKING:
    from coseal.network.access import Access


def register(app: typer.Typer) -> None:
    """Add the commands of this module to those about constitutions."""
    constitution_app.command("show")(show)
    constitution_app.command("amend")(amend)


@reaching
def show(access: Access, as_json: JsonOption = False) -> None:
    """Show the constitution in force, proven: its tracks, who votes on them, and what passes.

    With --json also the document itself, to be changed and proposed with `amend`.

    Example:

      coseal constitution show
    """
    from coseal.client import constitution

    with access.client() as client:
        found = constitution.in_force(client)
    if as_json:
        print_json(found._asdict())
        return
    brought = f"by {found.proposal} in block {found.height}" if found.proposal else "by the genesis"
    version = f"version {found.version}" if found.version else "the founding constitution"
    typer.secho(f"{found.constitution.title}: {version}, in force {brought}", bold=True)
    typer.echo(f"  digest  {found.digest}")
    print_tracks(found.constitution)
    typer.echo("  proven here")


@acting
def amend(
    access: Access,
    file: Annotated[Path, typer.Argument(metavar="FILE.json", help="The constitution to put in its place.")],
    sender: SenderOption,
    identifier: Annotated[
        str | None, typer.Option("--id", metavar="ID", help="A name of its own.", show_default="made up")
    ] = None,
    reason: Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why; recorded.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Propose another constitution, once it is safe for those who have a vote now (K1 to K5).

    Example:

      coseal constitution amend mine.json --as regulator --reason "Institutes have joined"
    """
    from coseal.client import constitution, governance

    document = constitution.read_document(file)
    because: dict[str, Any] = {} if reason is None else {"reason": reason}
    with access.client(sender) as client:
        subject = constitution.amendment(client, document, reason)
        chosen = identifier or governance.new_id("amend-constitution", subject["from"][:8])
        args = {"id": chosen, "kind": "amend_constitution", "subject": subject, **because}
        committed = act(access, client, "governance", "propose", args, as_json=as_json)
        end(client, chosen, committed, as_json=as_json)
