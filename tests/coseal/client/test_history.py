"""An object's history is proven complete, or refused."""

from copy import deepcopy

import httpx
import pytest

from coseal.audit.verify import verify_document
from coseal.client.history import object_history, parse_object
from coseal.errors import BadAnswer, CosealError

TYPE = {"id": "t", "version": 1, "title": "T", "object_types": {"o": {}}, "event_types": {"e": {}}}
ITEMS = [
    {"event": f"e{n}", "type": "e", "time": "2023-11-14T22:00:00Z", "objects": [["o", "a" if n != 1 else "b"]]}
    for n in range(4)
]


@pytest.fixture
def recorded(node):
    """A chain with three items of object a and one of b, and a client whose node answers with ``document``."""
    with node.client() as client:
        client.submit("process", "define_type", TYPE).require_ok()
        client.submit("process", "register_source", {"id": "s", "process_type": "t", "mode": "historical"}).require_ok()
        client.submit("process", "record", {"source": "s", "sequence": 1, "items": ITEMS}).require_ok()
        yield node, client


def document_of(client) -> dict:
    record = client.get("/v1/state/process/object/t/o/a", proof="true")
    items = [
        {"source": "enterprise-a/s", "sequence": n + 1, "item": item}
        for n, item in enumerate(ITEMS)
        if item["objects"] == [["o", "a"]]
    ]
    names = {"coseal": "object-history", "version": 1, "process_type": "t", "type": "o", "id": "a"}
    return {**names, "height": 4, "count": 3, "items": items, "record": record}


def answer(node, client, document, monkeypatch: pytest.MonkeyPatch):
    real = node.handle_request

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/v1/objects/"):
            return httpx.Response(200, json=document)
        return real(request)

    monkeypatch.setattr(node, "handle_request", handle)
    return object_history(client, "t", "o", "a")


def test_a_complete_history_is_returned_and_verifies_offline(recorded, monkeypatch: pytest.MonkeyPatch):
    node, client = recorded
    document, history = answer(node, client, document_of(client), monkeypatch)
    assert [item["event"] for _, _, item in history.items] == ["e0", "e2", "e3"]
    result = verify_document(document, node.genesis)
    assert result.ok
    assert result.facts["items"] == 3


def cut(document: dict) -> None:
    del document["items"][1]
    document["count"] = 2


def swap(document: dict) -> None:
    document["items"].reverse()


def alter(document: dict) -> None:
    document["items"][0]["item"]["time"] = "2023-11-14T23:00:00Z"


def extend(document: dict) -> None:
    document["items"].append(document["items"][0])
    document["count"] = 4


def rename(document: dict) -> None:
    document["id"] = "b"


def miscount(document: dict) -> None:
    document["count"] = 4


def unprove(document: dict) -> None:
    document["record"]["raw"] = document["record"]["raw"][:-8] + "AAAAAAA="


def relabel(document: dict) -> None:
    document["coseal"] = "receipt"


def unlist(document: dict) -> None:
    document["items"] = {"first": 1}


@pytest.mark.parametrize("lie", [cut, swap, alter, extend, rename, miscount, unprove, relabel, unlist])
def test_a_history_that_is_not_the_whole_truth_is_refused(recorded, lie, monkeypatch: pytest.MonkeyPatch):
    node, client = recorded
    document = deepcopy(document_of(client))
    lie(document)
    with pytest.raises(BadAnswer):
        answer(node, client, document, monkeypatch)
    assert not verify_document(document, node.genesis).ok


def test_the_history_of_another_object_is_not_taken(recorded, monkeypatch: pytest.MonkeyPatch):
    node, client = recorded
    document = document_of(client)
    monkeypatch.setattr(node, "handle_request", lambda request: httpx.Response(200, json=document))
    with pytest.raises(BadAnswer, match="another object"):
        object_history(client, "t", "o", "c")


def test_an_objects_name_has_three_parts_and_its_id_may_hold_slashes():
    assert parse_object("t/o/a/b") == ("t", "o", "a/b")
    for name in ("t/o", "t//a", "t/o/"):
        with pytest.raises(CosealError, match="PROCESSTYPE/OBJECTTYPE/ID"):
            parse_object(name)
