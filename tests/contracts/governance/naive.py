"""A second rule of decision, from the words of docs/spec/constitution.md, over single votes in place of counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import lru_cache

from coseal.contracts.governance.resolution import CONSTITUENCIES, Clock, Count, Track

Vote = tuple[str, str]
"""A member's constituency, and ``yes``, ``no``, ``abstain`` or ``silent``."""
HALF = Fraction(1, 2)


def tally(votes: Sequence[Vote]) -> dict[str, Count]:
    found = {}
    for name in CONSTITUENCIES:
        cast = [vote for where, vote in votes if where == name]
        if cast:
            found[name] = Count(len(cast), cast.count("yes"), cast.count("no"), cast.count("abstain"))
    return found


fraction = lru_cache(Fraction)  # a voting of a few members has a few shares


def share(votes: Sequence[Vote], among: set[str], *said: str) -> Fraction:
    cast = [vote for where, vote in votes if where in among]
    return fraction(sum(vote in said for vote in cast), len(cast)) if cast else fraction(0, 1)


def passes(track: Track, votes: Sequence[Vote], newcomer: str | None) -> bool:
    there = {where for where, _ in votes}
    ok = [any(vote == "yes" for _, vote in votes), share(votes, there, "yes") > fraction(*track.total)]
    if track.classes:
        named = there & set(track.classes)
        if len(named) < 2:
            ok.append(all(share(votes, {name}, "yes") > HALF for name in there))
        else:
            met = [name for name in named if share(votes, {name}, "yes") > fraction(*track.classes[name])]
            ok.append(len(met) >= min(track.at_least, len(named)))
    if track.own and newcomer is not None:
        ok.append(all(share(votes, {name}, "yes") > HALF for name in ({newcomer} & there or there)))
    return all(ok)


def overridden(track: Track, votes: Sequence[Vote]) -> set[str]:
    there = {where for where, _ in votes}
    if track.override is None:
        return set()
    found = set()
    for one in there:
        others = there - {one}
        yes = sum(vote == "yes" for where, vote in votes if where in others)
        if (
            len(others) >= 2
            and all(share(votes, {name}, "yes") > HALF for name in others)
            and share(votes, others, "yes") > fraction(2, 3)
            and fraction(yes, len(votes)) > fraction(*track.override.floor)
        ):
            found.add(one)
    return found


def stops(track: Track, votes: Sequence[Vote], *said: str) -> bool:
    return any(share(votes, {name}, *said) > HALF for name in track.veto)


def status(track: Track, votes: Sequence[Vote], clock: Clock, newcomer: str | None) -> str:
    return next(statuses(track, votes, [clock], newcomer))


def statuses(track: Track, votes: Sequence[Vote], clocks: Sequence[Clock], newcomer: str | None) -> Iterator[str]:
    """The status at each of several times."""
    best = [(where, "yes" if vote == "silent" else vote) for where, vote in votes]
    passed, over = passes(track, votes, newcomer), bool(overridden(track, votes))
    vetoed, may_veto = stops(track, votes, "no"), stops(track, votes, "no", "silent")
    hopeless = not (passes(track, best, newcomer) and not vetoed) and not overridden(track, best)
    for clock in clocks:
        closed, age = clock.now_ms >= clock.closes_ms, clock.now_ms - clock.opened_ms
        stopped = vetoed if closed else may_veto
        if (age >= track.not_before_ms and passed and not stopped) or (
            track.override is not None and age >= track.override.after_ms and over
        ):
            yield "passed"
        elif hopeless:
            yield "rejected"
        else:
            yield "expired" if closed else "open"
