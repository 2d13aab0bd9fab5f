"""What all commands share: the way errors end them, where a network is, and how things are printed.

Law: a ``CosealError`` ends a command with its own exit code and one readable message, never a traceback.
"""

from __future__ import annotations

import functools
import inspect
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, get_type_hints

import typer
from typer.core import TyperGroup
from typer.models import ArgumentInfo

from coseal.errors import CosealError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table
    from rich.text import Text


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
    Path | None, typer.Argument(metavar="DIR", help="The network's folder, as --dir.", show_default="coseal-net")
]
DirectoryOption = Annotated[
    Path | None,
    typer.Option("--dir", metavar="DIR", help="The network's folder.", envvar="COSEAL_DIR", show_default="coseal-net"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of text for people.")]

NodeOption = Annotated[
    str | None, typer.Option("--node", metavar="NAME", help="Ask this node of the folder.", show_default="the sender's")
]
UrlOption = Annotated[
    str | None, typer.Option("--url", metavar="URL", help="Ask the node at this URL, instead of one of the folder.")
]
GenesisOption = Annotated[
    Path | None, typer.Option("--genesis", metavar="FILE", help="The trusted genesis.", show_default="the folder's")
]
KeyOption = Annotated[
    Path | None, typer.Option("--key", metavar="FILE.pem", help="The sender's key.", show_default="the folder's")
]
TokenOption = Annotated[
    str | None,
    typer.Option("--token", metavar="TEXT", envvar="COSEAL_TOKEN", help="Bearer token, where reads are not public."),
]
ConsolePortOption = Annotated[
    int | None,
    typer.Option(
        "--console-port", min=1, max=65_535, help="Of the console, remembered.", show_default="8580, or a free one"
    ),
]
ListenOption = Annotated[
    str | None,
    typer.Option("--listen", metavar="HOST", help="Where links are accepted.", show_default="the node's address"),
]
ContractOption = Annotated[
    list[str] | None,
    typer.Option(
        "--contract",
        metavar="NAME[-VERSION]",
        help="An installed contract of others that the genesis admits; again for more. Every node needs it.",
    ),
]
ConstitutionOption = Annotated[
    str | None,
    typer.Option(
        "--constitution",
        metavar="NAME|FILE",
        help="By which votes members decide: recommended, consent, founding (two thirds of the validators), or a file.",
        show_default="recommended",
    ),
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Say what would come of it now; nothing is signed or recorded.")
]
MinHeightOption = Annotated[
    int | None,
    typer.Option("--min-height", min=1, metavar="H", help="Only what is proven as of block H or a later one."),
]
SenderOption = Annotated[
    str, typer.Option("--as", metavar="MEMBER[/USER]", help="Who acts; the user is admin unless given.")
]


def folder(directory: Path | None) -> Path:
    """Return the given folder or the default one."""
    return directory if directory is not None else Path("coseal-net")


_REACH: Final = {
    "directory": DirectoryOption,
    "node": NodeOption,
    "url": UrlOption,
    "genesis": GenesisOption,
    "key": KeyOption,
    "token": TokenOption,
    "dry_run": DryRunOption,
}


def gathering(
    parameter: str, options: Mapping[str, tuple[Any, Any]], gather: Callable[[dict[str, Any]], Any]
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator that gives a command ``options``, which it gets as one value, its ``parameter``.

    ``options`` are typer's annotations with their defaults; they stand before ``as_json``. ``gather`` makes the value.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        command.__annotations__.pop(parameter, None)  # imported when a command runs, and nothing that typer should know
        hints = get_type_hints(command, include_extras=True) | {name: hint for name, (hint, _) in options.items()}
        own = {name: each.default for name, each in inspect.signature(command).parameters.items() if name in hints}
        last = {name: own.pop(name) for name in ("as_json",) if name in own}
        defaults = own | {name: default for name, (_, default) in options.items()} | last

        @functools.wraps(command)
        def run(**given: Any) -> None:
            value = gather({name: given.pop(name) for name in options})
            command(**{parameter: value}, **given)

        parameters = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=value, annotation=hints[name])
            for name, value in defaults.items()
        ]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what typer makes options from
        run.__annotations__ = hints
        return run

    return decorate


def in_folder(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the network's folder, its parameter ``directory``, as the argument DIR and as the option --dir."""
    options = {"directory": (DirectoryArgument, None), "dir_option": (DirectoryOption, None)}
    return gathering("directory", options, _one_folder)(command)


def _one_folder(given: dict[str, Any]) -> Path | None:
    """Return the folder that is named, DIR before the environment's; raise ``CosealError`` if two are."""
    argument, option = given["directory"], given.get("dir_option")
    if argument is None or option is None or argument == option:
        found: Path | None = option if argument is None else argument
        return found
    if str(option) == os.environ.get("COSEAL_DIR"):
        return Path(argument)
    raise CosealError(f"DIR is {argument} and --dir {option}", "name one folder")


def reaching(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options by which a node is found, which it gets as one ``Access``, its parameter ``access``.

    ``--key`` is there only for a command that signs, which has a ``sender``.
    """
    return _reaching(command, without={"dry_run"} if "sender" in command.__annotations__ else {"dry_run", "key"})


def acting(command: Callable[..., None]) -> Callable[..., None]:
    """As ``reaching``, for a command that sends one action: with ``--dry-run`` it only says what would come of it."""
    return _reaching(command, without=set())


def _reaching(command: Callable[..., None], without: set[str]) -> Callable[..., None]:
    def access(given: dict[str, Any]) -> Any:
        from coseal.network.access import Access

        found = _one_folder({"directory": given.pop("argument", None), "dir_option": given.pop("directory")})
        return Access(folder(found), **given)

    options = {name: (option, False if name == "dry_run" else None) for name, option in _REACH.items()}
    chosen = {name: each for name, each in options.items() if name not in without}
    if not _has_arguments(command):
        chosen = {"argument": (DirectoryArgument, None), **chosen}
    return gathering("access", chosen, access)(command)


def _has_arguments(command: Callable[..., None]) -> bool:
    """Say whether a command has an argument, so that a further word would not be plainly its folder."""
    command.__annotations__.pop("access", None)  # as in ``gathering``
    hints = get_type_hints(command, include_extras=True).values()
    return any(isinstance(one, ArgumentInfo) for hint in hints for one in getattr(hint, "__metadata__", ()))


def print_json(value: Any) -> None:
    """Print one JSON document."""
    from coseal.ledger.strict_json import one_line  # with the codec, which the help can do without

    typer.echo(one_line(json.dumps(value, ensure_ascii=False, indent=2)))


def print_facts(facts: Mapping[str, Any]) -> None:
    """Print facts for a person, a line each: yes and no, lists joined, a dash for what is not there."""
    for name, value in facts.items():
        typer.echo(f"  {name:<12} {_shown(value)}")


def _shown(value: Any) -> str:
    if value is None or value == [] or value == {}:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {_within(each)}" for name, each in value.items())
    return ", ".join(map(_within, value)) if isinstance(value, list) else str(value)


def _within(value: Any) -> str:
    return f"({_shown(value)})" if isinstance(value, Mapping | list) else _shown(value)


def two_names(text: str, form: str, example: str) -> tuple[str, str]:
    """Return what stands before and after the first slash; ``form`` and ``example`` say what is expected."""
    first, slash, second = text.partition("/")
    if not (first and slash and second):
        raise typer.BadParameter(f"expected {form}, such as {example}")
    return first, second


def save_document(
    out: Path, document: Mapping[str, Any], facts: Mapping[str, Any], show: Callable[[], None], *, as_json: bool
) -> None:
    """Write a verified document and say how to check it anywhere; ``show`` prints what it proves."""
    raw = json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"
    try:
        out.write_text(raw, encoding="utf-8")
    except OSError as error:
        raise CosealError(f"{out}: {error.strerror}") from None
    if as_json:
        print_json({"ok": True, "file": str(out), "bytes": len(raw.encode()), "facts": dict(facts)})
        return
    typer.secho(f"{out}: {len(raw.encode()):,} bytes, verified", fg="green")
    show()
    typer.echo(f"  check it anywhere: coseal verify {out} --genesis genesis.json")


def short(hexadecimal: str | None, characters: int = 12) -> str:
    """Return the beginning of a hash, for tables."""
    return "-" if not hexadecimal else hexadecimal[:characters]


def progress_lines(*, quiet: bool) -> Callable[[str], None]:
    """Return what tells the steps of a long command, with the seconds since it began."""
    began = time.monotonic()

    def say(text: str) -> None:
        if not quiet:
            typer.echo(f"{time.monotonic() - began:6.1f} s  {text}")
            sys.stdout.flush()

    return say


def progress_bar() -> Progress:
    """Return a progress display on stderr: what, bar, how many of how many, how long yet."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console(stderr=True))


def console(*, stderr: bool = False) -> Console:
    """Return a Rich console; one that no terminal bounds is wide enough for our tables."""
    from rich.console import Console

    terminal = (sys.stderr if stderr else sys.stdout).isatty()
    return Console(stderr=stderr, width=None if terminal else 200)


def plain_table(*columns: str) -> PlainTable:
    """Return a table with a rule below its head and nothing else drawn."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = PlainTable(Table(box=SIMPLE_HEAD, title_justify="left", padding=(0, 1, 0, 0), pad_edge=False))
    for name in columns:
        table.drawn.add_column(as_it_is(name), overflow="fold")
    return table


class PlainTable:
    """A table whose cells are texts as they are: what is recorded is never taken for markup, nor steers a terminal."""

    def __init__(self, drawn: Table) -> None:
        self.drawn = drawn

    def set_title(self, title: str) -> None:
        """Put a line above the table."""
        self.drawn.title = as_it_is(title)

    def add_row(self, *cells: str | Text) -> None:
        """Add a row; a cell that is styled is a ``Text`` (``as_it_is``)."""
        self.drawn.add_row(*(as_it_is(cell) if isinstance(cell, str) else cell for cell in cells))

    def print(self) -> None:
        """Print the table to standard output."""
        console().print(self.drawn)


def as_it_is(text: str, style: str = "") -> Text:
    """Return a text for Rich without markup, hidden code points as their escapes."""
    from rich.text import Text

    return Text(visible(text), style)


def visible(text: str) -> str:
    """Return a text with code points that show nothing or steer a terminal as escapes, but for line ends."""
    from coseal.contracts.kernel.names import HIDDEN

    if HIDDEN.isdisjoint(text):
        return text
    return "".join(c.encode("unicode_escape").decode() if c in HIDDEN and c != "\n" else c for c in text)
