"""Ballots about rules and terms: what is proposed, what it would replace, what a trial found, who voted and why.

Law: each ballot, set, rule and vote is read from the certified state, and rules that were proposed again since then
from the signed transaction that proposed them; only a list that is filtered is the node's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from coseal.console.ballot_parts import (
    Standing,
    cast,
    decided_by,
    kind_words,
    standing,
    status_cell,
    tally_cell,
    vote_form,
    votes,
    whole,
)
from coseal.console.ballot_parts import status_tag as ballot_status
from coseal.console.documents import BALLOTS
from coseal.console.html import Child, Html, el, join
from coseal.console.nodes import Problem
from coseal.console.page import Done, Page, Route, View
from coseal.console.pages import decisions
from coseal.console.pages.ballot_rules import ended, proposed, trial
from coseal.console.pages.rules import status_tag
from coseal.console.parts import (
    choices,
    cursor_pager,
    due,
    facts,
    height_link,
    lead,
    member_link,
    moment,
    raw,
    seal,
    section,
    table,
    transaction_link,
)
from coseal.console.shown import Shown, joined
from coseal.contracts.governance.ballot import OPEN
from coseal.contracts.supervision.state import NAME, TERMS_KEY, ballot_key, counter_key, set_key, subject_key
from coseal.contracts.supervision.terms import TERMS

_PAGE: Final = 25
_LATEST: Final = 10
_NAMED: Final = 3
_STATUSES: Final = ("open", "passed", "accepted", "rejected", "expired", "failed")
_COLUMNS: Final = (
    "ballot.id",
    "governance.kind",
    "governance.proposer",
    "governance.votes",
    "governance.status",
    "governance.closes",
)


def ballot_path(name: str) -> str:
    """Return the path of a ballot's page."""
    return f"/ballots/{quote(name, safe='')}"


# Lists


async def latest(page: Page) -> Html:
    """Return the newest ballots, all of them proven, with a link to the others."""
    count = await page.data.state(counter_key("ballot"))
    newest = int(count.value or 0)
    names = [f"B{number}" for number in range(newest, max(0, newest - _LATEST), -1)]
    rows, shown = await _rows(page, names)
    more = el("p", None, el("a", {"href": "/ballots"}, page.t("ballot.all", count=page.number(newest))))
    listed = table(page, "ballot.list", _COLUMNS, rows)
    return section(page, "ballot.list", listed, more if newest else None, shown=joined(count, *shown))


async def ballots(page: Page) -> View:
    """Build the list of ballots, newest first, of one status if wanted."""
    status = page.query("status")
    status = status if status in _STATUSES else None
    wanted: dict[str, Any] = {"status": status, "order": "newest", "limit": _PAGE, "cursor": page.query("cursor")}
    listed = await page.data.get("/v1/ballots", BALLOTS, **wanted)
    rows, shown = await _rows(page, [one["id"] for one in listed.value["ballots"]], sealed=True)
    options = [("", page.t("supervision.any")), *((one, page.t(f"governance.status.{one}")) for one in _STATUSES)]
    title = page.t("ballot.list")
    made = (
        choices(page, "status", options, "governance.status"),
        table(page, "ballot.list", _COLUMNS, rows),
        cursor_pager(page, listed.value["next"]),
    )
    back = el("p", None, el("a", {"href": "/governance"}, page.t("governance.nav")))
    return page.view(
        title,
        lead(page, title, "ballot.lead", back),
        section(page, "ballot.list", *made, shown=joined(listed, *shown)),
    )


async def _rows(
    page: Page, names: Sequence[str], *, sealed: bool = False
) -> tuple[list[list[Child]], list[Shown[Any]]]:
    """Return ballots as rows, all of it from the certified state, and what they were made of."""
    shown = await asyncio.gather(*(_read(page, name) for name in names))
    found = [(name, one) for name, one in zip(names, shown, strict=True) if one.value is not None]
    sets = await asyncio.gather(*(_set_of(page, one.value) for _, one in found))
    stand = await asyncio.gather(*(standing(page, NAME, name, one.value) for name, one in found))
    rows: list[list[Child]] = [
        [
            join(el("a", {"href": ballot_path(name)}, name), " ", seal(page, one, small=True) if sealed else None),
            _what(page, one.value, None if about is None else about.value),
            member_link(one.value["proposer"]),
            tally_cell(page, stands),
            status_cell(page, stands),
            moment(page, one.value["closes_ms"]),
        ]
        for (name, one), about, stands in zip(found, sets, stand, strict=True)
    ]
    return rows, [*shown, *(about for about in sets if about is not None), *(stands.shown for stands in stand)]


async def _read(page: Page, name: str) -> Shown[Any]:
    """Return a ballot with its ``subject``, no value if there is none."""
    ballot, subject = await asyncio.gather(page.data.state(ballot_key(name)), page.data.state(subject_key(name)))
    if ballot.value is None:
        return ballot
    return joined(ballot, subject).of({**ballot.value, "subject": subject.value})


async def _set_of(page: Page, record: Mapping[str, Any]) -> Shown[Any] | None:
    """Return the rule set that a ballot is about, None if it is about something else."""
    subject = record["subject"]
    return await page.data.state(set_key(subject["set"])) if "set" in subject else None


def _what(page: Page, record: Mapping[str, Any], about: Mapping[str, Any] | None) -> Html:
    """Return what a ballot decides, and about what."""
    words = [word for word in (_title(page, record, about), _process_type(record, about)) if word]
    more = el("span", {"class": "faint"}, "".join(f" · {word}" for word in words))
    return el("span", None, _kind(page, record, about), more)


def _title(page: Page, record: Mapping[str, Any], about: Mapping[str, Any] | None) -> str:
    """Return the title of what a ballot is about, else the names of the first things in it."""
    title = page.title_of(record) or page.title_of(about)
    if title:
        return title
    if about is not None:
        names = [name for name, _ in about["rules"]]
    elif record["kind"] == "terms":
        names = [page.t(f"supervision.step.{step}") for step in record["subject"]["terms"]]
    else:
        names = record["subject"]["rules"]
    return ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")


def _process_type(record: Mapping[str, Any], about: Mapping[str, Any] | None) -> str:
    return str((about or record["subject"]).get("process_type", ""))


def _kind(page: Page, record: Mapping[str, Any], about: Mapping[str, Any] | None) -> str:
    on_trial = record["kind"] == "rules" and "trial_ms" in (about or {})
    return kind_words(page, "trial" if on_trial else record["kind"])


# One


async def ballot(page: Page) -> View:
    """Build the page of one ballot."""
    name = page.part("id")
    shown = await _read(page, name)
    record = shown.value
    if record is None:
        raise Problem(404, "unknown_ballot", page.t("ballot.unknown", name=name), shown.node)
    found = await _set_of(page, record)
    stands = await whole(page, NAME, name, record)
    about = None if found is None else found.value
    under = el("p", None, f"{name} · {_title(page, record, about)} ", ballot_status(page, record["status"]))
    return page.view(
        name,
        lead(page, _kind(page, record, about), None, under),
        section(page, "governance.about", facts(_about(page, stands, about)), shown=shown),
        await _subject(page, record, found, shown),
        await trial(page, record),
        votes(page, stands),
        decisions.link(page, ballot_path(name), record),
        vote_form(page, stands, ballot_path(name)),
        section(page, "governance.raw", raw(page, record), shown=shown),
    )


def _about(page: Page, stands: Standing, about: Mapping[str, Any] | None) -> list[tuple[str, Child]]:
    rows: list[tuple[str, Child]] = []
    record = stands.record
    process_type = _process_type(record, about)
    if process_type:
        link = el("a", {"href": f"/processes/{quote(process_type, safe='')}"}, process_type)
        rows.append((page.t("processes.type"), link))
    rows += [
        (page.t("governance.proposer"), member_link(record["proposer"])),
        (page.t("governance.opened"), moment(page, record["opened_ms"])),
    ]
    if record["not_before_ms"]:
        at = record["not_before_ms"]
        when = join(due(page, at), " (", page.time(at), ")") if record["status"] == OPEN else moment(page, at)
        rows.append((page.t("ballot.not_before"), when))
    rows += decided_by(page, stands)
    if "failure" in record:
        rows.append((page.t("ballot.failure"), _refusal(page, *record["failure"])))
    rows += [
        (page.t("row.block"), height_link(page, record["height"])),
        (page.t("row.id"), transaction_link(page, record["tx"])),
    ]
    if record.get("reason"):
        rows.append((page.t("governance.reason"), record["reason"]))
    return rows + (_set_facts(page, stands.name, record, about) if about else [])


def _set_facts(page: Page, name: str, record: Mapping[str, Any], about: Mapping[str, Any]) -> list[tuple[str, Child]]:
    """Return how the set of a ballot stands, and the other ballot about it."""
    rows: list[tuple[str, Child]] = [(page.t("ballot.set_is"), status_tag(page, about["status"]))]
    if "trial_ms" in about:
        rows.append((page.t("ballot.trial"), page.length(about["trial_ms"])))
    if "trial_ends_ms" in about:
        rows.append((page.t("ballot.trial_ends"), moment(page, about["trial_ends_ms"])))
    first, second = record["subject"]["set"], about.get("adoption")
    other = first if name == second else second
    if other:
        rows.append((page.t("ballot.other"), el("a", {"href": ballot_path(other)}, other)))
    rows.append((page.t("rule.cost"), page.number(about["cost"])))
    if "refused" in about:
        rows.append((page.t("ballot.refused"), _refusal(page, *about["refused"])))
    return rows


def _refusal(page: Page, code: str, detail: str) -> Html:
    return join(page.t_or(f"refusal.{code}", code), " ", el("span", {"lang": "en"}, detail))


async def _subject(page: Page, record: Mapping[str, Any], found: Shown[Any] | None, shown: Shown[Any]) -> Html:
    """Return what would change: rules as they are proposed, rules to be ended, or terms."""
    if found is not None:
        return await proposed(page, record, found)
    if record["kind"] == "terms":
        return await _terms(page, record, shown)
    return await ended(page, record, shown)


async def _terms(page: Page, record: Mapping[str, Any], shown: Shown[Any]) -> Html:
    """Return the terms that would change; what they are now is said only while that is a question."""
    now = await page.data.state(TERMS_KEY)
    terms = {**TERMS, **(now.value or {})}
    is_open = record["status"] == OPEN
    rows: list[list[Child]] = [
        [page.t(f"supervision.step.{step}"), *([page.length(terms[step])] if is_open else []), page.length(ms)]
        for step, ms in record["subject"]["terms"].items()
    ]
    columns = ("supervision.step", *(("ballot.before",) if is_open else ()), "ballot.after")
    return section(page, "ballot.terms", table(page, "ballot.terms", columns, rows), shown=joined(shown, now))


async def vote(page: Page, fields: Mapping[str, str]) -> Done:
    """Cast a vote with the console's key."""
    name = page.part("id")
    return await cast(page, "supervision", name, ballot_path(name), fields)


ROUTES: Final = (
    Route("/ballots", ballots, "governance.nav", lists="ballots"),
    Route("/ballots/{id}", ballot, "governance.nav", act=vote),
)
