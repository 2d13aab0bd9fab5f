"""How a constitution is amended: by a ballot on the track that it names for that, with a document in its place.

Law: no document is proposed or takes effect that lacks what a constitution has to be safe from (K1 to K5), for the
members of that moment; who proposes one names what it amends.
"""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.governance import ballot, document, electorate, in_force, safety
from coseal.contracts.governance.document import HOUR_MS
from coseal.contracts.governance.in_force import FOUNDING_DIGEST
from coseal.contracts.governance.state import NAME
from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import Context, Rejected, Result, View
from coseal.contracts.kernel.contract import Entry, Moment
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.kernel.fields import Hexadecimal, Record
from coseal.contracts.kernel.proposals import Case, ProposalKind, Subject

CHECK_STEPS: Final = 30_000
"""What the votings take by which a document is judged: 16 tracks, 5 constituencies each."""
RETIME: Final = "retime"
"""The due thing by which open ballots are looked at when the constitution in force says (Q17)."""


def fire(view: View, moment: Moment, entry: Entry) -> Result:
    """Have some open ballots looked at when a new constitution says, and the others next."""
    left = ballot.reschedule(view, entry[1])  # Q17
    if left:
        deadlines.add(view, NAME, BLOCK_CLOCK, moment.time_ms, [RETIME, left])
    return {}


def _track(electorate: str) -> dict[str, Any]:
    rule = {"total": [2, 3], "classes": {"government": [1, 2], "bank": [1, 2]}, "at_least": 2}
    return {"electorate": electorate, "pass": rule, "open_ms": [HOUR_MS, 7 * DAY_MS, 30 * DAY_MS]}


EXAMPLE: Final[dict[str, Any]] = {
    "title": "Government and banks",
    "central_bank_counts_as": "bank",
    "present_ms": 180 * DAY_MS,
    "tracks": {"ordinary": _track("validators"), "constitution": _track("members")},
    "kinds": {"protocol_version": "constitution"},
}


def unsafe(constitution: document.Constitution, sizes: electorate.Sizes) -> Rejected | None:
    """Refuse a constitution that is not safe for these electorates, with the voting that shows it."""
    for breach in safety.breaches(constitution, sizes):
        return Rejected("unsafe_constitution", f"{breach}; `coseal constitution check` shows all")  # K1 to K5
    return None


def _admit(context: Context, subject: Subject) -> Rejected | None:
    for fault in document.faults_of(subject["document"]):
        return Rejected("invalid_argument", f"args.subject.document{fault}")
    return None


def _check(view: View, case: Case, subject: Subject) -> Rejected | None:
    current = in_force.version(view)
    if subject["from"] != current.digest:  # Q16
        return Rejected("stale_constitution", f"the constitution in force is {current.digest}; amend that one")
    view.charge(CHECK_STEPS)
    return unsafe(document.constitution_of(subject["document"]), electorate.sizes(view))


def _amend(view: View, case: Case, subject: Subject) -> Result:
    after = in_force.enact(view, subject["document"], height=case.height, proposal=case.id)
    electorate.reseated(view)
    deadlines.add(view, NAME, BLOCK_CLOCK, case.time_ms, [RETIME, ballot.count_open(view)])
    return {"version": after.number, "digest": after.digest}


KIND: Final = ProposalKind(
    Record({"from": Hexadecimal(), "document": document.FIELD}),
    _check,
    _amend,
    {"from": FOUNDING_DIGEST, "document": EXAMPLE},
    _admit,
)
