"""What all commands share: the way errors end them, where a network is, and how things are printed.

Law: a ``CosealError`` ends a command with its own exit code and one readable message, never a traceback.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from coseal.errors import CosealError


class Commands(TyperGroup):
    """A group of commands that turns our errors into messages and exit codes."""

    def invoke(self, ctx: Any) -> Any:
        """Run the chosen command."""
        try:
            return super().invoke(ctx)
        except CosealError as error:
            complain(error)
            raise typer.Exit(error.exit_code) from None
        except BrokenPipeError:
            # The reader of our output has gone (`coseal ... | head`); say nothing more, also not at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None


def complain(error: CosealError) -> None:
    """Print an error and what to do about it on stderr."""
    typer.secho(f"coseal: {error.detail}", fg="red", err=True)
    if error.hint:
        typer.echo(error.hint, err=True)


DirectoryArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="[DIR]", help="The network's folder.", envvar="COSEAL_DIR", show_default="coseal-net", dir_okay=True
    ),
]
DirectoryOption = Annotated[
    Path | None,
    typer.Option("--dir", metavar="DIR", help="The network's folder.", envvar="COSEAL_DIR", show_default="coseal-net"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of text for people.")]


def folder(directory: Path | None) -> Path:
    """Return the given folder or the default one."""
    return directory if directory is not None else Path("coseal-net")


def print_json(value: Any) -> None:
    """Print one JSON document."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def short(hexadecimal: str | None, characters: int = 12) -> str:
    """Return the beginning of a hash, for tables."""
    return "-" if not hexadecimal else hexadecimal[:characters]
