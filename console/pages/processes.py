"""Processes: what happens in them (the map), the ways cases go (variants), and the cases themselves.

Law: figures of a whole process are counted by the node's index and sealed as such; what a process type is, and how
much was recorded of it, is read from the certified state.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from coseal.console.documents import CASES, PROCESS_MAP, PROCESS_TYPES, VARIANTS
from coseal.console.html import Child, Html, el, join
from coseal.console.nodes import Problem
from coseal.console.page import Entry, Page, Route, View
from coseal.console.pages import cases
from coseal.console.parts import (
    choices,
    cursor_pager,
    empty,
    facts,
    figure,
    figures,
    hexadecimal,
    lead,
    member_link,
    moment,
    raw,
    search,
    section,
    table,
    tag,
)
from coseal.console.process_map import LEAST, MEASURES, process_map, span
from coseal.console.shown import joined
from coseal.console.supervision_parts import case_link
from coseal.contracts.process.state import type_key

NAV: Final = Entry("processes.nav", "/processes")
_PAGE: Final = 25
_STEPS_SHOWN: Final = 14


def process_link(process_type: str, *more: str) -> str:
    """Return the path of a process type's page, or of one below it."""
    return "/".join(("/processes", *(quote(part, safe="") for part in (process_type, *more))))


async def processes(page: Page) -> View:
    """Build the list of process types."""
    listed = await page.data.get("/v1/process-types", PROCESS_TYPES)
    types = listed.value["process_types"]
    keys = [key for one in types for key in (type_key(one["id"]), f"process/statistics/{one['id']}")]
    read = await asyncio.gather(*map(page.data.state, keys))
    definitions, counted = read[::2], read[1::2]
    rows = []
    for one, definition, shown in zip(types, definitions, counted, strict=True):
        counts = shown.value or {}
        name = el("a", {"href": process_link(one["id"])}, one["id"])
        numbers = [page.number(counts.get(what, 0)) for what in ("events", "objects", "sources")]
        rows.append(
            [
                name,
                page.title_of(definition.value, one["title"]),
                member_link(one["member"]),
                page.number(one["version"]),
                *numbers,
            ]
        )
    columns = (
        *("processes.type", "processes.title", "processes.owner", "processes.version"),
        *("processes.events", "processes.objects", "processes.sources"),
    )
    title = page.t("processes.nav")
    return page.view(
        title,
        lead(page, title, "processes.lead"),
        section(
            page,
            "processes.list",
            table(page, "processes.list", columns, rows, numeric="3 4 5 6"),
            shown=joined(listed, *definitions, *counted),
        ),
    )


async def process(page: Page) -> View:
    """Build the page of one process type: its figures, map and definition."""
    name, measure = page.part("id"), page.query("by") or ""
    measure = measure if measure in MEASURES else MEASURES[0]
    least = LEAST.get(page.query("least") or "", LEAST[""])
    definition, counts, found = await asyncio.gather(
        page.data.state(f"process/type/{name}"),
        page.data.state(f"process/statistics/{name}"),
        page.data.get(f"/v1/process-types/{quote(name, safe='')}/map", PROCESS_MAP, type=page.query("type")),
    )
    if definition.value is None:
        raise Problem(404, "unknown_process_type", page.t("processes.unknown", name=name), "")
    drawn = await asyncio.to_thread(process_map, page, found, least=least, measure=measure)
    thresholds = [
        (value, page.t("processes.least", percent=percent) if percent else page.t("processes.least.all"))
        for value, percent in LEAST.items()
    ]
    measures = [("" if one == "count" else one, page.t(f"processes.measure.{one}")) for one in MEASURES]
    left_out = found.value["flows_in_all"] - len(found.value["flows"])
    told = el("p", {"class": "note"}, page.t("processes.left_out", count=page.number(left_out))) if left_out else None
    choosing = el(
        "div",
        {"class": "tools"},
        choices(page, "least", thresholds, "processes.least.label"),
        choices(page, "by", measures, "processes.measure.label"),
    )
    body = [choosing, drawn, told] if found.value["cases"] else [empty(page)]
    record, statistics = definition.value, counts.value or {}
    return page.view(
        name,
        lead(
            page,
            page.title_of(record, name),
            None,
            el("p", None, page.t("processes.type"), " ", el("code", None, name)),
        ),
        tabs(page, name, found.value, ""),
        section(page, "processes.figures", _figures(page, found.value, statistics), shown=joined(counts, found)),
        section(page, "processes.map", *body, shown=found, note="processes.map.note"),
        section(page, "processes.definition", _definition(page, record), raw(page, record), shown=definition),
    )


def tabs(page: Page, name: str, figures_of: Mapping[str, Any], here: str) -> Html:
    """Return the ways to look at a process: map, variants, cases; and the types of objects to follow."""
    kept = {"type": page.query("type")}
    views = [("", "processes.map"), ("variants", "processes.variants"), ("cases", "processes.cases")]
    links = []
    for part, key in views:
        href = page.link(process_link(name, *([part] if part else [])), **kept)
        links.append(el("a", {"href": href, "aria-current": "page" if part == here else None}, page.t(key)))
    ways = el("nav", {"class": "choices", "aria-label": page.t("processes.views")}, links)
    types = figures_of["types"]
    if len(types) < 2:
        return ways
    chosen = figures_of["type"]
    followed = [
        el(
            "a",
            {
                "href": page.link(type=one, cursor=None, variant=None, last=None),
                "aria-current": "true" if one == chosen else None,
            },
            one,
        )
        for one in types
    ]
    label = el("span", {"class": "faint"}, page.t("processes.followed"))
    follow = el("nav", {"class": "choices", "aria-label": page.t("processes.followed")}, followed)
    return el("div", {"class": "tools"}, ways, el("div", {"class": "tools"}, label, follow))


def _figures(page: Page, found: Mapping[str, Any], statistics: Mapping[str, Any]) -> Html:
    cases_of = page.t("processes.cases_of", type=found["type"] or "–")
    per_case = f"{found['events'] / found['cases']:.1f}" if found["cases"] else "–"
    return figures(
        figure(page.t("processes.events"), page.number(statistics.get("events", 0))),
        figure(cases_of, page.number(found["cases"])),
        figure(page.t("processes.per_case"), per_case),
        figure(page.t("processes.variants"), page.number(found["variants"])),
        figure(page.t("processes.activities"), page.number(len(found["activities"]))),
        figure(page.t("processes.sources"), page.number(statistics.get("sources", 0))),
    )


def _definition(page: Page, record: Mapping[str, Any]) -> Html:
    return facts(
        [
            (page.t("processes.owner"), member_link(record["member"])),
            (page.t("processes.version"), page.number(record["version"])),
            (page.t("processes.gaps"), page.t(f"processes.gaps.{record['gaps']}")),
            (page.t("processes.late"), page.duration(record["late_ms"])),
            (page.t("processes.early"), page.duration(record["early_ms"])),
            (page.t("processes.object_types"), ", ".join(record["object_types"])),
            (page.t("processes.event_types"), ", ".join(record["event_types"])),
            (page.t("processes.digest"), hexadecimal(page, record["definition"], whole=True)),
        ]
    )


async def variants(page: Page) -> View:
    """Build the list of variants: most frequent first, with their share, length and steps."""
    name = page.part("id")
    path = f"/v1/process-types/{quote(name, safe='')}/variants"
    shown = await page.data.get(path, VARIANTS, type=page.query("type"), limit=_PAGE, cursor=page.query("cursor"))
    found = shown.value
    rows = [_variant(page, name, found, one) for one in found["items"]]
    columns = ("processes.variant", "processes.cases", "processes.share", "processes.length", "processes.steps")
    listed = table(page, "processes.variants", columns, rows, numeric="1 2 3")
    counted = page.t(
        "processes.variants.count", count=page.number(found["variants"]), cases=page.number(found["cases"])
    )
    return page.view(
        page.t("processes.variants"),
        lead(page, page.t("processes.variants.title", name=name), "processes.variants.lead"),
        tabs(page, name, found, "variants"),
        section(
            page,
            "processes.variants",
            el("p", {"class": "note"}, counted),
            listed,
            cursor_pager(page, found["next"]),
            shown=shown,
        ),
    )


def _variant(page: Page, name: str, found: Mapping[str, Any], one: Mapping[str, Any]) -> list[Child]:
    steps = one["activities"]
    rest = len(steps) - _STEPS_SHOWN
    chips = [el("li", None, step) for step in steps[:_STEPS_SHOWN]]
    more = el("li", {"class": "faint"}, f"+{rest}") if rest > 0 else None
    share = one["cases"] / found["cases"] if found["cases"] else 0.0
    bar = el("rect", {"x": "0", "y": "0", "height": "8", "width": f"{100 * share:.1f}%", "rx": "1", "class": "bar"})
    track = el("svg", {"class": "track share", "height": "8", "aria-hidden": "true"}, bar)
    link = page.link(process_link(name, "cases"), type=found["type"], variant=one["variant"])
    length = page.t("processes.or_longer", count=one["length"]) if one["or_longer"] else page.number(one["length"])
    return [
        el("a", {"href": link, "class": "nowrap"}, page.t("processes.variant.number", number=one["variant"])),
        page.number(one["cases"]),
        join(page.number(100 * share, 1), " % ", track),
        length,
        el("ol", {"class": "way"}, chips, more),
    ]


async def case_list(page: Page) -> View:
    """Build the list of cases, as the node pages and filters it."""
    name, variant, last = page.part("id"), page.query_integer("variant", low=1), page.query("last")
    path = f"/v1/process-types/{quote(name, safe='')}/cases"
    params: dict[str, Any] = {"type": page.query("type"), "variant": variant, "last": last, "limit": _PAGE}
    shown, definition = await asyncio.gather(
        page.data.get(path, CASES, cursor=page.query("cursor"), **params), page.data.state(f"process/type/{name}")
    )
    found, record = shown.value, definition.value
    if record is None:
        raise Problem(404, "unknown_process_type", page.t("processes.unknown", name=name), "")
    if page.query("case"):
        known = list(record["object_types"])  # of the definition: what a node says decides nothing that is proven
        object_type = next((one for one in known if one == found["type"]), next(iter(known), ""))
        return await cases.found(page, name, object_type, page.query("case") or "")
    rows = [_case(page, name, found["type"], one) for one in found["items"]]
    columns = ("processes.case", "processes.events", "processes.first", "processes.took", "processes.last")
    activities = [("", page.t("processes.any")), *((one, one) for one in record["event_types"])]
    chosen = None
    if variant is not None:
        all_of_them = el("a", {"href": page.link(variant=None, cursor=None)}, page.t("processes.all_variants"))
        chosen = el("p", {"class": "note"}, tag(page.t("processes.variant.number", number=variant)), " ", all_of_them)
    return page.view(
        page.t("processes.cases"),
        lead(page, page.t("processes.cases.title", name=name), "processes.cases.lead"),
        tabs(page, name, found, "cases"),
        section(
            page,
            "processes.cases",
            el(
                "div",
                {"class": "tools"},
                search(page, "case", "processes.case.search", type=found["type"]),
                _last_filter(page, activities, last or "") if variant is None else None,
            ),
            chosen,
            table(page, "processes.cases", columns, rows, numeric="1"),
            cursor_pager(page, found["next"]),
            shown=shown,
        ),
    )


def _last_filter(page: Page, activities: list[tuple[str, str]], chosen: str) -> Html:
    """Return the choice of where a case stands: the type of its last event."""
    options = [el("option", {"value": value, "selected": value == chosen}, words) for value, words in activities]
    label = el("span", {"class": "faint"}, page.t("processes.last"))
    kept = page.query("type")
    hidden = el("input", {"type": "hidden", "name": "type", "value": kept}) if kept else None
    button = el("button", {"type": "submit"}, page.t("processes.filter"))
    form = {"method": "get", "action": page.path, "class": "tools"}
    return el(
        "form", form, hidden, el("label", {"class": "tools"}, label, el("select", {"name": "last"}, options)), button
    )


def _case(page: Page, name: str, object_type: str, one: Mapping[str, Any]) -> list[Child]:
    took: Child = "–"
    if one["first_ms"] is not None and one["last_ms"] is not None:
        took = span(page, one["last_ms"] - one["first_ms"])
    return [
        el("a", {"href": case_link(name, object_type, one["id"])}, one["id"]),
        page.number(one["events"]),
        "–" if one["first_ms"] is None else moment(page, one["first_ms"]),
        took,
        one["last"],
    ]


ROUTES: Final = (
    Route("/processes", processes, "processes.nav", lists="process-types"),
    Route("/processes/{id}", process, "processes.nav"),
    Route("/processes/{id}/variants", variants, "processes.nav"),
    Route("/processes/{id}/cases", case_list, "processes.nav"),
    *cases.ROUTES,
)
