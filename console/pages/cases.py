"""A case: everything that was recorded of one object, proven to be all, with what the rules said at each event.

Law: every item shown was verified, and that there are no others; how rules stand is read from the certified state;
findings are read one by one from the state, and that they are all follows from their proven number.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from console.html import Child, Html, el, join
from console.nodes import Problem
from console.page import Page, Route, View
from console.parts import (
    facts,
    height_link,
    hexadecimal,
    lead,
    moment,
    notice,
    pager,
    section,
    table,
    tag,
    tree,
)
from console.reading import Shown, joined
from console.supervising import TONES, case_link, finding_chip, rule_link, verdict
from console.verdicts import MAX_RULES, Recorded, Replay, Standing, Touch, judges_of, replay, standings
from contracts.process_items import time_ms as read_time_ms
from contracts.supervision_findings import count_key, finding_key
from contracts.supervision_holds import hold_key
from contracts.supervision_sets import active_key, rule_key, set_key
from contracts.supervision_watch import object_state_key

_ITEMS_SHOWN: Final = 50
_BLOCKS_MAX: Final = 256
_FINDINGS_MAX: Final = 64
_SAID_ABOUT_ITEMS: Final = ("recorded", "late", "counterparty", "evidence", "policy", "corrects", "qualifier")


async def found(page: Page, process_type: str, object_type: str, object_id: str) -> View:
    """Build the page that says where a case that was searched for is."""
    record = await page.data.state(f"process/object/{process_type}/{object_type}/{object_id}")
    there = record.value is not None
    link = el("a", {"href": case_link(process_type, object_type, object_id)}, object_id)
    words = page.t("cases.found" if there else "cases.not_found", type=object_type, id=object_id)
    back = el("a", {"class": "button", "href": page.link(case=None)}, page.t("processes.cases"))
    body = section(page, "cases.search", el("p", None, words), link if there else None, back, shown=record)
    return page.view(object_id, lead(page, page.t("cases.search")), body)


@dataclass(frozen=True, slots=True)
class _Case:
    """A case with everything that belongs to it, all of it proven."""

    history: Shown[dict[str, Any]]
    definition: Mapping[str, Any]
    headers: Mapping[int, Any]
    sources: Mapping[str, Any]
    findings: Shown[list[dict[str, Any]]]
    hold: Mapping[str, Any] | None
    standing: Shown[list[Standing]] | None
    replayed: Replay | None


async def case(page: Page) -> View:
    """Build the page of one case."""
    place = (page.part("id"), page.part("type"), page.part("object"))
    whole = await _read(page, place)
    items = whole.history.value["items"]
    if not items:
        raise Problem(404, "unknown_object", page.t("cases.not_found", type=place[1], id=place[2]), "")
    first = min(page.query_integer("from", low=0) or 0, max(0, len(items) - 1))
    path = el("a", {"href": f"/processes/{quote(place[0], safe='')}"}, place[0])
    return page.view(
        place[2],
        lead(page, place[2], None, el("p", None, place[1], " · ", path)),
        _about(page, place, whole),
        _rules(page, whole),
        section(
            page,
            "cases.timeline",
            _differs(page, whole),
            _timeline(page, whole, first),
            _pager(page, len(items), first),
            shown=whole.history,
            note="cases.timeline.note",
        ),
    )


# Reading


async def _read(page: Page, place: tuple[str, str, str]) -> _Case:
    process_type, object_type, _object_id = place
    definition, history, hold, monitors, active = await asyncio.gather(
        page.data.state(f"process/type/{process_type}"),
        page.data.history(*place),
        page.data.state(hold_key(*place)),
        page.data.exact(object_state_key(*place)),
        page.data.state(active_key(process_type)),
    )
    if definition.value is None:
        raise Problem(404, "unknown_process_type", page.t("processes.unknown", name=process_type), "")
    items = history.value["items"]
    names = sorted({item["source"] for item in items})
    sources = await asyncio.gather(*(page.data.state(f"process/source/{name}") for name in names))
    heights = {item["height"] for item in items}
    headers = (await page.data.headers(heights)).value if len(heights) <= _BLOCKS_MAX else {}
    findings = await _findings(page, place)
    by_name = {name: source.value or {} for name, source in zip(names, sources, strict=True)}
    standing = replayed = None
    values = await _rule_values(page, process_type, active.value or [])
    if values is not None:
        judges = await asyncio.to_thread(judges_of, values, definition.value, object_type)
        standing = joined(monitors, active).of(standings(place, monitors.value, judges))
        since = {entry["set"]: entry["since"] for entry in active.value or []}
        recorded = [_recorded(item, by_name[item["source"]], headers) for item in items] if headers else []
        clock_ms = _clock_ms(page, monitors.value, by_name)
        late_ms = definition.value["late_ms"]
        if recorded and judges and monitors.value is not None:
            replayed = await asyncio.to_thread(
                replay, place, monitors.value, judges, since, recorded, late_ms, clock_ms
            )
    return _Case(history, definition.value, headers, by_name, findings, hold.value, standing, replayed)


async def _rule_values(page: Page, process_type: str, active: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return the state values that the rules in force are compiled from; None if there are too many."""
    if sum(entry["rules"] for entry in active) > MAX_RULES:
        return None
    keys = [set_key(entry["set"]) for entry in active]
    sets = await asyncio.gather(*(page.data.state(key) for key in keys))
    keys += [rule_key(*name) for one in sets for name in one.value["rules"]]
    values = await asyncio.gather(*(page.data.state(key) for key in keys))
    return {active_key(process_type): active, **{key: one.value for key, one in zip(keys, values, strict=True)}}


async def _findings(page: Page, place: tuple[str, str, str]) -> Shown[list[dict[str, Any]]]:
    """Return the findings about an object, each proven; their number, proven too, says whether they are all."""
    process_type, object_type, object_id = place
    count, listed = await asyncio.gather(
        page.data.state(count_key(*place)),
        page.data.get(
            "/v1/findings", process_type=process_type, object_type=object_type, object=object_id, limit=_FINDINGS_MAX
        ),
    )
    ids = dict.fromkeys(one["id"] for one in listed.value["findings"])  # each once: the proven number counts each once
    rows = await asyncio.gather(*(page.data.state(finding_key(name)) for name in ids))
    proven: list[dict[str, Any]] = [one.value for one in rows if one.value and _is_about(one.value, place)]
    whole = len(proven) >= (count.value or 0)  # else a node left some out, or there are more than a page holds
    standing: Shown[Any] = joined(count, *rows) if whole else listed
    return standing.of(proven)


def _is_about(record: Mapping[str, Any], place: tuple[str, str, str]) -> bool:
    return (record["process_type"], record["object_type"], record["object"]) == place


def _recorded(item: Mapping[str, Any], source: Mapping[str, Any], headers: Mapping[int, Any]) -> Recorded:
    block_ms = headers[item["height"]].time_ms
    live = source.get("mode") == "live"
    place = (item["source"], item["sequence"], item["height"])
    return Recorded(item["item"], *place, block_ms, live, source.get("zone_minutes"))


def _clock_ms(page: Page, monitors: Any, sources: Mapping[str, Mapping[str, Any]]) -> int | None:
    """Return the clock that the object's deadlines go by, as of now: of its historical source, else block time."""
    clock = monitors[0] if monitors else ""
    if clock in sources:
        latest: int | None = sources[clock].get("latest_ms")
        return latest
    recent = page.console.light.recent
    return recent[-1].time_ms if recent else None


# Showing


def _about(page: Page, place: tuple[str, str, str], whole: _Case) -> Html:
    events = [item for item in whole.history.value["items"] if "event" in item["item"]]
    hold: Child = page.t("cases.no_hold")
    if whole.hold is not None and whole.hold["status"] == "held":
        hold = join(tag(page.t("cases.held"), "bad"), " ", moment(page, whole.hold["until_ms"]))
    rows: list[tuple[str, Child]] = [
        (page.t("processes.events"), page.number(len(events))),
        (page.t("cases.items"), page.number(len(whole.history.value["items"]))),
        (page.t("cases.findings"), _finding_links(page, whole.findings.value) or page.t("part.none")),
        (page.t("cases.hold"), hold),
        (page.t("processes.sources"), join(*_spaced(el("span", {"class": "datum"}, name) for name in whole.sources))),
    ]
    complete = page.t("cases.complete", count=page.number(whole.history.value["count"]))
    return section(
        page, "cases.about", notice("good", complete), facts(rows), shown=joined(whole.history, whole.findings)
    )


def _spaced(parts: Any) -> list[Child]:
    return [piece for number, part in enumerate(parts) for piece in ((", ", part) if number else (part,))]


def _finding_links(page: Page, findings: Sequence[Mapping[str, Any]]) -> Html | None:
    links = [finding_chip(page, one) for one in findings]
    return el("span", {"class": "tags"}, links) if links else None


def _rules(page: Page, whole: _Case) -> Html:
    """Return how every rule in force stands on the object."""
    if whole.standing is None:
        return section(page, "cases.rules", el("p", {"class": "note"}, page.t("cases.too_many_rules")))
    rows = []
    for one in whole.standing.value:
        phase = tag(page.t("rule.status.trial"), "wait") if one.trial else tag(page.t("rule.status.adopted"), "good")
        severity = page.t_or(f"severity.{one.rule.severity}", one.rule.severity)
        rows.append(
            [
                rule_link(one.rule.id),
                page.title_of(one.rule.data, one.rule.id),
                verdict(page, one.verdict),
                severity,
                phase,
            ]
        )
    columns = ("cases.rule", "cases.rule_title", "cases.verdict", "finding.severity", "cases.phase")
    made = table(page, "cases.rules", columns, rows)
    return section(page, "cases.rules", made, shown=whole.standing, note="cases.rules.note")


def _differs(page: Page, whole: _Case) -> Html | None:
    """Say where what was replayed here is not how the certified state has it."""
    if whole.replayed is None or whole.standing is None:
        return None
    certified = {(one.rule.id, one.rule.version): one.verdict for one in whole.standing.value}
    wrong = [one.rule.id for one in whole.replayed.end if certified.get((one.rule.id, one.rule.version)) != one.verdict]
    return notice("wait", page.t("cases.differs", rules=", ".join(wrong))) if wrong else None


def _timeline(page: Page, whole: _Case, first: int) -> Html:
    """Return the items from ``first`` on in ledger order, and between them the findings that deadlines brought."""
    items = whole.history.value["items"]
    touches = whole.replayed.touches if whole.replayed else []
    shown = range(first, min(first + _ITEMS_SHOWN, len(items)))
    by_item = _by_item(whole.findings.value)
    quiet = sorted((one for one in whole.findings.value if not one["item"]), key=lambda one: one["height"])
    last = shown.stop == len(items)
    rows = []
    for number in shown:
        item = items[number]
        before = items[number - 1]["height"] if number else 0
        rows += [_deadline(page, one) for one in quiet if before <= one["height"] < item["height"]]
        rows.append(_item(page, whole, item, touches[number] if touches else [], by_item.get(item["hash"], ())))
    if last:
        rows += [_deadline(page, one) for one in quiet if one["height"] >= items[-1]["height"]]
    return el("ol", {"class": "timeline"}, rows)


def _by_item(findings: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    grouped: dict[str, list[Mapping[str, Any]]] = {}
    for one in findings:
        if one["item"]:
            grouped.setdefault(one["item"], []).append(one)
    return grouped


def _item(
    page: Page, whole: _Case, row: Mapping[str, Any], touches: Sequence[Touch], findings: Sequence[Mapping[str, Any]]
) -> Html:
    item = row["item"]
    tone = "bad" if findings else ""
    kind = next(name for name in ("event", "object", "change", "relation") if name in item)
    title = item["type"] if kind == "event" else page.t(f"cases.kind.{kind}")
    header = whole.headers.get(row["height"])
    block = [page.t("cases.in_block"), " ", height_link(page, row["height"])]
    if header is not None:
        block += [" · ", moment(page, header.time_ms)]
    head = el(
        "div",
        {"class": "when"},
        el("strong", None, item["time"]) if kind == "event" else None,
        el("span", {"class": "faint"}, block),
        _lag(page, whole, row, header),
    )
    origin = page.t("cases.origin", source=row["source"], sequence=page.number(row["sequence"]))
    chips = [finding_chip(page, one) for one in findings]
    return el(
        "li",
        {"class": tone or None},
        head,
        el(
            "div",
            {"class": "what"},
            el("h3", None, title),
            el("p", {"class": "faint"}, origin, " · ", hexadecimal(page, row["hash"])),
            el("p", {"class": "tags"}, chips) if chips else None,
            _touches(page, touches),
            _details(page, item, kind, (whole.history.value["type"], whole.history.value["id"])),
        ),
    )


def _lag(page: Page, whole: _Case, row: Mapping[str, Any], header: Any) -> Html | None:
    """Return how long after it happened an event of a live source was recorded."""
    source = whole.sources[row["source"]]
    if header is None or "event" not in row["item"] or source.get("mode") != "live":
        return None
    occurred_ms = read_time_ms(row["item"]["time"], source.get("zone_minutes"))
    if occurred_ms is None:
        return None
    return el("span", {"class": "faint"}, page.t("cases.lag", time=page.duration(max(0, header.time_ms - occurred_ms))))


def _touches(page: Page, touches: Sequence[Touch]) -> Html | None:
    """Return the rules that an event concerned, with what each says after it."""
    if not touches:
        return None
    rows = []
    for one in touches:
        changed = tag(page.t(f"verdict.{one.before.value}"), TONES[one.before]) if one.before != one.after else None
        arrow = el("span", {"aria-hidden": "true"}, " → ") if changed else None
        trial = join(" ", tag(page.t("rule.status.trial"), "wait")) if one.trial else None
        rows.append(el("li", None, rule_link(one.rule.id), " ", changed, arrow, verdict(page, one.after), trial))
    return el("ul", {"class": "touches", "aria-label": page.t("cases.touched")}, rows)


def _details(page: Page, item: Mapping[str, Any], kind: str, own: Sequence[str]) -> Html | None:
    """Return what an item says beside what it is: attributes, and objects other than its ``own``, the case's."""
    rows: list[tuple[str, Child]] = []
    if kind == "event":
        rows.append((page.t("cases.event"), el("span", {"class": "datum"}, item["event"])))
        rows += [(name, tree(value)) for name, value in item.get("attributes", {}).items()]
    elif item.get("attributes"):
        rows += [(f"{name} · {since}", tree(value)) for name, since, value in item["attributes"]]
    named = item.get("objects") or [item[name] for name in ("relation", "to") if name in item]
    objects = [one for one in named if [*one, ""][:3] != [*own, ""]]
    if objects:
        words = [f"{one[0]} {one[1]}" + (f" ({one[2]})" if len(one) > 2 and one[2] else "") for one in objects]
        rows.append((page.t("cases.objects"), ", ".join(words)))
    rows += [(page.t(f"cases.item.{name}"), tree(item[name])) for name in _SAID_ABOUT_ITEMS if name in item]
    return facts(rows) if rows else None


def _deadline(page: Page, one: Mapping[str, Any]) -> Html:
    """Return a finding that no event brought: time passed."""
    when = el(
        "div",
        {"class": "when"},
        el("span", {"class": "faint"}, page.t("cases.in_block"), " ", height_link(page, one["height"])),
    )
    what = el(
        "div",
        {"class": "what"},
        el("h3", None, page.t("cases.deadline")),
        el("p", None, page.why(one)),
        el("p", {"class": "tags"}, finding_chip(page, one)),
    )
    return el("li", {"class": "bad quiet"}, when, what)


def _pager(page: Page, count: int, first: int) -> Html | None:
    if count <= _ITEMS_SHOWN:
        return None
    before, after = max(0, first - _ITEMS_SHOWN), first + _ITEMS_SHOWN
    middle = page.t("cases.shown", first=first + 1, last=min(count, after), count=page.number(count))
    newer = page.link(None, **{"from": after}) if after < count else None
    return pager(page, newer=newer, older=page.link(None, **{"from": before}) if first else None, middle=middle)


ROUTES: Final = (Route("/processes/{id}/cases/{type}/{object:path}", case, "processes.nav"),)
