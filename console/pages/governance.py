"""Governance: what members propose about validators, members and versions, how they voted, and what came of it.

Law: proposals are read one by one from the certified state, newest first, and beside them the ballots about rules.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from coseal.console.ballot_parts import (
    cast,
    closing,
    electorate,
    kind_words,
    status_cell,
    status_tag,
    tally_cell,
    vote_form,
    votes,
)
from coseal.console.html import Child, Html, el
from coseal.console.nodes import Problem
from coseal.console.page import Done, Entry, Page, Route, View
from coseal.console.pages import ballots, governance_version
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
from coseal.console.shown import joined
from coseal.contracts.governance.state import COUNT_KEY, number_key, proposal_key

NAV: Final = Entry("governance.nav", "/governance")
_PAGE: Final = 25


async def governance(page: Page) -> View:
    """Build the list of proposals: newest first, paged by number."""
    count, members = await asyncio.gather(page.data.state(COUNT_KEY), electorate(page))
    newest = int(count.value or 0)
    upper = page.query_integer("to", low=1, high=max(1, newest)) or newest
    numbers = range(upper, max(0, upper - _PAGE), -1)
    ids = await asyncio.gather(*(page.data.state(number_key(number)) for number in numbers))
    shown = await asyncio.gather(*(page.data.state(proposal_key(one.value)) for one in ids))
    rows = [_row(page, str(name.value), one.value, members) for name, one in zip(ids, shown, strict=True) if one.value]
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
        "governance.votes",
        "governance.status",
        "governance.closes",
    )
    listed = table(page, "governance.list", columns, rows)
    title = page.t("governance.nav")
    return page.view(
        title,
        lead(page, title, "governance.lead"),
        await governance_version.coming(page),
        section(page, "governance.list", listed, links if newest else None, shown=joined(count, *shown)),
        await ballots.latest(page, members),
    )


def _row(page: Page, name: str, record: dict[str, Any], members: list[str]) -> list[Child]:
    return [
        el("a", {"href": _link(name)}, name),
        kind_words(page, record["kind"]),
        member_link(record["proposer"]),
        tally_cell(page, record, members),
        status_cell(page, record, members),
        moment(page, record["closes_ms"]),
    ]


def _link(name: str) -> str:
    return f"/governance/{quote(name, safe='')}"


async def proposal(page: Page) -> View:
    """Build the page of one proposal."""
    name = page.part("id")
    shown, members = await asyncio.gather(page.data.state(proposal_key(name)), electorate(page))
    record = shown.value
    if record is None:
        raise Problem(404, "unknown_proposal", page.t("governance.unknown", name=name), shown.node)
    about: list[tuple[str, Child]] = [
        (page.t("governance.status"), status_tag(page, record["status"])),
        (page.t("governance.proposer"), member_link(record["proposer"])),
        (page.t("governance.opened"), moment(page, record["opened_ms"])),
        (page.t("governance.closes"), closing(page, record)),
        (page.t("row.block"), height_link(page, record["height"])),
        (page.t("row.id"), transaction_link(page, record["tx"])),
    ]
    if record.get("reason"):
        about.append((page.t("governance.reason"), record["reason"]))
    return page.view(
        name,
        lead(page, kind_words(page, record["kind"]), "governance.one.lead"),
        section(page, "governance.about", facts(about), shown=shown),
        section(page, "governance.subject", tree(record["subject"]), shown=shown),
        await _software(page, record),
        votes(page, record, members, shown),
        vote_form(page, record, members, _link(name)),
        section(page, "governance.outcome", tree(record["outcome"]), shown=shown) if record.get("outcome") else None,
        section(page, "governance.raw", raw(page, record), shown=shown),
    )


async def _software(page: Page, record: dict[str, Any]) -> Html | None:
    """Return which validators have a version that is voted on; what is accepted is on the page of all proposals."""
    if record["kind"] != "protocol_version" or record["status"] != "open":
        return None
    return await governance_version.proposed(page, record["subject"]["version"])


async def vote(page: Page, fields: Mapping[str, str]) -> Done:
    """Cast a vote with the console's key."""
    name = page.part("id")
    return await cast(page, "governance", name, _link(name), fields)


ROUTES: Final = (
    Route("/governance", governance, "governance.nav"),
    Route("/governance/{id}", proposal, "governance.nav", act=vote),
    *ballots.ROUTES,
)
