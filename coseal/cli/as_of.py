"""As of when something is proven: the block, its age, and how high another node proves the chain to be.

Law: what was proven of one block is never said of a later one; another node's block is verified as any is.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from coseal.errors import CosealError

if TYPE_CHECKING:
    from coseal.ledger.genesis import Genesis


@dataclass(frozen=True, slots=True)
class Other:
    """A node beside the one whose proof it is, and the last block that it proves."""

    name: str
    height: int

    def against(self, height: int) -> str:
        """Return what that says of a proof as of ``height``."""
        if self.height <= height:
            return f"{self.name} proves block {self.height} as its last one: it has nothing later"
        later = f"block {height + 1}" if self.height == height + 1 else f"blocks {height + 1} to {self.height}"
        return f"{self.name} proves block {self.height} as its last one: what {later} may say is not in this"


def up_to(height: int, moment: str, now_s: float | None = None) -> str:
    """Return the block that something is proven up to, with its time (RFC 3339) and how long ago that was."""
    from coseal.contracts.kernel.dates import parse_time

    since_ms = parse_time(moment)
    if since_ms is None:
        return f"up to block {height}"
    seconds = (time.time() if now_s is None else now_s) - since_ms / 1_000
    return f"up to block {height} of {moment} ({ago(max(int(seconds), 0))} ago)"


def ago(seconds: int) -> str:
    """Return a length of time in its largest unit."""
    for size, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {name}"
    return f"{seconds} s"


def other_node(directory: Path, genesis: Genesis, asked: Collection[str] = ()) -> Other | None:
    """Return the first node of a network's folder that answers and is none of the URLs ``asked``; None without one."""
    from coseal.network import folders
    from coseal.network.processes import probe, token_for

    nodes = folders.load(directory).nodes if folders.exists(directory) else ()
    for node in nodes:
        if node.url not in asked and probe(node) is not None:
            found = _last_block(node.url, genesis, token_for(node))
            if found is not None:
                return Other(node.name, found)
    return None


def other_url(url: str, genesis: Genesis) -> Other:
    """Return the last block that the node at a URL proves; raise ``CosealError`` if it proves none of this chain."""
    found = _last_block(url, genesis)
    if found is None:
        raise CosealError(f"{url} proves no block of this chain", "leave --url out; the document verifies without it")
    return Other(url, found)


def _last_block(url: str, genesis: Genesis, token: str | None = None) -> int | None:
    from coseal.client.blocking import Client

    try:
        with Client(url, genesis, token=token) as client:
            return client.block("latest").block.header.height
    except CosealError:
        return None
