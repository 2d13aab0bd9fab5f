"""The journal file of a running node: what the core asks to persist, as writes of the file.

Law: a lost or damaged file stays as it is until the node signs again, then it begins again (N25).
"""

from __future__ import annotations

from typing import Final

from coseal.consensus import events as core
from coseal.consensus.persisted import JournalRecord, Persisted
from coseal.ledger.block import Block
from coseal.ledger.certificate import PbftCertificate
from coseal.node.core import events, journal
from coseal.node.core.context import MachineContext

_FOLLOWS: Final = "this node only follows until it cannot contradict what it may have signed; no file is touched"
_ABOUT: Final = {
    journal.Verdict.TORN: ("a crash cut the journal's last record short; it was not yet relied upon", False),
    journal.Verdict.DAMAGED: (f"the journal is damaged before its end, or of another node or chain: {_FOLLOWS}", True),
    journal.Verdict.MISSING: (f"there is no journal: {_FOLLOWS}", True),
}


class JournalWriter:
    """What the journal holds, and the effects that keep its file so."""

    def __init__(self, context: MachineContext, data: bytes | None) -> None:
        """``data`` are the file's bytes, None if there is no file."""
        loaded = journal.load(data, context.config.genesis.chain_id, context.config.node_id)
        self._journal, self._verdict, self._entitled = loaded.journal, loaded.verdict, loaded.entitles
        self._emit = context.emit

    @property
    def persisted(self) -> Persisted:
        """The fold of the records, for a replica to go on from."""
        return self._journal.persisted

    def prepared(self, height: int) -> PbftCertificate | None:
        """Return the prepared certificate of a height, if there is one."""
        return self._journal.prepared(height)

    def body(self, block_hash: bytes) -> Block | None:
        """Return a body that others may rely on this node to hold."""
        return self._journal.body(block_hash)

    @property
    def bodies(self) -> tuple[Block, ...]:
        """All bodies that others may rely on this node to hold."""
        return self._journal.bodies

    def start(self) -> None:
        """Say what is wrong with the file, and cut a torn one."""
        if self._verdict is not journal.Verdict.INTACT:
            self._emit(events.Noticed(f"journal_{self._verdict.value}", *_ABOUT[self._verdict]))
        if self._verdict is journal.Verdict.TORN:
            self._emit(events.ReplaceJournal(self._journal.rewrite()))

    def append(self, record: JournalRecord) -> None:
        """Write a record."""
        data = self._journal.append(record)
        begins = not self._entitled and isinstance(record, core.SignRecord)
        self._entitled = self._entitled or begins
        if begins or (self._entitled and self._journal.overgrown):
            self._emit(events.ReplaceJournal(self._journal.rewrite()))
        elif self._entitled and data:
            self._emit(events.Append(data))

    def decided(self, height: int) -> None:
        """Let go of what a decided height made superfluous (N26)."""
        replacement = self._journal.decided(height)
        if replacement is not None and self._entitled:
            self._emit(events.ReplaceJournal(replacement))

    def vouch(self, height: int) -> None:
        """Begin a new file: an operator vouches that nothing above ``height`` was signed."""
        self._entitled = True
        self._emit(events.ReplaceJournal(self._journal.raise_floor(height)))
