"""Standards and domains: all there are, and for a domain what competes in it and how the shares grew.

Law: a domain and what competes in it are read from the certified state; the list and earlier periods are the node's
index and sealed as such. Volume is shown apart from use, for it decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from coseal.console import shapes
from coseal.console.ballot_parts import Values
from coseal.console.html import Child, Html, el
from coseal.console.line_chart import COLOURS, Line, line_chart
from coseal.console.nodes import Problem
from coseal.console.page import Entry, Page, Route, View
from coseal.console.pages import standard
from coseal.console.parts import choices, cursor_pager, empty, facts, lead, member_link, moment, section, table
from coseal.console.standard_parts import (
    Review,
    domain_path,
    keys_of,
    percent,
    period_label,
    reviews_of,
    standard_path,
    status_word,
    tags,
    thresholds,
    title_of,
    version_of,
)
from coseal.contracts.standards import described
from coseal.contracts.standards.lists import STANDARDS
from coseal.contracts.standards.state import domain_key

NAV: Final = Entry("standards.nav", "/standards")
_PAGE: Final = 25
_STATUSES: Final = ("proposed", "in_use", "de_facto", "lapsed", "ended")
_FIGURES: Final = ("share", "adopters", "items")
_AXIS: Final = ("0%", "25%", "50%", "75%", "100%")

_LISTED: Final = shapes.record(
    height=shapes.height,
    next=shapes.maybe(shapes.cursor),
    standards=shapes.listed(
        shapes.record(
            standard=shapes.name,
            version=shapes.integer(low=1),
            title=shapes.text(),
            kind=shapes.text(32),
            domain=shapes.name,
            status=shapes.text(32),
            member=shapes.name,
            adopters=shapes.integer(),
            recognised=shapes.text(32),
            sunset_ms=shapes.maybe(shapes.optional(shapes.time_ms)),
            successor=shapes.maybe(shapes.pair(shapes.name, shapes.integer())),
            titles=shapes.maybe(shapes.mapped(shapes.text(), 64)),
        )
    ),
)


async def standards(page: Page) -> View:
    """Build the list of all versions, by id, of one status if wanted."""
    status = page.query("status")
    status = status if status in _STATUSES else None
    asked: dict[str, Any] = {"status": status, "limit": page.rows(_PAGE), "cursor": page.query("cursor")}
    shown = await page.data.get(STANDARDS.path, _LISTED, **asked)
    options = [("", page.t("standards.any")), *((one, status_word(page, one)) for one in _STATUSES)]
    columns = (
        *("standards.standard", "standards.title", "standards.domain", "standards.kind"),
        *("standards.status", "standards.ever", "standards.by"),
    )
    rows = [_row(page, entry) for entry in shown.value["standards"]]
    title = page.t("standards.nav")
    return page.view(
        title,
        lead(page, title, "standards.lead"),
        section(
            page,
            "standards.list",
            choices(page, "status", options, "standards.status"),
            table(page, "standards.list", columns, rows, numeric="5"),
            cursor_pager(page, shown.value["next"]),
            shown=shown,
        ),
    )


def _row(page: Page, entry: Mapping[str, Any]) -> list[Child]:
    stands = {name: entry[name] for name in ("status", "sunset_ms")}
    if entry["recognised"]:
        stands["recognition"] = {"level": entry["recognised"]}
    if entry["successor"]:
        stands["successor"] = entry["successor"]
    return [
        _named(entry["standard"], entry["version"]),
        title_of(page, entry["titles"] or entry["title"]),
        el("a", {"href": domain_path(entry["domain"])}, entry["domain"]),
        page.t_or(f"standards.kind.{entry['kind']}", entry["kind"]),
        tags(page, stands),
        page.number(entry["adopters"]),
        member_link(entry["member"]),
    ]


def _named(name: str, version: int) -> Html:
    return el("a", {"href": standard_path(name, version)}, f"{name} {version}")


# A domain


async def domain(page: Page) -> View:
    """Build the page of a domain: what competes in it, and how."""
    name = page.part("domain")
    values = Values(page)
    await values.read(domain_key(name), *described.SHARED_KEYS)
    found = described.domain(values, name)
    names = [(standard_id, version) for standard_id, version in found["standards"]]
    if not names and not found["members"]:
        raise Problem(404, "unknown_domain", page.t("standards.unknown_domain", name=name), values.shown.node)
    await values.read(*(key for one in names for key in keys_of(*one)))
    versions = [one for each in names if (one := version_of(page, values, *each)) is not None]
    versions.sort(key=lambda one: (-one["mean"][0] / one["mean"][1], one["standard"], one["version"]))
    columns = (
        *("standards.standard", "standards.title", "standards.status", "standards.share"),
        *("standards.users", "standards.adopted", "standards.items"),
    )
    rows = [_competing(page, one) for one in versions]
    back = el("p", None, el("a", {"href": NAV.path}, page.t("standards.nav")))
    return page.view(
        name,
        lead(page, name, "standards.domain.lead", back),
        section(page, "standards.domain.about", facts(_about(page, found, versions)), shown=values.shown),
        await _over_time(page, versions),
        section(
            page,
            "standards.competing",
            table(page, "standards.competing", columns, rows, numeric="3 4 5 6"),
            shown=values.shown,
            note="standards.competing.note",
        ),
    )


def _about(page: Page, found: Mapping[str, Any], versions: Sequence[Mapping[str, Any]]) -> list[tuple[str, Child]]:
    rows: list[tuple[str, Child]] = []
    leading = [one for one in versions if one["status"] == "de_facto"]
    words: Child = page.t("standards.none_de_facto")
    if leading:
        words = el("span", None, [el("span", None, _named(one["standard"], one["version"]), " ") for one in leading])
    rows.append((page.t("standards.leading"), words))
    active = {role: count for role, count in found["active"].items() if count}
    said = ", ".join(f"{page.t(f'role.{role}')} {page.number(count)}" for role, count in active.items())
    rows.append((page.t("standards.active"), said or page.t("standards.nobody")))
    rows.append((page.t("standards.items.closed"), page.number(found["items"])))
    if found["period"] is not None:
        rows.append((page.t("standards.reviewed"), period_label(page, found["period"])))
    if versions:
        rows.append((page.t("standards.next"), moment(page, versions[0]["next_review_ms"])))
    return rows


def _competing(page: Page, one: Mapping[str, Any]) -> list[Child]:
    review = one["review"]
    users, adopters = ("–", "–")
    if review is not None:
        active = sum(review["active"].values())
        users = page.t("standards.of", part=sum(review["users"].values()), whole=active)
        adopters = page.number(sum(review["adopters"].values()))
    return [
        _named(one["standard"], one["version"]),
        title_of(page, one["title"]),
        tags(page, one),
        percent(page, one["mean"]) if review is not None and one["measured"] else "–",
        users,
        adopters,
        page.number(review["items"]) if review is not None else "–",
    ]


async def _over_time(page: Page, versions: Sequence[Mapping[str, Any]]) -> Html | None:
    """Return how the shares, the adopters or the volume of what competes changed from period to period."""
    names = [(one["standard"], one["version"]) for one in versions if one["review"] is not None][:COLOURS]
    if not names:
        return section(page, "standards.over_time", empty(page, "standards.no_review"))
    shown = await reviews_of(page, names)
    asked = page.query("figure") or ""
    figure = asked if asked in _FIGURES else _FIGURES[0]
    options = [("" if one == _FIGURES[0] else one, page.t(f"standards.figure.{one}")) for one in _FIGURES]
    made = chart(page, {f"{name} {version}": found for (name, version), found in shown.value.items()}, figure)
    return section(
        page,
        "standards.over_time",
        choices(page, "figure", options, "standards.figure"),
        made,
        shown=shown,
        note=f"standards.figure.{figure}.note",
    )


def chart(page: Page, series: Mapping[str, Sequence[Review]], figure: str) -> Html:
    """Return the lines of several versions by period."""
    periods = sorted({one.period for found in series.values() for one in found})
    if not periods:
        return empty(page, "standards.no_active")
    top = max((_figure(one, figure) for found in series.values() for one in found), default=0) or 1
    top = 1.0 if figure == "share" else float(top)
    lines = []
    for name, found in series.items():
        by_period = {one.period: one for one in found}
        rows = [by_period.get(period) for period in periods]
        lines.append(
            Line(
                name,
                [None if one is None else _figure(one, figure) / top for one in rows],
                ["" if one is None else _written(page, one, figure) for one in rows],
                [one is not None and one.status == "de_facto" for one in rows],
                _href(name),
            )
        )
    labels = [period_label(page, period) for period in periods]
    if figure != "share":
        axis = [page.number(top * tick / 4, 0 if top >= 4 else 1) for tick in range(5)]
        return line_chart(page, "standards.over_time", labels, lines, axis)
    return line_chart(page, "standards.over_time", labels, lines, _AXIS, thresholds(page))


def _href(name: str) -> str:
    standard_id, _, version = name.rpartition(" ")
    return standard_path(standard_id, int(version))


def _figure(one: Review, figure: str) -> float:
    match figure:
        case "share":
            return float(one.share)
        case "adopters":
            return sum(one.adopters.values())
    return one.items


def _written(page: Page, one: Review, figure: str) -> str:
    if figure != "share":
        return page.number(_figure(one, figure))
    return percent(page, one.share.as_integer_ratio())


ROUTES: Final = (
    Route("/standards", standards, NAV.key, lists="standards"),
    Route("/domains/{domain}", domain, NAV.key),
    *standard.ROUTES,
)
