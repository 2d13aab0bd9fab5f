"""The monitors of one object: read from its state value, changed, and written back.

Law: one state value an object holds all its monitors; the entries of sets that no longer judge are dropped.

The value is ``[clock, armed_ms, began_ms, source, entries, first, count, head]``.
``clock`` is the one its deadlines go by (``deadlines.BLOCK_CLOCK``, or a historical source), ``armed_ms`` when the
index will call, or None, ``began_ms`` the block time of its first item, or -1 if it began before any rule here,
``source`` the last that recorded it, and an entry is ``[set, generation, keeps, disputed, since, monitor state]``, with
``disputed`` as its place in ``rules.rule.DISPUTED``, or the next for what is kept for rules over related objects.
``head`` is of the chain of its ``count`` recordings since rules look at it, before which it had ``first`` items; a set
saw those after the first ``since`` of them. An object is judged again from them when one is corrected or disputed.

contracts/supervision/README.md.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, NamedTuple, TypeAlias

from coseal.contracts.kernel.action import Rejected, View
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.process.chain import ObjectName
from coseal.contracts.rules.monitor import RuleSet
from coseal.contracts.rules.rule import DISPUTED
from coseal.contracts.supervision.corrections import Recording
from coseal.contracts.supervision.effects import Found, Item
from coseal.contracts.supervision.sets_in_force import JudgingSet
from coseal.contracts.supervision.state import object_state_key
from coseal.contracts.supervision.terms import schedule
from coseal.ledger.signing import ZERO_HASH

BEFORE: Final = -1
Place: TypeAlias = tuple[str, str, str]
"""(process type, object type, object id)."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """How monitors are read, where they are written, and what calls them: of rules that oblige, or of ``own`` ones."""

    read: Callable[[View, Place], Any]
    key: Callable[[str, str, str], str]
    schedule: Callable[[View, int, Place, str], None]
    own: bool = False
    """Of these no history is shown: what a correction concerns is undetermined."""


def _schedule(view: View, time_ms: int, place: Place, clock: str) -> None:
    schedule(view, time_ms, ["object", *place], clock)


def _read(view: View, place: Place) -> Any:
    return view.get(object_state_key(*place))


OBLIGING: Final = Keeping(_read, object_state_key, _schedule)
_TAG: Final = b"coseal/recording/1".ljust(24, b"\0")
_UNKNOWN: Final = (BLOCK_CLOCK, None, BEFORE, "", (), 0, 0, ZERO_HASH)


def recording_chain(head: bytes, hashed: bytes, height: int, time_ms: int) -> bytes:
    """Return the head of the chain of an object's recordings after one; it begins with 32 zero bytes."""
    return sha256(_TAG + head + hashed + height.to_bytes(8, "big") + time_ms.to_bytes(8, "big")).digest()  # J34


def prove_history(name: ObjectName, items: Sequence[Recording], count: int, head: bytes) -> Rejected | None:
    """Refuse what is not all that the monitors of an object saw before."""
    current = ZERO_HASH
    for item in items:
        current = recording_chain(current, item.hashed, item.height, item.time_ms)
    if len(items) == count and current == head:
        return None
    detail = (
        f"args.history: what is shown of {name[0]} {name[1]} are not the {count} items recorded since rules look at it,"
        " with their heights and times; read the object again and show all of them, or leave the object out"
    )
    return Rejected("history_incomplete", detail)


class Judging(NamedTuple):
    """The sets that judge objects of one type, and what names the entry of each in an object's value."""

    judges: Sequence[JudgingSet]
    names: Sequence[tuple[str, int, bool, int]]


def judging_type(judges: Sequence[JudgingSet], object_type: str) -> Judging:
    """Return which of a process type's sets judge objects of a type."""
    found = [judge for judge in judges if object_type in judge.by_type]
    parts = [len(DISPUTED) if judge.related else DISPUTED.index(judge.disputed) for judge in found]
    names = [(judge.id, judge.generation, judge.keeps, part) for judge, part in zip(found, parts, strict=True)]
    return Judging(found, names)


class Watched:
    """The monitors of one object: read from its state value, changed, and written back."""

    __slots__ = (
        *("armed_ms", "began_ms", "clock", "count", "entries", "first", "head", "judges", "place", "since", "source"),
        *("keeping", "names", "proven", "resting"),
    )

    def __init__(
        self,
        place: Place,
        value: Any,
        judging: Judging,
        keeping: Keeping = OBLIGING,
        resting: Collection[str] = (),
    ) -> None:
        """``place`` is (process type, object type, object); entries of ``value`` without a judge are dropped.

        Those of sets that are ``resting`` stay as they are.
        """
        self.keeping = keeping
        clock, armed_ms, began_ms, source, entries, first, count, head = value or _UNKNOWN
        self.place, self.clock, self.armed_ms, self.began_ms, self.source = place, clock, armed_ms, began_ms, source
        self.first, self.count, self.head = first, count, head
        self.proven = (count, head)  # before this batch
        self.judges, self.names = judging
        self.resting = [entry for entry in entries if entry[0] in resting] if resting else []
        known = {tuple(entry[:4]): entry for entry in entries}
        found = [known.get(name) for name in self.names]
        self.since = [count if entry is None else entry[4] for entry in found]
        self.entries = [None if entry is None else entry[5] for entry in found]

    def rules(self, judge: JudgingSet) -> RuleSet:
        """Return the rules of a judge on this type of object."""
        return judge.by_type[self.place[1]]

    def related(self, judge: JudgingSet) -> int | None:
        """Return where the set of ``judge`` has what it keeps of this object for rules over related ones, or None."""
        for index, one in enumerate(self.judges):
            if one.related and (one.id, one.generation) == (judge.id, judge.generation):
                return index
        return None

    def whole(self, judge: JudgingSet) -> bool:
        """Say whether all of the object was recorded after ``judge`` came into force."""
        return self.began_ms > judge.since_ms  # J12

    def recorded_by(self, source: str, *, live: bool) -> None:
        """Go by the clock of the source that recorded something: of a live one, which is block time, for good."""
        clock = BLOCK_CLOCK if live or (self.source and self.clock == BLOCK_CLOCK) else source  # J26
        if clock != self.clock:
            self.clock, self.armed_ms = clock, None
        self.source = source

    def record(self, before: int, hashed: bytes, height: int, time_ms: int) -> None:
        """Chain an item of the object, which had ``before`` items until then."""
        if before != self.first + self.count:  # there were items while no rule looked at it
            self.first, self.count, self.head = before, 0, ZERO_HASH
            self.proven, self.since = (0, ZERO_HASH), [0] * len(self.since)
        self.head = recording_chain(self.head, hashed, height, time_ms)
        self.count += 1

    def expire(self, clock_ms: int, spend: Callable[[int], None], most_found: int | None = None) -> list[Found]:
        """Let what was due before ``clock_ms`` (the clock less the lag) be missed; ``spend`` counts the steps.

        Once ``most_found`` were found, the sets that follow wait for the next call.
        """
        found: list[Found] = []
        for index, judge in enumerate(self.judges):
            state = self.entries[index]
            if state is not None and (most_found is None or len(found) < most_found):
                self.entries[index], findings = self.rules(judge).expire(state, clock_ms, spend)
                found += [Found(judge, self.place[1], self.place[2], finding, Item()) for finding in findings]
        return found

    def _calls_before(self, call_ms: int) -> bool:
        """Say whether the index would not call by then."""
        return self.armed_ms is None or call_ms < self.armed_ms

    def write(self, view: View, late_ms: int) -> None:
        """Write the state value, and have the index call when the first deadline has passed.

        The index calls once: a deadline later than the one scheduled waits until it has called.
        """
        entries, first_ms = [], None
        for judge, name, since, state in zip(self.judges, self.names, self.since, self.entries, strict=True):
            if state is not None:
                due_ms = RuleSet.due_ms(state)
                if due_ms is not None and self._calls_before(due_ms + late_ms + 1):
                    state = self.rules(judge).settled(state)
                    due_ms = RuleSet.due_ms(state)
                entries.append([*name, since, state])
                if due_ms is not None and (first_ms is None or due_ms < first_ms):
                    first_ms = due_ms
        if first_ms is not None and self._calls_before(first_ms + late_ms + 1):
            self.armed_ms = first_ms + late_ms + 1
            self.keeping.schedule(view, self.armed_ms, self.place, self.clock)
        entries += self.resting
        value = [self.clock, self.armed_ms, self.began_ms, self.source, entries, self.first, self.count, self.head]
        view.put(self.keeping.key(*self.place), value)
