"""What the member at this console may do about a credit dossier, as forms, and doing it.

Law: a form is shown only for what this member can do now by the ledger's own rules; whether it may is decided by the
ledger, and a refusal is reported in words. Nothing is signed without the box that confirms it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from coseal.client.dossiers import ProvenDossier
from coseal.console.dossier_parts import Fact, Step, dossier_path, kind_text
from coseal.console.html import Child, Html, el
from coseal.console.page import Done, Page
from coseal.console.pages.finding_acts import confirmation, evidence_fields, role_of, texts_of
from coseal.console.parts import field, form, notice, section, select
from coseal.contracts.credit.contests import UPHELD
from coseal.contracts.credit.facts import UNANSWERED
from coseal.contracts.credit.figures import KINDS, REFUSED
from coseal.contracts.credit.state import NAME

CONSULT: Final = "consult"
CONTEST: Final = "contest"
ANSWER: Final = "answer"
CORRECT: Final = "correct"
_TEXTS: Final[Mapping[str, tuple[str, ...]]] = {
    CONSULT: ("purpose", "legal_basis"),
    CONTEST: ("reason",),
    ANSWER: ("outcome", "reason"),
    CORRECT: ("reason",),
}
"""The actions that this page sends, with the texts that their forms have."""


async def steps_of(page: Page, member: str) -> Callable[[Fact], Sequence[Step]]:
    """Return what gives the steps that can be taken from here about a fact."""
    operator = page.console.operator
    if operator is None or not page.may_act:
        return lambda fact: ()
    own = operator.member == member
    authority = not own and await role_of(page, operator.member) == "government"

    def steps(fact: Fact) -> Sequence[Step]:
        action = possible(fact["status"], own=own, authority=authority)
        if not action:
            return ()
        entry = f"{fact['month'].replace('-', '')}.{fact['kind']}.{fact['number']}"
        return (Step(action, page.link(step=action, entry=entry) + "#credit-act"),)

    return steps


def possible(status: str, *, own: bool, authority: bool) -> str:
    """Return the action that a member may take about a fact of this status, empty if none."""
    if own and not status:
        return CONTEST
    if authority and status in UNANSWERED:
        return ANSWER
    return CORRECT if authority and status == UPHELD else ""


async def form_of(page: Page, made: ProvenDossier) -> Html | None:
    """Return the form of the step that was chosen about a fact, if it can be taken."""
    action, entry = page.query("step") or "", page.query("entry") or ""
    member = made.facts["member"]
    steps = await steps_of(page, member)
    for fact in made.listed:
        named = f"{fact['month'].replace('-', '')}.{fact['kind']}.{fact['number']}"
        if named == entry and [step.action for step in steps(fact)] == [action]:
            about = page.t(
                "credit.about", kind=kind_text(page, fact["kind"]), month=fact["month"], entry=fact["number"]
            )
            hidden = el("input", {"type": "hidden", "name": "entry", "value": named})
            fields = [el("p", None, about), hidden, *_fields(page, action, fact)]
            return section(page, "credit.act", _form(page, member, action, fields))
    return None


async def consult(page: Page, member: str, code: str) -> Html | None:
    """Return the form that records why a dossier is read, where that is what is missing."""
    operator = page.console.operator
    if code != "consult_first" or operator is None:
        return None
    if not page.may_act:
        return section(page, "credit.act", notice("", page.t("app.locked", sender=operator.sender)))
    return section(page, "credit.act", _form(page, member, CONSULT, _fields(page, CONSULT, {})))


def _form(page: Page, member: str, action: str, fields: Sequence[Child]) -> Html:
    operator = page.console.operator
    sender = "" if operator is None else operator.sender
    step = el("input", {"type": "hidden", "name": "action", "value": action})
    words = f"credit.do.{action}"
    made = form(page, words, step, *fields, confirmation(page, sender), action=dossier_path(member))
    return el(
        "div", {"class": "act-one", "id": "credit-act"}, el("p", {"class": "note"}, page.t(f"{words}.note")), made
    )


def _fields(page: Page, action: str, fact: Fact) -> list[Child]:
    if action == CONSULT:
        purpose = field(page.t("credit.purpose"), "purpose", rows=2, required=True, limit=1_000)
        return [purpose, field(page.t("credit.legal_basis"), "legal_basis", required=True, limit=256)]
    reason = field(page.t("supervision.said.reason"), "reason", rows=3, required=True)
    if action == CONTEST:
        return [reason, *evidence_fields(page)]
    if action == ANSWER:
        outcomes = [(one, page.t(f"credit.outcome.{one}")) for one in (UPHELD, REFUSED)]
        return [select(page.t("credit.outcome"), "outcome", outcomes), reason, *evidence_fields(page)]
    kinds = [(kind, kind_text(page, kind)) for kind in KINDS]
    return [
        select(page.t("credit.becomes"), "kind", kinds, fact["kind"]),
        field(page.t("credit.becomes.amount"), "amount", value=str(fact["amount"]), required=True, limit=18),
        field(page.t("credit.becomes.days"), "days", value=str(fact["days"]), required=True, limit=5),
        reason,
    ]


def arguments_of(member: str, action: str, fields: Mapping[str, str]) -> dict[str, Any] | str:
    """Return the arguments that a form's fields make, or the key of what is wrong with them."""
    said = texts_of(fields, _TEXTS[action])
    if isinstance(said, str):
        return said
    about = {} if action == CONTEST else {"member": member}
    if action == CONSULT:
        return {**about, **said}
    month, _, rest = fields.get("entry", "").partition(".")
    kind, _, number = rest.partition(".")
    if not (_is_number(month) and _is_number(number)):
        return "credit.wrong.entry"
    args = {**about, "month": int(month), "kind": kind, "entry": int(number), **said}
    if action == CORRECT:
        amount, days = fields.get("amount", "").strip(), fields.get("days", "").strip()
        if not (_is_number(amount) and _is_number(days)):
            return "credit.wrong.number"
        args["becomes"] = {"kind": fields.get("kind", ""), "amount": int(amount), "days": int(days)}
    return args


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18


async def take(page: Page, member: str, fields: Mapping[str, str]) -> Done:
    """Sign and send what a form says, and say what came of it."""
    path, operator = dossier_path(member), page.console.operator
    action = fields.get("action", "")
    if operator is None or action not in _TEXTS:
        return Done(page.t("state.forbidden"), path, ok=False)
    if fields.get("confirmed") != "yes":
        return Done(page.t("supervision.wrong.confirm"), path, ok=False)
    args = arguments_of(member, action, fields)
    if isinstance(args, str):
        return Done(page.t(args), path, ok=False)
    shown = await operator.submit(page.console.reader, NAME, action, args)
    receipt = shown.value["receipt"]
    if receipt["ok"]:
        return Done(page.t("supervision.recorded", height=page.number(shown.height or 0)), path)
    words = page.t_or(f"refusal.{receipt['code']}", receipt["code"])
    return Done(" ".join((words, receipt["detail"])), path, ok=False)
