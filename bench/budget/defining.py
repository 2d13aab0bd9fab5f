"""Cases of definitions, rules and ballots on rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from bench.budget.scene import Result, Scene, time_case
from bench.rules import TYPES

ADMITTED: Final = "e.attributes.amount >= 0"


def defining() -> Iterator[Result]:
    """Types, rules and ballots."""
    scene = Scene()
    types = {
        f"event type {n}": {"attributes": {f"attribute {k}": {"type": "integer", "required": True} for k in range(8)}}
        for n in range(500)
    }
    yield time_case(
        "a definition of 4,000 attributes",
        scene,
        scene.chain.signed("bank-a", "process.define_type", {**scene.definition(1, types), "id": "large"}),
    )
    wrong = scene.chain.signed("enterprise-a", "process.define_type", scene.definition(7, types))
    yield time_case("the same, refused to a stranger", scene, wrong, expected="forbidden")
    term = " && ".join(f"e.attributes.amount != {n}" for n in range(120))
    long = [scene.rule(f"G{n}", "guard", on=[TYPES[0]], **{"assert": term}) for n in range(4)]
    yield time_case(
        "four guards of 4,000 characters proposed",
        scene,
        scene.chain.signed("bank-a", "supervision.propose_rules", {"rules": long}),
        expected="limit",
    )
    deep = "(" * 30 + ADMITTED + ")" * 30
    rules_deep = [scene.rule(f"G{n}", "guard", on=[TYPES[0]], **{"assert": deep}) for n in range(60)]
    yield time_case(
        "sixty guards of thirty parentheses proposed",
        scene,
        scene.chain.signed("bank-a", "supervision.propose_rules", {"rules": rules_deep}),
        expected="limit",
    )
    for name, text, outcome in (
        ("sums", "1" + "+1" * 1_900 + " > 0", "invalid_rule"),
        ("selections", "e" + ".attributes" + ".amount == 1 || e.id" * 180 + " == ''", "invalid_rule"),
        ("negations", "!" * 30 + "true" + (" && " + "!" * 30 + "true") * 100, "limit"),
        ("lists", "[" + "[],{}," * 600 + "1] == []", "invalid_rule"),
        ("texts", "'" + "x" * 4_000 + "' == ''", "ok"),
        ("calls", "size('')+" * 400 + "1 > 0", "invalid_rule"),
        ("walks", " || ".join("e.objects.all(x,x.id=='')" for _ in range(14)), "ok"),
    ):
        proposed = [scene.rule("G", "guard", on=[TYPES[0]], **{"assert": text})]
        yield time_case(
            f"a guard of {len(text):,} characters, {name}",
            scene,
            scene.chain.signed("bank-a", "supervision.propose_rules", {"rules": proposed}),
            expected=outcome,
        )
    plain = [
        scene.rule(f"P{n}", "declare", template="response", a=TYPES[n % 9], b=TYPES[n % 9 + 1]) for n in range(300)
    ]
    yield time_case(
        "300 templates proposed", scene, scene.chain.signed("bank-a", "supervision.propose_rules", {"rules": plain})
    )
    schema = {
        "type": "object",
        "properties": {
            f"p{n}": {"type": "string", "maxLength": n + 1, "enum": [f"v{k}" for k in range(20)]} for n in range(40)
        },
    }
    shapes = [scene.rule(f"S{n}", "shape", on=[TYPES[0]], schema=schema) for n in range(4)]
    yield time_case(
        "four large schemas proposed",
        scene,
        scene.chain.signed("bank-a", "supervision.propose_rules", {"rules": shapes}),
    )
    tests = [
        {"events": [{"type": TYPES[0], "attributes": {"amount": n}} for n in range(100)], "verdict": "pending"}
    ] * 10
    tested = [scene.rule("G", "guard", on=[TYPES[0]], tests=tests, **{"assert": ADMITTED})]
    yield time_case(
        "a rule with tests of 1,000 events proposed",
        scene,
        scene.chain.signed("bank-a", "supervision.propose_rules", {"rules": tested}),
    )
    yield from _deciding(scene, long, plain)


def _deciding(scene: Scene, long: list[dict[str, Any]], plain: list[dict[str, Any]]) -> Iterator[Result]:
    for name, found in (("two long guards", long[:2]), ("300 templates", plain)):
        ballot = scene.must("bank-a", "supervision.propose_rules", {"rules": found}).data["ballot"]
        for member in ("regulator", "central-bank"):
            scene.must(member, "supervision.vote", {"ballot": ballot, "choice": "yes"})
        vote = scene.chain.signed("bank-a", "supervision.vote", {"ballot": ballot, "choice": "yes"})
        yield time_case(f"the deciding vote on {name}", scene, vote)
        scene.commit(vote)
    attributes = {"amount": "integer", "by": "string", "note": "string", "at": "time", "more": "integer"}
    wider = {kind: {"attributes": attributes} for kind in TYPES}
    yield time_case(
        "a new version of a type under 304 rules",
        scene,
        scene.chain.signed("bank-a", "process.define_type", scene.definition(2, wider)),
    )
    ended = {"process_type": "bench", "rules": [rule["id"] for rule in plain], "reason": "r"}
    ballot = scene.must("bank-a", "supervision.propose_retirement", ended).data["ballot"]
    for member in ("regulator", "central-bank"):
        scene.must(member, "supervision.vote", {"ballot": ballot, "choice": "yes"})
    vote = scene.chain.signed("bank-a", "supervision.vote", {"ballot": ballot, "choice": "yes"})
    yield time_case("the deciding vote on retiring 300 rules", scene, vote)
