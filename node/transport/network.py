"""What the node around the machine needs of whatever connects it to the other nodes.

Law: whether links of the node's own carry messages, or CometBFT carries blocks and transactions, only the two that
implement this know.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from coseal.node.core.events import AbciAnswer, AskCommit, Offer, SignWith


class Network(Protocol):
    """Every method is called on the loop. ``dropped`` counts what was not sent, ``shown`` is our certificate (DER)."""

    dropped: int
    shown: bytes | None

    async def start(self, listen: tuple[str, int], peers: Mapping[str, tuple[str, int]]) -> None:
        """Listen and begin to dial; raise ``PortInUse``."""
        ...

    async def close(self) -> None:
        """Close every connection and stop listening."""
        ...

    def pin(self, node: str, certificate: bytes, address: tuple[str, int] | None = None) -> None:
        """Let a node in with this certificate and no other, and dial it."""
        ...

    def unpin(self, node: str) -> None:
        """Let a node in no more."""
        ...

    def renew(self, certificate: bytes) -> None:
        """Show this certificate (DER) from now on, if it is the one in our file."""
        ...

    def send(self, peer: str, payload: bytes, *, consensus: bool, bulk: bool = False) -> None:
        """Send an encoded message; it is lost if the link is down."""
        ...

    def broadcast(self, payload: bytes, *, consensus: bool) -> None:
        """Send one encoded message to every connected peer."""
        ...

    def pause(self, peer: str) -> None:
        """Stop reading from ``peer``."""
        ...

    def resume(self, peer: str) -> None:
        """Read from ``peer`` again."""
        ...

    def disconnect(self, peer: str, reason: str) -> None:
        """Close the link to ``peer``; it may come back."""
        ...

    def carry_out(self, effect: AbciAnswer | AskCommit | Offer | SignWith) -> None:
        """Do what only a machine says whose blocks CometBFT orders."""
        ...

    async def shown_to(self, method: str, params: Mapping[str, str], number: int) -> Any:
        """Return what CometBFT answers somebody who joins, None if there is none; raise ``Unavailable``."""
        ...
