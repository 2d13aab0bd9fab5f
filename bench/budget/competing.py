"""Cases of standards: proposed, used, reviewed, lapsing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.budget.scene import DAY_MS, Result, Scene, time_case
from bench.rules import TYPES, rules
from bench.standards import populate
from coseal.contracts.process.state import type_key
from coseal.contracts.standards.life import LAPSE_MS
from coseal.ledger.render import time_text
from coseal.ledger.transaction import Transaction


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
    yield from _judging()
    scene = Scene()
    for number in range(48):
        one = {**named, "standard": f"s{number}", "kind": "area_list", "content": {"areas": ["Lending"]}}
        scene.must(("bank-a", "regulator", "central-bank")[number % 3], "standards.propose", one)
    yield time_case("48 standards that lapse", scene, after_ms=LAPSE_MS + 1)


def _adopted(*sets: list[dict[str, Any]], **definition: Any) -> Scene:
    """Return a scene in which bank-a has rule sets of its own, and records them by a live source."""
    scene = Scene(**definition)
    scene.must("bank-a", "process.register_source", {"id": "live", "process_type": "bench", "mode": "live"})
    scene.must("bank-a", "standards.classify", {"process_type": "bench", "domain": "bench"})
    for number, found in enumerate(sets):
        named = {"standard": f"set-{number}", "version": 1}
        args = {**named, "kind": "rule_set", "domain": "bench", "title": "Set", "content": {"rules": found}}
        scene.must("bank-a", "standards.propose", args)
        scene.must("bank-a", "standards.adopt", named)
    return scene


def _live(scene: Scene, items: list[dict[str, Any]]) -> Transaction:
    """Return a batch of events of now."""
    now = {"time": time_text(scene.chain.executor.time_ms), "late": "It was typed in"}
    args = {"source": "live", "sequence": 1, "items": [{**item, **now} for item in items]}
    return scene.chain.signed("bank-a", "process.record", args)


def _judging() -> Iterator[Result]:
    """Own rule sets: as many and as costly as a member may have."""
    usual = [rules(16)[number::4] for number in range(4)]
    scene = _adopted(*usual, late_ms=DAY_MS)
    items = [scene.event(n, TYPES[n % 10], [f"c{n}"]) for n in range(400)]
    yield time_case("400 events under four own sets of 16 rules", scene, _live(scene, items))
    yield time_case("one event under four own sets, compiled", scene, _live(scene, items[:1]), compiles=True)
    attributes = {"amount": "integer", "by": "string", "note": "string", "at": "time", "more": "integer"}
    scene.define(2, {kind: {"attributes": attributes} for kind in TYPES}, late_ms=DAY_MS)
    yield time_case("the same under a new version of the type", scene, _live(scene, items[:1]), compiles=True)
    body = {"template": "response", "a": TYPES[0], "b": TYPES[1]}
    plain = [Scene.rule(f"R{n}", "declare", within_ms=10_000 + n, **body) for n in range(32)]
    windows = [plain[number::8] for number in range(8)]
    scene = _adopted(*windows, late_ms=0)
    named = {"standard": "more", "version": 1}
    args = {**named, "kind": "rule_set", "domain": "bench", "title": "Set", "content": {"rules": rules(16)}}
    yield time_case("a rule set of 16 rules proposed", scene, scene.chain.signed("bank-a", "standards.propose", args))
    scene.commit(_live(scene, [scene.event(n, TYPES[0], [f"c{n}"]) for n in range(40)]))
    yield time_case("32 windows of each of 40 objects that ended, of own sets", scene, after_ms=DAY_MS, compiles=True)
    kept = [{**one, "correlation": "a.attributes.amount == t.attributes.amount"} for one in plain[:8]]
    scene = _adopted(*([one] for one in kept), late_ms=0)
    scene.commit(_live(scene, [scene.event(n, TYPES[0], ["c"]) for n in range(64)]))
    yield time_case("512 windows of one object that ended, of own sets", scene, after_ms=DAY_MS, compiles=True)
    adopt = scene.chain.signed("central-bank", "standards.adopt", {"standard": "set-0", "version": 1})
    yield time_case("an own rule set adopted", scene, adopt, compiles=True)
