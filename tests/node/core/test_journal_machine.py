"""The journal with the crash rule, as a state machine: appends that are not yet durable, power failures, bit flips."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from coseal.consensus import persisted
from coseal.consensus.events import BodyRecord, PreparedRecord, RoundRecord, SignRecord
from coseal.consensus.messages import RoundChange
from coseal.ledger import framing
from coseal.node.core import journal
from coseal.node.core.journal import Journal, Verdict
from tests.support.chain import Chain
from tests.support.genesis import genesis
from tests.support.transactions import signed

CHAIN_ID, NODE = genesis().chain_id, "bank-a"


def _block(number: int):
    chain = Chain(genesis())
    chain.extend([])
    return chain.extend([signed(genesis(), number)])


BLOCKS = [_block(number) for number in range(3)]


class JournalMachine(RuleBasedStateMachine):
    """A file of which a beginning is durable; after a crash some of the rest may be there, cut at any byte.

    The law: what was durable is in what the node reads at its next start, and no signature is forgotten; a file that
    entitles to vote never knows less than it did when the node last said something.
    """

    def __init__(self) -> None:
        super().__init__()
        self.file = journal.initial(CHAIN_ID, NODE)
        self.durable = len(self.file)
        self.journal: Journal = journal.load(self.file, CHAIN_ID, NODE).journal
        self.place = (2, 0, 0)
        self.kept: list[SignRecord] = []  # signatures that are durable
        self.pending: list[SignRecord] = []

    @initialize()
    def begin(self) -> None:
        assert journal.load(self.file, CHAIN_ID, NODE).verdict is Verdict.INTACT

    @rule(step=st.integers(0, 3), more=st.integers(0, 2))
    def sign(self, step: int, more: int) -> None:
        height, round, last = self.place
        self.place = (height, round, step) if step > last else (height, round + 1 + more, step)
        record = SignRecord(*self.place, b"preimage %d" % len(self.file), bytes(64))
        self.file += self.journal.append(record)
        self.pending.append(record)

    @rule(number=st.integers(0, 2))
    def body(self, number: int) -> None:
        self.file += self.journal.append(BodyRecord(2, BLOCKS[number].block))

    @rule(number=st.integers(0, 2))
    def prepared(self, number: int) -> None:
        self.file += self.journal.append(PreparedRecord(BLOCKS[number].certificate))

    @rule(round=st.integers(1, 9))
    def asked(self, round: int) -> None:
        change = RoundChange(0, 2, round, 1, None, bytes(64))
        self.file += self.journal.append(RoundRecord(2, round, (), change))

    @rule()
    def sync(self) -> None:
        self.durable = len(self.file)
        self.kept += self.pending
        self.pending = []

    @rule(share=st.floats(0, 1))
    def power_failure(self, share: float) -> None:
        """Of what was not synced any beginning survives."""
        self.restart(self.file[: self.durable + int((len(self.file) - self.durable) * share)])

    @precondition(lambda self: self.durable == len(self.file))
    @rule(position=st.integers(0, 10_000), bit=st.integers(0, 7))
    def flip_in_the_last_record(self, position: int, bit: int) -> None:
        """W1: a signature stands there twice, so its last record may be damaged."""
        last = framing.scan(self.file).records[-1]
        at = last.start + position % (last.end - last.start)
        flipped = self.file[:at] + bytes([self.file[at] ^ (1 << bit)]) + self.file[at + 1 :]
        self.restart(flipped)

    @precondition(lambda self: self.durable == len(self.file))
    @rule(position=st.integers(0, 100_000), bit=st.integers(0, 7))
    def flip_before_the_last_record(self, position: int, bit: int) -> None:
        """Damage with good records after it does not entitle; the operator brings the file back as it was."""
        records = framing.scan(self.file).records
        if len(records) < 3:
            return
        at = position % records[-2].start
        flipped = self.file[:at] + bytes([self.file[at] ^ (1 << bit)]) + self.file[at + 1 :]
        assert not journal.load(flipped, CHAIN_ID, NODE).entitles

    @rule()
    def rewrite(self) -> None:
        """The file is replaced by a new one, whole, and durable before it has the old one's name."""
        self.file = self.journal.rewrite()
        self.sync()

    @rule()
    def decide(self) -> None:
        """A height is decided: what only it needed is forgotten, the last signature is not."""
        self.journal.decided(self.place[0])
        self.rewrite()

    def restart(self, found: bytes) -> None:
        loaded = journal.load(found, CHAIN_ID, NODE)
        assert loaded.entitles
        self.remembers(loaded.journal.persisted.signs or ())
        self.file = loaded.journal.rewrite() if loaded.verdict is Verdict.TORN else found
        self.journal, self.pending = loaded.journal, []
        self.durable = len(self.file)
        held = (loaded.journal.persisted.signs or ())[-1]
        self.place = max((2, 0, 0), (held.height, held.round, held.step))
        self.kept = [record for record in self.kept if (record.height, record.round, record.step) <= self.place]

    def remembers(self, signs: tuple[SignRecord, ...]) -> None:
        """The guard made of ``signs`` refuses another preimage for every durable signature."""
        held = {(record.height, record.round, record.step): record for record in signs}
        top = max(held)
        for record in self.kept:
            place = (record.height, record.round, record.step)
            assert place <= top
            if place[:2] == top[:2]:
                assert held[place] == record

    @invariant()
    def what_is_written_is_what_is_read(self) -> None:
        loaded = journal.load(self.file, CHAIN_ID, NODE)
        assert loaded.verdict is Verdict.INTACT
        assert loaded.journal.persisted == self.journal.persisted
        assert self.journal.size_bytes == len(self.file)
        assert persisted.fold(persisted.records_of(loaded.journal.persisted, height=0)) == loaded.journal.persisted


JournalMachine.TestCase.settings = settings(deadline=None, max_examples=40, stateful_step_count=25)
TestJournal = JournalMachine.TestCase
