"""``python -m node``: make a node's files, or run it.

Law: every problem ends the process with one line that says what to do, and the exit status of its kind.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line, do it, return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m node", description="A node of a Coseal chain.")
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
    given = parser.parse_args(arguments)
    if given.command == "init":
        from node.setup import init_command

        return init_command(given.data, given.node_id)
    from node.start import run_command

    os.umask(0o077)  # what a node writes is for its own user
    return run_command(given.data, allow_voting=given.allow_voting)


if __name__ == "__main__":
    sys.exit(main())
