"""I19: whatever an honest node of the simulator says or decides is a step of the model.

Law: the model is the one that is explored exhaustively; here it only says whether a step is allowed. A statement said
again is no step. A statement that shows in a certificate, and whose frame a crash swallowed, is a step taken unseen: it
must have been allowed then, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from simulation.model.rules import ASK, COMMIT, FRESH, NOT_ASKED, PREPARE, PROPOSE, Node, Rules, State, Step, apply

_ROUNDS: Final = 8
_rules = lru_cache(256)(Rules)


class NotAllowed(Exception):
    """A step that the model does not have."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A certificate as its bytes say it: ``signers`` are validators by index."""

    round: int
    block_hash: bytes
    signers: tuple[int, ...]


@dataclass(slots=True)
class HeightTrace:
    """One height as it happens. ``base`` is the index of the leader of round 0."""

    n: int
    base: int
    steps: int = 0
    _nodes: dict[int, Node] = field(default_factory=dict)
    _proposed: tuple[int, ...] = (0,) * _ROUNDS
    _values: dict[bytes, int] = field(default_factory=dict)
    _made_in: dict[int, int] = field(default_factory=dict)  # the round in which a value was first seen

    def says(
        self, kind: str, index: int, round: int, block_hash: bytes, proof: Proof | None, faulty: Iterable[int]
    ) -> bool:
        """Take a statement of validator ``index`` and say whether it is a new one; raise ``NotAllowed``.

        ``proof`` is what a ROUND-CHANGE carries, ``faulty`` who may have said anything at all.
        """
        self._widen(round)
        if self._repeats(kind, index, round, block_hash, proof):
            return False
        byzantine = tuple(faulty)
        if proof is not None:
            self._reveal(PREPARE, proof, byzantine)
            if self._node(index).committed[proof.round] == 0:
                self._take_unseen(COMMIT, index, proof.round, proof.block_hash, byzantine)
        carried = 0 if proof is None else proof.round + 1
        self._take(kind, index, round, block_hash, byzantine, carried=carried)
        return True

    def decides(self, proof: Proof, faulty: Iterable[int]) -> None:
        """Take a decision by a commit certificate; raise ``NotAllowed`` (R4)."""
        self._widen(proof.round)
        byzantine = tuple(faulty)
        self._reveal(COMMIT, proof, byzantine)
        value = self._values.get(proof.block_hash, -1)
        rules, state, _ = self._state(byzantine)
        commits = sum(node.committed[proof.round] == value for node in state.nodes)
        if commits < rules.needed(COMMIT):
            raise NotAllowed(f"R4: decides with {commits} honest COMMITs of round {proof.round}")
        self.steps += 1

    def _repeats(self, kind: str, index: int, round: int, block_hash: bytes, proof: Proof | None) -> bool:
        node, value = self._node(index), self._values.get(block_hash, -1)
        if kind == PROPOSE:
            return self._proposed[round] == value and self._leads(index, round)
        if kind == ASK:
            return node.asked[round] == (0 if proof is None else proof.round + 1)
        return (node.prepared if kind == PREPARE else node.committed)[round] == value

    def _take(
        self, kind: str, index: int, round: int, block_hash: bytes, byzantine: tuple[int, ...], *, carried: int = 0
    ) -> None:
        """Let the model take a step, if it has it."""
        rules, state, numbers = self._state(byzantine)
        node = self._node(index)
        if kind == ASK:
            if not rules.may_ask(state, node, round):
                raise NotAllowed(f"R5: asks for round {round} from round {node.round}")
            if rules.proof_of(node, round) != carried:
                held = rules.proof_of(node, round)
                raise NotAllowed(
                    f"R5: asks for round {round} with {_certificate(carried)} and holds {_certificate(held)}"
                )
            value = carried
        else:
            if round != node.round:
                raise NotAllowed(f"R2, R3, R5: says {kind} of round {round} in round {node.round}")
            allowed = {
                PROPOSE: lambda: rules.may_propose(state, node),
                PREPARE: lambda: rules.may_prepare(state, node),
                COMMIT: lambda: rules.may_commit(state, node, round),
            }[kind]()
            value = self._value(block_hash, round)
            fresh = (
                FRESH in allowed and self._made_in[value] == round and (kind == PREPARE or value not in self._seen())
            )
            if value not in allowed and not fresh:
                words = ", ".join("a new one" if item == FRESH else self._name(item) for item in allowed) or "none"
                raise NotAllowed(f"{_RULE[kind]}: says {kind} of block {self._name(value)}, allowed are: {words}")
        after = apply(state, Step(kind, numbers[index], round, value))
        self._proposed = after.proposed
        self._nodes[index] = after.nodes[numbers[index]]
        self.steps += 1

    def _reveal(self, kind: str, proof: Proof, byzantine: tuple[int, ...]) -> None:
        """Take the steps that a certificate shows and nobody heard of."""
        for index in proof.signers:
            if index not in byzantine and not self._repeats(kind, index, proof.round, proof.block_hash, None):
                self._take_unseen(kind, index, proof.round, proof.block_hash, byzantine)

    def _take_unseen(self, kind: str, index: int, round: int, block_hash: bytes, byzantine: tuple[int, ...]) -> None:
        """Take a vote whose frame a crash swallowed, and with it the round change by which its validator came there."""
        if round > self._node(index).round:
            rules, _, _ = self._state(byzantine)
            carried = rules.proof_of(self._node(index), round)
            self._take(ASK, index, round, b"", byzantine, carried=carried)
        self._take(kind, index, round, block_hash, byzantine)

    # --- the model's state ---

    def _state(self, byzantine: tuple[int, ...]) -> tuple[Rules, State, dict[int, int]]:
        """Return the rules, the honest validators' state, and the place of each in it."""
        honest = [index for index in range(self.n) if index not in byzantine]
        rules = _rules(self.n, tuple((index - self.base) % self.n for index in byzantine))
        return rules, State(tuple(map(self._node, honest)), self._proposed), {i: at for at, i in enumerate(honest)}

    def _node(self, index: int) -> Node:
        node = self._nodes.get(index)
        if node is None:
            nothing = (0,) * len(self._proposed)
            node = Node((index - self.base) % self.n, 0, nothing, nothing, (NOT_ASKED,) * len(nothing))
            self._nodes[index] = node
        return node

    def _leads(self, index: int, round: int) -> bool:
        return (self.base + round - index) % self.n == 0

    def _value(self, block_hash: bytes, round: int) -> int:
        value = self._values.setdefault(block_hash, len(self._values) + 1)
        self._made_in.setdefault(value, round)
        return value

    def _seen(self) -> list[int]:
        return [value for node in self._nodes.values() for value in node.prepared]

    def _name(self, value: int) -> str:
        return next((block_hash.hex()[:8] for block_hash, held in self._values.items() if held == value), "none")

    def _widen(self, round: int) -> None:
        """Make room for more rounds."""
        more = round + 1 - len(self._proposed)
        if more > 0:
            more += _ROUNDS
            self._proposed += (0,) * more
            for index, node in self._nodes.items():
                self._nodes[index] = node._replace(
                    prepared=node.prepared + (0,) * more,
                    committed=node.committed + (0,) * more,
                    asked=node.asked + (NOT_ASKED,) * more,
                )


_RULE: Final = {PROPOSE: "R1", PREPARE: "R2", COMMIT: "R3"}


def _certificate(carried: int) -> str:
    return f"a certificate of round {carried - 1}" if carried else "no certificate"
