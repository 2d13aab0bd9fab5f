"""The policy register: what is in it, filtered, newest first, and the way to its figures.

Law: lists and filtered counts are the node's word and say so; totals come from counters of the certified state.
Every list is paged by the node: a page of the register costs the same however large it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from coseal.console.documents import POLICIES, POLICY_SOURCES, policy_counts
from coseal.console.html import Child, Html, el
from coseal.console.page import Entry, Page, Route, View
from coseal.console.pages import policy, policy_coordination, policy_figures
from coseal.console.parts import cursor_pager, figure, figures, lead, section, select, table, tag
from coseal.console.policy_parts import STATUS_TONE, counter, date_of, subject_tabs, values_of, word
from coseal.console.shown import joined
from coseal.contracts.policy.state import dimension_key, figure_key

NAV: Final = Entry("policies.nav", "/policies")
FILTERS: Final = ("title", "year", "area", "level", "issuer", "status", "type_document", "source")
STATUSES: Final = ("proposed", "passed", "promulgated", "ended", "recorded")
_PAGE: Final = 50
_ISSUERS_SHOWN: Final = 3


async def register(page: Page) -> View:
    """Build the register."""
    chosen = {name: value for name in FILTERS if (value := page.query(name)) is not None}
    listed, counted, sources = await asyncio.gather(
        page.data.get(
            "/v1/policies", POLICIES, order="newest", limit=page.rows(_PAGE), cursor=page.query("cursor"), **chosen
        ),
        page.data.get("/v1/policies/statistics", policy_counts("origin"), by="origin", **chosen),
        page.data.get("/v1/policies/sources", POLICY_SOURCES),
    )
    rows = [_row(page, item) for item in listed.value["policies"]]
    columns = ("policies.title", "policies.date", "policies.level", "policies.issuers", "policies.status")
    found = el(
        "p",
        {"class": "note", "role": "status"},
        page.t("policies.found", count=page.number(counted.value["policies"])),
        " ",
        el("a", {"href": page.link("/policies")}, page.t("policies.clear")) if chosen else None,
    )
    made = table(page, "policies.list", columns, rows)
    pager = cursor_pager(page, listed.value["next"])
    title = page.t("policies.nav")
    return page.view(
        title,
        lead(page, title, "policies.lead"),
        subject_tabs(page),
        await _totals(page),
        section(
            page,
            "policies.list",
            await _form(page, chosen, sources.value["sources"]),
            found,
            made,
            pager,
            shown=joined(listed, counted),
        ),
        live=not chosen and page.query("cursor") is None,
    )


async def _totals(page: Page) -> Html:
    """Return how much the register holds, from the counters of the state."""
    recorded, live, undated, issuers, unstated = await asyncio.gather(
        counter(page, "origin", "recorded"),
        counter(page, "origin", "live"),
        counter(page, "year", "undated"),
        page.data.state(dimension_key("issuer")),
        page.data.state(figure_key("issuer", "unstated")),
    )
    named = (issuers.value or {}).get("count", 0) - (unstated.value is not None)  # "unstated" is listed like a body
    body = figures(
        figure(page.t("policies.total"), page.number(recorded.value + live.value)),
        figure(page.t("policies.recorded"), page.number(recorded.value), page.t("policies.recorded.note")),
        figure(page.t("policies.live"), page.number(live.value), page.t("policies.live.note")),
        figure(page.t("policies.undated"), page.number(undated.value)),
        figure(page.t("policies.issuers"), page.number(named)),
    )
    return section(page, "policies.holds", body, shown=joined(recorded, live, undated, issuers, unstated))


def _row(page: Page, item: Mapping[str, Any]) -> list[Child]:
    name = el(
        "a",
        {"href": f"/policies/{quote(item['id'], safe='')}", "lang": item["title_language"]},
        item["title"],
    )
    date = item["date_publication"] or item["date_document"]
    status = item["status"]
    return [
        name,
        date_of(page, date),
        el("span", {"class": "nowrap"}, word(page, "level", item["level"])),
        _issuers(page, item["issuers"]),
        tag(word(page, "status", status), STATUS_TONE.get(status, "")),
    ]


def _issuers(page: Page, issuers: list[str]) -> Html:
    """Return the first issuers as links to what they issued, and how many more there are."""
    links: list[Child] = []
    for issuer in issuers[:_ISSUERS_SHOWN]:
        links += [", " if links else "", el("a", {"href": page.link("/policies", issuer=issuer)}, issuer)]
    more = len(issuers) - _ISSUERS_SHOWN
    if more > 0:
        links.append(el("span", {"class": "faint"}, page.t("policies.more_issuers", count=more)))
    return el("span", None, links) if links else el("span", {"class": "faint"}, page.t("policies.unstated"))


async def _form(page: Page, chosen: Mapping[str, str], sources: list[dict[str, Any]]) -> Html:
    """Return the filters. What can be chosen are the values the state lists, so the choice is complete."""
    years, areas, levels, kinds, issuers = await asyncio.gather(
        *(values_of(page, by) for by in ("year", "area", "level", "type_document", "issuer"))
    )
    title = el("input", {"type": "search", "name": "title", "value": chosen.get("title", ""), "maxlength": 256})
    issuer = el(
        "input",
        {"type": "search", "name": "issuer", "value": chosen.get("issuer", ""), "list": "issuers", "maxlength": 256},
    )
    any_of = ("", page.t("policies.any"))

    def chosen_from(name: str, values: list[str]) -> Html:
        kept = [*values, *({chosen[name]} - {*values} if name in chosen else ())]
        options = [any_of, *((value, word(page, name, value)) for value in kept)]
        return select(page.t(f"policies.{name}"), name, options, chosen.get(name, ""))

    named = {row["sha256"]: row["source"] for row in sources}
    from_sources = [any_of, *((sha256, source) for sha256, source in named.items())]
    return el(
        "form",
        {"method": "get", "action": "/policies", "class": "filters", "role": "search"},
        el("label", {"class": "field wide"}, el("span", None, page.t("policies.title_contains")), title),
        chosen_from("year", sorted(years, reverse=True)),
        chosen_from("area", areas),
        chosen_from("level", levels),
        chosen_from("status", list(STATUSES)),
        chosen_from("type_document", kinds),
        el("label", {"class": "field"}, el("span", None, page.t("policies.issuer")), issuer),
        select(page.t("policies.source"), "source", from_sources, chosen.get("source", "")),
        el("datalist", {"id": "issuers"}, [el("option", {"value": value}) for value in issuers]),
        el("button", {"type": "submit", "class": "primary"}, page.t("policies.show")),
    )


ROUTES: Final = (
    Route("/policies", register, "policies.nav", lists="policies"),
    *policy_figures.ROUTES,
    *policy_coordination.ROUTES,
    *policy.ROUTES,
)
