"""Sends bytes that are no frames."""

from __future__ import annotations

from coseal.node.core.wire import WireMessage
from simulation.byzantine.behaviour import Behaviour


class Malformed(Behaviour):
    """A flipped bit, a cut, or noise, now and then; the receiver closes the link."""

    name = "malformed frames"

    def outbound(self, target: int, message: WireMessage, data: bytes) -> list[bytes]:
        """Spoil one frame in some."""
        rng = self.rng
        if rng.randrange(30):
            return [data]
        at = rng.randrange(len(data))
        flipped = data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]
        return [rng.choice((flipped, data[:at], data + b"\x00", rng.randbytes(40), b""))]
