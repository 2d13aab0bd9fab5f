"""I22 to I24: sidecars are durable before a vote, are with enough nodes while they are live, and are not served after.

Law: read from the bytes of bodies and frames and from the disks, as the other invariants are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from coseal.contracts.execution import Executor
from simulation import reading
from simulation.lockers import CONTRACT, NAME

if TYPE_CHECKING:
    from simulation.node import SimulatedNode
    from simulation.world import World


def named_in(body: list[Any]) -> list[bytes]:
    """Return the names of the sidecars that a block's transactions name; ``body`` is the block's value."""
    found = []
    for raw in body[3]:
        signed = reading.unpack(reading.unpack(raw)[2])
        contract, action, args = signed[5:8]
        if (contract, action) == (NAME, "put"):
            found.append(bytes.fromhex(args["sidecar"]["name"]))
    return found


class SidecarLedger:
    """Which sidecars the chain erased at which height, as its receipts say."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._erased: dict[bytes, int] = {}

    def lacking(self, node: SimulatedNode, body: list[Any]) -> str | None:
        """I22: say which sidecar of a block is not on the disk of a node that votes for it."""
        return next((name.hex() for name in named_in(body) if name not in node.disk.sidecars), None)

    def published(self, height: int, transactions: Sequence[bytes], receipts: Sequence[bytes]) -> None:
        """Note what a block lists and erases."""
        for raw, receipt in zip(transactions, receipts[1:], strict=True):
            signed = reading.unpack(reading.unpack(raw)[2])
            contract, action, args = signed[5:8]
            if contract != NAME or reading.unpack(receipt)[3] != "ok":
                continue
            if action == "put":
                self._erased.pop(bytes.fromhex(args["sidecar"]["name"]), None)
            else:
                self._erased[bytes.fromhex(args["name"])] = height

    def served(self, node: SimulatedNode, data: bytes) -> str | None:
        """I24: say which erased sidecar an honest node gives away, after the block that erased it."""
        if data[2:10] != b"sidecars":
            return None
        for name, content in reading.unpack(data)[2]:
            erased = self._erased.get(name)
            gone = erased is not None and node.height >= erased and name not in self.world.squatted
            if content is not None and gone:
                return str(name.hex())
        return None

    def lost(self, executor: Executor) -> str | None:
        """I23: say which live sidecar is with fewer than q - f honest validators."""
        world, says = self.world, CONTRACT.sidecars
        validators = world.validators
        honest = [node for node in world.running_honest() if world.seat(node) is not None]
        for named in [] if says is None else says.live(executor.reader):
            held = sum(1 for node in honest if named.name in node.disk.sidecars)
            if held < validators.quorum - (validators.n - 1) // 3:
                return f"{named.name.hex()} is with {held} honest validators"
        return None

    def missing(self) -> bool:
        """Say whether an honest node that runs lacks a live sidecar (N49)."""
        running = (node.machine for node in self.world.running_honest() if self.world.seat(node) is not None)
        return any(m is not None and m._sidecars.counts.missing for m in running)
