"""Requests for openings of sealed data: all there are with who holds each up; of one its purpose, clocks and steps.

Law: which requests there are is a node's list; how each stands is read from the certified state, its purpose from the
verified block that recorded it, and its steps from the owner's log, which is proven to be whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from coseal.audit.access import Access
from coseal.console import shapes
from coseal.console.ballot_parts import Values
from coseal.console.html import Child, Html, el, join
from coseal.console.nodes import Problem
from coseal.console.opening_parts import Wait, clocks, until, waiting, waits
from coseal.console.page import Page, Route, View
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
    section,
    table,
    tag,
)
from coseal.console.shown import joined
from coseal.console.supervision_parts import finding_link, source_link
from coseal.console.vault_parts import (
    NAV,
    REQUESTS,
    Accesses,
    accesses_link,
    accesses_of,
    asked_in,
    filters,
    now_of,
    of_request,
    request_link,
    said_of,
    status_tag,
    step_tag,
    tabs,
    vault_link,
)
from coseal.contracts.disclosure import lists
from coseal.contracts.disclosure.policy import FINDING, policy_of
from coseal.contracts.disclosure.requests import OVERDUE, STATUSES, Request, request_of
from coseal.contracts.disclosure.state import POLICY_KEY, request_key, review_key, sidecar_key, vault_key
from coseal.contracts.disclosure.vaults import Vault, vault_of

_PAGE: Final = 25
_LISTED: Final = shapes.record(
    height=shapes.height,
    next=shapes.maybe(shapes.cursor),
    requests=shapes.listed(shapes.record(requester=shapes.name, request=shapes.name)),
)


async def requests(page: Page) -> View:
    """Build the list of requests."""
    title = page.t("disclosure.requests")
    head = lead(page, title, "disclosure.requests.lead", tabs(page, REQUESTS))
    given: dict[str, Any] = {name: page.query(name) for name in ("status", "owner", "requester", "cursor")}
    try:
        listed = await page.data.get(lists.REQUESTS.path, _LISTED, limit=page.rows(_PAGE), **given)
    except Problem as problem:
        if problem.code != "unauthenticated":
            raise
        return page.view(title, head, notice("", page.t("disclosure.for_members")))
    names = [(one["requester"], one["request"]) for one in listed.value["requests"]]
    values = Values(page)
    await values.read_many([POLICY_KEY, *(request_key(*name) for name in names)])
    found = [request for name in names if (request := request_of(values, *name)) is not None]
    beside = {vault_key(one.owner, one.vault): None for one in found}
    await values.read_many([*beside, *(review_key(one.by, one.id) for one in found)])
    columns = (
        *("disclosure.request", "disclosure.vault", "disclosure.basis", "disclosure.status"),
        *("disclosure.waits", "disclosure.until", "disclosure.ends"),
    )
    made = table(page, "disclosure.requests.list", columns, [_row(page, values, one) for one in found])
    return page.view(
        title,
        head,
        section(
            page,
            "disclosure.requests.list",
            filters(page, "status", "request", STATUSES),
            made if found else empty(page, "disclosure.no_requests"),
            cursor_pager(page, listed.value.get("next")),
            shown=joined(listed, values.shown) if found else listed,
            note="disclosure.requests.note",
        ),
    )


def _row(page: Page, values: Values, request: Request) -> list[Child]:
    now_ms, found = now_of(page), _waits(page, values, request)
    return [
        request_link(request.by, request.id),
        vault_link(request.owner, request.vault),
        _basis(page, request),
        status_tag(page, "request", request.status),
        waiting(page, found, now_ms),
        until(page, found),
        _ends(page, request),
    ]


def _ends(page: Page, request: Request) -> Html:
    return due(page, request.expires_ms) if request.is_open else moment(page, request.expires_ms)


def _basis(page: Page, request: Request) -> str:
    return page.t_or(f"disclosure.basis.{request.basis}", request.basis)


def _vault(values: Values, request: Request) -> Vault:
    vault = vault_of(values, request.owner, request.vault)
    assert vault is not None  # noqa: S101  # a request is of a vault, and both were read
    return vault


def _needs(values: Values, request: Request) -> dict[str, int]:
    found: dict[str, int] = policy_of(values)["approvals"].get(request.basis, {})
    return found


def _waits(page: Page, values: Values, request: Request) -> list[Wait]:
    review = values.get(review_key(request.by, request.id))
    return waits(request, _vault(values, request), _needs(values, request), now_of(page), review)


# One request


async def request(page: Page) -> View:
    """Build the page of a request."""
    by, name, values = page.part("by"), page.part("id"), Values(page)
    await values.read(request_key(by, name), POLICY_KEY)
    found = request_of(values, by, name)
    if found is None:
        said = page.t("disclosure.unknown_request", name=f"{by}/{name}")
        raise Problem(404, "unknown_request", said, values.shown.node)
    keys = [sidecar_key(found.owner, found.vault, number) for number, _, _ in found.scope]
    await values.read_many([vault_key(found.owner, found.vault), review_key(by, name), *keys])
    accesses = await accesses_of(page, found.owner)
    steps = of_request(accesses.entries, found.name)
    back = el(
        "p", None, el("a", {"href": REQUESTS}, page.t("disclosure.requests")), " · ", accesses_link(page, found.owner)
    )
    review = values.get(review_key(by, name))
    rows = clocks(page, found, _vault(values, found), _needs(values, found), now_of(page), review)
    columns = (*("disclosure.side", "disclosure.who", "disclosure.what", "disclosure.until", "disclosure.state"),)
    return page.view(
        found.name,
        lead(page, found.name, "disclosure.request.lead", back),
        section(page, "disclosure.now", _stands(page, values, found), shown=values.shown),
        await _why(page, found),
        section(
            page,
            "disclosure.clocks",
            table(page, "disclosure.clocks", columns, rows),
            shown=values.shown,
            note="disclosure.clocks.note",
        ),
        _scope(page, values, found),
        await _steps(page, found, steps, accesses),
    )


def _stands(page: Page, values: Values, request: Request) -> Html:
    """Return how a request stands, and who holds it up."""
    found = _waits(page, values, request)
    rows: list[tuple[str, Child]] = [
        (page.t("disclosure.status"), status_tag(page, "request", request.status)),
        (page.t("disclosure.waits"), waiting(page, found, now_of(page)) if found else page.t("disclosure.nobody")),
    ]
    if found:
        rows.append((page.t("disclosure.until"), until(page, found)))
    rows += [
        (page.t("disclosure.requester"), member_link(request.sender)),
        (page.t("disclosure.owner"), member_link(request.owner)),
        (page.t("disclosure.vault"), vault_link(request.owner, request.vault)),
        (page.t("disclosure.ends"), _ends(page, request)),
    ]
    return facts(rows)


async def _why(page: Page, request: Request) -> Html:
    """Return purpose, basis and legal basis, as the transaction says that made the request."""
    said = await asked_in(page, request.by, request.id, request.height)
    if said is None:
        return section(page, "disclosure.why", notice("wait", page.t("disclosure.why.pruned", height=request.height)))
    reference: Child = finding_link(request.reference) if request.basis == FINDING else request.reference
    rows: list[tuple[str, Child]] = [
        (page.t("disclosure.purpose"), str(said.value["purpose"])),
        (page.t("disclosure.legal_basis"), str(said.value["legal_basis"])),
        (page.t("disclosure.basis"), join(_basis(page, request), ": " if request.reference else None, reference)),
        (page.t("disclosure.recorded"), height_link(page, request.height)),
    ]
    if "reason" in said.value:
        rows.append((page.t("disclosure.step.emergency"), str(said.value["reason"])))
    return section(page, "disclosure.why", facts(rows), shown=said)


def _scope(page: Page, values: Values, request: Request) -> Html:
    """Return which cells are asked for: those of the items under the labels, a row a sidecar."""
    rows: list[list[Child]] = []
    for number, sequences, labels in request.scope:
        record: Any = values.get(sidecar_key(request.owner, request.vault, number))
        rows.append(
            [
                page.number(number),
                "" if record is None else source_link(record["source"]),
                _ranges(sequences),
                ", ".join(labels),
                page.number(len(sequences) * len(labels)),
                tag(page.t("disclosure.is_erased")) if record is None else moment(page, record["erase_ms"]),
            ]
        )
    columns = (
        *("disclosure.number", "disclosure.source", "disclosure.items", "disclosure.labels", "disclosure.cells"),
        "disclosure.erasure",
    )
    made = table(page, "disclosure.scope", columns, rows, numeric="0 4")
    return section(page, "disclosure.scope", made, shown=values.shown, note="disclosure.scope.note")


def _ranges(numbers: Sequence[int]) -> str:
    """Return numbers in words: ``1–3, 7``."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}–{last}" for first, last in runs)


async def _steps(page: Page, request: Request, steps: Sequence[Access], accesses: Accesses) -> Html:
    """Return the steps of a request with their reasons, newest last."""
    if accesses.shown is None:
        tone = "bad" if accesses.failed else "wait"
        why = notice(tone, page.t(accesses.missing), " ", accesses.detail)
        return section(page, "disclosure.steps", why, shown=accesses.failed)
    said, blocks = await said_of(page, request.owner, steps)
    rows = []
    for one in steps:
        act = said.get(one.number)
        rest = one.subject.partition(" ")[2]
        rows.append(
            [
                page.number(one.number),
                step_tag(page, one.step),
                member_link(act.sender) if act and act.sender else _late(one.step, rest),
                _detail(page, one.step, rest, "" if act is None else act.reason),
                height_link(page, one.height),
                "" if act is None else moment(page, act.time_ms),
            ]
        )
    columns = (
        *("disclosure.entry", "disclosure.step", "disclosure.who", "disclosure.reason"),
        *("disclosure.block", "disclosure.when"),
    )
    made = table(page, "disclosure.steps", columns, rows, numeric="0") if rows else empty(page)
    return section(page, "disclosure.steps", made, shown=joined(accesses.shown, *blocks), note="disclosure.steps.note")


def _late(step: str, rest: str) -> Child:
    """Return whose step was overdue; of other steps without a sender, nobody."""
    member = rest.partition(" ")[2]
    return member_link(member) if step == OVERDUE and member else ""


def _detail(page: Page, step: str, rest: str, reason: str) -> Child:
    """Return what a step says: what was late, counts, whose fault which; and the reason."""
    first, _, last = rest.partition(" ")
    match step:
        case "overdue":
            return page.t_or(f"disclosure.do.{first}", first)
        case "opened":
            return rest
        case "fault":
            return join(member_link(first), ": ", page.t_or(f"disclosure.fault.{last}", last))
        case "declined":
            return join(tag(page.t_or(f"disclosure.declined.{last}", last)), " ", reason)
    return reason


ROUTES: Final = (
    Route(REQUESTS, requests, NAV, lists="openings"),
    Route(f"{REQUESTS}/{{by}}/{{id}}", request, NAV),
)
