"""A second rule of decision, from the words of docs/spec/constitution.md, over single votes in place of counts."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

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


def share(votes: Sequence[Vote], among: set[str], *said: str) -> Fraction:
    cast = [vote for where, vote in votes if where in among]
    return Fraction(sum(vote in said for vote in cast), len(cast)) if cast else Fraction(0)


def passes(track: Track, votes: Sequence[Vote], newcomer: str | None) -> bool:
    there = {where for where, _ in votes}
    ok = [any(vote == "yes" for _, vote in votes), share(votes, there, "yes") > Fraction(*track.total)]
    if track.classes:
        named = there & set(track.classes)
        if len(named) < 2:
            ok.append(all(share(votes, {name}, "yes") > HALF for name in there))
        else:
            met = [name for name in named if share(votes, {name}, "yes") > Fraction(*track.classes[name])]
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
            and share(votes, others, "yes") > Fraction(2, 3)
            and Fraction(yes, len(votes)) > Fraction(*track.override.floor)
        ):
            found.add(one)
    return found


def stops(track: Track, votes: Sequence[Vote], *said: str) -> bool:
    return any(share(votes, {name}, *said) > HALF for name in track.veto)


def status(track: Track, votes: Sequence[Vote], clock: Clock, newcomer: str | None) -> str:
    over, age = clock.now_ms >= clock.closes_ms, clock.now_ms - clock.opened_ms
    stopped = stops(track, votes, "no") if over else stops(track, votes, "no", "silent")
    if age >= track.not_before_ms and passes(track, votes, newcomer) and not stopped:
        return "passed"
    if track.override is not None and age >= track.override.after_ms and overridden(track, votes):
        return "passed"
    best = [(where, "yes" if vote == "silent" else vote) for where, vote in votes]
    if not (passes(track, best, newcomer) and not stops(track, votes, "no")) and not overridden(track, best):
        return "rejected"
    return "expired" if over else "open"
