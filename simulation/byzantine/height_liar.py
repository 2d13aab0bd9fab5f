"""Claims tips it cannot prove, and old ones as new."""

from __future__ import annotations

from dataclasses import replace

from coseal.ledger.certificate import PbftCertificate, Phase
from coseal.node.core.wire import Status, TipReply, WireMessage
from simulation.byzantine.behaviour import Behaviour


class HeightLiar(Behaviour):
    """Its certificates of the future are made up; its answers to consistent reads show nothing."""

    name = "lies about height"

    def outbound(self, target: int, message: WireMessage, data: bytes) -> list[bytes]:
        """Leave out its true tip."""
        if isinstance(message, TipReply):
            self.tell(target, replace(message, certificate=None, prepared=None))
            return []
        if isinstance(message, Status):
            self.tell(target, self._status())
            return [data] if self.rng.randrange(2) else []
        return [data]

    def _status(self) -> Status:
        rng, validators = self.rng, self.validators
        height, block_hash = self.height + rng.choice((0, 1, 1000, 2**40)), rng.randbytes(32)
        bits = (1 << validators.quorum) - 1
        bitmap = bits.to_bytes((validators.n + 7) // 8, "little")
        signatures = tuple(rng.randbytes(64) for _ in range(validators.quorum))
        epoch = rng.choice((validators.epoch, validators.epoch + 1))
        phase = rng.choice((Phase.COMMIT, Phase.PREPARE))
        return Status(height, block_hash, PbftCertificate(phase, epoch, height, 0, block_hash, bitmap, signatures))
