"""Items held against their type before they are signed."""

from __future__ import annotations

import pytest

from coseal.client.arguments import MAX_FAULTS
from coseal.client.blocking import Client
from coseal.client.item_checks import require_fit
from coseal.errors import BadArguments
from tests.coseal.conftest import FakeNode

TYPE = {
    "id": "orders",
    "version": 1,
    "title": "Orders",
    "object_types": {"order": {}},
    "event_types": {"Pay": {"attributes": {"amount": {"type": "decimal", "required": True}}}},
}
GOOD = {
    "event": "e1",
    "type": "Pay",
    "time": "2026-01-05T10:00:00Z",
    "objects": [["order", "o1"]],
    "attributes": {"amount": "5"},
}


@pytest.fixture
def client(node: FakeNode) -> Client:
    client = node.client()
    client.submit("process", "define_type", TYPE).require_ok()
    source = {"id": "erp", "process_type": "orders", "mode": "live"}
    client.submit("process", "register_source", source).require_ok()
    return client


def record(*items: dict) -> dict:
    return {"source": "erp", "sequence": 1, "items": list(items)}


def test_every_item_that_does_not_fit_is_named_as_the_contract_names_the_first(client: Client) -> None:
    bad = [{**GOOD, "type": "Fly"}, GOOD, {**GOOD, "time": "yesterday"}, {**GOOD, "attributes": {}}]
    with pytest.raises(BadArguments) as caught:
        require_fit(client, record(*bad))
    assert [fault.partition(":")[0] for fault in caught.value.faults] == [
        "items[0].type",
        "items[2].time",
        "items[3].attributes.amount",
    ]
    receipt = client.submit("process", "record", record(*bad)).receipt
    assert (receipt.code, receipt.detail) == (caught.value.code, caught.value.faults[0])


def test_items_that_fit_and_sources_that_are_not_there_are_left_to_the_chain(client: Client) -> None:
    require_fit(client, record(GOOD))
    require_fit(client, {**record({"event": 1}), "source": "none"})


def test_very_many_faults_are_cut_and_said_to_be(client: Client) -> None:
    with pytest.raises(BadArguments) as caught:
        require_fit(client, record(*[{}] * 200))
    assert len(caught.value.faults) == MAX_FAULTS + 1
    assert "only the first" in caught.value.faults[-1]
