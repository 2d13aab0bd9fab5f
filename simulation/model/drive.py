"""The real core, driven through every state of the model, and attacked in each.

Law: for each move of the model some deliveries make the real replicas take it, and nothing else; whatever else is
delivered in any of these states, what they say is a step of the model; and what R4 and R5 demand, they do. One course
stands for each state: how else it may come about is not tried (what a replica holds makes these too many).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations

from coseal.consensus.messages import Commit, Message, Prepare, Proposal, RoundChange
from coseal.ledger.block import Block
from simulation.model.bench import (
    VALIDATORS,
    Adversary,
    Course,
    Reaction,
    Way,
    begin,
    block,
    judged,
    react,
    received,
    timeout,
)
from simulation.model.rules import ASK, COMMIT, PREPARE, PROPOSE, Rules, State, Step
from simulation.model.spaces import Move, Reduced

_MESSAGE = {PROPOSE: Proposal, PREPARE: Prepare, COMMIT: Commit, ASK: RoundChange}


@dataclass(slots=True)
class Driven:
    """What was reached and tried.

    ``untaken``: moves for which no deliveries were found. ``demands``: how often R4 or R5 had to apply. ``faults``:
    what is wrong.
    """

    states: int = 0
    moves: int = 0
    untaken: int = 0
    attacks: int = 0
    demands: int = 0
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Place:
    """A state with the course that led there: which seat each node is, and which block each value."""

    state: State
    course: Course
    seats: tuple[int, ...]
    blocks: dict[int, Block]


class Drive:
    """Drives three real replicas; ``byzantine`` is the seat of the fourth validator."""

    def __init__(self, byzantine: int, rounds: int) -> None:
        self._space = Reduced(Rules(VALIDATORS.n, (byzantine,)), rounds)
        self._adversary = Adversary(byzantine, rounds)
        self._byzantine, self._rounds = byzantine, rounds
        self.driven = Driven()

    def run(self, *, attack: bool = True) -> Driven:
        """Visit every state that can be reached, until something is wrong."""
        first = self._first()
        met, pending = {first.state}, deque([first])
        while pending and not self.driven.faults:
            place = pending.popleft()
            self.driven.states += 1
            self._demand(place)
            if attack:
                self._attack(place)
            for move in [] if self.driven.faults else self._space.moves(place.state):
                self.driven.moves += 1
                reached = self._take(place, move)
                if reached is None:
                    self.driven.untaken += 1
                elif reached.state not in met:
                    met.add(reached.state)
                    pending.append(reached)
        return self.driven

    # --- moves ---

    def _first(self) -> _Place:
        seats = tuple(seat for seat in range(VALIDATORS.n) if seat != self._byzantine)
        start = self._space.start()
        course = begin(seats)
        place = _Place(self._space.rules.start(self._rounds), course, seats, {})
        if start.steps:  # the leader of round 0 proposed and prepared when it started
            proposal = next(message for message in course.said if isinstance(message, Proposal))
            place.blocks[start.steps[0].value] = proposal.block
        rest = tuple(step for step in start.steps if not self._said(place, step))
        reached = self._take(place, Move(rest, start.state))
        if reached is None:
            raise AssertionError("the first round does not begin")
        return reached

    def _take(self, place: _Place, move: Move) -> _Place | None:
        """Return where the real replicas are when they took the steps of a move, or None if they cannot."""
        course, blocks = place.course, dict(place.blocks)
        for step in move.steps:
            here = _Place(place.state, course, place.seats, blocks)
            if self._said(here, step):
                continue
            taken = self._step(here, step)
            if taken is None:
                return None
            course = taken
        order, names = self._space.relation(move.state)
        return _Place(
            self._space.canonical(move.state),
            course,
            tuple(place.seats[index] for index in order),
            {names.get(value, value): held for value, held in blocks.items()},
        )

    def _step(self, place: _Place, step: Step) -> Course | None:
        """Find deliveries after which the replica takes this step, and perhaps at once the PREPARE of its own block."""
        seat = place.seats[step.node]
        for way in self._ways(place, step, seat):
            reaction = self._react(place, seat, way)
            if self.driven.faults:
                return None
            expected = 2 if step.kind == PROPOSE else 1
            if len(reaction.said) != expected or not self._is(place, step, reaction.said[0]):
                continue
            if step.kind == PROPOSE and isinstance(reaction.said[0], Proposal):
                place.blocks.setdefault(step.value, reaction.said[0].block)
            events = {**place.course.events, seat: place.course.events[seat] + reaction.events}
            return Course(events, place.course.said + reaction.said)
        return None

    def _react(self, place: _Place, seat: int, way: Way) -> Reaction:
        """Deliver, and note whatever the model does not allow."""
        bodies = {held.hash: held for held in place.blocks.values()}
        reaction = react(place.course, seat, way, bodies)
        fault = judged(place.course, seat, reaction, self._byzantine)
        if fault is not None:
            self.driven.faults.append(f"{fault}, after {', '.join(map(_told, way))}")
        return reaction

    def _is(self, place: _Place, step: Step, message: Message) -> bool:
        if not isinstance(message, _MESSAGE[step.kind]) or message.round != step.round:
            return False
        if isinstance(message, RoundChange):
            return step.value == (0 if message.prepared is None else message.prepared.round + 1)
        block_hash = message.block.hash if isinstance(message, Proposal) else message.block_hash
        known = place.blocks.get(step.value)
        if known is None:
            return isinstance(message, Proposal) and message.block.header.created_round == step.round
        return known.hash == block_hash

    def _said(self, place: _Place, step: Step) -> bool:
        seat = place.seats[step.node]
        return any(message.sender == seat and self._is(place, step, message) for message in place.course.said)

    def _ways(self, place: _Place, step: Step, seat: int) -> Iterator[Way]:
        """Yield deliveries that may make the replica of ``seat`` take a step."""
        course, adversary, round = place.course, self._adversary, step.round
        others = [message for message in course.said if message.sender != seat]
        match step.kind:
            case "PROPOSAL":
                asked = [change for change in course.changes(seat) if change.round == round]
                for own in (None, *adversary.changes(course, round)):
                    for chosen in combinations(asked, 2 if own is None else 1):
                        yield [received(change) for change in (*chosen, *([] if own is None else [own]))]
            case "PREPARE" if self._space.rules.honest_leader(round):
                yield [received(m) for m in others if isinstance(m, Proposal) and m.round == round]
            case "PREPARE":
                number = sum(held.header.created_round == round for held in place.blocks.values())
                proposed = place.blocks.setdefault(step.value, block(round, number))
                for justification in adversary.justifications(course, round):
                    yield [received(adversary.propose(round, proposed, justification))]
            case "COMMIT":
                block_hash = place.blocks[step.value].hash
                votes = (*course.votes(Prepare, round, block_hash), adversary.prepare(round, block_hash))
                yield [received(vote) for vote in votes if vote.sender != seat]
            case _:
                yield [timeout(round - 1)]
                asking = course.changes(seat)
                for change in asking:  # q ask for this round, so it is timed
                    if change.round >= round - 1 > 0:
                        yield [received(change), received(adversary.change(round - 1, None)), timeout(round - 1)]
                for change in asking:  # f + 1 ask for the next
                    for more in (0, 1):
                        yield [received(change), received(adversary.change(round + more, None))]

    # --- demands ---

    def _demand(self, place: _Place) -> None:
        """Everyone decides on q COMMITs of any round (R4), and follows f + 1 to their round (R5)."""
        course, adversary = place.course, self._adversary
        for seat in place.seats:
            for round in range(self._rounds):
                for held in place.blocks.values():
                    votes = (*course.votes(Commit, round, held.hash), adversary.commit(round, held.hash))
                    if len(votes) >= VALIDATORS.quorum:
                        way = [received(vote) for vote in votes if vote.sender != seat]
                        decided = self._react(place, seat, way).decided
                        self._insist(decided is not None and decided.block_hash == held.hash, "R4", seat, way)
            own = max((m.round for m in course.changes(-1) if m.sender == seat), default=0)
            for change in course.changes(seat):
                if change.round > own:
                    way = [received(change), received(adversary.change(change.round, None))]
                    said = self._react(place, seat, way).said
                    self._insist(any(isinstance(m, RoundChange) for m in said), "R5", seat, way)

    def _insist(self, done: bool, rule: str, seat: int, way: Way) -> None:
        self.driven.demands += 1
        if not done:
            self.driven.faults.append(f"validator {seat}: {rule} is not applied, after {', '.join(map(_told, way))}")

    # --- attacks ---

    def _attack(self, place: _Place) -> None:
        """Deliver everything there is, and everything the Byzantine validator can make up, to each replica."""
        for seat in place.seats:
            for way in self._attacks(place, seat):
                self.driven.attacks += 1
                self._react(place, seat, way)
                if self.driven.faults:
                    return

    def _attacks(self, place: _Place, seat: int) -> Iterator[Way]:
        course, adversary = place.course, self._adversary
        others = [message for message in course.said if message.sender != seat]
        yield from ([received(message)] for message in others)
        yield [received(message) for message in others]
        yield [received(message) for message in reversed(others)]
        for round in range(self._rounds):
            yield [timeout(round)]
            for held in place.blocks.values():
                prepares = (*course.votes(Prepare, round, held.hash), adversary.prepare(round, held.hash))
                yield [received(vote) for vote in prepares if vote.sender != seat]
                commits = (*course.votes(Commit, round, held.hash), adversary.commit(round, held.hash))
                yield [received(vote) for vote in commits if vote.sender != seat]
            if round > 0:
                yield from self._round_changes(course, round, seat)
            lies = [] if round == 0 else list(adversary.lies(course, round))
            new = (block(round, 0, self._byzantine), block(round, 1, self._byzantine))
            for proposed in {held.hash: held for held in (*new, *place.blocks.values())}.values():
                for justification in (*adversary.justifications(course, round), *lies):
                    yield [received(adversary.propose(round, proposed, justification))]

    def _round_changes(self, course: Course, round: int, seat: int) -> Iterator[Way]:
        adversary = self._adversary
        forged = [adversary.change(round, claim) for claim in adversary.forgeries(course, round)]
        asked = [change for change in course.changes(seat) if change.round == round]
        for own in (*adversary.changes(course, round), *forged):
            for count in range(len(asked) + 1):
                for chosen in combinations(asked, count):
                    yield [received(change) for change in (own, *chosen)]


def _told(event: object) -> str:
    message = getattr(event, "message", None)
    if message is None:
        return type(event).__name__
    return f"{type(message).__name__} of {message.sender} for round {message.round}"
