"""Who validates from which height on, and by which rules, worked out from the bytes of the blocks alone.

Law: nothing of the product is asked. Sets are made and hashes computed here; what a block announces must be what was
decided in the block before it (``simulation.decisions``), and other rules begin only where a quorum of those who decide
under them said that they have them (I20).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from simulation import reading
from simulation.decisions import Ballot, Decisions, Wrong
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


class Waiting(NamedTuple):
    """A version that is accepted and not in force yet, the height of its ballot, and that ballot's name."""

    version: int
    height: int
    ballot: str


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
        self.stepping: list[str] = []  # validators of suspended members that are to leave their seats
        self.coming: tuple[Seat, ...] | None = None
        self.height = 0
        self.version, self.begun = 1, 0  # in force, and since which height; 0: since genesis
        self.waiting: Waiting | None = None
        self.withdrawn: dict[str, None] = {}
        self.software: dict[str, list[int]] = {}
        self.decisions = Decisions(genesis, lambda: self.newest.members, self._enact, self._note)

    def _note(self, goal: str) -> None:
        self.world.goals[goal] += 1

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
        begun = reading.receipt(seen.receipts[0])[1].get("governance", {})
        self._stepped_down(begun.get("stepped_down"))
        self.decisions.begin(seen.height, seen.time_ms, begun)
        if seen.next_validators_hash != self.newest.hash:
            raise Wrong("names other successors than were decided")
        for raw, receipt in zip(seen.transactions, seen.receipts[1:], strict=True):
            claim = reading.claim(raw)
            if claim is not None:
                self._transaction(seen.height, claim, *reading.receipt(receipt))

    def _announced(self, seen: Seen) -> None:
        """What was decided in the block before, and nothing else, is announced in this one."""
        _, due = reading.receipt(seen.receipts[0])
        shown, seats = due.get("membership", {}).get("validators"), self.coming
        self.coming = None
        if (shown is None) != (seats is None):
            raise Wrong("announces validators that nobody decided" if seats is None else "keeps a decided change back")
        if seats is None:
            return
        era = Era(self.newest.number + 1, seen.height + 1, seats)
        rows = [*map(list, seats)]
        if [shown["epoch"], shown["first_height"], shown["rows"]] != [era.number, era.first_height, rows]:
            raise Wrong("announces another change than was decided")
        self.eras.append(era)

    def _versioned(self, seen: Seen) -> None:
        """The version that waits begins where it can, and nowhere else."""
        _, due = reading.receipt(seen.receipts[0])
        shown, waiting = due.get("governance", {}).get("protocol_version"), self.waiting
        if waiting is None or seen.height + 1 < waiting.height or not self.support(self.newest.seats, waiting.version):
            if shown is not None:
                raise Wrong("brings a version into force that nobody decided, or too few have")
            return
        if shown is None or [shown["version"], shown["first_height"]] != [waiting.version, seen.height + 1]:
            raise Wrong("keeps a version back that was decided and that a quorum has")
        self.version, self.begun, self.waiting = waiting.version, seen.height + 1, None

    def _transaction(self, height: int, claim: Claim, code: str, data: dict[str, Any]) -> None:
        args, member = claim.args, claim.sender.split("/")[0]
        self.decisions.sent(height, claim, code, data)
        if code != "ok":
            return
        if claim.name == "membership.add_node":
            self.nodes[args["node"]] = (member, bytes.fromhex(args["consensus_key"]))
        elif claim.name == "membership.ready":
            self.ready[claim.sender.removeprefix("node:")] = height
        elif claim.name == "membership.declare_software":
            self.software[claim.sender.removeprefix("node:")] = list(args["protocol_versions"])

    def _stepped_down(self, shown: dict[str, Any] | None) -> None:
        """S6: the validator of a suspended member whose turn it is leaves its seat, if the others can do without."""
        node = ""
        left: tuple[Seat, ...] = ()
        if self.stepping:
            node = self.stepping.pop(0)
            seat = next((seat for seat in self.newest.seats if seat.id == node), None)
            node = "" if seat is None or self.decisions.is_good(seat.member) else node
            left = self._left(node)
        if (shown is None) != (not node) or (shown is not None and shown["node"] != node):
            raise Wrong(f"has {shown} step down, not {node or 'anybody'}")
        if shown is not None:
            if ("first_height" in shown) != bool(left):
                raise Wrong(f"has {node} step down as {shown}; left would be {len(left)}")
            self.coming = left or None
            self.world.goals["stepped_down"] += bool(left)

    def _left(self, node: str, seats: tuple[Seat, ...] | None = None) -> tuple[Seat, ...]:
        """Return the seats without that of a node; none if that must not be, or it has no seat."""
        before = self.newest.seats if seats is None else seats
        left = tuple(seat for seat in before if seat.id != node)
        lacking = self.has(node, self.version) and not self.support(left, self.version)
        return () if left == before or len(left) < SEATS_MIN or lacking or not is_safe(left) else left

    def _leaving(self, member: str) -> list[str]:
        """Return which validators of a member can leave their seats, one after the other."""
        seats, found = self.coming or self.newest.seats, []
        for node in sorted({seat.id for seat in (*self.newest.seats, *seats) if seat.member == member}):
            if self._left(node, seats):
                seats = self._left(node, seats)
                found.append(node)
        return found

    def _enact(self, height: int, name: str, ballot: Ballot, outcome: dict[str, Any]) -> None:
        """Follow what an accepted proposal does to validators and versions."""
        if ballot.kind == "suspend_member" and ballot.subject["seats"]:
            leaving = self._leaving(ballot.subject["member"])
            if outcome["seats"]["leaving"] != leaving:
                raise Wrong(f"has {outcome['seats']} leave, not {leaving}")
            self.stepping = [*(node for node in self.stepping if node not in leaving), *leaving]
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
            if not self.decisions.is_good(member):
                raise Wrong(f"adds {node} of {member}, which is suspended")
            if node in seats or height - self.ready.get(node, -READY_BLOCKS - 1) > READY_BLOCKS:
                raise Wrong(f"adds {node}, which validates already or never said that it is ready")
            if not self.has(node, self.version):
                raise Wrong(f"adds {node}, which never said that it has version {self.version}")
            seats[node] = Seat(node, member, self.roles[member], key)
        elif ballot.kind == "remove_validator":
            if not self._left(node):
                raise Wrong(f"removes {node}, which did not validate, or which the others cannot do without")
            del seats[node]
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
