"""Constitutions on this side of a network: read from a file, checked for every voting, and tried on votes.

Law: a proposal is resolved and a document is checked by the modules that the ledger has, never by another reading.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from coseal.client.blocking import Client
from coseal.client.governance import ProvenState
from coseal.client.rules import read_json
from coseal.contracts.governance import described
from coseal.contracts.governance.described import Described
from coseal.contracts.governance.document import VALIDATORS, Constitution, constitution_of, faults_of
from coseal.contracts.governance.resolution import (
    CONSTITUENCIES,
    Clock,
    Count,
    Outcome,
    Tally,
    Track,
    holds,
    may_veto,
    overrides,
    possible,
    resolve,
)
from coseal.contracts.governance.safety import Breach, arithmetic, breaches, votings
from coseal.contracts.governance.state import SIZES_KEY
from coseal.errors import BadAnswer, CosealError
from coseal.ledger.genesis import Genesis

MOST_OF_EACH: Final = 4
"""Members of a constituency up to which every consortium is looked at."""
MAX_COMBINATIONS: Final = 100_000

Members = Mapping[str, str]
"""Constituency by member."""


def read_document(path: Path) -> dict[str, Any]:
    """Return the document in a JSON file; raise ``BadAnswer`` with every fault of its form."""
    document = read_json(path)
    faults = [f"{path}{fault}" for fault in faults_of(document)]
    if faults:
        raise BadAnswer("\n".join(faults), "its form is in docs/spec/constitution.md")
    return dict(document)


def read_constitution(path: Path) -> Constitution:
    """Return the constitution in a JSON file; errors as ``read_document``."""
    return constitution_of(read_document(path))


def in_force(client: Client) -> Described:
    """Return the constitution that decides now, proven."""
    found = described.constitution(ProvenState(client))
    if found is None:
        raise BadAnswer("the chain has no document of the constitution in force", "audit it: `coseal audit`")
    return found


def amendment(client: Client, document: Mapping[str, Any], reason: str | None) -> dict[str, Any]:
    """Return the subject of a proposal that puts a document in the place of the constitution in force.

    Raises ``BadAnswer`` with all that the document lacks (K1 to K5), for those who have a vote now, and
    ``CosealError`` if the reason is missing that the constitution in force asks for.
    """
    current = in_force(client)
    track = current.constitution.track_of("amend_constitution")
    if not reason and {"proposer", "all"} & set(track.reasons):
        raise CosealError(f"on the track {track.name} a proposal needs a reason", "give --reason TEXT")
    sizes: Any = client.value(SIZES_KEY)
    found = [str(breach) for breach in breaches(constitution_of(document), sizes[1])]
    if found:
        raise BadAnswer("\n".join(found), "K1 to K5 are in docs/spec/constitution.md")
    return {"from": current.digest, "document": dict(document)}


def electors(constitution: Constitution, genesis: Genesis, track: Track) -> dict[str, str]:
    """Return the constituency of each member of a genesis that has a vote on a track."""
    validating = {node.member for node in genesis.nodes if node.kind == "validator"}
    return {
        member.id: constitution.constituency_of(member.role, member.central_bank)
        for member in genesis.members
        if track.electorate != VALIDATORS or member.id in validating
    }


def sizes(members: Members) -> dict[str, int]:
    """Return how many members each constituency has."""
    return dict(Counter(members.values()))


def check(
    constitution: Constitution, given: Mapping[str, Mapping[str, int]] | None, note: Callable[[int, int], None]
) -> list[Breach]:
    """Return what a constitution lacks, for electorates of given sizes (by track), or for every small consortium.

    Of each property and track the first breach is returned. ``note(done, all)`` is called with the progress.
    """
    found = {(breach.property, breach.track): breach for breach in reversed(list(arithmetic(constitution)))}
    looked = [dict.fromkeys(constitution.tracks, each) for each in consortia()] if given is None else [given]
    for done, by_track in enumerate(looked, 1):
        for name, track in constitution.tracks.items():
            for breach in votings(track, by_track[name]):
                where = ", ".join(f"{count} {name}" for name, count in by_track[name].items() if count)
                named = breach._replace(detail=f"{breach.detail} ({where})")
                found.setdefault((breach.property, breach.track), named)
        note(done, len(looked))
    return sorted(found.values())


def consortia() -> list[dict[str, int]]:
    """Return every consortium of up to ``MOST_OF_EACH`` members in each constituency, two or more not empty."""
    every = itertools.product(range(MOST_OF_EACH + 1), repeat=len(CONSTITUENCIES))
    named = (dict(zip(CONSTITUENCIES, each, strict=True)) for each in every)
    return [each for each in named if sum(count > 0 for count in each.values()) > 1]


@dataclass(frozen=True, slots=True)
class Simulated:
    """What votes come to on a track at a time."""

    track: Track
    tally: dict[str, Count]
    outcome: Outcome
    holds: bool
    may_veto: bool
    possible: bool


def simulate(track: Track, members: Members, votes: Mapping[str, str], at_ms: int, newcomer: str | None) -> Simulated:
    """Return what ``votes`` (yes, no or abstain by member) come to ``at_ms`` after opening; others are silent.

    Raises ``CosealError`` for a vote of who has none.
    """
    for member in votes:
        if member not in members:
            raise CosealError(
                f"{member} has no vote on track {track.name}", f"these have: {', '.join(sorted(members))}"
            )
    tally = {name: _count(name, members, votes) for name in CONSTITUENCIES if name in members.values()}
    clock = Clock(0, track.opening.default_ms, at_ms)
    return Simulated(
        track,
        tally,
        resolve(track, tally, clock, newcomer),
        holds(track, tally, newcomer),
        may_veto(track, tally),
        possible(track, tally, newcomer),
    )


def _count(constituency: str, members: Members, votes: Mapping[str, str]) -> Count:
    mine = [member for member, where in members.items() if where == constituency]
    said = Counter(votes.get(member) for member in mine)
    return Count(len(mine), said["yes"], said["no"], said["abstain"])


@dataclass(frozen=True, slots=True)
class Powers:
    """Who decides on a track, in least numbers by constituency: who passes, who passes by the override, who stops."""

    passing: tuple[dict[str, int], ...]
    overriding: tuple[dict[str, int], ...]
    stopping: tuple[dict[str, int], ...]


def powers(
    track: Track, there: Mapping[str, int], newcomer: str | None = None, most: int = MAX_COMBINATIONS
) -> Powers | None:
    """Return the least coalitions of an electorate of these sizes, None if there are more than ``most`` to look at.

    Who is not in a coalition does not vote. ``stopping`` are the least numbers of *no* after which nothing passes.
    """
    if math.prod(count + 1 for count in there.values()) > most:
        return None

    def yes(numbers: Mapping[str, int]) -> Tally:
        return {name: Count(there[name], yes=count) for name, count in numbers.items()}

    def no(numbers: Mapping[str, int]) -> Tally:
        return {name: Count(there[name], no=count) for name, count in numbers.items()}

    return Powers(
        tuple(_least(there, lambda numbers: holds(track, yes(numbers), newcomer))),
        tuple(_least(there, lambda numbers: _only_overrides(track, yes(numbers), newcomer))),
        tuple(_least(there, lambda numbers: not possible(track, no(numbers), newcomer))),
    )


def _only_overrides(track: Track, tally: Tally, newcomer: str | None) -> bool:
    return not holds(track, tally, newcomer) and overrides(track, tally) is not None


def _least(there: Mapping[str, int], suffices: Callable[[Mapping[str, int]], bool]) -> Iterator[dict[str, int]]:
    """Yield the numbers by constituency that suffice and have no smaller ones below them."""
    names = [name for name in CONSTITUENCIES if name in there]
    found: list[tuple[int, ...]] = []
    for numbers in sorted(itertools.product(*(range(there[name] + 1) for name in names)), key=sum):
        if any(_below(less, numbers) for less in found):
            continue
        if suffices(dict(zip(names, numbers, strict=True))):
            found.append(numbers)
            yield {name: count for name, count in zip(names, numbers, strict=True) if count}


def _below(less: Sequence[int], numbers: Iterable[int]) -> bool:
    return all(a <= b for a, b in zip(less, numbers, strict=True))
