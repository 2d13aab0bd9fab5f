from __future__ import annotations

from typing import Any

from coseal.consensus.application import Draft, Executed, Invalid
from coseal.contracts.execution import MAX_RECEIPTS_BYTES, Executor, Outcome
from coseal.contracts.genesis_state import new_state
from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import Action, Arguments, Context, Result, View
from coseal.contracts.kernel.budget import BLOCK_STEPS, least_steps
from coseal.contracts.kernel.contract import Contract, Entry, Moment
from coseal.contracts.kernel.fields import Integer
from coseal.contracts.registry import CONTRACTS
from coseal.ledger.block import Block, Receipt
from coseal.ledger.certificate import PbftCertificate, Phase, assemble, vote_preimage
from coseal.ledger.genesis import PROTOCOL_VERSION, Genesis
from coseal.node.core.application import LedgerApplication
from coseal.node.core.block_sizing import ROOM_MIN_STEPS
from coseal.node.core.mempool import Mempool
from coseal.node.core.verified_cache import VerifiedCache
from tests.support.cluster import genesis_of
from tests.support.genesis import START_MS
from tests.support.keys import operator, validator
from tests.support.transactions import acted, signed

STEPS = Arguments({"steps": Integer(0)})
SPENDING = Contract(
    "spending",
    {"spend": Action(STEPS, lambda view, context, args: view.charge(args["steps"]) or {}, "")},
)


class World:
    """An application on an empty chain whose rules have some contracts ``more``."""

    def __init__(self, *more: Contract, **parameters: int) -> None:
        self.genesis: Genesis = genesis_of(**parameters)
        self.verified = VerifiedCache()
        rules = {PROTOCOL_VERSION: {**CONTRACTS, **{contract.name: contract for contract in more}}}
        self.executor = Executor(self.genesis, new_state(self.genesis), self.verified.admit, rules=rules)
        self.mempool = Mempool()
        self.application = LedgerApplication(self.genesis, self.executor, self.mempool)

    def draft(self, *, time_ms: int = START_MS + 1, last_commit: PbftCertificate | None = None) -> Draft:
        validators = self.executor.validators
        height = self.executor.height + 1
        return Draft(height, self.genesis.chain_id, 0, validators.hash, validators[0].id, 0, time_ms, last_commit)

    def fill(self, count: int, *, padding: int = 0, first: int = 0) -> list[bytes]:
        txs = [signed(self.genesis, first + number, padding=padding) for number in range(count)]
        for tx in txs:
            assert self.mempool.add(tx, 0) is None
        return [tx.raw for tx in txs]

    def spend(self, number: int, steps: int, member: str = "bank-a") -> bytes:
        """Add a transaction of about so many steps, and some for its bytes."""
        tx = acted(self.genesis, number, member, "spending.spend", {"steps": steps})
        assert self.mempool.add(tx, 0) is None
        return tx.raw

    def built(self) -> Executed:
        """Build a block and commit it."""
        executed = self.application.build(self.draft(time_ms=self.executor.time_ms + 1_000))
        self.application.commit(executed, certificate(self, executed.block))
        return executed

    def slow(self) -> None:
        """Let blocks take so long that a leader takes the least."""
        for _ in range(32):
            self.application.untimed_steps = ROOM_MIN_STEPS
            self.application.took(60_000)


def certificate(chain_of: World, block: Block) -> PbftCertificate:
    validators, height = chain_of.executor.validators, block.header.height
    preimage = vote_preimage(chain_of.genesis.chain_id, validators.epoch, height, 0, Phase.COMMIT, block.hash)
    votes = {index: validator(validators[index].id).sign(preimage) for index in range(validators.quorum)}
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
    world = World(block_bytes_max=512 * 1024, round_timeout_ms=20_000)  # so that steps bound nothing
    world.fill(12, padding=60_000)
    last_commit = certificate(world, World().application.build(World().draft()).block)
    block = world.application.build(world.draft(last_commit=last_commit)).block
    assert len(block.transactions) == 8
    assert len(block.raw) <= 512 * 1024
    outcome = World(block_bytes_max=512 * 1024, round_timeout_ms=20_000).application.execute(block)
    assert isinstance(outcome, Executed)


def test_a_block_holds_the_steps_that_execute_in_a_part_of_a_round() -> None:
    world = World(SPENDING)
    world.slow()
    raws = [world.spend(number, 20_000) for number in range(9)]
    assert world.built().block.transactions == tuple(raws[:4])
    for _ in range(32):
        world.application.untimed_steps = BLOCK_STEPS
        world.application.took(1)
    assert world.built().block.transactions == tuple(raws[4:])


def test_how_large_transactions_are_does_not_count_beside_their_steps() -> None:
    world = World()
    world.slow()
    raws = world.fill(20, padding=16 * 1024)
    least = least_steps(len(raws[0]))
    assert ROOM_MIN_STEPS // 2 < least * len(world.built().block.transactions) <= ROOM_MIN_STEPS


def test_a_large_transaction_fits_at_the_start_of_a_block_and_no_other_follows_it() -> None:
    world = World(SPENDING)
    world.slow()
    raws = [world.spend(number, steps) for number, steps in enumerate((40_000, 499_000, 1_000, 60_000, 499_000))]
    assert world.built().block.transactions == tuple(raws[:2])
    assert world.built().block.transactions == tuple(raws[2:4])
    assert world.built().block.transactions == tuple(raws[4:])


def test_a_block_never_has_more_steps_than_a_follower_accepts() -> None:
    one, other = World(SPENDING), World(SPENDING)
    for _ in range(32):
        one.application.untimed_steps = BLOCK_STEPS
        one.application.took(1)
    raws = [one.spend(number, 490_000) for number in range(6)]
    executed = one.application.build(one.draft())
    assert executed.block.transactions == tuple(raws[:4])
    outcome: Outcome = executed.result
    assert outcome.steps + outcome.beyond > BLOCK_STEPS >= outcome.steps
    assert isinstance(other.application.execute(Block.decode(executed.block.raw)), Executed)


def test_what_is_due_takes_no_room_from_transactions_but_from_the_block() -> None:
    """A backlog of due things lasts for many blocks; else each of them would hold one transaction."""

    def wake(view: View, moment: Moment) -> Result:
        if view.get("waking/done") is None:
            deadlines.add(view, "waking", deadlines.BLOCK_CLOCK, 0, ["wake"])
        return {}

    def fire(view: View, moment: Moment, entry: Entry) -> Result:
        view.put("waking/done", 1)
        view.charge(45_000)
        return {}

    due = Contract("waking", {}, begin=wake, fire=fire)
    world, other = World(SPENDING, due), World(SPENDING, due)
    world.slow()
    raws = [world.spend(number, 20_000) for number in range(9)]
    executed = world.application.build(world.draft())
    assert Receipt.decode(executed.receipts[0]).steps > 45_000
    assert executed.block.transactions == tuple(raws[:4])
    assert isinstance(other.application.execute(Block.decode(executed.block.raw)), Executed)


def test_what_had_no_room_is_not_executed_again_before_it_has() -> None:
    tried: list[int] = []

    def spend(view: View, context: Context, args: dict[str, Any]) -> Result:
        tried.append(args["steps"])
        view.charge(args["steps"])
        return {}

    world = World(Contract("spending", {"spend": Action(STEPS, spend, "")}))
    world.slow()
    cheap = [world.spend(number, 60_000) for number in range(3)]
    costly = world.spend(9, 300_000, "central-bank")
    world.mempool.turns.executed(START_MS, [("central-bank", 10_000_000)])
    blocks = [world.built().block.transactions for _ in range(4)]
    assert blocks == [(cheap[0],), (cheap[1],), (cheap[2],), (costly,)]
    assert tried.count(300_000) == 2, "in vain at the end of the first or third block, and to be committed"


def test_the_member_that_took_least_lately_comes_first() -> None:
    world = World(SPENDING)
    costly = [world.spend(number, 90_000) for number in range(3)]
    assert world.built().block.transactions == (costly[0],)
    cheap = [world.spend(10 + number, 100, "central-bank") for number in range(5)]
    assert world.built().block.transactions == (*cheap, costly[1])
    assert world.mempool.turns.lately()["central-bank"] < 5_000 < 150_000 < world.mempool.turns.lately()["bank-a"]


def test_the_steps_of_a_node_are_its_members() -> None:
    world = World()
    assert world.executor.member_of("node:bank-a") == world.executor.member_of("bank-a/admin") == "bank-a"
    assert world.executor.member_of("node:nobody") == ""


def test_the_parents_certificate_counts_however_large_it_is() -> None:
    world = World(block_bytes_max=512 * 1024, round_timeout_ms=20_000)  # so that steps bound nothing
    large = world.fill(9, padding=56_000)
    # Small ones, so that almost no room is left; each costs what it is reckoned at.
    small = [world.fill(1, padding=number, first=100 + number)[0] for number in range(60)]
    largest = PbftCertificate(Phase.COMMIT, 0, 2**40, 2**32 - 1, bytes(32), b"\xff" * 8, (bytes(64),) * 64)
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
    late = signed(world.genesis, 1, valid_until_ms=START_MS + 1)
    unknown = signed(genesis_of(7), 2, member="bank-b")
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
    late = signed(world.genesis, 1, valid_until_ms=START_MS + 5)
    foreign = signed(genesis_of(5), 2)
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
    from coseal.ledger import transaction

    world = World()
    tx = transaction.sign(
        operator("bank-a"),
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
    large = Action(Arguments({}), lambda view, context, args: {"text": "x" * 1_000_000}, "Say much")
    one, other = (World(Contract("large", {"say": large})) for _ in range(2))
    made = [acted(one.genesis, number, "bank-a", "large.say", {}) for number in range(20)]
    raws = [tx.raw for tx in made if one.mempool.add(tx, 0) is None]
    executed = one.application.build(one.draft())
    assert executed.block.transactions == tuple(raws[:16])
    assert sum(map(len, executed.receipts)) <= MAX_RECEIPTS_BYTES < sum(map(len, executed.receipts)) + 1_000_000
    assert isinstance(other.application.execute(Block.decode(executed.block.raw)), Executed)
    one.application.commit(executed, certificate(one, executed.block))
    assert [tx.raw for tx in one.mempool] == raws[16:]
