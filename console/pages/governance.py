"""Governance: what members propose about validators, members and rules, how they voted, and what came of it.

Law: proposals are read one by one from the certified state, newest first; a vote is cast only with the console's key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from console.html import Child, Html, el
from console.nodes import Problem
from console.page import Done, Entry, Page, Route, View
from console.pages import governance_version
from console.parts import (
    facts,
    field,
    form,
    height_link,
    lead,
    member_link,
    moment,
    pager,
    raw,
    section,
    select,
    table,
    tag,
    transaction_link,
    tree,
)
from console.shown import Shown, joined

NAV: Final = Entry("governance.nav", "/governance")
_PAGE: Final = 25
_TONES: Final = {"open": "wait", "accepted": "good", "rejected": "bad", "expired": "", "void": "bad"}


async def governance(page: Page) -> View:
    """Build the list of proposals: newest first, paged by number."""
    count = await page.data.state("governance/count")
    newest = int(count.value or 0)
    upper = page.query_integer("to", low=1, high=max(1, newest)) or newest
    numbers = range(upper, max(0, upper - _PAGE), -1)
    ids = await asyncio.gather(*(page.data.state(f"governance/number/{number}") for number in numbers))
    shown = await asyncio.gather(*(page.data.state(f"governance/proposal/{one.value}") for one in ids))
    rows = [_row(page, str(name.value), one.value) for name, one in zip(ids, shown, strict=True) if one.value]
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
        lead(
            page,
            title,
            "governance.lead",
            el("p", None, el("a", {"href": "/supervision/rules"}, page.t("governance.rules"))),
        ),
        await governance_version.coming(page),
        section(page, "governance.list", listed, links if newest else None, shown=joined(count, *shown)),
    )


def _row(page: Page, name: str, record: dict[str, Any]) -> list[Child]:
    votes = [vote[0] for vote in record["votes"].values()]
    counted = page.t("governance.tally", yes=votes.count("yes"), no=votes.count("no"))
    return [
        el("a", {"href": _link(name)}, name),
        _kind(page, record),
        member_link(record["proposer"]),
        counted,
        _status(page, record),
        moment(page, record["closes_ms"]),
    ]


def _link(name: str) -> str:
    return f"/governance/{quote(name, safe='')}"


def _kind(page: Page, record: dict[str, Any]) -> str:
    return page.t_or(f"governance.kind.{record['kind']}", record["kind"])


def _status(page: Page, record: dict[str, Any]) -> Html:
    status = record["status"]
    return tag(page.t_or(f"governance.status.{status}", status), _TONES.get(status, ""))


async def proposal(page: Page) -> View:
    """Build the page of one proposal."""
    name = page.part("id")
    shown = await page.data.state(f"governance/proposal/{name}")
    record = shown.value
    if record is None:
        raise Problem(404, "unknown_proposal", page.t("governance.unknown", name=name), shown.node)
    about: list[tuple[str, Child]] = [
        (page.t("governance.status"), _status(page, record)),
        (page.t("governance.proposer"), member_link(record["proposer"])),
        (page.t("governance.opened"), moment(page, record["opened_ms"])),
        (page.t("governance.closes"), moment(page, record["closes_ms"])),
        (page.t("row.block"), height_link(page, record["height"])),
        (page.t("row.id"), transaction_link(page, record["tx"])),
    ]
    if record.get("reason"):
        about.append((page.t("governance.reason"), record["reason"]))
    return page.view(
        name,
        lead(page, _kind(page, record), "governance.one.lead"),
        section(page, "governance.about", facts(about), shown=shown),
        section(page, "governance.subject", tree(record["subject"]), shown=shown),
        await _software(page, record),
        await _votes(page, record, shown),
        _vote_form(page, name, record),
        section(page, "governance.outcome", tree(record["outcome"]), shown=shown) if record.get("outcome") else None,
        section(page, "governance.raw", raw(page, record), shown=shown),
    )


async def _software(page: Page, record: dict[str, Any]) -> Html | None:
    """Return which validators have a version that is voted on; what is accepted is on the page of all proposals."""
    if record["kind"] != "protocol_version" or record["status"] != "open":
        return None
    return await governance_version.proposed(page, record["subject"]["version"])


async def _votes(page: Page, record: dict[str, Any], shown: Shown[Any]) -> Html:
    """Return the votes with their reasons, and who has not voted yet."""
    tally = record.get("tally") or await _tally(page, record)
    electorate: list[str] = tally["electorate"]
    rows: list[list[Child]] = []
    for member, (choice, height, tx) in sorted(record["votes"].items()):
        tone = "good" if choice == "yes" else "bad"
        word = tag(page.t_or(f"governance.choice.{choice}", choice), tone)
        rows.append(
            [
                member_link(member),
                word,
                record["reasons"].get(member, ""),
                height_link(page, height),
                transaction_link(page, tx),
            ]
        )
    for member in electorate:
        if member not in record["votes"]:
            rows.append([member_link(member), page.t("governance.not_voted"), "", "", ""])
    columns = ("governance.member", "governance.choice", "governance.reason", "row.block", "row.id")
    stands = page.t("governance.stands", yes=tally["yes"], no=tally["no"], needed=tally["needed"], all=len(electorate))
    made = table(page, "governance.votes", columns, rows)
    return section(page, "governance.votes", el("p", None, stands), made, shown=shown)


async def _tally(page: Page, record: dict[str, Any]) -> dict[str, Any]:
    """Return how an open proposal stands: the members that run validators have a vote, each once."""
    current = await page.data.state("membership/validators")
    electorate = sorted({row[1] for row in current.value[1]})
    choices = [vote[0] for member, vote in record["votes"].items() if member in electorate]
    needed = 2 * len(electorate) // 3 + 1
    return {"yes": choices.count("yes"), "no": choices.count("no"), "needed": needed, "electorate": electorate}


def _vote_form(page: Page, name: str, record: dict[str, Any]) -> Html | None:
    desk = page.console.desk
    if desk is None or not page.may_act or record["status"] != "open" or desk.member in record["votes"]:
        return None
    options = [(choice, page.t(f"governance.choice.{choice}")) for choice in ("yes", "no")]
    fields = (
        select(page.t("governance.choice"), "choice", options),
        field(page.t("governance.reason"), "reason", rows=2, limit=1_000),
    )
    made = form(page, "governance.vote", *fields, action=_link(name))
    return section(page, "governance.your_vote", made, note="governance.your_vote.note")


async def vote(page: Page, fields: Mapping[str, str]) -> Done:
    """Cast a vote with the console's key."""
    name = page.part("id")
    desk = page.console.desk
    if desk is None:
        return Done(page.t("state.forbidden"), _link(name), ok=False)
    args = {"ballot": name, "choice": fields.get("choice", "")}
    if fields.get("reason", "").strip():
        args["reason"] = fields["reason"].strip()
    shown = await desk.submit(page.console.reader, "governance", "vote", args)
    receipt = shown.value["receipt"]
    words = page.t("governance.voted") if receipt["ok"] else f"{receipt['code']}: {receipt['detail']}"
    return Done(words, _link(name), ok=receipt["ok"])


ROUTES: Final = (
    Route("/governance", governance, "governance.nav"),
    Route("/governance/{id}", proposal, "governance.nav", act=vote),
)
