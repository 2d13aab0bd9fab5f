"""Missions: all there are, newest first; and of one its indicators, its calendar, and what fails of it.

Law: everything is read from the certified state; what fails is computed here, by the function that anybody runs.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from coseal.client.missions import Asked
from coseal.console.ballot_parts import Values
from coseal.console.html import Child, Html, el, join
from coseal.console.mission_parts import Series, path_chart
from coseal.console.nodes import Problem
from coseal.console.page import Entry, Page, Route, View
from coseal.console.parts import empty, facts, lead, member_link, moment, pager, raw, section, table, tag
from coseal.contracts.kernel.wording import in_language
from coseal.contracts.mission.checks import failures
from coseal.contracts.mission.clocks import EVALUATE_MS
from coseal.contracts.mission.failure import CHECKS, FAILED, Failure
from coseal.contracts.mission.fields import begins_ms
from coseal.contracts.mission.seen import Seen, see
from coseal.contracts.mission.state import COUNT_KEY, mission_key, number_key, value_key

PATH: Final = "/missions"
NAV: Final = Entry("missions.nav", PATH)
_PAGE: Final = 25
_PASSES: Final = 16
_CHARTS: Final = 16
_VALUES: Final = 24
"""The most indicators that are drawn, and the most values of each, the last ones."""
Data = dict[str, Any]


async def missions(page: Page) -> View:
    """Build the list of missions: newest first, paged by number."""
    values = Values(page)
    await values.read(COUNT_KEY)
    newest = int(values.get(COUNT_KEY) or 0)
    upper = page.query_integer("to", low=1, high=max(1, newest)) or newest
    numbers = [number_key(number) for number in range(upper, max(0, upper - page.rows(_PAGE)), -1)]
    await values.read(*numbers)
    names = [str(values.get(key)) for key in numbers]
    await values.read(*map(mission_key, names))
    rows = [_row(page, name, values.get(mission_key(name))) for name in names]
    columns = (
        *("missions.mission", "missions.title", "missions.owner", "missions.type", "missions.until"),
        *("missions.instruments", "missions.evaluated", "missions.overdue"),
    )
    links = pager(
        page,
        newer=page.link(PATH, to=min(newest, upper + _PAGE)) if upper < newest else None,
        older=page.link(PATH, to=upper - _PAGE) if upper > _PAGE else None,
        middle=page.t("missions.count", count=page.number(newest)),
    )
    title = page.t("missions.nav")
    made = table(page, "missions.list", columns, rows, numeric="5 6 7") if rows else empty(page, "missions.none")
    body = section(page, "missions.list", made, links if newest else None, shown=values.shown)
    return page.view(title, lead(page, title, "missions.lead"), body)


def _row(page: Page, name: str, record: Data) -> list[Child]:
    return [
        el("a", {"href": f"{PATH}/{quote(name, safe='')}"}, name),
        in_language(record["title"], page.language),
        member_link(record["member"]),
        page.t(f"missions.type.{record['type']}"),
        record["to"],
        *(page.number(record[count]) for count in ("instruments", "evaluated", "overdue")),
    ]


# One mission


async def mission(page: Page) -> View:
    """Build the page of a mission."""
    name, values = page.part("mission"), Values(page)
    await values.read(mission_key(name))
    now_ms = page.data.block_ms or page.now_ms
    found = await _checked(values, name, now_ms)
    if found is None:
        raise Problem(404, "unknown_mission", page.t("missions.unknown", name=name), values.shown.node)
    seen = see(values, name, now_ms)
    assert seen is not None  # noqa: S101  # it was read
    reported = [value_key(name, each, number) for each, number in _last_values(seen)]
    await values.read_many(reported)
    title = in_language(seen.record["title"], page.language)
    back = el("p", None, el("a", {"href": PATH}, page.t("missions.nav")))
    return page.view(
        title,
        lead(page, title, "missions.mission.lead", back),
        section(page, "missions.about", facts(_about(page, name, seen.record)), shown=values.shown),
        section(page, "missions.failures", *_failures(page, found), shown=values.shown, note="missions.failures.note"),
        section(page, "missions.paths", *_paths(page, seen, values), shown=values.shown, note="missions.paths.note"),
        section(page, "missions.calendar", _calendar(page, seen), shown=values.shown),
        section(page, "missions.answers", _answers(page, seen), shown=values.shown, note="missions.answers.note"),
    )


async def _checked(values: Values, name: str, now_ms: int) -> list[Failure] | None:
    """Read what the checks ask, and return what they find; None if there is no such mission."""
    known: list[str] = []
    wanted = [mission_key(name)]
    found: list[Failure] | None = None
    for _ in range(_PASSES):
        await values.read_many(wanted)
        known += wanted
        reader = Asked(values, known)
        found = failures(reader, name, now_ms)
        wanted = list(reader.missing)
        if not wanted:
            break
    return found


def _last_values(seen: Seen) -> list[tuple[str, int]]:
    found = []
    for name, indicator in list(seen.pursued.items())[:_CHARTS]:
        count = indicator.get("values", 0)
        found += [(name, number) for number in range(max(1, count - _VALUES + 1), count + 1)]
    return found


def _about(page: Page, name: str, record: Any) -> list[tuple[str, Child]]:
    orientation = ", ".join(page.t(f"missions.orientation.{one}") for one in record["orientation"])
    goals = el("ul", None, [el("li", None, in_language(goal["title"], page.language)) for goal in record["goals"]])
    return [
        (page.t("missions.mission"), el("code", None, name)),
        (page.t("missions.owner"), member_link(record["member"])),
        (page.t("missions.type"), page.t(f"missions.type.{record['type']}")),
        (page.t("missions.orientation"), orientation),
        (page.t("missions.period"), page.t("missions.from_to", first=record["from"], last=record["to"])),
        (page.t("missions.version"), page.number(record["version"])),
        (page.t("missions.goals"), goals),
        (page.t("missions.instruments"), page.number(record["instruments"])),
    ]


def _failures(page: Page, found: list[Failure]) -> list[Child]:
    """Return a table of what each of the four checks finds."""
    made: list[Child] = []
    for check in CHECKS:
        own = [one for one in found if one.check == check]
        failed = sum(one.verdict == FAILED for one in own)
        words = page.t("missions.failed", count=page.number(failed)) if failed else page.t("missions.well")
        made.append(el("h3", None, page.t(f"missions.check.{check}"), " ", tag(words, "bad" if failed else "good")))
        columns = ("missions.finding", "missions.about_what", "missions.verdict", "missions.evidence")
        if own:
            made.append(table(page, f"missions.check.{check}", columns, [_failure(page, one) for one in own]))
    return made


def _failure(page: Page, one: Failure) -> list[Child]:
    tone = "bad" if one.verdict == FAILED else "wait"
    return [
        page.t(f"missions.code.{one.code}"),
        ", ".join(one.about) or "–",
        tag(page.t(f"missions.verdict.{one.verdict}"), tone),
        raw(page, list(one.keys), "missions.evidence"),
    ]


def _paths(page: Page, seen: Seen, values: Values) -> list[Child]:
    made: list[Child] = []
    for name, indicator in list(seen.pursued.items())[:_CHARTS]:
        reported = [
            values.get(value_key(seen.name, each, number)) for each, number in _last_values(seen) if each == name
        ]
        if "source" in indicator:
            points = [(seen.time_ms, seen.counted[name])]
        else:
            points = [(begins_ms(one["date"]), one["value"]) for one in reported]
        made.append(path_chart(page, Series(name, indicator, points)))
    return made or [empty(page, "missions.no_indicators")]


def _calendar(page: Page, seen: Seen) -> Html:
    """Return what happens when: evaluations, and reports that are due."""
    rows: list[tuple[int, list[Child]]] = []
    for date in seen.record["evaluations"]:
        by = [said["member"] for said in seen.evaluations.values() if said["date"] == date]
        late = not by and begins_ms(date) + EVALUATE_MS <= seen.time_ms
        state: Child = tag(page.t("missions.late"), "bad") if late else page.t("missions.to_come")
        if by:
            state = join(page.t("missions.evaluated_by"), " ", *(member_link(member) for member in by))
        rows.append((begins_ms(date), [moment(page, begins_ms(date)), page.t("missions.evaluation"), "–", state]))
    for name, indicator in seen.indicators.items():
        due_ms = indicator.get("due_ms", 0)
        if due_ms:
            missed = indicator["missed"]
            state = (
                tag(page.t("missions.missed", count=page.number(missed)), "bad")
                if missed
                else page.t("missions.to_come")
            )
            rows.append((due_ms, [moment(page, due_ms), page.t("missions.report"), name, state]))
    ordered = [cells for _, cells in sorted(rows, key=lambda row: row[0])]
    if not ordered:
        return empty(page, "missions.no_dates")
    columns = ("missions.when", "missions.what", "missions.of", "missions.state")
    return table(page, "missions.calendar", columns, ordered)


def _answers(page: Page, seen: Seen) -> Html:
    """Return the evaluations with their verdicts, and what became of their recommendations."""
    rows = []
    for number, said in sorted(seen.evaluations.items(), reverse=True):
        verdicts = ", ".join(f"{goal}: {page.t(f'missions.met.{one}')}" for goal, one in said["verdicts"].items())
        outcomes = ", ".join(page.t(f"missions.outcome.{outcome}") for outcome, _ in said.get("answers", ()))
        state: Child = tag(page.t(f"missions.status.{said['status']}"), "wait" if said["status"] == "open" else "")
        rows.append([page.number(number), said["date"], member_link(said["member"]), verdicts, state, outcomes or "–"])
    if not rows:
        return empty(page, "missions.no_evaluations")
    columns = (
        *("missions.number", "missions.date", "missions.evaluator", "missions.verdicts", "missions.state"),
        "missions.outcomes",
    )
    return table(page, "missions.answers", columns, rows)


ROUTES: Final = (Route(PATH, missions, NAV.key, lists="missions"), Route(f"{PATH}/{{mission}}", mission, NAV.key))
