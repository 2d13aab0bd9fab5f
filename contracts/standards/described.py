"""Standards as JSON, for queries: why a version has its status, who may do what next, and how a domain stands.

Law: only reads, and computes with the functions of ``standards.status``: what is said of a threshold is what a review
compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import gcd
from typing import Any, Final

from coseal.contracts.governance.state import DE_FACTO_KEY
from coseal.contracts.kernel.action import Reader, Rejected
from coseal.contracts.membership.standing import standing_of
from coseal.contracts.membership.state import MEMBERS_KEY, member_key
from coseal.contracts.standards import domains, recognition
from coseal.contracts.standards.adoptions import ADOPTED, in_force_at
from coseal.contracts.standards.content import MEASURED
from coseal.contracts.standards.disputes import WAITING
from coseal.contracts.standards.records import DE_FACTO, OVER, head_of, record_of
from coseal.contracts.standards.state import PERIOD_KEY, adoption_key, content_key, dispute_key
from coseal.contracts.standards.status import Quota, Share, Terms, exceeds, mean, terms_in_force, users_needed
from coseal.ledger.validators import ROLES

FIGURES: Final = ("users", "active", "adopters")
SHARED_KEYS: Final = (MEMBERS_KEY, PERIOD_KEY, DE_FACTO_KEY)
"""What is read for any version, beside its own keys."""


def version(reader: Reader, standard: str, number: int, time_ms: int) -> dict[str, Any] | None:
    """Return a version with its content, its figures by constituency and its conditions; None if there is none.

    ``review`` (null before the first) has its ``period`` and when that closed, by constituency ``users``, ``active``
    and ``adopters``, and ``items``; ``next_review_ms`` is when the period of now is closed. ``mean`` is
    ``[numerator, denominator]``. Each condition has what it ``has``, what it ``needs``, and whether it is ``met``; of a
    standard that is de facto there is the one that keeps it so.
    """
    record = record_of(reader, standard, number)
    if isinstance(record, Rejected):
        return None
    head = head_of(reader, standard)
    found = {"standard": standard, "version": number, "latest": head["latest"], "domain": head["domain"]}
    found |= {name: value for name, value in record.items() if name != "review"}
    found |= {"content": reader.get(content_key(standard, number)), "measured": record["kind"] in MEASURED}
    review = _review(reader, record)
    members: Any = reader.get(MEMBERS_KEY)
    shares = shares_of(review)
    conditions = _conditions(record["status"] == DE_FACTO, shares, len(members), terms_in_force(reader))
    return {
        **found,
        "review": review,
        "next_review_ms": domains.next_period_ms(reader, time_ms),
        "mean": _lowest(mean(shares)),
        "conditions": conditions if found["measured"] else [],
    }


def shares_of(review: Mapping[str, Any] | None) -> dict[str, Share]:
    """Return who uses a version of who is active, by constituency."""
    if review is None:
        return {}
    return {role: Share(review["users"][role], review["active"][role]) for role in ROLES if review["active"][role]}


def _review(reader: Reader, record: Mapping[str, Any]) -> dict[str, Any] | None:
    if "review" not in record:
        return None
    figures = record["review"]
    by_role = {name: dict(zip(ROLES, figures[name], strict=True)) for name in FIGURES}
    period = figures["period"]
    return {"period": period, "closed_ms": domains.closed_ms(reader, period), "items": figures["items"], **by_role}


def _conditions(is_de_facto: bool, shares: Mapping[str, Share], members: int, terms: Terms) -> list[dict[str, Any]]:
    """Return what decides at a review about a version that is de facto, or is not."""
    share = mean(shares)
    has = _lowest(share)
    if is_de_facto:
        kept = share[0] * terms.lost[1] >= share[1] * terms.lost[0]
        return [{"condition": "kept", "has": has, "needs": list(terms.lost), "met": kept}]  # E6
    carrying = sum(exceeds(one.users, one.active, terms.carried) for one in shares.values())
    users, needed = sum(one.users for one in shares.values()), users_needed(members, terms)
    return [  # E5
        {"condition": "mean", "has": has, "needs": list(terms.gained), "met": exceeds(*share, terms.gained)},
        {"condition": "carried", "has": carrying, "needs": terms.carried_by, "met": carrying >= terms.carried_by},
        {"condition": "users", "has": users, "needs": needed, "met": users >= needed},
    ]


def _lowest(quota: Quota) -> list[int]:
    """Return a fraction in lowest terms."""
    shared = gcd(*quota) or 1
    return [quota[0] // shared, quota[1] // shared]


def domain(reader: Reader, name: str) -> dict[str, Any]:
    """Return a domain: the versions that compete in it, and who was active in it at its last review.

    ``period`` is that of the review, null before the first; one that nothing is in is empty.
    """
    found = domains.domain_of(reader, name)
    reviewed = found["period"] if found["period"] >= 0 else None
    active = dict(zip(ROLES, found["active"], strict=True))
    same = {name: found[name] for name in ("standards", "members", "items", "reviewing")}
    return {"domain": name, **same, "period": reviewed, "active": active}


# What may be done next


def keys_of(standard: str, number: int, member: str) -> list[str]:
    """Return the keys that ``acts`` reads, beside the version's own."""
    return [member_key(member), adoption_key(standard, number, member), dispute_key(standard, number, member)]


def acts(reader: Reader, standard: str, number: int, member: str, time_ms: int) -> list[str]:
    """Return the actions about a version that a member can take at a block time, by its state and its standing."""
    record, about = record_of(reader, standard, number), standing_of(_member(reader, member))
    if isinstance(record, Rejected) or about.status == "former":
        return []
    adoption: Any = reader.get(adoption_key(standard, number, member))
    is_on_it = adoption is not None and (adoption["until_ms"] is None or adoption["until_ms"] > time_ms)
    found = [*_of_anybody(record, adoption if is_on_it else None)]
    if record["status"] not in OVER and in_force_at(adoption, time_ms):
        dispute: Any = reader.get(dispute_key(standard, number, member))
        found += ["dispute"] if dispute is None or dispute["status"] not in WAITING else []
    found += _of_government(record, _member(reader, member), member)
    if record["member"] == member and record["status"] not in OVER and "sunset_ms" not in record:
        found += ["supersede", "deprecate"]
    return found if about.status == "good" else [name for name in found if name == "end_adoption"]


def _member(reader: Reader, member: str) -> Any:
    return reader.get(member_key(member))


def _of_anybody(record: Mapping[str, Any], adoption: Mapping[str, Any] | None) -> list[str]:
    takes_up = record["status"] not in OVER and "sunset_ms" not in record  # E16
    if adoption is None:
        return ["adopt", "try"] if takes_up else []
    found = ["adopt"] if takes_up and adoption["mode"] != ADOPTED else []
    return [*found, "end_adoption"] if adoption["until_ms"] is None else found


def _of_government(record: Mapping[str, Any], about: Mapping[str, Any], member: str) -> list[str]:
    if "recognition" in record:
        return ["withdraw_recognition"] if record["recognition"]["member"] == member else []
    recognises = about["role"] == "government" or about["central_bank"]
    return ["recognise"] if recognises and recognition.may_be(record) else []
