"""Commands of a founding ceremony: genesis init, join, finish, confirm, check.

Law: each member runs the commands that touch keys on its own machine; what travels between members is public.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coseal.cli.shared import (
    Commands,
    ConstitutionOption,
    ContractOption,
    JsonOption,
    ListenOption,
    plain_table,
    print_json,
    short,
)
from coseal.errors import EXIT_UNKNOWN, CosealError

if TYPE_CHECKING:
    from coseal.network.ceremony import Plan
    from coseal.network.founding import Standing

genesis_app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    help="Found a network of several organisations: everyone makes its own keys, all make one genesis.",
)

CeremonyArgument = Annotated[
    Path, typer.Argument(metavar="CEREMONY", help="The ceremony's public folder: your copy of it.")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    genesis_app.command("init")(init)
    genesis_app.command("join")(join)
    genesis_app.command("finish")(finish)
    genesis_app.command("confirm")(confirm)
    genesis_app.command("check")(check)
    app.add_typer(genesis_app, name="genesis")


def init(
    ceremony: CeremonyArgument,
    consortium: Annotated[Path, typer.Option("--consortium", metavar="FILE.toml", help="Who founds the network.")],
    contract: ContractOption = None,
    constitution: ConstitutionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the plan: the members, their users and nodes, what the chain runs with. No key is made.

    Parameters that the file does not set have their defaults. Send plan.json to every member.

    Example:

      coseal genesis init ceremony --consortium examples/consortium/harbour.toml
    """
    from coseal.cli.constitution import RECOMMENDED, named_document
    from coseal.client.contracts import chosen
    from coseal.network import founding

    document = named_document(constitution or RECOMMENDED)
    plan = founding.init(ceremony, consortium, chosen(contract or ()), document)
    if as_json:
        print_json(_plan_document(plan))
        return
    _show_plan(plan)
    typer.echo(f"plan          {plan.digest.hex()}")
    typer.echo(f"next  send {ceremony / 'plan.json'} to every member; each compares the plan's digest with the others")


def join(
    ceremony: CeremonyArgument,
    member: Annotated[str, typer.Option("--as", metavar="MEMBER", help="Whose keys to make.")],
    into: Annotated[
        Path, typer.Option("--into", metavar="DIR", help="The member's own folder, for keys; never give it away.")
    ],
    address: Annotated[
        list[str] | None,
        typer.Option(
            "--address", metavar="[NODE=]HOST:PORT", help="Where other members' nodes reach the node; again for more."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a member's keys in its own folder and write its contribution: public keys, each with proof of possession.

    Run again, it keeps the keys: after a changed plan or address the contribution is made again. With
    COSEAL_KEY_PASSPHRASE or COSEAL_KEY_PASSPHRASE_FILE set the keys are encrypted.

    Example:

      coseal genesis join ceremony --as trade-bank --into /var/lib/coseal --address coseal.trade-bank.example:8601
    """
    from coseal.network import founding

    contribution = founding.join(ceremony, member, into, _addresses(address or [], member))
    file = ceremony / "contributions" / f"{member}.json"
    if as_json:
        document = {"member": member, "file": str(file), "digest": contribution.digest.hex()}
        print_json({**document, "plan": contribution.plan.hex()})
        return
    typer.echo(f"plan          {contribution.plan.hex()}")
    typer.echo(f"contribution  {contribution.digest.hex()}  {file}")
    typer.echo(f"next  compare both digests with the other members; send them {file.name}, keep {into}")


def finish(ceremony: CeremonyArgument, as_json: JsonOption = False) -> None:
    """Check every contribution and make the genesis; anyone who has the files makes the same.

    Example:

      coseal genesis finish ceremony
    """
    from coseal.network import founding

    standing = founding.finish(ceremony)
    _show(standing, as_json=as_json)
    if not as_json:
        typer.echo(f"next  send {ceremony} to every member; each runs `coseal genesis confirm`")


def confirm(
    ceremony: CeremonyArgument,
    own: Annotated[Path, typer.Option("--from", metavar="DIR", help="The member's own folder, which `join` made.")],
    http_port: Annotated[
        int, typer.Option("--http-port", min=1, max=65_408, help="Of the node's HTTP API, on loopback.")
    ] = 8600,
    listen: ListenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check that the genesis holds exactly what this member contributed, make its nodes ready, sign the chain id.

    Writes genesis, network.toml, each node's node.toml and its empty journal to DIR, once; and the signed confirmation
    to the ceremony's folder, for the other members.

    Example:

      coseal genesis confirm ceremony --from /var/lib/coseal
    """
    from coseal.network import founding

    standing = founding.confirm(ceremony, own, http_port=http_port, listen=listen)
    _show(standing, as_json=as_json)
    if not as_json:
        typer.echo(
            "next  send the file in confirmations/ to all; start the node when `coseal genesis check` ends with 0"
        )


def check(
    ceremony: CeremonyArgument,
    own: Annotated[
        Path | None, typer.Option("--from", metavar="DIR", help="Compare with this member's own folder, too.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check everything that is there, and say who is missing; before there is a genesis, show the plan.

    Exit code 0: all members have confirmed; 1: a file is false, and which; 2: not complete yet.

    Example:

      coseal genesis check ceremony
    """
    from coseal.network import founding

    standing = founding.look(ceremony)
    if own is not None:
        founding.require_same(own, standing)
    if standing.genesis is None and not as_json:
        _show_plan(standing.plan)
    _show(standing, as_json=as_json)
    if not standing.complete:
        raise typer.Exit(EXIT_UNKNOWN)


def _addresses(given: list[str], member: str) -> dict[str, str]:
    """Return addresses by node; one without a node's name is that of the member's first."""
    found: dict[str, str] = {}
    for text in given:
        node, equals, address = text.rpartition("=")
        name = node if equals else member
        if name in found:
            raise CosealError(f"--address: {name} is given twice")
        found[name] = address
    return found


def _plan_document(plan: Plan) -> dict[str, Any]:
    return {
        "name": plan.consortium.name,
        "plan": plan.digest.hex(),
        "members": [member.id for member in plan.members],
        "nodes": [{"node": seat.name, "member": seat.member.id} for seat in plan.seats()],
        "contracts": [each._asdict() for each in plan.consortium.contracts],
        "constitution": plan.consortium.constitution,
    }


def _show_plan(plan: Plan) -> None:
    from dataclasses import asdict

    from coseal.contracts.governance.in_force import digest_of

    table = plain_table("member", "role", "users", "validators")
    for member in plan.members:
        role = f"{member.role}, {member.level}" if member.level else member.role
        seats = ", ".join(seat.name for seat in plan.seats(member.id)) or "-"
        users = "; ".join(f"{user.name}: {' '.join(sorted(user.capabilities))}" for user in member.users)
        table.add_row(member.id, role, users, seats)
    table.print()
    parameters = ", ".join(f"{name} {str(value).lower()}" for name, value in asdict(plan.consortium.parameters).items())
    typer.echo(f"runs with     {parameters}")
    constitution = plan.consortium.constitution
    decides = "more than two thirds of the members that run a validator"
    if constitution is not None:
        decides = f"{constitution['title']}, SHA-256 {digest_of(constitution)}"
    typer.echo(f"decides by    {decides}")
    for name, version, sha256 in plan.consortium.contracts:
        typer.echo(f"contract      {name} version {version}, SHA-256 {sha256}: every node needs it")


def _show(standing: Standing, *, as_json: bool) -> None:
    chain_id = None if standing.genesis is None else standing.genesis.chain_id.hex()
    if as_json:
        print_json(
            {
                **_plan_document(standing.plan),
                "chain_id": chain_id,
                "contributions": {name: one.digest.hex() for name, one in standing.contributions.items()},
                "missing": standing.missing,
                "confirmed": list(standing.confirmed),
                "unconfirmed": standing.unconfirmed,
                "complete": standing.complete,
            }
        )
        return
    table = plain_table("member", "contribution", "nodes", "address", "genesis")
    for member in standing.plan.members:
        one = standing.contributions.get(member.id)
        nodes = () if one is None else one.nodes
        table.add_row(
            member.id,
            "missing" if one is None else short(one.digest.hex(), 16),
            ", ".join(node.id for node in nodes) or "-",
            ", ".join(node.address for node in nodes) or "-",
            "confirmed" if member.id in standing.confirmed else "-",
        )
    table.print()
    typer.echo(f"plan      {standing.plan.digest.hex()}")
    typer.echo(f"chain id  {chain_id or 'not yet'}")
    if standing.complete:
        typer.secho("every member has confirmed this genesis", fg="green")
