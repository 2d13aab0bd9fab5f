"""The pieces pages are made of: sections, seals, facts, tables, pages of a list, references.

Law: one thing looks the same everywhere, and says the same to a screen reader as to an eye. A piece takes texts by
their key, or values of the chain; it holds no words.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final
from urllib.parse import quote

from coseal.console.html import EMPTY, Child, Html, el, join
from coseal.console.page import Page
from coseal.console.shown import Shown, Trust
from coseal.console.sorting import in_order, sort_value, sorting
from coseal.ledger.render import time_text

_SIGN: Final = {Trust.VERIFIED: "✓", Trust.UNVERIFIED: "○", Trust.FAILED: "✕"}
_WORD: Final = {
    Trust.VERIFIED: "trust.verified",
    Trust.UNVERIFIED: "trust.unverified",
    Trust.FAILED: "trust.failed_badge",
}
_LIST_MAX: Final = 100
_RAW_CHARACTERS_MAX: Final = 200_000
_TRAIL: Final = 24
"""How many pages of a list one can go back; from the first of them, back is the start of the list."""


def seal(page: Page, shown: Shown[Any], *, small: bool = False) -> Html:
    """Return the badge: whether this console verified a value, and, opened, how or why not. ``small``: the sign."""
    word = page.t(_WORD[shown.trust])
    place = "" if shown.height is None else " · " + page.t("trust.at", height=page.number(shown.height))
    if shown.height is not None and shown.until is not None:
        place = " · " + page.t("trust.between", first=page.number(shown.height), last=page.number(shown.until))
    source = f" {page.t('trust.from', node=shown.node)}." if shown.node else ""
    detail = f" {shown.detail}" if shown.detail else ""
    sign = el("span", {"aria-hidden": "true", "class": "sign"}, _SIGN[shown.trust])
    label = el("span", {"class": "unseen"}, word) if small else join(" ", word, el("span", {"class": "faint"}, place))
    return el(
        "details",
        {"class": f"seal {shown.trust}"},
        el("summary", {"title": word}, sign, label),
        el("p", None, el("strong", None, word, place), el("br"), page.t(shown.why), source, detail),
    )


def section(
    page: Page, key: str, *body: Child, shown: Shown[Any] | None = None, aside: Child = None, note: str | None = None
) -> Html:
    """Return a titled part of a page. ``shown`` puts its seal beside the title; ``note`` is a key explaining it."""
    name = key.replace(".", "-")
    head = el(
        "header",
        {"class": "section-head"},
        el("h2", {"id": name}, page.t(key)),
        el("div", {"class": "section-aside"}, aside, seal(page, shown) if shown is not None else None),
    )
    explained = el("p", {"class": "note"}, page.t(note)) if note else None
    missing = shown.unshown if shown is not None else ()
    apart = notice("bad", page.t("state.unshown", count=len(missing), reason=missing[0])) if missing else None
    return el("section", {"class": "panel", "aria-labelledby": name}, head, explained, apart, *body)


def lead(page: Page, title: Child, key: str | None = None, *more: Child) -> Html:
    """Return the head of a page: its title, and one sentence on what it shows."""
    return el("header", {"class": "lead"}, el("h1", None, title), el("p", None, page.t(key)) if key else None, *more)


def facts(rows: Iterable[tuple[str, Child]]) -> Html:
    """Return (label, value) pairs as a description list; labels are texts."""
    pairs = [el("div", None, el("dt", None, label), el("dd", None, value)) for label, value in rows]
    return el("dl", {"class": "facts"}, pairs)


def figure(label: str, value: Child, extra: Child = None, tone: str = "") -> Html:
    """Return one large figure with its label. ``tone``: good, bad, wait or empty."""
    number = el("dd", None, el("span", {"class": f"value {tone}"}, value), el("span", {"class": "extra"}, extra))
    return el("div", {"class": "figure"}, el("dt", None, label), number)


def figures(*all_of_them: Html) -> Html:
    """Return figures side by side."""
    return el("dl", {"class": "figures"}, *all_of_them)


def table(page: Page, key: str, columns: Sequence[str], rows: Iterable[Sequence[Child]], *, numeric: str = "") -> Html:
    """Return a table. ``key`` names it, ``columns`` are keys; ``numeric`` lists the positions of figures: "0 2".

    See ``titled_table``.
    """
    names = [page.t(column) for column in columns]
    return titled_table(page, page.t(key), names, rows, numeric=numeric, name=key.replace(".", "-"))


def titled_table(
    page: Page,
    title: str,
    names: Sequence[str],
    rows: Iterable[Sequence[Child]],
    *,
    numeric: str = "",
    name: str = "list",
) -> Html:
    """Return a table whose title and headings are texts of a contract; ``name`` tells it from others of the page.

    The first cell of a row is its heading. Without rows the empty state is returned. On a narrow screen each row
    becomes a card; roles are said outright, since a browser forgets those of a table that is laid out otherwise.
    A heading sorts the rows that are shown, by the URL; below is the way to keep them as a file (``table_files``).
    """
    is_numeric = {int(word) for word in numeric.split()}
    listed = list(rows)
    if not listed:
        return empty(page)
    chosen = sorting(page, name, len(names))
    if chosen is not None:
        listed = in_order(listed, *chosen)
    body = [_row(cells, names, is_numeric) for cells in listed]
    sorts = len(listed) > 1
    head = [
        _heading(page, name, place, words, chosen, numeric=place in is_numeric, sorts=sorts)
        for place, words in enumerate(names)
    ]
    top = el("thead", {"role": "rowgroup"}, el("tr", {"role": "row"}, head))
    marked: dict[str, str | int | bool | None] = {"class": "cards", "role": "table", "data-table": name}
    inner = el("table", marked, top, el("tbody", {"role": "rowgroup"}, body))
    scroll = el("div", {"class": "scroll", "tabindex": "0", "role": "group", "aria-label": title}, inner)
    return join(scroll, _files(page, name, title) if sorts else None)


def _heading(
    page: Page, name: str, place: int, words: str, chosen: tuple[int, bool] | None, *, numeric: bool, sorts: bool
) -> Html:
    """Return the heading of a column, a link that sorts by it, or the other way round where that is so already."""
    marks: dict[str, str | int | bool | None] = {"scope": "col", "role": "columnheader"}
    marks["class"] = "num" if numeric else None
    if not sorts or not words:
        return el("th", marks, words)
    if chosen is not None and chosen[0] == place:
        marks["aria-sort"] = "descending" if chosen[1] else "ascending"
    href = page.link(sort=sort_value(name, place, falls=chosen == (place, False)))
    return el("th", marks, el("a", {"href": href}, words))


def _files(page: Page, name: str, title: str) -> Html:
    """Return the links that give a table as a file."""
    links = []
    for kind in ("csv", "json"):
        label = page.t("part.file", title=title, kind=kind.upper())
        link: dict[str, str | int | bool | None] = {
            "href": page.link(table=name, file=kind),
            "download": True,
            "aria-label": label,
        }
        links.append(el("a", link, kind.upper()))
    return el("p", {"class": "table-files"}, links)


def _row(cells: Sequence[Child], names: Sequence[str], is_numeric: set[int]) -> Html:
    made = []
    for place, cell in enumerate(cells):
        shared = {"class": "num" if place in is_numeric else None, "data-label": names[place]}
        if place == 0:
            made.append(el("th", {"scope": "row", "role": "rowheader", **shared}, cell))
        else:
            made.append(el("td", {"role": "cell", **shared}, cell))
    return el("tr", {"role": "row"}, made)


def empty(page: Page, key: str = "state.empty") -> Html:
    """Return what stands where there is nothing."""
    return el("p", {"class": "empty"}, page.t(key))


def notice(tone: str, *body: Child) -> Html:
    """Return a message set apart. ``tone``: good, bad, wait."""
    return el("div", {"class": f"notice {tone}", "role": "status"}, *body)


def pager(page: Page, *, newer: str | None = None, older: str | None = None, middle: Child = None) -> Html:
    """Return links to the pages before and after, given as links; a missing one is left out."""
    links = [
        el("a", {"class": "button", "href": newer, "rel": "prev"}, "← ", page.t("part.newer")) if newer else None,
        el("span", {"class": "faint"}, middle) if middle else None,
        el("a", {"class": "button", "href": older, "rel": "next"}, page.t("part.older"), " →") if older else None,
    ]
    return el("nav", {"class": "pager", "aria-label": page.t("part.pages")}, links)


def cursor_pager(page: Page, following: str | None) -> Html | None:
    """Return the links of a list paged by cursor: to its start, back and on; the URL has the way that was come."""
    if not following and not page.query("cursor"):
        return None
    here, trail = page.query("cursor") or "", (page.query("trail") or "").split(".")
    before = [one for one in trail if one][-_TRAIL:]
    first = el("a", {"class": "button", "href": page.link(cursor=None, trail=None)}, "↞ ", page.t("part.first"))
    back = page.link(cursor=before[-1] if before else None, trail=".".join(before[:-1]))
    previous = el("a", {"class": "button", "href": back, "rel": "prev"}, "← ", page.t("part.previous"))
    on = page.link(cursor=following, trail=".".join([*before, here] if here else before))
    after = el("a", {"class": "button", "href": on, "rel": "next"}, page.t("part.next"), " →")
    links = [*((first, previous) if here else ()), after if following else None]
    return el("nav", {"class": "pager", "aria-label": page.t("part.pages")}, links)


def search(page: Page, name: str, key: str, *, value: str = "", action: str | None = None, **kept: str | None) -> Html:
    """Return a form that asks for a text and comes back with it as the query parameter ``name``."""
    hidden = [el("input", {"type": "hidden", "name": other, "value": held}) for other, held in kept.items() if held]
    field = el("input", {"type": "search", "name": name, "value": value, "placeholder": page.t(key)})
    label = el("label", None, el("span", {"class": "unseen"}, page.t(key)), field)
    attributes = {
        "method": "get",
        "action": action or page.path,
        "class": "search",
        "role": "search",
        "aria-label": page.t(key),
    }
    return el("form", attributes, hidden, label, el("button", {"type": "submit"}, page.t("part.search")))


def choices(page: Page, name: str, options: Iterable[tuple[str, str]], label_key: str) -> Html:
    """Return links that set the query parameter ``name``: (value, text); the chosen one is marked."""
    chosen = page.query(name) or ""
    links = [
        el(
            "a",
            {
                "href": page.link(**{name: value, "cursor": None, "trail": None}),
                "aria-current": "true" if value == chosen else None,
            },
            shown,
        )
        for value, shown in options
    ]
    return el("nav", {"class": "choices", "aria-label": page.t(label_key)}, links)


def tag(words: Child, tone: str = "") -> Html:
    """Return a short word in a frame. ``tone``: good, bad, wait or empty."""
    return el("span", {"class": f"tag {tone}"}, words)


def outcome(page: Page, *, ok: bool, code: str) -> Html:
    """Return the outcome of a transaction."""
    return tag(page.t("part.ok"), "good") if ok else tag(join(page.t("part.failed"), ": ", code), "bad")


def hexadecimal(page: Page, value: str | None, *, whole: bool = False, href: str | None = None) -> Html:
    """Return a hash or key: shortened, complete in its title; ``whole`` shows all of it with a button to copy."""
    if not value:
        return el("span", {"class": "faint"}, page.t("part.none"))
    shown = value if whole or len(value) <= 16 else f"{value[:10]}…{value[-4:]}"
    code = el("code", {"class": "hash", "title": None if whole else value}, shown)
    linked = el("a", {"href": href}, code) if href else code
    if not whole:
        return linked
    button = {"type": "button", "class": "copy", "data-copy": value, "data-copied": page.t("part.copied")}
    return el("span", {"class": "whole"}, linked, " ", el("button", button, page.t("part.copy")))


def height_link(page: Page, height: int) -> Html:
    """Return a height as a link to its block."""
    return el("a", {"href": f"/blocks/{height}", "class": "num"}, page.number(height))


def transaction_link(page: Page, tx_id: str) -> Html:
    """Return a transaction id as a link to it."""
    return hexadecimal(page, tx_id, href=f"/transactions/{tx_id}")


def member_link(member: str, name: str | None = None) -> Html:
    """Return a member, or a sender MEMBER/USER, as a link to the member; ``name`` is shown instead if given."""
    return el("a", {"href": f"/members/{quote(member.partition('/')[0], safe='')}"}, name or member)


def moment(page: Page, time_ms: int, *, ago: bool = False) -> Html:
    """Return a moment; with ``ago`` the browser shows and renews how long it is past."""
    attributes = {
        "datetime": time_text(time_ms),
        "title": page.time(time_ms),
        "data-ago": str(time_ms) if ago else None,
    }
    return el("time", attributes, page.time(time_ms))


def due(page: Page, time_ms: int) -> Html:
    """Return a moment at which something is due; the browser shows and renews how long it is to it, or past."""
    attributes = {"datetime": time_text(time_ms), "title": page.time(time_ms), "data-due": str(time_ms)}
    return el("time", attributes, page.time(time_ms))


def tree(value: Any) -> Html:
    """Return a JSON value as nested lists that a person can read: maps as facts, lists one below the other.

    Of a long list the first hundred are shown, and how many more there are; ``raw`` has them.
    """
    if isinstance(value, dict):
        return facts((str(key), tree(held)) for key, held in value.items()) if value else el("code", None, "{}")
    if isinstance(value, list):
        if all(not isinstance(one, dict | list) for one in value):
            return join(*(join(", " if number else "", tree(one)) for number, one in enumerate(value))) or EMPTY
        more = el("li", None, f"… +{len(value) - _LIST_MAX}") if len(value) > _LIST_MAX else None
        return el("ol", {"class": "tree"}, [el("li", None, tree(one)) for one in value[:_LIST_MAX]], more)
    written = value if isinstance(value, str) else json.dumps(value)
    is_code = len(written) >= 32 and all(letter in "0123456789abcdef" for letter in written)
    return el("code", {"class": "hash"}, written) if is_code else el("span", {"class": "datum"}, written)


def raw(page: Page, document: Any, key: str = "part.raw") -> Html:
    """Return a document unchanged, folded."""
    written = json.dumps(document, ensure_ascii=False, indent=2)
    if len(written) > _RAW_CHARACTERS_MAX:
        written = written[:_RAW_CHARACTERS_MAX] + " …"
    scroll = {"tabindex": "0", "role": "group", "aria-label": page.t(key)}
    return el("details", {"class": "raw"}, el("summary", None, page.t(key)), el("pre", scroll, written))


def form(page: Page, key: str, *fields: Child, action: str | None = None, id: str | None = None) -> Html:
    """Return a form that acts with the console's key; ``key`` is the text of its button. Nothing without the right.

    Without an ``action`` it comes back to the page as it is filtered. ``id`` lets fields elsewhere belong to it.
    """
    if not page.may_act:
        return EMPTY
    csrf = el("input", {"type": "hidden", "name": "csrf", "value": page.csrf})
    button = el("button", {"type": "submit", "class": "primary"}, page.t(key))
    attributes = {"method": "post", "action": action or page.link(), "class": "act", "id": id}
    return el("form", attributes, csrf, *fields, button)


def take_form(page: Page, key: str, *fields: Child, action: str | None = None) -> Html:
    """Return a form that anybody here may send, with files: see ``Route.take``. ``key`` is the text of its button."""
    button = el("button", {"type": "submit", "class": "primary"}, page.t(key))
    attributes = {"method": "post", "action": action or page.path, "enctype": "multipart/form-data", "class": "act"}
    return el("form", attributes, *fields, button)


def field(label: str, name: str, *, value: str = "", rows: int = 0, required: bool = False, limit: int = 4_000) -> Html:
    """Return a labelled text field; ``rows`` above 0 makes it that high."""
    attributes: dict[str, str | int | bool | None] = {"name": name, "required": required, "maxlength": limit}
    made = (
        el("textarea", {**attributes, "rows": rows}, value)
        if rows
        else el("input", {**attributes, "type": "text", "value": value})
    )
    return el("label", {"class": "field"}, el("span", None, label), made)


def select(label: str, name: str, options: Iterable[tuple[str, str]], chosen: str = "") -> Html:
    """Return a labelled choice of (value, text)."""
    made = [el("option", {"value": value, "selected": value == chosen}, shown) for value, shown in options]
    return el("label", {"class": "field"}, el("span", None, label), el("select", {"name": name}, made))
