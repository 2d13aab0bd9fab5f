"""Cases of judging again: corrections and disputes with the whole history of an object."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bench.budget.scene import Result, Scene, time_case
from bench.rules import TYPES, rules
from coseal.contracts.process.chain import item_hash
from coseal.contracts.process.corrections import shown_history
from coseal.contracts.rules.rule import DISPUTED, ON_SOURCES


def correcting() -> Iterator[Result]:
    """Corrections and disputes with the whole history of an object, under rules that all look at it.

    The steps of the first ones are those of docs/decisions/0031-corrections-are-judged-again.md.
    """
    for items, rule_count in ((10, 10), (100, 100), (1_000, 10), (1_000, 100), (800, 10), (400, 100)):
        scene, recorded = _history(items, rules(rule_count))
        corrected = recorded[0][4]
        fixed = {**corrected, "type": TYPES[5], "corrects": [1, item_hash("bank-a/log", 1, corrected).hex()]}
        args = {"source": "log", "sequence": items + 1, "items": [fixed], "corrected": [corrected]}
        shown = {"history": shown_history({("case", "c"): recorded})}
        signed = scene.chain.signed("bank-a", "process.record", {**args, **shown})
        size_kb = len(signed.raw) // 1_000
        yield time_case(f"a correction: {items} items, {rule_count} rules, {size_kb} KB", scene, signed)
    for items, rule_count in ((800, 10), (400, 100)):
        ways = [
            rule if rule["kind"] in ON_SOURCES else {**rule, "disputed": DISPUTED[n % 3]}
            for n, rule in enumerate(rules(rule_count))
        ]
        scene, recorded = _history(items, ways, counterparty="central-bank")
        disputed = recorded[items // 2]
        args = {"item": item_hash("bank-a/log", disputed[1], disputed[4]).hex(), "attested": disputed[4]}
        args |= {"verdict": "dispute", "reason": "It was less"}
        shown = {"history": shown_history({("case", "c"): recorded})}
        signed = scene.chain.signed("central-bank", "process.attest", {**args, **shown})
        yield time_case(f"a dispute: {items} items, {rule_count} rules", scene, signed)


def _history(items: int, judging: Sequence[dict[str, Any]], **fields: Any) -> tuple[Scene, list[Any]]:
    """Return a scene in which ``items`` items of one object were recorded under rules, and these items."""
    scene, recorded = Scene(late_ms=86_400_000), list[Any]()
    scene.adopt(*judging)
    for first in range(0, items, 100):
        many = range(first, min(items, first + 100))
        batch = [{**scene.event(n, TYPES[n % 10], ["c"]), **fields} for n in many]
        scene.must("bank-a", "process.record", {"source": "log", "sequence": first + 1, "items": batch})
        where = (scene.chain.executor.height, scene.chain.executor.time_ms)
        recorded += [("bank-a/log", first + 1 + n, *where, item) for n, item in enumerate(batch)]
    return scene, recorded
