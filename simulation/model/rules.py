"""The rules R1 to R5 and J1 to J4 of docs/spec/consensus.md for one height, over what honest validators have signed.

Law: nothing here is shared with ``consensus/``. A state only grows: what is signed stays signed. A step may use any of
the messages there are, so delay, loss, order and repetition need no mention. What a Byzantine validator signs is not
recorded: whenever a step could use a statement by its key, the statement is there.

Blocks are *values*: integers from 1, 0 for none. A ROUND-CHANGE is recorded as the round of the certificate it carries,
plus 1; 0 for none. A validator that decided simply does nothing more, which any validator may do at any time. A state
is only what is signed and in which round each one is: that is also all that a restart restores.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

FRESH: Final = 0
"""In place of a value: any block that was first made in this round."""
NOT_ASKED: Final = -1
PROPOSE: Final = "PROPOSAL"
PREPARE: Final = "PREPARE"
COMMIT: Final = "COMMIT"
ASK: Final = "ROUND-CHANGE"

MISTAKES: Final = {
    "no_certificate": "a round change carries no certificate",
    "unproven_certificate": "a certificate in a round change is believed unproven",
    "any_certificate": "any certificate binds instead of the highest",
    "small_prepare_quorum": "f + 1 PREPAREs are a certificate",
    "small_commit_quorum": "f + 1 COMMITs decide",
    "small_change_quorum": "f + 1 round changes justify a proposal",
    "signer_twice": "a signer counts as often as it is listed in a justification",
    "votes_in_old_round": "commits in a round that it left",
    "justification_trusted": "the justification of a proposal is not recomputed",
    "certificate_round_unsigned": "a round change does not bind its certificate's round",
    "conflict_taken": "of two certificates of the highest round one binds, in place of refusing both",
    "two_f_plus_one": "a quorum is 2f + 1 at every n",
}


class SignedTwice(Exception):
    """An honest validator would sign a second statement of one kind in one round."""


class Node(NamedTuple):
    """An honest validator. All tuples are by round.

    ``seat``: it leads the rounds that are ``seat`` modulo n (-1: none that matter). ``prepared`` and ``committed``: the
    value it signed. ``asked``: its ROUND-CHANGE to that round, as the round of the certificate it carries, plus 1.
    """

    seat: int
    round: int
    prepared: tuple[int, ...]
    committed: tuple[int, ...]
    asked: tuple[int, ...]


class State(NamedTuple):
    """Everything honest validators have signed; ``proposed`` is by round, of those with an honest leader."""

    nodes: tuple[Node, ...]
    proposed: tuple[int, ...]


class Step(NamedTuple):
    """What validator number ``node`` of ``State.nodes`` does. ``value``: of an ASK the certificate's round, plus 1."""

    kind: str
    node: int
    round: int
    value: int


@dataclass(frozen=True)
class Rules:
    """The rules for n validators; ``byzantine`` are the seats of the faulty ones, ``mistakes`` are of ``MISTAKES``."""

    n: int = 4
    byzantine: tuple[int, ...] = (3,)
    mistakes: tuple[str, ...] = ()

    @property
    def weak_quorum(self) -> int:
        """f + 1."""
        return (self.n - 1) // 3 + 1

    def needed(self, kind: str) -> int:
        """Return how many honest signatures complete a quorum of a kind, the Byzantine ones being there."""
        return self._needed[kind]

    @cached_property
    def _needed(self) -> dict[str, int]:
        quorum = 2 * self.n // 3 + 1 if "two_f_plus_one" not in self.mistakes else 2 * self.weak_quorum - 1
        quorums = {PREPARE: quorum, COMMIT: quorum, ASK: quorum}
        small = {PREPARE: "small_prepare_quorum", COMMIT: "small_commit_quorum", ASK: "small_change_quorum"}
        quorums |= {kind: self.weak_quorum for kind, mistake in small.items() if mistake in self.mistakes}
        if "signer_twice" in self.mistakes:
            quorums[ASK] = 1
        return {kind: quorum - len(self.byzantine) for kind, quorum in quorums.items()}

    def leads(self, node: Node, round: int) -> bool:
        """Say whether ``node`` leads ``round``."""
        return node.seat == round % self.n

    def honest_leader(self, round: int) -> bool:
        """Say whether an honest validator leads ``round``."""
        return round % self.n not in self.byzantine

    def start(self, rounds: int) -> State:
        """Return the state in which nobody signed anything, for rounds below ``rounds``."""
        nothing = (0,) * rounds
        seats = [seat for seat in range(self.n) if seat not in self.byzantine]
        return State(tuple(Node(seat, 0, nothing, nothing, (NOT_ASKED,) * rounds) for seat in seats), nothing)

    # --- what signatures prove ---

    def certified(self, state: State, round: int) -> list[int]:
        """Return the values with a prepared certificate of ``round``: q PREPAREs, those of Byzantine keys included."""
        votes = [node.prepared[round] for node in state.nodes]
        needed = self.needed(PREPARE)
        return [value for value in dict.fromkeys(votes) if value > 0 and votes.count(value) >= needed]

    def carried(self, node: Node, round: int) -> tuple[int, int]:
        """Return round (-1: none) and value of the certificate in the node's ROUND-CHANGE to ``round``."""
        proof = node.asked[round] - 1
        return proof, node.committed[proof] if proof >= 0 else 0

    def bindings(self, state: State, round: int, leader: Node | None) -> list[int]:
        """Return the values that a proposal of ``round`` can be justified for, ``FRESH`` among them (R1, J1 to J4).

        ``leader`` is the honest leader, whose own ROUND-CHANGE is one of those it uses; None for a Byzantine one.
        """
        if round == 0:
            return [FRESH]
        if leader is None and "justification_trusted" in self.mistakes:
            return [FRESH, *_seen(state)]
        asked = [self.carried(node, round) for node in state.nodes if node.asked[round] != NOT_ASKED]
        own = [] if leader is None else [self.carried(leader, round)]
        proofs = [(below, value) for below in range(round) for value in self.certified(state, below)]
        claims = proofs
        if "unproven_certificate" in self.mistakes and self.byzantine:
            claims = [*proofs, *((round - 1, value) for value in _seen(state))]
        found: dict[int, None] = {}
        for claim in [(-1, FRESH), *claims]:
            fitting = [change for change in asked if self._fits(change, claim, proofs)]
            shown = claim[0] < 0 or self.byzantine or any(self._shows(change, claim, proofs) for change in asked)
            if len(fitting) >= self.needed(ASK) and shown and all(change in fitting for change in own):
                found[claim[1]] = None
        return list(found)

    def _fits(self, change: tuple[int, int], claim: tuple[int, int], proofs: Iterable[tuple[int, int]]) -> bool:
        """Say whether a round change leaves ``claim`` the highest certificate among those that are shown (J4)."""
        if "any_certificate" in self.mistakes:
            return claim[0] >= 0 or change[0] < 0
        if "certificate_round_unsigned" in self.mistakes and change[0] >= 0:
            shown = [proof for proof in proofs if proof[1] == change[1]]
            return any(proof[0] < claim[0] or proof == claim for proof in shown)
        if "conflict_taken" in self.mistakes and change[0] == claim[0]:
            return True
        return change[0] < claim[0] or change == claim

    def _shows(self, change: tuple[int, int], claim: tuple[int, int], proofs: Iterable[tuple[int, int]]) -> bool:
        if "certificate_round_unsigned" in self.mistakes:
            return change[0] >= 0 and change[1] == claim[1]
        return change == claim

    # --- what each validator may sign now ---

    def may_propose(self, state: State, node: Node) -> list[int]:
        """R1: once a round, in a round it leads; the highest certificate's value or a new one."""
        if not self.leads(node, node.round) or state.proposed[node.round]:
            return []
        return self.bindings(state, node.round, node)

    def may_prepare(self, state: State, node: Node) -> list[int]:
        """R2: once a round, what its leader proposed; of a Byzantine leader whatever can be justified."""
        if node.prepared[node.round] or node.committed[node.round]:  # G1: no PREPARE after the COMMIT of a round
            return []
        if self.honest_leader(node.round):
            proposed = state.proposed[node.round]
            return [proposed] if proposed else []
        return self.bindings(state, node.round, None)

    def may_commit(self, state: State, node: Node, round: int) -> list[int]:
        """R3: what q PREPAREs of the current round certify."""
        if node.committed[round] or not (
            round == node.round or ("votes_in_old_round" in self.mistakes and round < node.round)
        ):
            return []
        return self.certified(state, round)

    def may_ask(self, state: State, node: Node, round: int) -> bool:
        """R5: the next round at a timeout; a later one when f + 1 ask for it or beyond, one of them for just that."""
        if round <= node.round:
            return False
        if round == node.round + 1:
            return True
        beyond = [other for other in state.nodes if any(asked != NOT_ASKED for asked in other.asked[round:])]
        exactly = self.byzantine or any(other.asked[round] != NOT_ASKED for other in beyond)
        return bool(exactly) and len(beyond) + len(self.byzantine) >= self.weak_quorum

    def proof_of(self, node: Node, round: int) -> int:
        """Return what its ROUND-CHANGE to ``round`` carries: its highest certificate's round, plus 1."""
        if "no_certificate" in self.mistakes:
            return 0
        return max((below + 1 for below in range(round) if node.committed[below]), default=0)

    def steps(self, state: State) -> Iterator[Step]:
        """Yield every step of every honest validator."""
        for index, node in enumerate(state.nodes):
            for value in self.may_propose(state, node):
                yield Step(PROPOSE, index, node.round, value or self.made(node.round)[0])
            for value in self.prepares(state, node):
                yield Step(PREPARE, index, node.round, value)
            for round in range(node.round + 1):
                for value in self.may_commit(state, node, round):
                    yield Step(COMMIT, index, round, value)
            for round in range(node.round + 1, len(state.proposed)):
                if self.may_ask(state, node, round):
                    yield Step(ASK, index, round, self.proof_of(node, round))

    def prepares(self, state: State, node: Node) -> Iterator[int]:
        """Yield what ``node`` may PREPARE; a new block of a Byzantine leader is one of two.

        A vote for a third would be one that helps neither, and voting for one of the two proves no less.
        """
        for value in self.may_prepare(state, node):
            yield from (value,) if value else self.made(node.round)

    def made(self, round: int) -> tuple[int, int]:
        """Return the values that are new in ``round``; an honest leader makes the first one."""
        return 2 * round + 1, 2 * round + 2


def apply(state: State, step: Step) -> State:
    """Return the state after a step; raise ``SignedTwice``."""
    node = state.nodes[step.node]
    proposed = state.proposed
    match step:
        case (kind, _, round, value) if kind == PROPOSE:
            proposed = _sign(proposed, round, value, 0)
        case (kind, _, round, value) if kind == PREPARE:
            node = node._replace(prepared=_sign(node.prepared, round, value, 0))
        case (kind, _, round, value) if kind == COMMIT:
            node = node._replace(committed=_sign(node.committed, round, value, 0))
        case (_, _, round, value):
            node = node._replace(round=round, asked=_sign(node.asked, round, value, NOT_ASKED))
    return State((*state.nodes[: step.node], node, *state.nodes[step.node + 1 :]), proposed)


def _sign(items: tuple[int, ...], round: int, value: int, unsigned: int) -> tuple[int, ...]:
    if items[round] != unsigned:
        raise SignedTwice(f"a second statement in round {round}")
    return put(items, round, value)


def put(items: tuple[int, ...], at: int, value: int) -> tuple[int, ...]:
    """Return ``items`` with one item changed."""
    return (*items[:at], value, *items[at + 1 :])


def _seen(state: State) -> list[int]:
    """Return every value somebody signed something about."""
    signed = [value for node in state.nodes for value in node.prepared] + list(state.proposed)
    return [value for value in dict.fromkeys(signed) if value > 0]
