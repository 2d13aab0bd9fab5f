"""Commands about keys: generate, show, list.

Law: a private key is never printed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coseal.cli.shared import Commands, DirectoryOption, JsonOption, console, folder, plain_table, print_json
from coseal.errors import CosealError

if TYPE_CHECKING:
    from coseal.network import Network

keys_app = typer.Typer(cls=Commands, no_args_is_help=True, help="Make and look at Ed25519 keys (PKCS#8 PEM files).")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    keys_app.command("generate")(generate)
    keys_app.command("show")(show)
    keys_app.command("list")(list_keys)
    app.add_typer(keys_app, name="keys")


def generate(
    out: Annotated[Path, typer.Option("--out", metavar="FILE.pem", help="Where to write it; never overwritten.")],
    as_json: JsonOption = False,
) -> None:
    """Make a key pair; the private key goes to the file, with mode 0600, the public key is printed.

    With COSEAL_KEY_PASSPHRASE set the file is encrypted under it.

    Example:

      coseal keys generate --out clerk.pem
    """
    from coseal import keys

    seed = keys.new_seed()
    keys.write_key(out, seed, keys.environment_passphrase())
    _print(keys.public_key(seed).hex(), str(out), as_json=as_json)


def show(
    file: Annotated[Path, typer.Argument(metavar="FILE.pem", help="A private key.")], as_json: JsonOption = False
) -> None:
    """Print the public key of a private key's file.

    Example:

      coseal keys show coseal-net/members/bank-a/admin.pem
    """
    from coseal import keys

    signer = keys.read_signer(file, keys.environment_passphrase())
    _print(signer.public_key.hex(), str(file), as_json=as_json)


def list_keys(directory: DirectoryOption = None, as_json: JsonOption = False) -> None:
    """List the users of a local network: who they are, what they may do at genesis, and where their key is.

    Example:

      coseal keys list
    """
    from coseal import network as networks

    net = networks.load(folder(directory))
    rows = [
        {
            "sender": f"{member.id}/{operator.user}",
            "role": member.role,
            "capabilities": list(operator.capabilities),
            "public_key": operator.key.hex(),
            "file": str(path) if (path := _key_file(net, member.id, operator.user)) else None,
        }
        for member in net.genesis().members
        for operator in member.operators
    ]
    if as_json:
        print_json(rows)
        return
    table = plain_table("sender", "role", "capabilities", "public key", "file")
    for row in rows:
        capabilities = row["capabilities"]
        words = " ".join(capabilities) if isinstance(capabilities, list) else ""
        table.add_row(str(row["sender"]), str(row["role"]), words, str(row["public_key"])[:16], str(row["file"] or "-"))
    console().print(table)


def _key_file(net: Network, member: str, user: str) -> Path | None:
    try:
        return net.key_path(f"{member}/{user}")
    except CosealError:
        return None


def _print(public_key: str, file: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"public_key": public_key, "file": file})
    else:
        typer.echo(f"{public_key}  {file}")
