"""Mistakes in the rules of consensus: certificates, quorums, rounds and leaders, and what keeps it going."""

from __future__ import annotations

from typing import Final

from simulation.mutations.mutant import Mutant, one

_HEIGHT = "coseal.consensus.height"
_VOTES = "coseal.consensus.votes"
_JUSTIFY = "coseal.consensus.justification"
_OLD_ROUND = """\
        if self.me is None:
            return False
        if self.prepared is None or"""
_OLD_ROUND_VOTED = """\
        if self.me is None:
            return False
        held = self.votes.prepare_certificate(self.round - 1, self.validators) if self.round else None
        if held is not None and (self.prepared is None or self.prepared.round < held.round):
            from coseal.consensus.events import SignRecord
            from coseal.ledger.certificate import vote_preimage
            epoch, number, _, me = self.vote_signer.place()
            chain, last = self._context.config.chain_id, held.block_hash
            preimage = vote_preimage(chain, epoch, number, held.round, Phase.COMMIT, last)
            signature = self._context.config.signer.sign(preimage)
            self.prepared = held
            block = self.bodies.get(last)
            for record in (*(self.bodies.unstored(block) if block else ()), PreparedRecord(held)):
                self._context.emit(Persist(record))
            self._context.emit(Persist(SignRecord(number, held.round, 3, preimage, signature)))
            self._context.emit(Broadcast(Commit(epoch, number, held.round, me, last, signature)))
            return True
        if self.prepared is None or"""

MUTANTS: Final[dict[str, Mutant]] = {
    # What an exhaustive exploration of the protocol found to fork it
    "no_certificate": one(
        "a round change carries no certificate",
        _HEIGHT,
        'self._context.fire("R5")\n        self._ask(self.prepared)',
        'self._context.fire("R5")\n        self._ask(None)',
    ),
    "unproven_certificate": one(
        "a certificate in a round change is believed unproven",
        _JUSTIFY,
        "change.prepared.round < change.round and self.certificate_holds(change.prepared, Phase.PREPARE)",
        "change.prepared.round < change.round",
    ),
    "lowest_certificate": one(
        "the lowest certificate binds instead of the highest", _JUSTIFY, "highest = max(", "highest = min("
    ),
    "small_prepare_quorum": Mutant(
        "f + 1 PREPAREs are a certificate",
        (
            (_VOTES, "if len(votes) < validators.quorum:", "if len(votes) < validators.weak_quorum:"),
            (
                _VOTES,
                "if count < validators.quorum:",
                "if count < (validators.weak_quorum if phase is Phase.PREPARE else validators.quorum):",
            ),
            (
                "coseal.ledger.certificate",
                "if len(signers) < validators.quorum:",
                "if len(signers) < (validators.weak_quorum if self.phase is Phase.PREPARE else validators.quorum):",
            ),
        ),
    ),
    "small_commit_quorum": Mutant(
        "f + 1 COMMITs decide",
        (
            (_VOTES, "if len(votes) < validators.quorum:", "if len(votes) < validators.weak_quorum:"),
            (
                _VOTES,
                "if count < validators.quorum:",
                "if count < (validators.weak_quorum if phase is Phase.COMMIT else validators.quorum):",
            ),
            (
                "coseal.ledger.certificate",
                "if len(signers) < validators.quorum:",
                "if len(signers) < (validators.weak_quorum if self.phase is Phase.COMMIT else validators.quorum):",
            ),
        ),
    ),
    "small_change_quorum": Mutant(
        "f + 1 round changes justify a proposal",
        (
            (_JUSTIFY, "if len(changes) < self._validators.quorum:", "if len(changes) < self._validators.weak_quorum:"),
            (
                _HEIGHT,
                "choose(changes) if len(changes) >= self.validators.quorum",
                "choose(changes) if len(changes) >= self.validators.weak_quorum",
            ),
        ),
    ),
    "signer_twice": one(
        "a signer counts twice in a justification", _JUSTIFY, "if len(set(senders)) != len(senders):", "if not senders:"
    ),
    "votes_in_old_round": one("votes in the round it left", _HEIGHT, _OLD_ROUND, _OLD_ROUND_VOTED),
    "justification_trusted": one(
        "the justification of a proposal is not recomputed",
        _JUSTIFY,
        "        if proposal.round == 0:\n            return None if",
        "        if proposal.round:\n            return Justified(proposal.justification, None)\n"
        "        if proposal.round == 0:\n            return None if",
    ),
    "certificate_round_unsigned": one(
        "a round change signs the prepared block, not its certificate",
        "coseal.consensus.messages",
        "ZERO_HASH if message.prepared is None else message.prepared.hash",
        "ZERO_HASH if message.prepared is None else message.prepared.block_hash",
    ),
    # Quorums and leaders
    "two_f_plus_one": one(
        "quorum 2f + 1 at every n", "coseal.ledger.validators", "return 2 * n // 3 + 1", "return 2 * max_faulty(n) + 1"
    ),
    "same_leader": one(
        "the leader does not change with the round",
        "coseal.consensus.rules",
        "return leader_index(validators, tip.proposer, tip.height + 1, round, parameters.tenure)",
        "return leader_index(validators, tip.proposer, tip.height + 1, 0, parameters.tenure)",
    ),
    "any_leader": one(
        "anybody may propose",
        _HEIGHT,
        "if proposal.sender != leader(self.validators, self.tip, proposal.round, config.parameters):",
        "if proposal.sender > len(self.validators.validators):",
    ),
    # Progress
    "any_later_round": one(
        "one validator's round change moves the others",
        _HEIGHT,
        "asked = self.votes.round_asked(self.validators.weak_quorum)",
        "asked = self.votes.round_asked(1)",
    ),
    "no_join": one(
        "f + 1 round changes move nobody",
        _HEIGHT,
        "        if asked <= self.round:\n            return False\n",
        "        if asked <= self.round or self.round >= 0:\n            return False\n",
    ),
    "second_proposal_taken": one(
        "of two conflicting messages the second replaces the first",
        _VOTES,
        "return Verdict.KNOWN if subject(held) == subject(message) else Verdict.CONFLICT",
        "return Verdict.KNOWN if subject(held) == subject(message) else Verdict.NEW",
    ),
    "accuses_repetition": one(
        "a message said twice is evidence",
        _VOTES,
        "return Verdict.KNOWN if subject(held) == subject(message) else Verdict.CONFLICT",
        "return Verdict.CONFLICT",
    ),
    "old_round_cannot_decide": one(
        "commits of an older round do not decide",
        _VOTES,
        "for round in sorted({r for r, _ in self._commits}, reverse=True):",
        "for round in (self.round,):",
    ),
    "runs_ahead": one(
        "a round's timer starts before q validators ask for it",
        _HEIGHT,
        "if self.round == 0 or self.votes.asking(self.round) >= self.validators.quorum:  # T2, T3",
        "if self.round >= 0:",
    ),
    "timeouts_constant": one(
        "timeouts do not grow",
        "coseal.consensus.timers",
        "min(base_ms << min(round, _SHIFT_MAX), cap_ms)",
        "min(base_ms, cap_ms)",
    ),
    "no_repetition": one(
        "nothing is said again",
        _HEIGHT,
        "                for message in said:\n                    self._context.emit(Broadcast(message))",
        "                for message in ():\n                    self._context.emit(Broadcast(message))",
    ),
    "no_fetch": one(
        "a missing body is not asked for",
        "coseal.node.core.ordering",
        "            if state is not None and state.connected:\n",
        "            if not peer:\n",
        "tests/node/core/test_machine.py",
    ),
    "times_while_idle": one(
        "an idle chain times its rounds",
        _HEIGHT,
        "if self.round == 0 and not self.pacing.has_work() and not self.bodies.all():  # T2",
        "if self.round > ROUND_MAX:",
    ),
    "followers_keep_silent": one(
        "what only a node without a vote holds is not gossiped again",
        "coseal.node.core.machine",
        "        self._gossip_as_follower()\n        self._reads",
        "        self._reads",
        "tests/node/core/test_machine.py",
    ),
    "reads_alone": one(
        "a consistent read is answered without a quorum",
        "coseal.node.core.consistent_reads",
        "if len(question.answered) < validators.quorum:",
        "if not question.answered:",
        "tests/node/core/test_machine_reads.py",
    ),
    "liars_asked_again": one(
        "a peer that gave wrong blocks is asked again at once",
        "coseal.node.core.sync",
        "            and not self.is_liar(name, now_ms)\n",
        "",
        "tests/node/core/test_sync.py",
    ),
    "signer_away_forgotten": one(
        "a round change that could not be signed is not asked for again",
        _HEIGHT,
        "if self.round > 0 and self._change is None:  # the signer",
        "if self.round < 0 and self._change is None:  # the signer",
    ),
}
