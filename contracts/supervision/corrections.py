"""Objects of which something was corrected or disputed are judged again: by their trace, from what is shown of it.

Law: what a transaction shows is proven by the chain that the object's monitors keep, times of recording included; what
cannot be judged again is undetermined, never satisfied; a finding that no longer holds is superseded, and stays.

contracts/supervision/README.md, section Corrections.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from coseal.contracts.kernel.action import Context, View
from coseal.contracts.kernel.budget import ENTRY_STEPS, ITEM_STEPS
from coseal.contracts.process import state as process_state
from coseal.contracts.process.attestation import is_disputed
from coseal.contracts.process.chain import ObjectName, decoded_item_hash, objects_of
from coseal.contracts.process.corrections import Place, named_objects, places
from coseal.contracts.process.items import time_ms as read_time_ms
from coseal.contracts.process.tally import NO_TALLIES, TERM_STEPS, Fold, Tally
from coseal.contracts.rules.draft import State
from coseal.contracts.rules.facts import Event
from coseal.contracts.rules.monitor import Finding, RuleSet
from coseal.contracts.rules.plan import OBSERVE_STEPS
from coseal.contracts.rules.reasons import reason
from coseal.contracts.rules.rule import COUNT, UNDETERMINED
from coseal.contracts.rules.verdict import Look, unseen
from coseal.contracts.supervision.sets_in_force import JudgingSet

AGAIN_STEPS: Final = 200_000
"""The most that judging again takes in one transaction."""


class Recording(NamedTuple):
    """An item of an object, and when it was recorded.

    Of a ``new`` one, of this batch, ``corrected`` is what it corrects, if that may be an item of the object, and
    ``tallied`` are the tallies after it.
    """

    source: str
    sequence: int
    item: Any
    hashed: bytes
    height: int
    time_ms: int
    corrected: Any = None
    new: bool = False
    tallied: Mapping[ObjectName, Tally] = NO_TALLIES


class Change(NamedTuple):
    """Why an object is judged again: an item of it is corrected, or it is ``disputed`` or was.

    ``by`` is the correction, or the disputed item itself; ``sequence`` and ``hashed`` (hex) are of the item that is
    corrected or disputed, ``kinds`` the types of the events that this may concern, None for any.
    """

    by: Recording
    sequence: int
    hashed: str
    kinds: tuple[str, ...] | None
    disputed: bool


class Seen(NamedTuple):
    """The items of an object that a set saw. ``complete``: there were none before.

    ``whole``: the object began after the set came into force.
    """

    items: Sequence[Recording]
    complete: bool
    whole: bool


class Found(NamedTuple):
    """What was found on an object: ``by`` the item that stands there now, or by a deadline."""

    finding: Finding
    by: Recording | None


class Judged(NamedTuple):
    """What judging again gave: the monitors' state, and what stands found. ``whole``: the trace was judged again."""

    state: State
    found: list[Found]
    whole: bool


class _TooLong(Exception):
    """Judging again would take more steps than there are for it."""


def read_history(view: View, shown: Any) -> dict[ObjectName, list[Recording]]:
    """Return what a transaction shows of objects, by object; nothing of it is proven yet."""
    if shown is None:
        return {}
    view.charge(ITEM_STEPS * len(shown["items"]) + ENTRY_STEPS * sum(len(entry[2]) for entry in shown["objects"]))
    items = [
        Recording(source, sequence, item, decoded_item_hash(source, sequence, item), height, time_ms)
        for source, sequence, height, time_ms, item in shown["items"]
    ]
    return {(entry[0], entry[1]): [items[place] for place in entry[2]] for entry in shown["objects"]}


class Again:
    """Judges objects again after corrections or disputes; one for each transaction, whose steps it shares out."""

    __slots__ = ("_disputed", "_left", "_sources", "context", "late_ms", "view")

    def __init__(self, view: View, context: Context, late_ms: int) -> None:
        self.view, self.context, self.late_ms = view, context, late_ms
        self._left = AGAIN_STEPS
        self._sources: dict[str, Any] = {}
        self._disputed: dict[bytes, bool] = {}

    def spend(self, steps: int) -> None:
        """Count steps of judging again."""
        if steps > self._left:
            raise _TooLong
        self._left -= steps
        self.view.charge(steps)

    def replayed(
        self, judge: JudgingSet, name: ObjectName, seen: Seen, look: Look, *, clock_ms: int | None = None
    ) -> Judged | None:
        """Return what the rules of a set say of the trace of an object, None if that takes too many steps.

        With ``clock_ms`` every deadline before that is missed.
        """
        try:
            return self._replayed(judge, name, seen, look, clock_ms)
        except _TooLong:
            return None

    def _replayed(self, judge: JudgingSet, name: ObjectName, shown: Seen, look: Look, clock_ms: int | None) -> Judged:
        rules, seen = judge.by_type[name[0]], shown.items
        trace = self._trace(judge, seen)
        state, found = rules.fresh(seen[0].time_ms, whole=shown.whole), list[Found]()
        by_block, known = True, False
        fold = Fold(rules.tallies) if shown.complete else None
        for index, one in enumerate(seen):
            live = self.source(one.source)["mode"] == "live"
            if clock_ms is not None or by_block:
                state, late = rules.expire(
                    state, (one.time_ms if clock_ms is None else clock_ms) - self.late_ms, self.spend
                )
                found += [Found(finding, None) for finding in late]
            by_block, known = live or (known and by_block), True  # J26
            place = trace.get(index)
            if place is not None:
                now = seen[place.now]
                tallied = self._tallied(judge, rules, fold, name, now, seen)
                if place.lost and not shown.complete and not (one.new and one.corrected is None):
                    state, lost = self.unsettled(rules, state, correction(one), "history_unseen")
                    found += lost
                if judge.disputed != COUNT and name in objects_of(now.item) and self._is_disputed(now):  # M13
                    if judge.disputed == UNDETERMINED:
                        state, lost = self.unsettled(rules, state, dispute(now), "disputed", first_ms=one.time_ms)
                        found += lost
                    continue
                state, more = self.judged(rules, state, name, now, one, self.spend, look, tallied)
                found += more
        return Judged(state, found, True)

    def _trace(self, judge: JudgingSet, seen: Sequence[Recording]) -> dict[int, Place]:
        """Return by index of an item the place that it made, in the trace that a set judges."""
        self.spend(ENTRY_STEPS * len(seen))
        if judge.keeps:
            return {index: Place(index, index) for index in range(len(seen))}
        hashes = [one.hashed for one in seen]
        return {place.first: place for place in places([one[:3] for one in seen], hashes)}

    def _tallied(
        self,
        judge: JudgingSet,
        rules: RuleSet,
        fold: Fold | None,
        name: ObjectName,
        now: Recording,
        seen: Sequence[Recording],
    ) -> Mapping[ObjectName, Tally]:
        """Return the tallies of the object after what stands in a place, as the state has them after a ``new`` one.

        Where a set keeps to what was recorded, a correction takes out what it corrects.
        """
        if fold is None or not rules.tallies:
            return now.tallied
        self.spend(TERM_STEPS)
        corrected = None
        if judge.keeps and "corrects" in now.item:
            self.spend(ENTRY_STEPS * len(seen))
            target = (now.source, now.item["corrects"][0])
            shown = [one for one in seen if one[:2] == target and one.hashed.hex() == now.item["corrects"][1]]
            corrected = (target[1], shown[0].item, (name,)) if shown else None
        names = (name,) if name in objects_of(now.item) else ()
        return fold.add(now.source, now.sequence, now.item, names, corrected)

    def _is_disputed(self, one: Recording) -> bool:
        found = self._disputed.get(one.hashed)
        if found is None:
            found = self._disputed[one.hashed] = is_disputed(self.view, one.item, one.hashed)
        return found

    def unsettled(
        self, rules: RuleSet, state: State, change: Change, why: str, *, first_ms: int | None = None
    ) -> tuple[State, list[Found]]:
        """Return the state after a change that cannot be judged, and which rules are undetermined by it.

        ``first_ms`` is the block time at which rules judge what stands there, if it is known.
        """
        one, values = change.by, dict[str, str | int | bool]()
        values |= {"item": change.sequence, "source": one.source}
        if why in ("history_long", "dispute_long"):
            values["most"] = AGAIN_STEPS
        state, findings = rules.unsettle(
            state,
            change.kinds,
            reason(why, **values),
            one.item.get("event", ""),
            one.time_ms,
            one.time_ms if first_ms is None else first_ms,
            self.view.charge,
            repeating=change.disputed,
        )
        return state, [Found(finding, one) for finding in findings]

    def judged(
        self,
        rules: RuleSet,
        state: State,
        name: ObjectName,
        now: Recording,
        first: Recording,
        spend: Any,
        look: Look = unseen,
        tallied: Mapping[ObjectName, Tally] = NO_TALLIES,
    ) -> tuple[State, list[Found]]:
        """Return the state after what stands ``now`` in the place that ``first`` made, and what was found."""
        item, zone_minutes = now.item, self.source(now.source).get("zone_minutes")
        spend(OBSERVE_STEPS)
        if name not in objects_of(item):
            return state, []
        if "relation" in item:
            return rules.relate(state, item, name[1], first.time_ms, spend=spend) or state, []
        if "event" not in item:
            place = (first.height, first.source, first.sequence)
            changed = rules.describe(state, item, first.time_ms, zone_minutes=zone_minutes, place=place)
            return changed or state, []
        event = Event(
            item,
            read_time_ms(item["time"], zone_minutes) or 0,
            now.source,
            now.sequence,
            first.height,
            first.time_ms,
            self.source(now.source)["mode"] == "live",
            zone_minutes,
            first=first.sequence,
            tallied=tallied,
        )
        state, findings = rules.observe(state, event, name[1], look=look, spend=spend)
        return state, [Found(finding, now) for finding in findings]

    def source(self, name: str) -> Mapping[str, Any]:
        """Return the record of a source."""
        if name not in self._sources:
            self._sources[name] = process_state.source(self.view, name)
        return self._sources[name]  # type: ignore[no-any-return]


def correction(one: Recording) -> Change:
    """Return what a correction changes."""
    kinds = None if one.corrected is None else (kind_of(one.item), kind_of(one.corrected))
    sequence, hashed = one.item["corrects"]
    return Change(one, sequence, hashed, kinds, False)


def dispute(one: Recording) -> Change:
    """Return what it changes that an event is disputed, or no longer."""
    return Change(one, one.sequence, one.hashed.hex(), (kind_of(one.item),), True)


def concerns(corrected: Any, name: ObjectName, definition: Mapping[str, Any]) -> bool:
    """Say whether an item that is corrected may belong to an object; it may be anything.

    One that is a correction itself may belong to objects that it does not name.
    """
    return "corrects" in corrected or name in named_objects(corrected, definition)


def kind_of(item: Any) -> str:
    """Return the type of an event, "" for any other item; the item may be anything."""
    kind = item.get("type") if type(item) is dict and "event" in item else None
    return kind if type(kind) is str else ""
