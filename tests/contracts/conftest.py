"""A chain without consensus: blocks are built and executed one after another on one executor.

Law: every block goes through ``Executor.execute_block`` as if it came from a peer, so building and checking agree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any, ClassVar

import pytest

from coseal.contracts.execution import Executor, Outcome, new_state
from coseal.contracts.registry import RULES
from coseal.ledger import merkle
from coseal.ledger.block import HEADER_VERSION, Block, Header, Receipt, last_commit_hash
from coseal.ledger.genesis import Genesis, Member, Node, Operator, Parameters, encode_genesis
from coseal.ledger.render import time_text
from coseal.ledger.signing import Ed25519Signer
from coseal.ledger.state import State
from coseal.ledger.transaction import Transaction, sign
from simulation.checked import Checked

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
    """Return the signer that belongs to a text, the same in every run; a node's also for its name as a sender."""
    return Ed25519Signer(sha256(who.replace("node:", "node ").encode()).digest())


def capabilities_of(member: str, role: str, registrars: Sequence[str]) -> tuple[str, ...]:
    """Everybody may operate and submit, ``registrars`` record facts, governments supervise."""
    given = ["operate", "submit"]
    given += ["registrar"] if member in registrars else []
    given += ["supervise"] if role == "government" else []
    return tuple(sorted(given))


def make_genesis(
    name: str = "test",
    *,
    registrars: Sequence[str] = ("regulator",),
    validators: Sequence[str] = VALIDATORS,
    **parameters: Any,
) -> Genesis:
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
    nodes = tuple(Node(v, v, "validator", key_of(f"node {v}").public_key, b"certificate") for v in validators)
    raw = encode_genesis(
        name=name,
        time_ms=GENESIS_TIME_MS,
        parameters=Parameters(**{"state_bits": 8, **parameters}),
        members=members,
        nodes=nodes,
    )
    return Genesis.decode(raw)


class Chain:
    """Builds blocks on an executor; ``now_ms`` is the next block's time, ``begun`` what the last began with."""

    def __init__(self, genesis: Genesis | None = None, rules: Mapping[int, Any] = RULES) -> None:
        self.genesis = make_genesis() if genesis is None else genesis
        self.rules = rules
        self.executor = Executor(self.genesis, new_state(self.genesis), rules=rules, watcher=Checked)
        self.blocks: list[Block] = []
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
        self.begun = Receipt.decode(outcome.receipts[0]).data
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
        self.executor = Executor(
            self.genesis, state, height=old.height, time_ms=old.time_ms, rules=self.rules, watcher=Checked
        )


class Court:
    """A chain with a process under supervision: type ``loans``, its source ``bank-a/log``."""

    TYPE = "loans"
    ATTRIBUTES: ClassVar = {"amount": "integer", "by": "string"}

    def __init__(self, chain: Chain, mode: str = "live", **definition: Any) -> None:
        self.chain = chain
        self.sequence: dict[str, int] = {}
        types = {name: {"attributes": self.ATTRIBUTES} for name in ("apply", "check", "decide", "pay", "report")}
        made = chain.submit(
            "bank-a/admin",
            "process.define_type",
            **{
                "id": self.TYPE,
                "version": 1,
                "title": "Loans",
                "object_types": {"case": {"attributes": {"limit": "integer"}}, "party": {}},
                "event_types": types,
                "late_ms": 0,
                "gaps": "record",
                **definition,
            },
        )
        assert made.ok, made
        self.register("bank-a", "log", mode)

    def register(self, member: str, source: str, mode: str = "live") -> None:
        made = self.chain.submit(
            f"{member}/admin", "process.register_source", id=source, process_type=self.TYPE, mode=mode
        )
        assert made.ok, made
        self.sequence[f"{member}/{source}"] = 0

    @staticmethod
    def rule(rule_id: str, kind: str = "declare", **fields: Any) -> dict[str, Any]:
        basis = ["external: the Lending Act, section 3"]
        scope = {"process_type": Court.TYPE}
        return {"id": rule_id, "version": 1, "legal_basis": basis, "scope": scope, "kind": kind, **fields}

    def propose(self, *rules: dict[str, Any], sender: str = "bank-a/admin", **args: Any) -> Receipt:
        return self.chain.submit(sender, "supervision.propose_rules", rules=list(rules), **args)

    def vote(self, ballot: str, *members: str, choice: str = "yes") -> Receipt:
        receipt = None
        for member in members or VALIDATORS[:3]:
            receipt = self.chain.submit(f"{member}/admin", "supervision.vote", ballot=ballot, choice=choice)
        assert receipt is not None
        return receipt

    def adopt(self, *rules: dict[str, Any]) -> Receipt:
        """Propose rules and vote for them; return the deciding vote's receipt."""
        proposed = self.propose(*rules)
        assert proposed.ok, proposed
        decided = self.vote(proposed.data["ballot"])
        assert decided.data["status"] == "accepted", decided
        return decided

    def event(self, kind: str, case: str = "c1", *, at_ms: int | None = None, **fields: Any) -> dict[str, Any]:
        """An event as an item of ``record``, by default of now."""
        time = time_text(self.chain.now_ms if at_ms is None else at_ms)
        return {"event": f"{kind} {case} {time}", "type": kind, "time": time, "objects": [["case", case]], **fields}

    def record(self, *items: dict[str, Any], source: str = "bank-a/log", **args: Any) -> Receipt:
        member, _, name = source.partition("/")
        first = args.pop("sequence", self.sequence[source] + 1)
        receipt = self.chain.submit(
            f"{member}/admin", "process.record", source=name, sequence=first, items=list(items), **args
        )
        if receipt.ok:
            self.sequence[source] = receipt.data["last"]
        return receipt

    def wait(self, duration_ms: int) -> dict[str, Any]:
        """Make an empty block so much later; return what supervision did at its start."""
        self.chain.block(time_ms=self.chain.executor.time_ms + duration_ms)
        return self.chain.begun.get("supervision", {})

    def finding(self, **fields: Any) -> str:
        """Have a finding raised on a new case of bank-a; return its id. Needs ``adopt(ONCE)`` before."""
        case = f"case {self.sequence['bank-a/log']}"
        receipt = self.record(self.event("pay", case), self.event("pay", case, event="second"))
        return str(receipt.data["findings"][0]["id"])

    ONCE: ClassVar = {"template": "absence", "a": "pay", "n": 2}

    def act(self, sender: str, action: str, /, **args: Any) -> Receipt:
        return self.chain.submit(sender if "/" in sender else f"{sender}/admin", f"supervision.{action}", **args)

    def get(self, key: str) -> Any:
        return self.chain.get(f"supervision/{key}")


@pytest.fixture
def court() -> Court:
    return Court(Chain())


@pytest.fixture(scope="session")
def make_court() -> Callable[..., Court]:
    return lambda mode="live", **definition: Court(Chain(), mode, **definition)


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
