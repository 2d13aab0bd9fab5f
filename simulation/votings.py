"""By which votes a proposal is decided, from the words of docs/spec/constitution.md, over a document as it is.

Law: nothing of the product is asked; votes are taken one by one, as members gave them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, TypeAlias

DAY_MS: Final = 86_400_000
FOUNDING: Final[dict[str, Any]] = {
    "central_bank_counts_as": "bank",
    "tracks": {
        "ordinary": {"electorate": "validators", "pass": {"total": [2, 3]}, "open_ms": [1, 7 * DAY_MS, 90 * DAY_MS]}
    },
    "kinds": {},
}
"""What decides while no document is in force."""
HALF: Final = [1, 2]
Track: TypeAlias = dict[str, Any]


class Vote(NamedTuple):
    """The constituency of a member that has a vote, and what it said; nothing if it has not voted."""

    where: str
    said: str


Votes: TypeAlias = Sequence[Vote]


def track_of(document: dict[str, Any], kind: str) -> Track:
    """Return the track of a kind of proposal."""
    name = document["kinds"].get(kind, "ordinary")
    if kind == "amend_constitution" and "constitution" in document["tracks"]:
        name = "constitution"
    track: Track = document["tracks"][name]
    return track


def exceeds(votes: Votes, quota: Sequence[int], *said: str) -> bool:
    """Say whether those who said so are more than a share of those who have a vote."""
    return quota[1] * sum(vote.said in said for vote in votes) > quota[0] * len(votes)


def among(votes: Votes, where: str) -> Votes:
    """Return the votes of a constituency."""
    return [vote for vote in votes if vote.where == where]


def suffices(track: Track, votes: Votes, newcomer: str | None) -> bool:
    """Say whether a proposal has the votes that the track asks for: Q2 to Q5."""
    rule, there = track["pass"], sorted({vote.where for vote in votes})
    everyone = all(exceeds(among(votes, where), HALF, "yes") for where in there)
    if not exceeds(votes, [0, 1], "yes") or not exceeds(votes, rule["total"], "yes"):
        return False
    quotas = rule.get("classes", {})
    if quotas:
        named = [where for where in there if where in quotas]
        met = sum(exceeds(among(votes, where), quotas[where], "yes") for where in named)
        wanted = len(quotas) if rule["at_least"] == "all" else rule["at_least"]
        if not (met >= min(wanted, len(named)) if len(named) > 1 else everyone):
            return False
    if rule.get("own") and newcomer is not None:
        return exceeds(among(votes, newcomer), HALF, "yes") if newcomer in there else everyone
    return True


def overridden(track: Track, votes: Votes) -> list[str]:
    """Return the constituencies against any one of which the others pass a proposal: Q6."""
    if "override" not in track:
        return []
    there, found = sorted({vote.where for vote in votes}), []
    for one in there:
        outside = [vote for vote in votes if vote.where != one]
        others = [where for where in there if where != one]
        enough = len(others) > 1 and all(exceeds(among(votes, where), HALF, "yes") for where in others)
        yes, (part, whole) = sum(vote.said == "yes" for vote in outside), track["override"]["floor"]
        if enough and exceeds(outside, [2, 3], "yes") and whole * yes > part * len(votes):
            found.append(one)
    return found


def stopped(track: Track, votes: Votes, *said: str) -> bool:
    """Say whether a constituency with a veto has a majority of these: Q8."""
    return any(exceeds(among(votes, where), HALF, *said) for where in track.get("veto", ()))


def status(track: Track, votes: Votes, opened_ms: int, closes_ms: int, now_ms: int, newcomer: str | None) -> str:
    """Return what a proposal comes to at a block time: open, passed, overriding (and passed), rejected or expired."""
    over = now_ms >= closes_ms
    veto = stopped(track, votes, "no") if over else stopped(track, votes, "no", "")
    if now_ms >= opened_ms + track.get("not_before_ms", 0) and suffices(track, votes, newcomer) and not veto:
        return "passed"
    if "override" in track and now_ms >= opened_ms + track["override"]["after_ms"] and overridden(track, votes):
        return "overriding"
    best = [vote if vote.said else vote._replace(said="yes") for vote in votes]
    if not overridden(track, best) and (stopped(track, votes, "no") or not suffices(track, best, newcomer)):
        return "rejected"
    return "expired" if over else "open"


def lacking(document: dict[str, Any], sizes: dict[str, dict[str, int]]) -> str | None:
    """Say which of K1 to K3 a document lacks for electorates of these sizes, or None."""
    for name, track in document["tracks"].items():
        there = {where: size for where, size in sizes[track["electorate"]].items() if size}
        for newcomer in there if track["pass"].get("own") else (None,):
            fault = _lacking(track, there, newcomer)
            if fault is not None:
                return f"{fault} on the track {name}"
    return None


def _lacking(track: Track, there: dict[str, int], newcomer: str | None) -> str | None:
    everyone = [Vote(where, "yes") for where, size in there.items() for _ in range(size)]
    floor = track["override"]["floor"] if "override" in track else (1, 3)
    if everyone and not _ever(track, everyone, newcomer):
        return "K1"
    for one, size in there.items() if len(there) > 1 else ():
        alone = [vote if vote.where == one else vote._replace(said="") for vote in everyone]
        if _ever(track, alone, newcomer):
            return "K2"
        if len(there) > 2 and floor[1] * (len(everyone) - size) > floor[0] * len(everyone):
            for said in ("", "no"):
                against = [vote._replace(said=said) if vote.where == one else vote for vote in everyone]
                if not _ever(track, against, newcomer):
                    return "K3"
    return None


def _ever(track: Track, votes: Votes, newcomer: str | None) -> bool:
    """Say whether these votes pass a proposal at some time before it closes, or as it closes."""
    return bool(overridden(track, votes)) or (suffices(track, votes, newcomer) and not stopped(track, votes, "no"))
