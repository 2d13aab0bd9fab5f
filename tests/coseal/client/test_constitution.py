"""Who can pass and who can stop a proposal, against every single voting of small consortia."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping

import pytest

from coseal.client.constitution import powers
from coseal.contracts.governance.document import FOUNDING, constitution_of
from coseal.contracts.governance.resolution import CONSTITUENCIES, Track
from coseal.demo.examples import example
from tests.contracts.governance.naive import overridden, passes

RECOMMENDED = constitution_of(json.loads(example("constitution/recommended.json").read_text()))
TRACKS = {**RECOMMENDED.tracks, "founding": FOUNDING.tracks["ordinary"]}
CONSORTIA = (
    {"government": 1, "bank": 2, "enterprise": 1},
    {"government": 1, "bank": 3, "enterprise": 2},
    {"government": 2, "institute": 2},
    {"bank": 4},
    {"government": 1, "bank": 1, "enterprise": 1, "institute": 1, "public": 1},
)
Voting = tuple[tuple[str, str], ...]


def votings(there: Mapping[str, int], *choices: str) -> Iterable[Voting]:
    """Yield every way in which the members of a consortium vote."""
    members = [name for name in CONSTITUENCIES for _ in range(there.get(name, 0))]
    for said in itertools.product(choices, repeat=len(members)):
        yield tuple(zip(members, said, strict=True))


def numbers(voting: Voting, choice: str) -> dict[str, int]:
    found = {name: voting.count((name, choice)) for name in CONSTITUENCIES}
    return {name: count for name, count in found.items() if count}


def least(found: Iterable[dict[str, int]]) -> list[dict[str, int]]:
    """Return those that have no other one below them."""
    every = {tuple(sorted(one.items())): one for one in found}.values()
    below = [
        one
        for one in every
        if not any(other != one and all(one.get(name, 0) >= n for name, n in other.items()) for other in every)
    ]
    return sorted(below, key=str)


def stoppable(track: Track, voting: Voting) -> bool:
    """Say whether nothing passes by the votes of all others, whoever of them says yes: all of them do."""
    full = tuple((where, "yes" if said == "silent" else said) for where, said in voting)
    vetoed = any(
        2 * voting.count((name, "no")) > sum(where == name for where, _ in voting)
        for name in track.veto
        if any(where == name for where, _ in voting)
    )
    return not ((passes(track, full, None) and not vetoed) or overridden(track, full))


@pytest.mark.parametrize("there", CONSORTIA, ids=str)
@pytest.mark.parametrize("name", TRACKS)
def test_coalitions_are_the_least_that_any_voting_shows(name: str, there: dict[str, int]) -> None:
    track, found = TRACKS[name], powers(TRACKS[name], there)
    assert found is not None
    passing = [numbers(one, "yes") for one in votings(there, "yes", "silent") if passes(track, one, None)]
    overriding = [
        numbers(one, "yes")
        for one in votings(there, "yes", "silent")
        if overridden(track, one) and not passes(track, one, None)
    ]
    stopping = [numbers(one, "no") for one in votings(there, "no", "silent") if stoppable(track, one)]
    assert sorted(found.passing, key=str) == least(passing)
    assert sorted(found.overriding, key=str) == least(overriding)
    assert sorted(found.stopping, key=str) == least(stopping)


def test_a_consortium_with_too_many_votings_is_not_looked_at() -> None:
    track = TRACKS["ordinary"]
    assert powers(track, dict.fromkeys(CONSTITUENCIES, 20)) is None
    assert powers(track, {"bank": 9}, None, 10) is not None
    assert powers(track, {"bank": 10}, None, 10) is None
