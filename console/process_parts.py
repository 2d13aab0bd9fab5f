"""What the pages about a process share: its paths, the ways to look at it, lengths of time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from coseal.console import case_filters
from coseal.console.html import Html, el
from coseal.console.page import Page

_VIEWS = (
    ("", "processes.map"),
    ("variants", "processes.variants"),
    ("cases", "processes.cases"),
    ("times", "processes.times"),
)


def process_link(process_type: str, *more: str) -> str:
    """Return the path of a process type's page, or of one below it."""
    return "/".join(("/processes", *(quote(part, safe="") for part in (process_type, *more))))


def cases_link(page: Page, process_type: str, object_type: str | None, **filters: Any) -> str:
    """Return the link to the cases that pass the filters of this page and some more."""
    kept = {**case_filters.kept(page), "type": object_type}
    return page.link(process_link(process_type, "cases"), **{**kept, **filters})


def tabs(page: Page, name: str, figures_of: Mapping[str, Any], here: str) -> Html:
    """Return the ways to look at a process, with the filters kept; and the types of objects to follow."""
    kept = case_filters.kept(page)
    links = []
    for part, key in _VIEWS:
        href = page.link(process_link(name, *([part] if part else [])), **kept)
        links.append(el("a", {"href": href, "aria-current": "page" if part == here else None}, page.t(key)))
    ways = el("nav", {"class": "choices", "aria-label": page.t("processes.views")}, links)
    types = figures_of["types"]
    if len(types) < 2:
        return el("div", {"class": "tools"}, ways, _view(page))
    at_once = not here and page.query("type") == case_filters.EVERY_TYPE
    chosen = None if at_once else figures_of["type"]
    followed = [
        el(
            "a",
            {
                "href": page.link(type=one, cursor=None, trail=None, variant=None),
                "aria-current": "true" if one == chosen else None,
            },
            one,
        )
        for one in types
    ]
    if not here:
        every = {"href": page.link(type=case_filters.EVERY_TYPE), "aria-current": "true" if at_once else None}
        followed.append(el("a", every, page.t("processes.together")))
    label = el("span", {"class": "faint"}, page.t("processes.followed"))
    follow = el("nav", {"class": "choices", "aria-label": page.t("processes.followed")}, followed)
    return el("div", {"class": "tools"}, ways, _view(page), el("div", {"class": "tools"}, label, follow))


def _view(page: Page) -> Html:
    """Return the switch between traces as they are by what was corrected, and as they were recorded."""
    links = [
        el(
            "a",
            {
                "href": page.link(view=view or None, cursor=None, trail=None, variant=None),
                "aria-current": "true" if (page.query("view") == case_filters.RECORDED) == bool(view) else None,
                "title": page.t(f"processes.view.{view or 'corrected'}.note"),
            },
            page.t(f"processes.view.{view or 'corrected'}"),
        )
        for view in ("", case_filters.RECORDED)
    ]
    return el("nav", {"class": "choices", "aria-label": page.t("processes.view")}, links)


def span(page: Page, ms: int) -> str:
    """Return a length of time that may be negative: events may be recorded out of their order."""
    return f"−{page.duration(ms)}" if ms < 0 else page.duration(ms)
