"""What both kinds of ballots share on their pages: how one stands, who voted and why, who has not, and the form.

Law: votes, who may vote and the track that decides are read from the certified state and worked out by the functions
that the contracts use; a form is shown only to who may still vote, and a vote is cast only with the console's key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
from coseal.console.shown import Shown, joined
from coseal.contracts.governance import ballot, described, electorate
from coseal.contracts.governance.document import VALIDATORS
from coseal.contracts.governance.state import CONSTITUTION_KEY, SIZES_KEY, constitution_key, seat_key, vote_key
from coseal.contracts.membership.state import MEMBERS_KEY

_TONES: Final = {
    "open": "wait",
    "passed": "wait",
    "accepted": "good",
    "rejected": "bad",
    "expired": "",
    "withdrawn": "",
    "void": "bad",
    "failed": "bad",
}
_CHOICES: Final = {ballot.YES: "good", ballot.NO: "bad", ballot.ABSTAIN: ""}
CONSTITUTION_PATH: Final = "/constitution"


class Values:
    """Proven values as the contracts read them, and all that is shown of them."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._shown: dict[str, Shown[Any]] = {}

    async def read(self, *keys: str) -> None:
        """Read state keys."""
        found = await asyncio.gather(*(self._page.data.exact(key) for key in keys))
        self._shown |= dict(zip(keys, found, strict=True))

    async def read_many(self, keys: Sequence[str]) -> None:
        """Read state keys that are too many for a question each."""
        self._shown |= await self._page.data.together(keys)

    def get(self, key: str) -> Any:
        """See ``kernel.action.Reader``."""
        return self._shown[key].value

    @property
    def shown(self) -> Shown[Any]:
        """What is shown of all of them."""
        return joined(*self._shown.values())


@dataclass(frozen=True, slots=True)
class Standing:
    """How a ballot stands: its figures, its track, and what this console's member has to do with it.

    ``choice`` is how that member voted, ``has_vote`` whether its vote counts.
    """

    contract: str
    name: str
    record: Mapping[str, Any]
    figures: Mapping[str, Any]
    rule: Mapping[str, Any]
    choice: str | None
    has_vote: bool
    shown: Shown[Any]

    def awaited(self, page: Page) -> bool:
        """Return whether the vote of this console's member is awaited."""
        waits = self.record["status"] == ballot.OPEN and self.record["closes_ms"] > page.now_ms
        return waits and self.has_vote and self.choice is None


async def standing(page: Page, contract: str, name: str, record: Mapping[str, Any]) -> Standing:
    """Return how a ballot stands, without its votes, for a list."""
    return await _standing(page, contract, name, record, await _values(page, contract, name, record))


async def whole(page: Page, contract: str, name: str, record: Mapping[str, Any]) -> Standing:
    """Return how a ballot stands with its ``votes`` and ``electorate``."""
    values = await _values(page, contract, name, record)
    await values.read(MEMBERS_KEY)
    members = values.get(MEMBERS_KEY)
    await values.read(
        *map(seat_key, members), *(vote_key(contract, name, record["round"], member) for member in members)
    )
    return await _standing(page, contract, name, record, values, votes=True)


async def _values(page: Page, contract: str, name: str, record: Mapping[str, Any]) -> Values:
    """Read what the standing of a ballot follows from."""
    values, operator = Values(page), page.console.operator
    keys = [CONSTITUTION_KEY, SIZES_KEY]
    if "concerned" in record:
        keys.append(seat_key(record["concerned"]))
    if operator is not None:
        keys += [seat_key(operator.member), vote_key(contract, name, record["round"], operator.member)]
    await values.read(*keys)
    current = values.get(CONSTITUTION_KEY) or [0]
    await values.read(*map(constitution_key, sorted({current[0], record.get("constitution", 0)} - {0})))
    return values


async def _standing(
    page: Page, contract: str, name: str, record: Mapping[str, Any], values: Values, *, votes: bool = False
) -> Standing:
    rule = described.rule(values, contract, record)
    figures = (ballot.shown if votes else ballot.stands)(values, contract, name, record)
    choice, has_vote, operator = None, False, page.console.operator
    if operator is not None:
        vote = values.get(vote_key(contract, name, record["round"], operator.member))
        choice = None if vote is None else str(vote[0])
        seat = electorate.seat(values, operator.member)
        has_vote = seat is not None and _may_vote(seat, rule) and record.get("concerned") != operator.member
    return Standing(contract, name, record, figures, rule, choice, has_vote, values.shown)


def _may_vote(seat: electorate.Seat, rule: Mapping[str, Any]) -> bool:
    """Return whether a member may vote; who was away for long counts as present again once it does."""
    return seat.counts_in(VALIDATORS) if rule["electorate"] == VALIDATORS else seat.good


def kind_words(page: Page, kind: str) -> str:
    """Return what a ballot of a kind decides."""
    return page.t_or(f"governance.kind.{kind.removeprefix('supervision.')}", kind)


def status_tag(page: Page, status: str) -> Html:
    """Return the status of a ballot in words."""
    return tag(page.t_or(f"governance.status.{status}", status), _TONES.get(status, ""))


def status_cell(page: Page, stands: Standing) -> Html:
    """Return the status of a ballot for a list, and whether the vote of this console's member is awaited."""
    status = status_tag(page, stands.record["status"])
    if not page.may_act or not stands.awaited(page):
        return status
    return join(status, " ", tag(page.t("governance.awaits_you"), "accent"))


def tally_cell(page: Page, stands: Standing) -> str:
    """Return the counted votes of a ballot for a list, and how many are needed."""
    return page.t("governance.tally", **_counts(stands.figures))


def closing(page: Page, record: Mapping[str, Any]) -> Html:
    """Return when a ballot closes, with how long it is until then while it is open."""
    if record["status"] != ballot.OPEN:
        return moment(page, record["closes_ms"])
    return _until(page, record["closes_ms"])


def _until(page: Page, time_ms: int) -> Html:
    return join(due(page, time_ms), " (", page.time(time_ms), ")")


def decided_by(page: Page, stands: Standing) -> list[tuple[str, Child]]:
    """Return facts about how a ballot is decided: its track, its times, and what became of them."""
    record, rule = stands.record, stands.rule
    number = record.get("constitution")
    path = CONSTITUTION_PATH if number is None else f"{CONSTITUTION_PATH}?version={number}"
    rows: list[tuple[str, Child]] = [(page.t("constitution.track"), el("a", {"href": path}, rule["name"]))]
    if record["round"] > 1:
        rows.append((page.t("governance.round"), page.number(record["round"])))
    if record["status"] == ballot.OPEN:
        if "heard_until_ms" in rule:
            rows.append((page.t("governance.heard_until"), _until(page, rule["heard_until_ms"])))
        if rule.get("override_from_ms", record["closes_ms"]) < record["closes_ms"]:
            rows.append((page.t("governance.override_from"), _until(page, rule["override_from_ms"])))
    rows.append((page.t("governance.closes"), closing(page, record)))
    if "outlook" in rule:
        rows.append((page.t("governance.outlook"), _outlook(page, rule["outlook"])))
    if "decided" in record:
        height, time_ms = record["decided"]
        rows.append((page.t("governance.decided"), join(moment(page, time_ms), " · ", height_link(page, height))))
    if "overridden" in record:
        rows.append((page.t("governance.overridden"), page.t(f"role.{record['overridden']}")))
    if "effect_ms" in record:
        effect_ms = record["effect_ms"]
        waits = record["status"] == ballot.PASSED
        rows.append((page.t("governance.effect"), _until(page, effect_ms) if waits else moment(page, effect_ms)))
    return rows


def _outlook(page: Page, outlook: Mapping[str, Any]) -> Html:
    """Return what an open ballot comes to by the votes so far, and when."""
    status = page.t(f"governance.outlook.{outlook['status']}")
    over = outlook.get("overridden")
    against = None if over is None else page.t("governance.outlook.against", role=page.t(f"role.{over}"))
    return join(tag(status, _TONES[outlook["status"]]), " ", _until(page, outlook["at_ms"]), against and f" {against}")


def votes(page: Page, stands: Standing) -> Html:
    """Return what is needed, the votes by constituency, and by member with their reasons; who has not voted."""
    figures, rule = stands.figures, stands.rule
    rows: list[list[Child]] = []
    for vote in figures["votes"]:
        word = tag(page.t_or(f"governance.choice.{vote['choice']}", vote["choice"]), _CHOICES.get(vote["choice"], ""))
        place = (height_link(page, vote["height"]), transaction_link(page, vote["tx"]))
        rows.append([member_link(vote["member"]), word, vote["reason"] or "", *place])
    voted = {vote["member"] for vote in figures["votes"]}
    for member in figures["electorate"]:
        if member not in voted:
            rows.append([member_link(member), page.t("governance.not_voted"), "", "", ""])
    columns = ("governance.member", "governance.choice", "governance.reason", "row.block", "row.id")
    made = table(page, "governance.votes", columns, rows)
    says = page.t("governance.stands", **_counts(figures), all=figures["of"])
    also = [
        page.t("governance.stands.classes", count=rule["pass"]["at_least"]) if "classes" in rule["pass"] else None,
        page.t("governance.stands.own") if rule["pass"].get("own") and "newcomer" in stands.record else None,
    ]
    stood = el("p", None, " ".join([says, *filter(None, also)]))
    return section(page, "governance.votes", stood, _constituencies(page, stands), made, shown=stands.shown)


def _constituencies(page: Page, stands: Standing) -> Html:
    needed = stands.rule["needed"]
    rows: list[list[Child]] = [
        [
            page.t(f"role.{name}"),
            _bar(count, needed.get(name)),
            *(page.number(count[each]) for each in ("members", *electorate.CHOICES)),
            page.number(needed[name]) if name in needed else "",
        ]
        for name, count in stands.figures["constituencies"].items()
    ]
    choices = (f"governance.choice.{choice}" for choice in electorate.CHOICES)
    columns = ("members.role", "governance.share", "governance.members", *choices, "governance.needed")
    return table(page, "governance.constituencies", columns, rows, numeric="2 3 4 5 6")


def _bar(count: Mapping[str, int], needed: int | None) -> Html:
    """Return the votes of a constituency as a bar, with a mark at what is needed; the figures beside it say so too."""
    parts, done = [], 0
    for choice in electorate.CHOICES:
        place = {"x": _percent(done, count["members"]), "width": _percent(count[choice], count["members"])}
        parts.append(el("rect", {**place, "y": "2", "height": "8", "class": choice}))
        done += count[choice]
    if needed is not None and needed < count["members"]:
        at = _percent(needed, count["members"])
        parts.append(el("line", {"x1": at, "x2": at, "y1": "0", "y2": "12", "class": "mark"}))
    return el("svg", {"class": "track votes", "height": "12", "aria-hidden": "true"}, *parts)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}%" if whole else "0%"


def _counts(figures: Mapping[str, Any]) -> dict[str, int]:
    return {name: figures[name] for name in (*electorate.CHOICES, "needed")}


def vote_form(page: Page, stands: Standing, action: str) -> Html | None:
    """Return the form to vote, or what stands in its way; nothing for a ballot that takes no vote any more."""
    operator, record = page.console.operator, stands.record
    if record["status"] != ballot.OPEN or record["closes_ms"] <= page.now_ms:
        return None
    if operator is None:
        return section(page, "governance.your_vote", notice("", page.t("governance.read_only")))
    if not page.may_act:
        return section(page, "governance.your_vote", notice("", page.t("app.locked", sender=operator.sender)))
    if not stands.awaited(page):
        key = "governance.you_voted" if stands.choice is not None else "governance.no_vote"
        return section(page, "governance.your_vote", notice("", page.t(key, member=operator.member)))
    options = [(choice, page.t(f"governance.choice.{choice}")) for choice in electorate.CHOICES]
    fields = (
        select(page.t("governance.choice"), "choice", options),
        field(page.t("governance.reason"), "reason", rows=2, limit=ballot.MAX_REASON_CHARACTERS),
    )
    made = form(page, "governance.vote", *fields, action=action)
    return section(page, "governance.your_vote", made, note="governance.your_vote.note")


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
