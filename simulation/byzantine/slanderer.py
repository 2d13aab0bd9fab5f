"""Reports honest validators for what they never did: true votes of two places, made-up halves, itself now and then."""

from __future__ import annotations

from coseal.consensus.messages import Message, subject
from coseal.contracts.evidence import actions as evidence
from coseal.ledger import transaction
from coseal.ledger.equivocation import Equivocation, Signed
from coseal.node.core.wire import Transactions
from simulation.byzantine.behaviour import Behaviour

REPORTS_MAX = 12  # each makes a block


class Slanderer(Behaviour):
    """What it signs is valid as a transaction, and proves nothing but against itself."""

    name = "slanderer"
    _reports = 0

    def tick(self) -> None:
        """Now and then send everybody a report."""
        heard = [message for message in self.ears.messages if message.height <= self.height]
        if self._reports < REPORTS_MAX and len(heard) > 1 and self.rng.randrange(8) == 0:
            self._reports += 1
            one, other = self.rng.choice(heard), self.rng.choice(heard)
            victim, first, second = self._halves(one, other)
            if first.hash != second.hash:
                phase, _ = subject(one)
                proof = Equivocation.of(one.epoch, one.height, one.round, phase, first, second)
                report = Transactions((self._signed(evidence.arguments_of(victim, proof)),))
                for target in self.others():
                    self.tell(target, report)

    def _halves(self, one: Message, other: Message) -> tuple[str, Signed, Signed]:
        """Return whom to report, and two halves of which at least one is not what it is said to be."""
        validators = self.world.validators_at(one.height)
        victim = validators[one.sender % validators.n].id
        (_, hash), (_, elsewhere) = subject(one), subject(other)
        true = Signed(hash, one.signature)
        match self.rng.randrange(3):
            case 0:  # what it said elsewhere, or what somebody else said
                return victim, true, Signed(elsewhere, other.signature)
            case 1:  # a half that nobody said
                return victim, true, Signed(self.rng.randbytes(32), one.signature)
            case _:  # its own word for another's
                mine = self.prepare(one.height, one.round, self.rng.randbytes(32))
                return victim, true, Signed(mine.block_hash, mine.signature)

    def _signed(self, args: dict[str, object]) -> bytes:
        world = self.world
        return transaction.sign(
            self.signer,
            chain_id=world.genesis.chain_id,
            sender=transaction.node_sender(self.node.id),
            contract="evidence",
            action="report",
            args=args,  # type: ignore[arg-type]
            valid_until_ms=world.now_ms + 60_000,
            salt=self.rng.randbytes(transaction.SALT_BYTES),
        ).raw
