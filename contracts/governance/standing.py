"""What members decide about the standing of one: to suspend it for a time, to reinstate it, to remove it.

Law: a suspension takes away the voice of a member for a time and ends by itself; a removal ends what it may do and
none of what it did. Neither leaves the chain without a government, nor with more than a third of its members suspended.
Rules S1 to S8 of docs/spec/standing.md.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from coseal.contracts.governance import electorate, grounds, seats
from coseal.contracts.governance.state import NAME, leaving_key
from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import FORMER, GOOD, SUSPENDED, Reader, Rejected, Result, View
from coseal.contracts.kernel.budget import ITEM_STEPS
from coseal.contracts.kernel.contract import Entry, Moment
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.kernel.fields import Boolean, Integer, Name, Record
from coseal.contracts.kernel.proposals import Case, ProposalKind, Subject
from coseal.contracts.kernel.wording import duration_text, moment_text
from coseal.contracts.membership import nodes as membership_nodes
from coseal.contracts.membership.standing import (
    IN_GOOD_STANDING,
    Standing,
    former,
    put_standing,
    standing,
    standing_of,
    suspended,
)
from coseal.contracts.membership.state import MEMBERS_KEY, member_key, own_nodes_key

MAX_TERM_MS: Final = 366 * DAY_MS
"""The longest that a suspension or a measure lasts."""
SUSPENSION: Final = "suspension"
"""The kind of due thing that ends a suspension."""


def check_term(case: Case, until_ms: int, most_ms: int = MAX_TERM_MS) -> Rejected | None:
    """Refuse an end that is not within ``most_ms`` after the block."""
    if case.time_ms < until_ms <= case.time_ms + most_ms:
        return None
    limit, now = duration_text(most_ms), moment_text(case.time_ms)
    return Rejected("bad_time", f"until_ms is not within {limit} after block time {now}")


def _of_member(view: View, member_id: str) -> Standing | Rejected:
    """Return the standing of who is a member, or refuse."""
    record: Any = view.get(member_key(member_id))
    if record is None:
        return Rejected("unknown_member", f"there is no member {member_id}")
    now = standing_of(record)
    if now.status == FORMER:
        return Rejected("former_member", f"{member_id} is no member any more, since height {now.since}")
    return now


# Suspension


def _check_suspension(keys: grounds.Keys, view: View, case: Case, subject: Subject) -> Rejected | None:
    member_id, until_ms = subject["member"], subject["until_ms"]
    now = _of_member(view, member_id)
    if isinstance(now, Rejected):
        return now
    refusal = check_term(case, until_ms) or grounds.check(keys, view, subject)  # S4
    if refusal is not None:
        return refusal
    if now.until_ms is None:
        return _check_room(view)
    if until_ms <= now.until_ms:  # S4
        detail = f"{member_id} is suspended until {moment_text(now.until_ms)} already; name a later time"
        return Rejected("already_suspended", detail)
    return None


def _check_room(view: View) -> Rejected | None:
    everyone: Any = view.get(MEMBERS_KEY)
    already = len(suspended(view))
    most = (len(everyone) - len(former(view)) - 1) // 3
    if already < most:  # S5
        return None
    detail = f"{already} members are suspended, and at most {most} may be; wait, or reinstate one first"
    return Rejected("too_many_suspended", detail)


def _suspend(view: View, case: Case, subject: Subject) -> Result:
    member_id, until_ms = subject["member"], subject["until_ms"]
    put_standing(view, member_id, Standing(SUSPENDED, until_ms, case.height, case.id))
    deadlines.add(view, NAME, BLOCK_CLOCK, until_ms, [SUSPENSION, member_id, until_ms])
    electorate.changed(view, member_id, case.time_ms)
    seated = {"seats": seats.step_down(view, member_id, case.id)} if subject["seats"] else {}
    return {"member": member_id, "until_ms": until_ms, **seated}


def end_suspension(view: View, moment: Moment, entry: Entry) -> Result:
    """End a suspension whose time is over, unless it was ended or prolonged before."""
    _, member_id, until_ms = entry
    now = standing(view, member_id)
    if now.until_ms != until_ms:
        return {}
    put_standing(view, member_id, IN_GOOD_STANDING)  # S4
    electorate.changed(view, member_id, moment.time_ms)
    return {"reinstated": [{"member": member_id, "proposal": now.proposal}]}


# Reinstatement


def _check_reinstatement(keys: grounds.Keys, view: View, case: Case, subject: Subject) -> Rejected | None:
    now = _of_member(view, subject["member"])
    if isinstance(now, Rejected):
        return now
    if now.status == GOOD:
        return Rejected("not_suspended", f"{subject['member']} is not suspended")
    return grounds.check(keys, view, subject)


def _reinstate(view: View, case: Case, subject: Subject) -> Result:
    put_standing(view, subject["member"], IN_GOOD_STANDING)
    electorate.changed(view, subject["member"], case.time_ms)
    return {"member": subject["member"]}


# Removal


def check_departure(view: View, member_id: str) -> Rejected | None:
    """Say why a member cannot be removed or leave now, or None."""
    now = _of_member(view, member_id)
    if isinstance(now, Rejected):
        return now
    running = seats.of_member(view, member_id)
    if running:  # S7
        named = ", ".join(running)
        return Rejected("runs_validator", f"{member_id} runs {named}; propose remove_validator first")
    record: Any = view.get(member_key(member_id))
    if record["role"] == "government" and not _other_government(view, member_id):  # S7
        return Rejected("last_government", f"{member_id} is the last government member; admit another one first")
    return None


def _other_government(reader: Reader, member_id: str) -> bool:
    """Say whether another member that is not former is a government; validators are asked first, they are few."""
    if any(seat.role == "government" for seat in seats.current(reader)):
        return True
    everyone: Any = reader.get(MEMBERS_KEY)
    gone = frozenset((member_id, *former(reader)))
    others: Any = (reader.get(member_key(other)) for other in everyone if other not in gone)
    return any(other["role"] == "government" for other in others)


def depart(view: View, member_id: str, height: int, time_ms: int, proposal_id: str) -> Result:
    """Make a member a former one: its nodes leave the registry, its voice and offices end, its keys stay."""
    own: Any = view.get(own_nodes_key(member_id)) or []
    if own:
        view.charge(ITEM_STEPS * len(own))
        membership_nodes.retire(view, member_id, own, height)
    put_standing(view, member_id, Standing(FORMER, None, height, proposal_id))
    view.delete(leaving_key(member_id))
    electorate.changed(view, member_id, time_ms)
    return {"member": member_id, "nodes": list(own)}


def _check_removal(keys: grounds.Keys, view: View, case: Case, subject: Subject) -> Rejected | None:
    return check_departure(view, subject["member"]) or grounds.check(keys, view, subject)


def _remove(view: View, case: Case, subject: Subject) -> Result:
    return depart(view, subject["member"], case.height, case.time_ms, case.id)


# The table


def _concerned(subject: Subject) -> str:
    member_id: str = subject["member"]
    return member_id


def kinds(keys: grounds.Keys) -> dict[str, ProposalKind]:
    """Return what can be proposed about the standing of a member, by name."""
    about = Record({"member": Name(), "grounds": grounds.GROUNDS})
    example = {"member": "bank-a", "grounds": list(grounds.EXAMPLE)}
    return {
        "suspend_member": ProposalKind(
            Record({"member": Name(), "until_ms": Integer(1), "seats": Boolean(), "grounds": grounds.GROUNDS}),
            partial(_check_suspension, keys),
            _suspend,
            {**example, "until_ms": 1_900_000_000_000, "seats": False},
            concerned=_concerned,
        ),
        "reinstate_member": ProposalKind(
            about, partial(_check_reinstatement, keys), _reinstate, example, concerned=_concerned
        ),
        "remove_member": ProposalKind(about, partial(_check_removal, keys), _remove, example, concerned=_concerned),
    }
