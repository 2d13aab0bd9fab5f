"""What an event concerns in a set of rules, and what that is charged: made once for each kind of event, then looked up.

Law: what is remembered only saves time; a plan follows from the rules, the type of event and the times alone.

docs/spec/rules.md, docs/spec/budget.md.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from coseal.contracts.rules.cel.compile import LARGEST, Charge
from coseal.contracts.rules.claims import Claim
from coseal.contracts.rules.correlated import KEPT_SIZE
from coseal.contracts.rules.draft import Draft, Layout
from coseal.contracts.rules.event_rules import Guard, ShapeCheck
from coseal.contracts.rules.facts import FIGURES_STEPS, Event
from coseal.contracts.rules.rule import Rule
from coseal.contracts.rules.timed import NO_TIME, TIME_BYTES, Quick, Timed, time_bytes
from coseal.contracts.rules.verdict import NO_CHARGE, VIOLATED

OBSERVE_STEPS: Final = 24
"""What observing an event on one object takes before any rule judges it."""
_PLANS_MAX: Final = 4_096
_STEP_CHARGE: Final = Charge(4, 4)
_KNOWN_CHARGE: Final = Charge(1, 1)
_FIGURES_CHARGE: Final = Charge(FIGURES_STEPS, FIGURES_STEPS)
_MEMBERS_SIZE: Final = 16
"""The size of what ``o.tally_of`` has: members, at most ten."""


def kept_entries(detail: Any) -> int:
    """Return how many entries the lists of a rule's detail have."""
    return sum(len(entries) for lists in detail if type(lists) is list for entries in lists if type(entries) is list)


class Start(NamedTuple):
    """A step of a ``Timed`` body, its places as where they begin in the times of the state."""

    slot: int
    symbol: str
    quick: Quick
    places: list[int]
    within_ms: int


class Plan(NamedTuple):
    """What an event of some type has to do: look-ups in tables by rule, and steps of bodies by rule and symbol.

    ``charge`` is for each object, ``once`` for the first one that an event names, ``kept`` by rule for each event kept;
    ``flat`` says that the size of the event does not matter to any of them.
    """

    tables: list[tuple[int, bytes]]
    starts: list[Start]
    steps: list[tuple[int, str]]
    charge: Charge
    once: Charge
    kept: dict[int, Charge]
    flat: bool


NO_PLAN: Final = Plan([], [], [], NO_CHARGE, NO_CHARGE, {}, True)


class Plans:
    """The plans of a set of rules; ``layout`` is where they have their state, ``figures`` whether one reads tallies."""

    def __init__(self, rules: Sequence[Rule], layout: Layout, figures: bool) -> None:
        self._rules, self._layout, self._figures = rules, layout, figures
        self._moments = sorted({moment for rule in rules for moment in (rule.from_ms, rule.until_ms)})
        self._types = {name for rule in rules for name in rule.body.reach.symbols}
        self._slots, self._general = _slots_by_type(rules)
        self._mark = f"\0{rules[0].id} {rules[0].version}" if rules else ""
        self._plans: dict[tuple[bool, str, str, int, int | None], Plan] = {}

    def of(self, first: bool, last: str, kind: str, block_ms: int, first_ms: int | None) -> Plan:
        """Return the plan of an event: whether it is the object's first, the type of the last, its own; times in ms."""
        moment = bisect_right(self._moments, block_ms)
        began = None if first_ms is None else bisect_right(self._moments, first_ms)
        key = (first, last, kind if kind in self._types else "", moment, began)
        plan = self._plans.get(key)
        if plan is None:
            if len(self._plans) >= _PLANS_MAX:
                self._plans.clear()
            plan = self._plans[key] = self._made(first, last, kind, block_ms, first_ms)
        return plan

    def steps(self, plan: Plan, event: Event, details: list[Any], attributes: list[Any]) -> int:
        """Return what one event is charged on one object (docs/spec/budget.md)."""
        if plan.flat:
            return OBSERVE_STEPS + plan.charge.least + (len(details) if plan.steps else 0)
        size = event.size
        if size < _MEMBERS_SIZE and self._figures:
            size = _MEMBERS_SIZE
        for _, _, value in attributes:
            if type(value) is str and len(value) > 16 * size:
                size = min(LARGEST, -(-len(value) // 16))
        steps = OBSERVE_STEPS + plan.charge.at(size)
        if plan.once is not NO_CHARGE and self._mark not in event.made:
            event.made[self._mark] = True
            steps += plan.once.at(size)
        if plan.steps:
            steps += len(details)
        if plan.kept:
            for slot, detail in details:
                charge = plan.kept.get(slot)
                if charge is not None:
                    steps += kept_entries(detail) * charge.at(max(size, KEPT_SIZE))
        return steps

    # D11
    def _made(self, first: bool, last: str, kind: str, block_ms: int, first_ms: int | None) -> Plan:
        tables, starts, steps = [], list[Start](), []
        charge, once, kept = NO_CHARGE, NO_CHARGE, {}
        for slot in sorted((*self._slots.get(kind, ()), *self._general)):  # as many as are charged, never all
            body = self._rules[slot].body
            reach = body.reach
            symbol = reach.symbols.get(kind, reach.every)
            if not symbol and ((first and reach.first) or (last and reach.after == last)):
                symbol = "other"
            if symbol and judges(self._rules[slot], block_ms, first_ms):
                table, quick = body.tables.get(symbol), body.quick(symbol) if isinstance(body, Timed) else None
                if table is not None:
                    tables.append((slot, table))
                else:
                    charge = charge.plus(_STEP_CHARGE)
                    if quick is None or not isinstance(body, Timed):
                        steps.append((slot, symbol))
                    else:
                        first_byte = self._layout.spans[slot][0]
                        places = [first_byte + place * TIME_BYTES for place in quick.places or (0,)]
                        starts.append(Start(slot, symbol, quick, places, body.within_ms))
                if isinstance(body, Guard | ShapeCheck | Claim) and not body.of_object:
                    once, charge = once.plus(body.charge), charge.plus(_KNOWN_CHARGE)
                else:
                    charge = charge.plus(body.charge)
                if body.kept_charge is not NO_CHARGE:
                    kept[slot] = body.kept_charge
        if steps and self._figures:
            charge = charge.plus(_FIGURES_CHARGE)
        flat = once is NO_CHARGE and not kept and charge.least == charge.most
        return Plan(tables, starts, steps, charge, once, kept, flat) if tables or starts or steps else NO_PLAN


def judges(rule: Rule, block_ms: int, first_ms: int | None) -> bool:
    """Say whether a rule is in force at a block time, and may judge an object that began at ``first_ms``."""
    if not rule.from_ms <= block_ms < rule.until_ms:
        return False
    # M3
    return rule.body.forward or (first_ms is not None and first_ms >= rule.from_ms)


def started(plan: Plan, draft: Draft, time_ms: int) -> Sequence[tuple[int, str]]:
    """Take the steps of ``Timed`` bodies in their usual cases; return all others."""
    steps, now, codes, times = list[tuple[int, str]](), time_bytes(time_ms), draft.codes, draft.times
    for slot, symbol, (code, _, waits, meets, again), places, within_ms in plan.starts:
        before, first = codes[slot], places[0]
        if not before:
            if code:
                codes[slot] = code
                for start in places:
                    times[start : start + TIME_BYTES] = now
                if waits:
                    draft.waits(time_ms + within_ms)
        elif meets and before < VIOLATED:
            if times[first : first + TIME_BYTES] >= time_bytes(time_ms - within_ms):  # D6
                codes[slot] = 0
                times[first : first + TIME_BYTES] = NO_TIME
        elif not again or times[first : first + TIME_BYTES] > now:
            steps.append((slot, symbol))
    return sorted((*plan.steps, *steps)) if steps else plan.steps


def _slots_by_type(rules: Sequence[Rule]) -> tuple[dict[str, list[int]], list[int]]:
    """Return the rules that are about each event type, and those that events of any type may concern."""
    by_type: dict[str, list[int]] = {}
    general = []
    for slot, rule in enumerate(rules):
        reach = rule.body.reach
        if reach.every or reach.after or reach.first:
            general.append(slot)
            continue
        for name in reach.symbols:
            by_type.setdefault(name, []).append(slot)
    return by_type, general
