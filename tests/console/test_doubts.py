"""What is kept of answers that did not verify: bounded, for a time, and nothing that verifies after all."""

from __future__ import annotations

from typing import Any

import pytest

from coseal.console import doubts as module
from coseal.console.doubts import ASIDE_S, ASIDE_S_MAX, BODY_BYTES_MAX, FORKS_MAX, KEPT_MAX, KEPT_OF_NODE_MAX, Doubts
from coseal.ledger.errors import BadProof


def fails() -> None:
    raise BadProof("no")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1_000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def note(
    doubts: Doubts, node: str = "a", question: str = "q", reason: str = "r", body: bytes = b"x", judge: Any = fails
):
    doubts.note(node, question, reason, body, judge)


def test_a_node_is_asked_last_for_a_while_and_longer_each_time(clock: list[float]):
    doubts = Doubts()
    note(doubts)
    assert doubts.is_aside("a")
    assert not doubts.is_aside("b")
    note(doubts, reason="again")  # asked although it is aside: no longer for that
    clock[0] += ASIDE_S
    assert not doubts.is_aside("a")
    note(doubts)
    clock[0] += ASIDE_S
    assert doubts.is_aside("a")
    clock[0] += ASIDE_S
    assert not doubts.is_aside("a")
    for _ in range(20):
        note(doubts)
        clock[0] += ASIDE_S_MAX
        assert not doubts.is_aside("a")


def test_what_verifies_later_ends_the_doubt_once_its_time_is_over(clock: list[float]):
    doubts = Doubts()
    note(doubts)
    doubts.held("a")
    assert [doubt.node for doubt in doubts.standing()] == ["a"], "a liar does not clear itself by one true answer"
    clock[0] += ASIDE_S
    doubts.held("a")
    assert doubts.standing() == []
    assert [doubt.node for doubt in doubts.kept()] == ["a"], "what it answered then is still to be seen"


def test_an_answer_that_verifies_when_judged_again_is_dropped():
    doubts, answers = Doubts(), iter([None])
    note(doubts, judge=lambda: next(answers))
    note(doubts, node="b")
    doubts.review()
    assert [doubt.node for doubt in doubts.kept()] == ["b"]
    assert not doubts.is_aside("a")
    assert doubts.of("a") is None


def test_the_same_answer_to_the_same_question_is_kept_once_and_counted():
    doubts = Doubts()
    note(doubts)
    [before] = doubts.kept()
    note(doubts)
    [after] = doubts.kept()
    assert (after.id, after.times) == (before.id, 2)


def test_everything_kept_is_bounded():
    doubts = Doubts()
    for number in range(KEPT_OF_NODE_MAX + 5):
        note(doubts, question=str(number))
    assert len(doubts.kept()) == KEPT_OF_NODE_MAX
    for number in range(KEPT_MAX + 5):
        note(doubts, node=str(number), reason="x" * 10_000)
    assert len(doubts.kept()) == KEPT_MAX
    assert all(len(doubt.reason) <= 500 for doubt in doubts.kept())
    note(doubts, body=bytes(BODY_BYTES_MAX + 1))
    assert (doubts.kept()[0].body, doubts.kept()[0].size) == (None, BODY_BYTES_MAX + 1)
    for height in range(FORKS_MAX + 5):
        doubts.fork(height, ("m",), "a", {})
        doubts.fork(height, ("m",), "b", {})
    assert [fork.height for fork in doubts.forks()] == list(range(FORKS_MAX))[::-1]
