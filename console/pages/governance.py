"""Governance: what members propose about validators, members and versions, how they voted, and what came of it.

Law: proposals are read one by one from the certified state, newest first, and beside them the ballots about rules.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from coseal.console.ballot_parts import (
    CONSTITUTION_PATH,
    Standing,
    cast,
    decided_by,
    kind_words,
    standing,
    status_cell,
    status_tag,
    tally_cell,
    vote_form,
    votes,
    whole,
)
from coseal.console.html import Child, Html, el, join
from coseal.console.nodes import Problem
from coseal.console.page import Done, Entry, Page, Route, View
from coseal.console.pages import ballots, constitution, decisions, governance_version
from coseal.console.parts import (
    facts,
    height_link,
    lead,
    member_link,
    moment,
    pager,
    raw,
    section,
    table,
    transaction_link,
    tree,
)
from coseal.console.shown import Shown, joined
from coseal.contracts.governance.state import COUNT_KEY, NAME, number_key, proposal_key, subject_key

NAV: Final = Entry("governance.nav", "/governance")
_PAGE: Final = 25


async def governance(page: Page) -> View:
    """Build the list of proposals: newest first, paged by number."""
    count = await page.data.state(COUNT_KEY)
    newest = int(count.value or 0)
    upper = page.query_integer("to", low=1, high=max(1, newest)) or newest
    numbers = range(upper, max(0, upper - _PAGE), -1)
    ids = await asyncio.gather(*(page.data.state(number_key(number)) for number in numbers))
    shown = await asyncio.gather(*(page.data.state(proposal_key(one.value)) for one in ids))
    found = [(str(name.value), one.value) for name, one in zip(ids, shown, strict=True) if one.value]
    stand = await asyncio.gather(*(standing(page, NAME, *each) for each in found))
    rows = [_row(page, one) for one in stand]
    links = pager(
        page,
        newer=page.link("/governance", to=min(newest, upper + _PAGE)) if upper < newest else None,
        older=page.link("/governance", to=upper - _PAGE) if upper > _PAGE else None,
        middle=page.t("governance.count", count=page.number(newest)),
    )
    columns = (
        "governance.id",
        "governance.kind",
        "governance.proposer",
        "constitution.track",
        "governance.votes",
        "governance.status",
        "governance.closes",
    )
    listed = table(page, "governance.list", columns, rows)
    title = page.t("governance.nav")
    proven = joined(count, *shown, *(one.shown for one in stand))
    return page.view(
        title,
        lead(page, title, "governance.lead", _by_what(page)),
        await governance_version.coming(page),
        section(
            page,
            "governance.list",
            listed,
            links if newest else None,
            shown=proven,
        ),
        await ballots.latest(page),
    )


def _by_what(page: Page) -> Html:
    return el("p", None, el("a", {"href": CONSTITUTION_PATH}, page.t("constitution.link")))


def _row(page: Page, stands: Standing) -> list[Child]:
    record = stands.record
    return [
        el("a", {"href": _link(stands.name)}, stands.name),
        kind_words(page, record["kind"]),
        member_link(record["proposer"]),
        stands.rule["name"],
        tally_cell(page, stands),
        status_cell(page, stands),
        moment(page, record["closes_ms"]),
    ]


def _link(name: str) -> str:
    return f"/governance/{quote(name, safe='')}"


async def proposal(page: Page) -> View:
    """Build the page of one proposal."""
    name = page.part("id")
    shown, subject = await asyncio.gather(page.data.state(proposal_key(name)), page.data.state(subject_key(name)))
    record = shown.value
    if record is None:
        raise Problem(404, "unknown_proposal", page.t("governance.unknown", name=name), shown.node)
    stands = await whole(page, NAME, name, record)
    about: list[tuple[str, Child]] = [
        (page.t("governance.status"), status_tag(page, record["status"])),
        (page.t("governance.proposer"), member_link(record["proposer"])),
        (page.t("governance.opened"), moment(page, record["opened_ms"])),
        *decided_by(page, stands),
        (page.t("row.block"), height_link(page, record["height"])),
        (page.t("row.id"), transaction_link(page, record["tx"])),
    ]
    if record.get("reason"):
        about.append((page.t("governance.reason"), record["reason"]))
    if "concerned" in record:
        about.append((page.t("governance.concerned"), member_link(record["concerned"])))
    if "appeal" in record:
        height, _, why, _ = record["appeal"]
        about.append((page.t("governance.appeal"), join(why, " · ", height_link(page, height))))
    return page.view(
        name,
        lead(page, kind_words(page, record["kind"]), "governance.one.lead"),
        section(page, "governance.about", facts(about), shown=shown),
        _subject(page, record["kind"], subject),
        await _software(page, record, subject.value),
        votes(page, stands),
        decisions.link(page, _link(name), record),
        vote_form(page, stands, _link(name)),
        section(page, "governance.outcome", tree(record["outcome"]), shown=shown) if record.get("outcome") else None,
        section(page, "governance.raw", raw(page, record), shown=shown),
    )


def _subject(page: Page, kind: str, subject: Shown[Any]) -> Html:
    """Return what would change; another constitution as the table of its tracks."""
    if kind == "amend_constitution":
        return constitution.tracks(page, subject.value["document"], subject)
    return section(page, "governance.subject", tree(subject.value), shown=subject)


async def _software(page: Page, record: dict[str, Any], subject: Mapping[str, Any]) -> Html | None:
    """Return which validators have a version that is voted on; what is accepted is on the page of all proposals."""
    if record["kind"] != "protocol_version" or record["status"] != "open":
        return None
    return await governance_version.proposed(page, subject["version"])


async def vote(page: Page, fields: Mapping[str, str]) -> Done:
    """Cast a vote with the console's key."""
    name = page.part("id")
    return await cast(page, "governance", name, _link(name), fields)


ROUTES: Final = (
    Route("/governance", governance, "governance.nav"),
    Route("/governance/{id}", proposal, "governance.nav", act=vote),
    *ballots.ROUTES,
    *decisions.ROUTES,
    *constitution.ROUTES,
)
