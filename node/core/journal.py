"""The journal: what this node promised by signing, durable before the signature leaves it.

Law: the sign guard's last record survives every rewrite and the loss of the file's last record; a file that
is missing, damaged in its middle or of another node is distinguished from one that a crash cut short, and does not
entitle to vote.

Every file begins with a record naming chain and node; ``init`` writes it once, so a missing file is a lost
journal and not a new node. A sign record is written twice in a row: whatever damages the last record of a file
(N23) leaves its twin. Records of decided heights are dropped when the file is rewritten.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from coseal.consensus import persisted
from coseal.consensus.events import BodyRecord, SignRecord
from coseal.consensus.persisted import EMPTY_GUARD, JournalRecord, Persisted
from coseal.ledger import codec, framing
from coseal.ledger.block import Block
from coseal.ledger.certificate import ROUND_MAX, PbftCertificate
from coseal.ledger.errors import Malformed
from coseal.ledger.signing import HASH_BYTES

# N26: the file is rewritten at the end of a height when it has grown beyond this, within a height beyond four times it.
FILE_BYTES_MAX: Final = 16 * 1024 * 1024
# As many bodies of one height as consensus itself holds; who holds a prepared certificate has its body, too.
BODIES_MAX: Final = 8
_ORIGIN: Final = 1
_RECORD: Final = 2
_LAST_STEP: Final = 3


class Verdict(Enum):
    """What a journal file is worth. INTACT and TORN (cut short by a crash) entitle to vote, the others do not."""

    INTACT = "intact"
    TORN = "torn"
    DAMAGED = "damaged"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A journal as read at boot: the writer that continues it, and what the file is worth."""

    journal: Journal
    verdict: Verdict

    @property
    def entitles(self) -> bool:
        """Whether the node may sign on the strength of this file."""
        return self.verdict in (Verdict.INTACT, Verdict.TORN)


class Journal:
    """Frames records for the file and remembers what a rewritten file must hold."""

    def __init__(self, chain_id: bytes, node_id: str) -> None:
        self.size_bytes = 0
        self._origin = codec.encode(["journal", 1, chain_id, node_id])
        self._sequence = 1
        self._records: list[JournalRecord] = []
        self._bodies: dict[bytes, Block] = {}

    @property
    def persisted(self) -> Persisted:
        """The fold of the file, for ``Replica.restore``."""
        return persisted.fold(self._records)

    def prepared(self, height: int) -> PbftCertificate | None:
        """Return the highest prepared certificate of a height that is durable, or about to be."""
        return self.persisted.at(height).prepared

    def body(self, block_hash: bytes) -> Block | None:
        """Return a block that others may rely on us holding."""
        return self._bodies.get(block_hash)

    @property
    def bodies(self) -> tuple[Block, ...]:
        """All blocks that others may rely on us holding."""
        return tuple(self._bodies.values())

    def append(self, record: JournalRecord) -> bytes:
        """Return the framed bytes to append for ``record``; empty if the file holds it already."""
        if isinstance(record, BodyRecord) and record.block.hash in self._bodies:
            return b""
        self._remember(record)
        return self._frame(record)

    @property
    def overgrown(self) -> bool:
        """Whether the file should be rewritten although its height is not decided: there were very many rounds."""
        return self.size_bytes > 4 * FILE_BYTES_MAX

    def decided(self, height: int) -> bytes | None:
        """Forget what only heights below ``height`` need (P6); return the new file if the old one has grown large."""
        self._forget(height - 1)
        return self.rewrite() if self.size_bytes > FILE_BYTES_MAX else None

    def rewrite(self) -> bytes:
        """Return a whole file that holds what is still needed; its sequence numbers start again."""
        self._sequence, self.size_bytes = 1, 0
        return self._framed(_ORIGIN, self._origin) + b"".join([self._frame(record) for record in self._records])

    def raise_floor(self, height: int) -> bytes:
        """Return a new file whose guard refuses every step up to ``height``, for a node that lost its journal."""
        self._records = [SignRecord(height, ROUND_MAX, _LAST_STEP, b"", b"") if height else EMPTY_GUARD]
        self._bodies = {}
        return self.rewrite()

    def take_over(self, signs: tuple[SignRecord, ...]) -> bytes:
        """Return a new file whose guard goes on from what another file's guard signed last."""
        self._records, self._bodies = list(signs), {}
        return self.rewrite()

    def resume(self, records: list[JournalRecord], sequence: int, size_bytes: int) -> None:
        """Go on after the records of an existing file."""
        for record in records:
            self._remember(record)
        self._sequence, self.size_bytes = sequence, size_bytes

    def _remember(self, record: JournalRecord) -> None:
        self._records.append(record)
        if isinstance(record, BodyRecord):
            self._bodies[record.block.hash] = record.block
            if len(self._bodies) > BODIES_MAX:
                self._forget(record.height - 2)

    def _forget(self, height: int) -> None:
        """Keep what the fold of the records above ``height`` needs, and the newest bodies."""
        folded = persisted.fold(self._records)
        dropped = {block.hash for kept in folded.heights for block in _unneeded(kept, folded.newest.height)}
        self._records = [
            record
            for record in persisted.records_of(folded, height=height + 1)
            if not (isinstance(record, BodyRecord) and record.block.hash in dropped)
        ]
        self._bodies = {r.block.hash: r.block for r in self._records if isinstance(r, BodyRecord)}

    def _frame(self, record: JournalRecord) -> bytes:
        payload = persisted.encode_record(record)
        framed = self._framed(_RECORD, payload)
        return framed + self._framed(_RECORD, payload) if isinstance(record, SignRecord) else framed  # N23

    def _framed(self, kind: int, payload: bytes) -> bytes:
        framed = framing.frame(self._sequence, kind, payload)
        self._sequence += 1
        self.size_bytes += len(framed)
        return framed


def _unneeded(kept: persisted.AtHeight, newest: int) -> list[Block]:
    """Return the bodies of a height beyond those kept: of the newest ``BODIES_MAX``, of another the prepared one."""
    needed = None if kept.prepared is None else kept.prepared.block_hash
    rest = [block for block in kept.bodies if block.hash != needed]
    return rest[: max(0, len(kept.bodies) - BODIES_MAX)] if kept.height == newest else rest


def initial(chain_id: bytes, node_id: str) -> bytes:
    """Return the journal file of a node that has never signed; only ``init`` writes it, never a start (N22)."""
    return Journal(chain_id, node_id).raise_floor(0)


def origin(data: bytes) -> tuple[bytes, str] | None:
    """Return the chain and the node that a journal file is of, None if its first record does not say."""
    scan = framing.scan(data, first_sequence=1)
    if not scan.records or scan.records[0].kind != _ORIGIN:
        return None
    try:
        chain_id, node_id = codec.decode_record(scan.records[0].payload, "journal", 1, 2)
        return codec.octets(chain_id, "chain id", size=HASH_BYTES), codec.text(node_id, "node id")
    except Malformed:
        return None


def load(data: bytes | None, chain_id: bytes, node_id: str) -> Loaded:
    """Read a journal file's bytes (None: there is no file) and judge it (N24); never raises for what it finds.

    A file that does not entitle to vote yields an empty journal: nothing in it is relied upon.
    """
    journal = Journal(chain_id, node_id)
    scan = framing.scan(b"" if data is None else data, first_sequence=1)
    origin = codec.encode(["journal", 1, chain_id, node_id])
    if not scan.records and not scan.damaged:
        return Loaded(journal, Verdict.MISSING)
    if scan.damaged or scan.records[0].kind != _ORIGIN or scan.records[0].payload != origin:
        return Loaded(journal, Verdict.DAMAGED)
    try:
        records = [persisted.decode_record(record.payload) for record in scan.records[1:]]
    except Malformed:  # the checksum held, so this is a file of other software, not the trace of a crash
        return Loaded(journal, Verdict.DAMAGED)
    if not any(isinstance(record, SignRecord) for record in records):
        return Loaded(journal, Verdict.MISSING)
    journal.resume(records, scan.records[-1].sequence + 1, scan.end)
    return Loaded(journal, Verdict.TORN if scan.torn else Verdict.INTACT)
