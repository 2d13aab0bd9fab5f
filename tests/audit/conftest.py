"""A chain made in memory: real blocks, executed by the contracts and certified by real signatures."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from coseal.contracts import registry as table
from coseal.contracts.execution import Executor, new_state
from coseal.contracts.membership import actions as membership
from coseal.ledger import framing, merkle, transaction
from coseal.ledger.block import Block, CommittedBlock, Header, last_commit_hash
from coseal.ledger.certificate import Certificate, Phase, assemble, vote_preimage
from coseal.ledger.genesis import PROTOCOL_VERSION, Genesis, Member, Node, Operator, Parameters, encode_genesis
from coseal.ledger.handover import Handover
from coseal.ledger.signing import Ed25519Signer
from coseal.ledger.state import MemoryStore
from coseal.ledger.validators import Validator, ValidatorSet, leader_index

START_MS = 1_700_000_000_000
MEMBERS = (
    ("regulator", "government", "central", False),
    ("central-bank", "bank", "", True),
    ("bank-a", "bank", "", False),
    ("enterprise-a", "enterprise", "", False),
)


def signer(name: str) -> Ed25519Signer:
    return Ed25519Signer(name.encode().ljust(32, b"."))


def validator(name: str, role: str) -> Validator:
    return Validator(name, name, role, signer(f"{name}/node").public_key)


def _node_key(seat: Validator) -> Ed25519Signer:
    """Return the key of a seat: the node's first one, or the one it was given later."""
    keys = (signer(f"{seat.id}/{name}") for name in ("node", "node-2", "node-3"))
    return next(key for key in keys if key.public_key == seat.key)


def make_genesis(name: str = "test", members=MEMBERS, capabilities=("operate", "submit")) -> Genesis:
    return Genesis.decode(
        encode_genesis(
            name=name,
            time_ms=START_MS,
            parameters=Parameters(state_bits=4, tenure=3),
            members=tuple(
                Member(
                    id=member,
                    name=member.title(),
                    role=role,
                    level=level,
                    sector="",
                    central_bank=central,
                    operators=(Operator("admin", signer(f"{member}/admin").public_key, capabilities),),
                )
                for member, role, level, central in members
            ),
            nodes=tuple(
                Node(member, member, "validator", signer(f"{member}/node").public_key, b"") for member, *_ in members
            ),
        )
    )


class Chain:
    """Builds blocks on a chain of its own; ``blocks[i]`` is height i + 1."""

    def __init__(self, genesis: Genesis | None = None) -> None:
        self.genesis = genesis or make_genesis()
        self.chain_id = self.genesis.chain_id
        self.store = MemoryStore(self.genesis.parameters.state_bits)
        self.following: ValidatorSet | None = None
        promoting = replace(membership.CONTRACT, begin=self._promote)
        rules = {PROTOCOL_VERSION: {**table.CONTRACTS, "membership": promoting}}
        self.executor = Executor(self.genesis, new_state(self.genesis, self.store), rules=rules)
        self.blocks: list[CommittedBlock] = []
        self.handovers: list[Handover] = []
        self._salt = 0

    def _promote(self, view, moment) -> dict:
        """Make the set that waits the next one, as an accepted ballot would."""
        if self.following is None:
            return membership.CONTRACT.begin(view, moment)
        rows = [[seat.id, seat.member, seat.role, seat.key] for seat in self.following.validators]
        view.put("membership/validators", [self.following.epoch, rows])
        return {"validators": {"epoch": self.following.epoch, "first_height": moment.height + 1, "rows": rows}}

    def change(self, *, add: Validator | None = None, remove: str = "", **changed) -> "Chain":
        """Hand over, with one more block, to a set with a validator more, or less, or in part ``changed``."""
        seats = [seat for seat in self.executor.validators.validators if seat.id != remove]
        seats = [
            replace(seat, key=signer(changed[seat.id]).public_key) if seat.id in changed else seat for seat in seats
        ]
        seats = sorted([*seats, *([add] if add else [])], key=lambda seat: seat.id)
        self.following = ValidatorSet(self.executor.validators.epoch + 1, tuple(seats))
        committed = self.add()
        self.handovers.append(Handover(committed.block.header, committed.certificate, self.following))
        self.following = None
        return self

    def transaction(
        self, *, action: str = "rotate_key", sender: str = "regulator/admin", contract: str = "membership", **args
    ) -> bytes:
        self._salt += 1
        return transaction.sign(
            signer(sender),
            chain_id=self.chain_id,
            sender=sender,
            contract=contract,
            action=action,
            args=args,
            valid_until_ms=self.executor.time_ms + 60_000,
            salt=self._salt.to_bytes(16, "big"),
        ).raw

    def certify(
        self,
        header: Header,
        signers: tuple[int, ...] | None = None,
        *,
        round: int = 0,
        validators: ValidatorSet | None = None,
    ) -> Certificate:
        """``signers`` None: the first q of the validators, which are the present ones unless given."""
        validators = validators or self.executor.validators
        signers = tuple(range(validators.quorum)) if signers is None else signers
        preimage = vote_preimage(self.chain_id, validators.epoch, header.height, round, Phase.COMMIT, header.hash)
        votes = {index: _node_key(validators[index]).sign(preimage) for index in signers}
        return assemble(Phase.COMMIT, validators, header.height, round, header.hash, votes)

    def build(self, transactions=1, *, time_step_ms: int = 10, **changed) -> CommittedBlock:
        """Return the next block, executed; ``changed`` header fields make it a lie that is certified all the same."""
        validators, height = self.executor.validators, self.executor.height + 1
        parent = self.blocks[-1] if self.blocks else None
        time_ms = self.executor.time_ms + time_step_ms
        if isinstance(transactions, int):
            raws = [self.transaction(action="nothing") for _ in range(transactions)]
        else:
            raws = list(transactions)
        outcome = self.executor.run(height, time_ms, [transaction.Transaction.decode(raw) for raw in raws])
        proposer = None if parent is None else parent.block.header.proposer
        leader = leader_index(validators, proposer, height, 0, self.genesis.parameters.tenure)
        last_commit = None if parent is None else parent.certificate
        header = Header(
            version=1,
            chain_id=self.chain_id,
            height=height,
            parent_hash=self.chain_id if parent is None else parent.block.hash,
            epoch=validators.epoch,
            validators_hash=validators.hash,
            next_validators_hash=outcome.next_validators.hash,
            proposer=validators[leader].id,
            created_round=0,
            time_ms=time_ms,
            tx_root=merkle.root(raws),
            tx_count=len(raws),
            receipts_root=outcome.receipts_root,
            state_root=outcome.state_root,
            last_commit_hash=last_commit_hash(last_commit),
        )
        header = replace(header, **changed)
        self.outcome = outcome
        block = Block(header, tuple(raws), last_commit)
        return CommittedBlock(block, self.certify(header), outcome.receipts)

    def add(self, transactions=1, **changed) -> CommittedBlock:
        committed = self.build(transactions, **changed)
        self.executor.commit(self.outcome)
        self.store.write(self.outcome.change.entries)
        self.executor.state.flushed(self.outcome.change)
        self.blocks.append(committed)
        return committed

    def grow(self, count: int, transactions: int = 1) -> "Chain":
        for _ in range(count):
            self.add(transactions)
        return self

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


class ListSource:
    """A source that is a list of block bytes; ``claims`` is the tip it tells."""

    def __init__(self, blocks, name: str = "list", claims: int | None = None, handovers=()) -> None:
        self.handed = handovers
        self.raws = [block if isinstance(block, bytes) else block.encode() for block in blocks]
        self.name = name
        self.claims = len(self.raws) if claims is None else claims

    def tip(self) -> int:
        return self.claims

    def blocks(self, first: int, last: int) -> Iterator[bytes]:
        yield from self.raws[first - 1 : last]

    def handovers(self) -> Iterator[bytes]:
        yield from (handover.encode() for handover in self.handed)


@pytest.fixture
def chain() -> Chain:
    """A chain of twelve blocks, one transaction each."""
    return Chain().grow(12)


@pytest.fixture
def make_chain() -> Callable[..., Chain]:
    return Chain


@pytest.fixture
def list_source() -> type[ListSource]:
    return ListSource
