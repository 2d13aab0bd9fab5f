"""How a proposal is decided: a track, the votes by constituency and a clock in, what the proposal comes to out.

Law: pure, in integers, without state. Every clause is monotone: yes in place of silence, and silence in place of no,
never hurts a proposal (Q7), so a few votings decide about all of them (``governance.safety``). Rules Q1 to Q10 of
docs/spec/constitution.md.

A quota is met by *more than* its share of all who have a vote, never by *at least* it: silence and abstention count as
not yes. One member has one vote, in the one constituency that its role is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple, TypeAlias

from coseal.ledger.validators import ROLES

CONSTITUENCIES: Final[tuple[str, ...]] = ROLES
"""Each member is in one; a central bank counts as the constitution says."""


class Quota(NamedTuple):
    """A share of votes that has to be exceeded."""

    numerator: int
    denominator: int

    def met(self, part: int, whole: int) -> bool:
        """Return whether ``part`` is more than this share of ``whole``."""
        return part * self.denominator > self.numerator * whole  # Q1


MAJORITY: Final = Quota(1, 2)
TWO_THIRDS: Final = Quota(2, 3)


class Count(NamedTuple):
    """Of one constituency: how many have a vote, and how many voted what."""

    members: int
    yes: int = 0
    no: int = 0
    abstain: int = 0

    @property
    def silent(self) -> int:
        """How many have not voted."""
        return self.members - self.yes - self.no - self.abstain


Tally: TypeAlias = Mapping[str, Count]
"""Votes by constituency; one that is not named has no members."""


class Override(NamedTuple):
    """When a proposal passes against one constituency: ``after_ms`` from its opening, by more than ``floor`` of all."""

    after_ms: int
    floor: Quota


class Opening(NamedTuple):
    """How long a proposal is open: the least and the most that may be asked for, and what it is otherwise; ms."""

    least_ms: int
    default_ms: int
    most_ms: int


@dataclass(frozen=True, slots=True)
class Track:
    """By what rule one kind of matter is decided.

    ``classes`` are constituencies with a quota of their own, ``at_least`` how many of them have to meet it. ``own``
    asks for a majority of the constituency that a new member joins as well.
    """

    name: str
    electorate: str
    total: Quota
    opening: Opening
    classes: Mapping[str, Quota]
    at_least: int = 0
    own: bool = False
    override: Override | None = None
    veto: tuple[str, ...] = ()
    not_before_ms: int = 0
    delay_ms: int = 0
    reasons: tuple[str, ...] = ()


class Clock(NamedTuple):
    """Block times in ms: when a proposal was opened, when it closes, and now."""

    opened_ms: int
    closes_ms: int
    now_ms: int


class Status(StrEnum):
    """What a proposal comes to by its votes; what follows when it has passed is not decided here."""

    OPEN = "open"
    PASSED = "passed"
    REJECTED = "rejected"
    EXPIRED = "expired"


class Outcome(NamedTuple):
    """What a proposal comes to, and the constituency that was overridden, if it passed so."""

    status: Status
    overridden: str | None = None


def holds(track: Track, tally: Tally, newcomer: str | None = None) -> bool:
    """Return whether the votes suffice by the clause ``pass``. ``newcomer``: the constituency a new member joins."""
    yes, members = _sums(tally)
    if yes == 0 or not track.total.met(yes, members):  # Q2
        return False
    return _classes_hold(track, tally) and (not track.own or newcomer is None or _own_holds(tally, newcomer))


def _classes_hold(track: Track, tally: Tally) -> bool:
    if not track.classes:
        return True
    there = [name for name in track.classes if _count(tally, name).members]
    if len(there) < 2:  # Q4
        return all(_majority(count) for count in tally.values() if count.members)
    met = sum(track.classes[name].met(tally[name].yes, tally[name].members) for name in there)
    return met >= min(track.at_least, len(there))  # Q3


def _own_holds(tally: Tally, newcomer: str) -> bool:
    own = _count(tally, newcomer)
    if own.members:  # Q5
        return _majority(own)
    return all(_majority(count) for count in tally.values() if count.members)


def overrides(track: Track, tally: Tally) -> str | None:
    """Return the one constituency against which all others pass a proposal, or None."""
    if track.override is None:
        return None
    there = [name for name in CONSTITUENCIES if _count(tally, name).members]
    against = [name for name in there if not _majority(tally[name])]
    if len(there) < 3 or len(against) > 1:  # Q6
        return None
    yes, members = _sums(tally)
    for name in against or there:
        outside_yes, outside = yes - tally[name].yes, members - tally[name].members
        if TWO_THIRDS.met(outside_yes, outside) and track.override.floor.met(outside_yes, members):
            return name
    return None


def vetoed(track: Track, tally: Tally) -> bool:
    """Return whether a constituency with a veto has a majority of no."""
    return any(MAJORITY.met(count.no, count.members) for count in _vetoing(track, tally))


def may_veto(track: Track, tally: Tally) -> bool:
    """Return whether a constituency with a veto has a majority of no, or could still reach one."""
    return any(MAJORITY.met(count.no + count.silent, count.members) for count in _vetoing(track, tally))


def possible(track: Track, tally: Tally, newcomer: str | None = None) -> bool:
    """Return whether a proposal could still pass: if all who have not voted said yes."""
    full = {name: count._replace(yes=count.yes + count.silent) for name, count in tally.items()}
    if holds(track, full, newcomer) and not vetoed(track, tally):
        return True
    return overrides(track, full) is not None


def resolve(track: Track, tally: Tally, clock: Clock, newcomer: str | None = None) -> Outcome:
    """Return what a proposal comes to now: the first row that applies of the table in docs/spec/constitution.md."""
    closing = clock.now_ms >= clock.closes_ms
    stopped = vetoed(track, tally) if closing else may_veto(track, tally)
    if clock.now_ms >= clock.opened_ms + track.not_before_ms and not stopped and holds(track, tally, newcomer):  # Q8
        return Outcome(Status.PASSED)
    if track.override is not None and clock.now_ms >= clock.opened_ms + track.override.after_ms:
        overridden = overrides(track, tally)
        if overridden is not None:  # Q6
            return Outcome(Status.PASSED, overridden)
    if not possible(track, tally, newcomer):  # Q9
        return Outcome(Status.REJECTED)
    return Outcome(Status.EXPIRED if closing else Status.OPEN)  # Q10


def _majority(count: Count) -> bool:
    return MAJORITY.met(count.yes, count.members)


def _count(tally: Tally, constituency: str) -> Count:
    return tally.get(constituency, Count(0))


def _vetoing(track: Track, tally: Tally) -> Iterable[Count]:
    return (count for name in track.veto if (count := _count(tally, name)).members)


def _sums(tally: Tally) -> tuple[int, int]:
    """Return the yes votes of all, and how many have a vote."""
    return sum(count.yes for count in tally.values()), sum(count.members for count in tally.values())
