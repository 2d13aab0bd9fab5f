"""The credit dossier of a member: what formulas say, figures with the lists behind them, and who recorded reading it.

Law: all of it is one document that this console verified as a whole; only which formulas there are is the node's word.
A node shows it to its own member, and to others once they recorded why (contracts/credit/README.md, C10).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from coseal.client.dossiers import ProvenDossier
from coseal.console import dossier_parts, shapes
from coseal.console.ballot_parts import Values
from coseal.console.dossier_parts import PATH, dossier_path
from coseal.console.html import Child, Html, el
from coseal.console.nodes import Problem
from coseal.console.page import Done, Page, Route, View
from coseal.console.pages import dossier_acts
from coseal.console.parts import (
    choices,
    empty,
    lead,
    member_link,
    moment,
    notice,
    search,
    section,
    table,
)
from coseal.console.shown import Shown
from coseal.contracts.credit.consulting import CONSULTED_MS
from coseal.contracts.credit.dossier import MAX_FORMULAS, MAX_MONTHS, Question
from coseal.contracts.credit.formula import MAX_WINDOW_MONTHS
from coseal.contracts.credit.lists import FORMULAS
from coseal.contracts.credit.state import consulted_key
from coseal.contracts.membership.state import MEMBERS_KEY

_NAV: Final = "trade.nav"
_YEAR: Final = 12
_FORMULAS_MAX: Final = 1_000
_LISTED: Final = shapes.record(
    height=shapes.height,
    credit_formulas=shapes.listed(
        shapes.record(
            formula=shapes.name,
            version=shapes.integer(low=1),
            window_months=shapes.integer(low=1, high=MAX_WINDOW_MONTHS),
        )
    ),
)


def find(page: Page) -> Html:
    """Return the field that leads to the dossier of a member."""
    return section(page, "credit.find", search(page, "member", "credit.member", action=PATH), note="credit.find.note")


async def named(page: Page) -> View:
    """Lead to the dossier of the member that was asked for."""
    member = (page.query("member") or "").strip()
    return page.to(dossier_path(member) if member else "/trade")


async def dossier(page: Page) -> View:
    """Build the page of a member's dossier."""
    member = page.part("id")
    title = page.t("credit.title", member=member)
    head = lead(page, title, "credit.lead", el("p", None, member_link(member)))
    try:
        shown = await _asked(page)
    except Problem as problem:
        if problem.code not in ("consult_first", "unauthenticated", "too_many_rows"):
            raise
        return page.view(title, head, _why_not(page, problem), await dossier_acts.consult(page, member, problem.code))
    made = shown.value
    steps = await dossier_acts.steps_of(page, member)
    file: dict[str, str | int | bool | None] = {"href": page.link(f"{dossier_path(member)}/file", **_months(page))}
    return page.view(
        title,
        head,
        await dossier_acts.form_of(page, made),
        section(
            page,
            "credit.formulas",
            _spans(page),
            dossier_parts.formulas(page, made.ground),
            shown=shown,
            note="credit.formulas.note",
        ),
        section(
            page,
            "credit.figures",
            dossier_parts.figures(page, made),
            *dossier_parts.lists(page, made, steps),
            el("p", None, el("a", {**file, "download": True}, page.t("credit.file"))),
            aside=page.t("credit.between", first=made.facts["first"], last=made.facts["last"]),
            shown=shown,
            note="credit.figures.note",
        ),
        await _readers(page, member),
    )


async def _asked(page: Page) -> Shown[ProvenDossier]:
    months = page.query_integer("months", low=1, high=MAX_MONTHS) or MAX_MONTHS
    question = Question(page.part("id"), months, await _formulas(page, months))
    return await page.data.reader.dossier(question)


async def _formulas(page: Page, months: int) -> tuple[str, ...]:
    """Return the formulas that a node lists and whose newest version, listed last, looks at no more months."""
    shown = await page.data.said(FORMULAS.path, _LISTED, limit=_FORMULAS_MAX)
    listed = [] if shown is None else shown.value["credit_formulas"]
    windows: Mapping[str, int] = {one["formula"]: one["window_months"] for one in listed}
    return tuple(name for name, window in windows.items() if window <= months)[:MAX_FORMULAS]


def _months(page: Page) -> dict[str, int | None]:
    return {"months": page.query_integer("months", low=1, high=MAX_MONTHS)}


def _spans(page: Page) -> Html:
    """Return the choice of how many months are looked at."""
    some = [(str(count), page.t("credit.months.some", count=count)) for count in (_YEAR, MAX_WINDOW_MONTHS)]
    return choices(page, "months", [("", page.t("credit.months.all")), *some], "credit.months")


def _why_not(page: Page, problem: Problem) -> Html:
    if problem.code == "consult_first":
        return notice("wait", page.t("credit.consult_first"))
    if problem.code == "too_many_rows":
        return notice("wait", el("p", None, page.t("credit.too_much")), _spans(page))
    return notice("", page.t("credit.for_members"))


async def _readers(page: Page, member: str) -> Html:
    """Return which members recorded that they read the dossier; every member is asked for, so it is all of them."""
    values = Values(page)
    await values.read(MEMBERS_KEY)
    others = {one: consulted_key(member, one) for one in values.get(MEMBERS_KEY) or () if one != member}
    await values.read_many(list(others.values()))
    read_ms = {one: values.get(key) for one, key in others.items() if values.get(key) is not None}
    rows: list[list[Child]] = [
        [member_link(one), moment(page, at_ms), moment(page, at_ms + CONSULTED_MS)]
        for one, at_ms in sorted(read_ms.items(), key=lambda each: (-each[1], each[0]))
    ]
    columns = ("credit.reader", "credit.recorded", "credit.reads_until")
    body = table(page, "credit.readers", columns, rows) if rows else empty(page, "credit.no_readers")
    return section(page, "credit.readers", body, shown=values.shown, note="credit.readers.note")


async def file(page: Page) -> View:
    """Build the file of a dossier, which ``coseal verify`` checks."""
    made = (await _asked(page)).value
    return page.file(f"coseal-dossier-{page.part('id')}.json", json.dumps(made.document, ensure_ascii=False) + "\n")


async def act(page: Page, fields: Mapping[str, str]) -> Done:
    """Answer a form of the page."""
    return await dossier_acts.take(page, page.part("id"), fields)


ROUTES: Final = (
    Route(PATH, named, _NAV),
    Route(f"{PATH}/{{id}}", dossier, _NAV, act=act),
    Route(f"{PATH}/{{id}}/file", file, _NAV),
)
