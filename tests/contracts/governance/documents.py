"""Constitutions at random, most of them unsafe, and what the words of docs/spec/constitution.md miss in them.

``missing`` is a second decider of K4 and K5 over the document itself, ``stands_alone`` and ``is_stopped`` are one of K2
and K3 that tries every voting.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from coseal.contracts.governance.resolution import CONSTITUENCIES, Clock, Track
from coseal.contracts.kernel.dates import DAY_MS
from tests.contracts.governance import naive

HOUR_MS = 3_600_000
SAID = ("yes", "no", "abstain", "silent")
KINDS = (
    "add_member",
    "protocol_version",
    "add_contract",
    "remove_member",
    "suspend_member",
    "measure",
    "emergency_measure",
    "end_measure",
)
QUOTAS = st.one_of(
    st.sampled_from([[0, 1], [1, 3], [1, 2], [2, 3], [3, 4], [999, 1000]]),
    st.integers(1, 1_000).flatmap(lambda whole: st.tuples(st.integers(0, whole - 1), st.just(whole)).map(list)),
)
FLOORS = st.sampled_from([[0, 1], [1, 4], [1, 3], [1, 2]])


def days(*numbers: int) -> st.SearchStrategy[int]:
    return st.sampled_from([number * DAY_MS for number in numbers])


@st.composite
def tracks(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a track that has the form."""
    rule: dict[str, Any] = {"total": draw(QUOTAS)}
    named = draw(st.lists(st.sampled_from(CONSTITUENCIES), max_size=5, unique=True))
    if len(named) > 1:
        rule["classes"] = {name: draw(st.sampled_from([[1, 2]]) | QUOTAS) for name in named}
        rule["at_least"] = draw(st.just("all") | st.integers(2, len(named)))
    if draw(st.booleans()):
        rule["own"] = True
    default = draw(days(1, 3, 7, 21, 28))
    made: dict[str, Any] = {"electorate": draw(st.sampled_from(["members", "validators"])), "pass": rule}
    made["open_ms"] = [
        HOUR_MS,
        default,
        draw(st.sampled_from([default, 3 * DAY_MS, 90 * DAY_MS]).filter(default.__le__)),
    ]
    if draw(st.integers(0, 3)):
        made["override"] = {"after_ms": draw(days(0, 1, 14, 21, 30)), "floor": draw(FLOORS)}
    if not draw(st.integers(0, 2)):
        made["veto"] = draw(st.lists(st.sampled_from(CONSTITUENCIES), max_size=3, unique=True))
    made["not_before_ms"] = draw(days(0, 1, 7, 14))
    made["delay_ms"] = draw(days(0, 7, 120, 150))
    return made


@st.composite
def constitutions(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a document that has the form; now and then two tracks are the same, as those of a careful author are."""
    names = ["ordinary", "constitution", *draw(st.lists(st.sampled_from(["a", "b", "c"]), unique=True))]
    made: dict[str, Any] = {}
    for name in names:
        made[name] = made[names[0]] if made and draw(st.booleans()) else draw(tracks())
    kinds = draw(st.dictionaries(st.sampled_from(KINDS), st.sampled_from(names)))
    present = draw(days(80, 90, 180, 366))
    same = {"title": "At random", "central_bank_counts_as": "bank", "present_ms": present}
    return {**same, "tracks": made, "kinds": kinds}


SIZES = st.dictionaries(st.sampled_from(CONSTITUENCIES), st.integers(1, 30))


# K4 and K5


def missing(document: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Return K4 and K5 with the track where they are broken."""
    every = document["tracks"]
    found = {("K4", name) for name, track in every.items() if not _ends(track)}
    longest = max(track["open_ms"][2] for track in every.values())
    if not 90 * DAY_MS <= document["present_ms"] <= 366 * DAY_MS or document["present_ms"] < longest:
        found.add(("K4", ""))

    def on(kind: str) -> str:
        return "constitution" if kind == "amend_constitution" else str(document["kinds"].get(kind, "ordinary"))

    if not all(_as_strict(every["constitution"], track) for track in every.values()):
        found.add(("K5", "constitution"))
    for kind in ("amend_constitution", "protocol_version", "add_contract", "add_member", "remove_member"):
        if _share(every[on(kind)]["pass"]["total"]) < Fraction(2, 3):
            found.add(("K5", on(kind)))
    if not every[on("add_member")]["pass"].get("own"):
        found.add(("K5", on("add_member")))
    if not _as_strict(every[on("measure")], every[on("suspend_member")]):
        found.add(("K5", on("measure")))
    emergency = on("emergency_measure")
    shared = [kind for kind in ("amend_constitution", "any other", *document["kinds"]) if on(kind) == emergency]
    if shared != ["emergency_measure"] or every[emergency]["open_ms"][2] > 3 * DAY_MS:
        found.add(("K5", emergency))
    return found


def _share(quota: Sequence[int]) -> Fraction:
    return Fraction(quota[0], quota[1])


def _ends(track: Mapping[str, Any]) -> bool:
    _, default, most = track["open_ms"]
    return (
        ("override" not in track or default >= track["override"]["after_ms"] + DAY_MS)
        and default > track["not_before_ms"]
        and (not track.get("veto") or track["not_before_ms"] >= DAY_MS)
        and most + default + 2 * track["delay_ms"] <= 366 * DAY_MS
    )


def _as_strict(track: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return (
        _share(track["pass"]["total"]) >= _share(other["pass"]["total"])
        and _needs_as_many(track["pass"], other["pass"])
        and track["not_before_ms"] >= other["not_before_ms"]
        and (
            "override" not in track
            or ("override" in other and _overridden_as_late(track["override"], other["override"]))
        )
    )


def _overridden_as_late(override: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return bool(override["after_ms"] >= other["after_ms"] and _share(override["floor"]) >= _share(other["floor"]))


def _needs_as_many(rule: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whatever constituencies have members and meet their quota: what suffices by one rule suffices by the other."""
    named, others = rule.get("classes", {}), other.get("classes", {})
    if any(_share(named.get(name, (0, 1))) < _share(quota) for name, quota in others.items()):
        return False
    for there in _subsets(CONSTITUENCIES):
        if len(set(there) & set(others)) < 2:
            continue  # a case of its own, by Q4
        for met in _subsets(there):
            if _classes_met(rule, there, met) and not _classes_met(other, there, met):
                return False
    return True


def _classes_met(rule: Mapping[str, Any], there: Sequence[str], met: Sequence[str]) -> bool:
    named = set(rule.get("classes", {})) & set(there)
    wanted = len(rule.get("classes", {})) if rule.get("at_least") == "all" else rule.get("at_least", 0)
    return len(named & set(met)) >= min(wanted, len(named))


def _subsets(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return itertools.chain.from_iterable(itertools.combinations(names, size) for size in range(len(names) + 1))


# K2 and K3, by every voting


def passes_ever(track: Track, votes: Sequence[naive.Vote], newcomer: str | None) -> bool:
    """Return whether these votes pass a proposal at any time, if nobody votes any more."""
    closes = track.opening.most_ms
    ages = [0, track.not_before_ms, closes, *(() if track.override is None else (track.override.after_ms,))]
    return any(naive.status(track, votes, Clock(0, max(ages), age), newcomer) == "passed" for age in (*ages, max(ages)))


def voting(sizes: Mapping[str, int], of: str, said: Sequence[str], others: str) -> list[naive.Vote]:
    """Return the voting in which one constituency said that, and all others the same."""
    return [(name, said[place] if name == of else others) for name, size in sizes.items() for place in range(size)]


def stands_alone(track: Track, sizes: Mapping[str, int], of: str, newcomer: str | None) -> bool:
    """Return whether a constituency passes something alone, whatever the others do but say yes."""
    cells = itertools.combinations_with_replacement(SAID, sizes[of])
    return any(
        passes_ever(track, voting(sizes, of, said, other), newcomer)
        for said in cells
        for other in ("no", "abstain", "silent")
    )


def is_stopped(track: Track, sizes: Mapping[str, int], of: str, newcomer: str | None) -> bool:
    """Return whether a constituency stops by some voting of its own what all others say yes to."""
    cells = itertools.combinations_with_replacement(SAID, sizes[of])
    return any(not passes_ever(track, voting(sizes, of, said, "yes"), newcomer) for said in cells)
