"""The messages of one height that are worth keeping.

Law: memory is bounded whatever arrives (B1 to B3), and the first of two conflicting messages is the one that stays.

B1  Of a sender: one proposal, one prepare and one commit per round, for the current round and its two neighbours.
B2  Of a sender: its latest round change.
B3  Of a sender: its latest commit of any lower round, so that an old round can still decide (R4).
"""

from __future__ import annotations

from collections import Counter
from enum import Enum

from coseal.consensus.messages import Commit, Message, Prepare, Proposal, RoundChange, subject
from coseal.ledger.certificate import PbftCertificate, Phase, assemble
from coseal.ledger.validators import ValidatorSet


class Verdict(Enum):
    """NEW: worth keeping. KNOWN: held already. CONFLICT: contradicts one that is held. OUTSIDE: beyond the bounds."""

    NEW = "new"
    KNOWN = "known"
    CONFLICT = "conflict"
    OUTSIDE = "outside"


class Votes:
    """Keeps messages of one height; every message was checked before it is added."""

    def __init__(self) -> None:
        self.round = 0
        self.changes: dict[int, RoundChange] = {}
        self._proposals: dict[tuple[int, int], Proposal] = {}
        self._prepares: dict[tuple[int, int], Prepare] = {}
        self._commits: dict[tuple[int, int], Commit] = {}

    def judge(self, message: Message) -> Verdict:
        """Say what ``add`` would make of the message; changes nothing."""
        held = self.held(message)
        if held is not None and held.round == message.round:
            return Verdict.KNOWN if subject(held) == subject(message) else Verdict.CONFLICT
        match message:
            case RoundChange():
                return Verdict.NEW if held is None or message.round > held.round else Verdict.OUTSIDE  # B2
            case Commit() if message.round < self.round - 1:
                latest = max(
                    (r for r, sender in self._commits if sender == message.sender and r < self.round), default=-1
                )
                return Verdict.NEW if message.round > latest else Verdict.OUTSIDE  # B3
            case _:
                return Verdict.NEW if abs(message.round - self.round) <= 1 else Verdict.OUTSIDE  # B1

    def held(self, message: Message) -> Message | None:
        """Return the message of the same sender that occupies this one's place."""
        place = (message.round, message.sender)
        match message:
            case RoundChange():
                return self.changes.get(message.sender)
            case Proposal():
                return self._proposals.get(place)
            case Prepare():
                return self._prepares.get(place)
            case Commit():
                return self._commits.get(place)

    def add(self, message: Message) -> None:
        """Keep a message whose verdict is NEW."""
        place = (message.round, message.sender)
        match message:
            case RoundChange():
                self.changes[message.sender] = message
            case Proposal():
                self._proposals[place] = message
            case Prepare():
                self._prepares[place] = message
            case Commit():
                self._commits[place] = message
                self._prune_commits(message.sender)

    def enter(self, round: int) -> None:
        """Move the window to ``round`` and forget what falls out of it."""
        self.round = round
        self._proposals = {place: kept for place, kept in self._proposals.items() if place[0] >= round - 1}
        self._prepares = {place: kept for place, kept in self._prepares.items() if place[0] >= round - 1}
        for sender in sorted({sender for _, sender in self._commits}):
            self._prune_commits(sender)

    def messages(self) -> list[Message]:
        """Return everything kept, in an order that does not depend on arrival."""
        changes = [self.changes[sender] for sender in sorted(self.changes)]
        kept = (self._proposals, self._prepares, self._commits)
        return [*changes, *(votes[place] for votes in kept for place in sorted(votes))]

    def proposal(self, round: int, leader: int) -> Proposal | None:
        """Return the proposal of ``leader`` for ``round``."""
        return self._proposals.get((round, leader))

    def prepare(self, round: int, sender: int) -> Prepare | None:
        """Return the prepare of ``sender`` in ``round``."""
        return self._prepares.get((round, sender))

    def latest_commit(self, sender: int) -> Commit | None:
        """Return the commit of ``sender`` in its highest round."""
        rounds = [r for r, s in self._commits if s == sender]
        return self._commits[max(rounds), sender] if rounds else None

    def prepare_certificate(self, round: int, validators: ValidatorSet) -> PbftCertificate | None:
        """Return the certificate of q prepares for one block in ``round``, if they are held."""
        votes = [vote for (r, _), vote in sorted(self._prepares.items()) if r == round]
        return _certificate(Phase.PREPARE, votes, validators)

    def commit_certificate(self, validators: ValidatorSet) -> PbftCertificate | None:
        """Return the certificate of q commits for one block in one round, whichever the round."""
        for round in sorted({r for r, _ in self._commits}, reverse=True):
            votes = [vote for (r, _), vote in sorted(self._commits.items()) if r == round]
            certificate = _certificate(Phase.COMMIT, votes, validators)
            if certificate is not None:
                return certificate
        return None

    def changes_to(self, round: int) -> tuple[RoundChange, ...]:
        """Return the round changes to exactly ``round``, ascending by sender."""
        return tuple(self.changes[s] for s in sorted(self.changes) if self.changes[s].round == round)

    def asking(self, round: int) -> int:
        """Return how many validators ask for ``round`` or a later one."""
        return sum(change.round >= round for change in self.changes.values())

    def round_asked(self, rank: int) -> int:
        """Return the ``rank``-th highest round asked for, 0 when fewer ask."""
        rounds = sorted((change.round for change in self.changes.values()), reverse=True)
        return rounds[rank - 1] if len(rounds) >= rank else 0

    def counts(self, round: int) -> tuple[int, int, int]:
        """Return how many prepares and commits of ``round`` and round changes to it or later are held."""
        prepares = sum(r == round for r, _ in self._prepares)
        commits = sum(r == round for r, _ in self._commits)
        return prepares, commits, self.asking(round)

    def _prune_commits(self, sender: int) -> None:
        lower = sorted(r for r, s in self._commits if s == sender and r < self.round - 1)
        for round in lower[:-1]:
            del self._commits[round, sender]


def _certificate(phase: Phase, votes: list[Prepare] | list[Commit], validators: ValidatorSet) -> PbftCertificate | None:
    if len(votes) < validators.quorum:
        return None
    block_hash, count = Counter(vote.block_hash for vote in votes).most_common(1)[0]
    if count < validators.quorum:
        return None
    signatures = {vote.sender: vote.signature for vote in votes if vote.block_hash == block_hash}
    return assemble(phase, validators, votes[0].height, votes[0].round, block_hash, signatures)
