"""The machine under CometBFT: what it proposes, votes for, keeps and publishes, and what a crash leaves of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.contracts.evidence import actions as evidence
from coseal.contracts.execution import Outcome
from coseal.ledger.block import Block, CommittedBlock, Header
from coseal.ledger.comet import VoteKind, address_of
from coseal.ledger.proof import verify_certified
from coseal.ledger.signing import ZERO_HASH, key_preimage, verify
from coseal.ledger.transaction import Transaction
from coseal.node.core import events
from coseal.node.core.comet import abci
from coseal.node.core.comet.certifying import DoubleVote
from coseal.node.core.comet.machine import TICK
from coseal.node.core.evidence import TURN_TICKS
from tests.support import zip215
from tests.support.acting import NEW, ActingNetwork
from tests.support.cluster import DEFAULTS, Cluster
from tests.support.comet import tree, vote, voted_twice
from tests.support.comet_cluster import CometCluster, CometNode, digest, outcomes, prepared
from tests.support.genesis import make_genesis
from tests.support.keys import seed, signer_of, validator
from tests.support.transactions import signed

ROOTS = (
    "chain_id",
    "height",
    "epoch",
    "validators_hash",
    "next_validators_hash",
    "time_ms",
    "tx_root",
    "tx_count",
    "receipts_root",
    "state_root",
)
NAMES = ("bank-a", "central-bank", "enterprise-a", "regulator")


def genesis_of(**parameters: int):
    return make_genesis(members=NAMES, validators=NAMES, engine="cometbft", **{**DEFAULTS, **parameters})


GENESIS = genesis_of()


@pytest.fixture
def cluster() -> CometCluster:
    return CometCluster(GENESIS)


def reason(node: CometNode) -> str:
    return next(effect.text for effect in node.effects if isinstance(effect, events.Noticed))


def refused(node: CometNode, proposed: abci.Proposed) -> str:
    """Have a node refuse a block; return why. Its state must be what it was."""
    before = digest(node)
    assert node.ask(abci.ProcessProposal(proposed)) == abci.process_proposal(accept=False)
    assert digest(node) == before
    return reason(node)


def with_header(proposed: abci.Proposed, **changes: object) -> abci.Proposed:
    header = replace(Header.decode(proposed.transactions[0]), **changes)
    return replace(proposed, transactions=(header.raw, *proposed.transactions[1:]))


# The normal case


def test_blocks_are_executed_before_the_vote_and_published_with_their_own_certificate(cluster: CometCluster) -> None:
    for number in range(3):
        cluster.nodes[number].submit(signed(GENESIS, number))
        committed = cluster.decide(number, round=number)
        header = committed.block.header
        assert outcomes(committed) == ["ok"]
        assert header.proposer == NAMES[number]
        verify_certified(header, committed.certificate, GENESIS.chain_id, GENESIS.validators)
    assert len({repr(digest(node)) for node in cluster.nodes}) == 1
    assert all(node.machine.tip == committed for node in cluster.nodes)


def again(mine: CometCluster, committed: CommittedBlock) -> abci.Proposed:
    """Have a block of PBFT's machines decided under CometBFT: its transactions at its time; return that."""
    header = committed.block.header
    mine.tick(header.time_ms - mine.now_ms)
    proposer = next(node for node in mine.nodes if node.name == "bank-a")
    if committed.block.transactions:
        proposer.submit(*map(Transaction.decode, committed.block.transactions))
    proposed = mine.propose(proposer)
    mine.close(proposed)
    for node in mine.nodes:
        mine.apply(node, header.height)
    return proposed


def test_the_same_blocks_have_the_same_roots_under_either_engine() -> None:
    """One genesis, once under our own machines and once under these: transactions, a ballot, a change of validators."""
    own = ActingNetwork()
    own.cluster = Cluster(4, bystanders=2)
    own.cluster.start()
    own.register()
    own.change("add_validator", node=NEW)
    own.grow(4)
    own.settle()
    theirs = [committed for committed, _ in own.front.published]
    assert theirs[-1].block.header.epoch == 1
    mine = CometCluster(own.cluster.genesis)
    for committed in theirs:
        header, proposed = committed.block.header, again(mine, committed)
        ours = Header.decode(proposed.transactions[0])
        assert proposed.transactions[1:] == committed.block.transactions, header.height
        for name in ROOTS:
            assert getattr(ours, name) == getattr(header, name), (header.height, name)
        changed = header.next_validators_hash != header.validators_hash
        told = [update for update in mine.nodes[0].updates if update[0] == header.height - 1]
        assert bool(told) == changed, "what is promoted here, CometBFT was told one block before"
    assert mine.nodes[0].machine.validators == own.front.machine.executor.validators  # type: ignore[union-attr]


def test_cometbft_signs_with_a_new_key_from_the_block_that_names_it_or_when_it_is_given() -> None:
    own, new = ActingNetwork(), validator("regulator, second")
    host = own.cluster["regulator"]
    host.step(events.KeyGiven(new))
    host.keys.append(new)
    proof = new.sign(key_preimage(own.cluster.genesis.chain_id, "regulator", new.public_key)).hex()
    own.grow(1)
    own.change("rotate_validator_key", "regulator", node="regulator", key=new.public_key.hex(), proof=proof)
    own.grow(2)
    theirs = [committed for committed, _ in own.front.published]
    early, late = (CometCluster(own.cluster.genesis) for _ in range(2))
    holds, lacks = (next(node for node in mine.nodes if node.name == "regulator") for mine in (early, late))
    assert events.SignWith(new.public_key) not in holds.step(events.KeyGiven(new))
    changes = []
    for committed in theirs:
        header = committed.block.header
        again(early, committed)
        again(late, committed)
        if events.SignWith(new.public_key) in holds.done:
            changes.append(header.height)
        holds.done.clear()
        assert (lacks.machine.missing_key is None) == (holds.machine.validators[3].key != new.public_key)
    headers = [committed.block.header for committed in theirs]
    named = [one for one in headers if one.next_validators_hash != headers[0].validators_hash]
    assert changes == [named[0].height]
    assert holds.machine.missing_key is None
    assert lacks.machine.missing_key == new.public_key
    assert events.SignWith(new.public_key) in lacks.step(events.KeyGiven(new))
    assert lacks.machine.missing_key is None


def test_a_transaction_of_another_nodes_client_comes_in_by_the_pool_of_cometbft(cluster: CometCluster) -> None:
    first, second = cluster.nodes[:2]
    tx = signed(GENESIS, 1)
    first.submit(tx)
    assert first.offered == [tx.raw]
    assert second.ask(abci.CheckTx(tx.raw, recheck=False)) == abci.check_tx(0, "")
    assert outcomes(cluster.decide(1)) == ["ok"]
    for node in (first, second):
        assert node.ask(abci.CheckTx(tx.raw, recheck=True)) != abci.check_tx(0, "")
    for raw in (b"", b"x", tx.raw[:-1], Header.decode(first.log[0].block.header.raw).raw):
        assert second.ask(abci.CheckTx(raw, recheck=False)) == abci.check_tx(1, "not in the pool of this node")


def test_an_idle_chain_wakes_cometbft_when_the_heartbeat_is_due_and_not_before() -> None:
    cluster = CometCluster(genesis_of(heartbeat_ms=5_000))
    cluster.decide()
    node = cluster.nodes[0]
    node.offered.clear()
    wake = TICK + (2).to_bytes(8, "big")
    node.step(events.TimerFired(events.Tick(events.TickKind.STATUS)))
    assert node.offered == []
    assert node.ask(abci.CheckTx(wake, recheck=False)) == abci.check_tx(1, "nothing is due")
    cluster.tick(5_000)
    node.step(events.TimerFired(events.Tick(events.TickKind.STATUS)))
    assert node.offered == [wake]
    assert node.ask(abci.CheckTx(wake, recheck=False)) == abci.check_tx(0, "")
    assert cluster.decide().block.transactions == ()
    assert node.ask(abci.CheckTx(wake, recheck=True)) == abci.check_tx(1, "nothing is due")


# What is refused


def test_a_block_is_refused_for_each_field_of_its_header_that_is_not_ours(cluster: CometCluster) -> None:
    cluster.decide()
    cluster.tick(100)
    cluster.nodes[0].submit(signed(GENESIS, 1))
    good = cluster.propose(cluster.nodes[0])
    for changes in (
        {"time_ms": cluster.now_ms - 60_000},
        {"time_ms": cluster.now_ms + 60_000},
        {"height": 3},
        {"parent_hash": bytes(32)},
        {"epoch": 1},
        {"validators_hash": bytes(32)},
        {"next_validators_hash": bytes(32)},
        {"proposer": "regulator"},
        {"proposer": "nobody"},
        {"created_round": 1},
        {"tx_root": bytes(32)},
        {"tx_count": 2},
        {"receipts_root": bytes(32)},
        {"state_root": bytes(32)},
        {"last_commit_hash": bytes([1]) + ZERO_HASH[1:]},
        {"chain_id": bytes(32)},
    ):
        assert refused(cluster.nodes[1], with_header(good, **changes)), changes
    header, *rest = good.transactions
    for raws in ((), tuple(rest), (*rest, header), (header,), (header, header), (header, *rest, *rest), (header, b"x")):
        assert refused(cluster.nodes[2], replace(good, transactions=raws)), raws
    assert "proposer" in refused(cluster.nodes[3], replace(good, proposer=address_of(GENESIS.validators[2].key)))
    for node in cluster.nodes:
        assert node.ask(abci.ProcessProposal(good)) == abci.process_proposal(accept=True)


def test_a_decided_block_that_this_node_refuses_halts_it(cluster: CometCluster) -> None:
    bad = with_header(cluster.propose(cluster.nodes[0]), state_root=bytes(32))
    assert cluster.nodes[1].ask(abci.FinalizeBlock(bad)) is None
    assert "this node refuses it" in str(cluster.nodes[1].halted)
    assert cluster.nodes[2].ask(abci.FinalizeBlock(replace(bad, transactions=()))) is None
    assert "no header" in str(cluster.nodes[2].halted)
    assert cluster.nodes[1].ask(abci.Info()) is None


def test_who_is_locked_on_a_block_is_joined_by_the_others_after_minutes_of_silence(cluster: CometCluster) -> None:
    """Two of four have voted for a block, then all are away: no other block can get a quorum."""
    proposed = cluster.propose(cluster.nodes[0])
    for node in cluster.nodes[:2]:
        assert node.ask(abci.ProcessProposal(proposed)) == abci.process_proposal(accept=True)
    cluster.tick(5 * 60_000)
    for node in cluster.nodes[:2]:  # what a node once accepted stays so
        assert node.ask(abci.ProcessProposal(proposed)) == abci.process_proposal(accept=True)
    for node in cluster.nodes[2:]:
        rounds = 1
        while rounds < 20 and node.ask(abci.ProcessProposal(proposed)) != abci.process_proposal(accept=True):
            rounds += 1
        assert rounds == 8  # the first of them that doubles 2.5 s beyond 300 s


def test_cometbft_of_another_chain_or_of_a_lost_folder_halts_the_node(cluster: CometCluster) -> None:
    keys = tuple((seat.key, 1) for seat in GENESIS.validators.validators)
    stranger = CometNode(GENESIS, "bank-a", cluster.now_ms)
    assert stranger.ask(abci.InitChain("other", keys, 1)) is None
    assert "another chain" in str(stranger.halted)
    other = CometNode(GENESIS, "bank-a", cluster.now_ms)
    assert other.ask(abci.InitChain("x", keys[1:], 1)) is None
    cluster.decide()
    lost = cluster.nodes[0]
    with pytest.raises(AssertionError):
        cluster.init(lost)
    assert "its folder is lost" in str(lost.halted)


def test_a_block_over_the_bytes_that_cometbft_allows_is_not_proposed(cluster: CometCluster) -> None:
    node = cluster.nodes[0]
    node.submit(*[signed(GENESIS, number) for number in range(3)])
    own = (b"a" * 40, b"b" * 40, b"c" * 40)
    answer = node.ask(abci.PrepareProposal(100, own, 1))
    assert answer is not None
    assert prepared(answer) == own[:2]  # no header: everyone refuses it
    assert node.machine.counters["no_proposal"] == 1


# Double votes


def double_vote(height: int, *, offender: int = 2) -> DoubleVote:
    key = GENESIS.validators[offender].key
    votes = voted_twice(GENESIS.chain_id, signer_of(key), height)
    return DoubleVote(address_of(key), height, 0, VoteKind.PREVOTE, *votes)


def test_a_double_vote_that_cometbft_found_is_kept_and_reported_to_the_chain_once(cluster: CometCluster) -> None:
    cluster.decide()
    cluster.tick(100)
    cluster.close(cluster.propose(cluster.nodes[0]))
    proposed, decided = cluster.blocks[-1]
    cluster.blocks[-1] = (proposed, replace(decided, double_votes=(double_vote(1),)))
    accused = []
    for node in cluster.nodes:
        cluster.apply(node, 2)
        accused += [effect for effect in node.effects if isinstance(effect, events.Accused)]
    name = GENESIS.validators[2].id
    assert [one.node for one in accused] == [name] * 4
    for _ in range(3 * TURN_TICKS + 1):
        cluster.tick(1_000)
        for node in cluster.nodes:
            node.step(events.TimerFired(events.Tick(events.TickKind.STATUS)))
        if len(cluster.nodes[3].machine.mempool):
            break
    assert outcomes(cluster.decide(3)) == ["ok"]
    (shown,) = evidence.proofs(cluster.nodes[0].machine.executor.reader, name)
    assert (shown["height"], shown["phase"], shown["reporter"]) == (1, "prevote", f"node:{GENESIS.validators[3].id}")
    for _ in range(8):
        cluster.tick(1_000)
        for node in cluster.nodes:
            node.step(events.TimerFired(events.Tick(events.TickKind.STATUS)))
    assert [len(node.machine.mempool) for node in cluster.nodes] == [0] * 4, "it is on record"


def test_what_cometbft_says_of_a_double_vote_is_not_believed(cluster: CometCluster) -> None:
    good = double_vote(1)
    for wrong in (
        replace(good, height=2),
        replace(good, kind=VoteKind.PRECOMMIT),
        replace(good, address=bytes(20)),
        replace(good, address=address_of(GENESIS.validators[0].key)),
        replace(good, one=good.other),
        replace(good, other=replace(good.other, signature=bytes(64))),
    ):
        cluster.tick(100)
        cluster.close(cluster.propose(cluster.nodes[0]))
        proposed, decided = cluster.blocks[-1]
        cluster.blocks[-1] = (proposed, replace(decided, double_votes=(wrong,)))
        for node in cluster.nodes:
            cluster.apply(node, len(cluster.blocks))
            assert not [effect for effect in node.effects if isinstance(effect, events.Accused)]
    assert cluster.nodes[0].machine.counters["refused_double_vote"] == 6
    assert len(cluster.nodes[0].log) == 6, "the blocks are published all the same"


def test_cometbft_may_drop_what_the_node_has_pruned_and_nothing_before() -> None:
    cluster = CometCluster(GENESIS)
    node = cluster.nodes[0]
    cluster.decide(3)
    assert committed(cluster) == abci.commit(0)
    node.step(events.BlocksPruned(3))
    assert committed(cluster) == abci.commit(3)


def committed(cluster: CometCluster) -> bytes | None:
    """Return what the first node answers to the Commit of another block, which the others apply, too."""
    node = cluster.nodes[0]
    node.submit(signed(GENESIS, len(cluster.blocks) + 100))
    cluster.tick(100)
    proposed = cluster.propose(node)
    for request in (abci.ProcessProposal(proposed), abci.FinalizeBlock(proposed)):
        node.ask(request)
    answer = node.ask(abci.Commit())
    cluster.close(proposed)
    for other in cluster.nodes[1:]:
        cluster.apply(other, len(cluster.blocks))
    return answer


# Crashes


@pytest.mark.parametrize("crash", [True, False])
@pytest.mark.parametrize("calls", range(5))
def test_a_restart_between_any_two_calls_ends_in_the_same_state(*, calls: int, crash: bool) -> None:
    cluster = CometCluster(GENESIS)
    cluster.nodes[0].submit(*[signed(GENESIS, number) for number in range(2)])
    cluster.decide()
    cluster.tick(100)
    cluster.nodes[0].submit(signed(GENESIS, 7))
    proposed, victim = cluster.propose(cluster.nodes[0]), cluster.nodes[3]
    requests = [abci.ProcessProposal(proposed), abci.FinalizeBlock(proposed), abci.Commit()]
    for request in requests[:calls]:
        assert victim.ask(request) is not None
    if calls == 4:
        cluster.close(proposed)
        victim.step(events.CommitFound(cluster.blocks[-1][1]))
    if len(cluster.blocks) < 2:
        cluster.close(proposed)
    for node in cluster.nodes[:3]:
        cluster.apply(node, 2)
    cluster.restart(victim, crash=crash)
    assert len({repr(digest(node)) for node in cluster.nodes}) == 1
    assert victim.height == len(victim.log) == 2
    cluster.decide(3)
    assert len({repr(digest(node)) for node in cluster.nodes}) == 1


STEPS = st.tuples(
    st.integers(0, 3),  # who crashes
    st.integers(0, 3),  # after how many of the three calls of a block
    st.booleans(),  # the node, or its CometBFT alone
    st.sampled_from(["kept", "torn", "lost"]),  # what the crash leaves of the journal
    st.booleans(),  # whether the others wait for the certificate
    st.integers(0, 2),  # rounds before, whose proposals are not decided
)


@given(st.lists(STEPS, min_size=3, max_size=6))
@settings(max_examples=12, deadline=None)
def test_crashes_between_any_two_calls_block_after_block_end_in_the_same_state(
    steps: list[tuple[int, int, bool, str, bool, int]],
) -> None:
    cluster = CometCluster(GENESIS)
    for number, (who, calls, crash, journal, waits, rounds) in enumerate(steps):
        victim, proposer = cluster.nodes[who], cluster.nodes[number % 4]
        proposer.submit(signed(GENESIS, number))
        for other in range(rounds):
            cluster.tick(100)
            undecided = cluster.propose(cluster.nodes[(number + other + 1) % 4])
            for node in cluster.nodes:
                assert node.ask(abci.ProcessProposal(undecided)) == abci.process_proposal(accept=True)
        cluster.tick(100)
        proposed = cluster.propose(proposer)
        for request in (abci.ProcessProposal(proposed), abci.FinalizeBlock(proposed), abci.Commit())[:calls]:
            assert victim.ask(request) is not None
        cluster.close(proposed, round=rounds)
        for node in cluster.nodes:
            if node is not victim:
                cluster.apply(node, number + 1, certify=not waits)
        if crash and journal != "kept":
            victim.journal = None if journal == "lost" else (victim.journal or b"")[:-3]
        held = len(victim.log)
        cluster.restart(victim, crash=crash)
        assert held <= len(victim.log) == victim.height == number + 1
    for node in cluster.nodes:
        cluster.restart(node, crash=False)
    assert len({repr(digest(node)) for node in cluster.nodes}) == 1
    assert len(cluster.nodes[0].log) == len(steps)


def test_info_counts_only_what_is_durable_and_a_lost_or_damaged_journal_costs_nothing(cluster: CometCluster) -> None:
    cluster.decide()
    for number in range(3):
        cluster.tick(100)
        proposed = cluster.propose(cluster.nodes[0])
        cluster.close(proposed)
        for node in cluster.nodes:
            cluster.apply(node, number + 2, certify=False)
    _whole, torn, lost, foreign = cluster.nodes
    assert [len(node.log) for node in cluster.nodes] == [1] * 4
    torn.journal, lost.journal = (torn.journal or b"")[:-5], None
    foreign.journal = b"something else"
    heights = []
    for node in cluster.nodes:
        node.boot()
        heights.append(node.height)
        assert node.ask(abci.Info()) == abci.info("", node.height, GENESIS.chain_id)
        cluster.restart(node, crash=False)
    assert heights == [4, 3, 1, 1]
    assert len({repr(digest(node)) for node in cluster.nodes}) == 1
    for node in cluster.nodes:
        cluster.restart(node)
    assert [len(node.log) for node in cluster.nodes] == [4] * 4


def test_certificates_are_published_in_order_and_one_that_proves_nothing_is_asked_for_again(
    cluster: CometCluster,
) -> None:
    node = cluster.nodes[0]
    for _ in range(2):
        cluster.tick(100)
        cluster.close(cluster.propose(node))
        for each in cluster.nodes:
            cluster.apply(each, len(cluster.blocks), certify=False)
    (_, first), (_, second) = cluster.blocks
    node.step(events.CommitFound(second))
    assert node.log == []
    for wrong in (
        replace(first, round=1),
        replace(first, precommits=first.precommits[:2]),
        replace(first, precommits=(first.precommits[0],) * 4),
        replace(first, fields=first.fields[:13]),
        replace(first, fields=(b"other", *first.fields[1:])),
    ):
        node.step(events.CommitFound(wrong))
        assert (node.log, node.asked[-1]) == ([], 1)
    node.step(events.CommitFound(first))
    node.step(events.CommitFound(first))
    assert [one.block.header.height for one in node.log] == [1, 2]


def test_a_signature_that_only_cometbft_accepts_counts_where_the_quorum_needs_it(cluster: CometCluster) -> None:
    node = cluster.nodes[0]
    cluster.close(cluster.propose(node))
    for each in cluster.nodes:
        cluster.apply(each, 1, certify=False)
    decided = cluster.blocks[0][1]
    first, second, *rest = decided.precommits
    name, key = GENESIS.validators[1].id, GENESIS.validators[1].key
    message = vote(GENESIS.chain_id, 1, 0, tree(decided.fields), second.seconds, second.nanoseconds)
    odd = replace(second, signature=zip215.sign(seed(f"node:{name}"), message))
    assert not verify(key, message, odd.signature)
    node.step(events.CommitFound(replace(decided, precommits=(first, odd, rest[0]))))
    assert node.log[0].certificate.signers() == (0, 1, 2)
    verify_certified(node.log[0].block.header, node.log[0].certificate, GENESIS.chain_id, GENESIS.validators)
    cluster.nodes[1].step(events.CommitFound(replace(decided, precommits=(first, odd, *rest))))
    assert cluster.nodes[1].log[0].certificate.signers() == (0, 2, 3)
    bad = replace(odd, signature=odd.signature[:32] + bytes(32))
    cluster.nodes[2].step(events.CommitFound(replace(decided, precommits=(first, bad, rest[0]))))
    assert cluster.nodes[2].log == []


def test_the_height_of_the_state_is_ahead_of_the_log_only_within_a_bound(cluster: CometCluster, monkeypatch) -> None:
    monkeypatch.setattr("coseal.node.core.comet.uncertified.UNCERTIFIED_MAX", 2)
    node = cluster.nodes[0]
    for height in (1, 2, 3):
        cluster.tick(100)
        cluster.close(cluster.propose(node))
        for each in cluster.nodes[1:]:
            cluster.apply(each, height)
        if height < 3:
            cluster.apply(node, height, certify=False)
    assert node.ask(abci.FinalizeBlock(cluster.blocks[2][0])) is not None
    assert node.ask(abci.Commit()) is None
    assert "wait for their certificates" in str(node.halted)


def test_the_status_says_who_is_away_and_what_is_wrong_with_cometbft(cluster: CometCluster) -> None:
    node = cluster.nodes[0]
    cluster.decide()
    node.step(events.EngineSeen(("central-bank", "enterprise-a", "regulator"), False, None))
    assert node.machine.status(cluster.now_ms).why_stalled is None
    node.step(events.EngineSeen((), False, "CometBFT ended"))
    cluster.tick(6_000)
    why = str(node.machine.status(cluster.now_ms).why_stalled)
    assert "CometBFT ended" in why
    assert "unreachable" in why
    node.step(events.EngineSeen((), True, None))
    assert node.machine.status(cluster.now_ms).syncing


def test_what_the_executed_block_says_is_what_pbft_would_have_executed(cluster: CometCluster) -> None:
    cluster.nodes[0].submit(*[signed(GENESIS, number) for number in range(5)])
    cluster.decide()
    committed = cluster.decide()
    fresh = CometNode(GENESIS, "regulator", cluster.now_ms).machine.executor
    for one in cluster.nodes[0].log:
        outcome = fresh.execute_block(Block(one.block.header, one.block.transactions, None))
        assert isinstance(outcome, Outcome)
        fresh.commit(outcome)
    assert fresh.state.root == committed.block.header.state_root
