"""Sets of validators as governance changes them: what a set must be, and members whose validators step down.

Law: no set is scheduled that cannot be agreed upon, in which one member or role decides alone, or that lacks what the
chain runs with (A5, A6, A11, W8); one change at a time (A4). Validators of a suspended member step down by the same
rules, one a block, and stay where these do not let them go (S6 of docs/spec/standing.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from coseal.contracts.governance import admissions
from coseal.contracts.governance import versions as governance_versions
from coseal.contracts.governance.state import STEPPING_DOWN_KEY
from coseal.contracts.governance.versions import Support
from coseal.contracts.kernel.action import GOOD, Reader, Rejected, Result, View
from coseal.contracts.kernel.state import PROTOCOL_VERSION_KEY
from coseal.contracts.membership import epochs as membership_epochs
from coseal.contracts.membership.standing import standing
from coseal.ledger.errors import Malformed
from coseal.ledger.validators import Validator, ValidatorSet, require_valid

MIN_VALIDATORS: Final = 4
"""Below this no fault is tolerated; a removal never leads there."""


def current(reader: Reader) -> tuple[Validator, ...]:
    """Return the validators of the next height."""
    return membership_epochs.validators(reader).validators


def of_member(reader: Reader, member_id: str) -> list[str]:
    """Return the nodes of a member that validate or will from the next block on, ascending."""
    coming = membership_epochs.coming(reader)
    seats = (*current(reader), *(() if coming is None else coming.validators))
    return sorted({seat.id for seat in seats if seat.member == member_id})


def check_set(view: View, seats: Sequence[Validator]) -> Rejected | None:
    """Refuse seats that cannot be agreed upon, or with which one member or role decides alone; or a second change."""
    if membership_epochs.pending(view) is not None:  # A4
        detail = "another change of the validators takes effect with the next block; propose again after it"
        return Rejected("change_pending", detail)
    return _unsafe(view, seats)


def _unsafe(view: View, seats: Sequence[Validator]) -> Rejected | None:
    try:
        require_valid(ValidatorSet(membership_epochs.validators(view).epoch + 1, tuple(seats)))  # A6
    except Malformed as error:
        return Rejected("unsafe_validators", f"the validators would be: {error.reason}")
    return None


def without(seats: Sequence[Validator], node_id: str) -> list[Validator]:
    """Return seats but the one of a node."""
    return [seat for seat in seats if seat.id != node_id]


def check_left(view: View, removed: str, left: Sequence[Validator]) -> Rejected | None:
    """Refuse to take a validator away where too few others are left, or too few of the right software."""
    if len(left) < MIN_VALIDATORS:  # A5
        detail = f"{len(left)} validators would be left, at least {MIN_VALIDATORS}; add another one first"
        return Rejected("too_few_validators", detail)
    version: Any = view.get(PROTOCOL_VERSION_KEY)
    support = governance_versions.support_of(view, version, left)
    if not support.suffices and governance_versions.has(view, removed, version):  # A11
        what = f"protocol version {version}, now in force"
        return Rejected("lacks_version", _too_few(support, what, "upgrade"))
    lost = admissions.lost_by(view, removed, left)
    if lost is not None:  # W8
        sources, support = lost
        what = f"contract {sources.name} version {sources.version}, now in force"
        return Rejected("lacks_contract", _too_few(support, what, "install it on"))
    return None


def _too_few(left: Support, what: str, remedy: str) -> str:
    everyone = len(left.having) + len(left.lacking)
    detail = f"{len(left.having)} of the {everyone} validators left have {what}"
    return f"{detail}; {left.needed} must: remove or {remedy} {', '.join(left.lacking)} first"


# Members that step down


def step_down(view: View, member_id: str, proposal_id: str) -> Result:
    """Have a member's validators leave their seats, one a block; return which will by the present set, and which stay.

    What stays is what the rules about sets do not let go; whether they still do not, each block finds out by itself.
    """
    seats: Sequence[Validator] = (membership_epochs.coming(view) or membership_epochs.validators(view)).validators
    leaving, staying = [], []  # S6
    for node_id in of_member(view, member_id):
        left = without(seats, node_id)
        if len(left) < len(seats) and _refusal(view, node_id, left) is None:
            seats = left
            leaving.append(node_id)
        else:
            staying.append(node_id)
    if leaving:
        queue: Any = view.get(STEPPING_DOWN_KEY) or []
        before = [row for row in queue if row[0] not in leaving]
        view.put(STEPPING_DOWN_KEY, [*before, *([node_id, proposal_id] for node_id in leaving)])
    return {"leaving": leaving, "staying": staying}


def begin_block(view: View, height: int) -> Result:
    """Take the seat of the next validator that steps down, if the set may change now; return what was done."""
    queue: Any = view.get(STEPPING_DOWN_KEY)
    if not queue or membership_epochs.pending(view) is not None:
        return {}
    (node_id, proposal_id), *rest = queue
    if rest:
        view.put(STEPPING_DOWN_KEY, rest)
    else:
        view.delete(STEPPING_DOWN_KEY)
    seat = next((seat for seat in current(view) if seat.id == node_id), None)
    if seat is None or standing(view, seat.member).status == GOOD:
        return {}
    about = {"node": node_id, "member": seat.member, "proposal": proposal_id}
    left = without(current(view), node_id)
    refusal = _refusal(view, node_id, left)
    if refusal is not None:
        return {"stepped_down": {**about, "code": refusal.code, "detail": refusal.detail}}
    membership_epochs.schedule(view, proposal_id, left)
    return {"stepped_down": {**about, "first_height": height + 2}}


def _refusal(view: View, removed: str, left: Sequence[Validator]) -> Rejected | None:
    return check_left(view, removed, left) or _unsafe(view, left)


def is_stepping_down(reader: Reader) -> bool:
    """Say whether a validator waits for the next block to step down."""
    return reader.get(STEPPING_DOWN_KEY) is not None
