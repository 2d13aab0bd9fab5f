"""The changes that a seed's members decide on while all else happens: who validates, with which key, by which rules.

Law: a change is made as members make it, by signed transactions at some node; what became of it is read from the
chain. None is asked for that would leave fewer than n - f good validators.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from simulation import faults, reading
from simulation.epochs import OF_VALIDATORS, Ballot, Seat, is_safe

if TYPE_CHECKING:
    from simulation.node import SimulatedNode
    from simulation.world import World

TRIES_MAX: Final = 8
WAITS_MAX: Final = 20
KINDS: Final = {
    "add": "add_validator",
    "remove": "remove_validator",
    "rotate": "rotate_validator_key",
    "rules": "protocol_version",
    "withdraw": "withdraw_version",
}
Subject: TypeAlias = dict[str, Any]


@dataclass(slots=True)
class Change:
    """One change: ``node`` is whom it is about, ``ballot`` the proposal that is under way, if there is one."""

    kind: str
    node: str = ""
    ballot: str = ""
    tries: int = 0
    waits: int = 0
    given: bool = False  # the new key is where it belongs, or will be; or the addition was asked for too early


class Changes:
    """Carries out ``options.changes``: one group after the other, all of a group at once."""

    def __init__(self, world: World) -> None:
        self.world, self.rng = world, world.rng
        self.plan = deque(world.options.changes)
        self.active: list[Change] = []
        self.rotating: dict[str, None] = {}
        self._voted: dict[tuple[str, str], None] = {}
        self._number = 0

    @property
    def over(self) -> bool:
        """Whether nothing is left to do."""
        return not (self.active or self.plan)

    @property
    def f(self) -> int:
        """How many may be faulty now and when every removal that is under way has come."""
        n = self.world.epochs.newest.n
        return (n - sum(change.kind == "remove" and bool(change.ballot) for change in self.active) - 1) // 3

    def start(self) -> None:
        """Begin soon, if there is something to do."""
        if self.plan:
            self.world.act(self.rng.randint(200, 1_500), "changes", self._go_on)

    def _go_on(self) -> None:
        if self.world.healed:
            self.plan.clear()
        if not self.active and self.plan:
            self.active = [Change(kind) for kind in self.plan.popleft()]
        if self.world.serving():
            self.world.guarded(lambda: self.world.clients.again(every=False))
            for change in list(self.active):
                self._advance(change)
        if not self.over:
            self.world.act(self.rng.randint(60, 300), "changes", self._go_on)

    def _advance(self, change: Change) -> None:
        ballot = self.world.epochs.ballots.get(change.ballot)
        if not change.ballot:
            self._propose(change)
        elif ballot is None:
            return
        elif ballot.status == "open":
            if not self._waits_for_its_turn(change):
                self._vote(change.ballot, ballot)
        elif ballot.status != "accepted":  # void, or refused: another change came first, or it is not ready yet
            self.world.goals["change_void"] += ballot.status in ("void", "change_pending")
            self.world.say(f"{change.kind} {change.node} is {ballot.status}")
            change.ballot, change.tries = "", change.tries + 1
            if change.tries > TRIES_MAX:
                self._drop(change)
        elif change.kind == "rules" and self.world.epochs.waiting is not None:
            self._install(change)
        elif change.ballot in self.world.epochs.withdrawn:
            self.world.goals["version_withdrawn"] += 1
            self._drop(change)
        elif self._in_force(change):
            self.world.say(f"{change.kind} {change.node} is in force")
            if change.kind == "rotate":
                self.world.give_key(self.world.named(change.node))
            self.active.remove(change)

    def _drop(self, change: Change) -> None:
        self.world.say(f"{change.kind} {change.node} is given up")
        self.active.remove(change)

    def _in_force(self, change: Change) -> bool:
        epochs = self.world.epochs
        if change.kind == "rules":
            return bool(epochs.begun) and self.world.highest >= epochs.begun
        if change.kind == "withdraw":
            return True
        return epochs.coming is None and self.world.highest >= epochs.newest.first_height

    # Proposals

    def _propose(self, change: Change) -> None:
        subject = self._subject(change)
        if subject is None:
            if change.kind == "withdraw" or (self.world.healed and (change.kind != "add" or not change.node)):
                self._drop(change)  # it was impossible, and will be
            return
        self._number += 1
        change.ballot = f"change-{self._number}"
        proposer = self._proposer(change)
        self.world.say(f"{proposer} proposes to {change.kind} {change.node}")
        args = {"id": change.ballot, "kind": KINDS[change.kind], "subject": subject}
        self._send(proposer, "governance", "propose", args)

    def _proposer(self, change: Change) -> str:
        """A validator's own member asks for its key, and now and then for its removal."""
        owner = self.world.epochs.nodes.get(change.node, ("", b""))[0]
        if change.kind == "rotate" or (owner and self.rng.randrange(3) == 0):
            return owner
        return self.rng.choice(self.world.epochs.newest.members)

    def _subject(self, change: Change) -> Subject | None:
        return {
            "add": self._addition,
            "remove": self._removal,
            "rotate": self._rotation,
            "rules": self._rules,
            "withdraw": self._withdrawal,
        }[change.kind](change)

    def _addition(self, change: Change) -> Subject | None:
        world, epochs = self.world, self.world.epochs
        taken = [other.node for other in self.active]
        if not change.node:
            free = [
                node
                for node in world.nodes
                if node.owner not in epochs.newest.members and node.id not in taken and node.honest == node.started
            ]
            if not free:
                return None
            node = self.rng.choice(free)
            change.node = node.id
            if node.id not in epochs.nodes:
                args = {"node": node.id, "link_certificate": f"3003{len(taken):02x}{node.index:02x}00"}
                self._send(node.owner, "membership", "add_node", {**args, "consensus_key": world.key(node.id).hex()})
            world.act(self.rng.choice((1, 200, 1_500)), f"join {node.index}", lambda: world.join(node))
        early = change.node in epochs.nodes and not change.given and self.rng.randrange(8) == 0
        change.given = change.given or early  # once it is asked for before it is ready, which is refused
        return {"node": change.node} if early or change.node in epochs.ready else None

    def _removal(self, change: Change) -> Subject | None:
        world, era = self.world, self.world.epochs.newest
        faulty = len(world.options.behaviours) + len(world.fragile)
        pending = sum(other.kind == "remove" and bool(other.ballot) for other in self.active)
        if era.n - pending < 5 or faulty > (era.n - pending - 2) // 3:
            return None
        free = [
            seat.id
            for seat in era.seats
            if seat.id not in [other.node for other in self.active if other is not change]
            and is_safe(tuple(other for other in era.seats if other is not seat))
        ]
        if not free:
            return None
        leader = world.leading()
        change.node = leader if leader in free and self.rng.randrange(8) else self.rng.choice(free)
        return {"node": change.node}

    def _rotation(self, change: Change) -> Subject | None:
        world, era = self.world, self.world.epochs.newest
        if change.node and era.index(change.node) is None:
            return None
        if not change.node:
            free = [seat.id for seat in era.seats if seat.id not in self.rotating and seat.key == world.key(seat.id)]
            if not free:
                return None
            change.node = self.rng.choice(free)
            self.rotating[change.node] = None
        node, signer = world.named(change.node), world.next_signer(change.node)
        if not change.given:  # early, or only when the network already waits for it
            change.given = True
            if world.healed or self.rng.randrange(3):
                world.give_key(node)
        proof = signer.sign(reading.key_proof(world.genesis.chain_id, change.node, signer.public_key))
        return {"node": change.node, "key": signer.public_key.hex(), "proof": proof.hex()}

    def _rules(self, change: Change) -> Subject | None:
        """One validator lacks the rules, or so many that they wait."""
        if not change.node:
            voting = [node for node in self.world.running_honest() if self.world.seat(node) is not None]
            if not voting:
                return None
            count = 1 if self.rng.randrange(2) else self.rng.randint(1, len(voting))
            lacking = self.rng.sample(voting, count)
            change.node = lacking[0].id
            for node in lacking:
                self.world.outdate(node)
        return {"version": 2, "height": self.world.highest + self.rng.randint(4, 9)}

    def _withdrawal(self, change: Change) -> Subject | None:
        waiting = self.world.epochs.waiting
        return None if waiting is None else {"proposal": waiting.ballot}

    def _install(self, change: Change) -> None:
        """While rules wait for nodes that have them, some are given newer software, or members give up."""
        waiting, upgrade = self.world.epochs.waiting, self.world.epochs.upgrade
        if waiting is None or (upgrade is not None and upgrade[0] == waiting[0]):
            return  # enough have them
        self.world.goals["version_waits"] += self.world.highest > waiting.height
        if not change.given and self.rng.randrange(60) == 0:
            change.given = True
            self.active.append(Change("withdraw"))
        lacking = [node for node in self.world.nodes if node.outdated]
        if lacking and self.rng.randrange(30) == 0:
            self.world.upgrade(self.rng.choice(lacking))

    # Votes

    def _waits_for_its_turn(self, change: Change) -> bool:
        """Whether a removal is voted on a little later, when the validator leads, if that comes soon."""
        change.waits += 1
        soon = change.waits < WAITS_MAX and not self.world.healed
        return change.kind == "remove" and soon and self.world.leading() != change.node

    def _vote(self, name: str, ballot: Ballot) -> None:
        """Every member says yes but as many as a quorum can do without, and says it once."""
        members = self.world.epochs.newest.members
        against = len(members) - (2 * len(members) // 3 + 1) - list(ballot.choices.values()).count("no")
        for member in members:
            if member in ballot.choices or (name, member) in self._voted:
                continue
            self._voted[name, member] = None
            says_no = against > 0 and self.rng.randrange(4) == 0 and self.world.epochs.newest.n == len(members)
            against -= says_no
            self._send(member, "governance", "vote", {"ballot": name, "choice": "no" if says_no else "yes"})

    def _send(self, member: str, contract: str, action: str, args: Subject) -> None:
        running = self.world.serving()
        node = running[self.rng.randrange(len(running))]
        self.world.guarded(lambda: self.world.clients.send(node, member, contract, action, args))

    # Trouble at the worst moment

    def decided(self, seats: tuple[Seat, ...]) -> None:
        """A change was just decided: it signs two blocks later, if nothing prevents that."""
        if not self.world.healed and self.rng.randrange(3):
            self.world.act(self.rng.choice((0, 2, 8)), "trouble", self._trouble)

    def _trouble(self) -> None:
        world = self.world
        about = [change.node for change in self.active if KINDS[change.kind] in OF_VALIDATORS and change.node]
        kind = self.rng.choice(("leader", "leader", "changed", "partition"))
        if kind == "partition":
            what = faults.FAULTS["partition"](world)
        else:
            what = world.leading() if kind == "leader" or not about else self.rng.choice(about)
            for node in world.nodes:
                if node.id == what and node.machine is not None:
                    self._fell(node)
        world.faults["trouble at a change"] += 1
        world.say(f"fault: trouble at a change: {kind}: {what}")

    def _fell(self, node: SimulatedNode) -> None:
        self.world.crash(node, self.rng.choice(("kill", "power")))
        self.world.boot_later(node, self.rng.randint(300, 2_500))
