"""Supervision: the board of findings with both sides' clocks, lists of findings, obligations and holds.

Law: counts and lists are the node's index and sealed as such; how long steps took, terms, obligations and holds are
read from the certified state.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from coseal.console.documents import FINDING_COUNTS, FINDINGS, HOLDS, OBLIGATIONS
from coseal.console.html import Child, Html, el, join
from coseal.console.page import Entry, Page, Route, View
from coseal.console.pages import bulk, bundles, finding_figures, findings, opening, rules, sources
from coseal.console.parts import (
    choices,
    cursor_pager,
    due,
    figure,
    figures,
    lead,
    member_link,
    seal,
    section,
    table,
    tag,
)
from coseal.console.shown import joined
from coseal.console.supervision_parts import (
    SEVERITY,
    clock_of_row,
    deadline,
    held_amount,
    object_link,
    rule_link,
    source_link,
    tabs,
)
from coseal.contracts.supervision.state import TERMS_KEY, hold_key, obligation_key, times_key
from coseal.contracts.supervision.terms import SIDES, TERMS

NAV: Final = Entry("supervision.nav", "/supervision")
STATUSES: Final = (
    *(
        "raised",
        "acknowledged",
        "inquiry",
        "response",
        "rectified",
        "sanctioned",
        "appeal",
        "closed",
        "notified",
        "superseded",
    ),
)
_COLUMNS: Final = (
    ("raised", ("raised",)),
    ("acknowledged", ("acknowledged",)),
    ("inquiry", ("inquiry",)),
    ("response", ("response",)),
    ("decided", ("rectified", "sanctioned")),
    ("appeal", ("appeal",)),
    ("closed", ("closed",)),
)
_CARDS: Final = 6
_PAGE: Final = 25
_FILTERS: Final = (
    "status",
    "severity",
    "awaits",
    "overdue",
    "process_type",
    "rule",
    "object_type",
    "object",
    "source",
    "party",
)


def _given(page: Page) -> dict[str, str]:
    return {name: value for name in _FILTERS if (value := page.query(name))}


async def board(page: Page) -> View:
    """Build the board: findings by where they stand, whose turn it is, and how long both sides take."""
    given = {name: value for name, value in _given(page).items() if name in ("awaits", "overdue", "party")}
    statuses = [status for _, group in _COLUMNS for status in group]
    counted, *listed = await asyncio.gather(
        page.data.get("/v1/findings/statistics", FINDING_COUNTS, **given),
        *(_newest(page, status, given) for status in statuses),
    )
    by_status = dict(zip(statuses, listed, strict=True))
    counts: dict[str, int] = {}
    for row in counted.value["counts"]:
        counts[row["status"]] = counts.get(row["status"], 0) + row["count"]
    columns = [_column(page, name, group, counts, by_status, given) for name, group in _COLUMNS]
    scroll = {"class": "scroll", "tabindex": "0", "role": "group", "aria-label": page.t("supervision.board")}
    title = page.t("supervision.nav")
    told = counts.get("notified", 0)
    only = el(
        "a", {"href": "/supervision/findings?status=notified"}, page.t("supervision.notified", count=page.number(told))
    )
    return page.view(
        title,
        lead(page, title, "supervision.lead"),
        tabs(page, "/supervision"),
        await _turns(page),
        section(
            page,
            "supervision.board",
            _board_filters(page),
            el("div", scroll, el("div", {"class": "board"}, columns)),
            el("p", {"class": "note"}, only) if told else None,
            await bulk.step_form(page),
            shown=joined(counted, *listed),
        ),
        await _times(page),
    )


async def _newest(page: Page, status: str, given: Mapping[str, str]) -> Any:
    order = "newest" if status == "closed" else "oldest"
    return await page.data.get("/v1/findings", FINDINGS, **{**given, "status": status}, order=order, limit=_CARDS)


def _board_filters(page: Page) -> Html:
    awaits = [("", page.t("supervision.any"))]
    awaits += [(side, page.t(f"supervision.awaits.{side}")) for side in ("supervisor", "subject")]
    late = [("", page.t("supervision.any")), ("true", page.t("supervision.overdue_only"))]
    operator = page.console.operator
    mine = []
    if operator is not None:
        parties = [
            ("", page.t("supervision.all_parties")),
            (operator.member, page.t("supervision.mine", member=operator.member)),
        ]
        mine = [choices(page, "party", parties, "supervision.party")]
    return el(
        "div",
        {"class": "tools"},
        choices(page, "awaits", awaits, "supervision.turn"),
        choices(page, "overdue", late, "supervision.overdue"),
        *mine,
    )


def _column(
    page: Page,
    name: str,
    group: Sequence[str],
    counts: Mapping[str, int],
    by_status: Mapping[str, Any],
    given: Mapping[str, str],
) -> Html:
    cards = [_card(page, row) for status in group for row in by_status[status].value["findings"]][:_CARDS]
    count = sum(counts.get(status, 0) for status in group)
    more = [
        el(
            "a",
            {"href": page.link("/supervision/findings", **{**given, "status": status})},
            page.t("supervision.all_of", count=page.number(counts[status]), status=page.t(f"finding.status.{status}")),
        )
        for status in group
        if counts.get(status, 0) > len(cards)
    ]
    title = f"column-{name}"
    words = page.t(f"supervision.column.{name}")
    head = el(
        "h3",
        {"id": title},
        bulk.box_of_all(page, words) if cards else None,
        el("span", None, words),
        " ",
        el("span", {"class": "count"}, page.number(count)),
    )
    inner = el("ul", None, cards) if cards else el("p", {"class": "faint"}, page.t("part.none"))
    kind = "lane" if cards else "lane bare"
    return el("section", {"class": kind, "aria-labelledby": title}, head, inner, more)


def _card(page: Page, row: Mapping[str, Any]) -> Html:
    head = el(
        "p",
        {"class": "card-head"},
        bulk.box(page, row["id"]),
        el("a", {"href": f"/supervision/findings/{row['id']}"}, el("strong", None, row["id"])),
        tag(page.t_or(f"severity.{row['severity']}", row["severity"]), SEVERITY.get(row["severity"], "")),
    )
    outcome = row["outcome"]
    how = tag(page.t_or(f"supervision.outcome.{outcome}", outcome)) if outcome else None
    return el(
        "li",
        {"class": "card late" if row["overdue"] else "card"},
        head,
        el("p", None, rule_link(row["rule"])),
        el("p", {"class": "faint"}, row["object_type"], " ", row["object"]),
        el("p", None, how, clock_of_row(page, row) if row["step"] else None),
    )


async def _turns(page: Page) -> Html:
    """Return how much waits for each side, and how much of that is late."""
    sides = ("supervisor", "subject")
    shown = await asyncio.gather(
        *(page.data.get("/v1/findings/statistics", FINDING_COUNTS, awaits=side) for side in sides)
    )
    made = []
    for side, one in zip(sides, shown, strict=True):
        rows = one.value["counts"]
        count, late = sum(row["count"] for row in rows), sum(row["overdue"] for row in rows)
        words = page.t("supervision.late_of_them", count=page.number(late))
        made.append(figure(page.t(f"supervision.awaits.{side}"), page.number(count), words, "bad" if late else ""))
    return section(page, "supervision.turn", figures(*made), shown=joined(*shown))


async def _times(page: Page) -> Html:
    """Return how long the steps of either side took, and how often they were late; from the certified state."""
    terms, *times = await asyncio.gather(
        page.data.state(TERMS_KEY), *(page.data.state(times_key(step)) for step in TERMS)
    )
    in_force = {**TERMS, **(terms.value or {})}
    rows: list[list[Child]] = []
    for step, shown in zip(TERMS, times, strict=True):
        record = shown.value or {"done": 0, "total_ms": 0, "max_ms": 0, "overdue": 0}
        done = record["done"]
        side = SIDES[step]
        rows.append(
            [
                page.t(f"supervision.step.{step}"),
                el("span", {"class": f"whose {side}"}, page.t(f"supervision.side.{side}")),
                page.duration(in_force[step]),
                page.number(done),
                page.duration(record["total_ms"] // done) if done else "–",
                page.duration(record["max_ms"]) if done else "–",
                tag(page.number(record["overdue"]), "bad") if record["overdue"] else page.number(0),
            ]
        )
    columns = (
        *("supervision.step", "supervision.side", "supervision.term", "supervision.done"),
        *("supervision.mean", "supervision.longest", "supervision.missed"),
    )
    made = table(page, "supervision.times", columns, rows, numeric="2 3 4 5 6")
    return section(page, "supervision.times", made, shown=joined(terms, *times), note="supervision.times.note")


async def finding_list(page: Page) -> View:
    """Build the list of findings, filtered and paged by the node."""
    given = _given(page)
    shown = await page.data.get(
        "/v1/findings", FINDINGS, **given, order="newest", limit=page.rows(_PAGE), cursor=page.query("cursor")
    )
    rows = [_row(page, row) for row in shown.value["findings"]]
    columns = (
        *("supervision.finding", "cases.rule", "supervision.object", "supervision.subject"),
        *("finding.severity", "supervision.status", "supervision.clock"),
    )
    title = page.t("supervision.findings")
    return page.view(
        title,
        lead(page, title, "supervision.findings.lead"),
        tabs(page, "/supervision/findings"),
        section(
            page,
            "supervision.findings",
            _list_filters(page, given),
            _all_of_page(page) if rows else None,
            table(page, "supervision.findings", columns, rows),
            cursor_pager(page, shown.value["next"]),
            await bulk.step_form(page),
            shown=shown,
        ),
    )


def _all_of_page(page: Page) -> Html | None:
    """Return the box for all rows of this page of the list."""
    chooses = bulk.box_of_all(page, page.t("supervision.findings"))
    return el("label", {"class": "chooses-page"}, chooses, page.t("supervision.several.page")) if chooses else None


def _list_filters(page: Page, given: Mapping[str, str]) -> Html:
    """Return the choices of the list, and what else it is narrowed to, each of which can be taken away."""
    statuses = [("", page.t("supervision.any")), *((one, page.t(f"finding.status.{one}")) for one in STATUSES)]
    severities = [("", page.t("supervision.any")), *((one, page.t(f"severity.{one}")) for one in SEVERITY)]
    narrowed = [
        el("a", {"class": "tag", "href": page.link(**{name: None, "cursor": None})}, f"{value} ✕")
        for name, value in given.items()
        if name not in ("status", "severity")
    ]
    return el(
        "div",
        {"class": "tools"},
        choices(page, "status", statuses, "supervision.status"),
        choices(page, "severity", severities, "finding.severity"),
        el("span", {"class": "tags"}, narrowed) if narrowed else None,
    )


def _row(page: Page, row: Mapping[str, Any]) -> list[Child]:
    return [
        join(bulk.box(page, row["id"]), el("a", {"href": f"/supervision/findings/{row['id']}"}, row["id"])),
        rule_link(row["rule"]),
        object_link(row),
        member_link(row["subject"]) if row["subject"] else "–",
        tag(page.t_or(f"severity.{row['severity']}", row["severity"]), SEVERITY.get(row["severity"], "")),
        page.t_or(f"finding.status.{row['status']}", row["status"]),
        clock_of_row(page, row),
    ]


async def duties(page: Page) -> View:
    """Build the page of what is owed by when, and of what is on hold until when."""
    title = page.t("supervision.duties")
    return page.view(
        title,
        lead(page, title, "supervision.duties.lead"),
        tabs(page, "/supervision/duties"),
        await _obligations(page),
        await _holds(page),
    )


async def _obligations(page: Page) -> Html:
    listed = await page.data.get("/v1/obligations", OBLIGATIONS)
    chosen = listed.value["obligations"][: 2 * _PAGE]
    keys = [obligation_key(one["rule"], one["source"]) for one in chosen]
    shown = await asyncio.gather(*(page.data.state(key) for key in keys))
    rows: list[list[Child]] = []
    for one, proven in zip(chosen, shown, strict=True):
        record = proven.value
        if record is None:
            continue
        running = record["status"] == "running"
        rows.append(
            [
                join(
                    source_link(one["source"]),
                    " ",
                    seal(page, proven, small=True),
                ),
                rule_link(one["rule"]),
                page.t("supervision.owes", count=record["n"], types=", ".join(record["event_types"])),
                deadline(page, record["due_ms"]) if running else page.t("supervision.ended"),
                page.number(record["met"]),
                tag(page.number(record["missed"]), "bad") if record["missed"] else page.number(0),
            ]
        )
    columns = (
        *("supervision.source", "cases.rule", "supervision.what", "supervision.due"),
        *("supervision.met", "supervision.missed"),
    )
    made = table(page, "supervision.obligations", columns, rows, numeric="4 5")
    return section(
        page, "supervision.obligations", made, shown=joined(listed, *shown), note="supervision.obligations.note"
    )


async def _holds(page: Page) -> Html:
    held = page.query("holds") != "all"
    status = "held" if held else None
    listed = await page.data.get("/v1/holds", HOLDS, status=status, limit=_PAGE, cursor=page.query("cursor"))
    found = listed.value["holds"]
    shown = await asyncio.gather(
        *(page.data.state(hold_key(one["process_type"], one["object_type"], one["object"])) for one in found)
    )
    rows: list[list[Child]] = []
    for proven in shown:
        record = proven.value
        if record is None:  # proven never to have been on hold
            continue
        tone = "bad" if record["status"] == "held" else ""
        rows.append(
            [
                join(object_link(record), " ", seal(page, proven, small=True)),
                el("a", {"href": f"/supervision/findings/{record['finding']}"}, record["finding"]),
                tag(page.t(f"supervision.hold.{record['status']}"), tone),
                held_amount(page, record),
                due(page, record["until_ms"]),
                page.t("supervision.contested") if record.get("contested") else "–",
            ]
        )
    columns = (
        *("supervision.object", "supervision.finding", "supervision.status", "supervision.hold.amount"),
        *("supervision.until", "supervision.hold.contest"),
    )
    options = [("", page.t("supervision.holds.now")), ("all", page.t("supervision.holds.all"))]
    made = table(page, "supervision.holds", columns, rows)
    return section(
        page,
        "supervision.holds",
        choices(page, "holds", options, "supervision.holds"),
        made,
        cursor_pager(page, listed.value["next"]),
        shown=joined(listed, *shown),
        note="supervision.holds.note",
    )


ROUTES: Final = (
    Route("/supervision", board, "supervision.nav", act=bulk.act),
    Route("/supervision/findings", finding_list, "supervision.nav", act=bulk.act, lists="findings"),
    Route("/supervision/duties", duties, "supervision.nav", lists="holds"),
    *bundles.ROUTES,
    *finding_figures.ROUTES,
    *findings.ROUTES,
    *opening.ROUTES,
    *rules.ROUTES,
    *sources.ROUTES,
)
