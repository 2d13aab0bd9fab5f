"""One block for all that a page claims to hold together."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from coseal.console.page_data import PageData
from coseal.console.shown import Trust, Untrue, joined
from coseal.ledger import codec
from tests.audit.conftest import Chain
from tests.console.fake import FakeNetwork

KEYS = ("membership/members", "membership/nodes", "membership/member/nobody")


def network(**more: Chain) -> FakeNetwork:
    made = FakeNetwork(**({"regulator": Chain().grow(12)} | more))
    asyncio.run(made.follow())
    return made


async def both(data: PageData, made: FakeNetwork) -> list[Any]:
    """Read two values, with a block between them."""
    first = await data.state(KEYS[0])
    made.chains["regulator"].add()
    return [first, await data.state(KEYS[1])]


def test_values_of_two_blocks_are_read_again_in_one():
    made = network()
    data = PageData(made.reader)
    shown = asyncio.run(both(data, made))
    assert [one.height for one in shown] == [12, 13]
    assert (joined(*shown).height, joined(*shown).until) == (12, 13)
    assert not asyncio.run(data.settled())
    again = [asyncio.run(data.state(key)) for key in KEYS[:2]]
    assert {one.height for one in again} == {13}
    assert (data.heights, joined(*again).until) == ((13, 13), None)
    assert asyncio.run(data.settled())


def test_what_is_read_once_more_than_before_is_read_with_the_rest():
    made = network()
    data = PageData(made.reader)
    asyncio.run(both(data, made))
    asyncio.run(data.settled())
    made.chains["regulator"].add()
    shown = [asyncio.run(data.state(key)) for key in KEYS]
    assert {one.height for one in shown} == {13, 14}
    assert not asyncio.run(data.settled())
    assert {asyncio.run(data.state(key)).height for key in KEYS} == {14}
    assert asyncio.run(data.settled())


def test_many_values_are_read_together_and_again_in_one_block_with_the_rest():
    made = network()
    data = PageData(made.reader)

    async def read() -> dict[str, Any]:
        await data.state(KEYS[0])
        made.chains["regulator"].add()
        return await data.together(KEYS[1:])

    shown = asyncio.run(read())
    assert [shown[key].value is None for key in KEYS[1:]] == [False, True]
    assert data.heights == (12, 13)
    assert not asyncio.run(data.settled())
    again = asyncio.run(data.together(KEYS))
    assert {(one.height, one.trust) for one in again.values()} == {(13, Trust.VERIFIED)}
    assert asyncio.run(data.settled())


def test_values_read_together_are_verified_each():
    made = network()
    chain = made.chains["regulator"]
    found = asyncio.run(made.reader.together(KEYS))
    assert [found[key].value is None for key in KEYS] == [False, False, True]
    honest = made._honest
    lies: list[Any] = []

    def lie(path: str, answer: Any) -> Any:
        return lies[-1](codec.decode(answer)) if path == "/v1/proofs" else answer

    made.twists["regulator"] = lie
    others = codec.decode(honest(chain, "/v1/proofs", {"keys": json.dumps(["governance/count"])}))
    for false in (
        lambda rows: codec.encode(rows[:-1]),
        lambda rows: codec.encode(rows[::-1]),
        lambda rows: codec.encode([*rows[:-1], *others]),
        lambda rows: codec.encode([rows[0], rows[0], rows[2]]),
        lambda rows: b"",
    ):
        lies.append(false)
        with pytest.raises(Untrue):
            asyncio.run(made.reader.together(KEYS))


def test_an_older_state_than_was_followed_is_refused_and_another_node_asked():
    chain = Chain().grow(12)
    made = network(old=chain, regulator=chain)
    stale = made._honest(chain, f"/v1/state/{KEYS[0]}", {})
    chain.grow(3)
    asyncio.run(made.follow())
    made.nodes._current = "old"
    made.twists["old"] = lambda path, answer: stale if path.startswith("/v1/state/") else answer
    shown = asyncio.run(made.reader.state(KEYS[0]))
    assert (shown.node, shown.height, shown.trust) == ("regulator", 15, Trust.VERIFIED)
    assert "as of block 12, though block 15 was asked for" in made.nodes.doubts.kept()[0].reason


def test_very_many_keys_are_asked_in_several_questions():
    made = network()
    keys = [f"membership/member/{'x' * 60}{number}" for number in range(300)]
    found = asyncio.run(made.reader.together(keys))
    assert len(found) == 300
    assert sum(path == "/v1/proofs" for _, path in made.asked) >= 2
