"""The observer of process data: every recorded item goes to the rules in force, in the transaction that records it.

Law: what an item costs depends on the rules it concerns, never on history; a trial has no effect; what a rule with
effect ``reject`` refuses leaves nothing.

One state value an object holds all its monitors: ``[clock, armed_ms, began_ms, source, entries]``. ``clock`` is the
one its deadlines go by (``deadlines.BLOCK_CLOCK``, or a historical source), ``armed_ms`` when the index will call,
or None, ``began_ms`` the block time of its first item, or -1 if it began before any rule here, ``source`` the last
that recorded it, and an entry is ``[set, generation, monitor state]``.

contracts/supervision/README.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import Context, Rejected, Result, View
from coseal.contracts.kernel.contract import Entry
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.process import state as process_state
from coseal.contracts.process.batch import BatchItem, RecordedBatch
from coseal.contracts.process.chain import ObjectName
from coseal.contracts.rules.facts import Event
from coseal.contracts.rules.monitor import OBSERVE_STEPS, Finding, RuleSet
from coseal.contracts.rules.periodic import Periodic
from coseal.contracts.rules.rule import SOURCE, Rule
from coseal.contracts.supervision import holds as supervision_holds
from coseal.contracts.supervision import obligations as supervision_obligations
from coseal.contracts.supervision.effects import Found, Item, Outcome, refuses
from coseal.contracts.supervision.sets import JudgingSet, judging
from coseal.contracts.supervision.state import NAME, holds_key, object_state_key
from coseal.contracts.supervision.terms import schedule

MAX_FINDINGS: Final = 5_000
MAX_SHOWN_BYTES: Final = 256 * 1024
BEFORE: Final = -1
WATCH_STEPS: Final = 60
"""What the monitors of an object take once a batch."""
SET_STEPS: Final = 8
"""What finding the monitors of an object takes for each set that judges its type."""
Place: TypeAlias = tuple[str, str, str]
"""(process type, object type, object id)."""


class Watched:
    """The monitors of one object: read from its state value, changed, and written back."""

    __slots__ = ("armed_ms", "began_ms", "clock", "entries", "judges", "place", "source")

    def __init__(self, place: Place, value: Any, judges: Sequence[JudgingSet]) -> None:
        """``place`` is (process type, object type, object); of ``value`` what no judge goes on with is dropped."""
        clock, armed_ms, began_ms, source, entries = value or (BLOCK_CLOCK, None, BEFORE, "", ())
        self.place, self.clock, self.armed_ms, self.began_ms, self.source = place, clock, armed_ms, began_ms, source
        self.judges = [judge for judge in judges if place[1] in judge.by_type]
        known = {(set_id, generation): state for set_id, generation, state in entries}
        self.entries = [known.get((judge.id, judge.generation)) for judge in self.judges]

    def rules(self, judge: JudgingSet) -> RuleSet:
        """Return the rules of a judge on this type of object."""
        return judge.by_type[self.place[1]]

    def whole(self, judge: JudgingSet) -> bool:
        """Say whether all of the object was recorded after ``judge`` came into force."""
        return self.began_ms > judge.since_ms  # J12

    def recorded_by(self, source: str, *, live: bool) -> None:
        """Go by the clock of the source that recorded something: of a live one, which is block time, for good."""
        clock = BLOCK_CLOCK if live or (self.source and self.clock == BLOCK_CLOCK) else source  # J26
        if clock != self.clock:
            self.clock, self.armed_ms = clock, None
        self.source = source

    def expire(self, clock_ms: int, spend: Callable[[int], None]) -> list[Found]:
        """Let what was due before ``clock_ms`` (the clock less the lag) be missed; ``spend`` counts the steps."""
        found: list[Found] = []
        for index, judge in enumerate(self.judges):
            state = self.entries[index]
            if state is not None:
                self.entries[index], findings = self.rules(judge).expire(state, clock_ms, spend)
                found += [Found(judge, self.place[1], self.place[2], finding, Item()) for finding in findings]
        return found

    def _calls_before(self, call_ms: int) -> bool:
        """Say whether the index would not call by then."""
        return self.armed_ms is None or call_ms < self.armed_ms

    def write(self, view: View, late_ms: int) -> None:
        """Write the state value, and have the index call when the first deadline has passed.

        The index calls once: a later deadline than the one it was told waits until it has called.
        """
        entries, first_ms = [], None
        for judge, state in zip(self.judges, self.entries, strict=True):
            if state is not None:
                due_ms = RuleSet.due_ms(state)
                if due_ms is not None and self._calls_before(due_ms + late_ms + 1):
                    state = self.rules(judge).settled(state)
                    due_ms = RuleSet.due_ms(state)
                entries.append([judge.id, judge.generation, state])
                if due_ms is not None and (first_ms is None or due_ms < first_ms):
                    first_ms = due_ms
        if first_ms is not None and self._calls_before(first_ms + late_ms + 1):
            self.armed_ms = first_ms + late_ms + 1
            schedule(view, self.armed_ms, ["object", *self.place], self.clock)
        view.put(object_state_key(*self.place), [self.clock, self.armed_ms, self.began_ms, self.source, entries])


def observe(view: View, context: Context, batch: RecordedBatch) -> Result | Rejected:
    """Let the rules in force judge a batch, if any do, or if anything of its process type is on hold."""
    judges = judging(view, batch.definition)
    held = bool(view.get(holds_key(batch.definition["id"])))
    if not judges and not held:
        return {}
    watch = Watch(view, context, batch.source, batch.record, batch.definition, judges, held=held)
    before = view.spent
    for recorded in batch.items:
        refusal = watch.item(recorded)
        if refusal is not None:
            return refusal
        if recorded.offset == 0:
            steps = batch.first_steps + view.spent - before
            view.note(f"items: {len(batch.items)}, steps of the first: {steps}")
    return watch.finish(batch.gap, batch.latest_ms)


class Watch:
    """Judges one batch of ``process.record``; nothing is written before ``finish``."""

    __slots__ = (
        *("context", "definition", "found", "held", "judges", "judges_sources", "live", "objects", "source"),
        *("types", "view", "zone_minutes"),
    )

    def __init__(
        self,
        view: View,
        context: Context,
        source: str,
        record: Mapping[str, Any],
        definition: Mapping[str, Any],
        judges: Sequence[JudgingSet],
        *,
        held: bool,
    ) -> None:
        self.view, self.context, self.source, self.definition = view, context, source, definition
        self.judges = judges
        self.types = {kind for judge in judges for kind in judge.by_type}
        self.judges_sources = SOURCE in self.types and SOURCE not in definition["object_types"]
        self.live = record["mode"] == "live"
        self.zone_minutes: int | None = record.get("zone_minutes")
        self.held = held
        self.objects: dict[ObjectName, Watched] = {}
        self.found: list[Found | tuple[Mapping[str, Any], Item]] = []

    def item(self, recorded: BatchItem) -> Rejected | None:
        """Judge an item."""
        offset, sequence, item, reading, hashed, new = recorded
        objects = [(name, first) for name, first in zip(reading.objects, new, strict=True) if name[0] in self.types]
        watched = [(name, self._watched(name, first)) for name, first in objects]
        if reading.time_ms is None:
            if "relation" not in item:
                for _, monitors in watched:
                    self._describe(monitors, item)
            return None
        origin = Item(sequence, item["event"], hashed.hex())
        if self.judges_sources:
            name = (SOURCE, self.source)
            watched.append((name, self._watched(name, first=False)))
        if watched:
            refusal = self._judge(offset, item, reading.time_ms, origin, watched)
            if refusal is not None:
                return refusal
        if self.held:
            for object_type, object_id in reading.objects:
                hold = supervision_holds.held(self.view, self.definition["id"], object_type, object_id)
                if hold is not None:  # J22
                    self.found.append((hold, origin))
        if len(self.found) > MAX_FINDINGS:  # J14
            return Rejected("limit", f"items[{offset}]: more than {MAX_FINDINGS} findings in a batch; send fewer items")
        return None

    def _judge(
        self,
        offset: int,
        item: Mapping[str, Any],
        time_ms: int,
        origin: Item,
        objects: Sequence[tuple[ObjectName, Watched]],
    ) -> Rejected | None:
        context = self.context
        event = Event(
            item,
            time_ms,
            self.source,
            origin.sequence or 0,
            context.height,
            context.time_ms,
            self.live,
            self.zone_minutes,
        )
        for (object_type, object_id), watched in objects:
            for index, judge in enumerate(watched.judges):
                watched.entries[index], findings = judge.by_type[object_type].observe(
                    watched.entries[index], event, object_id, whole=watched.whole(judge), spend=self.view.charge
                )
                for finding in findings:
                    if refuses(finding) and not judge.shadow:  # J13
                        return _violated(offset, item, finding)
                    self.found.append(Found(judge, object_type, object_id, finding, origin))
        return None

    def _describe(self, watched: Watched, item: Mapping[str, Any]) -> None:
        self.view.charge(OBSERVE_STEPS * len(watched.judges))
        for index, judge in enumerate(watched.judges):
            watched.entries[index] = watched.rules(judge).describe(
                watched.entries[index],
                item,
                self.context.time_ms,
                zone_minutes=self.zone_minutes,
                whole=watched.whole(judge),
            )

    def _watched(self, name: ObjectName, first: bool) -> Watched:
        watched = self.objects.get(name)
        if watched is None:
            self.view.charge(WATCH_STEPS + SET_STEPS * len(self.judges))
            place = (self.definition["id"], *name)
            watched = self.objects[name] = Watched(place, self.view.get(object_state_key(*place)), self.judges)
            watched.recorded_by(self.source, live=self.live)
            if first:
                watched.began_ms = self.context.time_ms
        return watched

    def finish(self, gap: Sequence[int] | None, latest_ms: int | None) -> Result:
        """Write what the batch changes and return what its receipt shows; ``latest_ms`` is the source's clock now."""
        process_type, late_ms = self.definition["id"], self.definition["late_ms"]
        if gap is not None and self.judges_sources:
            self._gap(gap)
        for watched in self.objects.values():
            watched.write(self.view, late_ms)
        outcome = Outcome(self.view, self.context.height, self.context.time_ms)
        for found in self.found:
            if isinstance(found, Found):
                outcome.take(process_type, self.source, found)
            else:
                outcome.breach(found[0], self.source, found[1])
        if not self.live and latest_ms is not None and self.judges:
            first_ms = deadlines.earliest_ms(self.view, NAME, self.source)
            if first_ms is not None and first_ms <= latest_ms:
                schedule(self.view, self.context.time_ms, ["clock", self.source])
        return outcome.result(MAX_SHOWN_BYTES)

    def _gap(self, gap: Sequence[int]) -> None:
        watched = self._watched((SOURCE, self.source), first=False)
        for index, judge in enumerate(watched.judges):
            watched.entries[index], findings = watched.rules(judge).gap(
                watched.entries[index], gap[0], gap[1], self.context.time_ms
            )
            self.found += [Found(judge, SOURCE, self.source, finding, Item()) for finding in findings]


# Deadlines


def passed(view: View, source: str, time_ms: int) -> Entry | None:
    """Take the next deadline that the clock of a historical source passed, or None; the source's turn comes again."""
    record: Any = process_state.source(view, source)
    called = deadlines.take(view, NAME, source, record["latest_ms"])
    if called is None:
        return None
    schedule(view, time_ms, ["clock", source])
    _, *place = called
    return ["passed", source, *place]


def call(view: View, definition: Mapping[str, Any], place: Place, clock: str, clock_ms: int, outcome: Outcome) -> None:
    """Let what an object owed by ``clock_ms`` be missed.

    A call that is not the one the object waits for does nothing.
    """
    value: Any = view.get(object_state_key(*place))
    if value is None:
        return
    watched = Watched(place, value, judging(view, definition))
    if watched.clock != clock or watched.armed_ms is None or watched.armed_ms > clock_ms:  # J27
        return
    watched.armed_ms = None
    before = list(watched.entries)
    found = watched.expire(clock_ms - definition["late_ms"], view.charge)
    if place[1] == SOURCE:
        _advance(view, watched, before)
    watched.write(view, definition["late_ms"])
    for entry in found:
        outcome.take(place[0], watched.source or place[2], entry)


def begin_obligations(view: View, definition: Mapping[str, Any], time_ms: int, set_id: str) -> None:
    """Have the periodic rules of a set that comes into force, or on trial, oblige their sources."""
    judges = judging(view, definition)
    judge = next((judge for judge in judges if judge.id == set_id), None)
    rules = None if judge is None else judge.by_type.get(SOURCE)
    if judge is None or rules is None:
        return
    sources = dict.fromkeys(rule.body.source for rule in rules.rules if isinstance(rule.body, Periodic))
    for source in sources:
        place = (definition["id"], SOURCE, source)
        watched = Watched(place, view.get(object_state_key(*place)), judges)
        watched.recorded_by(source, live=True)  # J5
        index = watched.judges.index(judge)
        watched.entries[index] = rules.begin(watched.entries[index], source, time_ms)
        watched.write(view, definition["late_ms"])
        if not judge.shadow:
            for rule, body, detail in _periodic(rules, source, watched.entries[index]):
                supervision_obligations.begin(view, definition["id"], rule, body, detail)


def _advance(view: View, watched: Watched, before: Sequence[Any]) -> None:
    """Count the periods of obligations that ended."""
    source = watched.place[2]
    for judge, old, new in zip(watched.judges, before, watched.entries, strict=True):
        if old is None or judge.shadow:
            continue
        rules = watched.rules(judge)
        was = {rule.id: detail for rule, _, detail in _periodic(rules, source, old)}
        for rule, body, detail in _periodic(rules, source, new):
            supervision_obligations.advance(view, rule, body, was[rule.id], detail)


def _periodic(rules: RuleSet, source: str, state: Any) -> Iterator[tuple[Rule, Periodic, Any]]:
    """Yield the obligations of a source that run, each with the detail of its state."""
    for slot, detail in state[1] if state is not None else ():
        rule = rules.rules[slot]
        if isinstance(rule.body, Periodic) and rule.body.source == source:
            yield rule, rule.body, detail


def _violated(offset: int, item: Mapping[str, Any], finding: Finding) -> Rejected:
    rule = finding.rule
    detail = f"items[{offset}]: event {item['event']} violates {rule.id} version {rule.version}: {finding.reason}"
    return Rejected("rule_violated", f"{detail} ({rule.title})")
