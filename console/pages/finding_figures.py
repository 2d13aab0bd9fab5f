"""What findings come to: how many were raised in which week by which rule about whom, how old the open ones are, and
how many steps were taken in time.

Law: counts are the node's index and sealed as such; a cell leads to the list of what it counts, without its week.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from coseal.console.charts import bars
from coseal.console.documents import FINDING_FIGURES
from coseal.console.html import Child, Html, el
from coseal.console.page import Page, Route, View
from coseal.console.parts import choices, empty, lead, member_link, section, table, titled_table
from coseal.console.shown import Shown
from coseal.console.sorting import sized
from coseal.console.supervision_parts import rule_link, tabs
from coseal.contracts.supervision.terms import SIDES

PATH: Final = "/supervision/figures"
_WEEK_MS: Final = 604_800_000
_WEEKS: Final = ("", "26", "52")
_BY: Final = ("rule", "subject", "both")
_ROWS: Final = 60


async def figures(page: Page) -> View:
    """Build the page of figures about findings."""
    weeks = page.query("weeks") if page.query("weeks") in _WEEKS[1:] else None
    shown = await page.data.get("/v1/findings/figures", FINDING_FIGURES, weeks=weeks)
    title = page.t("supervision.figures")
    return page.view(
        title,
        lead(page, title, "supervision.figures.lead"),
        tabs(page, PATH),
        _weeks(page, shown, int(weeks or 12)),
        _ages(page, shown),
        _taken(page, shown),
    )


def _weeks(page: Page, shown: Shown[Any], weeks: int) -> Html:
    by = page.query("by") if page.query("by") in _BY else _BY[0]
    ways = [("" if one == _BY[0] else one, page.t(f"supervision.figures.by.{one}")) for one in _BY]
    spans = [(one, page.t("supervision.figures.weeks", count=one or "12")) for one in _WEEKS]
    counts: dict[tuple[str, ...], dict[int, int]] = {}
    for row in shown.value["weeks"]:
        key = {"rule": (row["rule"],), "subject": (row["subject"] or "",)}.get(
            by or "", (row["rule"], row["subject"] or "")
        )
        of_key = counts.setdefault(key, {})
        of_key[row["week_ms"]] = of_key.get(row["week_ms"], 0) + row["count"]
    first_ms = shown.value["first_ms"]
    return section(
        page,
        "supervision.figures.raised",
        el(
            "div",
            {"class": "tools"},
            choices(page, "by", ways, "supervision.figures.by"),
            choices(page, "weeks", spans, "supervision.figures.span"),
        ),
        _matrix(page, counts, [first_ms + week * _WEEK_MS for week in range(weeks)], by or ""),
        shown=shown,
        note="supervision.figures.raised.note",
    )


def _matrix(page: Page, counts: Mapping[tuple[str, ...], Mapping[int, int]], weeks: Sequence[int], by: str) -> Html:
    """Return a row for each rule, member or both, a column for each week; what has most comes first."""
    ordered = sorted(counts, key=lambda key: (-sum(counts[key].values()), key))
    most = max((count for row in counts.values() for count in row.values()), default=1)
    rows: list[list[Child]] = []
    for key in ordered[:_ROWS]:
        cells = [_cell(page, counts[key].get(week, 0), most) for week in weeks]
        rows.append([*_names(by, key), page.number(sum(counts[key].values())), *cells])
    heads = {"rule": ["cases.rule"], "subject": ["supervision.subject"]}.get(by, ["cases.rule", "supervision.subject"])
    names = [*(page.t(key) for key in heads), page.t("supervision.figures.sum"), *(_day(page, week) for week in weeks)]
    numeric = " ".join(str(place) for place in range(len(heads), len(names)))
    title = page.t("supervision.figures.raised")
    return titled_table(page, title, names, rows, numeric=numeric, name="weeks")


def _names(by: str, key: tuple[str, ...]) -> list[Child]:
    shows: dict[str, Callable[[str], Child]] = {"rule": rule_link, "subject": _subject}
    kinds = [by] if by in shows else ["rule", "subject"]
    return [shows[kind](name) for kind, name in zip(kinds, key, strict=True)]


def _subject(member: str) -> Child:
    return member_link(member) if member else "–"


def _cell(page: Page, count: int, most: int) -> Child:
    if not count:
        return el("span", {"class": "faint", "data-sort": 0}, "·")
    return el("span", {"class": f"heat shade-{1 + 4 * count // most}", "data-sort": count}, page.number(count))


def _day(page: Page, week_ms: int) -> str:
    return page.time(max(0, week_ms))[5:10]


def _ages(page: Page, shown: Shown[Any]) -> Html:
    values, rows = [], list[list[Child]]()
    for one in shown.value["ages"]:
        words = page.t("supervision.figures.older", time=page.duration(one["from_ms"]))
        if one["to_ms"] is not None:
            low, high = (page.duration(one[name]) if one[name] else "0" for name in ("from_ms", "to_ms"))
            words = page.t("times.between", low=low, high=high)
        values.append((words, one["count"]))
        rows.append([sized(words, one["from_ms"]), page.number(one["count"]), page.number(one["overdue"])])
    columns = ("supervision.figures.age", "supervision.figures.open", "supervision.figures.late")
    body: list[Child] = [empty(page)]
    if any(count for _, count in values):
        chart = bars(page, "supervision.figures.ages", values, columns=columns[:2], height=150)
        body = [chart, table(page, "supervision.figures.ages", columns, rows, numeric="1 2")]
    return section(page, "supervision.figures.ages", *body, shown=shown, note="supervision.figures.ages.note")


def _taken(page: Page, shown: Shown[Any]) -> Html:
    """Return who took which steps how often, and what share of them in time."""
    rows: list[list[Child]] = []
    for one in shown.value["taken"]:
        side, share = SIDES[one["step"]], 100 * one["in_time"] / one["taken"] if one["taken"] else 0.0
        rows.append(
            [
                page.t(f"supervision.step.{one['step']}"),
                el("span", {"class": f"whose {side}"}, page.t(f"supervision.side.{side}")),
                member_link(one["member"]),
                page.number(one["taken"]),
                page.number(one["in_time"]),
                f"{page.number(share, 1)} %",
            ]
        )
    columns = (
        *("supervision.step", "supervision.side", "members.member", "supervision.figures.taken"),
        *("supervision.figures.in_time", "supervision.figures.share"),
    )
    made = table(page, "supervision.figures.answered", columns, rows, numeric="3 4 5")
    return section(page, "supervision.figures.answered", made, shown=shown, note="supervision.figures.answered.note")


ROUTES: Final = (Route(PATH, figures, "supervision.nav"),)
