from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.contracts.process.chain import EMPTY_RECORD, chain, item_hash, objects_of, verify_object_history
from coseal.contracts.process.state import object_key
from coseal.ledger import codec
from coseal.ledger.errors import BadProof
from coseal.ledger.signing import TAG_CHAIN, TAG_ITEM, ZERO_HASH, digest

NAME = ("case", "A1")


def event(name, *objects):
    return {"event": name, "type": "Pay", "time": "2026-01-05T02:00:00Z", "objects": [list(o) for o in objects]}


HISTORY = [
    ("bank-a/fines", 1, event("1", NAME)),
    ("bank-a/fines", 3, event("2", NAME, ("case", "A2"))),
    ("enterprise-a/till", 1, {"object": "A1", "type": "case"}),
    ("bank-a/fines", 4, {"relation": ["case", "A1"], "to": ["case", "A2"]}),
    ("bank-a/fines", 9, {"change": "A1", "type": "case", "attributes": [["paid", "0", True]]}),
]


def record_of(items):
    count, head = EMPTY_RECORD
    for item in items:
        count, head = count + 1, chain(head, item_hash(*item))
    return [count, head]


RECORD = record_of(HISTORY)


def test_the_hashes_are_those_of_the_specification():
    source, sequence, item = HISTORY[0]
    expected = digest(TAG_ITEM, codec.encode([source, sequence, item]))
    assert item_hash(source, sequence, item) == expected
    assert item_hash(source, sequence, dict(reversed(item.items()))) == expected
    assert chain(ZERO_HASH, expected) == digest(TAG_CHAIN, ZERO_HASH + expected)
    assert expected.hex() == "9f1120939e83cb6a1f3a5804bc6461756035279aa1e3423aefc14b47792c0e49"


def test_every_part_of_an_item_enters_its_hash():
    source, sequence, item = HISTORY[0]
    hashes = {
        item_hash(source, sequence, item),
        item_hash("bank-a/other", sequence, item),
        item_hash(source, 2, item),
        item_hash(source, sequence, {**item, "event": "2"}),
        item_hash(source, sequence, {**item, "objects": []}),
    }
    assert len(hashes) == 5


def test_the_key_of_an_object_names_process_type_and_object_type():
    assert object_key("fines", "case", "A/1") == "process/object/fines/case/A/1"


def test_a_whole_history_verifies():
    verify_object_history(HISTORY, RECORD)
    verify_object_history(iter(HISTORY), tuple(RECORD), name=NAME)
    verify_object_history([], None, name=NAME)


@pytest.mark.parametrize("index", range(len(HISTORY)))
def test_a_history_with_an_item_dropped_fails(index):
    with pytest.raises(BadProof, match="4 items are shown, 5 are recorded"):
        verify_object_history(HISTORY[:index] + HISTORY[index + 1 :], RECORD)


@pytest.mark.parametrize("index", range(len(HISTORY) + 1))
def test_a_history_with_an_item_added_fails(index):
    extra = ("bank-a/fines", 2, event("x", NAME))
    with pytest.raises(BadProof, match="more items than the 5"):
        verify_object_history([*HISTORY[:index], extra, *HISTORY[index:]], RECORD)


@pytest.mark.parametrize("index", range(len(HISTORY)))
def test_a_history_with_an_item_replaced_fails(index):
    source, sequence, item = HISTORY[index]
    for other in ((source, sequence + 1, item), ("bank-b/fines", sequence, item), (source, sequence, event("x", NAME))):
        with pytest.raises(BadProof, match="not those recorded"):
            verify_object_history([*HISTORY[:index], other, *HISTORY[index + 1 :]], RECORD)


@settings(deadline=None)
@given(st.permutations(range(len(HISTORY))))
def test_a_history_in_another_order_fails(order):
    if order == sorted(order):
        verify_object_history(HISTORY, RECORD)
    else:
        with pytest.raises(BadProof, match="not in that order"):
            verify_object_history([HISTORY[i] for i in order], RECORD)


def test_an_object_without_record_has_no_items():
    with pytest.raises(BadProof, match="more items than the 0"):
        verify_object_history(HISTORY[:1], None)
    with pytest.raises(BadProof, match="0 items are shown, 5"):
        verify_object_history([], RECORD)


@pytest.mark.parametrize(
    "item",
    [
        event("1", ("case", "A2")),
        event("1"),
        {"object": "A1", "type": "party"},
        {"type": "case"},
        {"event": "1", "objects": [["case"]]},
    ],
)
def test_an_item_that_does_not_name_the_object_fails(item):
    with pytest.raises(BadProof, match="does not name case A1"):
        verify_object_history([("bank-a/fines", 1, item)], record_of([("bank-a/fines", 1, item)]), name=NAME)


@pytest.mark.parametrize(
    "record", [5, [], [1], ["1", ZERO_HASH], [1, "00" * 32], [1, b"short"], [1, "0" * 32], {"count": 1}]
)
def test_what_is_no_record_proves_nothing(record):
    with pytest.raises(BadProof, match="record is"):
        verify_object_history(HISTORY, record)


@pytest.mark.parametrize("value", [0.5, {1: 2}, object()])
def test_an_item_without_an_encoding_proves_nothing(value):
    with pytest.raises(BadProof, match="no encoding"):
        verify_object_history([("bank-a/fines", 1, {"event": "1", "attributes": value})], RECORD)


def test_objects_come_once_each_in_the_order_named():
    names = [("case", "B", "x"), ("case", "A"), ("case", "B", "y")]
    assert objects_of(event("1", *names)) == (("case", "B"), ("case", "A"))
    assert objects_of({"event": "1"}) == ()
