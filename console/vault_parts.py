"""What the pages of sealed data share: their tabs, links to vaults and requests, the words of statuses and steps.

Law: a step of a log is shown as the ledger chained it; what its transaction adds is read from the verified block.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from coseal.audit.access import Access
from coseal.client.access import ProvenAccesses
from coseal.console.html import Child, Html, el, join
from coseal.console.nodes import NoAnswer, Problem
from coseal.console.page import Page
from coseal.console.parts import choices, hexadecimal, member_link, tag
from coseal.console.shown import Shown, Untrue
from coseal.contracts.disclosure import requests
from coseal.contracts.disclosure.log import LOG
from coseal.contracts.disclosure.requests import APPROVED, ASKED, RELEASED
from coseal.contracts.disclosure.reviewing import EMERGENCY
from coseal.contracts.disclosure.state import NAME, log_key
from coseal.contracts.disclosure.vaults import ACCEPTED, ARMED, DEALT, REFUSED, SILENT
from coseal.ledger.block import CommittedBlock, Receipt
from coseal.ledger.transaction import Transaction

PATH: Final = "/disclosure"
REQUESTS: Final = f"{PATH}/requests"
ACCESSES: Final = f"{PATH}/accesses"
NAV: Final = "disclosure.nav"
ENTRIES_MAX: Final = 10_000
"""Entries of a log that pages read; who has more is shown by the command line."""
_BLOCKS: Final = 64
"""Blocks that one page reads for reasons."""
_TONES: Final = {
    DEALT: "wait",
    ARMED: "good",
    ACCEPTED: "good",
    REFUSED: "bad",
    SILENT: "bad",
    ASKED: "wait",
    APPROVED: "wait",
    RELEASED: "wait",
    requests.OPENED: "good",
}
_BAD_STEPS: Final = ("refused", "silent", "overdue", "fault")
OF_REQUESTS: Final = (
    *("requested", "objected", "answered", "approved", "disapproved", "released", "declined", "opened", "fault"),
    *("overdue", "lapsed", "expired", EMERGENCY, "reviewed"),
)
OF_SEATS: Final = ("accepted", "refused", "silent", "destroyed")


def now_of(page: Page) -> int:
    """Return the time (ms) that terms are judged by: that of the block of the page, else of this computer."""
    return page.data.block_ms or page.now_ms


def tabs(page: Page, current: str) -> Html:
    """Return links to the pages of sealed data, the present one marked."""
    named = ((PATH, "disclosure.vaults"), (REQUESTS, "disclosure.requests"), (ACCESSES, "disclosure.accesses"))
    links = [
        el("a", {"href": path, "aria-current": "true" if path == current else None}, page.t(key)) for path, key in named
    ]
    return el("nav", {"class": "choices", "aria-label": page.t(NAV)}, links)


def vault_link(owner: str, vault: str) -> Html:
    """Return a vault as a link to its page."""
    return el("a", {"href": f"{PATH}/vaults/{quote(owner, safe='')}/{quote(vault, safe='')}"}, f"{owner}/{vault}")


def request_link(by: str, request: str) -> Html:
    """Return a request for an opening as a link to its page."""
    return el("a", {"href": f"{REQUESTS}/{quote(by, safe='')}/{quote(request, safe='')}"}, f"{by}/{request}")


def accesses_link(page: Page, owner: str) -> Html:
    """Return the link to all accesses to what a member sealed."""
    return el("a", {"href": f"{ACCESSES}/{quote(owner, safe='')}"}, page.t("disclosure.accesses.of", member=owner))


def status_tag(page: Page, of: str, status: str) -> Html:
    """Return the status of a ``vault``, ``seat`` or ``request`` in words."""
    return tag(page.t_or(f"disclosure.{of}.{status}", status), _TONES.get(status, ""))


def step_tag(page: Page, step: str) -> Html:
    """Return a step of a log in words."""
    return tag(page.t_or(f"disclosure.step.{step}", step), "bad" if step in _BAD_STEPS else "")


def subject(page: Page, entry: Access) -> Child:
    """Return about whom or what a step was."""
    first, _, rest = entry.subject.partition(" ")
    if entry.step in OF_REQUESTS and "/" in first:
        by, _, name = first.partition("/")
        return join(request_link(by, name), f" {_words(page, entry.step, rest)}" if rest else None)
    if entry.step in OF_SEATS and first:
        return member_link(first)
    if entry.step == "erased":
        return join(page.t("disclosure.sidecar", number=first), " ", hexadecimal(page, rest) if rest else None)
    return entry.subject or "–"


def _words(page: Page, step: str, rest: str) -> str:
    """Return what a step of a request says beside the request, its first word in words where it is one of ours."""
    first, _, more = rest.partition(" ")
    if step in ("requested", EMERGENCY):
        return page.t_or(f"disclosure.basis.{first}", rest)
    if step == "overdue":
        return " ".join(filter(None, (page.t_or(f"disclosure.do.{first}", first), more)))
    return rest


def of_request(entries: Iterable[Access], name: str) -> list[Access]:
    """Return the entries that are steps of a request, ``member/id``."""
    return [one for one in entries if one.step in OF_REQUESTS and one.subject.split(" ")[0] == name]


# What is read


class Accesses(NamedTuple):
    """All accesses to what a member sealed, or in ``missing`` the key of why they are not shown, and the detail."""

    shown: Shown[ProvenAccesses] | None
    missing: str = ""
    detail: str = ""
    failed: Shown[None] | None = None
    """The standing of a list that is refused, since it is not that of the certified state."""

    @property
    def entries(self) -> Sequence[Access]:
        """The entries, none where they are not shown."""
        return () if self.shown is None else self.shown.value.entries


async def accesses_of(page: Page, owner: str) -> Accesses:
    """Return all accesses to what a member sealed, as of the block of the page, or why they are not shown."""
    recorded = (await page.data.exact(log_key(owner))).value
    if recorded is not None and recorded[0] > ENTRIES_MAX:
        return Accesses(None, "disclosure.accesses.too_many", page.number(recorded[0]))
    try:
        return Accesses(await page.data.accesses(owner))
    except Untrue as error:
        return Accesses(None, "disclosure.accesses.refused", f"{error.shown.node}: {error.shown.detail}", error.shown)
    except Problem as problem:
        if problem.code == "unauthenticated":
            return Accesses(None, "disclosure.for_members")
        return Accesses(None, "disclosure.accesses.not_given", f"{problem.node}: {problem.detail}")
    except NoAnswer as error:
        return Accesses(None, "disclosure.accesses.not_given", str(error))


class Said(NamedTuple):
    """What the transaction of a step says: its sender and its arguments; and when it was recorded (ms)."""

    time_ms: int
    sender: str = ""
    args: Mapping[str, Any] = {}

    @property
    def reason(self) -> str:
        """The reason in its words, empty where the step has none."""
        return str(self.args.get("text") or self.args.get("reason") or self.args.get("purpose") or "")


async def said_of(page: Page, owner: str, entries: Sequence[Access]) -> tuple[dict[int, Said], list[Shown[Any]]]:
    """Return what the transactions of entries say by their numbers, from verified blocks, and what is shown of these.

    Of blocks that no node gives any more, and of those beyond a bound, nothing is returned.
    """
    heights = sorted({entry.height for entry in entries}, reverse=True)[:_BLOCKS]
    blocks = [shown for shown in await asyncio.gather(*(_block(page, height) for height in heights)) if shown]
    wanted = {(entry.height, entry.number): entry for entry in entries}
    said: dict[int, Said] = {}
    for shown in blocks:
        header = shown.value.block.header
        said |= {number: Said(header.time_ms) for height, number in wanted if height == header.height}
        for transaction, receipt in _of_disclosure(shown.value):
            for log_of, number, *_ in receipt.data.get(LOG, ()):
                if log_of == owner and (header.height, number) in wanted:
                    said[number] = Said(header.time_ms, transaction.sender, transaction.args)
    return said, list(blocks)


async def asked_in(page: Page, by: str, request: str, height: int) -> Shown[Mapping[str, Any]] | None:
    """Return the arguments of the transaction that made a request, of the verified block; None if nobody gives it."""
    shown = await _block(page, height)
    if shown is None:
        return None
    for transaction, _ in _of_disclosure(shown.value):
        asked = (transaction.sender.partition("/")[0], transaction.args.get("request"))
        if transaction.action in ("request", EMERGENCY) and asked == (by, request):
            return shown.of(transaction.args)
    return None


async def _block(page: Page, height: int) -> Shown[CommittedBlock] | None:
    try:
        return await page.data.block(height)
    except (NoAnswer, Problem, Untrue):
        return None


def _of_disclosure(committed: CommittedBlock) -> Iterable[tuple[Transaction, Receipt]]:
    """Yield the accepted transactions of this contract in a block with their receipts."""
    for raw, outcome in zip(committed.block.transactions, committed.receipts[1:], strict=True):
        transaction, receipt = Transaction.decode(raw), Receipt.decode(outcome)
        if receipt.ok and transaction.contract == NAME:
            yield transaction, receipt


def filters(page: Page, name: str, of: str, values: Sequence[str]) -> Html:
    """Return links that show only what has a status."""
    options = [("", page.t("disclosure.all")), *((one, page.t_or(f"disclosure.{of}.{one}", one)) for one in values)]
    return choices(page, name, options, "disclosure.status")
