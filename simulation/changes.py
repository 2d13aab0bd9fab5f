"""The changes that a seed's members decide on while all else happens: who validates, with which key, by which rules,
who is a member in good standing, by which votes all of that is decided, and what is paused.

Law: a change is made as members make it, by signed transactions at some node; what became of it is read from the
chain. None is asked for that would leave fewer than n - f good validators.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from simulation import faults, proposals, reading, votings
from simulation.decisions import Ballot
from simulation.epochs import OF_VALIDATORS, Seat, is_safe
from simulation.proposals import PAUSED

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
    "amend": "amend_constitution",
    "suspend": "suspend_member",
    "reinstate": "reinstate_member",
    "admit": "add_member",
    "dismiss": "remove_member",
    "measure": "measure",
}
REASON: Final = "So it should be"
SOON_MS: Final = 10_000
"""How far ahead a decision may be that is waited for when all is healed."""
STUCK_MAX: Final = 60
"""How often a proposal is looked at on which all voted, before it is withdrawn."""
OPPOSED_OF: Final = 4
"""One proposal in this many has a constituency against it, where a document is in force."""
Subject: TypeAlias = dict[str, Any]


@dataclass(slots=True)
class Change:
    """One change: ``node`` is the node or member that it is about, ``ballot`` the proposal under way, if any."""

    kind: str
    node: str = ""
    ballot: str = ""
    tries: int = 0
    waits: int = 0
    given: bool = False  # the new key is where it belongs, or will be; or the addition was asked for too early
    seats: bool = False  # a validator is to leave its seat
    against: str = ""  # the constituency that is against it; then all others vote as they like
    stuck: int = 0


class Changes:
    """Carries out ``options.changes``: one group after the other, all of a group at once."""

    def __init__(self, world: World) -> None:
        self.world, self.rng = world, world.rng
        self.plan = deque(world.options.changes)
        self.active: list[Change] = []
        self.rotating: dict[str, None] = {}
        self._said: dict[tuple[str, int], dict[str, str]] = {}  # by ballot and round: what was sent, by member
        self._number = 0

    @property
    def over(self) -> bool:
        """Whether nothing is left to do."""
        return not (self.active or self.plan)

    @property
    def f(self) -> int:
        """How many may be faulty now and when every removal that is under way has come."""
        n = self.world.epochs.newest.n
        return (n - self._leaving - 1) // 3

    @property
    def _leaving(self) -> int:
        """How many validators leave their seats by what is under way."""
        return sum(change.seats and bool(change.ballot) for change in self.active)

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
            if self.world.epochs.decisions.measures and self.rng.randrange(4) == 0:
                contract, action = PAUSED.split(".")
                self._send(self.rng.choice(self.world.genesis.members).id, contract, action, {})
        if not self.over:
            self.world.act(self.rng.randint(60, 300), "changes", self._go_on)

    def _advance(self, change: Change) -> None:
        ballot = self.world.epochs.decisions.ballots.get(change.ballot)
        if not change.ballot:
            self._propose(change)
        elif ballot is None:
            return
        elif ballot.status == "open":
            if not self._waits_for_its_turn(change):
                self._vote(change, ballot)
        elif ballot.status == "passed":
            self._wait(change, ballot)
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
        if change.kind == "measure":
            return self.world.healed or change.ballot not in epochs.decisions.measures
        if KINDS[change.kind] not in OF_VALIDATORS and not change.seats:
            return True
        return not epochs.stepping and epochs.coming is None and self.world.highest >= epochs.newest.first_height

    # Proposals

    def _propose(self, change: Change) -> None:
        subject = self._subject(change)
        if subject is None:
            over = self.world.healed and (change.kind != "add" or not change.node)
            waits = change.kind in ("reinstate", "dismiss")
            vain = waits and all(other.kind not in ("suspend", "admit") for other in self.active)
            if change.kind == "withdraw" or over or vain:
                self._drop(change)  # it was impossible, and will be
            return
        self._number += 1
        decisions = self.world.epochs.decisions
        opposed = decisions.version > 0 and self.rng.randrange(OPPOSED_OF) == 0 and not self.world.healed
        track = votings.track_of(decisions.document, KINDS[change.kind])
        change.stuck = 0
        change.against = self.rng.choice(track.get("veto", proposals.ROLES[:3])) if opposed else ""
        change.ballot = f"change-{self._number}"
        proposer = self._proposer(change)
        self.world.say(f"{proposer} proposes to {change.kind} {change.node}")
        args = {"id": change.ballot, "kind": KINDS[change.kind], "subject": subject, "reason": REASON}
        self._send(proposer, "governance", "propose", args)

    def _proposer(self, change: Change) -> str:
        """A validator's own member asks for its key, and now and then for its removal."""
        owner = self.world.epochs.nodes.get(change.node, ("", b""))[0]
        if change.kind == "rotate" or (owner and self.rng.randrange(3) == 0):
            return owner
        good = [member for member in self.world.epochs.newest.members if self.world.epochs.decisions.is_good(member)]
        return self.rng.choice(good)

    def _subject(self, change: Change) -> Subject | None:
        return {
            "add": self._addition,
            "remove": self._removal,
            "rotate": self._rotation,
            "rules": self._rules,
            "withdraw": self._withdrawal,
            "amend": self._amendment,
            "suspend": self._suspension,
            "reinstate": self._reinstatement,
            "admit": self._admission,
            "dismiss": self._dismissal,
            "measure": self._measure,
        }[change.kind](change)

    def _addition(self, change: Change) -> Subject | None:
        world, epochs = self.world, self.world.epochs
        taken = [other.node for other in self.active]
        if not change.node:
            free = [
                node
                for node in world.nodes
                if node.owner not in (*epochs.newest.members, *taken)
                and node.id not in taken
                and node.honest == node.started
                and epochs.decisions.is_good(node.owner)
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
        left = era.n - self._leaving - len(world.epochs.stepping)
        if left < 5 or faulty > (left - 2) // 3:
            return None
        free = [
            seat.id
            for seat in era.seats
            if seat.id not in [other.node for other in self.active if other is not change]
            and is_safe(tuple(other for other in era.seats if other is not seat))
        ]
        if not free:
            return None
        change.seats, leader = True, world.leading()
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

    def _amendment(self, change: Change) -> Subject | None:
        return proposals.amendment(self.world.epochs.decisions, self.rng)

    def _measure(self, change: Change) -> Subject | None:
        return proposals.measure(self.world.epochs.decisions, self.rng)

    def _suspension(self, change: Change) -> Subject | None:
        """Suspend a member: with its seat, if that can be missed, or it stays for certain."""
        epochs = self.world.epochs
        seat = self._removal(change) if self.rng.randrange(2) else None
        stays = epochs.newest.n == 4 and epochs.coming is None and all(other.kind != "add" for other in self.active)
        if seat is not None:
            change.node = epochs.nodes[seat["node"]][0]
        else:
            joining = [
                self.world.named(other.node)[0].owner for other in self.active if other.kind == "add" and other.node
            ]
            free = [each for each in epochs.decisions.roles if epochs.decisions.is_good(each) and each not in joining]
            change.seats, change.node = False, self.rng.choice(free)
        seats = seat is not None or (stays and not self.plan and self.rng.randrange(2) == 0)
        return proposals.suspension(epochs.decisions, self.rng, change.node, seats=seats)

    def _reinstatement(self, change: Change) -> Subject | None:
        suspended = list(self.world.epochs.decisions.suspended)
        if not suspended:
            return None
        change.node = self.rng.choice(suspended)
        return {"member": change.node, "grounds": proposals.GROUNDS}

    def _admission(self, change: Change) -> Subject | None:
        change.node = change.node or f"newcomer-{self._number}"
        return proposals.admission(self.world.scheme, self.rng, change.node)

    def _dismissal(self, change: Change) -> Subject | None:
        """Remove a member that was admitted in this run: it runs no node."""
        decisions = self.world.epochs.decisions
        here = [member for member in decisions.roles if member.startswith("newcomer") and decisions.is_good(member)]
        if not here:
            return None
        change.node = self.rng.choice(here)
        return {"member": change.node, "grounds": proposals.GROUNDS}

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

    def _vote(self, change: Change, ballot: Ballot) -> None:
        """Every member that has a vote says yes, but some that can be missed, and says it once."""
        decisions = self.world.epochs.decisions
        said = self._said.setdefault((change.ballot, ballot.round), {})
        electors = decisions.electors(ballot)
        if self.world.healed and not self.world.clients.open:  # a vote was refused, its member suspended just then
            for member in [each for each in said if each not in ballot.choices]:
                del said[member]
        for member in electors:
            if member in ballot.choices or member in said:
                continue
            said[member] = "yes"
            if change.against:
                said[member] = self._of_mixed_mind(decisions.where(member) == change.against)
            elif self.rng.randrange(4) == 0:
                other = self.rng.choice(("no", "abstain"))
                if decisions.would_pass(ballot, {**said, member: other}, SOON_MS):
                    said[member] = other
            args = {"ballot": change.ballot, "choice": said[member], "reason": REASON}
            self._send(member, "governance", "vote", args)
        change.stuck += all(member in ballot.choices for member in electors)
        if change.stuck > STUCK_MAX:
            change.stuck = 0
            args = {"proposal": change.ballot, "reason": REASON}
            self._send(ballot.proposer, "governance", "withdraw", args)
            if self.world.healed:
                self._drop(change)

    def _of_mixed_mind(self, against: bool) -> str:
        return self.rng.choice(("no", "no", "no", "abstain") if against else ("yes", "yes", "yes", "no"))

    def _wait(self, change: Change, ballot: Ballot) -> None:
        """While a decision waits for its delay, the member concerned may appeal."""
        if self.world.healed:
            if ballot.effect_ms > self.world.now_ms + SOON_MS:
                self._drop(change)
        elif ballot.concerned is not None and not change.given and self.rng.randrange(4) == 0:
            change.given = True
            args = {"proposal": change.ballot, "reason": REASON}
            self._send(ballot.concerned, "governance", "appeal", args)

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
