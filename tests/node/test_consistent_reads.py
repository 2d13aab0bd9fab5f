from __future__ import annotations

import asyncio

import pytest

from coseal.node.commits import Commits
from coseal.node.consistent_reads import ConsistentReads
from coseal.node.http.services import Unavailable
from tests.node.test_commits import made


def test_an_answer_is_given_when_the_own_tip_covers_it() -> None:
    async def scenario() -> None:
        commits, tokens = Commits(0), []
        reads = ConsistentReads(commits, tokens.append)
        waiting = asyncio.create_task(reads.consistent(5))
        await asyncio.sleep(0)
        reads.answered(tokens[0], 1)
        await asyncio.sleep(0.01)
        assert not waiting.done()
        commits.preload(made(1))
        assert await waiting == 1

    asyncio.run(scenario())


def test_each_question_has_its_own_token_and_old_answers_count_for_nothing() -> None:
    async def scenario() -> None:
        tokens: list[int] = []
        reads = ConsistentReads(Commits(5), tokens.append)
        with pytest.raises(Unavailable, match="quorum"):
            await reads.consistent(0.01)
        waiting = asyncio.create_task(reads.consistent(5))
        await asyncio.sleep(0)
        reads.answered(tokens[0], 1)
        await asyncio.sleep(0.01)
        assert not waiting.done()
        reads.answered(tokens[1], 4)
        assert await waiting == 4

    asyncio.run(scenario())


def test_a_height_that_is_not_reached_in_time_is_said() -> None:
    async def scenario() -> None:
        reads = ConsistentReads(
            Commits(0), lambda token: asyncio.get_running_loop().call_soon(reads.answered, token, 3) and None
        )
        with pytest.raises(Unavailable, match="height 3"):
            await reads.consistent(0.05)

    asyncio.run(scenario())
