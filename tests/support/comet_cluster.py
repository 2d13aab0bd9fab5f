"""CometBFT as its application sees it: a model that proposes, decides and gives again, over real machines.

Law: calls come in the order of the grammar of ABCI 2.0; what a machine writes survives its crash, what it only holds
does not, and CometBFT itself keeps what it decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from coseal.contracts.execution import Executor, Outcome
from coseal.contracts.genesis_state import new_state
from coseal.ledger.block import CommittedBlock, Receipt
from coseal.ledger.comet import address_of, comet_chain_id
from coseal.ledger.genesis import Genesis
from coseal.ledger.state import MemoryStore
from coseal.ledger.transaction import Transaction
from coseal.ledger.validators import ValidatorSet
from coseal.node.core import events
from coseal.node.core.comet import abci
from coseal.node.core.comet.certifying import Decided, Precommit
from coseal.node.core.comet.machine import CometMachine
from coseal.node.core.context import MachineConfig
from coseal.node.core.events import NodeEffect
from coseal.node.core.verified_cache import VerifiedCache
from tests.support import comet
from tests.support.keys import signer_of, validator

MAX_BYTES = 4 * 1024 * 1024


@dataclass
class CometNode:
    """One machine with its disk. ``effects`` are those of the last call, ``done`` those of all calls."""

    genesis: Genesis
    name: str
    now_ms: int
    journal: bytes | None = None
    log: list[CommittedBlock] = field(default_factory=list)
    effects: list[NodeEffect] = field(default_factory=list)
    done: list[NodeEffect] = field(default_factory=list)
    halted: str | None = None
    asked: list[int] = field(default_factory=list)
    offered: list[bytes] = field(default_factory=list)
    updates: list[tuple[int, bytes, int]] = field(default_factory=list)
    """Height, key and power of every change of validators that CometBFT was told of."""

    def __post_init__(self) -> None:
        self.boot()

    def boot(self) -> None:
        """Start the process on what the disk holds."""
        verified = VerifiedCache()
        self.store = MemoryStore(self.genesis.parameters.state_bits)
        executor = Executor(self.genesis, new_state(self.genesis, self.store), verified.admit)
        for committed in self.log:
            outcome = executor.execute_block(committed.block)
            assert isinstance(outcome, Outcome), outcome
            executor.commit(outcome)
            self.store.write(outcome.change.entries)
            executor.state.flushed(outcome.change)
        config = MachineConfig(self.genesis, self.name, validator(self.name))
        tip = self.log[-1] if self.log else None
        self.machine = CometMachine(config, executor, tip=tip, journal_data=self.journal, verified=verified)
        self.step(events.Start())

    def step(self, event: events.NodeEvent) -> list[NodeEffect]:
        """Give the machine an event, and do what it says."""
        self.effects = self.machine.step(event, self.now_ms)
        self.done += self.effects
        for effect in self.effects:
            match effect:
                case events.Append(data):
                    self.journal = (self.journal or b"") + data
                case events.ReplaceJournal(data):
                    self.journal = data
                case events.AppendBlock(committed):
                    self.log.append(committed)
                case events.ApplyState(height, _, change):
                    self.store.write(change.entries)
                    self.machine.step(events.Applied(height), self.now_ms)
                case events.Halt(reason, _):
                    self.halted = reason
                case events.AskCommit(height):
                    self.asked.append(height)
                case events.Offer(raws):
                    self.offered += raws
        return self.effects

    def ask(self, request: abci.Request) -> bytes | None:
        """Return the answer to a question, None if the machine halted."""
        for effect in self.step(events.AbciAsked(1, 0, request)):
            if isinstance(effect, events.AbciAnswer):
                return effect.answer
        return None

    def submit(self, *transactions: Transaction) -> None:
        """Give the machine clients' transactions."""
        self.step(events.Submitted(transactions))

    @property
    def height(self) -> int:
        """The height of its state."""
        return self.machine.executor.height


class CometCluster:
    """Decides blocks over machines; ``blocks`` are what CometBFT keeps: transactions, proposer and commit."""

    def __init__(self, genesis: Genesis) -> None:
        self.genesis, self.now_ms = genesis, genesis.time_ms + 1_000
        self.nodes = [CometNode(genesis, node.id, self.now_ms) for node in genesis.nodes]
        self.blocks: list[tuple[abci.Proposed, Decided]] = []
        self.sets: dict[int, ValidatorSet] = {}
        for node in self.nodes:
            self.init(node)

    def init(self, node: CometNode) -> None:
        """Begin the chain."""
        keys = tuple((seat.key, 1) for seat in self.genesis.validators.validators)
        answer = node.ask(abci.InitChain(comet_chain_id(self.genesis.chain_id), keys, 1))
        assert answer == abci.init_chain(self.genesis.chain_id)

    def tick(self, milliseconds: int) -> None:
        """Let time pass for all."""
        self.now_ms += milliseconds
        for node in self.nodes:
            node.now_ms = self.now_ms

    def propose(self, proposer: CometNode, transactions: Sequence[bytes] = ()) -> abci.Proposed:
        """Return the block that a node proposes."""
        height = len(self.blocks) + 1
        answer = proposer.ask(abci.PrepareProposal(MAX_BYTES, tuple(transactions), height))
        assert answer is not None
        raws = prepared(answer)
        key = next(node.consensus_key for node in self.genesis.nodes if node.id == proposer.name)
        return abci.Proposed(raws, height, address_of(key))

    def decide(self, proposer: int = 0, *, round: int = 0) -> CommittedBlock:
        """Have a block proposed, voted for by all, decided and certified; return what was published."""
        self.tick(100)
        proposed = self.propose(self.nodes[proposer])
        for node in self.nodes:
            assert node.ask(abci.ProcessProposal(proposed)) == abci.process_proposal(accept=True), node.effects
        self.close(proposed, round=round)
        for node in self.nodes:
            self.apply(node, len(self.blocks))
        return self.nodes[0].log[-1]

    def close(self, proposed: abci.Proposed, *, round: int = 0) -> None:
        """Decide a block: CometBFT keeps it with its commit."""
        validators = self.nodes[0].machine.executor.validators
        self.sets[proposed.height] = validators
        self.blocks.append((proposed, commit_of(self.genesis, proposed, validators, round)))

    def apply(self, node: CometNode, height: int, *, certify: bool = True) -> None:
        """Give a node a decided block."""
        proposed, decided = self.blocks[height - 1]
        answer = node.ask(abci.FinalizeBlock(proposed))
        assert answer is not None, node.halted
        node.updates += [(height, key, power) for key, power in updated(answer)]
        assert node.ask(abci.Commit()) == abci.commit(node.machine.first_height if node.machine.first_height > 1 else 0)
        if certify:
            node.step(events.CommitFound(decided))

    def restart(self, node: CometNode, *, crash: bool = True) -> None:
        """Start a node again, or its CometBFT alone; what it lacks of the decided blocks it is given, by Info."""
        if crash:
            node.boot()
        answer = node.ask(abci.Info())
        assert answer is not None
        if node.height == 0:
            self.init(node)
        for height in range(node.height + 1, len(self.blocks) + 1):
            self.apply(node, height)
        for height in list(node.asked):
            node.step(events.CommitFound(self.blocks[height - 1][1]))


def prepared(answer: bytes) -> tuple[bytes, ...]:
    """Return the transactions of an answer to ``PrepareProposal``."""
    ((number, body),) = abci._fields(answer)
    assert number == 17
    assert isinstance(body, bytes)
    return tuple(value for _, value in abci._fields(body) if isinstance(value, bytes))


def updated(answer: bytes) -> list[tuple[bytes, int]]:
    """Return the changes of validators of an answer to ``FinalizeBlock``."""
    ((_, body),) = abci._fields(answer)
    assert isinstance(body, bytes)
    return [abci._validator(value) for number, value in abci._fields(body) if number == 3 and isinstance(value, bytes)]


def commit_of(genesis: Genesis, proposed: abci.Proposed, validators: ValidatorSet, round: int = 0) -> Decided:
    """Return the commit of a block as the RPC shows it, signed by all."""
    fields = comet.fields_of(proposed.transactions)
    votes = []
    for seat in validators.validators:
        message = comet.vote(genesis.chain_id, proposed.height, round, comet.tree(fields), 1_700_000_000, 5)
        votes.append(Precommit(address_of(seat.key), 1_700_000_000, 5, signer_of(seat.key).sign(message)))
    return Decided(proposed.height, round, 1, comet.PARTS_HASH, tuple(fields), tuple(votes))


def digest(node: CometNode) -> tuple[int, bytes, list[bytes]]:
    """Return what a node's state and log come to."""
    return node.height, node.machine.executor.state.root, [sha256(one.encode()).digest() for one in node.log]


def outcomes(committed: CommittedBlock) -> list[str]:
    """Return the codes of a block's transactions."""
    return [Receipt.decode(raw).code for raw in committed.receipts[1:]]
