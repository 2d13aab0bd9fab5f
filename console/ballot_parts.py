"""What both kinds of ballots share on their pages: how one stands, who voted and why, who has not, and the form.

Law: votes and who may vote are read from the certified state; a form is shown only to who may still vote, and a vote
is cast only with the console's key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from coseal.console.html import Child, Html, el, join
from coseal.console.page import Done, Page
from coseal.console.parts import (
    due,
    field,
    form,
    height_link,
    member_link,
    moment,
    notice,
    section,
    select,
    table,
    tag,
    transaction_link,
)
from coseal.console.shown import Shown
from coseal.contracts.governance import ballot
from coseal.contracts.membership.state import VALIDATORS_KEY

_TONES: Final = {"open": "wait", "accepted": "good", "rejected": "bad", "expired": "", "void": "bad", "failed": "bad"}


async def electorate(page: Page) -> list[str]:
    """Return the members that have a vote now: those that run validators, each once."""
    current = await page.data.state(VALIDATORS_KEY)
    return sorted({row[1] for row in current.value[1]})


def kind_words(page: Page, kind: str) -> str:
    """Return what a ballot of a kind decides."""
    return page.t_or(f"governance.kind.{kind}", kind)


def status_tag(page: Page, status: str) -> Html:
    """Return the status of a ballot in words."""
    return tag(page.t_or(f"governance.status.{status}", status), _TONES.get(status, ""))


def status_cell(page: Page, record: Mapping[str, Any], members: list[str]) -> Html:
    """Return the status of a ballot for a list, and whether the vote of this console's member is awaited."""
    status = status_tag(page, record["status"])
    if not page.may_act or not _is_awaited(page, record, members):
        return status
    return join(status, " ", tag(page.t("governance.awaits_you"), "accent"))


def tally_cell(page: Page, record: Mapping[str, Any], members: list[str]) -> str:
    """Return the counted votes of a ballot for a list, and how many are needed."""
    counted = ballot.tally(record, members)
    return page.t("governance.tally", yes=counted["yes"], no=counted["no"], needed=counted["needed"])


def closing(page: Page, record: Mapping[str, Any]) -> Html:
    """Return when a ballot closes, with how long it is until then while it is open."""
    if record["status"] != ballot.OPEN:
        return moment(page, record["closes_ms"])
    return join(due(page, record["closes_ms"]), " (", page.time(record["closes_ms"]), ")")


def votes(page: Page, record: Mapping[str, Any], members: list[str], shown: Shown[Any]) -> Html:
    """Return the votes with their reasons, who has not voted, and what is needed."""
    counted = ballot.tally(record, members)
    rows: list[list[Child]] = []
    for member, (choice, height, tx) in sorted(record["votes"].items()):
        word = tag(page.t_or(f"governance.choice.{choice}", choice), "good" if choice == ballot.YES else "bad")
        reason = record["reasons"].get(member, "")
        rows.append([member_link(member), word, reason, height_link(page, height), transaction_link(page, tx)])
    for member in counted["electorate"]:
        if member not in record["votes"]:
            rows.append([member_link(member), page.t("governance.not_voted"), "", "", ""])
    columns = ("governance.member", "governance.choice", "governance.reason", "row.block", "row.id")
    figures = {name: counted[name] for name in ("yes", "no", "needed")}
    stands = page.t("governance.stands", **figures, all=len(counted["electorate"]))
    made = table(page, "governance.votes", columns, rows)
    return section(page, "governance.votes", el("p", None, stands), made, shown=shown)


def vote_form(page: Page, record: Mapping[str, Any], members: list[str], action: str) -> Html | None:
    """Return the form to vote, or what stands in its way; nothing for a ballot that takes no vote any more."""
    operator = page.console.operator
    if record["status"] != ballot.OPEN or record["closes_ms"] <= page.now_ms:
        return None
    if operator is None:
        return section(page, "governance.your_vote", notice("", page.t("governance.read_only")))
    if not page.may_act:
        return section(page, "governance.your_vote", notice("", page.t("app.locked", sender=operator.sender)))
    if not _is_awaited(page, record, members):
        key = "governance.you_voted" if operator.member in record["votes"] else "governance.no_vote"
        return section(page, "governance.your_vote", notice("", page.t(key, member=operator.member)))
    options = [(choice, page.t(f"governance.choice.{choice}")) for choice in (ballot.YES, ballot.NO)]
    fields = (
        select(page.t("governance.choice"), "choice", options),
        field(page.t("governance.reason"), "reason", rows=2, limit=ballot.MAX_REASON_CHARACTERS),
    )
    made = form(page, "governance.vote", *fields, action=action)
    return section(page, "governance.your_vote", made, note="governance.your_vote.note")


def _is_awaited(page: Page, record: Mapping[str, Any], members: list[str]) -> bool:
    operator = page.console.operator
    waits = record["status"] == ballot.OPEN and record["closes_ms"] > page.now_ms
    return operator is not None and waits and operator.member in members and operator.member not in record["votes"]


async def cast(page: Page, contract: str, name: str, path: str, fields: Mapping[str, str]) -> Done:
    """Cast a vote with the console's key."""
    operator = page.console.operator
    if operator is None:
        return Done(page.t("state.forbidden"), path, ok=False)
    args = {"ballot": name, "choice": fields.get("choice", "")}
    if fields.get("reason", "").strip():
        args["reason"] = fields["reason"].strip()
    shown = await operator.submit(page.console.reader, contract, "vote", args)
    receipt = shown.value["receipt"]
    if receipt["ok"]:
        return Done(page.t("governance.voted"), path)
    words = page.t_or(f"refusal.{receipt['code']}", receipt["code"])
    return Done(" ".join((words, receipt["detail"])), path, ok=False)
