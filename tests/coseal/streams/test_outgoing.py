"""The events of a chain: CloudEvents by the official library, the same at every attempt, nothing left out."""

from __future__ import annotations

import json
import re

from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from coseal.contracts.process.chain import item_hash
from coseal.ledger.transaction import Transaction
from coseal.streams.outgoing import outgoing
from tests.coseal.conftest import FakeNode
from tests.coseal.streams.conftest import RECORD, events_of, pay


def test_everything_that_took_effect_is_an_event_in_ledger_order(past: FakeNode) -> None:
    told = [(event.id, event.type, event.attributes.get("subject")) for event in events_of(past)]
    assert told == [
        ("2:0", "coseal.process.define_type", "orders"),
        ("3:0", "coseal.process.register_source", "erp"),
        ("4:0", "coseal.supervision.propose_rules", None),
        ("5:0", "coseal.supervision.vote", None),
        ("6:0", "coseal.supervision.vote", None),
        ("7:0", "coseal.supervision.vote", None),
        ("7:0:1", "coseal.supervision.decision", "B1"),
        ("8:0", "coseal.process.record", "enterprise-a/erp"),
        ("8:0.0", "coseal.process.object", "order/o1"),
        ("8:0.1", "coseal.process.event", "order/o/e1"),
        ("8:0.2", "coseal.process.change", "order/o1"),
        ("8:0.3", "coseal.process.relation", "order/o1"),
        ("8:0.4", "coseal.process.event", "order/o/e2"),
        ("8:0:1", "coseal.finding.raised", "order/o/e2"),
        ("10:0", "coseal.policy.publish", "notice/1"),
        ("11:0", "coseal.policy.record", "gazette"),
        ("11:0.0", "coseal.policy.instrument", "old/1"),
        ("11:0.1", "coseal.policy.instrument", "old/2"),
        ("12:0", "coseal.evidence.report", None),
    ]


def test_the_official_library_reads_each_as_a_cloudevent(past: FakeNode) -> None:
    for event in events_of(past):
        read = JSONFormat().read(CloudEvent, event.structured)
        assert (read.get_id(), read.get_type(), read.get_specversion()) == (event.id, event.type, "1.0")
        assert read.get_source() == f"urn:coseal:chain:{past.genesis.chain_id.hex()}"
        assert read.get_data() == event.data == json.loads(event.body())
        assert all(re.fullmatch("[a-z0-9]{1,20}", name) for name in event.attributes)
        assert all(type(value) is str and value for value in event.attributes.values())


def test_order_can_be_told_from_the_sequence_and_each_from_its_id(past: FakeNode) -> None:
    events = events_of(past)
    sequences = [event.attributes["sequence"] for event in events]
    assert sequences == sorted(set(sequences))
    assert len({event.message_id for event in events}) == len(events)


def test_an_event_says_what_was_verified_and_where_its_receipt_is(past: FakeNode) -> None:
    for committed in past.blocks:
        for event in outgoing(committed):
            attributes = event.attributes
            assert attributes["ledgerverified"] == "certificate"
            assert attributes["ledgerheight"] == str(committed.block.header.height)
            assert attributes["ledgerblock"] == committed.block.hash.hex()
            assert attributes["ledgertx"] == Transaction.decode(committed.block.transactions[0]).id.hex()


def test_an_item_comes_as_it_was_recorded_with_its_hash(past: FakeNode) -> None:
    event = next(event for event in events_of(past) if event.id == "8:0.1")
    item = pay("e1", 5)
    assert event.data["item"] == item
    assert event.data["hash"] == item_hash("enterprise-a/erp", 2, item).hex()
    assert (event.data["source"], event.data["sequence"]) == ("enterprise-a/erp", 2)
    assert event.attributes["processtype"] == "orders"
    assert event.attributes["eventtype"] == "pay"
    assert event.object_types == {"order", "party"}


def test_the_time_is_that_of_the_source_and_the_blocks_where_it_has_no_offset(past: FakeNode) -> None:
    found = {event.id: event.attributes for event in events_of(past)}
    assert found["8:0.1"]["time"] == "2026-01-05T10:00:00+08:00"
    assert found["8:0.4"]["time"] == found["8:0.4"]["recordedtime"] == found["8:0"]["time"]


def test_a_batch_keeps_what_is_of_the_whole_and_not_the_items_again(past: FakeNode) -> None:
    batch = next(event for event in events_of(past) if event.id == "8:0")
    assert batch.data["args"] == {"source": "erp", "sequence": 1}
    assert batch.data["receipt"]["data"]["items"] == 5


def test_a_recorded_instrument_is_an_event_as_it_was_recorded(past: FakeNode) -> None:
    event = next(event for event in events_of(past) if event.id == "11:0.1")
    assert event.data["instrument"] == RECORD["instruments"][1]
    assert event.data["source_sha256"] == "ab" * 32


def test_a_finding_says_how_severe_it_is(past: FakeNode) -> None:
    finding = next(event for event in events_of(past) if event.type == "coseal.finding.raised")
    assert finding.attributes["severity"] == "warning"
    assert finding.data["rule"] == "R-POSITIVE"


def test_what_falls_due_is_an_event_of_its_contract(chain: FakeNode) -> None:
    day_ms = 86_400_000
    with chain.client("regulator") as client:
        ahead = 400 * day_ms
        transaction = client.sign("membership", "set_profile", {"description": "later"}, valid_for_ms=ahead)
        client.commit(transaction).require_ok()
    due = [event for event in outgoing(chain.blocks[-1]) if event.id.startswith("13:begin")]
    assert [(event.id, event.type) for event in due] == [("13:begin.supervision", "coseal.supervision.due")]
    assert due[0].data["due"]["overdue"][0]["id"] == "F1"
    assert "ledgertx" not in due[0].attributes
