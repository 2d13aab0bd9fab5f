"""The document that shows all facts of a member with the formulas in force: which values of the state it has.

Law: pure. Everything is read through one reader, in one order, so who makes the document and who verifies it read the
same keys; what is missing is noticed, and nothing else is in it.

docs/spec/audit.md, section Dossier.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from coseal.contracts.credit.facts import KEPT_MONTHS, PAGE_ENTRIES, Kept
from coseal.contracts.credit.figures import (
    CORRECTED,
    REFUSED,
    Entry,
    Figure,
    Place,
    figure_from,
    figure_of,
    month_after,
)
from coseal.contracts.credit.formula import Dossier, evaluate
from coseal.contracts.credit.formulas import formula_of, newest_version
from coseal.contracts.credit.state import entries_key, fact_key, month_key
from coseal.contracts.kernel.action import Reader
from coseal.contracts.kernel.recording import Recording
from coseal.contracts.membership.state import member_key
from coseal.ledger.errors import BadProof
from coseal.ledger.proof import CertifiedValue
from coseal.ledger.render import certified_header_json, proven_value_json

KIND: Final = "dossier"
MAX_MONTHS: Final = KEPT_MONTHS + 1
"""Months of which there can be facts: those that are kept, and that of the block."""
MAX_FORMULAS: Final = 8
MAX_VALUES: Final = 2_000
"""Values of the greatest document; of a member with more facts it is of fewer months."""


class Question(NamedTuple):
    """What a dossier is of: a member, how many months up to that of its block, and by which formulas."""

    member: str
    months: int = MAX_MONTHS
    formulas: tuple[str, ...] = ()


class Listed(NamedTuple):
    """A list of facts with its figure, as the state has them."""

    place: Place
    figure: Figure
    kept: Sequence[Kept]


@dataclass(frozen=True, slots=True)
class Ground:
    """All that a dossier shows: ``member`` as membership has it, its lists by month, and formulas as adopted."""

    member: Mapping[str, Any]
    month: int
    lists: Sequence[Listed]
    formulas: Sequence[Mapping[str, Any]]

    def values(self) -> list[Dossier]:
        """Return what each formula says of the facts at the end of the month."""
        figures = {(each.place.month, each.place.kind): each.figure for each in self.lists}
        return [evaluate(each["formula"], figures, self.month) for each in self.formulas]


def ground_of(reader: Reader, question: Question, month: int) -> Ground:
    """Return what there is of a member up to ``month``; raise ``BadProof`` for who or what is unknown."""
    member: Any = reader.get(member_key(question.member))
    if member is None:
        raise BadProof(f"{question.member} is no member of this chain")
    lists = [
        _listed(reader, Place(question.member, at, kind))
        for at in months_of(question, month)
        for kind in _kinds(reader, question.member, at)
    ]
    formulas = []
    for name in question.formulas:
        found = formula_of(reader, name) if newest_version(reader, name) else None
        if found is None:
            raise BadProof(f"no ballot adopted the formula {name}")
        if found["formula"]["window_months"] > question.months:
            raise BadProof(f"{name} looks at {found['formula']['window_months']} months, not at {question.months}")
        formulas.append(found)
    return Ground(member, month, lists, formulas)


def months_of(question: Question, month: int) -> list[int]:
    """Return the months that a dossier is of, ascending; the last is ``month``."""
    return [month_after(month, -back) for back in reversed(range(question.months))]


def _kinds(reader: Reader, member: str, month: int) -> Sequence[str]:
    found: Any = reader.get(month_key(member, month))
    return found or ()


def _listed(reader: Reader, place: Place) -> Listed:
    figure = figure_from(reader.get(fact_key(*place)))
    kept: list[Kept] = []
    for page in range(-(-figure.entries // PAGE_ENTRIES)):
        value: Any = reader.get(entries_key(*place, page))
        kept += [Kept(Entry(*entry), status, deadline_ms) for entry, status, deadline_ms in value or ()]
    return Listed(place, figure, kept)


# What counts


def is_fact(entry: Entry) -> bool:
    """Say whether an entry is a fact of its own, not one that changes what another counts for."""
    return entry.sign == 1 and entry.why in ("", CORRECTED)


def counts(kept: Kept) -> bool:
    """Say whether a fact counts by what became of it: none that is contested, until the contest is refused."""
    return kept.status in ("", REFUSED)


def require_whole(listed: Listed) -> None:
    """Raise ``BadProof`` unless the entries make the figure, and what became of each fact is what they say of it."""
    place, entries = listed.place, [each.entry for each in listed.kept]
    if figure_of(place, entries) != listed.figure:
        raise BadProof(f"the entries of {place.kind} in {place.month} do not lead to the head of their list")
    changed = dict.fromkeys((entry.number for entry in entries if is_fact(entry)), 1)
    for entry in entries:
        if not is_fact(entry):
            if entry.of not in changed:
                raise BadProof(f"{place.kind} of {place.month}: entry {entry.number} changes what is no fact")
            changed[entry.of] += entry.sign
    for each in listed.kept:
        if is_fact(each.entry) and changed[each.entry.number] != counts(each):
            wrong = f"entry {each.entry.number} is {each.status or 'not contested'}"
            raise BadProof(f"{place.kind} of {place.month}: {wrong}, and the list says otherwise")


def facts_of(ground: Ground) -> Iterator[tuple[Place, Kept]]:
    """Yield each fact with its place, whether it counts or not."""
    for listed in ground.lists:
        for each in listed.kept:
            if is_fact(each.entry):
                yield listed.place, each


# The document


def keys(reader: Reader, question: Question, month: int) -> list[str]:
    """Return the keys of the document, in order; raise as ``ground_of`` does."""
    recording = Recording(reader)
    ground_of(recording, question, month)
    return list(recording.keys)


def document(question: Question, proven: Sequence[CertifiedValue]) -> dict[str, Any]:
    """Return the document; ``proven`` are the values of its keys, in order, all of one block."""
    return {
        "coseal": KIND,
        "version": 1,
        "member": question.member,
        "months": question.months,
        "formulas": list(question.formulas),
        "block": certified_header_json(proven[0].header, proven[0].certificate),
        "values": list(map(proven_value_json, proven)),
    }
