"""The constitution: by which votes what is decided, as the document in force, or an earlier one, says.

Law: the document is read from the certified state; a chain whose genesis has none shows the founding one, in the form
of a document.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from coseal.client.constitution import powers
from coseal.console.ballot_parts import CONSTITUTION_PATH, Values, kind_words
from coseal.console.html import Child, Html, el, join
from coseal.console.nodes import Problem
from coseal.console.page import Page, Route, View
from coseal.console.parts import empty, facts, height_link, lead, raw, section, table
from coseal.console.shown import Shown
from coseal.contracts.governance import described
from coseal.contracts.governance.described import Described
from coseal.contracts.governance.document import ORDINARY
from coseal.contracts.governance.resolution import CONSTITUENCIES
from coseal.contracts.governance.state import CONSTITUTION_KEY, SIZES_KEY, constitution_key
from coseal.contracts.standards.status import terms_of

_COLUMNS: Final = (
    *("constitution.track", "constitution.kinds", "constitution.electorate", "constitution.total"),
    *("constitution.classes", "constitution.open", "constitution.heard", "constitution.override"),
    *("constitution.veto", "constitution.delay", "constitution.reasons"),
)
_MOST: Final = 2_000
"""Votings that are looked at for one track: with more, no coalitions are shown."""
_LISTED: Final = 8


async def constitution(page: Page) -> View:
    """Build the page of the constitution in force, or of an earlier version."""
    values = Values(page)
    await values.read(CONSTITUTION_KEY)
    current = (values.get(CONSTITUTION_KEY) or [0])[0]
    wanted = page.query_integer("version", high=current)
    number = current if wanted is None else wanted
    if number:
        await values.read(constitution_key(number))
    found = described.constitution(values, number)
    if found is None:
        raise Problem(404, "unknown_constitution", page.t("constitution.unknown", number=number), values.shown.node)
    document, key = found.document, "constitution.about" if number == current else "constitution.earlier"
    back = el("p", None, el("a", {"href": "/governance"}, page.t("governance.nav")))
    return page.view(
        page.t("constitution.title"),
        lead(page, document["title"], "constitution.lead", back),
        section(page, key, facts(_about(page, found)), shown=values.shown),
        tracks(page, document, values.shown),
        section(page, "constitution.de_facto", facts(_de_facto(page, document)), shown=values.shown),
        await _powers(page, found) if number == current else None,
        section(page, "constitution.raw", raw(page, document), shown=values.shown),
    )


def _about(page: Page, found: Described) -> list[tuple[str, Child]]:
    document = found.document
    brought: Child = page.t("constitution.genesis")
    if found.proposal:
        brought = el("a", {"href": f"/governance/{quote(found.proposal, safe='')}"}, found.proposal)
    rows: list[tuple[str, Child]] = [
        (page.t("constitution.version"), page.number(found.version) if found.version else _founding(page)),
        (page.t("constitution.digest"), el("code", None, found.digest)),
        (page.t("constitution.proposal"), brought),
    ]
    if found.height:
        rows.append((page.t("row.block"), height_link(page, found.height)))
    rows += [
        (page.t("constitution.central_bank"), page.t(f"role.{document['central_bank_counts_as']}")),
        (page.t("constitution.present"), page.length(document["present_ms"])),
    ]
    if found.version > 1:
        path = f"{CONSTITUTION_PATH}?version={found.version - 1}"
        rows.append((page.t("constitution.before"), el("a", {"href": path}, page.number(found.version - 1))))
    return rows


def _founding(page: Page) -> str:
    return page.t("constitution.founding")


def tracks(page: Page, document: Mapping[str, Any], shown: Shown[Any]) -> Html:
    """Return the tracks of a document as a table, the one for what is not named first."""
    names = sorted(document["tracks"], key=lambda name: (name != ORDINARY, name))
    rows = [_track(page, name, document["tracks"][name], document["kinds"]) for name in names]
    listed = table(page, "constitution.tracks", _COLUMNS, rows)
    return section(page, "constitution.tracks", listed, shown=shown, note="constitution.tracks.note")


def _track(page: Page, name: str, track: Mapping[str, Any], kinds: Mapping[str, str]) -> list[Child]:
    decides = [kind_words(page, kind) for kind, where in sorted(kinds.items()) if where == name]
    decides += [page.t("constitution.kinds.others")] if name == ORDINARY else []
    least, usual, most = (page.length(ms) for ms in track["open_ms"])
    override = track.get("override")
    return [
        name,
        ", ".join(decides),
        page.t(f"constitution.electorate.{track['electorate']}"),
        _quota(track["pass"]["total"]),
        _classes(page, track["pass"]),
        page.t("constitution.open.range", usual=usual, least=least, most=most),
        page.length(track["not_before_ms"]) if track.get("not_before_ms") else "",
        page.length(override["after_ms"]) if override is not None else "",
        ", ".join(page.t(f"role.{each}") for each in track.get("veto", ())),
        page.length(track["delay_ms"]) if track.get("delay_ms") else "",
        ", ".join(page.t(f"constitution.reasons.{each}") for each in track.get("reason", ())),
    ]


def _classes(page: Page, rule: Mapping[str, Any]) -> Html:
    """Return the constituencies with a quota of their own, and how many of them have to meet it."""
    parts: list[str] = []
    if "classes" in rule:
        classes = rule["classes"]
        count = len(classes) if rule["at_least"] == "all" else rule["at_least"]
        quotas = {_quota(quota) for quota in classes.values()}
        names = "; ".join(f"{page.t(f'role.{name}')} > {_quota(quota)}" for name, quota in classes.items())
        if len(quotas) == 1:
            roles = (page.t(f"role.{name}") for name in classes if len(classes) < len(CONSTITUENCIES))
            names = " ".join(filter(None, (", ".join(roles), f"> {quotas.pop()}")))
        parts.append(page.t("constitution.classes.some", count=count, all=len(classes), names=names))
    if rule.get("own"):
        parts.append(page.t("constitution.own"))
    return join("; ".join(parts))


def _de_facto(page: Page, document: Mapping[str, Any]) -> list[tuple[str, Child]]:
    """Return the numbers by which a standard becomes de facto; a document says those that differ from the usual."""
    terms = terms_of(document.get("de_facto", {}))
    carried = page.t("constitution.de_facto.shares", count=terms.carried_by, share=_quota(terms.carried))
    users = page.t("constitution.de_facto.members", count=terms.users_min, share=_quota(terms.of_members))
    return [
        (page.t("constitution.de_facto.gained"), f"> {_quota(terms.gained)}"),
        (page.t("constitution.de_facto.lost"), f"< {_quota(terms.lost)}"),
        (page.t("constitution.de_facto.carried"), carried),
        (page.t("constitution.de_facto.users"), users),
        (page.t("constitution.de_facto.active"), page.number(terms.use_min)),
        (page.t("constitution.de_facto.items"), f"> {_quota(terms.of_items)}"),
        (page.t("constitution.de_facto.conforming"), f"> {_quota(terms.of_judged)}"),
    ]


async def _powers(page: Page, found: Described) -> Html:
    """Return who can pass and who can stop what is on each track, in least numbers of the members that vote now."""
    sizes = await page.data.exact(SIZES_KEY)
    named = sorted(found.constitution.tracks.values(), key=lambda track: (track.name != ORDINARY, track.name))
    given = [sizes.value[1][track.electorate] for track in named]
    made = await asyncio.gather(
        *(asyncio.to_thread(powers, *each, None, _MOST) for each in zip(named, given, strict=True))
    )
    rows: list[list[Child]] = [
        [track.name, *(_coalitions(page, each) for each in (one.passing, one.overriding, one.stopping))]
        for track, one in zip(named, made, strict=True)
        if one is not None
    ]
    columns = ("constitution.track", "constitution.passing", "constitution.overriding", "constitution.stopping")
    listed = table(page, "constitution.powers", columns, rows) if rows else empty(page, "constitution.powers.many")
    return section(page, "constitution.powers", listed, shown=sizes, note="constitution.powers.note")


def _coalitions(page: Page, coalitions: Sequence[Mapping[str, int]]) -> Child:
    """Return least coalitions, one a line, in numbers of members by constituency."""
    lines = [
        " + ".join(f"{page.t(f'role.{name}')} {page.number(count)}" for name, count in one.items())
        for one in coalitions[:_LISTED]
    ]
    if len(coalitions) > _LISTED:
        lines.append(page.t("constitution.powers.more", count=page.number(len(coalitions) - _LISTED)))
    return el("ul", None, [el("li", None, line) for line in lines]) if lines else page.t("constitution.nobody")


def _quota(quota: Sequence[int]) -> str:
    numerator, denominator = quota
    return f"{numerator}/{denominator}"


ROUTES: Final = (Route(CONSTITUTION_PATH, constitution, "governance.nav"),)
