"""A small real chain for tests of the node's shell: four members, their keys, and blocks they all agree on."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from hashlib import sha256

from coseal.contracts.execution import Executor, new_state
from coseal.ledger import merkle, transaction
from coseal.ledger.block import HEADER_VERSION, Block, CommittedBlock, Header, last_commit_hash
from coseal.ledger.certificate import Certificate, Phase, assemble, vote_preimage
from coseal.ledger.genesis import Genesis, Member, Node, Operator, Parameters, encode_genesis
from coseal.ledger.signing import Ed25519Signer
from coseal.ledger.transaction import Transaction
from coseal.ledger.validators import Validator, leader_index

ROLES = {"bank-a": "bank", "central-bank": "bank", "enterprise-a": "enterprise", "regulator": "government"}
START_MS = 1_700_000_000_000


def seed(text: str) -> bytes:
    return sha256(text.encode()).digest()


def operator(member: str) -> Ed25519Signer:
    return Ed25519Signer(seed(f"operator {member}"))


def validator(member: str) -> Ed25519Signer:
    return Ed25519Signer(seed(f"validator {member}"))


def make_genesis(
    *, name: str = "test", certificates: dict[str, bytes] | None = None, time_ms: int = START_MS
) -> Genesis:
    members = tuple(
        Member(
            id=member,
            name=member,
            role=role,
            level="central" if role == "government" else "",
            sector="",
            central_bank=member == "central-bank",
            operators=(Operator("admin", operator(member).public_key, ("operate", "submit")),),
        )
        for member, role in ROLES.items()
    )
    nodes = tuple(
        Node(member, member, "validator", validator(member).public_key, (certificates or {}).get(member, b"\x01"))
        for member in ROLES
    )
    parameters = Parameters(state_bits=8)
    raw = encode_genesis(name=name, time_ms=time_ms, parameters=parameters, members=members, nodes=nodes)
    return Genesis.decode(raw)


@cache
def genesis() -> Genesis:
    return make_genesis()


def signed(chain: Genesis, number: int, *, time_ms: int = START_MS) -> Transaction:
    """A transaction that changes the state: an operator sets its member's profile."""
    return transaction.sign(
        operator("bank-a"),
        chain_id=chain.chain_id,
        sender="bank-a/admin",
        contract="membership",
        action="set_profile",
        args={"description": str(number)},
        valid_until_ms=time_ms + 300_000,
        salt=number.to_bytes(16, "big"),
    )


def _signer_of(seat: Validator) -> Ed25519Signer:
    """Return the key of a seat: the node's first one, or the one it was given later."""
    keys = (validator(name) for name in (seat.id, f"{seat.id} second"))
    return next(key for key in keys if key.public_key == seat.key)


class Chain:
    """Builds certified blocks on a state in memory."""

    def __init__(self, chain: Genesis) -> None:
        self.genesis = chain
        self.executor = Executor(chain, new_state(chain), Transaction.decode)
        self.blocks: list[CommittedBlock] = []

    def extend(self, transactions: Sequence[Transaction], *, later_ms: int = 1) -> CommittedBlock:
        executor, parent = self.executor, self.blocks[-1] if self.blocks else None
        height, time_ms = executor.height + 1, executor.time_ms + later_ms
        validators = executor.validators
        outcome = executor.run(height, time_ms, transactions)
        last_commit = None if parent is None else parent.certificate
        proposer = None if parent is None else parent.block.header.proposer
        raws = tuple(tx.raw for tx in transactions)
        header = Header(
            version=HEADER_VERSION,
            chain_id=self.genesis.chain_id,
            height=height,
            parent_hash=self.genesis.chain_id if parent is None else parent.block.hash,
            epoch=validators.epoch,
            validators_hash=validators.hash,
            next_validators_hash=outcome.next_validators.hash,
            proposer=validators[leader_index(validators, proposer, height, 0, self.genesis.parameters.tenure)].id,
            created_round=0,
            time_ms=time_ms,
            tx_root=merkle.root(raws),
            tx_count=len(raws),
            receipts_root=outcome.receipts_root,
            state_root=outcome.state_root,
            last_commit_hash=last_commit_hash(last_commit),
        )
        block = Block(header, raws, last_commit)
        committed = CommittedBlock(block, self.certify(block), outcome.receipts)
        executor.commit(outcome)
        self.blocks.append(committed)
        return committed

    def certify(self, block: Block) -> Certificate:
        validators = self.executor.validators
        preimage = vote_preimage(
            self.genesis.chain_id, validators.epoch, block.header.height, 0, Phase.COMMIT, block.hash
        )
        votes = {index: _signer_of(validators[index]).sign(preimage) for index in range(validators.quorum)}
        return assemble(Phase.COMMIT, validators, block.header.height, 0, block.hash, votes)

    def grow(self, blocks: int, transactions: int = 2) -> None:
        for _ in range(blocks):
            number = 1_000 * (self.executor.height + 1)
            self.extend([signed(self.genesis, number + i) for i in range(transactions)])
