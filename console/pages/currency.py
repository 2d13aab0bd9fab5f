"""Money: what was issued and where it is, in two layers, with what is frozen; and one wallet with all its movements.

Law: totals, institutions and wallets are read from the certified state, all of one block, so the equation is sealed; a
wallet's movements are its statement, verified here to be all. Lists of wallets, pending transfers and freezes are the
node's index and sealed as such.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from coseal.client.statements import Statement, period_of
from coseal.console import shapes
from coseal.console.ballot_parts import Values
from coseal.console.html import Child, Html, el, join
from coseal.console.money_parts import wallet_path, yuan
from coseal.console.nodes import NoAnswer, Problem
from coseal.console.page import Entry, Page, Route, View
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
from coseal.console.project_parts import project_link
from coseal.console.supervision_parts import finding_link
from coseal.console.two_layers import Holding, two_layers
from coseal.contracts.currency.ledger import LIMITS, POST, POSTED, Movement, Wallet
from coseal.contracts.currency.lists import PENDINGS, WALLETS
from coseal.contracts.currency.post import OBJECT_TYPE, PROCESS_TYPE, Totals, class_of, issuance
from coseal.contracts.currency.state import ISSUANCE_KEY, TOTALS_KEY, class_key, institution_key, rekey_key, wallet_key
from coseal.contracts.currency.statement import month_text
from coseal.contracts.membership.state import MEMBERS_KEY
from coseal.contracts.supervision.lists import HOLDS
from coseal.contracts.supervision.state import hold_key
from coseal.errors import CosealError

NAV: Final = Entry("currency.nav", "/currency")
_PAGE: Final = 25
_SHOWN_MOVEMENTS: Final = 200
_TONES: Final = {"open": "good", "closed": "", "held": "bad"}
_AMOUNT: Final = shapes.integer(low=-(2**63))


def _condition(value: Any, where: str) -> str | list[str]:
    """Return a condition of a pending transfer as a text, or the parts of a name; empty for one that has no value."""
    if value is True:
        return ""
    if type(value) is list:
        return list(shapes.listed(_part, 3)(value, where))
    return _part(value, where)


def _part(value: Any, where: str) -> str:
    return str(shapes.integer()(value, where)) if type(value) is int else shapes.text(128)(value, where)


_LISTED: Final = shapes.record(
    height=shapes.height,
    next=shapes.maybe(shapes.cursor),
    wallets=shapes.listed(
        shapes.record(
            wallet=shapes.name,
            holder=shapes.text(128),
            authority=shapes.text(16),
            **{"class": shapes.text(128)},
            status=shapes.text(16),
            balance=_AMOUNT,
            reserved=_AMOUNT,
        )
    ),
)
_HELD: Final = shapes.record(
    height=shapes.height,
    next=shapes.maybe(shapes.cursor),
    holds=shapes.listed(
        shapes.record(
            object=shapes.name,
            finding=shapes.name,
            status=shapes.text(16),
            amount=shapes.optional(_AMOUNT),
            until_ms=shapes.time_ms,
        )
    ),
)
_PENDING: Final = shapes.record(
    height=shapes.height,
    next=shapes.maybe(shapes.cursor),
    pendings=shapes.listed(
        shapes.record(
            id=shapes.name,
            debit=shapes.name,
            credit=shapes.name,
            amount=_AMOUNT,
            code=shapes.text(8),
            expires_ms=shapes.time_ms,
            release=shapes.maybe(shapes.mapped(_condition, 16)),
        )
    ),
)


# All of it


async def currency(page: Page) -> View:
    """Build the page of the two layers."""
    values = Values(page)
    await values.read(ISSUANCE_KEY, TOTALS_KEY, MEMBERS_KEY)
    issued, totals = issuance(values), Totals.read(values)
    institutions = await _institutions(values, totals.institutions)
    title = page.t("currency.nav")
    return page.view(
        title,
        lead(page, title, "currency.lead"),
        section(
            page,
            "currency.layers",
            _equation(page, issued.debits_posted, issued.credits_posted, institutions),
            _picture(page, -issued.posted, institutions),
            _table_of_institutions(page, institutions),
            facts(_reserved(page, totals, issued.credits_pending)),
            shown=values.shown,
            note="currency.layers.note",
        ),
        await _frozen(page),
        await _wallets(page),
    )


async def _institutions(values: Values, count: int) -> dict[str, Sequence[Any]]:
    """Return the records of all institutions, which are members; their number is proven."""
    found: dict[str, Sequence[Any]] = {}
    for member in values.get(MEMBERS_KEY) or ():
        if len(found) == count:
            break
        await values.read(institution_key(member))
        record = values.get(institution_key(member))
        if record is not None:
            found[member] = record
    return found


def _equation(page: Page, issued: int, redeemed: int, institutions: Mapping[str, Sequence[Any]]) -> Html:
    """Return what was issued and not redeemed, and that it is what all institutions' wallets have."""
    vaults, customers = (sum(record[at] for record in institutions.values()) for at in (1, 0))
    holds = issued - redeemed == vaults + customers
    left = page.t("currency.equation.left", issued=yuan(issued), redeemed=yuan(redeemed), sum=yuan(issued - redeemed))
    right = page.t("currency.equation.right", vaults=yuan(vaults), customers=yuan(customers))
    words = page.t("currency.equation.holds" if holds else "currency.equation.broken")
    return el("p", {"class": "equation"}, left, " = ", right, " ", tag(words, "good" if holds else "bad"))


def _picture(page: Page, circulating: int, institutions: Mapping[str, Sequence[Any]]) -> Html:
    holdings = [
        Holding(name, record[1], record[0], yuan(record[0] + record[1]), page.link(NAV.path, institution=name))
        for name, record in institutions.items()
    ]
    above = page.t("currency.above", amount=yuan(circulating))
    return two_layers(
        page.t("currency.layers"), above, holdings, (page.t("currency.vault"), page.t("currency.customers"))
    )


def _table_of_institutions(page: Page, institutions: Mapping[str, Sequence[Any]]) -> Html:
    columns = ("currency.institution", "currency.wallets", "currency.vault", "currency.customers", "currency.runs")
    rows: list[list[Child]] = [
        [
            member_link(name),
            page.number(record[2]),
            yuan(record[1]),
            yuan(record[0]),
            member_link(record[4] or name),
        ]
        for name, record in institutions.items()
    ]
    return table(page, "currency.institutions", columns, rows, numeric="1 2 3")


def _reserved(page: Page, totals: Totals, redeeming: int) -> list[tuple[str, Child]]:
    return [
        (page.t("currency.reserved"), yuan(totals.balance.debits_pending)),
        (page.t("currency.redeeming"), yuan(redeeming)),
        (page.t("currency.movements"), page.number(totals.balance.count)),
    ]


async def _frozen(page: Page) -> Html:
    shown = await page.data.get(HOLDS.path, _HELD, process_type=PROCESS_TYPE, status="held", limit=_PAGE)
    rows: list[list[Child]] = [
        [
            el("a", {"href": wallet_path(one["object"])}, one["object"]),
            page.t("currency.all_of_it") if one["amount"] is None else yuan(one["amount"]),
            finding_link(one["finding"]),
            due(page, one["until_ms"]),
        ]
        for one in shown.value["holds"]
    ]
    columns = ("currency.wallet", "currency.frozen_amount", "currency.finding", "currency.until")
    body = table(page, "currency.frozen", columns, rows, numeric="1") if rows else empty(page, "currency.none_frozen")
    return section(page, "currency.frozen", body, shown=shown, note="currency.frozen.note")


async def _wallets(page: Page) -> Html:
    """Return the list of wallets, of one institution if wanted; for members, so a console may not be answered."""
    asked: dict[str, Any] = {"limit": page.rows(_PAGE), "cursor": page.query("cursor")}
    asked["institution"] = page.query("institution")
    try:
        shown = await page.data.get(WALLETS.path, _LISTED, **asked)
    except (NoAnswer, Problem):
        return section(page, "currency.list", notice("", page.t("currency.for_members")))
    rows: list[list[Child]] = [
        [
            el("a", {"href": wallet_path(one["wallet"])}, one["wallet"]),
            one["holder"],
            page.t_or(f"currency.authority.{one['authority']}", one["authority"]),
            one["class"],
            tag(page.t_or(f"currency.status.{one['status']}", one["status"]), _TONES.get(one["status"], "")),
            yuan(one["balance"]),
            yuan(one["reserved"]),
        ]
        for one in shown.value["wallets"]
    ]
    columns = (
        *("currency.wallet", "currency.holder", "currency.authority", "currency.class", "currency.status"),
        *("currency.balance", "currency.reserved"),
    )
    return section(
        page,
        "currency.list",
        search(page, "institution", "currency.institution", value=page.query("institution") or ""),
        table(page, "currency.list", columns, rows, numeric="5 6"),
        cursor_pager(page, shown.value.get("next")),
        shown=shown,
    )


# One wallet


async def wallet(page: Page) -> View:
    """Build the page of a wallet."""
    name = f"{page.part('institution')}/{page.part('id')}"
    values, keys = Values(page), (wallet_key(name), hold_key(PROCESS_TYPE, OBJECT_TYPE, name), rekey_key(name))
    await values.read(*keys)
    record, hold, change = (values.get(key) for key in keys)
    if record is None:
        raise Problem(404, "unknown_wallet", page.t("currency.unknown", name=name), values.shown.node)
    found = Wallet.decoded(record)
    await values.read(class_key(found.class_id), institution_key(page.part("institution")))
    back = el("p", None, el("a", {"href": NAV.path}, page.t("currency.nav")))
    frozen = hold if hold is not None and hold["status"] == "held" else None
    return page.view(
        name,
        lead(page, name, "currency.wallet.lead", back),
        section(
            page,
            "currency.about",
            _freeze(page, frozen) if frozen is not None else None,
            facts(_about(page, values, found, frozen, change)),
            shown=values.shown,
        ),
        await _statement(page, name, found),
        await _pending(page, name),
    )


def _freeze(page: Page, hold: Mapping[str, Any]) -> Html:
    amount = page.t("currency.all_of_it") if hold["amount"] is None else yuan(hold["amount"])
    link = finding_link(hold["finding"])
    words = page.t("currency.is_frozen", amount=amount)
    ends = join(page.t("currency.until"), " ", due(page, hold["until_ms"]))
    return notice(
        "bad", el("p", None, words, " ", link), el("p", None, ends), el("p", None, page.t("currency.contest"))
    )


def _about(page: Page, values: Values, found: Wallet, hold: Any, change: Any) -> list[tuple[str, Child]]:
    balance = found.balance
    frozen = 0 if hold is None else balance.available if hold["amount"] is None else hold["amount"]
    authority = page.t_or(f"currency.authority.{found.authority}", found.authority)
    status = page.t_or(f"currency.status.{found.status}", found.status)
    rows: list[tuple[str, Child]] = [
        (page.t("currency.balance"), el("strong", None, yuan(balance.posted))),
        (page.t("currency.available"), yuan(max(balance.available - frozen, 0))),
        (page.t("currency.reserved"), yuan(balance.debits_pending)),
        (page.t("currency.incoming"), yuan(balance.credits_pending)),
        (page.t("currency.holder"), found.holder),
        (page.t("currency.authority"), authority),
        (page.t("currency.class"), join(found.class_id, " ", tag(status, _TONES.get(found.status, "")))),
        (page.t("currency.movements"), page.number(balance.count)),
    ]
    of_class = class_of(values, found.class_id)["limits"]
    used = (None, found.day_out, found.year_out, balance.posted + balance.credits_pending)
    for name, own, general, spent in zip(LIMITS, found.limits, of_class, used, strict=True):
        limits = [limit for limit in (own, general) if limit is not None]
        if limits:
            words = yuan(min(limits))
            if spent is not None:
                words = page.t("currency.used", limit=words, used=yuan(spent))
            rows.append((page.t(f"currency.limit.{name}"), words))
    if change is not None:
        rows.append((page.t("currency.new_key"), join(el("code", None, change[0]), " ", moment(page, change[1]))))
    return rows


def _fen(amount: str) -> int:
    """Return the fen of an amount that a statement says in yuan."""
    return int(amount.replace(".", ""))


async def _statement(page: Page, name: str, found: Wallet) -> Html:
    """Return the movements of a month, verified to be all; by default of the last in which it moved."""
    if not found.month:
        return section(page, "currency.statement", empty(page, "currency.no_movements"))
    month = page.query("month") or month_text(found.month)
    try:
        shown = await page.data.reader.statement(name, period_of(month, month))
    except CosealError as error:
        return section(page, "currency.statement", notice("", page.t("currency.no_statement", reason=str(error))))
    made = shown.value
    there: dict[str, str | int | bool | None] = {"href": f"{wallet_path(name)}/statement?month={quote(month)}"}
    link = el("p", None, el("a", {**there, "download": True}, page.t("currency.statement.file")))
    ends: list[tuple[str, Child]] = [
        (page.t(f"currency.{end}"), yuan(_fen(made.facts[end]))) for end in ("opening", "closing")
    ]
    return section(
        page,
        "currency.statement",
        search(page, "month", "currency.month", value=month),
        el("p", None, page.t("currency.all_movements", count=page.number(len(made.movements)), month=month)),
        _movements(page, name, made),
        facts(ends),
        link,
        shown=shown,
    )


def _movements(page: Page, name: str, made: Statement) -> Html:
    columns = (
        *("currency.number", "currency.when", "currency.kind", "currency.other_side", "currency.amount"),
        *("currency.balance", "currency.purpose", "currency.reference", "currency.block"),
    )
    balance, rows = _fen(made.facts["opening"]), list[list[Child]]()
    for one in made.movements:
        moved = one.amount if one.kind in (POSTED, POST) else 0
        balance += -moved if one.debit == name else moved
        rows.append(_movement(page, name, one, balance))
    return table(page, "currency.statement", columns, rows[-_SHOWN_MOVEMENTS:], numeric="4 5")


def _movement(page: Page, name: str, one: Movement, balance: int) -> list[Child]:
    paid = one.debit == name
    other = one.credit if paid else one.debit
    return [
        page.number(one.number),
        moment(page, one.time_ms),
        page.t_or(f"currency.kind.{one.kind}", one.kind),
        el("a", {"href": wallet_path(other)}, other) if "/" in other else page.t("currency.issuance"),
        yuan(-one.amount if paid else one.amount),
        yuan(balance),
        page.t_or(f"currency.code.{one.code}", one.code),
        one.reference or "–",
        height_link(page, one.height),
    ]


async def statement(page: Page) -> View:
    """Build the file of a statement, which ``coseal verify`` checks."""
    name = f"{page.part('institution')}/{page.part('id')}"
    month = page.query("month") or ""
    made = (await page.data.reader.statement(name, period_of(month, month))).value
    file = f"coseal-statement-{name.replace('/', '-')}-{month}.json"
    return page.file(file, json.dumps(made.document, ensure_ascii=False) + "\n")


async def _pending(page: Page, name: str) -> Html | None:
    """Return what is reserved from or for a wallet, with its conditions and its end."""
    shown = await page.data.said(PENDINGS.path, _PENDING, wallet=name, status="open", limit=_PAGE)
    if shown is None:
        return None
    rows: list[list[Child]] = [
        [
            one["id"],
            el("a", {"href": wallet_path(one["debit"])}, one["debit"]),
            el("a", {"href": wallet_path(one["credit"])}, one["credit"]) if "/" in one["credit"] else one["credit"],
            yuan(one["amount"]),
            page.t_or(f"currency.code.{one['code']}", one["code"]),
            _conditions(page, one.get("release") or {}),
            due(page, one["expires_ms"]),
        ]
        for one in shown.value["pendings"]
    ]
    columns = (
        *("currency.number", "currency.from", "currency.to", "currency.amount", "currency.purpose"),
        *("currency.conditions", "currency.until"),
    )
    body = table(page, "currency.pending", columns, rows, numeric="3") if rows else empty(page, "currency.none_pending")
    return section(page, "currency.pending", body, shown=shown, note="currency.pending.note")


def _conditions(page: Page, release: Mapping[str, Any]) -> Child:
    made = [_one_condition(page, name, value) for name, value in sorted(release.items())]
    if not made:
        return page.t("currency.release.none")
    return join(*(join("; " if number else "", one) for number, one in enumerate(made)))


def _one_condition(page: Page, name: str, value: str | list[str]) -> Html:
    words = page.t_or(f"currency.release.{name}", name)
    if name == "tranche" and len(value) == 2:
        return join(words, ": ", project_link(value[0]), " ", value[1])
    said = value if isinstance(value, str) else " / ".join(value)
    return join(words, ": ", said) if said else join(words)


ROUTES: Final = (
    Route(NAV.path, currency, NAV.key),
    Route("/currency/{institution}/{id}", wallet, NAV.key),
    Route("/currency/{institution}/{id}/statement", statement, NAV.key),
)
