"""One search for everything that has a name: blocks, transactions, members, policies, cases, findings, rules and more.

Law: what is called found was read from the certified state or a verified block, and is sealed as such; names that only
a node's index has are listed apart, as its word. One exact hit leads straight to its page.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from coseal.console.documents import FOUND_OBJECTS, FOUND_POLICIES
from coseal.console.html import Html, el
from coseal.console.nodes import NoAnswer, Problem
from coseal.console.page import Page, Route, View
from coseal.console.parts import empty, lead, seal, section
from coseal.console.shapes import Odd
from coseal.console.shown import Shown, Trust, Untrue
from coseal.console.supervision_parts import case_link
from coseal.contracts.certification.state import project_key
from coseal.contracts.membership.state import member_key
from coseal.contracts.policy.state import instrument_key
from coseal.contracts.process.state import object_key, source_key, type_key
from coseal.contracts.supervision.state import ballot_key, finding_key, head_key, question_key

PATH: Final = "/search"
_CHARACTERS: Final = 128
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_NUMBERED: Final = re.compile(r"([FBQ])([1-9][0-9]{0,17})", re.IGNORECASE)
_SAID_MAX: Final = 10
_NOTES: Final = {"search.exact": "search.exact.note", "search.similar": "search.similar.note"}


@dataclass(frozen=True, slots=True)
class _Hit:
    """Something of this name: what it is (a key), its link, its words, and how it is known."""

    kind: str
    href: str
    words: str
    shown: Shown[Any]


async def search(page: Page) -> View:
    """Build the page of what a text names; one exact hit is gone to at once."""
    text = " ".join((page.query("q") or "").split())[:_CHARACTERS]
    title = page.t("search.title")
    if not text:
        return page.view(title, lead(page, title, "search.lead"))
    found = await asyncio.gather(*(_quietly(look(page, text)) for look in _LOOKS))
    proven = [hit for hits in found for hit in hits if hit.shown.trust is Trust.VERIFIED]
    said = [hit for hits in found for hit in hits if hit.shown.trust is not Trust.VERIFIED]
    hrefs = {hit.href for hit in proven}
    said = [hit for hit in said if hit.href not in hrefs]
    if len(hrefs) == 1 and not said:
        return page.to(proven[0].href)
    head = lead(page, page.t("search.of", text=text), "search.lead")
    parts = [_part(page, key, hits) for key, hits in (("search.exact", proven), ("search.similar", said)) if hits]
    return page.view(title, head, *(parts or [section(page, "search.exact", empty(page, "search.nothing"))]))


def _part(page: Page, key: str, hits: list[_Hit]) -> Html:
    rows = []
    for hit in hits:
        small = seal(page, hit.shown, small=True)
        rows.append(el("li", None, page.t(hit.kind), " ", el("a", {"href": hit.href}, hit.words), " ", small))
    return section(page, key, el("ul", {"class": "hits"}, rows), note=_NOTES[key])


async def _quietly(look: Awaitable[list[_Hit]]) -> list[_Hit]:
    """Return what one look found; nothing where no node answers it, or not with what holds."""
    try:
        return await look
    except (NoAnswer, Odd, Problem, Untrue):
        return []


# What a text may name


async def _number(page: Page, text: str) -> list[_Hit]:
    digits = text.replace(",", "").replace(" ", "")
    height = int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else 0
    if not 1 <= height <= page.console.light.height:
        return []
    shown = await page.data.header(height)
    return [_Hit("search.block", f"/blocks/{height}", page.number(height), shown)]


async def _hash(page: Page, text: str) -> list[_Hit]:
    digest = text.lower()
    if _DIGEST.fullmatch(digest) is None:
        return []
    height = page.console.light.height_of(bytes.fromhex(digest))
    if height is not None:
        shown = await page.data.header(height)
        return [_Hit("search.block", f"/blocks/{height}", page.number(height), shown)]
    shown_tx = await page.data.transaction(digest)
    return [_Hit("search.transaction", f"/transactions/{digest}", digest, shown_tx)]


async def _numbered(page: Page, text: str) -> list[_Hit]:
    match = _NUMBERED.fullmatch(text)
    if match is None:
        return []
    name = match[0].upper()
    kind, href, key = {
        "F": ("search.finding", f"/supervision/findings/{name}", finding_key),
        "B": ("search.ballot", f"/ballots/{name}", ballot_key),
        "Q": ("search.question", f"/lists/questions/record?id={name}", question_key),
    }[name[0]]
    return await _state(page, kind, href, name, key(name))


async def _state(page: Page, kind: str, href: str, words: str, key: str) -> list[_Hit]:
    shown = await page.data.state(key)
    return [] if shown.value is None else [_Hit(kind, href, words, shown)]


def _named(kind: str, path: str, key: Callable[[str], str]) -> Callable[[Page, str], Awaitable[list[_Hit]]]:
    """Return a look at the certified state for a record of this name."""

    async def look(page: Page, text: str) -> list[_Hit]:
        return await _state(page, kind, path + quote(text, safe=""), text, key(text))

    return look


async def _source(page: Page, text: str) -> list[_Hit]:
    if "/" not in text:
        return []
    href = f"/supervision/sources/{quote(text, safe='')}"
    return await _state(page, "search.source", href, text, source_key(text))


async def _case(page: Page, text: str) -> list[_Hit]:
    """Return the cases of this id: where they are is a node's word, that they are there is proven."""
    listed = await page.data.get("/v1/objects", FOUND_OBJECTS, id=text, limit=_SAID_MAX)
    places = [(one["process_type"], one["type"], one["id"]) for one in listed.value["objects"] if one["id"] == text]
    found = await asyncio.gather(*(page.data.state(object_key(*place)) for place in places))
    return [
        _Hit("search.case", case_link(*place), f"{place[0]} · {place[1]} {text}", shown)
        for place, shown in zip(places, found, strict=True)
        if shown.value is not None
    ]


async def _titled(page: Page, text: str) -> list[_Hit]:
    listed = await page.data.get("/v1/policies", FOUND_POLICIES, title=text, limit=_SAID_MAX)
    return [
        _Hit("search.policy", f"/policies/{quote(one['id'], safe='')}", f"{one['id']} · {one['title']}", listed)
        for one in listed.value["policies"]
    ]


_LOOKS: Final[tuple[Callable[[Page, str], Awaitable[list[_Hit]]], ...]] = (
    _number,
    _hash,
    _numbered,
    _named("search.member", "/members/", member_key),
    _named("search.policy", "/policies/", instrument_key),
    _named("search.rule", "/supervision/rules/", head_key),
    _named("search.project", "/projects/", project_key),
    _named("search.process", "/processes/", type_key),
    _source,
    _case,
    _titled,
)
ROUTES: Final = (Route(PATH, search, ""),)
