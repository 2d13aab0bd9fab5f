"""Plans of custody, by ballot: which members hold seats, who sits for whom, and how many open together.

Law: no role has as many seats as open, so no constituency opens alone; who owns what is sealed has no seat.

contracts/disclosure/README.md, V1 and V3.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from coseal.contracts.disclosure.state import NAME, plan_key
from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import GOOD, Reader, Rejected, Result, View
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.kernel.fields import Integer, Many, Name, Record, Table
from coseal.contracts.kernel.proposals import Case, ProposalKind
from coseal.contracts.membership.standing import standing_of
from coseal.contracts.membership.state import member_key
from coseal.ledger import custody

MAX_SUBSTITUTES: Final = 9
MAX_RETENTIONS: Final = 16
RETENTION_MS_MAX: Final = 50 * 366 * DAY_MS
DECIDED: Final = "plan"
"""The kind of due thing that says what a ballot decided."""
_CONTENT: Final[tuple[str, ...]] = ("seats", "substitutes", "threshold", "retentions")


def plan_of(reader: Reader, name: str) -> dict[str, Any] | Rejected:
    """Return a plan, or the refusal of one that there is not."""
    found: Any = reader.get(plan_key(name))
    return Rejected("no_plan", f"there is no plan {name}; a ballot decides one") if found is None else dict(found)


def _role(reader: Reader, member: str) -> str | None:
    """Return the role of a member that may hold a seat, None for any other."""
    record: Any = reader.get(member_key(member))
    return None if record is None or standing_of(record).status != GOOD else str(record["role"])


def _roles(reader: Reader, members: Sequence[str]) -> Iterator[str]:
    for member in members:
        role = _role(reader, member)
        if role is not None:
            yield role


def seated(reader: Reader, plan: Mapping[str, Any], seats: Sequence[str], out: Collection[str]) -> list[str] | Rejected:
    """Return who sits at a new vault: ``seats``, with substitutes in order for those ``out`` and those that may not.

    A substitute sits where it has no seat yet and its role stays below the threshold.
    """
    held: list[str | None] = [
        member if member not in out and _role(reader, member) is not None else None for member in seats
    ]
    roles = list(_roles(reader, [member for member in held if member is not None]))
    left = [name for name in plan["substitutes"] if name not in out and name not in held]
    for seat, member in enumerate(held):
        if member is not None:
            continue
        for name in left:
            role = _role(reader, name)
            if role is not None and roles.count(role) < plan["threshold"] - 1:  # V1
                held[seat] = name
                roles.append(role)
                left.remove(name)
                break
        else:
            return Rejected("no_custodian", f"nobody can sit for {seats[seat]}; decide a plan with more substitutes")
    return [member for member in held if member is not None]


def _check(view: View, case: Case, subject: Mapping[str, Any]) -> Rejected | None:
    seats, others = subject["seats"], subject["substitutes"]
    fault = custody.fault_of(custody.Plan(len(seats), subject["threshold"]))
    if fault is not None:  # V1
        return Rejected("bad_plan", fault)
    if not set(seats).isdisjoint(others):
        return Rejected("bad_plan", "a substitute has no seat of its own")
    for member in (*seats, *others):
        if _role(view, member) is None:
            return Rejected("bad_plan", f"{member} is no member in good standing")
    roles = list(_roles(view, seats))
    for role in sorted(set(roles)):
        if roles.count(role) >= subject["threshold"]:  # V1
            detail = f"{roles.count(role)} seats of {role} members, at most {subject['threshold'] - 1} of one role"
            return Rejected("bad_plan", detail)
    found: Any = view.get(plan_key(subject["id"]))
    if found is not None and all(found[name] == subject[name] for name in _CONTENT):
        return Rejected("exists", f"the plan {subject['id']} says so already")
    return None


def _enact(view: View, case: Case, subject: Mapping[str, Any]) -> Result:
    record = {name: subject[name] for name in _CONTENT}
    view.put(plan_key(subject["id"]), {**record, "ballot": case.id, "height": case.height})
    deadlines.add(view, NAME, BLOCK_CLOCK, case.time_ms, [DECIDED, subject["id"]])
    return {"plan": subject["id"]}


def decided(view: View, plan: str) -> Result:
    """Say in a block's first receipt which plan was decided."""
    found: Any = view.get(plan_key(plan))
    return {"plans": [{"plan": plan, **found}]}


PLAN: Final[ProposalKind] = ProposalKind(
    Record(
        {
            "id": Name(),
            "seats": Many(Name(), low=custody.SEATS_MIN, high=custody.SEATS_MAX, unique=True),
            "substitutes": Many(Name(), high=MAX_SUBSTITUTES, unique=True),
            "threshold": Integer(2, (custody.SEATS_MAX + 1) // 2),
            "retentions": Table(Integer(1_000, RETENTION_MS_MAX), high=MAX_RETENTIONS, key=Name()),
        }
    ),
    _check,
    _enact,
    {
        "id": "usual",
        "seats": ["institute-a", "public-a", "regulator"],
        "substitutes": ["central-bank", "enterprise-a"],
        "threshold": 2,
        "retentions": {"loan": 5 * 365 * DAY_MS},
    },
)
