"""Cases of standards: proposed, used, reviewed, lapsing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.budget.scene import Result, Scene, time_case
from bench.rules import TYPES
from bench.standards import populate
from coseal.contracts.process.state import type_key
from coseal.contracts.standards.life import LAPSE_MS
from coseal.ledger.render import time_text


def competing() -> Iterator[Result]:
    """Standards: proposed, used, reviewed, lapsing."""
    scene = Scene()
    named = {"standard": "areas", "version": 1, "domain": "areas", "title": "Areas", "patents": []}
    areas = {"areas": [f"area {number} " + "x" * 100 for number in range(1_024)]}
    args = {**named, "kind": "area_list", "content": areas}
    yield time_case("a standard of 1,024 areas", scene, scene.chain.signed("bank-a", "standards.propose", args))
    definition: Any = scene.chain.executor.get(type_key("bench"))
    content = {"process_type": "bench", "definition": definition["definition"]}
    used = {**named, "standard": "events", "kind": "process_type", "content": content}
    scene.must("bank-a", "standards.propose", used)
    scene.must("bank-a", "standards.adopt", {"standard": "events", "version": 1})
    scene.must("bank-a", "process.register_source", {"id": "live", "process_type": "bench", "mode": "live"})
    event = {"event": "e", "type": TYPES[0], "time": time_text(scene.chain.executor.time_ms), "late": "It was typed in"}
    batch = {"source": "live", "sequence": 1, "items": [event]}
    yield time_case("one event under a standard", scene, scene.chain.signed("bank-a", "process.record", batch))
    for standards, adopters in ((64, 64), (320, 10), (320, 1)):
        scene = Scene()
        due_ms = populate(scene.chain.executor, standards, adopters, 320)
        name = f"reviews of {standards} standards with {adopters} adopters"
        yield time_case(name, scene, after_ms=due_ms - scene.chain.executor.time_ms)
    scene = Scene()
    for number in range(48):
        one = {**named, "standard": f"s{number}", "kind": "area_list", "content": {"areas": ["Lending"]}}
        scene.must(("bank-a", "regulator", "central-bank")[number % 3], "standards.propose", one)
    yield time_case("48 standards that lapse", scene, after_ms=LAPSE_MS + 1)
