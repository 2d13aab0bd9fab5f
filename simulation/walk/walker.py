"""The walker: it looks at a committed state and makes the next move of some member.

Law: every move follows from the seed and the states it was shown; most moves are meant to be accepted, the others are
what a careless or hostile member sends. It knows no more than any member could read.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeAlias

from coseal.contracts.governance.state import CONSTITUTION_KEY, ballot_key, vote_key
from coseal.contracts.kernel.action import Reader
from coseal.contracts.membership.state import (
    MEMBERS_KEY,
    NODES_KEY,
    VALIDATORS_KEY,
    member_key,
    node_key,
    operator_key,
    operators_key,
)
from coseal.contracts.supervision.state import counter_key
from coseal.ledger.genesis import Genesis
from coseal.ledger.signing import Signer
from coseal.ledger.transaction import node_of, node_sender
from simulation.keys import Scheme
from simulation.walk.values import spoiled

SPOILED_OF: Final = 12
"""One of so many moves has a value somewhere that nobody should send."""
MISSENT_OF: Final = 25
"""One of so many moves is sent by somebody else."""
USERS: Final = ("admin", "clerk", "agent", "auditor")
"""Names that a member's operators may have."""


class Move(NamedTuple):
    """What somebody sends; ``sender`` is ``member/user`` or ``node:ID``."""

    sender: str
    action: str
    args: dict[str, Any]


class Keyring:
    """Every signer that was ever made, by its public key."""

    def __init__(self, scheme: Scheme) -> None:
        self._scheme = scheme
        self._signers: dict[bytes, Signer] = {}
        self._made = 0

    def add(self, role: str, name: str) -> Signer:
        """Return the signer of a role and name."""
        signer = self._scheme.signer(role, name)
        self._signers[signer.public_key] = signer
        return signer

    def make(self) -> Signer:
        """Return a signer that nobody has."""
        self._made += 1
        return self.add("walk", str(self._made))

    def of(self, public_key: bytes | None) -> Signer | None:
        """Return the signer of a key, None for one that was never made."""
        return None if public_key is None else self._signers.get(public_key)


@dataclass(slots=True)
class Sight:
    """What the walker sees: the committed state, and where the next block stands."""

    reader: Reader
    height: int
    time_ms: int

    def get(self, key: str) -> Any:
        """Return a state value, None if it is absent."""
        return self.reader.get(key)


class Seen(NamedTuple):
    """An item that was recorded, and when, with the objects that it belongs to."""

    source: str
    sequence: int
    height: int
    time_ms: int
    item: dict[str, Any]
    process_type: str
    objects: tuple[Any, ...]


@dataclass(slots=True)
class Memory:
    """What the walker remembers of its own moves; whether they were accepted, the state says."""

    sources: list[tuple[str, str]] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    recorded: list[Seen] = field(default_factory=list)
    policies: dict[str, None] = field(default_factory=dict)
    counter: int = 0

    def next(self) -> int:
        """Return a number that was not given before."""
        self.counter += 1
        return self.counter


Make: TypeAlias = Callable[["Walker"], "Move | None"]
"""Makes a move of some kind, or returns None where the state allows none."""


class Walker:
    """Makes moves for the members of a chain."""

    def __init__(
        self, genesis: Genesis, rng: random.Random, keys: Keyring, kinds: Mapping[str, tuple[int, Make]]
    ) -> None:
        """``kinds`` are the kinds of moves by name, each with its weight."""
        self.genesis, self.rng, self.keys, self.memory = genesis, rng, keys, Memory()
        self._makes = [make for _, make in kinds.values()]
        self._weights = [weight for weight, _ in kinds.values()]
        self.sight = Sight(_Nothing(), 0, 0)
        self.upgrades = True

    def look(self, reader: Reader, height: int, time_ms: int) -> None:
        """See the state before the block ``height`` at ``time_ms``."""
        self.sight = Sight(reader, height, time_ms)

    def move(self, reader: Reader, height: int, time_ms: int) -> Move:
        """Return a move for the block ``height`` at ``time_ms``, on the state before it."""
        self.look(reader, height, time_ms)
        while True:
            (make,) = self.rng.choices(self._makes, self._weights)
            move = make(self)
            if move is not None:
                break
        if self.rng.randrange(SPOILED_OF) == 0:
            move = move._replace(args=spoiled(self.rng, move.args))
        if self.rng.randrange(MISSENT_OF) == 0:
            move = move._replace(sender=self.operator(self.member()) or move.sender)
        return move

    # Who there is

    def get(self, key: str) -> Any:
        """Return a state value, None if it is absent."""
        return self.sight.get(key)

    def chance(self, of: int) -> bool:
        """Say yes once in so many times."""
        return self.rng.randrange(of) == 0

    def pick(self, choices: Sequence[Any]) -> Any:
        """Return one of the choices."""
        return choices[self.rng.randrange(len(choices))]

    def members(self, *roles: str) -> list[str]:
        """Return the members, of some roles if given."""
        everyone: list[str] = self.get(MEMBERS_KEY)
        if not roles:
            return everyone
        return [name for name in everyone if self.get(member_key(name))["role"] in roles]

    def member(self, *roles: str) -> str:
        """Return a member, of some role if given; the chain has one of each."""
        return str(self.pick(self.members(*roles)))

    def operator(self, member: str, capability: str = "submit", but: str = "") -> str | None:
        """Return an operator of a member that may do something, if there is one; not ``but``."""
        rights = self.get(operators_key(member)) or {}
        found = [f"{member}/{user}" for user, held in rights.items() if capability in held]
        found = [name for name in found if name != but]
        return self.pick(found) if found else None

    def signer(self, sender: str) -> Signer | None:
        """Return who signs for a sender now."""
        node_id = node_of(sender)
        if node_id is not None:
            record = self.get(node_key(node_id))
            return self.keys.of(None if record is None else record["consensus_key"])
        record = self.get(operator_key(sender))
        return self.keys.of(None if record is None else record["key"])

    def nodes(self, kind: str) -> list[tuple[str, Any]]:
        """Return the nodes of a kind with their records."""
        named = ((node_id, self.get(node_key(node_id))) for node_id in self.get(NODES_KEY))
        return [(node_id, record) for node_id, record in named if record["kind"] == kind]

    def electorate(self) -> list[str]:
        """Return the members that have a vote."""
        return sorted({row[1] for row in self.get(VALIDATORS_KEY)[1]})

    def voter(self, contract: str, ballot_id: str) -> str | None:
        """Return an operator of a member that has not voted yet; under a document members without a node vote too."""
        turn = self.get(ballot_key(contract, ballot_id))["round"]
        members = self.electorate() if self.get(CONSTITUTION_KEY) is None else self.get(MEMBERS_KEY)
        left = [member for member in members if self.get(vote_key(contract, ballot_id, turn, member)) is None]
        return self.operator(self.pick(left), "operate") if left else None

    def node(self, node_id: str) -> str:
        """Return a node as a sender."""
        return node_sender(node_id)

    def newest(self, what: str, most: int) -> list[int]:
        """Return the last numbers of a counter of supervision, newest first."""
        last: int = self.get(counter_key(what)) or 0
        return list(range(last, max(0, last - most), -1))


class _Nothing:
    """A state before anything was shown."""

    def get(self, key: str) -> Any:
        """Return None."""
        return None
