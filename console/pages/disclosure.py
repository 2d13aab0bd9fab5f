"""Vaults: who sealed what into which, who holds the keys, what is erased when; and of one its seats and sidecars.

Law: which vaults there are is a node's list; what each is, its seats, and which of its sidecars are live is read from
the certified state. A number up to the count of what was sealed that has no record there is proven to be erased.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from coseal.console import shapes
from coseal.console.ballot_parts import Values
from coseal.console.html import Child, Html, el, join
from coseal.console.nodes import Problem
from coseal.console.page import Entry, Page, Route, View
from coseal.console.pages import accesses, requests
from coseal.console.parts import (
    cursor_pager,
    due,
    empty,
    facts,
    figure,
    figures,
    height_link,
    lead,
    member_link,
    moment,
    notice,
    pager,
    section,
    table,
    tag,
)
from coseal.console.shown import joined
from coseal.console.supervision_parts import source_link
from coseal.console.vault_parts import (
    PATH,
    Accesses,
    accesses_link,
    accesses_of,
    filters,
    now_of,
    request_link,
    said_of,
    status_tag,
    tabs,
    vault_link,
)
from coseal.contracts.disclosure.lists import VAULTS
from coseal.contracts.disclosure.sealing import WAIT_MS
from coseal.contracts.disclosure.state import audience_key, audiences_key, sidecar_key, vault_key
from coseal.contracts.disclosure.vaults import (
    ACCEPTED,
    ARMED,
    CLOSED,
    DEALT,
    DESTROYED,
    REFUSED,
    SILENT,
    Vault,
    vault_of,
)

NAV: Final = Entry("disclosure.nav", PATH)
_PAGE: Final = 25
_STATUSES: Final = (DEALT, ARMED, REFUSED, CLOSED, DESTROYED)
_LISTED: Final = shapes.record(
    height=shapes.height,
    next=shapes.maybe(shapes.cursor),
    vaults=shapes.listed(shapes.record(owner=shapes.name, vault=shapes.name)),
)


async def vaults(page: Page) -> View:
    """Build the list of vaults."""
    given: dict[str, Any] = {
        "owner": page.query("owner"),
        "status": page.query("status"),
        "cursor": page.query("cursor"),
    }
    listed = await page.data.get(VAULTS.path, _LISTED, limit=page.rows(_PAGE), **given)
    names = [(one["owner"], one["vault"]) for one in listed.value["vaults"]]
    values = Values(page)
    await values.read_many([vault_key(*name) for name in names])
    found = [vault for name in names if (vault := vault_of(values, *name)) is not None]
    columns = (
        *("disclosure.vault", "disclosure.plan", "disclosure.seats", "disclosure.status", "disclosure.takes_until"),
        *("disclosure.sealed", "disclosure.live", "disclosure.erased"),
    )
    made = table(page, "disclosure.list", columns, [_row(page, one) for one in found], numeric="5 6 7")
    title = page.t(NAV.key)
    return page.view(
        title,
        lead(page, title, "disclosure.lead", tabs(page, PATH)),
        section(
            page,
            "disclosure.list",
            filters(page, "status", "vault", _STATUSES),
            made if found else empty(page, "disclosure.none"),
            cursor_pager(page, listed.value.get("next")),
            shown=joined(listed, values.shown) if found else listed,
            note="disclosure.list.note",
        ),
    )


def _row(page: Page, vault: Vault) -> list[Child]:
    accepted = page.t("disclosure.accepted", count=vault.count(ACCEPTED), all=len(vault.seats))
    against = vault.count(REFUSED, SILENT)
    missing = join(" ", tag(page.t("disclosure.seats.missing", count=against), "bad")) if against else None
    return [
        vault_link(vault.owner, vault.id),
        page.t("disclosure.plan.of", plan=vault.plan, threshold=vault.threshold, seats=len(vault.seats)),
        join(accepted, missing),
        status_tag(page, "vault", vault.status),
        _takes_until(page, vault),
        *(page.number(count) for count in (vault.sealed, vault.live, vault.sealed - vault.live)),
    ]


def _takes_until(page: Page, vault: Vault) -> Child:
    return moment(page, vault.ends_ms) if vault.status == ARMED else "–"


# One vault


async def vault(page: Page) -> View:
    """Build the page of a vault."""
    owner, name, values = page.part("owner"), page.part("vault"), Values(page)
    await values.read(vault_key(owner, name), audiences_key(owner, name))
    found = vault_of(values, owner, name)
    if found is None:
        said = page.t("disclosure.unknown_vault", name=f"{owner}/{name}")
        raise Problem(404, "unknown_vault", said, values.shown.node)
    audiences = [audience_key(owner, name, one) for one in values.get(audiences_key(owner, name)) or ()]
    upper = page.query_integer("to", low=1, high=max(1, found.sealed)) or found.sealed
    numbers = range(upper, max(0, upper - page.rows(_PAGE)), -1)
    await values.read_many([*audiences, *(sidecar_key(owner, name, number) for number in numbers)])
    log = await accesses_of(page, owner)
    title = f"{owner}/{name}"
    back = el("p", None, el("a", {"href": PATH}, page.t("disclosure.vaults")), " · ", accesses_link(page, owner))
    return page.view(
        title,
        lead(page, title, "disclosure.vault.lead", back),
        section(page, "disclosure.about", _figures(page, found), facts(_about(page, found)), shown=values.shown),
        await _seats(page, values, found, log),
        _sealed(page, values, found, numbers, log),
        section(
            page,
            "disclosure.audiences",
            _audiences(page, values, owner, name),
            shown=values.shown,
            note="disclosure.audiences.note",
        ),
    )


def _figures(page: Page, vault: Vault) -> Html:
    counts = {"sealed": vault.sealed, "live": vault.live, "erased": vault.sealed - vault.live}
    return figures(*(figure(page.t(f"disclosure.{name}"), page.number(count)) for name, count in counts.items()))


def _about(page: Page, vault: Vault) -> list[tuple[str, Child]]:
    plan = el("a", {"href": f"/lists/custody-plans/record?plan={quote(vault.plan, safe='')}"}, vault.plan)
    opens = page.t("disclosure.opens", threshold=vault.threshold, seats=len(vault.seats))
    armed = page.t("disclosure.arms", count=vault.custody.arming, accepted=vault.count(ACCEPTED))
    rows: list[tuple[str, Child]] = [
        (page.t("disclosure.owner"), member_link(vault.owner)),
        (page.t("disclosure.status"), status_tag(page, "vault", vault.status)),
        (page.t("disclosure.plan"), plan),
        (page.t("disclosure.threshold"), opens),
        (page.t("disclosure.arming"), armed),
        (page.t("disclosure.retention"), page.length(vault.retain_ms)),
        (page.t("disclosure.opened_in"), height_link(page, vault.height)),
    ]
    if vault.status == DEALT:
        rows.append((page.t("disclosure.answer_until"), due(page, vault.deadline_ms)))
    if vault.status == ARMED:
        rows.append((page.t("disclosure.takes_until"), _takes_until(page, vault)))
    return rows


async def _seats(page: Page, values: Values, vault: Vault, log: Accesses) -> Html:
    """Return who sits where with the answer, and why a seat was refused, as its transaction says."""
    answers = [one for one in log.entries if (one.step, one.vault) == (REFUSED, vault.id)]
    said, blocks = await said_of(page, vault.owner, answers)
    reasons = {one.subject: said[one.number].reason for one in answers if one.number in said}
    rows: list[list[Child]] = [
        [
            page.number(seat),
            member_link(member),
            status_tag(page, "seat", status),
            reasons.get(member, "") if status == REFUSED else "",
        ]
        for seat, (member, status) in enumerate(vault.seats)
    ]
    columns = ("disclosure.seat", "disclosure.member", "disclosure.status", "disclosure.reason")
    made = table(page, "disclosure.seats", columns, rows, numeric="0")
    return section(
        page,
        "disclosure.seats",
        made,
        shown=joined(values.shown, *blocks),
        note=f"disclosure.vault.{vault.status}.note",
    )


def _sealed(page: Page, values: Values, vault: Vault, numbers: range, log: Accesses) -> Html:
    """Return sidecars newest first: what each has, and when it is, or was, erased."""
    gone = {
        int(first): one.height
        for one in log.entries
        if (one.step, one.vault) == ("erased", vault.id) and (first := one.subject.split(" ")[0]).isdigit()
    }
    rows = []
    for number in numbers:
        record = values.get(sidecar_key(vault.owner, vault.id, number))
        rows.append(_erased(page, number, gone) if record is None else _live(page, number, record))
    columns = (
        *("disclosure.number", "disclosure.source", "disclosure.items", "disclosure.cells", "disclosure.recorded"),
        *("disclosure.erasure", "disclosure.open_requests"),
    )
    path = page.path
    upper, lower = (numbers.start, numbers.stop) if numbers else (0, 0)
    next_due = min(vault.sealed, vault.sealed - vault.live + _PAGE)
    jump = el("a", {"href": page.link(path, to=next_due)}, page.t("disclosure.next_due"))
    links = pager(
        page,
        newer=page.link(path, to=min(vault.sealed, upper + _PAGE)) if upper < vault.sealed else None,
        older=page.link(path, to=lower) if lower > 0 else None,
        middle=join(page.t("disclosure.sealed.count", count=page.number(vault.sealed)), " · ", jump),
    )
    shown = values.shown if log.shown is None else joined(values.shown, log.shown)
    made = table(page, "disclosure.contents", columns, rows, numeric="0 3")
    return join(
        _not_shown(page, log) if log.missing and vault.sealed > vault.live else None,
        section(
            page,
            "disclosure.contents",
            made if rows else empty(page, "disclosure.nothing"),
            links if vault.sealed > len(numbers) else None,
            shown=shown,
            note="disclosure.contents.note",
        ),
    )


def _not_shown(page: Page, log: Accesses) -> Html:
    """Return why the blocks in which something was erased are not shown."""
    why = page.t("disclosure.erased.unknown")
    return notice("bad" if log.failed else "wait", why, " ", page.t(log.missing), " ", log.detail)


def _live(page: Page, number: int, record: Any) -> list[Child]:
    waits, now_ms = record["requests"], now_of(page)
    ends = moment(page, record["erase_ms"])
    if record["erase_ms"] <= now_ms:
        last = page.time(record["erase_ms"] + WAIT_MS)
        ends = join(tag(page.t("disclosure.waits_for_request"), "wait"), " ", page.t("disclosure.at_most", time=last))
    return [
        page.number(number),
        source_link(record["source"]),
        page.t("disclosure.from_to", first=record["first"], last=record["last"]),
        page.number(record["cells"]),
        height_link(page, record["height"]),
        ends,
        join(*(join(" " if place else None, request_link(*one)) for place, one in enumerate(waits))) or "–",
    ]


def _erased(page: Page, number: int, gone: dict[int, int]) -> list[Child]:
    where = join(" ", page.t("disclosure.in_block"), " ", height_link(page, gone[number])) if number in gone else None
    return [page.number(number), "", "", "", "", join(tag(page.t("disclosure.is_erased")), where), ""]


def _audiences(page: Page, values: Values, owner: str, name: str) -> Html:
    rows: list[list[Child]] = []
    for audience in values.get(audiences_key(owner, name)) or ():
        record = values.get(audience_key(owner, name, audience))
        members = join(
            *(join(", " if place else None, member_link(one)) for place, one in enumerate(record["members"]))
        )
        rows.append([audience, page.number(record["version"]), members, height_link(page, record["height"])])
    columns = ("disclosure.audience", "disclosure.version", "disclosure.readers", "disclosure.recorded")
    return table(page, "disclosure.audiences", columns, rows, numeric="1") if rows else empty(page, "disclosure.no_one")


ROUTES: Final = (
    Route(PATH, vaults, NAV.key, lists="vaults"),
    Route(f"{PATH}/vaults/{{owner}}/{{vault}}", vault, NAV.key),
    *requests.ROUTES,
    *accesses.ROUTES,
)
