"""One step for several findings at once, signed one by one from the list of findings.

Law: as ``finding_acts``: nothing is signed without the box that confirms it; every finding has a transaction of its
own, and what became of each is said. Only steps that need no judgement of the single case are taken so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from coseal.console.html import Html, el
from coseal.console.nodes import NoAnswer, Problem
from coseal.console.page import Done, Page
from coseal.console.pages.finding_acts import confirmation
from coseal.console.parts import field, form, select
from coseal.console.shapes import Odd
from coseal.console.shown import Untrue

FORM: Final = "several"
_STEPS: Final = {"acknowledge": "note", "inquire": "question"}
"""Action -> the field of its text."""
_FINDING: Final = "finding."
_AT_ONCE: Final = 4
_REFUSED_SHOWN: Final = 5


def box(page: Page, name: str) -> Html | None:
    """Return the box that chooses a finding; nothing for a console that cannot act."""
    if not page.may_act:
        return None
    label = page.t("supervision.several.choose", name=name)
    marks: dict[str, str | int | bool | None] = {"type": "checkbox", "name": _FINDING + name, "value": "yes"}
    return el("input", {**marks, "form": FORM, "aria-label": label, "class": "chooses"})


def step_form(page: Page) -> Html | None:
    """Return the form that takes a step for all that are chosen."""
    operator = page.console.operator
    if operator is None or not page.may_act:
        return None
    options = [(action, page.t(f"supervision.do.{action}")) for action in _STEPS]
    fields = (
        select(page.t("supervision.several.step"), "action", options),
        field(page.t("supervision.several.text"), "text", rows=2),
        confirmation(page, operator.sender),
    )
    made = form(page, "supervision.several.do", *fields, id=FORM)
    return el("details", {"class": "act-one"}, el("summary", None, page.t("supervision.several")), made)


async def act(page: Page, fields: Mapping[str, str]) -> Done:
    """Take the step for each finding that was chosen, and say what became of them."""
    operator, action = page.console.operator, fields.get("action", "")
    names = [name.removeprefix(_FINDING) for name, value in fields.items() if name.startswith(_FINDING) and value]
    here = page.link(said=None)
    if operator is None or action not in _STEPS:
        return Done(page.t("state.forbidden"), here, ok=False)
    if fields.get("confirmed") != "yes":
        return Done(page.t("supervision.wrong.confirm"), here, ok=False)
    text = fields.get("text", "").strip()
    if not names or (action == "inquire" and not text):
        return Done(page.t("supervision.several.nothing"), here, ok=False)
    limit = asyncio.Semaphore(_AT_ONCE)

    async def take(name: str) -> tuple[str, str]:
        args: dict[str, Any] = {"finding": name} | ({_STEPS[action]: text} if text else {})
        async with limit:
            return name, await _outcome(page, action, args)

    return _said(page, here, await asyncio.gather(*map(take, names)))


async def _outcome(page: Page, action: str, args: Mapping[str, Any]) -> str:
    """Return why a step was refused, empty if it took effect."""
    operator = page.console.operator
    if operator is None:
        return page.t("state.forbidden")
    try:
        shown = await operator.submit(page.console.reader, "supervision", action, args)
    except Problem as problem:
        return problem.detail
    except (NoAnswer, Odd, Untrue) as error:
        return str(error)
    receipt = shown.value["receipt"]
    return "" if receipt["ok"] else page.t_or(f"refusal.{receipt['code']}", receipt["code"])


def _said(page: Page, here: str, outcomes: Sequence[tuple[str, str]]) -> Done:
    refused = [f"{name}: {why}" for name, why in outcomes if why]
    words = page.t("supervision.several.done", count=page.number(len(outcomes) - len(refused)))
    if refused:
        shown = "; ".join(refused[:_REFUSED_SHOWN])
        words += " " + page.t("supervision.several.refused", count=page.number(len(refused)), refused=shown)
    return Done(words, here, ok=not refused)
