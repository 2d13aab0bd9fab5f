"""The observer of process data: every recorded item goes to the rules in force, in the transaction that records it.

Law: what an item costs depends on the rules it concerns, never on history; a trial has no effect; what a rule with
effect ``reject`` refuses leaves nothing.

contracts/supervision/README.md.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import Context, Rejected, Result, View
from coseal.contracts.kernel.contract import Entry
from coseal.contracts.process import state as process_state
from coseal.contracts.process.batch import BatchItem, RecordedBatch
from coseal.contracts.process.chain import ObjectName
from coseal.contracts.process.items import time_ms as read_time_ms
from coseal.contracts.rules.facts import Event
from coseal.contracts.rules.monitor import RuleSet
from coseal.contracts.rules.periodic import Periodic
from coseal.contracts.rules.plan import OBSERVE_STEPS
from coseal.contracts.rules.rule import SOURCE, Rule
from coseal.contracts.rules.verdict import Look, unseen
from coseal.contracts.supervision import holds as supervision_holds
from coseal.contracts.supervision import obligations as supervision_obligations
from coseal.contracts.supervision.corrections import Recording, concerns, kind_of
from coseal.contracts.supervision.effects import Found, Item, Outcome, refuses, violated
from coseal.contracts.supervision.object_monitors import OBLIGING, Judging, Keeping, Place, Watched, judging_type
from coseal.contracts.supervision.related import SET_STEPS, WATCH_STEPS, Neighbours
from coseal.contracts.supervision.sets_in_force import JudgingSet, judging
from coseal.contracts.supervision.state import NAME, holds_key, object_state_key
from coseal.contracts.supervision.superseding import Settled, judge_again, settle
from coseal.contracts.supervision.terms import schedule

MAX_FINDINGS: Final = 5_000
MAX_SHOWN_BYTES: Final = 256 * 1024
RECORDING_STEPS: Final = 4
"""What chaining an item takes for each object that rules look at."""


def observe(view: View, context: Context, batch: RecordedBatch) -> Result | Rejected:
    """Let the rules in force judge a batch, if any do, or if anything of its process type is on hold."""
    judges = judging(view, batch.definition)
    held = not batch.appended and bool(view.get(holds_key(batch.definition["id"])))
    if not judges and not held:
        return {}
    watch = Watch(view, context, batch, judges, held=held)
    before = view.spent
    for recorded in batch.items:
        refusal = watch.item(recorded)
        if refusal is not None:
            return refusal
        if recorded.offset == 0:
            steps = batch.first_steps + view.spent - before
            view.note(f"items: {len(batch.items)}, steps of the first: {steps}")
    return watch.finish()


class Monitors:
    """Reads the monitors of objects of a process type.

    It knows no watch: one that refers to itself in a circle, with all items of its batch, waits for the collector.
    """

    __slots__ = ("_judges", "_judging", "_keeping", "_process_type", "_resting", "_view")

    def __init__(
        self, view: View, process_type: str, judges: Sequence[JudgingSet], keeping: Keeping, resting: Collection[str]
    ) -> None:
        self._view, self._process_type, self._judges = view, process_type, judges
        self._keeping, self._resting = keeping, resting
        self._judging: dict[str, Judging] = {}

    def read(self, name: ObjectName) -> Watched:
        """Return the monitors of an object as the state has them."""
        place, found = (self._process_type, *name), self._judging.get(name[0])
        if found is None:
            found = self._judging[name[0]] = judging_type(self._judges, name[0])
        return Watched(place, self._keeping.read(self._view, place), found, self._keeping, self._resting)


class Watch:
    """Judges one batch of ``process.record``; nothing is written before ``finish``."""

    __slots__ = (
        *("batch", "context", "corrected", "definition", "found", "held", "judges", "judges_sources", "keeping"),
        *("live", "monitors", "neighbours", "objects", "source", "types", "view", "zone_minutes"),
    )

    def __init__(
        self,
        view: View,
        context: Context,
        batch: RecordedBatch,
        judges: Sequence[JudgingSet],
        *,
        held: bool = False,
        keeping: Keeping = OBLIGING,
        resting: Collection[str] = (),
    ) -> None:
        """``resting`` are sets that do not judge this batch, and whose monitors stay."""
        self.view, self.context, self.batch, self.judges = view, context, batch, judges
        self.keeping = keeping
        self.source, definition, record = batch.source, batch.definition, batch.record
        self.definition = definition
        self.types = {kind for judge in judges for kind in judge.by_type if batch.judged in ("", kind)}
        self.judges_sources = SOURCE in self.types and SOURCE not in definition["object_types"]
        self.live = record["mode"] == "live"
        self.zone_minutes: int | None = record.get("zone_minutes")
        self.held = held
        self.objects: dict[ObjectName, Watched] = {}
        self.monitors = Monitors(view, definition["id"], judges, keeping, resting)
        self.neighbours = Neighbours(view, judges, self.objects, self.monitors.read)
        self.found: list[Found | tuple[Mapping[str, Any], Item]] = []
        self.corrected: dict[ObjectName, list[Recording]] = {
            name: []
            for recorded in batch.items
            if recorded.corrected is not None
            for name in recorded.objects
            if name[0] in self.types and concerns(recorded.corrected, name, definition)
        }
        """What this batch recorded of the objects that it corrects something of: they are judged at its end."""

    def item(self, recorded: BatchItem) -> Rejected | None:
        """Judge an item."""
        offset, sequence, item, reading, hashed = recorded[:5]
        watched = []
        for name, count in zip(recorded.objects, recorded.counts, strict=True):
            if name[0] in self.types:
                monitors = self._watched(name, first=count == 0)
                self._chain(name, monitors, recorded, count)
                if name in reading.objects:
                    watched.append((name, monitors))
        if self.judges_sources and recorded.corrected is not None:
            self._uncount(recorded)
        if reading.time_ms is None:
            for name, monitors in watched:
                self._describe(name, monitors, item, sequence)
            return None
        origin = Item(sequence, item["event"], hashed.hex())
        if self.judges_sources:
            name = (SOURCE, self.source)
            watched.append((name, self._watched(name, first=False)))
        if watched:
            refusal = self._judge(recorded, reading.time_ms, origin, watched)
            if refusal is not None:
                return refusal
        if self.held:
            for object_type, object_id in reading.objects:
                hold = supervision_holds.held(self.view, self.definition["id"], object_type, object_id)
                if hold is not None:  # J22
                    self.found.append((hold, origin))
        if len(self.found) > MAX_FINDINGS and not self.keeping.own:  # J14
            return Rejected("limit", f"items[{offset}]: more than {MAX_FINDINGS} findings in a batch; send fewer items")
        return None

    def _judge(
        self,
        recorded: BatchItem,
        time_ms: int,
        origin: Item,
        objects: Sequence[tuple[ObjectName, Watched]],
    ) -> Rejected | None:
        context = self.context
        event = Event(
            recorded.item,
            time_ms,
            self.source,
            origin.sequence or 0,
            context.height,
            context.time_ms,
            self.live,
            self.zone_minutes,
            tallied=recorded.tallied,
        )
        for (object_type, object_id), watched in objects:
            again = (object_type, object_id) in self.corrected
            for index, judge in enumerate(watched.judges):
                if again and not judge.keeps:
                    continue
                rules, state = judge.by_type[object_type], watched.entries[index]
                look: Look = unseen
                if rules.looks:
                    look = self.neighbours.look(judge, settled=True, pending=self.corrected)
                watched.entries[index], findings = rules.observe(
                    state, event, object_id, whole=watched.whole(judge), look=look, spend=self.view.charge
                )
                for finding in findings:
                    if refuses(finding) and not judge.shadow and self.batch.refusable:  # J13
                        return violated(recorded.offset, recorded.item, finding)
                    self.found.append(Found(judge, object_type, object_id, finding, origin))
        return None

    def _chain(self, name: ObjectName, watched: Watched, recorded: BatchItem, count: int) -> None:
        """Chain an item of an object; keep it for the end where the batch corrects something of the object."""
        height, time_ms = self.context.height, self.context.time_ms
        self.view.charge(RECORDING_STEPS)
        watched.record(count, recorded.hashed, height, time_ms)
        if name in self.corrected:
            corrected = recorded.corrected
            if corrected is not None and not concerns(corrected, name, self.definition):
                corrected = None
            one = (self.source, recorded.sequence, recorded.item, recorded.hashed, height, time_ms, corrected, True)
            self.corrected[name].append(Recording(*one, recorded.tallied))

    def _uncount(self, recorded: BatchItem) -> None:
        """Let an event of this source that is corrected meet no obligation any more."""
        item, watched = recorded.corrected, self._watched((SOURCE, self.source), first=False)
        occurred = read_time_ms(item.get("time"), self.zone_minutes) if kind_of(item) else None
        for index, judge in enumerate(watched.judges):
            if occurred is not None and not judge.keeps:
                state, findings = watched.rules(judge).uncount(watched.entries[index], item, occurred)
                watched.entries[index] = state
                origin = Item(recorded.sequence, recorded.item.get("event"), recorded.hashed.hex())
                self.found += [Found(judge, SOURCE, self.source, finding, origin) for finding in findings]

    def _describe(self, name: ObjectName, watched: Watched, item: Mapping[str, Any], sequence: int) -> None:
        """Let the rules know of a declaration, a dated change or a relation of an object."""
        now_ms, place = self.context.time_ms, (self.context.height, self.source, sequence)
        if "relation" not in item:
            self.view.charge(OBSERVE_STEPS * len(watched.judges))
        for index, judge in enumerate(watched.judges):
            rules, state, whole = watched.rules(judge), watched.entries[index], watched.whole(judge)
            if name in self.corrected and not judge.keeps:
                continue
            if "relation" in item:
                after = rules.relate(state, item, name[1], now_ms, whole=whole, spend=self.view.charge)
            else:
                zone = self.zone_minutes
                after = rules.describe(state, item, now_ms, zone_minutes=zone, whole=whole, place=place)
            watched.entries[index] = after

    def _watched(self, name: ObjectName, first: bool) -> Watched:
        watched = self.objects.get(name)
        if watched is None:
            self.view.charge(WATCH_STEPS + SET_STEPS * len(self.judges))
            watched = self.objects[name] = self.monitors.read(name)
            watched.recorded_by(self.source, live=self.live)
            if first:
                watched.began_ms = self.context.time_ms
        return watched

    def conclude(self) -> list[Settled] | Rejected:
        """Judge again what was corrected, and write the monitors; return what was judged again.

        What was found on other objects joins ``found``.
        """
        late_ms, gap = self.definition["late_ms"], self.batch.gap
        again = judge_again(self.view, self.context, self.batch, self.neighbours, self.objects, self.corrected)
        if isinstance(again, Rejected):
            return again
        settled, others = again
        self.found += others
        if gap is not None and self.judges_sources:
            self._gap(gap)
        for watched in self.objects.values():
            watched.write(self.view, late_ms)
        return settled

    def finish(self) -> Result | Rejected:
        """Conclude the batch, let what was found take effect, and return what its receipt shows."""
        process_type, latest_ms = self.definition["id"], self.batch.latest_ms
        settled = self.conclude()
        if isinstance(settled, Rejected):
            return settled
        outcome = Outcome(self.view, self.context.height, self.context.time_ms)
        for case, judged, about in settled:
            settle(outcome, self.context, case, judged, about)
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
    watched = Watched(place, value, judging_type(judging(view, definition), place[1]))
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
    for judge in judges:
        if judge.id == set_id and SOURCE in judge.by_type:
            _begin(view, definition, time_ms, judges, judge)


def _begin(
    view: View, definition: Mapping[str, Any], time_ms: int, judges: Sequence[JudgingSet], judge: JudgingSet
) -> None:
    rules = judge.by_type[SOURCE]
    sources = dict.fromkeys(rule.body.source for rule in rules.rules if isinstance(rule.body, Periodic))
    for source in sources:
        place = (definition["id"], SOURCE, source)
        watched = Watched(place, view.get(object_state_key(*place)), judging_type(judges, SOURCE))
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
