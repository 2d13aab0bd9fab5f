"""Contracts of others that a ballot admits: which validators have said that they have the sources, and what follows.

Law: sources take effect at the height of their ballot only if a quorum of the validators that decide it have said that
their nodes have them (W5); else the admission is void at that height, so no vote stops the chain. Nor does a later
change of the validators take that quorum away (W8).

What is in force is in ``kernel.admitted``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from coseal.contracts.governance.state import ADMISSIONS_KEY
from coseal.contracts.governance.versions import MIN_NOTICE_BLOCKS, Support, counted, deciding
from coseal.contracts.kernel.action import Reader, Rejected, Result, View
from coseal.contracts.kernel.admitted import (
    GENESIS_HEIGHT,
    MAX_VERSIONS,
    Admitted,
    admit,
    admitted,
    history,
    shown,
    sources_of,
)
from coseal.contracts.membership import nodes as membership_nodes
from coseal.ledger.genesis import MAX_CONTRACTS, Sources
from coseal.ledger.validators import Validator


class Admission(NamedTuple):
    """Sources that a ballot admits from ``height`` on."""

    sources: Sources
    height: int
    proposal: str


def waiting(reader: Reader) -> tuple[Admission, ...]:
    """Return what is accepted and not in force yet, by name."""
    rows: Any = reader.get(ADMISSIONS_KEY) or ()
    return tuple(Admission(Sources(*row[:3]), row[3], row[4]) for row in rows)


def pending(reader: Reader, proposal_id: str) -> Admission | None:
    """Return what this proposal admits, while it is accepted and not in force yet."""
    return next((admission for admission in waiting(reader) if admission.proposal == proposal_id), None)


def has(reader: Reader, node_id: str, sources: Sources) -> bool:
    """Say whether a node has sources, by its own word; every node has those of genesis."""
    in_genesis = any(entry == (sources, GENESIS_HEIGHT) for entry in admitted(reader))
    return in_genesis or sources in membership_nodes.declared_sources(reader, node_id)


def support_of(reader: Reader, sources: Sources, seats: Sequence[Validator]) -> Support:
    """Return who of these validators has sources."""
    return counted(seats, lambda node_id: has(reader, node_id, sources))


def support(reader: Reader, sources: Sources) -> Support:
    """Return who has sources of the validators that ``versions.deciding`` gives."""
    return support_of(reader, sources, deciding(reader))


def check(reader: Reader, sources: Sources, height: int, now: int) -> Rejected | None:
    """Say why sources cannot be admitted from ``height`` on by block ``now``, or None."""
    others = waiting(reader)
    if any(admission.sources.name == sources.name for admission in others):
        return Rejected("change_pending", f"another version of {sources.name} is accepted and not in force yet")
    entries = history(reader)
    present = {entry.sources.name: entry.sources.version for entry in entries}
    if sources.version <= present.get(sources.name, 0):  # W5
        detail = f"{sources.name} runs in version {present[sources.name]}; the next one has a higher number"
        return Rejected("bad_version", detail)
    if len({*present, *(admission.sources.name for admission in others), sources.name}) > MAX_CONTRACTS:
        return Rejected("too_many_contracts", f"at most {MAX_CONTRACTS} contracts of others on a chain")
    if len(entries) + len(others) >= MAX_VERSIONS:
        return Rejected("too_many_contracts", f"at most {MAX_VERSIONS} versions of contracts of others on a chain")
    if height < now + MIN_NOTICE_BLOCKS:
        return Rejected("too_soon", f"height {height} is too soon, {now + MIN_NOTICE_BLOCKS} is the first possible")
    return None


def lacking_in_force(reader: Reader, node_id: str) -> Sources | None:
    """Return sources in force that a node has not said it has, or None."""
    lacking = (entry.sources for entry in admitted(reader) if not has(reader, node_id, entry.sources))
    return next(lacking, None)


def lost_by(reader: Reader, removed: str, seats: Sequence[Validator]) -> tuple[Sources, Support] | None:
    """Return sources in force that too few of the validators ``seats`` have without ``removed``, which has them."""
    for entry in admitted(reader):
        left = support_of(reader, entry.sources, seats)
        if not left.suffices and has(reader, removed, entry.sources):
            return entry.sources, left
    return None


def schedule(view: View, sources: Sources, height: int, proposal_id: str) -> None:
    """Have sources take effect at ``height``, if W5 allows."""
    _put(view, [*waiting(view), Admission(sources, height, proposal_id)])


def withdraw(view: View, admission: Admission) -> None:
    """Take back what is accepted and not in force yet."""
    _put(view, [other for other in waiting(view) if other != admission])


def begin_block(view: View, height: int) -> list[tuple[Admission, Support]]:
    """Bring what is admitted from the block after ``height`` into force, or not; return what and by whose word."""
    now = [admission for admission in waiting(view) if admission.height <= height + 1]
    decided = [(admission, support(view, admission.sources)) for admission in now]
    for admission, found in decided:
        withdraw(view, admission)
        if found.suffices:  # W5
            admit(view, admission.sources, height + 1)
    return decided


def decided_document(admission: Admission, found: Support) -> Result:
    """Return what the block's first receipt says of an admission whose height has come."""
    about = {**shown(admission.sources), "height": admission.height, "proposal": admission.proposal}
    return {**about, "in_force": found.suffices, **found.document()}


def came_into_force(begun: Mapping[str, Any], height: int) -> list[Admitted]:
    """Return what comes into force after the block ``height``, by what its first receipt says of governance."""
    return [Admitted(sources_of(each), height + 1) for each in begun.get("contracts", ()) if each["in_force"]]


def void_outcome(admission: Admission, found: Support) -> Result:
    """Return what a proposal came to whose sources too few validators had."""
    name, version, _ = admission.sources
    counts = f"{len(found.having)} of the {found.needed} validators needed had {name} version {version}"
    return {"code": "lacks_contract", "detail": f"{counts} at height {admission.height}; propose it again"}


def _put(view: View, admissions: Sequence[Admission]) -> None:
    if admissions:
        rows = [[*each.sources, each.height, each.proposal] for each in sorted(admissions)]
        view.put(ADMISSIONS_KEY, rows)
    else:
        view.delete(ADMISSIONS_KEY)


# Queries


def admissions(reader: Reader) -> list[dict[str, Any]]:
    """Return what is accepted and not in force yet, each with who has the sources and where it takes effect.

    ``first_height`` is null while too few validators have them: then it is void at ``height``.
    """
    found = ((admission, support(reader, admission.sources)) for admission in waiting(reader))
    return [
        {
            **shown(admission.sources),
            "height": admission.height,
            "proposal": admission.proposal,
            "first_height": admission.height if by.suffices else None,
            **by.document(),
        }
        for admission, by in found
    ]


def in_force(reader: Reader) -> list[dict[str, Any]]:
    """Return the contracts of others that the next block runs with: name, version, sha256, first_height."""
    return [{**shown(entry.sources), "first_height": entry.first_height} for entry in admitted(reader)]


def to_declare(reader: Reader, node_id: str, offered: Iterable[Sources]) -> list[Sources] | None:
    """Return what a node that has ``offered`` has to say of it, None if the state says so (W11).

    What matters is what may still take effect, and what is in force unless it is that of genesis; first of all what
    the chain waits for or runs, if there is more than one declaration holds.
    """
    present = {entry.sources.name: entry for entry in admitted(reader)}
    needed = {*(entry.sources for entry in present.values()), *(each.sources for each in waiting(reader))}
    wanted = [each for each in sorted(offered, key=lambda each: (each not in needed, each)) if _matters(each, present)]
    said = [each for each in membership_nodes.declared_sources(reader, node_id) if _matters(each, present)]
    wanted = sorted(wanted[: membership_nodes.MAX_SOURCES])
    return None if said == wanted else wanted


def _matters(sources: Sources, present: Mapping[str, Admitted]) -> bool:
    entry = present.get(sources.name)
    if entry is None or sources.version > entry.sources.version:
        return True
    return sources == entry.sources and entry.first_height > GENESIS_HEIGHT
