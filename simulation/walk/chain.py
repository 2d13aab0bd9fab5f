"""A chain without consensus on which a walk goes: one executor leads, one follows, an index takes every block.

Law: after each block leader and follower agree on every receipt and root, nothing was contained, set aside or above
its budget, and no value that the state handed out was changed in place.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from coseal.audit.audit import audit
from coseal.audit.report import Verdict
from coseal.contracts.execution import Executor, Outcome
from coseal.contracts.genesis_state import new_state
from coseal.contracts.kernel.action import Rejected
from coseal.contracts.kernel.budget import BLOCK_STEPS, TRANSACTION_STEPS
from coseal.contracts.kernel.rows.buffer import Rows
from coseal.contracts.kernel.rows.schema import SQLITE, definitions
from coseal.contracts.process.chain import objects_of
from coseal.contracts.process.recorded import recorded_items
from coseal.contracts.registry import RULES
from coseal.contracts.rows.blocks import BlockRows
from coseal.contracts.rows.tables import TABLES
from coseal.contracts.supervision import sets_in_force as supervision_sets
from coseal.ledger import merkle, transaction
from coseal.ledger.block import HEADER_VERSION, Block, CommittedBlock, Header, Receipt, last_commit_hash
from coseal.ledger.certificate import PbftCertificate, Phase, vote_preimage
from coseal.ledger.errors import LedgerError
from coseal.ledger.genesis import Genesis, Member, Node, Operator, Parameters, encode_genesis
from coseal.ledger.render import plain
from coseal.ledger.state import MemoryStore, State
from coseal.ledger.transaction import Transaction
from coseal.ledger.validators import leader_index
from coseal.node.index.database import Writer
from simulation.checked import Checked
from simulation.invariants import Violation
from simulation.keys import Scheme
from simulation.walk import goals, laws
from simulation.walk.credit import figures
from simulation.walk.disclosure import listed
from simulation.walk.electorates import voting
from simulation.walk.money import conserved
from simulation.walk.trade import rights
from simulation.walk.walker import Keyring, Move, Seen, Walker

START_MS: Final = 1_700_000_000_000
STATE_BITS: Final = 8
VALID_MS: Final = 300_000
MAX_ASIDE: Final = 8
"""So often at most is one thing due at once; more says that it was taken, and is still there."""
VERSIONS: Final = dict.fromkeys(range(1, 500), RULES[1])
"""The rules of later protocol versions, which are those of the first."""
MEMBERS: Final = (
    ("bank-a", "bank", ""),
    ("central-bank", "bank", ""),
    ("city", "government", "municipal"),
    ("enterprise-a", "enterprise", ""),
    ("institute-a", "institute", ""),
    ("public-a", "public", ""),
    ("regulator", "government", "central"),
)
VALIDATORS: Final = ("bank-a", "central-bank", "city", "enterprise-a", "regulator")


def make_genesis(keys: Keyring) -> Genesis:
    """Return the genesis of a walk: members of every role, five of which run a validator."""
    members = tuple(
        Member(
            id=name,
            name=name,
            role=role,
            level=level,
            sector="",
            central_bank=name == "central-bank",
            operators=tuple(
                Operator(user, keys.add("operator", f"{name}/{user}").public_key, _capabilities(role))
                for user in ("admin", "deputy")
            ),
        )
        for name, role, level in MEMBERS
    )
    nodes = tuple(
        Node(name, name, "validator", keys.add("node", name).public_key, name.encode()) for name in VALIDATORS
    )
    raw = encode_genesis(
        name="walk", time_ms=START_MS, parameters=Parameters(state_bits=STATE_BITS), members=members, nodes=nodes
    )
    return Genesis.decode(raw)


def _capabilities(role: str) -> tuple[str, ...]:
    own = {"government": ("registrar", "supervise"), "bank": ("treasury",)}
    return tuple(sorted(("approve", "custody", "operate", "pay", "submit", *own.get(role, ()))))


class Peer:
    """An executor with its store."""

    def __init__(self, genesis: Genesis, scheme: Scheme, watcher: type[Checked] | None = None) -> None:
        self._genesis, self._scheme, self._watcher = genesis, scheme, watcher
        self.store = MemoryStore(STATE_BITS)
        new_state(genesis, self.store)
        self.executor = self._made(0, None)

    def _made(self, height: int, time_ms: int | None) -> Executor:
        state, verify = State(self.store, STATE_BITS), self._scheme.verify

        def admit(raw: bytes) -> Transaction:
            tx = Transaction.decode(raw)
            tx.verify_signature(verify)
            return tx

        return Executor(
            self._genesis,
            state,
            admit,
            height=height,
            time_ms=time_ms,
            rules=VERSIONS,
            verify=verify,
            watcher=self._watcher,
        )

    def restart(self) -> None:
        """Begin again from what the store holds, as a node does."""
        self.executor = self._made(self.executor.height, self.executor.time_ms)

    def commit(self, outcome: Outcome) -> None:
        """Make an outcome the tip."""
        self.executor.commit(outcome)
        self.store.write(outcome.change.entries)
        self.executor.state.flushed(outcome.change)


class Index:
    """Rows of every table, in memory."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect(":memory:", isolation_level=None)
        for statement in definitions(TABLES, (), SQLITE):
            self._connection.execute(statement)
        self._rows = Rows(Writer(self._connection), TABLES)
        self._blocks = BlockRows(self._rows)

    def take(self, committed: CommittedBlock, transactions: Sequence[Transaction]) -> None:
        """Write the rows of a block."""
        self._connection.execute("BEGIN")
        self._blocks.write(committed, transactions, Receipt.decode_own)
        self._rows.flush()
        self._connection.execute("COMMIT")


class Chain:
    """Takes moves, block by block. ``accepted`` and ``refused`` count by action, and by action and code."""

    def __init__(self, *, real: bool = False, starved: bool = False) -> None:
        """``real``: with Ed25519, so that an auditor can check every signature. ``starved``: steps may run out."""
        self._starved = starved
        self.scheme = Scheme(real)
        self.real = real
        self.keys = Keyring(self.scheme)
        self.genesis = make_genesis(self.keys)
        self.leader = Peer(self.genesis, self.scheme, Checked)
        self.follower = Peer(self.genesis, self.scheme)
        self.index = Index()
        self.committed: list[CommittedBlock] = []
        self.recorded: list[Seen] = []
        self.accepted: Counter[str] = Counter()
        self.refused: Counter[tuple[str, str]] = Counter()
        self.goals: Counter[str] = Counter()
        self._salt = 0
        self._defined: list[str] = []

    @property
    def height(self) -> int:
        """The height of the next block."""
        return self.leader.executor.height + 1

    def sign(self, walker: Walker, move: Move) -> Transaction | None:
        """Return a move as a transaction, or None if it cannot be said in one."""
        signer = walker.signer(move.sender)
        if signer is None:
            return None
        contract, _, action = move.action.partition(".")
        self._salt += 1
        try:
            return transaction.sign(
                signer,
                chain_id=self.genesis.chain_id,
                sender=move.sender,
                contract=contract,
                action=action,
                args=move.args,
                valid_until_ms=walker.sight.time_ms + VALID_MS,
                salt=self._salt.to_bytes(16, "big"),
            )
        except (LedgerError, ValueError, TypeError, OverflowError):
            return None

    def block(self, transactions: Sequence[Transaction], time_ms: int, *, cold: bool = False) -> None:
        """Build, check, execute, commit and index a block. ``cold``: the follower has compiled nothing yet."""
        executor = self.leader.executor
        outcome = executor.run(self.height, time_ms, transactions)
        if cold:
            supervision_sets.forget()
        raws = tuple(tx.raw for tx in outcome.transactions)
        before = self.committed[-1].certificate if self.committed else None
        header = Header(
            version=HEADER_VERSION,
            chain_id=self.genesis.chain_id,
            height=self.height,
            parent_hash=self.committed[-1].block.hash if self.committed else self.genesis.chain_id,
            epoch=executor.validators.epoch,
            validators_hash=executor.validators.hash,
            next_validators_hash=outcome.next_validators.hash,
            proposer=executor.validators[self._leads()].id,
            created_round=0,
            time_ms=time_ms,
            tx_root=merkle.root(raws),
            tx_count=len(raws),
            receipts_root=outcome.receipts_root,
            state_root=outcome.state_root,
            last_commit_hash=last_commit_hash(before),
        )
        block = Block.decode(Block(header, raws, before).raw)
        committed = CommittedBlock(block, self._certificate(block), outcome.receipts)
        followed = self.follower.executor.execute_block(block)
        if isinstance(followed, Rejected):
            raise Violation(f"the follower refuses block {self.height}: {followed.code}, {followed.detail}")
        if followed.receipts != outcome.receipts:
            raise Violation(f"leader and follower give other receipts for block {self.height}")
        self._judge(outcome)
        self.leader.commit(outcome)
        self.follower.commit(followed)
        begun, *receipts = map(Receipt.decode, outcome.receipts)
        conserved(self.leader.executor.reader)
        rights(self.leader.executor.reader)
        figures(self.leader.executor.reader, time_ms)
        listed(self.leader.executor.reader)
        laws.judge(self.leader.executor.reader, outcome.transactions, receipts, begun)
        self._remember(time_ms, outcome.transactions, receipts)
        self.committed.append(committed)
        self.index.take(committed, outcome.transactions)
        for name in self._defined:
            self.goals.update(goals.of_definition(self.leader.executor.reader, name))

    def _remember(self, time_ms: int, transactions: Sequence[Transaction], receipts: Sequence[Receipt]) -> None:
        """Keep what was recorded, as any member could read it."""
        for tx, receipt in zip(transactions, receipts, strict=True):
            also = {entry[0]: entry[2] for entry in receipt.data.get("corrections", ())} if receipt.ok else {}
            for one in recorded_items(tx, receipt):
                objects = (*objects_of(one.item), *map(tuple, also.get(one.sequence, ())))
                where = (one.source, one.sequence, self.height - 1, time_ms)
                self.recorded.append(Seen(*where, dict(one.item), one.process_type, objects))

    def _leads(self) -> int:
        """Return the index of the leader of the next height's first round."""
        before = self.committed[-1].block.header.proposer if self.committed else ""
        validators, tenure = self.leader.executor.validators, self.genesis.parameters.tenure
        return leader_index(validators, before, self.height, 0, tenure)

    def _certificate(self, block: Block) -> PbftCertificate:
        validators = self.leader.executor.validators
        header = block.header
        message = vote_preimage(header.chain_id, header.epoch, header.height, 0, Phase.COMMIT, block.hash)
        signers = [self.keys.of(seat.key) for seat in validators.validators]
        signatures = tuple(signer.sign(message) for signer in signers if signer is not None)
        bitmap = ((1 << validators.n) - 1).to_bytes((validators.n + 7) // 8, "little")
        return PbftCertificate(Phase.COMMIT, header.epoch, header.height, 0, block.hash, bitmap, signatures)

    def _judge(self, outcome: Outcome) -> None:
        """Count what became of each transaction; raise for what must never be in a receipt."""
        self._defined.clear()
        begun, *receipts = (Receipt.decode(raw) for raw in outcome.receipts)
        for receipt in (begun, *receipts):
            plain(receipt.data)
            if receipt.steps > TRANSACTION_STEPS:
                raise Violation(f"{receipt.steps} steps in block {outcome.height}")
        self.goals.update(goals.of_begun(self.leader.executor.reader, begun.data))
        if outcome.faults:
            raise Violation(f"contained in block {outcome.height}: {outcome.faults[0]}")
        aside = begun.data.get("system", {}).get("aside", [])
        often = Counter(str(entry["entry"]) for entry in aside)
        if aside and (not self._starved or max(often.values()) > MAX_ASIDE):
            raise Violation(f"set aside in block {outcome.height}: {aside}")
        self.goals["aside"] += len(aside)
        if outcome.steps > BLOCK_STEPS:
            raise Violation(f"{outcome.steps} steps in block {outcome.height}")
        for tx, receipt in zip(outcome.transactions, receipts, strict=True):
            name = f"{tx.contract}.{tx.action}"
            carried = "mandate" in tx.args
            shown = goals.of_receipt(name, receipt.code, receipt.detail, receipt.data, carried=carried)
            self.goals.update(shown)
            if receipt.ok:
                self.accepted[name] += 1
                if name == "process.define_type":
                    self._defined.append(receipt.data["id"])
            else:
                self.refused[name, receipt.code] += 1

    # At the end

    def audited(self) -> None:
        """Raise unless everything comes out the same from the genesis on, and findings are counted rightly."""
        laws.counted(self.leader.executor.reader)
        voting(self.leader.executor.reader, self.leader.executor.time_ms)
        laws.competing(self.leader.executor.reader)
        laws.own_rules(self.leader.executor.reader)
        supervision_sets.forget()
        if self.real:
            report = audit([_Memory(self.committed)], self.genesis)
            if report.verdict is not Verdict.OK or report.last != len(self.committed):
                raise Violation(f"the audit says {report.verdict.value}: {report.findings}")
            self.goals["audit"] += 1
            return
        peer = Peer(self.genesis, self.scheme)
        for committed in self.committed:
            outcome = peer.executor.execute_block(committed.block)
            if isinstance(outcome, Rejected):
                raise Violation(f"replay refuses block {committed.block.header.height}: {outcome.detail}")
            peer.commit(outcome)


class _Memory:
    """Blocks in memory as a source of an audit."""

    name = "walk"

    def __init__(self, committed: Sequence[CommittedBlock]) -> None:
        self._raws = [one.encode() for one in committed]

    def tip(self) -> int:
        """See ``audit.sources.Source``."""
        return len(self._raws)

    def blocks(self, first: int, last: int) -> Iterator[bytes]:
        """See ``audit.sources.Source``."""
        yield from self._raws[first - 1 : last]

    def handovers(self) -> Iterator[bytes]:
        """See ``audit.sources.Source``."""
        yield from ()
