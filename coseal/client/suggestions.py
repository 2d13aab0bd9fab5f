"""A rule file out of what a log suggests, each rule with the counts that speak for it.

Law: every rule passes the checks of a rule file, and its counts are those of the ledger's monitors on the log.

docs/spec/rules.md, section Discovering rules.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from hashlib import sha256
from typing import Any, Final

from coseal.client.discovery import (
    ORDERED,
    Candidate,
    Report,
    Wanted,
    count,
    profile,
    selected,
    traces_of,
    window_ms,
)
from coseal.contracts.kernel.wording import duration_text
from coseal.contracts.process.chain import objects_of
from coseal.contracts.process.types import normalised
from coseal.contracts.rules.rule import parse_rules
from coseal.contracts.rules.trial import try_rules
from coseal.contracts.rules.verdict import Verdict
from coseal.errors import BadAnswer
from coseal.formats.importers.log import Log

_TITLE_MAX: Final = 256
_TITLES: Final[Mapping[str, str]] = {
    "existence": "{a} occurs",
    "absence": "{a} does not occur",
    "exactly_one": "{a} occurs exactly once",
    "init": "{a} comes first",
    "end": "{a} comes last",
    "responded_existence": "With {a} there is {b}",
    "coexistence": "{a} and {b} occur both or neither",
    "noncoexistence": "{a} and {b} do not both occur",
    "response": "{a} is followed by {b}",
    "precedence": "{b} comes after {a}",
    "succession": "{a} is followed by {b}, which comes after {a} only",
    "altresponse": "{a} is followed by {b} before it comes again",
    "altprecedence": "Each {b} has an earlier {a} of its own",
    "altsuccession": "{a} and {b} alternate",
    "chainresponse": "{a} is followed at once by {b}",
    "chainprecedence": "{b} follows at once upon {a}",
    "chainsuccession": "{a} and {b} follow at once upon each other",
}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A rule that a log suggests; ``candidate`` counts it as it stands in the file, with its window if it has one."""

    rule: dict[str, Any]
    candidate: Candidate

    def to_json(self) -> dict[str, Any]:
        """Return the rule and its counts."""
        return {"rule": self.rule, "support": self.candidate.support, "confidence": self.candidate.confidence}


@dataclass(frozen=True, slots=True)
class Suggestions:
    """What a log suggests: ``found`` candidates reached the thresholds, of which the first are the suggestions."""

    object_type: str
    cases: int
    events: int
    found: int
    suggestions: tuple[Suggestion, ...]

    def rules(self) -> list[dict[str, Any]]:
        """Return the rule file."""
        return [suggestion.rule for suggestion in self.suggestions]


def suggest(
    log: Log, name: str, wanted: Wanted, report: Report, *, object_type: str | None = None, basis: str | None = None
) -> Suggestions:
    """Return the rules that a log, called ``name``, suggests for its objects of a type (of most objects if None).

    ``basis`` is the legal basis that the rules name.
    """
    object_type = object_type or _commonest(log)
    zone = log.source.get("zone_minutes")
    traces = traces_of(log.items, object_type, zone, report)
    if not traces:
        known = ", ".join(log.definition["object_types"])
        raise BadAnswer(f"no event names an object of type {object_type}", f"the log has {known}; see --object-type")
    chosen = selected(count(traces, report), wanted)
    kept = chosen[: wanted.limit]
    scope = {"process_type": log.definition["id"], "object_type": object_type}
    frame = _Frame(scope, basis or f"external: suggested by {name[:200]}", len(traces))
    suggestions = [Suggestion(frame.rule(each, None), each) for each in kept]
    if wanted.sigma is not None:
        pairs = [(each.a, each.b) for each in kept if each.template in ORDERED]
        measured = profile(traces, pairs, report)
        windows = {
            index: window_ms(*measured[each.a, each.b], wanted.sigma)
            for index, each in enumerate(kept)
            if each.template in ORDERED and (each.a, each.b) in measured
        }
        _add_windows(suggestions, windows, frame, log, wanted, report)
    suggestions.sort(key=lambda each: -Fraction(each.candidate.confidence, each.candidate.support))
    events = sum(len(times) for _, times in traces.values())
    return Suggestions(object_type, len(traces), events, len(chosen), tuple(suggestions))


def _commonest(log: Log) -> str:
    """Return the object type of which most objects have events; of several the first by name."""
    named = {name for item in log.items if "event" in item for name in objects_of(item)}
    if not named:
        raise BadAnswer("no event of the log names an object")
    found = Counter(kind for kind, _ in named)
    return min(found, key=lambda kind: (-found[kind], kind))


def _add_windows(
    suggestions: list[Suggestion],
    windows: Mapping[int, int | None],
    frame: _Frame,
    log: Log,
    wanted: Wanted,
    report: Report,
) -> None:
    """Give rules their windows, where the monitors say that with them enough cases hold."""
    tried = {index: within_ms for index, within_ms in windows.items() if within_ms is not None}
    rules = [frame.rule(suggestions[index].candidate, within_ms) for index, within_ms in tried.items()]
    for (index, within_ms), violating in zip(tried.items(), _broken(rules, log, report), strict=True):
        before = suggestions[index].candidate
        after = replace(before, confidence=before.support - violating)
        if after.confidence >= wanted.confidence * after.support:
            suggestions[index] = Suggestion(frame.rule(after, within_ms), after)


def _broken(rules: Sequence[Mapping[str, Any]], log: Log, report: Report) -> list[int]:
    """Return in how many cases each rule is broken at the end of the log."""
    if not rules:
        return []
    definition = normalised(log.definition)
    without_process = [{**rule, "scope": {"object_type": rule["scope"]["object_type"]}} for rule in rules]
    items = _reported(log.items, report)
    zone, source = log.source.get("zone_minutes"), f"log/{log.source['id']}"
    result = try_rules(parse_rules(without_process), items, definition, source=source, zone_minutes=zone)
    held = (Verdict.SATISFIED, Verdict.PENDING)
    return [sum(len(ids) for verdict, ids in row.cases.items() if verdict not in held) for row in result.rules]


def _reported(items: Sequence[Mapping[str, Any]], report: Report) -> Iterator[Mapping[str, Any]]:
    for place, item in enumerate(items):
        if place % 1_000 == 0:
            report("trying windows", place, len(items))
        yield item
    report("trying windows", len(items), len(items))


@dataclass(frozen=True, slots=True)
class _Frame:
    """What the rules of one file have in common; ``cases`` is how many the log has."""

    scope: Mapping[str, str]
    basis: str
    cases: int

    def rule(self, candidate: Candidate, within_ms: int | None) -> dict[str, Any]:
        """Return the rule that a candidate is, with a window if one is given."""
        template, a, b = candidate.template, candidate.a, candidate.b
        mark = sha256("\0".join((template, a, b)).encode("utf-8", "surrogatepass")).hexdigest()[:8]
        title = _TITLES[template].format(a=a, b=b)
        return {
            "id": f"D-{template}-{mark}",
            "version": 1,
            "title": _cut(title if within_ms is None else f"{title}, within {duration_text(within_ms)}"),
            "description": f"Suggested by a log: {candidate.support} of its {self.cases} cases oblige this rule, "
            f"{candidate.confidence} of them hold it.",
            "legal_basis": [self.basis],
            "severity": "notice",
            "effect": "flag",
            "scope": dict(self.scope),
            "kind": "declare",
            "template": template,
            "a": a,
            **({"b": b} if b else {}),
            **({} if within_ms is None else {"within_ms": within_ms}),
        }


def _cut(title: str) -> str:
    return title if len(title) <= _TITLE_MAX else title[: _TITLE_MAX - 3] + "..."
