"""The nodes of the chain as this node's state has them: who may link to it, and what it remembers of each.

Law: a node is a peer from the block on that registers it until the block that removes it, restarts included; what a
peer did is remembered no longer than it is one (N27).
"""

from __future__ import annotations

from typing import Any

from coseal.contracts.membership import actions as membership
from coseal.node.core.context import MachineContext
from coseal.node.core.events import Noticed, Pin, Unpin
from coseal.node.core.peers import Peer


class Registry:
    """Follows the registry of the state; ``peers`` are all other nodes by id."""

    def __init__(self, context: MachineContext) -> None:
        self.peers: dict[str, Peer] = {}
        self._context = context
        self._pins: dict[str, Pin] = {}
        self._own: dict[str, Any] | None = None
        self._read()

    @property
    def pins(self) -> tuple[Pin, ...]:
        """Every registered node with the certificate of its links, this one too, ascending by id."""
        return tuple(self._pins[node] for node in sorted(self._pins))

    @property
    def own(self) -> dict[str, Any] | None:
        """This node's own entry as ``membership.node`` gives it; None if the state has none (yet, or any more)."""
        return self._own

    @property
    def kind(self) -> str:
        """What this node is: ``validator``, ``observer``, or ``unregistered``."""
        return "unregistered" if self._own is None else str(self._own["kind"])

    def follow(self) -> None:
        """Take over what a block changed, and tell the shell whom to let in and whom to send away."""
        before, kind = self._pins, self.kind
        self._read()
        for node, pin in self._pins.items():
            if before.get(node) != pin:
                self._context.emit(pin)
        for node in before:
            if node not in self._pins:
                self._context.emit(Unpin(node))
        if self.kind != kind:
            self._context.emit(
                Noticed("registered", f"this node was {_article(kind)}, it is {_article(self.kind)} now")
            )

    def allow(self, peer: str, kind: str) -> bool:
        """Count a request of a peer, and say whether it is within this second's allowance (N8)."""
        allowed = self.peers[peer].allow(kind)
        if not allowed:
            self._context.count(f"too_many_{kind}")
        return allowed

    def _read(self) -> None:
        entries, node_id = membership.nodes(self._context.executor.reader), self._context.config.node_id
        self._own = next((entry for entry in entries if entry["id"] == node_id), None)
        self._pins = {
            entry["id"]: Pin(entry["id"], bytes.fromhex(entry["link_certificate"]), entry.get("address"))
            for entry in entries
        }
        others = [node for node in self._pins if node != node_id]
        self.peers = {node: self.peers.get(node) or Peer() for node in others}


def _article(kind: str) -> str:
    return f"an {kind}" if kind == "observer" else kind if kind == "unregistered" else f"a {kind}"
