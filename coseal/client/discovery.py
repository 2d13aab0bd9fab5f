"""Rules that a log suggests: DECLARE candidates with support and confidence, and windows from its temporal profile.

Law: what a candidate's counts say is what the ledger's monitors would say of the log; the same log and options give
the same rules, byte for byte.
Source: "User-guided discovery of declarative process models" (Maggi, Mooij, van der Aalst, 2011) for support and
confidence; "Temporal conformance checking at runtime based on time-infused process models" (Stertz, Mangler,
Rinderle-Ma, 2020) for the profile. docs/spec/rules.md, section Discovering rules.

All templates are counted in one pass over the distinct traces: a trace holds a template on a pair of activities only
if both occur in it (but for ``noncoexistence``), so only pairs that do are looked at.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, isqrt
from typing import Any, Final

from coseal.contracts.process.chain import objects_of
from coseal.contracts.process.items import time_ms
from coseal.contracts.rules.bodies import MAX_WINDOW_MS
from coseal.contracts.rules.correlated import PRECEDING
from coseal.contracts.rules.declare import BINARY, TEMPLATES, UNARY

NEGATIVE: Final = ("absence", "noncoexistence")
"""The templates that say what does not happen: of every rare activity, so only on request."""
DEFAULT_TEMPLATES: Final = tuple(name for name in TEMPLATES if name not in NEGATIVE)
ORDERED: Final = tuple(name for name in BINARY if name not in ("responded_existence", "coexistence", "noncoexistence"))
"""The templates whose ``a`` comes before their ``b``: those that have a window."""
_BOTH: Final[Mapping[str, tuple[str, str]]] = {
    "succession": ("response", "precedence"),
    "altsuccession": ("altresponse", "altprecedence"),
    "chainsuccession": ("chainresponse", "chainprecedence"),
}
_WEAKER: Final[Mapping[str, tuple[str, ...]]] = {
    "exactly_one": ("existence",),
    "init": ("existence",),
    "end": ("existence",),
    "coexistence": ("responded_existence",),
    "response": ("responded_existence",),
    "precedence": (),
    "succession": ("coexistence", "response", "precedence"),
    "altresponse": ("response",),
    "altprecedence": ("precedence",),
    "altsuccession": ("succession", "altresponse", "altprecedence"),
    "chainresponse": ("altresponse",),
    "chainprecedence": ("altprecedence",),
    "chainsuccession": ("altsuccession", "chainresponse", "chainprecedence"),
}
"""What a template implies of the same activities at once."""
Report = Callable[[str, int, int], None]
"""Is told what is done, how much of it, of how much."""
Trace = tuple[tuple[str, ...], tuple[int, ...]]
"""The activities of an object, and when they occurred in ms, in the order of the log."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A template on activities: ``support`` is how many traces oblige it, ``confidence`` how many of them hold it."""

    template: str
    a: str
    b: str
    support: int
    confidence: int


@dataclass(slots=True)
class Counts:
    """What is counted over the traces of a log."""

    traces: int = 0
    having: Counter[str] = field(default_factory=Counter)
    """Activity -> traces in which it occurs."""
    holding: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """(template, a, b) -> traces in which both occur and the template holds; ``b`` is empty for unary ones."""

    def add(self, trace: Sequence[str], times: int) -> None:
        """Count a trace that occurs so many times."""
        self.traces += times
        for activity in dict.fromkeys(trace):
            self.having[activity] += times
        held = set(_held(trace))
        for both, (left, right) in _BOTH.items():
            held |= {(both, a, b) for template, a, b in held if template == left and (right, a, b) in held}
        for key in held:
            self.holding[key] += times

    def candidate(self, template: str, a: str, b: str) -> Candidate:
        """Return what was counted of a template on activities."""
        if template in UNARY:
            held = self.traces - self.having[a] if template == "absence" else self.holding[template, a, b]
            return Candidate(template, a, b, self.traces, held)
        if template == "noncoexistence":
            both = self.holding["coexistence", a, b]
            either = self.having[a] + self.having[b] - both
            return Candidate(template, a, b, either, either - both)
        held = self.holding[template, a, b]
        if template in _BOTH or template == "coexistence":
            return Candidate(template, a, b, self.having[a] + self.having[b] - self.holding["coexistence", a, b], held)
        return Candidate(template, a, b, self.having[b if template in PRECEDING else a], held)

    def candidates(self, templates: Iterable[str]) -> Iterator[Candidate]:
        """Yield what was counted of every template on every activity and pair of activities."""
        activities = sorted(self.having)
        for template in templates:
            for a in activities:
                for b in ("",) if template in UNARY else activities:
                    if a != b and not (template in ("coexistence", "noncoexistence") and a > b):
                        yield self.candidate(template, a, b)


def _held(trace: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Yield the templates that a trace holds, but for those that say what does not happen."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, activity in enumerate(trace):
        places[activity].append(place)
    if trace:
        yield "init", trace[0], ""
        yield "end", trace[-1], ""
    for a, at in places.items():
        yield "existence", a, ""
        if len(at) == 1:
            yield "exactly_one", a, ""
        followed = _after(trace, at)
        preceded = _after(trace[::-1], [len(trace) - 1 - place for place in reversed(at)])
        following = {trace[place + 1] if place + 1 < len(trace) else "" for place in at}
        before = {trace[place - 1] if place else "" for place in at}
        for b, their in places.items():
            if a != b:
                yield "responded_existence", a, b
                yield "coexistence", a, b
                held = {
                    "response": at[-1] < their[-1],
                    "altresponse": b in followed,
                    "chainresponse": following == {b},
                }
                yield from ((name, a, b) for name, holds in held.items() if holds)
                held = {
                    "precedence": their[0] < at[0],
                    "altprecedence": b in preceded,
                    "chainprecedence": before == {b},
                }
                yield from ((name, b, a) for name, holds in held.items() if holds)


def _after(trace: Sequence[str], at: Sequence[int]) -> set[str]:
    """Return the activities that come after each of some places and before the next one."""
    found: set[str] | None = None
    for place, end in zip(at, (*at[1:], len(trace)), strict=True):
        between = set(trace[place + 1 : end])
        found = between if found is None else found & between
        if not found:
            break
    return found or set()


def traces_of(
    items: Sequence[Mapping[str, Any]], object_type: str, zone_minutes: int | None, report: Report
) -> dict[str, Trace]:
    """Return the traces of the objects of a type, by object, in the order in which they begin."""
    found: dict[str, tuple[list[str], list[int]]] = {}
    for place, item in enumerate(items):
        if place % 10_000 == 0:
            report("reading traces", place, len(items))
        if "event" not in item:
            continue
        for kind, name in objects_of(item):
            if kind == object_type:
                activities, times = found.setdefault(name, ([], []))
                activities.append(item["type"])
                times.append(time_ms(item["time"], zone_minutes) or 0)
    report("reading traces", len(items), len(items))
    return {name: (tuple(activities), tuple(times)) for name, (activities, times) in found.items()}


def count(traces: Mapping[str, Trace], report: Report) -> Counts:
    """Count the templates over the distinct traces."""
    counts, variants = Counts(), Counter(activities for activities, _ in traces.values())
    for place, (variant, times) in enumerate(variants.items()):
        if place % 50 == 0:
            report("counting templates", place, len(variants))
        counts.add(variant, times)
    report("counting templates", len(variants), len(variants))
    return counts


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a log. ``sigma``: windows are the mean plus this many standard deviations; None: no windows."""

    templates: tuple[str, ...] = DEFAULT_TEMPLATES
    support: Fraction = Fraction(1, 10)
    confidence: Fraction = Fraction(19, 20)
    sigma: Fraction | None = Fraction(3)
    limit: int = 50
    weaker: bool = False


def selected(counts: Counts, wanted: Wanted) -> list[Candidate]:
    """Return the candidates that reach the thresholds, the surest first, then the ones most often obliged.

    Unless ``weaker``, one that another implies is left out, if it is no surer.
    """
    found = [
        each
        for each in counts.candidates(wanted.templates)
        if each.support
        and each.support >= wanted.support * counts.traces
        and each.confidence >= wanted.confidence * each.support
    ]
    if not wanted.weaker:
        surest: dict[tuple[str, str, str], Fraction] = {}
        for each in found:
            for key in _implied(each.template, each.a, each.b):
                surest[key] = max(surest.get(key, Fraction(0)), Fraction(each.confidence, each.support))
        found = [
            each
            for each in found
            if surest.get((each.template, each.a, each.b), Fraction(0)) < Fraction(each.confidence, each.support)
        ]
    place = {template: index for index, template in enumerate(TEMPLATES)}
    return sorted(
        found,
        key=lambda each: (
            -Fraction(each.confidence, each.support),
            -each.support,
            -place[each.template],
            each.a,
            each.b,
        ),
    )


def _implied(template: str, a: str, b: str) -> set[tuple[str, str, str]]:
    """Return what holds wherever a template does."""
    found = set()
    for weaker in _WEAKER.get(template, ()):
        found |= {(weaker, a, b), *_implied(weaker, a, b)}
    if template in ("precedence", "coexistence"):
        found.add(("responded_existence", b, a))
    if template == "succession":  # of the two ways to name a coexistence one is counted
        found |= {("coexistence", b, a), ("responded_existence", b, a)}
    return found


Profile = dict[tuple[str, str], tuple[int, int, int]]
"""(a, b) -> of each ``a`` with each later ``b`` of its object: how many, the ms between in all, and their squares."""


def profile(traces: Mapping[str, Trace], pairs: Iterable[tuple[str, str]], report: Report) -> Profile:
    """Return the temporal profile of pairs of activities."""
    before: dict[str, list[str]] = defaultdict(list)
    for a, b in dict.fromkeys(pairs):
        before[b].append(a)
    found: Profile = {}
    for place, (activities, times) in enumerate(traces.values()):
        if place % 1_000 == 0:
            report("measuring times", place, len(traces))
        seen: dict[str, tuple[int, int, int]] = {}
        for b, ms in zip(activities, times, strict=True):
            for a in before.get(b, ()):
                if a in seen:
                    count, total, squares = seen[a]
                    known, spans, squared = found.get((a, b), (0, 0, 0))
                    found[a, b] = (
                        known + count,
                        spans + count * ms - total,
                        squared + count * ms * ms - 2 * ms * total + squares,
                    )
            count, total, squares = seen.get(b, (0, 0, 0))
            seen[b] = (count + 1, total + ms, squares + ms * ms)
    report("measuring times", len(traces), len(traces))
    return found


def window_ms(count: int, total: int, squares: int, sigma: Fraction) -> int | None:
    """Return the mean plus this many standard deviations of a profile's entry, rounded up to a time that reads well.

    None if that is longer than a window may be.
    """
    spread = -((total * total - count * squares) // (count * (count - 1))) if count > 1 else 0
    deviation = isqrt(spread - 1) + 1 if spread else 0
    exact = -(-total // count) + ceil(sigma * deviation)
    unit = 3_600_000 if exact > 172_800_000 else 60_000 if exact > 7_200_000 else 1_000
    rounded = max(1, -(-exact // unit)) * unit
    return rounded if rounded <= MAX_WINDOW_MS else None
