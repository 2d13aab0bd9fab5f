"""What a Byzantine node can do: change or drop what its machine says, hear what comes, and speak on its own.

Law: it holds its own keys and everybody's messages, never another's key. Below every behaviour runs an unmodified
machine, so that the others keep listening.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, TypeVar

from coseal.consensus.messages import Commit, Message, Prepare, Proposal, RoundChange, preimage
from coseal.ledger.certificate import PbftCertificate, Phase, assemble
from coseal.ledger.signing import Signer
from coseal.ledger.validators import ValidatorSet
from coseal.node.core import wire
from coseal.node.core.wire import ConsensusMessage, WireMessage

if TYPE_CHECKING:
    from simulation.node import SimulatedNode
    from simulation.world import World

HEARD_MAX = 160
M = TypeVar("M", bound=Proposal | Prepare | Commit | RoundChange)


class Ears:
    """The recent consensus messages that a Byzantine node has heard or said, for all its behaviours."""

    def __init__(self) -> None:
        self.messages: deque[Message] = deque(maxlen=HEARD_MAX)

    def at(self, height: int) -> list[Message]:
        """Return what was heard of one height."""
        return [message for message in self.messages if message.height == height]


class Behaviour:
    """One way to misbehave; the defaults do nothing wrong. ``tick`` is called about every 150 ms."""

    name: ClassVar[str] = ""

    def __init__(self, world: World, node: SimulatedNode, ears: Ears) -> None:
        self.world, self.node, self.ears = world, node, ears
        self.rng = world.rng

    def outbound(self, target: int, message: WireMessage, data: bytes) -> list[bytes]:
        """Return the frames that ``target`` (an endpoint) gets in the place of this one."""
        return [data]

    def inbound(self, message: WireMessage) -> WireMessage | None:
        """Return what the machine hears of a message, None for nothing."""
        return message

    def tick(self) -> None:
        """Do something on its own."""

    # For behaviours

    @property
    def me(self) -> int | None:
        """The node's index among the validators."""
        return self.validators.index(self.node.id)

    @property
    def validators(self) -> ValidatorSet:
        """Who decides the height it works on."""
        return self.world.validators_at(self.height)

    @property
    def signer(self) -> Signer:
        """The key of its seat, or its first."""
        return self.node.signer_of(self.height)

    @property
    def height(self) -> int:
        """The height it works on."""
        return self.node.height + 1

    @property
    def round(self) -> int:
        """The round it works on."""
        return 0 if self.node.machine is None else self.node.machine.replica.round

    def signed(self, message: M) -> M:
        """Return the message with a valid signature of this node."""
        signature = self.node.signer_of(message.height).sign(preimage(self.world.genesis.chain_id, message))
        return replace(message, signature=signature)

    def own(self, message: WireMessage) -> Message | None:
        """Return the consensus message that this node says with ``message``, or None."""
        if isinstance(message, ConsensusMessage) and message.message.sender == self.me:
            return message.message
        return None

    def prepare(self, height: int, round: int, block_hash: bytes) -> Prepare:
        """Return a PREPARE by this node."""
        return self.signed(Prepare(self.validators.epoch, height, round, self.me or 0, block_hash, bytes(64)))

    def commit(self, height: int, round: int, block_hash: bytes) -> Commit:
        """Return a COMMIT by this node."""
        return self.signed(Commit(self.validators.epoch, height, round, self.me or 0, block_hash, bytes(64)))

    def change(self, height: int, round: int, prepared: PbftCertificate | None) -> RoundChange:
        """Return a ROUND-CHANGE by this node."""
        return self.signed(RoundChange(self.validators.epoch, height, round, self.me or 0, prepared, bytes(64)))

    def hashes(self, height: int) -> list[bytes]:
        """Return the block hashes heard of at a height, or one of nothing."""
        found = dict.fromkeys(
            m.block.hash if isinstance(m, Proposal) else m.block_hash
            for m in self.ears.at(height)
            if not isinstance(m, RoundChange)
        )
        return list(found) or [self.rng.randbytes(32)]

    def certificates(self, height: int) -> list[PbftCertificate]:
        """Return the prepared certificates heard of at a height, or that its votes and ours make."""
        validators, me = self.validators, self.me
        votes: dict[tuple[int, bytes], dict[int, bytes]] = {}
        found: dict[bytes, PbftCertificate] = {}
        for message in self.ears.at(height):
            if message.epoch != validators.epoch or message.sender >= validators.n:
                continue
            if isinstance(message, Prepare):
                votes.setdefault((message.round, message.block_hash), {})[message.sender] = message.signature
            elif isinstance(message, RoundChange) and message.prepared is not None:
                found[message.prepared.hash] = message.prepared
        for (round, block_hash), held in votes.items():
            if me is not None:
                held[me] = self.prepare(height, round, block_hash).signature
            if len(held) >= validators.quorum:
                made = assemble(Phase.PREPARE, validators, height, round, block_hash, held)
                found[made.hash] = made
        return list(found.values())

    def others(self) -> list[int]:
        """Return the endpoints it has a link to."""
        count = len(self.world.nodes)
        return [i for i in range(count) if i != self.node.index and self.world.network.is_up(self.node.index, i)]

    def tell(self, target: int, message: WireMessage) -> None:
        """Send a message past all behaviours."""
        self.world.transmit(self.node, target, wire.encode(message), consensus=False)

    def tell_all(self, *messages: Message) -> None:
        """Send consensus messages to everybody."""
        for message in messages:
            data = wire.encode(ConsensusMessage(message))
            for target in self.others():
                self.world.transmit(self.node, target, data, consensus=True)


def frame(message: Message) -> bytes:
    """Return the frame of a consensus message."""
    return wire.encode(ConsensusMessage(message))
