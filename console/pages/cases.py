"""A case: everything that was recorded of one object, proven to be all, with what the rules said at each event.

Law: every item shown was verified, and that there are no others; in which block an item was recorded, and how late, is
said by its receipt, else it is a node's word and judges nothing. How rules stand is read from the certified state;
findings are read one by one from the state, and that they are all follows from their proven number.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from coseal.console import case_sealing
from coseal.console.case_reading import ITEMS_SHOWN, Case, read
from coseal.console.html import Child, Html, el, join
from coseal.console.nodes import Problem
from coseal.console.page import Page, Route, View
from coseal.console.parts import (
    facts,
    height_link,
    hexadecimal,
    lead,
    moment,
    notice,
    pager,
    seal,
    section,
    table,
    tag,
    tree,
)
from coseal.console.shown import Recording, Shown, Trust, joined
from coseal.console.supervision_parts import TONES, case_link, finding_chip, held_amount, rule_link, verdict
from coseal.console.tally_parts import tallies_of
from coseal.console.verdicts import (
    Touch,
)
from coseal.contracts.process.items import time_ms as read_time_ms
from coseal.contracts.process.state import object_key

_SAID_ABOUT_ITEMS: Final = ("recorded", "late", "counterparty", "evidence", "policy", "corrects", "qualifier")


async def found(page: Page, process_type: str, object_type: str, object_id: str) -> View:
    """Build the page that says where a case that was searched for is."""
    record = await page.data.state(object_key(process_type, object_type, object_id))
    there = record.value is not None
    link = el("a", {"href": case_link(process_type, object_type, object_id)}, object_id)
    words = page.t("cases.found" if there else "cases.not_found", type=object_type, id=object_id)
    back = el("a", {"class": "button", "href": page.link(case=None)}, page.t("processes.cases"))
    body = section(page, "cases.search", el("p", None, words), link if there else None, back, shown=record)
    return page.view(object_id, lead(page, page.t("cases.search")), body)


async def case(page: Page) -> View:
    """Build the page of one case."""
    place = (page.part("id"), page.part("type"), page.part("object"))
    from_item = page.query_integer("from", low=0) or 0
    whole = await read(page, place, from_item)
    items = whole.history.value
    if not items:
        raise Problem(404, "unknown_object", page.t("cases.not_found", type=place[1], id=place[2]), "")
    first = min(from_item, max(0, len(items) - 1))
    badges = await case_sealing.badges(page, whole, items[first : first + ITEMS_SHOWN])
    path = el("a", {"href": f"/processes/{quote(place[0], safe='')}"}, place[0])
    return page.view(
        place[2],
        lead(page, place[2], None, el("p", None, place[1], " · ", path)),
        _about(page, place, whole),
        _rules(page, whole),
        *tallies_of(page, whole.definition, whole.object_type, whole.tallies),
        section(
            page,
            "cases.timeline",
            _differs(page, whole),
            _timeline(page, place, whole, first, badges),
            _pager(page, len(items), first),
            shown=whole.history,
            note="cases.timeline.note",
        ),
    )


def _open_link(page: Page, place: tuple[str, str, str]) -> list[tuple[str, Child]]:
    """Return the way to the form that opens a finding, for a console that can act."""
    if not page.may_act:
        return []
    href = page.link("/supervision/open", **dict(zip(("process_type", "object_type", "object"), place, strict=True)))
    return [(page.t("supervision.open"), el("a", {"href": href}, page.t("supervision.open.link")))]


def _bundle_link(page: Page, place: tuple[str, str, str]) -> Html:
    """Return the link to the evidence of the case as a file."""
    process_type, object_type, object_id = (quote(part, safe="") for part in place)
    href = f"/processes/{process_type}/bundle/{object_type}/{object_id}"
    return el("a", {"href": href, "download": True}, page.t("cases.bundle.link"))


def _about(page: Page, place: tuple[str, str, str], whole: Case) -> Html:
    items = whole.history.value
    events = [item for item in items if "event" in item["item"]]
    hold: Child = page.t("cases.no_hold")
    if whole.hold is not None and whole.hold["status"] == "held":
        amount = held_amount(page, whole.hold)
        hold = join(tag(page.t("cases.held"), "bad"), " ", moment(page, whole.hold["until_ms"]), " (", amount, ")")
    rows: list[tuple[str, Child]] = [
        (page.t("processes.events"), page.number(len(events))),
        (page.t("cases.items"), page.number(len(items))),
        (page.t("cases.findings"), _finding_links(page, whole)),
        (page.t("cases.hold"), hold),
        (page.t("cases.bundle"), _bundle_link(page, place)),
        *_open_link(page, place),
        (page.t("processes.sources"), join(*_spaced(el("span", {"class": "datum"}, name) for name in whole.sources))),
    ]
    complete = page.t("cases.complete", count=page.number(len(items)))
    return section(
        page, "cases.about", notice("good", complete), facts(rows), shown=joined(whole.history, whole.findings)
    )


def _spaced(parts: Any) -> list[Child]:
    return [piece for number, part in enumerate(parts) for piece in ((", ", part) if number else (part,))]


def _finding_links(page: Page, whole: Case) -> Html | str:
    """Return the findings as links; if some of those raised are not at hand, how many."""
    links = [finding_chip(page, one) for one in whole.findings.value]
    missing = whole.raised - len(links)
    if missing > 0:
        links.append(tag(page.t("cases.findings_missing", count=page.number(missing)), "wait"))
    return el("span", {"class": "tags"}, links) if links else page.t("part.none")


def _rules(page: Page, whole: Case) -> Html:
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


def _differs(page: Page, whole: Case) -> Html | None:
    """Say where what was replayed here is not how the certified state has it."""
    if whole.replayed is None or whole.standing is None:
        return None
    certified = {(one.rule.id, one.rule.version): one.verdict for one in whole.standing.value}
    wrong = [one.rule.id for one in whole.replayed.end if certified.get((one.rule.id, one.rule.version)) != one.verdict]
    return notice("wait", page.t("cases.differs", rules=", ".join(wrong))) if wrong else None


def _timeline(
    page: Page, own: tuple[str, str, str], whole: Case, first: int, badges: Mapping[str, Sequence[Html]]
) -> Html:
    """Return the items from ``first`` on in ledger order, and the findings that no event brought where they belong.

    Where the block of an item is not proven, nobody can tell: then these findings follow the last item.
    """
    items = whole.history.value
    touches = whole.replayed.touches if whole.replayed else []
    shown = range(first, min(first + ITEMS_SHOWN, len(items)))
    by_item = _by_item(whole.findings.value)
    corrected = _corrected(items)
    quiet = sorted((one for one in whole.findings.value if not one["item"]), key=lambda one: one["height"])
    heights = [place.height for row in items if (place := whole.place(row)) is not None] if whole.is_placed else []
    rows = []
    for number in shown:
        item = items[number]
        if heights:
            before, here = heights[number - 1] if number else 0, heights[number]
            rows += [_eventless(page, one) for one in quiet if before <= one["height"] < here]
        of_it = by_item.get(item["hash"], ())
        chips: list[Child] = [*(finding_chip(page, one) for one in of_it), *badges.get(item["hash"], ())]
        rows.append(
            _item(page, own, whole, item, touches[number] if touches else [], chips, corrected, bad=bool(of_it))
        )
    if shown.stop == len(items):
        last = heights[-1] if heights else 0
        rows += [_eventless(page, one) for one in quiet if one["height"] >= last]
    return el("ol", {"class": "timeline"}, rows)


def _by_item(findings: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    grouped: dict[str, list[Mapping[str, Any]]] = {}
    for one in findings:
        if one["item"]:
            grouped.setdefault(one["item"], []).append(one)
    return grouped


def _corrected(items: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Return, by the hash of an item of the case, the newest item of it that corrects that one."""
    mine = {(row["source"], row["sequence"]): row["hash"] for row in items}
    found = {}
    for row in items:
        sequence, hashed = row["item"].get("corrects", (0, ""))
        if mine.get((row["source"], sequence)) == hashed:
            found[hashed] = row
    return found


def _item(
    page: Page,
    own: tuple[str, str, str],
    whole: Case,
    row: Mapping[str, Any],
    touches: Sequence[Touch],
    chips: list[Child],
    corrected: Mapping[str, Mapping[str, Any]],
    *,
    bad: bool,
) -> Html:
    item = row["item"]
    now = corrected.get(row["hash"])
    tone = "bad" if bad else "quiet" if now is not None else ""
    kind = next(name for name in ("event", "object", "change", "relation") if name in item)
    title = item["type"] if kind == "event" else page.t(f"cases.kind.{kind}")
    place = whole.place(row)
    head = el(
        "div",
        {"class": "when"},
        el("strong", None, item["time"]) if kind == "event" else None,
        _where(page, row, place, whole.history.node),
        _lag(page, whole, row, place),
    )
    origin = page.t("cases.origin", source=row["source"], sequence=page.number(row["sequence"]))
    if now is not None:
        by = page.t("cases.origin", source=now["source"], sequence=page.number(now["sequence"]))
        chips.insert(0, tag(page.t("cases.corrected_by", by=by), "wait"))
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
            _details(page, item, kind, own[1:], case_sealing.sealed_names(whole.definition, item)),
        ),
    )


def _where(page: Page, row: Mapping[str, Any], place: Recording | None, node: str) -> Html:
    """Return the block and the time of an item by its receipt; else the block as the node says, marked as its word."""
    words = page.t("cases.in_block")
    if place is not None:
        return el(
            "span", {"class": "faint"}, words, " ", height_link(page, place.height), " · ", moment(page, place.time_ms)
        )
    claimed = page.number(row["claimed"]) if row["claimed"] else page.t("cases.block_unknown")
    word: Shown[None] = Shown(None, Trust.UNVERIFIED, "trust.place", node=node)
    return el("span", {"class": "faint word"}, words, " ", claimed, " ", seal(page, word, small=True))


def _lag(page: Page, whole: Case, row: Mapping[str, Any], place: Recording | None) -> Html | None:
    """Return how long after it happened an event of a live source was recorded, by its receipt."""
    source = whole.sources[row["source"]]
    if place is None or "event" not in row["item"] or source.get("mode") != "live":
        return None
    occurred_ms = read_time_ms(row["item"]["time"], source.get("zone_minutes"))
    if occurred_ms is None:
        return None
    return el("span", {"class": "faint"}, page.t("cases.lag", time=page.duration(max(0, place.time_ms - occurred_ms))))


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


def _details(
    page: Page, item: Mapping[str, Any], kind: str, own: Sequence[str], sealed: Collection[str]
) -> Html | None:
    """Return what an item says beside what it is: attributes, and objects other than its ``own``, the case's."""
    rows: list[tuple[str, Child]] = []
    if kind == "event":
        rows.append((page.t("cases.event"), el("span", {"class": "datum"}, item["event"])))
        named = item.get("attributes", {}).items()
        rows += [(name, case_sealing.attribute(page, value, sealed=name in sealed)) for name, value in named]
    elif item.get("attributes"):
        changes = item["attributes"]
        rows += [
            (f"{name} · {since}", case_sealing.attribute(page, value, sealed=name in sealed))
            for name, since, value in changes
        ]
    others = item.get("objects") or [item[name] for name in ("relation", "to") if name in item]
    objects = [one for one in others if [*one, ""][:3] != [*own, ""]]
    if objects:
        words = [f"{one[0]} {one[1]}" + (f" ({one[2]})" if len(one) > 2 and one[2] else "") for one in objects]
        rows.append((page.t("cases.objects"), ", ".join(words)))
    rows += [(page.t(f"cases.item.{name}"), tree(item[name])) for name in _SAID_ABOUT_ITEMS if name in item]
    return facts(rows) if rows else None


def _eventless(page: Page, one: Mapping[str, Any]) -> Html:
    """Return a finding that no event brought: a deadline passed, or a supervisor opened it by hand."""
    when = el(
        "div",
        {"class": "when"},
        el("span", {"class": "faint"}, page.t("cases.in_block"), " ", height_link(page, one["height"])),
    )
    what = el(
        "div",
        {"class": "what"},
        el("h3", None, page.t("supervision.took.open_case" if one.get("opened_by") else "cases.deadline")),
        el("p", None, page.why(one)),
        el("p", {"class": "tags"}, finding_chip(page, one)),
    )
    return el("li", {"class": "bad quiet"}, when, what)


def _pager(page: Page, count: int, first: int) -> Html | None:
    if count <= ITEMS_SHOWN:
        return None
    before, after = max(0, first - ITEMS_SHOWN), first + ITEMS_SHOWN
    middle = page.t("cases.shown", first=first + 1, last=min(count, after), count=page.number(count))
    newer = page.link(None, **{"from": after}) if after < count else None
    return pager(page, newer=newer, older=page.link(None, **{"from": before}) if first else None, middle=middle)


ROUTES: Final = (Route("/processes/{id}/cases/{type}/{object:path}", case, "processes.nav"),)
