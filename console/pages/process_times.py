"""The times of a process: how long its cases take, and when their events occur.

Law: as ``processes``: figures of a whole process are counted by the node's index and sealed as such.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from coseal.console import case_filters
from coseal.console.case_filters import length_text
from coseal.console.charts import bars
from coseal.console.documents import CASE_DOTS, CASE_TIMES
from coseal.console.dotted_chart import dotted_chart
from coseal.console.html import Html
from coseal.console.nodes import Problem
from coseal.console.page import Page, Route, View
from coseal.console.parts import choices, empty, figure, figures, lead, section
from coseal.console.process_parts import cases_link, span, tabs
from coseal.contracts.process.state import type_key

_CASES: Final = 120


async def times(page: Page) -> View:
    """Build the page of the times of one process type."""
    name, asked = page.part("id"), case_filters.asked(page)
    path = f"/v1/process-types/{quote(name, safe='')}"
    definition, counted, dotted = await asyncio.gather(
        page.data.state(type_key(name)),
        page.data.get(f"{path}/times", CASE_TIMES, **asked),
        page.data.get(f"{path}/dots", CASE_DOTS, **asked, limit=_CASES),
    )
    record = definition.value
    if record is None:
        raise Problem(404, "unknown_process_type", page.t("processes.unknown", name=name), "")
    found = counted.value
    by = [("", page.t("dots.by.absolute")), ("relative", page.t("dots.by.relative"))]
    relative = page.query("time") == "relative"
    return page.view(
        page.t("processes.times"),
        lead(page, page.t("processes.times.of", name=name), "processes.times.lead"),
        tabs(page, name, found, "times"),
        section(
            page,
            "times.title",
            case_filters.bar(page, record["event_types"]),
            *(_histogram(page, name, found) if found["cases"] else [empty(page)]),
            shown=counted,
            note="times.note",
        ),
        section(
            page,
            "dots.title",
            choices(page, "time", by, "dots.by"),
            dotted_chart(page, name, dotted.value, relative=relative) if dotted.value["cases"] else empty(page),
            shown=dotted,
            note="dots.note",
        ),
    )


def _histogram(page: Page, name: str, found: Mapping[str, Any]) -> list[Html]:
    """Return the figures and the bars, each a link to the cases that took so long."""
    values, links, ticks = [], [], []
    for one in found["bins"]:
        low, high = one["from_ms"], one["to_ms"]
        words = page.t("times.and_longer", time=span(page, low))
        if high is not None:
            words = page.t("times.between", low=span(page, low), high=span(page, high))
        values.append((words, one["cases"]))
        ticks.append(length_text(low))
        below = None if high is None else length_text(high)
        links.append(cases_link(page, name, found["type"], least_time=length_text(low), below_time=below))
    lengths = [(key, found[f"{key}_ms"]) for key in ("median", "mean", "ninth", "longest")]
    shown = [figure(page.t("times.cases"), page.number(found["cases"]))]
    shown += [figure(page.t(f"times.{key}"), span(page, ms)) for key, ms in lengths if ms is not None]
    chart = bars(page, "times.title", values, columns=("times.took", "times.cases"), links=links, ticks=ticks)
    return [figures(*shown), chart]


ROUTES: Final = (Route("/processes/{id}/times", times, "processes.nav"),)
