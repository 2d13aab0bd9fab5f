from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from coseal.contracts.kernel.action import Rejected
from coseal.ledger.block import CommittedBlock
from coseal.ledger.transaction import Transaction
from coseal.node import commits as module
from coseal.node.commits import Commits
from coseal.node.http.services import Location
from tests.support.chain import Chain
from tests.support.genesis import genesis


def made(count: int) -> list[tuple[CommittedBlock, tuple[bytes, ...]]]:
    chain = Chain(genesis())
    chain.grow(count, transactions=2)
    return [(block, tuple(Transaction.decode(raw).id for raw in block.block.transactions)) for block in chain.blocks]


def run(scenario: Callable[[Commits], Awaitable[None]]) -> None:
    async def whole() -> None:
        await scenario(Commits(0))

    asyncio.run(whole())


def test_a_decided_block_is_readable_and_a_published_one_is_committed() -> None:
    async def scenario(commits: Commits) -> None:
        block, ids = made(1)[0]
        commits.decided(block)
        assert commits.block(1) is block
        assert commits.locate(ids[1]) is None
        commits.published(block, ids)
        assert commits.locate(ids[1]) == Location(1, 1)
        assert commits.durable_height == 1

    run(scenario)


def test_who_waits_is_told_at_publication_or_refusal() -> None:
    async def scenario(commits: Commits) -> None:
        block, ids = made(1)[0]
        waiting = asyncio.gather(commits.wait(ids[0], 5), commits.wait(ids[0], 5), commits.wait(b"x" * 32, 5))
        await asyncio.sleep(0)
        commits.decided(block)
        commits.published(block, ids)
        commits.dropped(b"x" * 32, Rejected("expired", "too late"))
        assert await waiting == [Location(1, 0), Location(1, 0), Rejected("expired", "too late")]
        assert await commits.wait(ids[1], 5) == Location(1, 1)
        assert commits._waiting == {}

    run(scenario)


def test_waiting_ends_with_none_and_leaves_nothing_behind() -> None:
    async def scenario(commits: Commits) -> None:
        assert await commits.wait(b"x" * 32, 0.01) is None
        assert await commits.wait_height(1, 0.01) is False
        assert commits._waiting == {}
        assert commits._waiting_for_height == {}

    run(scenario)


def test_a_height_is_waited_for() -> None:
    async def scenario(commits: Commits) -> None:
        waiting = asyncio.create_task(commits.wait_height(2, 5))
        for block, ids in made(2):
            await asyncio.sleep(0)
            assert not waiting.done()
            commits.decided(block)
            commits.published(block, ids)
        assert await waiting is True
        assert await commits.wait_height(2, 0) is True

    run(scenario)


def test_what_is_kept_is_bounded_but_the_last_blocks_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCKS_MIN", 3)
    monkeypatch.setattr(module, "TRANSACTIONS_MAX", 1)

    async def scenario(commits: Commits) -> None:
        blocks = made(6)
        commits.preload(blocks)
        assert [height for height in range(1, 7) if commits.block(height)] == [4, 5, 6]
        assert commits.locate(blocks[2][1][0]) is None
        assert commits.locate(blocks[3][1][0]) == Location(4, 0)
        assert commits._bytes == sum(len(block.block.raw) for block, _ in blocks[3:])

    run(scenario)
