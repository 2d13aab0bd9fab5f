from __future__ import annotations

from consensus.application import Draft, Executed, Invalid
from contracts.execution import MAX_RECEIPTS_BYTES, Executor, new_state
from contracts.framework import Action, Contract
from contracts.table import CONTRACTS
from ledger.block import Block
from ledger.certificate import Certificate, Phase, assemble, vote_preimage
from ledger.genesis import PROTOCOL_VERSION, Genesis
from node.admission import VerifiedTransactions
from node.application import LedgerApplication
from node.mempool import Mempool
from tests.node.cluster import START_MS, key, make_genesis, sign_action, sign_transaction


class World:
    """An application on an empty chain whose rules have some contracts ``more``."""

    def __init__(self, *more: Contract, **parameters: int) -> None:
        self.genesis: Genesis = make_genesis(**parameters)
        self.verified = VerifiedTransactions()
        rules = {PROTOCOL_VERSION: {**CONTRACTS, **{contract.name: contract for contract in more}}}
        self.executor = Executor(self.genesis, new_state(self.genesis), self.verified.admit, rules=rules)
        self.mempool = Mempool()
        self.application = LedgerApplication(self.genesis, self.executor, self.mempool)

    def draft(self, *, time_ms: int = START_MS + 1, last_commit: Certificate | None = None) -> Draft:
        validators = self.executor.validators
        height = self.executor.height + 1
        return Draft(height, self.genesis.chain_id, 0, validators.hash, validators[0].id, 0, time_ms, last_commit)

    def fill(self, count: int, *, padding: int = 0, first: int = 0) -> list[bytes]:
        txs = [sign_transaction(self.genesis, first + number, padding=padding) for number in range(count)]
        for tx in txs:
            assert self.mempool.add(tx, 0) is None
        return [tx.raw for tx in txs]


def certificate(chain_of: World, block: Block) -> Certificate:
    validators, height = chain_of.executor.validators, block.header.height
    preimage = vote_preimage(chain_of.genesis.chain_id, validators.epoch, height, 0, Phase.COMMIT, block.hash)
    votes = {index: key("node", validators[index].id).sign(preimage) for index in range(validators.quorum)}
    return assemble(Phase.COMMIT, validators, height, 0, block.hash, votes)


def test_a_built_block_is_the_one_another_node_executes() -> None:
    one, other = World(), World()
    raws = one.fill(5)
    executed = one.application.build(one.draft())
    assert executed.block.transactions == tuple(raws)
    again = other.application.execute(Block.decode(executed.block.raw))
    assert isinstance(again, Executed)
    assert again.receipts == executed.receipts
    assert again.next_validators == executed.next_validators


def test_building_and_executing_change_nothing_until_the_commit() -> None:
    world = World()
    world.fill(3)
    root = world.executor.state.root
    executed = world.application.build(world.draft())
    assert world.executor.state.root == root
    assert len(world.mempool) == 3
    assert world.application.has_work()
    world.application.commit(executed, certificate(world, executed.block))
    assert world.executor.state.root == executed.block.header.state_root != root
    assert len(world.mempool) == 0
    assert not world.application.has_work()


def test_a_block_is_executed_once() -> None:
    runs: list[int] = []
    counting = Contract("counting", {}, begin=lambda view, moment: runs.append(moment.height) or {})
    one, other = World(counting), World(counting)
    one.fill(3)
    executed = one.application.build(one.draft())
    assert one.application.execute(executed.block) is executed
    first = other.application.execute(executed.block)
    assert other.application.execute(executed.block) is first
    assert runs == [1, 1]


def test_a_block_whose_roots_differ_has_diverged_and_one_with_a_bad_body_is_invalid() -> None:
    from dataclasses import replace

    one, other = World(), World()
    one.fill(2)
    block = one.application.build(one.draft()).block
    wrong = Block(replace(block.header, state_root=bytes(32)), block.transactions, None)
    outcome = other.application.execute(wrong)
    assert isinstance(outcome, Invalid)
    assert outcome.diverged
    short = Block(block.header, block.transactions[:1], None)
    outcome = other.application.execute(Block(replace(short.header, tx_count=1), short.transactions, None))
    assert isinstance(outcome, Invalid)
    assert not outcome.diverged


def test_a_block_stays_within_its_bytes_with_header_and_certificate() -> None:
    world = World(block_bytes_max=512 * 1024)
    world.fill(12, padding=60_000)
    last_commit = certificate(world, World().application.build(World().draft()).block)
    block = world.application.build(world.draft(last_commit=last_commit)).block
    assert len(block.transactions) == 8
    assert len(block.raw) <= 512 * 1024
    outcome = World(block_bytes_max=512 * 1024).application.execute(block)
    assert isinstance(outcome, Executed)


def test_a_block_holds_what_executes_in_a_part_of_a_round_and_never_nothing() -> None:
    world = World()
    raws = world.fill(20, padding=16 * 1024)
    first = world.application.build(world.draft())
    for _ in range(32):
        world.application.untimed_bytes = len(first.block.raw)
        world.application.took(60_000)
    slow = world.application.build(world.draft(time_ms=START_MS + 2))
    assert slow.block.transactions == tuple(raws[:3])
    other = World()
    (large,) = other.fill(1, padding=200 * 1024)
    for _ in range(32):
        other.application.untimed_bytes = len(first.block.raw)
        other.application.took(60_000)
    assert other.application.build(other.draft()).block.transactions == (large,)


def test_the_parents_certificate_counts_however_large_it_is() -> None:
    world = World(block_bytes_max=512 * 1024)
    large = world.fill(9, padding=56_000)
    # Small ones, so that almost no room is left; each costs what it is reckoned at.
    small = [world.fill(1, padding=number, first=100 + number)[0] for number in range(60)]
    largest = Certificate(Phase.COMMIT, 0, 2**40, 2**32 - 1, bytes(32), b"\xff" * 8, (bytes(64),) * 64)
    block = world.application.build(world.draft(last_commit=largest)).block
    assert block.transactions == (*large, *small)[: len(block.transactions)]
    assert len(block.transactions) < 69
    spare = 512 * 1024 - len(block.raw)
    assert 3_000 < spare < 4_600  # the reserve, less the header, and less than one transaction


def test_a_block_stays_within_its_number_of_transactions() -> None:
    world = World(block_transactions_max=7)
    raws = world.fill(10)
    assert world.application.build(world.draft()).block.transactions == tuple(raws[:7])


def test_a_transaction_that_no_block_may_hold_is_dropped_with_its_reason() -> None:
    world = World()
    late = sign_transaction(world.genesis, 1, valid_until_ms=START_MS + 1)
    unknown = sign_transaction(make_genesis(7), 2, member="bank-b")
    world.mempool.add(late, 0)
    world.mempool.add(unknown, 0)
    raws = world.fill(1, first=10)
    assert world.application.build(world.draft()).block.transactions == tuple(raws)
    dropped = world.application.take_dropped()
    assert [(tx.id, rejected.code) for tx, rejected in dropped] == [
        (late.id, "expired"),
        (unknown.id, "wrong_chain"),
    ]
    assert world.application.take_dropped() == []
    assert len(world.mempool) == 1


def test_expired_and_useless_transactions_are_dropped_without_a_block() -> None:
    world = World()
    late = sign_transaction(world.genesis, 1, valid_until_ms=START_MS + 5)
    foreign = sign_transaction(make_genesis(5), 2)
    world.mempool.add(late, 0)
    world.mempool.add(foreign, 0)
    world.application.expire(START_MS + 4)
    assert world.application.take_dropped() == []
    world.application.expire(START_MS + 5)
    world.application.recheck(START_MS + 5, 10)
    codes = [rejected.code for _, rejected in world.application.take_dropped()]
    assert codes == ["expired", "wrong_chain"]
    assert not world.application.has_work()


def test_a_transaction_that_fails_in_its_contract_is_in_the_block_with_a_receipt() -> None:
    """C9: it passed the checks, so it gets its place and a refusal that all nodes agree on."""
    from ledger import transaction
    from ledger.block import Receipt
    from tests.node.cluster import key

    world = World()
    tx = transaction.sign(
        key("operator", "bank-a"),
        chain_id=world.genesis.chain_id,
        sender="bank-a/admin",
        contract="nothing",
        action="at_all",
        args={},
        valid_until_ms=START_MS + 1_000,
        salt=bytes(16),
    )
    world.mempool.add(tx, 0)
    executed = world.application.build(world.draft())
    assert executed.block.transactions == (tx.raw,)
    assert Receipt.decode(executed.receipts[1]).code == "unknown_action"


def test_a_block_is_built_only_of_what_its_receipts_have_room_for() -> None:
    large = Action(lambda args: None, lambda view, context, args: {"text": "x" * 1_000_000}, "Say much")
    one, other = (World(Contract("large", {"say": large})) for _ in range(2))
    made = [
        sign_action(one.genesis, number, "bank-a", "large.say", {}, valid_until_ms=START_MS + 300_000)
        for number in range(20)
    ]
    raws = [tx.raw for tx in made if one.mempool.add(tx, 0) is None]
    executed = one.application.build(one.draft())
    assert executed.block.transactions == tuple(raws[:16])
    assert sum(map(len, executed.receipts)) <= MAX_RECEIPTS_BYTES < sum(map(len, executed.receipts)) + 1_000_000
    assert isinstance(other.application.execute(Block.decode(executed.block.raw)), Executed)
    one.application.commit(executed, certificate(one, executed.block))
    assert [tx.raw for tx in one.mempool] == raws[16:]
