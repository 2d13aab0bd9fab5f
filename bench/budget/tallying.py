"""Cases of tallies: events that add to sixteen sums, guards that read them, corrections that take them out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from bench.budget.scene import Result, Scene, time_case
from bench.rules import TYPES
from coseal.contracts.process.chain import item_hash
from coseal.contracts.process.matching import FIGURES, QUANTITIES

TALLIES: Final = 16


def declared() -> dict[str, Any]:
    """Return sixteen tallies of cases, to all of which each event of the first type adds, and how they are matched."""
    names = [*FIGURES, *(f"further{number}" for number in range(TALLIES - len(FIGURES)))]
    tallies = {
        name: [{"on": TYPES[0], "add": "amount", "scale": 2 if name in FIGURES and name not in QUANTITIES else 0}]
        for name in names
    }
    return {"tallies": {"case": tallies}, "match": {"case": {"unit": "by", "currency": "by"}}}


def scene() -> Scene:
    """Return a chain whose process type has them."""
    return Scene(**declared())


def tallying() -> Iterator[Result]:
    """Batches of what is tallied."""
    one = scene()
    items = [one.event(n, TYPES[0], [f"c{n}"], by="KGM") for n in range(800)]
    yield time_case("800 events of sixteen tallies, an object each", one, one.record(items))
    items = [one.event(n, TYPES[0], ["c"], by="KGM") for n in range(800)]
    yield time_case("800 events of sixteen tallies, one object", one, one.record(items))
    many = [f"{n:x}" for n in range(256)]
    items = [one.event(n, TYPES[0], many, by="KGM") for n in range(5)]
    yield time_case("5 events of sixteen tallies, 256 objects", one, one.record(items))
    judged = scene()
    guard = "o.match.verdict == 'matched' && o.tally.ordered >= 0 && o.tally_of.received['bank-a'] >= 0"
    guards = (judged.rule(f"T{n}", "guard", on=[TYPES[0]], effect="notify", **{"assert": guard}) for n in range(10))
    judged.adopt(*(judged.rule("T", "guard", on=[TYPES[0]], effect="notify", **{"assert": guard}), *guards))
    items = [judged.event(n, TYPES[0], [f"c{n}"], by="KGM") for n in range(200)]
    yield time_case("200 events under guards that read tallies", judged, judged.record(items))
    corrected = scene()
    first = [corrected.event(n, TYPES[0], [f"c{n % 40}"], by="KGM") for n in range(300)]
    corrected.recorded(first)
    items = [
        {**corrected.event(n, TYPES[0], [f"c{n % 40}"], by="KGM"), "corrects": [n + 1, _hash(n + 1, item)]}
        for n, item in enumerate(first)
    ]
    yield time_case("300 corrections of what was tallied", corrected, corrected.record(items, corrected=first))


def _hash(sequence: int, item: dict[str, Any]) -> str:
    return item_hash("bank-a/log", sequence, item).hex()
