"""What a step takes: ``python -m bench.budget``: every kind of work at its worst case, in steps of a fixed loop.

Law: a case is a transaction, or a block with something due, that the executor really executes; its time a step is
compared with that of the loop, timed right before and after it, so that a busy machine does not matter. A case that
takes longer a step than the loop is a fault: its charge is too small. Exit status 1 then.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from bench.machine import about
from bench.rules import TYPES, Chain, rules
from bench.standards import populate
from coseal.contracts.governance.grounds import MAX_GROUNDS
from coseal.contracts.governance.measures import MAX_ACTIONS, MAX_MEMBERS
from coseal.contracts.membership.nodes import MAX_NODES
from coseal.contracts.process.chain import item_hash
from coseal.contracts.process.corrections import shown_history
from coseal.contracts.process.state import type_key
from coseal.contracts.registry import CONTRACTS
from coseal.contracts.rules.rule import DISPUTED, ON_SOURCES
from coseal.contracts.standards.life import LAPSE_MS
from coseal.doctor.speed import step_us
from coseal.ledger.block import Receipt
from coseal.ledger.render import time_text
from coseal.ledger.signing import Ed25519Signer
from coseal.ledger.transaction import Transaction
from tests.support.keys import operator

DAY_MS: Final = 86_400_000
ADMITTED: Final = "e.attributes.amount >= 0"
WALK: Final = (
    "e.objects.all(x, x.id != 'zz' && x.type != 'yy' && x.qualifier != 'q' && x.id != x.type && x.id != x.qualifier "
    "&& size(x.id) < 200)"
)
ROUNDS: Final = 5
LEAST_SECONDS: Final = 0.25
"""How long a case is repeated at least: the quickest of a few short runs is the machine's chance, not the work."""
MOST_SECONDS: Final = 10.0
"""How long a case is repeated that seems to take as long as its steps: what else the machine does comes and goes."""


@dataclass(frozen=True, slots=True)
class Result:
    """A case: its steps, its milliseconds, and what a step of the loop took beside it."""

    name: str
    steps: int
    milliseconds: float
    loop_us: float
    code: str = "ok"

    @property
    def step_us(self) -> float:
        """The microseconds that a step took."""
        return self.milliseconds * 1_000 / max(1, self.steps)

    @property
    def share(self) -> float:
        """The time of a step as a part of that of the loop's; above 1 the charge is too small."""
        return self.step_us / self.loop_us


class Scene:
    """A chain with the process type ``bench`` and what a case needs."""

    def __init__(self, **definition: Any) -> None:
        self.chain = Chain(state_bits=12)
        attributes = {"amount": "integer", "by": "string", "note": "string", "at": "time"}
        self.define(1, {kind: {"attributes": attributes} for kind in TYPES}, **definition)
        self.must("bank-a", "process.register_source", {"id": "log", "process_type": "bench", "mode": "historical"})
        self.sequence = 1
        self.versions = 1

    def define(self, version: int, types: dict[str, Any], **more: Any) -> None:
        """Define a version of the process type."""
        self.must("bank-a", "process.define_type", self.definition(version, types, **more))

    @staticmethod
    def definition(version: int, types: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Return the arguments that define a version of the process type."""
        base = {"id": "bench", "version": version, "title": "Bench", "late_ms": 0, "gaps": "record"}
        return {
            **base,
            "object_types": {"case": {"attributes": {"limit": "integer", "text": "string"}}, "party": {}},
            "event_types": types,
            **more,
        }

    def must(self, member: str, name: str, args: dict[str, Any]) -> Receipt:
        """Commit a transaction that has to be accepted."""
        receipt = self.commit(self.chain.signed(member, name, args))
        if not receipt.ok:
            raise SystemExit(f"{name}: {receipt.code}: {receipt.detail}")
        return receipt

    def commit(self, *transactions: Transaction, after_ms: int = 1_000) -> Receipt:
        """Commit a block; return the last receipt."""
        executor = self.chain.executor
        outcome = executor.run(executor.height + 1, executor.time_ms + after_ms, transactions)
        executor.commit(outcome)
        executor.state._store.write(outcome.change.entries)  # type: ignore[attr-defined]
        executor.state.flushed(outcome.change)
        return Receipt.decode(outcome.receipts[-1])

    def adopt(self, *found: dict[str, Any]) -> None:
        """Put rules in force."""
        ballot = self.must("bank-a", "supervision.propose_rules", {"rules": list(found)}).data["ballot"]
        for member in ("regulator", "central-bank", "bank-a"):
            self.must(member, "supervision.vote", {"ballot": ballot, "choice": "yes"})

    def decide(self, name: str, kind: str, subject: dict[str, Any], *, last: bool = True) -> Transaction:
        """Propose something and have it accepted; without ``last`` return the vote that decides it, not committed."""
        self.must("enterprise-a", "governance.propose", {"id": name, "kind": kind, "subject": subject})
        self.must("regulator", "governance.vote", {"ballot": name, "choice": "yes"})
        vote = self.chain.signed("bank-a", "governance.vote", {"ballot": name, "choice": "yes"})
        if last:
            self.commit(vote)
        return vote

    def rule(self, rule_id: str, kind: str, **fields: Any) -> dict[str, Any]:
        """Return a rule of the process type."""
        scope = {"process_type": "bench"}
        return {"id": rule_id, "version": 1, "legal_basis": ["external: bench"], "scope": scope, "kind": kind, **fields}

    def event(self, number: int, kind: str, objects: list[str], *, at_ms: int = 0, **attributes: Any) -> dict[str, Any]:
        """Return an event as an item."""
        return {
            "event": f"e{number}",
            "type": kind,
            "time": time_text(1_600_000_000_000 + at_ms),
            "objects": [["party" if name.startswith("party") else "case", name] for name in objects],
            "attributes": {"amount": number, "by": f"clerk {number % 7}", **attributes},
        }

    def record(self, items: list[dict[str, Any]]) -> Transaction:
        """Return a batch for the next block."""
        return self.chain.signed(
            "bank-a", "process.record", {"source": "log", "sequence": self.sequence, "items": items}
        )

    def recorded(self, items: list[dict[str, Any]]) -> None:
        """Commit batches of four items each."""
        for first in range(0, len(items), 4):
            batch = items[first : first + 4]
            receipt = self.commit(self.record(batch))
            if not receipt.ok:
                raise SystemExit(f"process.record: {receipt.code}: {receipt.detail}")
            self.sequence += len(batch)


def time_case(name: str, scene: Scene, *transactions: Transaction, after_ms: int = 1_000) -> Result:
    """Execute a block several times, the loop between, and take the quickest of each; the steps are the block's.

    What an empty block takes is left out, unless the case is what is due in one.
    """
    executor = scene.chain.executor
    height, time_ms = executor.height + 1, executor.time_ms + after_ms

    def run(*given: Transaction, at_ms: int = time_ms) -> tuple[float, Any]:
        started = time.process_time()
        outcome = executor.run(height, at_ms, given)
        return time.process_time() - started, outcome

    gc.collect()
    gc.disable()
    try:
        quickest, outcome = run(*transactions)
        loop, rounds, spent = step_us(), 1, quickest
        while rounds < ROUNDS or spent < _wanted_seconds(quickest, outcome.steps, loop):
            seconds, _ = run(*transactions)
            quickest, loop = min(quickest, seconds), min(loop, step_us())
            rounds, spent = rounds + 1, spent + seconds
        empty = min(run(at_ms=executor.time_ms + 1)[0] for _ in range(ROUNDS)) if transactions else _empty_seconds()
    finally:
        gc.enable()
    receipt = Receipt.decode(outcome.receipts[-1])
    milliseconds = (quickest - empty) * 1_000
    return Result(name, outcome.steps, milliseconds, loop, receipt.code)


def _wanted_seconds(quickest: float, steps: int, loop_us: float) -> float:
    """Return how long to repeat a case: longer if its quickest run is near what its steps may take."""
    return MOST_SECONDS if quickest * 1_000_000 > 0.8 * loop_us * steps else LEAST_SECONDS


@cache
def _empty_seconds() -> float:
    """Return how long a block without anything takes on a chain of its own."""
    executor = Scene().chain.executor
    quickest = float("inf")
    for _ in range(ROUNDS):
        started = time.process_time()
        executor.run(executor.height + 1, executor.time_ms + 1, ())
        quickest = min(quickest, time.process_time() - started)
    return quickest


# Cases


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
    yield time_case(
        "200 events under sixty sets", scene, scene.record([scene.event(n, TYPES[0], [f"c{n}"]) for n in range(200)])
    )
    items = [{"object": f"c{n}", "type": "case", "attributes": [["limit", "0", n]]} for n in range(300)]
    yield time_case("300 declarations under sixty sets", scene, scene.record(items))


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
    yield time_case("the same, refused to a stranger", scene, wrong)
    term = " && ".join(f"e.attributes.amount != {n}" for n in range(120))
    long = [scene.rule(f"G{n}", "guard", on=[TYPES[0]], **{"assert": term}) for n in range(4)]
    yield time_case(
        "four guards of 4,000 characters proposed",
        scene,
        scene.chain.signed("bank-a", "supervision.propose_rules", {"rules": long}),
    )
    deep = "(" * 30 + ADMITTED + ")" * 30
    rules_deep = [scene.rule(f"G{n}", "guard", on=[TYPES[0]], **{"assert": deep}) for n in range(60)]
    yield time_case(
        "sixty guards of thirty parentheses proposed",
        scene,
        scene.chain.signed("bank-a", "supervision.propose_rules", {"rules": rules_deep}),
    )
    for name, text in (
        ("sums", "1" + "+1" * 1_900 + " > 0"),
        ("selections", "e" + ".attributes" + ".amount == 1 || e.id" * 180 + " == ''"),
        ("negations", "!" * 30 + "true" + (" && " + "!" * 30 + "true") * 100),
        ("lists", "[" + "[],{}," * 600 + "1] == []"),
        ("texts", "'" + "x" * 4_000 + "' == ''"),
        ("calls", "size('')+" * 400 + "1 > 0"),
        ("walks", " || ".join("e.objects.all(x,x.id=='')" for _ in range(14))),
    ):
        proposed = [scene.rule("G", "guard", on=[TYPES[0]], **{"assert": text})]
        yield time_case(
            f"a guard of {len(text):,} characters, {name}",
            scene,
            scene.chain.signed("bank-a", "supervision.propose_rules", {"rules": proposed}),
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


def registering() -> Iterator[Result]:
    """Policies and members."""
    scene = Scene()
    base = {"source": "bench", "source_sha256": "00" * 32}
    events = [{"action": "amended", "date": "2001-01-01", "number": f"{n}"} for n in range(60)]
    one = [
        {"id": f"p{n}", "title": f"Policy {n}", "is_about": [f"area {k}" for k in range(8)], "events": events}
        for n in range(50)
    ]
    yield time_case(
        "50 instruments of 60 events recorded",
        scene,
        scene.chain.signed("regulator", "policy.record", {**base, "instruments": one}),
    )
    many = [
        {"id": f"q{n}", "title": f"Policy {n}", "passed_by": [f"issuer {n} {k}" for k in range(4)]} for n in range(300)
    ]
    yield time_case(
        "300 instruments of four new issuers recorded",
        scene,
        scene.chain.signed("regulator", "policy.record", {**base, "instruments": many}),
    )
    for n in range(100):
        scene.must(
            "bank-a",
            "membership.add_operator",
            {"user": f"u{n}", "key": f"{n:064x}".replace("0" * 60, "ab" * 30), "capabilities": ["submit"]},
        )
    added = scene.chain.signed(
        "bank-a", "membership.add_operator", {"user": "last", "key": "cd" * 32, "capabilities": ["submit"]}
    )
    yield time_case("one more operator of a member with a hundred", scene, added)
    asked = scene.chain.signed("bank-a", "supervision.ask", {"topic": "t", "question": "q" * 4_000})
    yield time_case("a question of 4,000 characters", scene, asked)


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
    """Return a scene in which so many items of one object were recorded under rules, and these items."""
    scene, recorded = Scene(late_ms=86_400_000), list[Any]()
    scene.adopt(*judging)
    for first in range(0, items, 100):
        many = range(first, min(items, first + 100))
        batch = [{**scene.event(n, TYPES[n % 10], ["c"]), **fields} for n in many]
        scene.must("bank-a", "process.record", {"source": "log", "sequence": first + 1, "items": batch})
        where = (scene.chain.executor.height, scene.chain.executor.time_ms)
        recorded += [("bank-a/log", first + 1 + n, *where, item) for n, item in enumerate(batch)]
    return scene, recorded


def _key(name: str) -> str:
    return Ed25519Signer(name.encode().ljust(32, b".")).public_key.hex()


def standing() -> Iterator[Result]:
    """Ballots about a member or a measure: the largest measure, a member with as many nodes as there may be."""
    scene = Scene()
    names = [f"member-{n}" for n in range(MAX_MEMBERS)]
    for name in names:
        operators = [{"user": "admin", "key": operator(name).public_key.hex(), "capabilities": ["operate"]}]
        fields = {"member": name, "name": name, "role": "enterprise", "level": "", "sector": "", "operators": operators}
        scene.decide(f"in-{name}", "add_member", fields)
    about = {"title": "t" * 128, "text_sha256": "00" * 32, "until_ms": scene.chain.executor.time_ms + 86_400_000}
    grounds = [{"kind": "external", "id": f"{n}"} for n in range(MAX_GROUNDS)]
    can = [f"{c.name}.{name}" for c in CONTRACTS.values() for name, action in c.actions.items() if action.pausable]
    pause = dict.fromkeys(can[:MAX_ACTIONS], names)
    subject = {**about, "grounds": grounds, "pause": pause}
    proposed = {"id": "n", "kind": "measure", "subject": subject}
    yield time_case(
        "a measure of 16 actions for 32 members proposed",
        scene,
        scene.chain.signed("bank-a", "governance.propose", proposed),
    )
    vote = scene.decide("m", "measure", subject, last=False)
    yield time_case("a measure of 16 actions for 32 members decided", scene, vote)
    for n in range(MAX_NODES):
        keys = {"consensus_key": _key(f"node {n}"), "link_certificate": f"3004{n:08x}"}
        scene.must(names[0], "membership.add_node", {"node": f"node-{n}", **keys})
    vote = scene.decide("out", "remove_member", {"member": names[0], "grounds": grounds}, last=False)
    yield time_case("a member with 16 nodes removed", scene, vote)


GROUPS: Final[dict[str, Callable[[], Iterator[Result]]]] = {
    "recording": recording,
    "judging": judging,
    "related": related,
    "correcting": correcting,
    "defining": defining,
    "registering": registering,
    "standing": standing,
    "due": due,
    "competing": competing,
}


def main(arguments: list[str] | None = None) -> int:
    """Run the cases, print the table; return 1 if a charge is too small."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("groups", nargs="*", choices=[[], *GROUPS], help="cases of these groups only")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    given = parser.parse_args(arguments)
    found = []
    print(f"{'case':<62}{'steps':>9}{'ms':>8}{'us a step':>11}{'share':>7}  outcome")
    for name in given.groups or GROUPS:
        for result in GROUPS[name]():
            found.append(result)
            figures = f"{result.steps:>9,}{result.milliseconds:>8.1f}{result.step_us:>11.3f}{result.share:>7.2f}"
            print(f"{result.name:<62}{figures}  {result.code}", flush=True)
    low = [result for result in found if result.share > 1]
    for result in low:
        print(f"the charge is too small: {result.name}", file=sys.stderr)
    if given.json is not None:
        rows = [
            {"case": r.name, "steps": r.steps, "ms": r.milliseconds, "share": r.share, "code": r.code} for r in found
        ]
        given.json.write_text(json.dumps({"machine": about(), "rows": rows}, indent=1), "utf-8")
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
