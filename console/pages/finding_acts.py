"""The steps of a finding that the person at this console may take, as forms, and taking them.

Law: a form is shown only for a step that this member can take now by the ledger's own rules; whether it may is decided
by the ledger, and a refusal is reported in words. Nothing is signed without the box that confirms it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from coseal.console.html import Child, Html, el
from coseal.console.page import Done, Page
from coseal.console.parts import field, form, notice, section, select
from coseal.contracts.membership.state import member_key
from coseal.contracts.supervision.findings import OUTCOMES
from coseal.contracts.supervision.holds import MAX_AMOUNT
from coseal.contracts.supervision.terms import SUPERVISOR

_HOUR_MS: Final = 3_600_000
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_HOURS_MAX: Final = 720
_EVIDENCE_MAX: Final = 16


@dataclass(frozen=True, slots=True)
class Act:
    """A step as a form: its action, the text it takes, and what else."""

    action: str
    text: str
    required: bool = True
    outcomes: tuple[str, ...] = ()
    evidence: bool = True
    hours: bool = False
    """Whether it says for how many hours, and perhaps an amount."""
    main: bool = False
    """Whether it is the step that is due, rather than one that is possible as well."""


def possible(record: Mapping[str, Any], hold: Mapping[str, Any] | None, sender: str, role: str) -> list[Act]:
    """Return the steps that ``sender`` (MEMBER/USER, a member of ``role``) can take in a finding as it stands."""
    member = sender.partition("/")[0]
    found = _of_subject(record, hold) if member == record["subject"] else []
    late = any(side == SUPERVISOR for _, side, *_ in record["overdue"])
    mine = record["supervisor"] in ("", member) or late
    if role == "government" and member != record["subject"]:
        found += _of_supervisor(record, hold, sender, mine=mine)
    return found


def _of_subject(record: Mapping[str, Any], hold: Mapping[str, Any] | None) -> list[Act]:
    found = []
    if record["status"] == "inquiry":
        found.append(Act("respond", "response", main=True))
    if record["status"] in ("rectified", "sanctioned"):
        found.append(Act("appeal", "reason"))
    if hold is not None and hold["status"] == "held" and not hold["contested"]:
        found.append(Act("contest_hold", "reason"))
    return found


def _of_supervisor(record: Mapping[str, Any], hold: Mapping[str, Any] | None, sender: str, *, mine: bool) -> list[Act]:
    status = record["status"]
    found = []
    if status == "raised":
        found.append(Act("acknowledge", "note", required=False, evidence=False, main=True))
    if status == "appeal" and sender != record["decider"]:
        found.append(Act("decide_appeal", "reason", outcomes=("upheld", "overturned"), main=True))
    if not mine:
        return found
    if status in ("acknowledged", "response"):
        found.append(Act("inquire", "question", main=status == "acknowledged"))
    silent = status == "inquiry" and any(step == "respond" for step, *_ in record["overdue"])
    if status == "response" or silent:
        found.insert(0, Act("decide", "reason", outcomes=OUTCOMES, main=True))
    elif status in ("acknowledged", "inquiry"):
        found.append(Act("decide", "reason", outcomes=("dismissed",)))
    held = hold is not None and hold["status"] == "held"
    if held:
        found.append(Act("lift_hold", "reason", evidence=False))
        if hold is not None and hold["contested"] and not hold["confirmed"]:
            found.append(Act("confirm_hold", "reason", evidence=False))
    elif status not in ("closed", "raised", "notified", "superseded"):
        found.append(Act("hold", "reason", evidence=False, hours=True))
    return found


async def acts(page: Page, record: Mapping[str, Any], hold: Mapping[str, Any] | None) -> Html | None:
    """Return the forms of the steps that can be taken from here, or why there are none."""
    operator = page.console.operator
    if record["status"] in ("closed", "notified", "superseded") and hold is None:
        return None
    if operator is None:
        return section(page, "supervision.acts", notice("", page.t("supervision.read_only")))
    if not page.may_act:
        return section(page, "supervision.acts", notice("", page.t("app.locked", sender=operator.sender)))
    found = possible(record, hold, operator.sender, await role_of(page, operator.member))
    if not found:
        words = page.t("supervision.not_your_turn", sender=operator.sender)
        return section(page, "supervision.acts", notice("", words))
    forms = [_form(page, record["id"], one, operator.sender) for one in found]
    return section(page, "supervision.acts", el("div", {"class": "acts"}, forms), note="supervision.acts.note")


async def role_of(page: Page, member: str) -> str:
    """Return a member's role, empty if there is no such member."""
    shown = await page.data.state(member_key(member))
    return str((shown.value or {}).get("role", ""))


def _form(page: Page, name: str, one: Act, sender: str) -> Html:
    """Return one step as a form; those that are not due stand folded."""
    fields: list[Child] = [el("input", {"type": "hidden", "name": "action", "value": one.action})]
    if one.outcomes:
        options = [(how, page.t(f"supervision.outcome.{how}")) for how in one.outcomes]
        fields.append(select(page.t("supervision.outcome"), "outcome", options))
    label = page.t(f"supervision.said.{one.text}")
    if not one.required:
        label = page.t("supervision.optional", label=label)
    fields.append(field(label, one.text, rows=3, required=one.required))
    if "sanctioned" in one.outcomes:
        fields.append(field(page.t("supervision.said.measure.if"), "measure", rows=2))
    if one.hours:
        fields += [hours_field(page), amount_field(page)]
    if one.evidence:
        fields += evidence_fields(page)
    fields.append(confirmation(page, sender))
    made = form(page, f"supervision.do.{one.action}", *fields, action=f"/supervision/findings/{name}")
    title = el("summary", None, page.t(f"supervision.do.{one.action}"))
    return el("details", {"class": "act-one", "open": one.main, "id": f"act-{one.action}"}, title, made)


def hours_field(page: Page) -> Html:
    """Return the field for how long an object is held."""
    kind: dict[str, str | int | bool | None] = {"type": "number", "name": "hours", "value": "24", "required": True}
    box = el("input", {**kind, "min": "1", "max": str(_HOURS_MAX)})
    return el("label", {"class": "field"}, el("span", None, page.t("supervision.hours")), box)


def amount_field(page: Page) -> Html:
    """Return the field for how much of an object is held."""
    box = el("input", {"type": "number", "name": "amount", "min": "1", "max": str(MAX_AMOUNT)})
    return el("label", {"class": "field"}, el("span", None, page.t("supervision.hold.amount.asked")), box)


def evidence_fields(page: Page) -> list[Html]:
    """Return the fields for digests of evidence, and for files that are hashed into them."""
    box = el("input", {"type": "file", "multiple": True, "data-hash-into": "evidence"})
    files = el("label", {"class": "field"}, el("span", None, page.t("supervision.evidence.file")), box)
    return [field(page.t("supervision.evidence"), "evidence"), files]


def confirmation(page: Page, sender: str) -> Html:
    """Return the box without which nothing is signed."""
    box = el("input", {"type": "checkbox", "name": "confirmed", "value": "yes", "required": True})
    return el("label", {"class": "confirm"}, box, " ", el("span", None, page.t("supervision.confirm", sender=sender)))


_ACTIONS: Final = frozenset(
    (
        *("acknowledge", "inquire", "respond", "decide", "appeal", "decide_appeal"),
        *("hold", "lift_hold", "contest_hold", "confirm_hold"),
    )
)


def arguments_of(name: str, fields: Mapping[str, str]) -> dict[str, Any] | str:
    """Return the arguments that a form's fields make, or the key of what is wrong with them."""
    said = texts_of(fields, ("note", "question", "response", "reason", "measure", "outcome"))
    if isinstance(said, str):
        return said
    args: dict[str, Any] = {"finding": name, **said}
    if args.get("outcome") not in (None, "sanctioned"):
        args.pop("measure", None)
    if "hours" in fields:
        hours = fields["hours"].strip()
        if not (hours.isascii() and hours.isdigit() and len(hours) <= 4 and 1 <= int(hours) <= _HOURS_MAX):
            return "supervision.wrong.hours"
        args["hold_ms"] = int(hours) * _HOUR_MS
    amount = fields.get("amount", "").strip()
    if amount:
        if not (amount.isascii() and amount.isdigit() and len(amount) <= 19 and 1 <= int(amount) <= MAX_AMOUNT):
            return "supervision.wrong.amount"
        args["amount"] = int(amount)
    return args


def texts_of(fields: Mapping[str, str], names: Sequence[str]) -> dict[str, Any] | str:
    """Return the texts of a form that are there, and its evidence; or the key of what is wrong with that."""
    said: dict[str, Any] = {name: fields[name].strip() for name in names if fields.get(name, "").strip()}
    digests = fields.get("evidence", "").split()
    if len(digests) > _EVIDENCE_MAX or not all(_DIGEST.fullmatch(one) for one in digests):
        return "supervision.wrong.evidence"
    return {**said, "evidence": list(dict.fromkeys(digests))} if digests else said


async def take(page: Page, name: str, fields: Mapping[str, str]) -> Done:
    """Sign and send the step of a form, and lead to its verified receipt."""
    path, operator = f"/supervision/findings/{name}", page.console.operator
    action = fields.get("action", "")
    if operator is None or action not in _ACTIONS:
        return Done(page.t("state.forbidden"), path, ok=False)
    if fields.get("confirmed") != "yes":
        return Done(page.t("supervision.wrong.confirm"), path, ok=False)
    args = arguments_of(name, fields)
    if isinstance(args, str):
        return Done(page.t(args), path, ok=False)
    shown = await operator.submit(page.console.reader, "supervision", action, args)
    receipt = shown.value["receipt"]
    receipt_path = f"{path}/receipt/{receipt['tx_id']}"
    if not receipt["ok"]:
        words = page.t_or(f"refusal.{receipt['code']}", receipt["code"])
        return Done(" ".join((words, receipt["detail"])), receipt_path, ok=False)
    return Done(page.t("supervision.recorded", height=page.number(shown.height or 0)), receipt_path)
