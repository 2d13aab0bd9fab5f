"""Trade: banks' books against their limits, receivables with their hands, netting runs before and after.

Law: a receivable, its loan and a run are read from the certified state; lists are the node's index and sealed as such.
All of it is for members, so a console needs a token of its node for the lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from coseal.console import shapes
from coseal.console.ballot_parts import Values
from coseal.console.html import Child, Html, el, join
from coseal.console.money_parts import receivable_link, wallet_path, yuan
from coseal.console.nodes import NoAnswer, Problem
from coseal.console.page import Entry, Page, Route, View
from coseal.console.pages import dossier
from coseal.console.parts import (
    cursor_pager,
    due,
    empty,
    facts,
    height_link,
    lead,
    member_link,
    moment,
    notice,
    search,
    section,
    table,
    tag,
)
from coseal.console.supervision_parts import finding_link
from coseal.contracts.supervision.state import hold_key
from coseal.contracts.trade.history import RECEIVABLE
from coseal.contracts.trade.ledger import Loan, Receivable, number_of
from coseal.contracts.trade.lists import EXPOSURES, NETTING_OBLIGATIONS, NETTING_RUNS, OFFERS, RECEIVABLES
from coseal.contracts.trade.runs import CLEARED, CLEARING, CLEARING_MS, Run, phase
from coseal.contracts.trade.state import NAME, loan_key, receivable_key, run_key

NAV: Final = Entry("trade.nav", "/trade")
_PAGE: Final = 25
_BOOKS: Final = 200
_OBLIGATIONS: Final = 200
_TONES: Final = {
    "accepted": "good",
    "settled": "good",
    "cleared": "good",
    "open": "wait",
    "clearing": "wait",
    "proposed": "wait",
    "overdue": "bad",
    "recourse": "bad",
    "written_off": "bad",
}
_FEN: Final = shapes.integer(high=2**62)
_PLACED: Final = {"height": shapes.height, "next": shapes.maybe(shapes.cursor)}
_RECEIVABLES: Final = shapes.record(
    **_PLACED,
    receivables=shapes.listed(
        shapes.record(
            **dict.fromkeys(("id", "debtor", "holder"), shapes.name),
            outstanding=_FEN,
            due_ms=shapes.time_ms,
            status=shapes.text(16),
            financier=shapes.text(128),
        )
    ),
)
_EXPOSURES: Final = shapes.record(
    **_PLACED,
    exposures=shapes.listed(shapes.record(bank=shapes.name, debtor=shapes.name, exposure=_FEN, allowed=_FEN)),
)
_RUNS: Final = shapes.record(
    **_PLACED,
    netting_runs=shapes.listed(
        shapes.record(id=shapes.name, opener=shapes.name, closes_ms=shapes.time_ms, status=shapes.text(16), total=_FEN)
    ),
)
_ENTERED: Final = shapes.record(
    **_PLACED,
    netting_obligations=shapes.listed(
        shapes.record(
            **dict.fromkeys(("receivable", "debtor", "holder"), shapes.name),
            amount=_FEN,
            cleared=_FEN,
            status=shapes.text(16),
        )
    ),
)
_OFFERS: Final = shapes.record(
    **_PLACED,
    offers=shapes.listed(
        shapes.record(
            member=shapes.name,
            kind=shapes.text(16),
            status=shapes.text(16),
            advance=_FEN,
            fee=_FEN,
            expires_ms=shapes.time_ms,
        )
    ),
)


def _status(page: Page, status: str) -> Html:
    return tag(page.t_or(f"trade.status.{status}", status), _TONES.get(status, ""))


# All of it


async def trade(page: Page) -> View:
    """Build the page of all trade."""
    title = page.t("trade.nav")
    head = lead(page, title, "trade.lead")
    credit = dossier.find(page)
    try:
        sections = [await _receivables(page), await _books(page), await _runs(page)]
    except (NoAnswer, Problem):
        return page.view(title, head, notice("", page.t("trade.for_members")), credit)
    return page.view(title, head, *sections, credit)


async def _receivables(page: Page) -> Html:
    asked: dict[str, Any] = {name: page.query(name) for name in ("debtor", "holder", "status")}
    asked |= {"limit": page.rows(_PAGE), "cursor": page.query("cursor"), "order": "newest"}
    shown = await page.data.get(RECEIVABLES.path, _RECEIVABLES, **asked)
    rows: list[list[Child]] = [
        [
            receivable_link(one["id"]),
            member_link(one["debtor"]),
            member_link(one["holder"]),
            yuan(one["outstanding"]),
            moment(page, one["due_ms"]),
            _status(page, one["status"]),
            member_link(one["financier"]) if one["financier"] else "–",
        ]
        for one in shown.value["receivables"]
    ]
    columns = (
        *("trade.receivable", "trade.debtor", "trade.holder", "trade.outstanding"),
        *("trade.due", "trade.status", "trade.financier"),
    )
    return section(
        page,
        "trade.receivables",
        search(page, "debtor", "trade.debtor", value=page.query("debtor") or ""),
        table(page, "trade.receivables", columns, rows, numeric="3"),
        cursor_pager(page, shown.value.get("next")),
        shown=shown,
        note="trade.receivables.note",
    )


async def _books(page: Page) -> Html:
    """Return what each bank is exposed to, by debtor, beside its limits."""
    shown = await page.data.get(EXPOSURES.path, _EXPOSURES, limit=_BOOKS)
    listed = sorted(shown.value["exposures"], key=lambda one: (one["bank"], -one["exposure"], one["debtor"]))
    rows: list[list[Child]] = [
        [
            member_link(one["bank"]),
            member_link(one["debtor"]),
            yuan(one["exposure"]),
            yuan(one["allowed"]),
            _share(page, one["exposure"], one["allowed"]),
        ]
        for one in listed
    ]
    columns = ("trade.bank", "trade.debtor", "trade.exposure", "trade.allowed", "trade.used")
    body = table(page, "trade.books", columns, rows, numeric="2 3") if rows else empty(page, "trade.no_books")
    return section(page, "trade.books", body, shown=shown, note="trade.books.note")


def _share(page: Page, part: int, whole: int) -> Child:
    """Return a bar of what a bank has used of a limit; a limit may be lowered below what is outstanding already."""
    percent = 100 * part // whole if whole else (100 if part else 0)
    width = f"{min(percent, 100)}%"
    bar = el("rect", {"x": "0", "y": "0", "height": "8", "width": width, "rx": "1", "class": "bar"})
    track = el("svg", {"class": "track share", "height": "8", "aria-hidden": "true"}, bar)
    over = join(" ", tag(page.t("trade.over"), "bad")) if part > whole else None
    return join(track, f" {percent} %", over)


async def _runs(page: Page) -> Html:
    shown = await page.data.get(NETTING_RUNS.path, _RUNS, limit=_PAGE, order="newest")
    rows: list[list[Child]] = [
        [
            el("a", {"href": f"/trade/runs/{one['id']}"}, one["id"]),
            member_link(one["opener"]),
            moment(page, one["closes_ms"]),
            _status(page, one["status"]),
            yuan(one["total"]),
        ]
        for one in shown.value["netting_runs"]
    ]
    columns = ("trade.run", "trade.opener", "trade.closes", "trade.status", "trade.cleared")
    body = table(page, "trade.runs", columns, rows, numeric="4") if rows else empty(page, "trade.no_runs")
    return section(page, "trade.runs", body, shown=shown, note="trade.runs.note")


# A receivable


async def receivable(page: Page) -> View:
    """Build the page of a receivable."""
    number, values = number_of(page.part("id"), "R"), Values(page)
    held = hold_key(NAME, RECEIVABLE, f"R{number}")
    await values.read(receivable_key(number), held)
    record, hold = values.get(receivable_key(number)), values.get(held)
    if record is None:
        raise Problem(404, "unknown_receivable", page.t("trade.unknown", name=page.part("id")), values.shown.node)
    found, name = Receivable.decoded(record), f"R{number}"
    if found.loan:
        await values.read(loan_key(found.loan))
    loan = Loan(**values.get(loan_key(found.loan))) if found.loan else None
    frozen = hold if hold is not None and hold["status"] == "held" else None
    return page.view(
        name,
        lead(page, name, "trade.receivable.lead", el("p", None, el("a", {"href": NAV.path}, page.t("trade.nav")))),
        section(
            page,
            "trade.hands",
            _held(page, frozen) if frozen is not None else None,
            _hands(page, found),
            facts(_about(page, found, loan)),
            shown=values.shown,
            note="trade.hands.note",
        ),
        await _steps(page, name),
        await _offers(page, name),
    )


def _held(page: Page, hold: Mapping[str, Any]) -> Html:
    link = finding_link(hold["finding"])
    ends = join(page.t("currency.until"), " ", due(page, hold["until_ms"]))
    return notice("bad", el("p", None, page.t("trade.on_hold"), " ", link), el("p", None, ends))


def _hands(page: Page, found: Receivable) -> Html:
    """Return who issued a receivable, whose hands it went through, who holds it, and who owes it to them."""
    former = [str(hand[0]) for hand in found.hands]
    recourse = [bool(hand[1]) for hand in found.hands]
    places = [*former, found.holder]
    steps = []
    for place, member in enumerate(places):
        role = "trade.role.holder" if place == len(former) else "trade.role.hand"
        answers = place < len(recourse) and recourse[place]
        words = [el("span", {"class": "role"}, page.t(role)), member_link(member)]
        words += [tag(page.t("trade.recourse"), "wait")] if answers else []
        steps.append(el("li", {"class": "now" if place == len(former) else None}, words))
    owes = [el("span", {"class": "role"}, page.t("trade.role.debtor")), member_link(found.debtor)]
    amount = page.t("trade.owes", amount=yuan(found.outstanding))
    steps.append(el("li", {"class": "debtor"}, owes, el("span", {"class": "role"}, amount)))
    return el("ol", {"class": "hands", "aria-label": page.t("trade.hands")}, steps)


def _about(page: Page, found: Receivable, loan: Loan | None) -> list[tuple[str, Child]]:
    rows: list[tuple[str, Child]] = [
        (page.t("trade.status"), _status(page, found.status)),
        (page.t("trade.outstanding"), el("strong", None, yuan(found.outstanding))),
        (page.t("trade.amount"), yuan(found.amount)),
        (page.t("trade.due"), due(page, found.due_ms)),
        (page.t("trade.creditor"), member_link(found.creditor)),
        (page.t("trade.wallet"), el("a", {"href": wallet_path(found.wallet)}, found.wallet)),
        (page.t("trade.block"), height_link(page, found.height)),
    ]
    if found.parent:
        rows.append((page.t("trade.parent"), receivable_link(f"R{found.parent}")))
    if found.financier:
        kind = page.t("trade.pledged" if found.pledgee else "trade.assigned")
        rows.append((page.t("trade.financier"), join(member_link(found.financier), " ", tag(kind, ""))))
    if loan is not None:
        words = page.t("trade.loan.left", principal=yuan(loan.principal), fee=yuan(loan.fee))
        rows.append((page.t("trade.loan"), f"L{found.loan}: {words}"))
    if found.autopay:
        rows.append((page.t("trade.autopay"), el("a", {"href": wallet_path(found.autopay)}, found.autopay)))
    if found.run:
        rows.append((page.t("trade.run"), el("a", {"href": f"/trade/runs/N{found.run}"}, f"N{found.run}")))
    if found.dispute is not None:
        rows.append((page.t("trade.dispute"), tag(page.t("trade.disputed"), "bad")))
    elif found.disputes:
        rows.append((page.t("trade.dispute"), page.t("trade.disputes", count=page.number(found.disputes))))
    return rows


async def _steps(page: Page, name: str) -> Html:
    """Return all that happened to a receivable, proven to be all, and where the rules' verdicts on it are."""
    shown = await page.data.history(NAME, RECEIVABLE, name)
    rows: list[list[Child]] = []
    for row in shown.value:
        item = row["item"]
        said = item["attributes"]
        rows.append(
            [
                item["time"].removesuffix("Z").replace("T", " "),
                page.t_or(f"trade.event.{item['type']}", item["type"]),
                member_link(str(said["by"])) if "by" in said else page.t("trade.fell_due"),
                member_link(str(said["holder"])) if "holder" in said else "",
                yuan(int(said["outstanding"])) if "outstanding" in said else "",
            ]
        )
    link = el("a", {"href": f"/processes/{NAME}/cases/{RECEIVABLE}/{name}"}, page.t("trade.case"))
    return section(
        page,
        "trade.steps",
        table(
            page,
            "trade.steps",
            ("trade.when", "trade.step", "trade.by", "trade.holder", "trade.left"),
            rows,
            numeric="4",
        ),
        el("p", None, link),
        shown=shown,
        note="trade.steps.note",
    )


async def _offers(page: Page, name: str) -> Html | None:
    """Return what is offered for a receivable; nothing if no node says it."""
    shown = await page.data.said(OFFERS.path, _OFFERS, receivable=name)
    if shown is None or not shown.value["offers"]:
        return None
    rows: list[list[Child]] = [
        [
            member_link(one["member"]),
            page.t_or(f"trade.kind.{one['kind']}", one["kind"]),
            page.t_or(f"trade.offer.{one['status']}", one["status"]),
            yuan(one["advance"]),
            yuan(one["fee"]),
            due(page, one["expires_ms"]),
        ]
        for one in shown.value["offers"]
    ]
    columns = (
        *("trade.offered_by", "trade.kind", "trade.status"),
        *("trade.advance", "trade.fee", "currency.until"),
    )
    return section(page, "trade.offers", table(page, "trade.offers", columns, rows, numeric="3 4"), shown=shown)


# A netting run


async def run(page: Page) -> View:
    """Build the page of a netting run: what each party owed and was owed before it, and after."""
    number, values = number_of(page.part("id"), "N"), Values(page)
    await values.read(run_key(number))
    record = values.get(run_key(number))
    if record is None:
        raise Problem(404, "unknown_run", page.t("trade.unknown_run", name=page.part("id")), values.shown.node)
    found, name = Run(**record), f"N{number}"
    status = found.status
    if phase(found, page.data.block_ms or 0) == CLEARING:
        status = CLEARING
    rows: list[tuple[str, Child]] = [
        (page.t("trade.status"), _status(page, status)),
        (page.t("trade.opener"), member_link(found.by)),
        (page.t("trade.closes"), moment(page, found.closes_ms)),
        (page.t("trade.clears_until"), moment(page, found.closes_ms + CLEARING_MS)),
    ]
    proof = None
    if found.status == CLEARED:
        rows.append((page.t("trade.cleared"), el("strong", None, yuan(found.total))))
        proof = notice("good", el("p", None, page.t("trade.proven_best")))
    return page.view(
        name,
        lead(page, name, "trade.run.lead", el("p", None, el("a", {"href": NAV.path}, page.t("trade.nav")))),
        section(page, "trade.run", proof, facts(rows), shown=values.shown),
        await _before_and_after(page, name),
    )


async def _before_and_after(page: Page, name: str) -> Html:
    asked = {"run": name, "limit": _OBLIGATIONS, "cursor": page.query("cursor")}
    shown = await page.data.said(NETTING_OBLIGATIONS.path, _ENTERED, **asked)
    if shown is None:
        return notice("", page.t("trade.for_members"))
    entered = [one for one in shown.value["netting_obligations"] if one["status"] != "withdrawn"]
    parties: dict[str, list[int]] = {}
    for one in entered:
        for place, party in enumerate((one["debtor"], one["holder"])):
            figures = parties.setdefault(party, [0, 0, 0, 0])
            figures[place] += one["amount"]
            figures[2 + place] += one["amount"] - one["cleared"]
    rows: list[list[Child]] = [
        [member_link(party), *(yuan(figure) for figure in figures), yuan(figures[1] - figures[0])]
        for party, figures in sorted(parties.items())
    ]
    columns = (
        *("trade.party", "trade.owes_before", "trade.owed_before", "trade.owes_after", "trade.owed_after"),
        "trade.net",
    )
    each: list[list[Child]] = [
        [
            receivable_link(one["receivable"]),
            member_link(one["debtor"]),
            member_link(one["holder"]),
            yuan(one["amount"]),
            yuan(one["cleared"]),
            yuan(one["amount"] - one["cleared"]),
        ]
        for one in entered
    ]
    of_each = (
        *("trade.receivable", "trade.debtor", "trade.holder"),
        *("trade.before", "trade.cleared", "trade.after"),
    )
    return section(
        page,
        "trade.parties",
        table(page, "trade.parties", columns, rows, numeric="1 2 3 4 5"),
        el("h3", None, page.t("trade.obligations")),
        table(page, "trade.obligations", of_each, each, numeric="3 4 5"),
        cursor_pager(page, shown.value.get("next")),
        shown=shown,
        note="trade.parties.note",
    )


ROUTES: Final = (
    Route(NAV.path, trade, NAV.key),
    Route("/trade/receivables/{id}", receivable, NAV.key),
    Route("/trade/runs/{id}", run, NAV.key),
)
