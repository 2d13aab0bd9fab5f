"""The command that tells the whole story: demo.

Law: it only narrates; what it narrates is done, and checked, by ``coseal.demo.story``.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coseal.cli.shared import ConsolePortOption, JsonOption, print_json, progress_bar

if TYPE_CHECKING:
    from coseal.demo.progress import Summary


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("demo")(demo)


def demo(
    directory: Annotated[
        Path | None,
        typer.Argument(metavar="DIR", help="Its folder, recreated each time.", show_default="coseal-demo"),
    ] = None,
    dir_option: Annotated[  # not from the environment: what is in the folder goes
        Path | None, typer.Option("--dir", metavar="DIR", help="The same.", show_default="coseal-demo")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the network running at the end.")] = False,
    base_port: Annotated[
        int | None,
        typer.Option("--base-port", min=1, max=65_000, help="First of two ports a node.", show_default="free ones"),
    ] = None,
    console_port: ConsolePortOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell the whole story on real data, in less than three minutes.

    Starts four nodes; the regulator publishes Table 1 and 3,464 legal instruments of China; a joint policy is endorsed
    and promulgated; rules are adopted by ballot; an enterprise records 34,724 events, and findings come while it does;
    one is answered and closed; a bank attests; a deadline passes in silence and a gap is left, and both are noticed;
    of two standards that compete one becomes de facto by use, and only that is recognised; money is issued, paid and
    frozen; debts clear without money, and a dossier of who paid late is worked out offline; the enterprise's node is
    stopped, and the regulator proves from its own node that it has all events of a case; the chain is audited with
    replay; one case goes into one file that verifies with no node.

    Examples:

      coseal demo

      coseal demo my-demo --keep
    """
    from coseal.demo.story import DEFAULT_DIRECTORY, Demo

    path = directory or dir_option or DEFAULT_DIRECTORY
    story = Demo(path, _SilentNarrator() if as_json else _PrintingNarrator(), base_port, console_port)
    began = time.monotonic()
    finished = False
    try:
        summary = story.run()
        finished = True
    finally:
        if keep and finished:
            story.detach()
        else:
            story.stop()
    if as_json:
        print_json(summary.to_json())
    else:
        _say_where_to_look(summary, time.monotonic() - began, keep=keep)


class _SilentNarrator:
    """Tells nothing."""

    def chapter(self, title: str) -> None:
        pass

    def say(self, text: str) -> None:
        pass

    @contextmanager
    def progress(self, what: str, total: int | None) -> Iterator[Callable[[int, int], None]]:
        yield lambda done, goal: None


class _PrintingNarrator(_SilentNarrator):
    """Tells the story on stdout, with progress bars on stderr if a person is looking."""

    def chapter(self, title: str) -> None:
        typer.secho(f"\n{title}", bold=True)

    def say(self, text: str) -> None:
        typer.echo(f"  {text}")

    @contextmanager
    def progress(self, what: str, total: int | None) -> Iterator[Callable[[int, int], None]]:
        if not sys.stderr.isatty():
            yield lambda done, goal: None
            return
        with progress_bar() as bar:
            task = bar.add_task(f"  {what}", total=total)
            yield lambda done, goal: bar.update(task, completed=done, total=goal)


def _say_where_to_look(summary: Summary, elapsed_s: float, *, keep: bool) -> None:
    path = summary.directory
    typer.secho(f"\nDone in {elapsed_s:.0f} s. Where to look", bold=True)
    lines = [
        f"coseal audit {path}",
        f"coseal verify {summary.figures['proof_file']} --dir {path}",
        f"coseal verify {summary.figures['bundle']} --dir {path}",
        f"coseal verify {summary.figures['dossier']} --dir {path}",
        f"coseal findings list --dir {path}",
        f"coseal show finding {summary.figures['answered']} --dir {path}",
        f"coseal show policy table1/01 --dir {path}",
        f"coseal standards domain lending --dir {path}",
        f"coseal show object traffic-fines/fine/{summary.figures['case']} --node regulator --dir {path}",
    ]
    if keep:
        lines = [
            f"{summary.figures['console']}   # in a browser",
            f"coseal status {path}",
            *lines,
            f"coseal down {path}",
        ]
    else:
        lines = [
            *lines[:4],
            f"coseal up {path} --detach   # the nodes are stopped; this resumes them and the page to look at",
            *lines[4:],
        ]
    for line in lines:
        typer.echo(f"  {line}")
