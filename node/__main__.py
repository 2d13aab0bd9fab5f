"""``python -m coseal.node``: make a node's files, or run it.

Law: every problem ends the process with one line that says what to do, and the exit status of its kind.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from pathlib import Path


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line, do it, return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m coseal.node", description="A node of a Coseal chain.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run the node of a data folder")
    run.add_argument("--data", type=Path, required=True, help="the node's data folder, with node.toml")
    run.add_argument(
        "--allow-voting",
        action="store_true",
        help="the journal was lost, and the operator vouches that this node has not voted beyond its block log",
    )
    init = commands.add_parser(
        "init", help="make the keys of a new node, or, when its node.toml and the genesis are there, its journal"
    )
    init.add_argument("--data", type=Path, required=True, action="append", help="the folder; may be repeated")
    init.add_argument("--node-id", help="make keys for a node of this id and print their public parts")
    export = commands.add_parser("snapshot", help="write the state, with the headers below it, to an archive")
    export.add_argument("--out", type=Path, required=True, help="the archive to write")
    restore = commands.add_parser("restore", help="make the state of an archive the node's own")
    restore.add_argument("file", type=Path, help="the archive")
    prune = commands.add_parser("prune", help="remove the bodies of old blocks")
    prune.add_argument("--keep", type=_positive, required=True, help="how many blocks to keep whole")
    repair = commands.add_parser("repair", help="put aside what is damaged in the folder of a stopped node")
    for command in (export, restore, prune, repair):
        command.add_argument("--data", type=Path, required=True, help="the node's data folder, with node.toml")
    signer = commands.add_parser("signer", help="run the process that holds a node's consensus key")
    signer.add_argument("--data", type=Path, required=True, help="the signer's folder, made by init-signer")
    signer.add_argument("--socket", type=Path, help="where it listens (default: signer.sock in its folder)")
    signer.add_argument(
        "--user",
        action="append",
        default=[],
        help="a user, besides its own, whose processes it serves; may be repeated",
    )
    move = commands.add_parser("init-signer", help="make the signer of a stopped node, which gives up its key")
    move.add_argument("--data", type=Path, required=True, help="the signer's folder")
    move.add_argument("--from", dest="node", type=Path, required=True, help="the node's data folder")
    move.add_argument(
        "--above",
        type=_positive,
        help="the guard was lost, or the key is new: sign nothing at or below this height, whatever the journal says",
    )
    move.add_argument("--key", type=Path, help="the key file to move (default: the node's consensus key)")
    given = parser.parse_args(arguments)
    if given.command == "init":
        from coseal.node.setup import init_command

        return init_command(given.data, given.node_id)
    os.umask(0o077)  # what a node writes is for its own user
    if given.command == "signer":
        from coseal.node.signing.signer import signer_command

        return signer_command(given.data, given.socket, given.user)
    if given.command == "init-signer":
        from coseal.node.signing import signer_setup

        return signer_setup.init_command(given.data, given.node, given.above, given.key)
    if given.command == "repair":
        from coseal.node.storage.repair import repair_command

        return repair_command(given.data)
    if given.command != "run":
        from coseal.node.storage import archive

        match given.command:
            case "snapshot":
                return archive.archive_command(lambda report: archive.export(given.data, given.out, report))
            case "restore":
                return archive.archive_command(lambda report: archive.restore(given.file, given.data, report))
            case _:
                return archive.archive_command(lambda report: archive.prune(given.data, given.keep, report))
    return _run(given.data, allow_voting=given.allow_voting)


def _run(data: Path, *, allow_voting: bool) -> int:
    """Load what a node needs and run it."""
    gc.disable()  # what is loaded now stays, so there is nothing to collect
    sys.modules.setdefault("rich", None)  # type: ignore[arg-type]  # structlog would load it, 80 modules, for nothing
    sys.modules.setdefault("pydantic.v1", None)  # type: ignore[arg-type]  # FastAPI would: it asks if models are of it
    import structlog  # noqa: F401

    if sys.modules["rich"] is None:
        del sys.modules["rich"]
    from coseal.node.start import run_command

    gc.enable()
    return run_command(data, allow_voting=allow_voting)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError("at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
