"""The rules that a ballot is about: as they were proposed, beside the versions they follow, and what a trial counted.

Law: a rule is shown as it was voted on: from the certified state as long as its version there is of this ballot's set,
else from the signed transaction that proposed it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from coseal.console.html import Child, Html, el, join
from coseal.console.page import Page
from coseal.console.pages.rules import complete, field_name, field_value, own_fields, status_tag
from coseal.console.parts import facts, pager, section, table, tag
from coseal.console.shown import Shown, joined
from coseal.console.supervision_parts import SEVERITY, legal_basis, rule_link
from coseal.contracts.supervision.state import head_key, rule_key, trial_key

_SHOWN: Final = 20
_OPENED: Final = 3
"""Up to this many rules are shown unfolded."""
_VERDICTS: Final = ("violated", "undetermined", "rejected")


async def proposed(page: Page, record: Mapping[str, Any], found: Shown[Any]) -> Html:
    """Return the rules of a set, some at a time, each with what changes in it."""
    names = found.value["rules"]
    first = page.query_integer("rules", high=len(names) - 1) or 0
    some = names[first : first + _SHOWN]
    texts = await _texts(page, record, some)
    before = await asyncio.gather(*(_before(page, *one) for one in some))
    made = [
        _rule(page, rule, None if older is None else older.value, opened=len(names) <= _OPENED)
        for rule, older in zip(texts.value, before, strict=True)
    ]
    links = None
    if len(names) > _SHOWN:
        links = pager(
            page,
            newer=page.link(rules=first - _SHOWN if first > _SHOWN else None) if first else None,
            older=page.link(rules=first + _SHOWN) if first + _SHOWN < len(names) else None,
            middle=page.t("ballot.rules_count", count=page.number(len(names))),
        )
    standing = joined(found, texts, *(older for older in before if older is not None))
    return section(
        page, "ballot.rules", el("div", {"class": "acts"}, made), links, shown=standing, note="ballot.rules.note"
    )


async def _texts(page: Page, record: Mapping[str, Any], names: Sequence[Sequence[Any]]) -> Shown[list[dict[str, Any]]]:
    """Return rules of a ballot as they were proposed."""
    kept = await asyncio.gather(*(page.data.state(rule_key(*name)) for name in names))
    if all(one.value["set"] == record["subject"]["set"] for one in kept):
        return joined(*kept).of([one.value["rule"] for one in kept])
    signed = await page.data.transaction(record["tx"])  # these versions were proposed again since
    by_name = {(rule["id"], rule["version"]): rule for rule in signed.value["transaction"]["args"]["rules"]}
    return signed.of([by_name[rule, version] for rule, version in names])


async def _before(page: Page, rule: str, version: int) -> Shown[Any] | None:
    """Return the version that one follows, None for the first."""
    if version == 1:
        return None
    older = await page.data.state(rule_key(rule, version - 1))
    return None if older.value is None else older


def _rule(page: Page, rule: dict[str, Any], older: Mapping[str, Any] | None, *, opened: bool) -> Html:
    """Return one rule, folded or not: what changes against the version before, and all that it says."""
    said = complete(rule)
    severity = tag(field_value(page, "severity", said["severity"]), SEVERITY.get(said["severity"], ""))
    head = join(page.title_of(said, said["id"]), " ", severity)
    link = join(rule_link(said["id"], said["version"]), " · ", page.t("ballot.version", version=said["version"]))
    changed = None
    if older is not None:
        changed = _changes(page, complete(older["rule"]), said, str(older["status"]))
    scope = said["scope"].get("object_type", page.t("supervision.source"))
    rows: list[tuple[str, Child]] = [
        (page.t("cases.rule"), link),
        (page.t("rule.basis"), legal_basis(said)),
        (page.t("rule.scope"), scope),
        (page.t("rule.kind"), field_value(page, "kind", said["kind"])),
        (page.t("rule.effect"), field_value(page, "effect", said["effect"])),
    ]
    rows += own_fields(page, said)
    return el("details", {"class": "act-one", "open": opened}, el("summary", None, head), changed, facts(rows))


def _changes(page: Page, older: Mapping[str, Any], newer: Mapping[str, Any], status: str) -> Html:
    """Return the fields of a rule that differ between two versions, before and after."""
    names = [name for name in {**older, **newer} if name != "version" and older.get(name) != newer.get(name)]
    rows: list[list[Child]] = [
        [field_name(page, name), _side(page, older, name), _side(page, newer, name)] for name in names
    ]
    title = el("p", None, page.t("ballot.follows", version=older["version"]), " ", status_tag(page, status))
    if not rows:
        return join(title, el("p", {"class": "empty"}, page.t("ballot.same")))
    return join(title, table(page, "ballot.changes", ("ballot.field", "ballot.before", "ballot.after"), rows))


def _side(page: Page, rule: Mapping[str, Any], name: str) -> Child:
    if name not in rule:
        return el("span", {"class": "faint"}, page.t("part.none"))
    if name == "title":
        return page.title_of(rule)
    if name == "tests":
        return page.number(len(rule["tests"]))
    if name == "legal_basis":
        return legal_basis(rule)
    return field_value(page, name, rule[name])


async def ended(page: Page, record: Mapping[str, Any], shown: Shown[Any]) -> Html:
    """Return the rules that a ballot would end, or ended."""
    names = record["subject"]["rules"][:_SHOWN]
    heads = await asyncio.gather(*(page.data.state(head_key(name)) for name in names))
    versions = [head.value["active"] or head.value["latest"] for head in heads]
    rules = await asyncio.gather(*(page.data.state(rule_key(*one)) for one in zip(names, versions, strict=True)))
    made = [_rule(page, one.value["rule"], None, opened=len(names) <= _OPENED) for one in rules]
    more = len(record["subject"]["rules"]) - len(names)
    rest = el("p", {"class": "note"}, page.t("ballot.more", count=page.number(more))) if more else None
    return section(page, "ballot.retire", el("div", {"class": "acts"}, made), rest, shown=joined(shown, *heads, *rules))


async def trial(page: Page, record: Mapping[str, Any]) -> Html | None:
    """Return what the trial of a set has counted, None if there was none."""
    if "set" not in record["subject"]:
        return None
    counted = await page.data.state(trial_key(record["subject"]["set"]))
    if counted.value is None:
        return None
    rows: list[list[Child]] = [
        [rule_link(rule), *(page.number(counts[verdict]) for verdict in _VERDICTS)]
        for rule, counts in sorted(counted.value.items())
    ]
    columns = ("cases.rule", *(f"ballot.trial.{verdict}" for verdict in _VERDICTS))
    made = table(page, "ballot.trial_found", columns, rows, numeric="1 2 3")
    return section(page, "ballot.trial_found", made, shown=counted, note="ballot.trial_found.note")
