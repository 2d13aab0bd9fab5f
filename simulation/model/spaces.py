"""Two ways to walk through the states of a height: every single step, or only what cannot be done without.

Law: ``Reduced`` reaches a fork, or two prepared certificates of one round, if ``Plain`` does. Why is beside each
reduction. They rest on two facts. Proof only accumulates: more signatures never take a step away from anyone else. And
what is looked for is itself an accumulation of signatures. So a step may be done early, or instead of none, when it
takes nothing from its own validator either; and what nobody can use any more may be forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Final, NamedTuple, Protocol

from simulation.model.rules import ASK, COMMIT, PREPARE, PROPOSE, Node, Rules, State, Step, apply, put

DEAD: Final = -1
"""In place of a value whose vote or proposal can no longer count."""


class Move(NamedTuple):
    """Steps taken at once, and the state after them."""

    steps: tuple[Step, ...]
    state: State


class Decision(NamedTuple):
    """``value`` has q COMMITs in ``round``, those of ``nodes`` (numbers in the state) and of the Byzantine ones."""

    round: int
    value: int
    nodes: tuple[int, ...]


class Space(Protocol):
    """What an exploration walks through."""

    rules: Rules
    rounds: int

    def start(self) -> Move:
        """Return the first state, and the steps that lead there."""
        ...

    def moves(self, state: State) -> Iterator[Move]:
        """Yield what can happen next."""
        ...

    def canonical(self, state: State) -> State:
        """Return the state that stands for all that are no different."""
        ...

    def relation(self, state: State) -> tuple[list[int], dict[int, int]]:
        """Return the order ``canonical`` put the state's nodes in, and the values it renamed."""
        ...

    def decisions(self, state: State) -> list[Decision]:
        """Return what is decided, or would be if everyone who may COMMIT did (R4)."""
        ...


class Plain:
    """Every step by itself, and every difference between states."""

    def __init__(self, rules: Rules, rounds: int) -> None:
        self.rules, self.rounds = rules, rounds

    def start(self) -> Move:
        """Return the state in which nobody signed anything."""
        return Move((), self.rules.start(self.rounds))

    def moves(self, state: State) -> Iterator[Move]:
        """Yield every step of every validator."""
        for step in self.rules.steps(state):
            yield Move((step,), apply(state, step))

    def canonical(self, state: State) -> State:
        """Return the state itself."""
        return state

    def relation(self, state: State) -> tuple[list[int], dict[int, int]]:
        """Return that nothing moves."""
        return list(range(len(state.nodes))), {}

    def decisions(self, state: State) -> list[Decision]:
        """Return what the COMMITs there are decide."""
        return _decisions(self.rules, state, lambda node, round: False)


class Reduced:
    """The reductions E1 to E4 of the steps and S1 to S3 of the states."""

    def __init__(self, rules: Rules, rounds: int) -> None:
        self.rules, self.rounds = rules, rounds
        self._lying = [round for round in range(rounds) if not rules.honest_leader(round)]
        self._one_certificate = 2 * rules.needed(PREPARE) > rules.n - len(rules.byzantine)

    def start(self) -> Move:
        """Return the first state that matters: an honest leader of round 0 needs nothing to propose."""
        steps: list[Step] = []
        state = self.rules.start(self.rounds)
        for index, node in enumerate(state.nodes):
            if self.rules.leads(node, 0):
                steps.append(Step(PROPOSE, index, 0, self.rules.made(0)[0]))
                state = apply(state, steps[-1])
        return self._settled(state, steps)

    def moves(self, state: State) -> Iterator[Move]:
        """Yield the steps that cannot be left out."""
        rules = self.rules
        before: Node | None = None
        for index, node in enumerate(state.nodes):
            if node == before:  # S3: what twins do is the same twice
                continue
            before, round = node, node.round
            proposals = [value or rules.made(round)[0] for value in rules.may_propose(state, node)]
            prepares = [] if rules.honest_leader(round) else list(rules.prepares(state, node))
            for value in proposals:
                yield self._settled(state, [], Step(PROPOSE, index, round, value))
            for value in prepares:
                yield self._settled(state, [], Step(PREPARE, index, round, value))
            # E3: nobody leaves a round in which it can still propose or PREPARE. To do that first, whatever the value,
            # adds proof and takes nothing from it, for it leaves anyway.
            # E4: nobody skips a round. To ask for each one on the way carries the same certificate and adds proof.
            if proposals or prepares or round + 1 == self.rounds:
                continue
            # E2: a COMMIT waits until its validator leaves the round. Until then it changes nothing but what is
            # decided, and ``decisions`` counts whoever may still COMMIT. With several certificates it chooses one.
            for value in rules.may_commit(state, node, round):
                commit = Step(COMMIT, index, round, value)
                committed = apply(state, commit)
                yield self._settled(committed, [commit], self._leave(committed, index))
            yield self._settled(state, [], self._leave(state, index))

    def _leave(self, state: State, index: int) -> Step:
        node = state.nodes[index]
        return Step(ASK, index, node.round + 1, self.rules.proof_of(node, node.round + 1))

    def _settled(self, state: State, before: list[Step], *steps: Step) -> Move:
        """E1: whoever is in a round whose honest leader proposed PREPAREs at once; it can PREPARE nothing else."""
        taken = [*before, *steps]
        for step in steps:
            state = apply(state, step)
        for index, node in enumerate(state.nodes):
            proposed = state.proposed[node.round]
            if proposed > 0 and not node.prepared[node.round]:
                taken.append(Step(PREPARE, index, node.round, proposed))
                state = apply(state, taken[-1])
        return Move(tuple(taken), state)

    def canonical(self, state: State) -> State:
        """Return the state without what cannot matter any more, the first of those that differ in names alone."""
        nodes, proposed = self._distinct(state)
        return min(
            State(tuple(sorted(_renamed(node, names) for node in nodes)), _names(proposed, names))
            for names in self._namings(nodes)
        )

    def relation(self, state: State) -> tuple[list[int], dict[int, int]]:
        """Return how ``canonical`` put the nodes of a state in order, and which values it gave other names."""
        nodes, proposed = self._distinct(state)
        canonical = self.canonical(state)
        for names in self._namings(nodes):
            renamed = [_renamed(node, names) for node in nodes]
            order = sorted(range(len(renamed)), key=renamed.__getitem__)
            if State(tuple(renamed[index] for index in order), _names(proposed, names)) == canonical:
                return order, names
        raise AssertionError("a canonical state is one of its namings")

    def _distinct(self, state: State) -> tuple[list[Node], tuple[int, ...]]:
        """S3: validators that will lead no round any more are alike."""
        nodes, proposed = self._forgetful(state)
        for index, node in enumerate(nodes):
            to_lead = [r for r in range(node.round, self.rounds) if not proposed[r] and self.rules.leads(node, r)]
            if node.seat >= 0 and not to_lead:
                nodes[index] = node._replace(seat=-1)
        return nodes, proposed

    def _namings(self, nodes: list[Node]) -> Iterator[dict[int, int]]:
        """S2: the two values that a Byzantine leader made in its round may change names."""
        voted = {value for node in nodes for value in node.prepared}
        pairs = [pair for round in self._lying for pair in [self.rules.made(round)] if voted & {*pair}]
        for choice in product((False, True), repeat=len(pairs)):
            names: dict[int, int] = {}
            for (one, other), swap in zip(pairs, choice, strict=True):
                names |= {one: other, other: one} if swap else {}
            yield names

    def _forgetful(self, state: State) -> tuple[list[Node], tuple[int, ...]]:
        """S1: forget votes of rounds whose outcome is settled.

        Where a certificate exists and no other one can, everyone who is there may as well have PREPAREd its value;
        where none can come to be, it does not matter who PREPAREd what.
        """
        rules, nodes, proposed = self.rules, list(state.nodes), state.proposed
        needed = rules.needed(PREPARE)
        for round in range(self.rounds):
            certified = rules.certified(state, round)
            if certified:
                if self._one_certificate:
                    _vote(nodes, round, certified[0], [node for node in nodes if node.round >= round])
                continue
            leaders = [node for node in nodes if node.round <= round and rules.leads(node, round)]
            closed = rules.honest_leader(round) and proposed[round] <= 0 and not leaders
            voters = [n for n in nodes if n.round < round or (n.round == round and not n.prepared[round])]
            coming = 0 if closed else len(voters)
            votes = [node.prepared[round] for node in nodes if node.prepared[round] > 0]
            alive = [value for value in dict.fromkeys(votes) if votes.count(value) + coming >= needed]
            hopeless = closed or (coming < needed and not alive)
            gone = [
                node
                for node in nodes
                if (node.prepared[round] > 0 and node.prepared[round] not in alive)
                or (not node.prepared[round] and (node.round > round or (node.round == round and hopeless)))
            ]
            _vote(nodes, round, DEAD, gone)
            if closed or not voters:
                proposed = put(proposed, round, DEAD)
        return nodes, proposed

    def decisions(self, state: State) -> list[Decision]:
        """Return what is decided if everyone who may COMMIT does (E2)."""
        old_rounds = "votes_in_old_round" in self.rules.mistakes
        return _decisions(
            self.rules, state, lambda node, round: node.round == round or (old_rounds and node.round > round)
        )


class _May(Protocol):
    def __call__(self, node: Node, round: int) -> bool: ...


def _decisions(rules: Rules, state: State, may_commit: _May) -> list[Decision]:
    found = []
    for round in range(len(state.proposed)):
        certified = rules.certified(state, round)
        for value in dict.fromkeys([*(node.committed[round] for node in state.nodes), *certified]):
            who = [
                index
                for index, node in enumerate(state.nodes)
                if node.committed[round] == value
                or (not node.committed[round] and value in certified and may_commit(node, round))
            ]
            if value > 0 and len(who) >= rules.needed(COMMIT):
                found.append(Decision(round, value, tuple(who)))
    return found


def _vote(nodes: list[Node], round: int, value: int, voters: list[Node]) -> None:
    """Change the vote of every node that equals one of ``voters``; equal nodes have equal votes."""
    for index, node in enumerate(nodes):
        if node in voters and node.prepared[round] != value:
            nodes[index] = node._replace(prepared=put(node.prepared, round, value))


def _names(values: tuple[int, ...], names: dict[int, int]) -> tuple[int, ...]:
    return tuple(names.get(value, value) for value in values) if names else values


def _renamed(node: Node, names: dict[int, int]) -> Node:
    if not names:
        return node
    return node._replace(prepared=_names(node.prepared, names), committed=_names(node.committed, names))
