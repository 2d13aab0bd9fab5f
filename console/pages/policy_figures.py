"""Figures of the register: how many instruments a year, a level, an area, a body; and Table 1 as it was recorded.

Law: what is counted, and of which source, stands above every chart; what no chart can place (undated) is counted and
said. Figures are the register's own and never another's. Each one can be proven: then every counter is checked here.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from coseal.console.charts import bars, ranked
from coseal.console.documents import POLICY_SOURCES, policy_counts
from coseal.console.html import Child, Html, el
from coseal.console.nodes import Problem
from coseal.console.page import Page, Route, View
from coseal.console.parts import empty, figure, figures, lead, notice, section, table, tag
from coseal.console.policy_parts import date_of, proven_figures, subject_tabs, word
from coseal.console.shown import Shown, Trust, joined
from coseal.contracts.policy.state import instrument_key
from coseal.contracts.policy.statistics import DIMENSIONS, UNDATED
from coseal.demo.policies import table1

_RANKED: Final = ("level", "status", "type_document", "area")
_TOP: Final = 20
_YEARS_FILLED: Final = 200  # over a longer span, years with nothing are left out
_HEAD_CHARACTERS: Final = 120


async def charts(page: Page) -> View:
    """Build the figures: of the whole register, or of what was recorded from one source."""
    source = page.query("source")
    proving = source is None and page.query("proof") == "each"
    names = ("year", *_RANKED, "issuer")
    sources, *found = await asyncio.gather(
        page.data.get("/v1/policies/sources", POLICY_SOURCES),
        *(_figures(page, by, source, proving=proving) for by in names),
    )
    by_name = dict(zip(names, found, strict=True))
    years = by_name["year"]
    total = sum(years.value.values())
    parts = [_ranks(page, by, by_name[by], source) for by in (*_RANKED, "issuer")]
    parts += [] if source else await _proven_only(page)
    title = page.t("policies.figures.title")
    return page.view(
        title,
        lead(page, title, "policies.figures.lead"),
        subject_tabs(page),
        _scope(page, sources, source, total, proving=proving),
        _years(page, years, source),
        el("div", {"class": "flow"}, parts),
        live=False,
    )


async def _figures(page: Page, by: str, source: str | None, *, proving: bool) -> Shown[dict[str, int]]:
    """Return the figures of a dimension: proven one by one, or as the node's index counts them."""
    if proving and by in DIMENSIONS:
        proven = await proven_figures(page, by)
        if proven is not None:
            return proven
    try:
        shown = await page.data.get("/v1/policies/statistics", policy_counts(by), by=by, source=source)
    except Problem as problem:
        if problem.code != "too_many_rows":
            raise
        return Shown({}, Trust.UNVERIFIED, "policies.too_many_values", node=problem.node)
    return shown.of({row[by]: row["count"] for row in shown.value["counts"]})


def _scope(page: Page, sources: Shown[Any], source: str | None, total: int, *, proving: bool) -> Html:
    """Return what is counted here, and the way to count something else."""
    rows: list[list[Child]] = [[_scope_link(page, None, page.t("policies.all"), source), "", ""]]
    for row in sources.value["sources"]:
        link = _scope_link(page, row["sha256"], row["source"], source)
        rows.append(
            [
                link,
                el("code", {"class": "hash", "title": row["sha256"]}, row["sha256"][:10]),
                page.number(row["instruments"]),
            ]
        )
    name = next((row["source"] for row in sources.value["sources"] if row["sha256"] == source), None)
    heading = page.t("policies.of_all", count=page.number(total))
    if source is not None:
        heading = page.t("policies.of_source", count=page.number(total), source=name or source)
    made = table(
        page, "policies.counted", ("policies.source", "policies.digest", "policies.instruments"), rows, numeric="2"
    )
    each: Html | None = None
    if source is None and not proving:
        each = el("p", None, el("a", {"class": "button", "href": page.link(proof="each")}, page.t("policies.prove")))
    body = el("p", {"class": "counted"}, el("strong", None, heading))
    return section(page, "policies.counted", body, made, each, shown=sources, note="policies.counted.note")


def _scope_link(page: Page, sha256: str | None, words: str, chosen: str | None) -> Html:
    attributes = {"href": page.link(source=sha256, proof=None), "aria-current": "true" if sha256 == chosen else None}
    return el("a", attributes, words)


def _years(page: Page, years: Shown[dict[str, int]], source: str | None) -> Html:
    """Return the chart by year, and beside it what has no date."""
    dated = sorted((year, count) for year, count in years.value.items() if year != UNDATED)
    undated = years.value.get(UNDATED, 0)
    if not dated and not undated:
        return section(page, "policies.by_year", empty(page), shown=years)
    values = fill_years(dated)
    links = [page.link("/policies", year=year, source=source) if count else None for year, count in values]
    of_undated = el("a", {"href": page.link("/policies", year=UNDATED, source=source)}, page.number(undated))
    said = figures(
        figure(page.t("policies.dated"), page.number(sum(count for _, count in dated))),
        figure(page.t("policies.undated"), of_undated if undated else page.number(0), page.t("policies.undated.note")),
        figure(page.t("policies.span"), f"{dated[0][0]}–{dated[-1][0]}" if dated else page.t("part.none")),
    )
    chart = bars(page, "policies.by_year", values, columns=("policies.year", "policies.instruments"), links=links)
    return section(page, "policies.by_year", said, chart, shown=years, note="policies.by_year.note")


def fill_years(dated: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Return the years in order, those without anything between them too, so that the axis is one of time."""
    if not dated or int(dated[-1][0]) - int(dated[0][0]) > _YEARS_FILLED:
        return dated
    counts = dict(dated)
    span = range(int(dated[0][0]), int(dated[-1][0]) + 1)
    return [(f"{year:04}", counts.get(f"{year:04}", 0)) for year in span]


def _ranks(page: Page, by: str, shown: Shown[dict[str, int]], source: str | None) -> Html:
    """Return the figures of a dimension, most first; of very many the first ``_TOP``, and how many are left."""
    ordered = sorted(shown.value.items(), key=lambda pair: (-pair[1], pair[0]))
    kept = ordered[:_TOP] if by == "issuer" else ordered[: 2 * _TOP]
    filterable = by in (*_RANKED, "issuer")
    links = [
        page.link("/policies", **{by: value, "source": source}) if filterable and value != "unstated" else None
        for value, _ in kept
    ]
    named = [(word(page, by, value), count) for value, count in kept]
    left = len(ordered) - len(kept)
    more = el("p", {"class": "faint"}, page.t("policies.more_values", count=page.number(left))) if left else None
    key = f"policies.by_{by}"
    nothing = empty(page, shown.why if shown.why == "policies.too_many_values" else "state.empty")
    body = ranked(page, key, named, links=links) if named else nothing
    return section(page, key, body, more, shown=shown, note=f"{key}.note" if by in ("area", "issuer") else None)


async def _proven_only(page: Page) -> list[Html]:
    """Return what only the state counts: events by kind, and facts that break a guard."""
    parts = []
    for by in ("action", "finding"):
        shown = await proven_figures(page, by)
        if shown is not None:
            parts.append(_ranks(page, by, shown, None))
    return parts


# Table 1


async def table_one(page: Page) -> View:
    """Build Table 1: the ten policies as the chain has them, each read with its proof."""
    shipped = table1()
    wanted: list[dict[str, Any]] = shipped["instruments"]
    shown = await asyncio.gather(*(page.data.state(instrument_key(row["id"])) for row in wanted))
    title = page.t("policies.table1.title")
    source = el("p", None, page.t("policies.table1.source"), " ", el("cite", {"lang": "en"}, shipped["source"]))
    head = lead(page, title, "policies.table1.lead", source)
    present = [one for one in shown if one.value is not None]
    if not present:
        missing = section(page, "policies.table1.rows", empty(page, "policies.table1.missing"), shown=joined(*shown))
        return page.view(title, head, subject_tabs(page), missing)
    rows = [_table_row(page, want, one.value) for want, one in zip(wanted, shown, strict=True)]
    columns = ("policies.month", "policies.unit", "policies.title", "policies.as_shipped")
    weight = joined(*shown)
    differing = sum(not _as_shipped(want, one.value) for want, one in zip(wanted, shown, strict=True))
    warned = notice("bad", page.t("policies.table1.differs", count=page.number(differing))) if differing else None
    years = Counter(str(one.value.get("date_publication", UNDATED))[:4] for one in present)
    units = Counter(issuer for one in present for issuer in one.value.get("passed_by", ()))
    counted = fill_years(sorted((year, count) for year, count in years.items() if year != UNDATED))
    chart = bars(page, "policies.table1.years", counted, columns=("policies.year", "policies.instruments"), height=140)
    ordered = sorted(units.items(), key=lambda pair: (-pair[1], pair[0]))
    return page.view(
        title,
        head,
        subject_tabs(page),
        section(page, "policies.table1.rows", warned, table(page, "policies.table1.rows", columns, rows), shown=weight),
        el(
            "div",
            {"class": "columns"},
            section(page, "policies.table1.years", chart, shown=weight, note="policies.table1.counted_here"),
            section(
                page,
                "policies.table1.units",
                ranked(page, "policies.table1.units", ordered),
                shown=weight,
                note="policies.table1.etc",
            ),
        ),
        live=False,
    )


def _as_shipped(want: Mapping[str, Any], entry: Mapping[str, Any] | None) -> bool:
    """Say whether the chain has a row as the file of this software has it."""
    names = ("title", "passed_by", "date_publication", "countersigned_by")
    return entry is not None and all(entry.get(name) == want.get(name) for name in names)


def _table_row(page: Page, want: Mapping[str, Any], entry: Mapping[str, Any] | None) -> list[Child]:
    if entry is None:
        return [
            date_of(page, want["date_publication"]),
            want["passed_by"][0],
            want["title"],
            tag(page.t("policies.not_recorded"), "bad"),
        ]
    joint = (
        el("span", {"class": "faint"}, " ", page.t("policies.and_others")) if entry.get("countersigned_by") else None
    )
    link = el("a", {"href": f"/policies/{quote(want['id'], safe='')}", "lang": "en"}, entry["title"])
    same = _as_shipped(want, entry)
    mark = tag(page.t("policies.same"), "good") if same else tag(page.t("policies.other"), "bad")
    return [
        date_of(page, entry.get("date_publication")),
        el("span", None, *entry.get("passed_by", ()), joint),
        link,
        mark,
    ]


ROUTES: Final = (
    Route("/policy/figures", charts, "policies.nav"),
    Route("/policy/table1", table_one, "policies.nav"),
)
