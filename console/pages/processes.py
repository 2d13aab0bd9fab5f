"""Processes: which there are, and what happens in one: its map, figures and definition.

Law: figures of a whole process are counted by the node's index and sealed as such; what a process type is, and how
much was recorded of it, is read from the certified state.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from coseal.console import case_filters, frame
from coseal.console.documents import PROCESS_MAP, PROCESS_TYPES
from coseal.console.html import Html, el
from coseal.console.nodes import Problem
from coseal.console.page import Entry, Page, Route, View
from coseal.console.pages import cases, process_cases, process_times
from coseal.console.parts import (
    choices,
    empty,
    facts,
    figure,
    figures,
    hexadecimal,
    lead,
    member_link,
    raw,
    section,
    table,
)
from coseal.console.process_map import LEAST, MEASURES, TYPES_MAX, map_drawing, process_map
from coseal.console.process_parts import process_link, tabs
from coseal.console.shown import Shown, joined
from coseal.contracts.process.state import statistics_key, type_key

NAV: Final = Entry("processes.nav", "/processes")


async def processes(page: Page) -> View:
    """Build the list of process types."""
    listed = await page.data.get("/v1/process-types", PROCESS_TYPES)
    types = listed.value["process_types"]
    keys = [key for one in types for key in (type_key(one["id"]), statistics_key(one["id"]))]
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
    definition, counts, maps = await asyncio.gather(
        page.data.state(type_key(name)), page.data.state(statistics_key(name)), _maps(page, name)
    )
    if definition.value is None:
        raise Problem(404, "unknown_process_type", page.t("processes.unknown", name=name), "")
    several = [one.value for one in maps]
    if page.query("file") == "svg":
        drawn = await asyncio.to_thread(map_drawing, page, name, several, least=least, measure=measure)
        style = (frame.STATIC / "console.css").read_text()
        return page.file(f"{name}.svg", drawn.file(style))
    drawn_map = await asyncio.to_thread(process_map, page, name, several, least=least, measure=measure)
    thresholds = [
        (value, page.t("processes.least", percent=percent) if percent else page.t("processes.least.all"))
        for value, percent in LEAST.items()
    ]
    measures = [("" if one == "count" else one, page.t(f"processes.measure.{one}")) for one in MEASURES]
    left_out = sum(found["flows_in_all"] - len(found["flows"]) for found in several)
    note = el("p", {"class": "note"}, page.t("processes.left_out", count=page.number(left_out))) if left_out else None
    choosing = el(
        "div",
        {"class": "tools"},
        choices(page, "least", thresholds, "processes.least.label"),
        choices(page, "by", measures, "processes.measure.label"),
        _exports(page, name),
    )
    record, statistics = definition.value, counts.value or {}
    body = [choosing, drawn_map, note] if any(found["cases"] for found in several) else [empty(page)]
    return page.view(
        name,
        lead(
            page,
            page.title_of(record, name),
            None,
            el("p", None, page.t("processes.type"), " ", el("code", None, name)),
        ),
        tabs(page, name, several[0], ""),
        section(page, "processes.figures", _figures(page, several, statistics), shown=joined(counts, *maps)),
        section(
            page,
            "processes.map",
            case_filters.bar(page, record["event_types"]),
            case_filters.line(page, several[0]) if len(several) == 1 else None,
            *body,
            shown=joined(*maps),
            note="processes.map.note",
        ),
        section(page, "processes.definition", _definition(page, record), raw(page, record), shown=definition),
    )


async def _maps(page: Page, name: str) -> list[Shown[dict[str, Any]]]:
    """Return the map of the object type that is followed, or those of all types at once, most events first."""
    path, asked = f"/v1/process-types/{quote(name, safe='')}/map", case_filters.asked(page)
    first = await page.data.get(path, PROCESS_MAP, **asked)
    if page.query("type") != case_filters.EVERY_TYPE:
        return [first]
    others = [one for one in first.value["types"] if one != first.value["type"]][: TYPES_MAX - 1]
    asking = (page.data.get(path, PROCESS_MAP, **asked | {"type": one}) for one in others)
    return [first, *await asyncio.gather(*asking)]


def _exports(page: Page, name: str) -> Html:
    """Return the ways to keep the drawing: as SVG by the console, as PNG by the browser."""
    href = page.link(file="svg")
    picture = {"type": "button", "data-picture": href, "data-name": f"{name}.png"}
    return el(
        "span",
        {"class": "tags"},
        el("a", {"class": "button", "href": href, "download": f"{name}.svg"}, page.t("processes.save.svg")),
        el("button", picture, page.t("processes.save.png")),
    )


def _figures(page: Page, several: Sequence[Mapping[str, Any]], statistics: Mapping[str, Any]) -> Html:
    found = several[0]
    per_case = f"{found['events'] / found['cases']:.1f}" if found["cases"] else "–"
    activities = {one["activity"] for each in several for one in each["activities"]}
    of_one = (
        figure(page.t("processes.per_case"), per_case),
        figure(page.t("processes.variants"), page.number(found["variants"])),
    )
    return figures(
        figure(page.t("processes.events"), page.number(statistics.get("events", 0))),
        *(figure(page.t("processes.cases_of", type=one["type"] or "–"), page.number(one["cases"])) for one in several),
        *(of_one if len(several) == 1 else ()),
        figure(
            page.t("processes.activities"),
            page.number(len(activities)),
        ),
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


ROUTES: Final = (
    Route("/processes", processes, "processes.nav", lists="process-types"),
    Route("/processes/{id}", process, "processes.nav"),
    *process_cases.ROUTES,
    *process_times.ROUTES,
    *cases.ROUTES,
)
