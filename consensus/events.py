"""What goes into ``Replica.step`` and what comes out.

Law: effects run in order, and a ``Persist`` is durable before anything after it leaves the node.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from coseal.consensus.application import Executed
from coseal.consensus.messages import Message, RoundChange
from coseal.ledger.block import Block
from coseal.ledger.certificate import PbftCertificate


class TimerKind(Enum):
    """ROUND: the round's timeout. REBROADCAST: say again where we stand. HEARTBEAT: an idle chain makes a block.

    HEARTBEAT also wakes the chain for a deadline that falls due. FETCH: a body asked of one peer did not come; ask
    another.
    """

    ROUND = "round"
    REBROADCAST = "rebroadcast"
    HEARTBEAT = "heartbeat"
    FETCH = "fetch"


@dataclass(frozen=True, slots=True)
class Timer:
    """A timer as data; one that is no longer current is a no-op when it fires (T5).

    ``round`` is the round for ROUND, a running number for the other kinds.
    """

    kind: TimerKind
    height: int
    round: int


# --- events ---


@dataclass(frozen=True, slots=True)
class Received:
    """A message whose outer signature holds arrived from peer ``peer`` (the link's node id, maybe a relay)."""

    peer: str
    message: Message


@dataclass(frozen=True, slots=True)
class TimerExpired:
    """A timer that was started has run out."""

    timer: Timer


@dataclass(frozen=True, slots=True)
class WorkArrived:
    """The application has something to put into a block (it had nothing before, or more came)."""


@dataclass(frozen=True, slots=True)
class BlockReceived:
    """A block body that was asked for with ``FetchBlock``; the certificate it belongs to is already held."""

    block: Block


@dataclass(frozen=True, slots=True)
class Arrived:
    """What a block names beside it is here, which ``Await`` asked for."""

    block_hash: bytes


@dataclass(frozen=True, slots=True)
class CertifiedBlock:
    """A block with its commit certificate, from a syncing peer; verified and executed before it is used (R4)."""

    block: Block
    certificate: PbftCertificate


@dataclass(frozen=True, slots=True)
class TipSeen:
    """Peer ``peer`` (a node id) showed the commit certificate of its tip, in a STATUS; verified here."""

    peer: str
    certificate: PbftCertificate


@dataclass(frozen=True, slots=True)
class PeerJoined:
    """A link to ``peer`` came up; what we last said at this height may not have reached it."""

    peer: str


@dataclass(frozen=True, slots=True)
class ExecutionTook:
    """The shell measured how long executing a block took; the timeouts follow the average (T1)."""

    duration_ms: int


Event: TypeAlias = (
    Received
    | TimerExpired
    | WorkArrived
    | BlockReceived
    | Arrived
    | CertifiedBlock
    | TipSeen
    | PeerJoined
    | ExecutionTook
)


# --- records: what must be durable; the fold of all records is what ``restore`` takes ---


@dataclass(frozen=True, slots=True)
class SignRecord:
    """One thing signed: where (height, round, step), the exact preimage and the signature (see ``guard``)."""

    height: int
    round: int
    step: int
    preimage: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class BodyRecord:
    """A block that others may rely on us holding, because we prepared it."""

    height: int
    block: Block


@dataclass(frozen=True, slots=True)
class PreparedRecord:
    """Our highest prepared certificate."""

    certificate: PbftCertificate


@dataclass(frozen=True, slots=True)
class RoundRecord:
    """The round we are in, the round changes that justify a proposal we make in it (empty otherwise), and our own
    round change to it (None in round 0).
    """

    height: int
    round: int
    justification: tuple[RoundChange, ...]
    change: RoundChange | None


@dataclass(frozen=True, slots=True)
class DecidedRecord:
    """A decided block, for the block log: block, commit certificate, receipts."""

    executed: Executed
    certificate: PbftCertificate


Record: TypeAlias = SignRecord | BodyRecord | PreparedRecord | RoundRecord | DecidedRecord


# --- effects ---


@dataclass(frozen=True, slots=True)
class Persist:
    """Make ``record`` durable before any later effect leaves the node."""

    record: Record


@dataclass(frozen=True, slots=True)
class Broadcast:
    """Send to every other node."""

    message: Message


@dataclass(frozen=True, slots=True)
class Send:
    """Send to one node."""

    peer: str
    message: Message


@dataclass(frozen=True, slots=True)
class SendStatus:
    """Tell ``peer``, who is behind or asked, our tip (the node limits the rate)."""

    peer: str


@dataclass(frozen=True, slots=True)
class FetchBlock:
    """Ask the first of ``peers`` that is connected for the body with ``block_hash`` of ``height``.

    When it does not come in time the effect is repeated with ``peers`` rotated.
    """

    height: int
    block_hash: bytes
    peers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Await:
    """A PREPARE waits for what the block with this hash, the proposal of this round, names beside it.

    The application gets it, of whom ``Replica.holders`` says; then ``Arrived``. The round's timer runs on.
    """

    height: int
    block_hash: bytes


@dataclass(frozen=True, slots=True)
class Behind:
    """A valid certificate or f+1 messages show that the network is at ``height`` or beyond: sync, ask ``peer``."""

    height: int
    peer: str


@dataclass(frozen=True, slots=True)
class StartTimer:
    """(Re)start ``timer`` to fire after ``delay_ms``; one timer per kind exists, a new one replaces the old."""

    timer: Timer
    delay_ms: int


@dataclass(frozen=True, slots=True)
class StopTimer:
    """Stop the timer of this kind, if one runs."""

    kind: TimerKind


@dataclass(frozen=True, slots=True)
class Decided:
    """The block is durable (its ``Persist`` came before) and committed in the application; publish it."""

    executed: Executed
    certificate: PbftCertificate


@dataclass(frozen=True, slots=True)
class GossipPending:
    """Gossip the oldest pending transactions again: we wait alone, perhaps because others never saw them."""


@dataclass(frozen=True, slots=True)
class Accuse:
    """Provable misbehaviour: two messages of one validator that no honest node signs both of."""

    node: str
    first: Message
    second: Message


@dataclass(frozen=True, slots=True)
class Halt:
    """A fault that must stop the process: our own execution contradicts a certificate, for example."""

    reason: str


Effect: TypeAlias = (
    Persist
    | Broadcast
    | Send
    | SendStatus
    | FetchBlock
    | Await
    | Behind
    | StartTimer
    | StopTimer
    | Decided
    | GossipPending
    | Accuse
    | Halt
)
