"""Asking the process that says what a transaction would come to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from coseal.contracts.kernel.action import Rejected
from coseal.ledger.block import Receipt
from coseal.ledger.transaction import Transaction
from coseal.node.http.services import Unavailable
from coseal.node.verifier import preview as module
from coseal.node.verifier.preview import Previews
from coseal.node.verifier.preview_worker import Preview, Question
from tests.node.verifier.test_preview_worker import GENESIS, extended, state_of
from tests.support.chain import Chain
from tests.support.genesis import START_MS, genesis
from tests.support.transactions import signed

Scenario = Callable[[Previews], Awaitable[None]]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state database, and the genesis beside it."""
    (tmp_path / GENESIS).write_bytes(genesis().raw)
    state_of(tmp_path / "state").close()
    return tmp_path / "state"


def run(state: Path, scenario: Scenario) -> None:
    async def whole() -> None:
        previews = Previews(state, state.parent / GENESIS)
        try:
            await scenario(previews)
        finally:
            await previews.close()

    asyncio.run(whole())


def question(number: int = 1, **changes: object) -> Question:
    return replace(Question(signed(genesis(), number).raw, True, 0, START_MS + 1), **changes)  # type: ignore[arg-type]


def outcome(preview: Preview) -> str:
    return preview.outcome.code


def test_what_would_come_of_a_transaction_is_said_and_nothing_is_written(state: Path) -> None:
    async def scenario(previews: Previews) -> None:
        for _ in range(2):
            found = await previews.preview(question())
            assert isinstance(found.outcome, Receipt)
            assert (found.height, found.outcome.ok, found.outcome.tx_id) == (0, True, signed(genesis(), 1).id)

    run(state, scenario)


def test_what_is_not_signed_is_taken_as_the_senders_and_a_false_signature_is_refused(state: Path) -> None:
    bare = Transaction.decode(signed(genesis(), 1).raw)
    forged = question().raw[:-1] + bytes([question().raw[-1] ^ 1])

    async def scenario(previews: Previews) -> None:
        assert outcome(await previews.preview(question(raw=forged))) == "bad_signature"
        assert outcome(await previews.preview(question(raw=forged, signed=False))) == "ok"
        assert outcome(await previews.preview(question(time_ms=bare.valid_until_ms))) == "expired"

    run(state, scenario)


def test_a_process_that_ended_is_followed_by_another(state: Path) -> None:
    async def scenario(previews: Previews) -> None:
        await previews.preview(question())
        assert previews._process is not None
        previews._process._process.kill()
        with pytest.raises(Unavailable, match="ended"):
            await previews.preview(question())
        assert outcome(await previews.preview(question())) == "ok"

    run(state, scenario)


def test_what_takes_too_long_is_given_up_and_its_process_ended(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(previews: Previews) -> None:
        await previews.preview(question())
        assert previews._process is not None
        process = previews._process._process
        monkeypatch.setattr(module, "ANSWER_S", 0.0)
        with pytest.raises(Unavailable, match="longer than"):
            await previews.preview(question())
        assert process.returncode is not None
        monkeypatch.undo()
        assert outcome(await previews.preview(question())) == "ok"

    run(state, scenario)


def test_one_is_executed_at_a_time_and_few_wait(state: Path) -> None:
    async def scenario(previews: Previews) -> None:
        asked = [asyncio.create_task(previews.preview(question(n))) for n in range(module.WAITING_MAX)]
        await asyncio.sleep(0)
        with pytest.raises(Unavailable, match="too many"):
            await previews.preview(question())
        assert [outcome(found) for found in await asyncio.gather(*asked)] == ["ok"] * module.WAITING_MAX

    run(state, scenario)


def test_the_process_ends_when_nobody_asks_and_begins_again(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(previews: Previews) -> None:
        monkeypatch.setattr(module, "IDLE_S", 0.01)
        await previews.preview(question())
        async with asyncio.timeout(20):
            while previews._process is not None:
                await asyncio.sleep(0.01)
        monkeypatch.undo()
        assert outcome(await previews.preview(question())) == "ok"

    run(state, scenario)


def test_who_leaves_takes_no_answer_of_others(state: Path) -> None:
    async def scenario(previews: Previews) -> None:
        await previews.preview(question())
        gone = asyncio.create_task(previews.preview(question(1)))
        await asyncio.sleep(0)
        gone.cancel()
        found = await previews.preview(question(2))
        assert isinstance(found.outcome, Receipt)
        assert found.outcome.tx_id == signed(genesis(), 2).id

    run(state, scenario)


def test_a_node_that_stops_says_so(state: Path) -> None:
    async def scenario(previews: Previews) -> None:
        await previews.close()
        with pytest.raises(Unavailable, match="stopping"):
            await previews.preview(question())

    run(state, scenario)


def test_a_block_that_the_node_wrote_meanwhile_is_seen(state: Path) -> None:
    chain = Chain(genesis())

    async def scenario(previews: Previews) -> None:
        assert (await previews.preview(question())).height == 0
        store = state_of(state)
        extended(store, chain, [signed(genesis(), 1)])
        store.close()
        found = await previews.preview(question(min_height=1))
        assert found == Preview(1, Rejected("duplicate", "already recorded; ask for its receipt"))

    run(state, scenario)
