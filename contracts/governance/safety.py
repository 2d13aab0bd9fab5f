"""What a constitution has to be safe from, whatever is voted: K1 to K5, each breach with the voting that shows it.

Law: pure. Every clause of a track is monotone (Q7), so one voting decides about all: who cannot pass a proposal with
its own yes and the silence of all others never passes it alone; a proposal that passes over the no of a constituency
and the yes of all others cannot be stopped by it. Rules K1 to K5 of docs/spec/constitution.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from coseal.contracts.governance.document import AMENDMENT, MAX_TERM_MS, ORDINARY, Constitution
from coseal.contracts.governance.resolution import (
    CONSTITUENCIES,
    TWO_THIRDS,
    Count,
    Quota,
    Tally,
    Track,
    holds,
    overrides,
    vetoed,
)
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.kernel.wording import duration_text

LEAST_PRESENT_MS: Final = 90 * DAY_MS
FLOOR: Final = Quota(1, 3)
"""What a track without an override is measured by: others than a constituency that are more than this could pass it."""
GRAVE: Final = ("amend_constitution", "protocol_version", "add_contract", "add_member", "remove_member")
"""Kinds that change who decides, or by what software: two thirds of all at least."""
EMERGENCY: Final = "emergency_measure"
MAX_EMERGENCY_MS: Final = 3 * DAY_MS


class Breach(NamedTuple):
    """A property that a constitution lacks: which, on which track (none: empty), and the voting or figures."""

    property: str
    track: str
    detail: str

    def __str__(self) -> str:
        return f"{self.property}, {f'track {self.track}: ' if self.track else ''}{self.detail}"


Sizes = Mapping[str, Mapping[str, int]]
"""Of each electorate how many members of each constituency have a vote."""


def breaches(constitution: Constitution, sizes: Sizes) -> Iterator[Breach]:
    """Yield what a constitution lacks: in itself (K1, K4, K5), and for these electorates (K1, K2, K3)."""
    yield from arithmetic(constitution)
    for track in constitution.tracks.values():
        yield from votings(track, sizes[track.electorate])


def votings(track: Track, sizes: Mapping[str, int]) -> Iterator[Breach]:
    """Yield the votings that a track must not have, for an electorate of these sizes."""
    there = [name for name in CONSTITUENCIES if sizes.get(name, 0)]
    newcomers = CONSTITUENCIES if track.own else (None,)
    for newcomer in newcomers:
        joins = "" if newcomer is None else f", a member of {newcomer} to be admitted"
        everyone = {name: Count(sizes[name], yes=sizes[name]) for name in there}
        if there and not _passes(track, everyone, newcomer):
            yield Breach("K1", track.name, f"all say yes{joins}: it does not pass")
        for name in there if len(there) > 1 else ():
            alone = {each: Count(sizes[each], yes=sizes[each] if each == name else 0) for each in there}
            if _passes(track, alone, newcomer):
                yield Breach("K2", track.name, f"{name} says yes, nobody else votes{joins}: it passes")
        for name in _outnumbered(track, sizes, there):
            rest = {each: Count(sizes[each], yes=sizes[each]) for each in there if each != name}
            for how, count in (
                ("does not vote", Count(sizes[name])),
                ("says no", Count(sizes[name], no=sizes[name])),
            ):
                if not _passes(track, {**rest, name: count}, newcomer):
                    yield Breach("K3", track.name, f"{name} {how}, all others say yes{joins}: it does not pass")


def _outnumbered(track: Track, sizes: Mapping[str, int], there: list[str]) -> Iterable[str]:
    """Return the constituencies that must not stop a proposal alone: three have members, and the others are enough."""
    if len(there) < 3:
        return ()
    everyone = sum(sizes[name] for name in there)
    floor = FLOOR if track.override is None else track.override.floor
    return (name for name in there if floor.met(everyone - sizes[name], everyone))


def _passes(track: Track, tally: Tally, newcomer: str | None) -> bool:
    """Return whether a proposal passes by these votes at any time while it is open."""
    if holds(track, tally, newcomer) and not vetoed(track, tally):
        return True
    return overrides(track, tally) is not None


def arithmetic(constitution: Constitution) -> Iterator[Breach]:
    """Yield what a constitution lacks for any electorate: K4 and K5."""
    most_ms = max(track.opening.most_ms for track in constitution.tracks.values())
    if not max(LEAST_PRESENT_MS, most_ms) <= constitution.present_ms <= MAX_TERM_MS:  # K4
        least = duration_text(max(LEAST_PRESENT_MS, most_ms))
        yield Breach("K4", "", f"present_ms is {duration_text(constitution.present_ms)}, from {least} to 366 days")
    for track in constitution.tracks.values():
        yield from _times(track)
    yield from _ways_around(constitution)


def _times(track: Track) -> Iterator[Breach]:
    opening, override = track.opening, track.override
    if override is not None and opening.default_ms < override.after_ms + DAY_MS:  # K4
        detail = (
            f"open for {duration_text(opening.default_ms)} by default, {duration_text(override.after_ms)} to override"
        )
        yield Breach("K4", track.name, f"{detail}; a day at least has to be left")
    if track.veto and track.not_before_ms < DAY_MS:  # K4
        yield Breach("K4", track.name, "with a veto it has to be heard for a day at least (not_before_ms)")
    longest = opening.most_ms + opening.default_ms + 2 * track.delay_ms
    if longest > MAX_TERM_MS:  # K4
        detail = f"two rounds and delays may take {duration_text(longest)}, at most {duration_text(MAX_TERM_MS)}"
        yield Breach("K4", track.name, detail)
    if track.not_before_ms >= opening.default_ms:  # K4
        yield Breach("K4", track.name, "it closes, by default, before it has been heard (not_before_ms)")


def _ways_around(constitution: Constitution) -> Iterator[Breach]:
    amendment = constitution.track_of("amend_constitution")
    for track in constitution.tracks.values():
        for laxer in _laxer(amendment, track):  # K5
            yield Breach("K5", AMENDMENT, f"{laxer} than track {track.name}")
    for kind in GRAVE:
        track = constitution.track_of(kind)
        if _less(track.total, TWO_THIRDS):  # K5
            yield Breach("K5", track.name, f"{kind} is decided here, which needs a total of 2/3 or more")
    admission = constitution.track_of("add_member")
    if not admission.own:  # K5
        yield Breach("K5", admission.name, "add_member is decided here, which needs own: the newcomer's constituency")
    measure, suspension = constitution.track_of("measure"), constitution.track_of("suspend_member")
    for laxer in _laxer(measure, suspension):  # K5
        yield Breach("K5", measure.name, f"measure is decided here, {laxer} than suspend_member on {suspension.name}")
    yield from _emergencies(constitution)


def _emergencies(constitution: Constitution) -> Iterator[Breach]:
    track = constitution.track_of(EMERGENCY)
    others = sorted(kind for kind, name in constitution.kinds.items() if name == track.name and kind != EMERGENCY)
    if track.name in (ORDINARY, AMENDMENT) or others:  # K5
        yield Breach("K5", track.name, f"{EMERGENCY} needs a track of its own")
    if track.opening.most_ms > MAX_EMERGENCY_MS:  # K5
        yield Breach("K5", track.name, f"{EMERGENCY} is open for {duration_text(MAX_EMERGENCY_MS)} at most")


def _laxer(track: Track, other: Track) -> Iterator[str]:
    """Yield in what ``track`` asks for less than ``other``: quotas, hearing, override."""
    if _less(track.total, other.total):
        yield "it needs a lower total"
    lower = [name for name, quota in other.classes.items() if _less(track.classes.get(name, Quota(0, 1)), quota)]
    if lower or not _meets(track, other):
        yield "it needs fewer constituencies"
    if track.not_before_ms < other.not_before_ms:
        yield "it is heard for a shorter time"
    if track.override is not None and (
        other.override is None
        or track.override.after_ms < other.override.after_ms
        or _less(track.override.floor, other.override.floor)
    ):
        yield "it can be overridden sooner"


def _meets(track: Track, other: Track) -> bool:
    """Say whether constituencies that suffice on ``track`` are as many as ``other`` counts, whichever have members.

    Those that ``track`` can pass over may all be ones that ``other`` counts; with less than two of these there, Q4.
    """
    both = sum(name in track.classes for name in other.classes)
    only_here, only_there = len(track.classes) - both, len(other.classes) - both
    for shared in range(both + 1):
        least = shared - max(0, shared + only_here - track.at_least)
        for strange in range(only_there + 1):
            if shared + strange >= 2 and least < min(other.at_least, shared + strange):
                return False
    return True


def _less(quota: Quota, other: Quota) -> bool:
    return quota.numerator * other.denominator < other.numerator * quota.denominator
