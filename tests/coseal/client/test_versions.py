"""What is said about a protocol version to come."""

from __future__ import annotations

from typing import Any

import pytest

from coseal.client import versions


def upgrade(**changed: Any) -> dict[str, Any]:
    ballot = {"version": 2, "height": 100, "proposal": "rules", "first_height": None}
    return {**ballot, "having": ["a"], "lacking": ["b", "c", "d"], "needed": 3, "known": True, **changed}


def test_a_version_that_waits_and_one_that_takes_effect_are_told_apart() -> None:
    waits = (
        "protocol version 2 is accepted and not in force: 1 of 4 validators have it, 3 are needed; b, c and d lack it"
    )
    assert versions.standing(upgrade()) == waits
    begins = upgrade(first_height=100, having=["a", "b", "c"], lacking=["d"])
    assert versions.standing(begins) == "protocol version 2 takes effect at block 100; d lacks it and will stop there"
    everyone = upgrade(first_height=100, having=["a", "b", "c", "d"], lacking=[])
    assert versions.standing(everyone) == "protocol version 2 takes effect at block 100; every validator has it"
    assert (versions.suffices(upgrade()), versions.suffices(begins)) == (False, True)


@pytest.mark.parametrize(
    "odd",
    [None, [], "2", {}, {"version": 2, "first_height": 9, "known": True}]
    + [upgrade(**{name: {"odd": 1}}) for name in upgrade()]
    + [upgrade(having=[1]), upgrade(lacking=[None]), upgrade(version=True)],
)
def test_what_a_node_answers_oddly_is_not_shown(odd: object) -> None:
    assert versions.read(odd) is None


def test_what_a_node_answers_rightly_is_read() -> None:
    assert versions.read(upgrade()) == upgrade()
    assert versions.read(upgrade(first_height=5)) == upgrade(first_height=5)
