"""Lists: a page for every list of a contract, and one for each of its records, by what the contract says of them.

Law: a list is the node's word and sealed as such; a record is read from the certified state. A list that has a page of
its own is linked to that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from coseal.client.contracts import lists
from coseal.console import shapes
from coseal.console.html import Child, Html, el
from coseal.console.nodes import Problem
from coseal.console.page import Entry, Page, Route, View
from coseal.console.parts import (
    cursor_pager,
    facts,
    field,
    height_link,
    lead,
    moment,
    raw,
    section,
    select,
    table,
    titled_table,
    transaction_link,
    tree,
)
from coseal.contracts.kernel.lists import Filter, List
from coseal.contracts.kernel.wording import in_language

_PAGE: Final = 25
_VALUES_MAX: Final = 64

NAV: Final = Entry("lists.nav", "/lists")


def routes_beside(others: Iterable[Route]) -> tuple[Route, ...]:
    """Return the routes of the default pages, given those of all other pages."""
    own = {route.lists: route.path for route in others if route.lists}

    async def every(page: Page) -> View:
        return _every(page, own)

    return (
        Route("/lists", every, NAV.key),
        Route("/lists/{name}", entries, NAV.key),
        Route("/lists/{name}/record", record, NAV.key),
    )


def _every(page: Page, own: Mapping[str, str]) -> View:
    """Build the page that names all lists."""
    rows: list[list[Child]] = []
    for name, listed in sorted(lists().items()):
        link = el("a", {"href": own.get(name, f"/lists/{name}")}, in_language(listed.title, page.language))
        rows.append([link, el("code", None, name), el("code", None, listed.path)])
    title = page.t("lists.title")
    made = table(page, "lists.all", ("lists.name", "lists.word", "lists.route"), rows)
    return page.view(title, lead(page, title, "lists.lead"), section(page, "lists.all", made), live=False)


async def entries(page: Page) -> View:
    """Build the page of one list: its filters, and a page of its entries."""
    listed = _list(page)
    given: dict[str, Any] = {one.name: page.query(one.name) for one in listed.filters}
    if listed.paged:
        given |= {"limit": page.rows(_PAGE), "cursor": page.query("cursor")}
    if len(listed.orders) > 1:
        given["order"] = page.query("order")
    shown = await page.data.get(listed.path, _shape(listed), **given)
    title = in_language(listed.title, page.language)
    headings = [in_language(heading, page.language) for heading in listed.columns.values()]
    rows = [_row(page, listed, entry) for entry in shown.value[listed.entries]]
    return page.view(
        title,
        lead(page, title),
        section(
            page,
            "lists.entries",
            _filters(page, listed),
            titled_table(page, title, headings, rows),
            cursor_pager(page, shown.value.get("next")),
            shown=shown,
        ),
    )


async def record(page: Page) -> View:
    """Build the page of one record, by the fields that name it."""
    listed = _list(page)
    named = {name: page.query(name) or "" for name in listed.named_by}
    title = " ".join(named.values())
    try:
        key = listed.state_key(named) if all(named.values()) else None
    except ValueError:  # no number where one belongs
        key = None
    shown = None if key is None else await page.data.state(key)
    if shown is None or shown.value is None:
        raise Problem(404, "unknown_record", page.t("lists.unknown", name=title), "")
    back = el("a", {"href": f"/lists/{listed.name}"}, in_language(listed.title, page.language))
    return page.view(
        title,
        lead(page, title, None, el("p", None, back)),
        section(page, "lists.record", _record(page, listed, shown.value), raw(page, shown.value), shown=shown),
    )


def _list(page: Page) -> List:
    listed = lists().get(page.part("name"))
    if listed is None:
        raise Problem(404, "unknown_list", page.t("lists.unknown_list", name=page.part("name")), "")
    return listed


def _row(page: Page, listed: List, entry: Mapping[str, Any]) -> list[Child]:
    """Return an entry as cells, the first of which leads to its record where the state has that."""
    first, *rest = (_cell(page, name, entry.get(name)) for name in listed.columns)
    if listed.key is not None:
        named = {name: entry[name] for name in listed.named_by}
        first = el("a", {"href": page.link(f"/lists/{listed.name}/record", **named)}, first)
    return [first, *rest]


def _record(page: Page, listed: List, value: Any) -> Html:
    """Return a record of the state, its fields by the headings that the list has for them."""
    if not isinstance(value, dict):
        return tree(value)
    return facts(
        (in_language(listed.heading(name), page.language), _fact(page, listed, name, value[name])) for name in value
    )


def _fact(page: Page, listed: List, name: str, value: Any) -> Child:
    if name == "tx" and isinstance(value, str):
        return transaction_link(page, value)
    if name == "height" and type(value) is int:
        return height_link(page, value)
    return _cell(page, name, value) if name in listed.columns and not isinstance(value, dict | list) else tree(value)


def _cell(page: Page, name: str, value: Any) -> Child:
    match value:
        case None | "" | []:
            return "–"
        case bool():
            return page.t("lists.yes" if value else "lists.no")
        case int() if name.endswith("_ms"):
            return moment(page, value)
        case list():
            return ", ".join(map(str, value))
        case dict():
            return in_language(value, page.language)
        case _:
            return str(value)


def _filters(page: Page, listed: List) -> Html | None:
    """Return a form of all filters, and links for the order."""
    if not listed.filters:
        return None
    fields = [_field(page, listed, one) for one in listed.filters]
    if len(listed.orders) > 1:
        options = [(order.name, order.name) for order in listed.orders]
        fields.append(select(page.t("lists.order"), "order", options, page.query("order") or ""))
    button = el("button", {"type": "submit"}, page.t("part.search"))
    return el("form", {"method": "get", "action": page.path, "class": "search", "role": "search"}, fields, button)


def _field(page: Page, listed: List, one: Filter) -> Html:
    label = in_language(listed.heading(one.name), page.language)
    value = page.query(one.name) or ""
    if one.values:
        return select(label, one.name, [("", "–"), *((each, each) for each in one.values)], value)
    return field(label, one.name, value=value, limit=one.high)


# What a node may answer


def _shape(listed: List) -> shapes.Shape:
    names = {name: shapes.maybe(_shape_of(name)) for name in listed.columns}
    named = dict.fromkeys(listed.named_by, _name) if listed.key is not None else {}
    listing = {listed.entries: shapes.listed(shapes.record(**names | named))}
    return shapes.record(height=shapes.height, next=shapes.maybe(shapes.cursor), **listing)


def _shape_of(name: str) -> shapes.Shape:
    return shapes.optional(shapes.time_ms) if name.endswith("_ms") else _value


def _name(value: Any, where: str) -> Any:
    """Return a value that names an entry: a text or a number."""
    return shapes.integer()(value, where) if type(value) is int else shapes.name(value, where)


def _value(value: Any, where: str) -> Any:
    """Return a value that a cell shows: nothing, a word, a number, several words, or one in several languages."""
    if value is None or type(value) is bool:
        return value
    if type(value) is int:
        return shapes.integer(low=-(2**63))(value, where)
    if type(value) is list:
        return shapes.listed(shapes.text(), _VALUES_MAX)(value, where)
    if type(value) is dict and value:
        return shapes.mapped(shapes.text(), _VALUES_MAX)(value, where)
    return shapes.text()(value, where)
