"""A damaged node of a local network put in order: stopped, its folder repaired by the node's own software, started.

Law: nothing is deleted and no key or journal is made; a validator that lost its journal follows before it votes.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass

from coseal.errors import CosealError
from coseal.network import processes
from coseal.network.folders import Network


@dataclass(frozen=True, slots=True)
class Repaired:
    """What was done, in words, and how the node is now; ``silence`` says why it does not vote, None if it does."""

    done: tuple[str, ...]
    pid: int | None
    height: int | None
    silence: str | None


def repair(network: Network, name: str, *, start: bool = True) -> Repaired:
    """Repair a node; with ``start`` start it again and wait until it follows the others."""
    node = network.node(name)
    processes.stop([node])
    command = [sys.executable, "-m", "coseal.node", "repair", "--data", str(node.data.resolve())]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        raise CosealError(f"{name} cannot be repaired: {made.stderr.strip()}", "the node is stopped")
    done = tuple(made.stdout.strip().splitlines())
    if not start:
        return Repaired(done, None, None, None)
    pid, status = processes.start_and_follow(network, node)
    document = processes.probe(node) or {}
    silence = document.get("silence") if document.get("kind") == "validator" else None
    return Repaired(done, pid, document.get("height", status.height), silence)
