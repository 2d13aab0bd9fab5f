"""As of when something is proven, in words."""

from pathlib import Path

import pytest

from coseal.cli.as_of import Other, ago, other_node, other_url, up_to
from coseal.errors import CosealError
from tests.support.genesis import genesis


@pytest.mark.parametrize(
    ("now_s", "expected"),
    [
        (1_767_571_200 - 5, "0 s ago"),  # a clock that is behind the chain's
        (1_767_571_200 + 59, "59 s ago"),
        (1_767_571_200 + 60, "1 min ago"),
        (1_767_571_200 + 7_200, "2 h ago"),
        (1_767_571_200 + 3 * 86_400, "3 d ago"),
    ],
)
def test_a_block_is_named_with_its_time_and_age(now_s: float, expected: str):
    moment = "2026-01-05T00:00:00.000Z"
    assert up_to(9, moment, now_s) == f"up to block 9 of {moment} ({expected})"


def test_without_a_time_the_block_alone_is_named():
    assert up_to(9, "None") == "up to block 9"
    assert ago(0) == "0 s"


@pytest.mark.parametrize(
    ("height", "expected"),
    [
        (8, "it has nothing later"),
        (9, "it has nothing later"),
        (10, "what block 10 may say is not in this"),
        (12, "what blocks 10 to 12 may say is not in this"),
    ],
)
def test_another_node_says_what_may_be_missing(height: int, expected: str):
    assert Other("bank-a", height).against(9) == f"bank-a proves block {height} as its last one: {expected}"


def test_without_another_node_there_is_nothing_to_compare_with(tmp_path: Path):
    assert other_node(tmp_path, genesis()) is None
    with pytest.raises(CosealError, match="proves no block of this chain"):
        other_url("http://127.0.0.1:25999", genesis())
