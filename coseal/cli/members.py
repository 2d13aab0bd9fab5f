"""Commands that change who is in a network: member add, prepare, rotate-key; node add, remove, rotate-key.

Law: each looks at the folder and the chain first and does what is missing; interrupted, it is run again.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from coseal.cli.network import node_app
from coseal.cli.shared import (
    Commands,
    DirectoryOption,
    JsonOption,
    ListenOption,
    folder,
    in_folder,
    print_json,
    progress_lines,
)
from coseal.errors import CosealError

member_app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    help="Add, suspend or remove a member, prepare to be one, leave; replace a user's key.",
)


class NodeRole(StrEnum):
    """What an added node is for."""

    observer = "observer"
    validator = "validator"


TimeoutOption = Annotated[float, typer.Option("--timeout", min=1, help="Seconds to wait for each step.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module; those about one node go to the group of ``coseal node``."""
    member_app.command("add")(member_add)
    member_app.command("prepare")(member_prepare)
    member_app.command("rotate-key")(member_rotate_key)
    app.add_typer(member_app, name="member")
    node_app.command("add")(node_add)
    node_app.command("remove")(node_remove)
    node_app.command("rotate-key")(node_rotate_key)


def member_add(
    member: Annotated[str, typer.Argument(metavar="MEMBER", help="Its id: a-z, 0-9, '-' and '.'.")],
    role: Annotated[str, typer.Option("--role", help="government, bank, enterprise, institute or public.")],
    name: Annotated[str | None, typer.Option("--name", help="How it is shown.", show_default="the id")] = None,
    level: Annotated[str, typer.Option("--level", help="Of a government: central, provincial, municipal.")] = "",
    sector: Annotated[str, typer.Option("--sector", help="Of a government; free text.")] = "",
    user: Annotated[str, typer.Option("--user", help="Its first user.")] = "admin",
    public_key: Annotated[
        str | None,
        typer.Option("--public-key", metavar="HEX", help="The user's key, made elsewhere.", show_default="made here"),
    ] = None,
    proposer: Annotated[
        str | None, typer.Option("--as", metavar="MEMBER", help="Who proposes it.", show_default="one with a vote")
    ] = None,
    timeout: TimeoutOption = 60.0,
    directory: DirectoryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Admit a member to a network of this machine: its key is made, proposed, and voted on by those of the folder.

    If it is interrupted, run the same command again to continue. Elsewhere:
    `coseal governance propose add_member --data FILE`.

    Examples:

      coseal member add bank-b --role bank --name "Second Bank"

      coseal member add city --role government --level municipal
    """
    from coseal.network.add_nodes import NewMember, add_member

    key = None if public_key is None else _public_key(public_key)
    new = NewMember(member, name or member, role, level, sector, user, key)
    result = add_member(folder(directory), new, progress_lines(quiet=as_json), proposer=proposer, timeout_s=timeout)
    if as_json:
        print_json(result)
    else:
        where = f", key in {result['file']}" if result["file"] else ""
        typer.secho(f"{member} is a member since block {result['height']}; user {user}{where}", fg="green")


def member_prepare(
    member: Annotated[str, typer.Argument(metavar="MEMBER", help="Its id, and its node's: a-z, 0-9, '-' and '.'.")],
    role: Annotated[str, typer.Option("--role", help="government, bank, enterprise, institute or public.")],
    into: Annotated[Path, typer.Option("--into", metavar="DIR", help="The member's own folder; never give it away.")],
    genesis: Annotated[Path, typer.Option("--genesis", metavar="FILE", help="The chain's; compare its chain id.")],
    address: Annotated[str, typer.Option("--address", metavar="HOST:PORT", help="Where others reach its node.")],
    peer: Annotated[
        list[str], typer.Option("--peer", metavar="NODE=HOST:PORT", help="A node of the network; again for more.")
    ],
    join_from: Annotated[
        list[str] | None,
        typer.Option("--join-from", metavar="URL", help="Where CometBFT orders it: HTTP of a node; again for more."),
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="How it is shown.", show_default="the id")] = None,
    level: Annotated[str, typer.Option("--level", help="Of a government: central, provincial, municipal.")] = "",
    sector: Annotated[str, typer.Option("--sector", help="Of a government; free text.")] = "",
    user: Annotated[str, typer.Option("--user", help="Its first user.")] = "admin",
    http_port: Annotated[
        int, typer.Option("--http-port", min=1, max=65_535, help="Of the node's HTTP API, on loopback.")
    ] = 8600,
    listen: ListenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make the keys and the node of a member that joins other organisations' network, on its own machine.

    Writes two public files for the others: DIR/member.json, the subject of the proposal add_member, and DIR/node.json,
    the arguments of membership.add_node. docs/consortium.md has the whole way.

    Example:

      coseal member prepare bank-b --role bank --into own --genesis genesis.json --address bank-b.example:8601
      --peer authority=coseal.authority.example:8601
    """
    from coseal.network.add_nodes import NewMember
    from coseal.network.bootstrap import Place, prepare

    new = NewMember(member, name or member, role, level, sector, user)
    peers = dict(_peer(text) for text in peer)
    place = Place(address, http_port, listen, tuple(join_from or ()))
    chain_id = prepare(into, new, genesis, place, peers).chain_id.hex()
    files = [str(into / file) for file in ("member.json", "node.json")]
    if as_json:
        print_json({"member": member, "chain_id": chain_id, "files": files})
        return
    typer.echo(f"chain id  {chain_id}")
    typer.echo(f"next  compare the chain id with a member's; send {files[0]}: `coseal governance propose add_member`")


def _peer(text: str) -> tuple[str, str]:
    node, equals, address = text.partition("=")
    if not equals or not node:
        raise CosealError(f"--peer {text}: expected NODE=HOST:PORT")
    return node, address


def member_rotate_key(
    sender: Annotated[str, typer.Argument(metavar="MEMBER[/USER]", help="Whose key; the user is admin unless given.")],
    timeout: TimeoutOption = 60.0,
    directory: DirectoryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Replace a user's key: a new one is made, the former one signs for it, and both files are kept.

    Nodes whose gateway signs with it get the new key and are restarted, one after another. If it is
    interrupted, run the same command again to continue. Elsewhere: `coseal keys generate`, then
    `coseal submit membership.rotate_operator_key key=HEX`.

    Example:

      coseal member rotate-key bank-a/admin
    """
    from coseal.network import folders
    from coseal.network.access import full_sender
    from coseal.network.change_nodes import rotate_user_key

    path = folder(directory)
    network = folders.load(path)
    full = full_sender(sender, network.genesis(), network.users)
    result = rotate_user_key(path, full, progress_lines(quiet=as_json), timeout_s=timeout)
    if as_json:
        print_json(result)
    else:
        typer.secho(f"{full} signs with {result['public_key']}", fg="green")


@in_folder
def node_add(
    role: Annotated[NodeRole, typer.Option("--role", help="observer follows; validator also votes.")],
    member: Annotated[
        str | None, typer.Option("--member", metavar="MEMBER", help="Who runs it.", show_default="one that may")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NODE", help="Its name.", show_default="its member's")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option("--port", min=1, max=65_534, help="First of its two ports.", show_default="the next free one"),
    ] = None,
    timeout: TimeoutOption = 120.0,
    directory: DirectoryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a node to a running network of this machine, and wait until it does what it is for.

    Makes its keys and folder, registers it, starts it, waits until it has caught up; a validator is then proposed and
    voted on by the members whose keys are in the folder, and it is done when it has signed a block. A validator for
    which no member can take another seat comes with a new member. If it is interrupted, run the same command again
    to continue.

    Examples:

      coseal node add --role observer

      coseal node add --role validator --member bank-b
    """
    from coseal.network.add_nodes import add_node

    result = add_node(
        folder(directory),
        role.value,
        progress_lines(quiet=as_json),
        member=member,
        name=name,
        port=port,
        timeout_s=timeout,
    )
    if as_json:
        print_json(result)
        return
    what = f"validates since epoch {result['epoch']}" if role is NodeRole.validator else "follows"
    typer.secho(f"{result['node']} ({result['member']}) {what}, now at height {result['height']}", fg="green")
    typer.echo(f"  {result['url']}")


def node_remove(
    node: Annotated[str, typer.Argument(metavar="NODE", help="A node's name, as `coseal status` lists it.")],
    keep_observing: Annotated[
        bool, typer.Option("--keep-observing", help="It loses its vote and continues as an observer.")
    ] = False,
    timeout: TimeoutOption = 60.0,
    directory: DirectoryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a node out of a running network of this machine: out of the validators by vote, off the registry, stopped.

    Its folder, with its keys, is moved to DIR/removed. If it is interrupted, run the same command again to continue.

    Example:

      coseal node remove bank-a
    """
    from coseal.network.change_nodes import remove_node

    say = progress_lines(quiet=as_json)
    result = remove_node(folder(directory), node, say, keep_observing=keep_observing, timeout_s=timeout)
    if as_json:
        print_json(result)
    else:
        typer.secho(f"{node} {'observes' if keep_observing else 'is removed'}, epoch {result['epoch']}", fg="green")


def node_rotate_key(
    node: Annotated[str, typer.Argument(metavar="NODE", help="A validator's name.")],
    timeout: TimeoutOption = 60.0,
    directory: DirectoryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Replace the consensus key of a validator that runs: it signs on with the new one from the next epoch.

    The new key consents by its own signature, the members vote, both files are kept. If it is interrupted, run the
    same command again to continue.

    Example:

      coseal node rotate-key bank-a
    """
    from coseal.network.change_nodes import rotate_node_key

    result = rotate_node_key(folder(directory), node, progress_lines(quiet=as_json), timeout_s=timeout)
    if as_json:
        print_json(result)
    else:
        typer.secho(f"{node} signs with {result['public_key']} since epoch {result['epoch']}", fg="green")


def _public_key(text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != 32 or key.hex() != text:
        raise CosealError(f"--public-key {text!r}", "it has 64 lower-case hexadecimal digits; see `coseal keys show`")
    return key
