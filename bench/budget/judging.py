"""Cases of judging: batches under rules, and over related objects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from bench.budget.scene import DAY_MS, Result, Scene, time_case
from bench.rules import TYPES, rules
from coseal.contracts.process.chain import item_hash

WALK: Final = (
    "e.objects.all(x, x.id != 'zz' && x.type != 'yy' && x.qualifier != 'q' && x.id != x.type && x.id != x.qualifier "
    "&& size(x.id) < 200)"
)


def judging() -> Iterator[Result]:
    """Batches under rules."""
    for count in (10, 100):
        scene = Scene()
        scene.adopt(*rules(count))
        items = [scene.event(n, TYPES[n % 10], [f"c{n}"]) for n in range(400)]
        yield time_case(f"400 events under {count} rules", scene, scene.record(items))
    scene = Scene()
    scene.adopt(*(scene.rule(f"W{n}", "guard", on=[TYPES[0]], **{"assert": WALK}) for n in range(10)))
    many = [f"{n:x}" for n in range(256)]
    yield time_case(
        "4 events of 256 objects, ten walks", scene, scene.record([scene.event(n, TYPES[0], many) for n in range(4)])
    )
    scene = Scene()
    walk = WALK.replace("size(x.id) < 200", "o.count < 100000")
    scene.adopt(scene.rule("W", "guard", on=[TYPES[0]], **{"assert": walk}))
    some = [f"{n:x}" for n in range(100)]
    yield time_case(
        "4 events of 100 objects, a walk that reads o",
        scene,
        scene.record([scene.event(n, TYPES[0], some) for n in range(4)]),
        expected="too_costly",
    )
    scene = Scene()
    text = "e.attributes.note.contains('y') || e.attributes.by + e.attributes.note < 'z'"
    scene.adopt(*(scene.rule(f"T{n}", "guard", on=[TYPES[0]], **{"assert": text}) for n in range(20)))
    items = [scene.event(n, TYPES[0], ["c"], note="x" * 4_000) for n in range(60)]
    yield time_case("60 events with long texts, twenty searches", scene, scene.record(items))
    items = [scene.event(n, TYPES[0], ["c"], note="x") for n in range(900)]
    yield time_case("900 events with short texts, twenty searches", scene, scene.record(items))
    scene = Scene()
    time_guard = "timestamp(e.attributes.by) > e.time || int(e.attributes.by) > 3 || string(e.time) == 'x'"
    scene.adopt(*(scene.rule(f"P{n}", "guard", on=[TYPES[0]], **{"assert": time_guard}) for n in range(20)))
    yield time_case(
        "200 events under twenty guards that read",
        scene,
        scene.record([scene.event(n, TYPES[0], ["c"]) for n in range(200)]),
        expected="too_costly",
    )
    scene = Scene()
    compared = "compare(e.attributes.by, e.attributes.note) == 0 || decimal(e.attributes.note, 2, 'half_even') == 0"
    scene.adopt(
        *(scene.rule(f"N{n}", "guard", on=[TYPES[0]], effect="notify", **{"assert": compared}) for n in range(20))
    )
    close: dict[str, Any] = {"by": "1" * 62 + "e9", "note": "1" * 61 + "2e9"}
    yield time_case(
        "50 events under twenty guards that compare and round decimals",
        scene,
        scene.record([scene.event(n, TYPES[0], ["c"], **close) for n in range(50)]),
    )
    scene = Scene()
    scene.adopt(
        *(
            scene.rule(f"L{n}", "guard", on=[TYPES[0]], effect="notify", **{"assert": "e.attributes.amount < 0"})
            for n in range(10)
        )
    )
    yield time_case(
        "100 events with ten findings each",
        scene,
        scene.record([scene.event(n, TYPES[0], [f"c{n}"]) for n in range(100)]),
    )
    scene = Scene()
    shape = {
        "type": "object",
        "required": ["amount", "by"],
        "properties": {"amount": {"type": "integer", "minimum": 0}, "by": {"type": "string", "maxLength": 64}},
    }
    scene.adopt(*(scene.rule(f"S{n}", "shape", on=[TYPES[0]], schema=shape) for n in range(20)))
    yield time_case(
        "500 events under twenty shapes", scene, scene.record([scene.event(n, TYPES[0], [f"c{n}"]) for n in range(500)])
    )
    yield from _keeping()
    yield from _many_sets()


def _keeping() -> Iterator[Result]:
    correlation = "a.attributes.amount == t.attributes.amount && a.attributes.by != t.attributes.note"
    scene = Scene()
    scene.adopt(
        *(
            scene.rule(f"K{n}", "declare", template="response", a=TYPES[0], b=TYPES[1], correlation=correlation)
            for n in range(20)
        )
    )
    scene.recorded([scene.event(n, TYPES[0], ["c"], note="x" * 300) for n in range(64)])
    items = [scene.event(1_000 + n, TYPES[1], ["c"], note="y" * 300) for n in range(10)]
    yield time_case("10 events, each compared with 64 kept by twenty rules", scene, scene.record(items))
    scene = Scene()
    correlation = "size(a.objects) > 99 || a.attributes.amount == t.attributes.amount"
    scene.adopt(scene.rule("K", "declare", template="response", a=TYPES[0], b=TYPES[1], correlation=correlation))
    scene.recorded([scene.event(n, TYPES[0], ["c", *(f"party {k}" for k in range(20))]) for n in range(64)])
    items = [scene.event(1_000 + n, TYPES[1], ["c"]) for n in range(20)]
    yield time_case("20 events, each compared with 64 kept that have 21 objects", scene, scene.record(items))
    scene = Scene()
    scene.adopt(
        *(
            scene.rule(
                f"A{n}", "declare", template="altsuccession", a=TYPES[n % 5], b=TYPES[5 + n % 5], within_ms=DAY_MS
            )
            for n in range(20)
        )
    )
    yield time_case(
        "500 events under twenty windows",
        scene,
        scene.record([scene.event(n, TYPES[n % 10], [f"c{n}"]) for n in range(500)]),
    )
    scene = Scene()
    scene.adopt(
        *(
            scene.rule(f"D{n}", "segregation", a=TYPES[n % 9], b=TYPES[n % 9 + 1], by="attributes.note")
            for n in range(40)
        )
    )
    scene.recorded([scene.event(n, TYPES[n % 10], ["c"], note=f"{n:05}" * 60) for n in range(300)])
    items = [scene.event(1_000 + n, TYPES[n % 10], ["c"], note=f"{n:05}" * 60) for n in range(100)]
    yield time_case("100 events under forty segregations, 30 actors a side", scene, scene.record(items))
    items = [scene.event(9_000, TYPES[0], ["c"], note="last")]
    yield time_case("one event on an object with much kept", scene, scene.record(items))


def related() -> Iterator[Result]:
    """Events that judge by sixty-four related objects."""
    parties, on = [f"party {n:02}" for n in range(64)], {"on": [TYPES[0]]}
    over = {"type": "party", "by": "relation"}
    had = {**on, "had": TYPES[1]}
    for name, form in {
        "each had an event": {**had, "over": over, "quantifier": "each"},
        "one event names all": {**had, "over": over, "quantifier": "all"},
        "a condition": {**on, "over": over, "quantifier": "each", "where": "r.id != o.id || size(r.id) > e.sequence"},
    }.items():
        scene = Scene()
        scene.adopt(*(scene.rule(f"R{n}", "related", **{**form, "on": [TYPES[0], TYPES[2 + n]]}) for n in range(6)))
        scene.recorded([{"relation": ["case", "c"], "to": ["party", party]} for party in parties])
        scene.recorded([scene.event(n, TYPES[1], parties) for n in range(17)])
        items = [scene.event(1_000 + n, TYPES[0], ["c"]) for n in range(8)]
        yield time_case(f"8 events under six rules over 64 objects: {name}", scene, scene.record(items))
    scene = Scene()
    named = {"over": {"type": "party", "by": "item"}, "quantifier": "each"}
    scene.adopt(*(scene.rule(f"R{n}", "related", **{**had, **named}) for n in range(6)))
    scene.recorded([scene.event(1, TYPES[1], parties)])
    items = [scene.event(1_000 + n, TYPES[0], [f"c{n}", *parties]) for n in range(4)]
    yield time_case("4 events that name 64 objects under six rules over them", scene, scene.record(items))
    scene.recorded([scene.event(2_000 + n, TYPES[0], [f"c{n}", parties[0]]) for n in range(64)])
    corrected = scene.event(1, TYPES[1], parties)
    fixed = {**corrected, "type": TYPES[3], "corrects": [1, item_hash("bank-a/log", 1, corrected).hex()]}
    args = {"source": "log", "sequence": scene.sequence, "items": [fixed], "corrected": [corrected]}
    transaction = scene.chain.signed("bank-a", "process.record", args)
    yield time_case("a correction by which 64 objects were judged under six rules", scene, transaction)


def _many_sets() -> Iterator[Result]:
    scene = Scene()
    for n in range(60):
        scene.adopt(scene.rule(f"M{n}", "guard", on=[TYPES[0]], **{"assert": f"o.count < {100_000 + n}"}))
    many = [f"{n:x}" for n in range(100)]
    yield time_case(
        "2 events of 100 objects under sixty sets",
        scene,
        scene.record([scene.event(n, TYPES[0], many) for n in range(2)]),
    )
    many_events = scene.record([scene.event(n, TYPES[0], [f"c{n}"]) for n in range(200)])
    yield time_case("200 events under sixty sets", scene, many_events, expected="too_costly")
    items = [{"object": f"c{n}", "type": "case", "attributes": [["limit", "0", n]]} for n in range(300)]
    yield time_case("300 declarations under sixty sets", scene, scene.record(items), expected="too_costly")
