"""All accesses to what a member sealed: every step of its log, proven here to be all, or why they are refused.

Law: entries are shown only if they lead to the head that the certified state has, and are as many; this is what
``coseal disclosure log`` verifies. Nothing is shown of a list that does not hold.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from coseal.audit.access import Access
from coseal.console.ballot_parts import Values
from coseal.console.html import Child, Html, el
from coseal.console.nodes import Problem
from coseal.console.page import Page, Route, View
from coseal.console.parts import (
    choices,
    empty,
    height_link,
    lead,
    member_link,
    moment,
    notice,
    pager,
    section,
    select,
    table,
)
from coseal.console.vault_parts import (
    ACCESSES,
    NAV,
    Accesses,
    accesses_of,
    step_tag,
    subject,
    tabs,
    vault_link,
)
from coseal.contracts.membership.state import MEMBERS_KEY

_PAGE: Final = 50


async def whose(page: Page) -> View:
    """Lead to the accesses of the member that was asked for, else those of the member of this console's key."""
    operator = page.console.operator
    member = (page.query("member") or "").strip() or ("" if operator is None else operator.member)
    if member:
        return page.to(f"{ACCESSES}/{quote(member, safe='')}")
    title = page.t("disclosure.accesses")
    head = lead(page, title, "disclosure.accesses.lead", tabs(page, ACCESSES))
    return page.view(title, head, await _choice(page, ""))


async def _choice(page: Page, member: str) -> Html:
    """Return the choice of whose accesses are shown."""
    values = Values(page)
    await values.read(MEMBERS_KEY)
    options = [(one, one) for one in values.get(MEMBERS_KEY) or ()]
    field = select(page.t("disclosure.member"), "member", options, member)
    button = el("button", {"type": "submit"}, page.t("disclosure.accesses.show"))
    form = el("form", {"method": "get", "action": ACCESSES, "class": "search"}, field, button)
    return section(page, "disclosure.accesses.whose", form, shown=values.shown)


async def accesses(page: Page) -> View:
    """Build the page of all accesses to what a member sealed."""
    owner = page.part("owner")
    title = page.t("disclosure.accesses.of", member=owner)
    found = await accesses_of(page, owner)
    return page.view(
        title,
        lead(page, title, "disclosure.accesses.lead", tabs(page, ACCESSES), el("p", None, member_link(owner))),
        _refused(page, found) if found.shown is None else _proven(page, owner, found),
        await _choice(page, owner),
    )


def _refused(page: Page, found: Accesses) -> Html:
    """Return why no accesses are shown."""
    why = notice("bad" if found.failed else "wait", page.t(found.missing), " ", found.detail)
    return section(page, "disclosure.accesses.list", why, shown=found.failed)


def _proven(page: Page, owner: str, found: Accesses) -> Html:
    entries = found.entries
    step = page.query("step")
    chosen = [one for one in reversed(entries) if not step or one.step == step]
    start = page.query_integer("skip", high=len(chosen)) or 0
    here = chosen[start : start + page.rows(_PAGE)]
    said = page.t("disclosure.accesses.all", count=page.number(len(entries)), member=owner)
    file: dict[str, str | int | bool | None] = {"href": f"{page.path}/file", "download": True}
    columns = (
        *("disclosure.entry", "disclosure.step", "disclosure.vault", "disclosure.subject", "disclosure.block"),
        "disclosure.when",
    )
    rows = [_row(page, owner, one) for one in here]
    links = pager(
        page,
        newer=page.link(skip=max(0, start - _PAGE)) if start else None,
        older=page.link(skip=start + _PAGE) if start + _PAGE < len(chosen) else None,
    )
    return section(
        page,
        "disclosure.accesses.list",
        notice("good", said),
        _steps(page, entries),
        table(page, "disclosure.accesses.list", columns, rows, numeric="0") if rows else empty(page),
        links if len(chosen) > len(here) else None,
        el("p", None, el("a", file, page.t("disclosure.accesses.file"))),
        shown=found.shown,
        note="disclosure.accesses.note",
    )


def _steps(page: Page, entries: Sequence[Access]) -> Html | None:
    """Return the choice of one kind of step, each with how many there are."""
    counts = Counter(one.step for one in entries)
    if len(counts) < 2:
        return None
    options = [
        (step, page.t("disclosure.step.count", step=page.t_or(f"disclosure.step.{step}", step), count=counts[step]))
        for step in sorted(counts)
    ]
    return choices(page, "step", [("", page.t("disclosure.all")), *options], "disclosure.step")


def _row(page: Page, owner: str, one: Access) -> list[Child]:
    recent = page.data.light.recent
    place = one.height - recent[0].height if recent else -1
    return [
        page.number(one.number),
        step_tag(page, one.step),
        vault_link(owner, one.vault),
        subject(page, one),
        height_link(page, one.height),
        moment(page, recent[place].time_ms) if 0 <= place < len(recent) else "",
    ]


async def file(page: Page) -> View:
    """Build the file of all accesses, which ``coseal verify`` checks."""
    owner = page.part("owner")
    found = await accesses_of(page, owner)
    if found.shown is None:
        raise Problem(404, "not_given", f"{page.t(found.missing)} {found.detail}", "")
    return page.file(f"coseal-accesses-{owner}.json", json.dumps(found.shown.value.document, ensure_ascii=False) + "\n")


ROUTES: Final = (
    Route(ACCESSES, whose, NAV),
    Route(f"{ACCESSES}/{{owner}}", accesses, NAV),
    Route(f"{ACCESSES}/{{owner}}/file", file, NAV),
)
