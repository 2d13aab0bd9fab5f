"""A case of the budget that ends otherwise than it is for, or takes longer than it pays for, is a fault."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.budget import __main__ as budget
from bench.budget.scene import Result


@pytest.mark.parametrize(
    ("result", "status", "said"),
    [
        (Result("a case", 1_000, 0.1, 0.2), 0, ""),
        (Result("a case", 1_000, 0.1, 0.2, "limit", "limit"), 0, ""),
        (Result("a case", 1_000, 0.1, 0.2, "too_costly"), 1, "too_costly where ok is expected: a case\n"),
        (Result("a case", 1_000, 0.3, 0.2), 1, "the charge is too small: a case\n"),
    ],
)
def test_a_case_with_another_outcome_or_too_small_a_charge_fails(
    result: Result, status: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def cases() -> Iterator[Result]:
        yield result

    monkeypatch.setattr(budget, "GROUPS", {"one": cases})
    assert budget.main([]) == status
    assert capsys.readouterr().err == said
