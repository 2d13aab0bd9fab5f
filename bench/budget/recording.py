"""Cases of the process contract: batches without rules, definitions of types."""

from __future__ import annotations

from collections.abc import Iterator

from bench.budget.scene import Result, Scene, time_case
from bench.rules import TYPES


def recording() -> Iterator[Result]:
    """Batches without rules."""
    scene = Scene()
    yield time_case(
        "1,000 events of one object each",
        scene,
        scene.record([scene.event(n, TYPES[n % 10], [f"c{n}"]) for n in range(1_000)]),
    )
    yield time_case(
        "1,000 events of one object in all",
        scene,
        scene.record([scene.event(n, TYPES[n % 10], ["c"]) for n in range(1_000)]),
    )
    many = [f"{n:x}" for n in range(256)]
    yield time_case(
        "40 events of 256 objects", scene, scene.record([scene.event(n, TYPES[0], many) for n in range(40)])
    )
    new = [scene.event(n, TYPES[0], [f"{n}.{k}" for k in range(256)]) for n in range(30)]
    yield time_case("30 events of 256 new objects each", scene, scene.record(new))
    values = [["limit", "0", n] for n in range(128)]
    items = [{"object": f"c{n}", "type": "case", "attributes": values} for n in range(60)]
    yield time_case("60 declarations of 128 values", scene, scene.record(items))
    items = [{"relation": ["case", f"a{n}"], "to": ["case", f"b{n}"]} for n in range(1_000)]
    yield time_case("1,000 relations", scene, scene.record(items))
    items = [scene.event(n, TYPES[0], ["c"], note="x" * 4_000) for n in range(60)]
    yield time_case("60 events with texts of 4,000 characters", scene, scene.record(items))
    items = [{**scene.event(n, TYPES[0], ["c"]), "evidence": [f"{k:064x}" for k in range(16)]} for n in range(180)]
    yield time_case("180 events with 16 digests of evidence", scene, scene.record(items))
