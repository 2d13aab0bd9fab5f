"""Resolution against a second rule over single votes; what is exhaustive says so, the largest runs are slow."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.contracts.governance import resolution as rule
from coseal.contracts.governance.document import FOUNDING
from coseal.contracts.governance.resolution import (
    CONSTITUENCIES,
    MAJORITY,
    TWO_THIRDS,
    Clock,
    Count,
    Opening,
    Override,
    Quota,
    Track,
)
from coseal.ledger.validators import quorum
from tests.contracts.governance import naive

OPENING = Opening(1, 100, 200)
ALL = dict.fromkeys(CONSTITUENCIES, MAJORITY)
THREE = dict.fromkeys(CONSTITUENCIES[:3], MAJORITY)
OVER = Override(50, Quota(1, 3))


def track(total: Quota = MAJORITY, classes: dict[str, Quota] | None = None, **more: object) -> Track:
    return Track("t", "members", total, OPENING, {} if classes is None else classes, **more)  # type: ignore[arg-type]


TRACKS = {
    "founding": FOUNDING.tracks["ordinary"],
    "two": track(classes=ALL, at_least=2, override=OVER),
    "all": track(TWO_THIRDS, ALL, at_least=5, override=OVER, not_before_ms=20),
    "own": track(TWO_THIRDS, ALL, at_least=2, override=OVER, own=True),
    "veto": track(
        classes=ALL, at_least=3, override=Override(60, MAJORITY), veto=("government", "bank"), not_before_ms=20
    ),
    "named": track(classes=THREE, at_least=3),
    "odd": track(Quota(3, 7), {"bank": Quota(0, 1), "public": Quota(4, 5)}, at_least=2, veto=("public",)),
}
CLOCKS = [Clock(1_000, 1_100, 1_000 + age) for age in (0, 20, 55, 60, 100)]
SAID = ("yes", "no", "abstain", "silent")


def votings(most: int, constituencies: Sequence[str]) -> Iterator[list[naive.Vote]]:
    """Every voting of up to ``most`` members, one of those that differ in who voted alone."""
    cells = list(itertools.product(constituencies, SAID))
    for size in range(most + 1):
        yield from map(list, itertools.combinations_with_replacement(cells, size))


def agree(votes: Sequence[naive.Vote], constituencies: Sequence[str]) -> None:
    counted = naive.tally(votes)
    for name, each in TRACKS.items():
        for newcomer in (constituencies[0], constituencies[-1]) if each.own else (None,):
            expected = naive.statuses(each, votes, CLOCKS, newcomer)
            for clock, status in zip(CLOCKS, expected, strict=True):
                found = rule.resolve(each, counted, clock, newcomer)
                assert found.status == status, (name, votes, clock, newcomer)
                if found.overridden is not None:
                    assert found.overridden in naive.overridden(each, votes)


def test_every_voting_of_four_members_is_resolved_as_a_second_rule_does() -> None:
    for votes in votings(4, CONSTITUENCIES[:3]):
        agree(votes, CONSTITUENCIES[:3])


@pytest.mark.slow
def test_every_voting_of_six_members_is_resolved_as_a_second_rule_does() -> None:
    """Of 230,230 votings in five constituencies, at five times, under every track; ``TURN=all`` takes all in a run.

    Otherwise one of sixteen parts, the next at every commit.
    """
    turn = os.environ.get("TURN", "0")
    start, step = (0, 1) if turn == "all" else (int(turn) % 16, 16)
    for votes in itertools.islice(votings(6, CONSTITUENCIES), start, None, step):
        agree(votes, CONSTITUENCIES)


VOTES = st.lists(st.tuples(st.sampled_from(CONSTITUENCIES), st.sampled_from(SAID)), max_size=40)
NAMES = st.sampled_from(sorted(TRACKS))


@settings(deadline=None)
@given(VOTES, NAMES, st.sampled_from(CLOCKS), st.sampled_from(CONSTITUENCIES))
def test_larger_votings_are_resolved_as_a_second_rule_does(
    votes: list[naive.Vote], name: str, clock: Clock, newcomer: str
) -> None:
    found = rule.resolve(TRACKS[name], naive.tally(votes), clock, newcomer)
    assert found.status == naive.status(TRACKS[name], votes, clock, newcomer)


@settings(deadline=None)
@given(VOTES, NAMES, st.data())
def test_a_yes_for_silence_and_silence_for_a_no_never_hurt_a_proposal(
    votes: list[naive.Vote], name: str, data: st.DataObject
) -> None:
    """Q7."""
    worse = [place for place, (_, vote) in enumerate(votes) if vote in ("silent", "no", "abstain")]
    if not worse:
        return
    place = data.draw(st.sampled_from(worse))
    where, vote = votes[place]
    better = [*votes[:place], (where, "silent" if vote == "no" else "yes"), *votes[place + 1 :]]
    before, after, each = naive.tally(votes), naive.tally(better), TRACKS[name]
    for newcomer in CONSTITUENCIES:
        assert rule.holds(each, before, newcomer) <= rule.holds(each, after, newcomer)
        assert rule.possible(each, before, newcomer) <= rule.possible(each, after, newcomer)
    assert (rule.overrides(each, before) is not None) <= (rule.overrides(each, after) is not None)
    assert rule.may_veto(each, after) <= rule.may_veto(each, before)
    assert rule.vetoed(each, after) <= rule.vetoed(each, before)


def test_possible_and_may_veto_are_what_the_silent_could_still_do() -> None:
    for votes in votings(4, CONSTITUENCIES[:3]):
        silent = [place for place, (_, vote) in enumerate(votes) if vote == "silent"]
        ends = []
        for cast in itertools.product(("yes", "no"), repeat=len(silent)):
            chosen = dict(zip(silent, cast, strict=True))
            ends.append([(where, chosen.get(place, vote)) for place, (where, vote) in enumerate(votes)])
        for name in ("two", "veto", "odd"):
            each, counted = TRACKS[name], naive.tally(votes)
            assert rule.may_veto(each, counted) == any(naive.stops(each, end, "no") for end in ends)
            passing = any(
                (naive.passes(each, end, None) and not naive.stops(each, end, "no")) or naive.overridden(each, end)
                for end in ends
            )
            assert rule.possible(each, counted) == passing, (name, votes)


@pytest.mark.parametrize("members", range(1, 65))
def test_the_founding_rule_is_a_quorum(members: int) -> None:
    each = FOUNDING.tracks["ordinary"]
    for yes in range(members + 1):
        assert rule.holds(each, {"bank": Count(members, yes=yes)}) == (yes >= quorum(members))
        no = members - yes
        assert rule.possible(each, {"bank": Count(members, no=no)}) == (members - no >= quorum(members))


def test_nothing_passes_without_a_yes() -> None:
    """Q2."""
    assert not rule.holds(track(Quota(0, 1)), {})
    assert not rule.holds(track(Quota(0, 1)), {"bank": Count(3)})


def test_a_veto_delays_what_could_still_be_stopped_and_only_an_override_passes_it() -> None:
    each = TRACKS["veto"]
    votes = {name: Count(2, yes=2) for name in CONSTITUENCIES[1:]} | {"government": Count(2)}
    early, heard, over, closing = (Clock(0, 100, now) for now in (0, 20, 60, 100))
    assert rule.resolve(each, votes, early).status == "open"
    assert rule.resolve(each, votes, heard).status == "open"  # government may still say no
    assert rule.resolve(each, votes, over) == ("passed", "government")
    slow = Track("t", "members", each.total, OPENING, each.classes, 3, veto=("government",), not_before_ms=20)
    assert rule.resolve(slow, votes, Clock(0, 100, 60)).status == "open"
    assert rule.resolve(slow, votes, closing).status == "passed"  # silence is no veto
    against = votes | {"government": Count(2, no=2)}
    assert rule.resolve(slow, against, heard).status == "rejected"
    assert rule.resolve(each, against, heard).status == "open"
    assert rule.resolve(each, against, over) == ("passed", "government")


def test_an_override_is_against_one_constituency_alone() -> None:
    each = TRACKS["all"]
    clock = Clock(0, 100, 60)
    votes = {name: Count(3, yes=3) for name in CONSTITUENCIES[:3]}
    assert rule.resolve(each, votes | {"bank": Count(3, no=3)}, clock) == ("passed", "bank")
    two = votes | {"bank": Count(3, no=3), "enterprise": Count(3, no=3)}
    assert rule.resolve(each, two, clock).status == "rejected"
