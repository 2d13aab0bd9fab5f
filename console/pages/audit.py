"""Audit: verify a document, a transaction or a range of blocks here, and show each step of the proof.

Law: what is shown is what the audit package did in this process; a node is only where bytes come from. A verdict never
goes further than its steps.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from coseal.audit.report import AuditReport, Level, Verdict
from coseal.audit.steps import Step
from coseal.audit.verify import STEPS_OF, Verification
from coseal.console.audits import Busy, Judgement, Run
from coseal.console.html import Child, Html, el, join
from coseal.console.multipart import Part
from coseal.console.nodes import Reply
from coseal.console.page import Done, Entry, Page, Route, View
from coseal.console.parts import (
    facts,
    field,
    figure,
    figures,
    hexadecimal,
    lead,
    moment,
    notice,
    raw,
    section,
    select,
    table,
    tag,
    take_form,
    tree,
)

NAV: Final = Entry("audit.nav", "/audit")
_TONE: Final = {Verdict.OK: "good", Verdict.BAD: "bad", Verdict.UNKNOWN: "wait"}
_SIGN: Final = {Verdict.OK: "✓", Verdict.BAD: "✕", Verdict.UNKNOWN: "?"}
_PASTED_MAX: Final = 30_000_000
_HASH_DIGITS: Final = 64
_BAR_WIDTH: Final = 1_000
_SPEC: Final = "audit.md"
_RULES: Final[tuple[tuple[str, str, Level], ...]] = (
    ("headers", "A1, A2, A3, A4, A5, A10", Level.HEADERS),
    ("certificates", "A6, A7", Level.CERTIFICATES),
    ("bodies", "A8", Level.MERKLE),
    ("evidence", "A15", Level.MERKLE),
    ("replay", "A9", Level.REPLAY),
)
"""What is checked of every block: a key, the rules of docs/spec/audit.md, and from which level on."""


# What can be asked


async def asking(page: Page) -> View:
    """Build the page on which a document, a transaction or a range is chosen."""
    chosen = el("input", {"type": "file", "name": "file", "multiple": True, "required": False})
    paste = el(
        "details",
        {"class": "explain"},
        el("summary", None, page.t("audit.paste")),
        field(page.t("audit.pasted"), "pasted", rows=8, limit=_PASTED_MAX),
    )
    document = take_form(
        page,
        "audit.verify",
        el("label", {"class": "field"}, el("span", None, page.t("audit.file")), chosen),
        paste,
        action="/audit",
    )
    transaction = el(
        "form",
        {"method": "get", "action": "/audit/transaction", "class": "act"},
        field(page.t("audit.id"), "id", required=True, limit=_HASH_DIGITS),
        el("button", {"type": "submit", "class": "primary"}, page.t("audit.verify")),
    )
    levels = [(level.name.lower(), page.t(f"audit.level.{level.name.lower()}")) for level in reversed(Level)]
    blocks = take_form(
        page,
        "audit.start",
        el(
            "div",
            {"class": "pair"},
            field(page.t("audit.first"), "first", value="1", limit=18),
            field(page.t("audit.last"), "last", limit=18),
        ),
        select(page.t("audit.level"), "level", levels),
        action="/audit/blocks",
    )
    return page.view(
        page.t("audit.nav"),
        lead(page, page.t("audit.nav"), "audit.lead"),
        section(page, "audit.document", document, note="audit.document.note"),
        el(
            "div",
            {"class": "columns"},
            section(page, "audit.transaction", transaction, note="audit.transaction.note"),
            section(page, "audit.blocks", blocks, note="audit.blocks.note"),
        ),
        _kept(page),
        live=False,
    )


def _kept(page: Page) -> Html | None:
    """Return the list of what was verified since this console started."""
    rows: list[list[Child]] = []
    for one in page.console.audits.kept():
        if isinstance(one, Judgement):
            name, verdict = one.name, _verdict(page, one.verification.verdict)
        else:
            name, verdict = _range(page, one), _state(page, one)
        rows.append([el("a", {"href": _place(one)}, name), verdict, moment(page, one.at_ms, ago=True)])
    if not rows:
        return None
    return section(page, "audit.kept", table(page, "audit.kept", ("audit.what", "audit.verdict", "audit.when"), rows))


def _place(one: Judgement | Run) -> str:
    return f"{NAV.path}/results/{one.id}" if isinstance(one, Judgement) else f"{NAV.path}/runs/{one.id}"


async def take_document(page: Page, parts: Sequence[Part]) -> Done:
    """Verify the files or the pasted text of a form."""
    files = [(part.file, part.data) for part in parts if part.name == "file" and part.file and part.data]
    pasted = [(page.t("audit.pasted_name"), part.data) for part in parts if part.name == "pasted" and part.data.strip()]
    if not files and not pasted:
        return Done(page.t("audit.nothing"), NAV.path, ok=False)
    judgement = await page.console.audits.judge(files + pasted)
    return Done("", _place(judgement))


async def take_range(page: Page, parts: Sequence[Part]) -> Done:
    """Begin to audit the range of a form."""
    given = {part.name: part.text.strip() for part in parts}
    heights = [given.get("first", "") or "1", given.get("last", "") or "0"]
    if not all(text.isascii() and text.isdigit() and len(text) <= 18 for text in heights):
        return Done(page.t("audit.no_height"), NAV.path, ok=False)
    first, last = (int(text) for text in heights)
    level = Level.of(given.get("level", "replay")) if given.get("level") in _LEVEL_NAMES else Level.REPLAY
    if first < 1 or 0 < last < first:
        return Done(page.t("audit.no_height"), NAV.path, ok=False)
    if level is Level.REPLAY and first != 1:
        return Done(page.t("audit.replay_from_one"), NAV.path, ok=False)
    try:
        run = page.console.audits.start(first, last or None, level)
    except Busy:
        return Done(page.t("audit.busy"), NAV.path, ok=False)
    return Done("", _place(run))


_LEVEL_NAMES: Final = frozenset(level.name.lower() for level in Level)


# One document


async def result(page: Page) -> View:
    """Build the page of a verified document."""
    judgement = page.console.audits.judgement(page.part("id"))
    return _gone(page) if judgement is None else _judged(page, judgement)


async def transaction(page: Page) -> View:
    """Build the page of a transaction's receipt, fetched from a node and verified step by step."""
    tx_id = (page.query("id") or "").strip().lower()
    if len(tx_id) != _HASH_DIGITS or not all(digit in "0123456789abcdef" for digit in tx_id):
        title = page.t("audit.transaction")
        return page.view(title, lead(page, title), notice("wait", page.t("audit.no_id")), live=False, status=404)
    body, _ = await page.data.nodes.first(f"/v1/transactions/{tx_id}/receipt", None, Reply.require_ok)
    judgement = await page.console.audits.judge([(tx_id, body)], keep=False)
    return _judged(page, judgement, asked_for=tx_id)


def _judged(page: Page, judgement: Judgement, asked_for: str = "") -> View:
    verification = judgement.verification
    document = {"name": judgement.name, **verification.to_json()}
    if page.query("as") == "json":
        written = json.dumps(document, ensure_ascii=False, indent=2)
        return View("", Html(""), file=(f"coseal-{verification.kind}-verified.json", written))
    title = page.t(f"audit.kind.{verification.kind.replace('-', '_')}")
    another = asked_for and verification.ok and verification.facts.get("transaction") != asked_for
    said = notice(
        _TONE[verification.verdict],
        el("strong", None, page.t(f"audit.said.{verification.verdict.value}")),
        " ",
        _failed_at(page, verification),
        el("span", {"lang": "en"}, verification.reason),
    )
    return page.view(
        title,
        lead(page, title, None, el("p", None, judgement.name, " · ", moment(page, judgement.at_ms, ago=True))),
        said,
        notice("bad", page.t("audit.another")) if another else None,
        _steps(page, verification) if verification.steps else None,
        section(page, "audit.proven", _facts(page, verification.facts)) if verification.facts else None,
        _remaining(page, [page.t(f"audit.trust.{name}") for name in verification.remaining]),
        section(page, "audit.raw", raw(page, judgement.document)) if judgement.document is not None else None,
        _keep(page),
        live=False,
    )


def _failed_at(page: Page, verification: Verification) -> str:
    """Return at which step it failed, in words; nothing if none did."""
    if verification.ok or not verification.steps:
        return ""
    name = _step_title(page, verification.steps[-1].name)
    return page.t("audit.failed_at", number=len(verification.steps), step=name) + " "


def _step_title(page: Page, name: str) -> str:
    return page.t(f"audit.step.{name.replace(' ', '_')}")


def _steps(page: Page, verification: Verification) -> Html:
    """Return the steps in order, with those that were not reached."""
    rows = [_step(page, verification.kind, step) for step in verification.steps]
    for name in STEPS_OF[verification.kind][len(rows) :]:
        label = join(_step_title(page, name), " ", tag(page.t("audit.not_reached")))
        rows.append(el("li", {"class": "step"}, el("div", {"class": "step-head faint"}, label)))
    return section(page, "audit.steps", el("ol", {"class": "steps"}, rows), note="audit.steps.note")


def _step(page: Page, kind: str, step: Step) -> Html:
    key, tone, failed = step.name.replace(" ", "_"), _TONE[step.verdict], step.verdict is not Verdict.OK
    what = page.t_or(f"audit.what.{kind.replace('-', '_')}.{key}", "") or page.t(f"audit.what.{key}")
    head = el(
        "div",
        {"class": "step-head"},
        el("span", {"class": f"sign {tone}", "aria-hidden": "true"}, _SIGN[step.verdict]),
        el("strong", None, _step_title(page, step.name)),
        el("span", {"class": "unseen"}, page.t(f"audit.verdict.{step.verdict.value}")),
        el("span", {"class": "rule"}, page.t("audit.rule"), " ", step.rule),
    )
    told = failed or not step.values  # else the values say the same, in every language
    reason = el("p", {"class": f"why {tone}", "lang": "en"}, step.detail) if told else None
    seen = None
    if step.values:
        inner = facts(
            (page.t_or(f"audit.value.{name}", name), _value(page, held)) for name, held in step.values.items()
        )
        seen = el("details", {"class": "raw", "open": failed}, el("summary", None, page.t("audit.values")), inner)
    return el("li", {"class": f"step {tone}"}, head, el("p", {"class": "note"}, what), reason, seen)


def _value(page: Page, held: Any) -> Child:
    """Return a value of a step: signatures with their signs, hashes as such."""
    if isinstance(held, list) and held and isinstance(held[0], dict) and "holds" in held[0]:
        return el("ul", None, [_signature(page, one) for one in held])
    if isinstance(held, list) and held and all(isinstance(one, str) for one in held):
        return el("ol", {"class": "tree"}, [el("li", None, tree(one)) for one in held])
    if held is None or held == []:
        return page.t("part.none")
    return tree(held)


def _signature(page: Page, one: dict[str, Any]) -> Html:
    verdict = Verdict.OK if one["holds"] else Verdict.BAD
    sign = el("span", {"class": f"sign {_TONE[verdict]}", "aria-hidden": "true"}, _SIGN[verdict])
    word = el("span", {"class": "unseen"}, page.t(f"audit.verdict.{verdict.value}"))
    return el("li", {"class": "step-head"}, sign, word, one["validator"], el("span", {"class": "faint"}, one["member"]))


def _facts(page: Page, found: Any) -> Html:
    """Return what was proven; what remains to be believed has a section of its own."""
    return facts((_label(page, name), tree(value)) for name, value in found.items() if name != "remaining_trust")


def _label(page: Page, name: str) -> str:
    return page.t_or(f"audit.value.{name}", name)


def _remaining(page: Page, lines: Iterable[str]) -> Html | None:
    """Return what must still be believed."""
    rows = [el("li", None, line) for line in lines]
    return section(page, "audit.remaining", el("ul", {"class": "reasons"}, rows)) if rows else None


def _keep(page: Page) -> Html:
    link = page.link(page.path, **{**page.request.query_params, "as": "json", "said": None})
    return el(
        "p",
        {"class": "pager"},
        el("a", {"class": "button", "href": link, "download": True}, page.t("audit.download")),
        el("a", {"class": "button", "href": "/audit"}, page.t("audit.again")),
    )


def _verdict(page: Page, verdict: Verdict) -> Html:
    return tag(page.t(f"audit.verdict.{verdict.value}"), _TONE[verdict])


# A range of blocks


async def running(page: Page) -> View:
    """Build the page of an audit of a range: how far it is, or its outcome."""
    run = page.console.audits.run(page.part("id"))
    if run is None:
        return _gone(page)
    report = run.report
    if report is not None and page.query("as") == "json":
        written = json.dumps(report.to_json(), ensure_ascii=False, indent=2)
        return View("", Html(""), file=(f"coseal-audit-{run.first}-{report.last}.json", written))
    title = _range(page, run)
    depth = el("p", None, page.t(f"audit.level.{run.level.name.lower()}"))
    body = [lead(page, title, None, depth), _progress(page, run)]
    if report is not None:
        body += [part for part in _report(page, report) if part is not None]
    return page.view(title, *body, _keep(page) if report is not None else None, live=run.running)


async def stop(page: Page, _: Sequence[Part]) -> Done:
    """Stop an audit of a range."""
    run = page.console.audits.run(page.part("id"))
    if run is not None:
        run.stop.set()
    return Done(page.t("audit.stopping"), page.path)


def _range(page: Page, run: Run) -> str:
    last = run.last or (run.report.goal if run.report is not None else run.goal)
    return page.t("audit.range", first=page.number(run.first), last=page.number(last) if last else "…")


def _state(page: Page, run: Run) -> Html:
    if run.report is not None:
        return _verdict(page, run.report.verdict)
    if run.error:
        return tag(page.t("audit.broke_off"), "bad")
    return tag(page.t("audit.stopped" if run.stopped else "audit.runs"), "wait" if run.stopped else "accent")


def _progress(page: Page, run: Run) -> Html:
    """Return how far the audit is, with a button to stop it while it runs."""
    done = max(0, (run.height if run.report is None else run.report.last) - run.first + 1)
    whole = max(done, (run.goal if run.report is None else run.report.goal) - run.first + 1, 1)
    width = _BAR_WIDTH * done // whole
    bar = el(
        "svg",
        {"class": "track", "viewBox": f"0 0 {_BAR_WIDTH} 8", "preserveAspectRatio": "none", "aria-hidden": "true"},
        el("rect", {"class": "bar", "width": width, "height": 8}),
    )
    button = take_form(page, "audit.stop", action=page.path) if run.running and not run.stop.is_set() else None
    shown = figures(
        figure(page.t("audit.done"), page.number(done), page.t("audit.of", count=page.number(whole))),
        figure(page.t("audit.verdict"), _state(page, run)),
    )
    why = notice("bad", el("span", {"lang": "en"}, run.error)) if run.error else None
    return section(page, "audit.progress", shown, bar, why, button)


def _report(page: Page, report: AuditReport) -> list[Html | None]:
    said = notice(
        _TONE[report.verdict],
        el("strong", None, page.t(f"audit.said.{report.verdict.value}")),
        " ",
        page.t("audit.checked", blocks=page.number(report.blocks), transactions=page.number(report.transactions)),
    )
    findings = [
        [
            "–" if found.height is None else page.number(found.height),
            el("span", {"lang": "en"}, found.reason),
            found.source,
            ", ".join(found.members),
        ]
        for found in report.findings
    ]
    columns = ("audit.height", "audit.why", "audit.source", "audit.members")
    head = [
        (page.t("audit.value.chain_id"), hexadecimal(page, report.chain_id, whole=True)),
        (page.t("audit.head", height=page.number(report.last)), hexadecimal(page, report.head_hash, whole=True)),
        (page.t("audit.value.state_root"), hexadecimal(page, report.state_root, whole=True)),
        (page.t("audit.value.epoch"), page.number(report.epoch)),
    ]
    return [
        said,
        section(page, "audit.findings", table(page, "audit.findings", columns, findings, numeric="0"))
        if findings
        else None,
        section(page, "audit.steps", _rules(page, report), note="audit.rules.note"),
        section(page, "audit.sources", _sources(page, report), note="audit.sources.note"),
        section(page, "audit.proven", facts(head)),
        _remaining(page, [page.t(f"audit.trust.{line.key}", **line.values) for line in report.remaining_trust]),
        section(page, "audit.report", raw(page, report.to_json())),
    ]


def _sources(page: Page, report: AuditReport) -> Html:
    """Return how each node did."""
    rows: list[list[Child]] = [
        [
            source.name,
            tag(page.t(f"audit.source.{source.status}"), "good" if source.status == "ok" else "wait"),
            page.number(source.agreed),
            el("span", {"lang": "en"}, source.note) if source.note else None,
        ]
        for source in report.sources
    ]
    columns = ("audit.source", "audit.how", "audit.agreed", "audit.note")
    return table(page, "audit.sources", columns, rows, numeric="2")


def _rules(page: Page, report: AuditReport) -> Html:
    """Return what was checked of every block, and what this level leaves out."""
    level = Level.of(report.level)
    rows = []
    for name, numbers, needed in _RULES:
        reached = level >= needed and report.blocks > 0
        tone = "good" if reached else ""
        sign = el("span", {"class": f"sign {tone}", "aria-hidden": "true"}, "✓" if reached else "–")
        first, last = page.number(report.first), page.number(report.last)
        held = page.t("audit.held", first=first, last=last) if reached else page.t("audit.not_checked")
        rule = el("span", {"class": "rule"}, page.t("audit.rule"), " ", _SPEC, " ", numbers)
        head = el("div", {"class": "step-head"}, sign, el("strong", None, page.t(f"audit.check.{name}")), rule)
        rows.append(el("li", {"class": f"step {tone}"}, head, el("p", {"class": "note"}, held)))
    return el("ol", {"class": "steps"}, rows)


def _gone(page: Page) -> View:
    title = page.t("audit.gone")
    return page.view(title, lead(page, title, "audit.gone.text"), _keep_asking(page), live=False, status=404)


def _keep_asking(page: Page) -> Html:
    return el("p", None, el("a", {"class": "button", "href": "/audit"}, page.t("audit.again")))


ROUTES: Final = (
    Route("/audit", asking, "audit.nav", take=take_document),
    Route("/audit/blocks", asking, "audit.nav", take=take_range),
    Route("/audit/transaction", transaction, "audit.nav"),
    Route("/audit/results/{id}", result, "audit.nav"),
    Route("/audit/runs/{id}", running, "audit.nav", take=stop),
)
