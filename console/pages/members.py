"""Members with their people, nodes and keys, and who validated in which epoch.

Law: everything here is read from the certified state by key, so everything here is verified.
"""

from __future__ import annotations

import asyncio
from hashlib import sha256
from typing import Any, Final
from urllib.parse import quote

from coseal.console.dossier_parts import dossier_path
from coseal.console.html import Child, Html, el, join
from coseal.console.nodes import Problem
from coseal.console.page import Entry, Page, Route, View
from coseal.console.parts import (
    due,
    empty,
    facts,
    height_link,
    hexadecimal,
    lead,
    member_link,
    pager,
    section,
    table,
    tag,
)
from coseal.console.shown import Shown, joined
from coseal.contracts.evidence import actions as evidence
from coseal.contracts.evidence.state import ACCUSED_KEY, places_key, proof_key
from coseal.contracts.governance.state import leaving_key
from coseal.contracts.kernel.action import FORMER, GOOD, SUSPENDED
from coseal.contracts.membership.standing import standing_of
from coseal.contracts.membership.state import (
    MEMBERS_KEY,
    VALIDATORS_KEY,
    epoch_key,
    member_key,
    node_key,
    operator_key,
    operators_key,
    own_nodes_key,
)
from coseal.ledger.errors import LedgerError
from coseal.ledger.render import plain

NAV: Final = Entry("members.nav", "/members")
_PAGE: Final = 40
_EPOCHS: Final = 20
_STANDING: Final = {GOOD: "good", SUSPENDED: "wait", FORMER: "bad"}
"""The tone in which each standing is shown."""


async def members(page: Page) -> View:
    """Build the list of members and of epochs."""
    listed = await page.data.state(MEMBERS_KEY)
    ids: list[str] = listed.value or []
    first = page.query_integer("from", high=len(ids)) or 0
    chosen = ids[first : first + _PAGE]
    shown = await asyncio.gather(*(_member(page, member_id) for member_id in chosen))
    rows = [_row(page, member_id, one.value) for member_id, one in zip(chosen, shown, strict=True)]
    columns = (
        *("members.member", "members.name", "members.role", "members.standing"),
        *("members.operators", "members.nodes", "members.since"),
    )
    following = first + _PAGE
    links = pager(
        page,
        newer=page.link("/members", **{"from": max(0, first - _PAGE)}) if first else None,
        older=page.link("/members", **{"from": following}) if following < len(ids) else None,
        middle=page.t("members.count", count=page.number(len(ids))),
    )
    table_of_all = table(page, "members.list", columns, rows, numeric="4 5 6")
    title = page.t("members.nav")
    return page.view(
        title,
        lead(page, title, "members.lead"),
        section(page, "members.list", table_of_all, links, shown=joined(listed, *shown)),
        await _epochs(page),
        await _evidence(page),
        live=not first,
    )


async def _member(page: Page, member_id: str) -> Shown[dict[str, Any] | None]:
    """Return a member's record with its operators and nodes, None if there is none."""
    record, operators, nodes, leaving = await asyncio.gather(
        page.data.state(member_key(member_id)),
        page.data.state(operators_key(member_id)),
        page.data.state(own_nodes_key(member_id)),
        page.data.state(leaving_key(member_id)),
    )
    if record.value is None:
        return record
    found = {**record.value, "operators": operators.value or {}, "nodes": nodes.value or [], "leaving": leaving.value}
    return joined(record, operators, nodes, leaving).of(found)


def _row(page: Page, member_id: str, record: dict[str, Any] | None) -> list[Child]:
    found = record or {}
    active = sum(bool(capabilities) for capabilities in found.get("operators", {}).values())
    return [
        member_link(member_id),
        found.get("name", ""),
        _role(page, found),
        _standing_tag(page, found),
        page.number(active),
        page.number(len(found.get("nodes", ()))),
        _since(page, int(found.get("since", 0))),
    ]


def _role(page: Page, record: dict[str, Any]) -> Html:
    role = str(record.get("role", ""))
    more = [str(record[name]) for name in ("level", "sector") if record.get(name)]
    central = tag(page.t("members.central_bank"), "accent") if record.get("central_bank") else None
    detail = el("span", {"class": "faint"}, "".join(f" · {word}" for word in more)) if more else None
    return join(page.t_or(f"role.{role}", role), detail, " ", central)


def _standing_tag(page: Page, record: dict[str, Any]) -> Html:
    status = standing_of(record).status
    return tag(page.t(f"members.standing.{status}"), _STANDING[status])


def _standing(page: Page, record: dict[str, Any]) -> list[tuple[str, Child]]:
    """Return what the standing of a member is, since and until when, and by which proposal."""
    now = standing_of(record)
    rows: list[tuple[str, Child]] = [(page.t("members.standing"), _standing_tag(page, record))]
    if now.status != GOOD:
        rows.append((page.t("members.standing.since"), _since(page, now.since)))
    if now.until_ms is not None:
        rows.append(
            (page.t("members.standing.until"), join(due(page, now.until_ms), " (", page.time(now.until_ms), ")"))
        )
    if now.proposal:
        path = f"/governance/{quote(now.proposal, safe='')}"
        rows.append((page.t("members.standing.proposal"), el("a", {"href": path}, now.proposal)))
    if record.get("leaving"):
        leaves_ms = record["leaving"][0]
        rows.append((page.t("members.leaving"), join(due(page, leaves_ms), " (", page.time(leaves_ms), ")")))
    return rows


def _since(page: Page, height: int) -> Child:
    """Return the height from which something holds; genesis has no block."""
    return height_link(page, height) if height else page.t("members.genesis")


async def _epochs(page: Page) -> Html:
    """Return the validators by epoch, newest first: who came, who went, whose key changed."""
    current = await page.data.state(VALIDATORS_KEY)
    newest = int(current.value[0])
    numbers = range(max(0, newest - _EPOCHS), newest + 1)
    shown = await asyncio.gather(*(page.data.state(epoch_key(number)) for number in numbers))
    seats = {number: one.value for number, one in zip(numbers, shown, strict=True) if one.value is not None}
    rows: list[list[Child]] = []
    for number in reversed(seats):
        first_height, validators = seats[number]
        before = {row[0]: row[3] for row in seats[number - 1][1]} if number - 1 in seats else None
        names = [
            el("li", None, tag(row[0], "" if before is None or before.get(row[0]) == row[3] else "accent"))
            for row in validators
        ]
        rows.append(
            [
                page.number(number),
                _since(page, first_height) if first_height > 1 else page.t("members.genesis"),
                page.number(len(validators)),
                el("ul", {"class": "tags"}, names),
                _changes(page, before, validators),
            ]
        )
    columns = ("members.epoch", "members.from", "members.count_column", "members.validators", "members.change")
    made = table(page, "members.epochs", columns, rows, numeric="2")
    return section(page, "members.epochs", made, shown=joined(current, *shown), note="members.epochs.note")


def _changes(page: Page, before: dict[str, str] | None, validators: list[Any]) -> Child:
    """Say how a set differs from the one before it."""
    if before is None:
        return page.t("part.none")
    now = {row[0]: row[3] for row in validators}
    words = [page.t("members.joined", name=name) for name in now if name not in before]
    words += [page.t("members.left", name=name) for name in before if name not in now]
    words += [page.t("members.new_key", name=name) for name in now if name in before and before[name] != now[name]]
    return el("ul", None, [el("li", None, word) for word in words]) if words else page.t("part.none")


async def _evidence(page: Page) -> Html:
    """Return what is proven of validators that signed two contradicting messages."""
    accused = await page.data.state(ACCUSED_KEY)
    names: list[str] = (accused.value or [])[:_PAGE]
    places = await asyncio.gather(*(page.data.state(places_key(name)) for name in names))
    wanted = [(name, *place) for name, one in zip(names, places, strict=True) for place in one.value or ()]
    shown = await asyncio.gather(
        *(page.data.exact(proof_key(name, height, turn, phase)) for name, _, height, turn, phase in wanted)
    )
    rows: list[list[Child]] = []
    for (name, epoch, height, turn, phase), one in zip(wanted, shown, strict=True):
        record = plain(one.value or {})
        place = {"validator": name, "height": height, "round": turn, "phase": phase}
        if not _contradicts(page, place, one.value):
            continue
        rows.append(
            [
                name,
                member_link(str(record.get("member", ""))),
                page.t("members.place", height=page.number(height), round=turn, phase=phase, epoch=epoch),
                el("ul", None, [el("li", None, hexadecimal(page, record[half][0])) for half in ("first", "second")]),
                str(record.get("reporter", "")),
                height_link(page, int(record.get("reported_height", 0))),
            ]
        )
    columns = (
        "members.node",
        "members.member",
        "members.contradiction",
        "members.signed_both",
        "members.reporter",
        "row.block",
    )
    made = table(page, "members.evidence", columns, rows) if rows else empty(page, "members.no_evidence")
    weight = joined(accused, *places, *shown)
    return section(page, "members.evidence", made, shown=weight, note="members.evidence.note" if rows else None)


def _contradicts(page: Page, place: dict[str, Any], record: Any) -> bool:
    """Say whether both signatures of a record verify here: nobody is shown to have contradicted himself otherwise."""
    if record is None:
        return False
    try:
        evidence.proof_of(evidence.shown(place, record)).verify(page.console.genesis.chain_id, record["key"])
    except LedgerError:
        return False
    return True


async def member(page: Page) -> View:
    """Build the page of one member."""
    member_id = page.part("id")
    shown = await _member(page, member_id)
    record = shown.value
    if record is None:
        raise Problem(404, "unknown_member", page.t("members.unknown", name=member_id), shown.node)
    profile = record.get("profile") or {}
    about = facts(
        [
            (page.t("members.member"), el("code", None, member_id)),
            (page.t("members.role"), _role(page, record)),
            (page.t("members.since"), _since(page, int(record.get("since", 0)))),
            *_standing(page, record),
            (
                page.t("credit.link"),
                el("a", {"href": dossier_path(member_id)}, page.t("credit.title", member=member_id)),
            ),
            *((name, text) for name, text in profile.items()),
        ]
    )
    return page.view(
        record["name"],
        lead(page, record["name"], "members.one.lead"),
        section(page, "members.about", about, shown=shown),
        await _nodes(page, record["nodes"]),
        await _operators(page, member_id, record["operators"]),
    )


async def _nodes(page: Page, ids: list[str]) -> Html:
    """Return a member's nodes, and below them the consensus keys each validated with."""
    shown = await asyncio.gather(*(page.data.state(node_key(node_id)) for node_id in ids))
    rows: list[list[Child]] = []
    for node_id, one in zip(ids, shown, strict=True):
        record = one.value or {}
        link = record.get("link_certificate")
        fingerprint = sha256(bytes.fromhex(link)).hexdigest() if link else None
        kind = str(record.get("kind", ""))
        rows.append(
            [
                node_id,
                tag(page.t_or(f"kind.{kind}", kind), "good" if kind == "validator" else ""),
                hexadecimal(page, record.get("consensus_key")),
                hexadecimal(page, fingerprint),
                _since(page, int(record.get("since", 0))),
            ]
        )
    columns = ("members.node", "members.kind", "members.consensus_key", "members.link", "members.since")
    made = table(page, "members.nodes", columns, rows)
    return section(page, "members.nodes", made, await _key_history(page, ids), shown=joined(*shown) if shown else None)


async def _key_history(page: Page, ids: list[str]) -> Html | None:
    """Return which node validated with which key in which epochs, from the sets of the epochs themselves."""
    current = await page.data.state(VALIDATORS_KEY)
    newest = int(current.value[0])
    numbers = range(max(0, newest - _EPOCHS), newest + 1)
    shown = await asyncio.gather(*(page.data.state(epoch_key(number)) for number in numbers))
    spans: dict[tuple[str, str], list[int]] = {}
    for number, one in zip(numbers, shown, strict=True):
        for row in one.value[1] if one.value else ():
            if row[0] in ids:
                spans.setdefault((row[0], row[3]), []).append(number)
    if len(spans) <= len({node for node, _ in spans}):
        return None  # no key was ever replaced: the table above says all
    rows: list[list[Child]] = [
        [node, hexadecimal(page, key), page.t("members.epoch_span", first=span[0], last=span[-1])]
        for (node, key), span in spans.items()
    ]
    columns = ("members.node", "members.consensus_key", "members.epoch")
    return join(el("h3", None, page.t("members.key_history")), table(page, "members.key_history", columns, rows))


async def _operators(page: Page, member_id: str, operators: dict[str, list[str]]) -> Html:
    """Return a member's operators with their capabilities, keys and former keys."""
    users = sorted(operators)
    shown = await asyncio.gather(*(page.data.state(operator_key(f"{member_id}/{user}")) for user in users))
    rows: list[list[Child]] = []
    for user, one in zip(users, shown, strict=True):
        record = one.value or {}
        capabilities = operators[user]
        can = [el("li", None, tag(capability)) for capability in capabilities]
        former = [
            el(
                "li",
                None,
                hexadecimal(page, key),
                " ",
                el(
                    "span",
                    {"class": "faint"},
                    page.t("members.key_span", first=page.number(first), last=page.number(last)),
                ),
            )
            for key, first, last in reversed(record.get("history", []))
        ]
        rows.append(
            [
                user,
                el("ul", {"class": "tags"}, can) if can else tag(page.t("members.removed"), "bad"),
                hexadecimal(page, record.get("key")),
                _since(page, int(record.get("since", 0))),
                el("ul", None, former) if former else page.t("part.none"),
            ]
        )
    columns = ("members.user", "members.capabilities", "members.key", "members.since", "members.former_keys")
    made = table(page, "members.operators", columns, rows)
    return section(page, "members.operators", made, shown=joined(*shown), note="members.operators.note")


ROUTES: Final = (
    Route("/members", members, "members.nav"),
    Route("/members/{id}", member, "members.nav"),
)
