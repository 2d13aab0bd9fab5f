"""Lists by pages: joined up to the limit, and a list that is none, or never ends, is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from coseal.client.blocking import Client
from coseal.errors import BadAnswer, FalseAnswer
from tests.support.genesis import make_genesis

Answer = Callable[[httpx.QueryParams], Any]


def client_of(answer: Answer) -> Client:
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json=answer(request.url.params)))
    return Client("http://node.test", make_genesis(), transport=transport)


def row(number: int) -> dict[str, int]:
    return {"number": number}


def test_pages_are_joined_up_to_the_limit() -> None:
    asked: list[str] = []

    def answer(params: httpx.QueryParams) -> Any:
        asked.append(params["status"])
        start = int(params.get("cursor", 0))
        numbers = range(start, min(start + min(int(params["limit"]), 3), 8))
        return {"rows": [row(number) for number in numbers], "next": str(numbers[-1] + 1) if numbers[-1] < 7 else None}

    client = client_of(answer)
    assert list(client.pages("/v1/rows", "rows", status="open")) == [row(number) for number in range(8)]
    assert set(asked) == {"open"}
    assert list(client.pages("/v1/rows", "rows", limit=4, status="open")) == [row(number) for number in range(4)]
    assert list(client.pages("/v1/rows", "rows", limit=0, status="open")) == []


@pytest.mark.parametrize("document", [{}, {"rows": {}}, {"rows": [1]}, {"rows": [{}] * 1_001}, {"rows": [], "next": 7}])
def test_what_is_no_list_is_refused(document: Any) -> None:
    with pytest.raises(FalseAnswer, match=r"gave (no list|a list of rows that names no next page)"):
        list(client_of(lambda params: document).pages("/v1/rows", "rows"))


@pytest.mark.parametrize("document", [{"rows": [{}], "next": "1"}, {"rows": [], "next": "x"}])
def test_a_list_that_does_not_end_is_refused(document: Any) -> None:
    with pytest.raises(BadAnswer, match="does not end"):
        list(client_of(lambda params: document).pages("/v1/rows", "rows"))
