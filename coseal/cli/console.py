"""The command that opens a network to the eye: console.

Law: the console is a process of its own and this command becomes it; a key stays in that process.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from coseal.cli.shared import DirectoryArgument, GenesisOption, KeyOption, TokenOption, folder, in_folder


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("console")(console)


@in_folder
def console(
    directory: DirectoryArgument = None,
    urls: Annotated[
        list[str] | None,
        typer.Option("--url", metavar="URL", help="Ask the node at this URL; may be repeated.", show_default="DIR's"),
    ] = None,
    genesis: GenesisOption = None,
    who: Annotated[
        str | None,
        typer.Option("--as", metavar="MEMBER[/USER]", help="Act as this operator.", show_default="read only"),
    ] = None,
    key: KeyOption = None,
    port: Annotated[
        int | None,
        typer.Option(
            "--port",
            "--console-port",
            min=1,
            max=65_535,
            help="On loopback; remembered in DIR.",
            show_default="8580, or a free one",
        ),
    ] = None,
    token: TokenOption = None,
) -> None:
    """Show a network in a browser: a page that verifies what it shows, from the genesis on.

    It listens on this machine only. Without --as it only reads. With --as it holds that operator's key, and the link
    it prints, which is for one person, lets a browser act; every act is shown with its verified receipt.

    Examples:

      coseal console

      coseal console --as regulator

      coseal console --url http://127.0.0.1:8600 --genesis genesis.json
    """
    if token:
        os.environ["COSEAL_TOKEN"] = token  # not a word of the command line, which others can read
    port = _chosen(folder(directory), port)
    words = [str(folder(directory))]
    words += [word for url in urls or () for word in ("--url", url)]
    options = {"--genesis": genesis, "--as": who, "--key": key, "--port": port}
    words += [word for name, value in options.items() if value is not None for word in (name, str(value))]
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "coseal.console", *words])


def _chosen(directory: Path, port: int | None) -> int | None:
    """Return the port that is asked for, which the folder remembers, else the remembered one if it is free."""
    from coseal.network import console, folders, ports

    if port is not None:
        ports.require_free([("the console", f"127.0.0.1:{port}")], "choose another --port")
    if not folders.exists(directory):
        return port
    net = folders.load(directory)
    if port is not None:
        console.remember(net, port)
        return port
    remembered = console.port_of(net)
    return remembered if remembered is not None and ports.is_free("127.0.0.1", remembered) else None
