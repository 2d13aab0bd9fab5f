"""Whether the policies of a mission know of each other: across bodies, across levels, and before they take effect.

Law: as ``mission.checks``. Who is not named in the register may have taken part: then it is unknown, not absent.

contracts/mission/README.md, section Failures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.mission.failure import COORDINATION, FAILED, UNKNOWN, Failure
from coseal.contracts.mission.seen import Policy, Seen
from coseal.contracts.policy.instrument import RELATIONS, UNNAMED_ISSUERS, events_of, first_date, starts_ms
from coseal.ledger.genesis import LEVELS

ENDORSE_MS: Final = 60 * DAY_MS
MAX_PAIRS: Final = 256
"""The most pairs of policies that are named as not knowing of each other; further ones are left out."""
_CENTRAL, _, _MUNICIPAL = LEVELS


def coordination(seen: Seen) -> Iterator[Failure]:
    """Yield policies that do not know of each other, or of a higher level, and what is missing of them."""
    yield from _horizontal(seen)
    for policy in seen.policies.values():
        yield from _of_one(seen, policy)
    for goal in seen.record["goals"]:
        yield from _levels(seen, goal["id"])


# Horizontal


def _horizontal(seen: Seen) -> Iterator[Failure]:
    """Yield pairs on one area and goal whose issuers never issued one together and that do not name each other."""
    bits = _Bits()  # F9
    issuers = {name: bits.of("issuer", issuers_of(policy)) for name, policy in seen.policies.items()}
    areas = {name: bits.of("area", policy.record.get("is_about", ())) for name, policy in seen.policies.items()}
    reach = _reach(issuers)
    named = {name: _named(policy) for name, policy in seen.policies.items()}
    count = 0
    pairs: set[tuple[str, str]] = set()
    for goal in seen.record["goals"]:
        serving = [policy for policy in seen.serving(goal["id"]) if policy.in_force is not False]
        for place, one in enumerate(serving):
            for other in serving[place + 1 :]:
                if not areas[one.name] & areas[other.name] or reach[one.name] & issuers[other.name]:
                    continue
                if other.name in named[one.name] or one.name in named[other.name] or (one.name, other.name) in pairs:
                    continue
                if count == MAX_PAIRS:
                    return
                count += 1
                pairs.add((one.name, other.name))
                yield _pair(seen, goal["id"], one, other)


def _pair(seen: Seen, goal: str, one: Policy, other: Policy) -> Failure:
    unsure = any(policy.in_force is None or _has_unnamed(policy) for policy in (one, other))
    keys = seen.link_keys(goal, one, other)
    return Failure(COORDINATION, "horizontal", (goal, one.name, other.name), keys, UNKNOWN if unsure else FAILED)


class _Bits:
    """Sets of names as integers, a bit for each name."""

    def __init__(self) -> None:
        self._places: dict[tuple[str, str], int] = {}

    def of(self, kind: str, names: Sequence[str]) -> int:
        """Return the set of names of a kind."""
        found = 0
        for name in names:
            found |= 1 << self._places.setdefault((kind, name), len(self._places))
        return found


def _reach(issuers: Mapping[str, int]) -> dict[str, int]:
    """Return for each policy everybody with whom one of its issuers issued some policy of the mission."""
    partners: dict[int, int] = {}
    for members in issuers.values():
        for bit in _single(members):
            partners[bit] = partners.get(bit, 0) | members
    reach = {}
    for name, members in issuers.items():
        found = 0
        for bit in _single(members):
            found |= partners[bit]
        reach[name] = found
    return reach


def _single(members: int) -> Iterator[int]:
    while members:
        bit = members & -members
        yield bit
        members ^= bit


def issuers_of(policy: Policy) -> list[str]:
    """Return who issued a policy, with those who signed it besides, as far as they are named."""
    record = policy.record
    names = [*record.get("passed_by", ()), *record.get("countersigned_by", ())]
    return [name for name in names if name != UNNAMED_ISSUERS]


def _has_unnamed(policy: Policy) -> bool:
    return UNNAMED_ISSUERS in policy.record.get("countersigned_by", ()) or not policy.record.get("passed_by")


def _named(policy: Policy) -> frozenset[str]:
    return frozenset(name for relation in RELATIONS for name in policy.record.get(relation, ()))


# Of one policy


def _of_one(seen: Seen, policy: Policy) -> Iterator[Failure]:
    goals = seen.goals_of(policy.name)
    keys = seen.link_keys(goals[0], policy)
    verdict = UNKNOWN if policy.in_force is None else FAILED
    if (
        policy.in_force is not False and policy.level not in ("", _CENTRAL) and not _rests_on_higher(seen, policy)
    ):  # F10
        yield Failure(COORDINATION, "vertical", (policy.name,), keys, verdict)
    date = first_date(policy.record, "passed")
    if policy.record.get("awaiting") and date is not None:
        since_ms = starts_ms(date, policy.record["zone_minutes"])
        if since_ms + ENDORSE_MS <= seen.time_ms:  # F11
            yield Failure(COORDINATION, "endorsement_awaited", (policy.name,), keys)
    passed = policy.record["status"] not in ("proposed", "ended")
    if passed and policy.level == _MUNICIPAL and not events_of(policy.record, "approved"):  # F13
        yield Failure(COORDINATION, "municipal_without_approval", (policy.name,), keys, verdict)


def _rests_on_higher(seen: Seen, policy: Policy) -> bool:
    """Say whether a policy implements or is based on one that is not known to be no higher."""
    for name in (*policy.record.get("implements", ()), *policy.record.get("based_on", ())):
        other = seen.policies.get(name)
        if other is None or not other.level or LEVELS.index(other.level) < LEVELS.index(policy.level):
            return True
    return False


def _levels(seen: Seen, goal: str) -> Iterator[Failure]:
    """Yield that all policies in force that serve a goal are of one level."""  # F12
    serving = [policy for policy in seen.serving(goal) if policy.in_force is not False]
    levels = dict.fromkeys(policy.level for policy in serving if policy.level)
    if len(levels) != 1:
        return
    unsure = any(policy.in_force is None or not policy.level for policy in serving)
    keys = seen.link_keys(goal, *serving)
    yield Failure(COORDINATION, "one_level", (goal, *levels), keys, UNKNOWN if unsure else FAILED)
