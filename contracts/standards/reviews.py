"""Reviews: once a period, page by page, who is active in a domain and who of them uses each of its standards.

Law: a page is one due thing of a bounded number of reads, and only the last one decides; what a review found is a fact
of the block in which it ended, with its figures.

The domain comes first: its last page makes the reviews of its standards due. What the pages before found stands in the
due thing itself, so a review leaves nothing half done in the state.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import GOOD, Reader, Rejected, Result, View
from coseal.contracts.kernel.contract import Moment
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.membership.standing import standing_of
from coseal.contracts.membership.state import MEMBERS_KEY, member_key
from coseal.contracts.standards import series
from coseal.contracts.standards.adoptions import ADOPTED, in_force_at
from coseal.contracts.standards.content import MEASURED
from coseal.contracts.standards.domains import closed_ms, domain_of, next_period_ms, period_at
from coseal.contracts.standards.life import LAPSE_MS
from coseal.contracts.standards.records import (
    DE_FACTO,
    IN_USE,
    OVER,
    PROPOSED,
    Standard,
    change_open,
    head_of,
    marked,
    record_of,
)
from coseal.contracts.standards.state import (
    NAME,
    adopters_key,
    adoption_key,
    domain_key,
    items_key,
    members_key,
    standard_key,
    use_key,
)
from coseal.contracts.standards.status import (
    Share,
    Use,
    is_active,
    is_de_facto,
    is_user,
    terms_in_force,
)
from coseal.ledger.validators import ROLES

_MEMBER_STEPS: Final = 40
"""What looking at a member takes, beside what is read."""
_NONE: Final = [0] * len(ROLES)


# Domains


def domain_due(view: View, moment: Moment, domain: str, so_far: Sequence[int]) -> Result:
    """Review a page of the members that record in a domain.

    ``so_far`` is empty at first, then the period, the page, the items of the period, and who is active by role.
    """
    record = domain_of(view, domain)
    if not so_far and not record["standards"]:  # E14
        view.put(domain_key(domain), {**record, "reviewing": False})
        return {}
    period, page, items, *active = so_far or (period_at(view, moment.time_ms) - 1, 0, 0, *_NONE)
    terms = terms_in_force(view)
    for member in _page(view, members_key(domain, page)):
        recorded = _by_period(view.get(items_key(domain, member)))
        items += recorded.get(period, 0)
        if is_active(recorded, period, terms):
            role = _role(view, member)
            if role is not None:
                active[role] += 1
    if page + 1 < series.pages(record["members"]):
        _next(view, moment, ["domain", domain, period, page + 1, items, *active])
        return {}
    view.put(domain_key(domain), {**record, "period": period, "active": active, "items": items})
    deadlines.add(view, NAME, BLOCK_CLOCK, next_period_ms(view, moment.time_ms), ["domain", domain])
    for standard, version in record["standards"]:
        if _is_taken_up(view, standard, version):
            _next(view, moment, ["review", standard, version])
    shown = {"domain": domain, "period": period, "active": active, "items": items, "members": record["members"]}
    return {"domains": [shown]}


def _is_taken_up(reader: Reader, standard: str, version: int) -> bool:
    record = record_of(reader, standard, version)
    return not isinstance(record, Rejected) and record["adopters"] > 0


# Standards


def standard_due(view: View, moment: Moment, standard: str, version: int, so_far: Sequence[Any]) -> Result:
    """Review a page of those that ever tried or adopted a version (E15).

    ``so_far`` is empty at first, then the domain, the period, the page, the items under the version, how many others
    than its proposer are on it, and by role who uses it and who has adopted it.
    """
    record = record_of(view, standard, version)
    if isinstance(record, Rejected) or record["status"] in OVER:
        return {}
    name = head_of(view, standard)["domain"]
    domain = domain_of(view, name)
    start = so_far or (name, domain["period"], 0, 0, 0, *_NONE, *_NONE)
    reviewed, period, page, items, others = start[:5]
    if reviewed != name or period != domain["period"]:
        return {}  # moved, or a later review has begun: that one decides
    users, adopters = list(start[5 : 5 + len(ROLES)]), list(start[5 + len(ROLES) :])
    end_ms, terms = closed_ms(view, period), terms_in_force(view)
    for member in _page(view, adopters_key(standard, version, page)):
        adoption: Any = view.get(adoption_key(standard, version, member))
        use = {row[0]: Use(*row[1:]) for row in _rows(view.get(use_key(standard, version, member)))}
        items += use[period].items if period in use else 0
        if not in_force_at(adoption, max(end_ms, adoption["from_ms"])):
            continue
        others += member != record["member"]
        if adoption["mode"] != ADOPTED or not in_force_at(adoption, end_ms):
            continue
        role = _role(view, member)
        if role is None:
            continue
        adopters[role] += 1
        users[role] += is_user(_by_period(view.get(items_key(name, member))), use, period, terms)  # E3
    if page + 1 < series.pages(record["adopters"]):
        _next(view, moment, ["review", standard, version, name, period, page + 1, items, others, *users, *adopters])
        return {}
    active = domain["active"]
    users = [min(pair) for pair in zip(users, active, strict=True)]  # who was reinstated between the two is no user yet
    figures = {"period": period, "users": users, "active": active, "adopters": adopters, "items": items}
    return _decide(view, moment, standard, version, {**record, "review": figures}, others)


def _decide(view: View, moment: Moment, standard: str, version: int, record: Standard, others: int) -> Result:
    """Write what a review found, and the status that follows."""
    figures, before = record["review"], record["status"]
    shares = {role: Share(figures["users"][at], figures["active"][at]) for at, role in enumerate(ROLES)}
    members: Any = view.get(MEMBERS_KEY)
    if record["kind"] in MEASURED and is_de_facto(before == DE_FACTO, shares, len(members), terms_in_force(view)):
        status = DE_FACTO
    else:
        status = IN_USE if others and before != PROPOSED else PROPOSED
    if status == PROPOSED and before != PROPOSED:  # E10
        change_open(view, record["member"], 1)
        deadlines.add(view, NAME, BLOCK_CLOCK, moment.time_ms + LAPSE_MS, ["lapse", standard, version])
    changed = record if status == before else marked(record, status, moment.height, moment.time_ms)
    view.put(standard_key(standard, version), changed)
    return {"reviews": [{"standard": standard, "version": version, "status": status, "before": before, **figures}]}


def _next(view: View, moment: Moment, entry: list[Any]) -> None:
    """Have something done in this block, as far as it has room."""
    deadlines.add(view, NAME, BLOCK_CLOCK, moment.time_ms, entry)


def _page(view: View, key: str) -> list[str]:
    members = series.on_page(view, key)
    view.charge(_MEMBER_STEPS * len(members))
    return members


def _role(reader: Reader, member: str) -> int | None:
    """Return the place of a member's constituency, None of a member that is not in good standing."""
    record: Any = reader.get(member_key(member))
    return ROLES.index(record["role"]) if standing_of(record).status == GOOD else None  # E3


def _rows(value: Any) -> list[list[int]]:
    return value or []


def _by_period(value: Any) -> dict[int, int]:
    return {row[0]: row[1] for row in _rows(value)}
