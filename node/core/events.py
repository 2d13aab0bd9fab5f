"""What goes into ``Machine.step`` and what comes out: the boundary between the node's core and its shell.

Law: effects are carried out in the order given. A ``SendFrame``, ``BroadcastFrame``, ``ApplyState`` or ``Published``
that follows an ``Append``, ``ReplaceJournal`` or ``AppendBlock`` waits until that write is durable, so the shell
keeps them in one queue and syncs once for many. A ``ReplaceJournal`` itself takes place only after everything
before it is durable, the block log above all: it drops what the decided block made superfluous (N2). Everything else
may take effect at once, and so may frames of which ``wire.promises_nothing`` says so. No effect is ever dropped,
except frames to a peer whose link is down or whose outbound queue is full.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

from coseal.consensus.events import ExecutionTook, Timer, TimerKind
from coseal.contracts.execution import Outcome
from coseal.contracts.kernel.action import Rejected
from coseal.ledger.block import CommittedBlock
from coseal.ledger.signing import Signer
from coseal.ledger.state import Change
from coseal.ledger.transaction import Transaction
from coseal.node.core.comet.abci import Request
from coseal.node.core.comet.certifying import Decided
from coseal.node.core.wire import WireMessage


class TickKind(Enum):
    """STATUS: say where we are, look after synchronisation and the mempool; once a second.

    CATCH_UP: go on executing fetched blocks, after other events had their turn.
    SIDECARS: ask for what a vote waits for.
    DUE: something falls due, or the heartbeat, on a chain that CometBFT orders.
    """

    STATUS = "status"
    CATCH_UP = "catch-up"
    SIDECARS = "sidecars"
    DUE = "due"


@dataclass(frozen=True, slots=True)
class Tick:
    """A timer of the node's own, beside those of consensus."""

    kind: TickKind


NodeTimer: TypeAlias = Timer | Tick
"""Every timer has a ``kind``; one timer per kind runs, a new one replaces the old, a stale one is a no-op."""


# --- events ---


@dataclass(frozen=True, slots=True)
class Start:
    """The first event of a process: the shell is ready to carry out effects."""


@dataclass(frozen=True, slots=True)
class PeerConnected:
    """An authenticated link to node ``peer`` is up (its certificate is the registered one, its Hello fits)."""

    peer: str


@dataclass(frozen=True, slots=True)
class PeerDisconnected:
    """The last link to ``peer`` is gone."""

    peer: str


@dataclass(frozen=True, slots=True)
class FrameReceived:
    """A decoded frame from ``peer``.

    ``verified`` says that the shell has checked the outer signature of a ``ConsensusMessage`` with
    ``consensus.messages.verify_message`` against the validators of ``Machine.validators``; if not, the machine
    does it. Transactions inside frames are looked up in the ``VerifiedCache`` that the shell fills
    (``verifier``); those missing are verified at once, so the shell leaves out what it found bad.
    """

    peer: str
    message: WireMessage
    verified: bool = False


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A timer that ``StartTimer`` started has run out."""

    timer: NodeTimer


@dataclass(frozen=True, slots=True)
class Submitted:
    """A client gave us transactions whose signatures are checked; the answer is an ``Answered`` of this step.

    ``sidecars`` are what came beside them: none, or for each transaction its bytes or None.
    """

    transactions: tuple[Transaction, ...]
    sidecars: tuple[bytes | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Applied:
    """The state store has written the ``ApplyState`` of ``height`` (in order, one event each)."""

    height: int


@dataclass(frozen=True, slots=True)
class SidecarLost:
    """The disk does not have a sidecar that it should have, or has other bytes."""

    name: bytes


@dataclass(frozen=True, slots=True)
class ReadRequested:
    """A consistent read: learn which height covers everything committed before now; ``token`` is a fresh number."""

    token: int


@dataclass(frozen=True, slots=True)
class OperatorAllowsVoting:
    """An operator vouches that this node did not vote at heights its journal no longer covers."""


@dataclass(frozen=True, slots=True)
class SignerChanged:
    """The process that holds our consensus key went away, in words, or is back (None)."""

    trouble: str | None


@dataclass(frozen=True, slots=True)
class KeyGiven:
    """An operator gave this node the consensus key that is to follow, or has followed, the one it has."""

    signer: Signer


@dataclass(frozen=True, slots=True)
class BlocksPruned:
    """The block log now begins at ``first_height``."""

    first_height: int


@dataclass(frozen=True, slots=True)
class AbciAsked:
    """CometBFT asks ``request``, number ``number`` on a connection; the answer is an ``AbciAnswer``."""

    connection: int
    number: int
    request: Request


@dataclass(frozen=True, slots=True)
class CommitFound:
    """What CometBFT shows of a decided block, which ``AskCommit`` asked for."""

    decided: Decided


@dataclass(frozen=True, slots=True)
class EngineSeen:
    """CometBFT has links to ``peers``, is ``following`` blocks decided before, or has ``trouble``, in words."""

    peers: tuple[str, ...]
    following: bool
    trouble: str | None


NodeEvent: TypeAlias = (
    Start
    | PeerConnected
    | PeerDisconnected
    | FrameReceived
    | TimerFired
    | Submitted
    | Applied
    | SidecarLost
    | ReadRequested
    | ExecutionTook
    | OperatorAllowsVoting
    | SignerChanged
    | KeyGiven
    | BlocksPruned
    | AbciAsked
    | CommitFound
    | EngineSeen
)


# --- effects ---


@dataclass(frozen=True, slots=True)
class Append:
    """Append ``data``, which is framed already, to the journal file and make it durable."""

    data: bytes


@dataclass(frozen=True, slots=True)
class ReplaceJournal:
    """Replace the journal file by one that holds exactly ``data`` (framed already), so that it stays bounded.

    Crash-safe: write a new file, sync it, rename it over the old one, sync the directory.
    """

    data: bytes


@dataclass(frozen=True, slots=True)
class AppendBlock:
    """Append the decided block to the block log and make it durable; its height is the record's sequence."""

    committed: CommittedBlock


@dataclass(frozen=True, slots=True)
class KeepSidecar:
    """Write a sidecar to the disk and make it durable, before any journal record of a later effect is written."""

    name: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class EraseSidecar:
    """Overwrite a sidecar with zeros and remove it, once every write before this effect is durable."""

    name: bytes


@dataclass(frozen=True, slots=True)
class LoadSidecars:
    """Read sidecars and send them to ``peer``, one a frame (``wire.Sidecars``); ``SidecarLost`` for any not there."""

    peer: str
    names: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ApplyState:
    """Write ``change.entries`` and the marker (height, block hash) to the state store; then say ``Applied``.

    The store may lag on disk: it is rebuilt from the block log.
    """

    height: int
    block_hash: bytes
    change: Change


@dataclass(frozen=True, slots=True)
class Published:
    """The block is durable: tell waiting clients, the stream and the index. Its transactions are committed."""

    committed: CommittedBlock
    outcome: Outcome


class Admission(Enum):
    """What became of a submitted transaction: new here, already waiting, already committed, or refused."""

    ACCEPTED = "accepted"
    PENDING = "pending"
    COMMITTED = "committed"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Answer:
    """The admission of one transaction; ``rejected`` is set iff it was refused (``mempool_full``: try later)."""

    tx_id: bytes
    admission: Admission
    rejected: Rejected | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """The answers to this step's ``Submitted``, one a transaction, in its order. Accepted is not durable."""

    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Dropped:
    """Pending transactions that will not be committed here (expired, or invalid by now): tell waiting clients."""

    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class SendFrame:
    """Send to one peer."""

    peer: str
    message: WireMessage


@dataclass(frozen=True, slots=True)
class BroadcastFrame:
    """Send to every connected peer; encode once."""

    message: WireMessage


@dataclass(frozen=True, slots=True)
class LoadBlocks:
    """Read up to ``limit`` blocks from ``from_height`` on in the log and send them to ``peer``.

    The frame is ``packing.pack_blocks(from_height, records)``. Heights up to the tip at this effect are durable or
    queued before it.
    """

    peer: str
    from_height: int
    limit: int


@dataclass(frozen=True, slots=True)
class LoadSnapshot:
    """Send the manifest of the newest snapshot to ``peer``: ``wire.Snapshot``, with None if there is no snapshot."""

    peer: str


@dataclass(frozen=True, slots=True)
class LoadHeads:
    """Read up to ``limit`` heads from ``from_height`` on and send ``packing.pack_heads(from_height, heads)``."""

    peer: str
    from_height: int
    limit: int


@dataclass(frozen=True, slots=True)
class LoadItem:
    """Read an item of the snapshot of ``height`` and send it: ``wire.Item``, with None if it is not there."""

    peer: str
    height: int
    item: int


@dataclass(frozen=True, slots=True)
class BeginJoin:
    """Keep this manifest on disk, and forget the items of another one; heads stay."""

    manifest: bytes


@dataclass(frozen=True, slots=True)
class KeepHeads:
    """Keep these verified heads on disk, after those kept before."""

    heads: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class KeepItem:
    """Keep this verified item of the snapshot being joined on disk."""

    item: int
    data: bytes


@dataclass(frozen=True, slots=True)
class AdoptSnapshot:
    """Everything of the snapshot of ``height`` is kept: make it the node's, and start the machine again on it."""

    height: int


@dataclass(frozen=True, slots=True)
class Pin:
    """Let ``node`` link with this certificate (DER) and no other; ``address`` (``HOST:PORT``) is where it says to be.

    Of this node itself: its own certificate is another now.
    """

    node: str
    certificate: bytes
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Unpin:
    """``node`` is registered no more: close its link and let it in no more."""

    node: str


@dataclass(frozen=True, slots=True)
class StartTimer:
    """(Re)start the timer of ``timer.kind``; ``TimerFired(timer)`` after ``delay_ms``."""

    timer: NodeTimer
    delay_ms: int


@dataclass(frozen=True, slots=True)
class StopTimer:
    """Stop the timer of this kind, if one runs."""

    kind: TimerKind | TickKind


@dataclass(frozen=True, slots=True)
class ReadHeightKnown:
    """q validators answered ``ReadRequested``: a state at or above ``height`` is consistent. Without q: never."""

    token: int
    height: int


@dataclass(frozen=True, slots=True)
class Accused:
    """Provable misbehaviour of a validator: two messages no honest node signs both of, and how to report it.

    The messages are PBFT's, encoded, or what a vote of CometBFT signs. ``report`` is what ``evidence.report`` takes.
    """

    node: str
    first: bytes
    second: bytes
    report: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Noticed:
    """Something an operator wants in the log: ``text`` in words, ``code`` stable, ``severe`` for an alarm."""

    code: str
    text: str
    severe: bool = False


@dataclass(frozen=True, slots=True)
class ContractFault:
    """An exception of a contract was contained: what raised it (an action, or a due thing without a ``tx_id``)."""

    name: str
    height: int
    tx_id: bytes
    error: Any  # an exception; see contracts.kernel.overlay.Fault


@dataclass(frozen=True, slots=True)
class Halt:
    """A fault that must stop the process; the reason goes to the log and the exit status is not 0.

    ``needs_release``: no fault, but the next block needs rules that this software does not have.
    """

    reason: str
    needs_release: bool = False


@dataclass(frozen=True, slots=True)
class AbciAnswer:
    """The answer, encoded, to question ``number`` of a connection; it waits for every write before it (N1)."""

    connection: int
    number: int
    answer: bytes


@dataclass(frozen=True, slots=True)
class ListSnapshots:
    """Answer question ``number`` of a connection with the snapshots that are here of heights up to ``until_height``."""

    connection: int
    number: int
    until_height: int


@dataclass(frozen=True, slots=True)
class LoadChunk:
    """Answer question ``number`` of a connection with a chunk, as CometBFT counts them, of the snapshot of a height."""

    connection: int
    number: int
    height: int
    chunk: int


@dataclass(frozen=True, slots=True)
class AskCommit:
    """Ask CometBFT's RPC for the commit of ``height`` until it shows one: ``CommitFound``."""

    height: int


@dataclass(frozen=True, slots=True)
class Offer:
    """Give transactions to CometBFT's pool, which carries them to the other nodes."""

    raws: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class SignWith:
    """The chain names this consensus key of the node now: CometBFT is to sign with it."""

    key: bytes


NodeEffect: TypeAlias = (
    Append
    | ReplaceJournal
    | AppendBlock
    | KeepSidecar
    | EraseSidecar
    | LoadSidecars
    | ApplyState
    | Published
    | Answered
    | Dropped
    | ReadHeightKnown
    | SendFrame
    | BroadcastFrame
    | LoadBlocks
    | LoadSnapshot
    | LoadHeads
    | LoadItem
    | BeginJoin
    | KeepHeads
    | KeepItem
    | AdoptSnapshot
    | Pin
    | Unpin
    | StartTimer
    | StopTimer
    | Accused
    | Noticed
    | ContractFault
    | Halt
    | AbciAnswer
    | ListSnapshots
    | LoadChunk
    | AskCommit
    | Offer
    | SignWith
)
