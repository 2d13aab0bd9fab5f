"""Rules: what is watched, since when, at what cost, and what each has found.

Law: the list of rules is the node's; each rule, its status and its cost are read from the certified state.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from coseal.console.documents import RULES
from coseal.console.html import Child, Html, el, join
from coseal.console.nodes import Problem
from coseal.console.page import Page, Route, View
from coseal.console.parts import (
    choices,
    cursor_pager,
    facts,
    figure,
    figures,
    height_link,
    hexadecimal,
    lead,
    member_link,
    moment,
    raw,
    seal,
    section,
    table,
    tag,
    tree,
)
from coseal.console.shown import Shown, joined
from coseal.console.supervision_parts import SEVERITY, legal_basis, rule_link, tabs
from coseal.contracts.supervision.state import head_key, rule_key, rule_statistics_key, trial_key

_PAGE: Final = 25
STATUSES: Final = ("adopted", "trial", "tried", "proposed", "superseded", "retired", "rejected")
TONES: Final = {"adopted": "good", "trial": "wait", "tried": "wait", "proposed": "accent", "rejected": "bad"}
_KNOWN: Final = frozenset(
    (
        *("id", "version", "title", "legal_basis", "severity", "effect", "hold_ms", "scope", "kind", "valid_from"),
        *("valid_to", "tests", "proposer"),
    )
)
_EXPRESSIONS: Final = ("assert", "where", "activation", "target", "correlation")
_COUNTED: Final = ("raised", "notified", "rectified", "dismissed", "sanctioned", "overturned", "superseded")


def status_tag(page: Page, status: str) -> Html:
    """Return the status of a rule in words."""
    return tag(page.t_or(f"rule.status.{status}", status), TONES.get(status, ""))


async def rules(page: Page) -> View:
    """Build the list of rules."""
    listed = await page.data.get(
        "/v1/rules",
        RULES,
        status=page.query("status"),
        process_type=page.query("process_type"),
        limit=_PAGE,
        cursor=page.query("cursor"),
    )
    found = listed.value["rules"]
    shown = await asyncio.gather(*(page.data.state(rule_key(one["id"], one["version"])) for one in found))
    rows = [_row(page, proven) for proven in shown if proven.value is not None]
    columns = (
        *("cases.rule", "rule.version", "cases.rule_title", "rule.kind", "finding.severity"),
        *("rule.effect", "supervision.status", "rule.cost"),
    )
    options = [("", page.t("supervision.any")), *((one, page.t(f"rule.status.{one}")) for one in STATUSES)]
    title = page.t("supervision.rules")
    return page.view(
        title,
        lead(page, title, "rule.lead"),
        tabs(page, "/supervision/rules"),
        section(
            page,
            "supervision.rules",
            choices(page, "status", options, "supervision.status"),
            table(page, "supervision.rules", columns, rows, numeric="1 7"),
            cursor_pager(page, listed.value["next"]),
            shown=joined(listed, *shown),
            note="rule.cost.note",
        ),
    )


def complete(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a rule says, with what it may leave out; null is left out, too."""
    given = {name: value for name, value in rule.items() if value is not None}
    return {"severity": "", "effect": "flag", "scope": {}, **given}


def _row(page: Page, proven: Shown[Any]) -> list[Child]:
    """Return one version of a rule as a row: all of it from the certified state."""
    record = proven.value
    one = complete(record["rule"])
    return [
        join(rule_link(one["id"], one["version"]), " ", seal(page, proven, small=True)),
        page.number(one["version"]),
        page.title_of(one),
        el("span", {"class": "nowrap"}, page.t_or(f"rule.kind.{one['kind']}", one["kind"])),
        tag(page.t_or(f"severity.{one['severity']}", one["severity"]), SEVERITY.get(one["severity"], "")),
        el("span", {"class": "nowrap"}, page.t_or(f"rule.effect.{one['effect']}", one["effect"])),
        status_tag(page, record["status"]),
        page.number(record["cost"]),
    ]


async def rule(page: Page) -> View:
    """Build the page of one rule: what it says, on what law it rests, how it came into force, what it found."""
    name = page.part("id")
    head = await page.data.state(head_key(name))
    chosen = page.query_integer("version", low=1)
    if head.value is not None:
        chosen = chosen or head.value["active"] or head.value["latest"]
    record = await page.data.state(rule_key(name, chosen)) if chosen else None
    if head.value is None or record is None or record.value is None:
        raise Problem(404, "unknown_rule", page.t("rule.unknown", name=name), "")
    found = record.value
    said = complete(found["rule"])
    counted, trial = await asyncio.gather(
        page.data.state(rule_statistics_key(found["process_type"], name)),
        page.data.state(trial_key(found["set"])),
    )
    counts, verdicts = counted.value or {}, (trial.value or {}).get(name, {})
    made = [figure(page.t(f"rule.counted.{what}"), page.number(counts.get(what, 0))) for what in _COUNTED]
    if verdicts:
        shadow = sum(verdicts.values())
        made.append(figure(page.t("rule.counted.trial"), page.number(shadow), page.t("rule.counted.trial.note")))
    listed = el("a", {"href": page.link("/supervision/findings", rule=name)}, page.t("rule.findings"))
    return page.view(
        name,
        lead(page, page.title_of(said, name), None, el("p", None, name, " ", status_tag(page, found["status"]))),
        section(page, "rule.figures", figures(*made), el("p", None, listed), shown=joined(counted, trial)),
        section(page, "rule.about", _about(page, found), shown=record),
        section(page, "rule.says", says(page, said), raw(page, found["rule"]), shown=record),
        section(page, "rule.history", _history(page, found), _versions(page, name, head.value, chosen), shown=head),
    )


def _about(page: Page, found: dict[str, Any]) -> Html:
    said, always = complete(found["rule"]), page.t("rule.always")
    rows: list[tuple[str, Child]] = [
        (page.t("rule.basis"), legal_basis(said)),
        (page.t("processes.type"), el("a", {"href": f"/processes/{found['process_type']}"}, found["process_type"])),
        (page.t("rule.scope"), said["scope"].get("object_type", page.t("supervision.source"))),
        (page.t("rule.kind"), page.t_or(f"rule.kind.{said['kind']}", said["kind"])),
        (page.t("finding.severity"), page.t_or(f"severity.{said['severity']}", said["severity"])),
        (page.t("rule.effect"), page.t_or(f"rule.effect.{said['effect']}", said["effect"])),
        (page.t("rule.valid"), f"{said.get('valid_from') or always} – {said.get('valid_to') or always}"),
        (page.t("rule.proposer"), member_link(found["proposer"])),
        (page.t("ballot.id"), el("a", {"href": f"/ballots/{found['set']}"}, found["set"])),
        (page.t("rule.cost"), page.number(found["cost"])),
        (page.t("rule.tests"), page.number(len(said.get("tests", ())))),
        (page.t("rule.digest"), hexadecimal(page, found["digest"])),
    ]
    return facts(rows)


def says(page: Page, said: dict[str, Any]) -> Html:
    """Return what a rule says beside its title, law and severity: the fields of its kind."""
    rows = own_fields(page, said)
    return facts(rows) if rows else el("p", {"class": "empty"}, page.t("rule.says.no_more"))


def own_fields(page: Page, said: Mapping[str, Any]) -> list[tuple[str, Child]]:
    """Return the fields of a rule's kind as (name, value)."""
    return [
        (field_name(page, name), field_value(page, name, value)) for name, value in said.items() if name not in _KNOWN
    ]


def field_name(page: Page, name: str) -> str:
    """Return what a field of a rule is called."""
    return page.t_or(f"rule.field.{name}", name)


def field_value(page: Page, name: str, value: Any) -> Child:
    """Return the value of a field of a rule."""
    if name in ("severity", "kind", "effect"):
        return page.t_or(f"severity.{value}" if name == "severity" else f"rule.{name}.{value}", str(value))
    if name in _EXPRESSIONS:
        return el("code", None, str(value))
    if name.endswith("_ms"):
        return page.length(value)
    return tree(value)


def _history(page: Page, found: dict[str, Any]) -> Html:
    rows = [
        [status_tag(page, status), height_link(page, height), moment(page, time_ms)]
        for status, height, time_ms in found["history"]
    ]
    return table(page, "rule.history", ("supervision.status", "row.block", "row.when"), rows)


def _versions(page: Page, name: str, head: dict[str, Any], chosen: int | None) -> Html | None:
    if head["latest"] < 2:
        return None
    first = max(1, head["latest"] - _PAGE + 1)
    links: list[Child] = []
    for number in range(head["latest"], first - 1, -1):
        links += [rule_link(name, number) if number != chosen else el("strong", None, name), f" {number} "]
    return el("p", None, page.t("rule.versions"), " ", join(*links))


ROUTES: Final = (
    Route("/supervision/rules", rules, "supervision.nav", lists="rules"),
    Route("/supervision/rules/{id:path}", rule, "supervision.nav"),
)
