"""A chain without consensus: real contracts, and blocks certified by real signatures, one after another.

Law: a block is one that every peer would accept, unless the test asks for another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from coseal.contracts.execution import Executor, Outcome
from coseal.contracts.genesis_state import new_state
from coseal.contracts.registry import NO_OTHERS, RULES, Others
from coseal.ledger import framing, merkle
from coseal.ledger.block import HEADER_VERSION, Block, CommittedBlock, Header, Receipt, last_commit_hash
from coseal.ledger.certificate import PbftCertificate, Phase, assemble, vote_preimage
from coseal.ledger.genesis import Genesis
from coseal.ledger.signing import Ed25519Signer
from coseal.ledger.state import MemoryStore, State
from coseal.ledger.transaction import Transaction, sign
from coseal.ledger.validators import ValidatorSet, leader_index
from simulation.checked import Checked
from tests.support.genesis import genesis as usual_genesis
from tests.support.keys import signer, signer_of
from tests.support.transactions import VALID_MS, signed

BLOCK_MS = 1_000
"""How long after its parent a block is, unless the test says otherwise."""


class Chain:
    """Builds blocks on a state in memory; ``blocks[i]`` is height i + 1, ``begun`` what the last began with.

    ``keys`` holds the signers that replaced the first ones of senders.
    """

    def __init__(
        self, genesis: Genesis | None = None, rules: Mapping[int, Any] = RULES, others: Others = NO_OTHERS
    ) -> None:
        self.genesis = usual_genesis() if genesis is None else genesis
        self.chain_id = self.genesis.chain_id
        self.rules, self.others = rules, others
        self.store = MemoryStore(self.genesis.parameters.state_bits)
        state = new_state(self.genesis, self.store)
        self.executor = Executor(self.genesis, state, rules=rules, others=others, watcher=Checked)
        self.blocks: list[CommittedBlock] = []
        self.keys: dict[str, Ed25519Signer] = {}
        self.begun: dict[str, Any] = {}
        self._salt = 0

    @property
    def state(self) -> State:
        return self.executor.state

    @property
    def root(self) -> bytes:
        return self.executor.state.root

    @property
    def now_ms(self) -> int:
        """The time of the next block."""
        return self.executor.time_ms + BLOCK_MS

    def get(self, key: str) -> Any:
        """Return a state value."""
        return self.executor.get(key)

    # Transactions

    def sign(
        self,
        sender: str,
        name: str,
        args: Mapping[str, Any],
        *,
        valid_until_ms: int | None = None,
        signer: Ed25519Signer | None = None,
        chain_id: bytes | None = None,
    ) -> Transaction:
        """Sign ``contract.action`` with the sender's key."""
        contract, _, action = name.partition(".")
        self._salt += 1
        return sign(
            signer or self._signer(sender),
            chain_id=self.chain_id if chain_id is None else chain_id,
            sender=sender,
            contract=contract,
            action=action,
            args=args,
            valid_until_ms=self.now_ms + 60_000 if valid_until_ms is None else valid_until_ms,
            salt=self._salt.to_bytes(16, "big"),
        )

    def _signer(self, sender: str) -> Ed25519Signer:
        return self.keys.get(sender) or signer(sender)

    # Blocks

    def draft(self, transactions: Sequence[Transaction], time_ms: int | None = None, **changes: Any) -> Block:
        """Return the next block with these transactions, valid or not; ``changes`` overwrite header fields."""
        return self._drafted(transactions, time_ms, changes)[0]

    def _drafted(
        self, transactions: Sequence[Transaction], time_ms: int | None, changes: Mapping[str, Any]
    ) -> tuple[Block, Outcome]:
        time_ms = self.now_ms if time_ms is None else time_ms
        executor, parent = self.executor, self.blocks[-1] if self.blocks else None
        height, validators = executor.height + 1, executor.validators
        outcome = executor.run(height, time_ms, transactions)
        raws = tuple(tx.raw for tx in transactions)
        last_commit = None if parent is None else parent.certificate
        before = None if parent is None else parent.block.header.proposer
        header = Header(
            **{
                "version": HEADER_VERSION,
                "chain_id": self.chain_id,
                "height": height,
                "parent_hash": self.chain_id if parent is None else parent.block.hash,
                "epoch": validators.epoch,
                "validators_hash": validators.hash,
                "next_validators_hash": outcome.next_validators.hash,
                "proposer": validators[leader_index(validators, before, height, 0, self.genesis.parameters.tenure)].id,
                "created_round": 0,
                "time_ms": time_ms,
                "tx_root": merkle.root(raws),
                "tx_count": len(raws),
                "receipts_root": outcome.receipts_root,
                "state_root": outcome.state_root,
                "last_commit_hash": last_commit_hash(last_commit),
                **changes,
            }
        )
        return Block(header, raws, last_commit), outcome

    def build(
        self, transactions: Sequence[Transaction] = (), *, later_ms: int = BLOCK_MS, **changes: Any
    ) -> CommittedBlock:
        """Return the next block, executed and certified, and not committed; with ``changes`` it is a certified lie."""
        block, outcome = self._drafted(transactions, self.executor.time_ms + later_ms, changes)
        return CommittedBlock(block, self.certify(block.header), outcome.receipts)

    def certify(
        self,
        header: Header,
        signers: Sequence[int] | None = None,
        *,
        round: int = 0,
        validators: ValidatorSet | None = None,
    ) -> PbftCertificate:
        """Return the certificate of a header by the first q of the validators, or by ``signers``."""
        validators = validators or self.executor.validators
        chosen = range(validators.quorum) if signers is None else signers
        preimage = vote_preimage(self.chain_id, validators.epoch, header.height, round, Phase.COMMIT, header.hash)
        votes = {index: signer_of(validators[index].key).sign(preimage) for index in chosen}
        return assemble(Phase.COMMIT, validators, header.height, round, header.hash, votes)

    def extend(
        self, transactions: Sequence[Transaction] = (), *, later_ms: int = BLOCK_MS, **changes: Any
    ) -> CommittedBlock:
        """Build, certify and commit the next block."""
        block, outcome = self._drafted(transactions, self.executor.time_ms + later_ms, changes)
        return self.append(block, outcome)

    def block(self, *transactions: Transaction, time_ms: int | None = None) -> list[Receipt]:
        """Build the next block, check it as a peer does, and commit it; return the receipts of its transactions."""
        block, _ = self._drafted(transactions, time_ms, {})
        outcome = self.executor.execute_block(Block.decode(block.raw))
        assert isinstance(outcome, Outcome), outcome
        self.append(block, outcome)
        return [Receipt.decode(raw) for raw in outcome.receipts[1:]]

    def submit(self, sender: str, name: str, /, **args: Any) -> Receipt:
        """Commit a block with one transaction and return its receipt."""
        return self.block(self.sign(sender, name, args))[0]

    def grow(self, count: int, transactions: int = 1) -> Self:
        """Commit so many blocks of so many transactions that change the state."""
        for _ in range(count):
            first, until_ms = 1_000 * (self.executor.height + 1), self.executor.time_ms + VALID_MS
            self.extend([signed(self.genesis, first + n, valid_until_ms=until_ms) for n in range(transactions)])
        return self

    def commit(self, outcome: Outcome) -> None:
        """Make an outcome the tip, without a block."""
        self.executor.commit(outcome)
        self.store.write(outcome.change.entries)
        self.state.flushed(outcome.change)

    def append(self, block: Block, outcome: Outcome) -> CommittedBlock:
        """Certify a block and make it the tip."""
        committed = CommittedBlock(block, self.certify(block.header), outcome.receipts)
        self.commit(outcome)
        self.blocks.append(committed)
        self.begun = Receipt.decode(outcome.receipts[0]).data
        return committed

    # The life of a node

    def restart(self) -> None:
        """Load everything again from the store, as a node does when it starts."""
        old = self.executor
        self.executor = Executor(
            self.genesis,
            State(self.store, old.state.bits),
            height=old.height,
            time_ms=old.time_ms,
            rules=self.rules,
            others=self.others,
            watcher=Checked,
        )

    def write(self, folder: Path, *, per_file: int = 1_000_000) -> Path:
        """Write the block files of a node and return its data folder."""
        (folder / "blocks").mkdir(parents=True)
        for number, start in enumerate(range(0, len(self.blocks), per_file), 1):
            frames = [
                framing.frame(committed.block.header.height, 1, committed.encode())
                for committed in self.blocks[start : start + per_file]
            ]
            (folder / "blocks" / f"{number:08}.log").write_bytes(b"".join(frames))
        return folder
