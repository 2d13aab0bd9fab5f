"""A chain without consensus: blocks are built and executed one after another on one executor.

Law: every block goes through ``Executor.execute_block`` as if it came from a peer, so building and checking agree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any

import pytest

from contracts.execution import Executor, Outcome, new_state
from contracts.table import RULES
from ledger import merkle
from ledger.block import HEADER_VERSION, Block, Header, Receipt, last_commit_hash
from ledger.genesis import Genesis, Member, Node, Operator, Parameters, encode_genesis
from ledger.signing import Ed25519Signer
from ledger.state import State
from ledger.transaction import Transaction, sign

GENESIS_TIME_MS = 1_700_000_000_000
MEMBERS = (
    ("regulator", "government", "central"),
    ("city", "government", "municipal"),
    ("central-bank", "bank", ""),
    ("bank-a", "bank", ""),
    ("enterprise-a", "enterprise", ""),
    ("institute-a", "institute", ""),
    ("public-a", "public", ""),
)
VALIDATORS = ("regulator", "central-bank", "bank-a", "enterprise-a")


def key_of(who: str) -> Ed25519Signer:
    """Return the signer that belongs to a text, the same in every run."""
    return Ed25519Signer(sha256(who.encode()).digest())


def capabilities_of(member: str, role: str, registrars: Sequence[str]) -> tuple[str, ...]:
    """Everybody may operate and submit, ``registrars`` record facts, governments supervise."""
    given = ["operate", "submit"]
    given += ["registrar"] if member in registrars else []
    given += ["supervise"] if role == "government" else []
    return tuple(sorted(given))


def make_genesis(name: str = "test", *, registrars: Sequence[str] = ("regulator",), **parameters: Any) -> Genesis:
    """Return a genesis with every role; each member has ``admin``, which may operate and submit."""
    members = tuple(
        Member(
            id=member,
            name=member.title(),
            role=role,
            level=level,
            sector="",
            central_bank=member == "central-bank",
            operators=(
                Operator(
                    "admin",
                    key_of(f"{member}/admin").public_key,
                    capabilities_of(member, role, registrars),
                ),
            ),
        )
        for member, role, level in MEMBERS
    )
    nodes = tuple(Node(v, v, "validator", key_of(f"node {v}").public_key, b"certificate") for v in VALIDATORS)
    raw = encode_genesis(
        name=name,
        time_ms=GENESIS_TIME_MS,
        parameters=Parameters(**{"state_bits": 8, **parameters}),
        members=members,
        nodes=nodes,
    )
    return Genesis.decode(raw)


class Chain:
    """Builds blocks on an executor; ``now_ms`` is the next block's time."""

    def __init__(self, genesis: Genesis | None = None, rules: Mapping[int, Any] = RULES) -> None:
        self.genesis = make_genesis() if genesis is None else genesis
        self.rules = rules
        self.executor = Executor(self.genesis, new_state(self.genesis), rules=rules)
        self.blocks: list[Block] = []
        self.keys: dict[str, Ed25519Signer] = {}
        self._salt = 0

    @property
    def state(self) -> State:
        return self.executor.state

    @property
    def root(self) -> bytes:
        return self.executor.state.root

    @property
    def now_ms(self) -> int:
        return self.executor.time_ms + 1_000

    def get(self, key: str) -> Any:
        return self.executor.get(key)

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
        """Sign ``contract.action`` with the sender's key (``keys`` holds those that replaced the first)."""
        contract, _, action = name.partition(".")
        self._salt += 1
        return sign(
            signer or self.keys.get(sender) or key_of(sender),
            chain_id=self.genesis.chain_id if chain_id is None else chain_id,
            sender=sender,
            contract=contract,
            action=action,
            args=args,
            valid_until_ms=self.now_ms + 60_000 if valid_until_ms is None else valid_until_ms,
            salt=self._salt.to_bytes(16, "big"),
        )

    def draft(self, transactions: Sequence[Transaction], time_ms: int | None = None, **changes: Any) -> Block:
        """Return the next block with these transactions, valid or not; ``changes`` overwrite header fields."""
        time_ms = self.now_ms if time_ms is None else time_ms
        executor = self.executor
        outcome = executor.run(executor.height + 1, time_ms, transactions)
        raws = tuple(tx.raw for tx in transactions)
        header = Header(
            **{
                "version": HEADER_VERSION,
                "chain_id": self.genesis.chain_id,
                "height": executor.height + 1,
                "parent_hash": self.blocks[-1].hash if self.blocks else self.genesis.chain_id,
                "epoch": executor.validators.epoch,
                "validators_hash": executor.validators.hash,
                "next_validators_hash": outcome.next_validators.hash,
                "proposer": executor.validators[0].id,
                "created_round": 0,
                "time_ms": time_ms,
                "tx_root": merkle.root(raws),
                "tx_count": len(raws),
                "receipts_root": outcome.receipts_root,
                "state_root": outcome.state_root,
                "last_commit_hash": last_commit_hash(None),
                **changes,
            }
        )
        return Block(header, raws, None)

    def block(self, *transactions: Transaction, time_ms: int | None = None) -> list[Receipt]:
        """Build, check, execute and commit the next block; return its receipts without ``begin_block``'s."""
        block = Block.decode(self.draft(transactions, time_ms).raw)
        outcome = self.executor.execute_block(block)
        assert isinstance(outcome, Outcome), outcome
        self.commit(outcome)
        self.blocks.append(block)
        return [Receipt.decode(raw) for raw in outcome.receipts[1:]]

    def commit(self, outcome: Outcome) -> None:
        self.executor.commit(outcome)
        self.state._store.write(outcome.change.entries)
        self.state.flushed(outcome.change)

    def submit(self, sender: str, name: str, /, **args: Any) -> Receipt:
        """Commit a block with one transaction and return its receipt."""
        return self.block(self.sign(sender, name, args))[0]

    def restart(self) -> None:
        """Load everything again from the store, as a node does when it starts."""
        old = self.executor
        state = State(old.state._store, old.state.bits)
        self.executor = Executor(self.genesis, state, height=old.height, time_ms=old.time_ms, rules=self.rules)


@pytest.fixture
def chain() -> Chain:
    return Chain()


@pytest.fixture(scope="session")
def make_chain() -> Callable[..., Chain]:
    return Chain


@pytest.fixture(scope="session")
def genesis_with() -> Callable[..., Genesis]:
    return make_genesis


@pytest.fixture(scope="session")
def signer_of() -> Callable[[str], Ed25519Signer]:
    return key_of
