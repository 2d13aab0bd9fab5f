"""Verdicts along a case: what is replayed from its items ends where the certified state of its monitors stands."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from coseal.console.verdicts import Recorded, Replay, judges_of, mind_disputes, replay, standings
from coseal.contracts.process.chain import objects_of
from coseal.contracts.rules.verdict import Verdict
from coseal.contracts.supervision.sets_in_force import judging
from coseal.contracts.supervision.state import active_key, object_state_key, rule_key, set_key
from coseal.ledger.transaction import Transaction
from tests.contracts.conftest import Court
from tests.support.chain import Chain
from tests.support.genesis import make_genesis
from tests.support.supervised import TYPE, Story, rule

CASES = ("c1", "c2", "c3")


@cache
def story() -> Story:
    told = Story(Chain(make_genesis(name="verdicts")))
    told.begin()
    told.record(("Create", "c1"), ("Create", "c2"), amount=5)
    told.record(("Decide", "c2"), ("Check", "c2"))
    told.record(("Check", "c2"))
    told.record(("Create", "c3"), amount=-1)
    told.record(("Decide", "c3"))
    told.wait(70_000)  # c1 was not decided
    return told


def items_of(case: str) -> list[Recorded]:
    """Return the items of a case as the blocks hold them."""
    found = []
    for block in story().chain.blocks:
        for raw in block.block.transactions:
            tx = Transaction.decode(raw)
            if (tx.contract, tx.action) != ("process", "record"):
                continue
            for offset, item in enumerate(tx.args["items"]):
                if ("case", case) in list(objects_of(item)):
                    place = ("enterprise-a/live", tx.args["sequence"] + offset, block.block.header.height)
                    found.append(Recorded(item, *place, block.block.header.time_ms))
    return found


def proven(told: Story) -> dict[str, Any]:
    """Return what the console fetches of the rules that judge."""
    active = told.state(active_key("t"))
    values: dict[str, Any] = {active_key("t"): active}
    for entry in active:
        values[set_key(entry["set"])] = told.state(set_key(entry["set"]))
        for name in values[set_key(entry["set"])]["rules"]:
            values[rule_key(*name)] = told.state(rule_key(*name))
    return values


def judged(case: str) -> tuple[Any, Any, Replay]:
    """Return the judges, the monitors' state, and what the console replays of a case."""
    told = story()
    place, definition = ("t", "case", case), told.state("process/type/t")
    values = proven(told)
    active = values[active_key("t")]
    judges = judges_of(values, definition, "case")
    monitors = told.state(object_state_key(*place))
    since = {entry["set"]: entry["since"] for entry in active}
    clock_ms = told.chain.executor.time_ms
    return judges, monitors, replay(place, monitors, judges, since, items_of(case), definition["late_ms"], clock_ms)


@pytest.mark.parametrize("case", CASES)
def test_a_replay_ends_where_the_state_stands(case: str) -> None:
    judges, monitors, replayed = judged(case)
    certified = standings(("t", "case", case), monitors, judges)
    assert {one.rule.id: one.verdict for one in replayed.end} == {one.rule.id: one.verdict for one in certified}
    assert len(certified) == 4, "the rules on cases, not those on sources"


def test_each_event_says_what_it_did_to_the_rules_it_concerns() -> None:
    _, _, replayed = judged("c2")
    steps = [{one.rule.id: (one.before, one.after) for one in touches} for touches in replayed.touches]
    waits, holds, broken = Verdict.PENDING_VIOLATING, Verdict.PENDING, Verdict.VIOLATED
    assert steps[0] == {"R-DECIDE": (holds, waits), "R-AMOUNT": (holds, holds)}
    assert steps[1] == {"R-DECIDE": (waits, holds), "R-NOTE": (holds, broken)}
    assert steps[2] == {"R-ONCE": (holds, holds)}
    assert steps[3] == {"R-ONCE": (holds, broken)}


def test_a_missed_deadline_shows_only_with_the_clock() -> None:
    _, _, replayed = judged("c1")
    assert next(one.verdict for one in replayed.end if one.rule.id == "R-DECIDE") == Verdict.VIOLATED
    assert [one.after for one in replayed.touches[0] if one.rule.id == "R-DECIDE"] == [Verdict.PENDING_VIOLATING]


def test_what_is_not_watched_has_no_verdicts() -> None:
    judges, _, _ = judged("c1")
    empty = standings(("t", "case", "never seen"), None, judges)
    assert {one.verdict for one in empty} <= {Verdict.PENDING, Verdict.SATISFIED}


def test_a_rule_over_related_objects_is_not_replayed_and_stands_as_the_state_has_it() -> None:
    told = Story(Chain(make_genesis(name="related")))
    told.do("process.define_type", "enterprise-a", **{**TYPE, "object_types": {"case": {}, "party": {}}})
    told.do("process.register_source", "enterprise-a", id="live", process_type="t", mode="live")
    over = {"type": "party", "by": "relation"}
    related = rule("R-RELATED", "related", on=["Decide"], over=over, quantifier="each", had="Check")
    told.do("supervision.propose_rules", "regulator", rules=[related])
    told.vote("B1")
    relation = {"relation": ["case", "c1"], "to": ["party", "p1"]}
    told.do("process.record", "enterprise-a", source="live", sequence=1, items=[relation])
    told._sequence = 2
    told.record(("Decide", "c1"))
    definition, values = told.state("process/type/t"), proven(told)
    for kind, name, verdicts in (("case", "c1", [Verdict.VIOLATED]), ("party", "p1", [])):
        place = ("t", kind, name)
        judges, state = judges_of(values, definition, kind), told.state(object_state_key(*place))
        assert [one.verdict for one in standings(place, state, judges)] == verdicts
        items = [Recorded(relation, "enterprise-a/live", 1, 1, 0)]
        found = replay(place, state, judges, dict.fromkeys(("B1",), 0), items, 1_000, None)
        assert (found.end, found.touches) == ([], [[]])


@pytest.mark.parametrize("mode", ["count", "leave_out", "undetermined"])
def test_a_replay_with_a_disputed_event_ends_where_the_state_stands(mode: str) -> None:
    court = Court(Chain())
    guard = {"on": ["check"], "assert": "e.attributes.amount < 5"}
    rules = [
        court.rule("R-BEFORE", template="precedence", a="check", b="decide", disputed=mode),
        court.rule("R-LITTLE", "guard", disputed=mode, **guard),
        court.rule("R-NEVER", template="absence", a="report", disputed=mode),
    ]
    court.adopt(*rules)
    court.record(court.event("check", attributes={"amount": 9}, counterparty="central-bank"))
    court.record(court.event("decide"))
    assert court.attest(1, "dispute").ok
    place, definition = ("loans", "case", "c1"), court.chain.get("process/type/loans")
    judges, monitors = judging(court.chain, definition), court.get("object/loans/case/c1")
    items = [
        Recorded(item, source, sequence, height, time_ms, disputed=sequence == 1)
        for source, sequence, height, time_ms, item in court.recorded
    ]
    since = {entry["set"]: entry["since"] for entry in court.get("active/loans")}
    replayed = replay(place, monitors, judges, since, items, 0, None)
    certified = {one.rule.id: one.verdict for one in standings(place, monitors, judges)}
    assert {one.rule.id: one.verdict for one in replayed.end} == certified
    assert mind_disputes(judges) == (mode != "count")
    touched = {"count": {"R-BEFORE", "R-LITTLE"}, "leave_out": set(), "undetermined": {"R-BEFORE", "R-LITTLE"}}
    assert {one.rule.id for one in replayed.touches[0]} == touched[mode]
