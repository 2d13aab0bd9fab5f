"""Answers that did not verify, as they were received, and what proves more than that, for anybody to check.

Law: an answer that did not verify accuses nobody; it is judged once more before it is shown, and dropped if it holds.
Where signatures prove a fault, the document that proves it can be taken along.
"""

from __future__ import annotations

import json
import re
from typing import Final

from coseal.console.doubts import BODY_BYTES_MAX, Doubt, Fork
from coseal.console.html import Child, Html, el, join
from coseal.console.page import Entry, Page, Route, View
from coseal.console.parts import empty, hexadecimal, lead, member_link, moment, notice, section, table

NAV: Final = Entry("evidence.nav", "/evidence")
_UNNAMED: Final = re.compile("[^A-Za-z0-9._-]+")


async def evidence(page: Page) -> View:
    """Build the page."""
    doubts = page.console.nodes.doubts
    doubts.review()
    title = page.t("evidence.nav")
    return page.view(
        title,
        lead(page, title, "evidence.lead"),
        _forks(page, doubts.forks()),
        _doubts(page, doubts.kept()),
    )


def _forks(page: Page, forks: list[Fork]) -> Html:
    if not forks:
        return section(page, "evidence.forks", empty(page, "evidence.no_fork"), note="evidence.forks.note")
    rows: list[list[Child]] = [
        [
            page.number(fork.height),
            join(*((" " if number else "", member_link(member)) for number, member in enumerate(fork.members))),
            moment(page, fork.at_ms, ago=True),
            el("a", {"href": f"/evidence/forks/{fork.id}"}, page.t("evidence.take")),
        ]
        for fork in forks
    ]
    columns = ("evidence.height", "evidence.signed_both", "evidence.when", "evidence.document")
    said = notice("bad", page.t("evidence.forked"))
    return section(
        page, "evidence.forks", said, table(page, "evidence.forks", columns, rows), note="evidence.forks.note"
    )


def _doubts(page: Page, kept: list[Doubt]) -> Html:
    rows = [_row(page, doubt) for doubt in kept]
    columns = (
        *("evidence.node", "evidence.question", "evidence.reason"),
        *("evidence.when", "evidence.times", "evidence.bytes", "evidence.digest"),
    )
    made = table(page, "evidence.doubts", columns, rows, numeric="4") if rows else empty(page, "evidence.no_doubt")
    return section(page, "evidence.doubts", made, note="evidence.doubts.note")


def _row(page: Page, doubt: Doubt) -> list[Child]:
    size = page.t("evidence.size", count=page.number(doubt.size))
    taken: Child = el("a", {"href": f"/evidence/answers/{doubt.id}"}, size)
    if doubt.body is None:
        taken = page.t("evidence.too_large", size=size, most=page.number(BODY_BYTES_MAX))
    return [
        doubt.node,
        el("code", {"class": "question"}, doubt.question),
        el("span", {"lang": "en"}, doubt.reason),
        moment(page, doubt.at_ms, ago=True),
        page.number(doubt.times),
        taken,
        hexadecimal(page, doubt.digest),
    ]


async def fork(page: Page) -> View:
    """Give the document that proves a fork; ``coseal verify`` checks it with the genesis alone."""
    found = page.console.nodes.doubts.proven(page.part("id"))
    if found is None:
        return _gone(page)
    written = json.dumps(found.document, ensure_ascii=False, indent=2)
    return View("", Html(""), file=(f"coseal-fork-{found.height}.json", written))


async def answer(page: Page) -> View:
    """Give the bytes of an answer as they were received."""
    found = page.console.nodes.doubts.doubt(page.part("id"))
    if found is None or found.body is None:
        return _gone(page)
    node = _UNNAMED.sub("-", found.node).strip("-")[:64]
    return View("", Html(""), file=(f"answer-of-{node or 'node'}-{found.digest[:12]}.bin", found.body))


def _gone(page: Page) -> View:
    title = page.t("evidence.gone")
    return page.view(title, lead(page, title, "evidence.gone.text"), live=False, status=404)


ROUTES: Final = (
    Route("/evidence", evidence, "evidence.nav"),
    Route("/evidence/forks/{id}", fork, "evidence.nav"),
    Route("/evidence/answers/{id}", answer, "evidence.nav"),
)
