"""The dossier of a member as a document: all its facts, proven to be all, and what the formulas in force say of them.

Law: nothing in the file is believed that a quorum did not certify, and no value of a formula is in it: each is worked
out from the facts by the function that everybody uses. A line that is missing or altered is seen.

docs/spec/audit.md, section Dossier.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from coseal.audit import certified
from coseal.audit.certified import Judged, block_text
from coseal.audit.steps import Trace
from coseal.contracts.credit.dossier import (
    KIND,
    MAX_FORMULAS,
    MAX_MONTHS,
    MAX_VALUES,
    Ground,
    Question,
    counts,
    facts_of,
    ground_of,
    months_of,
    require_whole,
)
from coseal.contracts.credit.facts import Kept
from coseal.contracts.credit.figures import KINDS, Place, by_counterparty, month_after, month_of
from coseal.contracts.credit.formula import Dossier, Point
from coseal.contracts.credit.formula import months_of as window_of
from coseal.contracts.currency.ledger import yuan
from coseal.contracts.kernel.wording import in_language
from coseal.ledger import codec
from coseal.ledger.block import Header
from coseal.ledger.certificates import Certificate
from coseal.ledger.errors import Malformed
from coseal.ledger.genesis import Genesis
from coseal.ledger.proof import CertifiedValue
from coseal.ledger.render import certified_header_from_json, document_fields, proven_value_from_json

RULE: Final = "audit.md, Dossier"
STEP_NAMES: Final = ("form", "chain", "header", "validators", "certificate", "facts", "lists", "formulas")
_NAMES: Final = frozenset({"coseal", "version", "member", "months", "formulas", "block", "values"})
_FACT_NAMES: Final = ("origin", "counterparty", "amount", "days", "held", "height")


@dataclass(frozen=True, slots=True)
class Shown:
    """What a document shows; nothing of it is proven yet."""

    question: Question
    header: Header
    certificate: Certificate
    values: Sequence[CertifiedValue]


def read(value: Any) -> Shown:
    """Return what a document shows; raise ``Malformed``. Proves nothing yet."""
    fields = document_fields(value, KIND, _NAMES)
    member = codec.text(fields["member"], f"{KIND}.member", limit=64)
    months = codec.integer(fields["months"], f"{KIND}.months", low=1, high=MAX_MONTHS)
    named = codec.sequence(fields["formulas"], f"{KIND}.formulas", limit=MAX_FORMULAS)
    formulas = tuple(codec.text(each, f"{KIND}.formulas", limit=64) for each in named)
    if len(set(formulas)) < len(formulas):
        raise Malformed(f"{KIND}.formulas: a formula is named twice")
    header, certificate = certified_header_from_json(fields["block"])
    values = codec.sequence(fields["values"], f"{KIND}.values", limit=MAX_VALUES)
    proven = [proven_value_from_json(entry, header, certificate) for entry in values]
    return Shown(Question(member, months, formulas), header, certificate, proven)


def verify_dossier(document: Any, genesis: Genesis, trace: Trace) -> tuple[str, dict[str, Any], Judged]:
    """Return in words and as facts what a document proves; raise a ``LedgerError`` unless it does."""
    shown, handovers = certified.read(document, trace, read)
    judged = certified.judge(shown.header, shown.certificate, handovers, genesis, trace)
    question = shown.question
    with trace.step("facts", RULE) as seen:
        seen.values = {"member": question.member, "months": question.months, "values": len(shown.values)}
        ground = proven_ground(shown)
        seen.detail = f"the state has {len(ground.lists)} lists of {question.member} in these months, and no other"
    with trace.step("lists", "contracts/credit/README.md C2, C5, C7, C8") as seen:
        entries = sum(each.figure.entries for each in ground.lists)
        seen.values = {"lists": len(ground.lists), "entries": entries}
        for each in ground.lists:
            require_whole(each)  # A40, A41
        seen.detail = f"{entries} entries lead to the heads of their lists, and say what became of each fact"
    with trace.step("formulas", "contracts/credit/README.md C11, C12") as seen:
        values = ground.values()  # A42
        seen.values = {each.formula: [each.reached, each.attainable] for each in values}
        said = [f"{each.formula} version {each.version}: {_of(each.reached, each.attainable)}" for each in values]
        seen.detail = "; ".join(said) or "no formula is asked"
    facts = facts_shown(question, ground)
    words = f"these {facts['facts']} facts are all of {question.member} from {facts['first']} to {facts['last']}; "
    words += f"{facts['counting']} count" + "".join(f"; {each}" for each in said)
    return f"{words}, as of {block_text(shown.header)}", facts, judged


def proven_ground(shown: Shown) -> Ground:
    """Return all that a document shows, each value proven; raise ``BadProof`` if something is missing, or too much."""
    proven = certified.Proven(shown.values)
    ground = ground_of(proven, shown.question, month_of(shown.header.time_ms))  # A39
    proven.require_no_more("the dossier")
    return ground


# Facts


def facts_shown(question: Question, ground: Ground) -> dict[str, Any]:
    """Return what a dossier proves, as JSON values; the facts one by one are ``listed``."""
    found = list(facts_of(ground))
    months = months_of(question, ground.month)
    states = Counter(each.status for _, each in found if each.status)
    values = ground.values()
    return {
        "member": question.member,
        "first": month_text(months[0]),
        "last": month_text(months[-1]),
        "facts": len(found),
        "counting": sum(counts(each) for _, each in found),
        "expired": sum(_expired(values, place) for place, _ in found),
        **{name: states[name] for name in ("open", "overdue", "upheld", "refused", "corrected", "overturned")},
        "kinds": _kinds(ground),
        "formulas": [_formula(each, value) for each, value in zip(ground.formulas, values, strict=True)],
    }


def listed(ground: Ground) -> list[dict[str, Any]]:
    """Return each fact as JSON values: what it is, whether it counts, what became of it, and until when it is kept.

    ``expired`` is one that no formula of the dossier looks at any more.
    """
    values = ground.values()
    return [_fact(place, each, expired=_expired(values, place)) for place, each in facts_of(ground)]


def _fact(place: Place, kept: Kept, *, expired: bool) -> dict[str, Any]:
    said = kept.entry._asdict()
    return {
        "month": month_text(place.month),
        "kind": place.kind,
        "number": kept.entry.number,
        **{name: said[name] for name in _FACT_NAMES},
        "correction": bool(kept.entry.why),
        "counts": counts(kept),
        "status": kept.status,
        "deadline_ms": kept.deadline_ms,
        "expired": expired,
        "kept_through": month_text(month_after(place.month, MAX_MONTHS - 1)),
    }


def _expired(values: Sequence[Dossier], place: Place) -> bool:
    return bool(values) and all(place.month < each.first_month for each in values)


def _kinds(ground: Ground) -> dict[str, Any]:
    """Return of each kind what counts, its total, and the share of the counterparty that has most of it."""
    found: dict[str, Any] = {}
    for kind in KINDS:
        lists = [each for each in ground.lists if each.place.kind == kind]
        if not lists:
            continue
        count, total = sum(each.figure.facts for each in lists), sum(each.figure.total for each in lists)
        partners = by_counterparty(kept.entry for each in lists for kept in each.kept)
        most = max(partners.items(), key=lambda one: (one[1], one[0]), default=None)
        found[kind] = {"facts": count, "total": total, "most_with": None if most is None else list(most)}
    return found


def _formula(adopted: Mapping[str, Any], value: Dossier) -> dict[str, Any]:
    formula = adopted["formula"]
    points = [_point(said, point) for said, point in zip(formula["points"], value.points, strict=True)]
    months = window_of(formula, value.month)
    return {
        "formula": value.formula,
        "version": value.version,
        "title": in_language(formula["title"]),
        "ballot": adopted["ballot"],
        "first": month_text(months[0]),
        "last": month_text(months[-1]),
        "value": _of(value.reached, value.attainable),
        "points": points,
    }


def _point(said: Mapping[str, Any], point: Point) -> dict[str, Any]:
    summed = said["measure"] == "sum"
    above, below = (yuan(each) if summed else str(each) for each in (point.numerator, point.denominator))
    few = f"too few facts: {point.facts} of {said['minimum']}"
    return {
        "point": point.id,
        "title": in_language(said["title"]),
        "share": f"{above} of {below}",
        "value": few if point.points is None else _of(point.points, point.scale),
    }


def _of(reached: int, attainable: int) -> str:
    return f"{reached} of {attainable} points"


def month_text(month: int) -> str:
    """Return a month as ``2026-03``."""
    return f"{month // 100:04}-{month % 100:02}"
