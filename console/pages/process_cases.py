"""The cases of a process: the ways they go (variants), and the cases themselves.

Law: lists are the node's word and sealed as such; what a process type is, is read from the certified state.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from coseal.console import case_filters
from coseal.console.documents import CASES, VARIANTS
from coseal.console.html import Child, el, join
from coseal.console.nodes import Problem
from coseal.console.page import Page, Route, View
from coseal.console.pages import cases
from coseal.console.parts import choices, cursor_pager, lead, moment, search, section, table
from coseal.console.process_parts import cases_link, span, tabs
from coseal.console.sorting import sized
from coseal.console.supervision_parts import case_link
from coseal.contracts.process.state import type_key

_PAGE: Final = 25
_STEPS_SHOWN: Final = 14
_ORDERS: Final = ("begun", "longest", "shortest")


async def variants(page: Page) -> View:
    """Build the list of variants: most frequent first, with their share, length and steps."""
    name = page.part("id")
    path = f"/v1/process-types/{quote(name, safe='')}/variants"
    shown, definition = await asyncio.gather(
        page.data.get(path, VARIANTS, **case_filters.asked(page), limit=page.rows(_PAGE), cursor=page.query("cursor")),
        page.data.state(type_key(name)),
    )
    found, record = shown.value, _known(page, name, definition.value)
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
            case_filters.bar(page, record["event_types"]),
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
    link = cases_link(page, name, found["type"], variant=one["variant"])
    length = page.t("processes.or_longer", count=one["length"]) if one["or_longer"] else page.number(one["length"])
    return [
        el("a", {"href": link, "class": "nowrap"}, page.t("processes.variant.number", number=one["variant"])),
        page.number(one["cases"]),
        join(page.number(100 * share, 1), " % ", track),
        length,
        el("ol", {"class": "way"}, chips, more),
    ]


async def case_list(page: Page) -> View:
    """Build the list of cases, as the node filters, sorts and pages it."""
    name, order = page.part("id"), page.query("order")
    path = f"/v1/process-types/{quote(name, safe='')}/cases"
    params = {**case_filters.asked(page), "order": order if order in _ORDERS[1:] else None, "limit": page.rows(_PAGE)}
    shown, definition = await asyncio.gather(
        page.data.get(path, CASES, cursor=page.query("cursor"), **params), page.data.state(type_key(name))
    )
    found, record = shown.value, _known(page, name, definition.value)
    if page.query("case"):
        known = list(record["object_types"])  # of the definition: what a node says decides nothing that is proven
        object_type = next((one for one in known if one == found["type"]), next(iter(known), ""))
        return await cases.found(page, name, object_type, page.query("case") or "")
    rows = [_case(page, name, found["type"] or "", one) for one in found["items"]]
    columns = ("processes.case", "processes.events", "processes.first", "processes.took", "processes.last")
    orders = [("" if one == _ORDERS[0] else one, page.t(f"cases.order.{one}")) for one in _ORDERS]
    return page.view(
        page.t("processes.cases"),
        lead(page, page.t("processes.cases.title", name=name), "processes.cases.lead"),
        tabs(page, name, found, "cases"),
        section(
            page,
            "processes.cases",
            case_filters.bar(page, record["event_types"]),
            el(
                "div",
                {"class": "tools"},
                choices(page, "order", orders, "cases.order"),
                search(page, "case", "processes.case.search", type=found["type"]),
            ),
            table(page, "processes.cases", columns, rows, numeric="1"),
            cursor_pager(page, found["next"]),
            shown=shown,
        ),
    )


def _known(page: Page, name: str, record: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if record is None:
        raise Problem(404, "unknown_process_type", page.t("processes.unknown", name=name), "")
    return record


def _case(page: Page, name: str, object_type: str, one: Mapping[str, Any]) -> list[Child]:
    took: Child = "–"
    if one["first_ms"] is not None and one["last_ms"] is not None:
        took_ms = one["last_ms"] - one["first_ms"]
        took = sized(span(page, took_ms), took_ms)
    return [
        el("a", {"href": case_link(name, object_type, one["id"])}, one["id"]),
        page.number(one["events"]),
        "–" if one["first_ms"] is None else moment(page, one["first_ms"]),
        took,
        one["last"],
    ]


ROUTES: Final = (
    Route("/processes/{id}/variants", variants, "processes.nav"),
    Route("/processes/{id}/cases", case_list, "processes.nav"),
)
