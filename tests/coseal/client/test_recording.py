"""Events of a program: from where the source stands, each once, or refused with the place of what is wrong."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from coseal.client import recording, session
from coseal.client.blocking import Client
from coseal.errors import BadAnswer, CosealError, Refused, Unreachable
from tests.coseal.conftest import FakeNode
from tests.coseal.hosts import Hosts
from tests.support.keys import signer

KIND = {
    "id": "orders",
    "version": 1,
    "title": "Orders",
    "object_types": {"order": {}},
    "event_types": {"pay": {"attributes": {"amount": "decimal", "parts": "integer"}}},
}
WHO = "enterprise-a/admin"


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in ((session, "_POLL_S"), (recording, "_POLL_S"), (recording, "_LOOK_AFTER_S")):
        monkeypatch.setattr(module, name, 0)
    monkeypatch.setattr(recording, "_RETRY_S", 0)


@pytest.fixture
def hosts(node: FakeNode) -> Hosts:
    with node.client() as client:
        client.submit("process", "define_type", KIND).require_ok()
        source = {"id": "s", "process_type": "orders", "mode": "historical"}
        client.submit("process", "register_source", source).require_ok()
    return Hosts(node)


@pytest.fixture
def client(hosts: Hosts) -> Client:
    urls = ["http://a.test", "http://b.test"]
    return Client(urls, hosts.node.genesis, signer=signer(WHO), sender=WHO, transport=hosts)


def pays(first: int, last: int) -> list[dict[str, Any]]:
    at = "2023-01-01T00:00:00Z"
    return [{"event": f"e{n}", "type": "pay", "time": at, "objects": [["order", "o"]]} for n in range(first, last + 1)]


def clouds(first: int, last: int) -> list[dict[str, Any]]:
    head = {"specversion": "1.0", "source": "s", "type": "pay", "time": "2023-01-01T00:00:00Z", "subject": "order/o"}
    return [{**head, "id": f"e{n}", "sequence": n, "data": {"amount": Decimal("1.50")}} for n in range(first, last + 1)]


def recorded_ids(hosts: Hosts) -> list[str]:
    chain = Client("http://node.test", hosts.node.genesis, transport=hosts.node)
    events = chain.stream(start=1, contract="process", follow=False)
    records = [event.data for event in events if event.data["action"] == "record" and event.data["receipt"]["ok"]]
    return [item["event"] for record in records for item in record["args"]["items"]]


def test_events_follow_what_is_recorded(client: Client, hosts: Hosts) -> None:
    assert client.record(pays(1, 5), source="s").sequence == 5
    assert client.record(pays(6, 7), source="s").before == 0
    assert recorded_ids(hosts) == [f"e{n}" for n in range(1, 8)]


def test_the_same_call_again_adds_only_what_is_missing(client: Client, hosts: Hosts) -> None:
    seen: list[tuple[int, int]] = []
    client.record(pays(1, 5), source="s", sequence=1)
    assert client.record(pays(1, 9), source="s", sequence=1, progress=lambda *now: seen.append(now)).before == 5
    assert (seen[0], seen[-1]) == ((5, 9), (9, 9))
    last = client.record(pays(4, 12), source="s", sequence=4, batch_items=2)
    assert (last.before, last.added, last.sequence) == (6, 3, 12)
    assert client.record(pays(3, 4), source="s", sequence=3).before == 2
    assert recorded_ids(hosts) == [f"e{n}" for n in range(1, 13)]


def test_what_is_there_is_compared_when_all_is_given(client: Client) -> None:
    client.record(pays(1, 5), source="s", sequence=1)
    with pytest.raises(BadAnswer, match="not what the file begins with"):
        client.record(pays(2, 8), source="s", sequence=1)


@pytest.mark.parametrize("last", [2, 9])
def test_a_second_writer_of_the_source_is_noticed(client: Client, hosts: Hosts, last: int) -> None:
    def interfere(done: int, total: int) -> None:
        if done == 0:
            hosts.node.client().record(pays(50, 50), source="s")

    client.record(pays(1, 1), source="s")
    with pytest.raises(BadAnswer, match="something else records as this source"):
        client.record(pays(2, last), source="s", sequence=2, progress=interfere)


@pytest.mark.parametrize("lost", [{5}, {6}, {5, 6, 7}])
def test_lost_batches_and_lost_answers_are_made_good(client: Client, hosts: Hosts, lost: set[int]) -> None:
    hosts.node.lose = lost
    hosts.eats = 2
    assert client.record(pays(1, 20), source="s", batch_items=4, window=3).sequence == 20
    assert recorded_ids(hosts) == [f"e{n}" for n in range(1, 21)]


def test_a_node_that_goes_away_is_waited_for_and_then_given_up(client: Client, hosts: Hosts, monkeypatch) -> None:
    def cut(done: int, total: int) -> None:
        if done == 8:
            hosts.down |= {"a.test", "b.test"}

    monkeypatch.setattr(recording, "COMMIT_TIMEOUT_S", 0.05)
    with pytest.raises(Unreachable, match="no batch after item 8 is recorded"):
        client.record(pays(1, 20), source="s", sequence=1, batch_items=4, window=1, progress=cut)
    hosts.down.clear()
    assert client.record(pays(1, 20), source="s", sequence=1).added == 12
    assert recorded_ids(hosts) == [f"e{n}" for n in range(1, 21)]


def test_cloudevents_name_their_source_and_sequence(client: Client, hosts: Hosts) -> None:
    assert client.record(clouds(1, 3)).sequence == 3
    assert client.record(clouds(1, 5)).added == 2
    events = list(Client("http://n.test", hosts.node.genesis, transport=hosts.node).stream(start=1, follow=False))
    assert events[-1].data["args"]["items"][0]["attributes"] == {"amount": "1.50"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"source": "t"}, r"events\[1\].source: t, expected s"),
        ({"sequence": 7}, r"events\[1\].sequence: expected 2, got 7"),
        ({"subject": "o"}, r"events\[1\].subject: expected OBJECTTYPE/ID"),
        ({"data": {"parts": Decimal("0.5")}}, r"events\[1\].attributes.parts: 0.5 is a decimal number"),
        ({"data": {"amount": 0.5}}, r"events\[1\].data.amount: a float is not the same number everywhere"),
    ],
)
def test_cloudevents_that_do_not_fit_are_refused_with_their_place(
    client: Client, hosts: Hosts, change, expected
) -> None:
    first, second = clouds(1, 2)
    posted = len(hosts.node.posted)
    with pytest.raises(CosealError, match=expected):
        client.record([first, {**second, **change}])
    assert len(hosts.node.posted) == posted


def test_times_and_decimals_become_their_texts(client: Client, hosts: Hosts) -> None:
    at = datetime(2023, 1, 1, 8, tzinfo=timezone(timedelta(hours=8)))
    event = {**pays(1, 1)[0], "time": at, "objects": (("order", "o"),), "attributes": {"amount": Decimal("1.00")}}
    client.record([event], source="s")
    events = list(Client("http://n.test", hosts.node.genesis, transport=hosts.node).stream(start=1, follow=False))
    item = events[-1].data["args"]["items"][0]
    assert (item["time"], item["attributes"]) == ("2023-01-01T08:00:00+08:00", {"amount": "1.00"})


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("pay", "expected a mapping"),
        ({"time": datetime(2023, 1, 1)}, "a time without an offset"),
        ({"attributes": {"amount": Decimal("NaN")}}, "is no number"),
        ({"attributes": {"amount": [1.5]}}, r"events\[0\].attributes.amount\[0\]: a float"),
        ({"time": object()}, "has no encoding"),
    ],
)
def test_what_the_ledger_cannot_hold_is_refused_before_anything_is_sent(client: Client, event, expected) -> None:
    with pytest.raises(CosealError, match=expected):
        client.record([event], source="s")


def test_an_unknown_source_a_gap_and_a_refused_item_are_typed(client: Client, hosts: Hosts) -> None:
    for options, code in (({"source": "none"}, "unknown_source"), ({"source": "s", "sequence": 3}, "sequence")):
        with pytest.raises(Refused) as caught:
            client.record(pays(1, 1), **options)
        assert caught.value.code == code
        assert caught.value.hint
    with pytest.raises(Refused) as caught:
        client.record([*pays(1, 1), {**pays(2, 2)[0], "type": "fly"}], source="s")
    assert caught.value.code == "invalid_item"
    with pytest.raises(CosealError, match="of which source"):
        client.record(pays(1, 1))
    with pytest.raises(CosealError, match="from 1 on"):
        client.record(pays(1, 1), source="s", sequence=0)
    reader = Client("http://a.test", hosts.node.genesis, transport=hosts)
    with pytest.raises(CosealError, match="no signing identity"):
        reader.record(pays(1, 1), source="s")
    with pytest.raises(CosealError, match="a window of 0"):
        client.record(pays(1, 1), source="s", window=0)
