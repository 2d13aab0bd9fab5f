"""Cases of what is due at the start of a block."""

from __future__ import annotations

from collections.abc import Iterator

from bench.budget.scene import DAY_MS, Result, Scene, time_case
from bench.rules import TYPES


def due() -> Iterator[Result]:
    """What is due at the start of a block."""
    scene = Scene()
    scene.adopt(scene.rule("R", "declare", template="response", a=TYPES[0], b=TYPES[1], within_ms=10_000))
    scene.recorded([scene.event(n, TYPES[0], [f"c{n}"]) for n in range(800)])
    scene.recorded([scene.event(5_000, TYPES[2], ["d"], at_ms=DAY_MS)])
    yield time_case("800 windows of objects that ended", scene)
    scene = Scene()
    scene.adopt(
        *(
            scene.rule(
                f"R{n}",
                "declare",
                template="response",
                a=TYPES[0],
                b=TYPES[1],
                within_ms=10_000 + n,
                correlation="a.attributes.amount == t.attributes.amount",
            )
            for n in range(20)
        )
    )
    scene.recorded([scene.event(n, TYPES[0], ["c"]) for n in range(64)])
    scene.recorded([scene.event(5_000, TYPES[2], ["d"], at_ms=DAY_MS)])
    yield time_case("1,280 windows of one object that ended", scene)
    scene = Scene()
    fields = {"template": "response", "a": TYPES[0], "b": TYPES[1]}
    scene.adopt(*(scene.rule(f"R{n}", "declare", within_ms=10_000 + n, **fields) for n in range(300)))
    scene.recorded([scene.event(1, TYPES[0], ["c"])])
    scene.recorded([scene.event(5_000, TYPES[2], ["d"], at_ms=DAY_MS)])
    yield time_case("300 windows of one object that ended, one a rule", scene)
    scene = Scene()
    found = [
        scene.rule(f"P{n}", "declare", template="response", a=TYPES[n % 9], b=TYPES[n % 9 + 1]) for n in range(300)
    ]
    scene.must("bank-a", "supervision.propose_rules", {"rules": found, "open_ms": 60_000})
    yield time_case("a ballot on 300 rules that expires", scene, after_ms=61_000)
    scene = Scene()
    ballot = scene.must("bank-a", "supervision.propose_rules", {"rules": found, "trial_ms": 60_000}).data["ballot"]
    for member in ("regulator", "central-bank", "bank-a"):
        second = scene.must(member, "supervision.vote", {"ballot": ballot, "choice": "yes"})
    for member in ("regulator", "central-bank", "bank-a"):
        scene.must(member, "supervision.vote", {"ballot": second.data["effects"][-1]["ballot"], "choice": "yes"})
    yield time_case("300 rules adopted when their trial ends", scene, after_ms=61_000)
