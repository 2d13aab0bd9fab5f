"""Commands about keys: generate, show, list.

Law: a private key is never printed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coseal.cli.shared import Commands, DirectoryOption, JsonOption, folder, in_folder, plain_table, print_json
from coseal.errors import CosealError

if TYPE_CHECKING:
    from coseal.network.folders import Network

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
    from coseal.client import keys

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
    from coseal.client import keys

    signer = keys.read_signer(file, keys.environment_passphrase())
    _print(signer.public_key.hex(), str(file), as_json=as_json)


@in_folder
def list_keys(directory: DirectoryOption = None, as_json: JsonOption = False) -> None:
    """List the users of a local network: who they are, what they could do at genesis, and where their key is.

    Users of members that joined later have no capabilities here: `coseal show member` tells them.

    Example:

      coseal keys list
    """
    from coseal.network import folders

    net = folders.load(folder(directory))
    members = net.genesis().members
    named = {f"{member.id}/{operator.user}": (member, operator) for member in members for operator in member.operators}
    later = [file.parent.name for file in (net.directory / "members").glob("*/*.pem")]
    here = {f"{member}/{user}" for member in later for user in net.users(member)}
    rows = []
    for sender in [*named, *sorted(here - named.keys())]:
        member, operator = named.get(sender, (None, None))
        path = _key_file(net, sender)
        rows.append(
            {
                "sender": sender,
                "role": "" if member is None else member.role,
                "capabilities": [] if operator is None else list(operator.capabilities),
                "public_key": _public_key(path) or (None if operator is None else operator.key.hex()),
                "file": str(path) if path else None,
            }
        )
    if as_json:
        print_json(rows)
        return
    table = plain_table("sender", "role", "capabilities", "public key", "file")
    for row in rows:
        capabilities = row["capabilities"]
        words = " ".join(capabilities) if isinstance(capabilities, list) else ""
        table.add_row(
            str(row["sender"]), str(row["role"]), words, str(row["public_key"] or "-")[:16], str(row["file"] or "-")
        )
    table.print()


def _key_file(net: Network, sender: str) -> Path | None:
    try:
        return net.key_path(sender)
    except CosealError:
        return None


def _public_key(path: Path | None) -> str | None:
    """Return the public key of a file, None if there is none or it does not open without its passphrase."""
    from coseal.client import keys

    try:
        return None if path is None else keys.read_signer(path, keys.environment_passphrase()).public_key.hex()
    except CosealError:
        return None


def _print(public_key: str, file: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"public_key": public_key, "file": file})
    else:
        typer.echo(f"{public_key}  {file}")
