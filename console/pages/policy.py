"""One instrument: whether it is in force, its whole life, what is odd about it, what it rests on and what rests on it.

Law: everything but the relations and the entries of the same title is read from the certified state; whether it is in
force is worked out here, by the contract's own function, for the moment that is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote

from coseal.console import documents
from coseal.console.html import Child, Html, el, join
from coseal.console.nodes import NoAnswer, Problem
from coseal.console.page import Page, Route, View
from coseal.console.parts import empty, facts, height_link, lead, member_link, moment, notice, raw, section, table, tag
from coseal.console.policy_life import Step, known_at, life, why
from coseal.console.policy_parts import STATUS_TONE, VERDICT_TONE, date_of, subject_tabs, word
from coseal.console.shown import Shown, Untrue, joined
from coseal.contracts.kernel.dates import parse_date
from coseal.contracts.policy.instrument import RELATIONS, standing, starts_ms
from coseal.contracts.policy.state import instrument_key

_TREE_MAX: Final = 200
_TWINS: Final = 10
_LISTS: Final = ("passed_by", "countersigned_by", "is_about")
_CHANGES: Final = ("amended", "revised", "corrected")
_SHOWN_ELSEWHERE: Final = {"title", "events", "findings", "status", "awaiting", *RELATIONS}


async def one(page: Page) -> View:
    """Build the page of one instrument."""
    policy = page.part("id")
    shown = await page.data.state(instrument_key(policy))
    entry = shown.value
    if entry is None:
        raise Problem(404, "unknown_policy", page.t("policy.unknown", id=policy), shown.node)
    parts = [
        await _standing(page, entry, shown),
        section(page, "policy.life", _life(page, entry), shown=shown, note="policy.life.note"),
        _findings(page, entry, shown),
        _versions(page, entry, shown),
        await _relations(page, policy),
        await _twins(page, entry),
        _fields(page, entry, shown),
    ]
    status = word(page, "status", entry["status"])
    tags = el(
        "ul",
        {"class": "tags"},
        el("li", None, tag(status, STATUS_TONE.get(entry["status"], ""))),
        el("li", None, tag(word(page, "level", entry.get("level", "unstated")))),
        el("li", None, tag(word(page, "origin", entry["origin"]))),
        el("li", None, tag(word(page, "type_document", entry["type_document"]))) if "type_document" in entry else None,
    )
    title = el("span", {"lang": entry["title_language"]}, entry["title"])
    live = entry["origin"] == "live" and entry["status"] != "ended"
    head = lead(page, title, None, tags, el("p", None, el("code", None, policy)))
    return page.view(entry["title"], head, subject_tabs(page), *parts, live=live)


# In force


async def _standing(page: Page, entry: dict[str, Any], shown: Shown[Any]) -> Html:
    """Return whether the instrument is in force at a moment: now, on a date, or at a block as it was known then."""
    asked: Html | None = None
    seen: dict[str, Any] | None = entry
    at, weight = page.now_ms, shown
    height, date = page.query_integer("height", low=1), page.query("date")
    if height is not None:
        try:
            header = await page.data.header(height)
        except (NoAnswer, Problem, Untrue):
            asked = notice("wait", page.t("policy.no_block", height=page.number(height)))
        else:
            at, seen = header.value.time_ms, known_at(entry, height)
            weight = joined(shown, header)
    elif date is not None:
        if parse_date(date) is None:
            asked = notice("wait", page.t("policy.no_date_like_this"))
        else:
            at = starts_ms(date, entry["zone_minutes"])
    said: list[tuple[str, Child]] = [(page.t("policy.moment"), _moment(page, at, height, date, asked))]
    if height is not None and asked is not None:
        said = []  # nothing is known of that moment
    elif seen is None:
        said.insert(0, (page.t("policy.standing"), tag(page.t("policy.not_known_yet"), "wait")))
    else:
        verdict, _ = standing(seen, at)
        key, values = why(seen, verdict, at)
        mark = tag(page.t(f"policy.verdict.{verdict}"), VERDICT_TONE.get(verdict, ""))
        said.insert(0, (page.t("policy.standing"), mark))
        said.append((page.t("policy.why"), page.t(key, **values)))
    form = el(
        "form",
        {"method": "get", "class": "filters", "action": page.path},
        _asked(page, "date", "policy.on_date", {"type": "date", "value": date or ""}),
        _asked(page, "height", "policy.at_height", {"type": "number", "min": "1", "value": height or ""}),
        el("button", {"type": "submit"}, page.t("policy.tell")),
    )
    return section(
        page,
        "policy.in_force",
        el("div", {"class": "word"}, asked) if asked else None,
        facts(said) if said else None,
        form,
        shown=weight,
        note="policy.in_force.note",
    )


def _moment(page: Page, at: int, height: int | None, date: str | None, refused: Html | None) -> Child:
    if refused is None and height is not None:
        return join(height_link(page, height), " · ", moment(page, at))
    if refused is None and date is not None:
        return date
    return page.t("policy.now")


def _asked(page: Page, name: str, key: str, attributes: Mapping[str, str | int]) -> Html:
    made = el("input", {"name": name, **attributes})
    return el("label", {"class": "field"}, el("span", None, page.t(key)), made)


# Its life


def _life(page: Page, entry: Mapping[str, Any]) -> Html:
    """Return the events of an instrument in the order of their dates."""
    steps = life(entry)
    return (
        el("ol", {"class": "life"}, [_step(page, step) for step in steps]) if steps else empty(page, "policy.no_life")
    )


def _step(page: Page, step: Step) -> Html:
    date: Child = date_of(page, step.date) if step.time_ms is None else moment(page, step.time_ms)
    if step.action == "awaiting":
        date = page.t("policy.pending")
    details: list[Child] = []
    if step.issuer:
        details.append(el("a", {"href": page.link("/policies", issuer=step.issuer)}, step.issuer))
    if step.number:
        details.append(step.number)
    if step.by:
        details.append(join(page.t("policy.by"), " ", _policy_link(step.by)))
    if step.verdict:
        details.append(page.t(f"policy.evaluation.{step.verdict}", count=step.count))
    if step.stated:
        details.append(page.t("policy.stated"))
    if step.height:
        details.append(
            el("span", {"class": "faint"}, page.t("policy.recorded_in"), " ", height_link(page, step.height))
        )
    spread = [part for detail in details for part in (" · ", detail)][1:]
    return el(
        "li",
        {"class": step.tone},
        el("span", {"class": "when"}, date),
        el(
            "div",
            None,
            el("strong", None, word(page, "action", step.action)),
            el("p", None, spread) if spread else None,
        ),
    )


def _policy_link(policy: str, title: str | None = None) -> Html:
    return el("a", {"href": f"/policies/{quote(policy, safe='')}"}, title or policy)


def _findings(page: Page, entry: Mapping[str, Any], shown: Shown[Any]) -> Html | None:
    """Return what the recorded facts break, or that they break nothing; live acts cannot."""
    if entry["origin"] == "live":
        return None
    rows: list[list[Child]] = [
        [
            word(page, "finding", found["code"]),
            el("span", {"lang": "en"}, found["detail"]),
            el("code", None, found["code"]),
        ]
        for found in entry["findings"]
    ]
    columns = ("policy.finding", "policy.detail", "policy.code")
    body = table(page, "policy.findings", columns, rows) if rows else empty(page, "policy.no_findings")
    return section(page, "policy.findings", body, shown=shown, note="policy.findings.note" if rows else None)


def _versions(page: Page, entry: Mapping[str, Any], shown: Shown[Any]) -> Html | None:
    """Return the versions that the events tell, the newest first; nothing if it was never changed."""
    steps = [step for step in life(entry) if step.action in _CHANGES]
    if not steps:
        return None
    rows: list[list[Child]] = [
        [
            page.number(number + 1),
            word(page, "action", step.action),
            date_of(page, step.date),
            step.issuer or page.t("policies.unstated"),
            el("span", None, step.number, " ", _policy_link(step.by) if step.by else None),
        ]
        for number, step in reversed([*enumerate(steps, 1)])
    ]
    rows.append([page.number(1), page.t("policy.first_version"), "", "", ""])
    columns = ("policy.version", "policy.change", "policies.date", "policies.issuer", "policy.number_or_by")
    return section(page, "policy.versions", table(page, "policy.versions", columns, rows), shown=shown)


# Relations


async def _relations(page: Page, policy: str) -> Html:
    """Return what the instrument rests on and what rests on it, as trees."""
    shown = await page.data.get("/v1/policies/relations", documents.RELATIONS, id=policy, depth=6)
    found, known = shown.value, shown.value["instruments"]
    if not found["up"] and not found["down"]:
        return section(page, "policy.relations", empty(page, "policy.no_relations"), shown=shown)
    parts = []
    for key, edges, here, there in (
        ("policy.rests_on", found["up"], "policy", "target"),
        ("policy.carries", found["down"], "target", "policy"),
    ):
        body = _branch(page, policy, _ends(edges, here), there, known, {policy}) if edges else empty(page, "part.none")
        parts.append(el("div", None, el("h3", None, page.t(key)), body))
    more = None if found["complete"] else notice("wait", page.t("policy.more_relations"))
    body = el("div", {"class": "columns"}, parts)
    return section(page, "policy.relations", more, body, shown=shown, note="policy.relations.note")


def _ends(edges: Iterable[dict[str, Any]], here: str) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for edge in edges:
        found.setdefault(edge[here], []).append(edge)
    return found


def _branch(
    page: Page,
    policy: str,
    edges: Mapping[str, list[dict[str, Any]]],
    there: str,
    known: Mapping[str, Mapping[str, str]],
    met: set[str],
) -> Html | None:
    """Return what hangs on one instrument; one met before is named again, without what hangs on it."""
    lines = []
    for edge in edges.get(policy, ()):
        other = edge[there]
        about = known.get(other)
        again = other in met
        met.add(other)
        if len(met) > _TREE_MAX:
            lines.append(el("li", None, page.t("policy.more_relations")))
            break
        line = [
            tag(word(page, "relation" if there == "target" else "carried", edge["relation"]), "accent"),
            " ",
            _policy_link(other, about["title"] if about else None),
            " ",
            tag(page.t("policy.not_here"), "wait") if about is None else _about(page, about),
        ]
        lines.append(el("li", None, line, None if again else _branch(page, other, edges, there, known, met)))
    return el("ul", {"class": "branch"}, lines) if lines else None


def _about(page: Page, about: Mapping[str, str]) -> Html:
    level, year, status = (word(page, name, about[name]) for name in ("level", "year", "status"))
    return el("span", {"class": "faint"}, f"{level} · {year} · {status}")


async def _twins(page: Page, entry: Mapping[str, Any]) -> Html | None:
    """Return other entries whose title contains this one's: versions of a law may be entries of their own."""
    if entry["origin"] == "live":
        return None
    shown = await page.data.get(
        "/v1/policies", documents.POLICIES, title=entry["title"][:256], limit=_TWINS + 1, order="newest"
    )
    rows: list[list[Child]] = [
        [
            _policy_link(other["id"], other["title"]),
            date_of(page, other.get("date_publication")),
            other["id"],
        ]
        for other in shown.value["policies"]
        if other["id"] != entry["id"]
    ]
    if not rows:
        return None
    made = table(page, "policy.twins", ("policies.title", "policies.date", "policy.id"), rows[:_TWINS])
    return section(page, "policy.twins", made, shown=shown, note="policy.twins.note")


# Fields


def _fields(page: Page, entry: Mapping[str, Any], shown: Shown[Any]) -> Html:
    """Return the fields as the state has them, and the whole value folded."""
    rows = [
        (page.t_or(f"policy.field.{name}", name), _field(page, name, value))
        for name, value in entry.items()
        if name not in _SHOWN_ELSEWHERE
    ]
    return section(page, "policy.fields", facts(rows), raw(page, entry), shown=shown)


def _field(page: Page, name: str, value: Any) -> Child:
    if name in _LISTS:
        query = {"passed_by": "issuer", "is_about": "area"}.get(name)
        parts = [
            el("a", {"href": page.link("/policies", **{query: one})}, word(page, "area", one)) if query else one
            for one in value
        ]
        return el("ul", {"class": "tags"}, [el("li", None, part) for part in parts])
    if name == "member":
        return member_link(value)
    if name == "height":
        return height_link(page, value)
    if name.endswith("_sha256"):
        return el("code", {"class": "hash"}, value)
    if name == "endorsed_ms":
        return moment(page, value)
    if name in ("level", "type_document", "origin"):
        return word(page, name, value)
    if name == "evaluations":
        return page.t(f"policy.evaluation.{value['verdict']}", count=value["count"])
    return str(value)


ROUTES: Final = (Route("/policies/{id:path}", one, "policies.nav"),)
