"""What the member at this console may do about a standard, as forms, and doing it.

Law: a form is shown only for what this member can do now by the ledger's own rules; whether it may is decided by the
ledger, and a refusal is reported in words. Nothing is signed without the box that confirms it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from coseal.console.html import Child, Html, el
from coseal.console.page import Done, Page
from coseal.console.pages.finding_acts import confirmation, evidence_fields, texts_of
from coseal.console.parts import field, form, notice, section, select
from coseal.console.standard_parts import standard_path
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.standards.disputes import GROUNDS, OPEN, OVERDUE
from coseal.contracts.standards.recognition import LEVELS
from coseal.contracts.standards.state import NAME

_MAIN: Final = ("adopt", "recognise")
_TEXTS: Final[Mapping[str, tuple[str, ...]]] = {
    "adopt": (),
    "try": (),
    "end_adoption": ("reason",),
    "recognise": ("level", "instrument"),
    "withdraw_recognition": ("reason",),
    "dispute": ("ground", "text"),
    "supersede": ("successor", "reason"),
    "deprecate": ("reason",),
    "answer": ("member", "text"),
}
"""The actions that this page sends, with the texts that their forms have."""
_SOURCES_MAX: Final = 64
_DAYS: Final = (30, 3 * 366)


def acts(page: Page, found: Mapping[str, Any], may: Sequence[str]) -> Html:
    """Return the forms of what may be done from here, or why there are none."""
    operator = page.console.operator
    if operator is None:
        return section(page, "standards.acts", notice("", page.t("governance.read_only")))
    if not page.may_act:
        return section(page, "standards.acts", notice("", page.t("app.locked", sender=operator.sender)))
    forms = [_form(page, found, action, _fields(page, action)) for action in may if action in _TEXTS]
    if not forms:
        return section(page, "standards.acts", notice("", page.t("standards.nothing", member=operator.member)))
    return section(page, "standards.acts", el("div", {"class": "acts"}, forms), note="supervision.acts.note")


def answers(page: Page, found: Mapping[str, Any], disputes: Sequence[Mapping[str, Any]]) -> Html | None:
    """Return a form for each dispute that waits for the answer of this console's member."""
    operator = page.console.operator
    if operator is None or operator.member != found["member"] or not page.may_act:
        return None
    forms = []
    for one in disputes:
        if one["status"] in (OPEN, OVERDUE):
            about = el("input", {"type": "hidden", "name": "member", "value": one["member"]})
            text = field(page.t("standards.answer.to", member=one["member"]), "text", rows=3, required=True)
            forms.append(_form(page, found, "answer", [about, text]))
    return el("div", {"class": "acts"}, forms) if forms else None


def _form(page: Page, found: Mapping[str, Any], action: str, fields: Sequence[Child]) -> Html:
    operator = page.console.operator
    sender = "" if operator is None else operator.sender
    named = el("input", {"type": "hidden", "name": "action", "value": action})
    path = standard_path(found["standard"], found["version"])
    words = f"standards.do.{action}"
    made = form(page, words, named, *fields, confirmation(page, sender), action=path)
    note = el("p", {"class": "note"}, page.t(f"{words}.note"))
    head = el("summary", None, page.t(words))
    return el("details", {"class": "act-one", "open": action in _MAIN, "id": f"act-{action}"}, head, note, made)


def _fields(page: Page, action: str) -> list[Child]:
    reason = field(page.t("supervision.said.reason"), "reason", rows=2, required=True, limit=1_000)
    match action:
        case "adopt" | "try":
            return [field(page.t("standards.sources.some"), "sources")]
        case "recognise":
            levels = [(one, page.t(f"standards.level.{one}")) for one in LEVELS]
            instrument = field(page.t("standards.instrument"), "instrument", required=True, limit=256)
            return [select(page.t("standards.level"), "level", levels), instrument]
        case "dispute":
            grounds = [(one, page.t(f"standards.ground.{one}")) for one in GROUNDS]
            text = field(page.t("standards.text"), "text", rows=3, required=True)
            return [select(page.t("standards.ground"), "ground", grounds), text, *evidence_fields(page)]
        case "supersede":
            successor = field(page.t("standards.successor"), "successor", required=True, limit=160)
            return [successor, _days(page), reason]
        case "deprecate":
            return [_days(page), reason]
    return [reason]


def _days(page: Page) -> Html:
    low, high = _DAYS
    kind: dict[str, str | int | bool | None] = {"type": "number", "name": "days", "value": "90", "required": True}
    box = el("input", {**kind, "min": str(low), "max": str(high)})
    return el("label", {"class": "field"}, el("span", None, page.t("standards.days")), box)


def arguments_of(action: str, fields: Mapping[str, str]) -> dict[str, Any] | str:
    """Return the arguments that a form's fields make, or the key of what is wrong with them."""
    said = texts_of(fields, _TEXTS[action])
    if isinstance(said, str):
        return said
    sources = fields.get("sources", "").replace(",", " ").split()
    if action in ("adopt", "try") and sources:
        if len(sources) > _SOURCES_MAX:
            return "standards.wrong.sources"
        said["sources"] = list(dict.fromkeys(sources))
    if action == "supersede":
        name, _, version = str(said.get("successor", "")).rpartition(" ")
        if not name or not (version.isascii() and version.isdigit() and len(version) <= 7):
            return "standards.wrong.successor"
        said |= {"successor": name.strip(), "successor_version": int(version)}
    if action in ("supersede", "deprecate"):
        days = fields.get("days", "").strip()
        if not (days.isascii() and days.isdigit() and len(days) <= 4 and _DAYS[0] <= int(days) <= _DAYS[1]):
            return "standards.wrong.days"
        said["notice_ms"] = int(days) * DAY_MS
    return said


async def take(page: Page, name: str, version: int, fields: Mapping[str, str]) -> Done:
    """Sign and send what a form says, and say what came of it."""
    path, operator = standard_path(name, version), page.console.operator
    action = fields.get("action", "")
    if operator is None or action not in _TEXTS:
        return Done(page.t("state.forbidden"), path, ok=False)
    if fields.get("confirmed") != "yes":
        return Done(page.t("supervision.wrong.confirm"), path, ok=False)
    said = arguments_of(action, fields)
    if isinstance(said, str):
        return Done(page.t(said), path, ok=False)
    args = {"standard": name, "version": version, **said}
    shown = await operator.submit(page.console.reader, NAME, action, args)
    receipt = shown.value["receipt"]
    if receipt["ok"]:
        return Done(page.t("supervision.recorded", height=page.number(shown.height or 0)), path)
    words = page.t_or(f"refusal.{receipt['code']}", receipt["code"])
    return Done(" ".join((words, receipt["detail"])), path, ok=False)
