"""The form with which a supervisor opens a finding by hand about an object, and opening it.

Law: the form is shown only to a console that signs for a government member; whether it may is decided by the ledger.
Nothing is signed without the box that confirms it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from coseal.console.html import Child, Html, el
from coseal.console.page import Done, Page, Route, View
from coseal.console.pages.finding_acts import confirmation, evidence_fields, role_of, texts_of
from coseal.console.parts import facts, field, form, lead, notice, section, select
from coseal.console.supervision_parts import object_link
from coseal.contracts.rules.rule import SEVERITIES
from coseal.contracts.supervision.findings import OPEN_CASE

_PATH: Final = "/supervision/open"
_PLACE: Final = ("process_type", "object_type", "object")
_BASIS_MAX: Final = 16
_BASIS_CHARACTERS: Final = 256


async def opening(page: Page) -> View:
    """Build the page that opens a finding about the object that the query names."""
    place = {name: page.query(name) or "" for name in _PLACE}
    return page.view(
        page.t("supervision.open"),
        lead(page, page.t("supervision.open"), "supervision.open.note"),
        await _form(page, place),
    )


async def _form(page: Page, place: Mapping[str, str]) -> Html:
    operator = page.console.operator
    if operator is None:
        return notice("", page.t("supervision.read_only"))
    if not page.may_act:
        return notice("", page.t("app.locked", sender=operator.sender))
    if not all(place.values()) or await role_of(page, operator.member) != "government":
        return notice("", page.t("supervision.open.only"))
    severities = [(name, page.t_or(f"severity.{name}", name)) for name in SEVERITIES]
    fields: list[Child] = [
        *(el("input", {"type": "hidden", "name": name, "value": value}) for name, value in place.items()),
        field(page.t("supervision.open.subject"), "subject", required=True, limit=64),
        select(page.t("supervision.open.severity"), "severity", severities, "warning"),
        field(page.t("supervision.said.reason"), "reason", rows=4, required=True),
        field(page.t("supervision.open.basis"), "legal_basis", rows=2, required=True, limit=5_000),
        *evidence_fields(page),
        confirmation(page, operator.sender),
    ]
    made = form(page, "supervision.do.open_case", *fields, action=_PATH)
    return section(page, "supervision.open", facts([(page.t("supervision.object"), object_link(place))]), made)


def arguments_of(fields: Mapping[str, str]) -> dict[str, Any] | str:
    """Return the arguments that the form's fields make, or the key of what is wrong with them."""
    args = texts_of(fields, (*_PLACE, "subject", "severity", "reason"))
    if isinstance(args, str):
        return args
    basis = list(dict.fromkeys(line.strip() for line in fields.get("legal_basis", "").splitlines() if line.strip()))
    if not 1 <= len(basis) <= _BASIS_MAX or any(len(line) > _BASIS_CHARACTERS for line in basis):
        return "supervision.wrong.basis"
    return {**args, "legal_basis": basis}


async def act(page: Page, fields: Mapping[str, str]) -> Done:
    """Sign and send the form, and lead to the finding with its verified receipt."""
    operator = page.console.operator
    back = page.link(_PATH, **{name: fields.get(name, "") for name in _PLACE})
    if operator is None:
        return Done(page.t("state.forbidden"), back, ok=False)
    if fields.get("confirmed") != "yes":
        return Done(page.t("supervision.wrong.confirm"), back, ok=False)
    args = arguments_of(fields)
    if isinstance(args, str):
        return Done(page.t(args), back, ok=False)
    shown = await operator.submit(page.console.reader, "supervision", OPEN_CASE, args)
    receipt = shown.value["receipt"]
    if not receipt["ok"]:
        words = page.t_or(f"refusal.{receipt['code']}", receipt["code"])
        return Done(" ".join((words, receipt["detail"])), back, ok=False)
    path = f"/supervision/findings/{receipt['data']['id']}/receipt/{receipt['tx_id']}"
    return Done(page.t("supervision.recorded", height=page.number(shown.height or 0)), path)


ROUTES: Final = (Route(_PATH, opening, "supervision.nav", act=act),)
