"""Whether a standard is de facto: computed from what members recorded, never declared.

Law: integers alone: no share is rounded before it is compared, so the same figures give the same
status. A quota is met by *more than* it.

contracts/standards/README.md, section De facto.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any, Final, NamedTuple, TypeAlias

from coseal.contracts.governance.document import GAINED, LOST
from coseal.contracts.governance.state import DE_FACTO_KEY
from coseal.contracts.kernel.action import Reader
from coseal.ledger.genesis import STANDARD_PERIOD_MS

PERIOD_MS: Final = STANDARD_PERIOD_MS
"""How long a period is, unless the genesis says otherwise."""
KEPT_PERIODS: Final = 13
"""How many periods of use are kept of a member: those of a year, and the one that runs."""

Quota: TypeAlias = tuple[int, int]
"""A share as numerator and denominator."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The numbers by which a standard becomes de facto."""

    periods: int = 3
    """Closed periods in each of which a member has to be active, and to use the standard."""
    use_min: int = 10
    """Items of the domain that make a member active in a period."""
    of_items: Quota = (9, 10)
    """The part of its items of the domain that falls under the standard."""
    of_judged: Quota = (9, 10)
    """The part of what was judged that conforms."""
    gained: Quota = GAINED
    """The mean of the constituencies' shares with which a standard becomes de facto."""
    lost: Quota = LOST
    """The mean below which it no longer is."""
    carried: Quota = (1, 3)
    """The share that makes a constituency one of those that carry the standard."""
    carried_by: int = 2
    """Constituencies that have to carry it."""
    users_min: int = 3
    of_members: Quota = (1, 10)
    """Users, as a part of all members, that there are at least."""


TERMS: Final = Terms()


def terms_of(given: Mapping[str, Any]) -> Terms:
    """Return the numbers that ``de_facto`` of a constitution says; what it does not say is as usual."""
    said: dict[str, Any] = {name: tuple(value) if type(value) is list else value for name, value in given.items()}
    return replace(TERMS, **said)


def terms_in_force(reader: Reader) -> Terms:
    """Return the numbers of the constitution in force."""
    given: Any = reader.get(DE_FACTO_KEY) or {}
    return terms_of(given)


class Use(NamedTuple):
    """What a member recorded in a period under a standard: all, what conforms, what could not be judged."""

    items: int = 0
    conforming: int = 0
    undetermined: int = 0


class Share(NamedTuple):
    """The members of one constituency: those that use the standard, of those that are active in its domain."""

    users: int
    active: int


NO_USE: Final = Use()


def period_of(time_ms: int, period_ms: int = PERIOD_MS) -> int:
    """Return the number of the period of a block time."""
    return time_ms // period_ms  # E1


def opens_ms(period: int, period_ms: int = PERIOD_MS) -> int:
    """Return the block time at which a period begins, and the one before it is closed."""
    return period * period_ms


def judged_periods(period: int, terms: Terms = TERMS) -> range:
    """Return the periods that decide at the review of a period that closed."""
    return range(period - terms.periods + 1, period + 1)


def is_active(items: Mapping[int, int], period: int, terms: Terms = TERMS) -> bool:
    """Say whether a member is active: ``items`` of the domain by period, ``period`` the last that closed."""  # E2
    return all(items.get(each, 0) >= terms.use_min for each in judged_periods(period, terms))


def is_user(items: Mapping[int, int], use: Mapping[int, Use], period: int, terms: Terms = TERMS) -> bool:
    """Say whether an adopter that is active uses the standard: nearly all its items, and they conform."""  # E3
    if not is_active(items, period, terms):
        return False
    for each in judged_periods(period, terms):
        found = use.get(each, NO_USE)
        judged = found.items - found.undetermined
        if not exceeds(found.items, items[each], terms.of_items):
            return False
        if not exceeds(found.conforming, judged, terms.of_judged):
            return False
    return True


def mean(shares: Mapping[str, Share]) -> Quota:
    """Return the mean of the shares of the constituencies that have active members, as a fraction; 0 of none."""  # E4
    found = [share for share in shares.values() if share.active]
    if not found:
        return 0, 1
    product = prod(share.active for share in found)  # at most 1,000 ** 5
    return sum(share.users * (product // share.active) for share in found), product * len(found)


def is_de_facto(before: bool, shares: Mapping[str, Share], members: int, terms: Terms = TERMS) -> bool:
    """Say whether a standard is de facto after a review; ``before`` whether it was, ``members`` how many there are.

    It is gained above one mean and lost below a lower one, so a small change does not turn it to and fro.
    """
    users, whole = mean(shares)
    if before:
        return users * terms.lost[1] >= whole * terms.lost[0]  # E6
    carrying = sum(exceeds(share.users, share.active, terms.carried) for share in shares.values())
    count = sum(share.users for share in shares.values())
    return (  # E5
        exceeds(users, whole, terms.gained) and carrying >= terms.carried_by and count >= users_needed(members, terms)
    )


def users_needed(members: int, terms: Terms = TERMS) -> int:
    """Return how many users a standard needs on a ledger of this many members."""
    part, whole = terms.of_members
    return max(terms.users_min, -(-members * part // whole))


def exceeds(part: int, whole: int, quota: Quota) -> bool:
    """Say whether a part is more than a quota of the whole; nothing exceeds a quota of nothing."""
    return part * quota[1] > whole * quota[0]
