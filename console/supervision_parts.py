"""What pages about supervision and cases share: whose turn it is, links, verdicts and findings in short.

Law: a deadline is the ledger's; that it passed counts once a block says so, and until then it is shown as passed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from coseal.console.html import Html, el, join
from coseal.console.page import Page
from coseal.console.parts import due, tag
from coseal.contracts.rules.verdict import Verdict

_SOON_MS: Final = 86_400_000
TONES: Final = {
    Verdict.SATISFIED: "good",
    Verdict.PENDING: "",
    Verdict.PENDING_VIOLATING: "wait",
    Verdict.VIOLATED: "bad",
    Verdict.UNDETERMINED: "bad",
}
SEVERITY: Final = {"violation": "bad", "warning": "wait", "notice": ""}


def tabs(page: Page, here: str) -> Html:
    """Return the ways to look at supervision."""
    views = (
        ("/supervision", "supervision.board"),
        ("/supervision/findings", "supervision.findings"),
        ("/supervision/figures", "supervision.figures"),
        ("/supervision/rules", "supervision.rules"),
        ("/supervision/sources", "supervision.sources"),
        ("/supervision/duties", "supervision.duties"),
    )
    links = [
        el("a", {"href": path, "aria-current": "page" if path == here else None}, page.t(key)) for path, key in views
    ]
    return el("nav", {"class": "choices", "aria-label": page.t("supervision.views")}, links)


def case_link(process_type: str, object_type: str, object_id: str) -> str:
    """Return the path of a case's page."""
    return f"/processes/{quote(process_type, safe='')}/cases/{quote(object_type, safe='')}/{quote(object_id, safe='')}"


def source_link(name: str) -> Html:
    """Return a source, ``member/source``, as a link to its page."""
    return el("a", {"href": f"/supervision/sources/{quote(name, safe='')}"}, name)


def finding_link(finding: str) -> Html:
    """Return a finding as a link to its page."""
    return el("a", {"href": f"/supervision/findings/{quote(finding, safe='')}"}, finding)


def held_amount(page: Page, hold: Mapping[str, Any]) -> str:
    """Return how much a hold holds, in words: a number of the smallest unit, or the whole object."""
    amount = hold["amount"]
    return page.t("supervision.hold.whole") if amount is None else page.number(amount)


def object_link(row: Mapping[str, Any]) -> Html:
    """Return the object of a finding or hold as a link: to its case, or to the source it is."""
    if row["object_type"] == "source":
        return source_link(row["object"])
    href = case_link(row["process_type"], row["object_type"], row["object"])
    return join(row["object_type"], " ", el("a", {"href": href}, row["object"]))


def rule_link(rule: str, version: int | None = None) -> Html:
    """Return a rule as a link to its page; what stands in place of one (``system:case``) has none."""
    if rule.startswith("system:"):
        return el("span", None, rule)
    query = f"?version={version}" if version else ""
    return el("a", {"href": f"/supervision/rules/{quote(rule, safe='')}{query}"}, rule)


def legal_basis(rule: Mapping[str, Any]) -> Html:
    """Return what law a rule rests on: policies of the register as links, other texts as they are."""
    basis = rule.get("legal_basis", ())
    return el("ul", None, [el("li", None, _basis(one)) for one in basis])


def _basis(text: str) -> Html | str:
    external = text.removeprefix("external:")
    return external if external != text else el("a", {"href": f"/policies/{quote(text, safe='')}"}, text)


def verdict(page: Page, value: Verdict) -> Html:
    """Return a verdict in words."""
    return tag(page.t(f"verdict.{value.value}"), TONES[value])


def finding_chip(page: Page, one: Mapping[str, Any]) -> Html:
    """Return a finding as a link that says its rule and status."""
    status = page.t_or(f"finding.status.{one['status']}", one["status"])
    words = join(one["id"], " ", one["rule"], " · ", status)
    return el(
        "a", {"class": f"tag {SEVERITY.get(one['severity'], '')}", "href": f"/supervision/findings/{one['id']}"}, words
    )


def clock(page: Page, step: str | None, side: str | None, deadline_ms: int | None, *, late: bool) -> Html:
    """Return who has to do what by when; ``late``: the ledger has noted that it did not come in time."""
    if step is None or side is None:
        return el("span", {"class": "faint"}, page.t("supervision.nothing_due"))
    word = page.t(f"supervision.step.{step}")
    who = el("span", {"class": f"whose {side}"}, page.t(f"supervision.side.{side}"))
    late_tag = join(" ", tag(page.t("supervision.overdue"), "bad")) if late else None
    if deadline_ms is None:
        return el("span", {"class": "clock"}, who, " ", word, late_tag)
    return el("span", {"class": "clock"}, who, " ", word, " · ", deadline(page, deadline_ms), late_tag)


def deadline(page: Page, time_ms: int) -> Html:
    """Return by when something has to be done, marked when that is soon or past."""
    return el("span", {"class": f"left {_tone(page, time_ms)}"}, due(page, time_ms))


def _tone(page: Page, deadline_ms: int) -> str:
    left_ms = deadline_ms - page.now_ms
    return "bad" if left_ms < 0 else "wait" if left_ms < _SOON_MS else ""


def clock_of_row(page: Page, row: Mapping[str, Any]) -> Html:
    """Return the clock of a finding as ``/v1/findings`` lists it."""
    return clock(page, row["step"], row["side"], row["deadline_ms"], late=row["overdue"])


def clock_of_record(page: Page, record: Mapping[str, Any]) -> Html:
    """Return the clock of a finding as the state has it: late if the step that is due was noted as overdue."""
    step, side = record["due"] or (None, None)
    return clock(page, step, side, record["deadline_ms"], late=is_late(record))


def is_late(record: Mapping[str, Any]) -> bool:
    """Say whether the step that a finding waits for was noted as overdue since it became due."""
    return bool(record["due"]) and record.get("rounds", 0) > 0
