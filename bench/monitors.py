"""``python -m bench.monitors``: events a second through the monitors, with no rule up to a thousand, and over history.

Only the monitors are measured: no signature, no state tree, no consensus.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import Any, Final

from coseal.contracts.rules.declare import BINARY, UNARY
from coseal.contracts.rules.draft import State
from coseal.contracts.rules.facts import Event
from coseal.contracts.rules.monitor import RuleSet
from coseal.contracts.rules.rule import parse_rules
from coseal.ledger import codec

ACTIVITIES: Final = tuple(f"activity {index}" for index in range(20))
CASES: Final = 2_000
EVENTS: Final = 20_000


def main() -> int:
    """Print one line a measurement."""
    print(line("    0 rules              ", RuleSet([])))
    for title, kind, counts in (
        ("DECLARE", "plain", (10, 100, 1_000)),
        ("with windows", "window", (10, 100)),
        ("guards", "guard", (10, 100)),
    ):
        for count in counts:
            print(line(f"{count:5} rules, {title:12}", RuleSet(parse_rules(rules(count, kind)))))
    print("one object as its history grows, 20 rules of each kind:")
    every = [rule for kind in ("plain", "window", "guard") for rule in rules(20, kind)]
    grown(RuleSet(parse_rules([{**rule, "id": f"R{index}"} for index, rule in enumerate(every)])))
    return 0


def rules(count: int, kind: str) -> list[dict[str, Any]]:
    """Return rules over random activities, the same in every run."""
    chance = random.Random(count)
    return [rule(index, kind, chance) for index in range(count)]


def rule(index: int, kind: str, chance: random.Random) -> dict[str, Any]:
    """Return one rule of a kind."""
    a, b = chance.sample(ACTIVITIES, 2)
    if kind == "guard":
        return {"id": f"R{index}", "kind": "guard", "on": [a], "assert": "e.attributes.days <= 360"}
    template = chance.choice(BINARY if kind == "window" else (*UNARY, *BINARY))
    data = {"id": f"R{index}", "kind": "declare", "template": template, "a": a}
    data |= {} if template in UNARY else {"b": b}
    return data | ({"within_ms": 86_400_000} if kind == "window" else {})


def events(count: int) -> Sequence[tuple[str, Event]]:
    """Return (case, event) pairs, the same in every run."""
    chance = random.Random(7)
    found = []
    for index in range(count):
        case, activity = f"case {chance.randrange(CASES)}", chance.choice(ACTIVITIES)
        item = {"event": f"e{index}", "type": activity, "objects": [["case", case]], "attributes": {"days": 180}}
        found.append((case, Event(item, index * 60_000, "member/source", index + 1, 1, index * 60_000)))
    return found


def line(title: str, rules: RuleSet) -> str:
    """Measure a set of rules over many cases."""
    log, states, found = events(EVENTS), dict[str, State](), 0
    started = time.process_time()
    for case, event in log:
        states[case], findings = rules.observe(states.get(case), event, case)
        found += len(findings)
    elapsed = time.process_time() - started
    size = sum(len(codec.encode(state)) for state in states.values()) / len(states)
    micros = elapsed / len(log) * 1e6
    return (
        f"{title}  {len(log) / elapsed:9,.0f} events/s  {micros:7.1f} us an event  {size:6.0f} B a case  {found} found"
    )


def grown(rules: RuleSet) -> None:
    """Print what an event of one object costs as there are more and more before it."""
    state: State | None = None
    log = events(30_000)
    for first, last in ((0, 100), (100, 1_000), (1_000, 10_000), (10_000, 30_000)):
        started = time.process_time()
        for _, event in log[first:last]:
            state, _ = rules.observe(state, event, "object")
        micros = (time.process_time() - started) / (last - first) * 1e6
        print(f"  events {first:6} to {last:6}: {micros:6.1f} us an event, state {len(codec.encode(state))} B")


if __name__ == "__main__":
    raise SystemExit(main())
