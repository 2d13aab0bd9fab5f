"""Commands about sealed data: keys for envelopes, vaults, audiences.

A custodian's service is in ``custodian``, what readers open in ``sealed_values``, openings by request in ``openings``.

Law: secrets are in the folder ``sealing`` beside the operator's key, and leave it in envelopes alone.
"""

from __future__ import annotations

import time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from coseal.cli import custodian, openings, sealed_values
from coseal.cli.beside import beside
from coseal.cli.shared import (
    Commands,
    JsonOption,
    SenderOption,
    acting,
    plain_table,
    print_json,
    reaching,
    two_names,
    visible,
)
from coseal.errors import BadAnswer

if TYPE_CHECKING:
    from coseal.client.blocking import Client
    from coseal.client.transactions import Committed
    from coseal.network.access import Access

_CONTRACT: Final = "disclosure"
_DAY_MS: Final = 86_400_000
_LISTS: Final = {
    "plans": "custody-plans",
    "vaults": "vaults",
    "seats": "vault-seats",
    "sealed": "sealed",
    "requests": "openings",
    "steps": "opening-steps",
}
"""Commands that show a list, by the list."""


class Use(StrEnum):
    """What a key for envelopes is used for."""

    custody = "custody"
    reader = "reader"


disclosure_app = typer.Typer(
    cls=beside(_CONTRACT, _LISTS),
    no_args_is_help=True,
    help="Sealed data: keys, vaults and their custodians, and who reads what is sealed.",
)
key_app = typer.Typer(cls=Commands, no_args_is_help=True, help="Keys under which others put envelopes for a member.")
vault_app = typer.Typer(cls=Commands, no_args_is_help=True, help="Vaults: what a member seals its data into.")
audience_app = typer.Typer(cls=Commands, no_args_is_help=True, help="Audiences: members that read what is sealed.")

VaultArgument = Annotated[str, typer.Argument(metavar="VAULT", help="The vault's id.")]
AudienceArgument = Annotated[str, typer.Argument(metavar="AUDIENCE", help="The audience's name.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    key_app.command("set")(set_key)
    vault_app.command("open")(open_vault)
    vault_app.command("status")(status)
    vault_app.command("close")(close)
    audience_app.command("define")(define)
    audience_app.command("grant")(grant)
    disclosure_app.add_typer(key_app, name="key")
    disclosure_app.add_typer(vault_app, name="vault")
    disclosure_app.add_typer(audience_app, name="audience")
    custodian.register(disclosure_app)
    sealed_values.register(disclosure_app)
    openings.register(disclosure_app)
    app.add_typer(disclosure_app, name=_CONTRACT)


@reaching
def set_key(
    access: Access,
    use: Annotated[Use, typer.Option("--use", help="For the keys of seats, or for those of audiences.")],
    sender: SenderOption,
    as_json: JsonOption = False,
) -> None:
    """Make a key for envelopes and publish it, the next version; the private one stays beside the operator's key.

    A custodian needs one for custody before a vault can be dealt to it, a reader one before it is granted a key.

    Example:

      coseal disclosure key set --use custody --as regulator
    """
    with access.client(sender) as client:
        vaults = client.vaults(custodian.secrets_of(access, client))
        committed = vaults.set_sealing_key(use.value).require_ok()
    data = committed.data
    where = vaults.secrets.folder / f"sealing-{use.value}-{data['version']}.json"
    if as_json:
        print_json({**data, "height": committed.height, "file": str(where)})
        return
    typer.echo(f"{data['member']}: version {data['version']} of its key for {use.value}, block {committed.height}")
    typer.echo(f"  {where}: keep a copy; without it no envelope under this key opens")


@reaching
def open_vault(
    access: Access,
    vault: VaultArgument,
    plan: Annotated[str, typer.Option("--plan", metavar="PLAN", help="The plan of custody, decided by ballot.")],
    retention: Annotated[str, typer.Option("--retention", metavar="CLASS", help="How long: a class of the plan.")],
    sender: SenderOption,
    days: Annotated[int, typer.Option("--days", min=1, max=400, help="How long it takes sealed data.")] = 365,
    pad: Annotated[int, typer.Option("--pad", min=0, max=16, help="A cell's text takes 2^PAD bytes at least.")] = 0,
    again: Annotated[
        str | None, typer.Option("--again", metavar="VAULT", help="A refused vault that this one replaces.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Deal the keys of a new vault to the seats of a plan; it is armed once enough custodians compared theirs.

    The keys are kept beside the operator's key before anything is sent. A run that was interrupted is repeated with
    the same command, and deals the same keys.

    Example:

      coseal disclosure vault open loans --plan usual --retention loan --as bank-a
    """
    ends_ms = time.time_ns() // 1_000_000 + days * _DAY_MS
    with access.client(sender) as client:
        vaults = client.vaults(custodian.secrets_of(access, client))
        committed = vaults.open_vault(vault, plan, retention, ends_ms=ends_ms, pad=pad, again=again).require_ok()
    _print(
        committed,
        f"{committed.data['owner']}/{vault}: dealt to {', '.join(member for member, _ in committed.data['seats'])}",
        f"{vaults.secrets.folder / f'vault-{vault}.json'}: its keys; keep a copy",
        as_json=as_json,
    )


@reaching
def status(
    access: Access,
    vault: Annotated[str, typer.Argument(metavar="OWNER/VAULT", help="Whose vault, and its id.")],
    as_json: JsonOption = False,
) -> None:
    """Show how a vault stands, proven: armed or not, who answered what, until when it takes data.

    Example:

      coseal disclosure vault status bank-a/loans
    """
    owner, name = two_names(vault, "OWNER/VAULT", "bank-a/loans")
    with access.client() as client:
        record = _record(client, owner, name)
    if as_json:
        commitments = [each.hex() for each in record["commitments"]]
        print_json({**record, "commitments": commitments, "envelopes": record["envelopes"].hex()})
        return
    from coseal.contracts.kernel.wording import moment_text
    from coseal.ledger.custody import Plan

    shape = Plan(len(record["seats"]), record["threshold"])
    ready = sum(answer == "accepted" for _, answer in record["seats"])
    typer.echo(visible(f"{vault}: {record['status']}; {ready} seats accepted, {shape.arming} arm it"))
    typer.echo(f"plan        {record['plan']}: {shape.threshold} of {shape.seats} seats open together")
    typer.echo(f"takes data  until {moment_text(record['ends_ms'])}; {record['live']} sidecars are live")
    if record["status"] == "dealt":
        typer.echo(f"answers     until {moment_text(record['deadline_ms'])}")
    table = plain_table("seat", "member", "answer")
    for seat, (member, answer) in enumerate(record["seats"]):
        table.add_row(str(seat), member, answer)
    table.print()


def _record(client: Client, owner: str, name: str) -> dict[str, Any]:
    from coseal.contracts.disclosure.state import vault_key

    record: Any = client.value(vault_key(owner, name))
    if record is None:
        raise BadAnswer(f"{owner} has no vault {name}", "`coseal disclosure vaults` lists them")
    return dict(record)


@acting
def close(access: Access, vault: VaultArgument, sender: SenderOption, as_json: JsonOption = False) -> None:
    """Close a vault, so that its custodians destroy its keys; after its last sidecar was erased.

    Example:

      coseal disclosure vault close loans --as bank-a
    """
    from coseal.cli.sending import act

    with access.client(sender) as client:
        committed = act(access, client, _CONTRACT, "close_vault", {"vault": vault}, as_json=as_json).require_ok()
    _print(committed, f"{committed.data['owner']}/{vault}: {committed.data['status']}", as_json=as_json)


@reaching
def define(
    access: Access,
    vault: VaultArgument,
    audience: AudienceArgument,
    members: Annotated[list[str], typer.Option("--member", metavar="MEMBER", help="A reader; may be repeated.")],
    sender: SenderOption,
    as_json: JsonOption = False,
) -> None:
    """Say which members read what is sealed from now on; a new version leaves out whom it does not name.

    Its key is drawn and kept beside the operator's; `audience grant` gives it to the readers.

    Example:

      coseal disclosure audience define loans readers --member city --member regulator --as bank-a
    """
    with access.client(sender) as client:
        vaults = client.vaults(custodian.secrets_of(access, client))
        committed = vaults.define_audience(vault, audience, members).require_ok()
    version = committed.data["version"]
    _print(committed, f"{vault}/{audience}: version {version}, {_readers(len(members))}", as_json=as_json)


@reaching
def grant(
    access: Access,
    vault: VaultArgument,
    audience: AudienceArgument,
    sender: SenderOption,
    to: Annotated[
        list[str] | None,
        typer.Option("--to", metavar="MEMBER", help="A reader; may be repeated.", show_default="all of them"),
    ] = None,
    version: Annotated[
        int | None, typer.Option("--version", min=1, metavar="N", help="Whose key.", show_default="the newest")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Give readers the key of a version of an audience, in envelopes that they alone open.

    Example:

      coseal disclosure audience grant loans readers --as bank-a
    """
    with access.client(sender) as client:
        vaults = client.vaults(custodian.secrets_of(access, client))
        committed = vaults.grant(vault, audience, version=version, to=to).require_ok()
    readers = ", ".join(committed.transaction.args["to"])
    _print(committed, f"{vault}/{audience}: key of version {committed.data['version']} for {readers}", as_json=as_json)


def _readers(count: int) -> str:
    return "1 reader" if count == 1 else f"{count} readers"


def _print(committed: Committed, *lines: str, as_json: bool) -> None:
    if as_json:
        print_json({**committed.data, "height": committed.height})
        return
    first, *more = lines
    typer.echo(visible(f"{first}, block {committed.height}"))
    for line in more:
        typer.echo(f"  {line}")
