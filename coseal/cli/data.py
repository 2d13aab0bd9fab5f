"""Commands about what a node keeps: snapshot, restore, archive, prune.

Law: nothing is taken over that does not prove itself against the genesis; a running node is never written to.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from coseal.cli.shared import DirectoryOption, JsonOption, folder, print_json
from coseal.errors import CosealError

NodeArgument = Annotated[str, typer.Argument(metavar="NODE", help="A node's name, as `coseal status` lists it.")]
Report = Callable[[str, int, int], None]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("snapshot")(snapshot)
    app.command("restore")(restore)
    app.command("archive")(archive)
    app.command("prune")(prune)


def snapshot(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The archive to write.")],
    node: Annotated[
        str | None, typer.Option("--node", metavar="NODE", help="Whose state.", show_default="the first node")
    ] = None,
    directory: DirectoryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a node's state, as of its last block, and all headers below it to an archive; the node may run.

    The archive holds no key and no journal. If it is interrupted, the same command continues where it stopped.

    Example:

      coseal snapshot --node regulator --out regulator.snapshot
    """
    from coseal.network import folders, node_commands

    net = folders.load(folder(directory))
    entry = net.nodes[0] if node is None else net.node(node)
    with bar(quiet=as_json) as report:
        result = node_commands.snapshot(entry.data, out, report)
    _say(as_json, result, f"{out}: the state of {entry.name} at height {result['height']}, {result['bytes']} bytes")


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An archive that `coseal snapshot` wrote.")],
    into: Annotated[Path, typer.Option("--into", metavar="DIR", help="The data folder of a stopped node.")],
    as_json: JsonOption = False,
) -> None:
    """Make the state of an archive that of a stopped node, everything verified from the genesis on.

    The folder holds the node's node.toml and keys. Its journal, if it has one, stays as it is; a node without one only
    observes at first, until it cannot contradict what it may have signed.

    Example:

      coseal restore regulator.snapshot --into coseal-net/nodes/regulator
    """
    from coseal.network import node_commands

    if not file.is_file():
        raise CosealError(f"{file}: no such file", "make one with `coseal snapshot --out FILE`")
    if not (into / "node.toml").is_file():
        raise CosealError(
            f"{into} is not the data folder of a node", "it holds node.toml and the keys, as `coseal init` makes"
        )
    with bar(quiet=as_json) as report:
        result = node_commands.restore(file, into, report)
    journal = "its journal stays" if result["journal"] else "without a journal it observes at first"
    _say(as_json, result, f"{into}: restored at height {result['height']}; {journal}")


def archive(
    node: NodeArgument,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The archive to write or to add to.")],
    directory: DirectoryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Copy all blocks of a node to one file, which `coseal audit FILE` can replay when nodes have pruned theirs.

    Run again, it adds the blocks that are new.

    Example:

      coseal archive regulator --out regulator.blocks
    """
    from coseal.formats import block_archive
    from coseal.network import folders

    entry = folders.load(folder(directory)).node(node)
    with bar(quiet=as_json) as report:
        added, height = block_archive.extend(entry.data, out, lambda done, total: report("blocks", done, total))
    result = {"file": str(out), "added": added, "height": height}
    _say(as_json, result, f"{out}: blocks 1 to {height}, {added} of them new")


def prune(
    node: NodeArgument,
    keep: Annotated[int, typer.Option("--keep", metavar="N", min=1, help="How many blocks to keep whole.")],
    directory: DirectoryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove the bodies of a node's old blocks; headers, certificates and hashes stay.

    A running node is stopped for it and started again. Some other node, or an archive, must keep all blocks.

    Example:

      coseal prune enterprise-a --keep 1000
    """
    from coseal.network import folders, node_commands, processes

    net = folders.load(folder(directory))
    entry = net.node(node)
    ran = bool(processes.stop([entry]))
    try:
        with bar(quiet=as_json) as report:
            result = node_commands.prune(entry.data, keep, report)
    finally:
        if ran:
            process = processes.start(entry)
            process.returncode = 0  # it outlives us
    _say(as_json, result, f"{node}: blocks from height {result['first_height']} to {result['height']} are kept whole")


@contextlib.contextmanager
def bar(*, quiet: bool) -> Iterator[Report]:
    """Show progress on standard error, if a person is looking."""
    if quiet or not sys.stderr.isatty():
        yield lambda what, done, total: None
        return
    from coseal.cli.shared import progress_bar

    with progress_bar() as shown:
        tasks: dict[str, Any] = {}

        def report(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = shown.add_task(what, total=total)
            shown.update(tasks[what], completed=done, total=total)

        yield report


def _say(as_json: bool, result: dict[str, Any], text: str) -> None:
    if as_json:
        print_json(result)
    else:
        typer.echo(text)
