"""The parts of a credit dossier: what formulas say, figures by kind, and the list of facts behind each.

Law: every number is worked out here from proven entries, by the functions that auditors use; nothing is graded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias
from urllib.parse import quote

from coseal.audit.dossier import month_text
from coseal.client.dossiers import ProvenDossier
from coseal.console.html import Child, Html, el, join
from coseal.console.money_parts import receivable_link, yuan
from coseal.console.page import Page
from coseal.console.parts import due, empty, height_link, member_link, table, tag, titled_table
from coseal.console.supervision_parts import finding_link
from coseal.contracts.credit.dossier import Ground
from coseal.contracts.credit.facts import OPEN, OVERDUE, UNANSWERED
from coseal.contracts.credit.figures import GAP, RECTIFIED_IN_TIME, RECTIFIED_LATE, REFUSED, SANCTIONED
from coseal.contracts.credit.formula import SUM, Dossier, Point
from coseal.contracts.kernel.wording import in_language

PATH: Final = "/trade/credit"
Fact: TypeAlias = Mapping[str, Any]
"""A fact as ``ProvenDossier.listed`` has it."""
_SHOWN: Final = 200
_OPEN: Final = 8
"""Up to how many facts a list stands open."""
_RECEIVABLE: Final = re.compile("R[1-9][0-9]*")
_OF_FINDINGS: Final = (SANCTIONED, RECTIFIED_IN_TIME, RECTIFIED_LATE)
_TONES: Final = {"": "", REFUSED: "", OPEN: "wait", OVERDUE: "wait"}


class Step(NamedTuple):
    """What this console's member may do about a fact: an action of the contract, and the link to its form."""

    action: str
    href: str


def dossier_path(member: str) -> str:
    """Return the path of a member's dossier."""
    return f"{PATH}/{quote(member, safe='')}"


def kind_text(page: Page, kind: str) -> str:
    """Return a kind of fact in words."""
    return page.t_or(f"credit.kind.{kind}", kind)


# What formulas say


def formulas(page: Page, ground: Ground) -> Html:
    """Return each formula with its points, as worked out from the facts."""
    made = [_formula(page, adopted, value) for adopted, value in zip(ground.formulas, ground.values(), strict=True)]
    return join(*made) if made else empty(page, "credit.no_formulas")


def _formula(page: Page, adopted: Mapping[str, Any], value: Dossier) -> Html:
    said = adopted["formula"]
    title = page.t("credit.version", name=in_language(said["title"], page.language), version=value.version)
    months = page.t("credit.between", first=month_text(value.first_month), last=month_text(value.month))
    ballot = el("a", {"href": f"/governance/{quote(adopted['ballot'], safe='')}"}, adopted["ballot"])
    about = el("p", {"class": "note"}, months, " · ", page.t("credit.ballot"), " ", ballot)
    reached = el("p", None, page.t("credit.value"), " ", el("strong", None, _of(page, value.reached, value.attainable)))
    rows = [_point(page, *pair) for pair in zip(said["points"], value.points, strict=True)]
    columns = [page.t(key) for key in ("credit.point", "credit.share", "credit.counts", "credit.value")]
    points = titled_table(page, title, columns, rows, numeric="1 3", name=f"credit-formula-{value.formula}")
    return el("div", None, el("h3", None, title), about, reached, points)


def _point(page: Page, said: Mapping[str, Any], point: Point) -> list[Child]:
    above, below = (
        yuan(each) if said["measure"] == SUM else page.number(each) for each in (point.numerator, point.denominator)
    )
    few = page.t("credit.few", count=page.number(point.facts), least=page.number(said["minimum"]))
    named = [", ".join(kind_text(page, kind) for kind in said[side]) for side in ("numerator", "denominator")]
    return [
        in_language(said["title"], page.language),
        page.t("credit.of", part=above, whole=below),
        join(named[0], " / ", named[1]),
        few if point.points is None else _of(page, point.points, point.scale),
    ]


def _of(page: Page, part: int, whole: int) -> str:
    return page.t("credit.of", part=page.number(part), whole=page.number(whole))


# Figures, each with its list


def figures(page: Page, made: ProvenDossier) -> Html:
    """Return what counts by kind, with the counterparty that most of it is with."""
    rows: list[list[Child]] = []
    for kind, figure in made.facts["kinds"].items():
        most: Child = "–"
        if figure["most_with"] is not None:
            member, count = figure["most_with"]
            words = {"count": page.number(count), "all": page.number(figure["facts"])}
            most = page.t("credit.share_of", member=member, **words)
        left_out = sum(not fact["counts"] for fact in made.listed if fact["kind"] == kind)
        rows.append(
            [
                el("a", {"href": f"#facts-{kind}"}, kind_text(page, kind)),
                page.number(figure["facts"]),
                page.number(left_out),
                _amount(page, kind, figure["total"]),
                most,
            ]
        )
    columns = ("credit.kind", "credit.counting", "credit.left_out", "credit.total", "credit.most_with")
    return table(page, "credit.figures", columns, rows, numeric="1 2 3") if rows else empty(page, "credit.none")


def _amount(page: Page, kind: str, value: int) -> str:
    """Return the amount of a fact: yuan, or of a gap how many items are missing."""
    if not value:
        return "–"
    return page.t("credit.items", count=page.number(value)) if kind == GAP else yuan(value)


def lists(page: Page, made: ProvenDossier, steps: Callable[[Fact], Sequence[Step]]) -> list[Html]:
    """Return the facts of each kind, the newest first, folded where they are many.

    ``steps`` gives what may be done from here about a fact.
    """
    return [
        _list(page, kind, [fact for fact in reversed(made.listed) if fact["kind"] == kind], steps)
        for kind in made.facts["kinds"]
    ]


def _list(page: Page, kind: str, found: Sequence[Fact], steps: Callable[[Fact], Sequence[Step]]) -> Html:
    newest = found[: page.rows(_SHOWN)]
    title = page.t("credit.list", kind=kind_text(page, kind), count=page.number(len(found)))
    more = page.t("credit.more", count=page.number(len(newest))) if len(newest) < len(found) else None
    columns = (
        *("credit.month", "credit.origin", "credit.with", "credit.amount", "credit.days", "credit.held"),
        *("credit.became", "credit.kept", "credit.block", "credit.act"),
    )
    names, rows = [page.t(column) for column in columns], [_fact(page, fact, steps(fact)) for fact in newest]
    table_of_them = titled_table(page, title, names, rows, numeric="3 4", name=f"credit-{kind}")
    marks: dict[str, str | int | bool | None] = {"class": "act-one", "id": f"facts-{kind}", "open": len(found) <= _OPEN}
    note = el("p", {"class": "note"}, more) if more else None
    return el("details", marks, el("summary", None, title), note, table_of_them)


def _fact(page: Page, fact: Fact, steps: Sequence[Step]) -> list[Child]:
    kind = fact["kind"]
    old = join(" ", tag(page.t("credit.expired"), "")) if fact["expired"] else None
    return [
        fact["month"],
        _origin(kind, fact["origin"]),
        member_link(fact["counterparty"]) if fact["counterparty"] else "–",
        _amount(page, kind, fact["amount"]),
        page.number(fact["days"]) if fact["days"] else "–",
        fact["held"] or "–",
        _became(page, fact),
        join(fact["kept_through"], old),
        height_link(page, fact["height"]),
        join(*(el("a", {"href": step.href}, page.t(f"credit.do.{step.action}")) for step in steps)),
    ]


def _origin(kind: str, origin: str) -> Child:
    if kind in _OF_FINDINGS:
        return finding_link(origin)
    return receivable_link(origin) if _RECEIVABLE.fullmatch(origin) else origin


def _became(page: Page, fact: Fact) -> Html:
    status = fact["status"]
    words = tag(page.t_or(f"credit.status.{status or 'none'}", status), _TONES.get(status, "bad"))
    correction = join(" ", tag(page.t("credit.correction"), "")) if fact["correction"] else None
    waits = status in UNANSWERED
    until = join(" ", page.t("credit.answer_until"), " ", due(page, fact["deadline_ms"])) if waits else None
    return join(words, correction, until)
