from __future__ import annotations

from collections.abc import Callable
from functools import partial

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.node.http.context import Settings
from coseal.node.http.limits import STILL_S, Limits, Patience, TokenBuckets
from tests.node.http.world import World, scenario


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    buckets = TokenBuckets(2, 10)
    assert [buckets.take("a", 1, 5, 0.0) for _ in range(10)] == [0.0] * 10
    assert buckets.take("a", 1, 5, 0.0) == 0.2
    assert buckets.take("b", 1, 5, 0.0) == 0.0, "another key has its own"
    assert buckets.take("a", 1, 5, 0.3) == 0.0
    assert buckets.take("a", 1, 5, 0.3) > 0.0


def test_more_than_a_bucket_passes_when_it_is_full_and_is_paid_for() -> None:
    buckets = TokenBuckets(1, 10)
    assert buckets.take("a", 50, 10, 0.0) == 0.0
    assert 4.0 <= buckets.take("a", 1, 10, 0.0) <= 5.0
    assert buckets.take("a", 1, 10, 4.2) == 0.0


def test_buckets_are_bounded() -> None:
    buckets = TokenBuckets(1, 3)
    for number in range(100):
        buckets.take(str(number), 1, 1, 0.0)
    assert len(buckets._buckets) == 3


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.floats(0, 2), st.integers(1, 5)), max_size=60))
def test_never_more_than_burst_and_rate_allow(steps: list[tuple[float, int]]) -> None:
    buckets, now, taken = TokenBuckets(2, 3), 0.0, 0
    for pause, amount in steps:
        now += pause
        if buckets.take("k", amount, 7, now) == 0.0:
            taken += amount
        assert taken <= 7 * 2 + 7 * now + 1e-6


def stand_still(world: World) -> None:
    """Let no time pass for the buckets: on a busy machine a second between two requests fills them again."""
    for buckets in (world.app._context.requests, world.app._context.transactions):
        buckets.take = partial(_at_once, buckets.take)


def _at_once(take: Callable[..., float], key: str, amount: int, rate: float, now_s: float) -> float:
    return take(key, amount, rate, 0.0)


TIGHT = Limits(requests_per_s=1, transactions_per_s=1, burst_s=4)


@scenario(settings=Settings(limits=TIGHT))
async def test_an_address_beyond_its_rate_is_429_with_retry_after(world: World, client: httpx.AsyncClient) -> None:
    stand_still(world)
    async with world.client("192.0.2.7") as far, world.client("192.0.2.8") as other:
        codes = [(await far.get("/healthz")).status_code for _ in range(6)]
        assert codes == [200] * 4 + [429] * 2
        response = await far.get("/healthz")
        assert response.json()["code"] == "too_many_requests"
        assert int(response.headers["Retry-After"]) >= 1
        assert (await other.get("/healthz")).status_code == 200
    assert (await client.get("/healthz")).status_code == 200


@scenario(settings=Settings(limits=TIGHT))
async def test_transactions_have_a_rate_of_their_own(world: World, client: httpx.AsyncClient) -> None:
    stand_still(world)
    headers = {"Content-Type": "application/msgpack"}
    async with world.client("192.0.2.7") as far:
        body = b"\x96" + b"".join(b"\xc5" + len(raw).to_bytes(2, "big") + raw for raw in [world.profile().raw] * 6)
        assert (await far.post("/v1/transactions/batch", content=body, headers=headers)).status_code == 202
        response = await far.post("/v1/transactions", content=world.profile().raw, headers=headers)
        assert (response.status_code, response.json()["code"]) == (429, "too_many_transactions")
        assert int(response.headers["Retry-After"]) >= 1


@scenario(settings=Settings(limits=Limits(streams=1)))
async def test_streams_are_bounded(world: World, client: httpx.AsyncClient) -> None:
    world.app._context.streams = 1
    response = await client.get("/v1/stream")
    assert (response.status_code, response.json()["code"]) == (429, "too_many_streams")


def test_who_is_refused_often_is_held_off_until_it_is_still_for_a_while() -> None:
    patience = Patience(Limits(refused_per_s=10, burst_s=2))
    for _ in range(20):
        patience.refused("a", 1, 0.0)
    assert not patience.holds_off("a", 0.0)
    patience.refused("a", 1, 0.0)
    assert patience.holds_off("a", 0.5)
    assert not patience.holds_off("b", 0.5), "another key is not concerned"
    assert patience.holds_off("a", 0.4 + STILL_S), "the time began anew"
    assert not patience.holds_off("a", 0.4 + 2 * STILL_S)
    assert not patience.holds_off("a", 0.5 + 2 * STILL_S), "then it is over"


def test_who_tries_again_now_and_then_is_not_held_off() -> None:
    patience = Patience(Limits(refused_per_s=10, burst_s=2))
    for tenth in range(1_000):
        assert not patience.holds_off("a", tenth / 10)
        patience.refused("a", 1, tenth / 10)


def test_who_is_held_off_is_bounded() -> None:
    patience = Patience(Limits(refused_per_s=1, burst_s=1, buckets=3))
    for number in range(100):
        patience.refused(str(number), 5, 0.0)
        patience.refused(str(number), 5, 0.0)
    assert len(patience._last) == 3
