"""One version of a standard: its status and what that rests on, who has taken it up, and what may be done next.

Law: status, figures, adopters and disputes that wait are read from the certified state, the adopters provably all; what
earlier reviews found and what a dispute says are the node's index and sealed as such.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from coseal.console import shapes
from coseal.console.ballot_parts import Values
from coseal.console.html import Child, Html, el, join
from coseal.console.line_chart import Line, line_chart
from coseal.console.nodes import Problem
from coseal.console.page import Done, Page, Route, View
from coseal.console.pages import standard_acts
from coseal.console.parts import (
    empty,
    facts,
    figure,
    figures,
    height_link,
    hexadecimal,
    lead,
    member_link,
    moment,
    notice,
    raw,
    section,
    table,
    tag,
    transaction_link,
    tree,
)
from coseal.console.shown import Shown
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
from coseal.contracts.standards import described, series
from coseal.contracts.standards.disputes import WAITING
from coseal.contracts.standards.lists import DISPUTES
from coseal.contracts.standards.records import MAX_VERSION
from coseal.contracts.standards.state import adopters_key, adoption_key
from coseal.ledger.validators import ROLES

_AXIS: Final = ("0%", "25%", "50%", "75%", "100%")
_DISPUTES_MAX: Final = 50
_SHOWN_ADOPTERS: Final = 256
_TONES: Final = {"open": "wait", "overdue": "bad", "answered": "", "upheld": "bad", "dismissed": ""}
_DISPUTED: Final = shapes.record(
    height=shapes.height,
    next=shapes.maybe(shapes.cursor),
    disputes=shapes.listed(
        shapes.record(
            member=shapes.name,
            number=shapes.integer(),
            ground=shapes.text(32),
            status=shapes.text(32),
            due_ms=shapes.time_ms,
            text=shapes.text(),
            answer=shapes.maybe(shapes.text(), otherwise=""),
        ),
        _DISPUTES_MAX,
    ),
)


async def standard(page: Page) -> View:
    """Build the page of one version."""
    name, number = page.part("standard"), _number(page)
    values, operator = Values(page), page.console.operator
    mine = [] if operator is None else described.keys_of(name, number, operator.member)
    await values.read(*keys_of(name, number), *described.SHARED_KEYS, *mine)
    found = version_of(page, values, name, number)
    if found is None:
        raise Problem(404, "unknown_standard", page.t("standards.unknown", name=f"{name} {number}"), values.shown.node)
    disputes = await page.data.get(DISPUTES.path, _DISPUTED, standard=name, version=number, limit=_DISPUTES_MAX)
    waiting = [one for one in disputes.value["disputes"] if one["status"] in WAITING]
    disputed = join(" ", tag(page.t("standards.disputed"), "bad")) if waiting else None
    under = el("p", None, f"{name} {number} · ", tags(page, found), disputed)
    may = () if operator is None else described.acts(values, name, number, operator.member, page.data.block_ms or 0)
    return page.view(
        f"{name} {number}",
        lead(page, title_of(page, found["title"]), None, under, _links(page, found)),
        _why(page, found, values.shown),
        await _over_time(page, found),
        standard_acts.acts(page, found, may),
        await _adopters(page, found),
        _disputes(page, found, disputes) if disputes.value["disputes"] else None,
        section(page, "standards.says", facts(_about(page, found)), shown=values.shown),
        section(page, "standards.raw", raw(page, _plain(found)), shown=values.shown),
    )


def _number(page: Page) -> int:
    written = page.part("version")
    number = int(written) if written.isascii() and written.isdigit() and len(written) <= 7 else 0
    return min(number, MAX_VERSION)


def _plain(found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name not in ("conditions", "mean", "next_review_ms")}


def _links(page: Page, found: Mapping[str, Any]) -> Html:
    parts: list[Child] = [
        *(page.t("standards.competes"), " "),
        el("a", {"href": domain_path(found["domain"])}, found["domain"]),
    ]
    if "successor" in found:
        name, version = found["successor"]
        parts += [" · ", page.t("standards.follows"), " ", _link(name, version)]
    if found["latest"] > found["version"]:
        parts += [" · ", page.t("standards.latest"), " ", _link(found["standard"], found["latest"])]
    if found["version"] > 1:
        parts += [" · ", page.t("standards.before"), " ", _link(found["standard"], found["version"] - 1)]
    return el("p", None, *parts)


def _link(name: str, version: int) -> Html:
    return el("a", {"href": standard_path(name, version)}, f"{name} {version}")


# Why it has its status


def _why(page: Page, found: Mapping[str, Any], shown: Shown[Any]) -> Html:
    """Return the status, the thresholds and where the version stands, by constituency."""
    review = found["review"]
    sentence = el("p", None, page.t(f"standards.why.{found['status']}"))
    if not found["measured"]:
        return section(page, "standards.why", sentence, notice("", page.t("standards.not_measured")), shown=shown)
    if review is None:
        closes = join(page.t("standards.no_review"), " ", page.t("standards.next"), ": ")
        return section(
            page, "standards.why", sentence, el("p", None, closes, moment(page, found["next_review_ms"])), shown=shown
        )
    met = sum(one["met"] for one in found["conditions"])
    big = figures(
        figure(page.t("standards.share"), percent(page, found["mean"]), tone="good" if met else ""),
        figure(
            page.t("standards.users"),
            page.number(sum(review["users"].values())),
            page.t("standards.of_active", count=sum(review["active"].values())),
        ),
        figure(page.t("standards.adopted"), page.number(sum(review["adopters"].values()))),
        figure(page.t("standards.items"), page.number(review["items"]), page.t("standards.decides_nothing")),
    )
    closed = el(
        "p",
        {"class": "note"},
        *(page.t("standards.reviewed"), " ", period_label(page, review["period"]), " · "),
        page.t("standards.next"),
        ": ",
        moment(page, found["next_review_ms"]),
    )
    return section(
        page, "standards.why", sentence, big, _conditions(page, found), _by_role(page, review), closed, shown=shown
    )


def _conditions(page: Page, found: Mapping[str, Any]) -> Html:
    rows: list[list[Child]] = [
        [
            page.t(f"standards.condition.{one['condition']}"),
            _figure(page, one["needs"]),
            _figure(page, one["has"]),
            tag(page.t("standards.met" if one["met"] else "standards.unmet"), "good" if one["met"] else "wait"),
        ]
        for one in found["conditions"]
    ]
    columns = ("standards.condition", "standards.needs", "standards.has", "standards.holds")
    return table(page, "standards.conditions", columns, rows, numeric="1 2")


def _figure(page: Page, value: Any) -> str:
    return percent(page, value) if isinstance(value, list) else page.number(value)


def _by_role(page: Page, review: Mapping[str, Any]) -> Html:
    """Return who uses a version of who is active, as bars by constituency."""
    rows: list[list[Child]] = []
    for role in ROLES:
        active, users, adopters = (review[name][role] for name in ("active", "users", "adopters"))
        if active or adopters:
            share = percent(page, [users, active]) if active else "–"
            bar = _bar(users, active)
            counts = (page.number(one) for one in (active, users, adopters))
            rows.append([page.t(f"role.{role}"), bar, share, *counts])
    columns = (
        *("members.role", "standards.share", "standards.share.figure"),
        *("standards.active", "standards.users", "standards.adopted"),
    )
    return table(page, "standards.by_role", columns, rows, numeric="2 3 4 5")


def _bar(part: int, whole: int) -> Html:
    width = f"{100 * part / whole:.1f}%" if whole else "0"
    bar = el("rect", {"x": "0", "y": "0", "height": "8", "width": width, "rx": "1", "class": "bar"})
    return el("svg", {"class": "track share", "height": "8", "aria-hidden": "true"}, bar)


async def _over_time(page: Page, found: Mapping[str, Any]) -> Html | None:
    """Return how the shares of the constituencies, and their mean, changed from period to period."""
    if found["review"] is None or not found["measured"]:
        return None
    name = (found["standard"], found["version"])
    shown = await reviews_of(page, [name])
    reviews = shown.value[name]
    if not reviews:
        return section(page, "standards.over_time", empty(page, "standards.no_active"), shown=shown)
    labels = [period_label(page, one.period) for one in reviews]
    lines = [_line(page, page.t("standards.mean"), reviews, None)]
    lines += [
        _line(page, page.t(f"role.{role}"), reviews, role) for role in ROLES if any(one.active[role] for one in reviews)
    ]
    made = line_chart(page, "standards.over_time", labels, lines, _AXIS, thresholds(page))
    return section(page, "standards.over_time", made, shown=shown, note="standards.over_time.note")


def _line(page: Page, name: str, reviews: list[Review], role: str | None) -> Line:
    shares = [_share(one, role) for one in reviews]
    return Line(
        name,
        [None if share is None else share[0] / share[1] for share in shares],
        ["" if share is None else percent(page, share) for share in shares],
        [role is None and one.status == "de_facto" for one in reviews],
    )


def _share(one: Review, role: str | None) -> tuple[int, int] | None:
    if role is None:
        return one.share.as_integer_ratio()
    return (one.users[role], one.active[role]) if one.active[role] else None


# Who has taken it up, and who disputes it


async def _adopters(page: Page, found: Mapping[str, Any]) -> Html:
    """Return everybody who tries or has adopted a version, or did: as many as its record counts."""
    name, number = found["standard"], found["version"]
    values, count = Values(page), min(found["adopters"], _SHOWN_ADOPTERS)
    if not count:
        return section(page, "standards.adopters", empty(page, "standards.no_adopters"))
    pages = [adopters_key(name, number, at) for at in range(series.pages(count))]
    await values.read(*pages)
    members = [member for key in pages for member in series.on_page(values, key)][:count]
    await values.read(*(adoption_key(name, number, member) for member in members))
    rows: list[list[Child]] = []
    for member in members:
        adoption = values.get(adoption_key(name, number, member))
        until_ms = adoption["until_ms"]
        over = until_ms is not None and until_ms <= (page.data.block_ms or 0)
        mode = page.t("standards.mode.ended") if over else page.t(f"standards.mode.{adoption['mode']}")
        rows.append(
            [
                member_link(member),
                tag(mode, "" if over else "good" if adoption["mode"] == "adopted" else "accent"),
                ", ".join(adoption["sources"]) or page.t("standards.all_sources"),
                moment(page, adoption["from_ms"]),
                "–" if until_ms is None else moment(page, until_ms),
            ]
        )
    columns = (
        *("governance.member", "standards.mode", "standards.sources"),
        *("standards.since", "standards.until"),
    )
    made = table(page, "standards.adopters", columns, rows)
    more = found["adopters"] - count
    left = el("p", None, page.t("standards.more", count=page.number(more))) if more else None
    return section(page, "standards.adopters", made, left, shown=values.shown, note="standards.adopters.note")


def _disputes(page: Page, found: Mapping[str, Any], shown: Shown[Any]) -> Html:
    rows: list[list[Child]] = []
    for one in shown.value["disputes"]:
        status = one["status"]
        rows.append(
            [
                member_link(one["member"]),
                page.t_or(f"standards.ground.{one['ground']}", one["ground"]),
                one["text"],
                tag(page.t_or(f"standards.dispute.{status}", status), _TONES.get(status, "")),
                moment(page, one["due_ms"]),
                one["answer"],
            ]
        )
    columns = (
        *("governance.member", "standards.ground", "standards.text", "standards.status"),
        *("standards.due", "standards.answer"),
    )
    made = table(page, "standards.disputes", columns, rows)
    answers = standard_acts.answers(page, found, shown.value["disputes"])
    return section(page, "standards.disputes", made, answers, shown=shown, note="standards.disputes.note")


# What it says


def _about(page: Page, found: Mapping[str, Any]) -> list[tuple[str, Child]]:
    patents = ", ".join(found["patents"]) or page.t("standards.no_patents")
    rows: list[tuple[str, Child]] = [
        (page.t("standards.kind"), page.t_or(f"standards.kind.{found['kind']}", found["kind"])),
        (page.t("standards.content"), tree(found["content"])),
        (page.t("standards.digest"), hexadecimal(page, found["digest"], whole=True)),
        (page.t("standards.by"), member_link(found["member"])),
        (page.t("standards.patents"), patents),
        (page.t("row.id"), transaction_link(page, found["tx"])),
    ]
    if "recognition" in found:
        by = found["recognition"]
        level = page.t_or(f"standards.level.{by['level']}", by["level"])
        instrument = el("a", {"href": f"/policies/{quote(by['instrument'], safe='')}"}, by["instrument"])
        rows.append((page.t("standards.recognition"), join(level, ", ", member_link(by["member"]), ", ", instrument)))
    if "sunset_ms" in found:
        rows.append((page.t("standards.ends"), join(moment(page, found["sunset_ms"]), ": ", found["reason"])))
    steps = [
        el("li", None, status_word(page, status), " · ", moment(page, time_ms), " · ", height_link(page, height))
        for status, height, time_ms in found["history"]
    ]
    rows.append((page.t("standards.history"), el("ol", {"class": "tree"}, steps)))
    return rows


async def act(page: Page, fields: Mapping[str, str]) -> Done:
    """Take a step about a standard with the console's key."""
    return await standard_acts.take(page, page.part("standard"), _number(page), fields)


ROUTES: Final = (Route("/standards/{standard}/{version}", standard, "standards.nav", act=act),)
