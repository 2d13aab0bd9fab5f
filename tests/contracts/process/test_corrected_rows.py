"""Rows after corrections: maps, variants, cases and views equal a naive reading of the corrected traces."""

from __future__ import annotations

import sqlite3
from collections import Counter
from itertools import pairwise
from random import Random

import pytest

from coseal.contracts.kernel.rows.buffer import Rows
from coseal.contracts.kernel.rows.schema import SQLITE, definitions
from coseal.contracts.rows.blocks import BlockRows
from coseal.contracts.rows.tables import TABLES, VIEWS
from coseal.ledger.block import Receipt
from coseal.ledger.transaction import Transaction
from coseal.node.index.contracts import process_flows, process_times
from coseal.node.index.database import Writer
from tests.contracts.supervision.test_corrected_traces import CASES, TYPES, corrected_traces, correction, names


@pytest.fixture
def connection():
    made = sqlite3.connect(":memory:", isolation_level=None)
    made.row_factory = sqlite3.Row
    for statement in definitions(TABLES, VIEWS, SQLITE):
        made.execute(statement)
    made.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value)")
    made.execute("INSERT INTO meta VALUES ('height', 1)")
    yield made
    made.close()


def write(connection, chain, position):
    """Write the rows of the blocks from a position on; return the next one. What rows remember only saves time."""
    rows = Rows(Writer(connection), TABLES)
    blocks = BlockRows(rows)
    for committed in chain.blocks[position:]:
        blocks.write(committed, list(map(Transaction.decode, committed.block.transactions)), Receipt.decode_own)
        rows.flush()
    return len(chain.blocks)


def flows(traces):
    return Counter(pair for trace in traces for pair in pairwise(item["type"] for item in trace))


def filters(rng, number):
    one, other = rng.choice(TYPES), rng.choice(TYPES)
    return rng.choice(
        (
            {"activity": one},
            {"first": one},
            {"last": one},
            {"before": one, "after": other},
            {"attribute": "amount", "value": str(rng.randrange(number + 1))},
        )
    )


def passes(trace, given):
    types = [item["type"] for item in trace]
    match given:
        case {"activity": name}:
            return name in types
        case {"first": name}:
            return types[0] == name
        case {"last": name}:
            return types[-1] == name
        case {"before": before, "after": after}:
            return (before, after) in pairwise(types)
        case {"value": value}:
            return value in {str(item["attributes"]["amount"]) for item in trace}
    return True


def compare(connection, traces, given, *, recorded):
    """Compare the map, variants, cases and charts of a view with its traces, by case, as far as they pass filters."""
    place, view = (connection, "loans", "case"), {"recorded": recorded}
    kept = {case: trace for case, trace in traces.items() if passes(trace, given)}
    found = process_flows.process_map(*place, 1_000, given, **view)[1]
    assert {(flow["from"], flow["to"]): flow["count"] for flow in found["flows"]} == flows(kept.values())
    ways = Counter(tuple(item["type"] for item in trace) for trace in kept.values())
    figures = (len(kept), sum(map(len, kept.values())), len(ways), len(traces))
    assert tuple(found[name] for name in ("cases", "events", "variants", "cases_in_all")) == figures
    _, figures, page = process_flows.variants(*place, [], 100, given, **view)
    assert (figures["cases"], figures["variants"]) == (len(kept), len(ways))
    assert {tuple(one["activities"]): one["cases"] for one in page.items} == ways
    for one in page.items:
        cases = process_flows.cases(*place, {**given, "variant": one["variant"]}, [], 100, **view)[2].items
        expected = [case for case, trace in kept.items() if [item["type"] for item in trace] == one["activities"]]
        assert sorted(case["id"] for case in cases) == sorted(expected)
    for order in process_flows.ORDERS:
        listed = process_flows.cases(*place, given, [], 100, order, **view)[2].items
        assert {one["id"]: one["events"] for one in listed} == {case: len(trace) for case, trace in kept.items()}
    assert process_times.times(*place, given, **view)[1]["cases"] == len(kept)
    dotted = process_times.dots(*place, given, 100, **view)[1]
    assert {one["id"]: len(one["dots"]) for one in dotted["cases"]} == {case: len(kept[case]) for case in kept}


@pytest.mark.parametrize("seed", range(6))
def test_rows_are_those_of_the_corrected_traces(make_court, connection, seed):
    rng = Random(seed)
    court = make_court("live", late_ms=86_400_000)
    position = 0
    for number in range(25):
        if number > 2 and rng.randrange(3) == 0:
            receipt = court.correct(correction(court, rng, number))
        else:
            chosen = rng.sample(CASES, rng.choice((1, 2)))
            objects = [["case", name] for name in chosen]
            item = court.event(rng.choice(TYPES), event=f"e{number}", objects=objects, attributes={"amount": number})
            receipt = court.record(item)
        assert receipt.ok, receipt
        position = write(connection, court.chain, position)
        traces = corrected_traces([(sequence, item) for _, sequence, _, _, item in court.recorded])
        filled = [trace for trace in traces.values() if trace]
        found = process_flows.process_map(connection, "loans", "case", 1_000)[1]
        assert {(flow["from"], flow["to"]): flow["count"] for flow in found["flows"]} == flows(filled)
        assert (found["cases"], found["events"]) == (len(filled), sum(map(len, filled)))
        recorded = {case: [item for _, _, _, _, item in court.recorded if case in names(item)] for case in CASES}
        asked = filters(rng, number)
        for given in ({}, asked):
            compare(connection, {case: trace for case, trace in traces.items() if trace}, given, recorded=False)
            compare(connection, {case: trace for case, trace in recorded.items() if trace}, given, recorded=True)
        shown = {case: [] for case in CASES}
        rows = connection.execute(
            "SELECT o.name, i.event FROM item_objects l JOIN objects o ON o.id = l.object"
            " LEFT JOIN corrections c ON c.object = l.object AND c.item = l.item"
            " JOIN items i ON i.number = coalesce(c.now, l.item) WHERE l.activity IS NOT NULL ORDER BY l.item"
        )
        for name, event in rows:
            shown[name].append(event)
        assert shown == {case: [item["event"] for item in trace] for case, trace in traces.items()}
    everything = Counter((name, item["event"]) for _, _, _, _, item in court.recorded for name in names(item))
    assert Counter(map(tuple, connection.execute("SELECT object, event FROM recorded_case_events"))) == everything
    corrected = Counter((case, item["event"]) for case, trace in traces.items() for item in trace)
    assert Counter(map(tuple, connection.execute("SELECT object, event FROM case_events"))) == corrected


def test_an_event_that_left_an_object_and_comes_back_stands_in_its_place(make_court, connection):
    court = make_court("live", late_ms=86_400_000)
    court.record(court.event("apply", event="e1"), court.event("pay", event="e2"))
    left = {**court.item(1), "event": "n1", "corrects": court.corrects(1), "objects": [["case", "c2"]]}
    assert court.correct(left).ok
    back = {**court.item(3), "event": "n2", "corrects": court.corrects(3), "objects": [["case", "c1"]], "type": "check"}
    assert court.correct(back).ok
    write(connection, court.chain, 0)
    items = [(sequence, item) for _, sequence, _, _, item in court.recorded]
    (trace,) = (trace for trace in corrected_traces(items).values() if trace)
    assert [item["event"] for item in trace] == ["n2", "e2"]
    found = process_flows.variants(connection, "loans", "case", [], 10)[2].items
    assert [(one["activities"], one["cases"]) for one in found] == [(["check", "pay"], 1)]
