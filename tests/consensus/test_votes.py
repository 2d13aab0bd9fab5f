from consensus_harness import Bench

from coseal.consensus.messages import Commit
from coseal.consensus.votes import Verdict, Votes
from coseal.ledger.certificate import Phase

BENCH = Bench(7)
BLOCK, OTHER = BENCH.block(), BENCH.block(transactions=[b"other"])


def kept(*messages, round=0):
    votes = Votes()
    votes.enter(round)
    for message in messages:
        if votes.judge(message) is Verdict.NEW:
            votes.add(message)
    return votes


def test_b1_votes_are_kept_for_the_current_round_and_its_neighbours():
    votes = kept(*(BENCH.prepare(0, BLOCK, round=r) for r in range(10)), round=5)
    assert [message.round for message in votes.messages()] == [4, 5, 6]
    assert votes.judge(BENCH.prepare(0, BLOCK, round=7)) is Verdict.OUTSIDE
    assert votes.judge(BENCH.prepare(0, BLOCK, round=3)) is Verdict.OUTSIDE


def test_b1_one_of_a_sender_a_round_and_the_first_stays():
    votes = kept(BENCH.prepare(0, BLOCK), BENCH.prepare(0, OTHER))
    assert votes.judge(BENCH.prepare(0, BLOCK)) is Verdict.KNOWN
    assert votes.judge(BENCH.prepare(0, OTHER)) is Verdict.CONFLICT
    assert votes.prepare(0, 0).block_hash == BLOCK.hash


def test_b2_the_latest_round_change_of_a_sender_is_kept():
    votes = kept(BENCH.change(0, 3), BENCH.change(0, 9), BENCH.change(0, 5))
    assert [change.round for change in votes.changes.values()] == [9]
    assert votes.judge(BENCH.change(0, 5)) is Verdict.OUTSIDE


def test_b3_the_latest_commit_of_any_lower_round_is_kept():
    votes = kept(
        BENCH.commit(0, BLOCK, round=2), BENCH.commit(0, BLOCK, round=4), BENCH.commit(0, BLOCK, round=3), round=9
    )
    assert [message.round for message in votes.messages()] == [4]
    assert votes.judge(BENCH.commit(0, BLOCK, round=5)) is Verdict.NEW
    votes.add(BENCH.commit(0, BLOCK, round=8))
    assert [message.round for message in votes.messages()] == [4, 8]
    votes.enter(12)
    assert [message.round for message in votes.messages()] == [8]


def test_entering_a_round_forgets_what_falls_out_of_the_window():
    votes = kept(
        BENCH.prepare(0, BLOCK), BENCH.prepare(0, BLOCK, round=1), BENCH.proposal(BLOCK), BENCH.commit(0, BLOCK)
    )
    votes.enter(2)
    assert [(type(message).__name__, message.round) for message in votes.messages()] == [("Prepare", 1), ("Commit", 0)]


def test_a_certificate_needs_a_quorum_for_one_block_in_one_round():
    four = [BENCH.commit(sender, BLOCK, round=1) for sender in range(4)]
    assert kept(*four, BENCH.commit(4, OTHER, round=1)).commit_certificate(BENCH.validators) is None
    assert kept(*four, BENCH.commit(4, BLOCK)).commit_certificate(BENCH.validators) is None
    assert kept(*(BENCH.prepare(s, BLOCK) for s in range(5))).commit_certificate(BENCH.validators) is None
    certificate = kept(*four, BENCH.commit(4, BLOCK, round=1)).commit_certificate(BENCH.validators)
    assert (certificate.phase, certificate.round, certificate.signers()) == (Phase.COMMIT, 1, (0, 1, 2, 3, 4))


def test_old_rounds_decide_too_when_their_commits_are_the_latest():
    votes = kept(*(BENCH.commit(sender, BLOCK, round=1) for sender in range(5)), round=7)
    assert votes.commit_certificate(BENCH.validators).round == 1


def test_the_rank_th_highest_round_asked():
    votes = kept(BENCH.change(0, 9), BENCH.change(1, 4), BENCH.change(2, 6))
    assert [votes.round_asked(rank) for rank in (1, 2, 3, 4)] == [9, 6, 4, 0]
    assert [votes.asking(round) for round in (4, 5, 7, 10)] == [3, 2, 1, 0]


def test_what_is_kept_does_not_depend_on_the_order_of_arrival():
    messages = [BENCH.commit(s, BLOCK) for s in range(4)] + [BENCH.change(s, 1) for s in range(3)]
    assert kept(*messages).messages() == kept(*reversed(messages)).messages()
    assert isinstance(kept(*messages).latest_commit(2), Commit)
