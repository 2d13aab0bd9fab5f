"""A set of rules at work on the objects of one type: events in, findings out, one small state value an object.

Law: what an event costs depends on the rules it concerns, never on how many events or rules there are; the same
states and events give the same findings everywhere.

The state of an object is None before anything is known of it, else the list
``[codes, details, last, first_ms, count, attributes, times, due_ms]``: a byte a rule (trailing zeros cut), ``[[rule,
detail], ...]`` of the rules that need more than a byte, the type of the last event if that matters, the block time of
the object's first item (None if it began before the rules), how many events there were, the newest ``[name, ms,
value]`` of the object's attributes that rules read, the details of ``Timed`` rules side by side (trailing zeros cut),
and a time before which no obligation is due (None if there is none; one that was met may leave it too early, never too
late). It is a value the ledger can encode, and is never changed in place.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush
from typing import Any, Final, NamedTuple

from coseal.contracts.kernel.budget import free
from coseal.contracts.process.items import time_ms as read_time_ms
from coseal.contracts.process.tallies import declared_tallies
from coseal.contracts.rules.declare import Automaton
from coseal.contracts.rules.draft import DETAILS, DUE_MS, Draft, Layout, State
from coseal.contracts.rules.event_rules import Gap, worse
from coseal.contracts.rules.facts import (
    Definition,
    Event,
    Place,
    object_times,
    plain,
    rich,
    time_value,
    times_of,
)
from coseal.contracts.rules.periodic import Periodic
from coseal.contracts.rules.plan import NO_PLAN, OBSERVE_STEPS, Plans, judges, kept_entries, started
from coseal.contracts.rules.reasons import NOTHING, Reason
from coseal.contracts.rules.related import Related, Shaken, Witness, shaken
from coseal.contracts.rules.rule import Rule, witness_of
from coseal.contracts.rules.verdict import (
    FINAL,
    UNDETERMINED,
    VIOLATED,
    Facts,
    Look,
    Ruling,
    Sight,
    Verdict,
    unseen,
)

MAX_EXPIRED: Final = 64
"""The most obligations of one object that expire in one call; the rest is still due after it."""

_EXPIRE_STEPS: Final = 60
DEADLINE_STEPS: Final = 4
"""What looking at the times of a rule takes."""


class Finding(NamedTuple):
    """A rule is violated or undetermined on an object: by an event (``event`` is its id) or a deadline (``""``).

    ``time_ms`` is the event's occurrence, or the deadline in occurrence time.
    """

    rule: Rule
    verdict: Verdict
    reason: Reason
    event: str
    time_ms: int


class RuleSet:
    """The rules of one process type and object type; one that has ended keeps its place among them.

    What it remembers between calls only saves time; all that counts is in the states.
    """

    def __init__(self, rules: Sequence[Rule], definition: Definition | None = None) -> None:
        self.rules = tuple(rules)
        self.size = len(self.rules)
        self._object_type = self.rules[0].object_type if self.rules else ""
        self._times = times_of(definition, sorted({name for rule in rules for name in rule.body.reach.symbols}))
        self._after = {rule.body.reach.after for rule in self.rules} - {""}
        self._object_times = object_times(definition, self._object_type)
        self._reads = {name for rule in self.rules for name in rule.reads}
        self.figures = tuple(sorted({name for rule in self.rules for name in rule.figures}))
        """What the rules read of the tallies of their objects, as the process type has ``tallies``."""
        self.tallies = declared_tallies(definition) if self.figures else {}
        self._complaints = [
            rule.body.complaint() if isinstance(rule.body, Automaton) else NOTHING for rule in self.rules
        ]
        self._layout = Layout(self.rules)
        self._plans = Plans(self.rules, self._layout, bool(self.figures))
        self._relating = [slot for slot, rule in enumerate(self.rules) if rule.body.reach.relations]
        self._witnesses = {rule.id: slot for slot, rule in enumerate(self.rules) if isinstance(rule.body, Witness)}
        self.looks = any(isinstance(rule.body, Related) for rule in self.rules)
        """Whether a rule looks at related objects."""

    def observe(
        self,
        state: State | None,
        event: Event,
        object_id: str,
        *,
        whole: bool = True,
        look: Look = unseen,
        spend: Callable[[int], None] = free,
    ) -> tuple[State, list[Finding]]:
        """Return the object's state after an event that names it, and what was found.

        ``whole`` matters when ``state`` is None: whether all that is recorded of the object is given to this set.
        ``look`` gives what is kept of related objects; ``spend`` takes the steps of this, before it is done.
        """
        state = state or self._fresh(event.block_ms, whole)
        codes, details, last, first_ms, count, attributes, times, due_ms = state
        kind = event.item["type"]
        plan = self._plans.of(count == 0, last, kind, event.block_ms, first_ms)
        spend(OBSERVE_STEPS if plan is NO_PLAN else self._plans.steps(plan, event, details, attributes))
        last = kind if kind in self._after else ""
        if plan is NO_PLAN:  # every event names its source, which few rules are about
            return [codes, details, last, first_ms, count + 1, attributes, times, due_ms], []
        draft, findings = Draft(self._layout, state), list[Finding]()
        for slot, table in plan.tables:
            before = draft.codes[slot]
            draft.codes[slot] = after = table[before]
            if after == VIOLATED != before:
                found = Finding(
                    self.rules[slot], Verdict.VIOLATED, self._complaints[slot], event.item["event"], event.time_ms
                )
                findings.append(found)
        steps = started(plan, draft, event.time_ms) if plan.starts else plan.steps
        if steps:
            known = {name: rich(value) for name, _, value in attributes}
            tallies = self.tallies.get(self._object_type)
            facts = Facts(
                event,
                self._times,
                self._object_type,
                object_id,
                count,
                known,
                look,
                spend,
                tallies,
                self.figures,
            )
            self._step(steps, draft, facts, findings)
        return draft.state(last, first_ms, count + 1, attributes), findings

    def describe(
        self,
        state: State | None,
        item: Mapping[str, Any],
        block_ms: int,
        *,
        zone_minutes: int | None = None,
        whole: bool = True,
        place: Place = (0, "", 0),
    ) -> State | None:
        """Return the object's state after a declaration or dated change of its attributes at a place."""
        changes = [entry for entry in item.get("attributes", ()) if entry[0] in self._reads]
        if not changes:
            return state
        codes, details, last, first_ms, count, attributes, times, due_ms = state or self._fresh(block_ms, whole)
        newest = {name: (since, value) for name, since, value in attributes}
        for name, when, value in changes:
            since = read_time_ms(when, zone_minutes) or 0  # the text 0 stands for the epoch
            if name not in newest or newest[name][0] <= since:
                if name in self._object_times:
                    value = plain(time_value(value, zone_minutes))
                newest[name] = (since, value)
        changed = [[name, *newest[name]] for name in sorted(newest)]
        state = [codes, details, last, first_ms, count, changed, times, due_ms]
        return self._marked(state, {name for name, _, _ in changes}, place) if self._witnesses else state

    def relate(
        self,
        state: State | None,
        item: Mapping[str, Any],
        object_id: str,
        block_ms: int,
        *,
        whole: bool = True,
        spend: Callable[[int], None] = free,
    ) -> State | None:
        """Return the object's state after a relation that it is an end of."""
        spend(OBSERVE_STEPS * len(self._relating))
        draft = None
        for slot in self._relating:
            body = self.rules[slot].body
            if draft is None:
                state = state or self._fresh(block_ms, whole)
                draft = Draft(self._layout, state)
            if draft.codes[slot] not in FINAL and isinstance(body, Related | Witness):
                before = draft.detail(slot)
                after = body.link(before, item, (self._object_type, object_id))
                draft.put(slot, before, Ruling(draft.codes[slot], after))
        return state if draft is None or state is None else draft.state(*state[2:6])

    def sight(self, state: State | None, rule_id: str, *, whole: bool, settled: bool) -> Sight:
        """Return what a related object says to a rule; ``whole`` is of one of which there is no state yet."""
        if state is None:
            return Sight(0, None, (), whole, settled)
        slot = self._witnesses[rule_id]
        draft = Draft(self._layout, state)
        whole = state[3] is not None and state[3] >= self.rules[slot].from_ms  # M3
        return Sight(draft.codes[slot], draft.detail(slot), state[5], whole, settled)

    def shaken(self, before: State | None, after: State, since: Place) -> list[Shaken]:
        """Return the witnesses that a correction changed; what was recorded at ``since`` or later is no change."""
        found = []
        for slot in self._witnesses.values():
            body = self.rules[slot].body
            was, now = (
                (draft.codes[slot], draft.detail(slot), state[5])
                for state in (before or self._fresh(0, True), after)
                for draft in [Draft(self._layout, state)]
            )
            one = shaken(slot, body, was, now, since) if isinstance(body, Witness) else None
            if one is not None:
                found.append(one)
        return found

    def slot_of(self, rule_id: str) -> int | None:
        """Return the place of a rule that judges, or None."""
        found = [slot for slot, rule in enumerate(self.rules) if rule.id == rule_id and not rule.ended]
        return found[0] if found else None

    def code(self, state: State, slot: int) -> int:
        """Return the code of a rule."""
        codes: bytes = state[0]
        return codes[slot] if slot < len(codes) else 0

    def gap(self, state: State | None, first: int, last: int, block_ms: int) -> tuple[State, list[Finding]]:
        """Return the state of a source that left out the items ``first`` to ``last``, and what was found."""
        changed = list(state or self._fresh(block_ms, True))
        codes = bytearray(changed[0].ljust(self.size, b"\0"))
        findings = []
        for slot, rule in enumerate(self.rules):
            if type(rule.body) is Gap and judges(rule, block_ms, changed[3]):
                ruling = rule.body.gap(codes[slot], first, last)
                codes[slot] = ruling.code
                if ruling.verdict is not None:
                    findings.append(Finding(rule, ruling.verdict, ruling.reason, "", block_ms))
        changed[0] = bytes(codes).rstrip(b"\0")
        return changed, findings

    def begin(self, state: State | None, object_id: str, block_ms: int) -> State | None:
        """Return the state of a source in which its periodic obligations run from a block time on."""
        if state is not None:
            return state
        found = [
            [slot, rule.body.begin(max(block_ms, rule.from_ms))]
            for slot, rule in enumerate(self.rules)
            if type(rule.body) is Periodic and rule.body.source == object_id
        ]
        return self.settled([b"", found, "", block_ms, 0, [], b"", None]) if found else None

    # M10
    def unsettle(
        self,
        state: State,
        kinds: Collection[str] | None,
        why: Reason,
        event: str,
        time_ms: int,
        block_ms: int,
        spend: Callable[[int], None] = free,
        *,
        repeating: bool = False,
    ) -> tuple[State, list[Finding]]:
        """Return the state in which every rule that events of ``kinds`` concern is undetermined; None: every rule.

        What is violated stays so. Rules that judge event by event are not touched unless ``repeating``. ``""`` among
        the kinds is an item that is no event. ``event`` and ``time_ms`` are of what brought it.
        """
        spend(len(self.rules))
        codes = state[0].ljust(self.size, b"\0")
        slots = [
            slot
            for slot, rule in enumerate(self.rules)
            if (repeating if rule.body.repeats else codes[slot] not in FINAL) and self._judged(slot, block_ms, state[3])
            if kinds is None or _concerned(rule, kinds)
        ]
        return self.undetermine(state, slots, why, event, time_ms)

    def undetermine(
        self, state: State, slots: Iterable[int], why: Reason, event: str, time_ms: int
    ) -> tuple[State, list[Finding]]:
        """Return the state in which some rules, by their places, are undetermined; what is violated stays so."""
        draft, findings = Draft(self._layout, state), []
        for slot in slots:
            draft.put(slot, draft.detail(slot), worse(draft.codes[slot], Ruling(UNDETERMINED)))
            findings.append(Finding(self.rules[slot], Verdict.UNDETERMINED, why, event, time_ms))
        _, _, last, first_ms, count, attributes, _, _ = state
        return draft.state(last, first_ms, count, attributes), findings

    def uncount(self, state: State | None, item: Mapping[str, Any], time_ms: int) -> tuple[State | None, list[Finding]]:
        """Return the state of a source in which an event that was corrected meets no obligation any more."""
        if state is None:
            return None, []
        details, findings = list(state[1]), []
        for index, (slot, detail) in enumerate(state[1]):
            rule = self.rules[slot]
            if isinstance(rule.body, Periodic) and item.get("type") in rule.body.reach.symbols:
                changed, why = rule.body.uncount(detail, time_ms)
                details[index] = [slot, changed]
                if why is not None:
                    findings.append(Finding(rule, Verdict.UNDETERMINED, why, str(item["event"]), time_ms))
        return [state[0], details, *state[2:]], findings

    def deadline_ms(self, state: State | None) -> int | None:
        """Return the occurrence time until which the next obligation of an object has to be met, or None.

        It is missed once the clock of the object's source, less the reporting lag, is greater.
        """
        due = [] if state is None or state[DUE_MS] is None else Draft(self._layout, state).deadlines()
        return min(due)[0] if due else None

    @staticmethod
    def due_ms(state: State) -> int | None:
        """Return what the state says of its deadline: it, or a time before it; None if there is none."""
        due_ms: int | None = state[DUE_MS]
        return due_ms

    def settled(self, state: State) -> State:
        """Return the state with its deadline in place of a time before it."""
        return [*state[:DUE_MS], self.deadline_ms([*state[:DUE_MS], 0])]

    def expire(self, state: State, clock_ms: int, spend: Callable[[int], None] = free) -> tuple[State, list[Finding]]:
        """Return the state after a clock passed deadlines, and what was found.

        ``clock_ms`` is the clock of the object's source, less the reporting lag; for ``spend`` see ``observe``.
        """
        spend(_EXPIRE_STEPS)
        due_ms, findings = self.due_ms(state), list[Finding]()
        if due_ms is None or due_ms >= clock_ms:
            return state, findings
        spend(
            DEADLINE_STEPS * len(self._layout.timed)
            + sum(6 + kept_entries(detail) // 3 for _, detail in state[DETAILS])
        )
        draft = Draft(self._layout, state)
        due = draft.deadlines()
        heapify(due)
        for _ in range(MAX_EXPIRED):
            if not due or due[0][0] >= clock_ms:  # D7
                break
            spend(_EXPIRE_STEPS)
            deadline, slot = heappop(due)
            rule, detail = self.rules[slot], draft.detail(slot)
            ruling = rule.body.expire(draft.codes[slot], detail)
            draft.put(slot, detail, ruling)
            following = rule.body.deadline_ms(ruling.code, ruling.detail)
            if following is not None:
                heappush(due, (following, slot))
            if ruling.verdict is not None:
                findings.append(Finding(rule, ruling.verdict, ruling.reason, "", deadline))
        draft.due_ms = due[0][0] if due else None
        _, _, last, first_ms, count, attributes, _, _ = state
        return draft.state(last, first_ms, count, attributes), findings

    def verdicts(self, state: State | None) -> tuple[Verdict, ...]:
        """Return what is known of every rule, in the order of ``rules``."""
        draft = Draft(self._layout, state or self._fresh(0, True))
        return tuple(
            rule.body.verdict(code, draft.detail(slot))
            for slot, (rule, code) in enumerate(zip(self.rules, draft.codes, strict=True))
        )

    def fresh(self, block_ms: int, *, whole: bool) -> State:
        """Return the state of an object of which nothing was judged yet, whose first item is of a block time."""
        return self._fresh(block_ms, whole)

    @staticmethod
    def count(state: State) -> int:
        """Return how many events of an object were observed."""
        return int(state[4])

    # inside

    def _marked(self, state: State, names: Collection[str], place: Place) -> State:
        """Return the state in which witnesses know when an attribute that they read was changed."""
        draft = Draft(self._layout, state)
        for slot in self._witnesses.values():
            body, reads = self.rules[slot].body, any(name in names for name in self.rules[slot].reads)
            if reads and draft.codes[slot] not in FINAL and isinstance(body, Witness) and body.rule.where is not None:
                before = draft.detail(slot)
                draft.put(slot, before, Ruling(draft.codes[slot], body.mark(before, place)))
        return draft.state(*state[2:6])

    def _fresh(self, block_ms: int, whole: bool) -> State:
        return [b"", [], "", block_ms if whole else None, 0, [], b"", None]  # M1

    def _step(self, steps: Sequence[tuple[int, str]], draft: Draft, facts: Facts, findings: list[Finding]) -> None:
        """Step the bodies that an event concerns: change ``draft``, add to ``findings``."""
        event = facts.event
        for slot, symbol in steps:
            rule, code = self.rules[slot], draft.codes[slot]
            if code >= VIOLATED and not rule.body.repeats:  # D10
                continue
            detail = draft.detail(slot)
            ruling: Ruling = rule.body.step(symbol, code, detail, facts)
            draft.put(slot, detail, ruling)
            if ruling.verdict is not None:
                found = Finding(rule, ruling.verdict, ruling.reason, event.item["event"], event.time_ms)
                findings.append(found)

    def _judged(self, slot: int, block_ms: int, first_ms: int | None) -> bool:
        """Say whether a rule may have judged anything of an object that began at ``first_ms``, until a block time."""
        rule = self.rules[slot]
        if rule.from_ms > block_ms or (first_ms is not None and first_ms >= rule.until_ms):
            return False
        return rule.body.forward or (first_ms is not None and first_ms >= rule.from_ms)


def _concerned(rule: Rule, kinds: Collection[str]) -> bool:
    """Say whether an event of one of these types, or an item that is none (""), may concern a rule."""
    reach = rule.body.reach
    if reach.every or reach.after or reach.first:
        return True
    return any(kind in reach.symbols for kind in kinds) or ("" in kinds and (reach.relations or bool(rule.reads)))


def rule_sets(rules: Sequence[Rule], definition: Definition | None = None) -> dict[str, RuleSet]:
    """Return a set for each object type that some rule still judges, in the order of its first rule."""
    kinds = dict.fromkeys(rule.object_type for rule in rules if not rule.ended)
    return {kind: RuleSet([rule for rule in rules if rule.object_type == kind], definition) for kind in kinds}


def witness_sets(rules: Sequence[Rule], definition: Definition | None = None) -> dict[str, RuleSet]:
    """Return by object type what rules over related objects keep of these."""
    witnesses = [witness for rule in rules for witness in [witness_of(rule)] if witness is not None]
    return rule_sets(witnesses, definition)
