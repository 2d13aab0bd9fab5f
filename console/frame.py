"""The frame around every page: head, navigation, status line, footer, and the pages for when something is missing.

Law: every page has the same landmarks in the same order, a link past them, and one heading of the first level.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from coseal.console.html import Html, el, join
from coseal.console.nodes import ODD
from coseal.console.page import Entry, Page, View
from coseal.console.parts import empty, lead, notice, seal, search
from coseal.console.shown import Shown, Trust
from coseal.console.texts import LANGUAGES

STATIC: Final = Path(__file__).parent / "static"
_VERSION: Final = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(STATIC.iterdir()))).hexdigest()[:12]
_OLD_MS: Final = 10_000  # a value is kept for two seconds (reader.py), while blocks are committed
THEMES: Final = ("auto", "light", "dark")
_MARK: Final = Html(
    '<svg class="mark" viewBox="0 0 24 24" aria-hidden="true"><path d="M12 2.5 20.2 7v10L12 21.5 3.8 17V7z"/>'
    '<path d="m8.2 12.2 2.7 2.7 5-5.4"/></svg>'
)


def document(page: Page, view: View, navigation: tuple[Entry, ...], current: str) -> str:
    """Return the whole HTML document of a page."""
    head = el(
        "head",
        None,
        el("meta", {"charset": "utf-8"}),
        el("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        el("meta", {"name": "color-scheme", "content": "light dark" if page.theme == "auto" else page.theme}),
        el("title", None, f"{view.title} · {page.t('app.name')}"),
        el("link", {"rel": "icon", "href": _asset("icon.svg"), "type": "image/svg+xml"}),
        el("link", {"rel": "stylesheet", "href": _asset("console.css")}),
        *(el("script", {"src": _asset(name), "defer": True}) for name in ("console.js", "several.js")),
    )
    body = el(
        "body",
        {"data-live": "on" if view.live else "off"},
        el("a", {"class": "skip", "href": "#main"}, page.t("app.skip")),
        _top(page),
        el("div", {"class": "shell"}, _navigation(page, navigation, current), _main(page, view)),
        el("footer", {"class": "foot"}, el("p", None, page.t("app.footer")), _settings(page)),
        el("p", {"id": "offline", "class": "offline", "role": "alert", "hidden": True}, page.t("app.offline")),
    )
    theme = None if page.theme == "auto" else page.theme
    return "<!doctype html>" + el("html", {"lang": page.language, "data-theme": theme}, head, body)


def _asset(name: str) -> str:
    return f"/static/{name}?v={_VERSION}"


def _main(page: Page, view: View) -> Html:
    said = page.console.session.said(page.query("said") or "")
    message = None
    if said is not None:
        words, ok = said
        title = page.t("state.done" if ok else "state.refused")
        message = notice("good" if ok else "bad", el("strong", None, title), " ", words)
    return el("main", {"id": "main", "tabindex": "-1"}, message, _as_of(page), view.body)


def _as_of(page: Page) -> Html | None:
    """Return the block that the state on this page is of; if it is of several, or old, that is said."""
    heights = page.data.heights
    if heights is None:
        return None
    first, last = heights
    shown: Shown[None] = Shown(None, Trust.VERIFIED, "trust.proof", first, until=None if first == last else last)
    light = page.console.light
    words = page.t("app.as_of", height=page.number(first))
    if first != last:
        words = page.t("app.as_of.several", first=page.number(first), last=page.number(last))
    older = None
    if first < light.height and page.now_ms - _time_after(page, first) > _OLD_MS:
        older = notice("wait", page.t("app.as_of.old", followed=page.number(light.height)))
    return el("div", {"class": "as-of"}, el("div", None, words, " ", seal(page, shown, small=True)), older)


def _time_after(page: Page, height: int) -> int:
    """Return the time of the block after a height, from which on the state of that height was an old one.

    A chain that rests makes no blocks, so the time of the block itself says nothing.
    """
    return next((header.time_ms for header in page.console.light.recent if header.height == height + 1), 0)


def _top(page: Page) -> Html:
    genesis = page.console.genesis
    brand = el("a", {"class": "brand", "href": "/"}, _MARK, el("span", None, "Coseal"))
    chain = el(
        "span",
        {"class": "chain", "title": genesis.chain_id.hex()},
        el("span", {"class": "unseen"}, page.t("app.chain"), " "),
        genesis.name,
        el("code", {"class": "hash faint"}, genesis.chain_id.hex()[:8]),
    )
    box = search(
        page, "q", "app.search", value=page.query("q") or "" if page.path == "/search" else "", action="/search"
    )
    return el("header", {"class": "top", "id": "status"}, brand, chain, box, _followed(page), _who(page))


def _followed(page: Page) -> Html:
    """Return how far this console has verified the chain."""
    light, nodes = page.console.light, page.console.nodes
    height = page.number(light.height)
    if nodes.doubts.forks():
        link = el("a", {"href": "/evidence"}, page.t("app.forked"))
        return el("div", {"class": "followed"}, notice("bad", link))
    if nodes.seen and not any(seen.status for seen in nodes.seen.values()):
        odd = any(seen.error == ODD for seen in nodes.seen.values())
        words = page.t("app.odd_node" if odd else "app.no_node")
        return el("div", {"class": "followed"}, el("span", {"class": "tag bad"}, words))
    if light.height < nodes.tip - 2:
        words = page.t("app.following", height=height, tip=page.number(nodes.tip))
        if light.trouble is not None:
            words = page.t("app.not_followed", node=light.trouble.node, reason=light.trouble.reason)
        return el("div", {"class": "followed"}, el("span", {"class": "tag wait"}, words))
    shown: Shown[int] = Shown(light.height, Trust.VERIFIED, "trust.header", light.height)
    label = el("span", {"class": "label"}, page.t("app.height"))
    tip = el("a", {"class": "tip", "href": f"/blocks/{light.height}" if light.height else "/"}, height)
    return el("div", {"class": "followed"}, label, tip, seal(page, shown, small=True))


def _who(page: Page) -> Html:
    operator = page.console.operator
    if operator is None:
        return el("span", {"class": "who"}, page.t("app.reading_only"))
    if not page.may_act:
        return el(
            "span", {"class": "who", "title": page.t("app.locked", sender=operator.sender)}, page.t("app.reading_only")
        )
    return el("span", {"class": "who acts"}, page.t("app.acting_as", sender=operator.sender))


def _navigation(page: Page, navigation: tuple[Entry, ...], current: str) -> Html:
    items = [
        el(
            "li",
            None,
            el("a", {"href": entry.path, "aria-current": "page" if entry.key == current else None}, page.t(entry.key)),
        )
        for entry in navigation
    ]
    return el("nav", {"class": "side", "aria-label": page.t("app.navigation")}, el("ul", None, items))


def _settings(page: Page) -> Html:
    asked = page.request.scope["query_string"].decode("ascii", "replace")
    here = page.path + (f"?{asked}" if asked else "")

    def link(name: str, value: str, words: str, *, chosen: bool, language: str | None = None) -> Html:
        href = page.link("/settings", **{name: value, "back": here})
        return el("a", {"href": href, "aria-current": "true" if chosen else None, "lang": language}, words)

    languages = [
        link("language", code, name, chosen=code == page.language, language=code) for code, name in LANGUAGES.items()
    ]
    themes = [link("theme", theme, page.t(f"app.theme.{theme}"), chosen=theme == page.theme) for theme in THEMES]
    return el(
        "nav",
        {"class": "settings", "aria-label": page.t("app.settings")},
        el("span", {"role": "group", "aria-label": page.t("app.language")}, languages),
        el("span", {"role": "group", "aria-label": page.t("app.theme")}, themes),
    )


# Pages for when something is missing


def stalled(page: Page, reasons: tuple[tuple[str, str], ...]) -> View:
    """Return the page for when no node answers."""
    rows = [el("li", None, el("strong", None, node), " ", el("span", {"class": "faint"}, why)) for node, why in reasons]
    body = join(
        lead(page, page.t("state.stalled.title"), "state.stalled.text"),
        el("section", {"class": "panel"}, el("ul", {"class": "reasons"}, rows)) if rows else None,
    )
    return page.view(page.t("state.stalled.title"), body, status=503)


def refused(page: Page, code: str, detail: str, node: str) -> View:
    """Return the page for a question that a node answers with a refusal."""
    said = notice("wait", el("strong", None, code), " ", detail, " ", el("span", {"class": "faint"}, node))
    title = page.t("state.refused.title")
    status = 403 if code == "unauthenticated" else 404 if code.startswith(("unknown", "not_")) else 502
    return page.view(title, lead(page, title), said, status=status)


def untrue(page: Page, shown: Shown[None]) -> View:
    """Return the page for an answer whose proof does not hold."""
    title = page.t("state.untrue.title")
    said = notice("bad", el("strong", None, shown.node), " ", page.t(shown.why), " ", shown.detail)
    return page.view(title, lead(page, title), said, seal(page, shown), status=502)


def odd(page: Page, reason: str) -> View:
    """Return the page for when nodes answer, but none of them as a node does."""
    title = page.t("state.odd.title")
    said = notice("wait", reason, " ", el("a", {"href": "/evidence"}, page.t("evidence.nav")))
    return page.view(title, lead(page, title, "state.odd.text"), said, status=502)


def missing(page: Page) -> View:
    """Return the page for a path that leads nowhere."""
    title = page.t("state.not_found.title")
    return page.view(title, lead(page, title, "state.not_found.text"), live=False, status=404)


def broken(page: Page) -> View:
    """Return the page for a fault of our own."""
    title = page.t("state.error.title")
    return page.view(title, lead(page, title, "state.error.text"), empty(page), live=False, status=500)
