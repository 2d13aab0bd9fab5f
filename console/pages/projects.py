"""Projects under certification: all there are, newest first, and what money schemes plan, release and keep back.

Law: projects are read one by one from the certified state, and so are the sums of each scheme.
"""

from __future__ import annotations

from typing import Any, Final

from coseal.console import shapes
from coseal.console.ballot_parts import Values
from coseal.console.html import Child, Html, el, join
from coseal.console.money_parts import yuan
from coseal.console.page import Entry, Page, Route, View
from coseal.console.pages import project
from coseal.console.parts import due, empty, lead, member_link, pager, section, table
from coseal.console.project_parts import (
    PATH,
    Data,
    kept_back,
    people,
    progress,
    project_link,
    status_tag,
    until,
    waiting,
)
from coseal.contracts.certification.lists import SCHEMES
from coseal.contracts.certification.state import (
    COUNT_KEY,
    certificate_key,
    funds_key,
    number_key,
    project_key,
    round_key,
    scheme_key,
)
from coseal.contracts.kernel.wording import in_language

NAV: Final = Entry("projects.nav", PATH)
_PAGE: Final = 25
_SCHEMES_MAX: Final = 100
_NAMED: Final = shapes.record(schemes=shapes.listed(shapes.record(scheme=shapes.name)))


async def projects(page: Page) -> View:
    """Build the list of projects: newest first, paged by number."""
    values = Values(page)
    await values.read(COUNT_KEY)
    newest = int(values.get(COUNT_KEY) or 0)
    upper = page.query_integer("to", low=1, high=max(1, newest)) or newest
    numbers = [number_key(number) for number in range(upper, max(0, upper - page.rows(_PAGE)), -1)]
    await values.read(*numbers)
    names = [str(values.get(key)) for key in numbers]
    await values.read(*map(project_key, names))
    found: dict[str, Data] = {name: values.get(project_key(name)) for name in names}
    await values.read(*_beside(found))
    rows = [_row(page, values, name, record) for name, record in found.items()]
    columns = (
        *("projects.project", "projects.title", "projects.applicant", "projects.scheme", "projects.status"),
        *("projects.waits", "projects.panel", "projects.until"),
        *("projects.planned", "projects.released", "projects.kept_back"),
    )
    links = pager(
        page,
        newer=page.link(PATH, to=min(newest, upper + _PAGE)) if upper < newest else None,
        older=page.link(PATH, to=upper - _PAGE) if upper > _PAGE else None,
        middle=page.t("projects.count", count=page.number(newest)),
    )
    title = page.t("projects.nav")
    filtered = el("p", None, el("a", {"href": "/lists/projects"}, page.t("projects.filter")))
    return page.view(
        title,
        lead(page, title, "projects.lead", filtered),
        section(
            page,
            "projects.list",
            table(page, "projects.list", columns, rows, numeric="8 9 10") if rows else empty(page, "projects.none"),
            links if newest else None,
            shown=values.shown,
            note="projects.list.note",
        ),
        await _money(page, {record["scheme"] for record in found.values()}),
    )


def _beside(found: dict[str, Data]) -> list[str]:
    """Return the keys of what rows show beside projects: schemes, present rounds, certificates."""
    keys: dict[str, None] = {}
    for name, record in found.items():
        keys[scheme_key(record["scheme"])] = None
        if record.get("round"):
            keys[round_key(name, record["round"])] = None
        if "certificate" in record:
            keys[certificate_key(record["certificate"])] = None
    return list(keys)


def _row(page: Page, values: Values, name: str, record: Data) -> list[Child]:
    round = values.get(round_key(name, record["round"])) if record.get("round") else {}
    certificate = values.get(certificate_key(record["certificate"])) if "certificate" in record else None
    return [
        project_link(name),
        in_language(record["title"], page.language),
        member_link(record["member"]),
        record["scheme"],
        status_tag(page, record["status"]),
        _waits(page, record, values.get(scheme_key(record["scheme"])), round),
        progress(page, record, round),
        until(page, certificate, page.data.block_ms or 0),
        yuan(record.get("planned", 0)),
        yuan(record.get("released", 0)),
        yuan(kept_back(record)),
    ]


def _waits(page: Page, record: Data, scheme: Data, round: Data) -> Child:
    """Return for whom a project waits, and until when."""
    waits = waiting(record, scheme, round)
    if not waits.key:
        return "–"
    ends = due(page, waits.due_ms) if waits.due_ms else page.t("projects.no_clock")
    who = join(people(waits.who), el("br")) if waits.who else None
    return join(who, ends)


async def _money(page: Page, schemes: set[str]) -> Html | None:
    """Return the sums of schemes: those that a node lists, and those of the projects shown."""
    listed = await page.data.said(SCHEMES.path, _NAMED, limit=_SCHEMES_MAX)
    named = set() if listed is None else {str(one["scheme"]) for one in listed.value["schemes"]}
    keys = {name: funds_key(name) for name in sorted(schemes | named)}
    if not keys:
        return None
    values = Values(page)
    await values.read(*keys.values())
    sums: dict[str, Any] = {name: found for name, key in keys.items() if (found := values.get(key)) is not None}
    rows: list[list[Child]] = [
        [name, yuan(one["planned"]), yuan(one["released"]), yuan(one["withheld_by_refusal"])]
        for name, one in sums.items()
    ]
    columns = ("projects.scheme", "projects.planned", "projects.released", "projects.kept_back")
    made = table(page, "projects.funds", columns, rows, numeric="1 2 3") if rows else empty(page, "projects.no_funds")
    return section(page, "projects.funds", made, shown=values.shown, note="projects.funds.note")


ROUTES: Final = (Route(PATH, projects, NAV.key), *project.ROUTES)
