"""Consistent reads: ask the machine for a height that covers all that was committed, then wait for this height.

Law: without a quorum of answers, given after the question came in, there is no answer rather than an old one.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable

from coseal.node.commits import Commits
from coseal.node.http.services import Unavailable


class ConsistentReads:
    """Every method is called on the loop. ``ask(token)`` gives ``ReadRequested`` to the machine."""

    def __init__(self, commits: Commits, ask: Callable[[int], object]) -> None:
        self._commits, self._ask = commits, ask
        self._tokens = itertools.count(1)
        self._questions: dict[int, asyncio.Future[int]] = {}

    def answered(self, token: int, height: int) -> None:
        """Note the machine's answer, ``ReadHeightKnown``."""
        question = self._questions.get(token)
        if question is not None and not question.done():
            question.set_result(height)

    async def consistent(self, timeout_s: float) -> int:
        """See ``Services.consistent``."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        token = next(self._tokens)
        question: asyncio.Future[int] = loop.create_future()
        self._questions[token] = question
        try:
            async with asyncio.timeout(timeout_s):
                self._ask(token)
                height = await question
        except TimeoutError:
            raise Unavailable(f"no quorum of validators said its tip within {timeout_s:g} s") from None
        finally:
            del self._questions[token]
        if not await self._commits.wait_height(height, max(0.0, deadline - loop.time())):
            raise Unavailable(f"this node has not reached height {height} within {timeout_s:g} s")
        return height
