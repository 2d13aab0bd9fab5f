"""Which cases a person looks at, and in which view: the filters of a process, as the query of a page, of a node, and
as a form.

Law: a filter is said in the URL of the page and nowhere else, in words that a person can write; what is no filter is
not asked for. One more filter is one more line of ``_FILTERS``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from coseal.console.html import Child, Html, el
from coseal.console.page import Page
from coseal.console.parts import notice

RECORDED: Final = "recorded"
"""The view in which corrections are events of their own."""
EVERY_TYPE: Final = "*"
"""In place of an object type on the map: all of them at once."""
DURINGS: Final = ("overlaps", "within", "begins", "ends")
_UNITS_MS: Final = {"ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
_MS_MAX: Final = 2**53
_LENGTH: Final = re.compile(r"(-?\d{1,12})\s*(ms|s|min|h|d)")


@dataclass(frozen=True, slots=True)
class _Filter:
    """A parameter of the page: what a node is asked for by it, and how its value is written."""

    name: str
    asked: str
    kind: str
    high: int = 128
    """How many characters a text may have."""


_FILTERS: Final = (
    _Filter("from", "from_ms", "day"),
    _Filter("to", "to_ms", "end of day"),
    _Filter("during", "during", "during"),
    _Filter("least_time", "least_ms", "length"),
    _Filter("below_time", "below_ms", "length"),
    _Filter("first", "first", "activity"),
    _Filter("last", "last", "activity"),
    _Filter("activity", "activity", "activity"),
    _Filter("before", "before", "activity"),
    _Filter("after", "after", "activity"),
    _Filter("attribute", "attribute", "text"),
    _Filter("value", "value", "text", 64),
    _Filter("variant", "variant", "number"),
)
_BESIDE: Final = {"before": "after", "attribute": "value"}
"""Filters that mean something only together."""


def kept(page: Page) -> dict[str, str | None]:
    """Return the parameters that stay from one look at a process to the next: object type, view and all filters."""
    return {name: page.query(name) for name in ("type", "view", *(one.name for one in _FILTERS))}


def asked(page: Page) -> dict[str, Any]:
    """Return what a node is asked for: the object type, the view, and the filters whose values can be read."""
    given = {one.asked: value for one in _FILTERS if (value := _value(page, one)) is not None}
    for one, other in _BESIDE.items():
        if (one in given) != (other in given):
            given.pop(one, None)
            given.pop(other, None)
    followed = page.query("type")
    view = RECORDED if page.query("view") == RECORDED else None
    return {"type": None if followed == EVERY_TYPE else followed, "view": view, **given}


def chosen(page: Page) -> bool:
    """Say whether any filter is set."""
    return not asked(page).keys() <= {"type", "view"}


def length_text(ms: int) -> str:
    """Return a length of time as a filter writes it, in the largest unit that has no rest."""
    unit, size = max(
        ((unit, size) for unit, size in _UNITS_MS.items() if ms % size == 0), key=lambda one: one[1], default=("ms", 1)
    )
    return f"{ms // size}{unit}"


def _value(page: Page, one: _Filter) -> int | str | None:
    written = page.query(one.name)
    if written is None:
        return None
    match one.kind:
        case "day" | "end of day":
            return _day_ms(written, 1 if one.kind == "end of day" else 0)
        case "length":
            found = _LENGTH.fullmatch(written.strip())
            ms = 2 * _MS_MAX if found is None else int(found[1]) * _UNITS_MS[found[2]]
            return ms if abs(ms) <= _MS_MAX else None
        case "number":
            return page.query_integer(one.name, low=1)
        case "during":
            return written if written in DURINGS else None
        case _:
            return written if len(written) <= one.high else None


def _day_ms(written: str, days: int) -> int | None:
    """Return the begin of a day in UTC, or of the one ``days`` later."""
    try:
        day = datetime.strptime(written, "%Y-%m-%d").replace(tzinfo=UTC) + timedelta(days=days)
    except (ValueError, OverflowError):
        return None
    ms = int(day.timestamp() * 1_000)
    return ms if ms >= 0 else None


def bar(page: Page, activities: Iterable[str]) -> Html:
    """Return the filters of a page: those that are set, each with a way to take it off, and the form that sets them.

    What is no filter, or lacks its other half, is named: nobody takes all cases for those that were meant.
    """
    given = asked(page)
    chips = [_chip(page, one) for one in _FILTERS if one.name not in _BESIDE.values() and one.asked in given]
    unread = [page.t(f"filters.{one.name}") for one in _FILTERS if page.query(one.name) and one.asked not in given]
    clear = el("a", {"href": _without(page, *(one.name for one in _FILTERS))}, page.t("filters.clear"))
    set_now = el("p", {"class": "tags"}, chips, clear) if chips or unread else None
    wrong = notice("wait", page.t("filters.unread", names=", ".join(unread))) if unread else None
    form = el("details", {"class": "filtering"}, el("summary", None, page.t("filters.title")), _form(page, activities))
    return el("div", {"class": "filter-bar"}, form, set_now, wrong)


def _chip(page: Page, one: _Filter) -> Html:
    value = page.query(one.name) or ""
    if one.kind == "during":
        value = page.t(f"filters.during.{value}")
    if one.name in _BESIDE:
        sign = "→" if one.kind == "activity" else "="
        value = f"{value} {sign} {page.query(_BESIDE[one.name]) or '–'}"
    words = f"{page.t(f'filters.{one.name}')}: {value}"
    label = page.t("filters.remove", filter=words)
    href = _without(page, one.name, *([_BESIDE[one.name]] if one.name in _BESIDE else []))
    return el("a", {"class": "tag accent", "href": href, "aria-label": label}, words, " ✕")


def _without(page: Page, *names: str) -> str:
    return page.link(**dict.fromkeys((*names, "cursor", "trail")))


def _form(page: Page, activities: Iterable[str]) -> Html:
    names = [("", page.t("processes.any")), *((one, one) for one in activities)]
    durings = [("" if one == DURINGS[0] else one, page.t(f"filters.during.{one}")) for one in DURINGS]
    fields: list[Child] = []
    for one in _FILTERS:
        value, label = page.query(one.name) or "", page.t(f"filters.{one.name}")
        control: Child
        match one.kind:
            case "activity" | "during":
                options = durings if one.kind == "during" else names
                control = _select(one.name, options, value)
            case "text":
                control = el("input", {"type": "text", "name": one.name, "value": value})
            case "number":
                control = el("input", {"type": "text", "inputmode": "numeric", "name": one.name, "value": value})
            case "length":
                hint = page.t("filters.length.hint")
                control = el("input", {"type": "text", "name": one.name, "value": value, "placeholder": hint})
            case _:
                control = el("input", {"type": "date", "name": one.name, "value": value})
        fields.append(el("label", {"class": "field"}, el("span", None, label), control))
    others = {name: value for name, value in page.request.query_params.items() if name not in _OWN}
    hidden = [el("input", {"type": "hidden", "name": name, "value": value}) for name, value in others.items()]
    button = el("button", {"type": "submit", "class": "primary"}, page.t("filters.apply"))
    return el("form", {"method": "get", "action": page.path, "class": "filters"}, hidden, fields, button)


def _select(name: str, options: Iterable[tuple[str, str]], chosen: str) -> Html:
    known = dict(options)
    if chosen and chosen not in known:
        known[chosen] = chosen
    made = [el("option", {"value": value, "selected": value == chosen}, words) for value, words in known.items()]
    return el("select", {"name": name}, made)


_OWN: Final = frozenset({*(one.name for one in _FILTERS), "cursor", "trail", "said"})


def line(page: Page, found: Mapping[str, Any]) -> Html | None:
    """Return how many of all cases pass the filters."""
    if not chosen(page):
        return None
    counts = {"count": page.number(found["cases"]), "all": page.number(found["cases_in_all"])}
    return el("p", {"class": "note"}, page.t("filters.count", **counts))
