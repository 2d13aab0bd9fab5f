"""One-line mistakes that fork this protocol. Each must be found by a scenario that the true rules pass.

Every scenario is an attack by one of four validators, with messages delivered in the order that hurts most.
"""

import sys

import pytest
from consensus_harness import Bench, said

from coseal.consensus import height, messages, votes
from coseal.consensus.events import BlockReceived, Decided, TimerKind
from coseal.consensus.height import Height
from coseal.consensus.justification import Judge, Justified
from coseal.consensus.messages import Commit, Prepare, RoundChange, verify_message
from coseal.ledger import certificate as certificates
from coseal.ledger.certificate import Phase
from coseal.ledger.errors import BadSignature
from coseal.ledger.signing import ZERO_HASH
from coseal.ledger.validators import ValidatorSet

# --- scenarios: each returns whether the replica behaved ---


def a_prepared_block_is_told_to_the_next_leader():
    bench = Bench()
    block = bench.block()
    bench.feed(bench.proposal(block), bench.prepare(0, block), bench.prepare(2, block))
    (change,) = said(bench.expire(TimerKind.ROUND), RoundChange)
    return change.prepared is not None and change.prepared.block_hash == block.hash


def a_forged_certificate_binds_nobody():
    """Ann claims that another block was prepared, with signatures she made up; Bob, the leader, must not believe it."""
    bench = Bench()
    block = bench.block(transactions=[b"forged"])
    forged = certificates.assemble(
        Phase.PREPARE, bench.validators, 1, 0, block.hash, dict.fromkeys((0, 2, 3), bytes(64))
    )
    effects = bench.feed(bench.change(0, 1, forged), bench.change(2, 1), bench.change(3, 1))
    effects += bench.step(BlockReceived(block))
    return block.hash not in [message.block_hash for message in said(effects, Prepare)]


def the_highest_certificate_wins():
    """The older certificate's block was overtaken; the newer one's may be decided."""
    bench = Bench(me="dia")
    old, new = bench.block(), bench.block(round=1)
    low = bench.certificate(Phase.PREPARE, old, signers=(0, 1, 2))
    high = bench.certificate(Phase.PREPARE, new, round=1, signers=(0, 1, 2))
    changes = [bench.change(0, 2, low), bench.change(1, 2, high), bench.change(2, 2)]
    return not said(bench.feed(bench.proposal(old, round=2, justification=changes)), Prepare)


def two_prepares_of_four_are_no_certificate():
    bench = Bench()
    block = bench.block()
    return not said(bench.feed(bench.proposal(block), bench.prepare(0, block)), Commit)


def two_commits_of_four_decide_nothing():
    bench = Bench()
    block = bench.block()
    effects = bench.feed(bench.proposal(block), bench.commit(0, block), bench.commit(2, block))
    return not [effect for effect in effects if isinstance(effect, Decided)]


def two_round_changes_of_four_justify_nothing():
    """Two validators can miss the one that holds the certificate."""
    bench = Bench(me="dia")
    changes = [bench.change(0, 1), bench.change(1, 1)]
    return not said(bench.feed(bench.proposal(bench.block(round=1), round=1, justification=changes)), Prepare)


def one_signer_twice_is_no_third():
    bench = Bench(me="dia")
    changes = [bench.change(1, 1), bench.change(2, 1), bench.change(1, 1)]
    return not said(bench.feed(bench.proposal(bench.block(round=1), round=1, justification=changes)), Prepare)


def nothing_is_committed_below_the_round_asked_for():
    """We asked for round 1 without a certificate; a COMMIT of round 0 now could decide behind that proof's back."""
    bench = Bench()
    block = bench.block()
    bench.feed(bench.proposal(block), bench.prepare(0, block))
    bench.expire(TimerKind.ROUND)
    return not said(bench.feed(bench.prepare(2, block), bench.prepare(3, block)), Commit)


def the_justification_is_recomputed():
    bench = Bench(me="dia")
    old, new = bench.block(), bench.block(round=1)
    held = bench.certificate(Phase.PREPARE, old, signers=(0, 1, 2))
    changes = [bench.change(0, 1, held), bench.change(1, 1), bench.change(2, 1)]
    return not said(bench.feed(bench.proposal(new, round=1, justification=changes)), Prepare)


def the_certificates_round_is_signed():
    """The leader swaps an honest round change's certificate for an older one of the same block."""
    bench = Bench(me="dia")
    block = bench.block()
    older, newer = (bench.certificate(Phase.PREPARE, block, round=r, signers=(0, 1, 2)) for r in (0, 2))
    signature = bench.change(0, 3, newer).signature
    try:
        verify_message(
            bench.config.chain_id, bench.validators, RoundChange(0, 1, 3, 0, older, signature), bench.config.verify
        )
    except BadSignature:
        return True
    return False


# --- mutants: each breaks one line ---


def no_certificate_in_the_round_change(patch):
    ask = Height._ask
    patch.setattr(Height, "_ask", lambda self, prepared: ask(self, None))


def an_unproven_certificate_is_believed(patch):
    patch.setattr(Judge, "certificate_holds", lambda self, certificate, phase: certificate.phase is phase)


def any_certificate_in_place_of_the_highest(patch):
    def choose(changes):
        held = [change.prepared for change in changes if change.prepared is not None]
        return Justified(changes, held[0] if held else None)

    patch.setattr("coseal.consensus.justification.choose", choose)
    patch.setattr(height, "choose", choose)


def too_small(patch, *functions):
    """Let ``ValidatorSet.quorum`` be one less when one of these functions asks."""
    patch.setattr(
        ValidatorSet,
        "quorum",
        property(lambda self: 2 * self.n // 3 + (sys._getframe(1).f_code.co_name not in functions)),
    )


def too_small_a_quorum_of_prepares(patch):
    too_small(patch, "_certificate", "verify")


def too_small_a_quorum_of_commits(patch):
    too_small(patch, "_certificate", "verify")


def too_small_a_quorum_of_round_changes(patch):
    too_small(patch, "justify", "_justified")


def a_signer_counts_twice(patch):
    def justify(self, proposal, known):
        changes = tuple(change for change in proposal.justification if self._counts(change, known))
        return Justified(changes, None) if len(changes) >= self._validators.quorum else None

    patch.setattr(Judge, "justify", justify)


def a_vote_in_an_old_round(patch):
    commit = Height._commit

    def mutant(self):
        held = self.votes.prepare_certificate(self.round - 1, self.validators) if self.round else None
        if held is None or self.prepared is not None:
            return commit(self)
        self.prepared, last = held, held.block_hash
        signed = self.vote_signer.sign(Phase.COMMIT, last)
        epoch, number, _, me = self.vote_signer.place()
        self._say(Commit(epoch, number, held.round, me, last, signed.signature), signed, [])
        return True

    patch.setattr(Height, "_commit", mutant)


def the_justification_is_trusted(patch):
    patch.setattr(Judge, "justify", lambda self, proposal, known: Justified(proposal.justification, None))


def the_round_change_signs_the_block_alone(patch):
    subject = messages.subject

    def mutant(message):
        phase, last = subject(message)
        if isinstance(message, RoundChange):
            last = ZERO_HASH if message.prepared is None else message.prepared.block_hash
        return phase, last

    patch.setattr(messages, "subject", mutant)
    patch.setattr(votes, "subject", mutant)
    change = Bench.change

    def signed_so(self, sender, round, prepared=None):
        honest = change(self, sender, round, prepared)
        last = ZERO_HASH if prepared is None else prepared.block_hash
        signature = self.signature(sender, Phase.ROUND_CHANGE, last, round=round)
        return RoundChange(honest.epoch, honest.height, round, sender, prepared, signature)

    patch.setattr(Bench, "change", signed_so)


MUTANTS = {
    no_certificate_in_the_round_change: a_prepared_block_is_told_to_the_next_leader,
    an_unproven_certificate_is_believed: a_forged_certificate_binds_nobody,
    any_certificate_in_place_of_the_highest: the_highest_certificate_wins,
    too_small_a_quorum_of_prepares: two_prepares_of_four_are_no_certificate,
    too_small_a_quorum_of_commits: two_commits_of_four_decide_nothing,
    too_small_a_quorum_of_round_changes: two_round_changes_of_four_justify_nothing,
    a_signer_counts_twice: one_signer_twice_is_no_third,
    a_vote_in_an_old_round: nothing_is_committed_below_the_round_asked_for,
    the_justification_is_trusted: the_justification_is_recomputed,
    the_round_change_signs_the_block_alone: the_certificates_round_is_signed,
}


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_the_true_rules_pass_and_the_mutant_is_killed(mutant, monkeypatch):
    scenario = MUTANTS[mutant]
    assert scenario()
    mutant(monkeypatch)
    assert not scenario()
