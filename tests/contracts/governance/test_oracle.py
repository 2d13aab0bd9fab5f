"""K1 to K5 on constitutions at random: by z3 over all votings at once, by every voting one by one, and by the words.

A verdict of the check is right, and the voting that it names is one, by a rule of decision that is not its own.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coseal.contracts.governance import resolution as rule
from coseal.contracts.governance.document import constitution_of, faults_of
from coseal.contracts.governance.resolution import CONSTITUENCIES, Clock, Count, Track
from coseal.contracts.governance.safety import Breach, arithmetic, votings
from tests.contracts.governance import documents, naive

Found = set[tuple[str, str | None, str | None]]
"""Property, constituency (K1: none) and the constituency that a newcomer joins, if that matters."""
TRACKS = st.builds(
    lambda made: constitution_of(
        {"title": "", "central_bank_counts_as": "bank", "present_ms": 1, "tracks": {"t": made}, "kinds": {}}
    ).tracks["t"],
    documents.tracks(),
)
QUIET = settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=30)
DETAIL = re.compile(
    r"(all|\w+) (say yes|says yes, nobody else votes|(?:does not vote|says no), all others say yes)"
    r"(?:, a member of (\w+) to be admitted)?: it (?:passes|does not pass)"
)


def of_breach(breach: Breach) -> tuple[str, str | None, str | None]:
    """Return what a breach is about, read from its words."""
    said = DETAIL.fullmatch(breach.detail)
    assert said is not None, breach.detail
    return breach.property, None if said[1] == "all" else said[1], said[3]


def shown_voting(breach: Breach, sizes: Mapping[str, int]) -> list[naive.Vote]:
    """Return the voting that a breach names."""
    said = DETAIL.fullmatch(breach.detail)
    assert said is not None
    if said[1] == "all":
        return [(name, "yes") for name, size in sizes.items() for _ in range(size)]
    own = {"K2": "yes"}.get(breach.property, "no" if "says no" in said[2] else "silent")
    return documents.voting(sizes, said[1], [own] * sizes[said[1]], "silent" if breach.property == "K2" else "yes")


def the_voting_is_one(track: Track, sizes: Mapping[str, int]) -> None:
    for breach in votings(track, sizes):
        passes = documents.passes_ever(track, shown_voting(breach, sizes), of_breach(breach)[2])
        assert passes is (breach.property == "K2"), breach


def cases(track: Track, sizes: Mapping[str, int]) -> list[tuple[str | None, str, bool]]:
    """Return newcomer and constituency of each case of K2, and whether K3 is asked of it."""
    there, everyone = [name for name in CONSTITUENCIES if name in sizes], sum(sizes.values())
    floor = (1, 3) if track.override is None else track.override.floor
    return [
        (newcomer, name, len(there) > 2 and (everyone - sizes[name]) * floor[1] > floor[0] * everyone)
        for newcomer in (CONSTITUENCIES if track.own else (None,))
        for name in (there if len(there) > 1 else ())
    ]


def by_every_voting(track: Track, sizes: Mapping[str, int]) -> Found:
    found: Found = set()
    for newcomer, name, asked in cases(track, sizes):
        if documents.stands_alone(track, sizes, name, newcomer):
            found.add(("K2", name, newcomer))
        if asked and documents.is_stopped(track, sizes, name, newcomer):
            found.add(("K3", name, newcomer))
    for newcomer in CONSTITUENCIES if track.own else (None,):
        if sizes and not documents.passes_ever(track, documents.voting(sizes, "", (), "yes"), newcomer):
            found.add(("K1", None, newcomer))
    return found


@QUIET
@given(documents.constitutions())
def test_k4_and_k5_are_missed_where_the_words_miss_them(document: dict[str, Any]) -> None:
    assert not list(faults_of(document))
    found = {(breach.property, breach.track) for breach in arithmetic(constitution_of(document))}
    assert found == documents.missing(document)


@pytest.mark.slow
@settings(QUIET, max_examples=1_500)
@given(documents.constitutions())
def test_k4_and_k5_are_missed_where_the_words_miss_them_in_many(document: dict[str, Any]) -> None:
    found = {(breach.property, breach.track) for breach in arithmetic(constitution_of(document))}
    assert found == documents.missing(document)


SMALL = st.dictionaries(st.sampled_from(CONSTITUENCIES), st.integers(1, 2), max_size=4)


@QUIET
@given(TRACKS, SMALL)
def test_one_voting_decides_about_all_of_them(track: Track, sizes: dict[str, int]) -> None:
    """Q7."""
    assert {of_breach(breach) for breach in votings(track, sizes)} == by_every_voting(track, sizes)
    the_voting_is_one(track, sizes)


@pytest.mark.slow
@settings(QUIET, max_examples=2)
@given(TRACKS)
def test_one_voting_decides_about_all_of_them_in_every_consortium_of_four_constituencies(track: Track) -> None:
    """Every consortium of up to five members, of four constituencies at most, against every voting."""
    for sizes in itertools.product(range(6), repeat=4):
        if sum(sizes) <= 5:
            consortium = {name: size for name, size in zip(CONSTITUENCIES, sizes, strict=False) if size}
            assert {of_breach(each) for each in votings(track, consortium)} == by_every_voting(track, consortium)
            the_voting_is_one(track, consortium)


# z3: all votings of large consortia at once


class Voting:
    """Votes by constituency as unknowns of z3, and when they pass a proposal."""

    def __init__(self, z3: Any, track: Track, sizes: Mapping[str, int], newcomer: str | None) -> None:
        self.z3, self.track, self.sizes, self.newcomer = z3, track, sizes, newcomer
        self.votes = {name: z3.Ints(f"{name}.yes {name}.no {name}.abstain") for name in sizes}
        self.solver = z3.Solver()
        for name, cast in self.votes.items():
            self.solver.add(*(vote >= 0 for vote in cast), z3.Sum(cast) <= sizes[name])

    def yes(self, *names: str) -> Any:
        return self.z3.Sum([self.votes[name][0] for name in names] or [self.z3.IntVal(0)])

    def more(self, names: tuple[str, ...], share: tuple[int, int], which: int = 0) -> Any:
        """More than a share of these constituencies together voted so."""
        cast = self.z3.Sum([self.votes[name][which] for name in names] or [self.z3.IntVal(0)])
        return cast * share[1] > share[0] * sum(self.sizes[name] for name in names)

    def passes(self) -> Any:
        z3, track, there = self.z3, self.track, tuple(self.sizes)
        majority = {name: self.more((name,), (1, 2)) for name in there}
        clauses = [self.yes(*there) > 0, self.more(there, track.total)]
        named = [name for name in track.classes if name in self.sizes]
        if track.classes and len(named) < 2:
            clauses += majority.values()
        elif track.classes:
            met = [self.more((name,), track.classes[name]) for name in named]
            clauses.append(z3.AtLeast(*met, min(track.at_least, len(named))))
        if track.own and self.newcomer is not None:
            clauses += [majority[self.newcomer]] if self.newcomer in self.sizes else majority.values()
        clauses += [z3.Not(self.more((name,), (1, 2), 1)) for name in track.veto if name in self.sizes]
        return z3.Or(z3.And(clauses), *(self.overriding(name, majority) for name in there))

    def overriding(self, against: str, majority: Mapping[str, Any]) -> Any:
        z3, override, others = self.z3, self.track.override, tuple(name for name in self.sizes if name != against)
        if override is None or len(others) < 2:
            return z3.BoolVal(False)
        floor, everyone = override.floor, sum(self.sizes.values())
        above = self.yes(*others) * floor[1] > floor[0] * everyone
        return z3.And(*(majority[name] for name in others), self.more(others, (2, 3)), above)

    def found(self, *wanted: Any) -> dict[str, Count] | None:
        """Return a voting for which that is so, or None if there is none."""
        self.solver.push()
        self.solver.add(*wanted)
        answer, model = self.solver.check(), None
        if answer == self.z3.sat:
            model = self.solver.model()
        self.solver.pop()
        assert answer != self.z3.unknown
        if model is None:
            return None
        cast = {
            name: [model.eval(vote, model_completion=True).as_long() for vote in votes]
            for name, votes in self.votes.items()
        }
        return {name: Count(self.sizes[name], *votes) for name, votes in cast.items()}


def passes_by_the_rule(track: Track, counts: Mapping[str, Count], newcomer: str | None) -> bool:
    """Return whether the rule of the ledger passes it at any time of an opening that is long enough."""
    over = 0 if track.override is None else track.override.after_ms
    end = max(track.not_before_ms, over) + 1
    return any(
        rule.resolve(track, counts, Clock(0, end, age), newcomer).status == "passed"
        for age in (0, track.not_before_ms, over, end)
    )


def by_z3(z3: Any, track: Track, sizes: Mapping[str, int]) -> Found:
    """Return what z3 finds, each with a voting that the rule of the ledger decides as z3 says."""
    found: Found = set()

    def look(
        what: str, of: str | None, newcomer: str | None, wanted: Callable[[Voting], list[Any]], passes: bool
    ) -> None:
        asked = Voting(z3, track, sizes, newcomer)
        end = asked.passes() if passes else z3.Not(asked.passes())
        counts = asked.found(*wanted(asked), end)
        if counts is not None:
            assert passes_by_the_rule(track, counts, newcomer) is passes, (what, of, counts)
            found.add((what, of, newcomer))

    def all_say(yes: bool, *but: str) -> Callable[[Voting], list[Any]]:
        return lambda asked: [
            asked.votes[name][0] == (size if yes else 0) for name, size in sizes.items() if name not in but
        ]

    for newcomer, name, asked in cases(track, sizes):
        look("K2", name, newcomer, all_say(False, name), True)
        if asked:
            look("K3", name, newcomer, all_say(True, name), False)
    for newcomer in CONSTITUENCIES if track.own and sizes else (None,) if sizes else ():
        look("K1", None, newcomer, all_say(True), False)
    return found


def z3_agrees(track: Track, sizes: dict[str, int]) -> None:
    z3 = pytest.importorskip("z3", reason="the oracle is not installed: pip install -e '.[oracle]'")
    sizes = {name: sizes[name] for name in CONSTITUENCIES if name in sizes}
    assert {of_breach(breach) for breach in votings(track, sizes)} == by_z3(z3, track, sizes)
    the_voting_is_one(track, sizes)


@settings(QUIET, max_examples=15)
@given(TRACKS, documents.SIZES)
def test_z3_finds_what_the_check_finds(track: Track, sizes: dict[str, int]) -> None:
    z3_agrees(track, sizes)


@pytest.mark.slow
@settings(QUIET, max_examples=150)
@given(TRACKS, documents.SIZES)
def test_z3_finds_what_the_check_finds_in_many(track: Track, sizes: dict[str, int]) -> None:
    z3_agrees(track, sizes)
