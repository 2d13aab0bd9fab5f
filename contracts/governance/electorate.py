"""Who has a vote: of each member the constituency, and the electorates in which it counts.

Law: nothing is counted again: when what decides about a member's vote changes, its seat and the sizes of the
electorates change with it, and its votes are taken out of, or put into, the tallies of the ballots that are open.

An electorate is `validators`, the members in good standing that run one, or `members`, those in good standing that are
present: that were admitted, voted, proposed or ran a validator within the constitution's ``present_ms``. Rules Q19 to
Q22 of docs/spec/constitution.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from coseal.contracts.governance import in_force
from coseal.contracts.governance.document import ELECTORATES, MEMBERS, VALIDATORS, Constitution
from coseal.contracts.governance.state import NAME, OPEN_KEY, SIZES_KEY, ballot_key, seat_key, vote_key
from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import GOOD, Reader, Result, View
from coseal.contracts.kernel.contract import Entry, Moment
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.membership import actions as membership
from coseal.contracts.membership.standing import standing
from coseal.contracts.membership.state import MEMBERS_KEY
from coseal.ledger.genesis import Genesis

PRESENCE: Final = "presence"
"""The due thing at which a member that gave no sign of itself counts as present no more."""
SEAT: Final = "seat"
"""The due thing by which a member's seat follows a change of the validators."""
CHOICES: Final = ("yes", "no", "abstain")

Sizes = Mapping[str, Mapping[str, int]]
"""Of each electorate how many members of each constituency have a vote."""


class Seat(NamedTuple):
    """Where a member votes; ``acted_ms`` is when it last gave a sign of itself."""

    constituency: str
    validator: bool
    good: bool
    present: bool
    acted_ms: int

    def counts_in(self, electorate: str) -> bool:
        """Return whether it is one of those whose votes decide in an electorate."""
        return self.good and (self.validator if electorate == VALIDATORS else self.present)  # Q19, Q20

    @property
    def electorates(self) -> tuple[str, ...]:
        """The electorates in which it counts."""
        return tuple(name for name in ELECTORATES if self.counts_in(name))


class Vote(NamedTuple):
    """A vote of a member, and where it counts: its constituency and the electorates in which it has one.

    That follows its seat until the ballot is decided, and stays as it was then.
    """

    choice: str
    height: int
    time_ms: int
    tx: str
    reason: str
    constituency: str
    electorates: list[str]

    def seated(self, at: Seat) -> Vote:
        """Return the vote as it counts with a seat."""
        return self._replace(constituency=at.constituency, electorates=list(at.electorates))


def install(view: View, genesis: Genesis, constitution: Constitution) -> None:
    """Seat the members of ``genesis`` as the constitution says that will be in force."""
    running = {seat.member for seat in genesis.validators.validators}
    sizes: dict[str, dict[str, int]] = {name: {} for name in ELECTORATES}
    for member in genesis.members:
        constituency = constitution.constituency_of(member.role, member.central_bank)
        seat = Seat(constituency, member.id in running, True, True, genesis.time_ms)
        _put(view, member.id, seat)
        for name in seat.electorates:
            sizes[name][constituency] = sizes[name].get(constituency, 0) + 1
        deadlines.add(view, NAME, BLOCK_CLOCK, genesis.time_ms + constitution.present_ms, [PRESENCE, member.id])
    central = [member.id for member in genesis.members if member.central_bank]
    view.put(SIZES_KEY, [0, sizes, central[0] if central else ""])


def seat(reader: Reader, member: str) -> Seat | None:
    """Return where a member votes, or None if there is no such member."""
    record: Any = reader.get(seat_key(member))
    return None if record is None else Seat(*record)


def sizes(reader: Reader) -> Sizes:
    """Return how many members of each constituency have a vote, by electorate."""
    record: Any = reader.get(SIZES_KEY)
    found: Sizes = record[1]
    return found


def electors(reader: Reader, electorate: str) -> tuple[str, ...]:
    """Return the members of an electorate, ascending. Reads every seat: for queries."""
    members: Any = reader.get(MEMBERS_KEY)
    found = ((member, seat(reader, member)) for member in members)
    return tuple(member for member, at in found if at is not None and at.counts_in(electorate))


def admitted(view: View, member: str, role: str, time_ms: int) -> None:
    """Seat a new member."""
    new = Seat(in_force.constitution(view).constituency_of(role, False), False, True, True, time_ms)
    _put(view, member, new)
    _resize(view, None, new)
    _expect(view, member, new)


def acted(view: View, member: str, time_ms: int) -> None:
    """Note a sign of a member: it is present from now on."""
    before = seat(view, member)
    if before is None:
        return
    after = before._replace(present=True, acted_ms=time_ms)
    _change(view, member, before, after)
    if not before.present:
        _expect(view, member, after)


def changed(view: View, member: str, time_ms: int) -> None:
    """Have the seat of a member follow its validators and its standing."""
    before = seat(view, member)
    if before is None:
        return
    running = any(at.member == member for at in membership.validators(view).validators)
    after = before._replace(validator=running, good=standing(view, member).status == GOOD)
    if running or before.validator:
        after = after._replace(present=True, acted_ms=time_ms)  # Q20
    _change(view, member, before, after)
    if after.present and not before.present:
        _expect(view, member, after)


def reseated(view: View) -> None:
    """Have the central bank's seat follow the constitution in force."""
    record: Any = view.get(SIZES_KEY)
    before = seat(view, record[2]) if record[2] else None
    if before is not None:
        after = before._replace(constituency=in_force.constitution(view).constituency_of("bank", True))
        _change(view, record[2], before, after)


def begin(view: View, moment: Moment) -> None:
    """Have the seats of those follow that the block's validators changed."""
    record: Any = view.get(SIZES_KEY)
    current = membership.validators(view)
    if record[0] == current.epoch:
        return
    before = membership.epoch(view, record[0])
    were = set() if before is None else {at.member for at in before.validators.validators}
    for member in sorted(were ^ {at.member for at in current.validators}):  # Q21
        deadlines.add(view, NAME, BLOCK_CLOCK, moment.time_ms, [SEAT, member])
    view.put(SIZES_KEY, [current.epoch, *record[1:]])


def fire(view: View, moment: Moment, entry: Entry) -> Result:
    """Do what is due about a seat."""
    if entry[0] == SEAT:
        changed(view, entry[1], moment.time_ms)
        return {}
    before = seat(view, entry[1])
    if before is None or not before.present:
        return {}
    if before.validator:
        before = before._replace(acted_ms=moment.time_ms)
        _put(view, entry[1], before)
    if moment.time_ms < before.acted_ms + in_force.constitution(view).present_ms:
        _expect(view, entry[1], before)
    else:
        _change(view, entry[1], before, before._replace(present=False))  # Q20
    return {}


def _expect(view: View, member: str, at: Seat) -> None:
    """Have it looked at whether a member is present still, when it would not be without a further sign."""
    due_ms = at.acted_ms + in_force.constitution(view).present_ms
    deadlines.add(view, NAME, BLOCK_CLOCK, due_ms, [PRESENCE, member])


def _change(view: View, member: str, before: Seat, after: Seat) -> None:
    if after == before:
        return
    _put(view, member, after)
    if (before.constituency, before.electorates) == (after.constituency, after.electorates):
        return
    _resize(view, before, after)
    _recount(view, member, before, after)


def _put(view: View, member: str, at: Seat) -> None:
    view.put(seat_key(member), list(at))


def _resize(view: View, before: Seat | None, after: Seat) -> None:
    record: Any = view.get(SIZES_KEY)
    changed = {name: dict(counts) for name, counts in record[1].items()}
    for at, step in ((before, -1), (after, 1)):
        for name in () if at is None else at.electorates:
            counts = changed[name]
            counts[at.constituency] = counts.get(at.constituency, 0) + step  # type: ignore[union-attr]
            if not counts[at.constituency]:  # type: ignore[union-attr]
                del counts[at.constituency]  # type: ignore[union-attr]
    view.put(SIZES_KEY, [record[0], changed, record[2]])


def _recount(view: View, member: str, before: Seat, after: Seat) -> None:
    """Take the votes of a member out of the open ballots' tallies, and put them in where it counts now."""
    rows: Any = view.get(OPEN_KEY)
    for contract, ballot_id in rows or ():
        key = ballot_key(contract, ballot_id)
        record: Any = view.get(key)
        place = vote_key(contract, ballot_id, record["round"], member)
        value: Any = view.get(place)
        if value is not None:
            vote = Vote(*value)
            tally = counted(record["tally"], before, vote.choice, -1)
            view.put(key, {**record, "tally": counted(tally, after, vote.choice, 1)})  # Q22
            view.put(place, list(vote.seated(after)))


def counted(tally: Mapping[str, Any], at: Seat, choice: str, step: int) -> dict[str, Any]:
    """Return a tally with the vote of a seat added (``step`` 1) or taken out (-1)."""
    changed = dict(tally)
    for name in at.electorates:
        counts = list(changed[name].get(at.constituency, (0, 0, 0)))
        counts[CHOICES.index(choice)] += step
        changed[name] = {**changed[name], at.constituency: counts}
    return changed


def no_votes() -> dict[str, Any]:
    """Return the tally of a ballot without votes: by electorate and constituency `[yes, no, abstain]`."""
    return {VALIDATORS: {}, MEMBERS: {}}
