"""Sources: who records what, how far, what is missing, and how late it comes.

Law: which sources there are is the node's list; how each stands is read from the certified state.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final
from urllib.parse import quote

from coseal.console.documents import SOURCES
from coseal.console.html import Child, el, join
from coseal.console.nodes import Problem
from coseal.console.page import Page, Route, View
from coseal.console.parts import (
    cursor_pager,
    facts,
    height_link,
    hexadecimal,
    lead,
    member_link,
    moment,
    seal,
    section,
    table,
    tag,
)
from coseal.console.shown import joined
from coseal.console.supervision_parts import source_link, tabs
from coseal.contracts.process.state import source_key

_PAGE: Final = 25


async def sources(page: Page) -> View:
    """Build the list of sources."""
    listed = await page.data.get("/v1/sources", SOURCES, limit=_PAGE, cursor=page.query("cursor"))
    found = listed.value["sources"]
    shown = await asyncio.gather(*(page.data.state(source_key(one["name"])) for one in found))
    rows: list[list[Child]] = []
    for one, proven in zip(found, shown, strict=True):
        record = proven.value
        if record is None:  # proven not to exist
            continue
        rows.append(
            [
                join(source_link(one["name"]), " ", seal(page, proven, small=True)),
                el("a", {"href": f"/processes/{quote(record['process_type'], safe='')}"}, record["process_type"]),
                page.t(f"source.mode.{record['mode']}"),
                page.number(record["sequence"]),
                _gaps(page, record),
                page.number(record["missing"]),
                _lag(page, record),
            ]
        )
    columns = (
        *("supervision.source", "processes.type", "source.mode", "source.sequence", "source.gaps"),
        *("source.missing", "source.lag"),
    )
    title = page.t("supervision.sources")
    return page.view(
        title,
        lead(page, title, "source.lead"),
        tabs(page, "/supervision/sources"),
        section(
            page,
            "supervision.sources",
            table(page, "supervision.sources", columns, rows, numeric="3 4 5 6"),
            cursor_pager(page, listed.value["next"]),
            shown=joined(listed, *shown),
            note="source.lag.note",
        ),
    )


def _gaps(page: Page, record: dict[str, Any]) -> Child:
    gaps = record.get("gaps", 0)
    return tag(page.number(gaps), "bad") if gaps else page.number(0)


def _lag(page: Page, record: dict[str, Any]) -> Child:
    """Return how far the newest event of a live source lies behind block time."""
    block_ms, latest_ms = page.data.block_ms, record.get("latest_ms")
    if latest_ms is None:
        return page.t("source.nothing")
    if record.get("mode") != "live" or block_ms is None:
        return "–"
    return page.duration(max(0, block_ms - latest_ms))


async def source(page: Page) -> View:
    """Build the page of one source: how far it is, and every gap that is remembered."""
    name = page.part("id")
    shown = await page.data.state(source_key(name))
    record = shown.value
    if record is None:
        raise Problem(404, "unknown_source", page.t("source.unknown", name=name), "")
    process_type = record["process_type"]
    latest_ms = record["latest_ms"]
    rows: list[tuple[str, Child]] = [
        (page.t("source.owner"), member_link(name, name.partition("/")[0])),
        (page.t("processes.type"), el("a", {"href": f"/processes/{quote(process_type, safe='')}"}, process_type)),
        (page.t("source.mode"), page.t(f"source.mode.{record['mode']}")),
        (page.t("source.sequence"), page.number(record["sequence"])),
        (page.t("cases.items"), page.number(record["items"])),
        (page.t("source.gaps"), _gaps(page, record)),
        (page.t("source.missing"), page.number(record["missing"])),
        (page.t("source.latest"), "–" if latest_ms is None else moment(page, latest_ms)),
        (page.t("source.lag"), _lag(page, record)),
        (page.t("source.last_batch"), height_link(page, record["height"]) if record["height"] else page.t("part.none")),
        (page.t("source.head"), hexadecimal(page, record["head"], whole=True)),
    ]
    gaps = [
        [page.number(first), page.number(last), page.number(last - first + 1), reason]
        for first, last, reason in record["last_gaps"]
    ]
    columns = ("source.gap.first", "source.gap.last", "source.missing", "source.gap.reason")
    about = el("a", {"href": page.link("/supervision/findings", source=name)}, page.t("source.findings"))
    return page.view(
        name,
        lead(page, name, None, el("p", None, page.title_of(record))),
        section(page, "source.about", facts(rows), el("p", None, about), shown=shown),
        section(page, "source.gaps", table(page, "source.gaps", columns, gaps, numeric="0 1 2"), shown=shown),
    )


ROUTES: Final = (
    Route("/supervision/sources", sources, "supervision.nav", lists="sources"),
    Route("/supervision/sources/{id:path}", source, "supervision.nav"),
)
