"""Who validates from which height on, and by which rules, worked out from the bytes of the blocks alone.

Law: nothing of the product is asked. Ballots are counted, sets made and hashes computed anew; what a block
announces must be what a quorum decided in the block before it, and other rules begin only where a quorum of those who
decide under them said that they have them (I20).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from simulation import reading
from simulation.reading import Claim, Seen

if TYPE_CHECKING:
    from simulation.world import World

READY_BLOCKS: Final = 1_000
SEATS_MIN: Final = 4
OF_VALIDATORS: Final = ("add_validator", "remove_validator", "rotate_validator_key")


class Seat(NamedTuple):
    """One validator."""

    id: str
    member: str
    role: str
    key: bytes


@dataclass(frozen=True)
class Era:
    """The validators of an epoch, ascending by id, and the first height that they decide."""

    number: int
    first_height: int
    seats: tuple[Seat, ...]

    @property
    def n(self) -> int:
        """How many they are."""
        return len(self.seats)

    @property
    def f(self) -> int:
        """How many of them may be faulty."""
        return (self.n - 1) // 3

    @property
    def members(self) -> tuple[str, ...]:
        """The members that have a vote."""
        return tuple(sorted({seat.member for seat in self.seats}))

    @cached_property
    def hash(self) -> bytes:
        """The hash that headers carry."""
        return reading.seats_hash([list(seat) for seat in self.seats])

    def index(self, node: str) -> int | None:
        """Return the position of a node, None if it does not vote."""
        return next((index for index, seat in enumerate(self.seats) if seat.id == node), None)

    def base(self, previous: str | None, height: int, tenure: int) -> int:
        """Return who leads round 0 of ``height`` when ``previous`` proposed the block before."""
        if previous is None:
            return 0
        index = self.index(previous)
        if index is None:
            index = sum(seat.id < previous for seat in self.seats)
        return (index + (height % tenure == 0)) % self.n


@dataclass(slots=True)
class Ballot:
    """A proposal as the chain has it; ``status`` is that of its last receipt, or the code of its refusal."""

    kind: str
    subject: dict[str, Any]
    proposer: str
    height: int
    status: str
    choices: dict[str, str] = field(default_factory=dict)


class Waiting(NamedTuple):
    """A version that is accepted and not in force yet, the height of its ballot, and that ballot's name."""

    version: int
    height: int
    ballot: str


class Wrong(Exception):
    """A block says of the validators what nobody decided."""


class Epochs:
    """The epochs of one chain, as its blocks become known in their order."""

    def __init__(self, world: World) -> None:
        self.world = world
        genesis = world.genesis
        self.roles = {member.id: member.role for member in genesis.members}
        seats = [
            Seat(node.id, node.member, self.roles[node.member], node.consensus_key)
            for node in genesis.nodes
            if node.kind == "validator"
        ]
        self.eras = [Era(0, 1, tuple(sorted(seats)))]
        self.nodes = {node.id: (node.member, node.consensus_key) for node in genesis.nodes}
        self.ready: dict[str, int] = {}
        self.ballots: dict[str, Ballot] = {}
        self.coming: tuple[Seat, ...] | None = None
        self.height = 0
        self.version, self.begun = 1, 0  # in force, and since which height; 0: since genesis
        self.waiting: Waiting | None = None
        self.withdrawn: dict[str, None] = {}
        self.software: dict[str, list[int]] = {}

    @property
    def newest(self) -> Era:
        """The set of the last epoch that a block announced."""
        return self.eras[-1]

    @property
    def most(self) -> int:
        """The largest set so far."""
        return max(era.n for era in self.eras)

    def has(self, node: str, version: int) -> bool:
        """Say whether a node said that it has a version; every node has that of genesis."""
        return version in self.software.get(node, ()) or (version == self.version and not self.begun)

    def support(self, seats: tuple[Seat, ...], version: int) -> bool:
        """Say whether these seats are a quorum of nodes that have a version, among all of them."""
        return 3 * sum(self.has(seat.id, version) for seat in seats) > 2 * len(seats)

    @property
    def upgrade(self) -> tuple[int, int] | None:
        """The newest version that a ballot brought, or will bring for certain, and its first height."""
        waiting = self.waiting
        if waiting is not None and self.support(self.coming or self.newest.seats, waiting.version):
            return waiting.version, max(waiting.height, self.height + 2)
        return (self.version, self.begun) if self.begun else None

    def at(self, height: int) -> Era:
        """Return who decides a height, as far as it is known."""
        return next(era for era in reversed(self.eras) if era.first_height <= max(1, height))

    def follow(self, seen: Seen) -> None:
        """Judge the next block, and learn from it; raise ``Wrong``."""
        era = self.at(seen.height)
        if (seen.epoch, seen.validators_hash) != (era.number, era.hash):
            raise Wrong(f"is of epoch {seen.epoch} or other validators, those of epoch {era.number} decide it")
        self._announced(seen)
        self._versioned(seen)
        self.height = seen.height
        if seen.next_validators_hash != self.newest.hash:
            raise Wrong("names other successors than were decided")
        for raw, receipt in zip(seen.transactions, seen.receipts[1:], strict=True):
            claim = reading.claim(raw)
            if claim is not None:
                self._transaction(seen.height, claim, *reading.receipt(receipt))

    def _announced(self, seen: Seen) -> None:
        """What was decided in the block before, and nothing else, is announced in this one."""
        _, due = reading.receipt(seen.receipts[0])
        told, seats = due.get("membership", {}).get("validators"), self.coming
        self.coming = None
        if (told is None) != (seats is None):
            raise Wrong("announces validators that nobody decided" if seats is None else "keeps a decided change back")
        if seats is None:
            return
        era = Era(self.newest.number + 1, seen.height + 1, seats)
        if [told["epoch"], told["first_height"], told["rows"]] != [era.number, era.first_height, [*map(list, seats)]]:
            raise Wrong("announces another change than was decided")
        self.eras.append(era)

    def _versioned(self, seen: Seen) -> None:
        """The version that waits begins where it can, and nowhere else."""
        _, due = reading.receipt(seen.receipts[0])
        told, waiting = due.get("governance", {}).get("protocol_version"), self.waiting
        if waiting is None or seen.height + 1 < waiting.height or not self.support(self.newest.seats, waiting.version):
            if told is not None:
                raise Wrong("brings a version into force that nobody decided, or too few have")
            return
        if told is None or [told["version"], told["first_height"]] != [waiting.version, seen.height + 1]:
            raise Wrong("keeps a version back that was decided and that a quorum has")
        self.version, self.begun, self.waiting = waiting.version, seen.height + 1, None

    def _transaction(self, height: int, claim: Claim, code: str, data: dict[str, Any]) -> None:
        args, member = claim.args, claim.sender.split("/")[0]
        if claim.name == "governance.propose" and args["id"] not in self.ballots:
            ballot = Ballot(args["kind"], args["subject"], member, height, code)
            self.ballots[args["id"]] = ballot
            if code == "ok":
                ballot.choices[member] = "yes"  # counts if the member has a vote
                self._resolved(height, args["id"], ballot, data["status"])
        elif code != "ok":
            return
        elif claim.name == "governance.vote":
            ballot = self.ballots[args["ballot"]]
            if ballot.status != "open" or ballot.choices.setdefault(member, args["choice"]) != args["choice"]:
                raise Wrong(f"takes a vote of {member}, which it had, or which came too late")
            self._resolved(height, args["ballot"], ballot, data["status"])
        elif claim.name == "membership.add_node":
            self.nodes[args["node"]] = (member, bytes.fromhex(args["consensus_key"]))
        elif claim.name == "membership.ready":
            self.ready[claim.sender.removeprefix("node:")] = height
        elif claim.name == "membership.declare_software":
            self.software[claim.sender.removeprefix("node:")] = list(args["protocol_versions"])

    def _resolved(self, height: int, name: str, ballot: Ballot, status: str) -> None:
        ballot.status = status
        if status != "accepted":
            return
        members = self.newest.members
        yes = sum(ballot.choices.get(member) == "yes" for member in members)
        if 3 * yes <= 2 * len(members):
            raise Wrong(f"accepts a proposal with {yes} votes of {len(members)}")
        if ballot.kind == "protocol_version":
            if self.waiting is not None or ballot.subject["version"] != self.version + 1:
                raise Wrong("accepts a version that is not the next, or while another one waits")
            self.waiting = Waiting(ballot.subject["version"], ballot.subject["height"], name)
        if ballot.kind == "withdraw_version":
            if self.waiting is None or self.waiting.ballot != ballot.subject["proposal"]:
                raise Wrong("withdraws a version that does not wait")
            self.withdrawn[self.waiting.ballot], self.waiting = None, None
        if ballot.kind in OF_VALIDATORS:
            if self.coming is not None:
                raise Wrong("decides two changes of the validators")
            self.coming = self._changed(height, ballot)

    def _changed(self, height: int, ballot: Ballot) -> tuple[Seat, ...]:
        node, seats = ballot.subject["node"], {seat.id: seat for seat in self.newest.seats}
        if ballot.kind == "add_validator":
            member, key = self.nodes[node]
            if node in seats or height - self.ready.get(node, -READY_BLOCKS - 1) > READY_BLOCKS:
                raise Wrong(f"adds {node}, which validates already or never said that it is ready")
            if not self.has(node, self.version):
                raise Wrong(f"adds {node}, which never said that it has version {self.version}")
            seats[node] = Seat(node, member, self.roles[member], key)
        elif ballot.kind == "remove_validator":
            if seats.pop(node, None) is None or len(seats) < SEATS_MIN:
                raise Wrong(f"removes {node}: it did not validate, or {len(seats)} would be left")
            if self.has(node, self.version) and not self.support(tuple(seats.values()), self.version):
                raise Wrong(f"removes {node}: too few of those left have version {self.version}")
        else:
            key, proof = bytes.fromhex(ballot.subject["key"]), bytes.fromhex(ballot.subject["proof"])
            said = reading.key_proof(self.world.genesis.chain_id, node, key)
            if seats[node].member != ballot.proposer or not self.world.scheme.verify(key, said, proof):
                raise Wrong(f"gives {node} a key that its member or the key itself did not ask for")
            seats[node] = seats[node]._replace(key=key)
            self.nodes[node] = (seats[node].member, key)
        changed = tuple(sorted(seats.values()))
        if not is_safe(changed):
            raise Wrong("decides on validators among whom one member or role is too strong, or a key is there twice")
        return changed


def is_safe(seats: tuple[Seat, ...]) -> bool:
    """Say whether no member holds more than f of these seats, no role a quorum of them, and no key two."""
    n = len(seats)
    members, roles = ([getattr(seat, field) for seat in seats] for field in ("member", "role"))
    return (
        all(3 * members.count(member) <= n - 1 for member in members)
        and all(3 * roles.count(role) <= 2 * n for role in roles)
        and len({seat.key for seat in seats}) == n
    )
