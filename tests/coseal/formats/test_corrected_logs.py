"""Exports in both views: the cases of a log are the traces that a naive oracle makes of the same items."""

from __future__ import annotations

from random import Random

import pytest

from coseal.contracts.process.chain import item_hash
from coseal.formats.exporters.flat import flatten
from coseal.formats.exporters.log import log_of
from tests.contracts.conftest import Court
from tests.contracts.supervision.test_corrected_traces import CASES, TYPES, corrected_traces, correction, names
from tests.support.chain import Chain

SOURCE = "bank-a/log"


def rows_of(court):
    return [(source, sequence, item, None) for source, sequence, _, _, item in court.recorded]


def traces_of(log):
    """Return by case the amounts of its events: each event of these histories has its own."""
    return {one.id: [event.attributes["amount"] for event in trace] for one, trace in flatten(log, "case").cases}


def recorded(seed):
    rng = Random(seed)
    court = Court(Chain(), late_ms=86_400_000)
    for number in range(30):
        if number > 2 and rng.randrange(3) == 0:
            receipt = court.correct(correction(court, rng, number))
        else:
            objects = [["case", name] for name in rng.sample(CASES, rng.choice((0, 1, 1, 2)))]
            more = {"event": f"e{number}", "objects": objects, "attributes": {"amount": number}}
            receipt = court.record(court.event(rng.choice(TYPES), **more))
        assert receipt.ok, receipt
    return court


def filled(traces):
    return {case: [item["attributes"]["amount"] for item in trace] for case, trace in traces.items() if trace}


@pytest.mark.parametrize("seed", range(8))
def test_the_cases_of_an_export_are_the_traces_of_its_view(seed):
    court = recorded(seed)
    definition = court.chain.get("process/type/loans")
    log = log_of(definition, rows_of(court))
    assert traces_of(log) == filled(corrected_traces([(sequence, item) for _, sequence, item, _ in rows_of(court)]))
    assert len(log.events) + log.leaves_out.get("corrected_items", 0) == len(court.recorded)
    as_recorded = log_of(definition, rows_of(court), recorded=True)
    every = {case: [item for _, _, item, _ in rows_of(court) if case in names(item)] for case in CASES}
    assert traces_of(as_recorded) == filled(every)
    assert len(as_recorded.events) == len(court.recorded)


def test_an_event_of_no_object_is_corrected_too():
    court = Court(Chain(), late_ms=86_400_000)
    nothing = {"objects": []}
    for number in range(3):
        court.record(court.event("apply", event=f"e{number}", attributes={"amount": number}, **nothing))
    for target, amount in ((1, 10), (2, 20), (4, 30)):
        item = {**court.item(target), "event": f"n{amount}", "corrects": court.corrects(target)}
        assert court.correct({**item, "attributes": {"amount": amount}}).ok
    moved = {**court.item(3), "event": "moved", "corrects": court.corrects(3), "objects": [["case", "c1"]]}
    assert court.correct({**moved, "attributes": {"amount": 40}}).ok
    log = log_of(court.chain.get("process/type/loans"), rows_of(court))
    assert [event.attributes["amount"] for event in log.events] == [30, 20, 40]
    assert log.leaves_out == {"corrected_items": 4}


def test_a_correction_of_what_was_not_recorded_takes_the_place_of_nothing():
    court = Court(Chain(), late_ms=86_400_000)
    court.record(court.event("apply", attributes={"amount": 1}))
    other = {**court.item(1), "event": "another"}
    item = {**other, "corrects": [1, item_hash(SOURCE, 1, other).hex()], "attributes": {"amount": 2}}
    assert court.record(item, corrected=[other]).ok
    log = log_of(court.chain.get("process/type/loans"), rows_of(court))
    assert [event.attributes["amount"] for event in log.events] == [1, 2]
