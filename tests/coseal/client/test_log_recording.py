"""Recording a log: once, completely, whatever happens on the way."""

from dataclasses import replace

import pytest

from coseal.client import recording
from coseal.client.log_recording import Recorder
from coseal.contracts.process.chain import chain, item_hash
from coseal.errors import BadAnswer, CosealError, Refused
from coseal.formats.importers.log import Log
from coseal.ledger.signing import ZERO_HASH


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "_POLL_S", 0)
    monkeypatch.setattr(recording, "_LOOK_AFTER_S", 0)


def make_log(count: int = 25, **changed) -> Log:
    items = tuple(
        {"event": f"e{n}", "type": "pay", "time": "2023-01-01T00:00:00Z", "objects": [["order", f"o{n % 3}"]]}
        for n in range(count)
    )
    definition = {
        "id": "orders",
        "version": 1,
        "title": "Orders",
        "object_types": {"order": {}},
        "event_types": {"pay": {}},
    }
    return Log(definition, {"id": "s", "process_type": "orders", "mode": "historical"} | changed, items)


def record(node, log: Log, **options):
    with node.client() as client:
        return Recorder(client, log, **{"batch_items": 4, "window": 3} | options).run()


def test_every_item_is_recorded_once_in_order_and_the_head_is_certified(node):
    log = make_log()
    seen = []
    with node.client() as client:
        recorded = Recorder(client, log, batch_items=4).run(lambda done, total: seen.append((done, total)))
    assert (recorded.before, recorded.added, recorded.sequence) == (0, 25, 25)
    head = ZERO_HASH
    for sequence, item in enumerate(log.items, start=1):
        head = chain(head, item_hash("enterprise-a/s", sequence, item))
    assert recorded.head == head
    assert seen[0] == (0, 25)
    assert seen[-1] == (25, 25)


def test_a_second_run_records_nothing(node):
    record(node, make_log())
    posted = len(node.posted)
    recorded = record(node, make_log())
    assert (recorded.before, recorded.added) == (25, 0)
    assert len(node.posted) == posted


def test_an_interrupted_run_goes_on_where_it_stopped(node):
    record(node, replace(make_log(), items=make_log().items[:10]))
    recorded = record(node, make_log())
    assert (recorded.before, recorded.added, recorded.sequence) == (10, 15, 25)
    assert [tx.args["sequence"] for tx in node.posted[-5:]] == [11, 13, 17, 21, 25]


@pytest.mark.parametrize("lost", [{4}, {5}, {9}, {4, 5, 6, 7}])
def test_a_batch_that_is_lost_is_sent_again(node, lost: set[int]):
    node.lose = lost  # the first three transactions define the type, register the source, and send batch one
    assert record(node, make_log()).sequence == 25


def test_a_busy_node_is_asked_again(node, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("coseal.client.session._BUSY_PAUSE_S", 0)
    node.busy = 5
    assert record(node, make_log()).sequence == 25


def test_another_file_under_the_same_source_is_refused_and_adds_nothing(node):
    record(node, make_log(10))
    other = make_log(25)
    other = replace(other, items=({**other.items[0], "event": "x"}, *other.items[1:]))
    with pytest.raises(BadAnswer, match="not what the file begins with"):
        record(node, other)
    with pytest.raises(BadAnswer, match="not what the file begins with"):
        record(node, make_log(5))
    assert record(node, make_log(10)).before == 10


def test_a_type_or_source_defined_otherwise_is_refused(node):
    record(node, make_log(3))
    other = make_log(3)
    with pytest.raises(BadAnswer, match="defined otherwise"):
        record(node, replace(other, definition={**other.definition, "title": "Other"}))
    with pytest.raises(BadAnswer, match="registered with mode 'historical', the file says 'live'"):
        record(node, make_log(3, mode="live"))
    with pytest.raises(BadAnswer, match="zone_minutes"):
        record(node, make_log(3, zone_minutes=60))


def test_a_refusal_by_the_contract_ends_the_run_with_its_code(node):
    log = make_log(10)
    bad = replace(log, items=(*log.items[:5], {**log.items[5], "counterparty": "nobody"}, *log.items[6:]))
    with pytest.raises(Refused) as caught:
        record(node, bad)
    assert caught.value.code == "unknown_counterparty"
    assert caught.value.exit_code == 1


def test_batches_respect_items_and_bytes():
    cut = recording._cut([10] * 9, 4)
    assert [(batch.first, batch.last) for batch in cut] == [(1, 4), (5, 8), (9, 9)]
    half = recording._BATCH_BYTES // 2
    cut = recording._cut([half, half, 1, half], 1_000)
    assert [(batch.first, batch.last) for batch in cut] == [(1, 2), (3, 4)]
    assert recording._cut([], 4) == []


def test_batches_after_a_position_begin_behind_it():
    cut = recording._cut([10] * 9, 4)
    assert [(batch.first, batch.last) for batch in recording._after(cut, 5)] == [(6, 8), (9, 9)]
    assert [(batch.first, batch.last) for batch in recording._after(cut, 4)] == [(5, 8), (9, 9)]
    assert recording._after(cut, 9) == []


def test_an_empty_log_and_absurd_batches(node):
    assert record(node, make_log(0)).sequence == 0
    with pytest.raises(CosealError, match="batches of 0"):
        record(node, make_log(), batch_items=0)
