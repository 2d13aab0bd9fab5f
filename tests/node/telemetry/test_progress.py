from __future__ import annotations

import pytest

from coseal.node.telemetry import progress as module
from coseal.node.telemetry.progress import NEWS_SECONDS, Progress


def test_of_one_subject_there_is_news_every_ten_seconds_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    progress = Progress(0)
    assert progress.is_news("10.0.0.1")
    assert progress.is_news("10.0.0.2"), "another one is another subject"
    assert not progress.is_news("10.0.0.1")
    now[0] += NEWS_SECONDS - 0.1
    assert not progress.is_news("10.0.0.1")
    now[0] += 0.1
    assert progress.is_news("10.0.0.1")


def test_many_subjects_take_no_more_than_their_bound() -> None:
    progress = Progress(0)
    assert all(progress.is_news(f"address {number}") for number in range(1_000))
    assert len(progress._logged) <= module._SUBJECTS_MAX + 1
