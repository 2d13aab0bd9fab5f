"""Makes certificates in which it alone signed for all, and justifications with one signer twice."""

from __future__ import annotations

from dataclasses import replace

from coseal.consensus.messages import Proposal
from coseal.ledger.block import Block
from coseal.ledger.certificate import PbftCertificate, Phase
from coseal.node.core.wire import Status, WireMessage
from simulation.byzantine.behaviour import Behaviour, frame


class DuplicateSigner(Behaviour):
    """Its own signature, under every bit, or once with many bits."""

    name = "duplicate signer"

    def outbound(self, target: int, message: WireMessage, data: bytes) -> list[bytes]:
        """Repeat a round change in a justification."""
        own = self.own(message)
        if isinstance(own, Proposal) and own.justification:
            mine = self.change(own.height, own.round, None)
            header = replace(own.block.header, created_round=own.round, proposer=self.node.id)
            header = replace(header, time_ms=header.time_ms + 1)
            block = Block(header, own.block.transactions, own.block.last_commit)
            twice = (mine,) * self.validators.quorum
            return [frame(self.signed(replace(own, block=block, justification=twice)))]
        return [data]

    def tick(self) -> None:
        """Show certificates of q signers who are all itself."""
        validators, height = self.validators, self.height
        block_hash = self.rng.choice(self.hashes(height))
        bits = self.rng.choice(((1 << validators.quorum) - 1, (1 << validators.n) - 1, 1 << (self.me or 0)))
        bitmap = bits.to_bytes((validators.n + 7) // 8, "little")
        place = (validators.epoch, height, self.round, block_hash, bitmap)
        prepared = self.prepare(height, self.round, block_hash).signature
        committed = self.commit(height, self.round, block_hash).signature
        count = self.rng.choice((validators.quorum, bits.bit_count()))
        claim = PbftCertificate(Phase.PREPARE, *place, (prepared,) * count)
        self.tell_all(self.change(height, self.round + 1, claim))
        decided = PbftCertificate(Phase.COMMIT, *place, (committed,) * count)
        for other in self.others():
            self.tell(other, Status(height, block_hash, decided))
