"""For whom a request for an opening waits, and the clocks of all sides.

Law: both follow from the certified state: the request, the seats of the vault, the policy in force.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from coseal.console.html import Child, Html, el, join
from coseal.console.page import Page
from coseal.console.parts import due, member_link, moment, tag
from coseal.contracts.disclosure.policy import OTHERS, OWN, SUPERVISORS
from coseal.contracts.disclosure.requests import AGAINST, APPROVED, ASKED, OPENED, RELEASED, Request
from coseal.contracts.disclosure.reviewing import JUSTIFIED, WAITING
from coseal.contracts.disclosure.vaults import ACCEPTED, Vault

KINDS: Final = (SUPERVISORS, OTHERS)


class Wait(NamedTuple):
    """What is to be done now (a key of the catalogue), by whom, until when (ms), and of how many."""

    key: str
    who: tuple[str, ...]
    due_ms: int
    number: int = 1


def waits(
    request: Request, vault: Vault, needs: Mapping[str, int], now_ms: int, review: Mapping[str, Any] | None = None
) -> list[Wait]:
    """Return for whom a request waits now. ``needs`` are the approvals that its basis takes.

    ``review`` is that of an emergency request, which may be awaited after the request ended.
    """
    found = _steps(request, vault, needs, now_ms)
    if review is not None and review["status"] == WAITING:
        found.append(Wait("disclosure.waits.review", (), review["due_ms"]))
    return found


def _steps(request: Request, vault: Vault, needs: Mapping[str, int], now_ms: int) -> list[Wait]:
    """Return for whom the next step of a request waits: nobody once it ended."""
    match request.status:
        case status if status == ASKED:
            if request.objected and not request.answered:
                return [Wait("disclosure.waits.answer", (request.by,), request.due_ms)]
            if not request.objected and now_ms < request.object_ms:
                return [Wait("disclosure.waits.object", (request.owner,), request.object_ms)]
            more = {kind: needs.get(kind, 0) - request.count(kind) for kind in KINDS}
            return [
                Wait(f"disclosure.waits.{kind}", (), request.due_ms, count) for kind, count in more.items() if count > 0
            ]
        case status if status == APPROVED:
            count, left = vault.threshold - len(request.released), awaited(request, vault)
            if len(left) < count:
                return [Wait("disclosure.waits.too_few", (), request.due_ms)]
            return [Wait("disclosure.waits.release", left, request.due_ms, count)]
        case status if status == RELEASED:
            return [Wait("disclosure.waits.open", (request.by,), request.due_ms)]
    return []


def awaited(request: Request, vault: Vault) -> tuple[str, ...]:
    """Return the custodians that may release and neither did nor declined."""
    answered = {*request.seats(), *request.declined}
    return tuple(
        member
        for seat, (member, status) in enumerate(vault.seats)
        if status == ACCEPTED and seat not in answered and member != request.by
    )


def waiting(page: Page, found: Sequence[Wait], now_ms: int) -> Child:
    """Return for whom a request waits, for a list."""
    if not found:
        return "–"
    return join(*(el("div", None, _wait(page, one, now_ms)) for one in found))


def _wait(page: Page, one: Wait, now_ms: int) -> Html:
    late = join(" ", tag(page.t("disclosure.overdue"), "bad")) if one.due_ms <= now_ms else None
    return join(people(one.who), " " if one.who else None, page.t(one.key, count=page.number(one.number)), late)


def until(page: Page, found: Sequence[Wait]) -> Child:
    """Return until when what a request waits for is due."""
    return due(page, found[0].due_ms) if found else "–"


def people(names: Sequence[str]) -> Html:
    """Return members as links."""
    return join(*(join(", " if number else None, member_link(name)) for number, name in enumerate(names)))


def clocks(
    page: Page,
    request: Request,
    vault: Vault,
    needs: Mapping[str, int],
    now_ms: int,
    review: Mapping[str, Any] | None = None,
) -> list[list[Child]]:
    """Return a row a step: which side, who, what is to be done, until when, and where that is.

    An emergency request has a ``review`` in place of objection and approvals.
    """
    late = request.due_ms <= now_ms
    rows: list[list[Child]] = []

    def row(side: str, who: Sequence[str], step: str, until_ms: int, state: str, tone: str = "") -> None:
        ends: Child = "–" if not until_ms else due(page, until_ms) if tone == "wait" else moment(page, until_ms)
        words = page.t(f"disclosure.do.{step}")
        rows.append([page.t(f"disclosure.side.{side}"), people(who) if who else "–", words, ends, tag(state, tone)])

    def at(stage: str) -> tuple[int, str, str]:
        """Return until when what is done in a stage is due, how it stands while it is not done, and the tone."""
        if request.status == stage:
            return request.due_ms, page.t("disclosure.overdue" if late else "disclosure.awaited"), _tone(late)
        return 0, page.t("disclosure.not_begun" if _before(request, stage) else "disclosure.not_done"), ""

    if request.basis != OWN and review is None:
        open_still = request.status == ASKED and not request.objected and now_ms < request.object_ms
        state = "objected" if request.objected else "may_object" if open_still else "no_objection"
        row(
            "owner",
            [request.owner],
            "object",
            request.object_ms,
            page.t(f"disclosure.{state}"),
            "wait" if open_still else "",
        )
    if request.objected:
        ends, state, tone = at(ASKED)
        done = (0, page.t("disclosure.answered"), "good") if request.answered else (ends, state, tone)
        row("requester", [request.by], "answer", *done)
    if review is None:
        row("approvers", *_approvals(page, request, needs, at(ASKED)))
    else:
        row("reviewers", *_review(page, review, now_ms))
    for seat, (member, status) in enumerate(vault.seats):
        if status == ACCEPTED:
            row("custodian", [member], "release", *_seat(page, request, vault, seat, at(APPROVED)))
    opened = (0, page.t("disclosure.request.opened"), "good") if request.status == OPENED else at(RELEASED)
    row("requester", [request.by], "open", *opened)
    state = page.t("disclosure.runs" if request.is_open else "disclosure.ended")
    row("all", [], "end", request.expires_ms, state, "wait" if request.is_open else "")
    return rows


def _tone(late: bool) -> str:
    return "bad" if late else "wait"


_STAGES: Final = (ASKED, APPROVED, RELEASED, OPENED)


def _before(request: Request, stage: str) -> bool:
    """Say whether a request has not come to a stage yet, and still may."""
    return request.is_open and _STAGES.index(request.status) < _STAGES.index(stage)


def _approvals(
    page: Page, request: Request, needs: Mapping[str, int], stage: tuple[int, str, str]
) -> tuple[list[str], str, int, str, str]:
    """Return who answered, the step, until when, how many of which kind approved, and the tone."""
    counts = "; ".join(
        page.t(f"disclosure.approvals.{kind}", count=request.count(kind), needed=needs.get(kind, 0))
        for kind in KINDS
        if needs.get(kind, 0) or request.count(kind)
    )
    if refusals := request.count(AGAINST):
        counts += "; " + page.t("disclosure.approvals.against", count=refusals)
    ends, _, tone = stage
    passed = request.status in (APPROVED, RELEASED, OPENED)
    return [member for member, _, _ in request.answers], "approve", ends, counts, "good" if passed else tone


def _review(page: Page, review: Mapping[str, Any], now_ms: int) -> tuple[list[str], str, int, str, str]:
    """Return who judged an emergency request, the step, until when, how it stands, and the tone."""
    members, status = [member for member, _, _ in review["verdicts"]], review["status"]
    if status != WAITING:
        tone = "good" if status == JUSTIFIED else "bad"
        return members, "review", 0, page.t(f"disclosure.review.{status}"), tone
    late = review["due_ms"] <= now_ms
    words = page.t("disclosure.overdue" if late else "disclosure.awaited")
    return members, "review", review["due_ms"], words, _tone(late)


def _seat(page: Page, request: Request, vault: Vault, seat: int, stage: tuple[int, str, str]) -> tuple[int, str, str]:
    """Return until when a seat releases, how it stands, and the tone."""
    if seat in request.seats():
        return 0, page.t("disclosure.request.released"), "good"
    if seat in request.declined:
        return 0, page.t("disclosure.step.declined"), "bad"
    if vault.seats[seat][0] == request.by:
        return 0, page.t("disclosure.own_seat"), ""
    if request.status in (RELEASED, OPENED):
        return 0, page.t("disclosure.not_needed"), ""
    return stage
