"""One finding: what was found and why, its trail with everything that was said, and the steps that may be taken now.

Law: the finding, its rule, its hold and the transaction of every step are verified; a step is signed with the console's
key only after its form was confirmed, and its receipt is shown verified, whatever the outcome.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from coseal.console.documents import FINDING
from coseal.console.html import Child, Html, el, join
from coseal.console.nodes import NoAnswer, Problem
from coseal.console.page import Done, Page, Route, View
from coseal.console.pages.finding_acts import acts, take
from coseal.console.pages.rules import says
from coseal.console.parts import (
    due,
    facts,
    figure,
    figures,
    height_link,
    hexadecimal,
    lead,
    member_link,
    moment,
    notice,
    outcome,
    raw,
    seal,
    section,
    tag,
    transaction_link,
)
from coseal.console.rows import action_words
from coseal.console.shown import Shown, Untrue, joined
from coseal.console.supervision_parts import (
    SEVERITY,
    clock_of_record,
    held_amount,
    is_late,
    legal_basis,
    object_link,
    rule_link,
    source_link,
)
from coseal.contracts.rules.verdict import Verdict
from coseal.contracts.supervision.findings import OPEN_CASE
from coseal.contracts.supervision.state import finding_key, hold_key, rule_key
from coseal.ledger.block import Receipt

_TEXTS: Final = ("note", "question", "response", "reason", "measure")
_LAST: Final = 2**31
_HOLD_STEPS: Final = ("hold", "lift_hold", "contest_hold", "confirm_hold")


async def finding(page: Page) -> View:
    """Build the page of a finding."""
    name = page.part("id")
    shown = await page.data.state(finding_key(name))
    record = shown.value
    if record is None:
        raise Problem(404, "unknown_finding", page.t("supervision.unknown", name=name), "")
    place = (record["process_type"], record["object_type"], record["object"])
    rule, hold, listed = await asyncio.gather(
        page.data.state(rule_key(record["rule"], record["version"])),
        page.data.state(hold_key(*place)),
        page.data.said(f"/v1/findings/{name}", FINDING),
    )
    on_hold = hold.value if hold.value is not None and hold.value["finding"] == name else None
    said = (rule.value or {}).get("rule", {})
    title = el("span", None, name, " ", _status(page, record))
    return page.view(
        name,
        lead(page, title, None, el("p", None, _title(page, record, said))),
        await _receipt(page),
        section(page, "supervision.clocks", _clocks(page, record), shown=shown),
        await acts(page, record, on_hold),
        section(page, "supervision.what_found", _found(page, record, said), shown=joined(shown, rule)),
        _hold(page, on_hold, hold) if on_hold else None,
        await _trail(page, record, shown, listed),
        section(page, "rule.says", says(page, said), shown=rule) if said else None,
        section(page, "supervision.raw", _bundle_link(page, name), raw(page, record), shown=shown),
    )


def _bundle_link(page: Page, name: str) -> Html:
    """Return the link to the evidence of the case that the finding is about, as a file."""
    link: dict[str, str | int | bool | None] = {"href": f"/supervision/findings/{name}/bundle", "download": True}
    return el("p", None, el("a", link, page.t("cases.bundle.link")))


def _title(page: Page, record: Mapping[str, Any], said: Mapping[str, Any]) -> str:
    return page.t("supervision.case") if "opened_by" in record else page.title_of(said, record["rule"])


def _status(page: Page, record: Mapping[str, Any]) -> Html:
    severity = tag(
        page.t_or(f"severity.{record['severity']}", record["severity"]), SEVERITY.get(record["severity"], "")
    )
    status = tag(page.t_or(f"finding.status.{record['status']}", record["status"]), "accent")
    how = record["outcome"]
    return join(severity, " ", status, " ", tag(page.t_or(f"supervision.outcome.{how}", how)) if how else None)


def _clocks(page: Page, record: Mapping[str, Any]) -> Html:
    """Return whose turn it is, and how long each side has taken so far, late steps counted."""
    spent = spent_ms(record, page.now_ms)
    late = [one[1] for one in record["overdue"]]
    made = []
    for side in ("supervisor", "subject"):
        words = page.t("supervision.missed_by", count=page.number(late.count(side)))
        tone = "bad" if late.count(side) else ""
        taken = page.duration(spent[side])
        made.append(figure(page.t(f"supervision.spent.{side}"), taken, words, tone))
    turn = el("p", {"class": "turn"}, clock_of_record(page, record))
    explained = None
    if record["deadline_ms"] is not None:
        term = page.duration(record["term_ms"])
        explained = el(
            "p", {"class": "faint"}, page.t("supervision.term_of", term=term, at=page.time(record["deadline_ms"]))
        )
    later = el("p", None, page.t("supervision.late_again")) if is_late(record) else None
    return join(turn, explained, later, figures(*made))


def spent_ms(record: Mapping[str, Any], now_ms: int) -> dict[str, int]:
    """Return how long each side has had the finding so far, in ms: up to ``now_ms`` for the side whose turn it is.

    A step is the supervisor's unless the subject took it; waiting for an appeal is the subject's time.
    """
    spent = {"supervisor": 0, "subject": 0}
    since = record["time_ms"]
    for step, _, _, time_ms, _, _ in record["steps"]:
        spent["subject" if step in ("respond", "appeal") else "supervisor"] += time_ms - since
        since = time_ms
    if record["due"]:
        spent[record["due"][1]] += max(0, now_ms - since)
    return spent


def _found(page: Page, record: Mapping[str, Any], said: Mapping[str, Any]) -> Html:
    opened_by = record.get("opened_by")
    event: Child = record["event"] or page.t("part.none" if opened_by else "supervision.by_deadline")
    if record["item"]:
        event = join(record["event"], " ", el("span", {"class": "faint"}, hexadecimal(page, record["item"])))
    verdict = Verdict(record["verdict"])
    rows: list[tuple[str, Child]] = [
        (page.t("supervision.detail"), page.why(record)),
        (page.t("cases.verdict"), tag(page.t(f"verdict.{verdict.value}"), "bad")),
        (
            (page.t("supervision.opened_by"), member_link(opened_by))
            if opened_by
            else (
                page.t("cases.rule"),
                join(rule_link(record["rule"], record["version"]), " · ", page.number(record["version"])),
            )
        ),
        (page.t("supervision.object"), object_link(record)),
        (page.t("supervision.event"), event),
        (page.t("supervision.source"), source_link(record["source"]) if record["source"] else page.t("part.none")),
        (page.t("supervision.subject"), member_link(record["subject"])),
        (
            page.t("supervision.supervisor"),
            member_link(record["supervisor"]) if record["supervisor"] else page.t("part.none"),
        ),
        (
            page.t("supervision.raised_in"),
            join(height_link(page, record["height"]), " · ", moment(page, record["time_ms"])),
        ),
        (page.t("rule.basis"), legal_basis(record if opened_by else said)),
    ]
    return facts(rows)


def _hold(page: Page, hold: Mapping[str, Any], shown: Shown[Any]) -> Html:
    rows: list[tuple[str, Child]] = [
        (
            page.t("supervision.status"),
            tag(page.t(f"supervision.hold.{hold['status']}"), "bad" if hold["status"] == "held" else ""),
        ),
        (page.t("supervision.hold.amount"), held_amount(page, hold)),
        (page.t("supervision.since"), moment(page, hold["since_ms"])),
        (page.t("supervision.until"), join(due(page, hold["until_ms"]), " (", page.time(hold["until_ms"]), ")")),
    ]
    if hold["contested"]:
        answered = page.t("supervision.hold.confirmed") if hold["confirmed"] else due(page, hold["contested"])
        rows.append((page.t("supervision.hold.answer_due"), answered))
    return section(page, "cases.hold", facts(rows), shown=shown)


async def _trail(page: Page, record: Mapping[str, Any], shown: Shown[Any], listed: Shown[Any] | None) -> Html:
    """Return every step of the finding in ledger order; what was said comes from the verified transactions.

    The steps of a hold are those that a node lists: each is proven by its receipt, that they are all is not.
    """
    since_ms = dict(zip((step[4] for step in record["steps"]), _before(record), strict=False))
    own = [str(step[4]) for step in record["steps"]]
    rows_said = [] if listed is None else listed.value["trail"]
    named = dict.fromkeys(row["tx"] for row in rows_said if row["step"] in _HOLD_STEPS and row.get("tx"))
    of_hold = [tx for tx in named if tx not in own]
    read = await asyncio.gather(*(_signed(page, record["id"], tx) for tx in (*own, *of_hold)))
    by_tx = dict(zip((*own, *of_hold), read, strict=True))
    rows = [(int(record["height"]), -1, _first(page, record))]
    rows += [
        (step[2], _within(by_tx[step[4]]), _step(page, step, by_tx[step[4]], since_ms[step[4]]))
        for step in record["steps"]
    ]
    for tx in of_hold:
        signed = by_tx[tx]
        if signed is not None and signed.value["transaction"]["action"] in _HOLD_STEPS:
            said, found = signed.value["transaction"], signed.value
            step = (said["action"], said["sender"], found["height"], found["time_ms"], tx)
            rows.append((found["height"], found["index"], _step(page, step, signed, None)))
    rows += [(height, -1, _late(page, step, side, at, height)) for step, side, at, height in record["overdue"]]
    rows += [] if listed is None else await _closed(page, record, listed)
    rows.sort(key=lambda row: row[:2])
    made = el("ol", {"class": "timeline"}, [row for _, _, row in rows])
    proven = [one for one in read if one is not None]
    return section(page, "supervision.trail", made, shown=joined(shown, *proven), note="supervision.trail.note")


async def _signed(page: Page, name: str, tx: str) -> Shown[dict[str, Any]] | None:
    """Return a transaction that took a step of a finding, with its receipt; None if no node proves that it did."""
    try:
        found = await page.data.transaction(tx)
    except (NoAnswer, Problem, Untrue):
        return None
    transaction = found.value["transaction"]
    about = _is_about(transaction, found.value["receipt"], name)
    return found if about and found.value["receipt"]["ok"] else None


def _is_about(transaction: Mapping[str, Any], receipt: Mapping[str, Any], name: str) -> bool:
    """Say whether a transaction took a step of a finding; what opened it knows its id from the receipt alone."""
    opened = transaction["action"] == OPEN_CASE
    about = receipt["data"].get("id") if opened else transaction["args"].get("finding")
    return bool(transaction["contract"] == "supervision" and about == name)


def _within(signed: Shown[dict[str, Any]] | None) -> int:
    return 0 if signed is None else int(signed.value["index"])


async def _closed(page: Page, record: Mapping[str, Any], listed: Shown[Any]) -> list[tuple[int, int, Html]]:
    """Return that the ledger closed a finding by itself, in the block that a node names, if that block says so.

    That it is closed is proven by its record; where no node has the block any more, which it was is the node's word.
    """
    row = next((row for row in listed.value["trail"] if row["step"] == "closed"), None)
    if row is None or record["status"] != "closed" or not row["height"]:
        return []
    title: Child = page.t("supervision.closed_by_time")
    try:
        block = (await page.data.block(row["height"])).value
    except (NoAnswer, Problem, Untrue):
        title = el("span", {"class": "word"}, title, " ", seal(page, listed, small=True))
        when = el("div", {"class": "word"}, _when(page, row["height"], None))
    else:
        due = Receipt.decode(block.receipts[0]).data.get("supervision", {})
        if not any(one["id"] == record["id"] for one in due.get("closed", ())):
            return []
        when = _when(page, row["height"], block.block.header.time_ms)
    return [(row["height"], _LAST, el("li", None, when, el("div", {"class": "what"}, el("h3", None, title))))]


def _before(record: Mapping[str, Any]) -> list[int]:
    """Return when the time of each step began: with the step before it."""
    return [record["time_ms"], *(step[3] for step in record["steps"])]


def _first(page: Page, record: Mapping[str, Any]) -> Html:
    when = _when(page, record["height"], record["time_ms"])
    what = el(
        "div", {"class": "what"}, el("h3", None, page.t("supervision.column.raised")), el("p", None, page.why(record))
    )
    return el("li", {"class": "bad"}, when, what)


def _when(page: Page, height: int, time_ms: int | None) -> Html:
    block = el("span", {"class": "faint"}, page.t("cases.in_block"), " ", height_link(page, height))
    return el("div", {"class": "when"}, None if time_ms is None else el("strong", None, moment(page, time_ms)), block)


def _step(page: Page, step: Sequence[Any], signed: Shown[Any] | None, since_ms: int | None) -> Html:
    """Return a step: what, by whom, in which block, when, in which transaction; and what was said, if proven."""
    name, sender, height, time_ms, tx = step[:5]
    args = {} if signed is None else signed.value["transaction"]["args"]
    action = name if signed is None else signed.value["transaction"]["action"]
    words = page.t_or(f"supervision.outcome.{action}", action_words(page, "supervision", action))
    heading: list[Child] = [page.t_or(f"supervision.took.{action}", words)]
    if "outcome" in args:
        how = args["outcome"]
        heading += [" ", tag(page.t_or(f"supervision.outcome.{how}", how), "accent")]
    side = "subject" if action in ("respond", "appeal", "contest_hold") else "supervisor"
    by = el(
        "p", None, el("span", {"class": f"whose {side}"}, page.t(f"supervision.side.{side}")), " ", member_link(sender)
    )
    took = None
    if since_ms is not None:
        took = el("p", {"class": "faint"}, page.t("supervision.took", time=page.duration(time_ms - since_ms)))
    said = [
        el(
            "blockquote",
            None,
            el("span", {"class": "faint"}, page.t(f"supervision.said.{text}")),
            el("p", None, args[text]),
        )
        for text in _TEXTS
        if text in args
    ]
    digests = [el("p", None, hexadecimal(page, one, whole=True)) for one in args.get("evidence") or []]
    files = [el("p", {"class": "faint"}, page.t("cases.item.evidence")), digests] if digests else None
    where = (
        page.t("supervision.signed")
        if signed is not None
        else el("span", {"class": "word"}, page.t("supervision.not_at_hand"))
    )
    proof = el("p", {"class": "faint"}, where, " ", transaction_link(page, tx))
    what = el("div", {"class": "what"}, el("h3", None, heading), by, took, said, files, proof)
    return el("li", None, _when(page, height, time_ms), what)


def _late(page: Page, step: str, side: str, deadline_ms: int, height: int) -> Html:
    words = page.t(
        "supervision.did_not_come",
        step=page.t(f"supervision.step.{step}"),
        side=page.t(f"supervision.side.{side}"),
        at=page.time(deadline_ms),
    )
    what = el("div", {"class": "what"}, el("h3", None, page.t("supervision.overdue")), el("p", None, words))
    return el("li", {"class": "bad quiet"}, _when(page, height, None), what)


# Acting


async def act(page: Page, fields: Mapping[str, str]) -> Done:
    """Take the step a form asks for, and lead to its receipt."""
    return await take(page, page.part("id"), fields)


async def _receipt(page: Page) -> Html | None:
    """Return the verified receipt of the step that was just taken from here."""
    tx = page.request.path_params.get("tx")
    if tx is None:
        return None
    shown = await page.data.transaction(str(tx))
    receipt, transaction = shown.value["receipt"], shown.value["transaction"]
    if not _is_about(transaction, receipt, page.part("id")):
        return None
    rows: list[tuple[str, Child]] = [
        (page.t("row.action"), action_words(page, transaction["contract"], transaction["action"])),
        (page.t("row.sender"), member_link(transaction["sender"])),
        (page.t("row.outcome"), outcome(page, ok=receipt["ok"], code=receipt["code"])),
        (
            page.t("row.block"),
            join(height_link(page, shown.value["height"]), " · ", moment(page, shown.value["time_ms"])),
        ),
        (page.t("row.id"), transaction_link(page, str(tx))),
    ]
    refusal = None
    if not receipt["ok"]:
        words = page.t_or(f"refusal.{receipt['code']}", receipt["code"])
        refusal = notice("bad", el("strong", None, words), " ", receipt["detail"])
    return section(page, "supervision.receipt", refusal, facts(rows), shown=shown, note="supervision.receipt.note")


ROUTES: Final = (
    Route("/supervision/findings/{id}", finding, "supervision.nav", act=act),
    Route("/supervision/findings/{id}/receipt/{tx}", finding, "supervision.nav", act=act),
)
