"""One step for several findings at once, signed one by one from the board or from the list of findings.

Law: as ``finding_acts``: nothing is signed without the box that confirms it; every finding has a transaction of its
own, and what became of each is said. A refusal keeps no other finding from its step.

With a script, the browser sends a form for each finding that was chosen (static/several.js) and writes the outcome
beside it; without one, a single form has all of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from coseal.console.html import Html, el
from coseal.console.nodes import NoAnswer, Problem
from coseal.console.page import Done, Page
from coseal.console.pages.finding_acts import (
    amount_field,
    arguments_of,
    confirmation,
    evidence_fields,
    hours_field,
    role_of,
)
from coseal.console.parts import field, form, select
from coseal.console.shapes import Odd
from coseal.console.shown import Untrue
from coseal.contracts.supervision.findings import OUTCOMES

FORM: Final = "several"
_FINDING: Final = "finding."
_AT_ONCE: Final = 4
_REFUSED_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class _Step:
    """A step: its action, the field that takes its text, and of which outcome it is."""

    action: str
    text: str
    outcome: str = ""

    @property
    def name(self) -> str:
        return f"{self.action}.{self.outcome}" if self.outcome else self.action


_SUPERVISOR: Final = (
    _Step("acknowledge", "note"),
    _Step("inquire", "question"),
    *(_Step("decide", "reason", outcome) for outcome in OUTCOMES),
    *(_Step("decide_appeal", "reason", outcome) for outcome in ("upheld", "overturned")),
    *(_Step(action, "reason") for action in ("hold", "lift_hold", "confirm_hold")),
)
_SUBJECT: Final = (_Step("respond", "response"), _Step("appeal", "reason"), _Step("contest_hold", "reason"))
_STEPS: Final = {step.name: step for step in (*_SUPERVISOR, *_SUBJECT)}
_NO_TEXT_NEEDED: Final = frozenset({"acknowledge"})
_NO_EVIDENCE: Final = frozenset({"acknowledge", "hold", "lift_hold", "confirm_hold"})


def box(page: Page, name: str) -> Html | None:
    """Return the box that chooses a finding; nothing for a console that cannot act."""
    if not page.may_act:
        return None
    label = page.t("supervision.several.choose", name=name)
    marks: dict[str, str | int | bool | None] = {"type": "checkbox", "name": _FINDING + name, "value": "yes"}
    return el("input", {**marks, "form": FORM, "aria-label": label, "class": "chooses", "autocomplete": "off"})


def box_of_all(page: Page, what: str) -> Html | None:
    """Return the box that chooses all findings of the lane or panel that it stands in; ``what`` names these."""
    if not page.may_act:
        return None
    label = page.t("supervision.several.all", what=what)
    marks: dict[str, str | int | bool | None] = {"type": "checkbox", "aria-label": label, "title": label}
    return el("input", {**marks, "class": "chooses-all", "autocomplete": "off"})


async def step_form(page: Page) -> Html | None:
    """Return the form that takes a step for all that are chosen, with the steps that this member's role has."""
    operator = page.console.operator
    if operator is None or not page.may_act:
        return None
    supervises = await role_of(page, operator.member) == "government"
    options = [(step.name, _words(page, step)) for step in (*(_SUPERVISOR if supervises else ()), *_SUBJECT)]
    fields = (
        select(page.t("supervision.several.step"), "step", options),
        field(page.t("supervision.several.text"), "text", rows=2),
        el("div", {"class": "when sanctioned"}, field(page.t("supervision.said.measure.if"), "measure", rows=2)),
        el("div", {"class": "when hold"}, hours_field(page), amount_field(page)),
        el("div", {"class": "when evidence"}, evidence_fields(page)),
        confirmation(page, operator.sender),
    )
    said = {name: page.t(f"supervision.several.{name}") for name in ("chosen", "progress", "lost", "nothing")}
    made = form(page, "supervision.several.do", *fields, id=FORM)
    count = el("span", {"class": "faint", "data-count": True, "aria-live": "polite"})
    progress = el("progress", {"hidden": True, "aria-label": page.t("supervision.several.running")})
    again = el("a", {"href": page.link(said=None), "hidden": True}, page.t("supervision.several.again"))
    status = el("p", {"class": "several-status"}, progress, " ", el("span", {"role": "status"}), " ", again)
    marks: dict[str, str | int | bool | None] = {f"data-{name}": words for name, words in said.items()}
    title = el("summary", None, page.t("supervision.several"), " ", count)
    return el("details", {"class": "act-one several", **marks}, title, status, made)


def _words(page: Page, step: _Step) -> str:
    """Return a step in words, with its outcome where it has one."""
    words = page.t(f"supervision.do.{step.action}")
    if not step.outcome:
        return words
    return page.t("supervision.several.with", step=words, outcome=page.t(f"supervision.outcome.{step.outcome}"))


async def act(page: Page, fields: Mapping[str, str]) -> Done:
    """Take the step for each finding that was chosen, and say what became of them."""
    operator, step = page.console.operator, _STEPS.get(fields.get("step", ""))
    names = [name.removeprefix(_FINDING) for name, value in fields.items() if name.startswith(_FINDING) and value]
    here = page.link(said=None)
    if operator is None or step is None:
        return Done(page.t("state.forbidden"), here, ok=False)
    if fields.get("confirmed") != "yes":
        return Done(page.t("supervision.wrong.confirm"), here, ok=False)
    said = dict(_said(step, fields))
    args = arguments_of("", said)
    if isinstance(args, str):
        return Done(page.t(args), here, ok=False)
    if not names or (step.action not in _NO_TEXT_NEEDED and not args.get(step.text)):
        return Done(page.t("supervision.several.nothing"), here, ok=False)
    limit = asyncio.Semaphore(_AT_ONCE)

    async def take(name: str) -> tuple[str, Done]:
        async with limit:
            return name, await _outcome(page, here, step.action, {**args, "finding": name})

    return _told(page, here, await asyncio.gather(*map(take, names)))


def _said(step: _Step, fields: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the fields of the single step's form: only those that this step has."""
    yield step.text, fields.get("text", "")
    if step.outcome:
        yield "outcome", step.outcome
    others = ("measure",) if step.outcome == "sanctioned" else ("hours", "amount") if step.action == "hold" else ()
    for name in (*others, *(() if step.action in _NO_EVIDENCE else ("evidence",))):
        yield name, fields.get(name, "")


async def _outcome(page: Page, here: str, action: str, args: Mapping[str, Any]) -> Done:
    """Take the step for one finding, and say in which block it took effect or why it did not."""
    operator = page.console.operator
    if operator is None:
        return Done(page.t("state.forbidden"), here, ok=False)
    try:
        shown = await operator.submit(page.console.reader, "supervision", action, args)
    except Problem as problem:
        return Done(problem.detail, here, ok=False)
    except (NoAnswer, Odd, Untrue) as error:
        return Done(str(error), here, ok=False)
    receipt = shown.value["receipt"]
    if not receipt["ok"]:
        return Done(page.t_or(f"refusal.{receipt['code']}", receipt["code"]), here, ok=False)
    return Done(page.t("supervision.recorded", height=page.number(shown.height or 0)), here)


def _told(page: Page, here: str, outcomes: Sequence[tuple[str, Done]]) -> Done:
    if len(outcomes) == 1:
        return outcomes[0][1]
    refused = [f"{name}: {done.text}" for name, done in outcomes if not done.ok]
    words = page.t("supervision.several.done", count=page.number(len(outcomes) - len(refused)))
    if refused:
        shown = "; ".join(refused[:_REFUSED_SHOWN])
        words += " " + page.t("supervision.several.refused", count=page.number(len(refused)), refused=shown)
    return Done(words, here, ok=not refused)
