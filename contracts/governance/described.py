"""Constitutions and their tracks as JSON, for queries: which one is in force, and by what rule a ballot is decided.

Law: only reads; what it says of the founding constitution has the form of a document, though none is on the chain.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from coseal.contracts.governance import ballot, in_force
from coseal.contracts.governance.document import FOUNDING, Constitution, constitution_of
from coseal.contracts.governance.in_force import FOUNDING_DIGEST
from coseal.contracts.governance.resolution import CONSTITUENCIES, Status, Track
from coseal.contracts.governance.state import constitution_key
from coseal.contracts.kernel.action import Reader


class Described(NamedTuple):
    """A constitution of a chain, and the block and the proposal that brought it; 0 and empty: genesis."""

    version: int
    digest: str
    height: int
    proposal: str
    document: dict[str, Any]

    @property
    def constitution(self) -> Constitution:
        """What the document says."""
        return FOUNDING if self.version == 0 else constitution_of(self.document)


def constitution(reader: Reader, number: int | None = None) -> Described | None:
    """Return a constitution of this chain, by default the one in force, or None; number 0 is the founding one."""
    current = in_force.version(reader).number
    wanted = current if number is None else number
    if wanted == 0:
        return Described(0, FOUNDING_DIGEST, 0, "", document_of(FOUNDING))
    record: Any = reader.get(constitution_key(wanted)) if wanted <= current else None
    if record is None:
        return None
    return Described(wanted, record["digest"], record["height"], record["proposal"], dict(record["document"]))


def document_of(constitution: Constitution) -> dict[str, Any]:
    """Return a constitution as a document, the inverse of ``constitution_of``."""
    return {
        "title": constitution.title,
        "central_bank_counts_as": constitution.central_bank_counts_as,
        "present_ms": constitution.present_ms,
        "tracks": {name: track_document(track) for name, track in constitution.tracks.items()},
        "kinds": dict(constitution.kinds),
        **({} if constitution.de_facto is None else {"de_facto": dict(constitution.de_facto)}),
    }


def track_document(track: Track) -> dict[str, Any]:
    """Return a track as in a document, without what it does not have."""
    rule: dict[str, Any] = {"total": list(track.total)}
    if track.classes:
        rule |= {"classes": {name: list(quota) for name, quota in track.classes.items()}, "at_least": track.at_least}
    if track.own:
        rule["own"] = True
    found: dict[str, Any] = {"electorate": track.electorate, "pass": rule, "open_ms": list(track.opening)}
    if track.override is not None:
        found["override"] = {"after_ms": track.override.after_ms, "floor": list(track.override.floor)}
    more = {"veto": list(track.veto), "not_before_ms": track.not_before_ms, "delay_ms": track.delay_ms}
    more["reason"] = list(track.reasons)
    return {**found, **{name: value for name, value in more.items() if value}}


def rule(reader: Reader, contract: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the track of a ballot, ``needed`` by constituency, and the block times of this round that follow from it.

    ``heard_until_ms``: it passes no earlier. ``override_from_ms``: from then on one constituency can be overridden.
    ``outlook`` of an open one: what it comes to by the votes so far, and when.
    """
    poll = ballot.poll_of(reader, contract, record)
    track, counts = poll
    needed = {
        name: track.classes[name].numerator * counts[name].members // track.classes[name].denominator + 1
        for name in CONSTITUENCIES
        if name in counts and name in track.classes
    }
    heard = max(record["not_before_ms"], record["round_ms"] + track.not_before_ms)
    times = {"heard_until_ms": heard} if heard > record["round_ms"] else {}
    if track.override is not None:
        times["override_from_ms"] = record["round_ms"] + track.override.after_ms
    found = {"name": track.name, **track_document(track), "needed": needed, **times}
    if record["status"] == ballot.OPEN:
        found["outlook"] = _outlook(poll, record, {*times.values(), record["closes_ms"]})
    return found


def _outlook(poll: ballot.Poll, record: Mapping[str, Any], times: Iterable[int]) -> dict[str, Any]:
    """Return what an open ballot will come to by the votes so far, and when, if nobody else votes."""
    for time_ms in sorted(time_ms for time_ms in times if time_ms <= record["closes_ms"]):
        outcome = ballot.outcome_of(poll, record, time_ms)
        if outcome.status is not Status.OPEN:
            break
    over = {} if outcome.overridden is None else {"overridden": outcome.overridden}
    return {"status": outcome.status.value, "at_ms": time_ms, **over}
